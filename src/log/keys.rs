//! Walks the keys of a line: none stands twice, and these attachments are named.
//!
//! Pure. Used by `verify`. A JSON reader that lets a later key win and one that lets the first
//! win would read two different entries from one line; so a key that stands twice is a break.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::names::digest::Digest;

/// What the keys of a line tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// A key that stands twice in one object.
    pub double: Option<String>,
    /// The attachments that are named.
    pub attachments: Vec<Digest>,
}

/// Walks a line. `None` when it is no JSON.
pub fn keys_of(line: &[u8]) -> Option<Keys> {
    let mut keys = Keys::default();
    let mut reader = serde_json::Deserializer::from_slice(line);
    Walk { keys: &mut keys, names_attachment: false }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(keys)
}

struct Walk<'a> {
    keys: &'a mut Keys,
    names_attachment: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the log")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.names_attachment {
            self.keys.attachments.extend(Digest::from_hex(text.as_bytes()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let keys = self.keys;
        while list.next_element_seed(Walk { keys, names_attachment: false })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let keys = self.keys;
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(USUAL_KEYS);
        while let Some(Key(key)) = map.next_key()? {
            let names_attachment = matches!(&*key, "att" | "whole");
            map.next_value_seed(Walk { keys, names_attachment })?;
            seen.push(key);
        }
        // Sorted, so that an object with very many keys takes no time either.
        seen.sort_unstable();
        if let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
            keys.double.get_or_insert_with(|| pair[0].clone().into_owned());
        }
        Ok(())
    }
}

/// Room for the keys of most objects.
const USUAL_KEYS: usize = 24;

/// A key, where it stands unless it is written with escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
