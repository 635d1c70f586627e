//! Walks the keys of a line: none stands twice, and these attachments are named.
//!
//! Pure. Used by `verify`. A JSON reader that lets a later key win and one that lets the first
//! win would read two different entries from one line; so a key that stands twice is a break.

use std::borrow::Cow;

use crate::names::digest::Digest;

/// What the keys of a line tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// A key that stands twice in one object.
    pub double: Option<String>,
    /// The attachments that are named.
    pub attachments: Vec<Digest>,
}

/// Walks a line. `None` when its brackets and quotes do not match: then it is no JSON.
///
/// It looks at the shape alone, for every line of a log goes through here; whether it is JSON down
/// to the last number is found by whoever reads the entry.
pub fn keys_of(json: &[u8]) -> Option<Keys> {
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = at + string_end(json.get(at..)?)?;
                walk.string(json.get(at..end)?)?;
                at = end + 1;
            }
            b'{' => walk.open(true),
            b'[' => walk.open(false),
            b'}' => walk.close(true)?,
            b']' => walk.close(false)?,
            b',' => walk.next(),
            b':' => walk.wants_key = false,
            _ => {}
        }
    }
    (walk.open.is_empty() && walk.closed).then_some(walk.keys)
}

/// Where a string ends that begins here: the place of its closing quote.
fn string_end(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match rest.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
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

/// An object or a list that is not closed yet.
struct Open {
    is_object: bool,
    /// Where its keys begin among those seen.
    from: usize,
}

#[derive(Default)]
struct Walk<'a> {
    keys: Keys,
    open: Vec<Open>,
    seen: Vec<Cow<'a, [u8]>>,
    /// The next string is a key.
    wants_key: bool,
    /// The next string names an attachment.
    names_attachment: bool,
    /// Something was opened and closed.
    closed: bool,
}

impl<'a> Walk<'a> {
    fn open(&mut self, is_object: bool) {
        self.open.push(Open { is_object, from: self.seen.len() });
        self.wants_key = is_object;
        self.names_attachment = false;
    }

    fn close(&mut self, is_object: bool) -> Option<()> {
        let Open { is_object: was_object, from } = self.open.pop()?;
        if was_object != is_object {
            return None;
        }
        let seen = self.seen.get_mut(from..)?;
        // Sorted, so that an object with very many keys takes no time either.
        seen.sort_unstable();
        if let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
            let double = String::from_utf8_lossy(&pair[0]).into_owned();
            self.keys.double.get_or_insert(double);
        }
        self.seen.truncate(from);
        self.wants_key = false;
        self.closed = true;
        Some(())
    }

    fn next(&mut self) {
        self.wants_key = self.open.last().is_some_and(|open| open.is_object);
        self.names_attachment = false;
    }

    fn string(&mut self, inner: &'a [u8]) -> Option<()> {
        if self.wants_key {
            let key = text(inner)?;
            self.names_attachment = matches!(&*key, b"att" | b"whole");
            self.seen.push(key);
        } else if self.names_attachment {
            self.keys.attachments.extend(Digest::from_hex(&text(inner)?));
        }
        Some(())
    }
}
