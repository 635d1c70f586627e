//! Which statements can never count again, as far as the log alone can tell.
//!
//! Used by whoever takes them out of the refs. Only what cannot be taken back counts: a use or a
//! landing whose outcome is known, never one that is open.

use std::rc::Rc;

use crate::facts::past::{Past as _, PastError, SessionKey, StatementSeen};
use crate::log::book::Log;
use crate::log::entry::{Record, State};
use crate::log::line::Entry;
use crate::log::look::{RECENT_MAX, STATEMENTS_MAX, not_that};
use crate::log::posting::{Key, Posting};
use crate::log::tidy::Why;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

impl Log {
    /// Why the latest statement of a place can never count again, and the entry that made it so.
    /// `None`: it may.
    pub fn dead(
        &self,
        seen: &StatementSeen,
        now: Moment,
    ) -> Result<Option<(Why, Option<u64>)>, PastError> {
        if !self.fate(seen.entry, seen.place.as_bytes())?.is_some_and(State::had) {
            return Ok(None);
        }
        let name = seen.for_ref.as_bytes();
        if let Some(entry) = self.applied(Key::Used(&seen.id), name, 0)? {
            return Ok(Some((Why::Used, Some(entry))));
        }
        if let Some(paid) = self.postings(Key::Paid(&seen.id), 1)?.first() {
            return Ok(Some((Why::Used, Some(paid.seq))));
        }
        if let Some(entry) = self.applied(Key::Landed(name, &seen.delta), name, seen.entry)? {
            return Ok(Some((Why::Landed, Some(entry))));
        }
        if seen.verdict == "revoke" {
            return Ok(Some((Why::Revoked, Some(seen.entry))));
        }
        let expired = seen.expires.seconds() <= now.seconds();
        Ok(expired.then_some((Why::Expired, None)))
    }

    /// The newest of these decisions, not older than `from`, that was applied to the ref.
    fn applied(&self, key: Key<'_>, name: &[u8], from: u64) -> Result<Option<u64>, PastError> {
        for posting in self.postings(key, STATEMENTS_MAX)? {
            if posting.seq >= from && self.fate(posting.seq, name)?.is_some_and(State::had) {
                return Ok(Some(posting.seq));
            }
        }
        Ok(None)
    }

    /// The newest decisions for one receive-pack, newest first.
    pub fn decisions_of(&self, session: &SessionKey) -> Result<Vec<Rc<Entry>>, PastError> {
        let key = Key::Session(&session.boot, session.pid, session.start);
        self.postings(key, RECENT_MAX)?.iter().map(|posting| self.entry(posting)).collect()
    }

    /// A statement by its id, as it was last accepted.
    pub fn statement_seen(&self, id: &Digest) -> Result<Option<StatementSeen>, PastError> {
        let found = self.statements_at(&self.postings(Key::Statement(id), 1)?)?;
        Ok(found.into_iter().next().map(|(seen, _)| seen))
    }

    /// The value that the log gave a ref when it had got to this entry.
    pub fn value_at(&self, refname: &Refname, entry: u64) -> Result<Option<Oid>, PastError> {
        let name = refname.as_bytes();
        let mut after = Vec::new();
        for key in [Key::Landing(name), Key::Value(name)] {
            let from = Posting { key: key.digest(), seq: entry, aux: 0, at: 0 };
            after.extend(self.look(|index| index.oldest(from, 1))?);
        }
        // The next thing that happened to it says what it was before.
        let Some(next) = after.iter().min_by_key(|posting| (posting.seq, posting.aux)) else {
            return Ok(self.value(refname)?.map(|value| value.oid));
        };
        let found = self.entry(next)?;
        if let Record::Drift(drift) = &found.record {
            return Ok(Some(drift.logged.0));
        }
        let Record::Outcome(outcome) = &found.record else { return Err(not_that(&found)) };
        let index = usize::try_from(next.aux).unwrap_or(usize::MAX);
        let one = outcome.refs.get(index).ok_or_else(|| not_that(&found))?;
        Ok(Some(if one.state == State::Lost { one.new.0 } else { one.old.0 }))
    }
}
