//! Reads a repository: objects, refs, commits, trees, deltas, ranges and merges.
//!
//! Everything stands on the trait `objects::Objects`; `open` makes the one implementation there is:
//! objects by libgit2, refs by the trait `refs::Refs`, as files or, through git, as tables.
//! Nothing here writes into the repository: what has to be computed lives in memory. Nothing here
//! knows a policy.

mod alternates;
mod catfile;
pub mod commit;
pub mod commits;
mod databases;
pub mod delta;
pub mod error;
mod gitname;
pub mod gitstore;
pub mod ident;
mod libgit2;
pub mod merge;
pub mod mergesize;
pub mod objects;
pub mod open;
mod packed;
mod plumbing;
pub mod range;
pub mod reffiles;
mod reflist;
pub mod refs;
mod reftables;
mod settings;
#[doc(hidden)]
pub mod table;
pub mod tag;
#[cfg(test)]
pub(crate) mod testing;
pub mod trailer;
pub mod tree;
mod view;
