//! Who is found by what, and who is in which group.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use crate::names::principal::PrincipalName;
use crate::roster::Roster;
use crate::roster::read::Draft;
use crate::source::problem::Problems;
use crate::source::table::{Table, parse};
use crate::source::text::{Located, SourceText};
use crate::ssh::key::SshKey;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu";

fn roster(text: &str) -> (Roster, Problems) {
    let mut problems = Problems::new();
    let text = SourceText::read(0, "policy.toml", text.as_bytes(), 100_000).unwrap();
    let parsed = parse(&text, &mut problems).unwrap();
    let mut table = Table::new(&text, text.whole(), parsed.get_ref());
    let mut draft = Draft::default();
    if let Some(people) = table.table("people", &mut problems) {
        draft.people(people, &mut problems);
    }
    if let Some(groups) = table.table("groups", &mut problems) {
        draft.groups(groups, &mut problems);
    }
    (Roster::build(draft, &mut problems), problems)
}

fn good(text: &str) -> Roster {
    let (roster, problems) = roster(text);
    assert!(problems.is_empty(), "{problems}");
    roster
}

fn name(text: &str) -> PrincipalName {
    PrincipalName::parse(text).unwrap()
}

fn members(roster: &Roster, group: &str) -> Vec<String> {
    roster.members(&name(group)).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_principal_is_found_by_login_key_and_e_mail() {
    let roster = good(&format!(
        "[people.alice]\nlogins = [\"alice\", \"A.Smith\"]\nemails = [\"Alice@Example.com\"]\n\
         keys = [\"{KEY} her laptop\"]\n[people.bob]\n"
    ));
    let (alice, bob) = (name("alice"), name("bob"));
    assert_eq!(roster.by_login("A.Smith"), Some(&alice));
    assert_eq!(roster.by_login("a.smith"), None, "logins go by exact bytes");
    assert_eq!(roster.by_login("bob"), Some(&bob), "without a word the table's name");
    assert_eq!(roster.by_email(b"alice@EXAMPLE.com"), Some(&alice));
    assert_eq!(roster.by_email(b"bob@example.com"), None);
    let key = SshKey::parse(KEY).unwrap();
    assert_eq!(roster.by_key(key.bytes()), Some(&alice));
    assert_eq!(roster.by_key(&key.bytes()[1..]), None);
    assert!(roster.can_approve(&alice) && !roster.can_approve(&bob));
}

#[test]
fn machines_and_shared_logins_cannot_approve() {
    for flag in ["machine", "shared"] {
        let roster = good(&format!("[people.desk]\n{flag} = true\nkeys = [\"{KEY}\"]\n"));
        assert!(!roster.can_approve(&name("desk")), "{flag}");
    }
}

#[test]
fn groups_within_groups_hold_everybody_once() {
    let roster = good(
        "[people.a]\n[people.b]\n[people.c]\n[groups]\nz = [\"a\", \"b\"]\ny = [\"@z\", \"c\"]\n\
         x = [\"@y\", \"@z\", \"a\"]\n",
    );
    assert_eq!(members(&roster, "z"), ["a", "b"]);
    assert_eq!(members(&roster, "x"), ["a", "b", "c"]);
    let text = SourceText::read(0, "p", b"x", 9).unwrap();
    let list: Vec<Located<String>> = ["@y", "a"]
        .iter()
        .map(|word| Located { value: (*word).to_owned(), spot: text.whole() })
        .collect();
    let mut problems = Problems::new();
    let party = roster.resolve(&list, &mut problems).unwrap();
    assert_eq!((party.names.len(), party.written), (3, vec!["@y".to_owned(), "a".to_owned()]));
}

#[test]
fn a_long_chain_of_groups_is_no_deep_call() {
    let mut text = String::from("[people.a]\n[groups]\ng0 = [\"a\"]\n");
    for at in 1..2_000 {
        text.push_str(&format!("g{at} = [\"@g{}\"]\n", at - 1));
    }
    assert_eq!(members(&good(&text), "g1999"), ["a"]);
}

#[test]
fn every_circle_is_told_once() {
    let (_, problems) = roster(
        "[people.a]\n[groups]\np = [\"@q\"]\nq = [\"@p\"]\nr = [\"@r\", \"a\"]\ns = [\"@p\", \"@r\"]\n",
    );
    let told: Vec<&str> = problems.sorted().iter().map(|p| p.what.as_str()).collect();
    assert_eq!(
        told,
        ["the group `p` is in itself: @p -> @q -> @p", "the group `r` is in itself: @r -> @r"]
    );
}
