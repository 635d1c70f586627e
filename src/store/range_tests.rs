//! Ranges over made-up histories, held against plain reachability and against git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, any, prop, proptest};

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::commits::CommitCache;
use crate::store::error::StoreError;
use crate::store::range::{Arriving, Range, RangeLimit, RangeLimits, arriving};
use crate::store::testing::{Memory, Scratch};

const LIMIT: usize = 1_000_000;

fn at_most(commits_max: usize) -> RangeLimits {
    RangeLimits { commits_max, bytes_max: usize::MAX }
}

fn all(objects: &Memory, include: &[u32], exclude: &[u32]) -> Range {
    let oids = |numbers: &[u32]| numbers.iter().map(|&n| Memory::oid(n)).collect::<Vec<_>>();
    let cache = &mut CommitCache::new();
    match arriving(objects, cache, &oids(include), &oids(exclude), at_most(LIMIT)).unwrap() {
        Arriving::All(range) => range,
        Arriving::Cut(limit) => panic!("cut: {limit:?}"),
    }
}

fn found(range: &Range) -> BTreeSet<Oid> {
    range.commits().iter().map(|(oid, _)| *oid).collect()
}

/// A history: the parents of each commit, all with lower numbers, and their dates.
type History = Vec<(Vec<u32>, u64)>;

fn histories() -> impl Strategy<Value = (History, Vec<u32>, Vec<u32>)> {
    let commit = (prop::collection::vec(any::<u32>(), 0..3), any::<u64>());
    (
        prop::collection::vec(commit, 1..60),
        any::<[u32; 2]>(),
        prop::collection::vec(any::<u32>(), 0..3),
    )
        .prop_map(|(mut history, include, exclude)| {
            for (at, (parents, _)) in history.iter_mut().enumerate() {
                let at = u32::try_from(at).unwrap();
                parents.iter_mut().for_each(|parent| *parent = at.saturating_sub(1 + *parent % 8));
                parents.retain(|parent| *parent < at);
                parents.dedup();
            }
            let count = u32::try_from(history.len()).unwrap();
            let within = |numbers: &[u32]| numbers.iter().map(|n| n % count).collect();
            (history, within(&include), within(&exclude))
        })
}

fn reachable(history: &History, from: &[u32]) -> BTreeSet<u32> {
    let mut reached = BTreeSet::new();
    let mut open = from.to_vec();
    while let Some(number) = open.pop() {
        if reached.insert(number) {
            open.extend(&history[number as usize].0);
        }
    }
    reached
}

fn truth(history: &History, include: &[u32], exclude: &[u32]) -> BTreeSet<Oid> {
    let excluded = reachable(history, exclude);
    let included = reachable(history, include);
    included.difference(&excluded).map(|&number| Memory::oid(number)).collect()
}

fn in_memory(history: &History, date: impl Fn(u32, u64) -> u64) -> Memory {
    let mut objects = Memory::default();
    for (number, (parents, seconds)) in (0..).zip(history) {
        objects.commit(number, parents, date(number, *seconds));
    }
    objects
}

proptest! {
    #[test]
    fn with_true_dates_exactly_what_arrives_is_found((history, include, exclude) in histories()) {
        let objects = in_memory(&history, |number, _| 1000 + u64::from(number) / 2);
        let range = all(&objects, &include, &exclude);
        assert_eq!(found(&range), truth(&history, &include, &exclude));
    }

    #[test]
    fn with_false_dates_nothing_that_arrives_is_missed((history, include, exclude) in histories()) {
        let objects = in_memory(&history, |_, seconds| seconds % 50);
        let range = all(&objects, &include, &exclude);
        let truth = truth(&history, &include, &exclude);
        assert!(found(&range).is_superset(&truth));
        let everything = reachable(&history, &include);
        assert!(found(&range).len() <= everything.len());
    }

    #[test]
    fn with_false_dates_ancestry_is_still_right((history, include, exclude) in histories()) {
        let objects = in_memory(&history, |_, seconds| seconds % 50);
        let (new, old) = (include[0], exclude.first().copied().unwrap_or(0));
        let range = all(&objects, &[new], &[old]);
        let expected = reachable(&history, &[new]).contains(&old);
        assert_eq!(range.builds_on(&Memory::oid(old)), expected);
    }

    #[test]
    fn the_first_parent_chain_is_found((history, include, exclude) in histories()) {
        let objects = in_memory(&history, |_, seconds| seconds % 50);
        let (new, old) = (include[0], exclude.first().copied().unwrap_or(0));
        let range = all(&objects, &[new], &[old]);
        let mut expected = Some(vec![]);
        let mut at = new;
        while at != old {
            expected.as_mut().unwrap().push(Memory::oid(at));
            match history[at as usize].0.first() {
                Some(parent) => at = *parent,
                None => { expected = None; break }
            }
        }
        assert_eq!(range.first_parent_chain(&Memory::oid(new), Some(&Memory::oid(old))), expected);
    }
}

/// A straight history of so many commits, a minute apart.
fn line(count: u32) -> Memory {
    let mut objects = Memory::default();
    for number in 0..count {
        let parents: Vec<u32> = number.checked_sub(1).into_iter().collect();
        objects.commit(number, &parents, 1_000_000 + 60 * u64::from(number));
    }
    objects
}

#[test]
fn the_cost_is_that_of_the_change() {
    let mut objects = line(20_000);
    objects.commit(20_000, &[19_999], 99_000_000);
    let range = all(&objects, &[20_000], &[19_999]);
    assert_eq!(range.commits().len(), 1);
    assert!(objects.reads.get() < 20, "{}", objects.reads.get());
}

#[test]
fn a_false_date_does_not_make_the_walk_long() {
    let mut objects = line(20_000);
    objects.commit(20_000, &[19_999], 0);
    let range = all(&objects, &[20_000], &[19_999]);
    assert_eq!(found(&range), BTreeSet::from([Memory::oid(20_000)]));
    assert!(objects.reads.get() < 200, "{}", objects.reads.get());
}

#[test]
fn a_topic_that_forked_long_ago_is_found_exactly() {
    let mut objects = line(20_000);
    for (number, parent) in [(20_000, 50), (20_001, 20_000), (20_002, 20_001)] {
        objects.commit(number, &[parent], 9_000_000 + u64::from(number));
    }
    objects.commit(20_003, &[19_999, 20_002], 99_000_000);
    let range = all(&objects, &[20_003], &[19_999]);
    let expected = [20_003, 20_002, 20_001, 20_000].map(Memory::oid);
    assert_eq!(range.commits().iter().map(|(oid, _)| *oid).collect::<Vec<_>>(), expected);
}

#[test]
fn a_range_that_is_too_long_says_so() {
    let objects = line(100);
    let include = [Memory::oid(99)];
    let cut = arriving(&objects, &mut CommitCache::new(), &include, &[], at_most(50)).unwrap();
    assert!(matches!(cut, Arriving::Cut(RangeLimit::Commits)), "{cut:?}");
    let few = RangeLimits { bytes_max: 5_000, ..at_most(100) };
    let cut = arriving(&objects, &mut CommitCache::new(), &include, &[], few).unwrap();
    assert!(matches!(cut, Arriving::Cut(RangeLimit::Bytes)), "{cut:?}");
    let cache = &mut CommitCache::new();
    assert!(matches!(
        arriving(&objects, cache, &include, &[], at_most(100)).unwrap(),
        Arriving::All(_)
    ));
}

#[test]
fn a_missing_parent_is_an_error_not_a_root() {
    let mut objects = Memory::default();
    objects.commit(1, &[0], 5);
    let error = arriving(&objects, &mut CommitCache::new(), &[Memory::oid(1)], &[], at_most(9))
        .unwrap_err();
    assert!(matches!(error, StoreError::Missing { oid } if oid == Memory::oid(0)), "{error}");
}

#[test]
fn git_finds_the_same_commits() {
    let scratch = Scratch::new(ObjectFormat::Sha256);
    let tree = scratch.raw_tree(&[]);
    let mut made: BTreeMap<u64, Oid> = BTreeMap::new();
    for number in 0..40_u64 {
        let parents = [number.checked_sub(1), number.checked_sub(3 + number % 5)];
        let parents: Vec<Oid> =
            parents.iter().flatten().filter_map(|n| made.get(n).copied()).collect();
        made.insert(number, scratch.commit(tree, &parents, 1_000_000 + number * 10));
    }
    let store = scratch.store();
    for (new, old) in [(39, 20), (39, 38), (20, 39), (39, 0), (17, 9)] {
        let (new, old) = (made[&new], made[&old]);
        let cache = &mut CommitCache::new();
        let Arriving::All(range) = arriving(&store, cache, &[new], &[old], at_most(100)).unwrap()
        else {
            panic!("cut")
        };
        let ours: String = range.commits().iter().map(|(oid, _)| format!("{oid}\n")).collect();
        let theirs = scratch.git(&["rev-list", &new.hex(), &format!("^{old}")]);
        assert_eq!(ours, String::from_utf8(theirs).unwrap());
    }
}
