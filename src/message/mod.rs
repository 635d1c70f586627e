//! A judgement in words: for the pusher's terminal, and for machines.
//!
//! Used by `hook` and `cli`. Nothing is printed here, and nothing is decided: a message cannot hide
//! a finding, it can only say how many it left to the log.

pub mod closing;
mod glass;
pub mod json;
mod landing;
mod layout;
pub mod pusher;
pub mod reader;
pub mod review;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
