//! Holds every ref of a repository, and HEAD, against its log.
//!
//! Used by `log drift`, which writes what it finds, and by `log verify --repo`, which only tells. The
//! refs are read first and the log after, and only those that do not agree, or of which a move is
//! still open, are looked at closely: the cost is that of reading the refs.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::past::{OpenDecision, Past as _};
use crate::hook::fault::Stop;
use crate::hook::traces;
use crate::hook::world::World;
use crate::log::book::Log;
use crate::log::entry::{Drift, Record};
use crate::log::file::Ctx;
use crate::log::known::Keep;
use crate::log::wire::Text;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::objects::{HeadValue, Objects as _};

/// How many refs are settled in one go: few, so that pushes in between seldom disturb it.
const BATCH_MAX: usize = 256;

/// What was found.
#[derive(Debug, Default)]
pub struct Swept {
    /// How many refs there are.
    pub refs: usize,
    /// The outcomes and drifts that were written, or would be.
    pub records: Vec<Record>,
    /// Accepted moves whose receive-pack still runs.
    pub waiting: Vec<OpenDecision>,
}

impl Swept {
    /// The drifts among the records.
    pub fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.records.iter().filter_map(|record| match record {
            Record::Drift(drift) => Some(drift),
            Record::Outcome(_)
            | Record::Genesis(_)
            | Record::Birth(_)
            | Record::Decision(_)
            | Record::Refusal(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Tidy(_)
            | Record::Config(_)
            | Record::Accepted(_) => None,
        })
    }
}

/// What is done about what is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// The log says so from now on.
    Write,
    /// Nothing in the log's folder changes.
    Look,
}

/// Holds all refs and HEAD against the log.
pub fn sweep(world: &World, log: &mut Log, doing: Doing, ctx: &Ctx) -> Result<Swept, Stop> {
    let refs = world.store.all_refs().map_err(|error| unread(&error))?;
    let mut swept = Swept { refs: refs.len(), ..Swept::default() };
    log.refresh()?;
    let (unlike, open) = unlike(log, refs, doing)?;
    let names: Vec<&Refname> = unlike.iter().collect();
    for batch in names.chunks(BATCH_MAX) {
        let batch: BTreeSet<Refname> = batch.iter().copied().cloned().collect();
        swept.records.extend(match doing {
            Doing::Write => log.settle(world, &batch, None, ctx)?,
            Doing::Look => log.would_settle(world, &batch, ctx)?,
        });
    }
    if let Some(drift) = head(world, log)? {
        let record = Record::Drift(drift);
        if doing == Doing::Write {
            // What is found is told in any case; a drift is never held back.
            let _ = log.append(std::slice::from_ref(&record), ctx, None)?;
        }
        swept.records.push(record);
    }
    for name in open {
        let still = log.open_on(&name)?;
        swept.waiting.extend(still.into_iter().filter(|one| still_open(&swept.records, one)));
    }
    Ok(swept)
}

/// Refs that do not agree with the log or of which a move is open; and the latter alone.
fn unlike(
    log: &Log,
    refs: Vec<(Refname, Oid)>,
    doing: Doing,
) -> Result<(BTreeSet<Refname>, BTreeSet<Refname>), Stop> {
    let known = match doing {
        Doing::Write => log.known_refs(Keep::Note)?,
        // Who verifies has read every entry already, and believes no note.
        Doing::Look => log.known_anew()?,
    };
    let open: BTreeSet<Refname> =
        known.open.iter().filter_map(|(name, _)| Refname::parse(name)).collect();
    let mut unlike = open.clone();
    let mut logged: BTreeMap<Vec<u8>, Oid> = known.refs;
    for (name, oid) in refs {
        let by_log = logged.remove(name.as_bytes()).unwrap_or(Oid::zero(oid.format()));
        if by_log != oid {
            unlike.insert(name);
        }
    }
    // What is left has a value by the log and is gone.
    unlike.extend(logged.keys().filter_map(|name| Refname::parse(name)));
    Ok((unlike, open))
}

/// Whether none of these records is the outcome of this move.
fn still_open(records: &[Record], open: &OpenDecision) -> bool {
    let name = Text::from(&open.refname);
    !records.iter().any(|record| {
        let Record::Outcome(outcome) = record else { return false };
        outcome.of == open.entry && outcome.refs.iter().any(|one| one.refname == name)
    })
}

/// How HEAD was moved past the log, if it was.
pub fn head(world: &World, log: &Log) -> Result<Option<Drift>, Stop> {
    let named = match world.store.head().map_err(|error| unread(&error))? {
        HeadValue::Branch(name) => Some(Text::from(&name)),
        HeadValue::Detached(oid) => Some(Text::from(oid.hex())),
        HeadValue::Unreadable => None,
    };
    let drift = log.head_drift(named, world.store.format())?;
    Ok(drift.map(|drift| Drift { evidence: traces::of_head(&world.store), ..drift }))
}

fn unread(error: &StoreError) -> Stop {
    Stop::fault("the refs of this repository cannot be read", error)
}
