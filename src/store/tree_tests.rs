//! What the tree reader makes of sound, odd and hostile trees.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::{any, prop, proptest};

use crate::facts::change::FileMode;
use crate::names::oid::ObjectFormat;
use crate::store::tree::{EntryMode, Tree, TreeProblemKind};

/// Modes and names.
type Entries<'a> = [(&'a str, &'a [u8])];

fn raw(entries: &Entries<'_>) -> Vec<u8> {
    let mut raw = Vec::new();
    for (octal, name) in entries {
        raw.extend_from_slice(octal.as_bytes());
        raw.push(b' ');
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(&[7; 20]);
    }
    raw
}

fn problems(entries: &Entries<'_>) -> Vec<TreeProblemKind> {
    let tree = Tree::parse(ObjectFormat::Sha1, raw(entries)).unwrap();
    tree.problems().iter().map(|(_, kind)| *kind).collect()
}

#[test]
fn a_sound_tree_is_read_in_order() {
    let entries: &[(&str, &[u8])] = &[
        ("100755", b"a"),
        ("100664", b"a.b"),
        ("40000", b"a0"),
        ("160000", b"m"),
        ("120000", b"\xff\xfe"),
    ];
    let tree = Tree::parse(ObjectFormat::Sha1, raw(entries)).unwrap();
    let modes: Vec<_> = tree.entries().map(|entry| entry.mode).collect();
    assert_eq!(
        modes,
        [
            EntryMode::Leaf(FileMode::Executable),
            EntryMode::Leaf(FileMode::File),
            EntryMode::Folder,
            EntryMode::Leaf(FileMode::Gitlink),
            EntryMode::Leaf(FileMode::Symlink),
        ]
    );
    assert_eq!(tree.problems(), []);
    assert!(tree.entry(b"\xff\xfe").is_some());
    assert!(tree.entry(b"x").is_none());
}

#[test]
fn d04_d05_d07_d12_hostile_entries_are_named() {
    use TreeProblemKind::{
        DotName, Duplicate, EmptyName, GitDirectory, SlashInName, UnknownMode, Unsorted,
        ZeroPaddedMode,
    };
    let cases: &[(&Entries<'_>, &[TreeProblemKind])] = &[
        (&[("100644", b"b"), ("100644", b"a")], &[Unsorted]),
        // A folder sorts as if it ended in a slash, and `.` is lower than that.
        (&[("40000", b"a"), ("100644", b"a.b")], &[Unsorted]),
        (&[("100644", b"a"), ("100644", b"a")], &[Duplicate]),
        (&[("100644", b"a"), ("100644", b"a.b"), ("40000", b"a")], &[Duplicate]),
        (&[("100644", b"")], &[EmptyName]),
        (&[("100644", b"infra/prod.tf")], &[SlashInName]),
        (&[("100644", b"..")], &[DotName]),
        (&[("40000", b".GIT")], &[GitDirectory]),
        (&[("040000", b"a")], &[ZeroPaddedMode]),
        (&[("100777", b"a")], &[UnknownMode]),
        (&[("100600", b"a")], &[UnknownMode]),
    ];
    for (entries, expected) in cases {
        assert_eq!(problems(entries), *expected, "{entries:?}");
    }
}

#[test]
fn a_tree_that_ends_early_cannot_be_read() {
    let whole = raw(&[("100644", b"a")]);
    for len in 1..whole.len() {
        assert!(Tree::parse(ObjectFormat::Sha1, whole[..len].to_vec()).is_err(), "{len}");
    }
    assert!(Tree::parse(ObjectFormat::Sha1, raw(&[("10x644", b"a")])).is_err());
    assert!(Tree::parse(ObjectFormat::Sha1, raw(&[("", b"a")])).is_err());
}

#[test]
fn many_problems_are_cut_short() {
    let entries: Vec<(&str, &[u8])> = vec![("100644", &b"a"[..]); 1000];
    assert_eq!(problems(&entries).len(), super::PROBLEMS_PER_TREE_MAX);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tree) = Tree::parse(ObjectFormat::Sha1, raw) {
            assert!(tree.entries().all(|entry| entry.oid.format() == ObjectFormat::Sha1));
            assert_eq!(tree.same_from(0, &tree, 0), tree.entries().count());
        }
    }
}
