//! What the log says of all refs at once: the last value of each, and which moves are still open.
//!
//! Used by whoever holds every ref against the log. It is worked out entry by entry, and what was
//! worked out is kept beside the index as a note that may be thrown away, so that the next one reads
//! only the entries that have come since. Invariant: a note that is damaged, of another log, or ahead
//! of it is as none.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::disk::{Disk, Folder, read_small};
use crate::log::entry::{Record, State};
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::line::Entry;
use crate::log::posting::{genesis_lines, is_yes};
use crate::log::read::{Entries, Filter};
use crate::log::scan::Found;
use crate::log::summary::{self, Line};
use crate::log::whole;
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// The first line of the note; another one means another way of keeping it.
const TITLE: &[u8] = b"portcullis-refs 1\n";

/// How much of the note is read: a million refs with names of a hundred bytes.
const NOTE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The length of the digest at the note's end, and of its line feed.
const SUM_BYTES: usize = 65;

/// What the log says of all refs, at one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How long the log was.
    pub head: Head,
    /// The last value of each ref that has one.
    pub refs: BTreeMap<Vec<u8>, Oid>,
    /// Moves of which no outcome was written: the ref, and the entry that allowed it.
    pub open: BTreeSet<(Vec<u8>, u64)>,
}

/// Whether what was worked out is kept for the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Beside the index.
    Note,
    /// Nothing in the log's folder changes.
    Nothing,
}

impl Known {
    /// Before the first entry.
    const fn nothing() -> Self {
        let head = Head { size: 0, hash: Digest::from_bytes([0; 32]) };
        Self { head, refs: BTreeMap::new(), open: BTreeSet::new() }
    }

    /// Takes in the next entry. `record` is its record, whole; `genesis` the bytes of that list.
    fn add(&mut self, entry: &Entry, record: &Record, genesis: &[u8]) {
        let number = entry.common.seq;
        match record {
            Record::Genesis(_) => {
                for (_, oid, name) in genesis_lines(genesis) {
                    self.refs.insert(name.to_vec(), oid);
                }
            }
            Record::Decision(it) => {
                let moving = it.refs.iter().filter(|one| is_yes(it, one));
                self.open.extend(moving.map(|one| (one.refname.0.clone(), number)));
            }
            Record::Tidy(it) => {
                self.open.extend(it.refs.iter().map(|one| (one.refname.0.clone(), number)));
            }
            Record::Outcome(it) => {
                for one in &it.refs {
                    self.open.remove(&(one.refname.0.clone(), it.of));
                    match one.state {
                        State::Applied => self.set(&one.refname.0, one.new.0),
                        State::Lost => self.set(&one.refname.0, one.old.0),
                        State::NotApplied | State::Superseded => {}
                    }
                }
            }
            Record::Drift(it) => self.set(&it.refname.0, it.found.0),
            Record::Birth(_)
            | Record::Refusal(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Config(_)
            | Record::Accepted(_) => {}
        }
        self.head = Head { size: number + 1, hash: entry.hash };
    }

    /// Takes in the next entry as it was found.
    fn take(&mut self, folder: &Folder, found: &Found) -> Result<(), LogError> {
        let missing = |_| {
            let entry = found.entry.common.seq;
            PastError::Damaged { entry, what: "an attachment that it needs is missing" }
        };
        let record = whole::record(folder, &found.entry).map_err(missing)?;
        let mut genesis = Vec::new();
        if let Record::Genesis(it) = &record {
            genesis = whole::genesis_refs(folder, it).map_err(missing)?;
        }
        self.add(&found.entry, &record, &genesis);
        Ok(())
    }

    fn set(&mut self, name: &[u8], oid: Oid) {
        if oid.is_zero() {
            self.refs.remove(name);
        } else {
            self.refs.insert(name.to_vec(), oid);
        }
    }

    /// The note's bytes.
    fn note(&self, origin: &str) -> Vec<u8> {
        let mut bytes = TITLE.to_vec();
        let Head { size, hash } = &self.head;
        bytes.extend_from_slice(format!("{origin}\n{size}\n{hash}\n").as_bytes());
        for (name, oid) in &self.refs {
            line(&mut bytes, &oid.hex(), name);
        }
        for (name, number) in &self.open {
            line(&mut bytes, &number.to_string(), name);
        }
        let sum = Digest::of(&bytes).hex();
        bytes.extend_from_slice(sum.as_bytes());
        bytes.push(b'\n');
        bytes
    }

    /// Reads a note. `None` when it is none of this log.
    fn of_note(bytes: &[u8], origin: &str) -> Option<Self> {
        let (told, sum) = bytes.split_at_checked(bytes.len().checked_sub(SUM_BYTES)?)?;
        if Digest::from_hex(sum.strip_suffix(b"\n")?)? != Digest::of(told) {
            return None;
        }
        let mut lines = told.strip_prefix(TITLE)?.split(|&byte| byte == b'\n');
        if lines.next()? != origin.as_bytes() {
            return None;
        }
        let size = number(lines.next()?)?;
        let head = Head { size, hash: Digest::from_hex(lines.next()?)? };
        let mut known = Self { head, ..Self::nothing() };
        for line in lines.filter(|line| !line.is_empty()) {
            let at = line.iter().position(|&byte| byte == b'\t')?;
            let (word, name) = (line.get(..at)?, line.get(at + 1..)?.to_vec());
            match Oid::from_hex(word) {
                Some(oid) => drop(known.refs.insert(name, oid)),
                None => drop(known.open.insert((name, number(word)?))),
            }
        }
        Some(known)
    }
}

/// `WORD TAB NAME LF`; no refname holds either of the two.
fn line(bytes: &mut Vec<u8>, word: &str, name: &[u8]) {
    bytes.extend_from_slice(word.as_bytes());
    bytes.push(b'\t');
    bytes.extend_from_slice(name);
    bytes.push(b'\n');
}

/// A number of an entry: shorter than any object name.
fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

impl Log {
    /// What the log says of all refs, as far as this log was read.
    ///
    /// # Errors
    /// When an entry cannot be read, or the log does not hold together.
    pub fn known_refs(&self, keep: Keep) -> Result<Known, LogError> {
        self.read_own()?;
        let noted = self.noted();
        let mut known = match noted.clone() {
            Some(known) => known,
            None => self.known_anew()?,
        };
        while known.head.size < self.head().size {
            let entry = self.entry_by_number(known.head.size)?;
            known.add(&entry, &entry.record, &[]);
        }
        if keep == Keep::Note && noted.is_none_or(|noted| noted.head != known.head) {
            let path = self.folder.index().join("refs");
            // Best effort: without it the next one reads more.
            let _ = self.folder.write_whole(&Disk, &path, &known.note(self.origin()));
        }
        Ok(known)
    }

    fn noted(&self) -> Option<Known> {
        let path = self.folder.index().join("refs");
        let bytes = read_small(&path, NOTE_BYTES_MAX).ok()??;
        let known = Known::of_note(&bytes, self.origin())?;
        let there = self.first_entry_there()..self.head().size;
        let last = known.head.size.checked_sub(1).filter(|last| there.contains(last))?;
        let entry = self.entry_by_number(last).ok()?;
        (entry.hash == known.head.hash).then_some(known)
    }

    /// Reads every entry there was when this log was opened.
    pub fn known_anew(&self) -> Result<Known, LogError> {
        let mut known = Known::nothing();
        summary::walk(&self.folder, &*self.folder.tape()?, &mut |_, line| match line {
            Line::Kept(found) => known.take(&self.folder, &found),
            Line::Gone(_) | Line::Last(_) => Ok(()),
        })?;
        let mut entries = Entries::open(self.dir(), Filter::default())?;
        let size = self.head().size;
        while known.head.size < size {
            let Some(found) = entries.next_entry()? else { break };
            known.take(&self.folder, &found)?;
        }
        Ok(known)
    }
}
