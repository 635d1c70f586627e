//! What every dialect comes to: sections of lines, each with a pattern and owners.

use regex_automata::meta::Regex;
use thiserror::Error;

use crate::codeowners::glob::Glob;
use crate::codeowners::owner::Owner;

/// How many lines with a pattern one file may have.
pub const ENTRIES_MAX: usize = 10_000;

/// How many approvals a section may ask for; more is taken for this many.
pub const APPROVALS_MAX: usize = 50;

/// Why a file cannot be read at all, to follow its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unfit {
    /// It has more than `FILE_BYTES_MAX` bytes.
    #[error("has more than 3 MiB")]
    TooLarge,
    /// It has more than so many lines with a pattern.
    #[error("has more than {0} lines")]
    TooManyLines(usize),
    /// Its expressions together take too much memory.
    #[error("has expressions that together are too complex")]
    TooComplex,
}

/// A file, read.
#[derive(Clone, Debug)]
pub struct Book {
    /// Its sections; GitHub and Gitea know one.
    pub sections: Vec<Section>,
    /// What is wrong with it, in the order of its lines.
    pub flaws: Vec<Flaw>,
    /// Whether all lines of a section that match ask, or the last of them alone.
    pub every_line_asks: bool,
}

/// Lines that ask together.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its name, escaped to be shown; `None` for the lines in front of the first header.
    pub name: Option<String>,
    /// The line of its first header; 0 where it has none.
    pub line: u32,
    /// How many approvals it asks for.
    pub approvals: usize,
    /// Whether it only suggests.
    pub optional: bool,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// What it is not about, whatever its lines say.
    pub exclusions: Vec<(u32, Pattern)>,
}

/// One line with a pattern.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands, from 1.
    pub line: u32,
    /// The pattern as it is written.
    pub written: Vec<u8>,
    /// Which paths it is about.
    pub pattern: Pattern,
    /// Who owns them: its own owners, or those of its section.
    pub owners: Vec<Owner>,
    /// Whether a line without owners is a way to say that nobody has to approve.
    pub may_name_nobody: bool,
}

/// Which paths a line is about.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Those that match.
    Glob(Glob),
    /// Those that match, or those that do not.
    Regex {
        /// The expression, anchored.
        regex: Box<Regex>,
        /// `!` stands in front of it.
        negated: bool,
        /// It matches every path.
        everything: bool,
    },
    /// None.
    Nothing,
    /// Nobody knows: it may have been meant for any.
    Unreadable(&'static str),
}

/// Something wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// Where, from 1.
    pub line: u32,
    /// What.
    pub what: String,
}

/// A line that owns a path: its section and its place there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// Index of the section.
    pub section: usize,
    /// Index of the entry in that section.
    pub entry: usize,
}

impl Book {
    /// A book of one section.
    pub(crate) fn of_one(entries: Vec<Entry>, flaws: Vec<Flaw>, every_line_asks: bool) -> Self {
        let section = Section { approvals: 1, entries, ..Section::default() };
        Self { sections: vec![section], flaws, every_line_asks }
    }

    /// The lines that own a path: of each section the last that matches, or all of them where the
    /// dialect has it so.
    pub fn claims(&self, path: &[u8]) -> Vec<Claim> {
        self.picked(&|pattern| pattern.matches(path))
    }

    /// The lines that own what no narrower line owns: those whose pattern is every path.
    pub fn of_everything(&self) -> Vec<Claim> {
        self.picked(&Pattern::is_everything)
    }

    /// The section and the line of a claim.
    pub fn at(&self, claim: Claim) -> Option<(&Section, &Entry)> {
        let section = self.sections.get(claim.section)?;
        Some((section, section.entries.get(claim.entry)?))
    }

    /// How many lines with a pattern it has.
    pub fn entries(&self) -> usize {
        self.sections.iter().map(|section| section.entries.len()).sum()
    }

    fn picked(&self, picks: &dyn Fn(&Pattern) -> bool) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (at, section) in self.sections.iter().enumerate() {
            if section.exclusions.iter().any(|(_, pattern)| picks(pattern)) {
                continue;
            }
            let matching = section.entries.iter().enumerate().rev();
            let matching = matching.filter(|(_, entry)| picks(&entry.pattern));
            let most = if self.every_line_asks { usize::MAX } else { 1 };
            claims.extend(matching.take(most).map(|(entry, _)| Claim { section: at, entry }));
        }
        claims
    }
}

impl Pattern {
    /// Whether it is about this path.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(path),
            Self::Regex { regex, negated, .. } => regex.is_match(&as_text(path)[..]) != *negated,
            Self::Nothing => false,
            Self::Unreadable(_) => true,
        }
    }

    /// Whether it is about every path.
    pub fn is_everything(&self) -> bool {
        match self {
            Self::Glob(glob) => glob.is_everything(),
            Self::Regex { everything, .. } => *everything,
            Self::Nothing | Self::Unreadable(_) => false,
        }
    }
}

/// A path as Go reads it: each byte that is no part of a character is U+FFFD.
fn as_text(path: &[u8]) -> std::borrow::Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(path) {
        return text.into();
    }
    let mut text = String::with_capacity(path.len() + 8);
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text.into()
}
