//! The throw-away index: from what is asked to the entries that answer.
//!
//! Derived from the entries and from nothing else (but for commits older than the log, which
//! somebody asked Git about). Sorted runs in files, written when enough has come together and
//! merged with runs of their size, so that a look-up is a few reads; what is newer than the runs
//! is read from the log's tail at opening and kept in memory. Lost, damaged or of another log, it
//! is made anew. Without the right to write it is kept in memory.
//!
//! Invariant: an index never says yes. Every answer is read from the entry it points to.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use crate::facts::past::PastError;
use crate::log::about;
use crate::log::disk::{Folder, io_fault, read_small};
use crate::log::entry::{LINE_BYTES_MAX, Record};
use crate::log::error::LogError;
use crate::log::line::self_hash;
use crate::log::manifest::Manifest;
use crate::log::posting::{self, KEY_BYTES, Posting};
use crate::log::run::Run;
use crate::log::scan::{BreakKind, Found, Position, ScanError, Scanner};
use crate::log::summary::{self, Line};
use crate::log::tail::unreadable;
use crate::log::tape::Tape;
use crate::log::whole;

/// How many entries are read from the log's tail at every opening before they become a run.
pub(super) const TAIL_ENTRIES_MAX: u64 = 64;

/// How many postings of the tail are kept in memory before they become a run.
const TAIL_POSTINGS_MAX: usize = 4096;

/// How many postings are kept in memory while the index is made anew.
const REBUILD_POSTINGS_MAX: usize = 64 * 1024;

/// How many entries are read at once while a pusher waits: some tenths of a second.
pub(super) const AWAITED_ENTRIES_MAX: u64 = 16 * 1024;

/// How much of a log a reader indexes in memory before looking at its entries one after another is
/// as good.
const NEAR_BYTES: u64 = 8 * 1024 * 1024;

/// How much of the table of contents is read.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;

/// How much is read at first for the last line that an index covers: nearly every line fits.
const LAST_LINE_BYTES: u64 = 8 * 1024;

/// How often opening tries again when a run vanishes because somebody else merged it.
const OPEN_TRIES: usize = 3;

/// Where an index is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeping {
    /// In files beside the log, for the next one who opens it.
    InFiles,
    /// What is newer than the files there are in memory: nothing is written, nothing removed.
    InMemory,
    /// In files, by somebody whom a pusher waits for: where more than so many entries are missing,
    /// a part is made, and the answer is no.
    Awaited(u64),
}

/// The index of one log.
#[derive(Debug)]
pub struct Index {
    pub(super) keeping: Keeping,
    pub(super) tape: Rc<Tape>,
    pub(super) folder: Folder,
    pub(super) origin: String,
    pub(super) runs: Vec<Run>,
    pub(super) flushed: Position,
    pub(super) recent: BTreeSet<Posting>,
    /// More of them, in no order: while much is read, and nobody asks.
    pub(super) piled: Vec<Posting>,
    pub(super) position: Position,
}

impl Index {
    /// Opens what there is, kept where the caller says, and reads the rest of these entries.
    pub fn open_with(
        folder: &Folder,
        tape: Rc<Tape>,
        origin: &str,
        keeping: Keeping,
    ) -> Result<Self, LogError> {
        let mut index = Self::load(folder, tape, origin, keeping)?;
        index.read_on()?;
        Ok(index)
    }

    /// As `open_with`, in memory, where files cover nearly all of the log, so that little is read.
    pub fn open_if_near_end(
        folder: &Folder,
        tape: Rc<Tape>,
        origin: &str,
    ) -> Result<Option<Self>, LogError> {
        let mut index = Self::load(folder, tape, origin, Keeping::InMemory)?;
        let end = index.tape.end();
        if !end.is_ok_and(|end| end.saturating_sub(index.flushed.offset) <= NEAR_BYTES) {
            return Ok(None);
        }
        index.read_on()?;
        Ok(Some(index))
    }

    /// Forgets what there is and reads the whole log.
    pub fn rebuild(&mut self) -> Result<(), LogError> {
        // Best effort: where it cannot be removed, it is made in memory.
        let _ = fs::remove_dir_all(self.folder.index());
        *self = Self::empty(&self.folder, self.folder.tape()?, &self.origin, self.keeping)?;
        self.read_on()
    }

    fn empty(
        folder: &Folder,
        tape: Rc<Tape>,
        origin: &str,
        keeping: Keeping,
    ) -> Result<Self, LogError> {
        let start = Position::start_of(&tape);
        let start = start.map_err(|source| io_fault("read", &folder.segment(), source))?;
        Ok(Self {
            keeping,
            tape,
            folder: folder.clone(),
            origin: origin.to_owned(),
            runs: Vec::new(),
            flushed: start,
            recent: BTreeSet::new(),
            piled: Vec::new(),
            position: start,
        })
    }

    fn load(
        folder: &Folder,
        tape: Rc<Tape>,
        origin: &str,
        keeping: Keeping,
    ) -> Result<Self, LogError> {
        let mut index = Self::empty(folder, tape, origin, keeping)?;
        for _ in 0..OPEN_TRIES {
            let Some(manifest) = index.manifest() else { break };
            let open =
                |(name, postings): &(String, u64)| Run::open(&folder.index(), name, *postings);
            let Ok(runs) = manifest.runs.iter().map(open).collect::<io::Result<Vec<_>>>() else {
                continue;
            };
            if index.is_of_log(&manifest) {
                index.runs = runs;
                index.flushed = manifest.position;
                index.position = manifest.position;
                return Ok(index);
            }
            break;
        }
        match keeping {
            // Best effort: a table of contents that is of no use must not keep a good one out.
            Keeping::InFiles | Keeping::Awaited(_) => drop(fs::remove_file(index.manifest_path())),
            Keeping::InMemory => {}
        }
        Ok(index)
    }

    fn manifest_path(&self) -> PathBuf {
        self.folder.index().join("runs")
    }

    pub(super) fn manifest(&self) -> Option<Manifest> {
        let bytes = read_small(&self.manifest_path(), MANIFEST_BYTES_MAX).ok()??;
        Manifest::read(&bytes)
    }

    /// Whether the log really has the last entry of this table at this place, and begins where it
    /// did: it may have been replaced by a copy, and old entries may have been taken away.
    pub(super) fn is_of_log(&self, manifest: &Manifest) -> bool {
        let Manifest { origin, first, position, .. } = manifest;
        let begin = self.tape.begin();
        if *origin != self.origin || *first != self.tape.first() || position.offset <= begin {
            return false;
        }
        let ends_in_it = |bytes: u64| {
            let from = position.offset.saturating_sub(bytes).max(begin);
            let Ok(window) = self.tape.read_range(from, position.offset) else { return false };
            let Some(lines) = window.strip_suffix(b"\n") else { return false };
            let line = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            self_hash(&lines[line..]).is_ok_and(|hash| hash == position.head.hash)
        };
        ends_in_it(LAST_LINE_BYTES) || ends_in_it(LINE_BYTES_MAX as u64)
    }

    /// The entries, as they were when they were read last.
    pub const fn tape(&self) -> &Rc<Tape> {
        &self.tape
    }

    /// How far the index goes.
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// Reads what was appended since. Stops before an append that is going on.
    pub fn catch_up(&mut self) -> Result<(), LogError> {
        let tape = Rc::new(self.tape.again()?);
        if tape.first() == self.tape.first() {
            self.tape = tape;
        } else {
            // Old entries were taken away meanwhile: what is left of them stands elsewhere.
            *self = Self::load(&self.folder.clone(), tape, &self.origin.clone(), self.keeping)?;
        }
        self.read_on()
    }

    /// Reads what the tape in hand has beyond the index.
    fn read_on(&mut self) -> Result<(), LogError> {
        let folder = self.folder.clone();
        let io = |source| io_fault("read", &folder.segment(), source);
        let start = Position::start_of(&self.tape).map_err(io)?;
        if self.position == start {
            self.file_summary()?;
        }
        let origin = Some(self.origin.clone());
        let begin = self.position.head.size;
        let mut scanner = Scanner::from(&self.tape, self.position, origin).map_err(io)?;
        loop {
            let found = match scanner.next_entry() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                // Entries behind it do not count; whoever appends next finds out what it is.
                Err(ScanError::Break(_)) if scanner.hole().is_some() => break,
                Err(fault) => return Err(scan_fault(&self.folder, fault)),
            };
            let read = found.entry.common.seq - begin;
            if matches!(self.keeping, Keeping::Awaited(most) if read >= most) {
                self.flush();
                return Err(self.unfinished());
            }
            self.file(&found)?;
            self.position = *scanner.position();
            if self.piled.len() >= REBUILD_POSTINGS_MAX {
                self.flush();
            }
        }
        self.recent.extend(self.piled.drain(..));
        if let Some(broken) = scanner.undeclared()
            && self.position == start
        {
            return Err(scan_fault(&self.folder, broken.into()));
        }
        let behind = self.position.head.size - self.flushed.head.size;
        if behind >= TAIL_ENTRIES_MAX || self.recent.len() >= TAIL_POSTINGS_MAX {
            self.flush();
        }
        Ok(())
    }

    /// Files what stays of entries that were taken away.
    fn file_summary(&mut self) -> Result<(), LogError> {
        let (folder, tape) = (self.folder.clone(), Rc::clone(&self.tape));
        summary::walk(&folder, &tape, &mut |_, line| {
            match line {
                Line::Kept(found) => self.file(&found)?,
                Line::Gone(_) | Line::Last(_) => {}
            }
            if self.piled.len() >= REBUILD_POSTINGS_MAX {
                // Nobody takes such runs for whole: they end where the segments begin.
                self.flush();
            }
            Ok(())
        })
    }

    fn file(&mut self, found: &Found) -> Result<(), LogError> {
        let seq = found.entry.common.seq;
        let missing = |_: io::Error| {
            LogError::Past(PastError::Damaged {
                entry: seq,
                what: "an attachment that it needs is missing or changed",
            })
        };
        let record = whole::record(&self.folder, &found.entry).map_err(missing)?;
        let refs = match &record {
            Record::Genesis(it) => whole::genesis_refs(&self.folder, it).map_err(missing)?,
            Record::Birth(_)
            | Record::Decision(_)
            | Record::Refusal(_)
            | Record::Outcome(_)
            | Record::Drift(_)
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
            | Record::Accepted(_) => Vec::new(),
        };
        posting::file(&found.entry.common, &record, found.offset, &refs, &mut self.piled);
        about::keys(&record, &mut |key, aux| {
            self.piled.push(Posting { key: key.digest(), seq, aux, at: found.offset });
        });
        Ok(())
    }

    /// How far an index that pushers would wait for too long has got.
    fn unfinished(&self) -> LogError {
        let (dir, entries) = (self.folder.dir().to_owned(), self.flushed.head.size);
        LogError::Unindexed { dir, entries }
    }

    /// Keeps postings that are not from the log.
    pub fn add(&mut self, postings: Vec<Posting>) {
        self.recent.extend(postings);
        self.flush();
    }

    /// The postings of a key, newest first, at most so many.
    pub fn newest(&self, key: [u8; KEY_BYTES], most: usize) -> io::Result<Vec<Posting>> {
        self.newest_to(Posting::last_of(key), most)
    }

    /// The postings with the key of `to` that are not above it, highest first, at most so many.
    pub fn newest_to(&self, to: Posting, most: usize) -> io::Result<Vec<Posting>> {
        let recent = self.recent.range(Posting::first_of(to.key)..=to);
        let mut found: Vec<Posting> = recent.rev().take(most).copied().collect();
        for run in &self.runs {
            found.extend(run.newest(&to, most)?);
        }
        found.sort_by(|a, b| b.cmp(a));
        found.dedup();
        found.truncate(most);
        Ok(found)
    }

    /// The postings with the key of `from` that are not below it, lowest first, at most so many.
    pub fn oldest(&self, from: Posting, most: usize) -> io::Result<Vec<Posting>> {
        let recent = self.recent.range(from..=Posting::last_of(from.key));
        let mut found: Vec<Posting> = recent.take(most).copied().collect();
        for run in &self.runs {
            found.extend(run.oldest(&from, most)?);
        }
        found.sort();
        found.dedup();
        found.truncate(most);
        Ok(found)
    }
}

/// A scan's stop as a fault of this log.
pub fn scan_fault(folder: &Folder, fault: ScanError) -> LogError {
    match fault {
        ScanError::Io(source) => LogError::Io { doing: "read", path: folder.segment(), source },
        ScanError::Break(broken) => match broken.what {
            BreakKind::NoEntry(line) if line.is_newer() => unreadable(line, &folder.segment()),
            BreakKind::NoEntry(_)
            | BreakKind::Number(_)
            | BreakKind::Chain
            | BreakKind::OtherLog(_)
            | BreakKind::Genesis
            | BreakKind::Segment
            | BreakKind::Declared
            | BreakKind::TooMuch
            | BreakKind::DoubleKey(_)
            | BreakKind::Clock(_)
            | BreakKind::Packed
            | BreakKind::Beginning(_)
            | BreakKind::AttachmentMissing(_)
            | BreakKind::AttachmentChanged(_) => LogError::Broken(broken),
        },
    }
}
