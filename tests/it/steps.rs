//! The last 300 steps of a real infrastructure repository, pushed one by one through the gate.
//!
//! Which of them `merge` takes is not ours to say: plain Git recomputes every merge. A step that
//! is refused is put in place by `git update-ref` on the server, so that the next is judged alone;
//! the log has to name each of those as drift.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::entries::chain;
use crate::support::ground::{bytes, feed, text};
use crate::support::person::WHO;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

/// One step of the branch, with what plain Git says about it.
struct Step {
    commit: String,
    parents: Vec<String>,
    /// Does the merge of its parents, computed anew, have its tree?
    recomputes: bool,
}

/// The history, unpacked by `gzip`.
fn stream() -> Vec<u8> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/terraform-300.fast-import.gz");
    bytes(Command::new("gzip").arg("-dc").arg(file))
}

/// The steps of a branch after its first commit, oldest first.
fn steps(git: &dyn Fn() -> Command) -> (String, Vec<Step>) {
    let listed = text(git().args([
        "log",
        "--first-parent",
        "--reverse",
        "--format=%H %T %P",
        "refs/heads/main",
    ]));
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split(' ').collect()).collect();
    // One process for all: each line of input is a merge to compute.
    let merges: Vec<&Vec<&str>> = rows.iter().filter(|row| row.len() == 4).collect();
    let mut tree = git();
    let mut child = tree
        .args(["merge-tree", "--stdin", "--write-tree", "--no-messages"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = merges.iter().map(|row| format!("{} {}\n", row[2], row[3])).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let trees = merge_trees(&output.stdout);
    assert_eq!(trees.len(), merges.len());
    let recomputed: BTreeMap<&str, bool> = merges
        .iter()
        .zip(trees)
        .map(|(row, tree)| (row[0], tree.as_deref() == Some(row[1])))
        .collect();
    let steps = rows[1..]
        .iter()
        .map(|row| Step {
            commit: row[0].to_owned(),
            parents: row[2..].iter().map(|&parent| parent.to_owned()).collect(),
            recomputes: recomputed.get(row[0]).copied().unwrap_or(false),
        })
        .collect();
    (rows[0][0].to_owned(), steps)
}

/// Reads `git merge-tree --stdin`: per merge a status, NUL, a tree, NUL, conflicts, NUL. `None`
/// for a merge that conflicts.
fn merge_trees(output: &[u8]) -> Vec<Option<String>> {
    let mut trees = Vec::new();
    let mut fields = output.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field));
    while let Some(status) = fields.next() {
        let Some(tree) = fields.next() else { break };
        trees.push((status == "1").then(|| tree.into_owned()));
        // The files in conflict follow, up to an empty field.
        while fields.next().is_some_and(|field| !field.is_empty()) {}
    }
    trees
}

/// How many steps' topics come in one push; each landing is a push of its own.
const TOPICS_AT_ONCE: usize = 10;

/// Pushes the topics of these steps.
fn topics(site: &Site, source: &Path, first: usize, steps: &[Step]) {
    let refspecs: Vec<String> = (first..)
        .zip(steps)
        .flat_map(|(number, step)| step.parents[1..].iter().map(move |topic| (number, topic)))
        .map(|(number, topic)| format!("{topic}:refs/heads/topic/{number}"))
        .collect();
    push(site, source, &refspecs).accepted();
}

/// Pushes from the repository that has the whole history to the one behind the gate.
fn push(site: &Site, source: &Path, refspecs: &[String]) -> Pushed {
    let mut git = site.ground().git(source);
    git.env(WHO, "alice").arg("push").arg("--quiet").arg(site.path()).args(refspecs);
    Pushed::of(&git.output().unwrap())
}

#[test]
fn the_last_300_steps_of_a_real_history_are_judged_as_plain_git_would() {
    let site = Plan::new(policy::people() + policy::MERGES).empty().build();
    let source = site.ground().at("source.git");
    text(site.ground().command("git").args(["init", "--quiet", "--bare"]).arg(&source));
    let import = feed(site.ground().git(&source).args(["fast-import", "--quiet"]), &stream());
    assert!(import.status.success());
    let (root, steps) = steps(&|| site.ground().git(&source));
    assert_eq!(steps.len(), 300);

    push(&site, &source, &[format!("{root}:refs/heads/main")]).accepted();
    let mut refused = 0;
    for (number, step) in steps.iter().enumerate() {
        // The topics first, so that they were on the server before.
        if number % TOPICS_AT_ONCE == 0 {
            topics(
                &site,
                &source,
                number,
                &steps[number..steps.len().min(number + TOPICS_AT_ONCE)],
            );
        }
        let landing = push(&site, &source, &[format!("{}:refs/heads/main", step.commit)]);
        assert_eq!(
            landing.is_accepted(),
            step.recomputes,
            "step {number}, {} of {:?}:\n{}",
            step.commit,
            step.parents,
            landing.said()
        );
        if !step.recomputes {
            landing.refused_by("main-takes-merges");
            refused += 1;
            let pack = text(
                site.ground()
                    .git(site.path())
                    .args(["fetch", "--quiet"])
                    .arg(&source)
                    .arg(&step.commit),
            );
            assert_eq!(pack, "");
            site.git(&["update-ref", "refs/heads/main", &step.commit]);
        }
    }
    assert_eq!(site.main(), steps.last().unwrap().commit);
    let direct = steps.iter().filter(|step| step.parents.len() == 1).count();
    assert_eq!(direct, 13);
    assert!(refused >= direct);
    // The last step is a direct commit; one more push lets the log see where it went.
    push(&site, &source, &[format!("{root}:refs/heads/last")]).accepted();
    push(&site, &source, &[format!("+{root}:refs/heads/main")]).refused();
    assert_eq!(site.log().count("drift"), refused);
    chain(&site.log_dir());
    site.log_and_refs_agree();
    drop(fs::remove_dir_all(source));
}

#[test]
fn replay_counts_what_plain_git_counts() {
    let site = Plan::new(policy::people() + policy::MERGES).history(stream()).build();
    let (_, steps) = steps(&|| site.ground().git(site.path()));
    let expected = steps.iter().filter(|step| !step.recomputes).count();
    let replay = site.verb(&["replay", "--json", "--last", "300"]);
    let report: serde_json::Value = serde_json::from_slice(&replay.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&replay.stderr)));
    let said = report.to_string();
    assert!(said.contains("main-takes-merges"), "{said}");
    assert!(said.contains(&expected.to_string()), "{expected}: {said}");
}
