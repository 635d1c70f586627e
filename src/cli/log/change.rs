//! An entry taken apart: one change a ref, in the plain words that tables and other systems want.
//!
//! Pure. Used by the forms of `log export`. Everything is escaped already.

use crate::cli::log::words;
use crate::log::accepted::Acceptance;
use crate::log::decision::{Decision, RefDecision, Verdict};
use crate::log::entry::{Asking, GenesisRef, Record, RefOutcome, Refusal, State};
use crate::log::tidy::TidyRef;
use crate::log::wire::Text;
use crate::names::escape::escape;
use crate::names::oid::Oid;

/// What an entry says of one ref, or of none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The ref.
    pub refname: Option<String>,
    /// Its value before, and the value asked for or found; none where there is none.
    pub old: Option<String>,
    /// See `old`.
    pub new: Option<String>,
    /// What the change does; none where nothing is to change.
    pub does: Option<Does>,
    /// The answer: `accepted`, `warned`, `refused`, or nothing.
    pub answer: &'static str,
    /// What became of it: `applied`, `not applied`, `superseded`, `lost`, or nothing.
    pub state: &'static str,
    /// The rules that objected, were silenced or were overridden.
    pub rules: String,
    /// Why, in words.
    pub reason: String,
}

/// What a change does to a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It had no value.
    Create,
    /// It gets another one.
    Move,
    /// It loses its value.
    Delete,
}

impl Does {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Move => "move",
            Self::Delete => "delete",
        }
    }
}

impl Change {
    fn of(refname: &Text, old: &Oid, new: &Oid) -> Self {
        let does = match (old.is_zero(), new.is_zero()) {
            (true, true) => None,
            (true, false) => Some(Does::Create),
            (false, false) => Some(Does::Move),
            (false, true) => Some(Does::Delete),
        };
        Self {
            refname: Some(words::refname(refname)),
            old: value(old),
            new: value(new),
            does,
            ..Self::default()
        }
    }

    /// About a ref and no change of it.
    fn about(refname: &Text) -> Self {
        Self { refname: Some(words::refname(refname)), ..Self::default() }
    }
}

fn value(oid: &Oid) -> Option<String> {
    (!oid.is_zero()).then(|| oid.hex())
}

/// The changes of an entry, at least one. `record` is whole.
pub fn changes(record: &Record) -> Vec<Change> {
    let changes: Vec<Change> = match record {
        Record::Decision(it) => decision(it),
        Record::Birth(it) => it.refs.iter().map(born).collect(),
        Record::Refusal(it) => refusal(it),
        Record::Outcome(it) => it.refs.iter().map(|one| outcome(it.of, one)).collect(),
        Record::Drift(it) => vec![Change {
            reason: "no push that the log knows".to_owned(),
            ..Change::of(&it.refname, &it.logged.0, &it.found.0)
        }],
        Record::Asked(it) => vec![Change {
            answer: words::answer(it.verdict),
            reason: format!("asked about {}", it.commit.0.hex()),
            ..Change::about(&it.refname)
        }],
        Record::BreakGlass(it) => vec![Change {
            rules: words::each_once(it.overridden.iter().map(|finding| &finding.rule)),
            reason: escape(&it.reason.0),
            ..Change::of(&it.refname, &it.old.0, &it.new.0)
        }],
        Record::Settled(it) => {
            let by: Vec<&str> = it.by.iter().map(|name| name.0.as_str()).collect();
            let reason = format!("entry {}: {}", it.of, words::settled(it.how, &by));
            vec![Change { reason, ..Change::about(&it.refname) }]
        }
        Record::Tidy(it) => it.refs.iter().map(gone).collect(),
        Record::Policy(it) => vec![Change { new: Some(it.sha256.0.hex()), ..Change::default() }],
        Record::Accepted(it) => accepted(it),
        Record::Config(it) => {
            let names: Vec<String> = it.changes.iter().map(|one| escape(&one.name.0)).collect();
            let reason = format!("hooks and settings: {}", names.join(", "));
            vec![Change { reason, new: Some(it.sha256.0.hex()), ..Change::default() }]
        }
        Record::Pruned(it) => {
            let first = it.first;
            let reason = format!("entries before {first} taken away, {} kept whole", it.kept);
            vec![Change { reason, new: Some(it.summary.0.hex()), ..Change::default() }]
        }
        Record::Genesis(_) | Record::Recovered(_) | Record::Seal(_) | Record::Segment(_) => {
            Vec::new()
        }
    };
    match changes.is_empty() {
        true if matches!(record, Record::Refusal(_)) => {
            vec![Change { answer: words::answer(Verdict::Refuse), ..Change::default() }]
        }
        true => vec![Change::default()],
        false => changes,
    }
}

fn born(one: &GenesisRef) -> Change {
    Change::of(&one.refname, &Oid::zero(one.oid.0.format()), &one.oid.0)
}

fn refusal(it: &Refusal) -> Vec<Change> {
    let one = |one: &Asking| Change {
        answer: words::answer(Verdict::Refuse),
        reason: escape(&it.reason.0),
        ..Change::about(&one.refname)
    };
    it.refs.iter().map(one).collect()
}

/// What became of one ref of a decision.
fn outcome(of: u64, one: &RefOutcome) -> Change {
    let (from, to) = match one.state {
        State::Lost => (&one.new.0, &one.old.0),
        State::Applied | State::NotApplied | State::Superseded => (&one.old.0, &one.new.0),
    };
    Change {
        state: words::state(one.state),
        reason: format!("what became of entry {of}"),
        ..Change::of(&one.refname, from, to)
    }
}

/// A statement that leaves its ref.
fn gone(one: &TidyRef) -> Change {
    Change {
        reason: words::dead(one),
        ..Change::of(&one.refname, &one.old.0, &Oid::zero(one.old.0.format()))
    }
}

fn accepted(it: &Acceptance) -> Vec<Change> {
    let of: Vec<String> = it.of.iter().map(u64::to_string).collect();
    let reason = format!("drift of {} accepted: {}", of.join(", "), escape(&it.reason.0));
    let one = |name| Change { reason: reason.clone(), ..Change::about(name) };
    it.refs.iter().map(one).collect()
}

fn decision(it: &Decision) -> Vec<Change> {
    let one = |one: &RefDecision| {
        let rules = one.findings.iter().map(|finding| &finding.rule);
        let rules = rules.chain(one.exempt.iter().map(|exempt| &exempt.rule));
        let found: Vec<String> = one.findings.iter().map(|it| escape(&it.text.0)).collect();
        // A push that is refused moves none of its refs, however they were found.
        let answer = if it.verdict == Verdict::Refuse { it.verdict } else { one.verdict };
        Change {
            answer: words::answer(answer),
            rules: words::each_once(rules),
            reason: found.join("; "),
            ..Change::of(&one.refname, &one.old.0, &one.new.0)
        }
    };
    it.refs.iter().map(one).collect()
}
