//! What rules that judge single commits share: `merges`, what was found wrong with which, and the
//! command that makes it right.

use crate::facts::arrival::{Arrival, Arrivals};
use crate::rules::rule::{KeyDoc, Shape};
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// How many faults are told one by one.
const TOLD_MAX: usize = 6;

/// The key that says what becomes of merges.
pub(crate) const MERGES: KeyDoc = KeyDoc {
    name: "merges",
    shape: Shape::Word(merges_names),
    default: Some("\"judge\""),
    required: false,
    doc: "\"judge\": merges are held to this like any commit; \"pass\": they are passed over, and \
          so is whatever somebody writes into one",
};

/// What becomes of merges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Merges {
    /// They are judged.
    #[default]
    Judge,
    /// They are not.
    Pass,
}

const MERGES_WORDS: &[(&str, Merges)] = &[("judge", Merges::Judge), ("pass", Merges::Pass)];

fn merges_names() -> Vec<&'static str> {
    MERGES_WORDS.iter().map(|(name, _)| *name).collect()
}

impl Merges {
    /// Reads the key.
    pub(crate) fn read(table: &mut Table<'_>, problems: &mut Problems) -> Self {
        let word = table.word(MERGES.name, MERGES_WORDS, problems);
        word.map(|word| word.value).unwrap_or_default()
    }

    /// Whether a commit is passed over.
    pub(crate) fn pass(self, commit: &Arrival) -> bool {
        self == Self::Pass && commit.is_merge()
    }
}

/// How the commits that are at fault are made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anew {
    /// By hand, in an editor.
    Reword,
    /// By `git commit --amend` with these options, alone or in a rebase.
    Amend(&'static str),
}

/// Something wrong with a commit, and how it is made right.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    /// What, to follow the commit's name.
    pub(crate) why: Line,
    /// How.
    pub(crate) anew: Anew,
}

/// The faults of each commit that has any.
pub(crate) type Faulty<'f> = Vec<(&'f Arrival, Vec<Wrong>)>;

/// What a rule says of commits of which some are at fault. `one` and `many` follow their number.
pub(crate) fn ruling(
    found: &Arrivals,
    faulty: &Faulty<'_>,
    one: &'static str,
    many: &'static str,
) -> Ruling {
    let Some(((first, _), bad)) = faulty.first().map(|first| (first, faulty.len())) else {
        return Ruling::default();
    };
    let what = match (found.count, bad) {
        (1, _) => Line::new("the commit ").text(one),
        (all, 1) => Line::new(format!("1 of {all} commits ")).text(one),
        (all, bad) => Line::new(format!("{bad} of {all} commits ")).text(many),
    };
    let mut objection = Objection::new(what);
    let all = faulty.iter().flat_map(|(commit, wrong)| {
        wrong.iter().enumerate().map(move |(at, wrong)| (commit, at, wrong))
    });
    for (commit, at, wrong) in all.clone().take(TOLD_MAX) {
        let line = Line::new("").oid(commit.oid).text(" ");
        // Which commit it is, is told once.
        let line = if at == 0 { line.quoted(&commit.subject).text(" ") } else { line };
        objection = objection.detail(line.line(&wrong.why));
    }
    if let Some(more @ 1..) = all.clone().count().checked_sub(TOLD_MAX) {
        objection = objection.detail(Line::new(format!("and {more} more")));
    }
    let mut told: Vec<Anew> = Vec::new();
    for (_, _, wrong) in all {
        if !told.contains(&wrong.anew) {
            told.push(wrong.anew);
        }
    }
    let alone = bad == 1 && found.last == Some(first.oid);
    for anew in told {
        objection = objection.hint(hint(found, alone, anew));
    }
    Ruling { objections: vec![objection], notes: Vec::new() }
}

/// The command that makes the commits anew.
fn hint(found: &Arrivals, alone: bool, anew: Anew) -> Hint {
    let options = match anew {
        Anew::Reword => String::new(),
        Anew::Amend(options) => format!(" --no-edit {options}"),
    };
    if alone {
        let command = format!("git commit --amend{options}");
        return Hint::run(Line::new("make it anew and push again"), Line::new(command));
    }
    let rebase = if found.has_merges { "git rebase -r " } else { "git rebase " };
    let command = match anew {
        Anew::Reword => Line::new(rebase).text("-i "),
        Anew::Amend(_) => Line::new(rebase).text(format!("--exec 'git commit --amend{options}' ")),
    };
    let command = match found.base {
        Some(base) => command.oid(base),
        None => command.text("--root"),
    };
    let text = match anew {
        Anew::Reword => "make them anew, with `reword` for each, and push again",
        Anew::Amend(_) => "make them anew and push again",
    };
    Hint::run(Line::new(text), command)
}
