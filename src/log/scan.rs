//! Reads entries one after another and checks that they hold together.
//!
//! Used by `verify`, by `read`, and by the index to catch up. Checks each line's own hash, that it
//! names the hash before, that numbers are dense, and that bytes which are no entry are declared
//! by the entry after them. Memory does not depend on the log's length.
//!
//! A line without its line feed at the end is an append that is happening, or one that was torn;
//! it is not an entry yet and not a break either.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::rc::Rc;

use thiserror::Error;

use crate::log::clock::ClockError;
use crate::log::damage::{Cause, Recovered};
use crate::log::entry::{LINE_BYTES_MAX, Record};
use crate::log::file::Head;
use crate::log::glance::{Glance, Link, glance};
use crate::log::line::{Entry, LineError, NO_ENTRY, read};
use crate::log::tape::{Reader, Tape};
use crate::names::digest::Digest;

/// How many bytes of damage are carried along until an entry declares them.
const DEAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An entry, in whatever detail it was read, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<E = Entry> {
    /// The entry.
    pub entry: E,
    /// Its line without the line feed, as stored.
    pub line: Vec<u8>,
    /// Where the line begins.
    pub offset: u64,
}

/// Where the log stops holding together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, where entry {entry} should be (byte {offset}): {what}")]
pub struct Break {
    /// The line, from 1, when counted from the start of the file.
    pub line: u64,
    /// The number of the entry that should be there.
    pub entry: u64,
    /// Where the line begins.
    pub offset: u64,
    /// What is wrong.
    pub what: BreakKind,
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BreakKind {
    /// A line is no entry, and no entry after it declares it.
    #[error("{0}")]
    NoEntry(LineError),
    /// An entry has another number.
    #[error("this is entry {0}")]
    Number(u64),
    /// An entry follows another one than the one before it.
    #[error("it does not continue the entry before it")]
    Chain,
    /// An entry is of another log.
    #[error("it belongs to the log `{0}`")]
    OtherLog(String),
    /// The first entry is no genesis, or a later one is.
    #[error("a log begins with its genesis and has one")]
    Genesis,
    /// A file begins without saying so, or as another, or an entry says so and none does.
    #[error(
        "a file of the log begins with a `segment` entry that names it, and no other line is one"
    )]
    Segment,
    /// An entry declares damage that is not there.
    #[error("it declares damage that is not what stands before it")]
    Declared,
    /// More damage than can be carried along.
    #[error("more than {DEAD_BYTES_MAX} bytes here are no entries")]
    TooMuch,
    /// A key stands twice in a line.
    #[error("the key `{0}` stands in it twice")]
    DoubleKey(String),
    /// Old entries were taken away, and what speaks of that does not hold together.
    #[error("{0}")]
    Beginning(&'static str),
    /// A packed file was changed.
    #[error("its file was packed, and cannot be unpacked as it is now")]
    Packed,
    /// Time does not go on from the entry before.
    #[error("{0}")]
    Clock(ClockError),
    /// An attachment is not there.
    #[error("its attachment {0} is missing")]
    AttachmentMissing(Digest),
    /// An attachment is not what its name says.
    #[error("its attachment {0} was changed")]
    AttachmentChanged(Digest),
}

/// Why a scan stopped.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The log does not hold together.
    #[error(transparent)]
    Break(#[from] Break),
    /// The file could not be read.
    #[error("could not read the log")]
    Io(#[from] io::Error),
}

/// What a scan has before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Where the next line begins.
    pub offset: u64,
    /// How many entries there were, and the hash of the last.
    pub head: Head,
}

impl Position {
    /// The beginning of a log.
    pub const START: Self = Self { offset: 0, head: Head { size: 0, hash: NO_ENTRY } };

    /// Where the segments of a log begin: behind the entries that were taken away, if some were.
    pub fn start_of(tape: &Tape) -> io::Result<Self> {
        let (size, offset) = (tape.first(), tape.begin());
        if size == 0 {
            return Ok(Self::START);
        }
        // What it follows is told by itself; `opening` holds it against what else tells that.
        let hash = tape.header_of(size)?.map_or(NO_ENTRY, |entry| entry.prev);
        Ok(Self { offset, head: Head { size, hash } })
    }
}

/// Bytes that are no entry, not declared so far.
struct Dead {
    offset: u64,
    line: u64,
    bytes: Vec<u8>,
    fault: LineError,
    /// Whole entries stand among them: behind a hole that a crash has left, or that somebody made.
    has_entries: bool,
}

/// A walk through the entries.
pub struct Scanner {
    reader: BufReader<Reader>,
    position: Position,
    origin: Option<String>,
    next_line: u64,
    next_offset: u64,
    dead: Option<Dead>,
    declared: u64,
}

impl Scanner {
    /// A walk from a position to where the log ends now. `origin` is checked where it is known.
    pub fn from(tape: &Rc<Tape>, position: Position, origin: Option<String>) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, Reader::from(tape, position.offset)?),
            next_line: position.head.size + 1,
            next_offset: position.offset,
            position,
            origin,
            dead: None,
            declared: 0,
        })
    }

    /// What has been walked so far.
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// How many lines have been walked.
    pub const fn lines(&self) -> u64 {
        self.next_line - 1
    }

    /// How many stretches of damage were found, each declared by an entry.
    pub const fn declared(&self) -> u64 {
        self.declared
    }

    /// Where the last line begins, when it is no whole one: an append that is going on, or torn.
    pub fn torn(&self) -> Option<u64> {
        self.dead.as_ref().map(|dead| dead.offset)
    }

    /// The last lines that are no entries and are not declared, when they are ended: after a
    /// crash the next writer declares them; otherwise somebody changed them.
    pub fn undeclared(&self) -> Option<Break> {
        let dead = self.dead.as_ref().filter(|dead| dead.bytes.contains(&b'\n'))?;
        Some(self.broken_by(dead))
    }

    /// The next entry. `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Found>, ScanError> {
        self.next(read)
    }

    /// As `next_entry`, in no more detail than holding a log together needs.
    pub fn next_glance(&mut self) -> Result<Option<Found<Glance>>, ScanError> {
        self.next(glance)
    }

    fn next<E: Link>(
        &mut self,
        read: fn(&[u8]) -> Result<E, LineError>,
    ) -> Result<Option<Found<E>>, ScanError> {
        loop {
            let (offset, number) = (self.next_offset, self.next_line);
            let mut line = Vec::new();
            let most = LINE_BYTES_MAX as u64;
            let taken = self.reader.by_ref().take(most).read_until(b'\n', &mut line)?;
            if taken == 0 {
                return match &self.dead {
                    Some(dead) if dead.has_entries => Err(self.broken_by(dead).into()),
                    Some(_) | None => Ok(None),
                };
            }
            self.next_offset += taken as u64;
            self.next_line += u64::from(line.last() == Some(&b'\n'));
            // A piece in the middle of an over-long line is no line of its own.
            let begins = self.dead.as_ref().is_none_or(|dead| dead.bytes.ends_with(b"\n"));
            let parsed = match line.strip_suffix(b"\n") {
                Some(whole) if begins => read(whole),
                Some(_) | None => Err(LineError::NotWhole),
            };
            match parsed {
                Ok(entry) if self.is_behind_a_hole(&entry) => self.bury_entry(line)?,
                Ok(entry) => {
                    line.pop();
                    return self.accept(Found { entry, line, offset }, number).map(Some);
                }
                Err(fault) => self.bury(line, offset, number, fault)?,
            }
        }
    }

    fn bury(
        &mut self,
        line: Vec<u8>,
        offset: u64,
        number: u64,
        fault: LineError,
    ) -> Result<(), ScanError> {
        match fault {
            LineError::NotWhole | LineError::SelfHash => {}
            LineError::Version(_) | LineError::Kind | LineError::Fields => {
                return Err(self.broken_at(number, offset, BreakKind::NoEntry(fault)).into());
            }
        }
        match &mut self.dead {
            Some(dead) => dead.bytes.extend_from_slice(&line),
            None => {
                let (line, bytes) = (number, line);
                self.dead = Some(Dead { offset, line, bytes, fault, has_entries: false });
            }
        }
        self.bounded()
    }

    /// Whether this entry does not count unless a later one says otherwise: it stands behind bytes
    /// that are no entry, and does not declare them.
    fn is_behind_a_hole(&self, entry: &impl Link) -> bool {
        let Some(dead) = &self.dead else { return false };
        // A new file begins with its own line; the one after it declares.
        let is_header = matches!(entry.record(), Some(Record::Segment(_)))
            && entry.prev() == self.position.head.hash
            && entry.seq() == self.position.head.size;
        !is_header && !declares(entry, dead)
    }

    fn bury_entry(&mut self, line: Vec<u8>) -> Result<(), ScanError> {
        if let Some(dead) = &mut self.dead {
            dead.bytes.extend_from_slice(&line);
            dead.has_entries = true;
        }
        self.bounded()
    }

    fn bounded(&self) -> Result<(), ScanError> {
        match &self.dead {
            Some(dead) if dead.bytes.len() <= DEAD_BYTES_MAX => Ok(()),
            Some(dead) if dead.has_entries => Err(self.broken_by(dead).into()),
            Some(dead) => Err(self.broken_at(dead.line, dead.offset, BreakKind::TooMuch).into()),
            None => Ok(()),
        }
    }

    fn broken_by(&self, dead: &Dead) -> Break {
        self.broken_at(dead.line, dead.offset, BreakKind::NoEntry(dead.fault))
    }

    /// Where a hole begins that a crash may have left: zeros where a line should be, and whole
    /// entries behind it. A disk writes its pages in any order.
    pub fn hole(&self) -> Option<u64> {
        self.zeros().filter(|_| self.dead.as_ref().is_some_and(|dead| dead.has_entries))
    }

    /// Where zeros begin that no entry has declared so far.
    pub fn zeros(&self) -> Option<u64> {
        let dead = self.dead.as_ref()?;
        let first = dead.bytes.split(|&byte| byte == b'\n').next()?;
        first.contains(&0).then_some(dead.offset)
    }

    fn accept<E: Link>(&mut self, found: Found<E>, number: u64) -> Result<Found<E>, ScanError> {
        let entry = &found.entry;
        let at = |what| self.broken_at(number, found.offset, what);
        let head = self.position.head;
        if entry.seq() != head.size {
            return Err(at(BreakKind::Number(entry.seq())).into());
        }
        if entry.prev() != head.hash {
            return Err(at(BreakKind::Chain).into());
        }
        if matches!(entry.record(), Some(Record::Genesis(_))) != (head.size == 0) {
            return Err(at(BreakKind::Genesis).into());
        }
        if self.origin.as_ref().is_some_and(|origin| origin != entry.log()) {
            return Err(at(BreakKind::OtherLog(entry.log().to_owned())).into());
        }
        if !self.begins_well(&found) {
            return Err(at(BreakKind::Segment).into());
        }
        if let Some(Record::Recovered(it)) = entry.record() {
            if it.cause == Cause::Torn && self.dead.is_none() {
                return Err(at(BreakKind::Declared).into());
            }
            self.declared += 1;
        }
        self.origin.get_or_insert_with(|| entry.log().to_owned());
        if !matches!(entry.record(), Some(Record::Segment(_))) {
            self.dead = None;
        }
        self.position = Position {
            offset: self.next_offset,
            head: Head { size: head.size + 1, hash: entry.hash() },
        };
        Ok(found)
    }

    /// Whether a file begins here and says so, or neither.
    fn begins_well<E: Link>(&self, found: &Found<E>) -> bool {
        let (seq, offset) = (found.entry.seq(), found.offset);
        let starts = self.reader.get_ref().starts();
        let begins = starts.iter().rev().find(|(_, at)| *at == offset);
        match (found.entry.record(), begins) {
            (Some(Record::Segment(it)), Some((name, _))) => {
                (it.first, it.offset) == (seq, offset) && *name == seq
            }
            (Some(Record::Segment(_)), None) => false,
            (_, begins) => begins.is_none(),
        }
    }

    fn broken_at(&self, line: u64, offset: u64, what: BreakKind) -> Break {
        Break { line, entry: self.position.head.size, offset, what }
    }
}

/// Whether an entry declares exactly these dead bytes, with or without a line feed that was added
/// to end them.
fn declares(entry: &impl Link, dead: &Dead) -> bool {
    let Some(Record::Recovered(Recovered { offset, length, sha256, cause: Cause::Torn, .. })) =
        entry.record()
    else {
        return false;
    };
    let Ok(length) = usize::try_from(*length) else { return false };
    let added = &dead.bytes[length.min(dead.bytes.len())..];
    *offset == dead.offset
        && length <= dead.bytes.len()
        && (added.is_empty() || added == b"\n")
        && Digest::of(&dead.bytes[..length]) == sha256.0
}
