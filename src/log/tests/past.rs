//! What the log says about the past.

use crate::facts::past::{Brought, Maker, Past as _, StatementState, ValueSource};
use crate::log::book::Log;
use crate::log::decision::{ActorKind, Decision, StatementRecord, Verdict};
use crate::log::entry::{Drift, Record, State};
use crate::log::tests::support::{
    Bench, append, applies, at, decides, decision_of, digest, moves, name, oid, outcome, person,
    place, pushes_statement, refuses, statement, zero,
};
use crate::log::wire::{AsText, Listed, Text};

const MAIN: &str = "refs/heads/main";

fn maker(who: &str) -> Maker {
    Maker { name: Some(person(who)), login: who.as_bytes().to_vec(), unknown: false }
}

/// Puts a statement in its place, applied.
fn gives(log: &mut Log, who: &str, statement: &StatementRecord, seconds: i64) -> u64 {
    let refname = String::from_utf8(statement.place.0.clone()).unwrap();
    let of = append(log, pushes_statement(who, statement), seconds).seq();
    let _ = append(log, outcome(of, &refname, zero(), oid(900), State::Applied), seconds);
    of
}

/// A move of main that uses these statements and lands this delta.
fn lands(uses: &[&StatementRecord], delta: u64) -> Decision {
    let mut decision = decision_of("alice", vec![moves(MAIN, oid(1), oid(2))]);
    decision.refs[0].uses = uses.iter().map(|it| it.id).collect();
    decision.refs[0].landed = vec![AsText(digest(delta))];
    decision
}

#[test]
fn genesis_gives_refs_their_first_values() {
    let refs = [(MAIN, oid(1)), ("refs/tags/v1", oid(5))];
    let bench = Bench::with(&refs);
    let log = bench.open();
    let value = log.value(&name("refs/tags/v1")).unwrap().unwrap();
    assert_eq!((value.oid, value.entry, value.source), (oid(5), 0, ValueSource::Genesis));
    assert_eq!(log.had(&name(MAIN), &oid(1)).unwrap(), Some(0));
    assert_eq!(log.had(&name(MAIN), &oid(5)).unwrap(), None);
    let times = |value| log.times_had(&name(MAIN), &oid(value), 2).unwrap();
    assert_eq!((times(1), times(5)), (1, 0));
    assert_eq!(log.value(&name("refs/heads/none")).unwrap(), None);
    let genesis = log.genesis().unwrap();
    assert_eq!(genesis.refs, refs.map(|(refname, oid)| (name(refname), oid)));
    assert_eq!((genesis.at, genesis.repository.as_str()), (at(0), "infra-5f0c91ab"));
    assert_eq!(genesis.head, Some(name(MAIN)));
}

#[test]
fn a_ref_has_the_value_of_the_last_entry_that_gives_it_one() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = append(&mut log, decides("alice", vec![moves(MAIN, oid(1), oid(2))]), 1).seq();
    // Accepted is not applied.
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(1));
    assert_eq!(log.had(&name(MAIN), &oid(2)).unwrap(), None);
    let _ = append(&mut log, outcome(of, MAIN, oid(1), oid(2), State::Applied), 1);
    let value = log.value(&name(MAIN)).unwrap().unwrap();
    assert_eq!((value.oid, value.source), (oid(2), ValueSource::Applied(of)));
    assert_eq!(log.had(&name(MAIN), &oid(2)).unwrap(), Some(of));
    let drift = Drift {
        refname: Text::from(MAIN),
        logged: AsText(oid(2)),
        found: AsText(oid(7)),
        head: None,
        evidence: Vec::new(),
    };
    let _ = append(&mut log, Record::Drift(drift), 2);
    let value = log.value(&name(MAIN)).unwrap().unwrap();
    assert_eq!((value.oid, value.source), (oid(7), ValueSource::Drift));
    assert_eq!(log.had(&name(MAIN), &oid(7)).unwrap(), None, "drift is not had");
    let landings = log.recent_landings(&name(MAIN), 5).unwrap();
    assert_eq!(landings.iter().map(|it| (it.entry, it.new)).collect::<Vec<_>>(), [(of, oid(2))]);
    // And back, by pushes: the first value was there before, as often as that is asked.
    for (old, new) in [(7, 1), (1, 2), (2, 1)] {
        let of = append(&mut log, decides("alice", vec![moves(MAIN, oid(old), oid(new))]), 3).seq();
        let _ = append(&mut log, outcome(of, MAIN, oid(old), oid(new), State::Applied), 3);
    }
    let times = |value, most| log.times_had(&name(MAIN), &oid(value), most).unwrap();
    assert_eq!((times(1, 2), times(1, 9), times(2, 9), times(7, 9)), (2, 3, 2, 0));
}

#[test]
fn the_first_applied_push_brought_a_commit_and_earlier_claims_count_too() {
    let bench = Bench::new();
    let mut log = bench.open();
    assert_eq!(log.brought(&oid(2)).unwrap(), Brought::Nobody);
    let _ = append(&mut log, refuses("mallory", vec![moves(MAIN, oid(1), oid(2))]), 1);
    assert_eq!(log.brought(&oid(2)).unwrap(), Brought::Claimed(vec![maker("mallory")]));
    let lost = append(&mut log, decides("bob", vec![moves("refs/heads/x", zero(), oid(2))]), 2);
    let claimed = Brought::Claimed(vec![maker("mallory"), maker("bob")]);
    assert_eq!(log.brought(&oid(2)).unwrap(), claimed);
    let state = State::NotApplied;
    let _ = append(&mut log, outcome(lost.seq(), "refs/heads/x", zero(), oid(2), state), 2);
    assert_eq!(log.brought(&oid(2)).unwrap(), claimed);
    let of = applies(&mut log, "alice", moves("refs/heads/y", zero(), oid(2)), 3);
    applies(&mut log, "carol", moves("refs/heads/z", zero(), oid(2)), 4);
    let Brought::Applied { entry, by, earlier, .. } = log.brought(&oid(2)).unwrap() else {
        panic!("it was applied")
    };
    assert_eq!((entry, by, earlier), (of, maker("alice"), vec![maker("mallory"), maker("bob")]));
}

#[test]
fn each_ref_of_a_push_brings_its_own_commits() {
    let bench = Bench::new();
    let mut log = bench.open();
    let refs = vec![moves("refs/heads/a", zero(), oid(11)), moves("refs/heads/b", zero(), oid(12))];
    let of = append(&mut log, decides("alice", refs), 1).seq();
    let _ = append(&mut log, outcome(of, "refs/heads/b", zero(), oid(12), State::Applied), 1);
    assert!(matches!(log.brought(&oid(12)).unwrap(), Brought::Applied { .. }));
    assert!(matches!(log.brought(&oid(11)).unwrap(), Brought::Claimed(_)));
}

#[test]
fn whoever_cannot_be_named_is_an_unknown_maker() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut decision = decision_of("alice", vec![moves("refs/heads/a", zero(), oid(11))]);
    decision.actor.kind = ActorKind::Shared;
    let _ = append(&mut log, Record::Decision(Box::new(decision)), 1);
    let Brought::Claimed(makers) = log.brought(&oid(11)).unwrap() else { panic!("claimed") };
    assert!(makers[0].unknown);
}

#[test]
fn commits_from_before_the_log_are_remembered_when_told() {
    let bench = Bench::new();
    let mut log = bench.open();
    log.remember_before_genesis(&[oid(1), oid(40)]);
    assert_eq!(log.brought(&oid(40)).unwrap(), Brought::BeforeGenesis);
    assert_eq!(bench.open().brought(&oid(1)).unwrap(), Brought::BeforeGenesis);
    assert_eq!(bench.open().brought(&oid(41)).unwrap(), Brought::Nobody);
}

#[test]
fn a_statement_goes_from_unseen_to_seen_to_used() {
    let bench = Bench::new();
    let mut log = bench.open();
    let approval = statement("bob", "approve", 1, oid(2), 10);
    let id = approval.id.0;
    assert_eq!(log.statement(&id).unwrap(), StatementState::Unseen);
    let of = gives(&mut log, "bob", &approval, 11);
    let seen = StatementState::Seen { entry: of, place: name(&place("bob", 1)) };
    assert_eq!(log.statement(&id).unwrap(), seen);
    let latest = log.latest_at(&name(&place("bob", 1))).unwrap().unwrap();
    assert_eq!((latest.id, latest.date), (id, at(10)));
    let near = log.statements_on(&oid(2)).unwrap();
    assert_eq!(near.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
    let landing = Record::Decision(Box::new(lands(&[&approval], 1)));
    let used = append(&mut log, landing, 12).seq();
    // Open: it counts as used, and the delta as landed.
    assert_eq!(log.statement(&id).unwrap(), StatementState::Used { entry: used });
    assert_eq!(log.delta_landed(&name(MAIN), &digest(1)).unwrap().unwrap().entry, used);
    assert_eq!(log.open_with(&id).unwrap().len(), 1);
    let _ = append(&mut log, outcome(used, MAIN, oid(1), oid(2), State::NotApplied), 13);
    assert_eq!(log.statement(&id).unwrap(), seen);
    assert_eq!(log.delta_landed(&name(MAIN), &digest(1)).unwrap(), None);
    assert_eq!(log.open_with(&id).unwrap(), []);
    // It turns out that it was applied after all.
    let _ = append(&mut log, outcome(used, MAIN, oid(1), oid(2), State::Applied), 14);
    assert_eq!(log.statement(&id).unwrap(), StatementState::Used { entry: used });
}

#[test]
fn a_statement_is_replaced_and_revoked_by_a_later_one_in_its_place() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = statement("bob", "approve", 1, oid(2), 10);
    let second = statement("bob", "approve", 1, oid(2), 20);
    let third = statement("bob", "revoke", 1, oid(2), 30);
    gives(&mut log, "bob", &first, 11);
    let of = gives(&mut log, "bob", &second, 21);
    assert_eq!(log.statement(&first.id.0).unwrap(), StatementState::Replaced { entry: of });
    let of = gives(&mut log, "bob", &third, 31);
    assert_eq!(log.statement(&second.id.0).unwrap(), StatementState::Revoked { entry: of });
    assert_eq!(log.latest_at(&name(&place("bob", 1))).unwrap().unwrap().verdict, "revoke");
}

#[test]
fn a_statement_whose_push_was_not_applied_was_never_there() {
    let bench = Bench::new();
    let mut log = bench.open();
    let approval = statement("bob", "approve", 1, oid(2), 10);
    let of = append(&mut log, pushes_statement("bob", &approval), 11).seq();
    assert!(matches!(log.statement(&approval.id.0).unwrap(), StatementState::Seen { .. }));
    assert_eq!(log.open_with(&approval.id.0).unwrap().len(), 1);
    let refname = place("bob", 1);
    let _ = append(&mut log, outcome(of, &refname, zero(), oid(900), State::NotApplied), 12);
    assert_eq!(log.statement(&approval.id.0).unwrap(), StatementState::Unseen);
    assert_eq!(log.latest_at(&name(&refname)).unwrap(), None);
    assert_eq!(log.statements_on(&oid(2)).unwrap(), []);
}

#[test]
fn a_reject_stands_until_its_signer_says_otherwise() {
    let bench = Bench::new();
    let mut log = bench.open();
    let reject = statement("carol", "reject", 1, oid(2), 10);
    gives(&mut log, "carol", &reject, 11);
    assert!(log.any_reject(&name(MAIN)).unwrap());
    assert!(!log.any_reject(&name("refs/heads/other")).unwrap());
    let asked = [digest(7), digest(1001), digest(1)];
    let standing = log.rejects(&name(MAIN), &asked).unwrap();
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[0].statement.person, person("carol"));
    assert_eq!(standing[0].entries, asked[1..], "both entries, in the order of the question");
    assert_eq!(log.rejects(&name(MAIN), &[digest(2)]).unwrap(), []);
    assert_eq!(log.rejects(&name("refs/heads/other"), &asked).unwrap(), []);
    gives(&mut log, "carol", &statement("carol", "approve", 1, oid(2), 20), 21);
    assert_eq!(log.rejects(&name(MAIN), &asked).unwrap(), []);
}

#[test]
fn a_reject_of_many_entries_is_kept_and_found_whole() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut reject = statement("carol", "reject", 1, oid(2), 10);
    let entries: Vec<_> = (0..3_000).map(digest).collect();
    reject.entries = Listed::of(entries.iter().copied().map(AsText).collect());
    gives(&mut log, "carol", &reject, 11);
    for log in [log, bench.open()] {
        let found = log.rejects(&name(MAIN), &[digest(2_999), digest(3_000)]).unwrap();
        assert_eq!(
            found.iter().map(|it| it.entries.clone()).collect::<Vec<_>>(),
            [[digest(2_999)]]
        );
    }
    let report = crate::log::verify::verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.attachments), (None, 2));
}

#[test]
fn the_update_hook_finds_the_decision_for_its_ref() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = append(&mut log, decides("alice", vec![moves(MAIN, oid(1), oid(2))]), 1).seq();
    let found = log.decision_for(&name(MAIN), &oid(1), &oid(2)).unwrap();
    assert_eq!((found[0].entry, found[0].session.pid, found.len()), (of, 4711, 1));
    assert_eq!(found[0].by, maker("alice"));
    assert_eq!(log.decision_for(&name(MAIN), &oid(1), &oid(3)).unwrap(), []);
    assert_eq!(log.open_bringing(&oid(2)).unwrap(), found);
    let _ = append(&mut log, refuses("bob", vec![moves(MAIN, oid(1), oid(3))]), 2);
    assert_eq!(log.decision_for(&name(MAIN), &oid(1), &oid(3)).unwrap(), []);
    // A ref that is refused in a push that is accepted.
    let mut half = decision_of("bob", vec![moves(MAIN, oid(1), oid(4))]);
    half.refs[0].verdict = Verdict::Refuse;
    let _ = append(&mut log, Record::Decision(Box::new(half)), 3);
    assert_eq!(log.decision_for(&name(MAIN), &oid(1), &oid(4)).unwrap(), []);
}

#[test]
fn whether_a_branch_ever_was_is_known() {
    let bench = Bench::with(&[("refs/tags/main", oid(1))]);
    let mut log = bench.open();
    let ever = |log: &Log| log.any_branch_ever(&|it| *it == name(MAIN)).unwrap();
    assert!(!ever(&log));
    for n in 0..130 {
        applies(&mut log, "alice", moves(&format!("refs/heads/t{n}"), zero(), oid(n + 2)), 1);
    }
    assert!(!ever(&log));
    let of = append(&mut log, decides("alice", vec![moves(MAIN, zero(), oid(2))]), 2).seq();
    assert!(!ever(&log));
    let _ = append(&mut log, outcome(of, MAIN, zero(), oid(2), State::Applied), 2);
    assert!(ever(&log));
    assert!(ever(&bench.open()));
}

#[test]
fn how_many_statements_somebody_has_left_is_known() {
    let bench = Bench::new();
    let mut log = bench.open();
    let bob = person("bob");
    assert_eq!(log.signed_at(&bob, 0).unwrap(), None);
    for n in 1..4_u64 {
        let seconds = i64::try_from(n).unwrap() * 10;
        let approval = statement("bob", "approve", n, oid(2), seconds);
        // Whoever brings it.
        gives(&mut log, "carol", &approval, seconds);
    }
    gives(&mut log, "bob", &statement("carol", "approve", 9, oid(2), 50), 50);
    for log in [&log, &bench.open()] {
        let newest = |newer| log.signed_at(&bob, newer).unwrap();
        assert_eq!([newest(0), newest(2), newest(3)], [Some(at(30)), Some(at(10)), None]);
        assert_eq!(log.signed_at(&person("carol"), 0).unwrap(), Some(at(50)));
    }
}
