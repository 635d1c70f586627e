//! The record of a policy that was judged by for the first time.
//!
//! A type of the file, not of the house; see `entry`.

use serde::{Deserialize, Serialize};

use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;

/// `policy`: judged by for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The digest of the compiled policy, as decisions name it.
    pub sha256: AsText<Digest>,
    /// Its files, in order.
    pub files: Vec<PolicyFile>,
    /// Who was there: the pusher whose push found it, or the operator who installed it.
    pub who: Text,
}

/// One file of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Where it stands: a path, or `git:REPO:REF:PATH`.
    pub place: Text,
    /// Its text, as an attachment.
    pub att: AsText<Digest>,
    /// The text itself. Never in the line; it becomes the attachment.
    #[serde(skip)]
    pub text: Vec<u8>,
}

impl PolicyFile {
    /// A file with this text.
    pub fn new(place: Text, text: Vec<u8>) -> Self {
        Self { place, att: AsText(Digest::of(&text)), text }
    }
}
