//! What can be said of a rule only in the presence of a repository: patterns that match nothing
//! there, owners who are nobody.
//!
//! Asked by `lint --against`; no push is judged by it.

use crate::facts::owners::OwnersFile;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;

/// What a rule is held against.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'s> {
    /// The ref whose value was looked at.
    pub refname: &'s Refname,
    /// Every path of its tree.
    pub paths: &'s [RepoPath],
    /// The CODEOWNERS file that the rule reads, where it reads one.
    pub owners: Option<&'s OwnersFile>,
}

/// Something about a rule that its writer should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Whether something can never land as it stands; else it only comes to less than it seems to.
    pub serious: bool,
    /// What, in one line.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Remark {
    /// Something can never land.
    pub(crate) fn serious(what: String, hint: &str) -> Self {
        Self { serious: true, what, hint: Some(hint.to_owned()) }
    }

    /// Something comes to less than it seems to.
    pub(crate) fn mild(what: String, hint: &str) -> Self {
        Self { serious: false, ..Self::serious(what, hint) }
    }
}
