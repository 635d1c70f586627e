//! The record of entries that were taken away, and of what was kept of them.
//!
//! A type of the file, not of the house; see `entry`. It is written, and on the disk, before the
//! first file goes: a beginning that is gone without it was cut off by somebody.

use serde::{Deserialize, Serialize};

use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;

/// `pruned`: the entries before `first` are taken away, but for what the summary keeps of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// The first entry that stays: the one that a file begins with.
    pub first: u64,
    /// Where that file begins, counted from the start of the log through all files before.
    pub offset: u64,
    /// The `hash` of the entry before it.
    pub after: AsText<Digest>,
    /// How many of the entries before it the summary holds whole.
    pub kept: u64,
    /// The SHA-256 of the summary, unpacked.
    pub summary: AsText<Digest>,
    /// How many entries the checkpoint covers that was published before.
    pub size: u64,
    /// The root of their tree.
    pub root: AsText<Digest>,
    /// The account that ran the verb.
    pub by: Text,
}
