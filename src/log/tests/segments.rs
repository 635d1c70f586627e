//! Logs of several segments: rotated, packed, cut, mixed up, and refused by the disk.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::facts::past::Past as _;
use crate::log::book::Log;
use crate::log::damage::Cause;
use crate::log::disk::{Disk, Folder, Medium};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::pack::{Done, pack_closed};
use crate::log::read::{Entries, Filter};
use crate::log::scan::BreakKind;
use crate::log::segment::{Closed, Limits, PLAIN, file_name};
use crate::log::tape::list;
use crate::log::tests::support::{Bench, append, applies, ctx, decides, moves, name, oid, zero};
use crate::log::verify::{Report, verify};

/// A disk whose segments hold three entries, and that fails to sync when it is told to.
#[derive(Clone, Debug, Default)]
struct Small {
    fails: Rc<Cell<usize>>,
    /// The write before which the process dies, counted from 1.
    dies: Rc<Cell<usize>>,
}

impl Medium for Small {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let left = self.dies.get();
        self.dies.set(left.saturating_sub(1));
        if left == 1 { Err(io::ErrorKind::StorageFull.into()) } else { Disk.append(file, bytes) }
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        let left = self.fails.get();
        self.fails.set(left.saturating_sub(1));
        if left == 1 { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }

    fn sync_folder(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn limits(&self) -> Limits {
        Limits { entries: 3, ..Limits::USUAL }
    }
}

fn open(bench: &Bench) -> Log {
    Log::open_on(Box::new(Small::default()), &bench.dir).unwrap()
}

/// A log of one branch that moved twelve times, each time with a decision and an outcome.
fn long() -> Bench {
    let bench = Bench::new();
    let mut log = open(&bench);
    for n in 1..=12 {
        let _ = applies(&mut log, "alice", moves("refs/heads/main", oid(n), oid(n + 1)), 1);
    }
    bench
}

fn pack_all(folder: &Folder) -> Vec<Done> {
    let mut done = Vec::new();
    pack_closed(folder, &Small::default(), &mut |one| done.push(*one)).unwrap();
    done
}

fn files(bench: &Bench) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(&bench.dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".jsonl"))
        .collect();
    files.sort();
    files
}

fn checked(bench: &Bench) -> Report {
    verify(&bench.dir, &mut |_, _| {}).unwrap()
}

/// What a log answers, by its index and by a walk.
fn answers(bench: &Bench) -> (u64, String, Vec<u64>, Vec<u64>) {
    let log = open(bench);
    let value = log.value(&name("refs/heads/main")).unwrap().unwrap().oid;
    let landings = log.recent_landings(&name("refs/heads/main"), 5).unwrap();
    let mut walk = Vec::new();
    let mut entries = Entries::open(&bench.dir, Filter::default()).unwrap();
    while let Some(found) = entries.next_entry().unwrap() {
        walk.push(found.entry.common.seq);
    }
    let last = Entries::open(&bench.dir, Filter::default()).unwrap().last(7).unwrap();
    assert_eq!(
        last.iter().map(|found| found.entry.common.seq).collect::<Vec<_>>(),
        walk[walk.len() - 7..]
    );
    for seq in &walk {
        assert_eq!(log.entry_by_number(*seq).unwrap().common.seq, *seq);
    }
    (log.size(), value.hex(), landings.iter().map(|it| it.entry).collect(), walk)
}

#[test]
fn a_log_goes_on_in_the_next_file_and_answers_as_one() {
    let bench = long();
    let report = checked(&bench);
    assert_eq!((report.broken, report.recovered), (None, 0));
    let names = list(&bench.dir).unwrap();
    assert!(names.len() > 10, "{names:?}");
    let (size, value, landings, walk) = answers(&bench);
    assert_eq!(walk, (0..size).collect::<Vec<_>>(), "dense");
    assert_eq!(value, oid(13).hex());
    assert_eq!(landings.len(), 5);
    for (at, segment) in names.iter().enumerate().skip(1) {
        let entry = open(&bench).entry_by_number(segment.first).unwrap();
        let Record::Segment(it) = &entry.record else { panic!("{entry:?}") };
        let before: u64 =
            files(&bench)[..at].iter().map(|file| file.metadata().unwrap().len()).sum();
        assert_eq!((it.first, it.offset, it.why), (segment.first, before, Closed::Entries));
    }
    let _ = std::fs::remove_dir_all(bench.dir.join("index"));
    assert_eq!(answers(&bench), (size, value, landings, walk), "without its index");
}

#[test]
fn packed_segments_answer_the_same_and_the_log_goes_on() {
    let bench = long();
    let before = answers(&bench);
    let plain: Vec<u8> =
        files(&bench).iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    let folder = Folder::existing(&bench.dir).unwrap();
    let done = pack_all(&folder);
    assert_eq!(done.len(), list(&bench.dir).unwrap().len() - 2);
    assert!(done.iter().all(|one| one.to < one.from), "{done:?}");
    assert!(files(&bench)[0].ends_with("00000000000000000000.jsonl.gz"));
    assert_eq!(answers(&bench), before);
    let _ = std::fs::remove_dir_all(bench.dir.join("index"));
    assert_eq!(answers(&bench), before, "without its index");
    assert_eq!(checked(&bench).broken, None);
    let tape = folder.tape().unwrap();
    assert_eq!(tape.read_range(0, tape.end().unwrap()).unwrap(), plain, "byte for byte");
    assert_eq!(pack_all(&folder), [], "once");
    let mut log = open(&bench);
    let _ = applies(&mut log, "bob", moves("refs/heads/main", oid(13), oid(14)), 2);
    assert_eq!(checked(&bench).broken, None);
    // Stopped before the plain file was removed: the plain one counts.
    let first = bench.dir.join("00000000000000000000.jsonl");
    std::fs::write(&first, &plain[..usize::try_from(done[0].from).unwrap()]).unwrap();
    assert_eq!(checked(&bench).broken, None);
}

#[test]
fn a_changed_missing_or_exchanged_file_is_found() {
    let bench = long();
    let all: Vec<(PathBuf, Vec<u8>)> =
        files(&bench).into_iter().map(|it| (it.clone(), std::fs::read(&it).unwrap())).collect();
    let put_back = || {
        for (path, bytes) in &all {
            std::fs::write(path, bytes).unwrap();
        }
    };
    for at in 1..all.len() - 1 {
        std::fs::remove_file(&all[at].0).unwrap();
        let broken = checked(&bench).broken.unwrap();
        let first = list(&bench.dir).unwrap()[at - 1].first;
        assert!(broken.entry > first, "{broken:?}");
        put_back();
        std::fs::write(&all[at].0, &all[at + 1].1).unwrap();
        std::fs::write(&all[at + 1].0, &all[at].1).unwrap();
        assert!(checked(&bench).broken.is_some(), "{at} and the next exchanged");
        put_back();
        // The whole log in one file less: its lines are right, the files are not.
        let joined = [all[at - 1].1.clone(), all[at].1.clone()].concat();
        std::fs::write(&all[at - 1].0, joined).unwrap();
        std::fs::remove_file(&all[at].0).unwrap();
        assert_eq!(checked(&bench).broken.unwrap().what, BreakKind::Segment);
        put_back();
        // Under another name, which its first line does not say.
        let first = list(&bench.dir).unwrap()[at].first;
        let renamed = bench.dir.join(file_name(first + 1, PLAIN));
        std::fs::rename(&all[at].0, &renamed).unwrap();
        assert_eq!(checked(&bench).broken.unwrap().what, BreakKind::Segment);
        std::fs::remove_file(renamed).unwrap();
        put_back();
    }
    // The last file gone is an end cut off: nothing inside tells, a head that was kept does.
    let whole = checked(&bench).head;
    std::fs::remove_file(&all[all.len() - 1].0).unwrap();
    let report = checked(&bench);
    assert_eq!(report.broken, None);
    assert_ne!(report.head, whole);
    // Without its first line a file is no segment.
    put_back();
    let (path, bytes) = &all[2];
    let second = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    std::fs::write(path, &bytes[second..]).unwrap();
    assert!(checked(&bench).broken.is_some());
}

#[test]
fn a_stop_at_any_byte_of_a_new_segment_is_mended() {
    let bench = long();
    let path = files(&bench).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let header = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let size = checked(&bench).head.size;
    // It appears whole with its first line, so no stop leaves less.
    for cut in (header..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let _ = std::fs::remove_dir_all(bench.dir.join("index"));
        std::fs::write(&path, &whole[..cut]).unwrap();
        let mut log = open(&bench);
        let next = append(&mut log, decides("bob", vec![moves("refs/heads/x", zero(), oid(3))]), 3);
        let report = checked(&bench);
        assert_eq!((report.broken, report.head.size), (None, next.seq() + 1), "cut at {cut}");
        assert!(report.head.size <= size + 3, "nothing is invented");
        for file in files(&bench).into_iter().filter(|file| *file > path) {
            std::fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn after_a_failed_sync_the_log_goes_on_in_a_new_file() {
    for torn in [false, true] {
        let bench = Bench::new();
        let small = Small { fails: Rc::new(Cell::new(1)), ..Small::default() };
        let mut log = Log::open_on(Box::new(small), &bench.dir).unwrap();
        let before = bench.bytes().len();
        let record = || decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]);
        let refused = log.append(&[record()], &ctx(1), None);
        assert!(matches!(refused, Err(LogError::NotSynced { .. })));
        if torn {
            // The page cache has lost the end of it.
            let bytes = bench.bytes();
            std::fs::write(bench.segment(), &bytes[..bytes.len() - 20]).unwrap();
        }
        let doubtful = bench.bytes()[before..].to_vec();
        let seq = append(&mut open(&bench), record(), 2).seq();
        // At most the line feed that a torn line lacks is added to the old file.
        let ended = doubtful.len() + usize::from(torn);
        assert_eq!(bench.bytes().len(), before + ended, "the old file is left alone");
        let log = open(&bench);
        let told: Vec<Record> =
            (1..seq).map(|it| log.entry_by_number(it).unwrap().record.clone()).collect();
        let closed =
            |record: &Record| matches!(record, Record::Segment(it) if it.why == Closed::NotSynced);
        assert!(told.iter().any(closed), "{told:?}");
        let not_synced = told.iter().rev().find(|it| matches!(it, Record::Recovered(_)));
        let Some(Record::Recovered(it)) = not_synced else { panic!("{told:?}") };
        assert_eq!(it.cause, Cause::NotSynced);
        let kept = Folder::existing(&bench.dir).unwrap().attachment(&it.att.unwrap().0).unwrap();
        assert_eq!(kept.unwrap(), doubtful, "what is in doubt is kept elsewhere too");
        let report = checked(&bench);
        assert_eq!((report.broken, report.recovered), (None, 1 + u64::from(torn)), "{torn}");
        // It is evidence, and stays as it is.
        let folder = Folder::existing(&bench.dir).unwrap();
        let mut log = open(&bench);
        for n in 1..8 {
            let _ = applies(&mut log, "alice", moves("refs/heads/main", oid(n), oid(n + 1)), 3);
        }
        let done = pack_all(&folder);
        assert!(!done.is_empty() && done.iter().all(|one| one.first != 0), "{done:?}");
        // Also where the next file, which says so, is packed itself.
        assert_eq!(pack_all(&folder), []);
        assert_eq!(checked(&bench).broken, None);
    }
}

#[test]
fn damage_at_the_end_of_a_file_is_declared_however_the_next_one_begins() {
    for dies in 1..5 {
        let bench = Bench::new();
        let record = || decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]);
        for _ in 0..2 {
            let _ = append(&mut open(&bench), record(), 1);
        }
        // The file is full, and its last line was torn: the next entry begins a new one.
        let torn = [bench.bytes().as_slice(), b"{\"v\":1,"].concat();
        std::fs::write(bench.segment(), torn).unwrap();
        let small = Small { dies: Rc::new(Cell::new(dies)), ..Small::default() };
        let mut log = Log::open_on(Box::new(small), &bench.dir).unwrap();
        let stopped = log.append(&[record()], &ctx(2), None);
        assert_eq!(stopped.is_err(), dies < 4, "write {dies}: {stopped:?}");
        let seq = append(&mut open(&bench), record(), 3).seq();
        let report = checked(&bench);
        assert_eq!((report.broken, report.recovered), (None, 1), "write {dies}");
        assert_eq!(report.head.size, seq + 1);
    }
}

#[test]
fn who_could_not_tell_whether_an_earlier_line_is_safe_says_no() {
    let bench = Bench::new();
    let record = || decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]);
    let mut log = open(&bench);
    let _ = append(&mut log, record(), 1);
    // Another push failed to sync its line while this one waited for the disk.
    crate::log::suspect::mark(&Folder::existing(&bench.dir).unwrap(), 0, 10).unwrap();
    let pending = crate::log::file::write(
        &Folder::existing(&bench.dir).unwrap(),
        &Small::default(),
        log.origin(),
        &[],
        (&ctx(2), None),
        |_, _| Ok(None),
    );
    let Ok(crate::log::file::Written::Lines(pending)) = pending else { panic!("{pending:?}") };
    crate::log::suspect::mark(&Folder::existing(&bench.dir).unwrap(), 0, 10).unwrap();
    let folder = Folder::existing(&bench.dir).unwrap();
    let receipt = crate::log::file::sync(&folder, &Small::default(), &pending);
    assert!(matches!(receipt, Err(LogError::NotSynced { .. })));
}

/// Copies the files of a log to another folder.
pub(super) fn copy_segments(from: &Path, to: &Path) {
    for (from, to) in [(from.to_owned(), to.to_owned()), (from.join("att"), to.join("att"))] {
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn who_knows_an_old_end_writes_behind_the_newest_one() {
    let moves_of = |n: u64| decides("alice", vec![moves("refs/heads/x", oid(n), oid(n + 1))]);
    let bench = Bench::new();
    let (mut early, mut other) = (open(&bench), open(&bench));
    let _ = append(&mut early, moves_of(1), 1);
    let _ = append(&mut early, moves_of(2), 1);
    // The first file is full, and stays as long as the one knows it to be.
    let before = files(&bench);
    let _ = append(&mut other, moves_of(3), 1);
    assert_eq!((before.len(), files(&bench).len()), (1, 2));
    let _ = append(&mut early, moves_of(4), 1);
    let report = checked(&bench);
    assert_eq!((report.broken, report.recovered, report.head.size), (None, 0, 6));
    // As long as before, and packed meanwhile.
    let _ = append(&mut other, moves_of(5), 1);
    pack_all(&Folder::existing(&bench.dir).unwrap());
    let _ = append(&mut early, moves_of(6), 1);
    let report = checked(&bench);
    assert_eq!((report.broken, report.recovered, report.head.size), (None, 0, 9));
}

#[test]
fn a_segment_that_is_there_is_not_begun_again() {
    let moves_of = |n: u64| decides("alice", vec![moves("refs/heads/x", oid(n), oid(n + 1))]);
    let bench = Bench::new();
    let (mut early, mut other) = (open(&bench), open(&bench));
    let _ = append(&mut early, moves_of(1), 1);
    let _ = append(&mut early, moves_of(2), 1);
    let lock = Folder::existing(&bench.dir).unwrap().lock();
    let said = std::fs::read(&lock).unwrap();
    let _ = append(&mut other, moves_of(3), 1);
    // Somebody has brought the lock's file back.
    std::fs::write(&lock, said).unwrap();
    let appended = early.append(&[moves_of(4)], &ctx(1), None);
    assert!(matches!(appended, Err(LogError::Interfered { .. })), "{appended:?}");
    let report = checked(&bench);
    assert_eq!((report.broken, report.head.size), (None, 5));
}
