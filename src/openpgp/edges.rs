//! What keys and signatures say, at the very edge of what counts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ed25519_dalek::{Signer as _, SigningKey};
use rsa::BigUint;

use crate::openpgp::check::claimed_key;
use crate::openpgp::crafted::{
    MADE, MESSAGE, NAME, NOW, Pair, armoured, bound, by, flags, good, judged, made, packet, part,
    primary, signed,
};
use crate::openpgp::hash::Hash;
use crate::openpgp::key::Key;

const NONE: &str = "has no name of theirs that it has signed and that still holds";
const DOUBTFUL: &str = "carries a signature that cannot be understood";

/// When a key's word on itself was made, by a moment.
fn made_at(moment: i64) -> Vec<u8> {
    part(2, &u32::try_from(moment).unwrap_or_default().to_be_bytes())
}

#[test]
fn what_cannot_be_read_is_a_revocation_for_all_we_know() {
    let (pair, subkey) = (Pair::new(1), Pair::new(3));
    let signature = signed(&pair, &[], &[]);
    // Behind a name: in a form of another day, and taking it back.
    let behind = |body: &[u8]| judged(&[&good(&pair)[..], &packet(2, body)].concat(), &signature);
    assert_eq!(behind(&[3, 5, 0x10, 0, 0, 0, 0]), "");
    assert_eq!(behind(&[3, 5, 0x30, 0, 0, 0, 0]), NONE);
    assert_eq!(behind(&[5, 0x10, 0, 0]), "");
    assert_eq!(behind(&[5, 0x30, 0, 0]), NONE);
    assert_eq!(behind(&[9]), NONE, "of what kind nobody knows");
    // Of the key itself and of a subkey nothing may be unread.
    let at = packet(6, &pair.body).len();
    let whole = good(&pair);
    let own = [&whole[..at], &packet(2, &[3, 5, 0x10, 0, 0, 0, 0]), &whole[at..]].concat();
    assert_eq!(judged(&own, &signature), DOUBTFUL);
    let over = [&pair.hashed()[..], &subkey.hashed()];
    let answer = part(32, &subkey.sign(0x19, &[made(5)], &[], &over));
    let bound = bound(&pair, &subkey, &[made(5), flags(2), answer], &[]);
    let ring = |more: &[u8]| [&whole[..], &bound, more].concat();
    let by_subkey = signed(&subkey, &[], &[]);
    assert_eq!(judged(&ring(&[]), &by_subkey), "");
    assert_eq!(judged(&ring(&packet(2, &[3, 5, 0x10, 0, 0, 0, 0])), &by_subkey), DOUBTFUL);
}

#[test]
fn of_one_second_the_word_that_takes_away_counts() {
    let pair = Pair::new(1);
    let signature = signed(&pair, &[], &[]);
    let length = u32::try_from(NAME.len()).unwrap_or_default().to_be_bytes();
    let over = [&pair.hashed()[..], &[0xb4], &length, NAME];
    let say = |kind: u8, parts: &[Vec<u8>]| {
        packet(2, &pair.sign(kind, &[parts, &[by(&pair)]].concat(), &[], &over))
    };
    let back = say(0x30, &[made(9), part(29, &[32])]);
    let again = |after| say(0x13, &[made(after), flags(3)]);
    assert_eq!(judged(&[good(&pair), back.clone(), again(9)].concat(), &signature), NONE);
    assert_eq!(judged(&[good(&pair), back, again(10)].concat(), &signature), "");
}

#[test]
fn a_binding_that_the_primary_key_did_not_sign_is_none() {
    let (pair, subkey, other) = (Pair::new(1), Pair::new(3), Pair::new(2));
    let over = [&pair.hashed()[..], &subkey.hashed()];
    let answer = part(32, &subkey.sign(0x19, &[made(5)], &[], &over));
    let forged = other.sign(0x18, &[made(5), flags(2), answer, by(&pair)], &[], &over);
    let ring = [good(&pair), packet(14, &subkey.body), packet(2, &forged)].concat();
    let no = "is a subkey that its primary key does not vouch for";
    assert_eq!(judged(&ring, &signed(&subkey, &[], &[])), no);
}

#[test]
fn only_so_many_answers_of_a_subkey_are_read() {
    let (pair, subkey) = (Pair::new(1), Pair::new(3));
    let over = [&pair.hashed()[..], &subkey.hashed()];
    let answer = part(32, &subkey.sign(0x19, &[made(5)], &[], &over));
    let behind = |junk: usize| {
        let loose = [vec![part(32, b"x"); junk], vec![answer.clone()]].concat();
        let bound = bound(&pair, &subkey, &[made(5), flags(2)], &loose);
        judged(&[good(&pair), bound].concat(), &signed(&subkey, &[], &[]))
    };
    assert_eq!(behind(1), "");
    assert_eq!(behind(2), "never signed that it belongs to its primary key");
}

#[test]
fn the_key_that_is_named_where_it_is_signed_goes_before() {
    let (pair, other) = (Pair::new(1), Pair::new(2));
    let ring = good(&pair);
    assert_eq!(judged(&ring, &signed(&pair, &[], &[by(&other)])), "");
    let loosely = packet(2, &pair.sign(0, &[made(1000)], &[by(&pair)], &[MESSAGE]));
    assert_eq!(judged(&ring, &loosely), "");
    // What has to be understood, and is.
    let known = part(0x80 | 28, b"alice@example.org");
    assert_eq!(judged(&ring, &signed(&pair, &[known], &[])), "");
}

#[test]
fn a_signature_is_as_old_as_the_key_that_made_it_or_younger() {
    let pair = Pair::new(1);
    let at = |after| packet(2, &pair.sign(0, &[made(after), by(&pair)], &[], &[MESSAGE]));
    assert_eq!(judged(&good(&pair), &at(0)), "");
    let later = Pair::later(3, 2000);
    let over = [&pair.hashed()[..], &later.hashed()];
    let answer = part(32, &later.sign(0x19, &[made(2000)], &[], &over));
    let bound = bound(&pair, &later, &[made(2000), flags(2), answer], &[]);
    let by_later = |after| packet(2, &later.sign(0, &[made(after), by(&later)], &[], &[MESSAGE]));
    let ring = [good(&pair), bound].concat();
    assert_eq!(judged(&ring, &by_later(2000)), "");
    let early = "was not there yet on 2026-01-01, of which the signature is";
    assert_eq!(judged(&ring, &by_later(1999)), early);
}

#[test]
fn a_word_of_a_key_about_itself_holds_from_now_to_its_last_second() {
    let pair = Pair::new(1);
    let signature = signed(&pair, &[], &[]);
    let says = |parts: &[Vec<u8>]| judged(&primary(&pair, parts), &signature);
    for (at, why) in [(NOW - 1, ""), (NOW, ""), (NOW + 300, ""), (NOW + 301, NONE)] {
        assert_eq!(says(&[made_at(at), flags(3)]), why, "{at}");
    }
    let lasts = |seconds: i64| {
        let span = u32::try_from(seconds).unwrap_or_default().to_be_bytes();
        says(&[made(0), flags(3), part(3, &span)])
    };
    let age = NOW - i64::from(MADE);
    assert_eq!(lasts(age + 1), "");
    assert_eq!(lasts(age), NONE);
}

#[test]
fn the_key_that_a_signature_names_can_be_told_without_any_keys() {
    let pair = Pair::new(1);
    let named = |parts: &[Vec<u8>]| {
        let parts = [&[made(1000)], parts].concat();
        claimed_key(&armoured(&packet(2, &pair.sign(0, &parts, &[], &[MESSAGE]))))
    };
    assert_eq!(named(&[part(16, &[0xab; 8])]).as_deref(), Some("ABABABABABABABAB"));
    let whole = [&[4][..], &[0xcd; 20]].concat();
    assert_eq!(named(&[part(33, &whole)]), Some("CD".repeat(20)));
    assert_eq!(named(&[]), None);
    assert_eq!(claimed_key(b"no signature"), None);
}

/// A number as OpenPGP writes it.
fn number(number: &BigUint) -> Vec<u8> {
    let bits = u16::try_from(number.bits()).unwrap_or_default();
    [&bits.to_be_bytes()[..], &number.to_bytes_be()].concat()
}

/// The body of a key of this algorithm.
fn body(algorithm: u8, numbers: &[u8]) -> Vec<u8> {
    [&[4][..], &MADE.to_be_bytes(), &[algorithm], numbers].concat()
}

#[test]
fn rsa_s_number_for_signing_alone_says_the_same() {
    // No primes are needed for one signature: its cube less what is signed is the modulus.
    let digest = [7; 32];
    let kind = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let padded = [&[1][..], &[0xff; 202], &[0], kind, &digest].concat();
    let signature = BigUint::from(3_u8) << 681;
    let modulus = &signature * &signature * &signature - BigUint::from_bytes_be(&padded);
    let numbers = [number(&modulus), number(&BigUint::from(3_u8))].concat();
    for named in [1, 3] {
        let key = Key::read(&body(named, &numbers)).unwrap();
        let made = |algorithm, digest: &[u8]| {
            key.made(algorithm, Hash::Sha256, digest, &number(&signature))
        };
        assert!(made(1, &digest) && made(3, &digest), "{named}");
        assert!(!made(2, &digest) && !made(22, &digest) && !made(1, &[9; 32]), "{named}");
    }
}

#[test]
fn a_key_of_the_newer_form_signs_in_raw_bytes() {
    let secret = SigningKey::from_bytes(&[5; 32]);
    let public = secret.verifying_key().to_bytes();
    let key = Key::read(&body(27, &public)).unwrap();
    let digest = [7; 32];
    let signature = secret.sign(&digest).to_bytes();
    assert!(key.can_sign() && key.made(27, Hash::Sha256, &digest, &signature));
    assert!(!key.made(27, Hash::Sha256, &[9; 32], &signature));
    assert!(!key.made(22, Hash::Sha256, &digest, &signature));
    let longer = Key::read(&body(27, &[&public[..], &[0]].concat())).unwrap();
    assert!(!longer.can_sign());
}
