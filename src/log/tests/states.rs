//! Which values of a ref the log calls states that a rollback may go back to.

use crate::facts::past::{Past as _, StateSeen};
use crate::log::book::Log;
use crate::log::decision::{RollbackRecord, Verdict};
use crate::log::entry::{Birth, Drift, GenesisRef, Record, State};
use crate::log::file::Appended;
use crate::log::glass::{How, Settled};
use crate::log::tests::support::{
    Bench, append, applies, at, ctx, decides, decision_of, glass, moves, name, oid, outcome,
    person, zero,
};
use crate::log::wire::{AsText, Text};

const MAIN: &str = "refs/heads/main";

fn state(log: &Log, value: u64) -> StateSeen {
    log.state_of(&name(MAIN), &oid(value)).unwrap()
}

/// Main goes back from one value to another, by a commit that becomes `new`.
fn goes_back(log: &mut Log, from: u64, to: (u64, u64), new: u64, seconds: i64) -> u64 {
    let mut one = moves(MAIN, oid(from), oid(new));
    one.rollback = vec![RollbackRecord {
        commit: AsText(oid(new)),
        to: AsText(oid(to.0)),
        of: to.1,
        left: AsText(oid(from)),
        paths: vec![Text::from("infra/**")],
    }];
    applies(log, "alice", one, seconds)
}

#[test]
fn what_a_push_left_is_a_state_and_genesis_is_none() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = applies(&mut log, "alice", moves(MAIN, oid(1), oid(2)), 5);
    assert_eq!(state(&log, 2), StateSeen::State { entry: of, at: at(5) });
    assert_eq!(state(&log, 1), StateSeen::Genesis);
    assert_eq!(state(&log, 3), StateSeen::Never);
    let other = log.state_of(&name("refs/heads/other"), &oid(2)).unwrap();
    assert_eq!(other, StateSeen::Never);
}

#[test]
fn what_did_not_come_to_rest_is_no_state() {
    let bench = Bench::new();
    let mut log = bench.open();
    let open = append(&mut log, decides("alice", vec![moves(MAIN, oid(1), oid(2))]), 1).seq();
    assert_eq!(state(&log, 2), StateSeen::Never, "it is still open");
    let _ = append(&mut log, outcome(open, MAIN, oid(1), oid(2), State::NotApplied), 1);
    assert_eq!(state(&log, 2), StateSeen::Never);
    let drift = Drift {
        refname: Text::from(MAIN),
        logged: AsText(oid(1)),
        found: AsText(oid(3)),
        head: None,
        evidence: Vec::new(),
    };
    let _ = append(&mut log, Record::Drift(drift), 2);
    assert_eq!(state(&log, 3), StateSeen::Never, "drift gives no state");
    let of = applies(&mut log, "alice", moves(MAIN, oid(3), oid(4)), 3);
    assert_eq!(state(&log, 4), StateSeen::State { entry: of, at: at(3) });
    let _ = append(&mut log, outcome(of, MAIN, oid(3), oid(4), State::Lost), 4);
    assert_eq!(state(&log, 4), StateSeen::Never, "it was lost in a crash");
    let of = append(&mut log, decides("alice", vec![moves(MAIN, oid(3), oid(5))]), 5).seq();
    let _ = append(&mut log, outcome(of, MAIN, oid(3), oid(5), State::Superseded), 5);
    assert_eq!(state(&log, 5), StateSeen::State { entry: of, at: at(5) }, "it was there");
}

#[test]
fn a_ref_that_was_refused_alone_gave_no_state() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut decision = decision_of("alice", vec![moves(MAIN, oid(1), oid(2))]);
    decision.refs[0].verdict = Verdict::Refuse;
    let of = append(&mut log, Record::Decision(Box::new(decision)), 1).seq();
    let _ = append(&mut log, outcome(of, MAIN, oid(1), oid(2), State::Applied), 1);
    assert_eq!(state(&log, 2), StateSeen::Never);
}

#[test]
fn the_push_that_made_the_repository_gave_no_state() {
    let bench = Bench::with(&[]);
    let mut log = bench.open();
    let refs = vec![GenesisRef { refname: Text::from(MAIN), oid: AsText(oid(1)) }];
    let birth = Record::Birth(Birth { refs });
    let records = [birth, decides("alice", vec![moves(MAIN, zero(), oid(1))])];
    let Appended::Written(receipt) = log.append(&records, &ctx(1), None).unwrap() else {
        panic!("it is written")
    };
    let of = receipt.seq();
    let _ = append(&mut log, outcome(of, MAIN, zero(), oid(1), State::Applied), 1);
    assert_eq!(state(&log, 1), StateSeen::Birth(of));
    let next = applies(&mut log, "alice", moves(MAIN, oid(1), oid(2)), 2);
    assert_eq!(state(&log, 2), StateSeen::State { entry: next, at: at(2) });
}

#[test]
fn what_a_rollback_has_left_is_no_state_any_more() {
    let bench = Bench::new();
    let mut log = bench.open();
    let good = applies(&mut log, "alice", moves(MAIN, oid(1), oid(2)), 1);
    applies(&mut log, "alice", moves(MAIN, oid(2), oid(3)), 2);
    assert!(matches!(state(&log, 3), StateSeen::State { .. }));
    let back = goes_back(&mut log, 3, (2, good), 4, 3);
    assert_eq!(state(&log, 3), StateSeen::Left(back));
    assert_eq!(state(&log, 2), StateSeen::State { entry: good, at: at(1) });
    assert_eq!(state(&log, 4), StateSeen::State { entry: back, at: at(3) });
    // Nor does it become one by coming back.
    applies(&mut log, "alice", moves(MAIN, oid(4), oid(3)), 4);
    assert_eq!(state(&log, 3), StateSeen::Left(back));
    drop(log);
    assert_eq!(state(&bench.open(), 3), StateSeen::Left(back), "from the entries alone");
}

#[test]
fn a_rollback_that_did_not_happen_left_nothing() {
    let bench = Bench::new();
    let mut log = bench.open();
    let good = applies(&mut log, "alice", moves(MAIN, oid(1), oid(2)), 1);
    let bad = applies(&mut log, "alice", moves(MAIN, oid(2), oid(3)), 2);
    let back = goes_back(&mut log, 3, (2, good), 4, 3);
    let _ = append(&mut log, outcome(back, MAIN, oid(3), oid(4), State::NotApplied), 4);
    assert_eq!(state(&log, 3), StateSeen::State { entry: bad, at: at(2) });
}

#[test]
fn what_a_broken_glass_let_in_is_a_state_once_it_was_approved() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut breaks = |old, new, seconds| {
        let decision = decision_of("alice", vec![moves(MAIN, oid(old), oid(new))]);
        let glass = Record::BreakGlass(Box::new(glass(MAIN, oid(old), oid(new))));
        let records = [glass, Record::Decision(Box::new(decision))];
        let Appended::Written(receipt) = log.append(&records, &ctx(seconds), None).unwrap() else {
            panic!("it is written")
        };
        let of = receipt.seq();
        let _ = append(&mut log, outcome(of, MAIN, oid(old), oid(new), State::Applied), seconds);
        of
    };
    let (first, second) = (breaks(1, 2, 1), breaks(2, 3, 2));
    assert_eq!(state(&log, 2), StateSeen::Owed(first));
    let settled = |of, how, value| {
        let refname = Text::from(MAIN);
        let (by, uses) = (vec![AsText(person("bob"))], Vec::new());
        Record::Settled(Settled { of, refname, how, by, uses, value: AsText(oid(value)) })
    };
    let _ = append(&mut log, settled(first, How::Approved, 3), 3);
    assert_eq!(state(&log, 2), StateSeen::State { entry: first, at: at(1) });
    let _ = append(&mut log, settled(second, How::Reverted, 3), 4);
    assert_eq!(state(&log, 3), StateSeen::Owed(second), "gone is not approved");
}

#[test]
fn a_glass_broken_in_the_same_push_hides_no_birth() {
    let bench = Bench::with(&[("refs/heads/other", oid(5))]);
    let mut log = bench.open();
    let refs = vec![GenesisRef { refname: Text::from(MAIN), oid: AsText(oid(1)) }];
    let other = "refs/heads/other";
    let records = [
        Record::Birth(Birth { refs }),
        Record::BreakGlass(Box::new(glass(other, oid(5), oid(6)))),
        decides("alice", vec![moves(MAIN, zero(), oid(1)), moves(other, oid(5), oid(6))]),
    ];
    let Appended::Written(receipt) = log.append(&records, &ctx(1), None).unwrap() else {
        panic!("it is written")
    };
    let of = receipt.seq();
    let _ = append(&mut log, outcome(of, MAIN, zero(), oid(1), State::Applied), 1);
    let _ = append(&mut log, outcome(of, other, oid(5), oid(6), State::Applied), 1);
    assert_eq!(state(&log, 1), StateSeen::Birth(of));
    assert_eq!(log.state_of(&name(other), &oid(6)).unwrap(), StateSeen::Owed(of));
}
