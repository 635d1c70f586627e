//! What is secret stays out of the log, its index and every terminal; what the policy keeps out of
//! the log is in it as a keyed hash, and the log holds as before (threat L12).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::entries::chain;
use crate::support::ground::run;
use crate::support::policy;
use crate::support::site::{Plan, Site};
use crate::support::wire::Reply;

/// A secret of whoever pushes, and where they push from.
const SECRET: &str = "s3cr3t-7f2c";
const ADDRESS: &str = "192.0.2.77";

/// What servers put into a hook's environment besides the name, and what else stands there.
const VARIABLES: &[&str] = &[
    "HTTP_AUTHORIZATION",
    "REMOTE_PASSWORD",
    "HTTP_COOKIE",
    "QUERY_STRING",
    "HTTP_X_API_KEY",
    "REMOTE_IDENT",
    "PATH_INFO",
    "GITHUB_TOKEN",
    "CI_JOB_TOKEN",
    "SSHPASS",
    "GIT_ASKPASS",
    "GIT_CONFIG_PARAMETERS_X",
    "GITEA_KEY_ID",
    "GL_OPTION_X",
    "HTTP_PROXY",
    "AWS_SECRET_ACCESS_KEY",
];
const ADDRESSES: &[&str] = &["REMOTE_ADDR", "REMOTE_HOST", "SSH_CLIENT", "HTTP_X_FORWARDED_FOR"];

/// `git` as a server runs it, with everything there that is nobody else's business.
fn git(site: &Site, way: &[(&str, &str)]) -> Command {
    let mut git = site.ground().command("git");
    git.envs(VARIABLES.iter().map(|name| (name, format!("token={SECRET}"))));
    git.envs(ADDRESSES.iter().map(|name| (name, ADDRESS)));
    git.env("GIT_COMMITTER_NAME", "alice")
        .env("GIT_COMMITTER_EMAIL", format!("alice@http.{ADDRESS}"));
    git.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    git.envs(way.iter().copied());
    git
}

const HTTP: &[(&str, &str)] = &[("GATEWAY_INTERFACE", "CGI/1.1"), ("REMOTE_USER", "alice")];
const SSH: &[(&str, &str)] = &[("SSH_CONNECTION", "192.0.2.77 50000 192.0.2.1 22")];

/// No file below the folder has any of these.
#[track_caller]
fn nowhere(folder: &Path, words: &[&str]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nowhere(&path, words);
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for word in words {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[track_caller]
fn unsaid(reply: &Reply) {
    for word in [SECRET, ADDRESS] {
        assert!(!reply.said.contains(word), "{}", reply.said);
    }
}

#[test]
fn l12_neither_password_nor_address_reaches_log_index_or_terminal() {
    let site = Plan::new(policy::gated(1)).setting("core.logAllRefUpdates", "true").build();
    let (zero, main) = (site.zero(), site.main());
    let push = |way: &[(&str, &str)], name: &str| {
        let request = site.request().command(&zero, &main, format!("refs/heads/{name}"));
        let reply = request.send(git(&site, way), site.path());
        unsaid(&reply);
        reply
    };
    assert!(push(HTTP, "taken").status.contains(&"ok refs/heads/taken".to_owned()));
    push(SSH, "by-nobody").took_nothing();
    push(HTTP, "main/below").took_nothing();
    // Past the gate, by whoever the web server says it was: the reflog has the address.
    let mut past = git(&site, HTTP);
    past.arg("-C").arg(site.path()).args([
        "update-ref",
        "--create-reflog",
        "refs/heads/past",
        "HEAD",
    ]);
    assert!(run(&mut past).status.success());
    assert!(
        fs::read_to_string(site.path().join("logs/refs/heads/past")).unwrap().contains(ADDRESS)
    );
    assert_eq!(site.verb(&["log", "drift"]).status.code(), Some(1));
    assert!(site.log().last("drift").to_string().contains("<alice@http.>"));
    site.set_policy("version = 1\nbroken");
    push(HTTP, "fault").took_nothing();
    let folder = site.path().join("portcullis");
    nowhere(&folder, &[SECRET, ADDRESS]);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn l12_what_is_redacted_is_a_keyed_hash_and_hides_no_decision() {
    let redact = "\n[log]\nredact = [\"logins\", \"options\"]\n";
    let site = Site::new(policy::gated(1) + redact);
    let (zero, main) = (site.zero(), site.main());
    let push = |login: &str, name: &str, option: &str| {
        let request = site.request().command(&zero, &main, format!("refs/heads/{name}"));
        site.raw(login, request.option(option))
    };
    push("mallory@example.org", "one", "ticket=SECRET-9");
    push("mallory@example.org", "two", "ticket=SECRET-9");
    push("alice", "three", "ticket=other");
    let log = site.log();
    let decisions: Vec<_> = log.of("decision").collect();
    let [one, two, three] = decisions.as_slice() else { panic!("{decisions:#?}") };
    let hash = one["actor"]["login"].as_str().unwrap();
    assert!(hash.starts_with("hmac-sha256:") && hash.len() == 12 + 64, "{hash}");
    assert_eq!(one["actor"]["login"], two["actor"]["login"]);
    assert_eq!(one["opts"], two["opts"]);
    assert_ne!(one["opts"], three["opts"]);
    assert_eq!(three["actor"]["name"], "alice");
    assert_eq!(three["refs"][0]["ref"], "refs/heads/three");
    assert_eq!(three["refs"][0]["new"], main.as_str());
    assert_eq!(three["verdict"], "accept");
    nowhere(&site.log_dir(), &["mallory@example.org", "SECRET-9"]);
    let key = site.log_dir().join("redact.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    chain(&site.log_dir());
    site.log_and_refs_agree();
    // A key that is none: nothing is written that was to be kept out, and nothing is accepted.
    fs::write(&key, "short").unwrap();
    push("alice", "four", "ticket=SECRET-9").took_nothing();
    nowhere(&site.log_dir(), &["SECRET-9"]);
}

#[test]
fn a_hidden_ref_is_not_told_by_a_refusal_nor_by_a_question() {
    let site =
        Plan::new(policy::gated(1)).setting("transfer.hideRefs", "refs/heads/secret").build();
    let alice = site.person("alice");
    alice.begin("plan");
    let hidden = alice.commit("app/plan", "hello\n");
    site.git(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &hidden]);
    site.git(&["update-ref", "refs/heads/secret/plan", &hidden]);
    let (zero, main) = (site.zero(), site.main());
    for (old, name) in [
        (&zero, "refs/heads/secret/plan"),
        (&main, "refs/heads/secret/plan"),
        (&zero, "refs/portcullis/ask/heads/secret/plan"),
    ] {
        let reply = site.raw("alice", site.request().command(old, &main, name).option("ask"));
        reply.took_nothing();
        assert!(reply.said.contains("keeps hidden"), "{}", reply.said);
        assert!(!reply.said.contains(&hidden[..7]), "{}", reply.said);
    }
    let reply = site.raw("alice", site.request().command(&zero, &main, "refs/heads/secrets"));
    assert_eq!(reply.status, ["unpack ok", "ok refs/heads/secrets"], "{}", reply.said);
}
