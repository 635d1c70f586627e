//! What broken glasses owe, by the log alone: which of them made a debt, and which is settled.
//!
//! Whether a debt could be settled now is for others to say; they hold roster and repository.

use crate::facts::debt::{Ask, Debt};
use crate::facts::past::PastError;
use crate::log::book::Log;
use crate::log::entry::{Record, State};
use crate::log::glass::BreakGlass;
use crate::log::line::Entry;
use crate::log::look::{maker, not_that};
use crate::log::posting::{Key, Posting, is_yes};

/// How many are read from the index at once.
const PAGE: usize = 64;

impl Log {
    /// What all broken glasses owe, oldest first.
    pub fn all_debts(&self) -> Result<Vec<Debt>, PastError> {
        self.debts_of(Key::Glasses)
    }

    /// What the broken glasses of a key owe, oldest first: each look-up reads the index, and an
    /// entry only where it is not settled.
    pub(super) fn debts_of(&self, key: Key<'_>) -> Result<Vec<Debt>, PastError> {
        let mut debts = Vec::new();
        let mut from = Posting::first_of(key.digest());
        loop {
            let page = self.look(|index| index.oldest(from, PAGE))?;
            for posting in &page {
                debts.extend(self.debt(posting)?);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = Posting { at: last.at + 1, ..*last },
                Some(_) | None => return Ok(debts),
            }
        }
    }

    fn debt(&self, posting: &Posting) -> Result<Option<Debt>, PastError> {
        let entry = self.entry(posting)?;
        let Record::BreakGlass(glass) = &entry.record else { return Err(not_that(&entry)) };
        let Some(of) = glass.of.filter(|of| *of < self.head().size) else { return Ok(None) };
        if !self.postings(Key::Settled(of, &glass.refname.0), 1)?.is_empty() {
            return Ok(None);
        }
        let fate = self.fate(of, &glass.refname.0)?;
        if fate == Some(State::NotApplied) || !self.is_its_decision(&entry, glass, of)? {
            return Ok(None);
        }
        Ok(told(&entry, glass, of, fate.is_some_and(State::had)))
    }

    /// A machine that stopped in the middle of an append leaves a broken glass without a decision;
    /// the number it names is then another entry's.
    fn is_its_decision(
        &self,
        entry: &Entry,
        glass: &BreakGlass,
        of: u64,
    ) -> Result<bool, PastError> {
        let Some(decided) = self.entry_if_kept(of)? else { return Ok(false) };
        let Record::Decision(decision) = &decided.record else { return Ok(false) };
        let same = |one: &&crate::log::decision::RefDecision| {
            one.refname == glass.refname && one.new == glass.new && is_yes(decision, one)
        };
        Ok(decided.common.push == entry.common.push && decision.refs.iter().any(|one| same(&one)))
    }
}

/// `None` for a name that is no refname.
fn told(entry: &Entry, glass: &BreakGlass, of: u64, applied: bool) -> Option<Debt> {
    let asks = glass.asks.iter().map(|ask| Ask {
        rule: ask.rule.clone(),
        approvals: usize::try_from(ask.approvals).unwrap_or(usize::MAX),
        from: ask.from.iter().map(|name| name.0.clone()).collect(),
    });
    Some(Debt {
        entry: of,
        at: entry.common.ts.0,
        by: maker(&glass.actor),
        reason: glass.reason.0.clone(),
        refname: glass.refname.refname()?,
        new: glass.new.0,
        base: Some(glass.base.0).filter(|base| !base.is_zero()),
        commit: glass.commit.0,
        delta: glass.delta.0,
        entries: glass.paths.n,
        asks: asks.collect(),
        makers: glass.makers.iter().map(|name| name.0.clone()).collect(),
        unknown_maker: glass.unknown_maker,
        settle_by: glass.settle_by.0,
        applied,
    })
}
