//! The policies that were in force, by the log: each with the entry that put it on record.

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::entry::{Policy, Record};
use crate::log::posting::Key;
use crate::names::digest::Digest;

/// How many changes of policy are looked through, the newest first.
pub const POLICIES_MAX: usize = 100_000;

impl Log {
    /// The entry that put the policy with this digest on record, and what it says. `None`: no entry
    /// that is there does.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn policy_record(&self, sha256: &Digest) -> Result<Option<(u64, Policy)>, PastError> {
        for posting in self.postings(Key::Policy, POLICIES_MAX)? {
            let entry = self.entry(&posting)?;
            if let Record::Policy(it) = &entry.record
                && it.sha256.0 == *sha256
            {
                return Ok(Some((entry.common.seq, it.clone())));
            }
        }
        Ok(None)
    }
}
