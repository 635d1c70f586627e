//! The log's answers about the past.
//!
//! `facts::past::Past` for an open `Log`. The index says which entries to look at; the entries
//! are read, and their own hashes checked, before anything is said. A decision's *fate* on a ref
//! is the last outcome that names both; without one the decision is open.

use crate::facts::debt::Debt;
use crate::facts::past::{
    Brought, DeltaLanded, DriftSeen, GenesisSeen, Landing, Maker, OpenDecision, Past, PastError,
    RefValue, RejectSeen, StateSeen, StatementSeen, StatementState, ValueSource,
};
use crate::log::book::Log;
use crate::log::entry::{Record, State};
use crate::log::look::{
    RECENT_MAX, STATEMENTS_MAX, add_maker, maker, mover, not_that, one_ref, open_decision,
};
use crate::log::posting::{ACCEPTED, Key, Posting, genesis_lines, is_yes};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// How many decisions that name one commit are looked at. Past that, somebody unknown is among
/// those who brought it.
pub const CLAIMS_MAX: usize = 256;

/// How many rejects of one entry are looked at. Past that nothing with the entry lands.
pub const REJECTS_MAX: usize = 4096;

/// How many are read from the index at once where reading stops at the first that fits.
const PAGE: usize = 64;

impl Past for Log {
    fn size(&self) -> u64 {
        self.head().size
    }

    fn genesis(&self) -> Result<GenesisSeen, PastError> {
        let entry = self.first_entry()?;
        let bytes = self.genesis_bytes(&entry)?;
        let Record::Genesis(genesis) = &entry.record else { return Err(not_that(&entry)) };
        let refs = genesis_lines(&bytes);
        Ok(GenesisSeen {
            at: entry.common.ts.0,
            repository: genesis.repo.clone(),
            head: genesis.head.as_ref().and_then(|head| head.refname()),
            refs: refs.filter_map(|(_, oid, name)| Some((Refname::parse(name)?, oid))).collect(),
        })
    }

    fn brought(&self, commit: &Oid) -> Result<Brought, PastError> {
        let first = Posting::first_of(Key::Commit(commit).digest());
        let claims = self.look(|index| index.oldest(first, CLAIMS_MAX))?;
        let mut earlier = Vec::new();
        for posting in &claims {
            let (entry, index) = self.decided(posting)?;
            let (decision, one) = one_ref(&entry, index)?;
            let by = maker(&decision.actor);
            let number = entry.common.seq;
            if is_yes(decision, one) && self.fate(number, &one.refname.0)?.is_some_and(State::had) {
                let at = entry.common.ts.0;
                return Ok(Brought::Applied { entry: number, at, by, earlier });
            }
            add_maker(&mut earlier, by);
        }
        if claims.len() >= CLAIMS_MAX {
            add_maker(&mut earlier, Maker { name: None, login: Vec::new(), unknown: true });
        }
        if !earlier.is_empty() {
            return Ok(Brought::Claimed(earlier));
        }
        let known = self.postings(Key::BeforeGenesis(commit), 1)?;
        Ok(if known.is_empty() { Brought::Nobody } else { Brought::BeforeGenesis })
    }

    fn value(&self, refname: &Refname) -> Result<Option<RefValue>, PastError> {
        let newest = self.postings(Key::Value(refname.as_bytes()), 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        if posting.seq == 0 {
            let line = self.genesis_line(posting.at)?;
            let damaged = PastError::Damaged { entry: 0, what: "its refs are not what they were" };
            let (_, oid, _) = genesis_lines(&line)
                .next()
                .filter(|(_, _, name)| *name == refname.as_bytes())
                .ok_or(damaged)?;
            return Ok(Some(RefValue { oid, entry: 0, source: ValueSource::Genesis }));
        }
        let entry = self.entry(posting)?;
        let (oid, source) = match &entry.record {
            Record::Drift(drift) => (drift.found.0, ValueSource::Drift),
            Record::Outcome(outcome) => {
                let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
                let one = outcome.refs.get(index).ok_or_else(|| not_that(&entry))?;
                match one.state {
                    State::Lost => (one.old.0, ValueSource::Lost(outcome.of)),
                    State::Applied | State::Superseded | State::NotApplied => {
                        (one.new.0, ValueSource::Applied(outcome.of))
                    }
                }
            }
            Record::Genesis(_)
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
            | Record::Accepted(_) => return Err(not_that(&entry)),
        };
        Ok(Some(RefValue { oid, entry: entry.common.seq, source }))
    }

    fn had(&self, refname: &Refname, oid: &Oid) -> Result<Option<u64>, PastError> {
        let newest = self.postings(Key::Had(refname.as_bytes(), oid), 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        let entry = self.entry(posting)?;
        match &entry.record {
            Record::Outcome(outcome) => Ok(Some(outcome.of)),
            Record::Genesis(_) => Ok(Some(0)),
            Record::Birth(_)
            | Record::Decision(_)
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
            | Record::Accepted(_) => Err(not_that(&entry)),
        }
    }

    fn times_had(&self, refname: &Refname, oid: &Oid, most: usize) -> Result<usize, PastError> {
        Ok(self.postings(Key::Had(refname.as_bytes(), oid), most)?.len())
    }

    fn state_of(&self, refname: &Refname, oid: &Oid) -> Result<StateSeen, PastError> {
        self.state_at(refname, oid)
    }

    fn any_branch_ever(&self, is_it: &dyn Fn(&Refname) -> bool) -> Result<bool, PastError> {
        let is = |(_, _, name): (u64, Oid, &[u8])| {
            Refname::parse(name).is_some_and(|name| name.branch().is_some() && is_it(&name))
        };
        if genesis_lines(&self.genesis_bytes(&*self.first_entry()?)?).any(is) {
            return Ok(true);
        }
        let key = Key::Branches.digest();
        let mut from = Posting { key, seq: 1, aux: 0, at: 0 };
        loop {
            let page = self.look(|index| index.oldest(from, PAGE))?;
            for posting in &page {
                if self.branch_of(posting)?.is_some_and(|name| is_it(&name)) {
                    return Ok(true);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = Posting { at: last.at + 1, ..*last },
                Some(_) | None => return Ok(false),
            }
        }
    }

    fn statement(&self, id: &Digest) -> Result<StatementState, PastError> {
        for posting in self.postings(Key::Used(id), STATEMENTS_MAX)? {
            let (entry, index) = self.decided(&posting)?;
            let (_, one) = one_ref(&entry, index)?;
            let number = entry.common.seq;
            if self.fate(number, &one.refname.0)? != Some(State::NotApplied) {
                return Ok(StatementState::Used { entry: number });
            }
        }
        if let Some(paid) = self.postings(Key::Paid(id), 1)?.first() {
            return Ok(StatementState::Used { entry: paid.seq });
        }
        let all = self.statements_at(&self.postings(Key::Statement(id), STATEMENTS_MAX)?)?;
        let mut there = all.into_iter().filter(|(_, fate)| *fate != Some(State::NotApplied));
        let Some((seen, _)) = there.next() else { return Ok(StatementState::Unseen) };
        let newest = self.newest_in(&seen.place)?;
        Ok(match newest {
            Some(newest) if newest.id != *id && newest.verdict == "revoke" => {
                StatementState::Revoked { entry: newest.entry }
            }
            Some(newest) if newest.id != *id => StatementState::Replaced { entry: newest.entry },
            Some(_) | None => StatementState::Seen { entry: seen.entry, place: seen.place },
        })
    }

    fn latest_at(&self, place: &Refname) -> Result<Option<StatementSeen>, PastError> {
        self.newest_in(place)
    }

    fn signed_at(&self, by: &PrincipalName, newer: usize) -> Result<Option<Moment>, PastError> {
        let newest = self.postings(Key::Signed(by.as_str()), newer.saturating_add(1))?;
        let Some(posting) = newest.get(newer) else { return Ok(None) };
        Ok(Some(self.entry(posting)?.common.ts.0))
    }

    fn statements_on(&self, commit: &Oid) -> Result<Vec<StatementSeen>, PastError> {
        let postings = self.postings(Key::On(commit), STATEMENTS_MAX)?;
        let all = self.statements_at(&postings)?;
        let there = all.into_iter().filter(|(_, fate)| *fate != Some(State::NotApplied));
        Ok(there.map(|(seen, _)| seen).collect())
    }

    fn delta_landed(
        &self,
        for_ref: &Refname,
        delta: &Digest,
    ) -> Result<Option<DeltaLanded>, PastError> {
        let postings = self.postings(Key::Landed(for_ref.as_bytes(), delta), STATEMENTS_MAX)?;
        // Who makes so many landings fail that those before are out of sight gains nothing by it.
        let flooded = postings.len() >= STATEMENTS_MAX;
        for posting in postings {
            let fate = self.fate(posting.seq, for_ref.as_bytes())?;
            if fate != Some(State::NotApplied) || flooded {
                let entry = self.entry(&posting)?;
                return Ok(Some(DeltaLanded { entry: entry.common.seq, at: entry.common.ts.0 }));
            }
        }
        Ok(None)
    }

    fn any_reject(&self, for_ref: &Refname) -> Result<bool, PastError> {
        Ok(!self.postings(Key::Rejects(for_ref.as_bytes()), 1)?.is_empty())
    }

    fn rejects(&self, for_ref: &Refname, entries: &[Digest]) -> Result<Vec<RejectSeen>, PastError> {
        let name = for_ref.as_bytes();
        let all = self.postings(Key::Rejects(name), STATEMENTS_MAX)?;
        // Most were taken back: then no entry need be looked up.
        if all.len() < STATEMENTS_MAX && self.standing(&all)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<RejectSeen> = Vec::new();
        for entry in entries {
            let postings = self.postings(Key::Reject(name, entry), REJECTS_MAX)?;
            if postings.len() >= REJECTS_MAX {
                let what = "rejects of one entry";
                return Err(PastError::TooMany { what, limit: REJECTS_MAX });
            }
            for statement in self.standing(&postings)? {
                match found.iter_mut().find(|it| it.statement.id == statement.id) {
                    Some(known) => known.entries.push(*entry),
                    None => found.push(RejectSeen { statement, entries: vec![*entry] }),
                }
            }
        }
        Ok(found)
    }

    fn decision_for(
        &self,
        refname: &Refname,
        old: &Oid,
        new: &Oid,
    ) -> Result<Vec<OpenDecision>, PastError> {
        let mut open = self.open_on(refname)?;
        open.retain(|one| one.old == *old && one.new == *new);
        Ok(open)
    }

    fn open_on(&self, refname: &Refname) -> Result<Vec<OpenDecision>, PastError> {
        let mut open = Vec::new();
        for (posting, fate) in self.recent_on(refname)? {
            if fate.is_none() {
                open.push(posting);
            }
        }
        self.open_among(&open)
    }

    fn open_bringing(&self, commit: &Oid) -> Result<Vec<OpenDecision>, PastError> {
        let mut postings = self.postings(Key::Commit(commit), RECENT_MAX)?;
        postings.retain(|posting| posting.aux & ACCEPTED != 0);
        self.open_among(&postings)
    }

    fn open_with(&self, statement: &Digest) -> Result<Vec<OpenDecision>, PastError> {
        let mut open = self.open_among(&self.postings(Key::Used(statement), RECENT_MAX)?)?;
        for posting in self.postings(Key::Statement(statement), RECENT_MAX)? {
            let entry = self.entry(&posting)?;
            let Record::Decision(decision) = &entry.record else { return Err(not_that(&entry)) };
            let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
            let place = decision.statements.get(index).map(|it| &it.place);
            let carrier = decision.refs.iter().find(|one| Some(&one.refname) == place);
            let Some(carrier) = carrier else { continue };
            if is_yes(decision, carrier)
                && self.fate(posting.seq, &carrier.refname.0)?.is_none()
                && let Some(found) = open_decision(&entry, decision, carrier)
                && !open.contains(&found)
            {
                open.push(found);
            }
        }
        open.sort_by_key(|one| std::cmp::Reverse(one.entry));
        Ok(open)
    }

    fn recent_landings(&self, refname: &Refname, most: usize) -> Result<Vec<Landing>, PastError> {
        let mut landings: Vec<Landing> = Vec::new();
        for posting in self.postings(Key::Landing(refname.as_bytes()), most)? {
            let entry = self.entry(&posting)?;
            let Record::Outcome(outcome) = &entry.record else { return Err(not_that(&entry)) };
            let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
            let one = outcome.refs.get(index).ok_or_else(|| not_that(&entry))?;
            let decided = self.entry_by_number(outcome.of)?;
            let by = if let Record::Tidy(tidy) = &decided.record {
                mover(tidy)
            } else {
                maker(&one_ref(&decided, 0)?.0.actor)
            };
            let landing = Landing {
                entry: outcome.of,
                at: decided.common.ts.0,
                by,
                old: one.old.0,
                new: one.new.0,
            };
            if !landings.contains(&landing) {
                landings.push(landing);
            }
        }
        Ok(landings)
    }

    fn certificate(&self, id: &Digest) -> Result<Option<u64>, PastError> {
        let newest = self.postings(Key::Certificate(id), 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        let entry = self.entry(posting)?;
        let Record::Decision(decision) = &entry.record else { return Err(not_that(&entry)) };
        match &decision.cert {
            Some(cert) if cert.id.0 == *id => Ok(Some(entry.common.seq)),
            Some(_) | None => Err(not_that(&entry)),
        }
    }

    fn drift(&self, refname: &Refname) -> Result<Option<DriftSeen>, PastError> {
        self.open_drift(refname)
    }

    fn debts(&self, refname: &Refname) -> Result<Vec<Debt>, PastError> {
        self.debts_of(Key::Glass(refname.as_bytes()))
    }

    fn last_policy(&self) -> Result<Option<Digest>, PastError> {
        let newest = self.postings(Key::Policy, 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        let entry = self.entry(posting)?;
        match &entry.record {
            Record::Policy(policy) => Ok(Some(policy.sha256.0)),
            Record::Genesis(genesis) => Ok(genesis.policy.map(|policy| policy.0)),
            Record::Birth(_)
            | Record::Decision(_)
            | Record::Refusal(_)
            | Record::Outcome(_)
            | Record::Drift(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Tidy(_)
            | Record::Config(_)
            | Record::Accepted(_) => Err(not_that(&entry)),
        }
    }
}
