//! Rejects of what a step changes: found through the log, entry by entry, whatever became of their
//! refs and of the form in which the change was rejected (product contract, section 5, rule 4).

use std::collections::HashMap;

use crate::facts::change::Delta;
use crate::facts::evidence::{Reject, StatementPush};
use crate::facts::past::StatementSeen;
use crate::gather::error::GatherError;
use crate::gather::scene::{Asked, Scene};
use crate::names::digest::Digest;
use crate::names::refname::Refname;
use crate::statement::fields::Fields;
use crate::statement::read::Statement;

/// The rejects that stand at the time of judging and share an entry with this delta. Nothing is
/// looked up where no rule can be stopped by one, or nobody ever rejected anything for the ref.
pub fn of(
    scene: &Scene<'_>,
    name: &Refname,
    delta: &Delta,
    asked: &Asked,
) -> Result<Vec<Reject>, GatherError> {
    if !asked.veto {
        return Ok(Vec::new());
    }
    let of_ref = |push: &&StatementPush| push.statement.fields().refname == *name && push.enters;
    let carried = scene.carried.iter().map(|(_, push)| push).filter(of_ref);
    let carried: Vec<&StatementPush> = carried.filter(|push| !push.rejected.is_empty()).collect();
    if carried.is_empty() && !scene.past.any_reject(name)? {
        return Ok(Vec::new());
    }
    let digests = delta.entry_digests();
    let places: HashMap<Digest, usize> = digests.iter().copied().zip(0..).collect();
    let at = |entries: &[Digest]| -> Vec<usize> {
        let mut at: Vec<usize> = entries.iter().filter_map(|e| places.get(e).copied()).collect();
        at.sort_unstable();
        at
    };
    let mut rejects = Vec::new();
    for seen in scene.past.rejects(name, &digests)? {
        if let Some(fields) = standing(scene, &seen.statement) {
            rejects.push(reject(&fields, at(&seen.entries)));
        }
    }
    let carried = carried.iter().map(|push| reject(push.statement.fields(), at(&push.rejected)));
    rejects.extend(carried.filter(|reject| !reject.entries.is_empty()));
    Ok(rejects)
}

fn reject(fields: &Fields, entries: Vec<usize>) -> Reject {
    Reject {
        person: fields.person.clone(),
        commit: fields.commit,
        date: fields.date,
        expires: fields.expires,
        entries,
    }
}

/// What a reject of the log says, where it still counts: verified anew, not expired, and not the
/// word that this push replaces.
fn standing(scene: &Scene<'_>, seen: &StatementSeen) -> Option<Fields> {
    let statement = Statement::parse(&seen.text).ok()?;
    let fields = statement.fields();
    let replaced = scene.carried.iter().any(|(place, _)| *place == seen.place);
    let expired = fields.expires.seconds() <= scene.moment.seconds();
    if replaced || expired || Some(fields.repository.as_str()) != scene.repository {
        return None;
    }
    // A reject by a key that counts no more still stops: its signer is in the roster.
    let heard = scene.roster.heard_saying(&statement, scene.moment);
    (heard.key_of() == Some(&fields.person)).then(|| fields.clone())
}
