//! Checks the beginning of a log whose old entries were taken away, with all that speaks of it.
//!
//! Used by `verify`. Four things have to say the same: the summary, the record `pruned` that names
//! it, the first line that is left, and the root of the checkpoint that was published. Not seen from
//! here: whether the summary leaves out an entry that it should have kept; for that somebody must
//! hold it against the files that were archived.

use std::collections::HashSet;
use std::io;

use crate::log::disk::{Folder, io_fault};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::packed::Packed;
use crate::log::pruned::Pruned;
use crate::log::scan::{Break, BreakKind, Position};
use crate::log::summary::{Last, Line, Lines};
use crate::log::tape::Tape;
use crate::log::verify::{faults_of, is_packed_wrong};
use crate::names::digest::{Digest, Hasher};
use crate::tlog::tree::{Frontier, leaf_hash};

/// What is wrong with a beginning. A word each, for scripts too.
pub const WHY: [&str; 5] = [
    "the summary of the entries that were taken away cannot be read, or was changed",
    "no entry says that those before it were taken away: the beginning was cut off",
    "the entry that says what was taken away names another summary",
    "the entries that were taken away, and those after them, are not those that the published checkpoint covers",
    "an attachment of an entry in the summary is missing or was changed",
];

/// A beginning that was looked at.
#[derive(Debug)]
pub struct Opening {
    last: Last,
    /// How many entries it keeps whole.
    pub kept: u64,
    summary: Digest,
    tree: Frontier,
    named: Option<Pruned>,
    /// Whether the published checkpoint covers what is here; `None` before the walk is there.
    covered: Option<bool>,
    /// The log's name, by its first entry.
    pub origin: String,
}

impl Opening {
    /// Of a log some of whose entries were taken away. `Err`: what is wrong with it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn look(
        folder: &Folder,
        tape: &Tape,
        checked: &mut HashSet<Digest>,
    ) -> Result<Result<Option<Self>, Break>, LogError> {
        let fault = |source| io_fault("read", folder.dir(), source);
        let packed = match tape.summary() {
            Ok(Some(packed)) => packed,
            Ok(None) => return Ok(Ok(None)),
            Err(source) if is_packed_wrong(&source) => return Ok(Err(broken(WHY[0]))),
            Err(source) => return Err(fault(source)),
        };
        let found = match read(folder, packed, checked) {
            Ok(found) => found,
            Err(Reading::Attachment) => return Ok(Err(broken(WHY[4]))),
            Err(Reading::Io(source)) if is_packed_wrong(&source) => {
                return Ok(Err(broken(WHY[0])));
            }
            Err(Reading::Io(source)) => return Err(fault(source)),
            Err(Reading::Log(fault)) => return Err(fault),
        };
        let Some(mut opening) = found else { return Ok(Err(broken(WHY[0]))) };
        let Last { first, offset, .. } = &opening.last;
        if (*first, *offset) != (tape.first(), tape.begin()) {
            return Ok(Err(broken(WHY[0])));
        }
        opening.cover();
        Ok(Ok(Some(opening)))
    }

    /// The next entry behind it.
    pub fn see(&mut self, line: &[u8], record: Option<&Record>) {
        if self.covered.is_none() {
            self.tree.push(leaf_hash(line), &mut |_, _, _| {});
            self.cover();
        }
        if let Some(Record::Pruned(it)) = record
            && it.first == self.last.first
        {
            self.named = Some((**it).clone());
        }
    }

    fn cover(&mut self) {
        if self.tree.size() == self.last.size {
            self.covered = Some(self.tree.root() == self.last.root.0);
        }
    }

    /// What is wrong with it, at the end of the walk.
    pub fn wrong(&self) -> Option<Break> {
        let Some(named) = &self.named else { return Some(broken(WHY[1])) };
        let Last { first, offset, after, size, root } = &self.last;
        let told = (named.first, named.offset, named.after, named.size, named.root);
        if named.summary.0 != self.summary || told != (*first, *offset, *after, *size, *root) {
            return Some(broken(WHY[2]));
        }
        (self.covered != Some(true)).then(|| broken(WHY[3]))
    }

    /// Where the segments begin, by what the summary says of the entry before.
    pub fn position(&self) -> Position {
        let Last { first, offset, after, .. } = &self.last;
        Position { offset: *offset, head: Head { size: *first, hash: after.0 } }
    }

    /// The first entry that is there.
    pub const fn first(&self) -> u64 {
        self.last.first
    }
}

/// The break of a log whose first entries are gone without a word.
pub fn cut_off() -> Break {
    broken(WHY[1])
}

/// A beginning that is not as it was: told of the log's first entry.
fn broken(why: &'static str) -> Break {
    Break { line: 1, entry: 0, offset: 0, what: BreakKind::Beginning(why) }
}

/// Why a summary could not be read to its end.
enum Reading {
    Io(io::Error),
    Attachment,
    Log(LogError),
}

/// Reads a whole summary. `None` where it lacks its genesis.
fn read(
    folder: &Folder,
    packed: &Packed,
    checked: &mut HashSet<Digest>,
) -> Result<Option<Opening>, Reading> {
    let mut lines = Lines::of(packed);
    let (mut bytes, mut hasher, mut tree) = (Vec::new(), Hasher::default(), Frontier::default());
    let (mut kept, mut origin) = (0, None);
    while let Some(line) = lines.next_line(&mut bytes).map_err(Reading::Io)? {
        hasher.update(&bytes);
        hasher.update(b"\n");
        match line {
            Line::Kept(found) => {
                let common = &found.entry.common;
                let is_first = common.seq == 0;
                if matches!(found.entry.record, Record::Genesis(_)) != is_first
                    || origin.get_or_insert_with(|| common.log.clone()) != &common.log
                {
                    return Ok(None);
                }
                let whole = found.entry.short.as_ref().and_then(|short| short.whole);
                let whole = whole.map(|name| name.0);
                if faults_of(folder, &found.line, whole, checked).map_err(Reading::Log)?.is_some() {
                    return Err(Reading::Attachment);
                }
                tree.push(leaf_hash(&found.line), &mut |_, _, _| {});
                kept += 1;
            }
            Line::Gone(leaf) => tree.push(leaf, &mut |_, _, _| {}),
            Line::Last(last) => {
                let Some(origin) = origin.take() else { return Ok(None) };
                let (summary, named, covered) = (hasher.digest(), None, None);
                return match lines.next_line(&mut bytes).map_err(Reading::Io)? {
                    None => Ok(Some(Opening { last, kept, summary, tree, named, covered, origin })),
                    Some(_) => Ok(None),
                };
            }
        }
    }
    Ok(None)
}
