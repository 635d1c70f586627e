//! Push certificates: which one names who pushes. And who pushes where the server says so itself.

use portcullis::identity::certificate::{Claimed, certified, id};
use portcullis::identity::{Given, Source, door, pusher};
use portcullis::names::digest::Digest;
use portcullis::push::Seen;
use portcullis::push::certificate::Standing;
use portcullis::push::env::Env;
use portcullis::push::pusher::{Pusher, Who};
use portcullis::push::update::RefUpdate;
use portcullis::ssh::signature::GIT_NAMESPACE;
use ssh_key::{HashAlg, LineEnding};

use crate::made::{branch, name, now, oid, policy};
use crate::roster::key;

const RULE: &str = "[rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n";

const NONCE: &[u8] = b"1795397580-7a85ee61";

const URL: &str = "https://git.example/infra.git";

fn moves(short: &str) -> RefUpdate {
    RefUpdate { name: branch(short), claimed_old: oid(1), new: oid(2) }
}

fn command(update: &RefUpdate) -> String {
    let name = String::from_utf8(update.name.as_bytes().to_vec()).unwrap();
    format!("{} {} {name}\n", update.claimed_old.hex(), update.new.hex())
}

/// What is signed: these lines of the header, and these updates.
fn text(header: &str, updates: &[RefUpdate]) -> String {
    let commands: String = updates.iter().map(command).collect();
    format!("certificate version 0.1\npusher ada 1795397580 +0000\n{header}\n{commands}")
}

/// Ada's key is made of zeros, and nobody's of nines.
fn signed(text: &str, seed: u8) -> Vec<u8> {
    let signature = key(seed).sign(GIT_NAMESPACE, HashAlg::Sha512, text.as_bytes()).unwrap();
    [text.as_bytes(), signature.to_pem(LineEnding::LF).unwrap().as_bytes()].concat()
}

fn header() -> String {
    let nonce = String::from_utf8(NONCE.to_vec()).unwrap();
    format!("pushee {URL}\nnonce {nonce}\npush-option a=b\npush-option c\n")
}

/// A push, as Git tells of it.
struct Asked {
    updates: Vec<RefUpdate>,
    options: Seen<Vec<Vec<u8>>>,
    nonce: Option<&'static [u8]>,
    status: Option<&'static [u8]>,
    urls: Vec<Vec<u8>>,
    seen_in: Option<u64>,
}

fn asked() -> Asked {
    Asked {
        updates: vec![moves("main"), moves("other")],
        options: Seen::All(vec![b"a=b".to_vec(), b"c".to_vec()]),
        nonce: Some(NONCE),
        status: Some(b"OK"),
        urls: Vec::new(),
        seen_in: None,
    }
}

/// What becomes of a certificate: whose it is, or why it does not count.
fn is(certificate: Vec<u8>, asked: &Asked) -> String {
    let claimed = Claimed {
        updates: &asked.updates,
        options: &asked.options,
        nonce: asked.nonce,
        nonce_status: asked.status,
        urls: &asked.urls,
        seen_in: asked.seen_in,
    };
    match certified(certificate, &claimed, &policy(RULE).roster, now()).standing {
        Standing::Good(who) => who.to_string(),
        Standing::Not(why) => why,
    }
}

/// Ada's certificate of the push as it is.
fn good() -> Vec<u8> {
    signed(&text(&header(), &asked().updates), 0)
}

#[test]
fn a_certificate_of_this_push_names_who_signed_it() {
    assert_eq!(is(good(), &asked()), "ada");
    // In whatever order.
    let turned = [moves("other"), moves("main")];
    assert_eq!(is(signed(&text(&header(), &turned), 0), &asked()), "ada");
    let stranger = is(signed(&text(&header(), &asked().updates), 9), &asked());
    assert!(stranger.ends_with(" which is nobody's key"), "{stranger}");
    let mut changed = good();
    let at = changed.iter().position(|&b| b == b'2').unwrap();
    changed[at] = b'3';
    let changed = is(changed, &asked());
    assert!(changed.starts_with("has a signature that is "), "{changed}");
    let other = text(&header(), &asked().updates) + "-----BEGIN SIGNED MESSAGE-----\n";
    let x509 = "is signed with X.509, which is not supported here";
    assert_eq!(is(other.into_bytes(), &asked()), x509);
    assert_eq!(is(text(&header(), &asked().updates).into_bytes(), &asked()), "is not signed");
}

#[test]
fn it_is_of_this_moment_by_the_server_s_own_nonce() {
    let with = |nonce, status| is(good(), &Asked { nonce, status, ..asked() });
    let no_time = "proves no time: this server gives out no nonce (receive.certNonceSeed)";
    assert_eq!(with(None, Some(b"OK")), no_time);
    let other = "carries another nonce than this server gave out";
    assert_eq!(with(Some(b"another"), Some(b"OK")), other);
    let old = "carries a nonce older than receive.certNonceSlop allows";
    assert_eq!(with(Some(NONCE), Some(b"SLOP")), old);
    assert_eq!(with(Some(NONCE), Some(b"BAD")), "carries a nonce of which Git says BAD");
    assert_eq!(with(Some(NONCE), None), "carries a nonce of which Git says nothing");
    let without = signed(&text("push-option a=b\npush-option c\n", &asked().updates), 0);
    assert_eq!(is(without, &asked()), "carries no nonce of this server");
}

#[test]
fn it_is_of_exactly_these_updates_and_options() {
    let other = "is for other ref updates than this push";
    let moved = RefUpdate { new: oid(3), ..moves("main") };
    for updates in [
        vec![moves("main")],
        vec![moves("main"), moves("other"), moves("more")],
        vec![moved, moves("other")],
        vec![moves("main"), moves("main")],
    ] {
        assert_eq!(is(good(), &Asked { updates, ..asked() }), other);
    }
    let other = "is for other push options than this push";
    for options in [
        Seen::All(vec![]),
        Seen::All(vec![b"c".to_vec(), b"a=b".to_vec()]),
        Seen::All(vec![b"a=b".to_vec()]),
        Seen::NotHere,
    ] {
        assert_eq!(is(good(), &Asked { options, ..asked() }), other);
    }
}

#[test]
fn it_is_for_this_repository_where_its_addresses_are_known() {
    let at = |urls: &[&str]| {
        let urls = urls.iter().map(|url| url.as_bytes().to_vec()).collect();
        is(good(), &Asked { urls, ..asked() })
    };
    for url in [URL, "https://git.example/infra", "https://git.example/infra.git//"] {
        assert_eq!(at(&[url]), "ada", "{url}");
        assert_eq!(at(&["ssh://other", url]), "ada", "{url}");
    }
    let no = format!("is for \"{URL}\", which is no address of this repository");
    for url in ["https://git.example/infra2", "https://git.example", "", ".git"] {
        assert_eq!(at(&[url]), no, "{url}");
    }
}

#[test]
fn it_counts_once_and_has_a_name_of_its_own() {
    let again = is(good(), &Asked { seen_in: Some(7), ..asked() });
    assert_eq!(again, "came before, in entry 7, and counts once");
    // By what is signed, whoever signed it; where it is none, by all of it.
    let text = text(&header(), &asked().updates);
    assert_eq!(id(&good()), Digest::of(text.as_bytes()));
    assert_eq!(id(&signed(&text, 9)), id(&good()));
    assert_eq!(id(b"none"), Digest::of(b"none"));
}

fn env(variables: &[(&str, &str)]) -> Env {
    Env::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

/// Who pushes, by this source.
fn by(variables: &[(&str, &str)], source: Source<'_>, auth_info: Option<&str>) -> Pusher {
    let (env, certificate) = (env(variables), Seen::All(None));
    let given = Given { env: &env, auth_info, os_user: Some("ada"), certificate: &certificate };
    pusher(&given, source, &policy(RULE).roster)
}

#[test]
fn the_server_says_which_way_a_push_came() {
    assert_eq!(door(&env(&[])), "local");
    assert_eq!(door(&env(&[("GATEWAY_INTERFACE", "CGI/1.1")])), "http");
    let both = [("GATEWAY_INTERFACE", "CGI/1.1"), ("SSH_CONNECTION", "1 2 3 4")];
    assert_eq!(door(&env(&both)), "ssh");
    assert_eq!(door(&env(&both[1..])), "ssh");
}

#[test]
fn a_platform_and_a_key_name_who_pushes_and_what_is_missing_names_nobody() {
    let ada = Who::Listed { name: name("ada"), machine: false, shared: false };
    let gitea = [("GITEA_PUSHER_NAME", "ada"), ("GITEA_PUSHER_ID", "7")];
    assert_eq!(by(&gitea, Source::Platform("gitea"), None).who, ada);
    let why = |pusher: Pusher| match pusher.who {
        Who::Unnamed { why } => why,
        Who::Listed { .. } | Who::Unlisted => panic!("{}", pusher.login),
    };
    assert!(why(by(&gitea, Source::Platform("gitlab"), None)).contains("GL_"));
    assert_eq!(why(by(&gitea, Source::Platform("none"), None)), "platform none is not known");
    let line = format!("publickey {}\n", key(0).public_key().to_openssh().unwrap());
    let file = [("SSH_USER_AUTH", "/run/auth")];
    assert_eq!(by(&file, Source::SshAuthInfo, Some(&line)).who, ada);
    let unset = why(by(&[], Source::SshAuthInfo, Some(&line)));
    assert!(unset.starts_with("SSH_USER_AUTH is not set"), "{unset}");
    let unread = why(by(&file, Source::SshAuthInfo, None));
    assert_eq!(unread, "the file that SSH_USER_AUTH names cannot be read");
    assert_eq!(why(by(&file, Source::SshAuthInfo, Some(""))), "the log-in used no key");
    let stranger = format!("publickey {}\n", key(9).public_key().to_openssh().unwrap());
    assert_eq!(by(&file, Source::SshAuthInfo, Some(&stranger)).who, Who::Unlisted);
}
