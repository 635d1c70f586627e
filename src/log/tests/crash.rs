//! Machines that die: every state a file may be left in, and what the next writer makes of it.

use crate::facts::past::Past as _;
use crate::log::damage::Cause;
use crate::log::entry::Record;
use crate::log::tests::support::{Bench, append, applies, decides, moves, name, oid, zero};
use crate::log::verify::verify;

/// A log whose last entry is a decision, and where that entry's line begins.
fn log_with_last_line() -> (Bench, usize) {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let start = bench.bytes().len();
    let _ = append(&mut log, decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]), 2);
    (bench, start)
}

/// Opens, appends, and demands that everything before the damage is there and the log is whole.
fn goes_on(bench: &Bench, what: &str) -> u64 {
    let before = bench.bytes();
    let mut log = bench.open();
    assert!(log.value(&name("refs/heads/main")).unwrap().is_some_and(|v| v.oid == oid(2)));
    let seq =
        append(&mut log, decides("bob", vec![moves("refs/heads/y", zero(), oid(4))]), 3).seq();
    assert!(bench.bytes().starts_with(&before), "{what}: something was cut away");
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.torn, report.head.size), (None, None, seq + 1), "{what}");
    let open = bench.open().open_on(&name("refs/heads/y")).unwrap();
    assert!(open.iter().any(|one| one.entry == seq), "{what}");
    report.recovered
}

#[test]
fn a_tail_torn_at_any_byte_is_declared_and_nothing_is_cut_away() {
    let (bench, start) = log_with_last_line();
    let whole = bench.bytes();
    for cut in start..=whole.len() {
        std::fs::write(bench.segment(), &whole[..cut]).unwrap();
        let torn = verify(&bench.dir, &mut |_, _| {}).unwrap();
        assert_eq!(torn.broken, None, "cut at {cut}");
        assert_eq!(torn.torn.is_some(), cut > start && cut < whole.len(), "cut at {cut}");
        let declared = goes_on(&bench, &format!("cut at {cut}"));
        assert_eq!(declared, u64::from(cut > start && cut < whole.len()), "cut at {cut}");
    }
}

#[test]
fn an_entry_that_lacks_only_its_line_feed_counts_and_is_named() {
    let (bench, start) = log_with_last_line();
    let whole = bench.bytes();
    std::fs::write(bench.segment(), &whole[..whole.len() - 1]).unwrap();
    goes_on(&bench, "no line feed");
    let log = bench.open();
    assert_eq!(log.open_on(&name("refs/heads/x")).unwrap().len(), 1);
    let entry = log.entry_by_number(4).unwrap();
    let Record::Recovered(recovered) = &entry.record else { panic!("{entry:?}") };
    assert_eq!((recovered.cause, recovered.offset), (Cause::Unended, start as u64));
}

#[test]
fn a_recovery_that_was_torn_itself_is_recovered() {
    let (bench, start) = log_with_last_line();
    let whole = bench.bytes();
    std::fs::write(bench.segment(), &whole[..start + 100]).unwrap();
    goes_on(&bench, "first");
    let mended = bench.bytes();
    // Torn again anywhere in the recovery and in the entry after it.
    for cut in ((start + 101)..mended.len()).rev().step_by(6) {
        std::fs::write(bench.segment(), &mended[..cut]).unwrap();
        goes_on(&bench, &format!("cut at {cut}"));
    }
}

#[test]
fn a_tail_of_zeros_is_declared() {
    let (bench, start) = log_with_last_line();
    let whole = bench.bytes();
    for from in [start, start + 1, start + 300] {
        let mut zeroed = whole.clone();
        let end = zeroed.len();
        zeroed[from..end].fill(0);
        std::fs::write(bench.segment(), &zeroed).unwrap();
        assert_eq!(goes_on(&bench, "zeros"), 1);
        // The line feed survived, the page before it did not.
        zeroed[end - 1] = b'\n';
        std::fs::write(bench.segment(), &zeroed).unwrap();
        assert_eq!(goes_on(&bench, "zeros and a line feed"), 1);
    }
}

#[test]
fn readers_do_not_mind_an_append_that_is_going_on() {
    let (bench, start) = log_with_last_line();
    let whole = bench.bytes();
    std::fs::write(bench.segment(), &whole[..start + 50]).unwrap();
    let log = bench.open();
    assert_eq!(log.size(), 3);
    assert!(log.open_on(&name("refs/heads/x")).unwrap().is_empty());
}
