//! The record that declares damage: what the next writer found before its own entry.
//!
//! Field names and their order are part of the log's format, as in `entry`.

use serde::{Deserialize, Serialize};

use crate::log::wire::AsText;
use crate::names::digest::Digest;

/// `recovered`: the writer of this entry found damage before it and declares it. Nothing was cut
/// away; the bytes are still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Where the bytes begin, counted from the start of the log through all its segments.
    pub offset: u64,
    /// How many there are. A line feed that was added to end them is not counted.
    pub length: u64,
    /// Their SHA-256 as they were found.
    pub sha256: AsText<Digest>,
    /// What is wrong with them.
    pub cause: Cause,
    /// The bytes as an attachment, where the disk may not have kept them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub att: Option<AsText<Digest>>,
}

/// What is wrong with a stretch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// They are no whole entry: a writer was stopped in the middle.
    Torn,
    /// They are a whole entry without its line feed, which was added. The entry counts; nobody
    /// was told yes by it.
    Unended,
    /// They are whole, but the system failed to bring them to the disk.
    NotSynced,
}
