//! What a report is made of, in the shape in which the page reads it.
//!
//! Compact, since a log may have a hundred thousand entries: words that come again are numbers of a
//! list of words, and rows are arrays. Every text in it is escaped already; the page shows it as
//! text all the same. Pure.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

/// The version of this shape.
pub const VERSION: u32 = 1;

/// A word, by its place in the list.
pub type Word = u32;

/// Words that come again and again, each once.
#[derive(Debug, Default)]
pub struct Lexicon {
    numbers: HashMap<String, Word>,
    words: Vec<String>,
}

impl Lexicon {
    /// The number of a word.
    pub fn number(&mut self, word: &str) -> Word {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = Word::try_from(self.words.len()).unwrap_or(Word::MAX);
        self.numbers.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        number
    }

    /// The numbers of words.
    pub fn numbers<'a>(&mut self, words: impl IntoIterator<Item = &'a String>) -> Vec<Word> {
        words.into_iter().map(|word| self.number(word)).collect()
    }

    /// The words, in the order of their numbers.
    pub fn into_words(self) -> Vec<String> {
        self.words
    }
}

/// An entry: log, number, time in milliseconds, kind, who, answer, what, refs, rules that refused,
/// rules that warned, paths.
pub type Row =
    (usize, u64, i64, Word, Word, Word, String, Vec<Word>, Vec<Word>, Vec<Word>, Vec<Word>);

/// What landed: log, entry, ref, makers, approvers, checks, the first push's entry and time, state.
pub type LandingRow =
    (usize, u64, Word, Vec<Word>, Vec<Word>, Vec<Word>, Option<u64>, Option<i64>, Word);

/// A broken glass and its debt.
#[derive(Debug, Serialize)]
pub struct GlassRow {
    /// Which log.
    pub log: usize,
    /// Its entry.
    pub entry: u64,
    /// The decision it belongs to.
    pub of: Option<u64>,
    /// When.
    pub time: i64,
    /// Who broke it.
    pub who: String,
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: String,
    /// Past which rules.
    pub rules: String,
    /// Why, in their words.
    pub reason: String,
    /// Until when it is to be settled.
    pub due: i64,
    /// Whether the push ever happened, as far as it is known.
    pub stands: bool,
    /// The entry that settles it, when, and how.
    pub settled: Option<(u64, i64, String)>,
}

/// A ref that moved past the gate.
#[derive(Debug, Serialize)]
pub struct DriftRow {
    /// Which log.
    pub log: usize,
    /// Its entry.
    pub entry: u64,
    /// When it was found.
    pub time: i64,
    /// What was found.
    pub what: String,
    /// The entry that accepts it, when, and by whom.
    pub accepted: Option<(u64, i64, String)>,
}

/// Something about the controls themselves, on the time line.
#[derive(Debug, Serialize)]
pub struct ControlRow {
    /// Which log.
    pub log: usize,
    /// Its entry.
    pub entry: u64,
    /// When.
    pub time: i64,
    /// `policy`, `config`, `seal`, `damage`, `pruned`, `clock`, `genesis`.
    pub what: &'static str,
    /// In words, one a line.
    pub tells: Vec<String>,
    /// The SHA-256 of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// One log of a report.
#[derive(Debug, Serialize)]
pub struct LogHead {
    /// Its own name.
    pub name: String,
    /// How it was named.
    pub place: String,
    /// How many entries it has, and the times of the first and the last that were read.
    pub entries: u64,
    /// See `entries`.
    pub from: Option<i64>,
    /// See `entries`.
    pub to: Option<i64>,
    /// What `log verify --root` finds.
    pub proof: Value,
}

/// All that a page shows.
#[derive(Debug, Serialize)]
pub struct Data {
    /// `VERSION`.
    pub v: u32,
    /// When it was made.
    pub made: i64,
    /// By what.
    pub tool: String,
    /// The filters, in words; empty: none.
    pub filters: String,
    /// The logs.
    pub logs: Vec<LogHead>,
    /// The words.
    pub words: Vec<String>,
    /// The entries that fit the filters, by log and number.
    pub rows: Vec<Row>,
    /// What landed by them.
    pub landings: Vec<LandingRow>,
    /// Of all entries: every broken glass.
    pub glasses: Vec<GlassRow>,
    /// Every drift.
    pub drifts: Vec<DriftRow>,
    /// Every policy, look at hooks and settings, seal and damage.
    pub controls: Vec<ControlRow>,
}
