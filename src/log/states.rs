//! Which values of a ref are states that a rollback may go back to.
//!
//! Used by `past`. A state is what a push left on the ref when it was judged, let in and applied;
//! not what stood there at genesis, not what the push that made the repository brought, not what
//! came past the gate, not what came by a broken glass unless it was approved later, and not what a
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
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Recovered(_)
            | Record::Tidy(_)
            | Record::Config(_)
            | Record::Accepted(_) => return Err(not_that(&entry)),
        };
        match self.fate(of, refname.as_bytes())? {
            Some(State::Applied | State::Superseded) => {}
            // A later word on it: lost in a crash, or never there.
            Some(State::Lost | State::NotApplied) | None => return Ok(StateSeen::Never),
        }
        let Some(at) = self.gave(of, refname, oid)? else { return Ok(StateSeen::Never) };
        Ok(match self.before(of, refname)? {
            Before::Birth => StateSeen::Birth(of),
            Before::Glass if !self.is_approved(of, refname)? => StateSeen::Owed(of),
            Before::Glass | Before::Nothing => StateSeen::State { entry: of, at },
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

    /// What was written for this ref with a decision, in the same append and before it.
    fn before(&self, of: u64, refname: &Refname) -> Result<Before, PastError> {
        let push = self.entry_by_number(of)?.common.push.clone();
        let mut number = of;
        while let Some(before) = number.checked_sub(1) {
            number = before;
            let Some(entry) = self.entry_if_kept(number)? else { return Ok(Before::Nothing) };
            let is_its_own = entry.common.push == push;
            match &entry.record {
                Record::BreakGlass(it) if is_its_own && it.of == Some(of) => {
                    if it.refname.0 == refname.as_bytes() {
                        return Ok(Before::Glass);
                    }
                }
                Record::Birth(it) if is_its_own => {
                    let born = it.refs.iter().any(|one| one.refname.0 == refname.as_bytes());
                    return Ok(if born { Before::Birth } else { Before::Nothing });
                }
                Record::BreakGlass(_)
                | Record::Birth(_)
                | Record::Genesis(_)
                | Record::Decision(_)
                | Record::Refusal(_)
                | Record::Outcome(_)
                | Record::Drift(_)
                | Record::Policy(_)
                | Record::Settled(_)
                | Record::Seal(_)
                | Record::Segment(_)
                | Record::Pruned(_)
                | Record::Tidy(_)
                | Record::Config(_)
                | Record::Accepted(_)
                | Record::Asked(_)
                | Record::Recovered(_) => return Ok(Before::Nothing),
            }
        }
        Ok(Before::Nothing)
    }

    /// Whether what a broken glass owed was approved. That it was reverted says nothing for it.
    fn is_approved(&self, of: u64, refname: &Refname) -> Result<bool, PastError> {
        for posting in self.postings(Key::Settled(of, refname.as_bytes()), VALUES_MAX)? {
            let entry = self.entry(&posting)?;
            let Record::Settled(settled) = &entry.record else { return Err(not_that(&entry)) };
            if settled.how == How::Approved {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What stands before a decision and belongs to it.
enum Before {
    /// The push made the repository, and this ref.
    Birth,
    /// Somebody broke the glass for this ref.
    Glass,
    /// Nothing about this ref.
    Nothing,
}
