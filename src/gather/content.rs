//! Which changed files are infrastructure by what they hold, where their path says nothing.
//!
//! Detection widens, never narrows: what is too large, past the budget or cannot be decoded counts
//! as a match when its name ends like structured data.

use crate::facts::change::{FileMode, PathChange, Side};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::infra::content::{by_content, wants_content};
use crate::infra::set::InfraKinds;
use crate::names::path::RepoPath;

/// The kinds that each changed path is by content, on its old side or its new.
pub fn marks<'c>(
    scene: &mut Scene<'_>,
    changes: impl IntoIterator<Item = &'c PathChange>,
    kinds: InfraKinds,
) -> Result<Vec<(RepoPath, InfraKinds)>, GatherError> {
    let mut marks = Vec::new();
    if kinds.is_empty() {
        return Ok(marks);
    }
    for change in changes {
        if !wants_content(kinds, change.path.as_bytes()) {
            continue;
        }
        let mut found = InfraKinds::default();
        for side in [change.old, change.new].into_iter().flatten() {
            found = found.union(of_blob(scene, &change.path, side, kinds)?);
        }
        if !found.is_empty() {
            marks.push((change.path.clone(), found));
        }
    }
    Ok(marks)
}

fn of_blob(
    scene: &mut Scene<'_>,
    path: &RepoPath,
    side: Side,
    kinds: InfraKinds,
) -> Result<InfraKinds, GatherError> {
    match side.mode {
        FileMode::File | FileMode::Executable => {}
        FileMode::Symlink | FileMode::Gitlink => return Ok(InfraKinds::default()),
    }
    if let Some(known) = scene.content_known.get(&(side.oid, path.file_name().to_vec())) {
        return Ok(*known);
    }
    let limits = scene.reader.limits;
    let size = scene.reader.size(&side.oid)?;
    let within = size <= limits.blob_bytes && scene.blob_bytes + size <= limits.blob_budget_bytes;
    let found = if within {
        scene.blob_bytes += size;
        let bytes = scene.reader.blob(&side.oid)?;
        by_content(kinds, path.as_bytes(), &bytes)
    } else {
        // Only names that end like structured data come here.
        kinds
    };
    scene.content_known.insert((side.oid, path.file_name().to_vec()), found);
    Ok(found)
}
