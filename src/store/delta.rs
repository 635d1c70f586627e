//! The delta between two trees, by walking both at once.
//!
//! Equal folders are passed over unread, so the cost is that of the change. The walk keeps its own
//! stack, remembers the trees it has read, and stops at limits: a dozen small objects can stand
//! for ten thousand million paths. It finds what git-diff-tree(1) finds, entry for entry;
//! libgit2's own diff does not (100664, entries twice) and is far slower.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::facts::change::{Delta, FileMode, PathChange, Side};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::store::error::StoreError;
use crate::store::objects::{ObjectKind, Objects, read_kind_within};
use crate::store::tree::{Entry, EntryMode, Tree, TreeProblem, compare};

/// How far a walk may go.
#[derive(Clone, Copy, Debug)]
pub struct DeltaLimits {
    /// Changed entries listed and folders entered, together.
    pub entries_max: usize,
    /// How deep folders may be nested. Git stops at 2,048 (`core.maxTreeDepth`).
    pub depth_max: usize,
    /// Bytes of all listed paths together, and of one that is on its way.
    pub path_bytes_max: usize,
    /// Bytes of the folders that stand open at a time, about.
    pub open_bytes_max: usize,
}

impl DeltaLimits {
    /// For judging a push.
    pub const JUDGING: Self = Self {
        entries_max: 1_000_000,
        depth_max: 512,
        path_bytes_max: 128 * 1024 * 1024,
        open_bytes_max: 256 * 1024 * 1024,
    };
}

/// A limit that stopped a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhichLimit {
    /// `entries_max`.
    Entries,
    /// `depth_max`.
    Depth,
    /// `path_bytes_max`.
    PathBytes,
    /// `open_bytes_max`.
    OpenBytes,
}

/// How many problems of trees are kept for one delta.
pub const PROBLEMS_MAX: usize = 100;

/// What a walk found.
#[derive(Clone, Debug)]
pub struct DeltaWalk {
    /// The delta; only a part of it when `cut` says so.
    pub delta: Delta,
    /// What is wrong with the trees that were read, at most `PROBLEMS_MAX`.
    pub problems: Vec<TreeProblem>,
    /// Why the delta is not whole. `None`: it is.
    pub cut: Option<WhichLimit>,
}

/// How much memory remembered trees may take, in bytes.
const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Trees that were read already, shared by the walks of a run.
#[derive(Debug, Default)]
pub struct TreeCache {
    trees: HashMap<Oid, Arc<Tree>>,
    weight_bytes: usize,
    object_bytes_max: Option<usize>,
}

impl TreeCache {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers nothing yet, and reads no tree that is longer than this.
    pub fn within(object_bytes_max: usize) -> Self {
        Self { object_bytes_max: Some(object_bytes_max), ..Self::default() }
    }

    /// Reads a tree, or remembers it.
    pub fn tree(&mut self, objects: &dyn Objects, oid: &Oid) -> Result<Arc<Tree>, StoreError> {
        if let Some(tree) = self.trees.get(oid) {
            return Ok(Arc::clone(tree));
        }
        let raw = read_kind_within(objects, oid, ObjectKind::Tree, self.object_bytes_max)?;
        let tree = Tree::parse(objects.format(), raw)
            .map_err(|why| StoreError::BrokenTree { oid: *oid, why })?;
        let tree = Arc::new(tree);
        if self.weight_bytes > CACHE_BYTES_MAX {
            // Walks go forward in history; what was read long ago is seldom asked for again.
            self.trees.clear();
            self.weight_bytes = 0;
        }
        self.weight_bytes += tree.weight_bytes();
        self.trees.insert(*oid, Arc::clone(&tree));
        Ok(tree)
    }
}

/// The delta from one tree to another. `None` stands for the empty tree.
///
/// # Errors
/// `Missing`, `WrongKind`, `TooLarge`, `BrokenTree` for a tree that a side names, and faults of reading.
pub fn delta(
    objects: &dyn Objects,
    cache: &mut TreeCache,
    old: Option<Oid>,
    new: Option<Oid>,
    limits: DeltaLimits,
) -> Result<DeltaWalk, StoreError> {
    let mut walk = Walk {
        objects,
        cache,
        limits,
        stack: Vec::new(),
        path: Vec::new(),
        changes: Vec::new(),
        problems: Vec::new(),
        entries: 0,
        path_bytes: 0,
        open_bytes: 0,
        cut: None,
    };
    if old != new {
        walk.enter(old, new, 0)?;
        walk.run()?;
    }
    let delta = Delta::new(objects.format(), walk.changes);
    Ok(DeltaWalk { delta, problems: walk.problems, cut: walk.cut })
}

/// A pair of folders that is being walked.
struct Frame {
    old: Option<Arc<Tree>>,
    new: Option<Arc<Tree>>,
    old_at: usize,
    new_at: usize,
    /// How much of the path is the folder's own, with its slash.
    prefix_len: usize,
}

impl Frame {
    fn skip_what_is_the_same(&mut self) {
        if let (Some(old), Some(new)) = (&self.old, &self.new) {
            let same = old.same_from(self.old_at, new, self.new_at);
            (self.old_at, self.new_at) = (self.old_at + same, self.new_at + same);
        }
    }

    fn weight_bytes(&self) -> usize {
        [&self.old, &self.new].into_iter().flatten().map(|tree| tree.weight_bytes()).sum()
    }
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    cache: &'a mut TreeCache,
    limits: DeltaLimits,
    stack: Vec<Frame>,
    path: Vec<u8>,
    changes: Vec<PathChange>,
    problems: Vec<TreeProblem>,
    entries: usize,
    path_bytes: usize,
    open_bytes: usize,
    cut: Option<WhichLimit>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), StoreError> {
        while let Some(frame) = self.stack.pop() {
            self.open_bytes = self.open_bytes.saturating_sub(frame.weight_bytes());
            self.advance(frame)?;
            if self.cut.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Goes through a pair of folders up to its end, a limit, or a folder inside that differs.
    fn advance(&mut self, mut frame: Frame) -> Result<(), StoreError> {
        while self.cut.is_none() {
            frame.skip_what_is_the_same();
            let (old, new) = pair(
                frame.old.as_deref().and_then(|tree| tree.entry_at(frame.old_at)),
                frame.new.as_deref().and_then(|tree| tree.entry_at(frame.new_at)),
            );
            let (old_step, new_step) = (usize::from(old.is_some()), usize::from(new.is_some()));
            let Some(entry) = old.or(new) else { return Ok(()) };
            let (old, new) = (Content::of(old), Content::of(new));
            self.path.truncate(frame.prefix_len);
            self.path.extend_from_slice(entry.name);
            let is_folder = self.differ(old, new);
            (frame.old_at, frame.new_at) = (frame.old_at + old_step, frame.new_at + new_step);
            if is_folder {
                self.open_bytes += frame.weight_bytes();
                self.stack.push(frame);
                self.path.push(b'/');
                return self.enter(old.map(|c| c.oid), new.map(|c| c.oid), self.path.len());
            }
        }
        Ok(())
    }

    /// Takes up two entries of one name that differ, or one that has no counterpart. Says whether
    /// they are folders that have to be entered.
    fn differ(&mut self, old: Option<Content>, new: Option<Content>) -> bool {
        self.entries += 1;
        if self.entries > self.limits.entries_max {
            self.cut = Some(WhichLimit::Entries);
            return false;
        }
        if self.path.len() > self.limits.path_bytes_max {
            self.cut = Some(WhichLimit::PathBytes);
            return false;
        }
        let (old_leaf, new_leaf) = (old.and_then(Content::side), new.and_then(Content::side));
        if old_leaf.is_none() && new_leaf.is_none() {
            // The frame in hand is not on the stack.
            if self.stack.len() + 1 >= self.limits.depth_max {
                self.cut = Some(WhichLimit::Depth);
            }
            return self.cut.is_none();
        }
        self.path_bytes += self.path.len();
        if self.path_bytes > self.limits.path_bytes_max {
            self.cut = Some(WhichLimit::PathBytes);
            return false;
        }
        let path = RepoPath::new(self.path.as_slice());
        self.changes.push(PathChange { path, old: old_leaf, new: new_leaf });
        false
    }

    fn enter(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        prefix_len: usize,
    ) -> Result<(), StoreError> {
        let mut sides = [None, None];
        for (on_new_side, oid) in [(false, old), (true, new)] {
            let Some(oid) = oid else { continue };
            let tree = self.cache.tree(self.objects, &oid)?;
            self.note_problems(&tree, prefix_len, on_new_side);
            sides[usize::from(on_new_side)] = Some(tree);
        }
        let [old, new] = sides;
        let frame = Frame { old, new, old_at: 0, new_at: 0, prefix_len };
        self.open_bytes += frame.weight_bytes();
        if self.open_bytes > self.limits.open_bytes_max {
            self.cut = Some(WhichLimit::OpenBytes);
        }
        self.stack.push(frame);
        Ok(())
    }

    fn note_problems(&mut self, tree: &Tree, prefix_len: usize, on_new_side: bool) {
        for (name, kind) in tree.problems() {
            if self.problems.len() >= PROBLEMS_MAX {
                return;
            }
            let mut path = self.path[..prefix_len].to_vec();
            path.extend_from_slice(name);
            let path = RepoPath::new(path);
            self.problems.push(TreeProblem { path, kind: *kind, on_new_side });
        }
    }
}

type Next<'a> = Option<Entry<'a>>;

/// The next entries of both sides if they go together, else the one that comes first.
fn pair<'a>(old: Next<'a>, new: Next<'a>) -> (Next<'a>, Next<'a>) {
    let (Some(before), Some(after)) = (old, new) else { return (old, new) };
    match compare(before.name, before.mode, after.name, after.mode) {
        Ordering::Less => (old, None),
        Ordering::Greater => (None, new),
        // A hostile file `a/` sorts like a folder `a`. They do not go together.
        Ordering::Equal if before.name != after.name => (old, None),
        Ordering::Equal => (old, new),
    }
}

/// What an entry holds.
#[derive(Clone, Copy)]
struct Content {
    leaf: Option<FileMode>,
    oid: Oid,
}

impl Content {
    fn of(entry: Next<'_>) -> Option<Self> {
        let entry = entry?;
        let leaf = match entry.mode {
            EntryMode::Folder => None,
            EntryMode::Leaf(mode) => Some(mode),
        };
        Some(Self { leaf, oid: entry.oid })
    }

    fn side(self) -> Option<Side> {
        self.leaf.map(|mode| Side { mode, oid: self.oid })
    }
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
