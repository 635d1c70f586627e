//! What the entries of one log say of each other: the first walk, before anything is told.
//!
//! Who first brought a commit, who signed which statement, what was settled and what was accepted.
//! Pure.

use std::collections::HashMap;

use crate::cli::log::lore::Lore;
use crate::cli::log::words;
use crate::log::decision::{Decision, RefDecision};
use crate::log::entry::{Record, State};
use crate::log::line::Entry;
use crate::log::posting::is_yes;
use crate::log::wire::Text;
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// A moment of the log: an entry and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The number of the entry.
    pub entry: u64,
    /// Its time, in milliseconds since 1970.
    pub millis: i64,
}

/// A push that named a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    at: At,
    who: String,
    allowed: bool,
}

/// What one log says about its own entries.
#[derive(Debug, Default)]
pub struct Known {
    /// Outcomes and statements.
    pub lore: Lore,
    pushed: HashMap<Oid, Seen>,
    first: HashMap<Oid, At>,
    about: HashMap<Digest, Oid>,
    settled: HashMap<(u64, Vec<u8>), (At, String)>,
    accepted: HashMap<u64, (At, String)>,
    head: Option<Text>,
}

/// What came to rest on a ref, and by whose hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// Who brought what landed.
    pub makers: Vec<String>,
    /// Whose approvals it used.
    pub approvers: Vec<String>,
    /// The checks it used.
    pub checks: Vec<String>,
    /// The first push that named it.
    pub first: Option<At>,
    /// What became of the ref, as far as it is known.
    pub state: Option<State>,
}

impl Known {
    /// Takes in one entry. `record` is its record, whole.
    pub fn add(&mut self, entry: &Entry, record: &Record) {
        self.lore.add(entry, record);
        let at = At { entry: entry.common.seq, millis: entry.common.ts.0.millis() };
        match record {
            Record::Decision(it) => self.decided(at, it),
            Record::Settled(it) => {
                let by: Vec<&str> = it.by.iter().map(|name| name.0.as_str()).collect();
                let how = words::settled(it.how, &by);
                self.settled.insert((it.of, it.refname.0.clone()), (at, how));
            }
            Record::Accepted(it) => {
                let by = words::refname(&it.by);
                self.accepted.extend(it.of.iter().map(|of| (*of, (at, by.clone()))));
            }
            Record::Genesis(it) => self.head.clone_from(&it.head),
            Record::Birth(_)
            | Record::Refusal(_)
            | Record::Outcome(_)
            | Record::Drift(_)
            | Record::Policy(_)
            | Record::Asked(_)
            | Record::Recovered(_)
            | Record::BreakGlass(_)
            | Record::Seal(_)
            | Record::Tidy(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Config(_) => {}
        }
    }

    fn decided(&mut self, at: At, decision: &Decision) {
        for one in &decision.statements {
            self.about.insert(one.id.0, one.commit.0);
        }
        for one in &decision.refs {
            let allowed = is_yes(decision, one);
            for commit in one.brought.list.iter().map(|it| it.0).chain([one.new.0]) {
                self.first.entry(commit).or_insert(at);
                // Whoever brought it in a push that was accepted is its maker, and not who tried before.
                let seen = self.pushed.get(&commit);
                if seen.is_none_or(|seen| allowed && !seen.allowed) {
                    let who = words::who(&decision.actor);
                    self.pushed.insert(commit, Seen { at, who, allowed });
                }
            }
        }
    }

    /// What became of one ref of a push, by the last entry that speaks of it.
    pub fn state(&self, decision: u64, refname: &Text) -> Option<State> {
        let outcomes = self.lore.outcomes(decision).iter().rev();
        outcomes
            .flat_map(|became| &became.refs)
            .find(|it| it.refname == *refname)
            .map(|it| it.state)
    }

    /// What a push brought to rest on a ref. `None`: it was refused or did not happen, or the ref is
    /// none that a rule guards.
    pub fn landing(&self, number: u64, decision: &Decision, one: &RefDecision) -> Option<Landing> {
        let state = self.state(number, &one.refname);
        let guarded = !one.landed.is_empty() || self.head.as_ref() == Some(&one.refname);
        let stands = is_yes(decision, one) && state.is_none_or(State::had);
        if !guarded || !stands || one.new.0.is_zero() {
            return None;
        }
        let mut landing = Landing { state, ..Landing::default() };
        let mut commits: Vec<Oid> = Vec::new();
        for id in &one.uses {
            let Some(said) = self.lore.statement(&id.0) else { continue };
            let person = words::plain(&said.person);
            match (&said.check, said.verdict.as_str()) {
                (Some(check), _) => {
                    once(&mut landing.checks, format!("{} by {person}", words::plain(check)));
                }
                (None, "approve") => once(&mut landing.approvers, person),
                (None, _) => continue,
            }
            commits.extend(self.about.get(&id.0));
        }
        let authorized = one.gittuf.iter().flat_map(|it| &it.by);
        for by in authorized {
            once(&mut landing.approvers, words::plain(by.person.0.as_str()));
        }
        if commits.is_empty() {
            commits.push(one.new.0);
        }
        for seen in commits.iter().filter_map(|commit| self.pushed.get(commit)) {
            once(&mut landing.makers, seen.who.clone());
        }
        if landing.makers.is_empty() {
            landing.makers.push(words::who(&decision.actor));
        }
        commits.extend(one.brought.list.iter().map(|it| it.0));
        let first = commits.iter().filter_map(|commit| self.first.get(commit));
        landing.first = first.min_by_key(|at| at.entry).copied();
        Some(landing)
    }

    /// The entry that settles what a push owes for a ref, and how.
    pub fn settled(&self, of: u64, refname: &Text) -> Option<&(At, String)> {
        self.settled.get(&(of, refname.0.clone()))
    }

    /// The entry that accepts a drift, and who wrote it.
    pub fn accepted(&self, drift: u64) -> Option<&(At, String)> {
        self.accepted.get(&drift)
    }
}

fn once(list: &mut Vec<String>, name: String) {
    if !list.contains(&name) {
        list.push(name);
    }
}
