//! Reads a repository: objects, refs, commits, trees, deltas, ranges and merges.
//!
//! Everything stands on the trait `objects::Objects`; `open` makes the one implementation there is.
//! Nothing here writes into the repository: what has to be computed lives in memory. Nothing here
//! knows a policy.

pub mod commit;
pub mod commits;
pub mod delta;
pub mod error;
mod gitname;
pub mod gitstore;
pub mod merge;
pub mod objects;
pub mod open;
pub mod range;
mod refs;
pub mod tag;
#[cfg(test)]
pub(crate) mod testing;
pub mod trailer;
pub mod tree;
mod view;
