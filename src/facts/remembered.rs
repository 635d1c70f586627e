//! A past without a log: nothing, by which replay judges, and what tests of rooms without a log put in.

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

/// A past made of maps. What is not put in, or has no map, has never been.
#[derive(Clone, Debug)]
pub struct Remembered {
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
    /// Every statement seen.
    pub statements: Vec<StatementSeen>,
    /// Landings by ref, newest first.
    pub landings: BTreeMap<Refname, Vec<Landing>>,
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
            brought: BTreeMap::new(),
            values,
            had: refs.map(|(name, oid)| ((name.clone(), *oid), 0)).collect(),
            back_to: BTreeMap::new(),
            statements: Vec::new(),
            landings: BTreeMap::new(),
            genesis,
        }
    }
}

impl Past for Remembered {
    fn size(&self) -> u64 {
        1
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

    fn statement(&self, _id: &Digest) -> Result<StatementState, PastError> {
        Ok(StatementState::Unseen)
    }

    fn latest_at(&self, _place: &Refname) -> Result<Option<StatementSeen>, PastError> {
        Ok(None)
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
        _for_ref: &Refname,
        _delta: &Digest,
    ) -> Result<Option<DeltaLanded>, PastError> {
        Ok(None)
    }

    fn any_reject(&self, _for_ref: &Refname) -> Result<bool, PastError> {
        Ok(false)
    }

    fn rejects(
        &self,
        _for_ref: &Refname,
        _entries: &[Digest],
    ) -> Result<Vec<RejectSeen>, PastError> {
        Ok(Vec::new())
    }

    fn decision_for(
        &self,
        _refname: &Refname,
        _old: &Oid,
        _new: &Oid,
    ) -> Result<Vec<OpenDecision>, PastError> {
        Ok(Vec::new())
    }

    fn open_on(&self, _refname: &Refname) -> Result<Vec<OpenDecision>, PastError> {
        Ok(Vec::new())
    }

    fn open_bringing(&self, _commit: &Oid) -> Result<Vec<OpenDecision>, PastError> {
        Ok(Vec::new())
    }

    fn open_with(&self, _statement: &Digest) -> Result<Vec<OpenDecision>, PastError> {
        Ok(Vec::new())
    }

    fn recent_landings(&self, refname: &Refname, most: usize) -> Result<Vec<Landing>, PastError> {
        let all = self.landings.get(refname).map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().take(most).cloned().collect())
    }

    fn certificate(&self, _id: &Digest) -> Result<Option<u64>, PastError> {
        Ok(None)
    }

    fn drift(&self, _refname: &Refname) -> Result<Option<DriftSeen>, PastError> {
        Ok(None)
    }

    fn debts(&self, _refname: &Refname) -> Result<Vec<Debt>, PastError> {
        Ok(Vec::new())
    }

    fn last_policy(&self) -> Result<Option<Digest>, PastError> {
        Ok(None)
    }
}
