//! One folder of hooks for every repository of the account: `core.hooksPath`.

use crate::door;
use crate::server::{Server, photo, whole_life};

/// A server whose account has its hooks in one folder, with a hook of somebody else in it.
fn shared() -> (Server, std::path::PathBuf) {
    let server = Server::new("ssh = \"PUSHER\"");
    let folder = server.ground().at("etc/git/hooks");
    door::write_script(&folder.join("post-update"), "#!/bin/sh\nexit 0\n");
    let mut git = server.operator("git");
    git.args(["config", "--global", "core.hooksPath"]).arg(&folder);
    crate::support::ground::text(&mut git);
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
