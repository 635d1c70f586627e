//! The misinstallations: how each is made, what `doctor` calls it, and whether its command can be run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::ground::{Ground, chmod, write_hook};

/// What is done to a healthy repository.
pub(crate) type Damage = fn(&Ground, &Path);

/// What mends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// The commands that are printed.
    Commands,
    /// These, and `--fix`.
    Fix,
    /// Somebody has to decide: the command shows where.
    Said,
}

use Repair::{Commands, Fix, Said};

/// Check, level, part of what is said, how it is made, what mends it.
pub(crate) type Trap = (&'static str, &'static str, &'static str, Damage, Repair);

pub(crate) fn config(ground: &Ground, repo: &Path, key: &str, value: &str) {
    ground.git(&["-C", repo.to_str().unwrap(), "config", key, value]);
}

fn global(ground: &Ground, key: &str, value: &str) {
    ground.git(&["config", "--global", key, value]);
}

fn policy(repo: &Path, text: impl AsRef<[u8]>) {
    fs::write(repo.join("portcullis/policy.toml"), text).unwrap();
}

pub(crate) fn make_old(path: &Path) {
    let done = Command::new("touch").args(["-d", "2020-01-01"]).arg(path).status().unwrap();
    assert!(done.success());
}

/// A commit that no push has brought.
fn strange_commit(ground: &Ground, repo: &Path) -> String {
    let dir = repo.to_str().unwrap();
    let tree = ground.git(&["-C", dir, "rev-parse", "main^{tree}"]);
    let commit = ["-C", dir, "commit-tree", "-m", "strange", "-p", "main", tree.trim()];
    ground.git(&commit).trim().to_owned()
}

/// A clone with a commit on `main` that the server does not have.
fn clone_with_commit(ground: &Ground, repo: &Path) -> String {
    let clone = ground.path("clone");
    let _ = fs::remove_dir_all(&clone);
    let clone = clone.to_str().unwrap().to_owned();
    ground.git(&["clone", "-q", repo.to_str().unwrap(), &clone]);
    ground.git(&["-C", &clone, "commit", "-q", "--allow-empty", "-m", "strange"]);
    clone
}

pub(crate) const TRAPS: &[Trap] = &[
    (
        "hook-missing",
        "error",
        "pre-receive is missing",
        |_, repo| fs::remove_file(repo.join("hooks/pre-receive")).unwrap(),
        Fix,
    ),
    (
        "hook-missing",
        "warning",
        "post-receive is missing",
        |_, repo| fs::remove_file(repo.join("hooks/post-receive")).unwrap(),
        Fix,
    ),
    (
        "hook-not-executable",
        "error",
        "is not executable (mode 0644)",
        |_, repo| chmod(&repo.join("hooks/pre-receive"), 0o644),
        Fix,
    ),
    (
        "hook-dangling",
        "error",
        "leads nowhere",
        |_, repo| {
            fs::remove_file(repo.join("hooks/update")).unwrap();
            symlink("/nonexistent/portcullis", repo.join("hooks/update")).unwrap();
        },
        Commands,
    ),
    (
        "hook-symlink",
        "error",
        "is a symlink",
        |_, repo| {
            fs::rename(repo.join("hooks/update"), repo.join("hooks/elsewhere")).unwrap();
            symlink("elsewhere", repo.join("hooks/update")).unwrap();
        },
        Commands,
    ),
    (
        "hook-empty",
        "error",
        "is empty",
        |_, repo| write_hook(&repo.join("hooks/pre-receive"), "", 0o755),
        Fix,
    ),
    (
        "hook-foreign",
        "error",
        "is not ours",
        |_, repo| {
            write_hook(&repo.join("hooks/pre-receive"), "#!/bin/sh\nexit 0\n", 0o755);
        },
        Commands,
    ),
    (
        "hook-altered",
        "error",
        "was edited",
        |_, repo| {
            let path = repo.join("hooks/pre-receive");
            let text = fs::read_to_string(&path).unwrap().replace("exit 1", "exit 0");
            write_hook(&path, &text, 0o755);
        },
        Fix,
    ),
    (
        "hook-no-file",
        "error",
        "is not a regular file",
        |_, repo| {
            fs::remove_file(repo.join("hooks/update")).unwrap();
            fs::create_dir(repo.join("hooks/update")).unwrap();
        },
        Commands,
    ),
    (
        "hook-writable",
        "error",
        "others may change",
        |_, repo| chmod(&repo.join("hooks/update"), 0o757),
        Fix,
    ),
    (
        "hook-writable",
        "error",
        "/hooks (mode 0777)",
        |_, repo| chmod(&repo.join("hooks"), 0o777),
        Fix,
    ),
    (
        "hooks-path",
        "error",
        "not in the repository",
        |ground, _| {
            global(ground, "core.hooksPath", "/dev/null");
        },
        Commands,
    ),
    (
        "hooks-path",
        "error",
        "which is no folder",
        |ground, repo| config(ground, repo, "core.hooksPath", "/dev/null"),
        Commands,
    ),
    (
        "hook-disabled",
        "error",
        "hook.pre-receive.enabled is switched off",
        |ground, repo| {
            config(ground, repo, "hook.pre-receive.enabled", "false");
        },
        Commands,
    ),
    (
        "hook-disabled",
        "error",
        "hook.update.enabled is switched off",
        |ground, _| {
            global(ground, "hook.update.enabled", "no");
        },
        Commands,
    ),
    (
        "only-warns",
        "warning",
        "no rule refuses anything here yet",
        |ground, repo| {
            config(ground, repo, "portcullis.level", "warn");
        },
        Commands,
    ),
    (
        "hook-configured",
        "note",
        "adds another pre-receive hook",
        |ground, repo| {
            config(ground, repo, "hook.other.event", "pre-receive");
        },
        Commands,
    ),
    (
        "other-hook",
        "note",
        "hooks/reference-transaction",
        |_, repo| {
            write_hook(&repo.join("hooks/reference-transaction"), "#!/bin/sh\nexit 1\n", 0o755);
        },
        Commands,
    ),
    (
        "earlier-not-executable",
        "note",
        "is not executable",
        |_, repo| {
            write_hook(&repo.join("hooks/update.before-portcullis"), "#!/bin/sh\n", 0o644);
        },
        Commands,
    ),
    (
        "proc-receive",
        "warning",
        "receive.procReceiveRefs is set",
        |ground, repo| {
            config(ground, repo, "receive.procReceiveRefs", "refs/for");
        },
        Commands,
    ),
    (
        "proc-receive",
        "warning",
        ".gitconfig",
        |ground, _| {
            global(ground, "receive.procReceiveRefs", "refs/for");
        },
        Commands,
    ),
    (
        "shallow-update",
        "warning",
        "receive.shallowUpdate is on",
        |ground, repo| {
            config(ground, repo, "receive.shallowUpdate", "true");
        },
        Commands,
    ),
    (
        "hidden-refs",
        "warning",
        "hides \"refs/approvals\"",
        |ground, repo| {
            config(ground, repo, "transfer.hideRefs", "refs/approvals");
        },
        Commands,
    ),
    (
        "push-options",
        "warning",
        "clients cannot send push options",
        |ground, repo| {
            config(ground, repo, "receive.advertisePushOptions", "false");
        },
        Fix,
    ),
    (
        "anonymous-push",
        "note",
        "without a login",
        |ground, repo| config(ground, repo, "http.receivepack", "true"),
        Commands,
    ),
    (
        "shared-repository",
        "warning",
        "core.sharedRepository",
        |ground, repo| {
            config(ground, repo, "core.sharedRepository", "group");
        },
        Commands,
    ),
    (
        "prune-now",
        "warning",
        "gc.pruneExpire is `now`",
        |ground, repo| config(ground, repo, "gc.pruneExpire", "now"),
        Commands,
    ),
    (
        "key-elsewhere",
        "warning",
        "portcullis.policy is set in",
        |ground, _| {
            global(ground, "portcullis.policy", "/etc/policy.toml");
        },
        Commands,
    ),
    (
        "two-ids",
        "error",
        "two ids",
        |ground, repo| {
            let dir = repo.to_str().unwrap();
            ground.git(&["-C", dir, "config", "--add", "portcullis.repository", "other-00000000"]);
        },
        Commands,
    ),
    (
        "log-of-another",
        "error",
        "this repository is other-00000000",
        |ground, repo| {
            config(ground, repo, "portcullis.repository", "other-00000000");
        },
        Commands,
    ),
    (
        "not-installed",
        "error",
        "not installed here",
        |ground, repo| {
            ground.git(&["-C", repo.to_str().unwrap(), "config", "--unset", "portcullis.hooks"]);
        },
        Commands,
    ),
    (
        "policy-unreadable",
        "error",
        "could not read the policy",
        |_, repo| {
            fs::remove_file(repo.join("portcullis/policy.toml")).unwrap();
        },
        Said,
    ),
    ("policy-broken", "error", "is empty", |_, repo| policy(repo, ""), Said),
    ("policy-broken", "error", "there is no rule", |_, repo| policy(repo, "version = 1\n"), Said),
    (
        "policy-broken",
        "error",
        "nonsense",
        |_, repo| {
            policy(repo, "version = 1\nnonsense");
        },
        Said,
    ),
    ("policy-broken", "error", "UTF-8", |_, repo| policy(repo, b"version = 1\n# \xff\n"), Said),
    (
        "policy-broken",
        "error",
        "duplicate",
        |_, repo| {
            policy(repo, "version = 1\nversion = 1\n");
        },
        Said,
    ),
    (
        "policy-broken",
        "error",
        "protectd",
        |_, repo| {
            let path = repo.join("portcullis/policy.toml");
            let text = fs::read_to_string(&path).unwrap();
            policy(repo, text.replacen("version = 1", "version = 1\nprotectd = [\"main\"]", 1));
        },
        Said,
    ),
    (
        "writable-by-others",
        "error",
        "the policy",
        |_, repo| chmod(&repo.join("portcullis/policy.toml"), 0o666),
        Fix,
    ),
    (
        "writable-by-others",
        "error",
        "the policy",
        |_, repo| chmod(&repo.join("portcullis/policy.toml"), 0o620),
        Fix,
    ),
    (
        "writable-by-others",
        "error",
        "the folder of the policy",
        |ground, repo| {
            // A link that leads where anybody may put another file.
            let (from, open) = (repo.join("portcullis/policy.toml"), ground.path("open"));
            let _ = fs::create_dir(&open);
            fs::rename(&from, open.join("policy.toml")).unwrap();
            symlink(open.join("policy.toml"), &from).unwrap();
            chmod(&open, 0o777);
        },
        Fix,
    ),
    (
        "writable-by-others",
        "error",
        "the folder of Portcullis",
        |_, repo| chmod(&repo.join("portcullis"), 0o777),
        Fix,
    ),
    ("writable-by-others", "error", "the repository ", |_, repo| chmod(repo, 0o777), Fix),
    (
        "writable-by-others",
        "error",
        "the log ",
        |_, repo| chmod(&repo.join("portcullis/log"), 0o777),
        Fix,
    ),
    (
        "writable-by-others",
        "error",
        "the log's file",
        |_, repo| chmod(&repo.join("portcullis/log/00000000000000000000.jsonl"), 0o666),
        Fix,
    ),
    (
        "folder-open",
        "warning",
        "others may look into",
        |_, repo| chmod(&repo.join("portcullis"), 0o755),
        Fix,
    ),
    (
        "log-missing",
        "error",
        "is missing",
        |_, repo| {
            fs::remove_dir_all(repo.join("portcullis/log")).unwrap();
        },
        Commands,
    ),
    (
        "log-no-folder",
        "error",
        "is not a folder",
        |_, repo| {
            fs::remove_dir_all(repo.join("portcullis/log")).unwrap();
            fs::write(repo.join("portcullis/log"), "").unwrap();
        },
        Commands,
    ),
    (
        "log-unusable",
        "error",
        "has no first entry",
        |_, repo| {
            fs::remove_file(repo.join("portcullis/log/00000000000000000000.jsonl")).unwrap();
        },
        Said,
    ),
    (
        "drift",
        "error",
        "refs/heads/main was moved past the gate",
        |ground, repo| {
            let clone = clone_with_commit(ground, repo);
            ground.git(&["-C", repo.to_str().unwrap(), "fetch", "-q", &clone, "+main:main"]);
        },
        Commands,
    ),
    (
        "drift",
        "error",
        "refs/heads/odd was moved past the gate",
        |ground, repo| {
            let commit = strange_commit(ground, repo);
            let dir = repo.to_str().unwrap();
            ground.git(&["-C", dir, "update-ref", "refs/heads/odd", &commit]);
        },
        Commands,
    ),
    (
        "drift",
        "error",
        "refs/heads/main was moved past the gate",
        |ground, repo| {
            let commit = strange_commit(ground, repo);
            fs::write(repo.join("refs/heads/main"), format!("{commit}\n")).unwrap();
        },
        Commands,
    ),
    (
        "drift",
        "error",
        "moved past the gate",
        |ground, repo| {
            ground.git(&["-C", repo.to_str().unwrap(), "branch", "-m", "main", "m2"]);
        },
        Commands,
    ),
    (
        "drift",
        "error",
        "refs/heads/main was moved past the gate",
        |ground, repo| {
            let clone = clone_with_commit(ground, repo);
            let without = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack";
            ground.git(&["-C", &clone, "push", "-q", without, "origin", "main"]);
        },
        Commands,
    ),
    (
        "repository-unreadable",
        "error",
        "grafts",
        |_, repo| {
            fs::create_dir_all(repo.join("info")).unwrap();
            fs::write(repo.join("info/grafts"), "x\n").unwrap();
        },
        Commands,
    ),
    (
        "partial-clone",
        "warning",
        "extensions.partialclone is set",
        |ground, repo| {
            config(ground, repo, "core.repositoryFormatVersion", "1");
            config(ground, repo, "extensions.partialClone", "origin");
        },
        Said,
    ),
    (
        "stale-lock",
        "warning",
        "main.lock is",
        |_, repo| {
            fs::write(repo.join("refs/heads/main.lock"), "").unwrap();
            make_old(&repo.join("refs/heads/main.lock"));
        },
        Commands,
    ),
    (
        "left-over-objects",
        "note",
        "tmp_objdir-incoming-abc",
        |_, repo| {
            fs::create_dir(repo.join("objects/tmp_objdir-incoming-abc")).unwrap();
            make_old(&repo.join("objects/tmp_objdir-incoming-abc"));
        },
        Commands,
    ),
    (
        "left-over-files",
        "note",
        ".pre-receive.0a1b2c3d.tmp",
        |_, repo| {
            let path = repo.join("hooks/.pre-receive.0a1b2c3d.tmp");
            fs::write(&path, "#!/bin").unwrap();
            make_old(&path);
        },
        Fix,
    ),
    (
        "symbolic-ref",
        "note",
        "refs/heads/alias is another name",
        |ground, repo| {
            let dir = repo.to_str().unwrap();
            ground.git(&["-C", dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
        },
        Commands,
    ),
    (
        "head-unborn",
        "note",
        "refs/heads/none, which is not there",
        |ground, repo| {
            ground.git(&["-C", repo.to_str().unwrap(), "symbolic-ref", "HEAD", "refs/heads/none"]);
        },
        Commands,
    ),
    (
        "head-detached",
        "error",
        "HEAD names no branch",
        |ground, repo| {
            let dir = repo.to_str().unwrap();
            ground.git(&["-C", dir, "update-ref", "--no-deref", "HEAD", "refs/heads/main"]);
        },
        Commands,
    ),
];
