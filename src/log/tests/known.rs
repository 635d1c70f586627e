//! What the log says of all refs: the same by the note and by every entry, and never by a note that is
//! not the log's.

use std::collections::BTreeMap;

use crate::log::book::Log;
use crate::log::entry::{Drift, Record, State};
use crate::log::known::Keep;
use crate::log::tests::support::place;
use crate::log::tests::support::{
    Bench, append, applies, decides, moves, name, oid, outcome, statement, zero,
};
use crate::log::tidy::{Tidy, TidyRef, Why};
use crate::log::wire::{AsText, Text};
use crate::names::oid::Oid;

const MAIN: &str = "refs/heads/main";

fn refs(log: &Log, keep: Keep) -> BTreeMap<String, Oid> {
    let known = log.known_refs(keep).unwrap();
    assert_eq!(known, log.known_anew().unwrap(), "the note says what the entries say");
    assert_eq!(known.head, log.head());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    known.refs.into_iter().map(|(name, oid)| (text(name), oid)).collect()
}

fn open(log: &Log) -> Vec<(String, u64)> {
    let known = log.known_refs(Keep::Nothing).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    known.open.into_iter().map(|(name, entry)| (text(name), entry)).collect()
}

fn drifts(log: &mut Log, refname: &str, logged: Oid, found: Oid) {
    let drift = Drift {
        refname: Text::from(refname),
        logged: AsText(logged),
        found: AsText(found),
        head: None,
        evidence: Vec::new(),
    };
    let _ = append(log, Record::Drift(drift), 3);
}

#[test]
fn values_and_open_ends_are_followed_entry_by_entry() {
    let bench = Bench::new();
    let mut log = bench.open();
    assert_eq!(refs(&log, Keep::Note), [(MAIN.to_owned(), oid(1))].into());
    applies(&mut log, "alice", moves(MAIN, oid(1), oid(2)), 1);
    applies(&mut log, "alice", moves("refs/heads/topic", zero(), oid(3)), 1);
    assert_eq!(refs(&log, Keep::Note)[MAIN], oid(2));
    let pending = append(&mut log, decides("bob", vec![moves(MAIN, oid(2), oid(4))]), 2).seq();
    assert_eq!(open(&log), [(MAIN.to_owned(), pending)]);
    let end = outcome(pending, MAIN, oid(2), oid(4), State::NotApplied);
    let _ = append(&mut log, end, 2);
    assert_eq!((open(&log).len(), refs(&log, Keep::Note)[MAIN]), (0, oid(2)));
    drifts(&mut log, "refs/heads/topic", oid(3), zero());
    drifts(&mut log, "refs/tags/v1", zero(), oid(9));
    let seen = refs(&log, Keep::Note);
    assert_eq!(seen.keys().collect::<Vec<_>>(), [MAIN, "refs/tags/v1"]);
    // A lost move gives the old value back.
    let lost = applies(&mut log, "alice", moves(MAIN, oid(2), oid(5)), 4);
    let _ = append(&mut log, outcome(lost, MAIN, oid(2), oid(5), State::Lost), 5);
    assert_eq!(refs(&log, Keep::Note)[MAIN], oid(2));
    let gone = statement("bob", "approve", 1, oid(2), 1);
    let tidy = Tidy {
        by: Text::from("root"),
        refs: vec![TidyRef {
            refname: Text::from(place("bob", 1)),
            old: AsText(oid(900)),
            id: gone.id,
            why: Why::Used,
            entry: None,
        }],
    };
    let entry = append(&mut log, Record::Tidy(tidy), 6).seq();
    assert_eq!(open(&log), [(place("bob", 1), entry)]);
}

#[test]
fn a_note_that_is_not_of_this_log_is_as_none() {
    let bench = Bench::new();
    let mut log = bench.open();
    for n in 0..100 {
        applies(&mut log, "alice", moves(&format!("refs/heads/{n}"), zero(), oid(10 + n)), 1);
    }
    let all = refs(&log, Keep::Note);
    assert_eq!(all.len(), 101);
    let note = bench.dir.join("index").join("refs");
    let whole = std::fs::read(&note).unwrap();
    for at in [0, 30, whole.len() / 2, whole.len() - 3] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&note, bytes).unwrap();
        assert_eq!(refs(&log, Keep::Nothing), all, "byte {at}");
    }
    std::fs::write(&note, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(refs(&log, Keep::Nothing), all);
    // Of another log, with as many entries.
    let other = Bench::new();
    let mut twin = other.open();
    for n in 0..100 {
        applies(&mut twin, "bob", moves(&format!("refs/heads/x{n}"), zero(), oid(10 + n)), 1);
    }
    let _ = twin.known_refs(Keep::Note).unwrap();
    std::fs::copy(other.dir.join("index").join("refs"), &note).unwrap();
    assert_eq!(refs(&log, Keep::Nothing), all);
    assert!(!all.contains_key("refs/heads/x1"));
}

#[test]
fn only_the_newest_drift_of_a_ref_is_in_the_way_until_somebody_accepts_it() {
    use crate::log::accepted::Acceptance;
    let bench = Bench::new();
    let mut log = bench.open();
    assert_eq!(log.open_drift(&name(MAIN)).unwrap(), None);
    drifts(&mut log, MAIN, oid(1), oid(7));
    drifts(&mut log, MAIN, oid(7), oid(8));
    let seen = log.open_drift(&name(MAIN)).unwrap().unwrap();
    assert_eq!((seen.logged, seen.found), (oid(7), oid(8)));
    assert_eq!(log.open_drift(&name("refs/heads/other")).unwrap(), None);
    let accepted = Acceptance {
        of: vec![seen.entry - 1, seen.entry],
        refs: vec![Text::from(MAIN)],
        reason: Text::from("looked at"),
        by: Text::from("root"),
    };
    let by = append(&mut log, Record::Accepted(accepted), 4).seq();
    assert_eq!(log.open_drift(&name(MAIN)).unwrap(), None);
    let all = log.drifts().unwrap();
    let takers: Vec<_> = all.iter().map(|one| one.accepted.as_ref().unwrap().entry).collect();
    assert_eq!(takers, [by, by]);
    drifts(&mut log, MAIN, oid(8), oid(9));
    assert_eq!(log.open_drift(&name(MAIN)).unwrap().unwrap().found, oid(9));
}
