//! The record of statements that leave the refs because they can never count again.
//!
//! A type of the file, not of the house; see `entry`. It is written, and on the disk, before the
//! first ref goes: like a decision it says what may happen to a ref, and an outcome that names it
//! says what did. So whenever the writer is stopped, the log explains what is found: the ref as
//! it was, or the ref gone.

use serde::{Deserialize, Serialize};

use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// `tidy`: dead statements leave the refs. What became of each is said by outcomes that name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tidy {
    /// Who took them: `post-receive`, or the account that ran the verb.
    pub by: Text,
    /// The refs.
    pub refs: Vec<TidyRef>,
}

/// One ref that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TidyRef {
    /// The ref that carries the statement.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// Its value; another one is left alone.
    pub old: AsText<Oid>,
    /// The statement: the SHA-256 of its signed bytes.
    pub id: AsText<Digest>,
    /// Why it can never count again.
    pub why: Why,
    /// The entry that made it so, where one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<u64>,
}

/// Why a statement can never count again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A landing used it.
    Used,
    /// Its time is over.
    Expired,
    /// It takes back what stood here before, and is there for nothing else.
    Revoked,
    /// What it is about has landed since it was given.
    Landed,
}
