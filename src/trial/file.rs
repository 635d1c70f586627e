//! A push as a case tells of it.

use crate::facts::change::FileMode;
use crate::names::moment::Moment;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::source::text::Spot;
use crate::statement::fields::CheckVerdict;

/// A push that nobody has made, and what is expected of it.
#[derive(Clone, Debug)]
pub(super) struct ToldPush {
    /// The words above the case.
    pub(super) case: String,
    /// Its first line.
    pub(super) spot: Spot,
    /// Who pushes.
    pub(super) who: ToldWho,
    /// What the push does to the ref.
    pub(super) deed: Deed,
    /// The ref.
    pub(super) refname: Refname,
    /// What else is told.
    pub(super) told: Told,
    /// The line that says what comes of it.
    pub(super) expected_at: Spot,
    /// What comes of it.
    pub(super) expected: Expected,
}

/// Who pushes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ToldWho {
    /// Somebody of the policy, by name.
    Listed(String),
    /// A login that is nobody's.
    Stranger(String),
    /// Somebody the server cannot name.
    Unnamed,
}

/// What a push does to a ref.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// A merge commit brings in a change.
    Merge,
    /// Commits on the ref itself.
    Commits,
    /// The ref moves to commits that were on the server.
    FastForward,
    /// One commit with the content of a change.
    Squash,
    /// Copies of the commits of a change.
    Rebase,
    /// The ref comes into being.
    Create,
    /// The ref goes back.
    Rewind,
    /// The ref goes away.
    Delete,
}

/// What else is told of a push.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// When it is judged.
    pub(super) at: Option<Moment>,
    /// The branch that HEAD names.
    pub(super) head: Option<Refname>,
    /// What changes.
    pub(super) changes: Vec<ToldChange>,
    /// Who made the change, and whether somebody unknown did.
    pub(super) makers: Option<(Vec<String>, bool)>,
    /// The change was not on the server before.
    pub(super) not_before: bool,
    /// The merge has something of its own.
    pub(super) edited: bool,
    /// Who approved, and how long ago in seconds.
    pub(super) approved: Vec<(String, i64)>,
    /// Who rejected.
    pub(super) rejected: Vec<String>,
    /// Which checks have which word, by whom, and how long ago in seconds.
    pub(super) checks: Vec<(String, CheckVerdict, String, i64)>,
    /// The message of the change.
    pub(super) message: Option<Vec<u8>>,
    /// The author of the change: name and e-mail.
    pub(super) author: Option<(Vec<u8>, Vec<u8>)>,
    /// Its committer.
    pub(super) committer: Option<(Vec<u8>, Vec<u8>)>,
    /// Who signed the commits and tags that arrive.
    pub(super) signed_by: Option<String>,
    /// A tag that is an object of its own.
    pub(super) annotated: bool,
    /// The push itself is signed.
    pub(super) signed_push: bool,
    /// Push options.
    pub(super) options: Vec<Vec<u8>>,
    /// Refs that have had the new value.
    pub(super) had_by: Vec<Refname>,
    /// How many commits arrive.
    pub(super) commits: Option<usize>,
    /// How many other refs the push creates beside this one.
    pub(super) other_refs: usize,
    /// The CODEOWNERS file before the push.
    pub(super) owners: Option<Vec<u8>>,
    /// The commands that rules of kind `run` have run, and whether they were content.
    pub(super) runs: Vec<(String, bool)>,
}

/// What happens to one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ToldChange {
    /// Where.
    pub(super) path: RepoPath,
    /// What stood there.
    pub(super) old: Option<FileMode>,
    /// What stands there.
    pub(super) new: Option<FileMode>,
    /// Whether there is new content.
    pub(super) rewritten: bool,
    /// The new content, where it is told; of a link what it leads to.
    pub(super) content: Option<Vec<u8>>,
    /// How large it is, where only that is told.
    pub(super) size: Option<u64>,
}

/// What comes of a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Expected {
    /// The rules that refuse it, sorted; none: it is accepted.
    pub(super) refused_by: Vec<String>,
    /// The rules that warn, sorted. `None`: whichever do.
    pub(super) warned_by: Option<Vec<String>>,
    /// What its pusher reads, wherever lines break.
    pub(super) says: Vec<String>,
    /// What its pusher does not read.
    pub(super) silent: Vec<String>,
}

impl Expected {
    /// The outcome without what is said, as a case has it.
    pub(super) fn words(&self) -> String {
        outcome_words(&self.refused_by, self.warned_by.as_deref().unwrap_or_default())
    }
}

/// An outcome as a case has it: `refused by x and y, warned by z`.
pub(super) fn outcome_words(refused_by: &[String], warned_by: &[String]) -> String {
    let mut words = match refused_by {
        [] => "accepted".to_owned(),
        rules => format!("refused by {}", rules.join(" and ")),
    };
    if !warned_by.is_empty() {
        words.push_str(&format!(", warned by {}", warned_by.join(" and ")));
    }
    words
}
