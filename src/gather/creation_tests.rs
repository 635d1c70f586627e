//! Where creations are judged from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::facts::past::{Landing, Maker, RefValue, ValueSource};
use crate::gather::creation::{refs_that_had, start};
use crate::gather::testing::{Town, branch};
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::pattern::refs::RefPatterns;
use crate::source::problem::Problems;
use crate::source::text::{Located, SourceText};

const FILES: &[(&str, &str)] = &[("a", "1\n")];

fn patterns(of: &[&str]) -> RefPatterns {
    let text = SourceText::read(0, "policy.toml", b"x", 10).unwrap();
    let at = |value: &&str| Located { value: (*value).to_owned(), spot: text.whole() };
    let list = Located { value: of.iter().map(at).collect(), spot: text.whole() };
    RefPatterns::read(&list, &mut Problems::new()).unwrap()
}

/// A server whose `main` went from the base over these commits.
struct Story {
    town: Town,
    line: Vec<Oid>,
}

impl Story {
    fn new() -> Self {
        let mut town = Town::new(ObjectFormat::Sha256, FILES);
        let mut line = vec![town.base];
        for at in 0..3 {
            let parent = line[line.len() - 1];
            let next = town.commit("alice", FILES, &[parent], &format!("commit {at}"));
            line.push(next);
        }
        // The second of them was never a value: it came in one push with the third.
        for oid in [line[1], line[3]] {
            town.past.had.insert((branch("main"), oid), 5);
        }
        Self { town, line }
    }

    fn start(&self, name: &str, starts: &[&str], end: Oid) -> Option<Oid> {
        self.town
            .scene("alice", |scene| start(scene, &branch(name), &patterns(starts), end).unwrap())
    }
}

#[test]
fn the_nearest_value_that_a_start_has_had_is_the_start() {
    let story = Story::new();
    let more = story.town.commit("alice", FILES, &[story.line[3]], "more");
    assert_eq!(story.start("release", &["main"], more), Some(story.line[3]));
    assert_eq!(story.start("release", &["main"], story.line[3]), Some(story.line[3]));
    // What lay between two values was never one.
    assert_eq!(story.start("release", &["main"], story.line[2]), Some(story.line[1]));
    assert_eq!(story.start("release", &["other"], more), None);
}

#[test]
fn a_merge_base_is_no_start() {
    let story = Story::new();
    let side = story.town.commit("alice", FILES, &[], "a root of its own");
    let merge = story.town.commit("alice", FILES, &[side, story.line[3]], "swapped");
    assert_eq!(story.start("release", &["main"], merge), None);
    assert_eq!(story.start("release", &["main"], side), None);
}

#[test]
fn a_ref_that_comes_back_starts_where_it_was_last() {
    let mut story = Story::new();
    let name = branch("release");
    let gone = RefValue {
        oid: Oid::zero(ObjectFormat::Sha256),
        entry: 9,
        source: ValueSource::Applied(9),
    };
    story.town.past.values.insert(name.clone(), gone);
    let by = Maker { name: None, login: Vec::new(), unknown: true };
    let deletion = Landing {
        entry: 9,
        at: Moment::from_seconds(1),
        by,
        old: story.line[2],
        new: Oid::zero(ObjectFormat::Sha256),
    };
    story.town.past.landings.insert(name, vec![deletion]);
    for end in [story.line[3], story.line[1], story.line[2]] {
        assert_eq!(story.start("release", &["main"], end), Some(story.line[2]));
    }
}

#[test]
fn only_what_a_ref_has_had_counts_as_landed_there() {
    let story = Story::new();
    let had = |oid| {
        story.town.scene("alice", |scene| {
            !refs_that_had(scene, &patterns(&["main"]), &oid).unwrap().is_empty()
        })
    };
    assert_eq!((had(story.line[1]), had(story.line[2]), had(story.line[3])), (true, false, true));
}
