//! A commit that goes back to an earlier state of its ref (product contract, section 4,
//! `[rollback]`). Made by `gather::rollback`; its trailers are claims, its content decides.

use crate::names::oid::Oid;
use crate::verdict::line::Line;

/// What a commit whose trailers claim a rollback is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rollback {
    /// One: the state is one of this ref's, and the content is that state's.
    To(BackTo),
    /// None, in words that follow `no rollback: `.
    Not(Line),
}

/// Where a rollback goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackTo {
    /// The rollback itself.
    pub commit: Oid,
    /// The state: a value this ref had.
    pub state: Oid,
    /// The decision that gave the ref that value.
    pub entry: u64,
    /// What the rollback leaves: its parent.
    pub left: Oid,
    /// The patterns within which it goes back, as its trailers write them; empty: everywhere.
    pub paths: Vec<String>,
}
