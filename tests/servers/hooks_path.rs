//! One folder of hooks for every repository of the account: `core.hooksPath`.

use std::fs;

use crate::door;
use crate::server::{Server, photo, whole_life, whole_life_with};
use crate::support::ground::text;

/// A server whose account has its hooks in one folder, with hooks of somebody else in it.
fn shared() -> (Server, std::path::PathBuf) {
    let server = Server::new("ssh = \"PUSHER\"");
    let folder = server.ground().at("etc/git/hooks");
    let trace = server.ground().at("trace");
    let theirs = format!("#!/bin/sh\ncat >>'{}'\n", trace.display());
    door::write_script(&folder.join("pre-receive"), &theirs);
    door::write_script(&folder.join("post-update"), "#!/bin/sh\nexit 0\n");
    let mut git = server.operator("git");
    git.args(["config", "--global", "core.hooksPath"]).arg(&folder);
    text(&mut git);
    door::open(&server, "PUSHER=\"$who\"", "git shell -c \"git-$command '$path'\"");
    let url = door::url(&server);
    (server.reached_by(url), folder)
}

#[test]
fn a_repository_that_goes_its_own_way() {
    let (server, folder) = shared();
    let before = photo(&folder);
    whole_life(&server, "hooks-path-own");
    assert_eq!(photo(&folder), before);
}

#[test]
fn the_shared_folder_holds_ours_and_theirs() {
    let (server, folder) = shared();
    let before = photo(&folder);
    let trace = server.ground().at("trace");
    whole_life_with(&server, "hooks-path", |alice, _| {
        // Theirs ran after ours had accepted, and not for what ours refused.
        let seen = fs::read_to_string(&trace).unwrap();
        let tip = alice.begin("theirs").oid("HEAD");
        alice.push(&["HEAD:refs/heads/theirs"]).accepted();
        let now = fs::read_to_string(&trace).unwrap();
        assert!(
            now.starts_with(&seen) && now.contains(&format!("{tip} refs/heads/theirs")),
            "{now}"
        );
        let straight = alice.commit("app/t", "t\n");
        alice.push(&["HEAD:refs/heads/main"]).refused();
        assert!(!fs::read_to_string(&trace).unwrap().contains(&straight));
        // Theirs may refuse as before.
        let theirs = folder.join("pre-receive.before-portcullis");
        let kept = fs::read(&theirs).unwrap();
        door::write_script(&theirs, "#!/bin/sh\nexit 1\n");
        alice.push(&["HEAD:refs/heads/theirs"]).refused().says("another hook");
        fs::write(&theirs, kept).unwrap();
    });
    assert_eq!(photo(&folder), before);
}
