//! What a told push brings: commits with what they say of themselves, signatures, files.

use crate::facts::arrival::{Arrival, Arrivals, Claim, MESSAGE_BYTES_MAX};
use crate::facts::change::FileMode;
use crate::facts::intake::{Blob, Inside, Intake, Taken};
use crate::facts::makers::{MakerBy, Makers};
use crate::facts::needs::{IntakeOf, RefNeeds};
use crate::facts::signature::{Signatures, Signed, SignedObject};
use crate::facts::{Motion, UpdateFacts};
use crate::gather::intake::inside;
use crate::infra::content::by_content;
use crate::infra::set::InfraKinds;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::policy::Policy;
use crate::store::trailer;
use crate::trial::facts::{CHANGE, LANDING, START, TAG, changed, oid};
use crate::trial::file::{Deed, ToldPush, ToldWho};

/// The message of a change of which none is told.
const MESSAGE: &[u8] = b"a change";

/// The message of a merge.
const MERGED: &[u8] = b"Merge branch 'topic'\n";

/// The subject of the commit that a step ends at.
pub(super) fn subject(push: &ToldPush) -> Vec<u8> {
    let own = push.told.message.as_deref().unwrap_or(MESSAGE);
    let message = if push.deed == Deed::Merge { MERGED } else { own };
    message.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec()
}

/// Adds what arrives to the facts of an update.
pub(super) fn add(
    policy: &Policy,
    push: &ToldPush,
    asked: &RefNeeds,
    makers: &Makers,
    moment: Moment,
    facts: &mut UpdateFacts,
) {
    // What a ref is rewound to was there before.
    if matches!(facts.motion, Some(Motion::Rewind { known_value: true, .. })) {
        return;
    }
    let commits = commits(policy, push, makers, moment);
    facts.arrivals_of_rule = asked.rules.iter().map(|rule| (rule.index, 0)).collect();
    facts.signatures_of_rule = facts.arrivals_of_rule.clone();
    facts.intake_of_rule = facts.arrivals_of_rule.clone();
    facts.signatures = vec![signatures(push, &commits)];
    facts.intakes = vec![intake(push, asked, commits.len())];
    facts.arrivals = vec![Arrivals {
        count: push.told.commits.unwrap_or(commits.len()),
        base: Some(oid(START)),
        last: commits.first().map(|commit| commit.oid),
        has_merges: commits.iter().any(Arrival::is_merge),
        commits,
    }];
}

/// Whether nothing arrives: a ref is made where another stands.
fn brings_nothing(push: &ToldPush) -> bool {
    push.deed == Deed::Create && push.told.changes.is_empty()
}

/// Whether what arrives has the content of commits that were pushed before.
fn is_copy(push: &ToldPush) -> bool {
    matches!(push.deed, Deed::Squash | Deed::Rebase)
}

/// The commits that arrive, newest first.
fn commits(policy: &Policy, push: &ToldPush, makers: &Makers, moment: Moment) -> Vec<Arrival> {
    if brings_nothing(push) {
        return Vec::new();
    }
    let told = &push.told;
    let first_maker = makers.known.keys().next().map(|name| address(policy, name));
    let (name, email) = first_maker.unwrap_or_else(stranger);
    let author = told.author.clone().unwrap_or((name, email));
    let committer = told.committer.clone().unwrap_or_else(|| author.clone());
    let claim = |(name, email): (Vec<u8>, Vec<u8>)| Claim {
        owner: policy.roster.by_email(&email).cloned(),
        name,
        email,
        when: moment,
    };
    let message = told.message.as_deref().unwrap_or(MESSAGE);
    let (at, bringers) = match is_copy(push) {
        true => (LANDING, by_pusher(push, makers)),
        false => (CHANGE, makers.clone()),
    };
    let change = arrival(at, 1, (claim(author), claim(committer)), message, bringers);
    let mut commits = vec![change];
    if push.deed == Deed::Merge {
        let who = match &push.who {
            ToldWho::Listed(name) => PrincipalName::parse(name),
            ToldWho::Stranger(_) | ToldWho::Unnamed => None,
        };
        let by = who.map_or_else(stranger, |name| address(policy, &name));
        let merger = (claim(by.clone()), claim(by));
        commits.insert(0, arrival(LANDING, 2, merger, MERGED, by_pusher(push, makers)));
    }
    commits
}

fn arrival(
    at: u32,
    parents: usize,
    (author, committer): (Claim, Claim),
    message: &[u8],
    bringers: Makers,
) -> Arrival {
    let mut message = message.to_vec();
    if !message.ends_with(b"\n") {
        message.push(b'\n');
    }
    let cut = message.len() > MESSAGE_BYTES_MAX;
    message.truncate(MESSAGE_BYTES_MAX);
    Arrival {
        oid: oid(at),
        parents,
        author,
        committer,
        encoding: None,
        trailers: trailer::all(&message),
        subject: message.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec(),
        cut,
        message,
        bringers: Some(bringers),
    }
}

/// Whoever pushes brings what they have just made.
fn by_pusher(push: &ToldPush, makers: &Makers) -> Makers {
    let mut bringers = Makers::default();
    match &push.who {
        ToldWho::Listed(name) => {
            let name = PrincipalName::parse(name);
            name.iter().for_each(|name| bringers.add(name, MakerBy::Brought, oid(LANDING)));
        }
        ToldWho::Stranger(_) | ToldWho::Unnamed => bringers.unknown = makers.unknown,
    }
    bringers
}

/// A principal's name and first e-mail.
fn address(policy: &Policy, name: &PrincipalName) -> (Vec<u8>, Vec<u8>) {
    let principal = policy.roster.get(name);
    let email = principal.and_then(|principal| principal.emails.first());
    let email = email.cloned().unwrap_or_else(|| format!("{name}@nowhere.invalid"));
    (name.as_str().as_bytes().to_vec(), email.into_bytes())
}

fn stranger() -> (Vec<u8>, Vec<u8>) {
    (b"stranger".to_vec(), b"stranger@nowhere.invalid".to_vec())
}

fn signatures(push: &ToldPush, commits: &[Arrival]) -> Signatures {
    let name = push.told.signed_by.as_deref().and_then(PrincipalName::parse);
    let signed =
        |oid: Oid, email: &[u8], claims: Option<PrincipalName>, named: &[u8]| SignedObject {
            oid,
            claims,
            email: email.to_vec(),
            named: named.to_vec(),
            signed: name.clone().map_or(Signed::Not, Signed::By),
        };
    let tag = push.refname.tag().filter(|_| push.told.annotated || name.is_some());
    let tags = tag.map(|tag| signed(oid(TAG), b"", name.clone(), tag));
    let of_commit = |commit: &Arrival| {
        let claim = &commit.committer;
        signed(commit.oid, &claim.email, claim.owner.clone(), b"")
    };
    let is_tag = push.refname.tag().is_some();
    Signatures {
        tags: tags.into_iter().collect(),
        commits: commits.iter().filter(|_| !is_tag).map(of_commit).collect(),
        base: Some(oid(START)),
        has_merges: commits.iter().any(Arrival::is_merge),
    }
}

fn intake(push: &ToldPush, asked: &RefNeeds, commits: usize) -> Intake {
    let kinds = asked.rules.iter().map(|rule| rule.needs.content);
    let kinds = kinds.fold(InfraKinds::default(), InfraKinds::union);
    let commit = if is_copy(push) { LANDING } else { CHANGE };
    let mut intake = Intake { base: Some(oid(START)), commits, ..Intake::default() };
    let all = IntakeOf { sizes: true, inside: true, secrets: true, clashes: true };
    for told in &push.told.changes {
        let change = changed(told);
        let content = told.content.as_deref();
        if let Some(new) = change.new {
            let length = content.map(<[u8]>::len).and_then(|length| u64::try_from(length).ok());
            intake.blobs.insert(
                new.oid,
                Blob {
                    size: told.size.or(length).unwrap_or(1),
                    inside: Some(content.map_or_else(Inside::default, |text| inside(text, all))),
                    unread: None,
                },
            );
            if new.mode == FileMode::Symlink {
                intake.links.insert(new.oid, content.unwrap_or_default().to_vec());
            } else if let Some(text) = content {
                let found = by_content(kinds, told.path.as_bytes(), text);
                let marked = (!found.is_empty()).then(|| (told.path.clone(), found));
                intake.infra.extend(marked);
            }
        }
        intake.taken.push(Taken { commit: oid(commit), change, others: Vec::new() });
    }
    intake
}
