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
use crate::store::error::StoreError;
use crate::store::merge::{MergeCheck, merge_equals, tree_equals_merge};
use crate::store::mergesize::{MergeLimits, MergeSize, TooMuch, merge_size};
use crate::store::objects::{ObjectKind, Objects, RefValue, read_kind, read_kind_within};
use crate::store::range::{
    Arriving, EXCLUDED_WALKED_MAX, Range, RangeLimit, RangeLimits, arriving,
};
use crate::store::tag::{PeelLimits, Peeled, PeeledTo, Tag, TagProblem, peel};
use crate::store::tree::{EntryMode, Tree};
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// How many paths of a merge's own changes are kept for the message.
const MERGE_PATHS_MAX: usize = 10;

/// How long the paths of a delta may be on average, in bytes.
const PATH_BYTES_MEAN: usize = 512;

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

struct Caches {
    commits: CommitCache,
    trees: TreeCache,
    merges: HashMap<Oid, MergeFact>,
    problems: Vec<Structural>,
}

impl<'a> Reader<'a> {
    /// Nothing is read yet.
    pub fn new(objects: &'a dyn Objects, limits: &'a Limits) -> Self {
        let caches = Caches {
            commits: CommitCache::within(limits.object_bytes),
            trees: TreeCache::within(limits.object_bytes),
            merges: HashMap::new(),
            problems: Vec::new(),
        };
        Self { objects, limits, caches: RefCell::new(caches) }
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
        let parents_max = self.limits.parents;
        let whole = |(oid, read): &(Oid, Arc<ReadCommit>)| match &read.commit {
            Ok(commit) if commit.parents.len() > parents_max => {
                Err(GatherError::Limit { name: "parents", limit: parents_max })
            }
            Ok(commit) => Ok((*oid, Arc::clone(commit))),
            Err(problem) => Err(GatherError::Commit { oid: *oid, why: problem.to_string() }),
        };
        self.range(include, exclude)?.commits().iter().map(whole).collect()
    }

    /// The same, by name alone: the commits may be malformed.
    pub fn arriving_oids(&self, include: &[Oid], exclude: &[Oid]) -> Result<Vec<Oid>, GatherError> {
        Ok(self.range(include, exclude)?.commits().iter().map(|(oid, _)| *oid).collect())
    }

    fn range(&self, include: &[Oid], exclude: &[Oid]) -> Result<Range, GatherError> {
        let limits =
            RangeLimits { commits_max: self.limits.commits, bytes_max: self.limits.commit_bytes };
        let commits = &mut self.caches.borrow_mut().commits;
        match arriving(self.objects, commits, include, exclude, limits)? {
            Arriving::All(range) => Ok(range),
            Arriving::Cut(RangeLimit::Commits) => {
                Err(GatherError::Limit { name: "commits", limit: limits.commits_max })
            }
            Arriving::Cut(RangeLimit::Bytes) => {
                Err(GatherError::Limit { name: "commit-bytes", limit: limits.bytes_max })
            }
            Arriving::Cut(RangeLimit::Excluded) => {
                let what = "commits that were there before";
                Err(StoreError::Limit { what, limit: EXCLUDED_WALKED_MAX }.into())
            }
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
        let limits = self.delta_limits();
        let mut caches = self.caches.borrow_mut();
        let walk = delta(self.objects, &mut caches.trees, old, new, limits)?;
        if let Some(cut) = walk.cut {
            return Err(self.cut(cut));
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

    fn delta_limits(&self) -> DeltaLimits {
        DeltaLimits {
            entries_max: self.limits.delta_entries,
            depth_max: self.limits.tree_depth,
            path_bytes_max: self.limits.delta_entries.saturating_mul(PATH_BYTES_MEAN),
            open_bytes_max: self.limits.tree_bytes,
        }
    }

    fn cut(&self, cut: WhichLimit) -> GatherError {
        let Limits { delta_entries, tree_depth, tree_bytes, .. } = *self.limits;
        match cut {
            WhichLimit::Entries | WhichLimit::PathBytes => {
                GatherError::Limit { name: "delta-entries", limit: delta_entries }
            }
            WhichLimit::Depth => GatherError::Limit { name: "tree-depth", limit: tree_depth },
            WhichLimit::OpenBytes => GatherError::Limit { name: "tree-bytes", limit: tree_bytes },
        }
    }

    fn merge_limits(&self) -> MergeLimits {
        MergeLimits {
            parents_max: self.limits.parents,
            bases_max: self.limits.merge_bases,
            delta: self.delta_limits(),
            file_bytes_max: self.limits.merge_file_bytes,
        }
    }

    /// What merging these commits would take; to be asked before they are merged.
    pub fn merge_size(&self, parents: &[Oid]) -> Result<MergeSize, GatherError> {
        let mut caches = self.caches.borrow_mut();
        let Caches { commits, trees, .. } = &mut *caches;
        Ok(merge_size(self.objects, commits, trees, parents, &self.merge_limits())?)
    }

    /// The limit that keeps a merge from being made again.
    pub fn too_much(&self, what: TooMuch) -> GatherError {
        let Limits { parents, merge_bases, .. } = *self.limits;
        match what {
            TooMuch::Parents => GatherError::Limit { name: "parents", limit: parents },
            TooMuch::Bases => GatherError::Limit { name: "merge-bases", limit: merge_bases },
            TooMuch::Delta(cut) => self.cut(cut),
        }
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
        let check = merge_equals(self.objects, commits, trees, oid, &self.merge_limits())?;
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
        let (merge, limits) = ((parents.as_slice(), &tree), self.merge_limits());
        let check = tree_equals_merge(self.objects, commits, trees, merge, &limits)?;
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
            MergeCheck::TooMuch(what) => return Err(self.too_much(what)),
        })
    }

    /// The best common ancestors of two commits.
    pub fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, GatherError> {
        let bases = self.objects.merge_bases(one, other)?;
        if bases.len() > self.limits.merge_bases {
            return Err(self.too_much(TooMuch::Bases));
        }
        Ok(bases)
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

    /// What a value leads to, through tags.
    pub fn peel(&self, oid: &Oid) -> Result<Peeled, GatherError> {
        let limits = PeelLimits {
            chain_max: self.limits.tag_chain,
            object_bytes_max: self.limits.object_bytes,
        };
        Ok(peel(self.objects, oid, limits)?)
    }

    /// The commit that a value leads to, through tags.
    pub fn peel_commit(&self, oid: &Oid) -> Result<Option<Oid>, GatherError> {
        Ok(self.peel(oid)?.commit())
    }

    /// What a new value is.
    pub fn target(&self, new: &Oid) -> Result<Target, GatherError> {
        if new.is_zero() {
            return Ok(Target::Nothing);
        }
        let peeled = self.peel(new)?;
        Ok(match peeled.to {
            PeeledTo::Commit(oid) if peeled.tags.is_empty() => Target::Commit(oid),
            PeeledTo::Commit(commit) => Target::Tag { commit },
            PeeledTo::Tree(_) | PeeledTo::Blob(_) => Target::Other,
            PeeledTo::Missing(_) => Target::Missing,
            PeeledTo::TooManyTags => {
                return Err(GatherError::Limit { name: "tag-chain", limit: self.limits.tag_chain });
            }
        })
    }

    /// The annotated tags in front of what a value leads to, outermost first, each as it reads.
    pub fn tags(&self, new: &Oid) -> Result<Vec<TagRead>, GatherError> {
        let mut tags = Vec::new();
        for oid in self.peel(new)?.tags {
            let most = Some(self.limits.object_bytes);
            let raw = read_kind_within(self.objects, &oid, ObjectKind::Tag, most)?;
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
        self.small(oid, ObjectKind::Blob, bytes_max)
    }

    /// An object of this kind, unless it is another or too long.
    pub fn small(
        &self,
        oid: &Oid,
        kind: ObjectKind,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, GatherError> {
        match self.objects.header(oid)? {
            Some((found, size)) if found == kind && size <= bytes_max as u64 => {
                Ok(Some(read_kind(self.objects, oid, kind)?))
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

    /// The tree of a folder in a commit, with its own name. `None`: there is no such folder.
    pub fn folder(
        &self,
        commit: &Oid,
        path: &RepoPath,
    ) -> Result<Option<(Oid, Arc<Tree>)>, GatherError> {
        let mut at = self.read_commit(commit)?.links.tree;
        for part in path.as_bytes().split(|&b| b == b'/').filter(|part| !part.is_empty()) {
            let tree = self.caches.borrow_mut().trees.tree(self.objects, &at)?;
            match tree.entry(part) {
                Some(entry) if entry.mode == EntryMode::Folder => at = entry.oid,
                Some(_) | None => return Ok(None),
            }
        }
        let tree = self.caches.borrow_mut().trees.tree(self.objects, &at)?;
        Ok(Some((at, tree)))
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
