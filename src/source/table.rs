//! A TOML table, read key by key, with the place of everything.
//!
//! Made by `policy` from a parsed file; read by the policy's own sections and by each rule kind.
//! Reading by hand rather than through serde finds every problem of a table in one run, where
//! serde stops at the first. What nobody has taken when a table is finished is an unknown key.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::text::{Located, SourceText, Span, Spot};

/// A table whose keys are being taken out, one after another.
#[derive(Debug)]
pub struct Table<'a> {
    text: &'a Arc<SourceText>,
    header: Spot,
    entries: BTreeMap<&'a str, Entry<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    key: Span,
    value: &'a Spanned<DeValue<'a>>,
}

/// Keys that a table may hold.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Those that are read.
    pub known: &'a [&'a str],
    /// Those that a later version will read, and this one must not pass over.
    pub later: &'a [&'a str],
}

/// Reads a text as TOML. Every syntax error becomes a problem; with one, there is no table.
pub fn parse<'a>(
    text: &'a Arc<SourceText>,
    problems: &mut Problems,
) -> Option<Spanned<DeTable<'a>>> {
    let (table, faults) = DeTable::parse_recoverable(text.as_str());
    if faults.is_empty() {
        return Some(table);
    }
    let mut before = None;
    for fault in faults {
        let span =
            fault.span().map_or(Span { start: 0, end: 0 }, |s| Span { start: s.start, end: s.end });
        // Recovery sometimes reports one slip twice.
        if before.replace(span) != Some(span) {
            problems.error(&text.spot(span), format!("not TOML: {}", fault.message()));
        }
    }
    None
}

impl<'a> Table<'a> {
    /// A table of this text. `header` is what to point at when something is missing.
    pub fn new(text: &'a Arc<SourceText>, header: Spot, table: &'a DeTable<'a>) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let span = key.span();
                let key_span = Span { start: span.start, end: span.end };
                (key.get_ref().as_ref(), Entry { key: key_span, value })
            })
            .collect();
        Self { text, header, entries }
    }

    /// What to point at when something is missing.
    pub fn header(&self) -> &Spot {
        &self.header
    }

    /// Whether nothing is left to take.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether this key is there and was not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where this key stands. `None` when it is not there or was taken.
    pub fn key_spot(&self, key: &str) -> Option<Spot> {
        self.entries.get(key).map(|entry| self.text.spot(entry.key))
    }

    /// Drops a key that was complained about elsewhere.
    pub fn discard(&mut self, key: &str) {
        self.entries.remove(key);
    }

    /// Takes a text.
    pub fn text(&mut self, key: &str, problems: &mut Problems) -> Option<Located<String>> {
        let value = self.take(key)?;
        self.as_text(key, value, problems)
    }

    /// Takes a list of texts, which may be empty.
    pub fn texts(
        &mut self,
        key: &str,
        problems: &mut Problems,
    ) -> Option<Located<Vec<Located<String>>>> {
        let value = self.take(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.mistyped(key, value, "a list of texts, such as [\"...\"]", problems);
            return None;
        };
        let read: Vec<_> =
            items.iter().filter_map(|item| self.as_text(key, item, problems)).collect();
        Some(Located { value: read, spot: self.spot_of(value) })
    }

    /// Takes a list of texts, or one text, which stands for a list of one.
    pub fn texts_or_text(
        &mut self,
        key: &str,
        problems: &mut Problems,
    ) -> Option<Located<Vec<Located<String>>>> {
        let entry = self.entries.get(key)?;
        if !entry.value.get_ref().is_str() {
            return self.texts(key, problems);
        }
        let one = self.text(key, problems)?;
        Some(Located { spot: one.spot.clone(), value: vec![one] })
    }

    /// Takes a list of texts, one text, or a TOML date, which stand for a list of one.
    pub fn texts_or_day(
        &mut self,
        key: &str,
        problems: &mut Problems,
    ) -> Option<Located<Vec<Located<String>>>> {
        let entry = self.entries.get(key)?;
        if !entry.value.get_ref().is_datetime() {
            return self.texts_or_text(key, problems);
        }
        let one = self.day(key, problems)?;
        Some(Located { spot: one.spot.clone(), value: vec![one] })
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, key: &str, problems: &mut Problems) -> Option<Located<bool>> {
        let value = self.take(key)?;
        match value.get_ref().as_bool() {
            Some(flag) => Some(Located { value: flag, spot: self.spot_of(value) }),
            None => {
                self.mistyped(key, value, "true or false", problems);
                None
            }
        }
    }

    /// Takes a whole number, zero or more.
    pub fn count(&mut self, key: &str, problems: &mut Problems) -> Option<Located<u64>> {
        let value = self.take(key)?;
        let read = value.get_ref().as_integer().and_then(|integer| {
            u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        match read {
            Some(count) => Some(Located { value: count, spot: self.spot_of(value) }),
            None => {
                self.mistyped(key, value, "a whole number, not below zero", problems);
                None
            }
        }
    }

    /// Takes a day: a text or a TOML date, `2027-01-01`. Its form is not looked at here.
    pub fn day(&mut self, key: &str, problems: &mut Problems) -> Option<Located<String>> {
        let value = self.take(key)?;
        match value.get_ref().as_datetime() {
            Some(date) => Some(Located { value: date.to_string(), spot: self.spot_of(value) }),
            None => self.as_text(key, value, problems),
        }
    }

    /// Takes one of a few words.
    pub fn word<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<Located<T>> {
        let text = self.text(key, problems)?;
        pick(&text, &format!("no such value for `{key}`"), words, problems)
    }

    /// Takes a table.
    pub fn table(&mut self, key: &str, problems: &mut Problems) -> Option<Table<'a>> {
        let header = self.key_spot(key)?;
        let value = self.take(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Table::new(self.text, header, table)),
            None => {
                self.mistyped(key, value, "a table", problems);
                None
            }
        }
    }

    /// Takes a list of tables, `[{ ... }, { ... }]`.
    pub fn tables(
        &mut self,
        key: &str,
        problems: &mut Problems,
    ) -> Option<Located<Vec<Table<'a>>>> {
        let value = self.take(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.mistyped(key, value, "a list of tables, such as [{ ... }]", problems);
            return None;
        };
        let mut read = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => read.push(Table::new(self.text, self.spot_of(item), table)),
                None => self.mistyped(key, item, "a table, such as { ... }", problems),
            }
        }
        Some(Located { value: read, spot: self.spot_of(value) })
    }

    /// The names of all keys that are left, in the order they were written.
    pub fn names(&self) -> Vec<Located<String>> {
        let mut names: Vec<_> = self
            .entries
            .iter()
            .map(|(key, entry)| Located {
                value: (*key).to_owned(),
                spot: self.text.spot(entry.key),
            })
            .collect();
        names.sort_by_key(|name| name.spot.span);
        names
    }

    /// Ends the reading: what is left is a key that nobody knows.
    pub fn finish(self, keys: Keys<'_>, problems: &mut Problems) {
        for name in self.names() {
            let key = &name.value;
            if keys.later.contains(&key.as_str()) {
                problems.push(not_supported(&format!("the key `{key}`")).at(&name.spot));
                continue;
            }
            let known = keys.known.iter().copied();
            problems.push(
                Problem::error(format!("unknown key `{key}`")).at(&name.spot).hint_opt(suggestion(
                    key,
                    "keys here",
                    known,
                )),
            );
        }
    }

    fn take(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    fn spot_of(&self, value: &Spanned<DeValue<'_>>) -> Spot {
        let span = value.span();
        self.text.spot(Span { start: span.start, end: span.end })
    }

    fn as_text(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        problems: &mut Problems,
    ) -> Option<Located<String>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Located { value: text.to_owned(), spot: self.spot_of(value) }),
            None => {
                self.mistyped(key, value, "a text in quotes", problems);
                None
            }
        }
    }

    fn mistyped(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
        problems: &mut Problems,
    ) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        problems.error(&self.spot_of(value), format!("`{key}` takes {wanted}, this is {found}"));
    }
}

/// The value of the word that was written. A problem when it is none of them.
pub fn pick<T: Copy>(
    written: &Located<String>,
    what: &str,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<Located<T>> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == written.value) {
        return Some(Located { value: *value, spot: written.spot.clone() });
    }
    let known = words.iter().map(|(word, _)| *word);
    problems.push(Problem::error(what).at(&written.spot).hint_opt(suggestion(
        &written.value,
        "values",
        known,
    )));
    None
}

/// The problem of a key, kind or value that a later version will know.
pub fn not_supported(what: &str) -> Problem {
    Problem::error(format!("{what} is not supported by this version of portcullis"))
        .hint("take it out, or run a newer portcullis: a rule that is not kept must not stand here")
}
