//! The commits that arrive on a ref: what they say of themselves, and who brought them.
//!
//! As for signatures, they are those that a move brings to the ref, or that a creation brings to
//! the refs it starts from. What a rule passes over (`since`) is left out here, by the log and by
//! what commits build on, never by a date in a commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::UpdateFacts;
use crate::facts::arrival::{Arrival, Arrivals, Claim, MESSAGE_BYTES_MAX};
use crate::facts::makers::Makers;
use crate::facts::needs::{ArrivalsOf, Needs, RefNeeds, RuleNeeds, Since};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::gather::{creation, motion};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::pattern::refs::RefPatterns;
use crate::push::update::Change;
use crate::store::commit::Commit;
use crate::store::ident::Ident;

/// Looks at the commits that the rules of a ref ask for. `end`: the commit it would lead to.
pub fn look(
    scene: &mut Scene<'_>,
    facts: &mut UpdateFacts,
    needs: &RefNeeds,
    end: Oid,
) -> Result<(), GatherError> {
    if motion::is_known_rewind(facts.motion.as_ref()) {
        return Ok(());
    }
    let asking = |rule: &&RuleNeeds| rule.needs.arrivals != ArrivalsOf::Nothing;
    let mut seen: Vec<(&RuleNeeds, usize)> = Vec::new();
    for rule in needs.rules.iter().filter(asking) {
        let alike = |other: &RuleNeeds| {
            other.starts.written() == rule.starts.written()
                && other.needs.since == rule.needs.since
                && other.needs.arrivals == rule.needs.arrivals
        };
        let known = seen.iter().find(|(other, _)| alike(other)).map(|(_, at)| *at);
        let at = match known {
            Some(at) => at,
            None => {
                let Some(found) = arriving(scene, facts, rule, end)? else { continue };
                facts.arrivals.push(found);
                facts.arrivals.len() - 1
            }
        };
        seen.push((rule, at));
        facts.arrivals_of_rule.push((rule.index, at));
    }
    Ok(())
}

/// `None`: nothing arrives.
fn arriving(
    scene: &mut Scene<'_>,
    facts: &UpdateFacts,
    rule: &RuleNeeds,
    end: Oid,
) -> Result<Option<Arrivals>, GatherError> {
    let from = match facts.change {
        Change::Move { old, .. } => scene.reader.peel_commit(&old)?,
        Change::Create { .. } => creation::start(scene, &facts.update.name, &rule.starts, end)?,
        Change::Delete { .. } | Change::Nothing => return Ok(None),
    };
    let held = match facts.change {
        Change::Create { .. } => Some(&rule.starts),
        Change::Move { .. } | Change::Delete { .. } | Change::Nothing => None,
    };
    of_commits(scene, end, from, held, &rule.needs).map(Some)
}

/// The commits reachable from `end` and not from `from`. What the refs that `held` names have had
/// has arrived there once, and does not arrive again.
pub fn of_commits(
    scene: &mut Scene<'_>,
    end: Oid,
    from: Option<Oid>,
    held: Option<&RefPatterns>,
    needs: &Needs,
) -> Result<Arrivals, GatherError> {
    let mut commits = scene.reader.arriving(&[end], from.as_slice())?;
    if let Some(starts) = held.filter(|_| !commits.is_empty()) {
        let held = creation::values(scene, starts)?;
        let strangers = strangers(scene, &held, &commits)?;
        commits.retain(|(oid, _)| strangers.contains(oid));
    }
    let mut found = Arrivals {
        base: from,
        last: commits.first().map(|(oid, _)| *oid),
        count: commits.len(),
        has_merges: commits.iter().any(|(_, commit)| commit.parents.len() > 1),
        commits: Vec::new(),
    };
    let names: Vec<Oid> = commits.iter().map(|(oid, _)| *oid).collect();
    let passed = passed_over(scene, &needs.since, &names)?;
    commits.retain(|(oid, _)| !passed.contains(oid));
    if needs.arrivals == ArrivalsOf::Bringers {
        scene.provenance.learn(&scene.reader, commits.iter().map(|(oid, _)| *oid))?;
    }
    found.commits =
        commits.iter().map(|(oid, commit)| arrival(scene, *oid, commit, needs.arrivals)).collect();
    Ok(found)
}

fn strangers(
    scene: &Scene<'_>,
    tips: &[Oid],
    commits: &[(Oid, Arc<Commit>)],
) -> Result<BTreeSet<Oid>, GatherError> {
    let names: Vec<Oid> = commits.iter().map(|(oid, _)| *oid).collect();
    Ok(scene.reader.not_reachable_from(tips, &names)?.into_iter().collect())
}

/// Those of the commits that a rule passes over. A commit that it names and that is not here
/// excuses nothing.
pub fn passed_over(
    scene: &mut Scene<'_>,
    since: &Since,
    commits: &[Oid],
) -> Result<BTreeSet<Oid>, GatherError> {
    let mut passed = BTreeSet::new();
    if since.is_always() || commits.is_empty() {
        return Ok(passed);
    }
    let mut tips = Vec::new();
    for oid in &since.commits {
        if oid.format() == scene.reader.objects.format() && scene.reader.is_commit(oid)? {
            tips.push(*oid);
        }
    }
    if !tips.is_empty() {
        let open: BTreeSet<Oid> =
            scene.reader.not_reachable_from(&tips, commits)?.into_iter().collect();
        passed.extend(commits.iter().filter(|oid| !open.contains(oid)));
    }
    if let Some(moment) = since.moment {
        scene.provenance.learn(&scene.reader, commits.iter().copied())?;
        let before = |oid: &&Oid| scene.provenance.origin(oid).was_before_moment(moment);
        passed.extend(commits.iter().filter(before));
    }
    Ok(passed)
}

fn arrival(scene: &Scene<'_>, oid: Oid, commit: &Commit, asked: ArrivalsOf) -> Arrival {
    let message = commit.message();
    let cut = message.len() > MESSAGE_BYTES_MAX;
    let bringers = (asked == ArrivalsOf::Bringers).then(|| {
        let mut makers = Makers::default();
        scene.provenance.add_bringers(oid, &mut makers);
        makers
    });
    Arrival {
        oid,
        parents: commit.parents.len(),
        author: claim(scene, &commit.author),
        committer: claim(scene, &commit.committer),
        encoding: commit.encoding(),
        message: message.iter().take(MESSAGE_BYTES_MAX).copied().collect(),
        subject: if cut { Vec::new() } else { commit.subject() },
        cut,
        trailers: if cut { Vec::new() } else { commit.trailers() },
        bringers,
    }
}

fn claim(scene: &Scene<'_>, ident: &Ident) -> Claim {
    Claim {
        name: ident.name.clone(),
        email: ident.email.clone(),
        owner: scene.roster.by_email(&ident.email).cloned(),
        when: Moment::from_seconds(i64::try_from(ident.when_seconds).unwrap_or(i64::MAX)),
    }
}
