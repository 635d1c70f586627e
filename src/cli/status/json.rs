//! `status --json`: an object a repository, and a summary. docs/status.md describes both.
//!
//! Pure.

use serde_json::{Value, json};

use crate::answer::DebtAnswer;
use crate::cli::doctor::finding::Finding;
use crate::cli::quote::shown;
use crate::cli::status::table;
use crate::cli::status::told::{Owed, State, Summary, Told, in_state};
use crate::names::moment::Moment;

/// The version of the shape.
const VERSION: u32 = 1;

/// Everything that was found.
pub fn whole(all: &[Told], now: Moment) -> Value {
    let sum = Summary::of(all);
    let repositories: Vec<Value> = all.iter().map(|told| one(told, now)).collect();
    let mut summary = json!({
        "repositories": sum.repositories,
        "judging": sum.judging,
        "need_a_hand": sum.hands,
        "drifts": sum.drifts,
        "debts": sum.debts,
        "warnings": sum.warnings,
    });
    for state in State::ALL {
        summary[state.word()] = json!(in_state(all, state));
    }
    json!({
        "version": VERSION,
        "at": now.rfc3339_seconds(),
        "by": env!("CARGO_PKG_VERSION"),
        "repositories": repositories,
        "summary": summary,
    })
}

fn one(told: &Told, now: Moment) -> Value {
    let age = |at: Moment| now.seconds().saturating_sub(at.seconds()).max(0);
    let hooks = told
        .hooks
        .iter()
        .map(|hook| json!({ "name": hook.name, "path": shown(&hook.path), "runs": hook.runs }));
    let programs = told
        .programs
        .iter()
        .map(|program| json!({ "path": shown(&program.path), "version": program.version }));
    let drifts = told.drifts.iter().map(|(entry, name)| json!({ "entry": entry, "ref": name }));
    json!({
        "path": shown(&told.path),
        "state": told.state.word(),
        "gate": table::gate(told),
        "judging": told.is_judging(),
        "new": told.is_new,
        "repository": told.repository,
        "platform": told.platform,
        "hooks": hooks.collect::<Vec<_>>(),
        "programs": programs.collect::<Vec<_>>(),
        "policy": told.policy.as_ref().map(|policy| json!({
            "sha256": policy.digest, "stance": policy.stance.word(),
        })),
        "log": told.last.as_ref().map(|last| json!({
            "entry": last.entry, "at": last.at.rfc3339_millis(), "age_seconds": age(last.at),
            "head": last.head, "free_bytes": told.free_bytes,
        })),
        "seal": told.seal.map(|seal| json!({
            "at": seal.at.map(Moment::rfc3339_seconds), "since": seal.since.rfc3339_seconds(),
            "age_seconds": age(seal.since), "every_seconds": seal.every, "overdue": seal.is_overdue,
        })),
        "drifts": drifts.collect::<Vec<_>>(),
        "waiting": told.waiting,
        "debts": told.debts.iter().map(owed).collect::<Vec<_>>(),
        "findings": told.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn owed(debt: &Owed) -> Value {
    let DebtAnswer { entry, commit, by, reason, at, due, overdue, missing } = &debt.told;
    let missing: Vec<Value> = missing
        .iter()
        .map(|lack| json!({ "approvals": lack.approvals, "from": lack.from }))
        .collect();
    json!({
        "entry": entry, "ref": debt.refname.to_string(), "commit": commit, "by": by,
        "reason": reason, "at": at, "due": due, "overdue": overdue, "missing": missing,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "check": finding.check, "level": finding.level.word(), "what": finding.what,
        "why": finding.why, "mend": finding.mend,
    })
}
