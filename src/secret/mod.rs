//! What must not lie in a repository: keys, tokens, passwords and state files, told by the name of
//! a file and by what is in it.
//!
//! Used by `gather`, which hands in bytes, and by the rule `secrets`. Nothing here reads a
//! repository. What is found is told by its kind and its line; no part of the secret itself is ever
//! kept, only a digest by which the same secret is known again.
//!
//! Invariant: looking takes time in proportion to the bytes looked at, whatever they are.

pub mod documents;
pub mod forms;
pub mod kinds;
pub mod names;
pub mod scan;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
