//! Which values of a ref are states that a rollback may go back to.
//!
//! Used by `past`. A state is what a push left on the ref when it was judged, let in and applied;
//! not what stood there at genesis, not what the push that made the repository brought, not what
//! came past the gate, not what a broken glass let in and nobody approved since, and not what a
//! rollback has left.

use crate::facts::past::{PastError, StateSeen};
use crate::log::book::Log;
use crate::log::decision::RefDecision;
use crate::log::entry::{Record, State};
use crate::log::glass::How;
use crate::log::look::not_that;
use crate::log::posting::{Key, Posting, is_yes};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// How many of the newest entries that gave a ref one value, or left it, are looked at.
const VALUES_MAX: usize = 64;

/// How many broken glasses of a ref are looked at; with more, every value counts as let in by one.
const GLASSES_MAX: usize = 1024;

impl Log {
    /// What this value is to this ref.
    pub(super) fn state_at(&self, refname: &Refname, oid: &Oid) -> Result<StateSeen, PastError> {
        for posting in self.postings(Key::Left(refname.as_bytes(), oid), VALUES_MAX)? {
            let fate = self.fate(posting.seq, refname.as_bytes())?;
            // One that is still open may have happened.
            if fate != Some(State::NotApplied) {
                return Ok(StateSeen::Left(posting.seq));
            }
        }
        let mut first = StateSeen::Never;
        for posting in self.postings(Key::Had(refname.as_bytes(), oid), VALUES_MAX)? {
            let seen = self.given_by(&posting, refname, oid)?;
            if matches!(seen, StateSeen::State { .. }) {
                return Ok(seen);
            }
            if first == StateSeen::Never {
                first = seen;
            }
        }
        Ok(first)
    }

    /// What the value is by one of the entries that gave it.
    fn given_by(
        &self,
        posting: &Posting,
        refname: &Refname,
        oid: &Oid,
    ) -> Result<StateSeen, PastError> {
        let entry = self.entry(posting)?;
        let of = match &entry.record {
            Record::Genesis(_) => return Ok(StateSeen::Genesis),
            Record::Outcome(outcome) => {
                let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
                let one = outcome.refs.get(index).ok_or_else(|| not_that(&entry))?;
                if one.refname.0 != refname.as_bytes() || one.new.0 != *oid {
                    return Err(not_that(&entry));
                }
                outcome.of
            }
            Record::Birth(_)
            | Record::Decision(_)
            | Record::Refusal(_)
            | Record::Drift(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Recovered(_) => return Err(not_that(&entry)),
        };
        match self.fate(of, refname.as_bytes())? {
            Some(State::Applied | State::Superseded) => {}
            // A later word on it: lost in a crash, or never there.
            Some(State::Lost | State::NotApplied) | None => return Ok(StateSeen::Never),
        }
        Ok(match self.gave(of, refname, oid)? {
            None => StateSeen::Never,
            Some(_) if self.is_birth(of, refname)? => StateSeen::Birth(of),
            Some(_) if self.is_owed(of, refname)? => StateSeen::Owed(of),
            Some(at) => StateSeen::State { entry: of, at },
        })
    }

    /// When this decision let the ref have the value; `None` where it did not.
    fn gave(&self, of: u64, refname: &Refname, oid: &Oid) -> Result<Option<Moment>, PastError> {
        let entry = self.entry_by_number(of)?;
        let Record::Decision(decision) = &entry.record else { return Err(not_that(&entry)) };
        let gives = |one: &&RefDecision| {
            one.refname.0 == refname.as_bytes() && one.new.0 == *oid && is_yes(decision, one)
        };
        Ok(decision.refs.iter().find(gives).map(|_| entry.common.ts.0))
    }

    /// Whether this decision broke the glass, and nobody has approved what it let in since. That it
    /// is gone again settles what is owed, and makes it no better.
    fn is_owed(&self, of: u64, refname: &Refname) -> Result<bool, PastError> {
        let glasses = self.postings(Key::Glass(refname.as_bytes()), GLASSES_MAX)?;
        let mut broke = glasses.len() == GLASSES_MAX;
        for posting in &glasses {
            let entry = self.entry(posting)?;
            let Record::BreakGlass(glass) = &entry.record else { return Err(not_that(&entry)) };
            broke |= glass.of == Some(of);
        }
        if !broke {
            return Ok(false);
        }
        for posting in self.postings(Key::Settled(of, refname.as_bytes()), VALUES_MAX)? {
            let entry = self.entry(&posting)?;
            let Record::Settled(settled) = &entry.record else { return Err(not_that(&entry)) };
            if settled.how == How::Approved {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this decision is that of the push which made the repository: no rule judged it.
    fn is_birth(&self, of: u64, refname: &Refname) -> Result<bool, PastError> {
        let Some(before) = of.checked_sub(1) else { return Ok(true) };
        let entry = self.entry_by_number(before)?;
        let Record::Birth(birth) = &entry.record else { return Ok(false) };
        Ok(birth.refs.iter().any(|one| one.refname.0 == refname.as_bytes()))
    }
}
