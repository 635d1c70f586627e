//! A log that has seen much: usual decisions and their outcomes.

use std::fs;
use std::path::Path;

use portcullis::log::book::Log;
use portcullis::log::decision::{
    Actor, ActorKind, Decision, Hook, Paths, PolicyRef, RefDecision, UpdateKind, Verdict,
};
use portcullis::log::entry::{Outcome, Record, RefOutcome, Session, State, Via};
use portcullis::log::file::Ctx;
use portcullis::log::wire::{AsText, Listed, Text};
use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::names::principal::PrincipalName;

/// How many entries are written at a time.
const BATCH: u64 = 500;

fn ctx() -> Ctx {
    Ctx {
        moment: Moment::from_seconds(1_795_000_000),
        // That of this machine: after a restart the first push looks whether the log was damaged.
        boot: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim_end().into(),
        mono_us: 1_000_000,
        host: "git1".into(),
        push: [7; 16],
        session: Session { pid: 99, start: 99 },
    }
}

fn oid(number: u64) -> AsText<Oid> {
    let mut bytes = [1; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    AsText(Oid::from_bytes(&bytes).unwrap())
}

fn decision(number: u64) -> Record {
    let one = RefDecision {
        clean_merge: Vec::new(),
        refname: format!("refs/heads/topic-{}", number % 1000).as_str().into(),
        target: None,
        old: oid(number),
        new: oid(number + 1),
        claimed_old: None,
        kind: UpdateKind::Move,
        ff: Some(true),
        commits: 1,
        paths: Paths::of(vec![Text::from("infra/prod/network.tf")]),
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

fn outcome(of: u64, number: u64) -> Record {
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

/// Lets the log of a repository grow to so many entries, and its index with it.
pub(crate) fn grow(repository: &Path, entries: u64) {
    let mut log = Log::open(&repository.join("portcullis/log")).unwrap();
    while log.head().size < entries {
        let first = log.head().size;
        let records: Vec<Record> = (0..BATCH.min(entries - first).div_ceil(2))
            .flat_map(|n| [decision(first + n), outcome(first + 2 * n, first + n)])
            .collect();
        assert_eq!(log.note(&records, &ctx(), None).unwrap(), None);
        log.refresh().unwrap();
    }
}
