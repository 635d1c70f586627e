//! The walk against git's own diff-tree, and against trees made to exhaust it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof, proptest};

use crate::facts::change::{FileMode, Operation};
use crate::names::oid::{ObjectFormat, Oid};
use crate::store::delta::{DeltaLimits, DeltaWalk, TreeCache, WhichLimit, delta};
use crate::store::testing::Scratch;
use crate::store::tree::TreeProblemKind;

/// A tree to be written.
#[derive(Clone, Debug)]
enum Node {
    Leaf(&'static str, u8),
    Folder(BTreeMap<Vec<u8>, Node>),
}

fn nodes() -> impl Strategy<Value = BTreeMap<Vec<u8>, Node>> {
    let name = prop_oneof![
        Just(b"a".to_vec()),
        Just(b"a.b".to_vec()),
        Just(b"a0".to_vec()),
        Just(b"b".to_vec()),
        Just(b"\xff".to_vec()),
        Just(b"x\ny\t\"z".to_vec()),
        prop::collection::vec(prop_oneof![1..=46_u8, 48..=255_u8], 1..4),
    ];
    let mode = prop_oneof![Just("100644"), Just("100755"), Just("120000"), Just("160000")];
    let leaf = (mode, 0..3_u8).prop_map(|(mode, content)| Node::Leaf(mode, content));
    let node = leaf.prop_recursive(4, 24, 5, {
        let name = name.clone();
        move |inner| prop::collection::btree_map(name.clone(), inner, 1..5).prop_map(Node::Folder)
    });
    prop::collection::btree_map(name, node, 0..8)
}

fn write(scratch: &Scratch, nodes: &BTreeMap<Vec<u8>, Node>) -> Oid {
    let mut entries: Vec<(Vec<u8>, &str, &[u8], Oid)> = Vec::new();
    for (name, node) in nodes {
        let mut key = name.clone();
        let (mode, oid) = match node {
            Node::Leaf(mode, content) => (*mode, scratch.blob(&format!("{content}\n"))),
            Node::Folder(inner) => {
                key.push(b'/');
                ("40000", write(scratch, inner))
            }
        };
        entries.push((key, mode, name, oid));
    }
    entries.sort();
    let entries: Vec<_> =
        entries.into_iter().map(|(_, mode, name, oid)| (mode, name, oid)).collect();
    scratch.raw_tree(&entries)
}

fn by_git(scratch: &Scratch, old: Oid, new: Oid) -> Vec<u8> {
    scratch.git(&[
        "--no-replace-objects",
        "diff-tree",
        "-r",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--raw",
        "--ignore-submodules=none",
        &old.hex(),
        &new.hex(),
    ])
}

fn walk(scratch: &Scratch, old: Option<Oid>, new: Option<Oid>, limits: DeltaLimits) -> DeltaWalk {
    delta(&scratch.store(), &mut TreeCache::new(), old, new, limits).unwrap()
}

fn judged(scratch: &Scratch, old: Oid, new: Oid) -> DeltaWalk {
    walk(scratch, Some(old), Some(new), DeltaLimits::JUDGING)
}

fn agrees_with_git(format: ObjectFormat, a: &BTreeMap<Vec<u8>, Node>, b: &BTreeMap<Vec<u8>, Node>) {
    let scratch = Scratch::new(format);
    let (old, new) = (write(&scratch, a), write(&scratch, b));
    let found = judged(&scratch, old, new);
    assert_eq!(found.cut, None);
    assert_eq!(
        found.delta.raw_bytes().escape_ascii().to_string(),
        by_git(&scratch, old, new).escape_ascii().to_string()
    );
    let empty = format.empty_tree();
    let made = walk(&scratch, None, Some(new), DeltaLimits::JUDGING);
    assert_eq!(made.delta.raw_bytes(), by_git(&scratch, empty, new));
    assert_eq!(made.delta, judged(&scratch, empty, new).delta);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_delta_is_what_git_says(a in nodes(), b in nodes()) {
        agrees_with_git(ObjectFormat::Sha1, &a, &b);
    }

    #[test]
    fn a_delta_is_what_git_says_with_sha256(a in nodes(), b in nodes()) {
        agrees_with_git(ObjectFormat::Sha256, &a, &b);
    }
}

#[test]
fn a_folder_that_becomes_a_submodule_shows_both_sides() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let file = scratch.blob("x");
    let infra = scratch.raw_tree(&[("100644", b"prod.tf", file)]);
    let old = scratch.raw_tree(&[("40000", b"infra", infra)]);
    let new = scratch.raw_tree(&[("160000", b"infra", file)]);
    let found = judged(&scratch, old, new);
    let shown: Vec<_> = found
        .delta
        .changes()
        .iter()
        .map(|change| (change.path.to_string(), change.operation()))
        .collect();
    let expected =
        [("infra".to_owned(), Operation::Add), ("infra/prod.tf".to_owned(), Operation::Delete)];
    assert_eq!(shown, expected);
    assert_eq!(found.delta.changes()[0].new.unwrap().mode, FileMode::Gitlink);
    assert_eq!(found.delta.raw_bytes(), by_git(&scratch, old, new));
}

#[test]
fn the_old_mode_100664_is_no_change_as_for_git() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let file = scratch.blob("x");
    let old = scratch.raw_tree(&[("100664", b"a", file)]);
    let new = scratch.raw_tree(&[("100644", b"a", file)]);
    let found = judged(&scratch, old, new);
    assert!(found.delta.is_empty());
    assert_eq!(by_git(&scratch, old, new), b"");
}

#[test]
fn a_hostile_tree_is_read_and_reported_with_its_path() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let (good, evil) = (scratch.blob("good"), scratch.blob("evil"));
    let infra = scratch.raw_tree(&[("100644", b"prod.tf", good)]);
    let evil_infra = scratch.raw_tree(&[("100644", b"prod.tf", evil)]);
    let old = scratch.raw_tree(&[("40000", b"infra", infra)]);
    let new = scratch.raw_tree(&[("40000", b"infra", infra), ("40000", b"infra", evil_infra)]);
    let above = |tree| scratch.raw_tree(&[("40000", b"deep", tree)]);
    let found = judged(&scratch, above(old), above(new));
    let problem = &found.problems[0];
    assert_eq!(
        (problem.path.as_bytes(), problem.kind),
        (&b"deep/infra"[..], TreeProblemKind::Duplicate)
    );
    assert!(problem.on_new_side && problem.kind.is_structural());
    // The second one is not hidden behind the first.
    assert_eq!(found.delta.changes().len(), 1);
}

#[test]
fn a_file_named_like_a_folder_with_its_slash_does_not_hide_the_folder() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let file = scratch.blob("x");
    let folder = scratch.raw_tree(&[("100644", b"prod.tf", file)]);
    let old = scratch.raw_tree(&[("100644", b"a/", file)]);
    let new = scratch.raw_tree(&[("40000", b"a", folder)]);
    let found = judged(&scratch, old, new);
    let paths: Vec<_> = found.delta.changes().iter().map(|c| c.path.to_string()).collect();
    assert_eq!(paths, ["a/", "a/prod.tf"]);
}

#[test]
fn a_tree_that_stands_for_too_many_paths_is_cut_short() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let mut tree = scratch.raw_tree(&[]);
    let names: Vec<String> = (0..10).map(|at| format!("d{at}")).collect();
    for _ in 0..10 {
        let entries: Vec<_> = names.iter().map(|name| ("40000", name.as_bytes(), tree)).collect();
        tree = scratch.raw_tree(&entries);
    }
    // No path differs at all, yet there are 10^10 folders to look into.
    let limits = DeltaLimits { entries_max: 10_000, ..DeltaLimits::JUDGING };
    let found = walk(&scratch, None, Some(tree), limits);
    assert_eq!(found.cut, Some(WhichLimit::Entries));
}

#[test]
fn a_deep_tree_is_cut_short() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let mut tree = scratch.raw_tree(&[("100644", b"f", scratch.blob("x"))]);
    for _ in 0..2000 {
        tree = scratch.raw_tree(&[("40000", b"d", tree)]);
    }
    let found = walk(&scratch, None, Some(tree), DeltaLimits::JUDGING);
    assert_eq!(found.cut, Some(WhichLimit::Depth));
    let deep = DeltaLimits { depth_max: 3000, ..DeltaLimits::JUDGING };
    assert_eq!(walk(&scratch, None, Some(tree), deep).cut, None);
    let short = DeltaLimits { path_bytes_max: 4000, ..deep };
    assert_eq!(walk(&scratch, None, Some(tree), short).cut, Some(WhichLimit::PathBytes));
}

#[test]
fn a_missing_tree_is_a_fault_not_an_empty_one() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let tree = scratch.raw_tree(&[("40000", b"d", scratch.blob("no tree"))]);
    let store = scratch.store();
    let absent = Oid::from_bytes(&[9; 20]).unwrap();
    for new in [tree, absent] {
        let walked = delta(&store, &mut TreeCache::new(), None, Some(new), DeltaLimits::JUDGING);
        assert!(walked.is_err());
    }
}
