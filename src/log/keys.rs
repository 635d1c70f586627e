//! Walks the keys of a line: it is JSON, no key stands twice, and these attachments are named.
//!
//! Pure. Used by `verify`. A JSON reader that lets a later key win and one that lets the first
//! win would read two different entries from one line; so a key that stands twice is a break.
//! Every line of a log goes through here, most of them nowhere else: so this walk accepts exactly
//! what RFC 8259 calls JSON, and looks at each byte once.

use std::borrow::Cow;

use memchr::memchr2;
use serde::de::IgnoredAny;

use crate::names::digest::Digest;

/// How many keys and brackets a usual line has open at once.
const USUAL_KEYS: usize = 48;
const USUAL_DEPTH: usize = 8;

/// What the keys of a line tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// A key that stands twice in one object.
    pub double: Option<String>,
    /// The attachments that are named.
    pub attachments: Vec<Digest>,
}

/// Walks a line. `None` when it is no JSON (RFC 8259), or its outermost value no object or list.
pub fn keys_of(json: &[u8]) -> Option<Keys> {
    std::str::from_utf8(json).ok()?;
    if json.iter().any(|&byte| byte < b' ') {
        // Between tokens some of these may stand, within a string none may; a log has none at all.
        serde_json::from_slice::<IgnoredAny>(json).ok()?;
    }
    let mut walk = Walk {
        keys: Keys::default(),
        open: Vec::with_capacity(USUAL_DEPTH),
        seen: Vec::with_capacity(USUAL_KEYS),
        due: Due::Value,
        names_attachment: false,
    };
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = at + string_end(json.get(at..)?)?;
                walk.string(json.get(at..end)?)?;
                at = end + 1;
            }
            b'{' => walk.open(true)?,
            b'[' => walk.open(false)?,
            b'}' => walk.close(true)?,
            b']' => walk.close(false)?,
            b',' => walk.next()?,
            b':' => walk.colon()?,
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => {
                let rest = json.get(at - 1..)?;
                let length = rest.iter().position(|byte| b" \t\n\r,]}".contains(byte));
                let (scalar, _) = rest.split_at(length.unwrap_or(rest.len()));
                walk.scalar(scalar)?;
                at += scalar.len() - 1;
            }
        }
    }
    (walk.due == Due::Nothing).then_some(walk.keys)
}

/// Where a string ends that begins here: the place of its closing quote.
fn string_end(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// The text of a string, where it stands unless it is written with escapes.
fn text(inner: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !inner.contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let quoted = [&b"\""[..], inner, b"\""].concat();
    let text: String = serde_json::from_slice(&quoted).ok()?;
    Some(Cow::Owned(text.into_bytes()))
}

/// Whether this is a number, by the grammar of RFC 8259, section 6.
fn is_number(scalar: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = scalar.strip_prefix(b"-").unwrap_or(scalar);
    let (integer, mut rest) = whole.split_at(digits(whole));
    if integer.is_empty() || integer.len() > 1 && integer.starts_with(b"0") {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.split_at(length).1;
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let sign = |sign: &[u8]| exponent.strip_prefix(sign);
        let exponent = sign(b"+").or_else(|| sign(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// What may stand next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// An object or a list that is not closed yet.
struct Open {
    is_object: bool,
    /// Where its keys begin among those seen.
    from: usize,
}

/// A key, and a few of its bytes to tell it from others quickly.
struct Seen<'a> {
    mark: u64,
    key: Cow<'a, [u8]>,
}

impl<'a> Seen<'a> {
    fn new(key: Cow<'a, [u8]>) -> Self {
        let ends = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.take(4).fold(0u64, |mark, byte| mark << 8 | u64::from(*byte))
        };
        let mark = ends(&mut key.iter()) << 32 | ends(&mut key.iter().rev());
        Self { mark, key }
    }
}

struct Walk<'a> {
    keys: Keys,
    open: Vec<Open>,
    seen: Vec<Seen<'a>>,
    due: Due,
    /// The next string names an attachment.
    names_attachment: bool,
}

impl<'a> Walk<'a> {
    fn open(&mut self, is_object: bool) -> Option<()> {
        self.takes_value()?;
        self.open.push(Open { is_object, from: self.seen.len() });
        self.due = if is_object { Due::KeyOrEnd } else { Due::ValueOrEnd };
        self.names_attachment = false;
        Some(())
    }

    fn close(&mut self, is_object: bool) -> Option<()> {
        let Open { is_object: was_object, from } = self.open.pop()?;
        let may_end = matches!(self.due, Due::CommaOrEnd | Due::KeyOrEnd | Due::ValueOrEnd);
        if was_object != is_object || !may_end {
            return None;
        }
        let seen = self.seen.get_mut(from..)?;
        // Sorted, so that an object with very many keys takes no time either.
        seen.sort_unstable_by_key(|one| one.mark);
        if seen.windows(2).any(|pair| pair[0].mark == pair[1].mark) {
            seen.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            if let Some(pair) = seen.windows(2).find(|pair| pair[0].key == pair[1].key) {
                let double = String::from_utf8_lossy(&pair[0].key).into_owned();
                self.keys.double.get_or_insert(double);
            }
        }
        self.seen.truncate(from);
        self.was_value();
        Some(())
    }

    fn next(&mut self) -> Option<()> {
        if self.due != Due::CommaOrEnd {
            return None;
        }
        let is_object = self.open.last()?.is_object;
        self.due = if is_object { Due::Key } else { Due::Value };
        self.names_attachment = false;
        Some(())
    }

    fn colon(&mut self) -> Option<()> {
        if self.due != Due::Colon {
            return None;
        }
        self.due = Due::Value;
        Some(())
    }

    fn string(&mut self, inner: &'a [u8]) -> Option<()> {
        let text = text(inner)?;
        match self.due {
            Due::Key | Due::KeyOrEnd => {
                self.names_attachment = matches!(&*text, b"att" | b"whole");
                self.seen.push(Seen::new(text));
                self.due = Due::Colon;
            }
            Due::Value | Due::ValueOrEnd if !self.open.is_empty() => {
                if self.names_attachment {
                    self.keys.attachments.extend(Digest::from_hex(&text));
                }
                self.was_value();
            }
            Due::Value | Due::ValueOrEnd | Due::Colon | Due::CommaOrEnd | Due::Nothing => {
                return None;
            }
        }
        Some(())
    }

    fn scalar(&mut self, scalar: &[u8]) -> Option<()> {
        self.takes_value()?;
        let is_one = matches!(scalar, b"true" | b"false" | b"null") || is_number(scalar);
        if self.open.is_empty() || !is_one {
            return None;
        }
        self.was_value();
        Some(())
    }

    /// A value may stand here; the outermost is an object or a list.
    fn takes_value(&self) -> Option<()> {
        matches!(self.due, Due::Value | Due::ValueOrEnd).then_some(())
    }

    fn was_value(&mut self) {
        self.due = if self.open.is_empty() { Due::Nothing } else { Due::CommaOrEnd };
    }
}
