//! What Git itself made of a change while merging it: files that the branch had changed as well,
//! whose lines were merged without a conflict (`moved = "clean-merge"` of an approval rule).
//!
//! Only what nobody can steer counts: a merge of two parents with one merge base that equals the
//! merge recomputed, and files that stand at the same path on all four sides. A file that was
//! renamed, made, deleted or given another type on the way has to be approved as it lands, and so
//! has one for which a `.gitattributes` speaks of merging, since a driver may leave lines out.

use crate::facts::change::{Delta, FileMode, PathChange, Side};
use crate::facts::evidence::Reject;
use crate::facts::landing::{CleanMerge, MergeFact};
use crate::gather::error::GatherError;
use crate::gather::merged::{Merged, arrives};
use crate::gather::rejects;
use crate::gather::scene::{Asked, Scene};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;

/// How large a `.gitattributes` may be that is looked into, in bytes. A larger one counts as one
/// that speaks of merging.
pub const ATTRIBUTES_BYTES_MAX: usize = 64 * 1024;

/// How many files of one merge are looked at. Past it nothing is known to be merged cleanly.
pub const CLEAN_FILES_MAX: usize = 1_000;

/// Words of a `.gitattributes` that change how a file is merged: the attribute itself, and the
/// built-in macro that holds it. Macros of its own need the attribute's name.
const OF_MERGING: [&[u8]; 2] = [b"merge", b"binary"];

/// A merge that is looked at.
pub struct Landed<'l> {
    /// The ref it lands on.
    pub name: &'l Refname,
    /// Its first parent.
    pub from: Option<Oid>,
    /// The merge.
    pub to: Oid,
    /// From the first parent to the merge.
    pub delta: &'l Delta,
    /// How it compares with the merge recomputed.
    pub fact: Option<&'l MergeFact>,
}

/// What of a merged change Git has merged line by line. `None` where no rule asks, or where the
/// change as a whole has not landed in that way.
pub fn look(
    scene: &Scene<'_>,
    landed: &Landed<'_>,
    merged: &Merged,
    asked: &Asked,
) -> Result<Option<CleanMerge>, GatherError> {
    let (Some(from), Some(MergeFact::Equal), true) = (landed.from, landed.fact, asked.clean_merge)
    else {
        return Ok(None);
    };
    let Some((other, change)) = merged.single() else { return Ok(None) };
    let mut paths = Vec::new();
    for entry in change.changes() {
        let landing = entry_of(landed.delta, &entry.path);
        if landing == Some(entry) {
            continue;
        }
        let arrived = arrives(scene, (&landed.to, landed.delta), entry)?;
        if arrived && landing.is_none() {
            // The branch had the very same already.
            continue;
        }
        if paths.len() == CLEAN_FILES_MAX || !is_merged(scene, (&from, other), landed, entry)? {
            if arrived {
                // It has to be approved as it lands, the rest of the change need not.
                continue;
            }
            return Ok(None);
        }
        paths.push(entry.path.clone());
    }
    if paths.is_empty() {
        return Ok(None);
    }
    let rejects = rejects::of(scene, landed.name, change, asked)?;
    let rejects = rejects.into_iter().map(|reject| as_landed(reject, change, landed.delta));
    Ok(Some(CleanMerge {
        of: *other,
        digest: change.digest(),
        paths,
        rejects: rejects.filter(|reject| !reject.entries.is_empty()).collect(),
    }))
}

/// Whether an entry of the change is a file on all four sides, and nothing steers its merging.
fn is_merged(
    scene: &Scene<'_>,
    parents: (&Oid, &Oid),
    landed: &Landed<'_>,
    entry: &PathChange,
) -> Result<bool, GatherError> {
    let ours = scene.reader.entry_at(parents.0, &entry.path)?;
    let result = match entry_of(landed.delta, &entry.path) {
        Some(landing) => landing.new,
        None => ours,
    };
    let sides = [entry.old, entry.new, ours, result];
    if !sides.iter().all(is_file) {
        return Ok(false);
    }
    for parent in [parents.0, parents.1, &landed.to] {
        if is_steered(scene, parent, &entry.path)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_file(side: &Option<Side>) -> bool {
    side.is_some_and(|side| matches!(side.mode, FileMode::File | FileMode::Executable))
}

/// Whether a `.gitattributes` beside the file or above it speaks of merging.
fn is_steered(scene: &Scene<'_>, commit: &Oid, path: &RepoPath) -> Result<bool, GatherError> {
    let bytes = path.as_bytes();
    let folders = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
    for end in std::iter::once(0).chain(folders) {
        let mut at = bytes.get(..end).unwrap_or_default().to_vec();
        at.extend_from_slice(b".gitattributes");
        let Some(side) = scene.reader.entry_at(commit, &RepoPath::new(at))? else { continue };
        let text = scene.reader.small_blob(&side.oid, ATTRIBUTES_BYTES_MAX)?;
        let Some(text) = text else { return Ok(true) };
        if OF_MERGING.iter().any(|word| memchr::memmem::find(&text, word).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A reject of the change, by the places of its entries in what lands.
fn as_landed(reject: Reject, change: &Delta, landed: &Delta) -> Reject {
    let path = |at: &usize| change.changes().get(*at).map(|entry| &entry.path);
    let place = |path: &RepoPath| landed.changes().binary_search_by(|c| c.path.cmp(path)).ok();
    let entries = reject.entries.iter().filter_map(path).filter_map(place).collect();
    Reject { entries, ..reject }
}

fn entry_of<'d>(delta: &'d Delta, path: &RepoPath) -> Option<&'d PathChange> {
    let at = delta.changes().binary_search_by(|entry| entry.path.cmp(path)).ok()?;
    delta.changes().get(at)
}
