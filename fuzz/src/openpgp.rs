//! OpenPGP: signatures in their armour, and files of keys.

use portcullis::names::moment::Moment;
use portcullis::openpgp::check::{Check, claimed_key, verify};
use portcullis::openpgp::keyring::Keyring;

use super::{Target, choice, is_plain, outcome, shape};

/// What `fuzz/corpus/openpgp/good` signs.
const SIGNED: &[u8] = include_bytes!("../../tests/keys/openpgp/signed");

/// That signature, behind the byte that chooses.
const GOOD: &[u8] = include_bytes!("../corpus/openpgp/good");

/// The keys it is looked up in.
const RING: &[u8] = include_bytes!("../../tests/keys/openpgp/ring.gpg");

/// A signature, or a file of keys with a good signature to look up in it.
pub const OPENPGP: Target = Target {
    name: "openpgp",
    run: openpgp,
    words: &[
        b"-----BEGIN PGP SIGNATURE-----\n\n",
        b"\n-----END PGP SIGNATURE-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n",
        b"\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"iHUEABYKAB0WIQ",
        b"\x98\x33\x04",
        b"\xb4\x19",
        b"\x88\x90\x04\x13\x16\x08",
        b"\xb8\x38\x04",
        b"\xff\xff\xff\xff",
        b"=\n",
    ],
};

fn openpgp(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    if first % 2 == 0 { signature(bytes) } else { keyring(bytes) }
}

fn signature(bytes: &[u8]) -> u64 {
    let (ring, flaws) = Keyring::read(RING).expect("the ring is good");
    assert!(flaws.is_empty());
    let check = judged(&ring, bytes);
    // Only who has the keys makes a signature.
    if let Check::Made { fingerprint, .. } = &check {
        assert_eq!(claimed_key(bytes).as_deref(), Some(fingerprint.as_str()));
    }
    outcome(&check)
}

fn keyring(bytes: &[u8]) -> u64 {
    match Keyring::read(bytes) {
        Err(why) => {
            is_plain(&why.to_string());
            outcome(&why)
        }
        Ok((ring, flaws)) => {
            for flaw in &flaws {
                is_plain(&format!("{} {}", flaw.key, flaw.what));
            }
            for holder in ring.holders() {
                assert_eq!(holder.fingerprint().len(), 40);
                assert!(holder.emails().all(|email| email.contains('@')));
                let _ = holder.may_sign();
            }
            let check = judged(&ring, &GOOD[1..]);
            shape(&[ring.holders().count(), flaws.len()]) ^ outcome(&check)
        }
    }
}

fn judged(ring: &Keyring, armor: &[u8]) -> Check {
    let now = Moment::parse_seconds("2026-11-22T12:00:00Z").expect("a time");
    let check = verify(ring, SIGNED, armor, &|_, email| email.ends_with("example.org"), now);
    match &check {
        Check::Not(why) => {
            is_plain(&why.to_string());
            assert!(why.to_string().len() < 400);
        }
        Check::Made { doubt, .. } => doubt.iter().for_each(|why| is_plain(why)),
    }
    check
}
