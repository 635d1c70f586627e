//! Every trap that lets pushes through is made on purpose, found by name, and mended by the command that
//! stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::ground::{Answer, Ground, chmod, contents, mode, write_hook};
use crate::traps::{Repair, TRAPS, Trap, config};

/// One finding, as scripts see it.
#[derive(Debug)]
struct Found {
    check: String,
    level: String,
    what: String,
    mend: Vec<String>,
    fixable: bool,
}

fn read(answer: &Answer) -> Vec<Found> {
    let report: Value = serde_json::from_str(&answer.out).unwrap();
    let found = report["repositories"][0]["findings"].as_array().unwrap();
    let has_error = found.iter().any(|finding| finding["level"] == "error");
    assert_eq!(answer.code, i32::from(has_error), "{answer:?}");
    let one = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        let mend = finding["mend"].as_array().unwrap();
        let mend: Vec<String> = mend.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        assert!(!text("what").is_empty() && !text("why").is_empty() && !mend.is_empty());
        Found {
            check: text("check"),
            level: text("level"),
            what: text("what"),
            mend,
            fixable: finding["fixable"].as_bool().unwrap(),
        }
    };
    found.iter().map(one).collect()
}

/// What `doctor` finds.
fn findings(ground: &Ground, repo: &Path) -> Vec<Found> {
    read(&ground.portcullis(&["doctor", "--json", repo.to_str().unwrap()]))
}

fn has(found: &[Found], check: &str) -> bool {
    found.iter().any(|finding| finding.check == check)
}

/// Runs a command as it was printed, by an operator who has the program in their `PATH`.
fn run(ground: &Ground, command: &str) {
    let bin = ground.path("bin");
    if !bin.exists() {
        ground.copy_program("bin/portcullis");
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut shell = ground.clean("sh");
    let output = shell.env("PATH", path).args(["-c", command]).output().unwrap();
    assert_ne!(output.status.code(), Some(127), "{command}: {output:?}");
}

/// A repository that is put back to how it was installed.
struct Bed {
    ground: Ground,
    repo: PathBuf,
    kept: PathBuf,
}

impl Bed {
    fn new() -> Self {
        let ground = Ground::new();
        let repo = ground.installed("srv/infra.git");
        let kept = ground.path("kept.git");
        assert!(Command::new("cp").arg("-a").arg(&repo).arg(&kept).status().unwrap().success());
        Self { ground, repo, kept }
    }

    fn make(&self) {
        fs::remove_dir_all(&self.repo).unwrap();
        let _ = fs::remove_file(self.ground.path("home/.gitconfig"));
        let mut copy = Command::new("cp");
        assert!(copy.arg("-a").arg(&self.kept).arg(&self.repo).status().unwrap().success());
    }

    fn found(&self, trap: &Trap) -> Found {
        let (check, level, says, damage, _) = trap;
        self.make();
        damage(&self.ground, &self.repo);
        let found = findings(&self.ground, &self.repo);
        let named = |it: &Found| it.check == *check && it.level == *level && it.what.contains(says);
        let at = found.iter().position(named);
        let at = at.unwrap_or_else(|| panic!("{check} ({level}), {says:?}: not in {found:#?}"));
        found.into_iter().nth(at).unwrap()
    }

    fn spring(&self, trap: &Trap) {
        let (check, _, says, _, repair) = trap;
        let is_gone = |found: &[Found], by: &str| {
            let left = found.iter().find(|it| it.check == *check && it.what.contains(says));
            assert!(left.is_none(), "{by} did not mend {left:#?}");
        };
        let found = self.found(trap);
        assert_eq!(found.fixable, *repair == Repair::Fix, "{found:#?}");
        if *repair != Repair::Said {
            found.mend.iter().for_each(|command| run(&self.ground, command));
            is_gone(&findings(&self.ground, &self.repo), &found.mend.join("; "));
        }
        if *repair == Repair::Fix {
            self.found(trap);
            let words = ["doctor", "--fix", "--json", self.repo.to_str().unwrap()];
            let answer = self.ground.portcullis(&words);
            assert!(answer.err.contains("mended: "), "{answer:#?}");
            is_gone(&read(&answer), "--fix");
        }
    }
}

/// A quarter of the traps, so that they are sprung side by side.
fn spring_quarter(quarter: usize) {
    let bed = Bed::new();
    TRAPS.iter().skip(quarter).step_by(4).for_each(|trap| bed.spring(trap));
}

#[test]
fn every_trap_is_found_and_mended_first_quarter() {
    spring_quarter(0);
}

#[test]
fn every_trap_is_found_and_mended_second_quarter() {
    spring_quarter(1);
}

#[test]
fn every_trap_is_found_and_mended_third_quarter() {
    spring_quarter(2);
}

#[test]
fn every_trap_is_found_and_mended_fourth_quarter() {
    spring_quarter(3);
}

/// What a fresh install is told that it could do better.
const WISHES: [&str; 3] = ["fsck-objects", "reflogs", "fsync"];

#[test]
fn a_fresh_install_has_no_error_and_its_wishes_can_be_had() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let found = findings(&ground, &repo);
    for (check, ..) in TRAPS {
        assert!(!has(&found, check), "{check} in {found:?}");
    }
    assert!(has(&found, "log-place"), "{found:?}");
    // Whether the account of this test can log in is the machine's to say.
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let own = fs::metadata(&repo).unwrap().uid().to_string();
    let shell = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let shell = shell.into_iter().find(|it| it.get(2) == Some(&own.as_str()));
    let shell = shell.and_then(|it| it.get(6).map(|it| it.rsplit('/').next().unwrap().to_owned()));
    let harmless = ["git-shell", "nologin", "false", "true"];
    let has_shell = shell.is_some_and(|shell| !harmless.contains(&shell.as_str()));
    assert_eq!(has(&found, "login-shell"), has_shell, "{found:?}");
    for wish in WISHES {
        let one = found.iter().find(|it| it.check == wish).unwrap();
        assert_eq!(one.fixable, wish != "fsck-objects", "what refuses more is to be decided");
        one.mend.iter().for_each(|command| run(&ground, command));
    }
    let found = findings(&ground, &repo);
    assert!(WISHES.iter().all(|wish| !has(&found, wish)), "{found:#?}");
}

#[test]
fn a_program_that_is_gone_or_that_others_may_change_is_found() {
    let ground = Ground::new();
    let program = ground.copy_program("opt/portcullis");
    let repo = ground.repository("infra.git");
    ground.run_copy(&program, &["install", repo.to_str().unwrap()]).expect(0);
    let has = |check: &str| has(&findings(&ground, &repo), check);
    fs::remove_file(&program).unwrap();
    assert!(has("program-missing"));
    fs::write(&program, "").unwrap();
    chmod(&program, 0o644);
    assert!(has("program-not-executable"));
    chmod(&program, 0o777);
    assert!(has("program-writable"));
    ground.portcullis(&["doctor", "--fix", repo.to_str().unwrap()]).says("mended: others may");
    assert_eq!(mode(&program), 0o755);
    // A hook that --fix writes calls what the others call, where that can be run.
    fs::remove_file(&program).unwrap();
    fs::remove_file(repo.join("hooks/update")).unwrap();
    run(&ground, &format!("portcullis install {}", repo.display()));
    assert!(!has("program-missing") && !has("hook-missing"));
}

/// A child of an account that is not root: this one, or nobody where this one is.
fn as_another(ground: &Ground, program: &Path) -> Command {
    let is_root = fs::metadata(ground.path("")).unwrap().uid() == 0;
    if !is_root {
        return ground.clean(program);
    }
    let mut command = ground.clean("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

#[test]
fn what_this_account_may_not_touch_is_found() {
    let ground = Ground::new();
    chmod(&ground.path(""), 0o755);
    let program = ground.copy_program("opt/portcullis");
    let repo = ground.repository("srv/infra.git");
    chmod(&ground.path("opt"), 0o755);
    chmod(&ground.path("srv"), 0o755);
    if fs::metadata(&repo).unwrap().uid() == 0 {
        let mut chown = Command::new("chown");
        let done =
            chown.args(["-R", "65534:65534"]).arg(ground.path("srv")).arg(ground.path("home"));
        assert!(done.status().unwrap().success());
    }
    let run = |words: &[&str]| {
        let mut command = as_another(&ground, &program);
        Answer::of(command.args(words).arg(&repo).output().unwrap())
    };
    run(&["install"]).expect(0);
    for (check, path, mode, says, mend) in [
        ("log-unwritable", repo.join("portcullis/log"), 0o500, "cannot be written", "chmod u+rwx "),
        ("log-hidden", repo.join("portcullis"), 0, "cannot be seen", "chmod u+rwx "),
        ("hook-hidden", repo.join("hooks"), 0, "cannot be looked at", "chmod 755 "),
    ] {
        let before = self::mode(&path);
        chmod(&path, mode);
        let found = read(&run(&["doctor", "--json"]));
        let one = found.iter().find(|it| it.check == check).unwrap_or_else(|| panic!("{found:#?}"));
        assert!(one.what.contains(says), "{one:#?}");
        let wanted = format!("{mend}{}", path.display());
        assert_eq!(one.mend.join("; "), wanted);
        assert!(Command::new("sh").args(["-c", &wanted]).status().unwrap().success());
        assert!(!has(&read(&run(&["doctor", "--json"])), check), "{check}");
        chmod(&path, before);
    }
    // The program itself: looked at by another copy.
    let other = ground.copy_program("other/portcullis");
    chmod(&ground.path("opt"), 0);
    let mut command = as_another(&ground, &other);
    let found = read(&Answer::of(command.args(["doctor", "--json"]).arg(&repo).output().unwrap()));
    let one = found.iter().find(|it| it.check == "program-hidden").unwrap();
    assert!(one.mend[0].starts_with("namei -l "), "{one:?}");
    chmod(&ground.path("opt"), 0o755);
}

#[test]
fn what_needs_no_decision_is_mended_and_written_down() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let dir = repo.to_str().unwrap();
    chmod(&repo.join("hooks/pre-receive"), 0o644);
    fs::remove_file(repo.join("hooks/update")).unwrap();
    chmod(&repo.join("portcullis/policy.toml"), 0o666);
    config(&ground, &repo, "receive.advertisePushOptions", "false");
    let foreign = repo.join("hooks/post-receive");
    write_hook(&foreign, "#!/bin/sh\nexit 0\n", 0o755);
    ground.portcullis(&["doctor", dir]).expect(1);
    ground.portcullis(&["doctor", "--fix", dir]).expect(0).says("mended").says("wrote ");
    assert_eq!(mode(&repo.join("hooks/pre-receive")), 0o755);
    assert_eq!(mode(&repo.join("portcullis/policy.toml")), 0o644);
    assert_eq!(ground.key(&repo, "receive.advertisePushOptions"), "true");
    assert_eq!(ground.key(&repo, "receive.fsckObjects"), "", "it would refuse what passed before");
    let other = fs::read_to_string(&foreign).unwrap();
    assert_eq!(other, "#!/bin/sh\nexit 0\n", "what is not ours is left alone");
    let log = repo.join("portcullis/log/00000000000000000000.jsonl");
    let last = fs::read_to_string(log).unwrap().lines().last().unwrap().to_owned();
    assert!(last.contains("\"config\"") && last.contains("\"via\":\"doctor\""), "{last}");
    // A second time there is nothing to do.
    let again = ground.portcullis(&["doctor", "--fix", dir]).expect(0);
    assert!(!again.err.contains("mended"), "{again:?}");
}

#[test]
fn g01_g15_g19_what_a_client_may_send_and_whose_git_is_run_are_looked_at() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let open = ground.path("open");
    fs::create_dir(&open).unwrap();
    let sshd = ground.write("sshd_config", "AcceptEnv LANG GIT_*\nPermitUserEnvironment yes\n");
    chmod(&open, 0o777);
    let look = || {
        let mut command = ground.command();
        let path = format!("{}:{}", open.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).args(["doctor", "--json", "--sshd-config"]).arg(&sshd).arg(&repo);
        read(&Answer::of(command.output().unwrap()))
    };
    let found = look();
    for (check, says, mend) in [
        ("sshd-accept-env", "GIT_*", "AcceptEnv LANG LC_* GIT_PROTOCOL"),
        ("sshd-user-environment", "accounts' own files", "PermitUserEnvironment no"),
        ("path-writable", "/open, where PATH finds programs", "chmod go-w"),
    ] {
        let one = found.iter().find(|it| it.check == check).unwrap_or_else(|| panic!("{check}"));
        assert!(one.what.contains(says) && one.mend[0].contains(mend), "{one:#?}");
    }
    fs::write(&sshd, "AcceptEnv LANG LC_* GIT_PROTOCOL\nPermitUserEnvironment no\n").unwrap();
    let mend = &found.iter().find(|it| it.check == "path-writable").unwrap().mend[0];
    run(&ground, mend);
    let found = look();
    for check in ["sshd-accept-env", "sshd-user-environment", "path-writable"] {
        assert!(!has(&found, check), "{found:#?}");
    }
}

/// A process that is not left behind, stopped and with the lock, where the test fails.
struct Frozen(Child);

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn h15_a_frozen_process_that_holds_the_log_is_named() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let lock = repo.join("portcullis/log/lock");
    let script = "exec 9<>\"$1\"; flock 9; printf '%-10s\\n' $$ >&9; kill -STOP $$; exit 0";
    let mut command = ground.clean("sh");
    let child = command.args(["-c", script, "sh"]).arg(&lock).stdin(Stdio::null()).spawn();
    let mut frozen = Frozen(child.unwrap());
    // A child that has stopped itself has the lock.
    let id = frozen.0.id();
    let stat = format!("/proc/{id}/stat");
    while !fs::read_to_string(&stat).unwrap().contains(") T ") {
        std::thread::yield_now();
    }
    let found = findings(&ground, &repo);
    let held = found.iter().find(|it| it.check == "log-held").unwrap();
    assert!(held.what.contains(&format!("process {id}, which is stopped,")), "{held:?}");
    run(&ground, held.mend.last().unwrap());
    assert!(frozen.0.wait().unwrap().success());
    assert!(!has(&findings(&ground, &repo), "log-held"));
}

#[test]
fn a_platform_that_runs_our_hook_is_looked_at() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let runner = repo.join("hooks/pre-receive");
    for name in ["pre-receive", "update", "post-receive"] {
        write_hook(&repo.join("hooks").join(name), "#!/bin/sh\nexit 0\n", 0o755);
    }
    ground.install(&repo, &["--platform", "gitea"]).expect(0);
    assert!(!has(&findings(&ground, &repo), "hook-runner"));
    chmod(&runner, 0o644);
    let found = findings(&ground, &repo);
    let one = found.iter().find(|it| it.check == "hook-runner").unwrap();
    assert!(
        one.level == "error" && one.mend[0].contains("gitea admin regenerate hooks"),
        "{one:?}"
    );
    let told = ground.portcullis(&["status", repo.to_str().unwrap()]).expect(1);
    told.says("the hook pre-receive does not run");
}

#[test]
fn a_tree_is_looked_at_and_one_that_cannot_be_does_not_end_it() {
    let ground = Ground::new();
    let good = ground.installed("srv/good.git");
    let bad = ground.repository("srv/bad.git");
    chmod(&good.join("hooks/update"), 0o644);
    let mirror = ground.path("srv/mirror.git");
    ground.git(&["clone", "-q", "--mirror", bad.to_str().unwrap(), mirror.to_str().unwrap()]);
    let odd = ground.repository("srv/odd.git");
    fs::write(odd.join("config"), "[core\n").unwrap();
    let fifo = ground.repository("srv/fifo.git");
    fs::remove_file(fifo.join("config")).unwrap();
    assert!(Command::new("mkfifo").arg(fifo.join("config")).status().unwrap().success());
    let told = ground.portcullis(&["doctor", "srv"]).expect(3);
    let told = told.says("hook-not-executable").says("not-installed").says("bad config");
    let told = told.says("mirror.git: a mirror without hooks, passed over");
    told.says("5 repositories: 2 with errors, 2 not looked at, 1 without");
    fs::remove_dir_all(&fifo).unwrap();
    fs::remove_dir_all(&odd).unwrap();
    fs::remove_dir_all(&bad).unwrap();
    ground.portcullis(&["doctor", "--fix", "--recursive", "srv"]).expect(0).says("mended");
    let answer = ground.portcullis(&["doctor", "--json", "srv"]).expect(0);
    let value: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(value["summary"]["healthy"], 2);
    assert_eq!(value["summary"]["mirrors"], 1);
}

#[test]
fn looking_changes_nothing() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let before = contents(&repo);
    let _ = findings(&ground, &repo);
    assert_eq!(contents(&repo), before);
}

#[test]
fn h20_a_copy_with_the_same_id_is_found_and_made_another_repository() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let copy = ground.path("copy.git");
    let done = Command::new("cp").arg("-a").arg(&repo).arg(&copy).status().unwrap();
    assert!(done.success());
    let both = ["doctor", repo.to_str().unwrap(), copy.to_str().unwrap()];
    ground.portcullis(&both).expect(1).says("same-id");
    let one_twice = ["doctor", repo.to_str().unwrap(), repo.to_str().unwrap()];
    ground.portcullis(&one_twice).expect(0);
    // Its log says where it comes from, so that the copy alone is enough.
    let found = findings(&ground, &copy);
    let one = found.iter().find(|it| it.check == "same-id").unwrap();
    assert!(one.what.contains("infra.git has the same id"), "{one:?}");
    one.mend.iter().for_each(|command| run(&ground, command));
    assert_ne!(
        ground.key(&copy, "portcullis.repository"),
        ground.key(&repo, "portcullis.repository")
    );
    ground.portcullis(&both).expect(0);
    assert!(copy.join("portcullis/log.of-another").is_dir(), "the old log is kept");
    // A repository that was moved is no copy.
    let moved = ground.path("moved.git");
    fs::rename(&repo, &moved).unwrap();
    assert!(!has(&findings(&ground, &moved), "same-id"));
}

#[test]
fn g12_what_belongs_to_another_account_is_found() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    // Only root can give a file away.
    if std::os::unix::fs::chown(repo.join("hooks/update"), Some(65_534), None).is_err() {
        return;
    }
    let policy = repo.join("portcullis/policy.toml");
    std::os::unix::fs::chown(&policy, Some(65_534), None).unwrap();
    let found = findings(&ground, &repo);
    for check in ["hook-owner", "wrong-owner"] {
        let one = found.iter().find(|it| it.check == check).unwrap_or_else(|| panic!("{check}"));
        assert!(one.what.contains("belongs to account 65534"), "{one:?}");
        one.mend.iter().for_each(|command| run(&ground, command));
    }
    let found = findings(&ground, &repo);
    assert!(!has(&found, "hook-owner") && !has(&found, "wrong-owner"), "{found:#?}");
    // What another account would have to be able to change is not written for it.
    std::os::unix::fs::chown(&repo, Some(65_534), None).unwrap();
    fs::remove_file(repo.join("hooks/update")).unwrap();
    let told = ground.portcullis(&["doctor", "--fix", repo.to_str().unwrap()]).expect(1);
    told.says("sudo -u '#65534' portcullis doctor --fix");
    assert!(!repo.join("hooks/update").exists());
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

/// Checks that other tests make, and those tests.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cert-nonce", "doctor_says_when_a_policy_asks_for_what_git_does_not_offer"),
    ("cert-nonce-slop", "doctor_says_when_a_policy_asks_for_what_git_does_not_offer"),
    ("fsck-objects", "a_fresh_install_has_no_error_and_its_wishes_can_be_had"),
    ("fsync", "a_fresh_install_has_no_error_and_its_wishes_can_be_had"),
    ("group-shells", "whoever_is_in_a_group_is_found_by_either_file"),
    ("hook-hidden", "what_this_account_may_not_touch_is_found"),
    ("hook-noexec", "programs_do_not_run_from_a_mount_that_says_so"),
    ("hook-owner", "g12_what_belongs_to_another_account_is_found"),
    ("hook-runner", "a_platform_that_runs_our_hook_is_looked_at"),
    ("log-append-only", "an_append_only_log_is_written_mended_and_never_cut"),
    ("log-held", "h15_a_frozen_process_that_holds_the_log_is_named"),
    ("log-hidden", "what_this_account_may_not_touch_is_found"),
    ("log-place", "a_fresh_install_has_no_error_and_its_wishes_can_be_had"),
    ("log-unwritable", "what_this_account_may_not_touch_is_found"),
    ("login-shell", "a_fresh_install_has_no_error_and_its_wishes_can_be_had"),
    ("program-hidden", "what_this_account_may_not_touch_is_found"),
    ("log-space", "a_disk_that_is_nearly_full_warns_first_and_then_refuses"),
    ("open-ends", "h04_killed_after_the_ref_moved_is_applied"),
    ("other-account", "another_accounts_repository_is_looked_at_but_not_installed"),
    ("path-writable", "g01_g15_g19_what_a_client_may_send_and_whose_git_is_run_are_looked_at"),
    ("policy-ref-open", "the_verbs_know_a_policy_that_is_kept_in_a_repository"),
    ("program-missing", "a_program_that_is_gone_or_that_others_may_change_is_found"),
    ("program-not-executable", "a_program_that_is_gone_or_that_others_may_change_is_found"),
    ("program-writable", "a_program_that_is_gone_or_that_others_may_change_is_found"),
    ("reflogs", "a_fresh_install_has_no_error_and_its_wishes_can_be_had"),
    ("same-id", "h20_a_copy_with_the_same_id_is_found_and_made_another_repository"),
    ("seal-overdue", "a_seal_that_is_overdue_is_told"),
    ("sshd-accept-env", "g01_g15_g19_what_a_client_may_send_and_whose_git_is_run_are_looked_at"),
    (
        "sshd-user-environment",
        "g01_g15_g19_what_a_client_may_send_and_whose_git_is_run_are_looked_at",
    ),
    ("wrong-owner", "g12_what_belongs_to_another_account_is_found"),
];

/// The rows of the tables of a page whose first cell is code.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines = page.lines().filter(|line| line.starts_with("| "));
    lines
        .map(|line| line.trim_matches('|').split(" | ").map(|it| it.trim().to_owned()).collect())
        .collect()
}

fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every check that the sources name where they make a finding.
fn checks_in_sources(root: &Path) -> BTreeSet<String> {
    let mut checks = BTreeSet::new();
    for entry in fs::read_dir(root.join("src/cli/doctor")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (marker, at) in [("Finding::new(", 1), ("found(\"", 0), ("error(\"", 0)] {
            for (from, _) in text.match_indices(marker) {
                let words = text[from + marker.len() - usize::from(at == 0)..].trim_start();
                let word = words.split(',').nth(at).unwrap_or_default().trim();
                let name = word.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                checks.extend(name.map(str::to_owned));
            }
        }
    }
    // One function has two names for what it makes.
    checks.extend(["policy-broken", "policy-unreadable"].map(str::to_owned));
    checks
}

#[test]
fn the_page_of_doctor_says_what_doctor_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/doctor.md")).unwrap();
    let rows = rows(&page);
    // The table of checks: name, level, what, why, mend, --fix, threats.
    let checks: BTreeMap<&str, &Vec<String>> = rows
        .iter()
        .filter(|row| row.len() == 5 && row[0].starts_with('`'))
        .map(|row| (row[0].trim_matches('`'), row))
        .collect();
    let known: BTreeSet<String> = checks.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(checks_in_sources(root), known, "docs/doctor.md and src/cli/doctor differ");
    // Each is made by a test, and what --fix does is what the page says.
    let mut tests = String::new();
    for folder in ["tests/cli", "tests/it", "src/cli/doctor"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            tests.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
    for (name, row) in &checks {
        let trap = TRAPS.iter().find(|trap| trap.0 == *name);
        let elsewhere = ELSEWHERE.iter().find(|(check, _)| check == name);
        if let Some((check, test)) = elsewhere {
            assert!(tests.contains(&format!("fn {test}(")), "{check}: no test {test}");
        }
        let untested = row[4].contains("no test");
        assert!(trap.is_some() || elsewhere.is_some() || untested, "{name} has no test");
        if let Some(trap) = trap {
            let fixed = row[3] == "yes";
            assert_eq!(trap.4 == Repair::Fix, fixed, "{name}: --fix");
            assert!(row[1].contains(trap.1), "{name}: level");
        }
    }
    // Every entry of the catalogue has a row, and what it names is a check.
    let ids = fs::read_to_string(root.join("tests/cli/threats.txt")).unwrap();
    for id in ids.lines() {
        let row = rows.iter().find(|row| row.len() == 3 && row[0] == id);
        let row = row.unwrap_or_else(|| panic!("docs/doctor.md has no row for {id}"));
        let named = words(&row[1]);
        assert!(named.is_subset(&known), "{id}: {named:?}");
        assert!(!named.is_empty() || row[1].starts_with("nothing"), "{id}");
    }
}
