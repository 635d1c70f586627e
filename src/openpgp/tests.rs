//! What `gpg` signed, and how it is judged: `tests/keys/openpgp/make` made it all.

use crate::names::moment::Moment;
use crate::openpgp::armor::ArmorError;
use crate::openpgp::check::{Check, verify};
use crate::openpgp::keyring::{Keyring, KeyringError};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/keys/openpgp/", $name)).as_slice()
    };
}

const RING: &[u8] = file!("ring.asc");
const SIGNED: &[u8] = file!("signed");

/// When the tests look, unless they say otherwise: all there is was made by then.
const NOW: &str = "2026-11-22T12:00:00Z";

fn ring() -> Keyring {
    let (ring, flaws) = Keyring::read(RING).unwrap();
    assert_eq!(flaws, []);
    ring
}

/// What a signature over a message is to somebody who has one of the e-mails, on some day.
fn judged(message: &[u8], armor: &[u8], now: &str, theirs: &dyn Fn(&str) -> bool) -> String {
    let ring = ring();
    let theirs = |_: usize, email: &str| theirs(email);
    match verify(&ring, message, armor, &theirs, Moment::parse_seconds(now).unwrap()) {
        Check::Not(why) => format!("- {why}"),
        Check::Made { holder, fingerprint, doubt } => {
            assert_eq!(fingerprint.len(), 40);
            let holder = ring.holders().nth(holder).unwrap();
            let name = holder.emails().next().unwrap_or_default().split('@').next().unwrap();
            match doubt {
                None => name.to_owned(),
                Some(why) => format!("{name} {why}"),
            }
        }
    }
}

fn on(day: &str, armor: &[u8]) -> String {
    let now = format!("2026-{day}T12:00:00Z");
    judged(SIGNED, armor, &now, &|_| true)
}

fn now(armor: &[u8]) -> String {
    judged(SIGNED, armor, NOW, &|_| true)
}

#[test]
fn every_kind_of_key_signs() {
    assert_eq!(now(file!("alice.sig")), "alice", "Ed25519, by a subkey");
    assert_eq!(now(file!("bob.sig")), "bob", "RSA");
    assert_eq!(now(file!("carol.sig")), "carol", "P-256");
    assert_eq!(now(file!("peggy.sig")), "peggy", "P-384");
    assert_eq!(now(file!("sha384.sig")), "bob");
    let (ring, _) = Keyring::read(file!("rupert.asc")).unwrap();
    let moment = Moment::parse_seconds(NOW).unwrap();
    let made = verify(&ring, SIGNED, file!("rupert.sig"), &|_, _| true, moment);
    assert!(matches!(made, Check::Made { doubt: None, .. }), "P-521");
}

#[test]
fn a_byte_more_or_less_is_another_message() {
    let other = [SIGNED, b"\n"].concat();
    for armor in [file!("alice.sig"), file!("bob.sig"), file!("carol.sig"), file!("peggy.sig")] {
        for message in [&SIGNED[1..], &other, b""] {
            let found = judged(message, armor, NOW, &|_| true);
            assert!(found.starts_with("- not over these bytes by "), "{found}");
        }
    }
}

#[test]
fn f12_a_key_counts_while_it_holds() {
    let dave = file!("dave.sig");
    assert_eq!(on("01-20", dave), "dave");
    assert_eq!(now(dave), "dave expired on 2026-02-01");
    assert_eq!(now(file!("ken.sig")), "ken", "it was prolonged since");
    // Compromised: nobody knows who signed, whatever day the signature claims.
    let erin = "erin was revoked: somebody else may have it";
    assert_eq!(
        (now(file!("erin.sig")), on("01-20", file!("erin.sig"))),
        (erin.into(), erin.into())
    );
    let frank = file!("frank.sig");
    assert_eq!(on("05-30", frank), "frank");
    assert_eq!(now(frank), "frank was revoked on 2026-06-01: it is used no more");
    let late = "late was not there yet on 2026-01-15, of which the signature is";
    assert_eq!(now(file!("late.sig")), late);
}

#[test]
fn f12_a_subkey_counts_while_the_primary_key_stands_by_it() {
    assert_eq!(now(file!("grace.sig")), "grace was revoked: somebody else may have it");
    assert_eq!(now(file!("grace-new.sig")), "grace", "her next one");
    assert_eq!(now(file!("heidi.sig")), "heidi does not say that it is for signing");
}

#[test]
fn f12_a_signature_may_end_and_may_not_come_from_tomorrow() {
    let ended = file!("ended.sig");
    assert_eq!(on("01-18", ended), "bob");
    assert_eq!(now(ended), "bob signed until 2026-01-20 only");
    let bob = file!("bob.sig");
    assert_eq!(on("01-14", bob), "bob signed on 2026-01-15, which is yet to come");
    let soon = |time: &str| judged(SIGNED, bob, &format!("2026-01-15T{time}Z"), &|_| true);
    assert_eq!(soon("11:55:00"), "bob");
    assert_eq!(soon("11:54:59"), "bob signed on 2026-01-15, which is yet to come");
}

#[test]
fn f12_a_name_has_to_be_theirs_and_to_hold() {
    let peggy =
        |email: &'static str| judged(SIGNED, file!("peggy.sig"), NOW, &move |it: &str| it == email);
    assert_eq!(peggy("peggy@example.org"), "peggy");
    let no = "peggy has no name of theirs that it has signed and that still holds";
    assert_eq!(peggy("victor@example.org"), no, "she took that name back");
    assert_eq!(peggy("bob@example.org"), no);
    let old = "old has no name of theirs that it has signed and that still holds";
    assert_eq!(now(file!("old.sig")), old, "signed over SHA-1");
}

#[test]
fn what_is_not_one_detached_signature_over_bytes_is_none() {
    let two = "- no OpenPGP signature: the armour holds more than one signature";
    assert_eq!(now(file!("two.sig")), two);
    let sha1 =
        "- of a kind that does not count: signatures over the digest SHA-1 are not supported";
    assert_eq!(now(file!("sha1.sig")), sha1);
    let text = "- of a kind that does not count: signatures of texts, which leave ends of lines \
                open, are not supported";
    assert_eq!(now(file!("text.sig")), text);
    for other in [file!("inline.sig"), file!("clear.sig"), file!("ring.asc"), b"", SIGNED] {
        let begin =
            "- no OpenPGP signature: it does not begin with the line -----BEGIN PGP SIGNATURE-----";
        assert_eq!(now(other), begin);
    }
    let alice = file!("alice.sig");
    let more = "- no OpenPGP signature: more than one signature is there, or more than a signature";
    assert_eq!(now(&[alice, file!("bob.sig")].concat()), more);
    assert_eq!(now(&[alice, b"and more\n"].concat()), more);
    // The signature within a text that signs itself is over that text, and over nothing else.
    let clear = String::from_utf8(file!("clear.sig").to_vec()).unwrap();
    let inner = clear.find("-----BEGIN PGP SIGNATURE-----").unwrap();
    assert!(now(&clear.as_bytes()[inner..]).starts_with("- of a kind that does not count"));
}

#[test]
fn a_key_that_nobody_gave_us_is_named_and_no_more() {
    let judy = now(file!("judy.sig"));
    let key = judy
        .strip_prefix("- by the key ")
        .and_then(|it| it.strip_suffix(", which is not in the keyring"));
    assert_eq!(key.map(str::len), Some(16), "{judy}");
    let short = now(file!("short.sig"));
    assert!(short.starts_with("- of a kind that does not count: keys of the kind of "), "{short}");
}

#[test]
fn a_file_of_keys_is_read_in_both_forms() {
    let names = |file: &[u8]| {
        let (ring, flaws) = Keyring::read(file).unwrap();
        assert_eq!(flaws, []);
        let row = |holder: &crate::openpgp::keyring::Holder| {
            let emails: Vec<&str> = holder.emails().collect();
            (holder.fingerprint(), emails.join(" "), holder.may_sign())
        };
        ring.holders().map(row).collect::<Vec<_>>()
    };
    let all = names(RING);
    assert_eq!(all, names(file!("ring.gpg")));
    let emails: Vec<&str> = all.iter().map(|row| row.1.as_str()).collect();
    let expected = [
        "alice", "grace", "heidi", "bob", "carol", "dave", "erin", "frank", "ken", "late", "peggy",
        "old", "short",
    ];
    let mut expected: Vec<String> = expected.iter().map(|it| format!("{it}@example.org")).collect();
    expected.sort();
    let mut sorted: Vec<&str> = emails.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let silent: Vec<&str> = all.iter().filter(|row| !row.2).map(|row| row.1.as_str()).collect();
    assert_eq!(silent, ["heidi@example.org", "short@example.org"]);
    assert_eq!(names(file!("rupert.asc"))[0].1, "rupert@example.org bob@example.org");
}

#[test]
fn keys_that_sign_nothing_now_can_be_named() {
    let ring = ring();
    let silent = |day: &str| {
        let now = Moment::parse_day(day).unwrap();
        let holders = ring.holders();
        let row = |holder: &crate::openpgp::keyring::Holder| {
            let why = holder.silence(&|_| true, now)?;
            let name = holder.emails().next().unwrap().split('@').next().unwrap();
            Some(format!("{name} {why}"))
        };
        let mut all: Vec<String> = holders.filter_map(row).collect();
        all.sort();
        all
    };
    let flag = "does not say that it is for signing";
    let name = "has no name of theirs that it has signed and that still holds";
    let expected = [
        "dave expired on 2026-02-01".to_owned(),
        "erin was revoked: somebody else may have it".to_owned(),
        "frank was revoked on 2026-06-01: it is used no more".to_owned(),
        format!("heidi {flag}"),
        format!("old {name}"),
        format!("short {name}"),
    ];
    assert_eq!(silent("2026-11-22"), expected);
    // Grace has her new subkey since July.
    assert!(silent("2026-06-15").iter().any(|it| it.starts_with("grace ")));
}

#[test]
fn what_is_no_file_of_public_keys_says_so() {
    let why = |file: &[u8]| Keyring::read(file).err();
    assert_eq!(why(b""), Some(KeyringError::Empty));
    assert_eq!(why(b"# nobody yet\n"), Some(KeyringError::Empty));
    assert_eq!(why(file!("alice.key")), Some(KeyringError::Armor(ArmorError::Secret)));
    let stray = Some(KeyringError::Armor(ArmorError::Stray { line: 1 }));
    assert_eq!(why(b"ssh-ed25519 AAAA alice\n"), stray);
    assert_eq!(why(file!("alice.sig")), stray);
    let whole = file!("ring.gpg");
    assert!(matches!(why(&whole[..whole.len() - 1]), Some(KeyringError::Damaged { .. })));
    assert!(matches!(why(&[whole, whole].concat()), Some(KeyringError::Twice { .. })));
    let mut secret = whole.to_vec();
    secret[0] = secret[0] & 0x83 | 5 << 2;
    assert_eq!(why(&secret), Some(KeyringError::Armor(ArmorError::Secret)));
}

#[test]
fn damage_anywhere_is_no_yes_and_no_panic() {
    let good = file!("ring.gpg");
    let bits = [0x01, 0x40, 0x80];
    let moment = Moment::parse_seconds(NOW).unwrap();
    let start = good.len() - good.len() / 4;
    for at in (0..good.len()).step_by(7).chain(start..start + 40) {
        let mut bytes = good.to_vec();
        bytes[at] ^= bits[at % bits.len()];
        let Ok((ring, _)) = Keyring::read(&bytes) else { continue };
        // Whoever else's key was damaged, alice's verdict is hers.
        let _ = verify(
            &ring,
            SIGNED,
            file!("alice.sig"),
            &|_, email| email == "alice@example.org",
            moment,
        );
    }
    let armor = file!("alice.sig");
    for at in 30..armor.len() - 30 {
        let mut bytes = armor.to_vec();
        bytes[at] ^= 1;
        // One character of the armour's checksum and of white space is all that may be another.
        assert_ne!(now(&bytes), "alice", "{at}");
    }
}
