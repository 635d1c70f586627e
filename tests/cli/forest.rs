//! A whole tree of repositories at once: found, guarded, given another policy, let go.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ground::{Answer, Ground, POLICY, chmod, contents, write_hook};

/// Says nothing about `main`.
const ELSEWHERE: &str = "version = 1\n[rule.releases]\nkind = \"merge\"\nrefs = [\"release/**\"]\n";

/// How many repositories are enough to tell a process for each from a process for all.
const MANY: usize = 120;

/// How many times `git` may be started for one repository.
const PROCESSES_MAX: usize = 1;

/// A tree with everything in it that one meets: three repositories and what is none.
fn forest(ground: &Ground) -> PathBuf {
    fs::create_dir_all(ground.path("srv/acme")).unwrap();
    for name in ["srv/acme/infra.git", "srv/acme/app.git", "srv/tools.git"] {
        ground.repository(name);
    }
    ground.git(&["clone", "-q", "--mirror", "srv/tools.git", "srv/mirror.git"]);
    // Pushed to another place, and pushed to by people.
    ground.git(&["-C", "srv/tools.git", "remote", "add", "--mirror=push", "backup", "/nowhere"]);
    ground.git(&["init", "-q", "srv/work"]);
    fs::create_dir_all(ground.path("srv/work/inside")).unwrap();
    ground.git(&["init", "-q", "--bare", "srv/work/inside/hidden.git"]);
    ground.git(&["init", "-q", "--bare", "elsewhere.git"]);
    symlink(ground.path("elsewhere.git"), ground.path("srv/linked.git")).unwrap();
    // Round in a circle, for whoever follows.
    symlink(ground.path("srv"), ground.path("srv/acme/up")).unwrap();
    ground.write("policy.toml", POLICY);
    ground.path("srv")
}

fn over(ground: &Ground, more: &[&str]) -> Answer {
    ground.portcullis(&[&["install", "--recursive", "srv"], more].concat())
}

/// A commit directly on `main`, pushed.
fn push(ground: &Ground, repo: &Path) -> Answer {
    let (url, work) = (repo.to_str().unwrap(), ground.path("clone"));
    let _ = fs::remove_dir_all(&work);
    ground.git(&["clone", "-q", url, "clone"]);
    ground.git(&["-C", "clone", "commit", "-q", "--allow-empty", "-m", "direct"]);
    ground.try_git(&["-C", "clone", "push", "-q", "origin", "HEAD:refs/heads/main"])
}

/// The log's entries of this type.
fn records(repo: &Path, kind: &str) -> Vec<Value> {
    let log = repo.join("portcullis/log/00000000000000000000.jsonl");
    let text = fs::read_to_string(log).unwrap();
    let lines = text.split('\n').filter(|line| line.starts_with('{'));
    let records = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["type"] == kind).collect()
}

#[test]
fn a_tree_is_guarded_warns_first_and_then_bites() {
    let ground = Ground::new();
    let srv = forest(&ground);
    let before = contents(&srv);
    over(&ground, &["--policy", "policy.toml", "--dry-run"]).expect(0).says("would install 3");
    assert_eq!(contents(&srv), before);

    let answer = over(&ground, &["--policy", "policy.toml"]).expect(0);
    assert_eq!(answer.out, "installed 3, skipped 4\n");
    let answer = answer
        .says("skipped: srv/mirror.git is a mirror of the remote origin")
        .says("skipped: srv/work has a working tree")
        .says("skipped: srv/linked.git is a symbolic link")
        .says("skipped: srv/acme/up is a symbolic link");
    answer.says("portcullis install --recursive srv --enforce");
    assert!(!ground.path("srv/work/inside/hidden.git/portcullis").exists());
    assert!(!ground.path("srv/mirror.git/portcullis").exists());
    let infra = ground.path("srv/acme/infra.git");
    let id = ground.key(&infra, "portcullis.repository");
    assert!(id.starts_with("acme-infra-"), "{id}");

    // The rule speaks and lets through, and the log knows why.
    push(&ground, &infra).expect(0).says("warning: refs/heads/main is at odds with rule `merges`");
    assert_eq!(records(&infra, "decision")[0]["verdict"], "warn");
    let config = records(&infra, "config");
    let told = |record: &Value| record.to_string().contains("portcullis.level");
    assert!(told(&config[0]), "{config:?}");
    ground.portcullis(&["doctor", infra.to_str().unwrap()]).expect(0).says("[only-warns]");

    let drift = ground.portcullis(&["log", "drift", infra.to_str().unwrap()]).expect(0);
    assert!(!drift.out.contains("changed:"), "what install wrote is what is there: {drift:?}");

    // A timer runs it again: what came since is guarded, what is there is left alone.
    ground.repository("srv/acme/new.git");
    let again = over(&ground, &["--policy", "policy.toml"]).expect(0);
    assert_eq!(again.out, "installed 1, already there 3, skipped 4\n");

    let answer = over(&ground, &["--enforce", "--json"]).expect(0);
    let told: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(told["changed"].as_array().map(Vec::len), Some(4));
    assert_eq!(told["skipped"].as_array().map(Vec::len), Some(4));
    push(&ground, &infra).expect(1).says("refused by rule `merges`");
    assert_eq!(records(&infra, "config").len(), 2, "that it bites from now on is in the log, too");
    // What bites is never made to warn again.
    assert_eq!(over(&ground, &[]).expect(0).out, "already there 4, skipped 4\n");
    push(&ground, &infra).expect(1);

    ground.portcullis(&["uninstall", "--recursive", "srv"]).expect(0).says("uninstalled 4");
    let mut after = contents(&srv);
    let ours = |path: &Path| path.components().any(|part| part.as_os_str() == "portcullis");
    let touched = |path: &Path| {
        ours(path)
            || path.starts_with(srv.join("acme/new.git"))
            || path.starts_with(infra.join("objects"))
            || path.starts_with(infra.join("refs"))
    };
    after.retain(|(path, _, _)| !touched(path));
    let mut before = before;
    before.retain(|(path, _, _)| !touched(path));
    assert_eq!(after, before);
    let second = ground.portcullis(&["uninstall", "--recursive", "srv"]).expect(0);
    assert!(second.out.contains("uninstalled 0, not installed 5"), "{second:?}");
}

#[test]
fn what_cannot_be_done_is_told_at_the_end_and_the_others_are_done() {
    let ground = Ground::new();
    forest(&ground);
    let locked = ground.path("srv/acme/app.git");
    fs::write(locked.join("config.lock"), "").unwrap();
    let broken = ground.path("srv/tools.git");
    chmod(&broken.join("HEAD"), 0o644);
    write_hook(&broken.join("hooks/update"), "#!/bin/sh\nexit 0\n", 0o755);
    write_hook(&broken.join("hooks/update.before-portcullis"), "#!/bin/sh\nexit 1\n", 0o755);
    let answer = over(&ground, &["--policy", "policy.toml"]).expect(3);
    assert_eq!(answer.out, "installed 1, skipped 4, failed 2\n");
    let lock = locked.join("config.lock");
    let answer = answer
        .says(&format!("if no git runs there now: rm {}", lock.display()))
        .says("there is an earlier hook already");
    assert!(answer.err.find("srv/tools.git:") > answer.err.find("skipped:"), "{answer:?}");
    assert!(!locked.join("hooks/pre-receive").exists());

    fs::remove_file(lock).unwrap();
    fs::remove_file(broken.join("hooks/update")).unwrap();
    assert_eq!(
        over(&ground, &["--policy", "policy.toml"]).expect(0).out,
        "installed 2, already there 1, skipped 4\n"
    );
    fs::create_dir_all(ground.path(&format!("srv/{}", "down/".repeat(14)))).unwrap();
    over(&ground, &[]).expect(3).says("more than 12 folders deep").says("already there 3");
    assert_eq!(ground.portcullis(&["install", "--recursive", "nowhere"]).expect(3).out, "");
}

#[test]
fn a_policy_is_swapped_for_all_and_the_difference_is_shown_first() {
    let ground = Ground::new();
    forest(&ground);
    ground.write("one.toml", ELSEWHERE);
    over(&ground, &["--policy", "one.toml", "--enforce"]).expect(0);
    let infra = ground.path("srv/acme/infra.git");
    // A landing that the new policy would not have let through.
    push(&ground, &infra).expect(0);
    let keys = || {
        ["acme/infra.git", "acme/app.git", "tools.git"]
            .map(|name| ground.key(&ground.path("srv").join(name), "portcullis.policy"))
    };
    let before = (keys(), contents(&infra));

    ground.write("bad.toml", "version = 1\n[rule.x]\nkind = \"merg\"\nrefs = [\"main\"]\n");
    over(&ground, &["--policy", "bad.toml"])
        .expect(1)
        .says("bad.toml:3")
        .says("nothing was installed");
    assert_eq!((keys(), contents(&infra)), before);

    let shown = over(&ground, &["--policy", "policy.toml", "--dry-run"]).expect(0);
    assert_eq!((keys(), contents(&infra)), before);
    let shown = shown
        .says("rule `releases` (merge) goes")
        .says("rule `merges` (merge) comes, level refuse")
        .says("-[rule.releases]")
        .says("would be refused that passed");
    assert_eq!(shown.out.matches("-[rule.releases]").count(), 1, "once, not for each: {shown:?}");
    shown.says("would change 3");

    // One is locked: the others are swapped, and this one is named.
    let lock = ground.path("srv/tools.git/config.lock");
    fs::write(&lock, "").unwrap();
    let answer = over(&ground, &["--policy", "policy.toml", "--json"]).expect(3);
    let told: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(told["failed"][0]["repository"], "srv/tools.git");
    assert_eq!(told["changed"].as_array().map(Vec::len), Some(2));
    let replayed = told["policy"]["replayed"].as_array().unwrap();
    let refused = |name: &str| {
        let row = replayed.iter().find(|row| row["repository"] == name).unwrap();
        row["newly_refused"].as_array().unwrap().len()
    };
    assert!(refused("srv/acme/infra.git") > refused("srv/tools.git"), "{told}");
    let new = ground.path("policy.toml").to_str().unwrap().to_owned();
    let old = ground.path("one.toml").to_str().unwrap().to_owned();
    assert_eq!(keys(), [new.clone(), new, old]);
    assert_eq!(records(&infra, "config").len(), 2);
    push(&ground, &infra).expect(1).says("refused by rule `merges`");
    assert_eq!(records(&infra, "policy").len(), 2, "the new one, whole, before its first word");
}

#[test]
fn many_repositories_take_few_processes() {
    let ground = Ground::new();
    let first = ground.repository("srv/r0.git");
    ground.write("policy.toml", POLICY);
    for number in 1..MANY {
        let copy = ground.path(&format!("srv/r{number}.git"));
        for (path, _, bytes) in contents(&first) {
            let to = copy.join(path.strip_prefix(&first).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            if path.is_dir() {
                fs::create_dir_all(&to).unwrap()
            } else {
                fs::write(&to, bytes).unwrap()
            }
        }
    }
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|dir| dir.join("git")).find(|git| git.is_file());
    let counted = ground.path("counted");
    let text = format!(
        "#!/bin/sh\necho run >>'{}'\nexec '{}' \"$@\"\n",
        counted.display(),
        real.unwrap().display()
    );
    let spy = ground.write("spy/git", &text);
    chmod(&spy, 0o755);
    let mut command = ground.command();
    let folders =
        [spy.parent().unwrap().to_owned()].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.args(["install", "--recursive", "srv", "--policy", "policy.toml"]);
    let output = command.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("installed {MANY}\n"),
        "{output:?}"
    );
    let runs = fs::read_to_string(&counted).unwrap().lines().count();
    assert!(runs <= PROCESSES_MAX * MANY, "{runs} times git for {MANY} repositories");
    let ids: std::collections::BTreeSet<String> = (0..MANY)
        .map(|number| {
            ground.key(&ground.path(&format!("srv/r{number}.git")), "portcullis.repository")
        })
        .collect();
    assert_eq!(ids.len(), MANY);
}
