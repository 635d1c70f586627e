//! Which commits arrive: those reachable from some commits and not from others.
//!
//! Walks both sides at once, by falling date, as git-rev-list(1) does, so that the cost is that
//! of the change and not of the history. Dates are claims. A wrong one can make a commit count as
//! arriving that was there before, which refuses too much; it can never hide one that arrives,
//! since a commit is only ever left out because a walk from the excluded side reached it.
//!
//! Nor can wrong dates make the walk long: the excluded side may only run ahead of the other one
//! by a factor, and how far it has to go is judged by dates that are corrected upwards, to be no
//! older than a parent's. A missing parent is an error, never the end of history.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::names::oid::Oid;
use crate::store::commits::{CommitCache, ReadCommit};
use crate::store::error::StoreError;
use crate::store::objects::Objects;

/// How many more excluded commits are looked at once nothing speaks for going on, against clocks
/// that are a little off. Git's SLOP.
const SLOP: usize = 5;

/// How many excluded commits may be walked for each included one, before an included one comes
/// next whatever its date.
const EXCLUDED_PER_INCLUDED_MAX: usize = 4;

/// How many excluded commits may be walked before that counts.
const EXCLUDED_FIRST_MAX: usize = 64;

/// How many excluded commits are walked at all.
pub const EXCLUDED_WALKED_MAX: usize = 2_000_000;

/// How far the included side may be walked.
#[derive(Clone, Copy, Debug)]
pub struct RangeLimits {
    /// Commits.
    pub commits_max: usize,
    /// Bytes of all of them.
    pub bytes_max: usize,
}

/// A limit that stopped a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeLimit {
    /// `commits_max`.
    Commits,
    /// `bytes_max`.
    Bytes,
    /// `EXCLUDED_WALKED_MAX`.
    Excluded,
}

/// Whether all arriving commits are known.
#[derive(Debug)]
pub enum Arriving {
    /// These are all.
    All(Range),
    /// There are more than may be walked.
    Cut(RangeLimit),
}

/// The commits that arrive, newest first by their dates, a commit before its parents where dates
/// are right.
#[derive(Debug)]
pub struct Range {
    commits: Vec<(Oid, Arc<ReadCommit>)>,
    places: HashMap<Oid, usize>,
    include: Vec<Oid>,
}

impl Range {
    /// The commits.
    pub fn commits(&self) -> &[(Oid, Arc<ReadCommit>)] {
        &self.commits
    }

    /// One of them. `None`: this commit does not arrive.
    pub fn commit(&self, oid: &Oid) -> Option<&Arc<ReadCommit>> {
        self.places.get(oid).and_then(|&at| self.commits.get(at)).map(|(_, commit)| commit)
    }

    /// Whether the included commits build on this one (or are it), for a commit that was the only
    /// one excluded: then whatever lies between arrives, and some of it has this as a parent.
    pub fn builds_on(&self, excluded: &Oid) -> bool {
        self.include.contains(excluded)
            || self.commits.iter().any(|(_, commit)| commit.links.parents.contains(excluded))
    }

    /// The commits from `new` along first parents down to `old`, newest first, `old` not among
    /// them. `None` for `old` asks for the way to a root. `None` comes back when `old` is not on
    /// that way, though it may well be an ancestor (a foxtrot).
    pub fn first_parent_chain(&self, new: &Oid, old: Option<&Oid>) -> Option<Vec<Oid>> {
        let mut chain = Vec::new();
        let mut at = *new;
        while Some(&at) != old {
            let commit = self.commit(&at)?;
            chain.push(at);
            match commit.links.parents.first() {
                Some(parent) => at = *parent,
                None if old.is_none() => break,
                None => return None,
            }
        }
        Some(chain)
    }
}

/// Finds the commits reachable from `include` and not from `exclude`, within the limits. All oids
/// have to be those of commits.
///
/// # Errors
/// `Missing`, `WrongKind`, `BrokenCommit` for anything met on the way.
pub fn arriving(
    objects: &dyn Objects,
    cache: &mut CommitCache,
    include: &[Oid],
    exclude: &[Oid],
    limits: RangeLimits,
) -> Result<Arriving, StoreError> {
    let mut walk = Walk::new(objects, cache);
    for oid in exclude {
        walk.reach(*oid, true)?;
    }
    for oid in include {
        walk.reach(*oid, false)?;
    }
    while let Some(oid) = walk.next() {
        if walk.included_walked > limits.commits_max {
            return Ok(Arriving::Cut(RangeLimit::Commits));
        }
        if walk.bytes > limits.bytes_max {
            return Ok(Arriving::Cut(RangeLimit::Bytes));
        }
        if walk.excluded_walked > EXCLUDED_WALKED_MAX {
            return Ok(Arriving::Cut(RangeLimit::Excluded));
        }
        walk.pass_on(oid)?;
    }
    Ok(Arriving::All(walk.range(include)))
}

/// A commit the walk has met.
struct Node {
    commit: Arc<ReadCommit>,
    /// Reachable from the excluded side. Once true, for good.
    excluded: bool,
    /// Its parents have been met.
    passed: bool,
}

/// Newest first; among equals, first met first.
type Queue = BinaryHeap<(u64, Reverse<usize>, Oid)>;

struct Walk<'a> {
    objects: &'a dyn Objects,
    cache: &'a mut CommitCache,
    nodes: HashMap<Oid, Node>,
    /// Commits whose parents have to be met. One that has become excluded since may still stand in
    /// `included`; it is passed over there.
    included: Queue,
    excluded: Queue,
    /// Included commits in the order in which they were passed; some may be excluded since.
    passed: Vec<Oid>,
    met: usize,
    /// Bytes of the included commits that were met.
    bytes: usize,
    included_walked: usize,
    excluded_walked: usize,
    slop: usize,
    /// The oldest corrected date among included commits, when it was last computed.
    oldest: Option<u64>,
    /// Computing it again is worth its price only after so many excluded commits.
    oldest_again_at: usize,
}

impl<'a> Walk<'a> {
    fn new(objects: &'a dyn Objects, cache: &'a mut CommitCache) -> Self {
        Self {
            objects,
            cache,
            nodes: HashMap::new(),
            included: Queue::new(),
            excluded: Queue::new(),
            passed: Vec::new(),
            met: 0,
            bytes: 0,
            included_walked: 0,
            excluded_walked: 0,
            slop: SLOP,
            oldest: None,
            oldest_again_at: 0,
        }
    }

    /// Meets a commit on one side or the other.
    fn reach(&mut self, oid: Oid, excluded: bool) -> Result<(), StoreError> {
        let mut to_reach = vec![oid];
        while let Some(oid) = to_reach.pop() {
            let node = match self.nodes.entry(oid) {
                Entry::Occupied(node) => node.into_mut(),
                Entry::Vacant(place) => {
                    let commit = self.cache.commit(self.objects, &oid)?;
                    let date = commit.links.when_seconds;
                    if !excluded {
                        self.bytes += commit.len_bytes;
                    }
                    place.insert(Node { commit, excluded, passed: false });
                    self.met += 1;
                    let queue = if excluded { &mut self.excluded } else { &mut self.included };
                    queue.push((date, Reverse(self.met), oid));
                    continue;
                }
            };
            if !excluded || node.excluded {
                continue;
            }
            node.excluded = true;
            if node.passed {
                // What was taken for included was not, and neither is what is below it.
                to_reach.extend_from_slice(&node.commit.links.parents);
            } else {
                self.excluded.push((node.commit.links.when_seconds, Reverse(self.met), oid));
            }
        }
        Ok(())
    }

    /// Meets the parents of a commit.
    fn pass_on(&mut self, oid: Oid) -> Result<(), StoreError> {
        let Some(node) = self.nodes.get_mut(&oid) else { return Ok(()) };
        node.passed = true;
        let excluded = node.excluded;
        let commit = Arc::clone(&node.commit);
        if !excluded {
            self.passed.push(oid);
        }
        for parent in &commit.links.parents {
            self.reach(*parent, excluded)?;
        }
        Ok(())
    }

    /// Which commit comes next. `None`: the walk is over.
    fn next(&mut self) -> Option<Oid> {
        while let Some((_, _, oid)) = self.included.peek() {
            if !self.nodes.get(oid).is_some_and(|node| node.excluded) {
                break;
            }
            self.included.pop();
        }
        let excluded = self.excluded.peek().map(|(date, _, _)| *date);
        let included = self.included.peek().map(|(date, _, _)| *date);
        let take_excluded = match (excluded, included) {
            (None, _) => false,
            (Some(excluded), Some(included)) => excluded > included && !self.excluded_is_ahead(),
            (Some(excluded), None) => {
                // Only excluded ones are left, but they may yet reach what was taken for included.
                if self.oldest()? <= excluded {
                    self.slop = SLOP;
                } else {
                    self.slop = self.slop.checked_sub(1)?;
                }
                true
            }
        };
        if take_excluded {
            self.excluded_walked += 1;
            return self.excluded.pop().map(|(_, _, oid)| oid);
        }
        let (_, _, oid) = self.included.pop()?;
        self.included_walked += 1;
        Some(oid)
    }

    fn excluded_is_ahead(&self) -> bool {
        let allowance = EXCLUDED_PER_INCLUDED_MAX * self.included_walked + EXCLUDED_FIRST_MAX;
        self.excluded_walked > allowance
    }

    /// The date of the oldest included commit, each taken to be no older than its parents. `None`:
    /// there is no included commit. It may be out of date, and is then too old: the walk goes on
    /// for longer than it needs to.
    fn oldest(&mut self) -> Option<u64> {
        if self.oldest.is_some() && self.excluded_walked < self.oldest_again_at {
            return self.oldest;
        }
        self.passed.retain(|oid| self.nodes.get(oid).is_some_and(|node| !node.excluded));
        let mut corrected: HashMap<Oid, u64> = HashMap::with_capacity(self.passed.len());
        // Backwards, since most parents were passed after their children.
        for oid in self.passed.iter().rev() {
            let Some(node) = self.nodes.get(oid) else { continue };
            let links = &node.commit.links;
            let parents = links.parents.iter().filter_map(|parent| {
                let own = || self.nodes.get(parent).map(|node| node.commit.links.when_seconds);
                corrected.get(parent).copied().or_else(own)
            });
            let date = parents.fold(links.when_seconds, u64::max);
            corrected.insert(*oid, date);
        }
        self.oldest_again_at = self.excluded_walked + self.passed.len();
        self.oldest = corrected.values().min().copied();
        self.oldest
    }

    fn range(mut self, include: &[Oid]) -> Range {
        let nodes = &self.nodes;
        let mut commits: Vec<(Oid, Arc<ReadCommit>)> = self
            .passed
            .drain(..)
            .filter_map(|oid| Some((oid, nodes.get(&oid)?)))
            .filter(|(_, node)| !node.excluded)
            .map(|(oid, node)| (oid, Arc::clone(&node.commit)))
            .collect();
        // Stable: equally old ones stay in the order of the walk, children first.
        commits.sort_by_key(|(_, commit)| Reverse(commit.links.when_seconds));
        let places = commits.iter().enumerate().map(|(at, (oid, _))| (*oid, at)).collect();
        Range { commits, places, include: include.to_vec() }
    }
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
