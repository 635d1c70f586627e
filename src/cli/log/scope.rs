//! What `log verify` has checked, and what it could not: a yes says no more than it knows.
//!
//! Pure.

use serde_json::{Value, json};

use crate::log::verify::Report;

/// A part of the truth about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Each line, as far as the log holds together.
    Lines,
    /// What stands behind the first break.
    Rest,
    /// The tree, and the seals in it.
    Tree,
    /// That nothing was cut off.
    End,
    /// Whose signatures stand on the checkpoints.
    Witnesses,
    /// The refs of the repository.
    Refs,
}

impl Part {
    /// For scripts.
    const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Rest => "rest",
            Self::Tree => "tree",
            Self::End => "end",
            Self::Witnesses => "witnesses",
            Self::Refs => "refs",
        }
    }

    /// For people, where it was checked.
    const fn checked(self) -> &'static str {
        match self {
            Self::Lines => "every line, attachment and time",
            Self::Rest => "the lines after it",
            Self::Tree => "the tree and its seals",
            Self::End => "the end, by the checkpoints given",
            Self::Witnesses => "who signed, by those trusted",
            Self::Refs => "the refs of the repository",
        }
    }

    /// For people, where it was not, with what to do about it.
    const fn left(self) -> &'static str {
        match self {
            Self::Lines | Self::Rest => self.checked(),
            Self::Refs => "the refs of the repository (--repo)",
            Self::Tree => "the tree and its seals (--root)",
            Self::End => "whether the end was cut off (--since CHECKPOINT)",
            Self::Witnesses => "who witnessed it (--trust FILE)",
        }
    }
}

/// What was checked of one log, and what was not.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    checked: Vec<Part>,
    left: Vec<Part>,
}

/// What somebody has asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The tree and its seals.
    pub tree: bool,
    /// A checkpoint from elsewhere.
    pub since: bool,
    /// Somebody is trusted.
    pub trust: bool,
    /// The refs of the repository.
    pub repo: bool,
}

impl Scope {
    /// What a report covers. Trees and what stands on them are looked at only where all lines hold
    /// together.
    pub fn of(report: &Report, wanted: Wanted) -> Self {
        let holds = report.broken.is_none();
        let mut scope = Self::default();
        scope.put(Part::Lines, true);
        if !holds {
            scope.put(Part::Rest, false);
        }
        scope.put(Part::Tree, holds && wanted.tree);
        scope.put(Part::End, holds && wanted.since);
        scope.put(Part::Witnesses, holds && wanted.trust);
        scope.put(Part::Refs, holds && wanted.repo);
        scope
    }

    fn put(&mut self, part: Part, checked: bool) {
        if checked { &mut self.checked } else { &mut self.left }.push(part);
    }

    /// The last words to people.
    pub fn lines(&self) -> Vec<String> {
        let list = |parts: &[Part], word: fn(Part) -> &'static str| {
            parts.iter().map(|part| word(*part)).collect::<Vec<_>>().join("; ")
        };
        let mut lines = vec![format!("checked: {}", list(&self.checked, Part::checked))];
        if !self.left.is_empty() {
            lines.push(format!("not checked: {}", list(&self.left, Part::left)));
        }
        lines
    }

    /// The same for scripts.
    pub fn tell(&self, value: &mut Value) {
        let names = |parts: &[Part]| parts.iter().map(|part| part.name()).collect::<Vec<_>>();
        value["checked"] = json!(names(&self.checked));
        value["not_checked"] = json!(names(&self.left));
    }
}
