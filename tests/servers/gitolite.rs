//! gitolite as Debian packs it, behind a real sshd: it keeps `update`, ours is `pre-receive` and
//! `post-receive`, out of one common folder.

use std::fs;
use std::path::PathBuf;

use crate::listening::program;
use crate::server::{Server, whole_life_with};
use crate::sshd;
use crate::support::ground::{missing, text};
use crate::support::person::{Person, public_key};

/// What gitolite is to know: who may write what.
const CONF: &str = "repo gitolite-admin\n    RW+ = alice\n\nrepo infra\n    RW+ = alice\n\
    \x20   -   refs/heads/alices = bob\n    RW+ = bob\n";

/// Sets gitolite up with an administrator, and puts the repository and the people in by a push, as
/// its users do.
fn begun(server: &Server) -> Result<sshd::Sshd, String> {
    let gitolite = program("gitolite").ok_or("there is no gitolite on this machine")?;
    let home = server.home();
    let admin = home.join("alice.pub");
    fs::write(&admin, public_key("alice") + "\n").unwrap();
    let mut setup = server.operator(gitolite.to_str().unwrap());
    // It reads its own configuration from `master` and from no other branch.
    setup.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "init.defaultBranch")]);
    text(setup.env("GIT_CONFIG_VALUE_0", "master").args(["setup", "-pk"]).arg(&admin));
    server.follow("gitolite", "local");
    sshd::start(server, &home.join(".ssh/authorized_keys"), "")
}

fn configure(server: &Server, url: &str) {
    let address = PathBuf::from(format!("{url}/gitolite-admin"));
    let admin = Person::new(server.ground(), "alice", &address);
    let work = admin.clone_path().to_owned();
    fs::write(work.join("conf/gitolite.conf"), CONF).unwrap();
    fs::write(work.join("keydir/bob.pub"), public_key("bob") + "\n").unwrap();
    admin.commit_tree_as_it_is("infra and bob");
    let push = admin.push(&["HEAD"]);
    assert!(server.path().is_dir(), "{}", push.accepted().whole());
    fs::remove_dir_all(work).unwrap();
}

#[test]
fn gitolite_keeps_update_and_runs_ours() {
    let server = Server::bare("platform = \"gitolite\"", "server-home/repositories/infra.git");
    let sshd = match begun(&server) {
        Ok(sshd) => sshd,
        Err(why) => return missing(&why),
    };
    configure(&server, &sshd.url);
    server.fill();
    let server = server.reached_by(format!("{}/infra", sshd.url));
    whole_life_with(&server, "gitolite", |_, bob| {
        // Gitolite's own word comes after ours and is heard.
        let update = fs::read_to_string(server.path().join("hooks/update")).unwrap();
        assert!(update.contains("gitolite"), "{update}");
        bob.begin("alices");
        bob.commit("app/y", "y\n");
        let push = bob.push(&["HEAD:refs/heads/alices"]);
        assert!(!push.is_accepted() && push.whole().contains("DENIED"), "{}", push.whole());
        assert_eq!(server.log().last("decision")["verdict"], "accept");
        assert_eq!(server.ends_of("refs/heads/alices"), ["not-applied"]);
        server.log_and_refs_agree();
    });
}
