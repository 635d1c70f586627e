//! The repository with its caches and bounds, as `gather` reads it.
//!
//! A limit that is met is an error that names it: no part is ever taken for the whole.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::facts::change::{Delta, Side};
use crate::facts::landing::MergeFact;
use crate::facts::limits::Limits;
use crate::facts::{Structural, Target};
use crate::gather::error::GatherError;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::store::commit::Commit;
use crate::store::commits::{CommitCache, ReadCommit};
use crate::store::delta::{DeltaLimits, TreeCache, WhichLimit, delta};
use crate::store::merge::{MergeCheck, merge_equals, tree_equals_merge};
use crate::store::objects::{ObjectKind, Objects, RefValue, read_kind};
use crate::store::range::{Arriving, arriving};
use crate::store::tag::{PeeledTo, Tag, TagProblem, peel};
use crate::store::tree::EntryMode;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// How many paths of a merge's own changes are kept for the message.
const MERGE_PATHS_MAX: usize = 10;

/// An annotated tag by its name, and the tag or what is wrong with it.
pub type TagRead = (Oid, Result<Tag, TagProblem>);

/// Reads a repository, within limits.
pub struct Reader<'a> {
    /// The repository.
    pub objects: &'a dyn Objects,
    /// The bounds.
    pub limits: &'a Limits,
    caches: RefCell<Caches>,
}

#[derive(Default)]
struct Caches {
    commits: CommitCache,
    trees: TreeCache,
    merges: HashMap<Oid, MergeFact>,
    problems: Vec<Structural>,
}

impl<'a> Reader<'a> {
    /// Nothing is read yet.
    pub fn new(objects: &'a dyn Objects, limits: &'a Limits) -> Self {
        Self { objects, limits, caches: RefCell::new(Caches::default()) }
    }

    fn read_commit(&self, oid: &Oid) -> Result<Arc<ReadCommit>, GatherError> {
        Ok(self.caches.borrow_mut().commits.commit(self.objects, oid)?)
    }

    /// A well-formed commit; a malformed one is refused by name.
    pub fn commit(&self, oid: &Oid) -> Result<Arc<Commit>, GatherError> {
        let read = self.read_commit(oid)?;
        match &read.commit {
            Ok(commit) => Ok(Arc::clone(commit)),
            Err(problem) => Err(GatherError::Commit { oid: *oid, why: problem.to_string() }),
        }
    }

    /// The parents of a commit, however malformed the rest of it is.
    pub fn parents(&self, oid: &Oid) -> Result<Vec<Oid>, GatherError> {
        Ok(self.read_commit(oid)?.links.parents.clone())
    }

    /// The commits reachable from `include` and not from `exclude`, newest first.
    pub fn arriving(
        &self,
        include: &[Oid],
        exclude: &[Oid],
    ) -> Result<Vec<(Oid, Arc<Commit>)>, GatherError> {
        let limit = self.limits.commits;
        let found =
            arriving(self.objects, &mut self.caches.borrow_mut().commits, include, exclude, limit)?;
        let Arriving::All(range) = found else {
            return Err(GatherError::Limit { name: "commits", limit });
        };
        let whole = |(oid, read): &(Oid, Arc<ReadCommit>)| match &read.commit {
            Ok(commit) => Ok((*oid, Arc::clone(commit))),
            Err(problem) => Err(GatherError::Commit { oid: *oid, why: problem.to_string() }),
        };
        range.commits().iter().map(whole).collect()
    }

    /// The same, by name alone: the commits may be malformed.
    pub fn arriving_oids(&self, include: &[Oid], exclude: &[Oid]) -> Result<Vec<Oid>, GatherError> {
        let limit = self.limits.commits;
        let found =
            arriving(self.objects, &mut self.caches.borrow_mut().commits, include, exclude, limit)?;
        match found {
            Arriving::All(range) => Ok(range.commits().iter().map(|(oid, _)| *oid).collect()),
            Arriving::Cut { .. } => Err(GatherError::Limit { name: "commits", limit }),
        }
    }

    /// Whether `old` is `new` or one of its ancestors.
    pub fn is_ancestor(&self, old: &Oid, new: &Oid) -> Result<bool, GatherError> {
        Ok(old == new || self.arriving_oids(&[*old], &[*new])?.is_empty())
    }

    /// The delta between the trees of two commits; `None` is the empty tree. What is wrong with the
    /// trees is kept for `take_problems`.
    pub fn delta(&self, from: Option<Oid>, to: Option<Oid>) -> Result<Delta, GatherError> {
        let tree = |oid: Oid| self.read_commit(&oid).map(|read| read.links.tree);
        let (old, new) = (from.map(tree).transpose()?, to.map(tree).transpose()?);
        let limits = DeltaLimits {
            entries_max: self.limits.delta_entries,
            depth_max: self.limits.tree_depth,
            ..DeltaLimits::JUDGING
        };
        let mut caches = self.caches.borrow_mut();
        let walk = delta(self.objects, &mut caches.trees, old, new, limits)?;
        if let Some(limit) = walk.cut {
            return Err(match limit {
                WhichLimit::Entries | WhichLimit::PathBytes => {
                    GatherError::Limit { name: "delta-entries", limit: limits.entries_max }
                }
                WhichLimit::Depth => {
                    GatherError::Limit { name: "tree-depth", limit: limits.depth_max }
                }
            });
        }
        for problem in walk.problems.iter().filter(|p| p.on_new_side).take(1) {
            let what = Line::new("").path(&problem.path).text(": ").text(problem.kind.what());
            let detail = Line::new("such a tree shows different files to different programs");
            let hint = Hint::run(Line::new("look for it with"), Line::new("git fsck --strict"));
            let objection = Objection::new(what).detail(detail).hint(hint);
            caches.problems.push(Structural { name: "hostile-tree", objection });
        }
        Ok(walk.delta)
    }

    /// Looks at the trees of these commits: whoever goes back to one of them has its files. What is
    /// wrong with them is kept for `take_problems`.
    pub fn look_over<'c>(
        &self,
        commits: impl Iterator<Item = (Oid, &'c Commit)>,
    ) -> Result<(), GatherError> {
        for (oid, commit) in commits {
            self.delta(commit.parents.first().copied(), Some(oid))?;
        }
        Ok(())
    }

    /// What was found wrong with trees since this was last asked.
    pub fn take_problems(&self) -> Vec<Structural> {
        let mut problems = std::mem::take(&mut self.caches.borrow_mut().problems);
        problems.truncate(1);
        problems
    }

    /// How a merge compares with the merge of its parents, recomputed.
    pub fn merge_fact(&self, oid: &Oid) -> Result<MergeFact, GatherError> {
        if let Some(known) = self.caches.borrow().merges.get(oid) {
            return Ok(known.clone());
        }
        let mut caches = self.caches.borrow_mut();
        let Caches { commits, trees, .. } = &mut *caches;
        let check = merge_equals(self.objects, commits, trees, oid)?;
        let fact = self.fact_of(check)?;
        caches.merges.insert(*oid, fact.clone());
        Ok(fact)
    }

    /// How the tree of a commit compares with that of merging `source` into `parent`.
    pub fn copy_fact(
        &self,
        parent: &Oid,
        source: &Oid,
        copy: &Oid,
    ) -> Result<MergeFact, GatherError> {
        let mut caches = self.caches.borrow_mut();
        let Caches { commits, trees, .. } = &mut *caches;
        let tree = commits.commit(self.objects, copy)?.links.tree;
        let parents = [*parent, *source];
        let check = tree_equals_merge(self.objects, commits, trees, &parents, &tree)?;
        self.fact_of(check)
    }

    fn fact_of(&self, check: MergeCheck) -> Result<MergeFact, GatherError> {
        Ok(match check {
            MergeCheck::Equal => MergeFact::Equal,
            MergeCheck::Differs(extras) => {
                let paths = extras.delta.changes().iter().take(MERGE_PATHS_MAX);
                MergeFact::Differs(paths.map(|c| c.path.clone()).collect())
            }
            MergeCheck::Conflict(paths) => MergeFact::Conflict(paths),
            MergeCheck::NotAMerge => MergeFact::Differs(Vec::new()),
            MergeCheck::TooManyParents => {
                return Err(GatherError::Limit { name: "parents", limit: self.limits.parents });
            }
        })
    }

    /// The best common ancestors of two commits.
    pub fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, GatherError> {
        Ok(self.objects.merge_bases(one, other)?)
    }

    /// Whether this push brought the object: it is not in the repository's own store.
    pub fn is_fresh(&self, oid: &Oid) -> Result<bool, GatherError> {
        Ok(!self.objects.was_here(oid)?)
    }

    /// Those of the commits that none of the tips reach.
    pub fn not_reachable_from(&self, tips: &[Oid], of: &[Oid]) -> Result<Vec<Oid>, GatherError> {
        Ok(self.objects.not_reachable_from(tips, of)?)
    }

    /// Whether there is a commit of this name.
    pub fn is_commit(&self, oid: &Oid) -> Result<bool, GatherError> {
        let header = self.objects.header(oid)?;
        Ok(header.is_some_and(|(kind, _)| kind == ObjectKind::Commit))
    }

    /// The commit that a value leads to, through tags.
    pub fn peel_commit(&self, oid: &Oid) -> Result<Option<Oid>, GatherError> {
        Ok(peel(self.objects, oid)?.commit())
    }

    /// What a new value is.
    pub fn target(&self, new: &Oid) -> Result<Target, GatherError> {
        if new.is_zero() {
            return Ok(Target::Nothing);
        }
        let peeled = peel(self.objects, new)?;
        Ok(match peeled.to {
            PeeledTo::Commit(oid) if peeled.tags.is_empty() => Target::Commit(oid),
            PeeledTo::Commit(commit) => Target::Tag { commit },
            PeeledTo::Tree(_) | PeeledTo::Blob(_) => Target::Other,
            PeeledTo::Missing(_) | PeeledTo::TooManyTags => Target::Missing,
        })
    }

    /// The annotated tags in front of what a value leads to, outermost first, each as it reads.
    pub fn tags(&self, new: &Oid) -> Result<Vec<TagRead>, GatherError> {
        let mut tags = Vec::new();
        for oid in peel(self.objects, new)?.tags {
            let raw = read_kind(self.objects, &oid, ObjectKind::Tag)?;
            tags.push((oid, Tag::parse(self.objects.format(), &raw)));
        }
        Ok(tags)
    }

    /// What a direct ref holds.
    pub fn direct_ref(&self, name: &Refname) -> Result<Option<Oid>, GatherError> {
        Ok(match self.objects.read_ref(name)? {
            RefValue::Direct(oid) => Some(oid),
            RefValue::Absent | RefValue::Symbolic(_) => None,
        })
    }

    /// A blob of at most so many bytes. `None`: it is missing, no blob, or larger.
    pub fn small_blob(&self, oid: &Oid, bytes_max: usize) -> Result<Option<Vec<u8>>, GatherError> {
        match self.objects.header(oid)? {
            Some((ObjectKind::Blob, size)) if size <= bytes_max as u64 => {
                Ok(Some(read_kind(self.objects, oid, ObjectKind::Blob)?))
            }
            _ => Ok(None),
        }
    }

    /// A blob's size in bytes.
    pub fn size(&self, oid: &Oid) -> Result<u64, GatherError> {
        Ok(self.objects.header(oid)?.map_or(u64::MAX, |(_, size)| size))
    }

    /// A blob's bytes. Ask `size` first.
    pub fn blob(&self, oid: &Oid) -> Result<Vec<u8>, GatherError> {
        Ok(read_kind(self.objects, oid, ObjectKind::Blob)?)
    }

    /// What stands at a path in a commit's tree.
    pub fn entry_at(&self, commit: &Oid, path: &RepoPath) -> Result<Option<Side>, GatherError> {
        let mut at = self.read_commit(commit)?.links.tree;
        let mut parts = path.as_bytes().split(|&b| b == b'/').peekable();
        while let Some(part) = parts.next() {
            let tree = self.caches.borrow_mut().trees.tree(self.objects, &at)?;
            let Some(entry) = tree.entry(part) else { return Ok(None) };
            match (entry.mode, parts.peek()) {
                (EntryMode::Folder, Some(_)) => at = entry.oid,
                (EntryMode::Leaf(mode), None) => return Ok(Some(Side { mode, oid: entry.oid })),
                (EntryMode::Folder, None) | (EntryMode::Leaf(_), Some(_)) => return Ok(None),
            }
        }
        Ok(None)
    }
}
