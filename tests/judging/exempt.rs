//! Exemptions: whose landings a rule passes over, and how far that goes.

use portcullis::facts::change::{Delta, FileMode, Operation, PathChange, Side};
use portcullis::facts::landing::{Segment, Step};
use portcullis::facts::makers::MakerBy;
use portcullis::facts::{Facts, Motion};
use portcullis::judge::{judge, needs};
use portcullis::names::oid::ObjectFormat;
use portcullis::names::path::RepoPath;
use portcullis::push::pusher::Who;
use portcullis::rules::within::OPERATIONS;
use portcullis::verdict::Verdict;

use crate::made::{alone, branch, change, delta, name, now, oid, policy, push, step, update};

const RULE: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"**\"]\nfrom = [\"ada\", \"ben\"]\n";

/// Whether Eve's push of one step to `main` passes over the rule with these exemptions.
fn passes(exempt: &str, so: impl FnOnce(&mut Facts)) -> bool {
    let policy =
        policy(&format!("[groups]\nbots = [\"eve\", \"plan-bot\"]\n{RULE}exempt = [{exempt}]\n"));
    let step = step(1, &[change("tags/a.yaml", 1, 2)]);
    let mut facts = push(vec![update(&policy, "main", vec![alone(step)], None)]);
    so(&mut facts);
    let judgement = judge(&policy, &facts);
    let passed = judgement.verdict() == Verdict::Accept;
    assert_eq!(judgement.refs[0].exempted.len(), usize::from(passed));
    passed
}

const BOTS: &str = "{ who = \"@bots\", paths = [\"tags/**\"] }";

fn segment(facts: &mut Facts) -> &mut Segment {
    &mut facts.updates[0].landings[0].segments[0]
}

fn first(facts: &mut Facts) -> &mut Step {
    &mut segment(facts).whole
}

#[test]
fn an_exemption_passes_over_the_rule_and_says_so() {
    assert!(passes(BOTS, |_| {}));
    assert!(!passes("{ who = \"ben\", paths = [\"tags/**\"] }", |_| {}));
    // Any one of several holds, and none holds by halves.
    let two = "{ who = \"ben\", paths = [\"tags/**\"] }, { who = \"eve\", paths = [\"tags/**\"] }";
    assert!(passes(two, |_| {}));
    let halves =
        "{ who = \"eve\", paths = [\"tags/**\"] }, { who = \"eve\", paths = [\"app/**\"] }";
    assert!(!passes(halves, |it| {
        first(it).delta = delta(&[change("app/x", 1, 2), change("tags/a.yaml", 1, 2)]);
    }));
}

#[test]
fn who_needs_no_exemption_is_not_said_to_have_one() {
    let policy = policy(&format!("{RULE}exempt = [{{ who = \"eve\", paths = [\"**\"] }}]\n"));
    let facts = push(vec![update(&policy, "main", vec![alone(step(1, &[]))], None)]);
    let judgement = judge(&policy, &facts);
    assert_eq!(judgement.verdict(), Verdict::Accept);
    assert!(judgement.refs[0].exempted.is_empty());
}

#[test]
fn only_known_people_and_machines_are_exempt() {
    let by = |name: &str, machine, shared| {
        let who = Who::Listed { name: crate::made::name(name), machine, shared };
        passes(BOTS, move |it| it.push.push.pusher.who = who)
    };
    assert!(by("eve", false, false) && by("plan-bot", true, false));
    assert!(!by("eve", false, true), "a login that several share");
    assert!(!by("ada", false, false));
    assert!(!passes(BOTS, |it| it.push.push.pusher.who = Who::Unlisted));
}

#[test]
fn every_maker_has_to_be_exempt_too() {
    assert!(passes(BOTS, |it| first(it).makers.add(&name("plan-bot"), MakerBy::Brought, oid(5))));
    assert!(!passes(BOTS, |it| first(it).makers.add(&name("ben"), MakerBy::Author, oid(5))));
    assert!(!passes(BOTS, |it| first(it).makers.unknown = Some((oid(6), "by nobody"))));
    // Of the commits one by one as well, and of another reading.
    assert!(!passes(BOTS, |it| {
        let mut one = step(2, &[change("tags/a.yaml", 1, 2)]);
        one.makers.add(&name("ben"), MakerBy::Author, oid(5));
        segment(it).each.push(one);
    }));
}

#[test]
fn what_takes_away_or_lands_nothing_is_not_exempt() {
    assert!(passes(BOTS, |it| it.updates[0].motion = Some(Motion::Create)));
    let rewind = Motion::Rewind { lost: 1, newest: None, known_value: true };
    assert!(!passes(BOTS, |it| it.updates[0].motion = Some(rewind)));
    assert!(!passes(BOTS, |it| it.updates[0].motion = None));
    assert!(!passes(BOTS, |it| it.updates[0].landings[0].off_chain = true));
}

#[test]
fn all_of_a_landing_lies_within_or_the_rule_speaks() {
    let changed = |changes: &[PathChange]| {
        let delta = delta(changes);
        passes(BOTS, move |it| first(it).delta = delta)
    };
    assert!(changed(&[change("tags/a.yaml", 1, 2), change("tags/b.yaml", 1, 0)]));
    assert!(!changed(&[change("app/x", 1, 2), change("tags/a.yaml", 1, 2)]));
    assert!(!changed(&[change("tags/a.yaml", 1, 2), change("z", 0, 2)]));
    assert!(!passes(BOTS, |it| first(it).hidden = vec![RepoPath::new("app/x")]));
    assert!(passes(BOTS, |it| first(it).hidden = vec![RepoPath::new("tags/b.yaml")]));
    assert!(!passes(BOTS, |it| {
        segment(it).each = vec![step(2, &[change("app/x", 1, 2)])];
    }));
    assert!(!passes(BOTS, |it| {
        let whole = step(2, &[change("app/x", 1, 2)]);
        it.updates[0].landings[0].whole = Some(Box::new(whole));
    }));
}

/// A file whose mode changes from one to another, at a path that is exempt.
fn turned(old: Option<FileMode>, new: Option<FileMode>) -> Delta {
    let side = |mode: Option<FileMode>, content: u32| {
        mode.map(|mode| Side { mode, oid: oid(0xb10_0000 + content) })
    };
    let change = PathChange { path: RepoPath::new("tags/a"), old: side(old, 1), new: side(new, 2) };
    Delta::new(ObjectFormat::Sha1, vec![change])
}

#[test]
fn a_link_that_was_none_leads_out_of_the_paths() {
    let turns = |old, new| {
        let delta = turned(old, new);
        passes(BOTS, move |it| first(it).delta = delta)
    };
    for link in [FileMode::Symlink, FileMode::Gitlink] {
        assert!(!turns(None, Some(link)), "{link:?}");
        assert!(!turns(Some(FileMode::File), Some(link)), "{link:?}");
        assert!(turns(Some(link), Some(link)), "{link:?}");
        assert!(turns(Some(link), None) && turns(Some(link), Some(FileMode::File)), "{link:?}");
    }
    assert!(!turns(Some(FileMode::Symlink), Some(FileMode::Gitlink)));
    assert!(turns(None, Some(FileMode::Executable)));
}

#[test]
fn operations_are_the_only_ones() {
    let only = |operations: &str, changes: &[PathChange]| {
        let delta = delta(changes);
        let exempt = format!("{{ who = \"eve\", paths = [\"**\"], operations = [{operations}] }}");
        passes(&exempt, move |it| first(it).delta = delta)
    };
    let (added, modified, gone) =
        (change("tags/a", 0, 1), change("tags/b", 1, 2), change("tags/c", 1, 0));
    assert!(only("\"modify\"", std::slice::from_ref(&modified)));
    assert!(
        !only("\"modify\"", std::slice::from_ref(&added))
            && !only("\"modify\"", std::slice::from_ref(&gone))
    );
    assert!(only("\"add\", \"delete\"", &[added.clone(), gone.clone()]));
    assert!(!only("\"add\", \"delete\"", &[added, gone, modified]));
    for (word, operation) in OPERATIONS {
        let turned = match operation {
            Operation::Add => turned(None, Some(FileMode::File)),
            Operation::Modify => turned(Some(FileMode::File), Some(FileMode::File)),
            Operation::Delete => turned(Some(FileMode::File), None),
            Operation::ModeFlip => {
                let oid = oid(0xb10_0001);
                let side = |mode| Some(Side { mode, oid });
                let (old, new) = (side(FileMode::File), side(FileMode::Executable));
                let change = PathChange { path: RepoPath::new("tags/a"), old, new };
                Delta::new(ObjectFormat::Sha1, vec![change])
            }
            Operation::TypeChange => turned(Some(FileMode::Symlink), Some(FileMode::File)),
        };
        for (other, _) in OPERATIONS {
            let exempt =
                format!("{{ who = \"eve\", paths = [\"**\"], operations = [\"{other}\"] }}");
            let delta = turned.clone();
            assert_eq!(
                passes(&exempt, |it| first(it).delta = delta),
                word == other,
                "{word} {other}"
            );
        }
    }
}

#[test]
fn what_came_and_went_is_within_operations_only_where_each_commit_is_seen() {
    let modify = "{ who = \"eve\", paths = [\"tags/**\"], operations = [\"modify\"] }";
    let hides = |each: Vec<Step>| {
        passes(modify, move |it| {
            first(it).hidden = vec![RepoPath::new("tags/b.yaml")];
            segment(it).each = each;
        })
    };
    assert!(!hides(Vec::new()), "nobody knows what was done to it");
    let (there, back) = (change("tags/b.yaml", 1, 2), change("tags/b.yaml", 2, 1));
    assert!(hides(vec![step(2, &[there]), step(3, &[back])]));
    let (came, went) = (change("tags/b.yaml", 0, 2), change("tags/b.yaml", 2, 0));
    assert!(!hides(vec![step(2, &[came]), step(3, &[went])]));
    // A reading without commits of its own shows nothing of them.
    assert!(!passes(modify, |it| {
        let mut whole = step(4, &[change("tags/a.yaml", 1, 2)]);
        whole.hidden = vec![RepoPath::new("tags/b.yaml")];
        it.updates[0].landings[0].whole = Some(Box::new(whole));
    }));
}

#[test]
fn what_lands_is_gathered_for_an_exemption_that_is_held_to_it() {
    let lands = |exempt: &str| {
        let rule = "[rule.short]\nkind = \"message\"\nrefs = [\"main\"]\nsubject-max = 50\n";
        let asked = needs(&policy(&format!("{rule}{exempt}")), &branch("main"), None, now());
        asked.rules[0].needs.landing
    };
    assert!(!lands(""));
    assert!(lands("exempt = [{ who = \"eve\", paths = [\"tags/**\"] }]\n"));
}
