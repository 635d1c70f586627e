//! Which files are infrastructure: by their path, and by what is in them.
//!
//! Used by `gather`, which hands in path bytes and blob bytes, and by whatever compiles or explains
//! `infra = [...]` of a policy. Nothing here reads a repository.
//!
//! Invariant: detection widens, never narrows. What cannot be read (too large, not UTF-8, not
//! parseable) is held to be what it might be; what a path has matched, no content takes back.

pub mod content;
mod glob;
mod key;
pub mod kinds;
pub mod mark;
pub mod paths;
mod raw;
pub mod set;
mod shape;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
