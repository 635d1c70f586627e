//! Merkle trees over SHA-256 as RFC 6962, section 2.1, has them: roots, and proofs that an entry is
//! in a tree and that a tree is the beginning of a larger one.
//!
//! No recursion: a tree of any size is walked with a handful of hashes in hand.

use crate::names::digest::Digest;

/// The hash of an entry: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], entry])
}

/// The hash of two subtrees: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of a tree without entries: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// A tree that grows leaf by leaf. Remembers one hash for each complete subtree: at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The complete subtrees, largest first: one for each bit that is set in `size`.
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// How many leaves it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// A tree of this size with these complete subtrees, largest first. `None` when they are not as
    /// many as the size has.
    pub fn of(size: u64, subtrees: Vec<Digest>) -> Option<Self> {
        (subtrees.len() == size.count_ones() as usize).then_some(Self { size, subtrees })
    }

    /// One more leaf. `done` is told each complete subtree that it closes, its own leaf at level 0
    /// first: level and index within the level.
    pub fn push(&mut self, leaf: Digest, done: &mut dyn FnMut(u8, u64, Digest)) {
        let (mut hash, mut level) = (leaf, 0_u8);
        done(level, self.size, hash);
        while self.size >> level & 1 == 1
            && let Some(left) = self.subtrees.pop()
        {
            hash = node_hash(&left, &hash);
            level += 1;
            done(level, self.size >> level, hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of what there is.
    pub fn root(&self) -> Digest {
        fold(&self.subtrees)
    }
}

/// The root of subtrees of one size, as many as some power of two.
pub fn complete(subtrees: &[Digest]) -> Digest {
    let mut row = subtrees.to_vec();
    while row.len() > 1 {
        let pair = |pair: &[Digest]| match pair {
            [left, right] => node_hash(left, right),
            alone => fold(alone),
        };
        row = row.chunks(2).map(pair).collect();
    }
    fold(&row)
}

/// Complete subtrees, largest first, made one tree.
fn fold(subtrees: &[Digest]) -> Digest {
    let mut from_the_right = subtrees.iter().rev().copied();
    let Some(last) = from_the_right.next() else { return empty_root() };
    from_the_right.fold(last, |right, left| node_hash(&left, &right))
}

/// Hashes of complete subtrees, however they are kept.
pub trait Nodes {
    /// The hash of the `index`th subtree of `2^level` leaves. `None` when it is not there.
    fn node(&self, level: u8, index: u64) -> Option<Digest>;
}

/// All hashes of a tree, in memory: 64 bytes a leaf.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    frontier: Frontier,
    levels: Vec<Vec<Digest>>,
}

impl Whole {
    /// One more leaf.
    pub fn push(&mut self, leaf: Digest) {
        let levels = &mut self.levels;
        self.frontier.push(leaf, &mut |level, _, hash| {
            let level = usize::from(level);
            if levels.len() == level {
                levels.push(Vec::new());
            }
            // Subtrees of one level close in the order of their index.
            levels[level].push(hash);
        });
    }

    /// How many leaves it has.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }
}

impl Nodes for Whole {
    fn node(&self, level: u8, index: u64) -> Option<Digest> {
        self.levels.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The root of the first `size` leaves.
pub fn root_at(nodes: &dyn Nodes, size: u64) -> Option<Digest> {
    if size == 0 { Some(empty_root()) } else { range(nodes, 0, size) }
}

/// The path from leaf `index` to the root of the first `size` leaves, its sibling first (RFC 6962,
/// section 2.1.1). `None` when there is no such leaf, or a hash is missing.
pub fn inclusion(nodes: &dyn Nodes, index: u64, size: u64) -> Option<Vec<Digest>> {
    if index >= size {
        return None;
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(range(nodes, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that the tree of the first `old` leaves is the beginning of that of the first `new`
/// (RFC 6962, section 2.1.2). Empty for equal sizes and for an empty beginning.
pub fn consistency(nodes: &dyn Nodes, old: u64, new: u64) -> Option<Vec<Digest>> {
    if old > new {
        return None;
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Some(path);
    }
    let (mut from, mut to) = (0, new);
    // Whether the old tree is exactly what lies left: then the other side has its hash already.
    let mut known = true;
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(range(nodes, middle, to)?);
            to = middle;
        } else {
            path.push(range(nodes, from, middle)?);
            from = middle;
            known = false;
        }
    }
    if !known {
        path.push(range(nodes, from, to)?);
    }
    path.reverse();
    Some(path)
}

/// The largest power of two below `n`, which is at least 2.
const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The root of the leaves from `from` to `to`. `from` is a multiple of the largest power of two
/// within, as every split of RFC 6962 leaves it.
fn range(nodes: &dyn Nodes, from: u64, to: u64) -> Option<Digest> {
    let mut subtrees = Vec::new();
    let mut at = from;
    while at < to {
        let level = 63 - (to - at).leading_zeros();
        subtrees.push(nodes.node(u8::try_from(level).ok()?, at >> level)?);
        at += 1 << level;
    }
    Some(fold(&subtrees))
}

/// Whether a path leads from a leaf to a root (RFC 9162, section 2.1.3.2).
pub fn includes(root: &Digest, size: u64, index: u64, leaf: &Digest, path: &[Digest]) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether a tree is the beginning of another (RFC 9162, section 2.1.4.2).
pub fn consistent(old: (u64, &Digest), new: (u64, &Digest), path: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    if old_size > new_size {
        return false;
    }
    if old_size == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    // A complete old tree is its own first step.
    let own = old_size.is_power_of_two().then_some(*old_root);
    let mut steps = own.into_iter().chain(path.iter().copied());
    let Some(first) = steps.next() else { return false };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(&step, &old_hash);
            new_hash = node_hash(&step, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, &step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
