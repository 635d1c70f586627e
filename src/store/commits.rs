//! Commits that were read already, shared by the walks of a run.

use std::collections::HashMap;
use std::sync::Arc;

use crate::names::oid::Oid;
use crate::store::commit::{Commit, CommitProblem, Links, links_of};
use crate::store::error::StoreError;
use crate::store::objects::{ObjectKind, Objects, read_kind_within};

/// A commit as both readers see it.
#[derive(Debug)]
pub struct ReadCommit {
    /// What Git follows.
    pub links: Links,
    /// The whole commit, or what is wrong with it. Old history may be malformed; what arrives on a
    /// protected ref may not.
    pub commit: Result<Arc<Commit>, CommitProblem>,
    /// How long it is, in bytes.
    pub len_bytes: usize,
}

/// How much memory remembered commits may take, in bytes, roughly.
const CACHE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// What a commit takes beside its own bytes, roughly.
const COMMIT_OVERHEAD_BYTES: usize = 512;

/// Remembers commits.
#[derive(Debug, Default)]
pub struct CommitCache {
    commits: HashMap<Oid, Arc<ReadCommit>>,
    weight_bytes: usize,
    object_bytes_max: Option<usize>,
}

impl CommitCache {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers nothing yet, and reads no commit that is longer than this.
    pub fn within(object_bytes_max: usize) -> Self {
        Self { object_bytes_max: Some(object_bytes_max), ..Self::default() }
    }

    /// Reads a commit, or remembers it.
    ///
    /// # Errors
    /// `Missing`, `WrongKind`, `TooLarge`, `BrokenCommit` when not even Git can read it, and faults
    /// of reading. A commit that is merely malformed is no error.
    pub fn commit(
        &mut self,
        objects: &dyn Objects,
        oid: &Oid,
    ) -> Result<Arc<ReadCommit>, StoreError> {
        if let Some(commit) = self.commits.get(oid) {
            return Ok(Arc::clone(commit));
        }
        let raw = read_kind_within(objects, oid, ObjectKind::Commit, self.object_bytes_max)?;
        let links = links_of(objects.format(), &raw)
            .map_err(|why| StoreError::BrokenCommit { oid: *oid, why })?;
        let commit = Commit::parse(objects.format(), &raw).map(Arc::new);
        let read = Arc::new(ReadCommit { links, commit, len_bytes: raw.len() });
        if self.weight_bytes > CACHE_BYTES_MAX {
            self.commits.clear();
            self.weight_bytes = 0;
        }
        self.weight_bytes += raw.len() + COMMIT_OVERHEAD_BYTES;
        self.commits.insert(*oid, Arc::clone(&read));
        Ok(read)
    }
}
