//! What other entries say of an entry: what became of a push, who gave the statements it used.
//!
//! Gathered in one walk through the log, read by `block`.

use std::collections::HashMap;

use crate::log::entry::{Record, RefOutcome};
use crate::log::line::Entry;
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
    /// Takes in what one entry says of others. `record` is its record, whole.
    pub fn add(&mut self, entry: &Entry, record: &Record) {
        let number = entry.common.seq;
        match record {
            Record::Outcome(it) => {
                let became = Became { entry: number, refs: it.refs.clone() };
                self.outcomes.entry(it.of).or_default().push(became);
            }
            Record::Decision(it) => {
                self.statements.extend(it.statements.iter().map(|one| {
                    let said = Said {
                        entry: number,
                        verdict: one.verdict.clone(),
                        person: one.person.0.as_str().to_owned(),
                        check: one.check.clone(),
                    };
                    (one.id.0, said)
                }));
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
