//! Which kind a path belongs to, by its name alone.

use std::sync::OnceLock;

use crate::infra::glob::{Folded, Glob};
use crate::infra::kinds::TABLE;
use crate::infra::set::InfraKinds;

/// Each row's globs, compiled when a path is first held against them.
static GLOBS: [OnceLock<Vec<Glob>>; TABLE.len()] = [const { OnceLock::new() }; TABLE.len()];

fn globs(row: usize) -> &'static [Glob] {
    GLOBS[row].get_or_init(|| TABLE[row].paths.iter().flat_map(|glob| Glob::expand(glob)).collect())
}

/// Names of files that are for people, whatever folder they lie in.
const PROSE: [&[u8]; 9] = [
    b"authors",
    b"changelog",
    b"code_of_conduct",
    b"contributing",
    b"licence",
    b"license",
    b"notice",
    b"readme",
    b"security",
];

/// What such a name may end in.
const PROSE_ENDS: [&[u8]; 5] = [b"md", b"txt", b"rst", b"adoc", b"org"];

/// Those of these kinds whose globs cover the path of a file, symbolic link or submodule. Bytes as
/// they stand in trees. A folder's glob does not cover the README, the changelog and the like in it.
pub fn by_path(kinds: InfraKinds, path: &[u8]) -> InfraKinds {
    if kinds.is_empty() {
        return kinds;
    }
    let folded = Folded::new(path);
    let prose = is_prose(folded.file_name());
    let covers = |glob: &Glob| glob.covers(&folded) && !(prose && glob.is_folder());
    kinds.filter(|row| globs(row).iter().any(covers))
}

fn is_prose(name: &[u8]) -> bool {
    match name.iter().position(|&b| b == b'.') {
        Some(dot) => PROSE.contains(&&name[..dot]) && PROSE_ENDS.contains(&&name[dot + 1..]),
        None => PROSE.contains(&name),
    }
}
