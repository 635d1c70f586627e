//! Roots and proofs of trees: those of RFC 6962, by its own words and by what others test against.

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use crate::names::digest::Digest;
use crate::tlog::tree::{
    Frontier, Whole, consistency, consistent, empty_root, includes, inclusion, leaf_hash,
    node_hash, root_at,
};

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

#[test]
fn no_proof_goes_between_sizes_that_cannot_be() {
    let whole = grown(8);
    let root = |size| root_at(&whole, size).unwrap();
    let step = [root(4)];
    assert!(consistent((8, &root(8)), (8, &root(8)), &[]));
    assert!(!consistent((8, &root(8)), (8, &root(8)), &step));
    assert!(!consistent((8, &root(7)), (8, &root(8)), &[]));
    assert!(consistent((0, &empty_root()), (8, &root(8)), &[]));
    assert!(!consistent((0, &empty_root()), (8, &root(8)), &step));
    assert!(!consistent((0, &root(1)), (8, &root(8)), &[]));
    for (old, new) in (1..=8).flat_map(|old| (1..old).map(move |new| (old, new))) {
        let path = consistency(&whole, new, old).unwrap();
        assert!(!consistent((old, &root(old)), (new, &root(new)), &path), "{old} in {new}");
        assert!(!consistent((old, &root(new)), (new, &root(new)), &[]), "{old} in {new}");
        assert_eq!(consistency(&whole, old, new), None);
    }
}

#[test]
fn each_leaf_tells_the_subtrees_that_it_closes() {
    let mut frontier = Frontier::default();
    let mut told = Vec::new();
    for leaf in leaves(8) {
        frontier.push(leaf, &mut |level, index, _| told.push((level, index)));
    }
    let expected = [
        vec![(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1), (2, 0)],
        vec![(0, 4), (0, 5), (1, 2), (0, 6), (0, 7), (1, 3), (2, 1), (3, 0)],
    ];
    assert_eq!(told, expected.concat());
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
