//! Merges honest and otherwise, held against git's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::commits::CommitCache;
use crate::store::delta::{DeltaLimits, TreeCache, WhichLimit};
use crate::store::gitstore::GitStore;
use crate::store::merge::{EXTRAS_MAX, MergeCheck, merge_equals, tree_equals_merge};
use crate::store::mergesize::{MERGED_LINES_MAX, MergeLimits, TooMuch};
use crate::store::objects::{Merged, Objects};
use crate::store::testing::{Scratch, oid};

type Files<'a> = [(&'a str, &'a str)];

/// Writes a tree of these files, with folders where their names have slashes.
fn tree(scratch: &Scratch, files: &Files<'_>) -> Oid {
    tree_of_modes(
        scratch,
        &files.iter().map(|(path, text)| ("100644", *path, *text)).collect::<Vec<_>>(),
    )
}

fn tree_of_modes(scratch: &Scratch, files: &[(&str, &str, &str)]) -> Oid {
    let mut input = Vec::new();
    for (mode, path, text) in files {
        let blob = scratch.blob(text);
        input.extend_from_slice(format!("{mode} {blob} 0\t{path}\n").as_bytes());
    }
    let index = scratch.dir().join("index");
    let _ = std::fs::remove_file(&index);
    scratch.git_with(&["update-index", "--add", "--index-info"], &input);
    oid(&scratch.git(&["write-tree"]))
}

/// A fork: a base and two sides.
struct Fork {
    scratch: Scratch,
    ours: Oid,
    theirs: Oid,
}

impl Fork {
    fn new(base: &Files<'_>, ours: &Files<'_>, theirs: &Files<'_>) -> Self {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let base = scratch.commit(tree(&scratch, base), &[], 1);
        let ours = scratch.commit(tree(&scratch, ours), &[base], 2);
        let theirs = scratch.commit(tree(&scratch, theirs), &[base], 3);
        Self { scratch, ours, theirs }
    }

    fn check(&self, result: Oid) -> MergeCheck {
        let merge = self.scratch.commit(result, &[self.ours, self.theirs], 4);
        check(&self.scratch.store(), &merge)
    }

    fn check_files(&self, files: &Files<'_>) -> MergeCheck {
        self.check(tree(&self.scratch, files))
    }
}

fn check(store: &GitStore, merge: &Oid) -> MergeCheck {
    check_within(store, merge, &LIMITS)
}

fn check_within(store: &GitStore, merge: &Oid, limits: &MergeLimits) -> MergeCheck {
    merge_equals(store, &mut CommitCache::new(), &mut TreeCache::new(), merge, limits).unwrap()
}

const LIMITS: MergeLimits = MergeLimits {
    parents_max: 16,
    bases_max: 8,
    delta: DeltaLimits::JUDGING,
    file_bytes_max: 1024 * 1024,
};

fn extra_paths(check: &MergeCheck) -> Vec<String> {
    let MergeCheck::Differs(extras) = check else { panic!("{check:?}") };
    extras.delta.changes().iter().map(|change| change.path.to_string()).collect()
}

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

#[test]
fn a_clean_merge_is_equal() {
    let fork = Fork::new(
        &[("a/x", "1"), ("b/y", "1"), ("b/z", "1")],
        &[("a/x", "2"), ("b/y", "1"), ("b/z", "1"), ("b/new", "n")],
        &[("a/x", "1"), ("b/y", "2")],
    );
    let merged = [("a/x", "2"), ("b/y", "2"), ("b/new", "n")];
    assert_eq!(fork.check_files(&merged), MergeCheck::Equal);
}

#[test]
fn lines_are_merged_where_both_sides_changed_a_file() {
    let (first, last) = (LINES.replace('1', "one"), LINES.replace('9', "nine"));
    let both = first.replace('9', "nine");
    let fork = Fork::new(&[("f", LINES)], &[("f", &first)], &[("f", &last)]);
    assert_eq!(fork.check_files(&[("f", &both)]), MergeCheck::Equal);
    assert_eq!(extra_paths(&fork.check_files(&[("f", &first)])), ["f"]);
}

#[test]
fn a_merge_with_something_of_its_own_differs() {
    let fork = Fork::new(&[("a", "1")], &[("a", "2")], &[("a", "1"), ("b", "1")]);
    let evil = fork.check_files(&[("a", "2"), ("b", "1"), ("infra/evil.tf", "x")]);
    assert_eq!(extra_paths(&evil), ["infra/evil.tf"]);
    // `-s ours` drops what the other side brought.
    assert_eq!(extra_paths(&fork.check_files(&[("a", "2")])), ["b"]);
    assert_eq!(extra_paths(&fork.check_files(&[("a", "1"), ("b", "1")])), ["a"]);
}

#[test]
fn many_extras_are_cut_short() {
    let fork = Fork::new(&[("a", "1")], &[("a", "2")], &[("a", "1"), ("b", "1")]);
    let names: Vec<String> = (0..50).map(|at| format!("evil-{at}")).collect();
    let mut files = vec![("a", "2"), ("b", "1")];
    files.extend(names.iter().map(|name| (name.as_str(), "x")));
    let evil = fork.check_files(&files);
    assert_eq!(extra_paths(&evil).len(), EXTRAS_MAX);
    assert!(matches!(evil, MergeCheck::Differs(extras) if extras.cut));
}

#[test]
fn a_conflict_is_named_however_it_was_resolved() {
    let fork = Fork::new(&[("d/f", "1\n")], &[("d/f", "2\n")], &[("d/f", "3\n")]);
    for resolved in ["2\n", "3\n", "4\n"] {
        let check = fork.check_files(&[("d/f", resolved)]);
        let MergeCheck::Conflict(paths) = check else { panic!("{check:?}") };
        assert_eq!(paths[0].as_bytes(), b"d/f");
    }
}

#[test]
fn a_renamed_file_takes_the_other_sides_change_along() {
    let changed = LINES.replace('5', "five");
    let fork = Fork::new(
        &[("old", LINES), ("x", "x")],
        &[("new", LINES), ("x", "x")],
        &[("old", &changed), ("x", "x")],
    );
    assert_eq!(fork.check_files(&[("new", &changed), ("x", "x")]), MergeCheck::Equal);
}

#[test]
fn modes_and_file_against_folder_follow_the_rule_of_three() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let at = |files: &[(&str, &str, &str)]| tree_of_modes(&scratch, files);
    let base = at(&[("100644", "f", "1"), ("100644", "g", "1")]);
    let ours = at(&[("100755", "f", "1"), ("100644", "g/inner", "1")]);
    let theirs = at(&[("100644", "f", "2"), ("100644", "g", "1")]);
    let merged = at(&[("100755", "f", "2"), ("100644", "g/inner", "1")]);
    let base = scratch.commit(base, &[], 1);
    let sides = [scratch.commit(ours, &[base], 2), scratch.commit(theirs, &[base], 3)];
    let equal = scratch.commit(merged, &sides, 4);
    assert_eq!(check(&scratch.store(), &equal), MergeCheck::Equal);
    let flipped =
        scratch.commit(at(&[("100644", "f", "2"), ("100644", "g/inner", "1")]), &sides, 4);
    assert_eq!(extra_paths(&check(&scratch.store(), &flipped)), ["f"]);
}

#[test]
fn an_octopus_is_folded() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let scratch = Scratch::new(format);
        let x = scratch.blob("x");
        let one = |name: &'static [u8]| scratch.raw_tree(&[("100644", name, x)]);
        let base = scratch.commit(scratch.raw_tree(&[]), &[], 1);
        let sides = [b"a", b"b", b"c"].map(|name| scratch.commit(one(name), &[base], 2));
        let merged =
            scratch.raw_tree(&[("100644", b"a", x), ("100644", b"b", x), ("100644", b"c", x)]);
        assert_eq!(check(&scratch.store(), &scratch.commit(merged, &sides, 3)), MergeCheck::Equal);
        let short = scratch.raw_tree(&[("100644", b"a", x), ("100644", b"b", x)]);
        assert_eq!(extra_paths(&check(&scratch.store(), &scratch.commit(short, &sides, 3))), ["c"]);
    }
}

#[test]
fn what_is_no_merge_or_too_much_of_one_is_said() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let empty = scratch.raw_tree(&[]);
    let base = scratch.commit(empty, &[], 1);
    let store = scratch.store();
    assert_eq!(check(&store, &base), MergeCheck::NotAMerge);
    let many: Vec<Oid> =
        (0..=LIMITS.parents_max).map(|at| scratch.commit(empty, &[base], 2 + at as u64)).collect();
    let merge = scratch.commit(empty, &many, 99);
    assert_eq!(check(&scratch.store(), &merge), MergeCheck::TooMuch(TooMuch::Parents));
}

#[test]
fn a_criss_cross_merge_is_recomputed_with_a_merged_base() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let at = |files: &Files<'_>| tree(&scratch, files);
    let root = scratch.commit(at(&[("a", "1"), ("b", "1")]), &[], 1);
    let left = scratch.commit(at(&[("a", "2"), ("b", "1")]), &[root], 2);
    let right = scratch.commit(at(&[("a", "1"), ("b", "2")]), &[root], 3);
    let both = at(&[("a", "2"), ("b", "2")]);
    let cross = [scratch.commit(both, &[left, right], 4), scratch.commit(both, &[right, left], 5)];
    let ours = scratch.commit(at(&[("a", "2"), ("b", "2"), ("c", "1")]), &[cross[0]], 6);
    let theirs = scratch.commit(at(&[("a", "3"), ("b", "2")]), &[cross[1]], 7);
    assert_eq!(scratch.store().merge_bases(&ours, &theirs).unwrap().len(), 2);
    let merged = at(&[("a", "3"), ("b", "2"), ("c", "1")]);
    let merge = scratch.commit(merged, &[ours, theirs], 8);
    assert_eq!(check(&scratch.store(), &merge), MergeCheck::Equal);
    let one = MergeLimits { bases_max: 1, ..LIMITS };
    let too_much = check_within(&scratch.store(), &merge, &one);
    assert_eq!(too_much, MergeCheck::TooMuch(TooMuch::Bases));
}

/// Ten folders of ten folders, so deep: a tree of ten to the power of that many paths.
fn bomb(scratch: &Scratch, levels: usize) -> Oid {
    let blob = scratch.blob("x");
    let names: Vec<String> = (0..10).map(|at| format!("d{at}")).collect();
    let level = |mode: &'static str, oid: Oid| {
        let entries: Vec<_> = names.iter().map(|name| (mode, name.as_bytes(), oid)).collect();
        scratch.raw_tree(&entries)
    };
    (1..levels).fold(level("100644", blob), |tree, _| level("40000", tree))
}

#[test]
fn e02_a_merge_is_not_made_again_where_a_side_has_more_paths_than_may_be_looked_at() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let at = |files: &Files<'_>| tree(&scratch, files);
    let bomb = bomb(&scratch, 10);
    // The bomb came with the other side, or was in the base and both sides took it out.
    let root = scratch.commit(at(&[("a", "1")]), &[], 1);
    let ours = scratch.commit(at(&[("a", "2")]), &[root], 2);
    let theirs = scratch.commit(bomb, &[root], 3);
    let came = scratch.commit(at(&[("a", "3")]), &[ours, theirs], 4);
    let ours = scratch.commit(at(&[("a", "2")]), &[theirs], 5);
    let other = scratch.commit(at(&[("a", "4")]), &[theirs], 6);
    let gone = scratch.commit(at(&[("a", "3")]), &[ours, other], 7);
    let few = DeltaLimits { entries_max: 1000, ..DeltaLimits::JUDGING };
    let limits = MergeLimits { delta: few, ..LIMITS };
    for merge in [came, gone] {
        let found = check_within(&scratch.store(), &merge, &limits);
        assert_eq!(found, MergeCheck::TooMuch(TooMuch::Delta(WhichLimit::Entries)));
    }
}

#[test]
fn e01_what_is_too_large_is_neither_merged_by_lines_nor_compared_for_renames() {
    let text = |bytes: usize, last: &str| "0123456789abcde\n".repeat(bytes / 16) + last;
    let (small, large) = (text(1 << 10, ""), text(2 << 20, ""));
    let (ours, theirs) = (text(2 << 20, "ours\n"), "theirs\n".to_owned() + &large);
    let fork = Fork::new(&[("f", &large)], &[("f", &ours)], &[("f", &theirs)]);
    assert!(
        matches!(fork.check_files(&[("f", "x")]), MergeCheck::Conflict(paths) if paths.len() == 1)
    );
    let lines = "\n".repeat(MERGED_LINES_MAX + 1);
    let (ours, theirs) = (lines.clone() + "ours", "theirs".to_owned() + &lines);
    let fork = Fork::new(&[("f", &lines)], &[("f", &ours)], &[("f", &theirs)]);
    assert!(matches!(fork.check_files(&[("f", "x")]), MergeCheck::Conflict(_)));
    // A file that went and a large one that came: nobody reads it to see whether they are alike.
    let fork = Fork::new(&[("f", &small)], &[("f", &small), ("g", "1")], &[("h", &large)]);
    let MergeCheck::Differs(extras) = fork.check_files(&[("g", "2"), ("h", &large)]) else {
        panic!("an odd merge")
    };
    assert_eq!(extras.delta.changes().len(), 1);
}

#[test]
fn a_merge_that_hides_an_odd_entry_is_not_equal() {
    let fork = Fork::new(&[("a", "1")], &[("a", "2")], &[("a", "1"), ("b", "1")]);
    let scratch = &fork.scratch;
    let (two, one, evil) = (scratch.blob("2"), scratch.blob("1"), scratch.blob("evil"));
    let twice = [("100644", &b"a"[..], two), ("100644", b"b", one), ("100644", b"b", evil)];
    assert_ne!(fork.check(scratch.raw_tree(&twice)), MergeCheck::Equal);
    let empty = scratch.raw_tree(&[]);
    let empty_folder = [("100644", &b"a"[..], two), ("100644", b"b", one), ("40000", b"c", empty)];
    assert_ne!(fork.check(scratch.raw_tree(&empty_folder)), MergeCheck::Equal);
    let mode = [("100666", &b"a"[..], two), ("100644", b"b", one)];
    assert_ne!(fork.check(scratch.raw_tree(&mode)), MergeCheck::Equal);
}

#[test]
fn unrelated_histories_are_merged_from_nothing() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let ours = scratch.commit(tree(&scratch, &[("a", "1")]), &[], 1);
    let theirs = scratch.commit(tree(&scratch, &[("b", "1")]), &[], 2);
    let merge = scratch.commit(tree(&scratch, &[("a", "1"), ("b", "1")]), &[ours, theirs], 3);
    assert_eq!(check(&scratch.store(), &merge), MergeCheck::Equal);
}

#[test]
fn a_squash_is_checked_as_the_merge_it_stands_for() {
    let fork = Fork::new(&[("a", "1")], &[("a", "2")], &[("a", "1"), ("b", "1")]);
    let squashed = tree(&fork.scratch, &[("a", "2"), ("b", "1")]);
    let (commits, trees) = (&mut CommitCache::new(), &mut TreeCache::new());
    let store = fork.scratch.store();
    let parents = [fork.ours, fork.theirs];
    let sides = (parents.as_slice(), &squashed);
    let equal = tree_equals_merge(&store, commits, trees, sides, &LIMITS).unwrap();
    assert_eq!(equal, MergeCheck::Equal);
}

fn files() -> impl Strategy<Value = Vec<(String, String)>> {
    let path =
        prop_oneof![Just("a"), Just("a/b"), Just("d/e"), Just("d/f"), Just("d/g/h"), Just("z")];
    let text = prop::collection::vec(0..4_u8, 0..9)
        .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    prop::collection::btree_map(path.prop_map(str::to_owned), text, 0..6).prop_map(|mut files| {
        // A path cannot be a file and a folder.
        if files.contains_key("a/b") {
            files.remove("a");
        }
        files.into_iter().collect()
    })
}

/// A side: the base, with some of the files of another set in place of its own.
fn side(base: &[(String, String)], other: &[(String, String)], pick: u8) -> Vec<(String, String)> {
    let chosen = |at: usize| pick & (1 << (at % 8)) != 0;
    let mut side: Vec<_> =
        base.iter().enumerate().filter(|(at, _)| !chosen(*at)).map(|(_, f)| f.clone()).collect();
    for (path, text) in other.iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, f)| f) {
        let clash = |have: &str| {
            have == path
                || have.starts_with(&format!("{path}/"))
                || path.starts_with(&format!("{have}/"))
        };
        if !side.iter().any(|(have, _)| clash(have)) {
            side.push((path.clone(), text.clone()));
        }
    }
    side
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn whatever_git_merges_cleanly_is_equal(
        base in files(),
        picks in any::<[u8; 2]>(),
        a in files(),
        b in files(),
    ) {
        let (ours, theirs) = (side(&base, &a, picks[0]), side(&base, &b, picks[1]));
        let fork = Fork::new(&borrowed(&base), &borrowed(&ours), &borrowed(&theirs));
        let merged = fork.scratch.store().merged_tree_by_git(&fork.ours, &fork.theirs).unwrap();
        if let Some(Merged::Clean(merged)) = merged {
            // That tree went with the store. Have it written where it stays.
            let (ours, theirs) = (fork.ours.hex(), fork.theirs.hex());
            let again = fork.scratch.git(&["merge-tree", "--write-tree", &ours, &theirs]);
            assert_eq!(oid(&again), merged);
            assert_eq!(fork.check(merged), MergeCheck::Equal);
        }
    }
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}
