//! Machines that die: every state a file may be left in, and what the next writer makes of it.

use crate::facts::past::Past as _;
use crate::log::book::Log;
use crate::log::damage::Cause;
use crate::log::entry::{Record, State};
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::line;
use crate::log::tests::support::{
    Bench, append, applies, ctx, decides, moves, name, oid, outcome, zero,
};
use crate::log::touched::JudgedAt;
use crate::log::verify::{Report, verify};
use crate::names::digest::Digest;

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

/// A sector: the smallest piece that a disk writes or does not.
const SECTOR: usize = 512;

/// Set to `all`: every image. Without: a file that ends anywhere in the last record, for which the
/// test above has every byte, or at the edge of a sector or a record before it.
const EXTENT: &str = "PORTCULLIS_FAULTS";

/// A state that a dead machine may leave the file in.
struct Image {
    bytes: Vec<u8>,
    /// How many of the three records had been brought to the disk.
    synced: usize,
    what: String,
}

/// A log and its last three records: where each line begins, and where the file ends.
fn log_with_three_records() -> (Bench, [usize; 4]) {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let mut starts = [bench.bytes().len(); 4];
    let one = append(&mut log, decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]), 2);
    starts[1] = bench.bytes().len();
    let applied = outcome(one.seq(), "refs/heads/x", zero(), oid(3), State::Applied);
    let _ = append(&mut log, applied, 2);
    starts[2] = bench.bytes().len();
    let _ = append(&mut log, decides("bob", vec![moves("refs/heads/z", zero(), oid(5))]), 3);
    starts[3] = bench.bytes().len();
    (bench, starts)
}

/// Every image: all that was brought to the disk is there; of the rest any prefix is, in which any
/// sectors may never have been written.
fn images(whole: &[u8], starts: [usize; 4], all: bool) -> Vec<Image> {
    let end = starts[3];
    let mut images = Vec::new();
    for synced in 0..=3 {
        let begin = starts[synced];
        for length in begin..=end {
            let is_in_last = length >= starts[2];
            let is_edge = length % SECTOR == 0 || starts.contains(&length);
            if !is_edge && !(is_in_last && (all || length % 11 == 0 && synced == 2)) {
                continue;
            }
            let sectors: Vec<usize> = (begin / SECTOR..length.div_ceil(SECTOR)).collect();
            // The file ends in the middle of a sector only where that sector was written.
            for zeroed in 0..1_u32 << sectors.len() {
                if zeroed != 0 && !is_edge && !all {
                    continue;
                }
                let mut bytes = whole[..length].to_vec();
                for (_, sector) in
                    sectors.iter().enumerate().filter(|(bit, _)| zeroed >> bit & 1 == 1)
                {
                    let from = (sector * SECTOR).max(begin);
                    bytes[from..((sector + 1) * SECTOR).min(length)].fill(0);
                }
                let what =
                    format!("{synced} of 3 synced, {length} of {end} bytes, zeros {zeroed:b}");
                images.push(Image { bytes, synced, what });
            }
        }
    }
    images
}

/// The hash of each whole line, and whether bytes that are none stand before one.
fn lines(bytes: &[u8]) -> (Vec<Digest>, bool) {
    let (mut hashes, mut dead, mut is_behind) = (Vec::new(), false, false);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match line::self_hash(line.strip_suffix(b"\n").unwrap_or(line)) {
            Ok(hash) => {
                is_behind |= dead;
                hashes.push(hash);
            }
            Err(_) => dead = true,
        }
    }
    (hashes, is_behind)
}

/// The machine after it was started again.
fn next_boot(seconds: i64) -> Ctx {
    Ctx { boot: "99999999-2222-3333-4444-555555555555".to_owned(), ..ctx(seconds) }
}

/// What is recovered from an image: `kept` was on the disk, `there` can be read in the file.
fn recovers(bench: &Bench, image: &Image, kept: &[Digest], there: &[Digest], is_behind: bool) {
    let what = &image.what;
    let found = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert!(found.head.size as usize >= kept.len(), "{what}: {found:?}");
    if is_behind {
        behind_a_hole(bench, image, kept, &found);
        return;
    }
    let mut log = bench.open();
    let record = decides("carol", vec![moves("refs/heads/y", zero(), oid(4))]);
    let Appended::Written(receipt) = log.append(&[record], &next_boot(9), None).unwrap() else {
        panic!("{what}: not written")
    };
    let after = bench.bytes();
    assert!(after.starts_with(&image.bytes), "{what}: something was cut away");
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.torn), (None, None), "{what}");
    assert_eq!(report.head, receipt.head(), "{what}");
    let (now, _) = lines(&after);
    let new = &now[there.len()..];
    // Nothing lost, nothing invented: the damage where there is some, and the new entry.
    assert_eq!(now[..there.len()], *there, "{what}");
    assert_eq!(new.last(), Some(&receipt.head().hash), "{what}");
    // An entry without its line feed counts, and is named all the same.
    let damaged = there.len() != line_count(&image.bytes) || !image.bytes.ends_with(b"\n");
    assert_eq!(report.recovered, u64::from(damaged), "{what}");
    assert_eq!(new.len(), 1 + usize::from(damaged), "{what}");
}

/// Entries behind a hole were on nobody's word: after a restart they are declared and do not count.
fn behind_a_hole(bench: &Bench, image: &Image, kept: &[Digest], found: &Report) {
    let what = &image.what;
    let broken = found.broken.as_ref().unwrap();
    assert!(broken.entry as usize >= kept.len(), "{what}: {broken:?}");
    let record = || [decides("carol", vec![moves("refs/heads/y", zero(), oid(4))])];
    // The machine runs as before, so no crash did it.
    let same = Log::open(&bench.dir).and_then(|mut log| log.append(&record(), &ctx(9), None));
    assert!(matches!(same, Err(LogError::Broken(_))), "{what}: {same:?}");
    assert_eq!(bench.bytes(), image.bytes, "{what}");
    // Who judged by what is not there any more judges again.
    let mut log = bench.open();
    let judged = JudgedAt { size: log.size(), ..JudgedAt::default() };
    let first = log.append(&record(), &next_boot(9), Some(&judged)).unwrap();
    assert!(matches!(first, Appended::Moved(_)), "{what}: {first:?}");
    let Appended::Written(receipt) = log.append(&record(), &next_boot(9), None).unwrap() else {
        panic!("{what}: not written")
    };
    let after = bench.bytes();
    assert!(after.starts_with(&image.bytes), "{what}: something was cut away");
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.torn, report.recovered), (None, None, 1), "{what}");
    assert_eq!(report.head, receipt.head(), "{what}");
    let entries = bench.open().size();
    assert_eq!(entries, receipt.seq() + 1, "{what}");
    assert!(entries as usize >= kept.len() + 2, "{what}");
    for (seq, hash) in kept.iter().enumerate() {
        assert_eq!(bench.open().entry_by_number(seq as u64).unwrap().hash, *hash, "{what}");
    }
}

/// How many pieces there are between line feeds.
fn line_count(bytes: &[u8]) -> usize {
    bytes.split_inclusive(|&byte| byte == b'\n').count()
}

#[test]
fn every_state_that_a_dead_machine_may_leave_is_recovered() {
    let (bench, starts) = log_with_three_records();
    let whole = bench.bytes();
    let all = std::env::var_os(EXTENT).is_some_and(|extent| extent == "all");
    let images = images(&whole, starts, all);
    let (hashes, _) = lines(&whole);
    assert!(images.len() > 300, "{}", images.len());
    let mut holes = 0;
    for image in &images {
        std::fs::write(bench.segment(), &image.bytes).unwrap();
        let (there, is_behind) = lines(&image.bytes);
        let kept = hashes.len() - 3 + image.synced;
        assert_eq!(there[..kept], hashes[..kept], "{}", image.what);
        holes += usize::from(is_behind);
        recovers(&bench, image, &hashes[..kept], &there, is_behind);
    }
    assert!(holes > 10, "no image has a whole line behind a hole");
}
