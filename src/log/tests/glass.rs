//! A broken glass and its decision: together or not at all, and what of it is owed.

use crate::facts::past::{Past as _, StateSeen, StatementState};
use crate::log::book::Log;
use crate::log::decision::Paths;
use crate::log::entry::{Record, State};
use crate::log::file::{Appended, Receipt};
use crate::log::glass::{BreakGlass, How, Settled};
use crate::log::tests::support::{
    Bench, append, at, ctx, decision_of, digest, glass, moves, name, oid, outcome, person,
};
use crate::log::verify::verify;
use crate::log::wire::{AsText, Text};

/// Alice breaks the glass on these refs in one push.
fn breaks(log: &mut Log, glasses: Vec<BreakGlass>, seconds: i64) -> Receipt {
    let refs = glasses.iter().map(|it| {
        let refname = it.refname.refname().unwrap();
        moves(std::str::from_utf8(refname.as_bytes()).unwrap(), it.old.0, it.new.0)
    });
    let refs = refs.collect();
    let decision = Record::Decision(Box::new(decision_of("alice", refs)));
    let mut records: Vec<Record> =
        glasses.into_iter().map(|it| Record::BreakGlass(Box::new(it))).collect();
    records.push(decision);
    match log.append(&records, &ctx(seconds), None).unwrap() {
        Appended::Written(receipt) => receipt,
        other @ (Appended::Moved(_) | Appended::Held) => panic!("{other:?}"),
    }
}

const MAIN: &str = "refs/heads/main";

#[test]
fn each_broken_glass_of_a_push_names_the_decision_behind_it() {
    let bench = Bench::new();
    let mut log = bench.open();
    let both = vec![glass(MAIN, oid(1), oid(2)), glass("refs/heads/x", oid(1), oid(3))];
    let receipt = breaks(&mut log, both, 1);
    for number in [receipt.seq() - 2, receipt.seq() - 1] {
        let entry = log.entry_by_number(number).unwrap();
        let Record::BreakGlass(it) = &entry.record else { panic!("{entry:?}") };
        assert_eq!(it.of, Some(receipt.seq()));
    }
    let debts = log.debts(&name(MAIN)).unwrap();
    assert_eq!((debts.len(), debts[0].entry, debts[0].applied), (1, receipt.seq(), false));
    assert_eq!(log.all_debts().unwrap().len(), 2);
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}

#[test]
fn only_what_was_applied_and_not_settled_is_owed() {
    let bench = Bench::new();
    let mut log = bench.open();
    let lost = breaks(&mut log, vec![glass(MAIN, oid(1), oid(2))], 1).seq();
    let _ = append(&mut log, outcome(lost, MAIN, oid(1), oid(2), State::NotApplied), 2);
    assert_eq!(log.debts(&name(MAIN)).unwrap(), []);
    let real = breaks(&mut log, vec![glass(MAIN, oid(1), oid(3))], 3).seq();
    let _ = append(&mut log, outcome(real, MAIN, oid(1), oid(3), State::Applied), 4);
    let debts = log.debts(&name(MAIN)).unwrap();
    assert_eq!((debts[0].entry, debts[0].applied, debts[0].settle_by), (real, true, at(100)));
    assert_eq!(log.state_of(&name(MAIN), &oid(3)).unwrap(), StateSeen::Owed(real));
    let settled = Settled {
        of: real,
        refname: Text::from(MAIN),
        how: How::Approved,
        by: vec![AsText(person("bob"))],
        uses: vec![AsText(digest(7))],
        value: AsText(oid(3)),
    };
    let paid = append(&mut log, Record::Settled(settled), 5).seq();
    assert_eq!(log.debts(&name(MAIN)).unwrap(), []);
    assert_eq!(bench.open().all_debts().unwrap(), []);
    let state = log.state_of(&name(MAIN), &oid(3)).unwrap();
    assert_eq!(state, StateSeen::State { entry: real, at: at(3) });
    assert_eq!(log.statement(&digest(7)).unwrap(), StatementState::Used { entry: paid });
}

#[test]
fn a_broken_glass_whose_decision_was_torn_off_owes_nothing() {
    let bench = Bench::new();
    let mut log = bench.open();
    let _ = breaks(&mut log, vec![glass(MAIN, oid(1), oid(2))], 1);
    let whole = bench.bytes();
    let last = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
    for cut in [last, last + 1, last + 40, whole.len() - 2] {
        std::fs::write(bench.segment(), &whole[..cut]).unwrap();
        let _ = std::fs::remove_dir_all(bench.dir.join("index"));
        let mut log = bench.open();
        assert_eq!(log.debts(&name(MAIN)).unwrap(), [], "cut at {cut}");
        // The number that it names becomes another entry's: even one that accepts the same move.
        let other = decision_of("bob", vec![moves(MAIN, oid(1), oid(2))]);
        let mut ctx = ctx(9);
        ctx.push = [9; 16];
        let written = log.append(&[Record::Decision(Box::new(other))], &ctx, None).unwrap();
        assert!(matches!(written, Appended::Written(_)));
        assert_eq!(log.debts(&name(MAIN)).unwrap(), [], "cut at {cut}");
    }
}

#[test]
fn a_glass_over_thousands_of_paths_fits_and_still_names_its_decision() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut it = glass(MAIN, oid(1), oid(2));
    it.paths = Paths::of((0..3000).map(|n| Text::from(format!("dir/{n}/file"))).collect());
    it.makers = (0..3000).map(|n| AsText(person(&format!("maker-{n}")))).collect();
    let receipt = breaks(&mut log, vec![it], 1);
    let debts = bench.open().debts(&name(MAIN)).unwrap();
    assert_eq!(
        (debts[0].entry, debts[0].entries, debts[0].makers.len()),
        (receipt.seq(), 3000, 3000)
    );
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}
