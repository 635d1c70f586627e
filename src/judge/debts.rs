//! What a broken glass owes still, and whether an overdue debt stands in the way.

use std::collections::BTreeSet;

use crate::facts::UpdateFacts;
use crate::facts::debt::{Ask, Debt, DebtFacts};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::glass::DebtMode;
use crate::push::update::Change;
use crate::roster::party::Party;
use crate::rules::seats::{Seat, seat_people};
use crate::verdict::finding::{Finding, Level, Missing, Objection, RuleRef};
use crate::verdict::line::{Hint, Line};

/// How many people a message names.
const NAMES_TOLD_MAX: usize = 8;

/// How a debt is settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paid {
    /// By these people's statements.
    Approved(Vec<(PrincipalName, Digest)>),
    /// Nothing of it stands any more.
    Reverted,
}

/// Whether a debt is settled by what speaks for it, and how.
pub fn paid(policy: &Policy, facts: &DebtFacts) -> Option<Paid> {
    if facts.restored {
        return Some(Paid::Reverted);
    }
    let counting: Vec<_> =
        facts.approved.iter().filter(|(name, _)| may_settle(&facts.debt, name)).cloned().collect();
    lacks(policy, facts).is_empty().then_some(Paid::Approved(counting))
}

/// What is missing, rule by rule, and who can give it.
pub fn lacks(policy: &Policy, facts: &DebtFacts) -> Vec<Missing> {
    let debt = &facts.debt;
    let people: Vec<&PrincipalName> = facts.approved.iter().map(|(name, _)| name).collect();
    let people: Vec<&PrincipalName> =
        people.into_iter().filter(|name| may_settle(debt, name)).collect();
    let extra = usize::from(debt.unknown_maker);
    let mut lacks = Vec::new();
    for seats in all_seats(policy, debt) {
        let chairs: usize = seats.iter().map(|seat| seat.approvals.saturating_add(extra)).sum();
        let seated = seat_people(&seats, extra, &people).into_iter().flatten().count();
        if seated < chairs {
            let from: BTreeSet<&PrincipalName> =
                seats.iter().flat_map(|seat| &seat.from.names).collect();
            let can = |name: &&PrincipalName| {
                policy.roster.can_approve(name) && may_settle(debt, name) && !people.contains(name)
            };
            let from = from.into_iter().filter(can).cloned().collect();
            lacks.push(Missing { approvals: chairs - seated, from });
        }
    }
    lacks
}

/// Neither made it nor broke the glass.
fn may_settle(debt: &Debt, name: &PrincipalName) -> bool {
    !debt.makers.contains(name) && debt.by.name.as_ref() != Some(name)
}

/// The seats of each overridden rule: as the rule has them now, where it still asks for approvals,
/// else as it had them then.
fn all_seats(policy: &Policy, debt: &Debt) -> Vec<Vec<Seat>> {
    let mut rules: Vec<&str> = debt.asks.iter().map(|ask| ask.rule.as_str()).collect();
    rules.dedup();
    if rules.is_empty() {
        let names = policy.roster.people().map(|it| it.name.clone());
        let names = names.filter(|name| policy.roster.can_approve(name)).collect();
        let anybody = Party { names, written: Vec::new() };
        return vec![vec![Seat { approvals: 1, from: anybody }]];
    }
    let now = |name: &str| {
        let rule = policy.rules.iter().find(|rule| rule.name == name)?;
        (!rule.body.seats().is_empty()).then(|| rule.body.seats().to_vec())
    };
    let then = |name: &str| {
        let asks = debt.asks.iter().filter(|ask| ask.rule == name);
        let seat = |ask: &Ask| Seat {
            approvals: ask.approvals,
            from: Party { names: ask.from.clone(), written: Vec::new() },
        };
        asks.map(seat).collect::<Vec<Seat>>()
    };
    let apart = |name: &str| {
        let rule = policy.rules.iter().find(|rule| rule.name == name);
        rule.is_some_and(|rule| rule.body.seats_apart())
    };
    let mut all = Vec::new();
    for name in rules {
        let seats = now(name).unwrap_or_else(|| then(name));
        match apart(name) {
            true => all.extend(seats.into_iter().map(|seat| vec![seat])),
            false => all.push(seats),
        }
    }
    all
}

/// An overdue debt stops what lands on its ref, where the policy says so and this landing does not
/// settle one.
pub(super) fn overdue(policy: &Policy, update: &UpdateFacts, moment: Moment) -> Option<Finding> {
    let blocks = policy.glass.as_ref().is_some_and(|glass| glass.debt == DebtMode::Block);
    let lands = matches!(update.change, Change::Create { .. } | Change::Move { .. });
    if !blocks || !lands {
        return None;
    }
    let late = |facts: &&DebtFacts| facts.debt.settle_by < moment;
    let overdue: Vec<&DebtFacts> = update.debts.iter().filter(late).collect();
    // Where every landing were stopped, a revert were stopped too, and the debt could not be paid.
    if overdue.iter().any(|facts| paid(policy, facts).is_some()) {
        return None;
    }
    let first = overdue.first()?;
    let objection = objection(policy, first, overdue.len() - 1);
    Some(Finding { rule: RuleRef::Always { name: "debt" }, level: Level::Refuse, objection })
}

fn objection(policy: &Policy, facts: &DebtFacts, more: usize) -> Objection {
    let debt = &facts.debt;
    let what = Line::new(format!("the debt of entry {} is overdue since ", debt.entry));
    let by = match &debt.by.name {
        Some(name) => Line::new("").name(name),
        None => Line::new("").quoted(&debt.by.login),
    };
    let broke = by.text(" broke the glass on ").text(debt.at.day()).text(": ").quoted(&debt.reason);
    let mut objection = Objection::new(what.text(debt.settle_by.rfc3339_seconds())).detail(broke);
    if more > 0 {
        objection = objection.detail(
            Line::new("")
                .count(more, "debt more", "debts more")
                .text(" on this ref is overdue too"),
        );
    }
    for lack in lacks(policy, facts) {
        objection = objection.hint(approve(debt, &lack));
    }
    let revert = Line::new("or land a revert of it: what settles a debt is let through");
    objection.hint(Hint::new(revert))
}

/// What somebody who can settle a debt has to run.
pub fn approve(debt: &Debt, lack: &Missing) -> Hint {
    approve_command(&debt.refname, debt.commit, lack)
}

/// The same, of a debt that is being made.
pub(super) fn approve_command(name: &Refname, commit: Oid, lack: &Missing) -> Hint {
    if lack.from.is_empty() {
        let line = "nobody is left who can approve it: only a revert settles this";
        return Hint::new(Line::new(line));
    }
    let ask = match lack.from.len() {
        1 => Line::new("ask "),
        _ => Line::new(format!("ask {} of ", lack.approvals)),
    };
    let ask = ask.names(lack.from.iter().take(NAMES_TOLD_MAX)).text(" to run");
    let command = Line::new("portcullis approve ").oid(commit).text(" --for ").word(typed(name));
    Hint::run(ask, command)
}

/// A ref as a person types it behind a command: a branch by its name, others in full.
pub(super) fn typed(name: &Refname) -> &[u8] {
    name.branch().unwrap_or(name.as_bytes())
}
