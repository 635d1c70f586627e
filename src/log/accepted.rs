//! The record of an operator who takes responsibility for drifts.
//!
//! A type of the file, not of the house; see `entry`. It undoes nothing and explains nothing: it says
//! that somebody has looked at what happened past the gate, and who.

use serde::{Deserialize, Serialize};

use crate::log::cut::cut_text;
use crate::log::wire::Text;

/// `accepted`: an operator accepts drifts. Whoever accepts one accepts those of the same ref before
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The entries of the drifts.
    pub of: Vec<u64>,
    /// Their refs, each once.
    pub refs: Vec<Text>,
    /// Why, in the operator's words.
    pub reason: Text,
    /// The account that ran the verb.
    pub by: Text,
}

impl Acceptance {
    /// Keeps so many of each list, and so much of each text.
    pub fn shorten(&mut self, keep: usize, text_bytes: usize) {
        self.of.truncate(keep);
        self.refs.truncate(keep);
        self.refs.iter_mut().for_each(|name| cut_text(name, text_bytes));
        cut_text(&mut self.reason, text_bytes);
        cut_text(&mut self.by, text_bytes);
    }
}
