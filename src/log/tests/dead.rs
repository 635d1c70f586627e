//! Which statements may leave the refs, and what the log makes of it when they do.

use crate::facts::past::{Past as _, StatementState};
use crate::log::book::Log;
use crate::log::decision::StatementRecord;
use crate::log::entry::{Record, State};
use crate::log::file::Appended;
use crate::log::tests::support::{
    Bench, append, at, ctx, decides, decision_of, digest, moves, name, oid, outcome, place,
    pushes_statement, statement, zero,
};
use crate::log::tidy::{Tidy, TidyRef, Why};
use crate::log::touched::JudgedAt;
use crate::log::wire::{AsText, Text};

const MAIN: &str = "refs/heads/main";

/// Puts a statement in its place; `state` is what became of that push.
fn gives(log: &mut Log, statement: &StatementRecord, state: Option<State>, seconds: i64) -> u64 {
    let refname = String::from_utf8(statement.place.0.clone()).unwrap();
    let of = append(log, pushes_statement("bob", statement), seconds).seq();
    if let Some(state) = state {
        let _ = append(log, outcome(of, &refname, zero(), oid(900), state), seconds);
    }
    of
}

fn why(log: &Log, who: &str, seconds: i64) -> Option<(Why, Option<u64>)> {
    let seen = log.latest_at(&name(&place(who, 1))).unwrap().unwrap();
    log.dead(&seen, at(seconds)).unwrap()
}

#[test]
fn a_statement_is_dead_once_nothing_can_bring_it_back() {
    let bench = Bench::new();
    let mut log = bench.open();
    let approval = statement("bob", "approve", 1, oid(2), 10);
    let of = gives(&mut log, &approval, None, 11);
    assert_eq!(why(&log, "bob", 9_999_999), None, "its own push is open");
    let refname = place("bob", 1);
    let _ = append(&mut log, outcome(of, &refname, zero(), oid(900), State::Applied), 11);
    assert_eq!(why(&log, "bob", 12), None);
    assert_eq!(why(&log, "bob", 9_999_999), Some((Why::Expired, None)));

    let mut landing = decision_of("alice", vec![moves(MAIN, oid(1), oid(2))]);
    landing.refs[0].uses = vec![approval.id];
    landing.refs[0].landed = vec![AsText(digest(1))];
    let spare = statement("carol", "approve", 1, oid(2), 10);
    gives(&mut log, &spare, Some(State::Applied), 12);
    let used = append(&mut log, Record::Decision(Box::new(landing)), 13).seq();
    assert_eq!(why(&log, "bob", 14), None, "the landing is open");
    assert_eq!(why(&log, "carol", 14), None);
    let _ = append(&mut log, outcome(used, MAIN, oid(1), oid(2), State::NotApplied), 13);
    assert_eq!(why(&log, "bob", 14), None, "it did not happen");
    let _ = append(&mut log, outcome(used, MAIN, oid(1), oid(2), State::Applied), 14);
    assert_eq!(why(&log, "bob", 14), Some((Why::Used, Some(used))));
    assert_eq!(why(&log, "carol", 14), Some((Why::Landed, Some(used))));
    // What came after the landing is another matter.
    gives(&mut log, &statement("carol", "approve", 1, oid(2), 20), Some(State::Applied), 21);
    assert_eq!(why(&log, "carol", 22), None);
    let of =
        gives(&mut log, &statement("carol", "revoke", 1, oid(2), 30), Some(State::Applied), 31);
    assert_eq!(why(&log, "carol", 32), Some((Why::Revoked, Some(of))));
}

#[test]
fn what_left_the_refs_keeps_its_state_and_its_date() {
    let bench = Bench::new();
    let mut log = bench.open();
    let approval = statement("bob", "approve", 1, oid(2), 10);
    gives(&mut log, &approval, Some(State::Applied), 11);
    let refname = place("bob", 1);
    let tidy = Tidy {
        by: Text::from("ops"),
        refs: vec![TidyRef {
            refname: Text::from(refname.as_str()),
            old: AsText(oid(900)),
            id: approval.id,
            why: Why::Expired,
            entry: None,
        }],
    };
    let of = append(&mut log, Record::Tidy(tidy), 12).seq();
    assert_eq!(log.value(&name(&refname)).unwrap().unwrap().oid, oid(900), "not yet gone");
    assert!(log.is_open(&name(&refname)).unwrap());
    assert_eq!(log.open_on(&name(&refname)).unwrap(), [], "no push may move it by this");
    let _ = append(&mut log, outcome(of, &refname, oid(900), zero(), State::Applied), 12);
    for log in [log, bench.open()] {
        assert!(log.value(&name(&refname)).unwrap().unwrap().oid.is_zero());
        assert!(!log.is_open(&name(&refname)).unwrap());
        let state = log.statement(&approval.id.0).unwrap();
        assert!(matches!(state, StatementState::Seen { .. }), "{state:?}");
        assert_eq!(log.latest_at(&name(&refname)).unwrap().unwrap().date, at(10));
        let landings = log.recent_landings(&name(&refname), 5).unwrap();
        assert_eq!(landings[0].by.login, b"ops");
    }
}

#[test]
fn the_value_of_a_ref_at_any_entry_is_known() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut ends = vec![(log.head().size, oid(1))];
    for (from, to) in [(1, 2), (2, 3)] {
        let record =
            Record::Decision(Box::new(decision_of("alice", vec![moves(MAIN, oid(from), oid(to))])));
        let of = append(&mut log, record, 1).seq();
        let _ = append(&mut log, outcome(of, MAIN, oid(from), oid(to), State::Applied), 1);
        ends.push((log.head().size, oid(to)));
    }
    for (entry, value) in ends {
        assert_eq!(log.value_at(&name(MAIN), entry).unwrap(), Some(value), "{entry}");
    }
    assert_eq!(log.value_at(&name("refs/heads/none"), 1).unwrap(), None);
}

#[test]
fn a_reject_that_came_since_the_judging_stops_the_writing() {
    let bench = Bench::new();
    let mut log = bench.open();
    let judged = |log: &Log, refname: &str| JudgedAt {
        size: log.head().size,
        vetoes: [name(refname)].into_iter().collect(),
        ..JudgedAt::default()
    };
    let (main, other) = (judged(&log, MAIN), judged(&log, "refs/heads/other"));
    gives(&mut log, &statement("carol", "approve", 1, oid(2), 10), Some(State::Applied), 11);
    let landing = [decides("alice", vec![moves(MAIN, oid(1), oid(2))])];
    let written = log.append(&landing, &ctx(12), Some(&main)).unwrap();
    assert!(matches!(written, Appended::Written(_)), "an approval stops nothing");
    gives(&mut log, &statement("carol", "reject", 1, oid(2), 20), Some(State::Applied), 21);
    let written = log.append(&landing, &ctx(22), Some(&other)).unwrap();
    assert!(matches!(written, Appended::Written(_)), "it is for another ref");
    let written = log.append(&landing, &ctx(22), Some(&main)).unwrap();
    assert!(matches!(written, Appended::Moved(_)), "{written:?}");
}
