//! Plain sshd with one shared account: people are told apart by the key, or by what their line in
//! `authorized_keys` says.

use std::fs;

use crate::page::block;
use crate::server::{Server, whole_life_with};
use crate::support::client::Talk;
use crate::support::ground::missing;
use crate::support::person::{Person, public_key};
use crate::{leave, sshd};

/// A person's connection that ends after these bytes.
fn left(server: &Server, person: &Person, sent: &[u8]) {
    let ssh = person.run(&["config", "core.sshCommand"]);
    let url = server.url().strip_prefix("ssh://").unwrap();
    let (at, path) = url.split_once('/').unwrap();
    let (account, port) = at.split_once(':').unwrap();
    let script = format!("exec {ssh} -p {port} {account} \"git-receive-pack '/{path}'\"");
    let talk = Talk::with(person.command("sh").args(["-c", &script]));
    let mut ssh = talk.says_and_goes(sent);
    drop(ssh.kill());
    ssh.wait().unwrap();
}

/// One account, one repository, and a line in `authorized_keys` for everybody.
#[track_caller]
fn life(identity: &str, lines: &str, more: &str, meanwhile: fn(&Server, &Person, &Person)) {
    let server = Server::new(identity);
    let keys = server.ground().at("authorized_keys");
    fs::write(&keys, lines).unwrap();
    let sshd = match sshd::start(&server, &keys, more) {
        Ok(sshd) => sshd,
        Err(why) => return missing(&why),
    };
    let url = format!("{}{}", sshd.url, server.path().display());
    let server = server.reached_by(url);
    whole_life_with(&server, "ssh", |alice, bob| meanwhile(&server, alice, bob));
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
        |server, alice, bob| {
            leave::at_every_step(server, (alice, bob), |_, sent| left(server, alice, sent));
        },
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
    life(block("ssh-command", "policy").trim_end(), &lines, more, |_, _, _| {});
}
