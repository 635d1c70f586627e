//! Appending: order, the lock, what moved meanwhile, floods, and folders that cannot be used.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::facts::past::Past as _;
use crate::log::book::Log;
use crate::log::disk::{Folder, Modes};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::Appended;
use crate::log::line;
use crate::log::lock::{LOCK_PATIENCE, lock};
use crate::log::rate::REFUSALS_A_MINUTE_MAX;
use crate::log::tests::support::{
    Bench, ORIGIN, append, ctx, ctx_of, decides, digest, genesis, moves, name, oid, place,
    pushes_statement, refuses, statement, zero,
};
use crate::log::touched::JudgedAt;
use crate::log::verify::verify;
use crate::names::digest::Digest;

#[test]
fn two_hundred_appends_by_several_threads_are_whole_and_linked() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let dir = bench.dir.clone();
            scope.spawn(move || {
                for n in 0..25 {
                    // Opened anew each time, as processes do.
                    let mut log = Log::open(&dir).unwrap();
                    let refname = format!("refs/heads/{thread}-{n}");
                    let record = decides("alice", vec![moves(&refname, zero(), oid(2))]);
                    let done = log.append(&[record], &ctx_of(thread, 1), None).unwrap();
                    assert!(matches!(done, Appended::Written(_)));
                }
            });
        }
    });
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.head.size, report.recovered), (None, 201, 0));
    let log = bench.open();
    for thread in 0..8 {
        for n in 0..25 {
            assert_eq!(log.open_on(&name(&format!("refs/heads/{thread}-{n}"))).unwrap().len(), 1);
        }
    }
}

#[test]
fn the_receipt_names_the_head_that_the_file_has() {
    let bench = Bench::new();
    let mut log = bench.open();
    let first = decides("alice", vec![moves("refs/heads/a", zero(), oid(2))]);
    let second = decides("alice", vec![moves("refs/heads/b", zero(), oid(3))]);
    let Appended::Written(receipt) = log.append(&[first, second], &ctx(1), None).unwrap() else {
        panic!("not written")
    };
    assert_eq!((receipt.first(), receipt.seq(), receipt.head().size), (1, 2, 3));
    let bytes = bench.bytes();
    let last = bytes.strip_suffix(b"\n").unwrap().rsplit(|&b| b == b'\n').next().unwrap();
    assert_eq!(line::self_hash(last).unwrap(), receipt.head().hash);
    assert_eq!(log.head(), receipt.head());
}

#[test]
fn nothing_is_written_when_what_the_judging_used_has_moved() {
    let bench = Bench::new();
    let mut judging = bench.open();
    let judged = |refs: &[&str], statements: &[Digest]| JudgedAt {
        vetoes: BTreeSet::new(),
        size: 1,
        refs: refs.iter().map(|text| name(text)).collect(),
        statements: statements.iter().copied().collect::<BTreeSet<_>>(),
    };
    let mut other = bench.open();
    let _ = append(&mut other, decides("bob", vec![moves("refs/heads/main", oid(1), oid(2))]), 1);
    let approval = statement("bob", "approve", 1, oid(3), 1);
    let _ = append(&mut other, pushes_statement("bob", &approval), 2);
    let _ = append(&mut other, refuses("bob", vec![moves("refs/heads/other", oid(1), oid(2))]), 3);
    let before = bench.bytes();
    let record = decides("alice", vec![moves("refs/heads/main", oid(1), oid(3))]);
    for (judged, entry) in [
        (judged(&["refs/heads/main"], &[]), 1),
        (judged(&[&place("bob", 1)], &[]), 2),
        (judged(&[], &[approval.id.0]), 2),
    ] {
        let done = judging.append(std::slice::from_ref(&record), &ctx(4), Some(&judged)).unwrap();
        assert!(matches!(done, Appended::Moved(moved) if moved.entry == entry));
    }
    assert_eq!(bench.bytes(), before);
    // A refused push moves nothing, another ref is no concern.
    let unconcerned = judged(&["refs/heads/other"], &[digest(5)]);
    let done = judging.append(&[record], &ctx(4), Some(&unconcerned)).unwrap();
    assert!(matches!(done, Appended::Written(receipt) if receipt.seq() == 4));
}

#[test]
fn a_flood_of_refusals_is_counted_and_the_next_entry_tells() {
    let bench = Bench::new();
    let mut log = bench.open();
    let refusal = refuses("mallory", vec![moves("refs/heads/main", oid(1), oid(2))]);
    let mut held = 0;
    for n in 0..REFUSALS_A_MINUTE_MAX + 5 {
        let at = i64::try_from(n / 4).unwrap();
        match log.append(std::slice::from_ref(&refusal), &ctx(at), None).unwrap() {
            Appended::Written(_) => assert_eq!(held, 0),
            Appended::Held => held += 1,
            Appended::Moved(_) => panic!("nothing moved"),
        }
    }
    assert_eq!((held, log.size()), (5, REFUSALS_A_MINUTE_MAX + 1));
    let accepted = decides("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    let seq = append(&mut log, accepted, 20).seq();
    let entry = log.entry_by_number(seq).unwrap();
    assert_eq!(entry.common.held.iter().map(|held| held.n).collect::<Vec<_>>(), [5]);
    // A minute later he is heard again.
    let seq = append(&mut log, refusal, 70).seq();
    assert!(log.entry_by_number(seq).unwrap().common.held.is_empty());
}

#[test]
fn a_log_that_is_locked_is_busy_after_a_while_and_says_who_has_it() {
    let bench = Bench::new();
    let folder = Folder::existing(&bench.dir).unwrap();
    let held = lock(&folder, Duration::ZERO).unwrap();
    let fault = lock(&folder, Duration::from_millis(20)).unwrap_err();
    let us = std::process::id().to_string();
    assert!(matches!(fault, LogError::Busy { holder, .. } if holder == us));
    drop(held);
    // Who waited in vain may have it for a moment yet.
    assert!(lock(&folder, LOCK_PATIENCE).is_ok());
}

#[test]
fn folders_that_cannot_be_used_are_told_apart() {
    let bench = Bench::new();
    let missing = bench.dir.join("elsewhere");
    assert!(matches!(Log::open(&missing), Err(LogError::Missing { .. })));
    std::fs::create_dir(&missing).unwrap();
    assert!(matches!(Log::open(&missing), Err(LogError::NoGenesis { .. })));
    std::fs::write(missing.join("00000000000000000000.jsonl"), "").unwrap();
    assert!(matches!(Log::open(&missing), Err(LogError::NoGenesis { .. })));
    let again = Log::create(&bench.dir, ORIGIN, genesis(&[]), &ctx(0), Modes::PRIVATE);
    assert!(matches!(again, Err(LogError::Exists { .. })));
    // A file with the name of a segment that is none: it may be looked at, not written to.
    std::fs::write(bench.dir.join("00000000000000004096.jsonl"), "").unwrap();
    let refused = bench.open().append(&[refuses("alice", Vec::new())], &ctx(1), None);
    assert!(matches!(refused, Err(LogError::NoSegment { .. })));
}

#[test]
fn a_log_of_an_unknown_version_is_neither_read_nor_written() {
    let bench = Bench::new();
    let sealed = format!("{{\"v\":2,\"type\":\"genesis\",\"prev\":\"{}\"", "0".repeat(64));
    let text = format!("{sealed},\"hash\":\"{}\"}}\n", Digest::of(sealed.as_bytes()));
    std::fs::write(bench.segment(), &text).unwrap();
    assert!(matches!(Log::open(&bench.dir), Err(LogError::Version { found: 2, .. })));
    let verified = verify(&bench.dir, &mut |_, _| {});
    assert!(matches!(verified, Err(LogError::Version { found: 2, .. })));
    assert_eq!(bench.bytes(), text.as_bytes());
}

#[test]
fn only_the_owner_may_read_what_is_made() {
    let bench = Bench::new();
    let mut log = bench.open();
    let refusal = refuses("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    let _ = append(&mut log, refusal, 1);
    for folder in [bench.dir.clone(), bench.dir.join("att")] {
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&folder) & 0o777, 0o700);
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                assert_eq!(mode(&file.path()) & 0o777, 0o600, "{:?}", file.path());
            }
        }
    }
}

#[test]
fn a_note_is_in_the_log_though_nobody_waited() {
    let bench = Bench::new();
    let mut log = bench.open();
    let record = decides("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    assert_eq!(log.note(&[record], &ctx(1), None).unwrap(), None);
    assert!(matches!(log.entry_by_number(1).unwrap().record, Record::Decision(_)));
}
