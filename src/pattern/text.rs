//! Regular expressions over bytes that a pusher chose: found anywhere, in time linear in the text,
//! within a bound on memory.
//!
//! `^` and `$` are the ends of a line, `\A` and `\z` those of the text; `.` is any byte but a line
//! feed, and `\w`, `\d`, `\s` are ASCII. No text is too crooked to be looked at: what is no UTF-8
//! cannot hide a word from a pattern that refuses it.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;
use crate::source::text::Located;

/// How long one pattern may be, in bytes.
pub const TEXT_PATTERN_BYTES_MAX: usize = 1000;

/// How many patterns one key may hold.
pub const TEXT_PATTERNS_MAX: usize = 64;

/// How much memory one pattern may take, in bytes.
const MEMORY_MAX: usize = 1024 * 1024;

/// A regular expression, and how it was written.
#[derive(Clone, Debug)]
pub struct TextPattern {
    written: String,
    regex: Regex,
}

impl TextPattern {
    /// Reads one. The error says why it cannot be used, as a sentence.
    pub fn parse(written: &str) -> Result<Self, String> {
        if written.len() > TEXT_PATTERN_BYTES_MAX {
            return Err(format!("it is longer than {TEXT_PATTERN_BYTES_MAX} bytes"));
        }
        let regex = Regex::builder()
            .configure(Regex::config().nfa_size_limit(Some(MEMORY_MAX)).utf8_empty(false))
            .syntax(syntax::Config::new().unicode(false).utf8(false).multi_line(true))
            .build(written)
            .map_err(|error| match error.syntax_error() {
                Some(_) => "it is not well-formed".to_owned(),
                None => "it takes too much memory".to_owned(),
            })?;
        Ok(Self { written: written.to_owned(), regex })
    }

    /// Whether it finds its match anywhere.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The pattern as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }
}

/// What a key that holds patterns asks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every pattern finds its match.
    Match,
    /// None does.
    NoMatch,
}

/// Reads a key that holds one pattern or a list of them; none without it. What is wrong is told and
/// left out.
pub fn read(
    table: &mut Table<'_>,
    key: &'static str,
    wanted: Wanted,
    problems: &mut Problems,
) -> Vec<TextPattern> {
    let Some(list) = table.texts_or_text(key, problems) else { return Vec::new() };
    if list.value.is_empty() {
        let hint = "write some, or take the key out";
        problems.error_hint(&list.spot, format!("`{key}` is empty"), hint);
    }
    if list.value.len() > TEXT_PATTERNS_MAX {
        problems.error(&list.spot, format!("more than {TEXT_PATTERNS_MAX} patterns in `{key}`"));
        return Vec::new();
    }
    let each = list.value.iter().filter_map(|written| one(written, key, wanted, problems));
    each.collect()
}

/// Reads one pattern of a key.
pub fn one(
    written: &Located<String>,
    key: &str,
    wanted: Wanted,
    problems: &mut Problems,
) -> Option<TextPattern> {
    let pattern = match TextPattern::parse(&written.value) {
        Ok(pattern) => pattern,
        Err(why) => {
            let hint = "a regular expression over bytes, such as '^OPS-[0-9]+: '";
            problems.error_hint(&written.spot, format!("`{key}` cannot be used: {why}"), hint);
            return None;
        }
    };
    if pattern.matches(b"") {
        let told = match wanted {
            Wanted::Match => Problem::warning("every text matches this, so it asks for nothing"),
            Wanted::NoMatch => Problem::error("every text matches this, so nothing could pass"),
        };
        problems.push(told.at(&written.spot).hint("take it out, or say more"));
    }
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::TextPattern;

    fn finds(pattern: &str, text: &[u8]) -> bool {
        TextPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(text))
    }

    #[test]
    fn patterns_go_by_lines_and_bytes() {
        assert!(finds("^OPS-[0-9]+$", b"subject\n\nOPS-42\n"));
        assert!(!finds(r"\AOPS-", b"subject\n\nOPS-42\n"));
        assert!(finds("secret.*word", b"secret \xff\xfe word"));
        assert!(finds("(?i)wip", b"WIP"));
        assert!(finds("größer", "ist größer".as_bytes()));
        assert!(!finds("a.b", b"a\nb"));
    }

    #[test]
    fn no_pattern_takes_more_than_its_share() {
        for greedy in ["(", "a{1000}{1000}{1000}", &"a".repeat(1001)] {
            assert!(TextPattern::parse(greedy).is_err(), "{greedy:.20}");
        }
        // Linear time, where a backtracking matcher would take for ever.
        assert!(!finds("^(a+)+$", format!("{}!", "a".repeat(60_000)).as_bytes()));
    }
}
