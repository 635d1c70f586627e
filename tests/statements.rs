//! Statements and signatures together: what is signed is what is read, and nothing else verifies.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::path::Path;

use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::names::principal::PrincipalName;
use portcullis::names::refname::Refname;
use portcullis::ssh::signature::{SignatureCheck, verify};
use portcullis::statement::fields::{
    ApprovalVerdict, CheckVerdict, Fields, RepositoryId, Saying, Url,
};
use portcullis::statement::read::Statement;
use proptest::prelude::*;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

fn fields() -> Fields {
    Fields {
        repository: RepositoryId::parse("infra-5f0c91ab").unwrap(),
        refname: Refname::parse(b"refs/heads/main").unwrap(),
        base: Oid::from_hex("1".repeat(40).as_bytes()).unwrap(),
        commit: Oid::from_hex("2".repeat(40).as_bytes()).unwrap(),
        delta: Digest::of(b"delta"),
        person: PrincipalName::parse("bob").unwrap(),
        date: Moment::parse_seconds("2026-11-22T21:00:00Z").unwrap(),
        expires: Moment::parse_seconds("2026-12-06T21:00:00Z").unwrap(),
        saying: Saying::Approval { verdict: ApprovalVerdict::Approve },
    }
}

/// A statement as its blob holds it, signed with a key that never leaves this test.
fn signed(fields: &Fields) -> Vec<u8> {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[5; 32]));
    let text = fields.text();
    let signature = key.sign(fields.namespace(), HashAlg::Sha512, &text).unwrap();
    [text, signature.to_pem(LineEnding::LF).unwrap().into_bytes()].concat()
}

fn check(statement: &Statement) -> SignatureCheck {
    verify(statement.namespace(), statement.signed_bytes(), statement.armor())
}

fn is_good(statement: &Statement) -> bool {
    matches!(check(statement), SignatureCheck::Good { .. })
}

#[test]
fn a_signed_statement_is_read_and_verified() {
    let statement = Statement::parse(&signed(&fields())).unwrap();
    assert!(is_good(&statement));
    assert_eq!(statement.fields(), &fields());
}

#[test]
fn a_signature_of_an_approval_is_none_of_a_check() {
    let statement = Statement::parse(&signed(&fields())).unwrap();
    let as_check = verify("check@portcullis", statement.signed_bytes(), statement.armor());
    assert!(matches!(as_check, SignatureCheck::WrongNamespace { .. }));
}

#[test]
fn another_way_to_write_the_signature_is_the_same_statement() {
    let bytes = signed(&fields());
    let text = String::from_utf8(bytes.clone()).unwrap();
    let (head, body) = text.split_once("SIGNATURE-----\n").unwrap();
    let rewritten = format!("{head}SIGNATURE-----\n\n{body}");
    let (one, other) =
        (Statement::parse(&bytes).unwrap(), Statement::parse(rewritten.as_bytes()).unwrap());
    assert!(is_good(&one) && is_good(&other));
    assert_eq!(one.id(), other.id());
}

/// A key pair of `tests/keys`.
fn key(name: &str) -> PrivateKey {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
    PrivateKey::read_openssh_file(&path).unwrap()
}

/// Every bit of a real statement, turned over: it is no statement any more, or nobody's, or its
/// armour says the same in another way.
#[track_caller]
fn no_bit_turns_it_into_another(fields: &Fields, by: &str) {
    let key = key(by);
    let text = fields.text();
    let signature = key.sign(fields.namespace(), HashAlg::Sha512, &text).unwrap();
    let bytes = [text, signature.to_pem(LineEnding::LF).unwrap().into_bytes()].concat();
    let original = Statement::parse(&bytes).unwrap();
    let whose = check(&original);
    assert!(is_good(&original));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(statement) = Statement::parse(&changed) else { continue };
            if is_good(&statement) {
                assert!(at >= original.signed_bytes().len(), "byte {at}, bit {bit}");
                assert_eq!(statement.id(), original.id());
                assert_eq!(statement.fields(), original.fields());
                assert_eq!(check(&statement), whose);
            }
        }
    }
}

#[test]
fn no_bit_of_a_statement_is_free() {
    no_bit_turns_it_into_another(&fields(), "alice");
    let url = Url::parse("https://ci.example.org/runs/77");
    let check = PrincipalName::parse("terraform-plan").unwrap();
    let saying = Saying::Check { check, verdict: CheckVerdict::Pass, url };
    no_bit_turns_it_into_another(&Fields { saying, ..fields() }, "plan-bot");
    // ECDSA: the signature itself can be written in two ways.
    no_bit_turns_it_into_another(&fields(), "erin");
}

proptest! {
    #[test]
    fn a_changed_byte_never_verifies_as_another_statement(
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let original = Statement::parse(&signed(&fields())).unwrap();
        let mut bytes = signed(&fields());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(statement) = Statement::parse(&bytes) && is_good(&statement) {
            // Only the armour can be written otherwise, and that names nothing.
            prop_assert!(at >= original.signed_bytes().len());
            prop_assert_eq!(statement.id(), original.id());
        }
    }

    #[test]
    fn a_byte_more_or_less_never_verifies_as_another_statement(
        at in any::<prop::sample::Index>(),
        insert in prop::option::of(any::<u8>()),
    ) {
        let original = Statement::parse(&signed(&fields())).unwrap();
        let mut bytes = signed(&fields());
        let at = at.index(bytes.len());
        match insert {
            Some(byte) => bytes.insert(at, byte),
            None => { bytes.remove(at); }
        }
        if let Ok(statement) = Statement::parse(&bytes) && is_good(&statement) {
            prop_assert_eq!(statement.id(), original.id());
        }
    }
}

#[test]
fn a_statement_about_what_begins_at_nothing_has_no_base() {
    assert_eq!(fields().base_commit(), Some(fields().base));
    let first = Fields { base: Oid::zero(fields().base.format()), ..fields() };
    assert_eq!(first.base_commit(), None);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let text = String::from_utf8(signed(&fields())).unwrap();
    let third = text.match_indices('\n').nth(2).unwrap().0;
    let mut broken = text.clone();
    broken.insert(third, '\r');
    let problem = Statement::parse(broken.as_bytes()).unwrap_err();
    assert!(problem.to_string().contains("line 3"), "{problem}");
    assert_eq!(fields().repository.to_string(), "infra-5f0c91ab");
}
