//! A log whose key an ssh-agent holds: a real agent, ended by the test that started it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use portcullis::tlog::checkpoint::Checkpoint;
use portcullis::tlog::key::VerifierKey;
use portcullis::tlog::note::Signed;

use crate::seals::{have, no, ok};
use crate::support::ground::{run, text};
use crate::support::policy::gated;
use crate::support::site::Site;

/// An agent with one key, and its fingerprint.
struct Agent {
    child: Child,
    socket: PathBuf,
    key: PathBuf,
    fingerprint: String,
}

impl Agent {
    fn start(site: &Site, kind: &str) -> Self {
        let ground = site.ground();
        let (socket, key) = (ground.at("agent"), ground.at("held"));
        let mut keygen = ground.command("ssh-keygen");
        text(keygen.args(["-q", "-t", kind, "-N", "", "-C", "held", "-f"]).arg(&key));
        let mut agent = ground.command("ssh-agent");
        let mut child =
            agent.args(["-D", "-a"]).arg(&socket).stdout(Stdio::piped()).spawn().unwrap();
        // It says where it listens once it does.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("SSH_AUTH_SOCK"), "{line}");
        let listed = text(ground.command("ssh-keygen").args(["-l", "-f"]).arg(&key));
        let fingerprint = listed.split(' ').nth(1).unwrap().to_owned();
        let agent = Self { child, socket, key, fingerprint };
        agent.add(site);
        agent
    }

    fn add(&self, site: &Site) {
        let mut add = site.ground().command("ssh-add");
        let output = run(add.arg("-q").arg(&self.key).env("SSH_AUTH_SOCK", &self.socket));
        assert!(output.status.success(), "{output:?}");
    }

    fn remove(&self, site: &Site) {
        let mut add = site.ground().command("ssh-add");
        let output = run(add.arg("-q").arg("-D").env("SSH_AUTH_SOCK", &self.socket));
        assert!(output.status.success(), "{output:?}");
    }

    fn policy(&self) -> String {
        let (socket, key) = (self.socket.display(), &self.fingerprint);
        format!("{}\n[log]\nkey = \"agent:{socket}#{key}\"\n", gated(1))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn verify(site: &Site) -> Output {
    site.verb(&["log", "verify", "--root"])
}

#[test]
fn an_agent_signs_and_its_key_stays() {
    if !have(&["ssh-agent", "ssh-add", "ssh-keygen"]) {
        return;
    }
    let site = Site::gated();
    let agent = Agent::start(&site, "ed25519");
    site.set_policy(agent.policy());
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "seal"]));
    let seal = site.log().last("seal").clone();
    assert_eq!(seal["key"], seal["next"]);
    assert!(!site.log_dir().join("key").exists());
    ok(&verify(&site));
    // The checkpoint is one that anybody can check, and the key is the agent's.
    let key = ok(&site.verb(&["log", "checkpoint", "--key"]));
    let note = ok(&site.verb(&["log", "checkpoint"]));
    let (_, note) = Checkpoint::of_note(note.as_bytes()).unwrap();
    let key = VerifierKey::parse(key.trim()).unwrap();
    assert_eq!(note.signed_by(&key), Signed::Yes { at: None });
    let public = fs::read_to_string(agent.key.with_extension("pub")).unwrap();
    let public = ssh_key::PublicKey::from_openssh(&public).unwrap();
    assert_eq!(public.key_data().ed25519().unwrap().0, *key.bytes());

    // A key that is not there is said, whoever asks.
    agent.remove(&site);
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("does not hold the key SHA256:"), "{said}");
    agent.add(&site);
    ok(&site.verb(&["log", "seal"]));
    drop(agent);
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("the ssh-agent at"), "{said}");
}

#[test]
fn a_file_hands_over_to_an_agent_in_a_seal() {
    if !have(&["ssh-agent", "ssh-add", "ssh-keygen"]) {
        return;
    }
    let site = Site::gated();
    ok(&site.verb(&["log", "seal"]));
    let agent = Agent::start(&site, "ed25519");
    site.set_policy(agent.policy());
    ok(&site.verb(&["log", "seal"]));
    assert!(!site.log_dir().join("key").exists());
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "checkpoint"]));
    ok(&verify(&site));
    // Back to a file there is no way that nobody sees.
    site.set_policy(gated(1));
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("the key that the last seal names is gone"), "{said}");
}

#[test]
fn a_key_of_another_kind_does_not_sign() {
    if !have(&["ssh-agent", "ssh-add", "ssh-keygen"]) {
        return;
    }
    let site = Site::gated();
    let agent = Agent::start(&site, "ecdsa");
    site.set_policy(agent.policy());
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("is no Ed25519 key"), "{said}");
    // Without a socket in the policy the variable counts, and there is none here.
    let key = &agent.fingerprint;
    site.set_policy(format!("{}\n[log]\nkey = \"agent:{key}\"\n", gated(1)));
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("SSH_AUTH_SOCK is not set"), "{said}");
}
