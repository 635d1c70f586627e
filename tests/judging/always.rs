//! What is asked of every push without a rule: one finding each, by its name, and nothing where there is
//! nothing to find.

use portcullis::facts::{Facts, Structural, Target, UpdateFacts};
use portcullis::judge::judge;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::names::refname::Refname;
use portcullis::policy::Policy;
use portcullis::push::pusher::Who;
use portcullis::verdict::finding::Objection;
use portcullis::verdict::line::Line;
use portcullis::verdict::{Judgement, Verdict};

use crate::made::{oid, policy, push, update};

const RULE: &str = "[rule.who]\nkind = \"access\"\nrefs = [\"main\", \"release/*\"]\nmove = [\"eve\"]\n\
    create = [\"eve\"]\ndelete = [\"eve\"]\n";

/// A ref of this name that moves from 1 to 2.
fn plain(policy: &Policy, refname: &[u8]) -> UpdateFacts {
    let mut update = update(policy, "main", Vec::new(), None);
    update.update.name = Refname::parse(refname).unwrap();
    update
}

/// The same, made anew.
fn made(policy: &Policy, refname: &[u8]) -> UpdateFacts {
    let mut update = plain(policy, refname);
    (update.real, update.update.claimed_old) = (None, Oid::zero(ObjectFormat::Sha1));
    update.change = update.update.change(None);
    update
}

/// The names of what was found, of the push and of its refs.
fn found(judgement: &Judgement) -> Vec<&str> {
    let of_refs = judgement.refs.iter().flat_map(|one| &one.findings);
    judgement.findings.iter().chain(of_refs).map(|finding| finding.rule.name()).collect()
}

#[track_caller]
fn finds(policy: &Policy, facts: &Facts, names: &[&str]) {
    let judgement = judge(policy, facts);
    assert_eq!(found(&judgement), names);
    let verdict = if names.is_empty() { Verdict::Accept } else { Verdict::Refuse };
    assert_eq!(judgement.verdict(), verdict);
}

#[test]
fn a_ref_is_what_it_says_it_is() {
    let policy = policy(RULE);
    let one = |change: fn(&mut UpdateFacts), names: &[&str]| {
        let mut update = plain(&policy, b"refs/heads/topic");
        change(&mut update);
        update.change = update.update.change(update.real);
        finds(&policy, &push(vec![update]), names);
    };
    one(|_| {}, &[]);
    one(|it| it.alias_of = Some(b"refs/heads/main".to_vec()), &["symbolic-ref"]);
    one(|it| it.real = Some(oid(9)), &["moved"]);
    one(|it| it.real = None, &["moved"]);
    // Who pushes to another name cannot know its value.
    one(
        |it| (it.real, it.alias_of) = (Some(oid(9)), Some(b"refs/heads/main".to_vec())),
        &["symbolic-ref"],
    );
    one(|it| it.target = Target::Missing, &["missing-object"]);
    one(|it| it.target = Target::Tag { commit: oid(2) }, &["object-kind"]);
    one(|it| it.target = Target::Other, &["object-kind"]);
    one(|it| (it.target, it.update.new) = (Target::Nothing, Oid::zero(ObjectFormat::Sha1)), &[]);
    one(
        |it| {
            let zero = Oid::zero(ObjectFormat::Sha1);
            (it.real, it.target) = (None, Target::Nothing);
            (it.update.new, it.update.claimed_old) = (zero, zero);
        },
        &["nothing"],
    );
    let mut tag = made(&policy, b"refs/tags/v1");
    for (target, names) in [
        (Target::Commit(oid(2)), &[][..]),
        (Target::Tag { commit: oid(2) }, &[]),
        (Target::Other, &["object-kind"]),
    ] {
        tag.target = target;
        finds(&policy, &push(vec![tag.clone()]), names);
    }
}

#[test]
fn names_stand_where_they_may_and_read_as_what_they_are() {
    let named = format!(
        "{RULE}[rule.notes]\nkind = \"access\"\nrefs = [\"refs/notes/**\"]\nmove = [\"eve\"]\n"
    );
    let (policy, with_notes) = (policy(RULE), policy(&named));
    for (refname, names) in [
        (&b"refs/heads/topic"[..], &[][..]),
        (b"refs/tags/v1", &[]),
        (b"refs/replace/1111111111111111111111111111111111111111", &["reserved-name"]),
        (b"refs/portcullis/ask/heads/main", &["reserved-name"]),
        (b"refs/notes/commits", &["outside"]),
        (b"refs/heads/HEAD", &["misleading-name"]),
        (b"refs/tags/@", &["misleading-name"]),
        (b"refs/heads/-f", &["misleading-name"]),
        (b"refs/heads/refs/heads/x", &["misleading-name"]),
        (b"refs/heads/Main", &["look-alike"]),
        (b"refs/heads/release", &["look-alike"]),
        (b"refs/tags/main", &["look-alike"]),
        (b"refs/tags/topic", &[]),
    ] {
        finds(&policy, &push(vec![made(&policy, refname)]), names);
    }
    let mut note = plain(&with_notes, b"refs/notes/commits");
    finds(&with_notes, &push(vec![note.clone()]), &[]);
    note.target = Target::Other;
    finds(&with_notes, &push(vec![note]), &[]);
    // What is there already may be moved, and what misleads may be deleted.
    finds(&policy, &push(vec![plain(&policy, b"refs/heads/Main")]), &[]);
    let mut gone = plain(&policy, b"refs/heads/HEAD");
    (gone.update.new, gone.target) = (Oid::zero(ObjectFormat::Sha1), Target::Nothing);
    gone.change = gone.update.change(gone.real);
    finds(&policy, &push(vec![gone]), &[]);
    // A rule that only warns guards no name.
    let warning = crate::made::policy(&RULE.replace("refs", "level = \"warn\"\nrefs"));
    finds(&warning, &push(vec![made(&warning, b"refs/heads/Main")]), &[]);
    finds(&warning, &push(vec![made(&warning, b"refs/tags/main")]), &[]);
}

#[test]
fn where_a_rule_is_about_every_branch_a_tag_is_held_against_those_that_are_there() {
    for refs in ["\"**\"", "\"refs/**\"", "\"*\", \"!release\"", "\"**\", \"!main\""] {
        let text = format!("[rule.all]\nkind = \"access\"\nrefs = [{refs}]\nrewind = [\"eve\"]\n");
        let policy = policy(&text);
        let tag = made(&policy, b"refs/tags/v1");
        finds(&policy, &push(vec![tag.clone()]), &[]);
        let beside = UpdateFacts { has_namesake: true, ..tag.clone() };
        finds(&policy, &push(vec![beside]), &["look-alike"]);
        let branch = made(&policy, b"refs/heads/v1");
        finds(&policy, &push(vec![branch.clone()]), &[]);
        let hidden = UpdateFacts { has_namesake: true, ..branch.clone() };
        finds(&policy, &push(vec![hidden]), &["look-alike"]);
        let both = push(vec![branch, tag]);
        finds(&policy, &both, &["look-alike"]);
    }
    let policy = policy("[rule.r]\nkind = \"access\"\nrefs = [\"v*\"]\nrewind = [\"eve\"]\n");
    finds(&policy, &push(vec![made(&policy, b"refs/tags/v1")]), &["look-alike"]);
}

#[test]
fn b05_a_name_that_the_file_system_takes_for_another_is_refused_whatever_the_rules() {
    let policy = policy("[rule.r]\nkind = \"access\"\nrefs = [\"v*\"]\nrewind = [\"eve\"]\n");
    let topic = made(&policy, b"refs/heads/Topic");
    finds(&policy, &push(vec![topic.clone()]), &[]);
    finds(&policy, &push(vec![UpdateFacts { has_twin: true, ..topic }]), &["look-alike"]);
}

#[test]
fn what_cannot_be_told_from_an_attack_is_its_own_finding_and_all_else_is_judged_too() {
    let policy =
        policy("[rule.who]\nkind = \"access\"\nrefs = [\"main\", \"-f\"]\nmove = [\"ada\"]\n");
    let mut main = plain(&policy, b"refs/heads/main");
    finds(&policy, &push(vec![main.clone()]), &["who"]);
    finds(&policy, &push(vec![plain(&policy, b"refs/heads/-f")]), &["misleading-name", "who"]);
    main.real = Some(oid(9));
    finds(&policy, &push(vec![main]), &["moved"]);
}

#[test]
fn a_push_comes_from_somebody_and_to_the_repository_itself() {
    let open = policy(RULE);
    let closed = policy(&format!("{RULE}[identity]\nunlisted = \"refuse\"\n"));
    let by = |policy: &Policy, who: Who, source: &str| {
        let mut facts = push(vec![plain(policy, b"refs/heads/topic")]);
        facts.push.push.pusher.who = who;
        facts.push.push.pusher.source = source.to_owned();
        facts
    };
    let unnamed = || Who::Unnamed { why: "SSH_USER_AUTH is not set".to_owned() };
    finds(&open, &by(&open, Who::Unlisted, "os-user"), &[]);
    finds(&closed, &by(&closed, Who::Unlisted, "os-user"), &["identity"]);
    for (source, words) in
        [("os-user", "cannot tell who is pushing"), ("push-certificate", "has to be signed")]
    {
        let facts = by(&open, unnamed(), source);
        finds(&open, &facts, &["identity"]);
        let what = format!("{:?}", judge(&open, &facts).findings);
        assert!(what.contains(words), "{what}");
    }
    let mut elsewhere = push(vec![plain(&open, b"refs/heads/topic")]);
    elsewhere.push.push.namespace = Some(b"team".to_vec());
    finds(&open, &elsewhere, &["namespace"]);
}

#[test]
fn what_is_wrong_inside_is_said_of_protected_refs_and_of_statements_everywhere() {
    let policy = policy(RULE);
    let wrong = |refname: &[u8], name: &'static str| {
        let mut update = plain(&policy, refname);
        let objection = Objection::new(Line::new("it is crooked"));
        update.structure.push(Structural { name, objection });
        update
    };
    finds(&policy, &push(vec![wrong(b"refs/heads/topic", "tree")]), &[]);
    finds(&policy, &push(vec![wrong(b"refs/heads/main", "tree")]), &["tree"]);
    finds(&policy, &push(vec![wrong(b"refs/heads/topic", "statement")]), &["statement"]);
    finds(&policy, &push(vec![wrong(b"refs/heads/main", "statement")]), &["statement"]);
}
