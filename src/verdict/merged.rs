//! A change that landed as Git merged it, because a rule takes that (`moved = "clean-merge"`).

use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::verdict::finding::RuleRef;

/// A rule that is satisfied only because Git's own merge of an approved change counts for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergedByGit {
    /// The rule that took it.
    pub rule: RuleRef,
    /// The merge that landed.
    pub commit: Oid,
    /// The commit that was merged, of which the approved delta is.
    pub of: Oid,
    /// The files whose lines Git merged, sorted.
    pub paths: Vec<RepoPath>,
}
