//! What can go wrong while looking. All of it refuses the push.

use thiserror::Error;

use crate::facts::past::PastError;
use crate::names::oid::Oid;
use crate::store::error::StoreError;

/// Looking at a push failed: a fault of the server, or a push that is too much to look at.
#[derive(Debug, Error)]
pub enum GatherError {
    /// The repository could not be read.
    #[error("could not read the repository")]
    Store(#[from] StoreError),
    /// The log's index could not be read.
    #[error("could not read the log's past")]
    Past(#[from] PastError),
    /// A named limit was met.
    #[error("the push goes past the limit `{name}` = {limit}")]
    Limit {
        /// The limit's key in `[limits]`.
        name: &'static str,
        /// Its value.
        limit: usize,
    },
    /// A step without commits: a bug, answered with no.
    #[error("a step without commits")]
    NoCommit,
    /// An object that must be there is not.
    #[error("commit {oid} cannot be read: {why}")]
    Commit {
        /// The commit.
        oid: Oid,
        /// What is wrong with it.
        why: String,
    },
}
