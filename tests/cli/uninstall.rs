//! After `uninstall` a repository is what it was, and its log is still there.

use std::fs;
use std::os::unix::fs::symlink;

use crate::ground::{Ground, contents, write_hook};

#[test]
fn everything_is_as_it_was_but_our_own_folder() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let dir = repo.to_str().unwrap();
    write_hook(&repo.join("hooks/pre-receive"), "#!/bin/sh\nexit 0\n", 0o700);
    symlink("pre-receive", repo.join("hooks/update")).unwrap();
    ground.git(&["-C", dir, "config", "receive.advertisePushOptions", "false"]);
    let before = contents(&repo);

    ground.install(&repo, &[]).expect(0);
    let id = ground.key(&repo, "portcullis.repository");
    ground.portcullis(&["uninstall", dir]).expect(0).says("no longer judged");
    let mut after = contents(&repo);
    after.retain(|(path, _, _)| !path.starts_with(repo.join("portcullis")));
    assert_eq!(after, before);
    assert!(repo.join("portcullis/log").is_dir());

    ground.install(&repo, &[]).expect(0);
    assert_eq!(ground.key(&repo, "portcullis.repository"), id, "the log that stayed is this id's");
}

#[test]
fn nothing_to_uninstall_is_no_fault() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let before = contents(&repo);
    ground.portcullis(&["uninstall", repo.to_str().unwrap()]).expect(0);
    assert_eq!(contents(&repo), before);
}

#[test]
fn a_hook_that_somebody_put_over_ours_is_left() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    write_hook(&repo.join("hooks/update"), "#!/bin/sh\nexit 0\n", 0o755);
    ground.install(&repo, &[]).expect(0);
    write_hook(&repo.join("hooks/update"), "#!/bin/sh\nexit 7\n", 0o755);
    ground.portcullis(&["uninstall", repo.to_str().unwrap()]).expect(1).says("is not ours");
    assert_eq!(fs::read_to_string(repo.join("hooks/update")).unwrap(), "#!/bin/sh\nexit 7\n");
    assert!(!repo.join("hooks/pre-receive").exists());
}

#[test]
fn files_of_every_platform_go() {
    let ground = Ground::new();
    let repo = ground.repository("infra.git");
    let policy = ground.write("policy.toml", crate::ground::POLICY);
    for hook in ["pre-receive", "update", "post-receive"] {
        write_hook(&repo.join("hooks").join(hook), "#!/bin/sh\n: runs HOOK.d\n", 0o755);
    }
    let before = contents(&repo.join("hooks"));
    let more = ["--platform", "gitea", "--policy", policy.to_str().unwrap()];
    ground.install(&repo, &more).expect(0);
    ground.portcullis(&["uninstall", repo.to_str().unwrap()]).expect(0);
    let mut after = contents(&repo.join("hooks"));
    // The folders HOOK.d are the platform's.
    after.retain(|(path, _, _)| !path.is_dir());
    assert_eq!(after, before);
}
