//! Who signed what arrives on a ref. Every signature is verified by us, against the roster, at the
//! server's time: a commit's own date is a claim, and would let an old key sign new work.

use crate::facts::UpdateFacts;
use crate::facts::needs::{RefNeeds, SignaturesOf, Since};
use crate::facts::signature::{Signatures, Signed, SignedObject};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::gather::{arrivals, creation, motion};
use crate::names::oid::Oid;
use crate::pattern::refs::RefPatterns;
use crate::push::update::Change;
use crate::roster::heard::Heard;
use crate::store::commit::CommitSignature;

/// How an X.509 signature begins (gpg-interface.c).
const X509: &[u8] = b"-----BEGIN SIGNED MESSAGE-----";

/// Looks at the signatures that the rules of a ref ask for. `end`: the commit it would lead to.
pub fn look(
    scene: &mut Scene<'_>,
    facts: &mut UpdateFacts,
    needs: &RefNeeds,
    end: Oid,
) -> Result<(), GatherError> {
    let mut starts_seen: Vec<(Option<&RefPatterns>, &Since, usize)> = Vec::new();
    for rule in needs.rules.iter().filter(|r| r.needs.signatures != SignaturesOf::Nothing) {
        let wants_commits = rule.needs.signatures == SignaturesOf::TagsAndCommits
            && facts.update.name.tag().is_none()
            && !motion::is_known_rewind(facts.motion.as_ref());
        let starts = wants_commits.then_some(&rule.starts);
        let since = &rule.needs.since;
        let alike = |(seen, other, _): &&(_, &Since, usize)| same(*seen, starts) && *other == since;
        let known = starts_seen.iter().find(alike).map(|(_, _, at)| *at);
        let at = match known {
            Some(at) => at,
            None => {
                let mut found = match starts {
                    Some(starts) => arriving(scene, facts, starts, end)?,
                    None => Signatures::default(),
                };
                leave_old(scene, since, &mut found)?;
                found.tags = of_tags(scene, &facts.update.new)?;
                facts.signatures.push(found);
                starts_seen.push((starts, since, facts.signatures.len() - 1));
                facts.signatures.len() - 1
            }
        };
        facts.signatures_of_rule.push((rule.index, at));
    }
    Ok(())
}

/// Takes out what a rule passes over.
pub fn leave_old(
    scene: &mut Scene<'_>,
    since: &Since,
    found: &mut Signatures,
) -> Result<(), GatherError> {
    let names: Vec<Oid> = found.commits.iter().map(oid).collect();
    let passed = arrivals::passed_over(scene, since, &names)?;
    found.commits.retain(|commit| !passed.contains(&commit.oid));
    Ok(())
}

fn same(one: Option<&RefPatterns>, other: Option<&RefPatterns>) -> bool {
    one.map(RefPatterns::written) == other.map(RefPatterns::written)
}

/// The commits that a move brings to the ref, or that a creation brings to the refs it starts from.
fn arriving(
    scene: &mut Scene<'_>,
    facts: &UpdateFacts,
    starts: &RefPatterns,
    end: Oid,
) -> Result<Signatures, GatherError> {
    match facts.change {
        Change::Move { old, .. } => {
            let from = scene.reader.peel_commit(&old)?;
            of_commits(scene, end, from)
        }
        Change::Create { .. } => {
            let from = creation::start(scene, &facts.update.name, starts, end)?;
            let mut found = of_commits(scene, end, from)?;
            // What those refs hold has arrived there once, under this rule or before it.
            let unsigned: Vec<Oid> =
                found.commits.iter().filter(|c| !is_good(c)).map(oid).collect();
            if !unsigned.is_empty() {
                let held = creation::values(scene, starts)?;
                let strangers = scene.reader.not_reachable_from(&held, &unsigned)?;
                found.commits.retain(|c| is_good(c) || strangers.contains(&c.oid));
            }
            Ok(found)
        }
        Change::Delete { .. } | Change::Nothing => Ok(Signatures::default()),
    }
}

fn oid(object: &SignedObject) -> Oid {
    object.oid
}

fn is_good(object: &SignedObject) -> bool {
    matches!(object.signed, Signed::By(_))
}

/// The signatures of the commits reachable from `end` and not from `from`.
pub fn of_commits(
    scene: &Scene<'_>,
    end: Oid,
    from: Option<Oid>,
) -> Result<Signatures, GatherError> {
    let mut found = Signatures { base: from, ..Signatures::default() };
    for (oid, commit) in scene.reader.arriving(&[end], from.as_slice())? {
        found.has_merges |= commit.parents.len() > 1;
        found.commits.push(SignedObject {
            oid,
            claims: scene.roster.by_email(&commit.committer.email).cloned(),
            email: commit.committer.email.clone(),
            named: Vec::new(),
            signed: signed(scene, oid, commit.signature().as_ref()),
        });
    }
    Ok(found)
}

fn of_tags(scene: &Scene<'_>, new: &Oid) -> Result<Vec<SignedObject>, GatherError> {
    let tags = scene.reader.tags(new)?.into_iter().map(|(oid, tag)| {
        let tag = match tag {
            Ok(tag) => tag,
            Err(why) => {
                let signed = Signed::Malformed { why: why.to_string() };
                return SignedObject {
                    oid,
                    claims: None,
                    email: Vec::new(),
                    named: Vec::new(),
                    signed,
                };
            }
        };
        let email = tag.tagger.map(|tagger| tagger.email).unwrap_or_default();
        SignedObject {
            oid,
            claims: scene.roster.by_email(&email).cloned(),
            email,
            named: tag.name,
            signed: signed(scene, oid, tag.signature.as_ref()),
        }
    });
    Ok(tags.collect())
}

/// Whether an object is signed, and by whom.
fn signed(scene: &Scene<'_>, oid: Oid, signature: Option<&CommitSignature>) -> Signed {
    let Some(signature) = signature else { return Signed::Not };
    if signature.armor.starts_with(X509) {
        return Signed::X509;
    }
    match scene.heard(oid, signature) {
        Heard::By { name, .. } => Signed::By(name.clone()),
        Heard::NotNow { name, why, .. } => Signed::KeyNotNow { name: name.clone(), why },
        Heard::Nobody { fingerprint } => Signed::NobodysKey { fingerprint },
        Heard::Not(check) => Signed::Bad(check),
    }
}
