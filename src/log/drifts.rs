//! What happened past the gate and nobody explained, and which operator took it on.
//!
//! Used by the verbs and by judging. The index finds drifts and what accepts them, so the cost grows
//! with their number and not with the log.

use crate::facts::past::{DriftSeen, PastError};
use crate::log::accepted::Acceptance;
use crate::log::book::Log;
use crate::log::config::Config;
use crate::log::entry::{Drift, HeadMoved, Record};
use crate::log::look::not_that;
use crate::log::posting::Key;
use crate::log::wire::{AsText, Text};
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;

/// How many drifts are looked at. Past that, an operator has more to mend than drifts.
pub const DRIFTS_MAX: usize = 100_000;

/// What HEAD is called where refs are named.
pub const HEAD: &[u8] = b"HEAD";

/// A drift, and who took it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// Its entry.
    pub entry: u64,
    /// When it was found.
    pub at: Moment,
    /// What was found.
    pub drift: Drift,
    /// The acceptance, where there is one.
    pub accepted: Option<Taken>,
}

/// An acceptance, in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its entry.
    pub entry: u64,
    /// When it was written.
    pub at: Moment,
    /// What it says.
    pub acceptance: Acceptance,
}

impl Log {
    /// Every drift, oldest first.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn drifts(&self) -> Result<Vec<Drifted>, PastError> {
        let mut found = self.postings(Key::Drifts, DRIFTS_MAX + 1)?;
        if found.len() > DRIFTS_MAX {
            return Err(PastError::TooMany { what: "drifts", limit: DRIFTS_MAX });
        }
        found.reverse();
        let one = |posting| {
            let entry = self.entry(posting)?;
            let Record::Drift(drift) = &entry.record else { return Err(not_that(&entry)) };
            let (entry, at, drift) = (entry.common.seq, entry.common.ts.0, drift.clone());
            Ok(Drifted { entry, at, drift, accepted: self.taken(entry)? })
        };
        found.iter().map(one).collect()
    }

    /// Who took the drift of this entry on.
    fn taken(&self, of: u64) -> Result<Option<Taken>, PastError> {
        let Some(posting) = self.postings(Key::Accepted(of), 1)?.pop() else { return Ok(None) };
        let entry = self.entry(&posting)?;
        let Record::Accepted(acceptance) = &entry.record else { return Err(not_that(&entry)) };
        if !acceptance.of.contains(&of) {
            return Err(not_that(&entry));
        }
        let (entry, at) = (entry.common.seq, entry.common.ts.0);
        Ok(Some(Taken { entry, at, acceptance: acceptance.clone() }))
    }

    /// The newest drift of this ref, where nobody took it on. Whoever accepts one accepts those
    /// before it.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn open_drift(&self, refname: &Refname) -> Result<Option<DriftSeen>, PastError> {
        let newest = self.postings(Key::Drift(refname.as_bytes()), 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        let entry = self.entry(posting)?;
        let Record::Drift(drift) = &entry.record else { return Err(not_that(&entry)) };
        let number = entry.common.seq;
        if self.taken(number)?.is_some() {
            return Ok(None);
        }
        Ok(Some(DriftSeen { entry: number, logged: drift.logged.0, found: drift.found.0 }))
    }

    /// What HEAD names by the log.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn head_named(&self) -> Result<Option<Text>, PastError> {
        let Some(posting) = self.postings(Key::Drift(HEAD), 1)?.pop() else {
            let entry = self.first_entry()?;
            let Record::Genesis(genesis) = &entry.record else { return Err(not_that(&entry)) };
            return Ok(genesis.head.clone());
        };
        let entry = self.entry(&posting)?;
        let Record::Drift(Drift { head: Some(head), .. }) = &entry.record else {
            return Err(not_that(&entry));
        };
        Ok(head.found.clone())
    }

    /// The drift of HEAD that is to be written when it is found to name this.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn head_drift(
        &self,
        found: Option<Text>,
        format: ObjectFormat,
    ) -> Result<Option<Drift>, PastError> {
        let logged = self.head_named()?;
        if logged == found {
            return Ok(None);
        }
        let zero = AsText(Oid::zero(format));
        Ok(Some(Drift {
            refname: Text::from(HEAD),
            logged: zero,
            found: zero,
            head: Some(HeadMoved { logged, found }),
            evidence: Vec::new(),
        }))
    }

    /// The newest drift of HEAD, where nobody took it on: its entry, and what it says.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn open_head_drift(&self) -> Result<Option<(u64, HeadMoved)>, PastError> {
        let Some(posting) = self.postings(Key::Drift(HEAD), 1)?.pop() else { return Ok(None) };
        let entry = self.entry(&posting)?;
        let Record::Drift(Drift { head: Some(head), .. }) = &entry.record else {
            return Err(not_that(&entry));
        };
        let number = entry.common.seq;
        Ok(self.taken(number)?.is_none().then(|| (number, head.clone())))
    }

    /// The newest look at hooks and settings.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn last_config(&self) -> Result<Option<Config>, PastError> {
        let Some(posting) = self.postings(Key::Config, 1)?.pop() else { return Ok(None) };
        let entry = self.entry(&posting)?;
        let Record::Config(config) = &entry.record else { return Err(not_that(&entry)) };
        Ok(Some((**config).clone()))
    }
}
