//! Names that arrive beside others which some file system takes for the same: `Readme` and
//! `README`, an accent in one letter and in two. A clone there has one file where the tree has two.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::facts::intake::{Clash, Taken};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::pattern::fold::folded;
use crate::store::tree::Tree;

/// The names of a folder that look alike, in pairs, by the folder's tree.
type Pairs = Arc<Vec<(Vec<u8>, Vec<u8>)>>;

/// The collisions that these changes make. What collided before is passed over.
pub fn look(scene: &Scene<'_>, taken: &[Taken]) -> Result<Vec<Clash>, GatherError> {
    let mut known: HashMap<Oid, Pairs> = HashMap::new();
    let mut clashes: Vec<Clash> = Vec::new();
    let added = taken.iter().filter(|taken| taken.change.old.is_none());
    for Taken { commit, change, .. } in added {
        let parent = scene.reader.parents(commit)?.first().copied();
        let mut folder = RepoPath::new("");
        for name in change.path.as_bytes().split(|&b| b == b'/') {
            let Some((oid, tree)) = scene.reader.folder(commit, &folder)? else { break };
            let pairs = Arc::clone(known.entry(oid).or_insert_with(|| pairs(&tree)));
            let (path, before) = (folder.join(name), parent);
            for other in pairs.iter().filter_map(|pair| partner(pair, name)) {
                let clash =
                    Clash { commit: *commit, path: path.clone(), other: folder.join(other) };
                let told = clashes.iter().any(|c| c.path == clash.path && c.other == clash.other);
                if !told && !stood(scene, before, &folder, [name, other])? {
                    clashes.push(clash);
                }
            }
            folder = path;
        }
    }
    Ok(clashes)
}

fn partner<'p>((one, other): &'p (Vec<u8>, Vec<u8>), name: &[u8]) -> Option<&'p [u8]> {
    match (one == name, other == name) {
        (true, _) => Some(other),
        (_, true) => Some(one),
        (false, false) => None,
    }
}

/// Whether both names stood in that folder before.
fn stood(
    scene: &Scene<'_>,
    parent: Option<Oid>,
    folder: &RepoPath,
    names: [&[u8]; 2],
) -> Result<bool, GatherError> {
    let Some(parent) = parent else { return Ok(false) };
    let before = scene.reader.folder(&parent, folder)?;
    Ok(before.is_some_and(|(_, tree)| names.iter().all(|name| tree.entry(name).is_some())))
}

fn pairs(tree: &Tree) -> Pairs {
    let mut by_spelling: BTreeMap<Vec<u8>, Vec<&[u8]>> = BTreeMap::new();
    for entry in tree.entries() {
        let spellings = folded(entry.name);
        for spelling in std::iter::once(spellings.letters).chain(spellings.loose) {
            by_spelling.entry(spelling).or_default().push(entry.name);
        }
    }
    let mut pairs = Vec::new();
    for names in by_spelling.values() {
        // One name against all others of a spelling is enough to tell of each.
        let (Some(first), rest) = (names.first(), names.iter().skip(1)) else { continue };
        for other in rest.filter(|other| *other != first) {
            pairs.push((first.to_vec(), other.to_vec()));
        }
    }
    Arc::new(pairs)
}
