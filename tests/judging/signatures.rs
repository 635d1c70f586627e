//! Rules about signatures, in the words a pusher reads: of commits, of tags, of the push itself.
//!
//! `UPDATE=1 cargo test --test judging signatures::` rewrites what is expected; the diff is the review.

use portcullis::facts::needs::SignaturesOf;
use portcullis::facts::signature::{Signatures, Signed, SignedObject};
use portcullis::facts::{Facts, Target, UpdateFacts};
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::digest::Digest;
use portcullis::names::oid::Oid;
use portcullis::names::refname::Refname;
use portcullis::openpgp::check::Unsigned;
use portcullis::push::certificate::{Certified, Standing};
use portcullis::push::update::RefUpdate;
use portcullis::push::{Door, Seen};
use portcullis::roster::heard::Unheard;

use crate::made::{branch, name, now, oid, policy_with_emails, push};
use crate::written::as_written;

/// A case: its name, the rule, and what is so about the push.
type Case = (&'static str, &'static str, fn(&mut Facts));

const ANY: &str = "[rule.signed]\nkind = \"signature\"\nrefs = [\"main\", \"refs/tags/**\"]\n";
const FROM: &str = "[rule.signed]\nkind = \"signature\"\nrefs = [\"main\", \"refs/tags/**\"]\n\
    from = [\"ada\", \"ben\"]\n";
const OWN: &str = "[rule.signed]\nkind = \"signature\"\nrefs = [\"main\", \"refs/tags/**\"]\n\
    by = \"committer\"\n";
const PUSH: &str = "[rule.pushed]\nkind = \"signed-push\"\nrefs = [\"main\"]\n";
const PUSH_FROM: &str =
    "[rule.pushed]\nkind = \"signed-push\"\nrefs = [\"main\"]\nfrom = [\"ada\"]\n";

fn by(who: &str) -> Signed {
    Signed::By(name(who))
}

/// A commit of Eve's.
fn commit(number: u32, signed: Signed) -> SignedObject {
    SignedObject {
        oid: oid(number),
        claims: Some(name("eve")),
        email: b"eve@example.org".to_vec(),
        named: Vec::new(),
        signed,
    }
}

fn tag(number: u32, called: &str, signed: Signed) -> SignedObject {
    SignedObject { named: called.as_bytes().to_vec(), ..commit(number, signed) }
}

fn found(facts: &mut Facts) -> &mut Signatures {
    &mut facts.updates[0].signatures[0]
}

fn brings(facts: &mut Facts, all: &[Signed]) {
    let commits =
        all.iter().rev().zip(0x20..).map(|(signed, number)| commit(number, signed.clone()));
    found(facts).commits = commits.collect();
}

/// The push is of a tag in place of a branch.
fn tags(facts: &mut Facts, all: &[(&str, Signed)]) {
    let refname = Refname::parse(b"refs/tags/v1").unwrap();
    let update = RefUpdate { name: refname, claimed_old: Oid::zero(oid(2).format()), new: oid(2) };
    let kept = facts.updates.remove(0);
    let made = UpdateFacts::unasked(update.clone(), None, Target::Tag { commit: oid(3) });
    let (signatures, signatures_of_rule) = (kept.signatures, kept.signatures_of_rule);
    facts.updates.push(UpdateFacts { signatures, signatures_of_rule, ..made });
    facts.push.push.updates = vec![update];
    let tags = all.iter().zip(0x30..);
    let tags = tags.map(|((called, signed), number)| tag(number, called, signed.clone()));
    *found(facts) = Signatures { tags: tags.collect(), ..Signatures::default() };
}

fn nobodys() -> Signed {
    Signed::NobodysKey {
        fingerprint: "SHA256:n2QpRfXq4dC1uE0Zx3sLgV7bYtKjHwMoAiPeUrTyWcD".to_owned(),
    }
}

fn late() -> Signed {
    Signed::KeyNotNow { name: name("ada"), why: "counted until 2026-01-01".to_owned() }
}

fn carries(facts: &mut Facts, standing: Standing) {
    let certified = Certified {
        id: Digest::of(b"certificate"),
        text: b"certificate".to_vec(),
        fingerprint: None,
        standing,
    };
    facts.push.push.certificate = Seen::All(Some(certified));
}

const CASES: &[Case] = &[
    ("anybody's", ANY, |it| brings(it, &[by("ada"), by("eve")])),
    ("one that is not", ANY, |it| brings(it, &[by("ada"), Signed::Not, by("ben")])),
    ("only the last is not", ANY, |it| brings(it, &[by("ada"), Signed::Not])),
    ("the only one is not", ANY, |it| brings(it, &[Signed::Not])),
    ("five that are not, with a merge", ANY, |it| {
        brings(it, &[Signed::Not, Signed::Not, nobodys(), Signed::Not, late()]);
        found(it).has_merges = true;
    }),
    ("four that are not, from the root", ANY, |it| {
        brings(it, &[Signed::Not, Signed::Not, Signed::Not, Signed::Not]);
        found(it).base = None;
    }),
    ("three that are not", ANY, |it| brings(it, &[Signed::Not, Signed::Not, Signed::Not])),
    ("one from the root", ANY, |it| {
        brings(it, &[Signed::Not]);
        found(it).base = None;
    }),
    ("nobody's key", ANY, |it| brings(it, &[nobodys()])),
    ("a key that does not count now", ANY, |it| brings(it, &[late()])),
    ("with X.509", ANY, |it| brings(it, &[Signed::X509])),
    ("with OpenPGP, and nobody here has such keys", ANY, |it| {
        brings(it, &[Signed::Bad(Unheard::OpenPgp(Unsigned::NoKeyring))]);
    }),
    ("malformed", ANY, |it| brings(it, &[Signed::Malformed { why: "two committers".to_owned() }])),
    ("nothing arrives", ANY, |_| {}),
    ("what nobody can sign", ANY, |it| it.updates[0].signatures_of_rule.clear()),
    ("from somebody who counts", FROM, |it| brings(it, &[by("ben"), by("ada")])),
    ("from somebody who does not", FROM, |it| brings(it, &[by("cora")])),
    ("two from somebody who does not", FROM, |it| brings(it, &[by("cora"), by("ada"), by("cora")])),
    ("the committer's own", OWN, |it| brings(it, &[by("eve")])),
    ("another's than the committer's", OWN, |it| brings(it, &[by("ada")])),
    ("a committer whom nobody knows", OWN, |it| {
        brings(it, &[by("eve")]);
        found(it).commits[0].claims = None;
    }),
    ("a tag", ANY, |it| tags(it, &[("v1", by("ada"))])),
    ("a tag that is not signed", ANY, |it| tags(it, &[("v1", Signed::Not)])),
    ("a tag signed by somebody else", FROM, |it| tags(it, &[("v1", by("cora"))])),
    ("a tag that is not the tagger's own", OWN, |it| tags(it, &[("v1", by("ada"))])),
    ("a tag in front of a tag that is not signed", ANY, |it| {
        tags(it, &[("v1", by("ada")), ("v0", Signed::Not)]);
    }),
    ("two tags that are not signed", ANY, |it| {
        tags(it, &[("v1", Signed::Not), ("v0", Signed::Not)])
    }),
    ("a bare tag", ANY, |it| tags(it, &[])),
    ("a tag signed under another name", ANY, |it| tags(it, &[("v2", by("ada"))])),
    ("a malformed tag", ANY, |it| {
        tags(it, &[("", Signed::Malformed { why: "two taggers".to_owned() })]);
    }),
    ("a tag that goes", ANY, |it| {
        tags(it, &[]);
        let update = RefUpdate {
            claimed_old: oid(2),
            new: Oid::zero(oid(2).format()),
            ..it.updates[0].update.clone()
        };
        it.updates[0] = UpdateFacts::unasked(update, Some(oid(2)), Target::Nothing);
    }),
    ("a push without a certificate", PUSH, |_| {}),
    ("a push by a hook that is not shown it", PUSH, |it| {
        it.push.push.certificate = Seen::NotHere;
        it.push.push.door = Door::Update;
    }),
    ("a signed push", PUSH, |it| carries(it, Standing::Good(name("ben")))),
    ("a push signed badly", PUSH, |it| {
        carries(it, Standing::Not("is for another repository".to_owned()));
    }),
    ("a push signed by somebody who counts", PUSH_FROM, |it| {
        carries(it, Standing::Good(name("ada")))
    }),
    ("a push signed by somebody who does not", PUSH_FROM, |it| {
        carries(it, Standing::Good(name("ben")));
    }),
];

fn told(rule: &str, so: fn(&mut Facts)) -> String {
    let policy = policy_with_emails(rule);
    let update = RefUpdate { name: branch("main"), claimed_old: oid(1), new: oid(2) };
    let mut update = UpdateFacts::unasked(update, Some(oid(1)), Target::Commit(oid(2)));
    update.signatures = vec![Signatures { base: Some(oid(1)), ..Signatures::default() }];
    update.signatures_of_rule = vec![(0, 0)];
    let mut facts = push(vec![update]);
    so(&mut facts);
    let judgement = judge(&policy, &facts);
    let closing = Closing {
        entry: None,
        head: None,
        you: None,
        reach: Reach::WholePush,
        room: Room::default(),
    };
    let mut told = String::new();
    for rule in &judgement.refs[0].rules {
        rule.ruling.notes.iter().for_each(|note| told.push_str(&format!("({})\n", note.show())));
    }
    told + &pusher::judged(&judgement, &closing)
}

#[test]
fn every_case_reads_as_written() {
    let mut all = String::new();
    for (case, rule, so) in CASES {
        all.push_str(&format!("== {case}\n{}", told(rule, *so)));
    }
    as_written("message/signatures.txt", &all);
}

#[test]
fn what_is_asked_is_gathered() {
    let asked = |rule: &str| {
        let policy = policy_with_emails(rule);
        needs(&policy, &branch("main"), None, now()).rules.remove(0).needs.signatures
    };
    assert_eq!(asked(ANY), SignaturesOf::TagsAndCommits);
    assert_eq!(asked(PUSH), SignaturesOf::Nothing);
}

#[test]
fn a_commit_that_nobody_has_made_yet_is_left_out() {
    let commits = vec![commit(1, Signed::Not), commit(2, by("ada")), commit(3, Signed::Not)];
    let mut all = Signatures { commits, ..Signatures::default() };
    all.leave_out(&oid(1));
    assert_eq!(all.commits, [commit(2, by("ada")), commit(3, Signed::Not)]);
}
