//! Rules about a ref itself, and not about what lands on it: who may move it, what it may be.

use portcullis::facts::{Facts, Motion, Target, UpdateFacts};
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::names::refname::Refname;
use portcullis::policy::Policy;
use portcullis::push::pusher::Who;
use portcullis::verdict::{Judgement, Verdict};

use crate::made::{branch, now, oid, policy, push, update};

const ACCESS: &str = "[rule.who]\nkind = \"access\"\nrefs = [\"main\"]\ncreate = [\"eve\"]\n\
    move = [\"eve\", \"ada\"]\nrewind = [\"ada\"]\ndelete = []\n";
const LANDED: &str = "[rule.releases]\nkind = \"landed\"\nrefs = [\"main\", \"refs/tags/**\"]\n\
    in = [\"stable\"]\n[rule.who]\nkind = \"access\"\nrefs = [\"stable\"]\nmove = [\"ada\"]\n";
const KEPT: &str = "[rule.kept]\nkind = \"immutable\"\nrefs = [\"main\", \"refs/tags/**\"]\n";

fn rewind() -> Motion {
    Motion::Rewind {
        lost: 3,
        newest: Some((oid(1), b"open port 8443".to_vec())),
        known_value: false,
    }
}

/// An update of `main` that moves like this.
fn moved(policy: &Policy, motion: Motion) -> UpdateFacts {
    let mut update = update(policy, "main", Vec::new(), None);
    let zero = Oid::zero(ObjectFormat::Sha1);
    match &motion {
        Motion::Create => (update.real, update.update.claimed_old) = (None, zero),
        Motion::Delete => update.update.new = zero,
        Motion::FastForward | Motion::Rewind { .. } => {}
    }
    if motion == Motion::Delete {
        update.target = Target::Nothing;
    }
    update.change = update.update.change(update.real);
    update.motion = Some(motion);
    update.landings.clear();
    update.landing_of_rule.clear();
    update
}

fn said(judgement: &Judgement) -> String {
    let closing = Closing {
        entry: Some(4),
        head: Some("8c1f2ad0e5b7"),
        you: None,
        reach: Reach::WholePush,
        room: Room::default(),
    };
    pusher::judged(judgement, &closing)
}

/// By whom a push comes: somebody of the roster, or a login that is in nobody's table.
fn by(mut facts: Facts, who: &str) -> Facts {
    let listed = who == "eve";
    facts.push.push.pusher.login = who.to_owned();
    if !listed {
        facts.push.push.pusher.who = Who::Unlisted;
    }
    facts
}

#[test]
fn each_way_to_move_a_ref_has_its_own_list() {
    let policy = policy(ACCESS);
    for (motion, who, expected) in [
        (Motion::Create, "eve", None),
        (Motion::FastForward, "eve", None),
        (rewind(), "eve", Some("eve may not rewind this ref, ada may")),
        (Motion::Delete, "eve", Some("nobody may delete this ref")),
        (Motion::Create, "guest", Some("guest may not create this ref, eve may")),
        (Motion::FastForward, "guest", Some("guest may not move this ref, eve, ada may")),
        (Motion::Delete, "guest", Some("nobody may delete this ref")),
    ] {
        let word = format!("{motion:?} by {who}");
        let judgement = judge(&policy, &by(push(vec![moved(&policy, motion)]), who));
        let told = said(&judgement);
        let refused = judgement.verdict() == Verdict::Refuse;
        assert_eq!(refused, expected.is_some(), "{word}: {told}");
        assert!(told.contains(expected.unwrap_or("success")), "{word}: {told}");
    }
    let told = |motion: Motion, who: &str| {
        said(&judge(&policy, &by(push(vec![moved(&policy, motion)]), who)))
    };
    // What to do: ask somebody who may, or leave it.
    assert!(told(Motion::FastForward, "guest").contains("ask one of"));
    assert!(told(Motion::Delete, "eve").contains("leave this ref out of the push"));
    assert!(told(rewind(), "eve").contains("git pull --rebase origin main"));
}

#[test]
fn a_protected_ref_is_neither_rewound_nor_deleted_where_no_rule_says_who_may() {
    let names_who = "[rule.who]\nkind = \"access\"\nrefs = [\"main\"]\nmove = [\"eve\"]\n";
    let may = "[rule.who]\nkind = \"access\"\nrefs = [\"main\"]\nrewind = [\"eve\"]\ndelete = [\"eve\"]\n";
    for motion in [rewind(), Motion::Delete] {
        for (text, verdict) in [(names_who, Verdict::Refuse), (may, Verdict::Accept)] {
            let policy = policy(text);
            let judgement = judge(&policy, &push(vec![moved(&policy, motion.clone())]));
            assert_eq!(judgement.verdict(), verdict, "{motion:?} {text}");
        }
    }
    // A ref that no rule names is nobody's business.
    let elsewhere = policy(&names_who.replace("main", "stable"));
    let judgement = judge(&elsewhere, &push(vec![moved(&elsewhere, rewind())]));
    assert_eq!(judgement.verdict(), Verdict::Accept, "{}", said(&judgement));
}

#[test]
fn only_what_the_other_ref_has_had_lands() {
    let policy = policy(LANDED);
    let asked = needs(&policy, &branch("main"), Some(&branch("main")), now());
    let trusted = asked.rules.iter().filter_map(|rule| rule.needs.had_by.as_ref());
    assert_eq!(trusted.flat_map(|refs| refs.written().to_vec()).collect::<Vec<_>>(), ["stable"]);
    for (had_by, verdict) in [
        (vec![], Verdict::Refuse),
        (vec!["topic"], Verdict::Refuse),
        (vec!["topic", "stable"], Verdict::Accept),
    ] {
        let mut update = moved(&policy, Motion::FastForward);
        update.had_by = had_by.iter().map(|short| branch(short)).collect();
        let judgement = judge(&policy, &push(vec![update]));
        assert_eq!(judgement.verdict(), verdict, "{had_by:?}");
        let words =
            if verdict == Verdict::Accept { "success" } else { "is no commit that stable has had" };
        assert!(said(&judgement).contains(words), "{}", said(&judgement));
    }
}

#[test]
fn what_is_kept_is_made_once() {
    let policy = policy(KEPT);
    let annotated = policy_with_tags();
    for motion in [Motion::FastForward, Motion::Delete, rewind()] {
        let judgement = judge(&policy, &push(vec![moved(&policy, motion)]));
        assert_eq!(judgement.verdict(), Verdict::Refuse);
        assert!(said(&judgement).contains("what this ref names is never"), "{}", said(&judgement));
    }
    let made = moved(&policy, Motion::Create);
    assert_eq!(judge(&policy, &push(vec![made.clone()])).verdict(), Verdict::Accept);
    // A tag that has to be annotated, and a branch that cannot be.
    let mut tag = made.clone();
    tag.update.name = Refname::parse(b"refs/tags/v1").unwrap();
    assert_eq!(judge(&policy, &push(vec![tag.clone()])).verdict(), Verdict::Accept);
    for (update, verdict) in [(tag.clone(), Verdict::Refuse), (made, Verdict::Accept)] {
        assert_eq!(judge(&annotated, &push(vec![update])).verdict(), verdict);
    }
    tag.target = Target::Tag { commit: oid(2) };
    assert_eq!(judge(&annotated, &push(vec![tag])).verdict(), Verdict::Accept);
}

fn policy_with_tags() -> Policy {
    policy(&format!("{KEPT}annotated = true\n"))
}

#[test]
fn the_first_push_makes_branches_by_access_alone() {
    let rules =
        format!("{LANDED}[rule.main]\nkind = \"access\"\nrefs = [\"main\"]\ncreate = [\"ada\"]\n");
    let strict = policy(&rules);
    let open = policy(LANDED);
    for (policy, birth, motion, verdict) in [
        (&open, true, Motion::Create, Verdict::Accept),
        (&open, false, Motion::Create, Verdict::Refuse),
        (&open, true, Motion::FastForward, Verdict::Refuse),
        (&strict, true, Motion::Create, Verdict::Refuse),
    ] {
        let mut facts = push(vec![moved(policy, motion.clone())]);
        facts.push.birth = birth;
        let judgement = judge(policy, &facts);
        assert_eq!(judgement.verdict(), verdict, "{birth} {motion:?}: {}", said(&judgement));
    }
    // A tag is no branch.
    let mut update = moved(&open, Motion::Create);
    update.update.name = Refname::parse(b"refs/tags/v1").unwrap();
    let mut facts = push(vec![update]);
    facts.push.birth = true;
    assert_eq!(judge(&open, &facts).verdict(), Verdict::Refuse);
}

#[test]
fn certificates_are_asked_for_where_a_rule_or_the_identity_wants_them() {
    let none = policy(ACCESS);
    assert!(!none.asks_certificates());
    let signed = policy("[rule.signed]\nkind = \"signed-push\"\nrefs = [\"main\"]\n");
    assert!(signed.asks_certificates());
    let known = policy(&format!("{ACCESS}[identity]\nlocal = \"push-certificate\"\n"));
    assert!(known.asks_certificates());
    assert!(none.checkers().is_empty());
    let check = "[rule.plans]\nkind = \"check\"\nrefs = [\"main\"]\nchecks = [\"plan\"]\nfrom = [\"plan-bot\"]\n";
    assert_eq!(policy(check).checkers().len(), 1);
}
