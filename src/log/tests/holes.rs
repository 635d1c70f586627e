//! Bytes between entries that are none: what declares them, what does not, and how many may be.

use crate::log::damage::{Cause, Recovered};
use crate::log::entry::{LINE_BYTES_MAX, Record};
use crate::log::kind::Kind;
use crate::log::line;
use crate::log::scan::BreakKind;
use crate::log::tests::support::{Bench, append, decides, moves, oid, zero};
use crate::log::verify::{Report, verify};
use crate::log::wire::AsText;
use crate::names::digest::Digest;

/// More of them are not carried along.
const MOST: usize = 8 * 1024 * 1024;

/// A log of a few entries, and its lines.
fn bench() -> (Bench, Vec<Vec<u8>>) {
    let bench = Bench::new();
    let mut log = bench.open();
    for n in 0..3 {
        let refname = format!("refs/heads/topic{n}");
        let _ = append(&mut log, decides("alice", vec![moves(&refname, zero(), oid(n + 2))]), 1);
    }
    let lines = bench.bytes().split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    (bench, lines)
}

/// What is found where the log holds these bytes.
fn found(bench: &Bench, bytes: &[&[u8]]) -> Report {
    std::fs::write(bench.segment(), bytes.concat()).unwrap();
    verify(&bench.dir, &mut |_, _| {}).unwrap()
}

/// Whether bytes that begin here are a break, where this entry should be.
fn is_broken(report: &Report, entry: usize, offset: usize) -> bool {
    report.broken.as_ref().is_some_and(|it| {
        matches!(it.what, BreakKind::NoEntry(_))
            && (it.entry, it.offset) == (entry as u64, offset as u64)
    })
}

/// An entry behind this line that declares so many bytes.
fn declaring(last: &[u8], offset: usize, length: usize, sha256: Digest) -> Vec<u8> {
    let entry = line::read(last.strip_suffix(b"\n").unwrap()).unwrap();
    let mut common = entry.common;
    common.seq += 1;
    common.kind = Kind::Recovered;
    let (offset, length, sha256) = (offset as u64, length as u64, AsText(sha256));
    let record = Recovered { offset, length, sha256, cause: Cause::Torn, att: None };
    let body = line::body(&Record::Recovered(record), None).unwrap();
    line::write(&common, &body, &entry.hash).unwrap().0.into_bytes()
}

#[test]
fn bytes_that_nobody_declared_are_a_break_although_the_entries_around_them_hold_together() {
    let (bench, lines) = bench();
    for at in 1..lines.len() {
        let (before, after) = (lines[..at].concat(), lines[at..].concat());
        for junk in [&b"junk\n"[..], b"\n", b"\0\0\0\n"] {
            let report = found(&bench, &[&before, junk, &after]);
            assert!(is_broken(&report, at, before.len()), "{report:?}");
        }
    }
}

#[test]
fn only_who_names_exactly_these_bytes_declares_them() {
    let (bench, lines) = bench();
    let (whole, last) = (lines.concat(), lines.last().unwrap());
    let (at, junk) = (whole.len(), b"junk");
    let says = |offset, length, sha256| {
        found(&bench, &[&whole, junk, b"\n", &declaring(last, offset, length, sha256)])
    };
    let report = says(at, 4, Digest::of(junk));
    assert_eq!((report.broken, report.recovered), (None, 1));
    assert_eq!(says(at, 5, Digest::of(b"junk\n")).broken, None);
    for (offset, length, sha256) in [
        (at + 1, 4, Digest::of(junk)),
        (at - 1, 4, Digest::of(junk)),
        (at, 3, Digest::of(b"jun")),
        (at, 6, Digest::of(junk)),
        (at, 4, Digest::of(b"jump")),
    ] {
        let report = says(offset, length, sha256);
        assert!(is_broken(&report, lines.len(), at), "{offset} {length}: {report:?}");
    }
}

#[test]
fn an_entry_begins_a_line_of_its_own() {
    let (bench, lines) = bench();
    let (whole, last) = (lines.concat(), lines.last().unwrap());
    // As long as a line may be, so that what follows is read by itself.
    let junk = vec![b'x'; LINE_BYTES_MAX];
    let entry = declaring(last, whole.len(), junk.len(), Digest::of(&junk));
    assert_eq!(found(&bench, &[&whole, &junk, b"\n", &entry]).broken, None);
    let report = found(&bench, &[&whole, &junk, &entry]);
    assert!(is_broken(&report, lines.len(), whole.len()), "{report:?}");
}

#[test]
fn there_is_an_end_to_the_bytes_that_are_carried_along() {
    let (bench, lines) = bench();
    let whole = lines.concat();
    let junk = vec![b'x'; MOST + 1];
    let report = found(&bench, &[&whole, &junk[1..]]);
    assert_eq!((report.broken, report.torn), (None, Some(whole.len() as u64)));
    let broken = found(&bench, &[&whole, &junk]).broken.unwrap();
    assert_eq!((broken.what, broken.offset), (BreakKind::TooMuch, whole.len() as u64));
    // Where entries stand among them, the first byte is where it broke.
    let (before, after) = (lines[..2].concat(), lines[2..].concat());
    let report = found(&bench, &[&before, b"junk\n", &after, &junk]);
    assert!(is_broken(&report, 2, before.len()), "{report:?}");
}
