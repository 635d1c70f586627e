//! Walks the keys of a line: it is JSON, no key stands twice, and these attachments are named.
//!
//! Pure. Used by `verify`. A JSON reader that lets a later key win and one that lets the first
//! win would read two different entries from one line; so a key that stands twice is a break.
//! Every line of a log goes through here, most of them nowhere else: so this walk accepts exactly
//! what RFC 8259 calls JSON, but for half a surrogate pair, which is no text (its section 8.2), and
//! looks at each byte once.

use std::borrow::Cow;

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
    if !json.is_ascii() {
        std::str::from_utf8(json).ok()?;
    }
    let mut walk = Walk {
        keys: Keys::default(),
        open: Vec::with_capacity(USUAL_DEPTH),
        marks: Vec::with_capacity(USUAL_KEYS),
        seen: Vec::with_capacity(USUAL_KEYS),
        due: Due::Value,
        names_attachment: false,
    };
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let string = string_in(json, at)?;
                at += string.inner.len() + 1;
                walk.string(string)?;
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
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                let (scalar, _) = rest.split_at(rest.iter().position(ends).unwrap_or(rest.len()));
                walk.scalar(scalar)?;
                at += scalar.len() - 1;
            }
        }
    }
    (walk.due == Due::Nothing).then_some(walk.keys)
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
struct Quoted<'a> {
    inner: &'a [u8],
    has_escapes: bool,
}

/// The string that begins here, behind its first quote.
fn string_in(json: &[u8], begin: usize) -> Option<Quoted<'_>> {
    let (mut at, mut has_escapes) = (begin, false);
    loop {
        at += plain(json.get(at..)?);
        match json.get(at)? {
            b'"' => return Some(Quoted { inner: json.get(begin..at)?, has_escapes }),
            b'\\' => {
                has_escapes = true;
                at += 2;
            }
            _ => return None,
        }
    }
}

/// A byte in each of the eight places of a word.
const fn in_all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes stand before one that ends a string, escapes in it, or may not stand in it. They
/// are looked at eight at a time: of the bytes marked in `stops`, the first is always right.
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let below = |word: u64, than: u8| word.wrapping_sub(in_all(than)) & !word & in_all(0x80);
        let (quote, backslash) = (word ^ in_all(b'"'), word ^ in_all(b'\\'));
        let stops = below(quote, 1) | below(backslash, 1) | below(word, b' ');
        if stops != 0 {
            return at * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let stops = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    words.len() * 8 + rest.iter().position(stops).unwrap_or(rest.len())
}

impl<'a> Quoted<'a> {
    /// Its text, where it stands unless it is written with escapes.
    fn text(self) -> Option<Cow<'a, [u8]>> {
        if !self.has_escapes {
            return Some(Cow::Borrowed(self.inner));
        }
        let quoted = [&b"\""[..], self.inner, b"\""].concat();
        let text: String = serde_json::from_slice(&quoted).ok()?;
        Some(Cow::Owned(text.into_bytes()))
    }
}

/// A few bytes of a key, to tell it from others quickly.
fn mark(key: &[u8]) -> u64 {
    match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => key.iter().fold(key.len() as u64, |mark, byte| mark << 8 | u64::from(*byte)),
    }
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

/// Whether a mark stands twice. They are put in order where there are many, so that an object with
/// very many keys takes no time either.
fn stands_twice(marks: &mut [u64]) -> bool {
    if marks.len() <= USUAL_KEYS {
        return (1..marks.len()).any(|at| marks[..at].contains(&marks[at]));
    }
    marks.sort_unstable();
    marks.windows(2).any(|pair| pair[0] == pair[1])
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

struct Walk<'a> {
    keys: Keys,
    open: Vec<Open>,
    /// The keys of all that is open, and their marks.
    marks: Vec<u64>,
    seen: Vec<Quoted<'a>>,
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
        if stands_twice(self.marks.get_mut(from..)?) {
            let keys: Option<Vec<_>> = self.seen.get(from..)?.iter().map(|it| it.text()).collect();
            let mut keys = keys?;
            keys.sort_unstable();
            if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                let double = String::from_utf8_lossy(&pair[0]).into_owned();
                self.keys.double.get_or_insert(double);
            }
        }
        self.marks.truncate(from);
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

    fn string(&mut self, string: Quoted<'a>) -> Option<()> {
        match self.due {
            Due::Key | Due::KeyOrEnd => {
                let key = string.text()?;
                self.names_attachment = matches!(&*key, b"att" | b"whole");
                self.marks.push(mark(&key));
                self.seen.push(string);
                self.due = Due::Colon;
            }
            Due::Value | Due::ValueOrEnd if !self.open.is_empty() => {
                if string.has_escapes || self.names_attachment {
                    let text = string.text()?;
                    self.keys
                        .attachments
                        .extend(Digest::from_hex(&text).filter(|_| self.names_attachment));
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
