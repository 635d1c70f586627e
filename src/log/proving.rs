//! Proofs about a log: that an entry is in it, and that it has only grown.
//!
//! From the tiles where they are there and lead to the root that was signed; else from the whole
//! log. Nothing that comes from a tile is believed before it leads to that root.

use crate::log::disk::Folder;
use crate::log::error::LogError;
use crate::log::keeper::last_checkpoint;
use crate::log::survey::tree;
use crate::log::tiles::shelf;
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::edge::TileNodes;
use crate::tlog::tree::{Nodes, consistency, consistent, includes, inclusion, root_at};

/// A log that proves.
pub struct Prover<'a> {
    folder: &'a Folder,
    /// What was signed last; its tiles are the ones there are.
    last: Option<Checkpoint>,
}

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// The checkpoint is of another log.
    OtherLog,
    /// The log does not have the tree of the checkpoint.
    OtherTree,
    /// The tree has no such entry, or is smaller than what was asked for.
    NotIn,
}

impl<'a> Prover<'a> {
    /// Of this log.
    pub fn new(folder: &'a Folder) -> Result<Self, LogError> {
        let last = last_checkpoint(folder)?.map(|(checkpoint, _)| checkpoint);
        Ok(Self { folder, last })
    }

    /// The path from an entry to the root of a checkpoint.
    pub fn inclusion(
        &self,
        index: u64,
        signed: &Checkpoint,
    ) -> Result<Result<Vec<Digest>, Unproven>, LogError> {
        self.ask(signed, &|nodes| {
            let path = inclusion(nodes, index, signed.size)?;
            let leaf = nodes.node(0, index)?;
            includes(&signed.root, signed.size, index, &leaf, &path).then_some(path)
        })
    }

    /// The proof that the tree of the first `old` entries is the beginning of a checkpoint's.
    pub fn consistency(
        &self,
        old: u64,
        signed: &Checkpoint,
    ) -> Result<Result<Vec<Digest>, Unproven>, LogError> {
        self.ask(signed, &|nodes| {
            let path = consistency(nodes, old, signed.size)?;
            let root = root_at(nodes, old)?;
            consistent((old, &root), (signed.size, &signed.root), &path).then_some(path)
        })
    }

    fn ask(
        &self,
        signed: &Checkpoint,
        question: &dyn Fn(&dyn Nodes) -> Option<Vec<Digest>>,
    ) -> Result<Result<Vec<Digest>, Unproven>, LogError> {
        if let Some(last) = self.last.as_ref().filter(|last| last.origin == signed.origin) {
            let shelf = shelf(self.folder);
            if let Some(path) = question(&TileNodes::new(last.size, &shelf)) {
                return Ok(Ok(path));
            }
        }
        let (survey, whole) = tree(self.folder.dir())?;
        if survey.checkpoint.origin != signed.origin {
            return Ok(Err(Unproven::OtherLog));
        }
        if root_at(&whole, signed.size) != Some(signed.root) {
            return Ok(Err(Unproven::OtherTree));
        }
        Ok(question(&whole).ok_or(Unproven::NotIn))
    }
}
