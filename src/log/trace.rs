//! What the log knows of one commit: who brought it, by which entries it came where, and who had
//! approved it.
//!
//! The log holds no history, so a commit is followed by what entries say: those that brought it,
//! those that gave a ref its value or the value it was brought with, and those that used a
//! statement about one of these. Everything is read from the entries.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::decision::{RefDecision, StatementRecord};
use crate::log::entry::Record;
use crate::log::line::Entry;
use crate::log::look::{RECENT_MAX, one_ref};
use crate::log::posting::{ACCEPTED, Key, Posting, genesis_lines};
use crate::log::wire::Text;
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// How many pushes are told of for one commit: the first that brought it, and the newest.
const STEPS_MAX: usize = 64;

/// How many postings are read for one question.
const POSTINGS_MAX: usize = 256;

/// How many postings of an abbreviation are read at once.
const PAGE: usize = 256;

/// How many entries are looked at for one abbreviation.
const ABBREVIATED_MAX: usize = 8192;

/// The shortest abbreviation of a commit, as in Git.
pub const DIGITS_MIN: usize = 4;

/// A statement and the entry that holds it.
#[derive(Clone, Debug)]
pub struct Given {
    /// The entry.
    pub entry: Rc<Entry>,
    /// The statement, whole.
    pub statement: StatementRecord,
}

/// Why an entry is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It brought the commit.
    Brought,
    /// It is about this value of a ref: the commit, or what the commit was brought with.
    Value(Oid),
    /// It used a statement about this commit.
    Used(Oid),
}

/// One push, as far as one of its refs goes.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its decision.
    pub entry: Rc<Entry>,
    /// The ref.
    pub one: RefDecision,
    /// Why it is told of.
    pub why: Why,
    /// What became of it, the last word first.
    pub outcomes: Vec<Rc<Entry>>,
    /// The statements it used, and those of them that this log holds.
    pub uses: Vec<(Digest, Option<Given>)>,
    /// The glass that was broken for it.
    pub glass: Option<Rc<Entry>>,
    /// What settled the debt of that.
    pub settled: Option<Rc<Entry>>,
    /// The entries by which a rollback left this value again.
    pub left_by: Vec<u64>,
}

/// What the log knows of one commit.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The pushes, oldest first.
    pub steps: Vec<Step>,
    /// The refs that were at it when the log began.
    pub at_genesis: Vec<Text>,
    /// Whether it was here before the log began, by what somebody asked Git.
    pub before_genesis: bool,
    /// The drifts that have a ref at it.
    pub drifts: Vec<Rc<Entry>>,
    /// The statements on it, used or not.
    pub given: Vec<Given>,
    /// Whether there is more than is told.
    pub more: bool,
}

impl Trace {
    /// Whether the log knows nothing at all.
    pub fn is_empty(&self) -> bool {
        let Self { steps, at_genesis, before_genesis, drifts, given, more: _ } = self;
        steps.is_empty()
            && at_genesis.is_empty()
            && !before_genesis
            && drifts.is_empty()
            && given.is_empty()
    }
}

/// The commits that an abbreviation may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// These.
    Commits(BTreeSet<Oid>),
    /// So many begin so that they were not all looked at.
    TooMany,
}

/// The pushes found so far, each ref once, with the first reason.
type Places = BTreeMap<(u64, usize), (Posting, Why)>;

impl Log {
    /// The commits of this log whose names begin with these hexadecimal digits, at least four.
    pub fn abbreviated(&self, digits: &str) -> Result<Meant, PastError> {
        let nibbles = digits.as_bytes().first_chunk::<DIGITS_MIN>();
        let Some(first) = nibbles.and_then(two_bytes) else {
            return Ok(Meant::Commits(BTreeSet::new()));
        };
        let mut meant = BTreeSet::new();
        let mut from = Posting::first_of(Key::Digits(first).digest());
        let mut last = None;
        let mut looked = 0;
        loop {
            let page = self.look(|index| index.oldest(from, PAGE))?;
            for posting in &page {
                if last.replace(posting.seq) == Some(posting.seq) {
                    continue;
                }
                looked += 1;
                if looked > ABBREVIATED_MAX {
                    return Ok(Meant::TooMany);
                }
                self.named_by(posting, &mut |oid| {
                    if oid.hex().starts_with(digits) {
                        meant.insert(*oid);
                    }
                })?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = Posting { at: last.at + 1, ..*last },
                Some(_) | None => return Ok(Meant::Commits(meant)),
            }
        }
    }

    /// The commits an entry names.
    fn named_by(&self, posting: &Posting, see: &mut dyn FnMut(&Oid)) -> Result<(), PastError> {
        if posting.seq == 0 {
            let bytes = self.genesis_bytes(&*self.first_entry()?)?;
            genesis_lines(&bytes).for_each(|(_, oid, _)| see(&oid));
            return Ok(());
        }
        let entry = self.entry(posting)?;
        match &entry.record {
            Record::Decision(it) => {
                for one in &it.refs {
                    one.brought.list.iter().for_each(|commit| see(&commit.0));
                    see(&one.new.0);
                }
            }
            Record::Drift(it) => see(&it.found.0),
            Record::Genesis(_)
            | Record::Birth(_)
            | Record::Refusal(_)
            | Record::Outcome(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Tidy(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Config(_)
            | Record::Accepted(_) => {}
        }
        Ok(())
    }

    /// Everything the log knows of a commit.
    pub fn trace(&self, commit: &Oid) -> Result<Trace, PastError> {
        let mut trace = Trace::default();
        let mut places = Places::new();
        let mut values = BTreeSet::from([*commit]);
        for posting in self.postings(Key::Commit(commit), POSTINGS_MAX)? {
            let (entry, index) = self.decided(&posting)?;
            let (_, one) = one_ref(&entry, index)?;
            values.insert(one.new.0);
            add(&mut places, posting, index, Why::Brought);
        }
        for value in &values {
            self.follow(commit, value, &mut places, &mut trace)?;
        }
        trace.before_genesis = !self.postings(Key::BeforeGenesis(commit), 1)?.is_empty();
        let all = places.len();
        let (mut told, others): (Vec<_>, Vec<_>) =
            places.into_values().partition(|(_, why)| *why == Why::Brought);
        told.truncate(STEPS_MAX / 2);
        let beyond = others.len().saturating_sub(STEPS_MAX - told.len());
        told.extend(others.into_iter().skip(beyond));
        told.sort_by_key(|(posting, _)| (posting.seq, posting.aux));
        trace.more = told.len() < all;
        for (posting, why) in told {
            trace.steps.push(self.step(&posting, why)?);
        }
        Ok(trace)
    }

    /// Adds what the log says of one value: the commit, or what it was brought with.
    fn follow(
        &self,
        commit: &Oid,
        value: &Oid,
        places: &mut Places,
        trace: &mut Trace,
    ) -> Result<(), PastError> {
        let mut postings = self.postings(Key::Tip(value), POSTINGS_MAX)?;
        postings.extend(self.postings(Key::Commit(value), POSTINGS_MAX)?);
        for posting in postings {
            if posting.seq == 0 {
                let bytes = self.genesis_bytes(&*self.first_entry()?)?;
                let there = genesis_lines(&bytes).filter(|(at, _, _)| *at == posting.at);
                trace.at_genesis.extend(there.map(|(_, _, name)| Text::from(name)));
                continue;
            }
            let entry = self.entry(&posting)?;
            if let Record::Drift(_) = &entry.record {
                trace.drifts.push(entry);
                continue;
            }
            let (entry, index) = self.decided(&posting)?;
            if one_ref(&entry, index)?.1.new.0 == *value {
                add(places, posting, index, Why::Value(*value));
            }
        }
        for given in self.given_on(value)? {
            let id = given.statement.id.0;
            for posting in self.postings(Key::Used(&id), RECENT_MAX)? {
                let (_, index) = self.decided(&posting)?;
                add(places, posting, index, Why::Used(*value));
            }
            if value == commit && !trace.given.iter().any(|it| it.statement.id.0 == id) {
                trace.given.push(given);
            }
        }
        Ok(())
    }

    /// The accepted statements on a commit, oldest first.
    fn given_on(&self, commit: &Oid) -> Result<Vec<Given>, PastError> {
        let mut given = Vec::new();
        for posting in self.postings(Key::On(commit), POSTINGS_MAX)?.iter().rev() {
            given.extend(self.given_at(posting)?);
        }
        Ok(given)
    }

    fn given_at(&self, posting: &Posting) -> Result<Option<Given>, PastError> {
        let entry = self.entry(posting)?;
        let Record::Decision(decision) = &entry.record else { return Ok(None) };
        let index = usize::try_from(posting.aux).unwrap_or(usize::MAX);
        let statement = decision.statements.get(index).cloned();
        Ok(statement.map(|statement| Given { entry: Rc::clone(&entry), statement }))
    }

    /// The statement with this digest, by the newest entry that holds it.
    pub fn given(&self, id: &Digest) -> Result<Option<Given>, PastError> {
        let newest = self.postings(Key::Statement(id), 1)?;
        newest.first().map_or(Ok(None), |posting| self.given_at(posting))
    }

    /// The entries that say what became of a decision on a ref, the last word first.
    pub fn outcomes(&self, of: u64, refname: &[u8]) -> Result<Vec<Rc<Entry>>, PastError> {
        let postings = self.postings(Key::Outcome(of, refname), RECENT_MAX)?;
        postings.iter().map(|posting| self.entry(posting)).collect()
    }

    fn step(&self, posting: &Posting, why: Why) -> Result<Step, PastError> {
        let (entry, index) = self.decided(posting)?;
        let one = one_ref(&entry, index)?.1.clone();
        let (number, name) = (entry.common.seq, &one.refname.0);
        let uses = one.uses.iter().map(|id| Ok((id.0, self.given(&id.0)?)));
        let uses = uses.collect::<Result<Vec<_>, PastError>>()?;
        let mut glass = None;
        for posting in self.postings(Key::Glass(name), POSTINGS_MAX)? {
            let broken = self.entry(&posting)?;
            if matches!(&broken.record, Record::BreakGlass(it) if it.of == Some(number)) {
                glass = Some(broken);
                break;
            }
        }
        let settled = self.postings(Key::Settled(number, name), 1)?;
        let settled = settled.first().map(|posting| self.entry(posting)).transpose()?;
        let left = self.postings(Key::Left(name, &one.new.0), RECENT_MAX)?;
        let left_by = left.iter().map(|posting| posting.seq).filter(|it| *it > number).collect();
        let outcomes = self.outcomes(number, name)?;
        Ok(Step { entry, one, why, outcomes, uses, glass, settled, left_by })
    }
}

fn add(places: &mut Places, posting: Posting, index: usize, why: Why) {
    let posting = Posting { aux: posting.aux & !ACCEPTED, ..posting };
    places.entry((posting.seq, index)).or_insert((posting, why));
}

/// The two bytes that four hexadecimal digits stand for.
fn two_bytes(digits: &[u8; DIGITS_MIN]) -> Option<[u8; 2]> {
    let text = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(text, 16).ok().map(u16::to_be_bytes)
}
