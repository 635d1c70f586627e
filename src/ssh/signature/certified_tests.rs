//! Certificates: of every kind of key that `ssh-keygen` certifies, under conditions, and by a token.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::fs;
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use ssh_key::private::Ed25519Keypair;

use crate::names::moment::Moment;
use crate::ssh::armor::base64;
use crate::ssh::certificate::{Certificate, read};
use crate::ssh::key::SshKey;
use crate::ssh::signature::USER_PRESENT;
use crate::ssh::signature::tests::{Keygen, string, token, token_signs};

/// What the authority has certified of this key, under these options.
fn certified(authority: &Keygen, key: &SshKey, options: &[&str]) -> (Certificate, SshKey) {
    fs::write(authority.path("other.pub"), key.line()).unwrap();
    let status = Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", "someone"])
        .args(options)
        .arg("-s")
        .arg(authority.path("key"))
        .arg(authority.path("other.pub"))
        .status();
    assert!(status.unwrap().success());
    let line = fs::read_to_string(authority.path("other-cert.pub")).unwrap();
    read(&base64(line.split(' ').nth(1).unwrap().as_bytes()).unwrap()).unwrap()
}

/// The key as it would be if it were a token's.
fn as_of_a_token(key: &SshKey) -> SshKey {
    let own = key.line();
    let own = own.split(' ').next().unwrap();
    let rest = &key.bytes()[string(own.as_bytes()).len()..];
    let name = format!("sk-{own}@openssh.com");
    let wire = [&string(name.as_bytes())[..], rest, &string(b"ssh:")].concat();
    SshKey::parse(&format!("{name} {}", Base64::encode_string(&wire))).unwrap()
}

#[test]
fn every_kind_of_key_can_be_certified() {
    let authority = Keygen::new(&["-t", "ed25519"]);
    let key = |kind: &[&str]| Keygen::new(kind).public_key();
    let (edwards, curve) = (key(&["-t", "ed25519"]), key(&["-t", "ecdsa", "-b", "256"]));
    let kinds = [
        as_of_a_token(&edwards),
        as_of_a_token(&curve),
        edwards,
        curve,
        key(&["-t", "ecdsa", "-b", "384"]),
        key(&["-t", "ecdsa", "-b", "521"]),
        key(&["-t", "rsa", "-b", "2048"]),
    ];
    for kind in kinds {
        let (certificate, found) = certified(&authority, &kind, &[]);
        assert_eq!(found, kind);
        assert_eq!(certificate.authority, *authority.public_key().bytes());
        assert_eq!(certificate.doubt(Moment::from_seconds(1)), None, "it has no conditions");
    }
}

#[test]
fn a_condition_is_known_by_its_name_and_cannot_be_met() {
    let authority = Keygen::new(&["-t", "ed25519"]);
    let options = ["-O", "source-address=192.0.2.0/24", "-O", "force-command=true"];
    let (certificate, _) = certified(&authority, &authority.public_key(), &options);
    assert_eq!(certificate.critical, ["force-command", "source-address"]);
    let doubt = certificate.doubt(Moment::from_seconds(1)).unwrap();
    assert!(doubt.contains("\"force-command\", which cannot be met here"), "{doubt}");
}

/// All of a certificate but what its authority signs it with: a token that names this principal.
fn named(principal: &[u8]) -> Vec<u8> {
    let nobody = string(b"");
    [
        string(b"ssh-ed25519-cert-v01@openssh.com"),
        string(b"nonce"),
        string(Ed25519Keypair::from_seed(&[8; 32]).public.as_ref()),
        vec![0; 8],
        vec![0, 0, 0, 1],
        string(b"test"),
        string(&string(principal)),
        vec![0; 8],
        vec![0xff; 8],
        nobody.clone(),
        nobody.clone(),
        nobody,
        string(&token()),
    ]
    .concat()
}

#[test]
fn an_authority_s_token_is_touched_for_the_certificate_that_it_signs() {
    let by_token = |flags: u8, shown: &[u8]| {
        read(&[shown, &string(&token_signs(flags, &named(b"someone")))].concat())
    };
    let (certificate, _) = by_token(USER_PRESENT, &named(b"someone")).unwrap();
    assert_eq!(certificate.authority, token());
    assert!(certificate.names("someone"));
    let no = Err("the certificate is not signed by the authority it names".to_owned());
    assert_eq!(by_token(0, &named(b"someone")), no);
    assert_eq!(by_token(USER_PRESENT, &named(b"another")), no);
}
