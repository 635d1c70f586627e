//! Log and refs: what became of decisions, and what happened past the gate.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::past::{Past as _, SessionKey};
use crate::log::book::Log;
use crate::log::entry::{Evidence, Record, State, Via};
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::settle::{OwnPush, Site, start_of};
use crate::log::tests::support::{BOOT, Bench, ctx, ctx_of, decides, moves, name, oid, zero};
use crate::names::oid::Oid;
use crate::names::refname::Refname;

const MAIN: &str = "refs/heads/main";

/// A repository that is a map, and a machine whose processes are a list.
struct Server {
    refs: RefCell<BTreeMap<Refname, Oid>>,
    running: Vec<u64>,
}

impl Server {
    fn at(value: Oid, running: &[u64]) -> Self {
        Self {
            refs: RefCell::new(BTreeMap::from([(name(MAIN), value)])),
            running: running.to_vec(),
        }
    }
}

#[derive(Debug)]
struct Fault;

impl From<LogError> for Fault {
    fn from(_: LogError) -> Self {
        Self
    }
}

impl From<crate::facts::past::PastError> for Fault {
    fn from(_: crate::facts::past::PastError) -> Self {
        Self
    }
}

impl Site for Server {
    type Error = Fault;

    fn value(&self, refname: &Refname) -> Result<Oid, Fault> {
        Ok(self.refs.borrow().get(refname).copied().unwrap_or(zero()))
    }

    fn is_running(&self, session: &SessionKey) -> bool {
        self.running.contains(&session.pid)
    }

    fn evidence(&self, _: &Refname, _: &Oid, _: &Oid) -> Vec<Evidence> {
        vec![Evidence { kind: "reflog".to_owned(), text: "a line".into() }]
    }
}

/// An accepted move of main by this receive-pack.
fn accepts(log: &mut Log, pid: u64, old: Oid, new: Oid) -> u64 {
    let record = decides("alice", vec![moves(MAIN, old, new)]);
    match log.append(&[record], &ctx_of(pid, 1), None).unwrap() {
        Appended::Written(receipt) => receipt.seq(),
        Appended::Moved(_) | Appended::Held => panic!("not written"),
    }
}

fn settle_as(log: &mut Log, server: &Server, own: Option<&OwnPush<'_>>, ctx: &Ctx) -> Vec<String> {
    let refs = BTreeSet::from([name(MAIN)]);
    let records = log.settle(server, &refs, own, ctx).unwrap();
    assert_eq!(log.settle(server, &refs, own, ctx).unwrap(), [], "settled is settled");
    records.iter().map(told).collect()
}

fn settle(log: &mut Log, server: &Server) -> Vec<String> {
    settle_as(log, server, None, &ctx(2))
}

fn told(record: &Record) -> String {
    match record {
        Record::Outcome(it) => {
            let one = &it.refs[0];
            let via = if it.via == Via::PostReceive { " told" } else { "" };
            let one_of =
                if one.one_of.is_empty() { String::new() } else { format!(" or {:?}", one.one_of) };
            format!("{} {:?}{via}{one_of}", it.of, one.state)
        }
        Record::Drift(it) => format!("drift {:?} {:?}", it.logged, it.found),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Decision(_)
        | Record::Refusal(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => panic!("{record:?}"),
    }
}

fn drift(logged: Oid, found: Oid) -> String {
    format!("drift {logged:?} {found:?}")
}

#[test]
fn a_ref_that_stands_where_the_log_says_needs_no_words() {
    let bench = Bench::new();
    assert!(settle(&mut bench.open(), &Server::at(oid(1), &[])).is_empty());
}

#[test]
fn a_decision_whose_value_the_ref_has_was_applied() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = accepts(&mut log, 5, oid(1), oid(2));
    assert_eq!(settle(&mut log, &Server::at(oid(2), &[])), [format!("{of} Applied")]);
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(2));
    assert_eq!(log.open_on(&name(MAIN)).unwrap(), []);
}

#[test]
fn a_decision_is_open_while_its_receive_pack_runs_and_not_applied_after() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = accepts(&mut log, 5, oid(1), oid(2));
    assert!(settle(&mut log, &Server::at(oid(1), &[5])).is_empty());
    assert_eq!(log.open_on(&name(MAIN)).unwrap().len(), 1);
    assert_eq!(settle(&mut log, &Server::at(oid(1), &[])), [format!("{of} NotApplied")]);
    assert_eq!(log.open_on(&name(MAIN)).unwrap(), []);
}

#[test]
fn not_applied_is_corrected_when_the_value_turns_up() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = accepts(&mut log, 5, oid(1), oid(2));
    settle(&mut log, &Server::at(oid(1), &[]));
    assert_eq!(settle(&mut log, &Server::at(oid(2), &[])), [format!("{of} Applied")]);
    assert_eq!(log.fate(of, MAIN.as_bytes()).unwrap(), Some(State::Applied));
}

#[test]
fn of_two_pushes_to_one_ref_one_is_applied_and_one_is_not() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(1), oid(3));
    let told = settle(&mut log, &Server::at(oid(3), &[]));
    assert_eq!(told, [format!("{second} Applied"), format!("{first} NotApplied")]);
}

#[test]
fn two_decisions_for_the_same_move_are_one_of_each_other() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(1), oid(2));
    let told = settle(&mut log, &Server::at(oid(2), &[]));
    let expected =
        [format!("{first} Applied or [{second}]"), format!("{second} Applied or [{first}]")];
    assert_eq!(told, expected);
}

#[test]
fn a_retry_is_not_mixed_up_with_the_push_that_failed() {
    let bench = Bench::new();
    let mut log = bench.open();
    accepts(&mut log, 5, oid(1), oid(2));
    settle(&mut log, &Server::at(oid(1), &[]));
    let second = accepts(&mut log, 6, oid(1), oid(2));
    assert_eq!(settle(&mut log, &Server::at(oid(2), &[])), [format!("{second} Applied")]);
}

#[test]
fn several_pushes_nobody_heard_of_are_found_one_behind_the_other() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(2), oid(3));
    let told = settle(&mut log, &Server::at(oid(3), &[]));
    assert_eq!(told, [format!("{first} Superseded"), format!("{second} Applied")]);
    assert_eq!(log.had(&name(MAIN), &oid(2)).unwrap(), Some(first));
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(3));
}

#[test]
fn a_value_that_no_decision_explains_is_drift_and_becomes_the_logged_one() {
    let bench = Bench::new();
    let mut log = bench.open();
    accepts(&mut log, 5, oid(1), oid(2));
    let server = Server::at(oid(9), &[5]);
    assert_eq!(settle(&mut log, &server), [drift(oid(1), oid(9))]);
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(9));
    let gone = Server::at(zero(), &[5]);
    assert_eq!(settle(&mut log, &gone), [drift(oid(9), zero())]);
}

#[test]
fn a_decision_explains_a_value_once_only() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = accepts(&mut log, 5, oid(1), oid(2));
    assert_eq!(settle(&mut log, &Server::at(oid(2), &[])), [format!("{of} Applied")]);
    assert_eq!(settle(&mut log, &Server::at(oid(1), &[])), [drift(oid(2), oid(1))]);
    assert_eq!(settle(&mut log, &Server::at(oid(2), &[])), [drift(oid(1), oid(2))]);
}

#[test]
fn a_later_decision_judged_from_a_value_proves_that_the_ref_had_it() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(2), oid(3));
    // Moved on by hand; the second was never applied.
    let told = settle(&mut log, &Server::at(oid(9), &[]));
    let expected =
        [drift(oid(1), oid(9)), format!("{first} Superseded"), format!("{second} NotApplied")];
    assert_eq!(told, expected);
}

#[test]
fn post_receive_tells_which_of_two_equal_pushes_it_was() {
    let bench = Bench::new();
    let mut log = bench.open();
    accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(1), oid(2));
    let session = SessionKey { boot: BOOT.to_owned(), pid: 6, start: 7 };
    let applied = [(name(MAIN), oid(1), oid(2))];
    let own = OwnPush { session: &session, applied: &applied };
    let server = Server::at(oid(2), &[5, 6]);
    let told = settle_as(&mut log, &server, Some(&own), &ctx(2));
    assert_eq!(told, [format!("{second} Applied told")]);
}

#[test]
fn post_receive_that_comes_late_does_not_turn_the_log_back() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    let second = accepts(&mut log, 6, oid(2), oid(3));
    let session = SessionKey { boot: BOOT.to_owned(), pid: 5, start: 7 };
    let applied = [(name(MAIN), oid(1), oid(2))];
    let own = OwnPush { session: &session, applied: &applied };
    let server = Server::at(oid(3), &[5, 6]);
    let told = settle_as(&mut log, &server, Some(&own), &ctx(2));
    assert_eq!(told, [format!("{first} Superseded told"), format!("{second} Applied")]);
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(3));
}

#[test]
fn post_receive_closes_the_refs_of_its_push_that_git_did_not_move() {
    let bench = Bench::new();
    let mut log = bench.open();
    let of = accepts(&mut log, 5, oid(1), oid(2));
    let session = SessionKey { boot: BOOT.to_owned(), pid: 5, start: 7 };
    let own = OwnPush { session: &session, applied: &[] };
    let server = Server::at(oid(1), &[5]);
    // Git names what it moved, and here it moved nothing; the log knows what was to move.
    let records = log.settle(&server, &BTreeSet::new(), Some(&own), &ctx(2)).unwrap();
    let told: Vec<String> = records.iter().map(told).collect();
    assert_eq!(told, [format!("{of} NotApplied told")]);
}

#[test]
fn what_a_crash_took_back_is_lost_and_no_drift() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = accepts(&mut log, 5, oid(1), oid(2));
    settle(&mut log, &Server::at(oid(2), &[]));
    let second = accepts(&mut log, 6, oid(2), oid(3));
    settle(&mut log, &Server::at(oid(3), &[]));
    let mut after = ctx(9);
    "66666666-2222-3333-4444-555555555555".clone_into(&mut after.boot);
    let told = settle_as(&mut log, &Server::at(oid(1), &[]), None, &after);
    assert_eq!(told, [format!("{second} Lost"), format!("{first} Lost")]);
    assert_eq!(log.value(&name(MAIN)).unwrap().unwrap().oid, oid(1));
}

#[test]
fn without_a_restart_nothing_is_lost_it_is_drift() {
    let bench = Bench::new();
    let mut log = bench.open();
    accepts(&mut log, 5, oid(1), oid(2));
    settle(&mut log, &Server::at(oid(2), &[]));
    assert_eq!(settle(&mut log, &Server::at(oid(1), &[])), [drift(oid(2), oid(1))]);
}

#[test]
fn an_interrupted_creation_and_a_deletion_are_explained_too() {
    let bench = Bench::with(&[]);
    let mut log = bench.open();
    let made = accepts(&mut log, 5, zero(), oid(2));
    let gone = accepts(&mut log, 6, oid(2), zero());
    // Both or neither: the ref is not there. A later old proves the first.
    let told = settle(&mut log, &Server::at(zero(), &[]));
    assert_eq!(told, [format!("{made} Superseded"), format!("{gone} NotApplied")]);
}

#[test]
fn the_start_of_a_process_is_read_behind_its_name() {
    let stat = b"42 (a ) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21\n";
    assert_eq!(start_of(stat), Some(987_654));
    assert_eq!(start_of(b""), None);
    let own = std::fs::read("/proc/self/stat").unwrap();
    let session = SessionKey {
        boot: BOOT.to_owned(),
        pid: u64::from(std::process::id()),
        start: start_of(&own).unwrap(),
    };
    assert!(crate::log::settle::is_running(&session));
    assert!(!crate::log::settle::is_running(&SessionKey { start: 1, ..session }));
}
