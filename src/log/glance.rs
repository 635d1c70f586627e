//! What a walk through a whole log needs of each entry: its place in the chain, its time, and the
//! record where the log's own shape depends on it.
//!
//! Pure. Used by `verify` and `survey`, which look at every line of a log: a log has very many, and
//! nearly all of them are pushes and what became of them. Of those only the fields that every entry
//! has are read here; that the rest is JSON without double keys is for `keys` to say. A line that
//! is not as this program writes it is read as everywhere else.

use memchr::memmem;

use crate::log::clock::Times;
use crate::log::entry::{FORMAT_VERSION, Record};
use crate::log::kind::Kind;
use crate::log::line::{
    Entry, LineError, PREV_KEY, SEAL_BYTES, SHORT_KEY, read_record, read_sealed, self_hash,
};
use crate::log::wire::{Plain as _, Short};
use crate::names::digest::Digest;
use crate::names::moment::Moment;

/// What holds the entries of a log together, in whatever detail they were read.
pub trait Link {
    /// The entry's number.
    fn seq(&self) -> u64;

    /// The log's name.
    fn log(&self) -> &str;

    /// The hash of the entry before.
    fn prev(&self) -> Digest;

    /// The hash of this one.
    fn hash(&self) -> Digest;

    /// What it tells, if that was read. That of a genesis, of a segment and of damage always is.
    fn record(&self) -> Option<&Record>;
}

impl Link for Entry {
    fn seq(&self) -> u64 {
        self.common.seq
    }

    fn log(&self) -> &str {
        &self.common.log
    }

    fn prev(&self) -> Digest {
        self.prev
    }

    fn hash(&self) -> Digest {
        self.hash
    }

    fn record(&self) -> Option<&Record> {
        Some(&self.record)
    }
}

/// An entry, looked at in passing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// The entry's number.
    pub seq: u64,
    /// The log's name.
    pub log: String,
    /// Its clocks.
    pub times: Times,
    /// What it tells. `None` for a decision, a refusal, an outcome and a question.
    pub record: Option<Record>,
    /// Whether and how the record was cut.
    pub short: Option<Short>,
    /// The hash of the entry before.
    pub prev: Digest,
    /// The hash of this one.
    pub hash: Digest,
}

impl Link for Glance {
    fn seq(&self) -> u64 {
        self.seq
    }

    fn log(&self) -> &str {
        &self.log
    }

    fn prev(&self) -> Digest {
        self.prev
    }

    fn hash(&self) -> Digest {
        self.hash
    }

    fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }
}

impl From<Entry> for Glance {
    fn from(entry: Entry) -> Self {
        let Entry { common, record, short, prev, hash } = entry;
        let times = Times::of(&common);
        Self { seq: common.seq, log: common.log, times, record: Some(record), short, prev, hash }
    }
}

/// Looks at a line, without its line feed.
///
/// # Errors
/// As `line::read`; but the fields of a decision, a refusal, an outcome and a question, which tell
/// nothing of the log's shape, are not looked at.
pub fn glance(line: &[u8]) -> Result<Glance, LineError> {
    let hash = self_hash(line)?;
    match as_written(line, hash) {
        Some(glance) => Ok(glance),
        None => read_sealed(line, hash).map(Glance::from),
    }
}

/// Whether the record is left unread: there are very many of them, and the log's shape does not
/// depend on what they tell.
const fn is_passed_by(kind: Kind) -> bool {
    match kind {
        Kind::Decision | Kind::Refusal | Kind::Outcome | Kind::Asked => true,
        Kind::Genesis
        | Kind::Birth
        | Kind::Drift
        | Kind::Policy
        | Kind::Recovered
        | Kind::BreakGlass
        | Kind::Settled
        | Kind::Seal
        | Kind::Tidy
        | Kind::Segment
        | Kind::Pruned
        | Kind::Config
        | Kind::Accepted => false,
    }
}

/// The fields that every entry has, in the order in which they are written. `None`: read it whole.
fn as_written(line: &[u8], hash: Digest) -> Option<Glance> {
    let (fields, seal) = line.split_at_checked(line.len().checked_sub(SEAL_BYTES - 1)?)?;
    let prev = seal.strip_prefix(PREV_KEY.as_bytes())?.get(..64)?;
    let mut rest = Rest(fields);
    if rest.number(b"{\"v\":")? != u64::from(FORMAT_VERSION) {
        return None;
    }
    let log = rest.text(b",\"log\":\"")?.to_owned();
    let seq = rest.number(b",\"seq\":")?;
    let kind = Kind::named(rest.text(b",\"type\":\"")?)?;
    let ts = Moment::read(rest.text(b",\"ts\":\"")?)?;
    let before_prev = rest.skip(b",\"ts_before_prev\":true").is_some();
    let boot = rest.text(b",\"boot\":\"")?.to_owned();
    let mono_us = rest.number(b",\"mono_us\":")?;
    for key in [&b",\"host\":\""[..], b",\"tool\":\"", b",\"push\":\""] {
        rest.text(key)?;
    }
    rest.number(b",\"sess\":{\"pid\":")?;
    rest.number(b",\"start\":")?;
    rest.skip(b"},")?;
    // What tells of refusals, or was cut, is rare.
    if rest.0.starts_with(b"\"held\":") || memmem::find(rest.0, SHORT_KEY).is_some() {
        return None;
    }
    let record = if is_passed_by(kind) {
        None
    } else {
        Some(read_record(kind, &[b"{", rest.0, b"}"].concat()).ok()?)
    };
    let times = Times { seq, ts, before_prev, boot, mono_us };
    Some(Glance { seq, log, times, record, short: None, prev: Digest::from_hex(prev)?, hash })
}

/// What of a line is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// These bytes come next.
    fn skip(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    /// A number after this key, in the one way to write it.
    fn number(&mut self, key: &[u8]) -> Option<u64> {
        self.skip(key)?;
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(length)?;
        if digits.len() > 1 && digits.starts_with(b"0") {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// A string without escapes after this key and its quote.
    fn text(&mut self, key: &[u8]) -> Option<&'a str> {
        self.skip(key)?;
        let (text, rest) = self.0.split_at_checked(memchr::memchr(b'"', self.0)?)?;
        // Nor control characters, which JSON does not let stand in a string.
        if text.iter().any(|&byte| byte == b'\\' || byte < b' ') {
            return None;
        }
        self.0 = rest.get(1..)?;
        std::str::from_utf8(text).ok()
    }
}
