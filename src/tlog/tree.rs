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
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{
        Whole, consistency, consistent, empty_root, includes, inclusion, leaf_hash, node_hash,
        root_at,
    };
    use crate::names::digest::Digest;

    /// The entries and roots that implementations of RFC 6962 test against (certificate-transparency
    /// and Trillian, `merkle_tree_test`).
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn tree(leaves: &[&[u8]]) -> Whole {
        let mut whole = Whole::default();
        leaves.iter().for_each(|leaf| whole.push(leaf_hash(leaf)));
        whole
    }

    #[test]
    fn roots_are_those_of_others() {
        assert_eq!(
            empty_root().hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for size in 1..=LEAVES.len() {
            assert_eq!(tree(&LEAVES[..size]).root().hex(), ROOTS[size - 1], "{size} leaves");
        }
        let whole = tree(&LEAVES);
        let at = |size: u64| root_at(&whole, size).map(|root| root.hex());
        assert_eq!(at(3).as_deref(), Some(ROOTS[2]));
        assert_eq!(at(9), None);
    }

    /// RFC 6962, section 2.1, by its own words.
    fn defined(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let k = (1..many.len()).filter(|n| n.is_power_of_two()).max().unwrap_or(1);
                node_hash(&defined(&many[..k]), &defined(&many[k..]))
            }
        }
    }

    fn leaves(n: u64) -> Vec<Digest> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn grown(n: u64) -> Whole {
        let mut whole = Whole::default();
        leaves(n).into_iter().for_each(|leaf| whole.push(leaf));
        whole
    }

    #[test]
    fn every_proof_of_every_small_tree_holds_and_no_other() {
        for size in 1..=33_u64 {
            let (whole, all) = (grown(size), leaves(size));
            let root = whole.root();
            assert_eq!(root, defined(&all));
            for (index, leaf) in (0..size).zip(&all) {
                let path = inclusion(&whole, index, size).unwrap();
                assert!(includes(&root, size, index, leaf, &path));
                assert!(!includes(&root, size, (index + 1) % size, leaf, &path) || size == 1);
                assert!(!includes(&root, size, index, &empty_root(), &path));
                let longer: Vec<Digest> = path.iter().copied().chain([root]).collect();
                assert!(!includes(&root, size, index, leaf, &longer));
            }
            for old in 0..=size {
                let old_root = root_at(&whole, old).unwrap();
                let path = consistency(&whole, old, size).unwrap();
                assert!(consistent((old, &old_root), (size, &root), &path), "{old} in {size}");
                if old > 0 && old < size {
                    assert!(!consistent((old, &root), (size, &root), &path));
                    assert!(!consistent((old, &old_root), (size, &old_root), &path));
                    assert!(!consistent((old, &old_root), (size, &root), &[]));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_path_is_answered(
            size in any::<u64>(), index in any::<u64>(), n in 0_usize..70, old in any::<u64>(),
        ) {
            let path = vec![empty_root(); n];
            let _ = includes(&empty_root(), size, index, &empty_root(), &path);
            let _ = consistent((old, &empty_root()), (size, &empty_root()), &path);
        }

        #[test]
        fn a_changed_proof_proves_nothing(
            size in 2_u64..600, at in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(),
        ) {
            let whole = grown(size);
            let root = whole.root();
            let index = at.index(usize::try_from(size).unwrap()) as u64;
            let mut path = inclusion(&whole, index, size).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            prop_assert!(includes(&root, size, index, &leaf, &path));
            let changed = at.index(path.len());
            path[changed] = leaf_hash(path[changed].as_bytes());
            prop_assert!(!includes(&root, size, index, &leaf, &path));

            let old = 1 + old.index(usize::try_from(size).unwrap()) as u64;
            let proof = consistency(&whole, old, size).unwrap();
            prop_assert!(consistent((old, &root_at(&whole, old).unwrap()), (size, &root), &proof));
            prop_assert_eq!(root_at(&whole, old), Some(defined(&leaves(old))));
        }
    }
}
