//! Checks of a step's change: what machines said of it, found as approvals are.
//!
//! Names are probed, never listed: candidate keys times the checks and machines that the rules can
//! count.

use std::collections::BTreeSet;

use crate::facts::evidence::NearCheck;
use crate::facts::needs::Checker;
use crate::gather::candidates::{Draft, Found, NEAR_COMMITS_MAX, NEAR_MAX, look, miss};
use crate::gather::error::GatherError;
use crate::gather::scene::{Asked, Scene};
use crate::names::digest::Digest;
use crate::statement::fields::{CheckVerdict, Saying};
use crate::statement::place::Place;
use crate::statement::read::Statement;

/// Finds the checks of a step. `used` is as for approvals.
pub fn find(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    asked: &Asked,
    used: &BTreeSet<Digest>,
) -> Result<Found<NearCheck>, GatherError> {
    let by = |key| {
        move |Checker { check, machine }: &Checker| {
            let (check, machine) = (check.clone(), machine.clone());
            Place::Check { key, check, machine }
        }
    };
    let places = |key| asked.checkers.iter().map(by(key)).collect();
    look(scene, draft, used, places, |scene, draft| match asked.checkers.is_empty() {
        true => Ok(Vec::new()),
        false => near(scene, draft, asked),
    })
}

/// Passed checks of earlier forms of this change, found by the commits they name; of each machine
/// and check the one that the newest commit has.
fn near(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    asked: &Asked,
) -> Result<Vec<NearCheck>, GatherError> {
    let mut near: Vec<NearCheck> = Vec::new();
    for commit in draft.change.iter().take(NEAR_COMMITS_MAX) {
        for seen in scene.past.statements_on(commit)? {
            let here = seen.for_ref == *draft.name;
            if !here || draft.digests.contains(&seen.delta) || near.len() == NEAR_MAX {
                continue;
            }
            let Ok(statement) = Statement::parse(&seen.text) else { continue };
            let Saying::Check { check, verdict: CheckVerdict::Pass, .. } =
                &statement.fields().saying
            else {
                continue;
            };
            let known = |n: &NearCheck| n.check == *check && n.miss.person == seen.person;
            let checker = Checker { check: check.clone(), machine: seen.person.clone() };
            if !asked.checkers.contains(&checker) || near.iter().any(known) {
                continue;
            }
            let base = statement.fields().base_commit();
            let passed = scene.reader.delta(base, Some(*commit))?;
            let miss = miss(seen.person, *commit, &passed, draft.delta);
            near.push(NearCheck { check: checker.check, miss });
        }
    }
    Ok(near)
}
