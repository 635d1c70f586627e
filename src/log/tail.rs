//! The end of the log: its last whole entry, and what damage follows it.
//!
//! Used under the lock by whoever appends. Reads backwards from the end, so the cost does not depend
//! on the log's length.

use std::path::Path;
use std::rc::Rc;

use crate::log::damage::{Cause, Recovered};
use crate::log::disk::io_fault;
use crate::log::entry::LINE_BYTES_MAX;
use crate::log::error::LogError;
use crate::log::line::{Entry, LineError, read};
use crate::log::scan::Position;
use crate::log::tape::Tape;
use crate::log::wire::AsText;
use crate::names::digest::Digest;
use crate::names::moment::Moment;

/// How far back a whole entry is looked for. Past that a person must look.
pub const TAIL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How much is read at first: nearly every line fits.
const FIRST_READ_BYTES: u64 = 8 * 1024;

/// What the next entry has to know of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was written.
    pub ts: Moment,
}

impl Last {
    /// What the one after this entry has to know.
    pub const fn of(entry: &Entry) -> Self {
        Self { seq: entry.common.seq, hash: entry.hash, ts: entry.common.ts.0 }
    }
}

/// The end of a log as somebody knows it who has read or written all before it.
#[derive(Clone, Debug)]
pub struct KnownEnd {
    /// The segments as they were then.
    pub tape: Rc<Tape>,
    /// Where the next line begins.
    pub position: Position,
    /// When the last entry was written.
    pub ts: Moment,
}

impl KnownEnd {
    /// The tail, where nothing came behind it. `None`: no entry is known.
    pub fn tail(&self) -> Option<Tail> {
        let Position { offset, head } = self.position;
        let last = Last { seq: head.size.checked_sub(1)?, hash: head.hash, ts: self.ts };
        Some(Tail { last, end: offset, eof: offset, damage: None, unended: false })
    }
}

/// The end of a log.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The last whole entry.
    pub last: Last,
    /// Where the next line begins, were nothing damaged: behind its line feed.
    pub end: u64,
    /// Where the file ends.
    pub eof: u64,
    /// What is wrong between the two.
    pub damage: Option<Recovered>,
    /// Whether the file's last byte is no line feed.
    pub unended: bool,
}

/// Finds the tail, and the last whole entry. `Ok(None)` when the log holds none at all.
pub fn find(tape: &Tape) -> Result<Option<(Tail, Entry)>, LogError> {
    let path = &tape.newest_path();
    let fault = |source| io_fault("read", path, source);
    let eof = tape.end().map_err(fault)?;
    let mut want = FIRST_READ_BYTES;
    loop {
        let base = eof.saturating_sub(want).max(tape.begin());
        let window = tape.read_range(base, eof).map_err(fault)?;
        if let Some((from, to, last)) = last_entry(&window, base == tape.begin(), path)? {
            return Ok(Some((tail(&window, base, eof, (from, to), Last::of(&last)), last)));
        }
        if base == tape.begin() {
            return Ok(None);
        }
        if want >= TAIL_BYTES_MAX {
            return Err(LogError::NoTail { path: path.to_owned(), offset: base });
        }
        want = (want * 4).min(TAIL_BYTES_MAX);
    }
}

/// The last whole entry in a window, and the range of its line without the line feed.
fn last_entry(
    window: &[u8],
    from_start: bool,
    path: &Path,
) -> Result<Option<(usize, usize, Entry)>, LogError> {
    let mut to = window.len();
    loop {
        let from = window[..to].iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
        let begin = match from {
            Some(begin) => begin,
            None if from_start => 0,
            None => return Ok(None),
        };
        let line = &window[begin..to];
        if line.len() < LINE_BYTES_MAX {
            match read(line) {
                Ok(entry) => return Ok(Some((begin, to, entry))),
                Err(LineError::NotWhole | LineError::SelfHash) => {}
                Err(fault) => return Err(unreadable(fault, path)),
            }
        }
        if begin == 0 {
            return Ok(None);
        }
        to = begin - 1;
    }
}

/// A line whose bytes are as they were written and that this program still cannot read.
pub fn unreadable(fault: LineError, segment: &Path) -> LogError {
    let dir = segment.parent().unwrap_or(segment).to_owned();
    match fault {
        LineError::Version(found) => LogError::Version { dir, found },
        LineError::Kind => LogError::Newer { dir, what: "a kind of record" },
        LineError::Fields | LineError::NotWhole | LineError::SelfHash => {
            LogError::Newer { dir, what: "a record with fields" }
        }
    }
}

fn tail(window: &[u8], base: u64, eof: u64, (from, to): (usize, usize), last: Last) -> Tail {
    let start = base + from as u64;
    let line_end = base + to as u64;
    let unended = window.last() != Some(&b'\n');
    // The line feed of the last whole entry, when it is there, is the byte at `to`.
    let end = (line_end + 1).min(eof);
    let damage = if line_end == eof {
        Some(declared(start, &window[from..to], Cause::Unended))
    } else if end < eof {
        Some(declared(end, &window[to + 1..], Cause::Torn))
    } else {
        None
    };
    Tail { last, end, eof, damage, unended }
}

/// The record that declares these bytes.
pub fn declared(offset: u64, bytes: &[u8], cause: Cause) -> Recovered {
    let sha256 = AsText(Digest::of(bytes));
    Recovered { offset, length: bytes.len() as u64, sha256, cause, att: None }
}
