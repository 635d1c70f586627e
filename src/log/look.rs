//! How an open log finds entries: through the index to the line, and from the line to what is asked.
//!
//! What `past` answers with and `settle` works with. An entry is read where the index says it is,
//! its own hash is checked, and its record is made whole; a damaged index is made anew.

use std::io;
use std::rc::Rc;

use crate::facts::past::{Maker, OpenDecision, PastError, SessionKey, StatementSeen};
use crate::log::book::Log;
use crate::log::decision::{Actor, ActorKind, Decision, RefDecision, StatementRecord};
use crate::log::entry::{Common, Record, State};
use crate::log::index::Index;
use crate::log::line::{Entry, LineError, read};
use crate::log::posting::{ACCEPTED, Key, Posting, is_yes, state_of};
use crate::log::scan::Found;
use crate::log::tidy::Tidy;
use crate::log::whole;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// How many entries are kept in memory, read and checked.
const CACHED_ENTRIES_MAX: usize = 512;

/// How many of the newest decisions on one ref, commit or statement are looked at for open ones.
/// Every push settles the refs it uses, so those behind are settled.
pub const RECENT_MAX: usize = 32;

/// How many statements are looked at for one place, commit or delta.
pub const STATEMENTS_MAX: usize = 256;

impl Log {
    /// The entry with this number, its record whole. Damage when there is none.
    pub fn entry_by_number(&self, number: u64) -> Result<Rc<Entry>, PastError> {
        let key = Key::Entry(number).digest();
        let found = self.look(|index| index.newest(key, 1))?;
        let missing = PastError::Damaged { entry: number, what: "it is not there" };
        self.entry(found.first().ok_or(missing)?)
    }

    /// As `entry_by_number`. `None` for one that was taken away and that nobody needed.
    pub(super) fn entry_if_kept(&self, number: u64) -> Result<Option<Rc<Entry>>, PastError> {
        let key = Key::Entry(number).digest();
        let found = self.look(|index| index.newest(key, 1))?;
        if found.is_empty() && number < self.first_entry_there() {
            return Ok(None);
        }
        self.entry_by_number(number).map(Some)
    }

    /// The entry a posting points to, its record whole.
    pub(super) fn entry(&self, posting: &Posting) -> Result<Rc<Entry>, PastError> {
        let number = posting.seq;
        if let Some(entry) = self.cache.borrow().get(&number) {
            return Ok(Rc::clone(entry));
        }
        let mut entry = self.line_at(posting)?.entry;
        entry.record = whole::record(&self.folder, &entry)
            .map_err(|source| PastError::Unreadable { what: "the attachments", source })?;
        let entry = Rc::new(entry);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHED_ENTRIES_MAX {
            cache.clear();
        }
        cache.insert(number, Rc::clone(&entry));
        Ok(entry)
    }

    /// The entry with this number and its line, as it is stored.
    pub fn found(&self, number: u64) -> Result<Found, PastError> {
        let newest = self.postings(Key::Entry(number), 1)?;
        let missing = PastError::Damaged { entry: number, what: "it is not there" };
        self.line_at(newest.first().ok_or(missing)?)
    }

    /// As `found`. `None` for one that was taken away and that nobody needed.
    pub fn found_if_kept(&self, number: u64) -> Result<Option<Found>, PastError> {
        let there = number >= self.first_entry_there();
        if !there && self.postings(Key::Entry(number), 1)?.is_empty() {
            return Ok(None);
        }
        self.found(number).map(Some)
    }

    /// The entry a posting points to and its line, as it is stored.
    pub(super) fn line_at(&self, posting: &Posting) -> Result<Found, PastError> {
        let number = posting.seq;
        let what = "the entries";
        let unreadable = |source| PastError::Unreadable { what, source };
        let line =
            self.index.borrow().tape().read_line_of(number, posting.at).map_err(unreadable)?;
        let fault = |fault: LineError| match fault {
            LineError::SelfHash => PastError::Damaged { entry: number, what: "it was changed" },
            LineError::NotWhole | LineError::Version(_) | LineError::Kind | LineError::Fields => {
                PastError::Damaged { entry: number, what: "it is not where it was" }
            }
        };
        let entry = read(&line).map_err(fault)?;
        if entry.common.seq != number {
            return Err(fault(LineError::NotWhole));
        }
        Ok(Found { entry, line, offset: posting.at })
    }

    /// Asks the index; a damaged one is made anew and asked again.
    pub(super) fn look(
        &self,
        ask: impl Fn(&Index) -> io::Result<Vec<Posting>>,
    ) -> Result<Vec<Posting>, PastError> {
        let what = "the index";
        let unreadable = |fault| PastError::Unreadable { what, source: io::Error::other(fault) };
        self.read_own().map_err(unreadable)?;
        let first = ask(&self.index.borrow());
        if let Ok(found) = first {
            return Ok(found);
        }
        self.index.borrow_mut().rebuild().map_err(unreadable)?;
        ask(&self.index.borrow()).map_err(|source| PastError::Unreadable { what, source })
    }

    /// What became of a decision on a ref. `None` while it is open.
    pub fn fate(&self, of: u64, refname: &[u8]) -> Result<Option<State>, PastError> {
        let newest = self.look(|index| index.newest(Key::Outcome(of, refname).digest(), 1))?;
        Ok(newest.first().and_then(|posting| state_of(posting.aux)))
    }

    /// The newest postings of a key.
    pub(super) fn postings(&self, key: Key<'_>, most: usize) -> Result<Vec<Posting>, PastError> {
        let key = key.digest();
        self.look(|index| index.newest(key, most))
    }

    /// The decision of a posting and one of its refs.
    pub(super) fn decided(&self, posting: &Posting) -> Result<(Rc<Entry>, usize), PastError> {
        let entry = self.entry(posting)?;
        let index = usize::try_from(posting.aux & !ACCEPTED).unwrap_or(usize::MAX);
        one_ref(&entry, index)?;
        Ok((entry, index))
    }

    /// The newest decisions that allow a ref to move, newest first, and what became of each.
    pub(super) fn recent_on(
        &self,
        refname: &Refname,
    ) -> Result<Vec<(Posting, Option<State>)>, PastError> {
        let postings = self.postings(Key::Decision(refname.as_bytes()), RECENT_MAX)?;
        let with_fate = |posting: Posting| {
            let fate = self.fate(posting.seq, refname.as_bytes())?;
            Ok((posting, fate))
        };
        postings.into_iter().map(with_fate).collect()
    }

    /// The newest entries by which a ref may move, decisions and tidyings, newest first, and what
    /// became of each.
    pub(super) fn moves_on(
        &self,
        refname: &Refname,
    ) -> Result<Vec<(Posting, Option<State>)>, PastError> {
        let mut moves = self.recent_on(refname)?;
        for posting in self.postings(Key::Tidy(refname.as_bytes()), RECENT_MAX)? {
            moves.push((posting, self.fate(posting.seq, refname.as_bytes())?));
        }
        moves.sort_by_key(|(posting, _)| std::cmp::Reverse(posting.seq));
        moves.truncate(RECENT_MAX);
        Ok(moves)
    }

    /// The move that one of those entries allows. `None` for a name that is no refname.
    pub(super) fn move_of(&self, posting: &Posting) -> Result<Option<OpenDecision>, PastError> {
        let entry = self.entry(posting)?;
        let index = usize::try_from(posting.aux & !ACCEPTED).unwrap_or(usize::MAX);
        if let Record::Tidy(tidy) = &entry.record {
            let one = tidy.refs.get(index).ok_or_else(|| not_that(&entry))?;
            let to = (one.old.0, Oid::zero(one.old.0.format()));
            return Ok(one.refname.refname().map(|name| open_move(&entry, mover(tidy), name, to)));
        }
        let (decision, one) = one_ref(&entry, index)?;
        Ok(open_decision(&entry, decision, one))
    }

    /// Whether anything that may move this ref is open.
    pub fn is_open(&self, refname: &Refname) -> Result<bool, PastError> {
        Ok(self.moves_on(refname)?.iter().any(|(_, fate)| fate.is_none()))
    }

    /// Those of these postings whose decision is open, newest first.
    pub(super) fn open_among(&self, postings: &[Posting]) -> Result<Vec<OpenDecision>, PastError> {
        let mut open = Vec::new();
        for posting in postings {
            let (entry, index) = self.decided(posting)?;
            let (decision, one) = one_ref(&entry, index)?;
            if is_yes(decision, one)
                && self.fate(entry.common.seq, &one.refname.0)?.is_none()
                && let Some(found) = open_decision(&entry, decision, one)
            {
                open.push(found);
            }
        }
        Ok(open)
    }

    /// The statements of these postings that were not taken back by a decision that failed.
    /// A statement of an open decision counts.
    pub(super) fn statements_at(
        &self,
        postings: &[Posting],
    ) -> Result<Vec<(StatementSeen, Option<State>)>, PastError> {
        let mut found = Vec::new();
        for posting in postings {
            let entry = self.entry(posting)?;
            let Record::Decision(decision) = &entry.record else {
                return Err(not_that(&entry));
            };
            let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
            let statement = decision.statements.get(index).ok_or_else(|| not_that(&entry))?;
            let fate = self.fate(entry.common.seq, &statement.place.0)?;
            if let Some(seen) = statement_seen(entry.common.seq, statement) {
                found.push((seen, fate));
            }
        }
        Ok(found)
    }

    /// The newest statement in a place, by date, of those that got there.
    pub(super) fn newest_in(&self, place: &Refname) -> Result<Option<StatementSeen>, PastError> {
        let postings = self.postings(Key::Place(place.as_bytes()), STATEMENTS_MAX)?;
        let all = self.statements_at(&postings)?;
        // Who makes so many pushes fail that those before are out of sight gains nothing by it.
        let flooded = postings.len() >= STATEMENTS_MAX;
        let there = all.into_iter().filter(|(_, fate)| flooded || *fate != Some(State::NotApplied));
        Ok(there.map(|(seen, _)| seen).max_by_key(|seen| (seen.date, seen.entry)))
    }

    /// Those of these statements that got there and are the latest word in their place.
    pub(super) fn standing(&self, postings: &[Posting]) -> Result<Vec<StatementSeen>, PastError> {
        let mut standing: Vec<StatementSeen> = Vec::new();
        for (seen, fate) in self.statements_at(postings)? {
            if fate == Some(State::NotApplied) || standing.iter().any(|it| it.id == seen.id) {
                continue;
            }
            let newest = self.newest_in(&seen.place)?;
            if newest.is_none_or(|newest| newest.id == seen.id) {
                standing.push(seen);
            }
        }
        Ok(standing)
    }

    /// The refs at genesis, as bytes.
    pub(super) fn genesis_bytes(&self, entry: &Entry) -> Result<Vec<u8>, PastError> {
        let Record::Genesis(genesis) = &entry.record else { return Err(not_that(entry)) };
        whole::genesis_refs(&self.folder, genesis)
            .map_err(|source| PastError::Unreadable { what: "the refs at genesis", source })
    }

    /// The line of one of them.
    pub(super) fn genesis_line(&self, at: u64) -> Result<Vec<u8>, PastError> {
        let entry = self.first_entry()?;
        let Record::Genesis(genesis) = &entry.record else { return Err(not_that(&entry)) };
        let what = "the refs at genesis";
        let line = whole::genesis_line(&self.folder, genesis, at);
        let line = line.map_err(|source| PastError::Unreadable { what, source })?;
        Ok(line.unwrap_or_default())
    }

    pub(super) fn first_entry(&self) -> Result<Rc<Entry>, PastError> {
        self.entry(&Posting { key: [0; 16], seq: 0, aux: 0, at: 0 })
    }

    pub(super) fn branch_of(&self, posting: &Posting) -> Result<Option<Refname>, PastError> {
        let entry = self.entry(posting)?;
        let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
        let Record::Outcome(outcome) = &entry.record else { return Err(not_that(&entry)) };
        Ok(outcome.refs.get(index).and_then(|one| one.refname.refname()))
    }
}

/// An entry that the index took for another: the log was exchanged under our hands.
pub(super) fn not_that(entry: &Entry) -> PastError {
    PastError::Damaged { entry: entry.common.seq, what: "it is not what it was" }
}

/// One ref of a decision.
pub(super) fn one_ref(entry: &Entry, index: usize) -> Result<(&Decision, &RefDecision), PastError> {
    let Record::Decision(decision) = &entry.record else { return Err(not_that(entry)) };
    let one = decision.refs.get(index).ok_or_else(|| not_that(entry))?;
    Ok((decision, one))
}

/// The pusher of a decision, as somebody who brings commits.
pub(super) fn maker(actor: &Actor) -> Maker {
    let unknown = match actor.kind {
        ActorKind::Person | ActorKind::Machine => actor.name.is_none(),
        ActorKind::Unlisted | ActorKind::Shared | ActorKind::Unknown => true,
    };
    let name = actor.name.as_ref().map(|name| name.0.clone());
    Maker { name, login: actor.login.0.clone(), unknown }
}

/// Who tidied: nobody who could bring a commit.
pub(super) fn mover(tidy: &Tidy) -> Maker {
    Maker { name: None, login: tidy.by.0.clone(), unknown: true }
}

pub(super) fn add_maker(makers: &mut Vec<Maker>, one: Maker) {
    if !makers.contains(&one) {
        makers.push(one);
    }
}

/// A ref that may move, as an open decision. `None` for a name that is no refname.
pub(super) fn open_decision(
    entry: &Entry,
    decision: &Decision,
    one: &RefDecision,
) -> Option<OpenDecision> {
    let (old, new) = (one.old.0, one.new.0);
    let refname = one.refname.refname()?;
    Some(open_move(entry, maker(&decision.actor), refname, (old, new)))
}

fn open_move(entry: &Entry, by: Maker, refname: Refname, (old, new): (Oid, Oid)) -> OpenDecision {
    let Common { seq, ts, boot, sess, .. } = &entry.common;
    let session = SessionKey { boot: boot.clone(), pid: sess.pid, start: sess.start };
    OpenDecision { entry: *seq, at: ts.0, session, by, refname, old, new }
}

pub(super) fn statement_seen(entry: u64, statement: &StatementRecord) -> Option<StatementSeen> {
    Some(StatementSeen {
        id: statement.id.0,
        entry,
        place: statement.place.refname()?,
        person: statement.person.0.clone(),
        verdict: statement.verdict.clone(),
        for_ref: statement.for_ref.refname()?,
        delta: statement.delta.0,
        commit: statement.commit.0,
        date: statement.date.0,
        expires: statement.expires.0,
        text: statement.text.0.clone(),
    })
}
