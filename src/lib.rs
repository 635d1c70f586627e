//! Portcullis judges pushes by a written policy and keeps a change log that proves itself.
//!
//! The rooms, in reading order. A room imports only rooms below it; `tests/layers.rs` keeps that.

#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "tests make files and hold results against git")
)]

pub mod answer;
pub mod codeowners;
pub mod facts;
pub mod gather;
pub mod gittuf;
#[expect(clippy::disallowed_methods, reason = "runs as a hook: reads files, the clock and /proc")]
pub mod hook;
pub mod identity;
pub mod infra;
pub mod judge;
#[expect(
    clippy::disallowed_methods,
    reason = "writes and reads the log's folder, waits for its lock"
)]
pub mod log;
pub mod message;
pub mod names;
pub mod openpgp;
pub mod pattern;
pub mod policy;
pub mod push;
pub mod replay;
pub mod roster;
pub mod rules;
pub mod secret;
pub mod source;
pub mod ssh;
pub mod statement;
#[expect(clippy::disallowed_methods, reason = "reads the repository's files and objects")]
pub mod store;
pub mod tlog;
pub mod trial;
pub mod verdict;

#[expect(clippy::disallowed_methods, reason = "verbs read files, write hooks and run git")]
pub mod cli;
