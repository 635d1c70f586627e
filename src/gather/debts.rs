//! What speaks for a debt's being settled: approvals after the fact, and what stands on the ref.
//!
//! Approvals are looked for in the log, place by place, since a statement whose commit has landed
//! does not stay among the refs. Each is verified anew against the roster in force.

use crate::facts::debt::{Debt, DebtFacts};
use crate::facts::evidence::StatementPush;
use crate::facts::past::{Past, StatementState};
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::gather::scene::Scene;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::roster::Roster;
use crate::roster::heard::Heard;
use crate::statement::fields::{ApprovalVerdict, Saying};
use crate::statement::place::{ApprovalKey, Place};
use crate::statement::read::Statement;

/// What debts are looked at with.
pub struct Eye<'e> {
    /// The repository.
    pub reader: &'e Reader<'e>,
    /// The log's answers.
    pub past: &'e dyn Past,
    /// Who is who.
    pub roster: &'e Roster,
    /// The repository's id.
    pub repository: Option<&'e str>,
    /// The time.
    pub moment: Moment,
    /// Statements that come with this very push.
    pub carried: &'e [(Refname, StatementPush)],
}

impl<'e> Eye<'e> {
    /// That of a push being judged.
    pub fn of(scene: &'e Scene<'_>) -> Self {
        Self {
            reader: &scene.reader,
            past: scene.past,
            roster: scene.roster,
            repository: scene.repository,
            moment: scene.moment,
            carried: &scene.carried,
        }
    }
}

/// The debts on a ref, each held against a value of it. `None`: the ref is not there, and that
/// settles nothing: it may come back as it was.
pub fn look(
    eye: &Eye<'_>,
    name: &Refname,
    value: Option<Oid>,
) -> Result<Vec<DebtFacts>, GatherError> {
    let debts = eye.past.debts(name)?.into_iter();
    let look = |debt: Debt| {
        let approved = approved(eye, &debt)?;
        let restored = match value {
            Some(value) => restored(eye.reader, &debt, &value)?,
            None => false,
        };
        Ok(DebtFacts { debt, approved, restored })
    };
    debts.map(look).collect()
}

/// Everybody whose latest word on exactly what landed is yes.
fn approved(eye: &Eye<'_>, debt: &Debt) -> Result<Vec<(PrincipalName, Digest)>, GatherError> {
    let key = ApprovalKey::of(&debt.refname, &debt.delta);
    let mut approved = Vec::new();
    for person in eye.roster.people().map(|principal| &principal.name) {
        if !eye.roster.can_approve(person) {
            continue;
        }
        let place = Place::Approval { key, person: person.clone() }.refname();
        let Some(statement) = latest(eye, debt, &place)? else { continue };
        if holds(eye, debt, person, &statement) {
            approved.push((person.clone(), statement.id()));
        }
    }
    Ok(approved)
}

/// The latest statement in a place, where nothing else has used it up.
fn latest(eye: &Eye<'_>, debt: &Debt, place: &Refname) -> Result<Option<Statement>, GatherError> {
    if let Some((_, push)) = eye.carried.iter().find(|(name, _)| name == place) {
        return Ok(Some(push.statement.clone()));
    }
    let Some(seen) = eye.past.latest_at(place)? else { return Ok(None) };
    let is_free = match eye.past.statement(&seen.id)? {
        StatementState::Seen { .. } => true,
        // What was there before the glass was broken was used by that very landing.
        StatementState::Used { entry } => entry == debt.entry,
        StatementState::Unseen
        | StatementState::Replaced { .. }
        | StatementState::Revoked { .. } => false,
    };
    Ok(Statement::parse(&seen.text).ok().filter(|_| is_free))
}

fn holds(eye: &Eye<'_>, debt: &Debt, person: &PrincipalName, statement: &Statement) -> bool {
    let fields = statement.fields();
    let verdict = match &fields.saying {
        Saying::Approval { verdict } => *verdict,
        Saying::Check { .. } => return false,
    };
    verdict == ApprovalVerdict::Approve
        && Some(fields.repository.as_str()) == eye.repository
        && fields.refname == debt.refname
        && fields.delta == debt.delta
        && fields.person == *person
        && fields.expires.seconds() > eye.moment.seconds()
        && matches!(
            eye.roster.heard_saying(statement, eye.moment),
            Heard::By { name, .. } if name == person
        )
}

/// Whether each entry of what landed is back at its old side, or its path is gone. Another content
/// is no repayment: it may be the same with a blank more.
fn restored(reader: &Reader<'_>, debt: &Debt, value: &Oid) -> Result<bool, GatherError> {
    let ends = debt.base.iter().chain([&debt.commit]);
    for end in ends {
        if !reader.is_commit(end)? {
            return Ok(false);
        }
    }
    let Some(value) = reader.peel_commit(value)? else { return Ok(false) };
    let delta = reader.delta(debt.base, Some(debt.commit))?;
    for change in delta.changes() {
        let now = reader.entry_at(&value, &change.path)?;
        if now != change.old && now.is_some() {
            return Ok(false);
        }
    }
    Ok(delta.digest() == debt.delta)
}
