//! How single values stand in a log line: byte strings, object names, digests, moments, lists.
//!
//! Used by the record types. The forms here are part of the log's format and never change within
//! a version: `AsText` values are JSON strings in the one spelling their type has; a `Text` is a
//! JSON string when its bytes are clean UTF-8, else `{"b64":"...","show":"..."}`; a `Listed` is
//! `{"n":...,"list":[...],"att":"..."}`.

use std::fmt;
use std::marker::PhantomData;

use base64ct::{Base64, Encoding as _};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::digest::Digest;
use crate::names::escape::{escape, is_deceptive};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// How many elements of a list stand in the line itself; a longer list goes to an attachment.
pub const LISTED_INLINE_MAX: usize = 64;

/// A type with one spelling as text.
pub trait Plain: Sized {
    /// What it is, for messages about text that is none.
    const WHAT: &'static str;

    /// The spelling.
    fn spell(&self) -> String;

    /// Reads the spelling, and nothing else.
    fn read(text: &str) -> Option<Self>;
}

impl Plain for Oid {
    const WHAT: &'static str = "40 or 64 hexadecimal digits";

    fn spell(&self) -> String {
        self.hex()
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_hex(text.as_bytes())
    }
}

impl Plain for Digest {
    const WHAT: &'static str = "64 hexadecimal digits";

    fn spell(&self) -> String {
        self.hex()
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_hex(text.as_bytes())
    }
}

impl Plain for Moment {
    const WHAT: &'static str = "an RFC 3339 time in UTC with milliseconds";

    fn spell(&self) -> String {
        self.rfc3339_millis()
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse_millis(text)
    }
}

impl Plain for PrincipalName {
    const WHAT: &'static str = "a name of the roster";

    fn spell(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// A value that stands in the line as its spelling.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsText<T>(pub T);

impl<T> From<T> for AsText<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for AsText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Plain> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.spell())
    }
}

impl<'de, T: Plain> Deserialize<'de> for AsText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Spelled(PhantomData)).map(Self)
    }
}

/// Reads a spelling where it stands: a log has very many of them.
struct Spelled<T>(PhantomData<T>);

impl<T: Plain> Visitor<'_> for Spelled<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::custom(format_args!("not {}", T::WHAT)))
    }
}

/// Bytes from outside: a refname, a path, a login, a push option.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The bytes as a refname, when they are one.
    pub fn refname(&self) -> Option<Refname> {
        Refname::parse(&self.0)
    }

    /// The bytes as a string, when a reader may see them as they are: UTF-8 without characters
    /// that are invisible or change direction. Control characters JSON escapes by itself.
    fn clean(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok().filter(|text| !text.chars().any(is_deceptive))
    }
}

impl From<&Refname> for Text {
    fn from(name: &Refname) -> Self {
        Self(name.as_bytes().to_vec())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.clean() {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("b64", &Base64::encode_string(&self.0))?;
        map.serialize_entry("show", &escape(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Outside)
    }
}

/// Reads either form of a `Text`.
struct Outside;

/// The form for bytes that are no clean text. What they look like is for people only.
#[derive(Deserialize)]
struct Bytes {
    b64: String,
}

impl<'de> Visitor<'de> for Outside {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or its bytes as `b64`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        let Bytes { b64 } = Bytes::deserialize(MapAccessDeserializer::new(map))?;
        Base64::decode_vec(&b64)
            .map(Text)
            .map_err(|_| A::Error::custom("`b64` does not hold base64"))
    }
}

/// A list that may be too long for a line.
///
/// In a draft it holds every element. When the line is made, a list of more than
/// `LISTED_INLINE_MAX` moves to an attachment and keeps its first elements here. A list in the
/// entry of a refused push is cut without one: then `n` is larger than `list` and there is no
/// `att`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: DeserializeOwned"))]
pub struct Listed<T> {
    /// How many there are.
    pub n: u64,
    /// The first of them, or all.
    pub list: Vec<T>,
    /// The attachment that holds all, one a line (paths: each ended by a NUL).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub att: Option<AsText<Digest>>,
}

impl<T> Listed<T> {
    /// The whole list.
    pub fn of(list: Vec<T>) -> Self {
        Self { n: list.len() as u64, list, att: None }
    }

    /// Whether every element stands in `list`.
    pub fn is_whole(&self) -> bool {
        self.n == self.list.len() as u64
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// What an entry says about itself when its record did not fit in the line.
///
/// The record's fields stand in the line all the same, with long lists and texts cut; a name that
/// was cut ends in `...`, which no refname does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    /// How many refs the record has.
    pub refs: u64,
    /// How many statements it has.
    pub statements: u64,
    /// The attachment that holds the record's fields in full, as one JSON object. Absent in the
    /// entries of refused pushes: what was cut there is nowhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub whole: Option<AsText<Digest>>,
}
