//! Where the symbolic links that a step brings lead to.

use crate::facts::change::{Delta, FileMode};
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::gather::scene::{Asked, Scene};
use crate::names::path::RepoPath;

/// Links, and what each holds.
type Targets = Vec<(RepoPath, Option<Vec<u8>>)>;

/// How long what a link holds may be, in bytes: no system follows a longer one (PATH_MAX).
pub const TARGET_BYTES_MAX: u64 = 4096;

/// The same as `targets` where a rule asks; else nothing is read.
pub fn asked(scene: &Scene<'_>, delta: &Delta, asked: &Asked) -> Result<Targets, GatherError> {
    match asked.links {
        true => targets(&scene.reader, delta),
        false => Ok(Targets::new()),
    }
}

/// The links on the new side of a delta with what they hold; `None` for what is too long to be
/// followed.
pub fn targets(reader: &Reader<'_>, delta: &Delta) -> Result<Targets, GatherError> {
    let mut found = Targets::new();
    for change in delta.changes() {
        let Some(side) = change.new.filter(|side| side.mode == FileMode::Symlink) else { continue };
        let target = match reader.size(&side.oid)? <= TARGET_BYTES_MAX {
            true => Some(reader.blob(&side.oid)?),
            false => None,
        };
        found.push((change.path.clone(), target));
    }
    Ok(found)
}
