//! One entry as the bytes of its line, and back.
//!
//! Pure. Used by `file` to write, and by everything that reads. Invariant: `read` accepts only a
//! line whose `hash` is that of its own bytes, so whoever holds an `Entry` holds what was written.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use thiserror::Error;

use crate::log::entry::{Common, FORMAT_VERSION, Record, Session};
use crate::log::kind::Kind;
use crate::log::rate::Held;
use crate::log::wire::{AsText, Short};
use crate::names::digest::Digest;
use crate::names::moment::Moment;

/// What stands before the hash of a line.
const HASH_KEY: &[u8] = b",\"hash\":\"";

/// What stands before the hash of the line before.
pub(super) const PREV_KEY: &str = ",\"prev\":\"";

/// How many bytes follow a record's own fields: `,"prev":"...","hash":"..."}` and the line feed.
pub const SEAL_BYTES: usize = PREV_KEY.len() + 64 + 1 + HASH_KEY.len() + 64 + 2 + 1;

/// The `prev` of the first entry.
pub const NO_ENTRY: Digest = Digest::from_bytes([0; 32]);

/// An entry, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What every entry says.
    pub common: Common,
    /// What this one tells; cut, when `short` is there.
    pub record: Record,
    /// Whether and how the record was cut.
    pub short: Option<Short>,
    /// The hash of the entry before.
    pub prev: Digest,
    /// The hash of this one.
    pub hash: Digest,
}

/// Why some bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// They do not end in a hash.
    #[error("it is no whole line of the log")]
    NotWhole,
    /// They were changed.
    #[error("its hash is not that of its bytes")]
    SelfHash,
    /// They were written in another version of the format.
    #[error("it is of version {0} of the format, this program reads version {FORMAT_VERSION}")]
    Version(u32),
    /// The line is whole and its kind of record is unknown.
    #[error("its kind of record is unknown to this program")]
    Kind,
    /// The line is whole and does not say what its kind must say.
    #[error("its fields are not those of its kind")]
    Fields,
}

impl LineError {
    /// Whether the bytes are as they were written, by a program that knows more than this one.
    pub const fn is_newer(self) -> bool {
        match self {
            Self::NotWhole | Self::SelfHash => false,
            Self::Version(_) | Self::Kind | Self::Fields => true,
        }
    }
}

/// A line without its seal: what a writer prepares before it knows its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The kind of record.
    pub kind: Kind,
    /// The record's fields as JSON, without the braces, `short` included; never empty.
    pub fields: String,
}

impl Body {
    /// The same, of a record that names its decision, whose number was not known before.
    pub fn of(&self, number: u64) -> Self {
        Self { kind: self.kind, fields: format!("\"of\":{number},{}", self.fields) }
    }
}

/// How many bytes `Body::of` adds at most.
pub const OF_BYTES: usize = "\"of\":18446744073709551615,".len();

/// Why a record could not become JSON. It cannot happen with the types of this room.
pub type JsonError = serde_json::Error;

/// The record's fields as JSON, braces included.
pub fn record_json(record: &Record) -> Result<String, JsonError> {
    match record {
        Record::Genesis(it) => serde_json::to_string(it),
        Record::Birth(it) => serde_json::to_string(it),
        Record::Decision(it) => serde_json::to_string(it),
        Record::Refusal(it) => serde_json::to_string(it),
        Record::Outcome(it) => serde_json::to_string(it),
        Record::Drift(it) => serde_json::to_string(it),
        Record::Policy(it) => serde_json::to_string(it),
        Record::Asked(it) => serde_json::to_string(it),
        Record::Recovered(it) => serde_json::to_string(it),
        Record::BreakGlass(it) => serde_json::to_string(it),
        Record::Settled(it) => serde_json::to_string(it),
        Record::Seal(it) => serde_json::to_string(it),
        Record::Tidy(it) => serde_json::to_string(it),
        Record::Segment(it) => serde_json::to_string(it),
        Record::Config(it) => serde_json::to_string(it),
        Record::Accepted(it) => serde_json::to_string(it),
        Record::Pruned(it) => serde_json::to_string(it),
    }
}

/// The body of a record.
pub fn body(record: &Record, short: Option<&Short>) -> Result<Body, JsonError> {
    let json = record_json(record)?;
    let mut fields = unbraced(&json).to_owned();
    if let Some(short) = short {
        fields.push_str(",\"short\":");
        fields.push_str(&serde_json::to_string(short)?);
    }
    Ok(Body { kind: record.kind(), fields })
}

/// The whole line with its line feed, and its hash.
pub fn write(common: &Common, body: &Body, prev: &Digest) -> Result<(String, Digest), JsonError> {
    let mut line = String::from("{");
    line.push_str(unbraced(&serde_json::to_string(common)?));
    line.push(',');
    line.push_str(&body.fields);
    line.push_str(PREV_KEY);
    line.push_str(&prev.hex());
    line.push('"');
    let hash = Digest::of(line.as_bytes());
    line.push_str(",\"hash\":\"");
    line.push_str(&hash.hex());
    line.push_str("\"}\n");
    Ok((line, hash))
}

/// Takes the braces off a JSON object.
fn unbraced(json: &str) -> &str {
    json.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(json)
}

/// The hash that a line claims for itself, when it is that of its bytes. No line feed at the end.
pub fn self_hash(line: &[u8]) -> Result<Digest, LineError> {
    let at = line.len().checked_sub(HASH_KEY.len() + 66).ok_or(LineError::NotWhole)?;
    let (sealed, seal) = line.split_at(at);
    let hex = seal.strip_prefix(HASH_KEY).and_then(|rest| rest.strip_suffix(b"\"}"));
    let claimed = hex.and_then(Digest::from_hex).ok_or(LineError::NotWhole)?;
    if Digest::of(sealed) == claimed { Ok(claimed) } else { Err(LineError::SelfHash) }
}

/// Everything in a line but its record, read in one pass: a log has very many lines.
#[derive(Deserialize)]
struct Frame {
    v: u32,
    log: String,
    seq: u64,
    #[serde(rename = "type")]
    kind: Kind,
    ts: AsText<Moment>,
    #[serde(default)]
    ts_before_prev: bool,
    boot: String,
    mono_us: u64,
    host: String,
    tool: String,
    push: String,
    sess: Session,
    #[serde(default)]
    held: Vec<Held>,
    #[serde(default)]
    short: Option<Short>,
    prev: AsText<Digest>,
}

impl Frame {
    fn around(self, record: Record, hash: Digest) -> Entry {
        let common = Common {
            v: self.v,
            log: self.log,
            seq: self.seq,
            kind: self.kind,
            ts: self.ts,
            ts_before_prev: self.ts_before_prev,
            boot: self.boot,
            mono_us: self.mono_us,
            host: self.host,
            tool: self.tool,
            push: self.push,
            sess: self.sess,
            held: self.held,
        };
        Entry { common, record, short: self.short, prev: self.prev.0, hash }
    }
}

/// What a line that is not as we write it may still say of itself.
#[derive(Deserialize)]
struct Outline<'a> {
    v: u32,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// Reads a line, without its line feed.
pub fn read(line: &[u8]) -> Result<Entry, LineError> {
    read_sealed(line, self_hash(line)?)
}

/// Reads a line whose hash is known to be that of its bytes.
pub(super) fn read_sealed(line: &[u8], hash: Digest) -> Result<Entry, LineError> {
    match read_as_written(line, hash) {
        Some(entry) => Ok(entry),
        None => read_whole(line, hash),
    }
}

/// Reads a line in whatever order its keys stand.
pub(super) fn read_whole(line: &[u8], hash: Digest) -> Result<Entry, LineError> {
    let frame = match fields::<Frame>(line) {
        Ok(frame) if frame.v == FORMAT_VERSION => frame,
        Ok(_) | Err(_) => return Err(newer(line)),
    };
    let record = read_record(frame.kind, line)?;
    Ok(frame.around(record, hash))
}

/// What stands before the last of the fields that every entry has.
const SESSION_KEY: &[u8] = b",\"sess\":{";

/// What follows the fields that every entry has, in the few that also tell of refusals.
const HELD_KEY: &[u8] = b",\"held\":";

/// What a record that was cut ends with.
pub(super) const SHORT_KEY: &[u8] = b"\"short\":{";

/// Reads a line whose fields stand as nearly always, each byte once: a log has very many lines.
/// `None`: read it whole. None of the bytes that are looked for can stand within a JSON string,
/// where a quote has a backslash before it.
pub(super) fn read_as_written(line: &[u8], hash: Digest) -> Option<Entry> {
    let body = line.len().checked_sub(SEAL_BYTES - 1)?;
    let (fields_of_line, seal) = line.split_at_checked(body)?;
    let prev = seal.strip_prefix(PREV_KEY.as_bytes())?.get(..64 + 1)?.strip_suffix(b"\"")?;
    let session = memmem::find(fields_of_line, SESSION_KEY)?;
    let end = session + fields_of_line.get(session..)?.iter().position(|&byte| byte == b'}')? + 1;
    let (common, record) = fields_of_line.split_at_checked(end)?;
    if record.starts_with(HELD_KEY) || memmem::find(record, SHORT_KEY).is_some() {
        return None;
    }
    let common: Common = fields(&[common, b"}"].concat()).ok()?;
    let record = [b"{", record.strip_prefix(b",")?, b"}"].concat();
    let record = read_record(common.kind, &record).ok()?;
    let prev = Digest::from_hex(prev)?;
    (common.v == FORMAT_VERSION).then_some(Entry { common, record, short: None, prev, hash })
}

/// Why a line that is whole is not as we write it.
fn newer(line: &[u8]) -> LineError {
    match fields::<Outline<'_>>(line) {
        Ok(outline) if outline.v != FORMAT_VERSION => LineError::Version(outline.v),
        Ok(outline) if Kind::ALL.iter().all(|known| known.name() != outline.kind) => {
            LineError::Kind
        }
        Ok(_) | Err(_) => LineError::Fields,
    }
}

/// Reads a record from a JSON object that has its fields, and perhaps others.
pub fn read_record(kind: Kind, json: &[u8]) -> Result<Record, LineError> {
    Ok(match kind {
        Kind::Genesis => Record::Genesis(fields(json)?),
        Kind::Birth => Record::Birth(fields(json)?),
        Kind::Decision => Record::Decision(fields(json)?),
        Kind::Refusal => Record::Refusal(fields(json)?),
        Kind::Outcome => Record::Outcome(fields(json)?),
        Kind::Drift => Record::Drift(fields(json)?),
        Kind::Policy => Record::Policy(fields(json)?),
        Kind::Asked => Record::Asked(fields(json)?),
        Kind::Recovered => Record::Recovered(fields(json)?),
        Kind::BreakGlass => Record::BreakGlass(fields(json)?),
        Kind::Settled => Record::Settled(fields(json)?),
        Kind::Seal => Record::Seal(fields(json)?),
        Kind::Tidy => Record::Tidy(fields(json)?),
        Kind::Segment => Record::Segment(fields(json)?),
        Kind::Config => Record::Config(fields(json)?),
        Kind::Accepted => Record::Accepted(fields(json)?),
        Kind::Pruned => Record::Pruned(fields(json)?),
    })
}

fn fields<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, LineError> {
    serde_json::from_slice(json).map_err(|_| LineError::Fields)
}
