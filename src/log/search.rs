//! The entries that a filter wants: by the index where there is one, else by looking at all.
//!
//! Used by the verbs. Writes nothing. Where the index is missing, far behind or wrong, the log is
//! walked as `read` walks it: slower, and with the same entries.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::disk::io_fault;
use crate::log::error::LogError;
use crate::log::find::{Finder, Order, is_narrow, ranges};
use crate::log::index::scan_fault;
use crate::log::read::{Entries, Filter, fits_entry};
use crate::log::scan::{Found, Position, Scanner};

/// A search through one log.
pub struct Search {
    dir: PathBuf,
    filter: Filter,
    way: Way,
    /// The number after that of the last entry that was answered.
    next: u64,
    looked: u64,
}

/// How entries are come by.
enum Way {
    /// One after another.
    Walk(Entries),
    /// Those that the index names.
    Named(Box<Log>, Finder),
    /// One after another, from here to there.
    Stretches(Box<Log>, Vec<Range<u64>>, Option<(Scanner, u64)>),
}

impl Search {
    /// Looks for what a filter wants, from the first entry on.
    pub fn open(dir: &Path, filter: Filter) -> Result<Self, LogError> {
        let way = match indexed(dir, &filter) {
            Some(log) => up(log, &filter)?,
            None => Way::Walk(Entries::open(dir, filter.clone())?),
        };
        Ok(Self { dir: dir.to_owned(), filter, way, next: 0, looked: 0 })
    }

    /// How many entries were read so far.
    pub const fn looked(&self) -> u64 {
        self.looked
    }

    /// The next one. `None` at the end; an error where the log does not hold together.
    pub fn next_entry(&mut self) -> Result<Option<Found>, LogError> {
        loop {
            let found = match &mut self.way {
                Way::Walk(entries) => {
                    let found = entries.next_entry();
                    self.looked = entries.looked();
                    found
                }
                Way::Named(log, finder) => match named(log, finder, Order::Up) {
                    // A walk tells what is wrong, and with which entry.
                    Err(LogError::Past(_)) => {
                        self.way = Way::Walk(Entries::open(&self.dir, self.filter.clone())?);
                        continue;
                    }
                    found => found,
                },
                Way::Stretches(log, ranges, scanner) => next_in(log, ranges, scanner),
            };
            let Some(found) = found? else { return Ok(None) };
            let number = found.entry.common.seq;
            if let Way::Named(log, _) | Way::Stretches(log, ..) = &self.way {
                self.looked += 1;
                if !fits_entry(&log.folder, &self.filter, &found.entry)? {
                    continue;
                }
            }
            // What the index has named already is not told again by the walk that takes over.
            if number >= self.next {
                self.next = number + 1;
                return Ok(Some(found));
            }
        }
    }

    /// The last entries that a filter wants, at most so many, oldest first, and how many were read.
    pub fn last(dir: &Path, filter: Filter, most: usize) -> Result<(Vec<Found>, u64), LogError> {
        let Some(log) = indexed(dir, &filter) else {
            let mut entries = Entries::open(dir, filter)?;
            let last = entries.last(most)?;
            return Ok((last, entries.looked()));
        };
        let mut finder = Finder::of(&log, &filter, Order::Down).map_err(LogError::Past)?;
        let (mut last, mut looked) = (VecDeque::new(), 0);
        while last.len() < most {
            match named(&log, &mut finder, Order::Down) {
                Ok(Some(found)) => {
                    looked += 1;
                    if fits_entry(&log.folder, &filter, &found.entry)? {
                        last.push_front(found);
                    }
                }
                Ok(None) => break,
                // As above.
                Err(_) => {
                    let mut entries = Entries::open(dir, filter)?;
                    let last = entries.last(most)?;
                    return Ok((last, looked + entries.looked()));
                }
            }
        }
        Ok((last.into(), looked))
    }
}

/// The log with its index, where that helps. A log that does not hold together is walked: then it
/// is told where it breaks.
fn indexed(dir: &Path, filter: &Filter) -> Option<Log> {
    if is_narrow(filter) { Log::open_indexed(dir).ok().flatten() } else { None }
}

fn up(log: Log, filter: &Filter) -> Result<Way, LogError> {
    let finder = Finder::of(&log, filter, Order::Up).map_err(LogError::Past)?;
    if finder.has_streams() {
        return Ok(Way::Named(Box::new(log), finder));
    }
    let mut stretches = ranges(&log, filter).map_err(LogError::Past)?;
    stretches.reverse();
    Ok(Way::Stretches(Box::new(log), stretches, None))
}

fn named(log: &Log, finder: &mut Finder, order: Order) -> Result<Option<Found>, LogError> {
    let next = finder.next(log, order).map_err(LogError::Past)?;
    next.map(|posting| log.line_at(&posting)).transpose().map_err(LogError::Past)
}

/// The next entry of these stretches, which stand the last first.
fn next_in(
    log: &Log,
    stretches: &mut Vec<Range<u64>>,
    walk: &mut Option<(Scanner, u64)>,
) -> Result<Option<Found>, LogError> {
    loop {
        if let Some((scanner, end)) = walk {
            let found = scanner.next_entry().map_err(|it| scan_fault(&log.folder, it))?;
            match found {
                Some(found) if found.entry.common.seq < *end => return Ok(Some(found)),
                Some(_) | None => *walk = None,
            }
        }
        let Some(stretch) = stretches.pop() else { return Ok(None) };
        let tape = log.folder.tape()?;
        let from = match stretch.start {
            start if start <= tape.first() => Position::start_of(&tape)
                .map_err(|source| io_fault("read", &log.folder.segment(), source))?,
            start => log.position_before(start)?,
        };
        let origin = Some(log.origin().to_owned());
        let fault = |source| LogError::Past(PastError::Unreadable { what: "the entries", source });
        *walk = Some((Scanner::from(&tape, from, origin).map_err(fault)?, stretch.end));
    }
}
