//! What other entries say of an entry: what became of a push, who gave the statements it used.
//!
//! Looked up in the index for one entry, or gathered in one walk through a log that has none; read
//! by `block`.

use std::collections::{BTreeMap, HashMap};

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::decision::StatementRecord;
use crate::log::entry::{Record, RefOutcome};
use crate::log::line::Entry;
use crate::log::wire::Text;
use crate::names::digest::Digest;

/// The word of one entry on what became of a push.
#[derive(Clone, Debug)]
pub struct Became {
    /// The entry that says so.
    pub entry: u64,
    /// What it says.
    pub refs: Vec<RefOutcome>,
}

/// A statement, in short.
#[derive(Clone, Debug)]
pub struct Said {
    /// The entry that holds it whole.
    pub entry: u64,
    /// `approve`, `reject`, `pass`, ...
    pub verdict: String,
    /// Who signed.
    pub person: String,
    /// The name of the check, for a check.
    pub check: Option<String>,
}

/// What the log says about its own entries.
#[derive(Clone, Debug, Default)]
pub struct Lore {
    outcomes: HashMap<u64, Vec<Became>>,
    statements: HashMap<Digest, Said>,
}

impl Lore {
    /// Looks up what other entries say of one entry.
    pub fn look(log: &Log, number: u64, record: &Record) -> Result<Self, PastError> {
        let mut lore = Self::default();
        let names: Vec<&Text> = match record {
            Record::Decision(it) => {
                for id in it.refs.iter().flat_map(|one| &one.uses) {
                    lore.look_up(log, &id.0)?;
                }
                it.refs.iter().map(|one| &one.refname).collect()
            }
            Record::Tidy(it) => {
                for one in &it.refs {
                    lore.look_up(log, &one.id.0)?;
                }
                it.refs.iter().map(|one| &one.refname).collect()
            }
            Record::Genesis(_)
            | Record::Birth(_)
            | Record::Refusal(_)
            | Record::Outcome(_)
            | Record::Drift(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Config(_)
            | Record::Accepted(_) => Vec::new(),
        };
        let mut outcomes = BTreeMap::new();
        for name in names {
            for entry in log.outcomes(number, &name.0)? {
                outcomes.insert(entry.common.seq, entry);
            }
        }
        outcomes.values().for_each(|entry| lore.add(entry, &entry.record));
        Ok(lore)
    }

    fn look_up(&mut self, log: &Log, id: &Digest) -> Result<(), PastError> {
        if let Some(given) = log.given(id)? {
            self.hold(given.entry.common.seq, &given.statement);
        }
        Ok(())
    }

    fn hold(&mut self, entry: u64, one: &StatementRecord) {
        let said = Said {
            entry,
            verdict: one.verdict.clone(),
            person: one.person.0.as_str().to_owned(),
            check: one.check.clone(),
        };
        self.statements.insert(one.id.0, said);
    }

    /// Takes in what one entry says of others. `record` is its record, whole.
    pub fn add(&mut self, entry: &Entry, record: &Record) {
        let number = entry.common.seq;
        match record {
            Record::Outcome(it) => {
                let became = Became { entry: number, refs: it.refs.clone() };
                self.outcomes.entry(it.of).or_default().push(became);
            }
            Record::Decision(it) => {
                it.statements.iter().for_each(|one| self.hold(number, one));
            }
            Record::Genesis(_)
            | Record::Birth(_)
            | Record::Refusal(_)
            | Record::Drift(_)
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
            | Record::Accepted(_) => {}
        }
    }

    /// What became of this push, in the order the log learned it; the last word on a ref counts.
    pub fn outcomes(&self, decision: u64) -> &[Became] {
        self.outcomes.get(&decision).map_or(&[], Vec::as_slice)
    }

    /// The statement with this SHA-256. `None` when no entry of this log holds it.
    pub fn statement(&self, id: &Digest) -> Option<&Said> {
        self.statements.get(id)
    }
}
