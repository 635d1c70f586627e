//! What the verbs do that run in a person's clone: ask the server, look at a delta, sign, push.
//!
//! Used by `review`, `approve`, `reject`, `revoke` and `attest`. Everything goes through the person's own
//! `git` and `ssh-keygen`, so that any transport, agent and hardware key works as it does for them.
//! Nothing here opens a repository in any other way, and nothing here decides: the server does.

pub mod ask;
pub mod back;
pub mod delta;
pub mod doubt;
pub mod draft;
pub mod git;
pub mod key;
pub mod look;
pub mod plain;
pub mod prompt;
pub mod reader;
pub mod send;
pub mod show;
pub mod sign;
pub mod speak;
pub mod target;
#[cfg(test)]
pub(crate) mod testing;
