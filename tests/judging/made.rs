//! Facts, made up: steps, statements and pushes with nothing special about them.

use std::collections::BTreeMap;

use portcullis::facts::change::{Delta, FileMode, PathChange, Side};
use portcullis::facts::evidence::{Candidate, Standing};
use portcullis::facts::landing::{Copied, Landing, Segment, Step, StepKind};
use portcullis::facts::makers::Makers;
use portcullis::facts::{Facts, Motion, PushFacts, Target, UpdateFacts};
use portcullis::judge::{judge, needs};
use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::names::path::RepoPath;
use portcullis::names::principal::PrincipalName;
use portcullis::names::refname::Refname;
use portcullis::policy::{Policy, PolicyFile, compile};
use portcullis::push::pusher::{Pusher, Who};
use portcullis::push::update::RefUpdate;
use portcullis::push::{Door, Push, Seen};
use portcullis::statement::fields::{CheckVerdict, Fields, RepositoryId, Saying, Url};
use portcullis::verdict::Judgement;
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

/// People of the policies here.
pub(crate) const PEOPLE: [&str; 5] = ["ada", "ben", "cora", "dov", "eve"];

/// Machines of the policies here.
pub(crate) const MACHINES: [&str; 3] = ["plan-bot", "scan-bot", "test-bot"];

/// When everything here is judged.
pub(crate) fn now() -> Moment {
    Moment::parse_seconds("2026-11-22T21:00:00Z").unwrap()
}

/// A policy with everybody above, and these rules.
pub(crate) fn policy(rules: &str) -> Policy {
    compiled(format!("{}{rules}", roster()))
}

/// The same, and everybody has an e-mail address: `eve@example.org`.
pub(crate) fn policy_with_emails(rules: &str) -> Policy {
    let with_email = |line: &str| match line.strip_prefix("[people.") {
        Some(name) => {
            let name = name.trim_end_matches(']');
            format!("{line}\nemails = [\"{name}@example.org\"]\n")
        }
        None => format!("{line}\n"),
    };
    let people: String = roster().lines().map(with_email).collect();
    compiled(format!("{people}{rules}"))
}

fn compiled(text: String) -> Policy {
    let file = PolicyFile { label: "policy.toml".to_owned(), bytes: text.into_bytes() };
    compile(&[file]).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Everybody, each with a key of their own.
fn roster() -> String {
    let mut text = "version = 1\n".to_owned();
    for (seed, name) in PEOPLE.iter().chain(&MACHINES).enumerate() {
        let seed = u8::try_from(seed).unwrap();
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
        let key = key.public_key().to_openssh().unwrap();
        let machine = MACHINES.contains(name);
        text.push_str(&format!("[people.{name}]\nmachine = {machine}\nkeys = [\"{key}\"]\n"));
    }
    text
}

pub(crate) fn name(text: &str) -> PrincipalName {
    PrincipalName::parse(text).unwrap()
}

/// An object name that stands for a number below 2^28, which its first seven digits show.
pub(crate) fn oid(number: u32) -> Oid {
    Oid::from_hex(format!("{number:07x}{:033}", 0).as_bytes()).unwrap()
}

/// A file that gets other content: each number is a content of its own.
pub(crate) fn change(path: &str, old: u32, new: u32) -> PathChange {
    let side = |number: u32| {
        (number > 0).then(|| Side { mode: FileMode::File, oid: oid(0xb10_0000 + number) })
    };
    PathChange { path: RepoPath::new(path), old: side(old), new: side(new) }
}

pub(crate) fn delta(changes: &[PathChange]) -> Delta {
    Delta::new(ObjectFormat::Sha1, changes.to_vec())
}

/// A merge of one commit that brings these changes, made by nobody in particular.
pub(crate) fn step(number: u32, changes: &[PathChange]) -> Step {
    Step {
        kind: StepKind::Merge,
        from: Some(oid(number * 16)),
        to: oid(number * 16 + 1),
        subject: format!("take {number}").into_bytes(),
        commits: 1,
        delta: delta(changes),
        hidden: Vec::new(),
        merge: None,
        overtaken: None,
        clean: None,
        change_commits: 1,
        not_before: Vec::new(),
        itself_before: false,
        source: vec![oid(number * 16 + 2)],
        copied: Copied::default(),
        digests: Vec::new(),
        rejects: Vec::new(),
        makers: Makers { known: BTreeMap::new(), unknown: None },
        candidates: Vec::new(),
        near: Vec::new(),
        checks: Vec::new(),
        near_checks: Vec::new(),
        infra: Vec::new(),
        links: Vec::new(),
        rollback: None,
    }
}

/// A statement about some of a step's changes that may count, a day old and good for a day.
pub(crate) fn statement(
    by: &str,
    saying: Saying,
    step: &Step,
    changes: &[PathChange],
) -> Candidate {
    let delta = delta(changes);
    let says = Fields {
        repository: RepositoryId::parse("infra-5f0c91ab").unwrap(),
        refname: branch("main"),
        base: step.from.unwrap(),
        commit: step.source[0],
        delta: delta.digest(),
        person: name(by),
        date: now().plus_seconds(-86_400),
        expires: now().plus_seconds(86_400),
        saying,
    };
    Candidate {
        id: Digest::of(&says.text()),
        place: says.place().refname(),
        says,
        standing: Standing::Good,
        delta,
    }
}

/// A machine's word about a step.
pub(crate) fn checked(by: &str, check: &str, verdict: CheckVerdict, step: &Step) -> Candidate {
    let changes = step.delta.changes().to_vec();
    statement(by, Saying::Check { check: name(check), verdict, url: None }, step, &changes)
}

/// The same check, with an address.
pub(crate) fn with_url(mut candidate: Candidate, text: &str) -> Candidate {
    if let Saying::Check { url, .. } = &mut candidate.says.saying {
        *url = Url::parse(text);
    }
    candidate
}

pub(crate) fn branch(short: &str) -> Refname {
    Refname::parse(format!("refs/heads/{short}").as_bytes()).unwrap()
}

/// A branch that takes these segments; with what `policy` asks of it.
pub(crate) fn update(
    policy: &Policy,
    short: &str,
    segments: Vec<Segment>,
    whole: Option<Step>,
) -> UpdateFacts {
    let (refname, old, new) = (branch(short), oid(1), oid(2));
    let asked = needs(policy, &refname, Some(&branch("main")), now());
    let update = RefUpdate { name: refname, claimed_old: old, new };
    let landing = Landing {
        start: Some(old),
        end: new,
        off_chain: false,
        segments,
        whole: whole.map(Box::new),
        authorized: None,
    };
    UpdateFacts {
        motion: Some(Motion::FastForward),
        landings: vec![landing],
        landing_of_rule: asked.rules.iter().map(|rule| (rule.index, 0)).collect(),
        ..UpdateFacts::unasked(update, Some(old), Target::Commit(new))
    }
}

/// A push of these updates by Eve.
pub(crate) fn push(updates: Vec<UpdateFacts>) -> Facts {
    let who = Who::Listed { name: name("eve"), machine: false, shared: false };
    let pusher = Pusher {
        who,
        login: "eve".to_owned(),
        source: "os-user".to_owned(),
        door: "local",
        key: None,
    };
    let push = Push {
        door: Door::PreReceive,
        pusher,
        updates: updates.iter().map(|update| update.update.clone()).collect(),
        options: Seen::All(Vec::new()),
        certificate: Seen::All(None),
        namespace: None,
        moment: now(),
    };
    let push = PushFacts {
        push,
        repository: Some("infra-5f0c91ab".to_owned()),
        default_branch: Some(branch("main")),
        log_size: 1,
        birth: false,
    };
    Facts { push, updates, before_genesis: Vec::new() }
}

/// One segment that is one step.
pub(crate) fn alone(whole: Step) -> Segment {
    Segment { whole, each: Vec::new() }
}

/// What a policy says of `main` taking one step.
pub(crate) fn judged(policy: &Policy, step: Step) -> Judgement {
    judge(policy, &push(vec![update(policy, "main", vec![alone(step)], None)]))
}
