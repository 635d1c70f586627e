//! Whose word a signature is: keys of people, lines of allowed signers with their conditions, and
//! certificates of authorities.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use portcullis::codeowners::dialect::Dialect;
use portcullis::codeowners::owner::Owner;
use portcullis::names::moment::Moment;
use portcullis::policy::{Policy, PolicyFile, compile_with};
use portcullis::roster::directory::Meant;
use portcullis::roster::heard::{Heard, Unheard};
use portcullis::ssh::signature::{GIT_NAMESPACE, SignatureCheck};
use ssh_key::certificate::Builder;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::made::name;

const MESSAGE: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";

const APPROVAL: &str = "approval@portcullis";

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(seed: u8) -> String {
    key(seed).public_key().to_openssh().unwrap()
}

/// Ada has key 1, Ben what the lines say, Cora nothing; and the file of allowed signers.
fn policy(signers: &str) -> Policy {
    let file =
        |label: &str, text: String| PolicyFile { label: label.to_owned(), bytes: text.into() };
    let people = format!(
        "version = 1\n[identity]\nallowed-signers = \"signers\"\n\
         [people.ada]\nkeys = [\"{}\"]\nemails = [\"ada@example.org\"]\n\
         [people.ben]\nemails = [\"ben@example.org\"]\n[people.cora]\n\
         [people.bot]\nmachine = true\n\
         [groups]\npair = [\"ada\", \"ben\"]\n\
         [rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n",
        line(1)
    );
    let files = (file("policy.toml", people), file("signers", signers.to_owned()));
    compile_with(&[files.0], &[files.1]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn at(text: &str) -> Moment {
    Moment::parse_seconds(text).unwrap()
}

fn noon() -> Moment {
    at("2026-11-22T12:00:00Z")
}

fn signed(seed: u8, namespace: &str) -> Vec<u8> {
    let signature = key(seed).sign(namespace, HashAlg::Sha512, MESSAGE).unwrap();
    signature.to_pem(LineEnding::LF).unwrap().into_bytes()
}

/// Who is heard, why not, or whose key it is not.
fn heard(policy: &Policy, namespace: &str, armor: &[u8], now: Moment) -> String {
    told(&policy.roster.heard(namespace, MESSAGE, armor, now))
}

fn told(heard: &Heard<'_>) -> String {
    match heard {
        Heard::By { name, .. } => format!("{name}"),
        Heard::NotNow { name, why, .. } => format!("{name}, by a key that {why}"),
        Heard::Nobody { .. } => "nobody".to_owned(),
        Heard::Not(check) => check.to_string(),
    }
}

fn in_git(policy: &Policy, seed: u8, now: Moment) -> String {
    heard(policy, GIT_NAMESPACE, &signed(seed, GIT_NAMESPACE), now)
}

#[test]
fn a_key_speaks_for_whom_it_belongs_to() {
    let policy = policy(&format!("ben@example.org {}\n", line(2)));
    let fingerprint = |seed| key(seed).public_key().fingerprint(HashAlg::Sha256).to_string();
    for (seed, whose) in [(1, Some("ada")), (2, Some("ben")), (3, None)] {
        let armor = signed(seed, GIT_NAMESPACE);
        let heard = policy.roster.heard(GIT_NAMESPACE, MESSAGE, &armor, noon());
        assert_eq!(heard.key_of(), whose.map(name).as_ref());
        assert_eq!(heard.fingerprint(), Some(fingerprint(seed).as_str()));
        let other = policy.roster.heard(GIT_NAMESPACE, b"something else", &armor, noon());
        assert!(matches!(other, Heard::Not(Unheard::Ssh(SignatureCheck::Bad { .. }))));
        assert_eq!((other.key_of(), other.fingerprint()), (None, None));
    }
    let elsewhere = heard(&policy, APPROVAL, &signed(1, GIT_NAMESPACE), noon());
    assert_eq!(elsewhere, "made for another purpose, \"git\"");
}

#[test]
fn a_line_is_good_for_what_it_says_and_as_long() {
    let policy = policy(&format!(
        "ben@example.org namespaces=\"git\" {}\n\
         ben@example.org valid-after=\"20260101Z\",valid-before=\"20270101Z\" {}\n\
         ben@example.org valid-after=\"20300101Z\" {}\n",
        line(2),
        line(3),
        line(4),
    ));
    // Times in UTC are what they seem.
    assert!(policy.warnings.is_empty(), "{}", policy.warnings);
    assert_eq!(in_git(&policy, 2, noon()), "ben");
    assert_eq!(
        heard(&policy, APPROVAL, &signed(2, APPROVAL), noon()),
        "ben, by a key that is not for signatures of this kind"
    );
    for (now, said) in [
        ("2025-12-31T23:59:59Z", "ben, by a key that counts from 2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "ben"),
        ("2027-01-01T00:00:00Z", "ben"),
        ("2027-01-01T00:00:01Z", "ben, by a key that counted until 2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(in_git(&policy, 3, at(now)), said);
    }
    assert_eq!(in_git(&policy, 4, noon()), "ben, by a key that counts from 2030-01-01T00:00:00Z");
}

#[test]
fn f12_what_approves_in_git_s_own_form_is_by_a_key_that_is_for_both() {
    let policy = policy(&format!(
        "ben@example.org namespaces=\"git\" {}\nben@example.org namespaces=\"approval@*\" {}\n\
         ben@example.org namespaces=\"git,approval@portcullis\",valid-before=\"20270101Z\" {}\n",
        line(2),
        line(3),
        line(4),
    ));
    let said = |seed, now| {
        told(&policy.roster.heard_approving(MESSAGE, &signed(seed, GIT_NAMESPACE), now))
    };
    let other = "ben, by a key that is not for signatures of this kind";
    assert_eq!((said(2, noon()), said(3, noon())), (other.to_owned(), other.to_owned()));
    assert_eq!((said(1, noon()), said(4, noon())), ("ada".to_owned(), "ben".to_owned()));
    let late = said(4, at("2027-06-01T00:00:00Z"));
    assert_eq!(late, "ben, by a key that counted until 2027-01-01T00:00:00Z");
    let elsewhere = policy.roster.heard_approving(MESSAGE, &signed(1, APPROVAL), noon());
    assert_eq!(told(&elsewhere), "made for another purpose, \"approval@portcullis\"");
}

#[test]
fn a_key_on_two_lines_counts_by_either() {
    let policy = policy(&format!(
        "ben@example.org valid-before=\"20260101Z\" {0}\n\
         ben@example.org namespaces=\"git\",valid-after=\"20260601Z\" {0}\n",
        line(2)
    ));
    assert_eq!(in_git(&policy, 2, at("2025-06-01T00:00:00Z")), "ben");
    assert_eq!(in_git(&policy, 2, noon()), "ben");
    assert!(in_git(&policy, 2, at("2026-03-01T00:00:00Z")).starts_with("ben, by a key that"));
    let late = heard(&policy, APPROVAL, &signed(2, APPROVAL), noon());
    assert_eq!(late, "ben, by a key that counted until 2026-01-01T00:00:00Z");
}

#[test]
fn who_can_sign_for_what_is_known_without_a_signature() {
    let can = |signers: &str| {
        let roster = policy(signers).roster;
        ["ada", "ben", "cora"]
            .map(|who| (roster.can_sign(&name(who), GIT_NAMESPACE), roster.can_approve(&name(who))))
    };
    let (both, git, none) = ((true, true), (true, false), (false, false));
    assert_eq!(can(&format!("ben {}\n", line(2))), [both, both, none]);
    assert_eq!(can(&format!("ben namespaces=\"git\" {}\n", line(2))), [both, git, none]);
    let two = format!("ben namespaces=\"git\" {0}\nben namespaces=\"approval@*\" {0}\n", line(2));
    assert_eq!(can(&two), [both, both, none]);
    assert_eq!(can(&format!("cora cert-authority {}\n", line(9))), [both, none, both]);
    let only_git = format!("*@example.org cert-authority,namespaces=\"git\" {}\n", line(9));
    assert_eq!(can(&only_git), [both, git, none]);
    let roster = policy(&format!("bot cert-authority {}\n", line(9))).roster;
    assert!(roster.can_check(&name("bot")) && !roster.can_check(&name("ada")));
    assert!(!policy(&format!("ben {}\n", line(2))).roster.can_check(&name("bot")));
}

/// What a certificate says.
struct Says<'s> {
    names: &'s [&'s str],
    until: u64,
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

/// A signature by key 5, with a certificate of this authority.
fn certified(authority: u8, says: &Says<'_>) -> Vec<u8> {
    let key = key(5);
    let whose = key.public_key().key_data().clone();
    let mut builder = Builder::new(vec![7; 16], whose, 1_000, says.until).unwrap();
    builder.key_id("laptop").unwrap();
    for &name in says.names {
        builder.valid_principal(name).unwrap();
    }
    let certificate = builder.sign(&self::key(authority)).unwrap();
    let plain = key.sign(GIT_NAMESPACE, HashAlg::Sha512, MESSAGE).unwrap();
    let signature = [string(b"ssh-ed25519"), string(plain.signature_bytes())].concat();
    let blob = [
        b"SSHSIG".to_vec(),
        1_u32.to_be_bytes().to_vec(),
        string(&certificate.to_bytes().unwrap()),
        string(GIT_NAMESPACE.as_bytes()),
        string(b""),
        string(b"sha512"),
        string(&signature),
    ];
    let text = Base64::encode_string(&blob.concat());
    let lines = text.as_bytes().chunks(70).map(|line| [line, b"\n"].concat()).collect::<Vec<_>>();
    let (begin, end) = (&b"-----BEGIN SSH SIGNATURE-----\n"[..], b"-----END SSH SIGNATURE-----\n");
    [begin, &lines.concat(), end].concat()
}

const FOR_EVER: u64 = i64::MAX as u64;

fn by_authority(policy: &Policy, authority: u8, names: &[&str]) -> String {
    let armor = certified(authority, &Says { names, until: FOR_EVER });
    heard(policy, GIT_NAMESPACE, &armor, noon())
}

#[test]
fn an_authority_speaks_for_whom_its_line_and_its_certificate_both_name() {
    let policy = policy(&format!("*@example.org cert-authority {}\n", line(9)));
    assert_eq!(by_authority(&policy, 9, &["ben@example.org"]), "ben");
    assert_eq!(by_authority(&policy, 9, &["ada@example.org", "web"]), "ada");
    let unfit =
        |why: &str| format!("of a kind that does not count: the certificate \"laptop\" {why}");
    // The line is about e-mails: a name that is none of them is not its to give.
    let nobody = unfit("names nobody for whom its authority may speak");
    for names in [&["ben"][..], &["cora"], &["dov@example.org"], &["*@example.org"]] {
        assert_eq!(by_authority(&policy, 9, names), nobody, "{names:?}");
    }
    let both = ["ada@example.org", "ben@example.org"];
    assert_eq!(by_authority(&policy, 9, &both), unfit("names several people"));
    // Another authority is none, whomever it names; and the key by itself is nobody's.
    let stranger = unfit("is of no authority in the policy");
    assert_eq!(by_authority(&policy, 8, &["ben@example.org"]), stranger);
    assert_eq!(in_git(&policy, 5, noon()), "nobody");
    assert_eq!(in_git(&policy, 9, noon()), "nobody", "who vouches does not sign");
}

#[test]
fn a_certificate_is_held_to_the_lines_that_name_its_person() {
    let policy = policy(&format!(
        "ada@example.org cert-authority,namespaces=\"file\" {0}\n\
         ben@example.org cert-authority,valid-before=\"20270101Z\" {0}\n\
         !cora,* cert-authority {1}\n",
        line(9),
        line(8)
    ));
    assert_eq!(
        by_authority(&policy, 9, &["ada@example.org"]),
        "ada, by a key that is not for signatures of this kind"
    );
    assert_eq!(by_authority(&policy, 9, &["ben@example.org"]), "ben");
    let armor = certified(9, &Says { names: &["ben@example.org"], until: FOR_EVER });
    assert_eq!(
        heard(&policy, GIT_NAMESPACE, &armor, at("2027-02-01T00:00:00Z")),
        "ben, by a key that counted until 2027-01-01T00:00:00Z"
    );
    let until = u64::try_from(noon().seconds()).unwrap();
    let armor = certified(9, &Says { names: &["ben@example.org"], until });
    assert_eq!(heard(&policy, GIT_NAMESPACE, &armor, noon().plus_seconds(-1)), "ben");
    assert_eq!(
        heard(&policy, GIT_NAMESPACE, &armor, noon()),
        "ben, by a key that was certified until 2026-11-22T12:00:00Z"
    );
    // Whom a line takes out, no certificate puts in.
    assert_eq!(by_authority(&policy, 8, &["ada"]), "ada");
    assert!(by_authority(&policy, 8, &["cora"]).contains("names nobody"));
}

#[test]
fn a_file_of_owners_means_groups_by_their_last_name_and_who_can_approve() {
    let meant = |signers: &str, team: &str| {
        let roster = policy(signers).roster;
        let directory = roster.directory(Dialect::Github, BTreeMap::new());
        directory.meant(&Owner::Team(team.to_owned()))
    };
    let people = |names: &[&str]| Meant::People(names.iter().map(|one| name(one)).collect());
    let both = format!("ben {}\n", line(2));
    assert_eq!(meant(&both, "org/pair"), people(&["ada", "ben"]));
    assert_eq!(meant("# nobody\n", "org/Pair"), people(&["ada"]));
    assert_eq!(meant(&both, "org/others"), Meant::Nobody("is nobody in the policy"));
}
