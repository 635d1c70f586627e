//! What other entries say of an entry: what became of a push, who gave the statements it used.
//!
//! Looked up in the index for one entry, or gathered in one walk through a log that has none; read
//! by `block`.

use std::collections::{BTreeMap, HashMap};

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::decision::{Decision, StatementRecord};
use crate::log::entry::{Policy, Record, RefOutcome};
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
    /// What a judgement is told again with; only where somebody wants that.
    keeps: bool,
    whole: HashMap<Digest, StatementRecord>,
    policies: HashMap<Digest, (u64, Policy)>,
    head: Option<Text>,
}

impl Lore {
    /// One that keeps what a judgement is told again with: policies, statements, what HEAD names.
    pub fn whole() -> Self {
        Self { keeps: true, ..Self::default() }
    }

    /// Looks up what a judgement is told again with.
    pub fn look_again(&mut self, log: &Log, decision: &Decision) -> Result<(), PastError> {
        for id in decision.refs.iter().flat_map(|one| &one.uses) {
            if let Some(given) = log.given(&id.0)? {
                self.whole.insert(id.0, given.statement);
            }
        }
        let sha256 = decision.policy.sha256.0;
        if let Some(found) = log.policy_record(&sha256)? {
            self.policies.insert(sha256, found);
        }
        self.head = log.head_named()?;
        Ok(())
    }

    /// A statement, whole.
    pub fn whole_statement(&self, id: &Digest) -> Option<&StatementRecord> {
        self.whole.get(id)
    }

    /// The entry that put a policy on record.
    pub fn policy(&self, sha256: &Digest) -> Option<&(u64, Policy)> {
        self.policies.get(sha256)
    }

    /// The ref that HEAD names, as far as the log knows.
    pub const fn head(&self) -> Option<&Text> {
        self.head.as_ref()
    }

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
        if self.keeps {
            self.whole.insert(one.id.0, one.clone());
        }
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
            Record::Policy(it) if self.keeps => {
                self.policies.insert(it.sha256.0, (number, it.clone()));
            }
            Record::Genesis(it) => self.head.clone_from(&it.head),
            Record::Drift(it) => {
                if let Some(head) = &it.head {
                    self.head.clone_from(&head.found);
                }
            }
            Record::Birth(_)
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
