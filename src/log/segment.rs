//! The files that a log consists of, and the record each one after the first begins with.
//!
//! A segment is named by the number of its first entry. A new one begins when the last is long
//! enough, or old enough, or when the disk refused to keep some of its lines: pages that were not
//! brought to the disk are never appended to again. Nothing else in the log knows of segments;
//! offsets count through all of them as if they were one file.

use serde::{Deserialize, Serialize};

use crate::names::moment::Moment;

/// How many entries a segment may hold.
pub const SEGMENT_ENTRIES_MAX: u64 = 4096;

/// How many bytes a segment may hold.
const SEGMENT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How long a segment must be to be closed because a day is over. A thousand quiet repositories
/// would otherwise make a thousand small files a day.
const DAY_BYTES_MIN: u64 = 64 * 1024;

/// What the name of a segment ends with.
pub const PLAIN: &str = ".jsonl";

/// What the name of a closed and packed segment ends with.
pub const PACKED: &str = ".jsonl.gz";

/// How many digits a segment's name has.
const NAME_DIGITS: usize = 20;

/// `segment`: a new file begins. The first entry of each file but the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its own number, which is the file's name.
    pub first: u64,
    /// Where the file begins, counted from the start of the log through all files before.
    pub offset: u64,
    /// Closed the file before was closed.
    pub why: Closed,
}

/// Closed a segment was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// It held as many entries as one may.
    Entries,
    /// It was as long as one may be.
    Bytes,
    /// A day was over.
    Day,
    /// The disk refused to keep some of its lines.
    NotSynced,
}

/// When a segment is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many entries it may hold.
    pub entries: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many bytes it must hold to be closed because a day is over.
    pub day_bytes: u64,
}

impl Limits {
    /// Those of every log.
    pub const USUAL: Self =
        Self { entries: SEGMENT_ENTRIES_MAX, bytes: SEGMENT_BYTES_MAX, day_bytes: DAY_BYTES_MIN };
}

/// What is known of the segment that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// The number of its first entry.
    pub first: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// The number of the next entry.
    pub next: u64,
}

/// Whether a new segment begins with the next entry. `in_doubt`: some lines may not be on the
/// disk. `began` tells when the first entry was written, where that matters.
///
/// # Errors
/// Those of `began`.
pub fn due<E>(
    active: &Active,
    limits: &Limits,
    now: Moment,
    in_doubt: bool,
    began: impl FnOnce() -> Result<Moment, E>,
) -> Result<Option<Closed>, E> {
    Ok(if in_doubt {
        Some(Closed::NotSynced)
    } else if active.next.saturating_sub(active.first) >= limits.entries {
        Some(Closed::Entries)
    } else if active.bytes >= limits.bytes {
        Some(Closed::Bytes)
    } else if active.bytes >= limits.day_bytes && day(now) > day(began()?) {
        Some(Closed::Day)
    } else {
        None
    })
}

const fn day(moment: Moment) -> i64 {
    moment.seconds().div_euclid(24 * 60 * 60)
}

/// The name of the file whose first entry has this number.
pub fn file_name(first: u64, ending: &str) -> String {
    format!("{first:020}{ending}")
}

/// The number of the first entry of a file with this name, and whether it is packed.
pub fn read_name(name: &[u8]) -> Option<(u64, bool)> {
    let (digits, ending) = name.split_at_checked(NAME_DIGITS)?;
    let packed = match ending {
        _ if ending == PLAIN.as_bytes() => false,
        _ if ending == PACKED.as_bytes() => true,
        _ => return None,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, packed))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::*;

    fn active() -> Active {
        Active { first: 4096, bytes: 100_000, next: 4200 }
    }

    /// Whether that segment is due, begun at nine in the evening.
    fn due(active: &Active, limits: &Limits, now: Moment, in_doubt: bool) -> Option<Closed> {
        let began = || Moment::parse("2026-11-22T21:00:00.000Z").ok_or(());
        super::due(active, limits, now, in_doubt, began).unwrap()
    }

    #[test]
    fn a_segment_closes_by_length_by_day_and_by_doubt() {
        let it = active();
        let late = Moment::parse("2026-11-22T23:59:59.999Z").unwrap();
        let next_day = Moment::parse("2026-11-23T00:00:00.000Z").unwrap();
        assert_eq!(due(&it, &Limits::USUAL, late, false), None);
        assert_eq!(due(&it, &Limits::USUAL, late, true), Some(Closed::NotSynced));
        assert_eq!(due(&it, &Limits::USUAL, next_day, false), Some(Closed::Day));
        assert_eq!(due(&Active { bytes: 1000, ..it }, &Limits::USUAL, next_day, false), None);
        assert_eq!(
            due(&Active { bytes: SEGMENT_BYTES_MAX, ..it }, &Limits::USUAL, late, false),
            Some(Closed::Bytes)
        );
        assert_eq!(due(&Active { next: 8191, ..it }, &Limits::USUAL, late, false), None);
        assert_eq!(
            due(&Active { next: 8192, ..it }, &Limits::USUAL, late, false),
            Some(Closed::Entries)
        );
    }

    #[test]
    fn names_go_both_ways() {
        assert_eq!(file_name(4096, PLAIN), "00000000000000004096.jsonl");
        assert_eq!(read_name(b"00000000000000004096.jsonl"), Some((4096, false)));
        assert_eq!(read_name(file_name(7, PACKED).as_bytes()), Some((7, true)));
        for other in
            [&b"4096.jsonl"[..], b"00000000000000004096.json", b"", b"0000000000000000409x.jsonl"]
        {
            assert_eq!(read_name(other), None);
        }
    }
}
