//! What a birth lands. No rule but `access` judges it, so where there are no statements yet nothing is
//! looked for that would speak for it: its trees are looked over, and what the log keeps of every
//! landing is gathered.
//!
//! A whole history may come by a birth. Each of its commits is looked at once.

use crate::facts::born::Born;
use crate::facts::change::Delta;
use crate::facts::landing::StepKind;
use crate::gather::chain::{Arriving, chain, look_over_beside};
use crate::gather::error::GatherError;
use crate::gather::merged::Merged;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::statement::place::{APPROVALS, CHECKS};

/// Whether nobody has said anything of any change yet. Else what is born is looked at as any other
/// landing, which uses up what was said of it.
pub fn is_unspoken(scene: &Scene<'_>) -> Result<bool, GatherError> {
    let is_empty = |space: &[u8]| -> Result<bool, GatherError> {
        Ok(scene.reader.objects.refs_under(&[space, b"/"].concat())?.is_empty())
    };
    Ok(scene.carried.is_empty() && is_empty(APPROVALS)? && is_empty(CHECKS)?)
}

/// Adds the landing of `end` on a branch that is born, from `start`.
pub fn look(
    scene: &mut Scene<'_>,
    start: Option<Oid>,
    end: Oid,
    born: &mut Born,
) -> Result<(), GatherError> {
    let arriving: Arriving = scene.reader.arriving(&[end], start.as_slice())?.into_iter().collect();
    scene.provenance.learn(&scene.reader, [end])?;
    let (chain, off_chain) = chain(start, end, &arriving);
    look_over_beside(scene, &chain, &arriving)?;
    born.commits = born.commits.max(arriving.len());
    steps(scene, &chain, &arriving, born)?;
    if off_chain || scene.provenance.origin(&end).was_before() {
        note(born, &scene.reader.delta(start, Some(end))?);
    }
    Ok(())
}

/// The steps of the chain, oldest first: merges, and runs of single-parent commits by both readings.
fn steps(
    scene: &Scene<'_>,
    chain: &[Oid],
    arriving: &Arriving,
    born: &mut Born,
) -> Result<(), GatherError> {
    // Where the run of single-parent commits that is being read began, and the last of them.
    let mut run: Option<(Option<Oid>, Oid)> = None;
    for oid in chain {
        let Some(commit) = arriving.get(oid) else { return Err(GatherError::NoCommit) };
        let first = commit.parents.first().copied();
        let delta = scene.reader.delta(first, Some(*oid))?;
        note(born, &delta);
        match commit.parents.get(1..) {
            Some(others @ [_, ..]) => {
                end_of_run(scene, run.take(), born)?;
                let merged = Merged::look(scene, StepKind::Merge, first, others)?;
                born.digests.extend(merged.digests(&delta));
            }
            Some([]) | None => run = Some((run.map_or(first, |(from, _)| from), *oid)),
        }
    }
    end_of_run(scene, run, born)
}

fn end_of_run(
    scene: &Scene<'_>,
    run: Option<(Option<Oid>, Oid)>,
    born: &mut Born,
) -> Result<(), GatherError> {
    if let Some((from, to)) = run {
        born.digests.insert(scene.reader.delta(from, Some(to))?.digest());
    }
    Ok(())
}

fn note(born: &mut Born, delta: &Delta) {
    for change in delta.changes() {
        if !born.paths.contains(&change.path) {
            born.paths.insert(change.path.clone());
        }
    }
    born.digests.insert(delta.digest());
}

#[cfg(test)]
#[path = "birth_tests.rs"]
mod tests;
