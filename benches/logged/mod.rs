//! What a log usually holds: decisions about one ref, one commit and two paths, and their outcomes.

use portcullis::log::decision::{
    Actor, ActorKind, Decision, Hook, Paths, PolicyRef, RefDecision, UpdateKind, Verdict,
};
use portcullis::log::entry::{Outcome, Record, RefOutcome, State, Via};
use portcullis::log::wire::{AsText, Listed, Text};
use portcullis::names::digest::Digest;
use portcullis::names::oid::Oid;
use portcullis::names::principal::PrincipalName;

/// A made-up oid.
fn oid(number: u64) -> AsText<Oid> {
    let mut bytes = [1; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    AsText(Oid::from_bytes(&bytes).unwrap())
}

/// A usual decision.
pub(crate) fn decision(number: u64) -> Record {
    let one = RefDecision {
        clean_merge: Vec::new(),
        gittuf: None,
        refname: format!("refs/heads/topic-{}", number % 1000).as_str().into(),
        target: None,
        old: oid(number),
        new: oid(number + 1),
        claimed_old: None,
        kind: UpdateKind::Move,
        ff: Some(true),
        commits: 1,
        paths: Paths::of(vec![Text::from("infra/prod/network.tf"), Text::from("app/main.rs")]),
        brought: Listed::of(vec![oid(number + 1)]),
        verdict: Verdict::Accept,
        findings: Vec::new(),
        uses: Vec::new(),
        landed: Vec::new(),
        exempt: Vec::new(),
        rollback: Vec::new(),
    };
    Record::Decision(Box::new(Decision {
        repo: "infra-5f0c91ab".into(),
        actor: Actor {
            name: Some(AsText(PrincipalName::parse("alice").unwrap())),
            kind: ActorKind::Person,
            door: "ssh".into(),
            source: "ssh-auth-info".into(),
            login: "alice".into(),
            key: Some("SHA256:0123456789".into()),
        },
        hook: Hook::PreReceive,
        git: Some("2.47.3".into()),
        opts: Vec::new(),
        cert: None,
        policy: PolicyRef { sha256: AsText(Digest::of(b"policy")) },
        judged_at: number,
        refs: vec![one],
        statements: Vec::new(),
        verdict: Verdict::Accept,
        dur_us: 12_345,
    }))
}

/// What became of it.
pub(crate) fn outcome(of: u64, number: u64) -> Record {
    Record::Outcome(Outcome {
        of,
        via: Via::PostReceive,
        refs: vec![RefOutcome {
            refname: format!("refs/heads/topic-{}", number % 1000).as_str().into(),
            old: oid(number),
            new: oid(number + 1),
            state: State::Applied,
            one_of: Vec::new(),
        }],
    })
}
