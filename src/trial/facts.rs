//! A told push as facts: what `gather` would have found, had somebody pushed it.
//!
//! One ref, one step. What is not told is as it is with nothing special about it: the change of a
//! merge was pushed before, by whoever pushes, and everything is clean.

use std::sync::Arc;

use crate::codeowners::read;
use crate::facts::change::{Delta, FileMode, PathChange, Side};
use crate::facts::evidence::{Candidate, Reject, Standing};
use crate::facts::landing::{
    Copied, Landing, MergeFact, NotSource, Segment, Step, StepKind, WhyNotSource,
};
use crate::facts::makers::{BY_NOBODY, MakerBy, Makers};
use crate::facts::needs::{OwnersNeeds, RefNeeds};
use crate::facts::owners::{FoundOwners, Owners, OwnersFile, Unread, places};
use crate::facts::{Facts, Motion, PushFacts, Target, UpdateFacts};
use crate::infra::content::by_content;
use crate::infra::set::InfraKinds;
use crate::judge::needs;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::push::certificate::{Certified, Standing as CertificateStanding};
use crate::push::pusher::{Pusher, Who};
use crate::push::update::RefUpdate;
use crate::push::{Door, Push, Seen};
use crate::statement::fields::{ApprovalVerdict, Fields, RepositoryId, Saying};
use crate::trial::arriving;
use crate::trial::file::{Deed, ToldChange, ToldPush, ToldWho};

/// When a push is judged of which that is not told: noon of a Wednesday.
const NOON: &str = "2026-01-07T12:00:00Z";

/// How long a statement counts, in seconds.
const STATEMENT_SECONDS: i64 = 14 * 86_400;

/// What made-up objects are called, by their first digits.
pub(super) const START: u32 = 0x1111_111a;
/// The commit of the change.
pub(super) const CHANGE: u32 = 0xc0c0_c0ca;
/// The commit that lands it.
pub(super) const LANDING: u32 = 0xeeee_eeea;
/// An annotated tag.
pub(super) const TAG: u32 = 0x7a67_a67a;

/// The name of a made-up object.
pub(super) fn oid(number: u32) -> Oid {
    let mut bytes = [0; 20];
    for (to, from) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    Oid::from_bytes(&bytes).unwrap_or(Oid::zero(ObjectFormat::Sha1))
}

/// The facts of a push, all but what commands say.
pub(super) fn facts(policy: &Policy, push: &ToldPush) -> Facts {
    let told = &push.told;
    let moment = told.at.or_else(|| Moment::parse(NOON)).unwrap_or(Moment::from_seconds(0));
    let default = told.head.clone().or_else(|| Refname::parse(b"refs/heads/main"));
    let asked = needs(policy, &push.refname, default.as_ref(), moment);
    let pusher = pusher(policy, &push.who);
    let makers = makers(push, &pusher);
    let update = update(policy, push, &asked, &makers, moment);
    let mut updates = vec![update.update.clone()];
    for number in 0..told.other_refs {
        let name = Refname::parse(format!("refs/heads/beside-{number}").as_bytes());
        let zero = Oid::zero(ObjectFormat::Sha1);
        updates.extend(name.map(|name| RefUpdate { name, claimed_old: zero, new: oid(CHANGE) }));
    }
    let certificate = told.signed_push.then(|| pusher.name().cloned()).flatten();
    let certificate = certificate.map(|name| Certified {
        id: Digest::of(name.as_str().as_bytes()),
        text: Vec::new(),
        fingerprint: None,
        standing: CertificateStanding::Good(name),
    });
    let push = Push {
        door: Door::PreReceive,
        pusher,
        updates,
        options: Seen::All(told.options.clone()),
        certificate: Seen::All(certificate),
        namespace: None,
        moment,
    };
    let repository = Some("case-00000000".to_owned());
    let push = PushFacts { push, repository, default_branch: default, log_size: 1, birth: false };
    Facts { push, updates: vec![update], before_genesis: Vec::new() }
}

fn pusher(policy: &Policy, who: &ToldWho) -> Pusher {
    let listed = |name: &String| {
        let principal = policy.roster.get(&PrincipalName::parse(name)?)?;
        let (machine, shared) = (principal.machine, principal.shared);
        Some(Who::Listed { name: principal.name.clone(), machine, shared })
    };
    let unnamed = || Who::Unnamed { why: "the case says so".to_owned() };
    let (who, login) = match who {
        ToldWho::Listed(name) => (listed(name).unwrap_or_else(unnamed), name.clone()),
        ToldWho::Stranger(login) => (Who::Unlisted, login.clone()),
        ToldWho::Unnamed => (unnamed(), String::new()),
    };
    Pusher { who, login, source: "case".to_owned(), door: "local", key: None }
}

/// Whose work the change is: that of those named, else the pusher's.
fn makers(push: &ToldPush, pusher: &Pusher) -> Makers {
    let mut makers = Makers::default();
    let commit = oid(CHANGE);
    match &push.told.makers {
        Some((names, unknown)) => {
            let names = names.iter().filter_map(|name| PrincipalName::parse(name));
            names.for_each(|name| makers.add(&name, MakerBy::Brought, commit));
            makers.unknown = unknown.then_some((commit, BY_NOBODY));
        }
        None => match pusher.name().filter(|_| pusher.is_known_maker()) {
            Some(name) => makers.add(name, MakerBy::Brought, commit),
            None => makers.unknown = Some((commit, BY_NOBODY)),
        },
    }
    makers
}

fn update(
    policy: &Policy,
    push: &ToldPush,
    asked: &RefNeeds,
    makers: &Makers,
    moment: Moment,
) -> UpdateFacts {
    let told = &push.told;
    let zero = Oid::zero(ObjectFormat::Sha1);
    let real = (push.deed != Deed::Create).then(|| oid(START));
    let end = end(push);
    let is_tag = told.annotated || (push.refname.tag().is_some() && told.signed_by.is_some());
    let new = match (push.deed, is_tag) {
        (Deed::Delete, _) => zero,
        (_, true) => oid(TAG),
        (_, false) => end,
    };
    let update = RefUpdate { name: push.refname.clone(), claimed_old: real.unwrap_or(zero), new };
    let target = match (push.deed, is_tag) {
        (Deed::Delete, _) => Target::Nothing,
        (_, true) => Target::Tag { commit: end },
        (_, false) => Target::Commit(end),
    };
    let mut facts = UpdateFacts {
        motion: Some(motion(push)),
        had_by: told.had_by.clone(),
        ..UpdateFacts::unasked(update, real, target)
    };
    if push.deed != Deed::Delete {
        facts.landings.push(landing(push, asked, makers, moment));
        facts.landing_of_rule = asked.rules.iter().map(|rule| (rule.index, 0)).collect();
        facts.owners_of_rule = asked
            .rules
            .iter()
            .filter_map(|rule| {
                Some((rule.index, Arc::new(owners(push, rule.needs.owners.as_ref()?))))
            })
            .collect();
        arriving::add(policy, push, asked, makers, moment, &mut facts);
    }
    facts
}

/// The commit that the ref would lead to.
pub(super) fn end(push: &ToldPush) -> Oid {
    match push.deed {
        Deed::Merge | Deed::Squash | Deed::Rebase => oid(LANDING),
        Deed::Commits | Deed::FastForward | Deed::Create | Deed::Rewind | Deed::Delete => {
            oid(CHANGE)
        }
    }
}

/// Whether nothing new is brought: what a ref is created at, or rewound to, was there before.
fn is_empty(push: &ToldPush) -> bool {
    matches!(push.deed, Deed::Create | Deed::Rewind) && push.told.changes.is_empty()
}

fn motion(push: &ToldPush) -> Motion {
    match push.deed {
        Deed::Create => Motion::Create,
        Deed::Delete => Motion::Delete,
        Deed::Rewind => Motion::Rewind {
            lost: 1,
            newest: Some((oid(START), b"a later change".to_vec())),
            known_value: is_empty(push),
        },
        Deed::Merge | Deed::Commits | Deed::FastForward | Deed::Squash | Deed::Rebase => {
            Motion::FastForward
        }
    }
}

fn landing(push: &ToldPush, asked: &RefNeeds, makers: &Makers, moment: Moment) -> Landing {
    let segments = match is_empty(push) {
        true => Vec::new(),
        false => vec![Segment { whole: step(push, asked, makers, moment), each: Vec::new() }],
    };
    let off_chain = push.deed == Deed::Rewind;
    let (start, end) = (Some(oid(START)), end(push));
    Landing { start, end, off_chain, segments, whole: None, authorized: None }
}

fn step(push: &ToldPush, asked: &RefNeeds, makers: &Makers, moment: Moment) -> Step {
    let told = &push.told;
    let kind = match push.deed {
        Deed::Merge => StepKind::Merge,
        Deed::Rewind => StepKind::Jump,
        Deed::Commits | Deed::FastForward | Deed::Squash | Deed::Rebase => StepKind::Run,
        Deed::Create | Deed::Delete => StepKind::Run,
    };
    let copies = matches!(push.deed, Deed::Squash | Deed::Rebase);
    let unseen = told.not_before || matches!(push.deed, Deed::Commits | Deed::Create);
    let delta = Delta::new(ObjectFormat::Sha1, told.changes.iter().map(changed).collect());
    let paths = || delta.changes().iter().map(|change| change.path.clone()).collect();
    let not_source = NotSource {
        named: oid(CHANGE).hex().into_bytes(),
        why: WhyNotSource::NotBefore(vec![oid(CHANGE)]),
    };
    let commits = told.commits.unwrap_or(1);
    let mut step = Step {
        kind,
        from: Some(oid(START)),
        to: end(push),
        subject: arriving::subject(push),
        commits: if kind == StepKind::Merge || push.deed == Deed::Squash { 1 } else { commits },
        hidden: Vec::new(),
        merge: (kind == StepKind::Merge).then(|| match told.edited {
            true => MergeFact::Differs(paths()),
            false => MergeFact::Equal,
        }),
        overtaken: None,
        change_commits: commits,
        not_before: if unseen && !copies { vec![oid(CHANGE)] } else { Vec::new() },
        itself_before: !unseen && (told.edited || push.deed == Deed::FastForward),
        source: vec![oid(CHANGE)],
        clean: None,
        copied: Copied {
            of: if copies && !unseen { vec![oid(CHANGE)] } else { Vec::new() },
            not_of: if copies && unseen { vec![not_source] } else { Vec::new() },
        },
        digests: vec![delta.digest()],
        makers: makers.clone(),
        candidates: Vec::new(),
        rejects: Vec::new(),
        near: Vec::new(),
        checks: Vec::new(),
        near_checks: Vec::new(),
        infra: Vec::new(),
        links: Vec::new(),
        rollback: None,
        delta,
    };
    marks(push, asked, &mut step);
    statements(push, moment, &mut step);
    step
}

/// One change of a path, with made-up contents.
pub(super) fn changed(told: &ToldChange) -> PathChange {
    let digest = Digest::of(told.path.as_bytes());
    let content = |salt: u8| {
        let mut bytes = [salt; 20];
        for (to, from) in bytes.iter_mut().skip(1).zip(digest.as_bytes()) {
            *to = *from;
        }
        Oid::from_bytes(&bytes).unwrap_or(oid(u32::from(salt)))
    };
    let old = told.old.map(|mode| Side { mode, oid: content(1) });
    let new = if told.rewritten { content(2) } else { content(1) };
    PathChange { path: told.path.clone(), old, new: told.new.map(|mode| Side { mode, oid: new }) }
}

/// Infrastructure by content, and where links lead to.
fn marks(push: &ToldPush, asked: &RefNeeds, step: &mut Step) {
    let kinds = asked.rules.iter().map(|rule| rule.needs.content);
    let kinds = kinds.fold(InfraKinds::default(), InfraKinds::union);
    for change in &push.told.changes {
        let Some(content) = &change.content else { continue };
        if change.new == Some(FileMode::Symlink) {
            step.links.push((change.path.clone(), Some(content.clone())));
            continue;
        }
        let found = by_content(kinds, change.path.as_bytes(), content);
        step.infra.extend((!found.is_empty()).then(|| (change.path.clone(), found)));
    }
}

/// What people and machines say of the step.
fn statements(push: &ToldPush, moment: Moment, step: &mut Step) {
    let told = &push.told;
    let commit = if told.edited { step.to } else { oid(CHANGE) };
    let say = |step: &Step, by: &str, age: i64, saying: Saying| {
        let says = Fields {
            repository: RepositoryId::parse("case-00000000")?,
            refname: push.refname.clone(),
            base: oid(START),
            commit,
            delta: step.delta.digest(),
            person: PrincipalName::parse(by)?,
            date: moment.plus_seconds(-age),
            expires: moment.plus_seconds(STATEMENT_SECONDS),
            saying,
        };
        Some(Candidate {
            id: Digest::of(&says.text()),
            place: says.place().refname(),
            says,
            standing: Standing::Good,
            delta: step.delta.clone(),
        })
    };
    for (name, age) in &told.approved {
        let saying = Saying::Approval { verdict: ApprovalVerdict::Approve };
        let said = say(step, name, *age, saying);
        step.candidates.extend(said);
    }
    for (check, verdict, name, age) in &told.checks {
        let Some(check) = PrincipalName::parse(check) else { continue };
        let said = say(step, name, *age, Saying::Check { check, verdict: *verdict, url: None });
        step.checks.extend(said);
    }
    for name in told.rejected.iter().filter_map(|name| PrincipalName::parse(name)) {
        step.rejects.push(Reject {
            person: name,
            commit,
            date: moment.plus_seconds(-1),
            expires: moment.plus_seconds(STATEMENT_SECONDS),
            entries: (0..step.delta.changes().len()).collect(),
        });
    }
}

/// The CODEOWNERS file at the ref's old value.
fn owners(push: &ToldPush, asked: &OwnersNeeds) -> OwnersFile {
    let places = places(asked.dialect, asked.file.as_ref());
    let path = places.first().cloned();
    let found = match (&push.told.owners, path) {
        (Some(text), Some(path)) => match read(asked.dialect, text) {
            Ok(book) => {
                let owners = Box::new(Owners::new(book, &asked.directory));
                FoundOwners::Read { path, owners }
            }
            Err(unfit) => FoundOwners::Unread { path, why: Unread::Unfit(unfit) },
        },
        (Some(_), None) | (None, _) => FoundOwners::Nothing,
    };
    OwnersFile { commit: Some(oid(START)), only_first: asked.file.is_some(), places, found }
}
