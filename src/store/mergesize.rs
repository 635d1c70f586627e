//! How much making a merge again would take, looked at before it is made.
//!
//! Whoever merges whole trees (libgit2, git) lists every path in which a side differs from the base,
//! and reads what may have been renamed. A dozen objects can stand for ten thousand million paths,
//! and a file of a few kilobytes for gigabytes; our own walk stops at limits, so it goes first.

use crate::facts::change::{Delta, FileMode, Side};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::store::commits::CommitCache;
use crate::store::delta::{DeltaLimits, TreeCache, WhichLimit, delta};
use crate::store::error::StoreError;
use crate::store::objects::{CONFLICTS_MAX, ObjectKind, Objects};

/// How many lines a file may have for them to be merged: each takes some 70 bytes a version,
/// however short it is.
pub const MERGED_LINES_MAX: usize = 500_000;

/// Files smaller than this have fewer lines in any case.
const LINES_COUNTED_FROM_BYTES: u64 = MERGED_LINES_MAX as u64;

/// How much a merge may take to be made again.
#[derive(Clone, Copy, Debug)]
pub struct MergeLimits {
    /// Parents of it.
    pub parents_max: usize,
    /// Best common ancestors of two parents.
    pub bases_max: usize,
    /// What each side changed since such a base.
    pub delta: DeltaLimits,
    /// Bytes of a file whose lines are merged.
    pub file_bytes_max: u64,
}

/// A limit that keeps a merge from being made again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooMuch {
    /// `parents_max`.
    Parents,
    /// `bases_max`.
    Bases,
    /// One of `delta`.
    Delta(WhichLimit),
}

/// What a merge would take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MergeSize {
    /// It can be made. Renames are looked for only where no file is too large to be compared.
    Fits {
        /// Whether they are.
        renames: bool,
    },
    /// It is not made.
    TooMuch(TooMuch),
    /// Files that both sides changed and that are too large to be merged line by line: to Git's own
    /// mind they are settled by somebody.
    Conflict(Vec<RepoPath>),
}

/// Looks at what merging these commits would take, the first being the one merged into.
///
/// # Errors
/// Faults of reading.
pub fn merge_size(
    objects: &dyn Objects,
    commits: &mut CommitCache,
    trees: &mut TreeCache,
    parents: &[Oid],
    limits: &MergeLimits,
) -> Result<MergeSize, StoreError> {
    if parents.len() > limits.parents_max {
        return Ok(MergeSize::TooMuch(TooMuch::Parents));
    }
    let mut look = Look { objects, commits, trees, limits, renames: true, large: Vec::new() };
    let Some((first, others)) = parents.split_first() else {
        return Ok(MergeSize::Fits { renames: true });
    };
    let mut pairs: Vec<(Oid, Oid)> = others.iter().map(|other| (*first, *other)).collect();
    let pairs_max = limits.parents_max.saturating_add(limits.bases_max * limits.bases_max);
    let mut at = 0;
    while let Some((ours, theirs)) = pairs.get(at).copied() {
        at += 1;
        let bases = objects.merge_bases(&ours, &theirs)?;
        if bases.len() > limits.bases_max || at > pairs_max {
            return Ok(MergeSize::TooMuch(TooMuch::Bases));
        }
        if let Some(cut) = look.sides(&bases, [&ours, &theirs])? {
            return Ok(MergeSize::TooMuch(TooMuch::Delta(cut)));
        }
        // Several bases are merged themselves first.
        if let Some((first, more)) = bases.split_first() {
            pairs.extend(more.iter().map(|other| (*first, *other)));
        }
    }
    let Look { renames, mut large, .. } = look;
    if large.is_empty() {
        return Ok(MergeSize::Fits { renames });
    }
    large.sort();
    large.dedup();
    large.truncate(CONFLICTS_MAX);
    Ok(MergeSize::Conflict(large))
}

/// Whether the lines of these files are too many, or too long, to be merged.
pub(super) fn is_too_large(
    objects: &dyn Objects,
    files: &[&Oid],
    bytes_max: u64,
) -> Result<bool, StoreError> {
    for oid in files {
        let Some((ObjectKind::Blob, size)) = objects.header(oid)? else { continue };
        if size > bytes_max {
            return Ok(true);
        }
        if size > LINES_COUNTED_FROM_BYTES
            && let Some((_, bytes)) = objects.read(oid)?
            && bytes.iter().filter(|byte| **byte == b'\n').count() > MERGED_LINES_MAX
        {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Look<'l> {
    objects: &'l dyn Objects,
    commits: &'l mut CommitCache,
    trees: &'l mut TreeCache,
    limits: &'l MergeLimits,
    renames: bool,
    large: Vec<RepoPath>,
}

impl Look<'_> {
    /// What two commits changed since each of their bases; since nothing where there is none.
    fn sides(&mut self, bases: &[Oid], sides: [&Oid; 2]) -> Result<Option<WhichLimit>, StoreError> {
        let bases: Vec<Option<Oid>> = match bases {
            [] => vec![None],
            some => some.iter().map(|base| Some(*base)).collect(),
        };
        for base in bases {
            let base = base.map(|oid| self.tree_of(&oid)).transpose()?;
            let mut deltas = Vec::with_capacity(2);
            for side in sides {
                let tree = self.tree_of(side)?;
                let walk = delta(self.objects, self.trees, base, Some(tree), self.limits.delta)?;
                if walk.cut.is_some() {
                    return Ok(walk.cut);
                }
                deltas.push(walk.delta);
            }
            if let [ours, theirs] = deltas.as_slice() {
                self.large_files(ours, theirs)?;
            }
        }
        Ok(None)
    }

    fn tree_of(&mut self, commit: &Oid) -> Result<Oid, StoreError> {
        Ok(self.commits.commit(self.objects, commit)?.links.tree)
    }

    fn large_files(&mut self, ours: &Delta, theirs: &Delta) -> Result<(), StoreError> {
        let bytes_max = self.limits.file_bytes_max;
        for change in ours.changes() {
            let twin = theirs.changes().binary_search_by(|other| other.path.cmp(&change.path));
            let Some(twin) = twin.ok().and_then(|at| theirs.changes().get(at)) else { continue };
            let versions = [change.old, change.new, twin.new];
            let [_, Some(one), Some(other)] = versions else { continue };
            let files: Vec<&Oid> = versions.iter().flatten().map(|side| &side.oid).collect();
            if one != other && is_too_large(self.objects, &files, bytes_max)? {
                self.large.push(change.path.clone());
            }
        }
        for side in [ours, theirs] {
            self.renames = self.renames && !self.compares_large(side)?;
        }
        Ok(())
    }

    /// Whether looking for renames would read a file that is too large: one that came, where
    /// another went.
    fn compares_large(&self, delta: &Delta) -> Result<bool, StoreError> {
        let lone = |one: Option<Side>, other: Option<Side>| {
            one.filter(|side| other.is_none() && side.mode != FileMode::Gitlink)
        };
        let came = || delta.changes().iter().filter_map(|c| lone(c.new, c.old));
        let gone = || delta.changes().iter().filter_map(|c| lone(c.old, c.new));
        if came().next().is_none() || gone().next().is_none() {
            return Ok(false);
        }
        for side in came().chain(gone()) {
            let header = self.objects.header(&side.oid)?;
            if header.is_some_and(|(_, size)| size > self.limits.file_bytes_max) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
