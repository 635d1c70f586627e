//! What a new policy changes, by the tables of its texts.
//!
//! Pure. Texts are taken as TOML and not compiled: an old log may hold policies that this version
//! reads no more.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::names::escape::escape;

/// The tables that hold tables with names.
const NAMED: [&str; 3] = ["rule", "people", "groups"];

/// How many changes are named.
const NAMED_MAX: usize = 24;

/// The parts of a policy, each by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts(BTreeMap<String, Value>);

impl Parts {
    /// The parts of these texts. A text that is no TOML is one part.
    pub fn of<'a>(texts: impl Iterator<Item = (usize, &'a [u8])>) -> Self {
        let mut parts = BTreeMap::new();
        for (at, text) in texts {
            let table = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Table>().ok());
            let Some(table) = table else {
                let name = format!("file {}", at + 1);
                parts.insert(name, Value::String(escape(text)));
                continue;
            };
            for (key, value) in table {
                let is_named = NAMED.contains(&key.as_str());
                if let (true, Value::Table(inner)) = (is_named, &value) {
                    let named = inner.iter();
                    parts.extend(
                        named.map(|(name, value)| (format!("{key}.{name}"), value.clone())),
                    );
                } else if at == 0 {
                    parts.insert(key, value);
                } else {
                    // Several files may hold one of these; names of rules and people stand once.
                    parts.insert(format!("{key} in file {}", at + 1), value);
                }
            }
        }
        Self(parts)
    }

    /// What differs from the policy before: `+` new, `-` gone, `~` changed.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for (name, value) in &self.0 {
            match before.0.get(name) {
                None => told.push(format!("+ {}", escape(name.as_bytes()))),
                Some(old) if old != value => told.push(format!("~ {}", escape(name.as_bytes()))),
                Some(_) => {}
            }
        }
        let gone = before.0.keys().filter(|name| !self.0.contains_key(*name));
        told.extend(gone.map(|name| format!("- {}", escape(name.as_bytes()))));
        let more = told.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            told.truncate(NAMED_MAX);
            told.push(format!("and {more} more"));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        Parts::of(std::iter::once((0, text.as_bytes())))
    }

    #[test]
    fn a_change_is_told_by_the_name_of_its_table() {
        let before = parts("version = 1\n[rule.a]\nkind='merge'\n[rule.b]\nkind='access'\n");
        let now = parts("version = 1\n[rule.b]\nkind='merge'\n[people.eve]\n[limits]\nfiles=1\n");
        let told = now.since(&before);
        assert_eq!(told, ["+ limits", "+ people.eve", "~ rule.b", "- rule.a"]);
        assert!(now.since(&now).is_empty());
        assert_eq!(parts("no toml").since(&Parts::default()), ["+ file 1"]);
    }
}
