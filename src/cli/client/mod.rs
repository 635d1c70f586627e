//! What the verbs do that run in a person's clone: ask the server, look at a delta, sign, push.
//!
//! Used by `review`, `approve`, `reject` and `revoke`. Everything goes through the person's own
//! `git` and `ssh-keygen`, so that any transport, agent and hardware key works as it does for them.
//! Nothing here opens a repository in any other way, and nothing here decides: the server does.

pub mod ask;
pub mod back;
pub mod delta;
pub mod draft;
pub mod git;
pub mod key;
pub mod plain;
pub mod prompt;
pub mod render;
pub mod send;
pub mod show;
pub mod sign;
pub mod target;
