//! A past made of maps, for tests of rooms that have no log.

use std::collections::BTreeMap;

use crate::facts::debt::Debt;
use crate::facts::past::{
    Brought, DeltaLanded, DriftSeen, GenesisSeen, Landing, OpenDecision, Past, PastError, RefValue,
    RejectSeen, StateSeen, StatementSeen, StatementState, ValueSource,
};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// A past made of maps, for tests of rooms that have no log. What is not put in is not known.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// How many entries there are.
    pub size: u64,
    /// The beginning.
    pub genesis: GenesisSeen,
    /// Who brought what.
    pub brought: BTreeMap<Oid, Brought>,
    /// The last value of each ref.
    pub values: BTreeMap<Refname, RefValue>,
    /// Which values a ref has had, and by which entry.
    pub had: BTreeMap<(Refname, Oid), u64>,
    /// What is known of values as states to go back to; without a word `Never`.
    pub back_to: BTreeMap<(Refname, Oid), StateSeen>,
    /// The state of each statement.
    pub states: BTreeMap<Digest, StatementState>,
    /// The newest statement of each place.
    pub latest: BTreeMap<Refname, StatementSeen>,
    /// Every statement seen.
    pub statements: Vec<StatementSeen>,
    /// The rejects among them, and the entries they reject.
    pub rejects: Vec<(StatementSeen, Vec<Digest>)>,
    /// Deltas that landed.
    pub landed: BTreeMap<(Refname, Digest), DeltaLanded>,
    /// Open decisions, newest first.
    pub open: Vec<OpenDecision>,
    /// Which open decisions brought a commit.
    pub open_commits: BTreeMap<Oid, Vec<u64>>,
    /// Which open decisions hold a statement.
    pub open_statements: BTreeMap<Digest, Vec<u64>>,
    /// Landings by ref, newest first.
    pub landings: BTreeMap<Refname, Vec<Landing>>,
    /// Moves past the gate that nobody has accepted.
    pub drifts: BTreeMap<Refname, DriftSeen>,
    /// What broken glasses owe.
    pub debts: Vec<Debt>,
    /// The last policy.
    pub policy: Option<Digest>,
}

impl Remembered {
    /// A log that holds its genesis and nothing else.
    pub fn since(genesis: GenesisSeen) -> Self {
        let refs = genesis.refs.iter();
        let values = refs
            .clone()
            .map(|(name, oid)| {
                let value = RefValue { oid: *oid, entry: 0, source: ValueSource::Genesis };
                (name.clone(), value)
            })
            .collect();
        Self {
            size: 1,
            brought: BTreeMap::new(),
            values,
            had: refs.map(|(name, oid)| ((name.clone(), *oid), 0)).collect(),
            back_to: BTreeMap::new(),
            states: BTreeMap::new(),
            latest: BTreeMap::new(),
            statements: Vec::new(),
            rejects: Vec::new(),
            landed: BTreeMap::new(),
            open: Vec::new(),
            open_commits: BTreeMap::new(),
            open_statements: BTreeMap::new(),
            landings: BTreeMap::new(),
            drifts: BTreeMap::new(),
            debts: Vec::new(),
            policy: None,
            genesis,
        }
    }

    fn open_among(&self, entries: Option<&Vec<u64>>) -> Vec<OpenDecision> {
        let wanted = |open: &&OpenDecision| entries.is_some_and(|e| e.contains(&open.entry));
        self.open.iter().filter(wanted).cloned().collect()
    }
}

impl Past for Remembered {
    fn size(&self) -> u64 {
        self.size
    }

    fn genesis(&self) -> Result<GenesisSeen, PastError> {
        Ok(self.genesis.clone())
    }

    fn brought(&self, commit: &Oid) -> Result<Brought, PastError> {
        Ok(self.brought.get(commit).cloned().unwrap_or(Brought::Nobody))
    }

    fn value(&self, refname: &Refname) -> Result<Option<RefValue>, PastError> {
        Ok(self.values.get(refname).cloned())
    }

    fn had(&self, refname: &Refname, oid: &Oid) -> Result<Option<u64>, PastError> {
        Ok(self.had.get(&(refname.clone(), *oid)).copied())
    }

    fn times_had(&self, refname: &Refname, oid: &Oid, most: usize) -> Result<usize, PastError> {
        // A map holds each once.
        Ok(usize::from(self.had(refname, oid)?.is_some()).min(most))
    }

    fn state_of(&self, refname: &Refname, oid: &Oid) -> Result<StateSeen, PastError> {
        let known = self.back_to.get(&(refname.clone(), *oid)).copied();
        Ok(known.unwrap_or(StateSeen::Never))
    }

    fn any_branch_ever(&self, is_it: &dyn Fn(&Refname) -> bool) -> Result<bool, PastError> {
        Ok(self.had.keys().any(|(name, _)| name.branch().is_some() && is_it(name)))
    }

    fn statement(&self, id: &Digest) -> Result<StatementState, PastError> {
        Ok(self.states.get(id).cloned().unwrap_or(StatementState::Unseen))
    }

    fn latest_at(&self, place: &Refname) -> Result<Option<StatementSeen>, PastError> {
        Ok(self.latest.get(place).cloned())
    }

    fn signed_at(&self, by: &PrincipalName, newer: usize) -> Result<Option<Moment>, PastError> {
        let mut dates: Vec<Moment> =
            self.statements.iter().filter(|s| s.person == *by).map(|s| s.date).collect();
        dates.sort_by_key(|date| std::cmp::Reverse(date.millis()));
        Ok(dates.get(newer).copied())
    }

    fn statements_on(&self, commit: &Oid) -> Result<Vec<StatementSeen>, PastError> {
        Ok(self.statements.iter().filter(|s| s.commit == *commit).cloned().collect())
    }

    fn delta_landed(
        &self,
        for_ref: &Refname,
        delta: &Digest,
    ) -> Result<Option<DeltaLanded>, PastError> {
        Ok(self.landed.get(&(for_ref.clone(), *delta)).copied())
    }

    fn any_reject(&self, for_ref: &Refname) -> Result<bool, PastError> {
        Ok(self.rejects.iter().any(|(reject, _)| reject.for_ref == *for_ref))
    }

    fn rejects(&self, for_ref: &Refname, entries: &[Digest]) -> Result<Vec<RejectSeen>, PastError> {
        let stands = |s: &StatementSeen| {
            let latest = self.latest.get(&s.place);
            s.for_ref == *for_ref && latest.is_none_or(|latest| latest.id == s.id)
        };
        let shared = |(statement, all): &(StatementSeen, Vec<Digest>)| {
            let entries = entries.iter().copied().filter(|entry| all.contains(entry)).collect();
            RejectSeen { statement: statement.clone(), entries }
        };
        let standing = self.rejects.iter().filter(|(statement, _)| stands(statement));
        Ok(standing.map(shared).filter(|reject| !reject.entries.is_empty()).collect())
    }

    fn decision_for(
        &self,
        refname: &Refname,
        old: &Oid,
        new: &Oid,
    ) -> Result<Vec<OpenDecision>, PastError> {
        let same = |o: &&OpenDecision| o.refname == *refname && o.old == *old && o.new == *new;
        Ok(self.open.iter().filter(same).cloned().collect())
    }

    fn open_on(&self, refname: &Refname) -> Result<Vec<OpenDecision>, PastError> {
        Ok(self.open.iter().filter(|open| open.refname == *refname).cloned().collect())
    }

    fn open_bringing(&self, commit: &Oid) -> Result<Vec<OpenDecision>, PastError> {
        Ok(self.open_among(self.open_commits.get(commit)))
    }

    fn open_with(&self, statement: &Digest) -> Result<Vec<OpenDecision>, PastError> {
        Ok(self.open_among(self.open_statements.get(statement)))
    }

    fn recent_landings(&self, refname: &Refname, most: usize) -> Result<Vec<Landing>, PastError> {
        let all = self.landings.get(refname).map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().take(most).cloned().collect())
    }

    fn certificate(&self, _id: &Digest) -> Result<Option<u64>, PastError> {
        // Nobody judges a certificate against a past without a log.
        Ok(None)
    }

    fn drift(&self, refname: &Refname) -> Result<Option<DriftSeen>, PastError> {
        Ok(self.drifts.get(refname).copied())
    }

    fn debts(&self, refname: &Refname) -> Result<Vec<Debt>, PastError> {
        Ok(self.debts.iter().filter(|debt| debt.refname == *refname).cloned().collect())
    }

    fn last_policy(&self) -> Result<Option<Digest>, PastError> {
        Ok(self.policy)
    }
}
