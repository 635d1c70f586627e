//! Whether an entry touches what a judging used: the log's answer to two pushes at once.
//!
//! Pure. A judging rests on refs and statements as they were at one length of the log. Entries
//! that come in between are looked at under the lock, before the decision is written.

use std::collections::BTreeSet;

use crate::log::decision::{Decision, StatementRecord};
use crate::log::entry::Record;
use crate::log::posting::is_yes;
use crate::log::wire::Text;
use crate::names::digest::Digest;
use crate::names::refname::Refname;

/// What a judging rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgedAt {
    /// How many entries the log had.
    pub size: u64,
    /// The refs whose values it used, and the places of statements (`refs/approvals/...`).
    pub refs: BTreeSet<Refname>,
    /// The statements it used.
    pub statements: BTreeSet<Digest>,
    /// The refs on which a reject would have stopped it.
    pub vetoes: BTreeSet<Refname>,
}

/// What of it this record touches, in words. `None`: nothing.
pub fn touches(record: &Record, judged: &JudgedAt) -> Option<String> {
    let used = |name: &Text| {
        let name = name.refname()?;
        judged.refs.contains(&name).then(|| name.to_string())
    };
    match record {
        Record::Decision(it) => touched_by_decision(it, judged, used),
        Record::Outcome(it) => it.refs.iter().find_map(|one| used(&one.refname)),
        Record::Drift(it) => used(&it.refname),
        Record::Tidy(it) => it.refs.iter().find_map(|one| used(&one.refname)),
        Record::Birth(it) => it.refs.iter().find_map(|one| used(&one.refname)),
        Record::Settled(it) => {
            let id = it.uses.iter().find(|id| judged.statements.contains(&id.0))?;
            Some(format!("statement {}", id.0))
        }
        Record::Genesis(_)
        | Record::BreakGlass(_)
        | Record::Refusal(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_)
        | Record::Accepted(_) => None,
    }
}

/// A reject that came in between, in words.
fn vetoed(statement: &StatementRecord, judged: &JudgedAt) -> Option<String> {
    let name = statement.for_ref.refname().filter(|name| judged.vetoes.contains(name))?;
    (statement.verdict == "reject").then(|| format!("a reject for {name}"))
}

fn touched_by_decision(
    decision: &Decision,
    judged: &JudgedAt,
    used: impl Fn(&Text) -> Option<String>,
) -> Option<String> {
    if !decision.verdict.is_yes() {
        return None;
    }
    let moved = decision.refs.iter().filter(|one| is_yes(decision, one));
    moved
        .clone()
        .find_map(|one| used(&one.refname))
        .or_else(|| {
            let ids = moved.flat_map(|one| &one.uses);
            let id = ids.map(|id| id.0).find(|id| judged.statements.contains(id))?;
            Some(format!("statement {id}"))
        })
        .or_else(|| decision.statements.iter().find_map(|it| used(&it.place)))
        .or_else(|| decision.statements.iter().find_map(|it| vetoed(it, judged)))
        .or_else(|| {
            let id = decision.statements.iter().find(|it| judged.statements.contains(&it.id.0))?;
            Some(format!("statement {}", id.id.0))
        })
}
