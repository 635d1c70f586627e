//! Whether a merge is nothing but a merge: does its tree equal what merging its parents gives?
//!
//! Three ways to know. The quick one walks base, ours, theirs and the merge's own tree together and
//! passes over what is equal, so its cost is that of the change; it applies the rule of three to
//! each entry and merges lines only where both sides changed one file. It says "equal" or nothing:
//! whatever is doubtful (several merge bases, renames, a file against a folder, odd trees) goes to
//! the second way, recomputing the whole merge (`Objects::merged_tree`), and what that does not
//! find equal to the third, the git program, with which the merge was most likely made.
//!
//! Any one is enough: in all three, every entry of the merge comes from one of its sides or from
//! merging their lines, so it adds nothing of its own. A merge that differs is no accusation: it
//! may hold a conflict honestly resolved, or the work of another merge strategy.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::facts::change::{Delta, FileMode};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::store::commits::CommitCache;
use crate::store::delta::{DeltaLimits, TreeCache, delta};
use crate::store::error::StoreError;
use crate::store::mergesize::{MergeLimits, MergeSize, TooMuch, is_too_large, merge_size};
use crate::store::objects::{Merged, Objects};
use crate::store::tree::{Entry, EntryMode, Tree, compare};

/// How many folders the quick way enters before it leaves the merge to the other one.
const FOLDERS_MAX: usize = 100_000;

/// What became of recomputing a merge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MergeCheck {
    /// The tree is what merging gives.
    Equal,
    /// Merging gives another tree.
    Differs(Extras),
    /// Merging these parents has conflicts, so whatever stands in the tree was decided by someone.
    Conflict(Vec<RepoPath>),
    /// There are fewer than two parents.
    NotAMerge,
    /// Making it again would take more than it may.
    TooMuch(TooMuch),
}

/// What a merge's tree has that merging does not give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extras {
    /// From the recomputed tree to the real one, at most `EXTRAS_MAX` entries.
    pub delta: Delta,
    /// Whether there are more.
    pub cut: bool,
}

/// How many extras are listed: for a person, not for judging.
pub const EXTRAS_MAX: usize = 10;

/// Checks a merge commit against its own parents.
///
/// # Errors
/// Faults of reading; what the merge is or is not comes back as a value.
pub fn merge_equals(
    objects: &dyn Objects,
    commits: &mut CommitCache,
    trees: &mut TreeCache,
    merge: &Oid,
    limits: &MergeLimits,
) -> Result<MergeCheck, StoreError> {
    let merge = commits.commit(objects, merge)?;
    tree_equals_merge(objects, commits, trees, (&merge.links.parents, &merge.links.tree), limits)
}

/// Checks a tree against merging these commits, the first being the one merged into. For commits
/// that are no merges but stand for one (a squash, a rebase).
///
/// # Errors
/// As `merge_equals`.
pub fn tree_equals_merge(
    objects: &dyn Objects,
    commits: &mut CommitCache,
    trees: &mut TreeCache,
    (parents, tree): (&[Oid], &Oid),
    limits: &MergeLimits,
) -> Result<MergeCheck, StoreError> {
    if parents.len() < 2 {
        return Ok(MergeCheck::NotAMerge);
    }
    if parents.len() > limits.parents_max {
        return Ok(MergeCheck::TooMuch(TooMuch::Parents));
    }
    if let [ours, theirs] = parents
        && is_plainly_equal(objects, commits, trees, ([ours, theirs], tree), limits)?
    {
        return Ok(MergeCheck::Equal);
    }
    let renames = match merge_size(objects, commits, trees, parents, limits)? {
        MergeSize::Fits { renames } => renames,
        MergeSize::TooMuch(what) => return Ok(MergeCheck::TooMuch(what)),
        MergeSize::Conflict(paths) => return Ok(MergeCheck::Conflict(paths)),
    };
    let recomputed = objects.merged_tree(parents, renames);
    if matches!(&recomputed, Ok(Merged::Clean(merged)) if merged == tree) {
        return Ok(MergeCheck::Equal);
    }
    // Also after an error: libgit2 gives up on commits that git reads.
    if let [ours, theirs] = parents
        && renames
        && objects.merged_tree_by_git(ours, theirs)? == Some(Merged::Clean(*tree))
    {
        return Ok(MergeCheck::Equal);
    }
    match recomputed? {
        Merged::Clean(merged) => Ok(MergeCheck::Differs(extras(objects, trees, merged, *tree)?)),
        Merged::Conflict(paths) => Ok(MergeCheck::Conflict(paths)),
    }
}

/// The first few paths in which a tree differs from the recomputed one.
fn extras(
    objects: &dyn Objects,
    trees: &mut TreeCache,
    merged: Oid,
    tree: Oid,
) -> Result<Extras, StoreError> {
    let limits = DeltaLimits { entries_max: EXTRAS_MAX * 10, ..DeltaLimits::JUDGING };
    let walk = delta(objects, trees, Some(merged), Some(tree), limits)?;
    let changes = walk.delta.changes();
    let cut = walk.cut.is_some() || changes.len() > EXTRAS_MAX;
    let listed = changes.iter().take(EXTRAS_MAX).cloned().collect();
    Ok(Extras { delta: Delta::new(objects.format(), listed), cut })
}

/// The quick way. `false` means "not known to be equal".
fn is_plainly_equal(
    objects: &dyn Objects,
    commits: &mut CommitCache,
    trees: &mut TreeCache,
    ([ours, theirs], tree): ([&Oid; 2], &Oid),
    limits: &MergeLimits,
) -> Result<bool, StoreError> {
    let base = match objects.merge_bases(ours, theirs)?.as_slice() {
        [] => None,
        [base] => Some(commits.commit(objects, base)?.links.tree),
        // The base would itself have to be merged.
        _ => return Ok(false),
    };
    let ours = commits.commit(objects, ours)?.links.tree;
    let theirs = commits.commit(objects, theirs)?.links.tree;
    let mut walk = Walk { objects, trees, stack: Vec::new(), entered: 0, limits };
    let root = |oid: Oid| Some(Content { mode: EntryMode::Folder, oid });
    let top = Four {
        base: base.and_then(root),
        ours: root(ours),
        theirs: root(theirs),
        result: root(*tree),
    };
    Ok(walk.judge(top)? && walk.run()?)
}

/// One thing on each of the four sides.
#[derive(Clone, Copy, Debug)]
struct Four<T> {
    base: T,
    ours: T,
    theirs: T,
    /// What the merge itself has.
    result: T,
}

impl<T: Copy> Four<T> {
    fn all(self) -> [T; 4] {
        [self.base, self.ours, self.theirs, self.result]
    }
}

/// What stands at a path. `None` in its place: nothing does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Content {
    mode: EntryMode,
    oid: Oid,
}

/// A folder on one side, and how far it was read.
struct Reader {
    tree: Option<Arc<Tree>>,
    at: usize,
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    trees: &'a mut TreeCache,
    stack: Vec<[Reader; 4]>,
    entered: usize,
    limits: &'a MergeLimits,
}

impl Walk<'_> {
    /// Goes through all folders that have to be entered. `false` at the first doubt.
    fn run(&mut self) -> Result<bool, StoreError> {
        while let Some(mut folders) = self.stack.pop() {
            let Some(contents) = next(&mut folders) else { continue };
            self.stack.push(folders);
            if !self.judge(contents)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Judges one name by the rule of three, or puts its folders on the stack.
    fn judge(&mut self, at: Four<Option<Content>>) -> Result<bool, StoreError> {
        if let Some(expected) = rule_of_three(at.base, at.ours, at.theirs) {
            return Ok(expected == at.result);
        }
        if at.all().iter().flatten().all(|content| content.mode == EntryMode::Folder) {
            return self.enter(at);
        }
        let (Some(base), Some(ours), Some(theirs)) = (at.base, at.ours, at.theirs) else {
            return Ok(false);
        };
        let modes = [base.mode, ours.mode, theirs.mode];
        if !modes.iter().all(|mode| is_file(*mode)) {
            return Ok(false);
        }
        let Some(mode) = rule_of_three(base.mode, ours.mode, theirs.mode) else {
            return Ok(false);
        };
        let oid = match rule_of_three(base.oid, ours.oid, theirs.oid) {
            Some(oid) => Some(oid),
            None => {
                let files = [&base.oid, &ours.oid, &theirs.oid];
                if is_too_large(self.objects, &files, self.limits.file_bytes_max)? {
                    return Ok(false);
                }
                self.objects.merged_blob(files[0], files[1], files[2])?
            }
        };
        Ok(oid.is_some_and(|oid| at.result == Some(Content { mode, oid })))
    }

    fn enter(&mut self, at: Four<Option<Content>>) -> Result<bool, StoreError> {
        self.entered += 1;
        if self.entered > FOLDERS_MAX || self.stack.len() > self.limits.delta.depth_max {
            return Ok(false);
        }
        let result = at.result;
        let mut sound = true;
        let mut readers = Vec::with_capacity(4);
        for content in at.all() {
            let tree = match content {
                Some(content) => Some(self.trees.tree(self.objects, &content.oid)?),
                None => None,
            };
            // The walk relies on sorted entries, and no merge makes an odd tree.
            sound &= tree.as_ref().is_none_or(|tree| tree.problems().is_empty());
            readers.push(Reader { tree, at: 0 });
        }
        // Nor does a merge leave an empty folder behind, but for the root.
        let leaves_empty = !self.stack.is_empty()
            && result.is_some_and(|content| content.oid == content.oid.format().empty_tree());
        if let Ok(readers) = <[Reader; 4]>::try_from(readers) {
            self.stack.push(readers);
        }
        Ok(sound && !leaves_empty)
    }
}

/// What a three-way merge takes without looking inside: what both have, or what one side changed.
/// `None`: both changed it, and not alike.
fn rule_of_three<T: PartialEq>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || theirs == base {
        Some(ours)
    } else if ours == base {
        Some(theirs)
    } else {
        None
    }
}

fn is_file(mode: EntryMode) -> bool {
    matches!(mode, EntryMode::Leaf(FileMode::File | FileMode::Executable))
}

/// The contents at the next name on any side. `None`: all sides are read.
fn next(folders: &mut [Reader; 4]) -> Option<Four<Option<Content>>> {
    let mut first: Option<(&[u8], EntryMode)> = None;
    for folder in folders.iter() {
        if let Some(Entry { name, mode: own, .. }) = folder.peek() {
            let lower = first.is_none_or(|(least, mode)| compare(name, own, least, mode).is_lt());
            if lower {
                first = Some((name, own));
            }
        }
    }
    let (name, mode) = first?;
    let contents = [0, 1, 2, 3].map(|side| {
        let entry = folders[side].peek()?;
        (compare(entry.name, entry.mode, name, mode) == Ordering::Equal)
            .then_some(Content { mode: entry.mode, oid: entry.oid })
    });
    for (folder, content) in folders.iter_mut().zip(&contents) {
        folder.at += usize::from(content.is_some());
    }
    let [base, ours, theirs, result] = contents;
    Some(Four { base, ours, theirs, result })
}

impl Reader {
    fn peek(&self) -> Option<Entry<'_>> {
        self.tree.as_deref()?.entry_at(self.at)
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
