//! Every trap that lets pushes through is produced on purpose, and found by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::ground::{Ground, chmod, contents, mode, write_hook};

/// The names and levels of what `doctor` finds.
fn findings(ground: &Ground, repo: &Path) -> Vec<(String, String)> {
    let answer = ground.portcullis(&["doctor", "--json", repo.to_str().unwrap()]);
    let report: Value = serde_json::from_str(&answer.out).unwrap();
    let found = report["repositories"][0]["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    for finding in found {
        assert!(!text(finding, "what").is_empty() && !text(finding, "why").is_empty());
    }
    let has_error = found.iter().any(|finding| finding["level"] == "error");
    assert_eq!(answer.code, i32::from(has_error), "{answer:?}");
    found.iter().map(|finding| (text(finding, "check"), text(finding, "level"))).collect()
}

type Damage = fn(&Ground, &Path);

fn config(ground: &Ground, repo: &Path, key: &str, value: &str) {
    ground.git(&["-C", repo.to_str().unwrap(), "config", key, value]);
}

/// What is done to a healthy repository, what is found then, and how bad it is.
const TRAPS: &[(&str, &str, Damage)] = &[
    ("hook-missing", "error", |_, repo| fs::remove_file(repo.join("hooks/pre-receive")).unwrap()),
    ("hook-missing", "warning", |_, repo| {
        fs::remove_file(repo.join("hooks/post-receive")).unwrap()
    }),
    ("hook-not-executable", "error", |_, repo| chmod(&repo.join("hooks/pre-receive"), 0o644)),
    ("hook-dangling", "error", |_, repo| {
        fs::remove_file(repo.join("hooks/update")).unwrap();
        symlink("/nonexistent/portcullis", repo.join("hooks/update")).unwrap();
    }),
    ("hook-symlink", "error", |_, repo| {
        fs::rename(repo.join("hooks/update"), repo.join("hooks/elsewhere")).unwrap();
        symlink("elsewhere", repo.join("hooks/update")).unwrap();
    }),
    ("hook-empty", "error", |_, repo| write_hook(&repo.join("hooks/pre-receive"), "", 0o755)),
    ("hook-foreign", "error", |_, repo| {
        write_hook(&repo.join("hooks/pre-receive"), "#!/bin/sh\nexit 0\n", 0o755);
    }),
    ("hook-altered", "error", |_, repo| {
        let path = repo.join("hooks/pre-receive");
        let text = fs::read_to_string(&path).unwrap().replace("exit 1", "exit 0");
        write_hook(&path, &text, 0o755);
    }),
    ("hook-no-file", "error", |_, repo| {
        fs::remove_file(repo.join("hooks/update")).unwrap();
        fs::create_dir(repo.join("hooks/update")).unwrap();
    }),
    ("hook-writable", "error", |_, repo| chmod(&repo.join("hooks/update"), 0o757)),
    ("hook-writable", "error", |_, repo| chmod(&repo.join("hooks"), 0o777)),
    ("hooks-path", "error", |ground, _| {
        ground.git(&["config", "--global", "core.hooksPath", "/dev/null"]);
    }),
    ("hook-missing", "error", |ground, repo| config(ground, repo, "core.hooksPath", "/dev/null")),
    ("hook-disabled", "error", |ground, repo| {
        config(ground, repo, "hook.pre-receive.enabled", "false");
    }),
    ("hook-configured", "note", |ground, repo| {
        config(ground, repo, "hook.other.event", "pre-receive");
    }),
    ("proc-receive", "warning", |ground, repo| {
        config(ground, repo, "receive.procReceiveRefs", "refs/for");
    }),
    ("hidden-refs", "warning", |ground, repo| {
        config(ground, repo, "transfer.hideRefs", "refs/approvals");
    }),
    ("push-options", "warning", |ground, repo| {
        config(ground, repo, "receive.advertisePushOptions", "false");
    }),
    ("anonymous-push", "note", |ground, repo| config(ground, repo, "http.receivepack", "true")),
    ("shared-repository", "warning", |ground, repo| {
        config(ground, repo, "core.sharedRepository", "group");
    }),
    ("prune-now", "warning", |ground, repo| config(ground, repo, "gc.pruneExpire", "now")),
    ("key-elsewhere", "warning", |ground, _| {
        ground.git(&["config", "--global", "portcullis.policy", "/etc/policy.toml"]);
    }),
    ("two-ids", "error", |ground, repo| {
        let dir = repo.to_str().unwrap();
        ground.git(&["-C", dir, "config", "--add", "portcullis.repository", "other-00000000"]);
    }),
    ("not-installed", "error", |ground, repo| {
        ground.git(&["-C", repo.to_str().unwrap(), "config", "--unset", "portcullis.hooks"]);
    }),
    ("policy-broken", "error", |_, repo| {
        fs::write(repo.join("portcullis/policy.toml"), "version = 1\nnonsense").unwrap();
    }),
    ("policy-unreadable", "error", |_, repo| {
        fs::remove_file(repo.join("portcullis/policy.toml")).unwrap();
    }),
    ("writable-by-others", "error", |_, repo| chmod(&repo.join("portcullis/policy.toml"), 0o666)),
    ("writable-by-others", "error", |_, repo| chmod(&repo.join("portcullis/policy.toml"), 0o620)),
    ("writable-by-others", "error", |_, repo| chmod(&repo.join("portcullis"), 0o777)),
    ("writable-by-others", "error", |_, repo| chmod(repo, 0o777)),
    ("log-missing", "error", |_, repo| {
        fs::rename(repo.join("portcullis/log"), repo.join("portcullis/gone")).unwrap();
    }),
    ("log-no-folder", "error", |_, repo| {
        fs::rename(repo.join("portcullis/log"), repo.join("portcullis/gone")).unwrap();
        fs::write(repo.join("portcullis/log"), "").unwrap();
    }),
    ("repository-unreadable", "error", |_, repo| {
        fs::create_dir_all(repo.join("info")).unwrap();
        fs::write(repo.join("info/grafts"), "x\n").unwrap();
    }),
    ("partial-clone", "warning", |ground, repo| {
        config(ground, repo, "extensions.partialClone", "origin");
    }),
    ("stale-lock", "warning", |_, repo| {
        fs::write(repo.join("refs/heads/main.lock"), "").unwrap();
        make_old(&repo.join("refs/heads/main.lock"));
    }),
    ("left-over-objects", "note", |_, repo| {
        fs::create_dir(repo.join("objects/tmp_objdir-incoming-abc")).unwrap();
        make_old(&repo.join("objects/tmp_objdir-incoming-abc"));
    }),
    ("symbolic-ref", "note", |ground, repo| {
        let dir = repo.to_str().unwrap();
        ground.git(&["-C", dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    }),
    ("head-unborn", "note", |ground, repo| {
        ground.git(&["-C", repo.to_str().unwrap(), "symbolic-ref", "HEAD", "refs/heads/none"]);
    }),
    ("head-detached", "error", |ground, repo| {
        let dir = repo.to_str().unwrap();
        ground.git(&["-C", dir, "update-ref", "--no-deref", "HEAD", "refs/heads/main"]);
    }),
];

fn make_old(path: &Path) {
    let done = Command::new("touch").args(["-d", "2020-01-01"]).arg(path).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_fresh_install_has_no_error_and_no_trap() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let found = findings(&ground, &repo);
    for (check, _, _) in TRAPS {
        assert!(!found.iter().any(|(name, _)| name == check), "{check} in {found:?}");
    }
}

#[test]
fn every_trap_is_found_by_name() {
    for (check, level, damage) in TRAPS {
        let ground = Ground::new();
        let repo = ground.installed("infra.git");
        damage(&ground, &repo);
        let found = findings(&ground, &repo);
        let wanted = ((*check).to_owned(), (*level).to_owned());
        assert!(found.contains(&wanted), "{check} ({level}) is not in {found:?}");
    }
}

#[test]
fn a_program_that_is_gone_or_that_others_may_change_is_found() {
    let ground = Ground::new();
    let program = ground.copy_program("bin/portcullis");
    let repo = ground.repository("infra.git");
    ground.run_copy(&program, &["install", repo.to_str().unwrap()]).expect(0);
    let has = |check: &str| findings(&ground, &repo).iter().any(|(name, _)| name == check);
    fs::remove_file(&program).unwrap();
    assert!(has("program-missing"));
    fs::write(&program, "").unwrap();
    chmod(&program, 0o644);
    assert!(has("program-not-executable"));
    chmod(&program, 0o777);
    assert!(has("program-writable"));
}

#[test]
fn what_needs_no_decision_is_mended() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let dir = repo.to_str().unwrap();
    chmod(&repo.join("hooks/pre-receive"), 0o644);
    chmod(&repo.join("portcullis/policy.toml"), 0o666);
    config(&ground, &repo, "receive.advertisePushOptions", "false");
    ground.portcullis(&["doctor", dir]).expect(1);
    ground.portcullis(&["doctor", "--fix", dir]).expect(0).says("mended");
    assert_eq!(mode(&repo.join("hooks/pre-receive")), 0o755);
    assert_eq!(mode(&repo.join("portcullis/policy.toml")), 0o644);
    assert_eq!(ground.key(&repo, "receive.advertisePushOptions"), "true");
    assert_eq!(ground.key(&repo, "receive.fsckObjects"), "true");
}

#[test]
fn looking_changes_nothing() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let before = contents(&repo);
    findings(&ground, &repo);
    assert_eq!(contents(&repo), before);
}

#[test]
fn a_copy_with_the_same_id_is_found_when_both_are_named() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let copy = ground.path("copy.git");
    let done = Command::new("cp").arg("-a").arg(&repo).arg(&copy).status().unwrap();
    assert!(done.success());
    let both = ["doctor", repo.to_str().unwrap(), copy.to_str().unwrap()];
    ground.portcullis(&both).expect(1).says("same-id");
    let one_twice = ["doctor", repo.to_str().unwrap(), repo.to_str().unwrap()];
    ground.portcullis(&one_twice).expect(0);
}

#[test]
fn another_accounts_repository_is_looked_at_but_not_installed() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    // Only root can give a repository away.
    if std::os::unix::fs::chown(&repo, Some(65_534), None).is_err() {
        return;
    }
    ground.install(&repo, &[]).expect(3).says("sudo -u '#65534' portcullis install");
    ground.portcullis(&["doctor", repo.to_str().unwrap()]).expect(1).says("other-account");
}
