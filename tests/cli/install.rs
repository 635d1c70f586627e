//! What `install` leaves behind, and what it refuses to touch.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use crate::ground::{Ground, KEY_A, KEY_B, POLICY, chmod, contents, mode, write_hook};

#[test]
fn a_repository_gets_hooks_a_policy_keys_and_a_log() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    ground.install(&repo, &[]).expect(0).says("[rule.infra-review]");
    for hook in ["pre-receive", "update", "post-receive"] {
        assert_eq!(mode(&repo.join("hooks").join(hook)), 0o755);
    }
    assert_eq!(mode(&repo.join("portcullis")), 0o700);
    assert_eq!(mode(&repo.join("portcullis/policy.toml")), 0o600);
    assert!(repo.join("portcullis/log").is_dir());
    assert_eq!(ground.key(&repo, "portcullis.hooks"), "pre-receive update post-receive");
    assert_eq!(ground.key(&repo, "receive.advertisePushOptions"), "true");
    let id = ground.key(&repo, "portcullis.repository");
    let (name, random) = id.rsplit_once('-').unwrap();
    assert_eq!((name, random.len()), ("infra", 8));
    let leftovers = contents(&repo.join("hooks"));
    assert_eq!(leftovers.len(), 3, "{leftovers:?}");
}

#[test]
fn a_second_install_has_nothing_to_do() {
    let ground = Ground::new();
    let repo = ground.installed("infra.git");
    let before = contents(&repo);
    let inode = fs::metadata(repo.join("hooks/update")).unwrap().ino();
    ground.portcullis(&["install", repo.to_str().unwrap()]).expect(0).says("nothing to do");
    assert_eq!(contents(&repo), before);
    assert_eq!(fs::metadata(repo.join("hooks/update")).unwrap().ino(), inode);
}

#[test]
fn a_dry_run_shows_everything_and_does_nothing() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let before = contents(&repo);
    let answer = ground.install(&repo, &["--dry-run"]).expect(0);
    let answer = answer.says("hooks/pre-receive").says("git config portcullis.repository infra-");
    answer.says("reviewers = [\"alice\", \"bob\"]");
    assert_eq!(contents(&repo), before);
}

#[test]
fn an_earlier_hook_is_kept_beside_ours_and_never_twice() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let hooks = repo.join("hooks");
    write_hook(&hooks.join("pre-receive"), "#!/bin/sh\nexit 0\n", 0o750);
    symlink("/nonexistent", hooks.join("update")).unwrap();
    ground.install(&repo, &[]).expect(0);
    let kept = hooks.join("pre-receive.before-portcullis");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "#!/bin/sh\nexit 0\n");
    assert_eq!(mode(&kept), 0o750);
    let kept_link = fs::read_link(hooks.join("update.before-portcullis")).unwrap();
    assert_eq!(kept_link, Path::new("/nonexistent"));
    assert!(!fs::symlink_metadata(hooks.join("update")).unwrap().is_symlink());

    ground.install(&repo, &[]).expect(0);
    assert_eq!(contents(&hooks).len(), 5);

    write_hook(&hooks.join("pre-receive"), "#!/bin/sh\nexit 1\n", 0o755);
    ground.install(&repo, &[]).expect(3).says("there is an earlier hook already");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "#!/bin/sh\nexit 0\n");
}

#[test]
fn an_install_that_was_stopped_half_way_can_be_run_again() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let hooks = repo.join("hooks");
    write_hook(&hooks.join("pre-receive"), "#!/bin/sh\nexit 0\n", 0o755);
    let kept = hooks.join("pre-receive.before-portcullis");
    fs::hard_link(hooks.join("pre-receive"), &kept).unwrap();
    ground.install(&repo, &[]).expect(0);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "#!/bin/sh\nexit 0\n");
    assert!(fs::read_to_string(hooks.join("pre-receive")).unwrap().contains("pre-receive \"$@\""));
}

#[test]
fn a_broken_policy_stops_everything_before_anything_is_changed() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let good = ground.repository("good.git");
    let before = (contents(&repo), contents(&good));
    let policy = ground.write("policy.toml", "version = = 1\n");
    let answer = ground.portcullis(&[
        "install",
        "--policy",
        policy.to_str().unwrap(),
        good.to_str().unwrap(),
        repo.to_str().unwrap(),
    ]);
    answer.expect(1).says("policy.toml:1").says("nothing was installed");
    assert_eq!((contents(&repo), contents(&good)), before);
}

#[test]
fn a_policy_is_referred_to_and_another_takes_its_place_with_the_difference_shown() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    ground.write("one.toml", POLICY);
    let two = ground.write("two.toml", &POLICY.replace("merges", "no-direct-commits"));
    ground.install(&repo, &["--policy", "one.toml"]).expect(0);
    let one = ground.path("one.toml");
    assert_eq!(ground.key(&repo, "portcullis.policy"), one.to_str().unwrap());
    assert!(!repo.join("portcullis/policy.toml").exists());

    ground
        .install(&repo, &["--policy", two.to_str().unwrap()])
        .expect(0)
        .says("-[rule.merges]")
        .says("+[rule.no-direct-commits]");
    assert_eq!(ground.key(&repo, "portcullis.policy"), two.to_str().unwrap());

    ground.install(&repo, &["--policy", "two.toml"]).expect(0).says("nothing to do");
}

#[test]
fn fewer_than_two_reviewers_are_said_loudly_and_enforced_only_when_asked() {
    let ground = Ground::new();
    ground.write("alice.pub", KEY_A);
    let install = |name: &str, more: &[&str]| {
        let repo = ground.repository(name);
        let mut arguments = vec!["install", repo.to_str().unwrap()];
        arguments.extend(more);
        ground.portcullis(&arguments).expect(0)
    };
    let one = install("one.git", &["--people", "alice=alice.pub"]);
    assert!(one.says("only ONE possible reviewer").out.contains("level     = \"warn\""));
    let enforced = install("enforced.git", &["--people", "alice=alice.pub", "--enforce"]);
    assert!(!enforced.says("nobody can approve").out.contains("\"warn\""));
    let none = install("none.git", &[]);
    assert!(none.says("nobody is in the roster").out.contains("# [rule.infra-review]"));
}

#[test]
fn people_come_from_allowed_signers_authorized_keys_and_pairs() {
    let ground = Ground::new();
    ground.write("signers", &format!("alice@example.com {KEY_A}\n"));
    ground.write("bob.pub", KEY_B);
    let repo = ground.repository("infra.git");
    let people = ["--people", "signers", "--people", "bob=bob.pub"];
    let mut arguments = vec!["install", repo.to_str().unwrap()];
    arguments.extend(people);
    let answer = ground.portcullis(&arguments).expect(0).says("emails = [\"alice@example.com\"]");
    answer.says("reviewers = [\"alice\", \"bob\"]");

    let other = ground.repository("other.git");
    ground.write("secret", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    let secret = ["install", "--people", "bob=secret", other.to_str().unwrap()];
    ground.portcullis(&secret).expect(3).says("private key");
    assert!(!other.join("portcullis").exists());
}

#[test]
fn the_hooks_of_a_shared_folder_are_not_touched() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    fs::create_dir(ground.path("shared")).unwrap();
    let shared = ground.path("shared");
    ground.git(&["config", "--global", "core.hooksPath", shared.to_str().unwrap()]);
    ground.install(&repo, &[]).expect(3).says("that other repositories share");
    assert!(contents(&shared).is_empty());

    // The repository's own setting goes before the account's.
    let dir = repo.to_str().unwrap();
    ground.git(&["-C", dir, "config", "core.hooksPath", "our-hooks"]);
    ground.install(&repo, &[]).expect(0);
    assert!(repo.join("our-hooks/pre-receive").exists());
}

#[test]
fn platforms_with_folders_of_hooks_get_one_file_there() {
    let ground = Ground::new();
    for (platform, folder) in [("gitea", "hooks"), ("forgejo", "hooks"), ("soft-serve", "hooks")] {
        let repo = ground.repository(&format!("{platform}.git"));
        for hook in ["pre-receive", "update", "post-receive"] {
            write_hook(&repo.join("hooks").join(hook), "#!/bin/sh\n: runs HOOK.d\n", 0o755);
        }
        let policy = ground.write("policy.toml", POLICY);
        let more = ["--platform", platform, "--policy", policy.to_str().unwrap()];
        ground.install(&repo, &more).expect(0);
        assert_eq!(mode(&repo.join(folder).join("pre-receive.d/portcullis")), 0o755);
        let own = fs::read_to_string(repo.join("hooks/pre-receive")).unwrap();
        assert_eq!(own, "#!/bin/sh\n: runs HOOK.d\n");
        assert_eq!(ground.key(&repo, "portcullis.platform"), platform);
    }
    let repo = ground.repository("lab.git");
    ground.install(&repo, &["--platform", "gitlab", "--policy", "policy.toml"]).expect(0);
    assert!(repo.join("custom_hooks/update.d/portcullis").exists());
    ground.install(&repo, &["--platform", "sourceforge"]).expect(2).says("gitolite");
}

#[test]
fn gitolite_is_told_where_its_common_hooks_go_and_keeps_update() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let before = contents(&repo.join("hooks"));
    let answer = ground.install(&repo, &["--platform", "gitolite"]);
    let answer = answer.says("LOCAL_CODE/hooks/common").says("gitolite setup --hooks-only");
    // Until gitolite has linked them, pushes go unjudged, and that is an error.
    answer.expect(1).says("hook-runner");
    assert_eq!(contents(&repo.join("hooks")), before);
    assert!(repo.join("portcullis/hooks/pre-receive").exists());
    assert!(!repo.join("portcullis/hooks/update").exists());

    let common = ground.path("common");
    fs::create_dir(&common).unwrap();
    for hook in ["pre-receive", "post-receive"] {
        fs::copy(repo.join("portcullis/hooks").join(hook), common.join(hook)).unwrap();
        symlink(common.join(hook), repo.join("hooks").join(hook)).unwrap();
    }
    ground.portcullis(&["doctor", repo.to_str().unwrap()]).expect(0);
}

#[test]
fn every_shape_of_repository_is_found() {
    let ground = Ground::new();
    ground.git(&["init", "-q", "-b", "main", "work"]);
    ground.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "begin"]);
    ground.git(&["-C", "work", "worktree", "add", "-q", "../linked"]);
    ground.install(&ground.path("linked"), &[]).expect(0);
    assert!(ground.path("work/.git/hooks/pre-receive").exists());
    let id = ground.key(&ground.path("work"), "portcullis.repository");
    assert!(id.starts_with("work-"), "{id}");
    ground.repository("short.git");
    ground.portcullis(&["doctor", "short"]).expect(1).says("not installed here");
    ground.portcullis(&["install", "home"]).expect(3).says("is not a Git repository");
}

#[test]
fn repositories_that_cannot_be_judged_are_refused() {
    let ground = Ground::new();
    let repo = ground.repository("grafted.git");
    fs::create_dir_all(repo.join("info")).unwrap();
    fs::write(repo.join("info/grafts"), "x\n").unwrap();
    ground.install(&repo, &[]).expect(3).says("grafts");
    assert!(!repo.join("portcullis").exists());
}

#[test]
fn the_log_may_be_elsewhere_and_does_not_move_by_itself() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    ground.install(&repo, &["--log-dir", "logs"]).expect(0);
    let id = ground.key(&repo, "portcullis.repository");
    assert!(ground.path("logs").join(id).is_dir());
    assert!(!repo.join("portcullis/log").exists());
    ground.install(&repo, &["--log-dir", "elsewhere"]).expect(3).says("already");
}

#[test]
fn only_the_hooks_that_were_chosen_are_there() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    ground.install(&repo, &["--hooks", "post-receive"]).expect(2).says("cannot refuse");
    ground.install(&repo, &["--hooks", "pre-commit"]).expect(2).says("pre-receive");
    ground.install(&repo, &["--hooks", "update"]).expect(0);
    assert_eq!(contents(&repo.join("hooks")).len(), 1);
    ground.install(&repo, &[]).expect(0).says("nothing to do");
    ground.install(&repo, &["--hooks", "pre-receive,post-receive"]).expect(0);
    assert!(!repo.join("hooks/update").exists());
    assert_eq!(ground.key(&repo, "portcullis.hooks"), "pre-receive post-receive");
}

#[test]
fn a_shared_repository_keeps_its_policy_from_the_group() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    ground.git(&["-C", repo.to_str().unwrap(), "config", "core.sharedRepository", "group"]);
    ground.install(&repo, &[]).expect(0).says("shared-repository");
    assert_eq!(mode(&repo.join("portcullis")), 0o2770);
    assert_eq!(mode(&repo.join("portcullis/policy.toml")), 0o640);
    chmod(&repo.join("portcullis/policy.toml"), 0o660);
    ground.portcullis(&["doctor", repo.to_str().unwrap()]).expect(1).says("writable-by-others");
}
