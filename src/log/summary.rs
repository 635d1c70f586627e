//! What stays of entries that were taken away: one file, beside the segments that are left.
//!
//! ```text
//! 00000000000000004096-00000000000001234567.jsonl.gz
//! the first entry that stays, and the byte where its file begins
//! ```
//!
//! Packed as segments are; `gzip -dc` unpacks it. A line for each entry that is gone, in order:
//! either the entry's own line, as it was written, or its number and its hash in the tree
//! (RFC 6962). The last line says where the log goes on, and which checkpoint was published:
//!
//! ```text
//! {"v":1,"log":"git.example.com/infra-5f0c91ab","seq":0,"type":"genesis", ... ,"hash":"<64 hex>"}
//! {"type":"gone","seq":1,"leaf":"<64 hex>"}
//! {"type":"end","first":4096,"offset":1234567,"after":"<64 hex>","size":5000,"root":"<64 hex>"}
//! ```
//!
//! So the tree can be made from it and from the lines that are left, and every line that it keeps
//! is proved by the tree. A record `pruned` names its SHA-256, and the next seal covers that.
//! Invariant: whatever a push can ask the log, it answers from this as from the entries.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::log::disk::{Folder, io_fault};
use crate::log::entry::{LINE_BYTES_MAX, Record};
use crate::log::error::LogError;
use crate::log::index::scan_fault;
use crate::log::line::{Entry, read};
use crate::log::packed::Packed;
use crate::log::scan::{Found, Position, Scanner};
use crate::log::tape::Tape;
use crate::log::whole;
use crate::log::wire::AsText;
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::tree::leaf_hash;

/// How long a summary may be, unpacked, in bytes: some hundred thousand pushes.
pub const SUMMARY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What the name of a summary ends with. It sorts before the segment that it goes before.
const ENDING: &str = ".jsonl.gz";

/// How many digits each of the numbers in it has.
const DIGITS: usize = 20;

/// What a line begins with whose entry is gone.
const GONE: &str = "{\"type\":\"gone\",";

/// What the last line begins with.
const LAST: &str = "{\"type\":\"end\",";

/// Where a log goes on behind its summary. What the name of one tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The first entry that stays.
    pub first: u64,
    /// Where its file begins, counted from the start of the log.
    pub offset: u64,
}

impl Named {
    /// The name of the file.
    pub fn file_name(self) -> String {
        format!("{:020}-{:020}{ENDING}", self.first, self.offset)
    }

    /// Reads a name. `None` when it is that of another file.
    pub fn read(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let (first, offset) = name.strip_suffix(ENDING)?.split_once('-')?;
        let number = |digits: &str| {
            let is = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
            is.then(|| digits.parse::<u64>().ok()).flatten()
        };
        Some(Self { first: number(first)?, offset: number(offset)? })
    }

    /// The summaries in a folder, that of the shortest beginning first.
    pub fn list(dir: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for name in std::fs::read_dir(dir)? {
            found.extend(Self::read(name?.file_name().as_encoded_bytes()));
        }
        found.sort();
        Ok(found)
    }
}

/// The line of an entry that is gone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone {
    seq: u64,
    leaf: AsText<Digest>,
}

/// The last line of a summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// The first entry that stays.
    pub first: u64,
    /// Where its file begins, counted from the start of the log.
    pub offset: u64,
    /// The `hash` of the entry before it.
    pub after: AsText<Digest>,
    /// How many entries the checkpoint covers that was published.
    pub size: u64,
    /// The root of their tree.
    pub root: AsText<Digest>,
}

/// A line of a summary.
pub enum Line {
    /// An entry, as it was written. Its offset is that in the summary.
    Kept(Box<Found>),
    /// An entry that is gone: its hash in the tree.
    Gone(Digest),
    /// The end.
    Last(Last),
}

/// A walk through a summary. Stops with `InvalidData` where it is none.
pub struct Lines<'a> {
    reader: BufReader<Unpacking<'a>>,
    next: u64,
    ended: bool,
}

/// A packed file, read from its start to its end.
struct Unpacking<'a> {
    packed: &'a Packed,
    at: u64,
}

impl Read for Unpacking<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The fields of a line of our own. `None`: it is an entry's.
fn fields<T: DeserializeOwned>(begin: &str, line: &[u8]) -> io::Result<Option<T>> {
    let Some(rest) = line.strip_prefix(begin.as_bytes()) else { return Ok(None) };
    let json = [b"{", rest].concat();
    serde_json::from_slice(&json).map(Some).map_err(|_| damaged("holds a line that is none"))
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the summary of old entries {what}"))
}

impl<'a> Lines<'a> {
    /// From the first line on.
    pub fn of(packed: &'a Packed) -> Self {
        let reader = BufReader::with_capacity(64 * 1024, Unpacking { packed, at: 0 });
        Self { reader, next: 0, ended: false }
    }

    /// The number that the next line has to be of.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The next line and its bytes, without the line feed. `None` behind the last.
    pub fn next_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<Line>> {
        bytes.clear();
        let unread = self.reader.buffer().len() as u64;
        let offset = self.reader.get_ref().at - unread;
        let most = LINE_BYTES_MAX as u64;
        self.reader.by_ref().take(most).read_until(b'\n', bytes)?;
        if bytes.is_empty() {
            return if self.ended { Ok(None) } else { Err(damaged("lacks its end")) };
        }
        if self.ended || bytes.pop() != Some(b'\n') {
            return Err(damaged("holds a line that is none"));
        }
        if let Some(last) = fields::<Last>(LAST, bytes)? {
            self.ended = true;
            let is_next = last.first == self.next;
            return if is_next { Ok(Some(Line::Last(last))) } else { Err(self.gap()) };
        }
        let (seq, line) = if let Some(Gone { seq, leaf }) = fields(GONE, bytes)? {
            (seq, Line::Gone(leaf.0))
        } else {
            let entry = read(bytes).map_err(|fault| damaged(&fault.to_string()))?;
            let found = Found { entry, line: bytes.clone(), offset };
            (found.entry.common.seq, Line::Kept(Box::new(found)))
        };
        if seq != self.next || matches!(line, Line::Gone(_)) && seq == 0 {
            return Err(self.gap());
        }
        self.next += 1;
        Ok(Some(line))
    }

    fn gap(&self) -> io::Error {
        damaged(&format!("does not go on with entry {}", self.next))
    }
}

/// Walks through what stays of entries that were taken away, where some were. `see` is told the
/// number of each, and the number of the first that is there with the last line.
///
/// # Errors
/// When it cannot be read, or is no summary; whatever `see` runs into.
pub fn walk(
    folder: &Folder,
    tape: &Tape,
    see: &mut dyn FnMut(u64, Line) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let fault = |source| io_fault("read", folder.dir(), source);
    let Some(packed) = tape.summary().map_err(fault)? else { return Ok(()) };
    let (mut lines, mut bytes) = (Lines::of(packed), Vec::new());
    loop {
        let number = lines.next();
        let Some(line) = lines.next_line(&mut bytes).map_err(fault)? else { return Ok(()) };
        see(number, line)?;
    }
}

/// Whether something that a push may ask needs this entry, whose record is whole.
///
/// Kept is whatever gave a value, brought a commit, put a statement in its place or used one, made
/// a debt or paid one, and all that says who may say so: policies, seals, hooks and settings. What
/// goes are refusals, questions, and what is about files and bytes that are gone too.
pub fn is_needed(record: &Record) -> bool {
    match record {
        // Who brought a commit in a push that was refused has brought it all the same.
        Record::Decision(it) => {
            it.verdict.is_yes() || it.refs.iter().any(|one| one.brought.n > 0) || it.cert.is_some()
        }
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_)
        | Record::Pruned(_) => true,
        Record::Refusal(_) | Record::Asked(_) | Record::Recovered(_) | Record::Segment(_) => false,
    }
}

/// A summary, made.
pub struct Made {
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// Its last line.
    pub last: Last,
    /// How many entries it keeps whole.
    pub kept: u64,
}

/// Makes the summary of the entries before a segment.
///
/// # Errors
/// When they cannot be read, do not hold together, or are more than a summary may be of.
pub fn make(
    folder: &Folder,
    tape: &Rc<Tape>,
    to: Named,
    published: &Checkpoint,
) -> Result<Made, LogError> {
    let fault = |source| io_fault("read", folder.dir(), source);
    let mut making = Making { folder, bytes: Vec::new(), kept: 0 };
    walk(folder, tape, &mut |number, line| match line {
        Line::Kept(found) => making.add(&found.entry, &found.line),
        Line::Gone(leaf) => making.gone(number, leaf),
        Line::Last(_) => Ok(()),
    })?;
    let start = Position::start_of(tape).map_err(fault)?;
    let mut after = start.head.hash;
    let mut scanner = Scanner::from(tape, start, None).map_err(fault)?;
    while scanner.position().head.size < to.first {
        let found = scanner.next_entry().map_err(|it| scan_fault(folder, it))?;
        let found = found.ok_or_else(|| LogError::NoGenesis { dir: folder.dir().to_owned() })?;
        making.add(&found.entry, &found.line)?;
        after = found.entry.hash;
    }
    let last = Last {
        first: to.first,
        offset: to.offset,
        after: AsText(after),
        size: published.size,
        root: AsText(published.root),
    };
    making.json(LAST, &last)?;
    Ok(Made { bytes: making.bytes, last, kept: making.kept })
}

/// A summary, growing.
struct Making<'a> {
    folder: &'a Folder,
    bytes: Vec<u8>,
    kept: u64,
}

impl Making<'_> {
    fn add(&mut self, entry: &Entry, line: &[u8]) -> Result<(), LogError> {
        let record = whole::record(self.folder, entry)
            .map_err(|source| io_fault("read the attachments of", self.folder.dir(), source))?;
        if !is_needed(&record) {
            return self.gone(entry.common.seq, leaf_hash(line));
        }
        self.kept += 1;
        self.bytes.extend_from_slice(line);
        self.end()
    }

    fn gone(&mut self, seq: u64, leaf: Digest) -> Result<(), LogError> {
        self.json(GONE, &Gone { seq, leaf: AsText(leaf) })
    }

    fn json(&mut self, begin: &str, line: &impl Serialize) -> Result<(), LogError> {
        let json = serde_json::to_string(line)
            .map_err(|source| LogError::Json { kind: "pruned", source })?;
        self.bytes.extend_from_slice(begin.as_bytes());
        self.bytes.extend_from_slice(json.trim_start_matches('{').as_bytes());
        self.end()
    }

    fn end(&mut self) -> Result<(), LogError> {
        self.bytes.push(b'\n');
        if self.bytes.len() as u64 > SUMMARY_BYTES_MAX {
            return Err(io_fault(
                "make the summary of",
                self.folder.dir(),
                io::ErrorKind::FileTooLarge.into(),
            ));
        }
        Ok(())
    }
}
