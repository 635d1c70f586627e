//! What a birth lands: the first value of a protected branch, which no rule but `access` judges and
//! of which nobody has said anything.

use std::collections::BTreeSet;

use crate::names::digest::Digest;
use crate::names::path::RepoPath;

/// What the log keeps of a landing that nobody looks at more closely.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Born {
    /// How many commits arrive.
    pub commits: usize,
    /// Every path that one of its steps changes.
    pub paths: BTreeSet<RepoPath>,
    /// The digests of its steps, by either reading: statements with one of them are used up.
    pub digests: BTreeSet<Digest>,
}
