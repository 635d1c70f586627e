//! What can go wrong while history is replayed.

use thiserror::Error;

use crate::facts::past::PastError;
use crate::gather::error::GatherError;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::store::error::StoreError;

/// The history could not be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The repository could not be read.
    #[error("could not read the repository")]
    Store(#[from] StoreError),
    /// A step could not be looked at, for a reason that is not the step's own.
    #[error("could not look at the step that ends at {}", commit.short())]
    Step {
        /// The commit.
        commit: Oid,
        /// What went wrong.
        source: GatherError,
    },
    /// A commit of the chain could not be read.
    #[error("could not follow the history")]
    Chain(#[source] GatherError),
    /// The replay's own empty log failed: a bug, since it is a map in memory.
    #[error("could not ask the log")]
    Past(#[from] PastError),
    /// There is no such ref.
    #[error("there is no ref {name}")]
    NoRef {
        /// The ref.
        name: Refname,
    },
    /// The ref does not lead to a commit.
    #[error("{name} does not lead to a commit")]
    NoCommit {
        /// The ref.
        name: Refname,
    },
    /// HEAD names no branch, so there is no default one.
    #[error("HEAD names no branch")]
    NoDefault,
}
