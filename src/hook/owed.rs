//! What an answer says about debts: all of the ref, and the one that is asked about.
//!
//! Who asks about a commit that a broken glass let in is told what it owes, with the base and the
//! delta of that landing: so that `review` shows it and `approve` pays it.

use crate::answer::{Answer as Wire, ApprovalAnswer, DEBT_KIND, DebtAnswer, Missing, RuleAnswer};
use crate::facts::debt::{Debt, DebtFacts};
use crate::hook::asked::Question;
use crate::hook::bench::Bench;
use crate::hook::debts::on;
use crate::hook::fault::Stop;
use crate::hook::said::words_of_people;
use crate::hook::world::World;
use crate::judge::debts::lacks;
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::policy::Policy;
use crate::statement::place::ApprovalKey;
use crate::store::objects::Objects as _;
use crate::verdict::finding::Missing as Lack;

/// The answer with what is owed.
pub fn tell(
    world: &World,
    bench: &Bench,
    question: &Question,
    mut wire: Wire,
) -> Result<Wire, Stop> {
    let debts = on(world, &bench.log, &bench.policy, &question.name, &bench.ctx)?;
    let moment = bench.ctx.moment;
    wire.debts = debts.iter().map(|facts| answer(&bench.policy, facts, moment)).collect();
    let asked = |facts: &&DebtFacts| facts.debt.commit.hex() == wire.commit;
    let Some(facts) = debts.iter().rfind(asked) else { return Ok(wire) };
    let debt = &facts.debt;
    wire.base = debt.base.unwrap_or(Oid::zero(world.store.format())).hex();
    wire.delta = format!("sha256:{}", debt.delta);
    wire.delta_lines = debt.entries;
    wire.key = ApprovalKey::of(&debt.refname, &debt.delta).hex();
    wire.rules = rules(&bench.policy, facts);
    wire.approvals = approvals(bench, facts)?;
    wire.nobody_brought = Vec::new();
    Ok(wire)
}

/// One debt.
pub fn answer(policy: &Policy, facts: &DebtFacts, moment: Moment) -> DebtAnswer {
    let debt = &facts.debt;
    DebtAnswer {
        entry: debt.entry,
        commit: debt.commit.hex(),
        by: by(debt),
        reason: escape(&debt.reason),
        at: debt.at.rfc3339_seconds(),
        due: debt.settle_by.rfc3339_seconds(),
        overdue: debt.settle_by < moment,
        missing: lacks(policy, facts).iter().map(missing).collect(),
    }
}

fn by(debt: &Debt) -> String {
    match &debt.by.name {
        Some(name) => name.to_string(),
        None => escape(&debt.by.login),
    }
}

fn missing(lack: &Lack) -> Missing {
    Missing {
        approvals: lack.approvals as u64,
        from: lack.from.iter().map(ToString::to_string).collect(),
    }
}

/// The debt as what a rule asks for, one for each rule whose approvals are owed.
fn rules(policy: &Policy, facts: &DebtFacts) -> Vec<RuleAnswer> {
    let debt = &facts.debt;
    let (by, due) = (by(debt), debt.settle_by.rfc3339_seconds());
    let owed = |lack: &Lack| RuleAnswer {
        rule: "break-glass".to_owned(),
        kind: DEBT_KIND.to_owned(),
        level: "refuse".to_owned(),
        place: String::new(),
        satisfied: false,
        what: format!("it landed as entry {} past its rules, due {due}", debt.entry),
        lines: vec![format!("{by} broke the glass: \"{}\"", escape(&debt.reason))],
        hints: Vec::new(),
        missing: Some(missing(lack)),
        ..RuleAnswer::default()
    };
    lacks(policy, facts).iter().map(owed).collect()
}

fn approvals(bench: &Bench, facts: &DebtFacts) -> Result<Vec<ApprovalAnswer>, Stop> {
    let debt = &facts.debt;
    let mut answers = Vec::new();
    for latest in words_of_people(bench, &debt.refname, &debt.delta)? {
        let person = &latest.person;
        let holds = facts.approved.iter().any(|(name, id)| name == person && *id == latest.id);
        let why = if debt.by.name.as_ref() == Some(person) {
            "they broke the glass"
        } else if debt.makers.contains(person) {
            "makers do not count"
        } else if !holds {
            "it does not hold"
        } else {
            ""
        };
        answers.push(ApprovalAnswer {
            person: person.to_string(),
            verdict: latest.verdict,
            date: latest.date.rfc3339_seconds(),
            counts: why.is_empty(),
            why: why.to_owned(),
            ..ApprovalAnswer::default()
        });
    }
    Ok(answers)
}
