//! What `[rollback]` asks of a step, and what is said of one that lacks it, word for word.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::facts::change::{Delta, FileMode, PathChange, Side};
use crate::facts::evidence::{Candidate, Reject, Standing};
use crate::facts::landing::{Step, StepKind};
use crate::facts::makers::{BY_NOBODY, MakerBy, Makers};
use crate::facts::rollback::{BackTo, Rollback};
use crate::names::moment::Moment;
use crate::names::oid::ObjectFormat;
use crate::names::path::RepoPath;
use crate::push::pusher::Who;
use crate::roster::party::Party;
use crate::rules::rollback::{self, Terms, Word, objection, word};
use crate::rules::testing::{self, name, oid, push_of, word_of};
use crate::rules::view::View;
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::Objection;
use crate::verdict::line::Line;

fn terms(approvals: usize) -> Terms {
    let names = ["alice", "bob", "carol"].iter().map(|person| name(person)).collect();
    let by = Party { names, written: vec!["@sre".to_owned()] };
    Terms { by, approvals, within_seconds: 3_600 }
}

fn delta(fill: u8) -> Delta {
    let side = |fill| Some(Side { mode: FileMode::File, oid: oid(fill) });
    let change = PathChange { path: RepoPath::new("infra/a"), old: side(8), new: side(fill) };
    Delta::new(ObjectFormat::Sha1, vec![change])
}

/// A rollback from 222 to the state 111 of entry 12, made and pushed by Alice.
fn step(rollback: Rollback) -> Step {
    let mut makers = Makers::default();
    makers.add(&name("alice"), MakerBy::Brought, oid(3));
    Step {
        from: Some(oid(2)),
        subject: b"Roll main back to 1111111".to_vec(),
        delta: delta(9),
        not_before: vec![oid(3)],
        makers,
        rollback: Some(rollback),
        ..testing::step(StepKind::Run)
    }
}

fn back() -> Step {
    back_in(&[])
}

fn back_in(paths: &[&str]) -> Step {
    step(Rollback::To(BackTo {
        commit: oid(3),
        state: oid(1),
        entry: 12,
        left: oid(2),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }))
}

fn says(person: &str, verdict: ApprovalVerdict) -> Candidate {
    let mut word = word_of(person, oid(2), verdict);
    word.delta = delta(9);
    word.says.date = Moment::parse("2026-11-22T21:00:00Z").unwrap();
    word
}

fn approved(mut step: Step, by: &[&str]) -> Step {
    step.candidates = by.iter().map(|person| says(person, ApprovalVerdict::Approve)).collect();
    step
}

fn asked<T>(terms: Option<&Terms>, who: Who, ask: impl Fn(&View<'_>) -> T) -> T {
    let (update, push) = push_of(who, oid(2), oid(3));
    ask(&View {
        update: &update,
        landing: None,
        signatures: None,
        owners: None,
        intake: None,
        arrivals: None,
        run: None,
        push: &push,
        rollback: terms,
    })
}

fn judged(terms: &Terms, step: &Step) -> Word {
    asked(Some(terms), Who::Unlisted, |view| word(view, step))
}

fn text(objection: &Objection) -> String {
    let mut text = format!("{}\n", objection.what.show());
    for line in &objection.details {
        text += &format!("  {}\n", line.show());
    }
    for hint in &objection.hints {
        let command = hint.command.as_ref().map(|line| format!(": {}", line.show()));
        text += &format!("hint: {}{}\n", hint.text.show(), command.unwrap_or_default());
    }
    text
}

#[track_caller]
fn lacks(word: Word) -> String {
    match word {
        Word::Lacks(objection) => text(&objection),
        other @ (Word::Ordinary | Word::Granted(_) | Word::NoRollback(_)) => {
            panic!("it lacks nothing: {other:?}")
        }
    }
}

#[track_caller]
fn granted(word: Word) -> String {
    match word {
        Word::Granted(line) => line.show(),
        other @ (Word::Ordinary | Word::Lacks(_) | Word::NoRollback(_)) => {
            panic!("it is not granted: {other:?}")
        }
    }
}

#[test]
fn what_is_missing_is_said_with_who_can_give_it() {
    let step = approved(back_in(&["infra/**", "a"]), &["alice", "dave"]);
    assert_eq!(
        lacks(judged(&terms(2), &step)),
        "0 of 2 approvals for a rollback to entry 12\n\
         \x20 3333333 goes back to 1111111 of entry 12 in \"infra/**\" and 1 pattern more\n\
         \x20 approvals of a rollback count from @sre\n\
         \x20 alice approved it, but pushed 3333333: makers do not count\n\
         \x20 dave approved it, and is not in `by` of [rollback]\n\
         hint: push it where reviewers can get it: \
         git push origin 3333333:refs/heads/rollback-3333333\n\
         hint: ask 2 of bob, carol to run: portcullis approve 3333333 --for main\n"
    );
}

#[test]
fn enough_distinct_people_who_did_not_make_it_are_enough() {
    let said = granted(judged(&terms(2), &approved(back(), &["bob", "carol"])));
    assert_eq!(said, "3333333 goes back to 1111111 of entry 12, approved by bob, carol");
    let twice = lacks(judged(&terms(2), &approved(back(), &["bob", "bob"])));
    assert!(twice.starts_with("1 of 2 approvals"), "{twice}");
    assert!(
        twice.ends_with("ask carol to run: portcullis approve 3333333 --for main\n"),
        "{twice}"
    );
}

#[test]
fn what_is_missing_is_counted() {
    let missing = |by: &[&str]| match judged(&terms(2), &approved(back(), by)) {
        Word::Lacks(objection) => objection.missing.unwrap(),
        other @ (Word::Ordinary | Word::Granted(_) | Word::NoRollback(_)) => panic!("{other:?}"),
    };
    assert_eq!(missing(&["bob"]).approvals, 1);
    assert_eq!(missing(&["bob"]).from, [name("carol")]);
    assert_eq!(missing(&[]).approvals, 2);
}

#[test]
fn what_is_granted_speaks_for_a_step_and_nothing_else_does() {
    let told = |step: &Step, terms: Option<&Terms>| {
        asked(terms, Who::Unlisted, |view| rollback::granted(view, step)).map(|line| line.show())
    };
    let said = "3333333 goes back to 1111111 of entry 12, approved by bob";
    let good = approved(back(), &["bob"]);
    assert_eq!(told(&good, Some(&terms(1))).as_deref(), Some(said));
    assert_eq!(told(&good, None), None);
    assert_eq!(told(&back(), Some(&terms(1))), None);
    let claim = step(Rollback::Not(Line::new("infra/a is not as in 1111111")));
    assert_eq!(told(&claim, Some(&terms(0))), None);
}

#[test]
fn only_approvals_of_exactly_this_delta_count() {
    let mut step = approved(back(), &["bob"]);
    step.candidates[0].delta = delta(7);
    let said = lacks(judged(&terms(1), &step));
    assert!(said.contains("bob approved another change"), "{said}");
    let mut step = approved(back(), &["bob"]);
    step.candidates[0].standing = Standing::Not(Line::new("revoked their approval"));
    let said = lacks(judged(&terms(1), &step));
    assert!(said.contains("bob revoked their approval"), "{said}");
}

#[test]
fn an_unknown_maker_costs_one_more_even_where_none_is_asked_for() {
    let mut step = approved(back(), &["bob"]);
    step.makers.unknown = Some((oid(3), BY_NOBODY));
    assert!(lacks(judged(&terms(1), &step)).starts_with("1 of 2 approvals"));
    step.candidates.clear();
    assert!(lacks(judged(&terms(0), &step)).starts_with("0 of 1 approval for"));
}

#[test]
fn a_reject_outweighs_any_number_of_approvals_until_its_signer_approves() {
    let date = |text| Moment::parse(text).unwrap();
    let mut step = approved(back(), &["bob"]);
    step.rejects = vec![Reject {
        person: name("carol"),
        commit: oid(4),
        date: date("2026-11-22T20:00:00Z"),
        expires: date("2026-12-06T20:00:00Z"),
        entries: vec![0],
    }];
    assert_eq!(
        lacks(judged(&terms(1), &step)),
        "carol rejected this rollback, as in 4444444 on 2026-11-22T20:00:00Z\n\
         hint: settle it with carol, who can then run: portcullis approve 3333333 --for main\n"
    );
    step.candidates.push(says("carol", ApprovalVerdict::Approve));
    granted(judged(&terms(1), &step));
    // Of one second the reject is believed.
    step.rejects[0].date = date("2026-11-22T21:00:00Z");
    assert!(lacks(judged(&terms(1), &step)).starts_with("carol rejected this rollback"));
    step.rejects[0].person = name("dave");
    granted(judged(&terms(1), &step));
}

#[test]
fn without_approvals_the_pusher_has_to_be_one_of_them() {
    let pushed = |name, shared| {
        let who = Who::Listed { name, machine: false, shared };
        asked(Some(&terms(0)), who, |view| word(view, &back()))
    };
    let said = granted(pushed(name("alice"), false));
    assert_eq!(said, "3333333 goes back to 1111111 of entry 12, pushed by one of @sre");
    let expected = "a rollback to entry 12 is pushed by one of @sre\n\
         \x20 3333333 goes back to 1111111 of entry 12\n\
         hint: ask one of them to push it: alice, bob, carol\n";
    assert_eq!(lacks(pushed(name("dave"), false)), expected);
    assert_eq!(lacks(pushed(name("alice"), true)), expected, "a login that several share");
    assert_eq!(lacks(judged(&terms(0), &back())), expected, "somebody unlisted");
}

#[test]
fn a_claim_that_does_not_hold_is_added_to_the_rule_s_own_words() {
    let claim = step(Rollback::Not(Line::new("infra/a is not as in 1111111")));
    let own = Objection::new(Line::new("1 commit came by direct push"));
    let said = asked(Some(&terms(1)), Who::Unlisted, |view| objection(view, &claim, own.clone()));
    assert_eq!(
        text(&said),
        "1 commit came by direct push\n\
         \x20 no rollback: infra/a is not as in 1111111\n\
         hint: make the rollback anew, on the branch as it is now: \
         portcullis rollback main --to COMMIT\n"
    );
    let without = asked(None, Who::Unlisted, |view| objection(view, &claim, own.clone()));
    assert_eq!(without, own, "a policy without [rollback] knows of none");
}
