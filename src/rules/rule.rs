//! What a rule is, and what a kind of rule is.
//!
//! `policy` reads what every rule has (`kind`, `refs`, `level`, ...), hands the rest of the table to
//! the kind as a `Body`, and complains about every key that the kind did not take.

use std::fmt::{self, Write as _};

use crate::facts::Motion;
use crate::facts::landing::Step;
use crate::facts::needs::Needs;
use crate::names::moment::Moment;
use crate::names::path::RepoPath;
use crate::roster::Roster;
use crate::rules::remark::{Remark, Seen};
use crate::rules::seats::Seat;
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::verdict::finding::Ruling;

/// How wide an explanation is, in columns.
pub const EXPLAIN_COLUMNS: usize = 78;

/// A rule, compiled. Judging reads facts and nothing else.
pub trait Rule: fmt::Debug + Send + Sync {
    /// What it will ask of a ref update, so that no more is gathered.
    fn needs(&self) -> Needs;

    /// Whether it has nothing to say of whatever is pushed at this moment; then nothing is gathered
    /// for it.
    fn sleeps_at(&self, _moment: Moment) -> bool {
        false
    }

    /// The command that is to be run before it judges; `None`: nothing of the update concerns it.
    fn runs(&self, _view: &View<'_>) -> Option<RunAsk> {
        None
    }

    /// How many seconds its command may take.
    fn seconds(&self) -> Option<u64> {
        None
    }

    /// What it says about one ref update. It cannot fail and cannot wait.
    fn judge(&self, view: &View<'_>) -> Ruling;

    /// The approvals it asks for; none for a rule that asks for none.
    fn seats(&self) -> &[Seat] {
        &[]
    }

    /// The approvals it asks for of this update; of those it always asks for, without a word.
    fn asks(&self, _view: &View<'_>) -> Vec<Seat> {
        self.seats().to_vec()
    }

    /// Whether one person may give several of its approvals, each of which is for something else.
    fn seats_apart(&self) -> bool {
        false
    }

    /// What is to be said of it in the presence of a repository.
    fn against(&self, _seen: &Seen<'_>) -> Vec<Remark> {
        Vec::new()
    }

    /// Whether it is about a change of this path, as far as the path alone tells. `None`: it does not
    /// ask which paths change.
    fn about(&self, _path: &RepoPath) -> Option<bool> {
        None
    }

    /// Whether the rule itself says who may do this to a ref, so that the gate need not.
    fn speaks_of(&self, _motion: &Motion) -> bool {
        false
    }

    /// The steps for which it is satisfied only because Git's own merge counts for it.
    fn by_merge<'f>(&self, _view: &View<'f>) -> Vec<&'f Step> {
        Vec::new()
    }

    /// The methods by which a change may come to a ref, where the rule is about that: the words of
    /// a policy, the one to be preferred first. Empty: any.
    fn methods(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A command that a rule wants to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAsk {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take.
    pub timeout_seconds: u64,
    /// How much address space each of its processes may take.
    pub memory_mib: u64,
    /// Whether the new tree is laid out for it.
    pub tree: bool,
    /// The paths that the rule is about, of those that change.
    pub paths: Vec<RepoPath>,
}

/// A kind of rule, as a policy names it.
pub struct Kind {
    /// What stands behind `kind =`.
    pub name: &'static str,
    /// What it asks for, in one sentence without a full stop.
    pub summary: &'static str,
    /// The whole story; lines indented by four blanks are a policy. Shown by `explanation`.
    pub explain: &'static str,
    /// Its own keys, in the order in which they are told of.
    pub keys: &'static [KeyDoc],
    /// Keys that a later version will read.
    pub keys_later: &'static [&'static str],
    /// Reads a rule of this kind. `None` goes with at least one problem.
    pub compile: fn(&mut Body<'_, '_>, &mut Problems) -> Option<Box<dyn Rule>>,
}

/// One key of a kind.
#[derive(Clone, Copy, Debug)]
pub struct KeyDoc {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What holds without it, as TOML. `None`: see the sentence.
    pub default: Option<&'static str>,
    /// Whether a rule of this kind must have it.
    pub required: bool,
    /// What it says, a sentence without a full stop.
    pub doc: &'static str,
}

impl KeyDoc {
    /// A key that a rule may leave out, and that means nothing then but what `doc` says.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, default: None, required: false, doc }
    }
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Flag,
    /// A whole number, at least 1.
    Count,
    /// A number and a unit, `14d`.
    Duration,
    /// A list of some of these words.
    Words(fn() -> Vec<&'static str>),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// A list of names that the policy's writer chooses.
    Names,
    /// A list of names and `@groups`.
    Party,
    /// A list of path patterns.
    Paths,
    /// A list of ref patterns.
    Refs,
    /// A list of tables `{ approvals, from }`.
    Seats,
    /// The path of a file in the repository.
    Path,
    /// A table of names that stand for a name or `@group` each.
    Parties,
    /// A number and a unit, `5MiB`.
    Size,
    /// A day, or a list of whole names of commits.
    Since,
    /// Regular expressions.
    Regexes,
    /// A text.
    Text,
    /// A list of tables of the kind's own.
    Tables,
    /// The version of the language.
    Version,
    /// A day, `2027-01-31`.
    Day,
    /// A whole number, 0 as well.
    CountOrNone,
    /// One regular expression.
    Regex,
    /// A list of texts.
    Texts,
    /// A list of public keys, as in authorized_keys.
    Keys,
    /// Files of the server, one or several.
    Files,
    /// A list of what a rule passes over.
    Exemptions,
    /// A text that these words describe.
    Said(&'static str),
}

impl Shape {
    /// What it is, in words of Markdown.
    pub fn takes(self) -> String {
        let plain = match self {
            Self::Words(words) => return format!("a list of {}", quoted(&words(), ", ")),
            Self::Word(words) => return quoted(&words(), " or "),
            Self::Flag => "`true` or `false`",
            Self::Count | Self::CountOrNone => "a whole number",
            Self::Duration => "a length of time",
            Self::Names => "a list of names",
            Self::Party => "a list of names and `@groups`",
            Self::Paths => "a list of path patterns",
            Self::Refs => "a list of ref patterns",
            Self::Seats => "a list of tables `{ approvals, from }`",
            Self::Path => "the path of a file in the repository",
            Self::Parties => "a table: a name or `@group` for each key",
            Self::Size => "a size",
            Self::Since => "a day, or a list of whole names of commits",
            Self::Regexes => "a regular expression, or a list of them",
            Self::Text => "a text",
            Self::Tables => "a list of tables",
            Self::Version => "`1`",
            Self::Day => "a day",
            Self::Regex => "a regular expression",
            Self::Texts => "a list of texts",
            Self::Keys => "a list of public keys",
            Self::Files => "a path, or a list of them",
            Self::Exemptions => "a list of tables `{ who, paths, operations }`",
            Self::Said(words) => words,
        };
        plain.to_owned()
    }
}

/// Words as TOML has them, in backticks, the last one behind `last`.
fn quoted(words: &[&str], last: &str) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        let between = if at + 1 == words.len() { last } else { ", " };
        let _ = write!(text, "{}`\"{word}\"`", if at == 0 { "" } else { between });
    }
    text
}

/// What of a rule's table is the kind's own, and what it is read with.
#[derive(Debug)]
pub struct Body<'t, 'a> {
    /// The keys that are left.
    pub table: &'t mut Table<'a>,
    /// Who is who.
    pub roster: &'t Roster,
}

impl Kind {
    /// The names of its keys.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// The whole story and the keys, for `portcullis explain`.
    pub fn explanation(&self) -> String {
        let width = self.keys.iter().map(|key| key.name.len()).max().unwrap_or_default();
        let mut text = format!("{}\nkeys\n", self.explain);
        for key in self.keys {
            let standing = match (key.required, key.default) {
                (true, _) => "; required".to_owned(),
                (false, Some(default)) => format!("; without it {default}"),
                (false, None) => String::new(),
            };
            let words = format!("{}{standing}", key.doc);
            let mut line = format!("  {:width$} ", key.name);
            for word in words.split(' ') {
                if line.len() + 1 + word.len() > EXPLAIN_COLUMNS {
                    text.push_str(&line);
                    text.push('\n');
                    line = " ".repeat(width + 3);
                }
                line.push(' ');
                line.push_str(word);
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kind").field(&self.name).finish()
    }
}
