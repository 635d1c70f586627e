//! Plain sshd with one shared account: people are told apart by the key, or by what their line in
//! `authorized_keys` says.

use std::fs;

use crate::page::block;
use crate::server::{Server, whole_life};
use crate::sshd;
use crate::support::ground::missing;
use crate::support::person::public_key;

/// One account, one repository, and a line in `authorized_keys` for everybody.
#[track_caller]
fn life(identity: &str, lines: &str, more: &str) {
    let server = Server::new(identity);
    let keys = server.ground().at("authorized_keys");
    fs::write(&keys, lines).unwrap();
    let sshd = match sshd::start(&server, &keys, more) {
        Ok(sshd) => sshd,
        Err(why) => return missing(&why),
    };
    let url = format!("{}{}", sshd.url, server.path().display());
    let server = server.reached_by(url);
    whole_life(&server, "ssh");
    let log = server.log();
    assert_eq!(log.last("decision")["actor"]["door"], "ssh");
}

#[test]
fn the_key_that_opened_the_connection_tells_who_pushes() {
    let lines: String = ["alice", "bob"].iter().map(|name| public_key(name) + "\n").collect();
    life(
        block("ssh-keys", "policy").trim_end(),
        &lines,
        block("ssh-keys", "sshd_config").trim_end(),
    );
}

#[test]
fn the_line_in_authorized_keys_tells_who_pushes() {
    let line = block("ssh-command", "authorized_keys");
    let (before, _) = line.split_once("ssh-ed25519").unwrap();
    let lines: String = ["alice", "bob"]
        .iter()
        .map(|name| format!("{}{}\n", before.replace("alice", name), public_key(name)))
        .collect();
    // What a client sends is not what counts, even where the server takes it.
    let more = "AcceptEnv PUSHER";
    life(block("ssh-command", "policy").trim_end(), &lines, more);
}
