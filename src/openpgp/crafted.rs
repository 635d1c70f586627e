//! Keys and signatures that `gpg` would not make, made here byte by byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha512};

use crate::names::moment::Moment;
use crate::openpgp::check::{Check, verify};
use crate::openpgp::key::Key;
use crate::openpgp::keyring::Keyring;

/// When keys are made, and when they are looked at.
pub(super) const MADE: u32 = 1_767_225_600;
pub(super) const NOW: i64 = 1_790_000_000;

pub(super) const MESSAGE: &[u8] = b"message";
pub(super) const NAME: &[u8] = b"Alice <alice@example.org>";

/// A key pair.
pub(super) struct Pair {
    secret: SigningKey,
    pub(super) body: Vec<u8>,
}

impl Pair {
    pub(super) fn new(seed: u8) -> Self {
        Self::later(seed, 0)
    }

    /// One that is made some seconds later.
    pub(super) fn later(seed: u8, after: u32) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let oid = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
        let point = [&[0x40][..], secret.verifying_key().as_bytes()].concat();
        let made = (MADE + after).to_be_bytes();
        let body = [&[4][..], &made, &[22, 9], &oid, &263_u16.to_be_bytes(), &point];
        Self { body: body.concat(), secret }
    }

    fn key(&self) -> Key {
        Key::read(&self.body).unwrap()
    }

    pub(super) fn hashed(&self) -> Vec<u8> {
        self.key().hashed
    }

    /// The body of a signature of this kind, with these parts, over these bytes.
    pub(super) fn sign(
        &self,
        kind: u8,
        hashed: &[Vec<u8>],
        loose: &[Vec<u8>],
        over: &[&[u8]],
    ) -> Vec<u8> {
        let (hashed, loose) = (hashed.concat(), loose.concat());
        let length = u16::try_from(hashed.len()).unwrap().to_be_bytes();
        let head = [&[4, kind, 22, 10][..], &length, &hashed].concat();
        let trailer = [&[4, 0xff][..], &u32::try_from(head.len()).unwrap().to_be_bytes()].concat();
        let digest = Sha512::digest([over.concat(), head.clone(), trailer].concat());
        let signature = self.secret.sign(&digest).to_bytes();
        let length = u16::try_from(loose.len()).unwrap().to_be_bytes();
        let numbers = [
            &256_u16.to_be_bytes()[..],
            &signature[..32],
            &256_u16.to_be_bytes(),
            &signature[32..],
        ];
        [&head[..], &length, &loose, &digest[..2], &numbers.concat()].concat()
    }
}

pub(super) fn part(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut part = vec![255];
    part.extend(u32::try_from(value.len() + 1).unwrap().to_be_bytes());
    part.push(kind);
    part.extend(value);
    part
}

pub(super) fn made(after: u32) -> Vec<u8> {
    part(2, &(MADE + after).to_be_bytes())
}

pub(super) fn by(pair: &Pair) -> Vec<u8> {
    part(33, &[&[4][..], &pair.key().fingerprint].concat())
}

pub(super) fn flags(bits: u8) -> Vec<u8> {
    part(27, &[bits])
}

pub(super) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | kind, 255][..], &length, body].concat()
}

pub(super) fn armoured(packets: &[u8]) -> Vec<u8> {
    let text = Base64::encode_string(packets);
    format!("-----BEGIN PGP SIGNATURE-----\n\n{text}\n-----END PGP SIGNATURE-----\n").into_bytes()
}

/// A primary key whose own signature on its name has these parts, beside who made it.
pub(super) fn primary(pair: &Pair, parts: &[Vec<u8>]) -> Vec<u8> {
    let length = u32::try_from(NAME.len()).unwrap().to_be_bytes();
    let over = [&pair.hashed()[..], &[0xb4], &length, NAME];
    let parts = [parts, &[by(pair)]].concat();
    let certificate = pair.sign(0x13, &parts, &[], &over);
    [packet(6, &pair.body), packet(13, NAME), packet(2, &certificate)].concat()
}

/// A subkey with a binding of these parts.
pub(super) fn bound(pair: &Pair, subkey: &Pair, parts: &[Vec<u8>], loose: &[Vec<u8>]) -> Vec<u8> {
    let parts = [parts, &[by(pair)]].concat();
    let binding = pair.sign(0x18, &parts, loose, &[&pair.hashed(), &subkey.hashed()]);
    [packet(14, &subkey.body), packet(2, &binding)].concat()
}

/// A detached signature with these parts, beside when it was made and by whom.
pub(super) fn signed(pair: &Pair, parts: &[Vec<u8>], loose: &[Vec<u8>]) -> Vec<u8> {
    let parts = [parts, &[made(1000), by(pair)]].concat();
    packet(2, &pair.sign(0, &parts, loose, &[MESSAGE]))
}

/// What comes of a signature: empty when it counts.
pub(super) fn judged(ring: &[u8], signature: &[u8]) -> String {
    let (ring, flaws) = Keyring::read(ring).unwrap();
    if let Some(flaw) = flaws.first() {
        return flaw.what.clone();
    }
    let theirs = |_: usize, email: &str| email == "alice@example.org";
    match verify(&ring, MESSAGE, &armoured(signature), &theirs, Moment::from_seconds(NOW)) {
        Check::Made { doubt, .. } => doubt.unwrap_or_default(),
        Check::Not(why) => why.to_string(),
    }
}

pub(super) fn good(pair: &Pair) -> Vec<u8> {
    primary(pair, &[made(0), flags(3)])
}

#[test]
fn a_signature_says_each_thing_once_and_nothing_we_do_not_know() {
    let pair = Pair::new(1);
    let ring = good(&pair);
    assert_eq!(judged(&ring, &signed(&pair, &[], &[])), "");
    // A note, who is meant to have signed, and what is for nobody.
    let notes = [part(20, b"note"), part(28, b"alice@example.org"), part(101, b"x")];
    assert_eq!(judged(&ring, &signed(&pair, &notes, &[part(100, b"x")])), "");
    let no = "no OpenPGP signature: it holds what has to be understood and is not";
    for critical in [part(0x80 | 20, b"note"), part(0x80 | 101, b"x"), part(0x80 | 31, b"x")] {
        assert_eq!(judged(&ring, &signed(&pair, &[critical], &[])), no);
    }
    let loose = signed(&pair, &[], &[part(0x80 | 101, b"x")]);
    let no = "no OpenPGP signature: it asks to be understood where nothing is signed";
    assert_eq!(judged(&ring, &loose), no);
    let no = "no OpenPGP signature: it says the same thing twice";
    for twice in [made(5), part(3, &[0, 0, 0, 9])] {
        let parts = [twice.clone(), twice];
        assert_eq!(judged(&ring, &signed(&pair, &parts, &[])), no);
    }
    let undated = packet(2, &pair.sign(0, &[by(&pair)], &[made(1000)], &[MESSAGE]));
    let no = "no OpenPGP signature: it does not say when it was made";
    assert_eq!(judged(&ring, &undated), no);
    let anonymous = packet(2, &pair.sign(0, &[made(1000)], &[], &[MESSAGE]));
    assert_eq!(judged(&ring, &anonymous), "no OpenPGP signature: it names no key");
    let two = signed(&pair, &[part(16, &[7; 8])], &[]);
    assert_eq!(judged(&ring, &two), "no OpenPGP signature: it names two keys as its own");
    // What is not signed cannot end a signature, nor make it last.
    assert_eq!(judged(&ring, &signed(&pair, &[], &[part(3, &[0, 0, 0, 1])])), "");
}

#[test]
fn nothing_stands_beside_a_signature_nor_within_it() {
    let pair = Pair::new(1);
    let ring = good(&pair);
    let one = signed(&pair, &[], &[]);
    let more = "no OpenPGP signature: the armour holds more than one signature";
    assert_eq!(judged(&ring, &[&one[..], &one].concat()), more);
    assert_eq!(judged(&ring, &[&one[..], &packet(10, b"PGP")].concat()), more);
    let other = "no OpenPGP signature: the armour holds something else";
    for kind in [1, 3, 8, 11, 18, 20] {
        assert_eq!(judged(&ring, &packet(kind, &one)), other);
    }
    // A packet within a packet a thousand times is read once.
    let nested = (0..1000).fold(one.clone(), |inner, _| packet(8, &inner));
    assert_eq!(judged(&ring, &nested), other);
    let (_, body) = one.split_at(6);
    let longer = packet(2, &[body, &[0]].concat());
    assert!(judged(&ring, &longer).starts_with("not over these bytes by "));
    for cut in 1..body.len() {
        assert_ne!(judged(&ring, &packet(2, &body[..cut])), "", "{cut}");
    }
    for version in [2, 3, 5, 6] {
        let mut body = body.to_vec();
        body[0] = version;
        let no = format!(
            "of a kind that does not count: signatures of version {version} are not supported"
        );
        assert_eq!(judged(&ring, &packet(2, &body)), no);
    }
    for kind in [0x02, 0x13, 0x18, 0x40, 0x50] {
        let parts = [made(1000), by(&pair)];
        let signature = packet(2, &pair.sign(kind, &parts, &[], &[MESSAGE]));
        let no = format!(
            "of a kind that does not count: signatures of type 0x{kind:02x} are not supported"
        );
        assert_eq!(judged(&ring, &signature), no);
    }
}

#[test]
fn a_primary_key_has_to_say_what_it_is_for_and_how_long() {
    let pair = Pair::new(1);
    let signature = signed(&pair, &[], &[]);
    let day = |days: u32| (days * 24 * 3600).to_be_bytes();
    let not_for = "does not say that it is for signing";
    for (parts, why) in [
        (vec![made(0), flags(1)], not_for),
        (vec![made(0)], not_for),
        (vec![made(0), flags(3), part(9, &day(30))], "expired on 2026-01-31"),
        (vec![made(0), flags(3), part(9, &day(3000))], ""),
        (vec![made(0), flags(3), part(9, &[0; 4])], ""),
        (vec![made(0), flags(3), part(3, &day(3000))], ""),
    ] {
        assert_eq!(judged(&primary(&pair, &parts), &signature), why);
    }
    let none = "has no name of theirs that it has signed and that still holds";
    for parts in [
        vec![made(0), flags(3), part(3, &day(30))],
        vec![made(0), flags(3), part(0x80 | 101, b"x")],
        vec![part(2, &(u32::try_from(NOW).unwrap() + 301).to_be_bytes()), flags(3)],
    ] {
        assert_eq!(judged(&primary(&pair, &parts), &signature), none);
    }
    // Signed by another key than the one it stands behind.
    let other = Pair::new(2);
    let forged = [
        packet(6, &pair.body),
        primary(&other, &[made(0), flags(3)])[packet(6, &other.body).len()..].to_vec(),
    ];
    assert_eq!(judged(&forged.concat(), &signature), none);
}

#[test]
fn the_newest_word_of_a_key_about_itself_counts_and_the_earliest_end() {
    let pair = Pair::new(1);
    let signature = signed(&pair, &[], &[]);
    let day = |days: u32| (days * 24 * 3600).to_be_bytes();
    let length = u32::try_from(NAME.len()).unwrap().to_be_bytes();
    let over = [&pair.hashed()[..], &[0xb4], &length, NAME];
    let say = |parts: &[Vec<u8>]| {
        packet(2, &pair.sign(0x13, &[parts, &[by(&pair)]].concat(), &[], &over))
    };
    let first = primary(&pair, &[made(0), flags(3), part(9, &day(30))]);
    assert_eq!(judged(&[&first[..], &say(&[made(9), flags(3)])].concat(), &signature), "");
    let shorter = say(&[made(9), flags(3), part(9, &day(20))]);
    assert_eq!(judged(&[&good(&pair)[..], &shorter].concat(), &signature), "expired on 2026-01-21");
    let no_more = say(&[made(9), flags(1)]);
    let not_for = "does not say that it is for signing";
    assert_eq!(judged(&[&good(&pair)[..], &no_more].concat(), &signature), not_for);
    let ended = say(&[made(9), flags(3), part(3, &day(30))]);
    let none = "has no name of theirs that it has signed and that still holds";
    assert_eq!(judged(&[&good(&pair)[..], &ended].concat(), &signature), none);
    // What it signs about itself as a whole ends it as well.
    let direct = |parts: &[Vec<u8>]| {
        let parts = [parts, &[by(&pair)]].concat();
        packet(2, &pair.sign(0x1f, &parts, &[], &[&pair.hashed()]))
    };
    let at = packet(6, &pair.body).len();
    let with = |packet: Vec<u8>| {
        let whole = good(&pair);
        [&whole[..at], &packet, &whole[at..]].concat()
    };
    assert_eq!(judged(&with(direct(&[made(0)])), &signature), "");
    assert_eq!(
        judged(&with(direct(&[made(0), part(9, &day(30))])), &signature),
        "expired on 2026-01-31"
    );
    assert_eq!(judged(&with(direct(&[made(0), flags(1)])), &signature), not_for);
}

#[test]
fn what_may_revoke_a_key_revokes_it() {
    let (pair, other) = (Pair::new(1), Pair::new(2));
    let signature = signed(&pair, &[], &[]);
    let at = packet(6, &pair.body).len();
    let with = |body: &[u8]| {
        let whole = good(&pair);
        [&whole[..at], &packet(2, body), &whole[at..]].concat()
    };
    let own = |reason: &[Vec<u8>]| {
        let parts = [reason, &[made(9), by(&pair)]].concat();
        pair.sign(0x20, &parts, &[], &[&pair.hashed()])
    };
    let always = "was revoked, with no reason that spares what it signed";
    assert_eq!(judged(&with(&own(&[])), &signature), always);
    assert_eq!(judged(&with(&own(&[part(29, &[0])])), &signature), always);
    let used = "was revoked on 2026-01-01: another one is used instead";
    assert_eq!(judged(&with(&own(&[part(29, &[1])])), &signature), used);
    let meant = "carries a revocation that cannot be verified, and may be meant";
    let theirs = other.sign(0x20, &[made(9), by(&other)], &[], &[&pair.hashed()]);
    assert_eq!(judged(&with(&theirs), &signature), meant, "by one who may do so, perhaps");
    let mut weak = own(&[part(29, &[3])]);
    weak[3] = 2;
    assert_eq!(judged(&with(&weak), &signature), meant, "over SHA-1");
    let doubtful = "carries a signature that cannot be understood";
    assert_eq!(judged(&with(&own(&[part(0x80 | 101, b"x")])), &signature), doubtful);
    assert_eq!(judged(&with(&[3, 5, 0x20, 0, 0, 0, 0]), &signature), doubtful);
    // Also where it stands behind the name.
    let behind = [good(&pair), packet(2, &own(&[]))].concat();
    assert_eq!(judged(&behind, &signature), always);
    // Signatures of others on the name say nothing.
    let length = u32::try_from(NAME.len()).unwrap().to_be_bytes();
    let over = [&pair.hashed()[..], &[0xb4], &length, NAME];
    let friend = other.sign(0x10, &[made(9), by(&other)], &[], &over);
    let taken_back = other.sign(0x30, &[made(10), by(&other)], &[], &over);
    let friends =
        [good(&pair), packet(2, &friend), packet(2, &taken_back), packet(2, &[3, 5, 0x10])];
    assert_eq!(judged(&friends.concat(), &signature), "");
}

#[test]
fn a_name_that_was_taken_back_returns_by_the_key_s_own_word_alone() {
    let (pair, other) = (Pair::new(1), Pair::new(2));
    let signature = signed(&pair, &[], &[]);
    let length = u32::try_from(NAME.len()).unwrap().to_be_bytes();
    let over = [&pair.hashed()[..], &[0xb4], &length, NAME];
    let say = |by_whom: &Pair, kind: u8, parts: &[Vec<u8>]| {
        packet(2, &by_whom.sign(kind, &[parts, &[by(&pair)]].concat(), &[], &over))
    };
    let back = [good(&pair), say(&pair, 0x30, &[made(9), part(29, &[32])])].concat();
    let none = "has no name of theirs that it has signed and that still holds";
    assert_eq!(judged(&back, &signature), none);
    let again = say(&pair, 0x13, &[made(10), flags(3)]);
    assert_eq!(judged(&[&back[..], &again].concat(), &signature), "");
    let forged = say(&other, 0x13, &[made(10), flags(3)]);
    assert_eq!(judged(&[&back[..], &forged].concat(), &signature), none);
    // For another reason than that the name is no longer used there is no way back.
    let hard = [good(&pair), say(&pair, 0x30, &[made(9)])].concat();
    assert_eq!(judged(&[&hard[..], &again].concat(), &signature), none);
}

#[test]
fn a_subkey_and_its_primary_key_vouch_for_each_other() {
    let (pair, subkey) = (Pair::new(1), Pair::new(3));
    let signature = signed(&subkey, &[], &[]);
    let whole = primary(&pair, &[made(0), flags(1)]);
    let over = [&pair.hashed()[..], &subkey.hashed()];
    let answer = |kind: u8, by: &Pair| part(32, &by.sign(kind, &[made(5)], &[], &over));
    let ring = |parts: &[Vec<u8>], loose: &[Vec<u8>]| {
        [&whole[..], &bound(&pair, &subkey, parts, loose)].concat()
    };
    let both = [made(5), flags(2), answer(0x19, &subkey)];
    assert_eq!(judged(&ring(&both, &[]), &signature), "");
    assert_eq!(judged(&ring(&both[..2], &both[2..]), &signature), "", "the answer proves itself");
    // Somebody else's subkey, taken for one's own: it never agreed.
    let alone = "never signed that it belongs to its primary key";
    assert_eq!(judged(&ring(&both[..2], &[]), &signature), alone);
    for wrong in [answer(0x19, &pair), answer(0x18, &subkey), part(32, b"x")] {
        assert_eq!(judged(&ring(&[made(5), flags(2), wrong], &[]), &signature), alone);
    }
    let elsewhere = subkey.sign(0x19, &[made(5)], &[], &[&Pair::new(9).hashed(), &subkey.hashed()]);
    let parts = [made(5), flags(2), part(32, &elsewhere)];
    assert_eq!(judged(&ring(&parts, &[]), &signature), alone, "an answer to another key");
    let not_for = "does not say that it is for signing";
    assert_eq!(judged(&ring(&[made(5), flags(4)], &[]), &signature), not_for);
    assert_eq!(judged(&ring(&[made(5)], &[]), &signature), not_for);
    let ended = [&both[..], &[part(9, &(24 * 3600_u32).to_be_bytes())]].concat();
    assert_eq!(judged(&ring(&ended, &[]), &signature), "expired on 2026-01-02");
    let unbound = [&whole[..], &packet(14, &subkey.body)].concat();
    assert_eq!(judged(&unbound, &signature), "is a subkey that its primary key does not vouch for");
    // The primary key's own end is that of its subkeys.
    let short = primary(&pair, &[made(0), flags(1), part(9, &(24 * 3600_u32).to_be_bytes())]);
    let ring = [&short[..], &bound(&pair, &subkey, &both, &[])].concat();
    assert_eq!(judged(&ring, &signature), "expired on 2026-01-02");
}

#[test]
fn there_is_an_end_to_what_a_key_may_carry() {
    let pair = Pair::new(1);
    let signature = signed(&pair, &[], &[]);
    let whole = good(&pair);
    let name = &whole[packet(6, &pair.body).len()..];
    let many = |count: usize| [&whole[..], &name.repeat(count)].concat();
    assert_eq!(judged(&many(63), &signature), "");
    assert!(judged(&many(64), &signature).starts_with("has more than 64 names or subkeys"));
    let certificate = &name[packet(13, NAME).len()..];
    let many = |count: usize| [&whole[..], &certificate.repeat(count)].concat();
    assert_eq!(judged(&many(63), &signature), "");
    assert!(judged(&many(64), &signature).contains("or more than 64 signatures on one"));
}
