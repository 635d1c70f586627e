//! Disks that fail: full, dead at the write, dead at the sync. The answer is never a receipt.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::rc::Rc;

use crate::facts::past::Past as _;
use crate::log::book::Log;
use crate::log::damage::Cause;
use crate::log::disk::{Disk, Medium, Modes};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::index::Keeping;
use crate::log::tests::support::{
    Bench, ORIGIN, append, ctx, decides, genesis, moves, name, oid, zero,
};
use crate::log::verify::verify;

/// What goes wrong, and at which call of its kind.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// A write puts so many bytes down and says so.
    Short(usize),
    /// A write puts so many bytes down and fails all the same.
    FullAfter(usize),
    /// A write puts so many bytes down and claims to have written all.
    Lie(usize),
    /// Bringing data to the disk fails.
    Sync,
    /// Bringing a folder to the disk fails.
    Folder,
}

/// A disk that fails from the `at`th call of the planned kind on, so many times.
#[derive(Clone, Debug)]
struct Bad {
    plan: Plan,
    calls_left: Rc<Cell<usize>>,
    times: Rc<Cell<usize>>,
}

impl Bad {
    fn at(plan: Plan, calls: usize) -> Self {
        Self { plan, calls_left: Rc::new(Cell::new(calls)), times: Rc::new(Cell::new(1)) }
    }

    fn strikes(&self) -> bool {
        if self.calls_left.get() > 0 {
            self.calls_left.set(self.calls_left.get() - 1);
            return false;
        }
        let left = self.times.get();
        self.times.set(left.saturating_sub(1));
        left > 0
    }
}

impl Medium for Bad {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self.plan {
            Plan::Short(n) if self.strikes() => Disk.append(file, &bytes[..n.min(bytes.len())]),
            Plan::FullAfter(n) if self.strikes() => {
                Disk.append(file, &bytes[..n.min(bytes.len())])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Plan::Lie(n) if self.strikes() => {
                Disk.append(file, &bytes[..n.min(bytes.len())])?;
                Ok(bytes.len())
            }
            Plan::Short(_) | Plan::FullAfter(_) | Plan::Lie(_) | Plan::Sync | Plan::Folder => {
                Disk.append(file, bytes)
            }
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if matches!(self.plan, Plan::Sync) && self.strikes() {
            return Err(io::Error::from_raw_os_error(5));
        }
        Disk.sync(file)
    }

    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        if matches!(self.plan, Plan::Folder) && self.strikes() {
            return Err(io::Error::from_raw_os_error(5));
        }
        Disk.sync_folder(folder)
    }
}

fn asked(refname: &str) -> Record {
    decides("alice", vec![moves(refname, zero(), oid(3))])
}

#[test]
fn a_write_that_is_cut_short_anywhere_is_refused_and_declared() {
    let length = {
        let bench = Bench::new();
        let before = bench.bytes().len();
        let _ = append(&mut bench.open(), asked("refs/heads/x"), 1);
        bench.bytes().len() - before
    };
    for n in (0..length).step_by(13).chain([length - 1]) {
        for plan in [Plan::Short(n), Plan::FullAfter(n)] {
            let bench = Bench::new();
            let mut log = Log::open_on(Box::new(Bad::at(plan, 0)), &bench.dir).unwrap();
            let fault = log.append(&[asked("refs/heads/x")], &ctx(1), None).unwrap_err();
            assert!(matches!(fault, LogError::Io { .. }), "{plan:?}: {fault:?}");
            // The next push on the same disk, which is well again.
            let seq = append(&mut bench.open(), asked("refs/heads/y"), 2).seq();
            let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
            assert_eq!((report.broken, report.head.size), (None, seq + 1), "{plan:?}");
            assert_eq!(report.recovered, u64::from(n > 0), "{plan:?}");
        }
    }
}

#[test]
fn a_write_that_was_claimed_and_not_made_is_noticed() {
    for n in [0, 3, 300] {
        let bench = Bench::new();
        let mut log = Log::open_on(Box::new(Bad::at(Plan::Lie(n), 0)), &bench.dir).unwrap();
        let fault = log.append(&[asked("refs/heads/x")], &ctx(1), None).unwrap_err();
        assert!(matches!(fault, LogError::Interfered { .. }), "{n}: {fault:?}");
        let seq = append(&mut bench.open(), asked("refs/heads/y"), 2).seq();
        let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
        assert_eq!((report.broken, report.head.size), (None, seq + 1), "{n}");
        assert_eq!(report.recovered, u64::from(n > 0), "{n}");
    }
}

#[test]
fn a_sync_that_fails_is_refused_never_tried_again_and_told_by_the_next() {
    let bench = Bench::new();
    let bad = Bad::at(Plan::Sync, 0);
    let mut log = Log::open_on(Box::new(bad), &bench.dir).unwrap();
    let before = bench.bytes().len() as u64;
    let fault = log.append(&[asked("refs/heads/x")], &ctx(1), None).unwrap_err();
    assert!(matches!(fault, LogError::NotSynced { .. }));
    let after = bench.bytes().len() as u64;
    let again = log.append(&[asked("refs/heads/y")], &ctx(2), None).unwrap_err();
    assert!(matches!(again, LogError::Poisoned));
    assert!(verify(&bench.dir, &mut |_, _| {}).unwrap().in_doubt);
    let seq = append(&mut bench.open(), asked("refs/heads/z"), 3).seq();
    let log = bench.open();
    let entry = log.entry_by_number(seq - 1).unwrap();
    let Record::Recovered(recovered) = &entry.record else { panic!("{entry:?}") };
    assert_eq!(recovered.cause, Cause::NotSynced);
    assert_eq!((recovered.offset, recovered.length), (before, after - before));
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    assert_eq!((report.broken, report.in_doubt, report.recovered), (None, false, 1));
}

#[test]
fn an_attachment_that_is_not_on_the_disk_is_not_named() {
    for plan in [Plan::Sync, Plan::Folder, Plan::Short(10), Plan::FullAfter(0), Plan::Lie(10)] {
        let bench = Bench::new();
        let before = bench.bytes();
        let mut one = moves("refs/heads/x", zero(), oid(3));
        one.paths.list = (0..100).map(|n| format!("file{n}").into()).collect();
        let record = decides("alice", vec![one]);
        let mut log = Log::open_on(Box::new(Bad::at(plan, 0)), &bench.dir).unwrap();
        let done = log.append(&[record], &ctx(1), None);
        match plan {
            // Written in two pieces; nothing is wrong with that.
            Plan::Short(_) => assert!(done.is_ok()),
            Plan::Sync | Plan::Folder | Plan::FullAfter(_) | Plan::Lie(_) => {
                assert!(done.is_err(), "{plan:?}");
                assert_eq!(bench.bytes(), before, "{plan:?}");
            }
        }
    }
}

#[test]
fn a_log_is_created_whole_or_not_at_all() {
    for plan in [Plan::Sync, Plan::Folder, Plan::FullAfter(40)] {
        for calls in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("log");
            let refs = genesis(&[("refs/heads/main", oid(1))]);
            let bad = Bad::at(plan, calls);
            let made = Log::create_on(&bad, &dir, ORIGIN, refs, &ctx(0), Modes::PRIVATE);
            assert!(made.is_err(), "{plan:?} at call {calls}");
            match Log::open(&dir) {
                // Only the folder's sync failed: the file has its name already.
                Ok(log) => assert_eq!(log.size(), 1),
                Err(fault) => assert!(matches!(fault, LogError::NoGenesis { .. }), "{fault:?}"),
            }
        }
    }
}

#[test]
fn an_index_that_is_gone_damaged_or_of_another_log_gives_the_same_answers() {
    let bench = Bench::new();
    let mut log = bench.open();
    for n in 0..150 {
        let refname = format!("refs/heads/topic{n}");
        let _ = append(&mut log, decides("alice", vec![moves(&refname, zero(), oid(n + 2))]), 1);
    }
    drop(log);
    let index = bench.dir.join("index");
    let answers = || {
        let log = bench.open();
        let open = |n: u64| log.open_on(&name(&format!("refs/heads/topic{n}"))).unwrap();
        (0..150).map(|n| (open(n), log.brought(&oid(n + 2)).unwrap())).collect::<Vec<_>>()
    };
    let expected = answers();
    assert!(expected.iter().all(|(open, _)| open.len() == 1));
    assert!(index.join("runs").exists(), "a run was written");
    std::fs::remove_dir_all(&index).unwrap();
    assert_eq!(answers(), expected);
    for file in std::fs::read_dir(&index).unwrap().map(|file| file.unwrap().path()) {
        let whole = std::fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len().saturating_sub(1)] {
            let mut changed = whole.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 0x20;
            }
            if file.exists() {
                std::fs::write(&file, &changed).unwrap();
            }
            assert_eq!(answers(), expected, "{file:?} at {at}");
        }
    }
    assert!(index.join("runs").exists(), "the index was made anew and kept");
    // What an earlier version or somebody who was killed left does not stay for ever.
    for name in ["0123456789abcdef0123456789abcdef.run", ".run.77", "runs", "kept-by-somebody"] {
        std::fs::write(index.join(name), "left").unwrap();
    }
    assert_eq!(answers(), expected);
    let there = |end: &str| {
        let names = std::fs::read_dir(&index).unwrap().map(|file| file.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(end)).count()
    };
    assert_eq!((there(".run"), there(".77"), there("-by-somebody")), (1, 0, 1));
    // A pusher does not wait until all of it is made: each makes a part.
    std::fs::remove_dir_all(&index).unwrap();
    let awaited = || Log::open_with(Box::new(Disk), &bench.dir, Keeping::Awaited(64));
    for (entries, hint) in [(64, "log tidy"), (128, "log tidy")] {
        let refused = awaited().unwrap_err();
        assert!(matches!(refused, LogError::Unindexed { entries: it, .. } if it == entries));
        assert!(refused.hint().contains(hint));
    }
    assert_eq!(awaited().unwrap().size(), 151);
    assert_eq!(answers(), expected);
    // The index of a log that was longer.
    let other = Bench::new();
    let mut short = other.open();
    let _ = append(&mut short, decides("bob", vec![moves("refs/heads/only", zero(), oid(9))]), 1);
    drop(short);
    let _ = std::fs::remove_dir_all(other.dir.join("index"));
    std::fs::rename(&index, other.dir.join("index")).unwrap();
    let log = other.open();
    assert_eq!(log.size(), 2);
    assert_eq!(log.open_on(&name("refs/heads/topic3")).unwrap(), []);
    assert_eq!(log.open_on(&name("refs/heads/only")).unwrap().len(), 1);
}
