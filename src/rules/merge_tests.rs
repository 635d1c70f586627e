//! What a merge rule takes, and what it says of the rest, word for word.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::facts::evidence::{Candidate, Standing};
use crate::facts::landing::{
    Copied, Landing, MergeFact, NotSource, Segment, Step, StepKind, WhyNotSource,
};
use crate::facts::makers::{BY_NOBODY, MakerBy, Makers};
use crate::names::path::RepoPath;
use crate::push::pusher::Who;
use crate::roster::party::Party;
use crate::rules::merge::Method::{FastForward, Merge as ByMerge, Rebase, Squash};
use crate::rules::merge::{Merge, Method};
use crate::rules::merge_judge::judge;
use crate::rules::testing::{name, oid, push_of, step, word_of};
use crate::rules::view::View;
use crate::statement::fields::{ApprovalVerdict, Saying};
use crate::verdict::finding::Ruling;

fn direct() -> Step {
    Step { not_before: vec![oid(3)], ..step(StepKind::Run) }
}

fn merge(fact: MergeFact) -> Step {
    Step { merge: Some(fact), source: vec![oid(2)], ..step(StepKind::Merge) }
}

fn copy_of(source: u8) -> Step {
    let copied = Copied { of: vec![oid(source)], not_of: Vec::new() };
    Step { copied, source: vec![oid(source)], ..direct() }
}

fn not_copy(named: &[u8], why: WhyNotSource) -> Step {
    let not_of = vec![NotSource { named: named.to_vec(), why }];
    Step { copied: Copied { of: Vec::new(), not_of }, ..direct() }
}

fn before(step: Step) -> Step {
    Step { itself_before: true, not_before: Vec::new(), ..step }
}

fn of(segments: Vec<Segment>) -> Landing {
    let (start, end) = (Some(oid(1)), oid(3));
    Landing { start, end, off_chain: false, segments, whole: None, authorized: None }
}

fn one(step: Step) -> Landing {
    of(vec![Segment { whole: step, each: Vec::new() }])
}

fn party(names: &[&str]) -> Party {
    Party {
        names: names.iter().map(|person| name(person)).collect(),
        written: vec!["@sre".to_owned()],
    }
}

fn ruling(methods: &[Method], resolved_by: Option<Party>, landing: &Landing) -> Ruling {
    let (update, push) = push_of(Who::Unlisted, oid(1), landing.end);
    let rule = Merge { methods: methods.to_vec(), resolved_by };
    let view = View {
        update: &update,
        landing: Some(landing),
        signatures: None,
        owners: None,
        intake: None,
        arrivals: None,
        run: None,
        push: &push,
        rollback: None,
    };
    judge(&rule, &view)
}

fn text(ruling: &Ruling) -> String {
    let mut text = String::new();
    for objection in &ruling.objections {
        text += &format!("{}\n", objection.what.show());
        objection.details.iter().for_each(|line| text += &format!("  {}\n", line.show()));
        for hint in &objection.hints {
            let command = hint.command.as_ref().map(|command| format!(": {}", command.show()));
            text += &format!("hint: {}{}\n", hint.text.show(), command.unwrap_or_default());
        }
    }
    ruling.notes.iter().for_each(|note| text += &format!("note: {}\n", note.show()));
    text
}

#[track_caller]
fn says(methods: &[Method], step: Step, expected: &str) {
    assert_eq!(text(&ruling(methods, None, &one(step))), expected);
}

#[test]
fn each_method_takes_what_it_is_about_and_nothing_else() {
    let several = |step: Step| Step { commits: 2, ..step };
    let cases: [(&str, Step, &[Method]); 5] = [
        ("merge", merge(MergeFact::Equal), &[ByMerge]),
        ("topic", before(direct()), &[FastForward, Rebase]),
        ("squash", copy_of(2), &[Squash, Rebase]),
        ("rebase", several(copy_of(2)), &[Rebase]),
        ("direct", direct(), &[]),
    ];
    for (what, step, taken_by) in cases {
        for method in [ByMerge, FastForward, Squash, Rebase] {
            let ruling = ruling(&[method], None, &one(step.clone()));
            let taken = ruling.objections.is_empty();
            assert_eq!(taken, taken_by.contains(&method), "{what} by {method:?}");
            assert_eq!(taken, !ruling.notes.is_empty(), "{what} by {method:?}");
        }
    }
}

#[test]
fn what_came_past_the_gate_is_no_topic_that_was_pushed() {
    let makers = Makers { unknown: Some((oid(2), BY_NOBODY)), ..Makers::default() };
    let step = Step { not_before: vec![oid(2)], makers, ..before(direct()) };
    says(
        &[FastForward],
        step,
        "1 commit came by direct push, this branch takes pushed topics only\n\
         \x20 the last is 3333333 \"open port 8443\"\n\
         \x20 2222222 is on the server and came past the gate\n\
         hint: make the commits anew and push them to a branch: \
         git rebase --force-rebase 2222222~1\n\
         hint: when it is approved, push it as it is: git push origin TOPIC:main\n",
    );
}

#[test]
fn a_direct_push_is_told_every_way_there_is() {
    says(
        &[ByMerge],
        direct(),
        "1 commit came by direct push, this branch takes merges only\n\
         \x20 the last is 3333333 \"open port 8443\"\n\
         hint: push the work to a branch: git push origin 3333333:refs/heads/TOPIC\n\
         hint: when it is approved, merge it: \
         git switch main && git merge --no-ff TOPIC && git push origin main\n",
    );
    says(
        &[FastForward, Squash, Rebase],
        Step { commits: 3, ..direct() },
        "3 commits came by direct push, this branch takes pushed topics, squashes and rebases only\n\
         \x20 the last is 3333333 \"open port 8443\"\n\
         \x20 neither a trailer `Source:` nor an approval says what it is made of\n\
         hint: push the work to a branch: git push origin 3333333:refs/heads/TOPIC\n\
         hint: when it is approved, push it as it is: git push origin TOPIC:main\n\
         hint: or squash it and name its source: git switch main && git merge --squash TOPIC && \
         git commit --trailer \"Source: $(git rev-parse TOPIC)\" && git push origin main\n\
         hint: or rebase it and name its source: git rebase main TOPIC^0 && git commit --amend \
         --no-edit --trailer \"Source: $(git rev-parse TOPIC)\" && git push origin HEAD:main\n",
    );
}

#[test]
fn what_it_would_be_by_another_method_is_told() {
    let detail = |methods: &[Method], step: Step| {
        ruling(methods, None, &one(step)).objections[0].details[1].show()
    };
    assert_eq!(detail(&[ByMerge], copy_of(2)), "3333333 is a squash of 2222222");
    let rebase = Step { commits: 2, ..copy_of(2) };
    assert_eq!(detail(&[Squash], rebase), "2 commits are a rebase of 2222222");
    let words = "it was on the server before, so this would be a fast-forward";
    assert_eq!(detail(&[Squash], before(direct())), words);
}

#[test]
fn why_a_named_source_is_none_is_told() {
    let path = |path: &str| RepoPath::new(path);
    let hex = oid(2).hex().into_bytes();
    let cases = [
        (
            b"topic".to_vec(),
            WhyNotSource::NoOid,
            "\"topic\": that is not the whole name of a commit",
        ),
        (hex.clone(), WhyNotSource::NotHere, "2222222: the server has no such commit"),
        (
            hex.clone(),
            WhyNotSource::TooFar,
            "2222222: that is more than one push may have looked into",
        ),
        (hex.clone(), WhyNotSource::Holds, "2222222: the branch holds that already"),
        (
            hex.clone(),
            WhyNotSource::NotBefore(vec![oid(2), oid(4)]),
            "2222222: 2 commits of it no push has brought before",
        ),
        (hex.clone(), WhyNotSource::PastTheGate(oid(4)), "2222222: no push brought 4444444 of it"),
        (
            hex.clone(),
            WhyNotSource::Differs(vec![path("infra/a.tf"), path("infra/b.tf")]),
            "2222222: the content differs in infra/a.tf, infra/b.tf",
        ),
        (
            hex,
            WhyNotSource::Conflict(vec![path("infra/a.tf")]),
            "2222222: it does not merge by itself, for infra/a.tf",
        ),
    ];
    for (named, why, words) in cases {
        let ruling = ruling(&[Squash], None, &one(not_copy(&named, why)));
        let told = ruling.objections[0].details[1].show();
        assert_eq!(told, format!("of its source {words}"));
        assert_eq!(ruling.objections[0].details.len(), 2);
    }
    says(
        &[Squash],
        not_copy(&oid(2).hex().into_bytes(), WhyNotSource::NotBefore(vec![oid(2)])),
        "1 commit came by direct push, this branch takes squashes only\n\
         \x20 the last is 3333333 \"open port 8443\"\n\
         \x20 of its source 2222222: 1 commit of it no push has brought before\n\
         hint: push its source by itself first: git push origin 2222222:refs/heads/TOPIC\n\
         hint: when it is approved, squash it and name its source: git switch main && \
         git merge --squash TOPIC && git commit --trailer \"Source: $(git rev-parse TOPIC)\" && \
         git push origin main\n",
    );
}

#[test]
fn a_merge_where_none_is_taken_is_told_the_other_ways() {
    says(
        &[FastForward],
        merge(MergeFact::Equal),
        "3333333 is a merge, this branch takes pushed topics only\n\
         \x20 it merges \"open port 8443\"\n\
         hint: when it is approved, push it as it is: git push origin TOPIC:main\n",
    );
}

#[test]
fn a_run_is_taken_commit_by_commit_where_it_is_not_as_a_whole() {
    let whole = Step { commits: 2, ..direct() };
    let both = vec![copy_of(2), before(direct())];
    let run = |each| of(vec![Segment { whole: whole.clone(), each }]);
    let taken = ruling(&[Squash, FastForward], None, &run(both.clone()));
    assert_eq!(
        text(&taken),
        "note: 3333333 is a squash of 2222222\n\
         note: 3333333 was on the server before this push\n"
    );
    let not = ruling(&[Squash], None, &run(both));
    assert!(not.objections[0].what.show().starts_with("1 commit came"));
    let neither = ruling(&[ByMerge], None, &run(vec![direct(), direct()]));
    assert!(neither.objections[0].what.show().starts_with("2 commits came"));
}

#[test]
fn a_topic_with_merges_inside_is_taken_whole_where_topics_are() {
    let whole = |step: Step| Landing { whole: Some(Box::new(step)), ..one(direct()) };
    let jump = before(step(StepKind::Jump));
    let taken = |landing: &Landing, method| ruling(&[method], None, landing).objections.is_empty();
    assert!(taken(&whole(jump.clone()), FastForward));
    for method in [ByMerge, Squash, Rebase] {
        assert!(!taken(&whole(jump.clone()), method), "{method:?}");
    }
    let unseen = Step { not_before: vec![oid(2)], ..jump };
    assert!(!taken(&whole(unseen), FastForward));
}

#[test]
fn a_move_that_leaves_the_old_value_aside_is_taken_by_no_method() {
    let jump = before(step(StepKind::Jump));
    let landing = Landing { off_chain: true, ..one(jump) };
    let ruling = ruling(&[ByMerge, FastForward, Squash, Rebase], Some(party(&["bob"])), &landing);
    assert_eq!(
        text(&ruling),
        "3333333 does not build on 1111111\n\
         \x20 merges are followed by first parents only, no method allows this\n\
         hint: begin at the branch as it is, and merge the topic into it: \
         git switch main && git pull --ff-only && git merge --no-ff TOPIC\n"
    );
}

fn candidate(person: &str) -> Candidate {
    word_of(person, oid(1), ApprovalVerdict::Approve)
}

fn conflict() -> Step {
    merge(MergeFact::Conflict(vec![RepoPath::new("infra/a.tf")]))
}

/// The merge, there before and approved by Bob.
fn approved() -> Step {
    Step { candidates: vec![candidate("bob")], ..before(conflict()) }
}

fn stands(step: Step) -> bool {
    ruling(&[ByMerge], Some(party(&["bob", "carol"])), &one(step)).objections.is_empty()
}

#[test]
fn a_settled_conflict_stands_where_somebody_who_may_says_so() {
    let ruling = ruling(&[ByMerge], Some(party(&["bob"])), &one(approved()));
    assert_eq!(text(&ruling), "note: bob approved merge 3333333 as it is\n");
    let differs = merge(MergeFact::Differs(vec![RepoPath::new("a")]));
    assert!(stands(Step { candidates: vec![candidate("bob")], ..before(differs) }));

    assert!(!stands(Step { candidates: Vec::new(), ..approved() }));
    assert!(!stands(Step { itself_before: false, ..approved() }));
    assert!(!stands(Step { not_before: vec![oid(2)], ..approved() }));
    assert!(!stands(Step { candidates: vec![candidate("dave")], ..approved() }));
    let mut makers = Makers::default();
    makers.add(&name("bob"), MakerBy::Brought, oid(3));
    assert!(!stands(Step { makers, ..approved() }));
    let mut other = [candidate("bob"), candidate("bob"), candidate("bob"), candidate("bob")];
    other[0].says.base = oid(2);
    other[1].says.commit = oid(2);
    other[2].says.saying = Saying::Approval { verdict: ApprovalVerdict::Reject };
    other[3].standing = Standing::Not(crate::verdict::line::Line::new("approved it until then"));
    for candidate in other {
        assert!(!stands(Step { candidates: vec![candidate], ..approved() }));
    }
}

#[test]
fn an_unknown_maker_asks_for_one_more() {
    let makers = Makers { unknown: Some((oid(3), "was brought by a login")), ..Makers::default() };
    let with = |candidates| Step { makers: makers.clone(), candidates, ..approved() };
    assert!(!stands(with(vec![candidate("bob"), candidate("bob")])));
    assert!(stands(with(vec![candidate("bob"), candidate("carol")])));
}

#[test]
fn what_is_missing_for_a_settled_conflict_is_told() {
    says(
        &[ByMerge],
        conflict(),
        "merge 3333333 resolves a conflict in infra/a.tf\n\
         \x20 it merges \"open port 8443\"\n\
         hint: merge the branch into the topic and resolve there: \
         git switch TOPIC && git merge main\n\
         hint: when it is approved, merge it: \
         git switch main && git merge --no-ff TOPIC && git push origin main\n",
    );
    let mut step = conflict();
    step.makers.add(&name("bob"), MakerBy::Committer, oid(3));
    step.candidates = vec![candidate("bob")];
    let ruling = ruling(&[ByMerge], Some(party(&["bob", "carol", "erin"])), &one(step));
    assert_eq!(
        text(&ruling),
        "merge 3333333 resolves a conflict in infra/a.tf\n\
         \x20 it merges \"open port 8443\"\n\
         \x20 0 of 1 to let it stand, from @sre\n\
         \x20 bob approved it, but is the committer of 3333333: makers do not count\n\
         \x20 the merge itself was not on the server before\n\
         hint: push the merge to a branch first: git push origin 3333333:refs/heads/TOPIC\n\
         hint: ask one of carol, erin to run: portcullis approve 3333333 --for main\n\
         hint: or merge the branch into the topic, resolve there, and merge that: \
         git switch TOPIC && git merge main\n"
    );
    let missing = ruling.objections[0].missing.clone().unwrap();
    assert_eq!((missing.approvals, missing.from), (1, vec![name("carol"), name("erin")]));
}
