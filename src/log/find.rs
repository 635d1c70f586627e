//! Finds the entries that a filter wants by the index, without looking at the others.
//!
//! Each part of a filter that the index knows is a stream of postings in the order of the entries;
//! what stands in every stream is looked at. A time is found by halving: within a stretch of
//! entries whose clock never went back, times only grow. Every entry is still held against the
//! filter by whoever reads it: the index says where to look and no more.

use std::ops::Range;

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::decision::Verdict;
use crate::log::posting::{KEY_BYTES, Key, Posting};
use crate::log::read::Filter;
use crate::names::moment::Moment;

/// How many postings of a key are read at once.
const PAGE: usize = 128;

/// How many stretches between clocks that went back are told apart. Past that all is looked at.
const STRETCHES_MAX: usize = 4096;

/// In which order entries are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Up,
    /// The newest first.
    Down,
}

/// Numbers of entries, beyond the last in the order that is wanted.
enum Next {
    At(Posting),
    End,
}

/// The postings of one key.
struct Postings {
    key: [u8; KEY_BYTES],
    page: Vec<Posting>,
    is_last: bool,
}

impl Postings {
    fn of(key: Key<'_>) -> Self {
        Self { key: key.digest(), page: Vec::new(), is_last: false }
    }

    /// The first posting at this entry or beyond it.
    fn from(&mut self, log: &Log, number: u64, order: Order) -> Result<Next, PastError> {
        loop {
            let beyond = |it: &&Posting| match order {
                Order::Up => it.seq >= number,
                Order::Down => it.seq <= number,
            };
            if let Some(found) = self.page.iter().find(beyond) {
                return Ok(Next::At(*found));
            }
            if self.is_last {
                return Ok(Next::End);
            }
            let key = self.key;
            self.page = match order {
                Order::Up => {
                    let from = Posting { seq: number, ..Posting::first_of(key) };
                    log.look(|index| index.oldest(from, PAGE))?
                }
                Order::Down => {
                    let to = Posting { seq: number, ..Posting::last_of(key) };
                    log.look(|index| index.newest_to(to, PAGE))?
                }
            };
            self.is_last = self.page.len() < PAGE;
        }
    }
}

/// The entries under any of some keys.
struct Stream(Vec<Postings>);

impl Stream {
    fn of<'a>(keys: impl IntoIterator<Item = Key<'a>>) -> Self {
        Self(keys.into_iter().map(Postings::of).collect())
    }

    fn from(&mut self, log: &Log, number: u64, order: Order) -> Result<Next, PastError> {
        let mut nearest: Option<Posting> = None;
        for postings in &mut self.0 {
            let Next::At(found) = postings.from(log, number, order)? else { continue };
            let is_nearer = nearest.is_none_or(|nearest| match order {
                Order::Up => found.seq < nearest.seq,
                Order::Down => found.seq > nearest.seq,
            });
            if is_nearer {
                nearest = Some(found);
            }
        }
        Ok(nearest.map_or(Next::End, Next::At))
    }
}

/// The entries a filter may want, one after another.
pub struct Finder {
    streams: Vec<Stream>,
    ranges: Vec<Range<u64>>,
    next: Option<u64>,
}

/// The streams of a filter; none where it asks for nothing but times.
fn streams(filter: &Filter) -> Vec<Stream> {
    let Filter { refname, by, path, rule, verdict, since: _, until: _ } = filter;
    let mut streams = Vec::new();
    if let Some(name) = refname {
        let full = |prefix: &[u8]| [prefix, name].concat();
        let (branch, tag) = (full(b"refs/heads/"), full(b"refs/tags/"));
        streams.push(Stream::of([Key::About(name), Key::About(&branch), Key::About(&tag)]));
    }
    if let Some(who) = by {
        streams.push(Stream::of([Key::By(who)]));
    }
    if let Some(rule) = rule {
        streams.push(Stream::of([Key::Rule(rule)]));
    }
    if let Some(path) = path {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        streams.push(Stream::of([Key::Path(path), Key::ManyPaths]));
    }
    match verdict {
        Some(verdict @ (Verdict::Warn | Verdict::Refuse)) => {
            streams.push(Stream::of([Key::Verdict(*verdict)]));
        }
        Some(Verdict::Accept) | None => {}
    }
    streams
}

/// Whether the index knows more of a filter than that all entries are to be looked at.
pub fn is_narrow(filter: &Filter) -> bool {
    filter.since.is_some() || filter.until.is_some() || !streams(filter).is_empty()
}

impl Finder {
    /// What the filter may want, in this order.
    pub fn of(log: &Log, filter: &Filter, order: Order) -> Result<Self, PastError> {
        let mut ranges = ranges(log, filter)?;
        // They are taken from the end.
        match order {
            Order::Up => ranges.reverse(),
            Order::Down => {}
        }
        Ok(Self { streams: streams(filter), ranges, next: None })
    }

    /// Whether the index tells more than times.
    pub fn has_streams(&self) -> bool {
        !self.streams.is_empty()
    }

    /// The next entry to look at, in the order that the finder was made for.
    pub fn next(&mut self, log: &Log, order: Order) -> Result<Option<Posting>, PastError> {
        while let Some(range) = self.ranges.last().cloned() {
            let start = match order {
                Order::Up => range.start,
                Order::Down => range.end - 1,
            };
            let found = self.meeting(log, self.next.unwrap_or(start), order)?;
            let Some(found) = found.filter(|found| range.contains(&found.seq)) else {
                self.ranges.pop();
                self.next = None;
                continue;
            };
            let beyond = match order {
                Order::Up => Some(found.seq + 1),
                Order::Down => found.seq.checked_sub(1),
            };
            match beyond {
                Some(beyond) if range.contains(&beyond) => self.next = Some(beyond),
                Some(_) | None => {
                    self.ranges.pop();
                    self.next = None;
                }
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    /// The first entry from this one on in which all streams meet.
    fn meeting(
        &mut self,
        log: &Log,
        from: u64,
        order: Order,
    ) -> Result<Option<Posting>, PastError> {
        let mut number = from;
        if self.streams.is_empty() {
            return Ok(log.postings(Key::Entry(number), 1)?.first().copied());
        }
        loop {
            let mut met = None;
            for stream in &mut self.streams {
                let Next::At(found) = stream.from(log, number, order)? else {
                    return Ok(None);
                };
                met = if found.seq == number { Some(found) } else { None };
                number = found.seq;
                if met.is_none() {
                    break;
                }
            }
            if met.is_some() {
                return Ok(met);
            }
        }
    }
}

/// The numbers of the entries of a time, in order. More where clocks went back too often.
pub fn ranges(log: &Log, filter: &Filter) -> Result<Vec<Range<u64>>, PastError> {
    let Filter { since, until, .. } = *filter;
    let (first, size) = (log.first_entry_there(), log.head().size);
    let whole: Vec<Range<u64>> =
        std::iter::once(first..size).filter(|all| !all.is_empty()).collect();
    if since.is_none() && until.is_none() {
        return Ok(whole);
    }
    let lowest = Posting::first_of(Key::ClockBack.digest());
    let back = log.look(|index| index.oldest(lowest, STRETCHES_MAX))?;
    if back.len() >= STRETCHES_MAX {
        return Ok(whole);
    }
    let back = back.iter().map(|it| it.seq).filter(|seq| *seq > first);
    let begins: Vec<u64> = std::iter::once(first).chain(back).collect();
    let ends = begins.iter().skip(1).copied().chain(std::iter::once(size));
    let mut ranges = Vec::new();
    for (begin, end) in begins.iter().copied().zip(ends) {
        let from = since.map_or(Ok(begin), |time| first_at(log, begin..end, time))?;
        let to = until.map_or(Ok(end), |time| first_at(log, begin..end, time))?;
        if from < to {
            ranges.push(from..to);
        }
    }
    Ok(ranges)
}

/// The first entry of a stretch that is not before a time; the stretch's end when all are.
fn first_at(log: &Log, stretch: Range<u64>, time: Moment) -> Result<u64, PastError> {
    let Range { start: mut low, end: mut high } = stretch;
    while low < high {
        let middle = low + (high - low) / 2;
        let missing = PastError::Damaged { entry: middle, what: "it is not there" };
        let posting = log.postings(Key::Entry(middle), 1)?.first().copied().ok_or(missing)?;
        if log.line_at(&posting)?.entry.common.ts.0 < time {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
