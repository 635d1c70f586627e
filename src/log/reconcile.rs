//! Holds one ref against the log: which accepted decisions came true, and what happened past us.
//!
//! Pure; `settle` reads the ref first and the log after and hands both to `reconcile`. A value is
//! explained when accepted decisions lead from the last value the log gives the ref to the value
//! found; then those were applied. Only what no accepted decision explains is drift. A decision
//! that was taken for not applied may still turn out to explain a value later.

use std::collections::{BTreeMap, VecDeque};

use crate::facts::past::{Landing, OpenDecision};
use crate::log::entry::{Drift, Evidence, Outcome, Record, RefOutcome, State, Via};
use crate::log::wire::{AsText, Text};
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// What is known of one ref.
#[derive(Clone, Debug)]
pub struct RefKnown {
    /// The ref.
    pub refname: Refname,
    /// The last value the log gives it; zeros for none.
    pub logged: Oid,
    /// The value found; zeros for none.
    pub found: Oid,
    /// The newest accepted decisions on it, oldest first.
    pub accepted: Vec<Accepted>,
    /// The newest applied moves from before the machine's last restart, newest first: those that
    /// a crash may have lost.
    pub may_be_lost: Vec<Landing>,
    /// What Git has told the push that asks: the decision, and the word.
    pub told: Option<(u64, Told)>,
    /// What else speaks about a drift, should there be one.
    pub evidence: Vec<Evidence>,
}

/// An accepted decision on the ref.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The move.
    pub decision: OpenDecision,
    /// Its last outcome; `None` while it is open.
    pub fate: Option<State>,
    /// Whether its receive-pack still runs.
    pub running: bool,
}

/// What Git told a push's own `post-receive` about one of its refs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is among the updated refs.
    Applied,
    /// It is not, though others are.
    NotApplied,
}

impl Accepted {
    /// Whether it may still explain a value.
    fn is_candidate(&self) -> bool {
        self.fate.is_none_or(|fate| !fate.had())
    }
}

/// What there is to be written about a ref, in order.
pub fn reconcile(known: &RefKnown) -> Vec<Record> {
    let mut work = Work { known, records: Vec::new(), done: Vec::new() };
    match told_applied(known) {
        Some(told) => work.follow_told(told),
        None => work.follow_found(),
    }
    work.close_others();
    work.records
}

/// The decision that Git has told us was applied, when the log does not say so yet.
fn told_applied(known: &RefKnown) -> Option<&Accepted> {
    let (entry, Told::Applied) = known.told? else { return None };
    known.accepted.iter().find(|one| one.decision.entry == entry && one.is_candidate())
}

struct Work<'a> {
    known: &'a RefKnown,
    records: Vec<Record>,
    /// Decisions that something was said about.
    done: Vec<u64>,
}

impl Work<'_> {
    /// The usual way: from the last value in the log to the one found.
    fn follow_found(&mut self) {
        let RefKnown { logged, found, .. } = *self.known;
        match self.path(logged, found, None) {
            Some(hops) => self.walk(&hops, true),
            None if self.lost() => {}
            None => self.drift(logged, found),
        }
    }

    /// Git has said which decision was applied; what came before and after is looked for.
    fn follow_told(&mut self, told: &Accepted) {
        let RefKnown { logged, found, .. } = *self.known;
        let (old, new) = (told.decision.old, told.decision.new);
        if found == logged && found != new {
            // The log has moved on already.
            self.outcome(told, State::Superseded, Via::PostReceive, &[]);
            return;
        }
        let entry = Some(told.decision.entry);
        if let Some(before) = self.path(logged, old, entry) {
            self.walk(&before, false);
        }
        match self.path(new, found, entry) {
            Some(after) if after.is_empty() => {
                self.outcome(told, State::Applied, Via::PostReceive, &[]);
            }
            Some(after) => {
                self.outcome(told, State::Superseded, Via::PostReceive, &[]);
                self.walk(&after, true);
            }
            None => {
                self.outcome(told, State::Applied, Via::PostReceive, &[]);
                self.drift(new, found);
            }
        }
    }

    /// The shortest way from one value to another by accepted decisions that may still have
    /// happened, as pairs of old and new.
    fn path(&self, from: Oid, to: Oid, without: Option<u64>) -> Option<Vec<(Oid, Oid)>> {
        let mut came_from: BTreeMap<Oid, Oid> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                break;
            }
            for one in self.candidates().filter(|one| one.decision.old == at) {
                let next = one.decision.new;
                let seen = next == from || came_from.contains_key(&next);
                if !seen && Some(one.decision.entry) != without {
                    came_from.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        let mut hops = Vec::new();
        let mut at = to;
        while at != from {
            let before = *came_from.get(&at)?;
            hops.push((before, at));
            at = before;
        }
        hops.reverse();
        Some(hops)
    }

    fn candidates(&self) -> impl Iterator<Item = &Accepted> {
        self.known.accepted.iter().filter(|one| one.is_candidate())
    }

    /// Says of each step who did it. `to_now`: the last one leads to the value found.
    fn walk(&mut self, hops: &[(Oid, Oid)], to_now: bool) {
        let known = self.known;
        for (index, (old, new)) in hops.iter().enumerate() {
            let last = to_now && index + 1 == hops.len();
            let state = if last { State::Applied } else { State::Superseded };
            let same = |one: &&Accepted| one.decision.old == *old && one.decision.new == *new;
            let all = known.accepted.iter().filter(|one| one.is_candidate()).filter(same);
            // One that was found not applied explains a step only when no open one does.
            let mut claims: Vec<&Accepted> = all.clone().filter(|one| one.fate.is_none()).collect();
            if claims.is_empty() {
                claims = all.collect();
            }
            let entries: Vec<u64> = claims.iter().map(|one| one.decision.entry).collect();
            for claim in &claims {
                let others = entries.iter().filter(|&&entry| entry != claim.decision.entry);
                let others: Vec<u64> = others.copied().collect();
                self.outcome(claim, state, Via::Reconcile, &others);
            }
        }
    }

    /// Whether a crash has put the ref back; then it says so.
    fn lost(&mut self) -> bool {
        let known = self.known;
        let mut at = known.logged;
        let mut lost = Vec::new();
        for landing in &known.may_be_lost {
            if landing.new != at {
                break;
            }
            at = landing.old;
            lost.push(landing);
            if at == known.found {
                break;
            }
        }
        if at != known.found || lost.is_empty() {
            return false;
        }
        for landing in lost {
            self.say(landing.entry, landing.old, landing.new, State::Lost, Via::Reconcile, &[]);
        }
        true
    }

    fn drift(&mut self, logged: Oid, found: Oid) {
        self.records.push(Record::Drift(Drift {
            refname: Text::from(&self.known.refname),
            logged: AsText(logged),
            found: AsText(found),
            head: None,
            evidence: self.known.evidence.clone(),
        }));
    }

    /// What is left over: open decisions that lead nowhere that was seen.
    fn close_others(&mut self) {
        let known = self.known;
        for one in known.accepted.iter().filter(|one| one.fate.is_none()) {
            let entry = one.decision.entry;
            if self.done.contains(&entry) {
                continue;
            }
            if known.told == Some((entry, Told::NotApplied)) {
                self.outcome(one, State::NotApplied, Via::PostReceive, &[]);
            } else if self.was_seen_later(one) {
                self.outcome(one, State::Superseded, Via::Reconcile, &[]);
            } else if !one.running {
                self.outcome(one, State::NotApplied, Via::Reconcile, &[]);
            }
        }
    }

    /// Whether a later decision was judged from the value this one gives, and only this one can
    /// have given it.
    fn was_seen_later(&self, one: &Accepted) -> bool {
        let OpenDecision { entry, new, .. } = one.decision;
        let all = &self.known.accepted;
        let later = all.iter().any(|it| it.decision.entry > entry && it.decision.old == new);
        let only = all.iter().filter(|it| it.decision.new == new).count() == 1;
        later && only && new != self.known.logged && new != self.known.found
    }

    fn outcome(&mut self, one: &Accepted, state: State, via: Via, one_of: &[u64]) {
        let OpenDecision { entry, old, new, .. } = one.decision;
        self.say(entry, old, new, state, via, one_of);
    }

    fn say(&mut self, of: u64, old: Oid, new: Oid, state: State, via: Via, one_of: &[u64]) {
        self.done.push(of);
        self.records.push(Record::Outcome(Outcome {
            of,
            via,
            refs: vec![RefOutcome {
                refname: Text::from(&self.known.refname),
                old: AsText(old),
                new: AsText(new),
                state,
                one_of: one_of.to_vec(),
            }],
        }));
    }
}

/// Puts outcomes of one decision, for different refs, into one record each. Records of one ref
/// keep their order; a `lost` stands alone, for the last value of its ref depends on the order.
pub fn together(records: Vec<Record>) -> Vec<Record> {
    let mut joined: Vec<Record> = Vec::new();
    for record in records {
        let Record::Outcome(outcome) = &record else {
            joined.push(record);
            continue;
        };
        let alone = outcome.refs.iter().any(|one| one.state == State::Lost);
        let host = joined.iter_mut().rev().find_map(|earlier| match earlier {
            Record::Outcome(it) if !alone && may_join(it, outcome) => Some(it),
            Record::Outcome(_)
            | Record::Genesis(_)
            | Record::Birth(_)
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
            | Record::Accepted(_) => None,
        });
        match host {
            Some(host) => host.refs.extend(outcome.refs.iter().cloned()),
            None => joined.push(record),
        }
    }
    joined
}

/// Outcomes that set no value may move freely; one that sets a value is the last of its ref but
/// for a drift, which follows it, so joining an earlier record keeps that order too.
fn may_join(earlier: &Outcome, later: &Outcome) -> bool {
    earlier.of == later.of
        && earlier.via == later.via
        && earlier.refs.iter().all(|one| one.state != State::Lost)
        && later.refs.iter().all(|one| earlier.refs.iter().all(|it| it.refname != one.refname))
}
