//! Statements that can never count again leave the refs. The log keeps them whole, with their
//! state, so nothing that is judged changes by it; refs do not grow.
//!
//! First the record, on the disk, then the refs, then the outcome. Stopped at any point, what is
//! found is what the log allows: the next look at a ref finds out which it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::limits::Limits;
use crate::facts::past::{Past as _, StatementSeen};
use crate::gather::held;
use crate::gather::reader::Reader;
use crate::hook::bench::gathered;
use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::hook::{host, removal};
use crate::log::book::Log;
use crate::log::decision::{Decision, RefDecision};
use crate::log::entry::{Record, State};
use crate::log::file::{Appended, Ctx};
use crate::log::posting::is_yes;
use crate::log::tidy::{Tidy, TidyRef, Why};
use crate::log::touched::JudgedAt;
use crate::log::wire::{AsText, Text};
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::statement::place::{APPROVALS, ApprovalKey, CHECKS};
use crate::statement::problem::STATEMENT_BYTES_MAX;
use crate::store::error::StoreError;
use crate::store::objects::{Objects as _, RefValue};

/// How many statements one record takes, so that it fits in its line.
pub const BATCH_MAX: usize = 100;

/// How many places a push looks at after it landed.
const PLACES_MAX: usize = 200;

/// In how many commits of a landing earlier forms of it are looked for.
const COMMITS_MAX: usize = 200;

/// How often a batch is looked at again because the log moved meanwhile.
const TRIES: usize = 3;

/// A statement that stands in a ref, as the log knows it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The ref's value.
    pub old: Oid,
    /// The statement.
    pub seen: StatementSeen,
}

/// A statement that can never count again.
#[derive(Clone, Debug)]
pub struct Dead {
    /// The statement and its ref.
    pub held: Held,
    /// Why.
    pub why: Why,
    /// The entry that made it so.
    pub entry: Option<u64>,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The record, where one was written.
    pub entry: Option<u64>,
    /// The statements whose refs are gone now.
    pub gone: Vec<Dead>,
    /// Git's words about those that it left.
    pub left: Option<String>,
}

/// The statement in a place: there, known to the log as the last word in this place, and nothing
/// under way that may move the ref. Whatever else stands there is not for us to take.
pub fn held(world: &World, log: &Log, place: &Refname) -> Result<Option<Held>, Stop> {
    let read = |error: StoreError| gathered(error.into());
    let RefValue::Direct(old) = world.store.read_ref(place).map_err(read)? else {
        return Ok(None);
    };
    let Some(seen) = log.latest_at(place)? else { return Ok(None) };
    let reader_limits = Limits::default();
    let reader = Reader::new(&world.store, &reader_limits);
    let read = held::read(&reader, &old, STATEMENT_BYTES_MAX).map_err(gathered)?;
    let statement = read.and_then(Result::ok);
    if statement.is_none_or(|statement| statement.id() != seen.id) || log.is_open(place)? {
        return Ok(None);
    }
    Ok(Some(Held { old, seen }))
}

/// All statements in the refs that can never count again, and how many others there are. Finds out
/// first what became of pushes that nothing is known of.
pub fn all_dead(world: &World, log: &mut Log, ctx: &Ctx) -> Result<(Vec<Dead>, usize), Stop> {
    let read = |error: StoreError| gathered(error.into());
    let mut places = Vec::new();
    for space in [APPROVALS, CHECKS] {
        places.extend(world.store.refs_under(&[space, b"/"].concat()).map_err(read)?);
    }
    let mut names: BTreeSet<Refname> = BTreeSet::new();
    for (place, _) in &places {
        names.extend(log.latest_at(place)?.map(|seen| seen.for_ref));
    }
    names.extend(places.iter().map(|(place, _)| place.clone()));
    log.settle(world, &names, None, &host::own_ctx(ctx))?;
    let (mut dead, mut maybe) = (Vec::new(), Vec::new());
    let all = places.len();
    for (place, _) in places {
        let Some(held) = held(world, log, &place)? else { continue };
        match log.dead(&held.seen, ctx.moment)? {
            Some((why, entry)) => dead.push(Dead { held, why, entry }),
            None => maybe.push(held),
        }
    }
    dead.extend(landed(world, log, maybe)?);
    let others = all - dead.len();
    Ok((dead, others))
}

/// Those whose commit their ref reaches now and did not reach when they were accepted. Of a ref
/// that reached it already nothing can be said: then a statement was given for another reason.
fn landed(world: &World, log: &Log, maybe: Vec<Held>) -> Result<Vec<Dead>, Stop> {
    let read = |error: StoreError| gathered(error.into());
    let mut by_values: BTreeMap<(Oid, Oid), Vec<Held>> = BTreeMap::new();
    for held in maybe {
        let now = log.value(&held.seen.for_ref)?.map(|value| value.oid);
        let before = log.value_at(&held.seen.for_ref, held.seen.entry)?;
        let there = world.store.header(&held.seen.commit).map_err(read)?.is_some();
        if let (Some(now), Some(before), true) = (now, before, there)
            && now != before
            && !now.is_zero()
        {
            by_values.entry((now, before)).or_default().push(held);
        }
    }
    let mut dead = Vec::new();
    for ((now, before), helds) in by_values {
        let commits: Vec<Oid> = helds.iter().map(|held| held.seen.commit).collect();
        let not_now = world.store.not_reachable_from(&[now], &commits).map_err(read)?;
        let not_before = match before.is_zero() {
            true => commits.clone(),
            false => world.store.not_reachable_from(&[before], &commits).map_err(read)?,
        };
        let since = |held: &Held| {
            !not_now.contains(&held.seen.commit) && not_before.contains(&held.seen.commit)
        };
        let found = helds.into_iter().filter(since);
        dead.extend(found.map(|held| Dead { held, why: Why::Landed, entry: None }));
    }
    Ok(dead)
}

/// Takes at most a batch of statements out of the refs: those of them that are still as they were.
pub fn take(
    world: &World,
    log: &mut Log,
    dead: &[Dead],
    by: &str,
    ctx: &Ctx,
) -> Result<Taken, Stop> {
    let ctx = host::own_ctx(ctx);
    let dead = dead.get(..BATCH_MAX).unwrap_or(dead);
    let names: BTreeSet<Refname> = dead.iter().map(|one| one.held.seen.place.clone()).collect();
    for _ in 0..TRIES {
        log.settle(world, &names, None, &ctx)?;
        let size = log.head().size;
        let mut still = Vec::with_capacity(dead.len());
        for one in dead {
            let now = held(world, log, &one.held.seen.place)?;
            if now.is_some_and(|now| now.old == one.held.old && now.seen == one.held.seen) {
                still.push(one.clone());
            }
        }
        if still.is_empty() {
            return Ok(Taken::default());
        }
        let judged = JudgedAt {
            size,
            refs: still.iter().map(|one| one.held.seen.place.clone()).collect(),
            statements: still.iter().map(|one| one.held.seen.id).collect(),
            ..JudgedAt::default()
        };
        match log.append(&[record(&still, by)], &ctx, Some(&judged))? {
            Appended::Written(receipt) => {
                let left = removal::remove(world.store.common_dir(), &still);
                log.settle(world, &judged.refs, None, &ctx)?;
                let mut gone = Vec::new();
                for one in still {
                    if crate::log::settle::Site::value(world, &one.held.seen.place)?.is_zero() {
                        gone.push(one);
                    }
                }
                return Ok(Taken { entry: Some(receipt.seq()), gone, left });
            }
            Appended::Held | Appended::Moved(_) => log.refresh()?,
        }
    }
    Ok(Taken::default())
}

fn record(dead: &[Dead], by: &str) -> Record {
    let one = |one: &Dead| TidyRef {
        refname: Text::from(&one.held.seen.place),
        old: AsText(one.held.old),
        id: AsText(one.held.seen.id),
        why: one.why,
        entry: one.entry,
    };
    Record::Tidy(Tidy { by: Text::from(by), refs: dead.iter().map(one).collect() })
}

/// After a push: takes the statements that it used, or that died by it.
pub fn after_push(world: &World, log: &mut Log, ctx: &Ctx) -> Result<(), Stop> {
    let session = host::session_key(ctx);
    if session.start == 0 {
        // Nobody can say which decisions are this push's own.
        return Ok(());
    }
    let mut places: BTreeMap<Refname, Option<u64>> = BTreeMap::new();
    for entry in log.decisions_of(&session)? {
        let Record::Decision(decision) = &entry.record else { continue };
        let number = entry.common.seq;
        for one in decision.refs.iter().filter(|one| is_yes(decision, one)) {
            if log.fate(number, &one.refname.0)?.is_some_and(State::had) {
                look_around(world, log, one, number, &mut places)?;
            }
        }
        places.extend(taken_back(decision).map(|place| (place, None)));
    }
    let mut dead = Vec::new();
    for (place, landed) in places.into_iter().take(PLACES_MAX) {
        let Some(held) = held(world, log, &place)? else { continue };
        let found = match log.dead(&held.seen, ctx.moment)? {
            Some(found) => Some(found),
            // Given before it landed: `held` is the last word, and this push came after it.
            None => {
                landed.filter(|entry| held.seen.entry <= *entry).map(|e| (Why::Landed, Some(e)))
            }
        };
        dead.extend(found.map(|(why, entry)| Dead { held, why, entry }));
    }
    if !dead.is_empty() {
        take(world, log, &dead, "post-receive", ctx)?;
    }
    Ok(())
}

/// The places of revocations that a push put there.
fn taken_back(decision: &Decision) -> impl Iterator<Item = Refname> {
    let revokes = decision.statements.iter().filter(|it| it.verdict == "revoke");
    revokes.filter_map(|it| it.place.refname())
}

/// The places of statements that a landing may have been the end of; with the landing's entry
/// where they name a commit of it.
fn look_around(
    world: &World,
    log: &Log,
    one: &RefDecision,
    number: u64,
    places: &mut BTreeMap<Refname, Option<u64>>,
) -> Result<(), Stop> {
    let Some(name) = one.refname.refname() else { return Ok(()) };
    for id in &one.uses {
        let seen = log.statement_seen(&id.0)?;
        places.extend(seen.map(|seen| (seen.place, None)));
    }
    let under = |folder: &[u8]| world.store.refs_under(folder).map_err(|e| gathered(e.into()));
    for space in [APPROVALS, CHECKS] {
        // A whole history has landed: nearly always before anybody said anything of it.
        if one.landed.len() > PLACES_MAX && under(&[space, b"/"].concat())?.is_empty() {
            continue;
        }
        for delta in &one.landed {
            let key = ApprovalKey::of(&name, &delta.0).hex();
            let found = under(&[space, b"/", key.as_bytes(), b"/"].concat())?;
            places.extend(found.into_iter().map(|(place, _)| (place, None)));
        }
    }
    if one.landed.is_empty() || one.new.0.is_zero() {
        return Ok(());
    }
    let limits = Limits::default();
    let reader = Reader::new(&world.store, &limits);
    let old: Vec<Oid> = Some(one.old.0).filter(|old| !old.is_zero()).into_iter().collect();
    // Too much to walk here; `log tidy` finds the rest.
    let Ok(commits) = reader.arriving_oids(&[one.new.0], &old) else { return Ok(()) };
    for commit in commits.iter().take(COMMITS_MAX) {
        for seen in log.statements_on(commit)? {
            if seen.for_ref == name {
                places.insert(seen.place, Some(number));
            }
        }
    }
    Ok(())
}
