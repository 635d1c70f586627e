//! Steps, what they are copies of, and whose work they are.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::facts::landing::{MergeFact, NotSource, Step, StepKind, WhyNotSource};
use crate::gather::source::SOURCES_PER_PUSH_MAX;
use crate::gather::testing::{Town, known};
use crate::names::oid::{ObjectFormat, Oid};

const BOTH: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

const BASE: &[(&str, &str)] = &[("app", "1\n"), ("infra", "1\n")];
const CHANGED: &[(&str, &str)] = &[("app", "1\n"), ("infra", "2\n")];
const MOVED: &[(&str, &str)] = &[("app", "2\n"), ("infra", "1\n")];
const MOVED_CHANGED: &[(&str, &str)] = &[("app", "2\n"), ("infra", "2\n")];

fn town() -> Town {
    Town::new(ObjectFormat::Sha1, BASE)
}

fn source(of: impl std::fmt::Display) -> String {
    format!("landed\n\nSource: {of}")
}

/// The single step of a landing of single commits.
fn run(landing: &crate::facts::landing::Landing) -> &Step {
    let [segment] = landing.segments.as_slice() else { panic!("{landing:?}") };
    assert_eq!(segment.whole.kind, StepKind::Run);
    &segment.whole
}

fn why(step: &Step) -> Vec<&WhyNotSource> {
    assert_eq!(step.copied.of, []);
    step.copied.not_of.iter().map(|source| &source.why).collect()
}

#[test]
fn a_squash_that_names_its_source_is_the_work_of_who_brought_that() {
    for format in BOTH {
        let mut town = Town::new(format, BASE);
        let topic = town.topic("alice", CHANGED);
        let moved = town.commit("carol", MOVED, &[town.base], "moved");
        let squash = town.commit("bob", MOVED_CHANGED, &[moved], &source(topic));
        let landing = town.land_from("bob", Some(moved), squash);
        let step = run(&landing);
        assert_eq!(step.copied.of, [topic]);
        assert_eq!(step.copied.not_of, []);
        assert_eq!(step.source, [topic]);
        assert!(!step.itself_before);
        assert_eq!(known(&step.makers), ["alice"]);
        assert_eq!(step.makers.unknown, None);
    }
}

#[test]
fn an_approval_of_the_change_names_the_source_too() {
    for format in BOTH {
        let mut town = Town::new(format, BASE);
        let topic = town.topic("alice", CHANGED);
        let squash = town.commit("bob", CHANGED, &[town.base], "landed");
        let landing = town.land("bob", squash);
        assert_eq!(run(&landing).copied.of, []);
        assert_eq!(known(&run(&landing).makers), ["bob"]);
        town.approves("bob", town.base, topic);
        let landing = town.land("bob", squash);
        assert_eq!(run(&landing).copied.of, [topic]);
        assert_eq!(known(&run(&landing).makers), ["alice"]);
    }
}

#[test]
fn co_authors_named_by_a_squash_are_makers_and_its_own_author_is_none() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let text = source(topic) + "\nCo-authored-by: Carol <carol@example.org>";
    let squash = town.commit("bob", CHANGED, &[town.base], &text);
    assert_eq!(known(&run(&town.land("bot", squash)).makers), ["alice", "carol"]);
}

#[test]
fn a_squash_of_the_reviewers_own_branch_is_the_reviewers_work() {
    let mut town = town();
    let topic = town.topic("bob", CHANGED);
    town.approves("bob", town.base, topic);
    let squash = town.commit("bot", CHANGED, &[town.base], &source(topic));
    assert_eq!(known(&run(&town.land("bot", squash)).makers), ["bob"]);
}

#[test]
fn what_is_named_and_is_not_the_source_is_told_with_its_reason() {
    for format in BOTH {
        let mut town = Town::new(format, BASE);
        let topic = town.topic("alice", CHANGED);
        let with = |files, named: &str| {
            let squash = town.commit("alice", files, &[town.base], &source(named));
            run(&town.land("alice", squash)).clone()
        };
        let other: &[(&str, &str)] = &[("app", "1\n"), ("infra", "3\n")];
        let differs = with(other, &topic.hex());
        let [WhyNotSource::Differs(paths)] = why(&differs)[..] else { panic!("{differs:?}") };
        assert_eq!(paths[0].as_bytes(), b"infra");
        assert_eq!(differs.source, [differs.to]);
        assert_eq!(why(&with(CHANGED, &topic.short())), [&WhyNotSource::NoOid]);
        assert_eq!(why(&with(CHANGED, "main")), [&WhyNotSource::NoOid]);
        assert_eq!(why(&with(CHANGED, &Oid::zero(format).hex())), [&WhyNotSource::NoOid]);
        let gone = Oid::from_bytes(&vec![9; format.len_bytes()]).unwrap();
        assert_eq!(why(&with(CHANGED, &gone.hex())), [&WhyNotSource::NotHere]);
        let blob = town.scratch.blob("x");
        assert_eq!(why(&with(CHANGED, &blob.hex())), [&WhyNotSource::NotHere]);
        assert_eq!(why(&with(BASE, &town.base.hex())), [&WhyNotSource::Holds]);
        let unseen = town.commit("alice", CHANGED, &[town.base], "never pushed");
        let not_before = WhyNotSource::NotBefore(vec![unseen]);
        let step = with(CHANGED, &unseen.hex());
        assert_eq!(why(&step), [&not_before]);
        assert!(step.unseen().any(|oid| *oid == unseen), "an open push may have brought it");
    }
}

#[test]
fn a_source_is_on_the_server_with_all_that_is_below_it() {
    let mut town = town();
    let below = town.commit("alice", MOVED, &[town.base], "never pushed");
    let topic = town.commit("alice", MOVED_CHANGED, &[below], "pushed");
    town.brought("alice", &[topic]);
    let squash = town.commit("bob", MOVED_CHANGED, &[town.base], &source(topic));
    let landing = town.land("bob", squash);
    assert_eq!(why(run(&landing)), [&WhyNotSource::NotBefore(vec![below])]);
    assert_eq!(known(&run(&landing).makers), ["bob"]);
}

#[test]
fn a_source_that_conflicts_is_none() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let other: &[(&str, &str)] = &[("app", "1\n"), ("infra", "3\n")];
    let moved = town.commit("carol", other, &[town.base], "moved");
    let settled: &[(&str, &str)] = &[("app", "1\n"), ("infra", "4\n")];
    let squash = town.commit("bob", settled, &[moved], &source(topic));
    let landing = town.land_from("bob", Some(moved), squash);
    let [WhyNotSource::Conflict(paths)] = why(run(&landing))[..] else { panic!("{landing:?}") };
    assert_eq!(paths[0].as_bytes(), b"infra");
    assert_eq!(known(&run(&landing).makers), ["bob"]);
}

#[test]
fn a_rebase_is_found_whole_and_makes_nobody_a_maker_by_either_reading() {
    for format in BOTH {
        let mut town = Town::new(format, BASE);
        let first = town.commit("alice", CHANGED, &[town.base], "one");
        let three: &[(&str, &str)] = &[("app", "1\n"), ("dns", "1\n"), ("infra", "2\n")];
        let topic = town.commit("alice", three, &[first], "two");
        town.brought("alice", &[first, topic]);
        let moved = town.commit("carol", MOVED, &[town.base], "moved");
        let again = town.commit("bob", MOVED_CHANGED, &[moved], "one");
        let end: &[(&str, &str)] = &[("app", "2\n"), ("dns", "1\n"), ("infra", "2\n")];
        let end = town.commit("bob", end, &[again], &source(topic));
        let landing = town.land_from("bob", Some(moved), end);
        let whole = run(&landing);
        assert_eq!((whole.commits, whole.copied.of.as_slice()), (2, &[topic][..]));
        assert_eq!(known(&whole.makers), ["alice"]);
        let each = &landing.segments[0].each;
        // The last commit's trailer holds for it alone as well; the first has none.
        let found: Vec<&[Oid]> = each.iter().map(|step| step.copied.of.as_slice()).collect();
        assert_eq!(found, [&[][..], &[topic][..]]);
        assert!(each.iter().all(|step| known(&step.makers) == ["alice"]));
    }
}

#[test]
fn two_squashes_in_one_push_have_each_their_own_source() {
    let mut town = town();
    let one = town.topic("alice", CHANGED);
    let two = town.topic("carol", MOVED);
    let first = town.commit("bob", CHANGED, &[town.base], &source(one));
    let second = town.commit("bob", MOVED_CHANGED, &[first], &source(two));
    let landing = town.land("bob", second);
    assert_eq!(run(&landing).copied.of, []);
    let each = &landing.segments[0].each;
    let found: Vec<&[Oid]> = each.iter().map(|step| step.copied.of.as_slice()).collect();
    assert_eq!(found, [&[one][..], &[two][..]]);
    assert!(each.iter().all(|step| known(&step.makers) == ["alice", "carol"]));
}

#[test]
fn a_squash_beside_a_direct_commit_leaves_that_ones_maker() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let first = town.commit("carol", CHANGED, &[town.base], &source(topic));
    let second = town.commit("bob", MOVED_CHANGED, &[first], "direct");
    let landing = town.land("carol", second);
    assert_eq!(known(&run(&landing).makers), ["alice", "bob", "carol"]);
}

#[test]
fn commits_that_were_there_before_are_their_makers_whatever_they_are_a_copy_of() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let copy = town.commit("bob", CHANGED, &[town.base], &source(topic));
    town.brought("bob", &[copy]);
    let landing = town.land("alice", copy);
    assert!(run(&landing).itself_before);
    assert_eq!(run(&landing).copied.of, []);
    assert_eq!(known(&run(&landing).makers), ["bob"]);
}

#[test]
fn past_the_bound_nothing_is_a_source() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let squash = town.commit("bob", CHANGED, &[town.base], &source(topic));
    let (last, copied) = town.scene("bob", |scene| {
        scene.sources_seen = SOURCES_PER_PUSH_MAX - 1;
        let last = scene.reader.commit(&squash).unwrap();
        let run = crate::gather::source::Run {
            from: Some(town.base),
            to: squash,
            last: &last,
            candidates: Vec::new(),
        };
        let last = crate::gather::source::look(scene, &run).unwrap();
        (last, crate::gather::source::look(scene, &run).unwrap())
    });
    assert_eq!(last.of, [topic]);
    let too_far = NotSource { named: topic.hex().into_bytes(), why: WhyNotSource::TooFar };
    assert_eq!((copied.of, copied.not_of), (Vec::new(), vec![too_far]));
}

#[test]
fn a_root_is_no_copy() {
    let town = town();
    let root = town.commit("alice", CHANGED, &[], &source(town.base));
    let landing = town.land_from("alice", None, root);
    assert_eq!((&run(&landing).copied.of, &run(&landing).copied.not_of), (&vec![], &vec![]));
}

#[test]
fn a_clean_merge_inside_the_change_is_nobodys_work_and_another_is() {
    for (tree, makers) in [(MOVED_CHANGED, &["alice"][..]), (CHANGED, &["alice", "carol"])] {
        let mut town = town();
        let one = town.topic("alice", CHANGED);
        let two = town.commit("alice", MOVED, &[town.base], "two");
        town.brought("alice", &[two]);
        let inner = town.commit("carol", tree, &[one, two], "merge");
        town.brought("carol", &[inner]);
        let merge = town.commit("bob", tree, &[town.base, inner], "merge");
        let landing = town.land("bob", merge);
        let step = &landing.segments[0].whole;
        assert_eq!((step.kind, step.merge.clone()), (StepKind::Merge, Some(MergeFact::Equal)));
        assert_eq!(known(&step.makers), makers);
        assert_eq!(step.not_before, []);
    }
}

#[test]
fn a_merge_with_changes_of_its_own_is_the_work_of_who_made_it() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let moved = town.commit("carol", MOVED, &[town.base], "moved");
    // `-s ours` keeps the one side, `-s theirs` the other, and one adds something.
    let evil: &[(&str, &str)] = &[("app", "2\n"), ("evil", "1\n"), ("infra", "2\n")];
    for tree in [MOVED, CHANGED, evil] {
        let merge = town.commit("bob", tree, &[moved, topic], "merge");
        let landing = town.land_from("bob", Some(moved), merge);
        let step = &landing.segments[0].whole;
        assert!(matches!(step.merge, Some(MergeFact::Differs(_))), "{:?}", step.merge);
        assert_eq!(known(&step.makers), ["alice", "bob"]);
    }
}

#[test]
fn an_octopus_is_folded() {
    for format in BOTH {
        let mut town = Town::new(format, BASE);
        let one = town.topic("alice", CHANGED);
        let two = town.topic("carol", MOVED);
        let merge = town.commit("bob", MOVED_CHANGED, &[town.base, one, two], "octopus");
        let landing = town.land("bob", merge);
        let step = &landing.segments[0].whole;
        assert_eq!(step.merge, Some(MergeFact::Equal));
        assert_eq!(known(&step.makers), ["alice", "carol"]);
        let evil = town.commit("bob", MOVED, &[town.base, one, two], "octopus");
        let landing = town.land("bob", evil);
        assert!(matches!(landing.segments[0].whole.merge, Some(MergeFact::Differs(_))));
    }
}

#[test]
fn a_foxtrot_is_one_step_that_leaves_the_chain() {
    let mut town = town();
    let topic = town.topic("alice", CHANGED);
    let moved = town.commit("carol", MOVED, &[town.base], "moved");
    let merge = town.commit("bob", MOVED_CHANGED, &[topic, moved], "foxtrot");
    town.brought("bob", &[merge]);
    let landing = town.land_from("bob", Some(moved), merge);
    assert!(landing.off_chain && landing.whole.is_none());
    let [segment] = landing.segments.as_slice() else { panic!("{landing:?}") };
    assert_eq!(segment.whole.kind, StepKind::Jump);
    assert_eq!(segment.whole.delta.changes().len(), 1);
}

#[test]
fn a_rewind_is_one_step_back() {
    let town = town();
    let ahead = town.commit("alice", CHANGED, &[town.base], "ahead");
    let landing = town.land_from("alice", Some(ahead), town.base);
    assert!(landing.off_chain);
    assert_eq!(landing.segments[0].whole.kind, StepKind::Jump);
    assert_eq!(landing.segments[0].whole.delta.changes()[0].path.as_bytes(), b"infra");
    assert!(town.land_from("alice", Some(ahead), ahead).segments.is_empty());
}

#[test]
fn a_change_and_its_revert_are_told_where_they_move_the_branch() {
    let mut town = town();
    let there = town.commit("alice", CHANGED, &[town.base], "there");
    let back = town.commit("alice", BASE, &[there], "and back");
    town.brought("alice", &[there, back]);
    let hidden = |landing: &crate::facts::landing::Landing| {
        let hidden = &landing.segments[0].whole.hidden;
        hidden.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(hidden(&town.land("alice", back)), ["infra"]);
    let merge = town.commit("alice", BASE, &[town.base, back], "merge");
    let landing = town.land("alice", merge);
    assert_eq!(hidden(&landing), Vec::<String>::new());
    assert!(landing.segments[0].whole.delta.is_empty());
}

#[test]
fn a_topic_with_a_merge_inside_is_also_one_step_when_it_was_there_before() {
    let mut town = town();
    let one = town.topic("alice", CHANGED);
    let two = town.topic("alice", MOVED);
    let tip = town.commit("alice", MOVED_CHANGED, &[one, two], "merge");
    assert!(town.land("bob", tip).whole.is_none());
    town.brought("alice", &[tip]);
    let landing = town.land("bob", tip);
    let whole = landing.whole.as_deref().unwrap();
    assert_eq!((whole.kind, whole.from, whole.to), (StepKind::Jump, Some(town.base), tip));
    assert!(whole.itself_before && whole.not_before.is_empty());
    assert_eq!(known(&whole.makers), ["alice"]);
    assert_eq!(landing.segments.len(), 2);
}
