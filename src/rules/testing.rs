//! What the tests of several rules build with: names, a step, a candidate, and a push of one update.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::facts::change::Delta;
use crate::facts::evidence::{Candidate, Standing};
use crate::facts::landing::{Copied, Step, StepKind};
use crate::facts::makers::Makers;
use crate::facts::{PushFacts, Target, UpdateFacts};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::push::update::RefUpdate;
use crate::push::{Door, Push, Seen};
use crate::statement::fields::{ApprovalVerdict, Fields, RepositoryId, Saying};

pub(super) fn oid(digit: u8) -> Oid {
    Oid::from_bytes(&[digit * 0x11; 20]).unwrap()
}

pub(super) fn name(text: &str) -> PrincipalName {
    PrincipalName::parse(text).unwrap()
}

pub(super) fn main() -> Refname {
    Refname::parse(b"refs/heads/main").unwrap()
}

/// A step from 111 to 333 that was not on the server before.
pub(super) fn step(kind: StepKind) -> Step {
    Step {
        digests: Vec::new(),
        rejects: Vec::new(),
        kind,
        from: Some(oid(1)),
        to: oid(3),
        subject: b"open port 8443".to_vec(),
        commits: 1,
        delta: Delta::new(ObjectFormat::Sha1, Vec::new()),
        hidden: Vec::new(),
        merge: None,
        overtaken: None,
        clean: None,
        change_commits: 1,
        not_before: Vec::new(),
        itself_before: false,
        source: vec![oid(3)],
        copied: Copied::default(),
        makers: Makers::default(),
        candidates: Vec::new(),
        near: Vec::new(),
        checks: Vec::new(),
        near_checks: Vec::new(),
        infra: Vec::new(),
        links: Vec::new(),
        rollback: None,
    }
}

/// A person's word on the step from one commit to 333, which may count.
pub(super) fn word_of(person: &str, base: Oid, verdict: ApprovalVerdict) -> Candidate {
    Candidate {
        id: Digest::of(person.as_bytes()),
        place: Refname::parse(b"refs/approvals/x/y").unwrap(),
        says: Fields {
            repository: RepositoryId::parse("infra-5f0c91ab").unwrap(),
            refname: main(),
            base,
            commit: oid(3),
            delta: Digest::of(b""),
            person: name(person),
            date: Moment::from_seconds(900),
            expires: Moment::from_seconds(2_000),
            saying: Saying::Approval { verdict },
        },
        standing: Standing::Good,
        delta: Delta::new(ObjectFormat::Sha1, Vec::new()),
    }
}

/// A push by somebody that moves `main`, and what is so about that.
pub(super) fn push_of(who: Who, old: Oid, new: Oid) -> (UpdateFacts, PushFacts) {
    let update = RefUpdate { name: main(), claimed_old: old, new };
    let push = Push {
        door: Door::PreReceive,
        pusher: Pusher {
            who,
            login: String::new(),
            source: String::new(),
            door: "local",
            key: None,
        },
        updates: vec![update.clone()],
        options: Seen::NotHere,
        certificate: Seen::All(None),
        namespace: None,
        moment: Moment::from_seconds(1_000),
    };
    let facts = UpdateFacts::unasked(update, Some(old), Target::Commit(new));
    let push = PushFacts {
        push,
        repository: None,
        default_branch: Some(main()),
        log_size: 1,
        birth: false,
    };
    (facts, push)
}
