//! Where a creation is judged from (product contract, section 4, "Made refs").

use std::cell::RefCell;

use crate::facts::past::ValueSource;
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::pattern::refs::RefPatterns;

/// How many of a ref's latest moves are looked at for its last value.
const LAST_MOVES_MAX: usize = 16;

/// The start of a creation: the last value the log gives this ref; else the nearest commit on the
/// new value's first-parent chain that a ref of `starts` has had; else nothing, the empty tree.
pub fn start(
    scene: &mut Scene<'_>,
    name: &Refname,
    starts: &RefPatterns,
    end: Oid,
) -> Result<Option<Oid>, GatherError> {
    if let Some(last) = last_value(scene, name)? {
        return scene.reader.peel_commit(&last);
    }
    let refs = branches(scene, starts)?;
    if refs.is_empty() {
        return Ok(None);
    }
    let mut at = Some(end);
    let mut walked = 0;
    while let Some(commit) = at {
        if had_by_any(scene, &refs, &commit)? {
            return Ok(Some(commit));
        }
        walked += 1;
        if walked > scene.reader.limits.commits {
            return Err(GatherError::Limit { name: "commits", limit: scene.reader.limits.commits });
        }
        at = scene.reader.parents(&commit)?.first().copied();
    }
    Ok(None)
}

/// The last value that is one, should the ref be deleted by now.
fn last_value(scene: &Scene<'_>, name: &Refname) -> Result<Option<Oid>, GatherError> {
    match scene.past.value(name)? {
        None => return Ok(None),
        Some(value) if !value.oid.is_zero() => return Ok(Some(value.oid)),
        Some(_) => {}
    }
    let moves = scene.past.recent_landings(name, LAST_MOVES_MAX)?;
    let values = moves.iter().flat_map(|landing| [landing.new, landing.old]);
    Ok(values.into_iter().find(|oid| !oid.is_zero()))
}

/// The refs matching these patterns that have had this value by an applied entry or genesis.
pub fn refs_that_had(
    scene: &Scene<'_>,
    patterns: &RefPatterns,
    value: &Oid,
) -> Result<Vec<Refname>, GatherError> {
    let mut had = Vec::new();
    for name in branches(scene, patterns)? {
        if scene.past.had(&name, value)?.is_some() {
            had.push(name);
        }
    }
    Ok(had)
}

/// The values that the log gives the refs matching these patterns now, and gave them when it began,
/// peeled to commits. What stands there by drift is none of them.
pub fn values(scene: &Scene<'_>, patterns: &RefPatterns) -> Result<Vec<Oid>, GatherError> {
    let default = scene.default_branch.as_ref();
    let genesis = scene.past.genesis()?;
    let first = genesis.refs.iter().filter(|(name, _)| patterns.matches(name, default));
    let mut values: Vec<Oid> = first.map(|(_, oid)| *oid).collect();
    for name in branches(scene, patterns)? {
        if let Some(value) = scene.past.value(&name)?
            && value.source != ValueSource::Drift
            && !value.oid.is_zero()
        {
            values.push(value.oid);
        }
    }
    let mut commits = Vec::new();
    for value in values {
        // What was there once may be gone from the disk by now.
        if scene.reader.objects.header(&value)?.is_some() {
            commits.extend(scene.reader.peel_commit(&value)?);
        }
    }
    Ok(commits)
}

fn branches(scene: &Scene<'_>, patterns: &RefPatterns) -> Result<Vec<Refname>, GatherError> {
    let default = scene.default_branch.as_ref();
    let found = RefCell::new(Vec::new());
    scene.past.any_branch_ever(&|name| {
        if patterns.matches(name, default) {
            found.borrow_mut().push(name.clone());
        }
        false
    })?;
    Ok(found.into_inner())
}

fn had_by_any(scene: &Scene<'_>, refs: &[Refname], value: &Oid) -> Result<bool, GatherError> {
    for name in refs {
        if scene.past.had(name, value)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
#[path = "creation_tests.rs"]
mod tests;
