//! What a broken glass owes: written down with the decision, and settled when it is paid.
//!
//! Whether it is paid is looked at whenever a hook runs for its ref, and by the push that brings an
//! approval for it. What is settled is settled: nothing that comes later makes the debt again.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::facts::debt::DebtFacts;
use crate::facts::past::{Past as _, PastError};
use crate::gather::debts::{Eye, look};
use crate::gather::reader::Reader;
use crate::hook::bench::gathered;
use crate::hook::fault::Stop;
use crate::hook::record;
use crate::hook::world::World;
use crate::judge::debts::{Paid, paid};
use crate::log::book::Log;
use crate::log::decision::Paths;
use crate::log::entry::Record;
use crate::log::file::{Appended, Ctx};
use crate::log::glass::{AskRecord, BreakGlass, How, Settled};
use crate::log::settle::Site as _;
use crate::log::touched::JudgedAt;
use crate::log::wire::{AsText, Text};
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::statement::place::{ApprovalKey, Place};
use crate::verdict::glass::Broken;

/// The record of one broken glass. `None` where the ref is none of the push.
pub fn broken(
    world: &World,
    policy: &Policy,
    facts: &Facts,
    broken: &Broken,
) -> Result<Option<BreakGlass>, Stop> {
    let mut updates = facts.updates.iter();
    let Some(update) = updates.find(|it| it.update.name == broken.refname) else { return Ok(None) };
    let reader = Reader::new(&world.store, &policy.limits);
    let delta = reader.delta(broken.base, Some(broken.commit)).map_err(gathered)?;
    let none = Oid::zero(crate::store::objects::Objects::format(&world.store));
    let names = |set: &BTreeSet<PrincipalName>| set.iter().cloned().map(AsText).collect();
    let paths = delta.changes().iter().map(|change| Text(change.path.as_bytes().to_vec()));
    Ok(Some(BreakGlass {
        of: None,
        actor: record::actor(&facts.push.push.pusher),
        reason: Text(broken.reason.clone().into_bytes()),
        refname: Text(broken.refname.as_bytes().to_vec()),
        old: AsText(update.real.unwrap_or(none)),
        new: AsText(update.update.new),
        overridden: broken.overridden.iter().map(record::finding).collect(),
        base: AsText(broken.base.unwrap_or(none)),
        commit: AsText(broken.commit),
        delta: AsText(delta.digest()),
        landed: record::landed(update).into_iter().map(AsText).collect(),
        paths: Paths::of(paths.collect()),
        asks: broken
            .asks
            .iter()
            .map(|(rule, approvals, from)| AskRecord {
                rule: rule.clone(),
                approvals: *approvals as u64,
                from: names(from),
            })
            .collect(),
        makers: names(&broken.makers),
        unknown_maker: broken.unknown_maker,
        settle_by: AsText(broken.settle_by),
    }))
}

/// The debts on a ref, held against the value it has.
pub fn on(
    world: &World,
    log: &Log,
    policy: &Policy,
    name: &Refname,
    ctx: &Ctx,
) -> Result<Vec<DebtFacts>, Stop> {
    // Most refs owe nothing: then there is nothing to look at.
    if log.debts(name)?.is_empty() {
        return Ok(Vec::new());
    }
    let reader = Reader::new(&world.store, &policy.limits);
    let eye = Eye {
        reader: &reader,
        past: log,
        roster: &policy.roster,
        repository: world.repository.as_deref(),
        moment: ctx.moment,
        carried: &[],
    };
    let value = Some(world.value(name)?).filter(|value| !value.is_zero());
    look(&eye, name, value).map_err(gathered)
}

/// Writes down which debts on these refs are settled. Refs and log agree already.
pub fn settle(
    world: &World,
    log: &mut Log,
    policy: &Policy,
    names: &BTreeSet<Refname>,
    ctx: &Ctx,
) -> Result<(), Stop> {
    for name in names {
        let places = places(policy, &on(world, log, policy, name, ctx)?);
        if places.is_empty() {
            continue;
        }
        // Only what is known to have got to its place settles anything.
        log.settle(world, &places, None, ctx)?;
        let size = log.head().size;
        let value = world.value(name)?;
        let debts = on(world, log, policy, name, ctx)?;
        // One that may yet turn out to owe nothing waits for its outcome.
        let known = debts.iter().filter(|facts| facts.debt.applied);
        let settled: Vec<Settled> =
            known.filter_map(|facts| Some(settled(facts, &paid(policy, facts)?, value))).collect();
        if settled.is_empty() {
            continue;
        }
        let refs: BTreeSet<Refname> = std::iter::once(name.clone()).collect();
        let statements = settled.iter().flat_map(|it| &it.uses).map(|id| id.0).collect();
        let judged = JudgedAt { size, refs, statements, ..JudgedAt::default() };
        let records: Vec<Record> = settled.into_iter().map(Record::Settled).collect();
        match log.append(&records, ctx, Some(&judged))? {
            Appended::Written(_) | Appended::Held => {}
            // Somebody was quicker, or the ref moved: the next run looks again.
            Appended::Moved(_) => log.refresh()?,
        }
    }
    Ok(())
}

/// After a push: for the refs that moved, and for those that statements of it speak of.
pub fn settle_after(
    world: &World,
    log: &mut Log,
    names: &BTreeSet<Refname>,
    ctx: &Ctx,
) -> Result<(), Stop> {
    let mut about: BTreeSet<Refname> = BTreeSet::new();
    for name in names {
        match Place::is_reserved(name) {
            true => about.extend(log.latest_at(name)?.map(|word| word.for_ref)),
            false => drop(about.insert(name.clone())),
        }
    }
    let owing: Result<Vec<_>, PastError> = about
        .into_iter()
        .filter_map(|name| match log.debts(&name) {
            Ok(debts) => (!debts.is_empty()).then_some(Ok(name)),
            Err(error) => Some(Err(error)),
        })
        .collect();
    let owing: BTreeSet<Refname> = owing?.into_iter().collect();
    if owing.is_empty() {
        return Ok(());
    }
    let (policy, _) = world.policy()?;
    log.settle(world, &owing, None, ctx)?;
    settle(world, log, &policy, &owing, ctx)
}

/// The ref of each debt that seems to be paid, and the places of what pays it.
fn places(policy: &Policy, debts: &[DebtFacts]) -> BTreeSet<Refname> {
    let mut places = BTreeSet::new();
    for facts in debts.iter().filter(|facts| paid(policy, facts).is_some()) {
        let key = ApprovalKey::of(&facts.debt.refname, &facts.debt.delta);
        places.insert(facts.debt.refname.clone());
        places.extend(
            facts
                .approved
                .iter()
                .map(|(name, _)| Place::Approval { key, person: name.clone() }.refname()),
        );
    }
    places
}

fn settled(facts: &DebtFacts, paid: &Paid, value: Oid) -> Settled {
    let (how, approved) = match paid {
        Paid::Approved(approved) => (How::Approved, approved.as_slice()),
        Paid::Reverted => (How::Reverted, [].as_slice()),
    };
    Settled {
        of: facts.debt.entry,
        refname: Text(facts.debt.refname.as_bytes().to_vec()),
        how,
        by: approved.iter().map(|(name, _)| AsText(name.clone())).collect(),
        uses: approved.iter().map(|(_, id)| AsText(*id)).collect(),
        value: AsText(value),
    }
}
