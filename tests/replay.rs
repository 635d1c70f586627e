//! `portcullis replay` against plain Git, on a cut of a real history.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use portcullis::names::moment::Moment;
use serde_json::Value;
use tempfile::TempDir;

/// Merges only, and two approvals for what lies under `terraform`.
const POLICY: &str = r#"version = 1
[people.alice]
keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUiKUF2FqDMrNwAfryJkQzNMRxS7mwPShx9zPh0bUD3"]
[people.bob]
keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID3MuUV2kOq6AOYLx5cujQTyMQoKbvlfOa9ZVEUaGyiy"]
[groups]
platform = ["alice", "bob"]
[rule.takes-merges]
kind = "merge"
refs = ["@default"]
[rule.terraform-review]
kind = "approval"
refs = ["@default"]
paths = ["terraform/**"]
approvals = 2
from = ["@platform"]
level = "warn"
[rule.tags-stay]
kind = "immutable"
refs = ["refs/tags/**"]
[rule.only-alice]
kind = "access"
refs = ["@default"]
move = ["alice"]
"#;

/// A folder with the real history in it and the policy beside it.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(ground.at("home")).unwrap();
        fs::write(ground.at("policy.toml"), POLICY).unwrap();
        let repo = ground.repo();
        ground.run("git", &["init", "-q", "--bare", "-b", "main", repo.to_str().unwrap()], b"");
        let data =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/terraform-300.fast-import.gz");
        let stream = ground.run("gzip", &["-dc", data.to_str().unwrap()], b"");
        ground.git(&["fast-import", "--quiet"], &stream.stdout);
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn repo(&self) -> PathBuf {
        self.at("real.git")
    }

    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.at("home"))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // A program that reads nothing may end before all is written.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }

    #[track_caller]
    fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let repo = self.repo();
        let all = [&["-C", repo.to_str().unwrap()], arguments].concat();
        let output = self.run("git", &all, input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn replay(&self, more: &[&str]) -> Output {
        let (policy, repo) = (self.at("policy.toml"), self.repo());
        let mut arguments = vec!["replay", "--policy", policy.to_str().unwrap()];
        arguments.extend(more);
        arguments.push(repo.to_str().unwrap());
        self.run(env!("CARGO_BIN_EXE_portcullis"), &arguments, b"")
    }

    #[track_caller]
    fn replay_json(&self, more: &[&str], code: i32) -> Value {
        let output = self.replay(&[&["--json"], more].concat());
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert_eq!(err, "", "nobody watches, so nothing is shown");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// What plain Git says about the newest steps of `main`.
#[derive(Debug, Default)]
struct Oracle {
    merges: usize,
    direct: usize,
    first: usize,
    /// Merges that `git merge-tree` does not make the same way.
    unequal: BTreeSet<String>,
    /// Steps that change something under `terraform`.
    terraform: BTreeSet<String>,
}

impl Oracle {
    fn new(ground: &Ground, last: Option<usize>) -> Self {
        let last = last.map_or_else(|| "--max-count=-1".into(), |n| format!("--max-count={n}"));
        let mut oracle = Self::default();
        let log = ["log", "--first-parent", &last, "--format=%H %T %P", "main"];
        for line in ground.git(&log, b"").lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [_, _, ""] | [_, _] => oracle.first += 1,
                [_, _, _] => oracle.direct += 1,
                [commit, tree, ours, theirs] => {
                    oracle.merges += 1;
                    let repo = ground.repo();
                    let words = ["-C", repo.to_str().unwrap(), "merge-tree", "--write-tree"];
                    let merged = ground.run("git", &[&words[..], &[ours, theirs]].concat(), b"");
                    let text = String::from_utf8_lossy(&merged.stdout);
                    if !merged.status.success() || text.trim_end() != tree {
                        oracle.unequal.insert(commit.into());
                    }
                }
                _ => panic!("the history has no merge of more than two"),
            }
        }
        // `--max-count` would count what is shown, so the steps are picked afterwards.
        let steps = ground.git(&["rev-list", "--first-parent", &last, "main"], b"");
        let steps: BTreeSet<&str> = steps.lines().collect();
        let log = ["log", "--first-parent", "-m", "--full-history", "--format=%H", "main", "--"];
        let changing = ground.git(&[&log[..], &["terraform"]].concat(), b"");
        let changing = changing.lines().filter(|commit| steps.contains(commit));
        oracle.terraform = changing.map(Into::into).collect();
        oracle
    }

    fn steps(&self) -> usize {
        self.merges + self.direct + self.first
    }
}

#[track_caller]
fn agrees(replayed: &Value, oracle: &Oracle) {
    assert_eq!(replayed["steps"]["all"], oracle.steps());
    assert_eq!(replayed["steps"]["merges"], oracle.merges);
    assert_eq!(replayed["steps"]["direct"], oracle.direct);
    assert_eq!(replayed["steps"]["first"], oracle.first);
    let merge = &replayed["rules"][0];
    assert_eq!(merge["rule"], "takes-merges");
    assert_eq!(merge["objects_to"]["direct"], oracle.direct);
    assert_eq!(merge["objects_to"]["merges"], oracle.unequal.len(), "{:?}", oracle.unequal);
    assert_eq!(merge["objects_to"]["first"], 0);
    let review = &replayed["rules"][1];
    assert_eq!(review["level"], "warn");
    // The branch's first commit makes the repository and needs no approval.
    assert_eq!(review["objects_to"]["all"], oracle.terraform.len() - oracle.first);
    assert_eq!(replayed["refused"], oracle.direct + oracle.unequal.len());
}

#[test]
fn the_counts_are_those_of_plain_git() {
    let ground = Ground::new();
    let oracle = Oracle::new(&ground, None);
    assert!(oracle.direct > 5 && !oracle.unequal.is_empty() && oracle.terraform.len() > 50);
    let replayed = ground.replay_json(&[], 1);
    agrees(&replayed, &oracle);
    let needed = &replayed["rules"][1]["needed"];
    assert_eq!(needed.as_array().unwrap().len(), 1);
    assert_eq!(needed[0]["approvals"], 2);
    assert_eq!(needed[0]["from"], serde_json::json!(["alice", "bob"]));
    assert_eq!(needed[0]["steps"], replayed["rules"][1]["objects_to"]["all"]);
}

#[test]
fn the_newest_steps_alone_are_counted_when_asked() {
    let ground = Ground::new();
    for last in [1, 50] {
        let oracle = Oracle::new(&ground, Some(last));
        let n = last.to_string();
        let code = i32::from(oracle.direct + oracle.unequal.len() > 0);
        agrees(&ground.replay_json(&["--last", &n], code), &oracle);
    }
}

#[test]
fn examples_are_the_oldest_steps_with_their_dates_and_subjects() {
    let ground = Ground::new();
    let oracle = Oracle::new(&ground, None);
    let format = "--format=%H|%ct|%s|%P";
    let log = ground.git(&["log", "--first-parent", "--reverse", format, "main"], b"");
    let mut expected = Vec::new();
    for line in log.lines() {
        let [commit, seconds, subject, parents] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("a subject with a bar: {line}")
        };
        if parents.len() == 40 || oracle.unequal.contains(commit) {
            expected.push((commit.to_owned(), seconds.parse().unwrap(), subject.to_owned()));
        }
    }
    expected.truncate(3);
    let replayed = ground.replay_json(&[], 1);
    let examples = replayed["rules"][0]["examples"].as_array().unwrap();
    let text = |example: &Value, key: &str| example[key].as_str().unwrap().to_owned();
    let seconds = |example| Moment::parse(&text(example, "date")).unwrap().seconds();
    let found = examples.iter().map(|e| (text(e, "commit"), seconds(e), text(e, "subject")));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_refused_is_a_yes() {
    let ground = Ground::new();
    let oracle = Oracle::new(&ground, None);
    let lenient = POLICY.replace("version = 1\n", "version = 1\nlevel = \"warn\"\n");
    fs::write(ground.at("policy.toml"), lenient).unwrap();
    let replayed = ground.replay_json(&[], 0);
    assert_eq!(replayed["refused"], 0);
    assert_eq!(replayed["rules"][0]["objects_to"]["direct"], oracle.direct);
    assert!(replayed["warned"].as_u64().unwrap() >= oracle.terraform.len() as u64 - 1);
}

#[test]
fn rules_about_other_refs_and_about_pushers_are_named_and_not_counted() {
    let ground = Ground::new();
    let replayed = ground.replay_json(&[], 1);
    assert_eq!(replayed["left_out"][0]["rule"], "only-alice");
    assert_eq!(replayed["about_other_refs"][0]["rule"], "tags-stay");
    assert_eq!(replayed["rules"].as_array().unwrap().len(), 2);
}

#[test]
fn a_person_reads_rules_needs_examples_and_the_sum() {
    let ground = Ground::new();
    let output = ground.replay(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "refs/heads/main: ",
        "rule `takes-merges` (merge, policy.toml:8) would have refused ",
        "rule `terraform-review` (approval, policy.toml:11) would have warned about ",
        " steps needed 2 approvals from alice, bob\n",
        "came by direct push, this branch takes merges only\n",
        "rule `only-alice` (access, policy.toml:21) is left out: history does not tell who pushed\n",
        "rule `tags-stay` (immutable, policy.toml:18) is about other refs\n",
        " would have been refused, ",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(text.is_ascii() && !text.contains('\x1b'), "{text}");
}

#[test]
fn another_policy_is_held_beside_the_one_in_force() {
    let ground = Ground::new();
    let oracle = Oracle::new(&ground, None);
    // None is in force before the first `install`.
    assert_eq!(ground.replay_json(&[], 1)["beside"], Value::Null);
    let (in_force, repo) = (ground.at("in-force.toml"), ground.repo());
    fs::write(&in_force, POLICY).unwrap();
    let words = ["install", "--policy", in_force.to_str().unwrap(), repo.to_str().unwrap()];
    let installed = ground.run(env!("CARGO_BIN_EXE_portcullis"), &words, b"");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    // The new one takes direct commits, and asks for the approvals that the other warned about.
    let strict = POLICY.replace("level = \"warn\"\n", "");
    let new = strict.replace("kind = \"merge\"\n", "kind = \"merge\"\nlevel = \"warn\"\n");
    fs::write(ground.at("policy.toml"), new).unwrap();
    let refused = |value: &Value| -> BTreeSet<String> {
        let list = value.as_array().unwrap().iter();
        list.map(|oid| oid.as_str().unwrap().to_owned()).collect()
    };
    let log = ["log", "--first-parent", "--format=%H %P", "main"];
    let log = ground.git(&log, b"");
    let steps: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    let alone = |n: usize| {
        steps.iter().filter(move |it| it.iter().filter(|oid| !oid.is_empty()).count() == n)
    };
    let mut old: BTreeSet<String> = alone(2).map(|it| it[0].to_owned()).collect();
    old.extend(oracle.unequal.iter().cloned());
    let mut now = oracle.terraform.clone();
    // The branch's first commit makes the repository and needs no approval.
    now.retain(|commit| alone(1).all(|it| it[0] != commit));
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> BTreeSet<String> {
        these.difference(those).cloned().collect()
    };
    let beside = &ground.replay_json(&[], 1)["beside"];
    assert_eq!(beside["landings"], oracle.steps());
    assert_eq!(refused(&beside["newly_refused"]), only(&now, &old));
    assert_eq!(refused(&beside["newly_passed"]), only(&old, &now));
    let text = String::from_utf8(ground.replay(&[]).stdout).unwrap();
    let line = text.lines().last().unwrap();
    let (more, fewer) = (only(&now, &old).len(), only(&old, &now).len());
    let all = oracle.steps();
    let begin = format!("beside the policy in force: of {all} landings {more} would be refused");
    assert!(line.starts_with(&begin), "{line}");
    assert!(line.contains(&format!(", {fewer} would pass that were refused (")), "{line}");
    // One that cannot be used is said to be none.
    fs::write(&in_force, "version = 1\n[rule.x]\nkind = \"merg\"\n").unwrap();
    let output = ground.replay(&[]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("the policy in force cannot be used"), "{err}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("beside"));
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let ground = Ground::new();
    let said = |more: &[&str], code: i32, words: &str| {
        let output = ground.replay(more);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(err.contains(words), "no {words:?} in {err}");
    };
    said(&["--ref", "none"], 3, "there is no ref refs/heads/none");
    said(&["--ref", "a..b"], 2, "no refname");
    fs::write(ground.at("policy.toml"), "version = 1\n[rule.x]\nkind = \"merg\"\n").unwrap();
    said(&[], 1, "no such rule kind");
    fs::remove_file(ground.at("policy.toml")).unwrap();
    said(&[], 3, "could not read the policy");
}

#[test]
fn install_holds_the_newest_landings_against_the_policy() {
    let ground = Ground::new();
    let oracle = Oracle::new(&ground, Some(100));
    let (policy, repo) = (ground.at("policy.toml"), ground.repo());
    let words = ["install", "--policy", policy.to_str().unwrap(), repo.to_str().unwrap()];
    let output = ground.run(env!("CARGO_BIN_EXE_portcullis"), &words, b"");
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    let refused = oracle.direct + oracle.unequal.len();
    let sum = format!("  {refused} of 100 steps would have been refused, ");
    assert!(err.contains(&sum), "no {sum:?} in\n{err}");
    let again = ground.run(env!("CARGO_BIN_EXE_portcullis"), &words, b"");
    assert!(!String::from_utf8(again.stderr).unwrap().contains("would have"));
}
