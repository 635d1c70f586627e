//! A hook's file on disk: what is there, how ours is put there, how what was there comes back.
//!
//! Used by `install` and `uninstall`; `doctor` looks for itself, it wants to know more. At no moment
//! is there no hook where there was one, and no earlier hook is ever lost.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::platform::Place;
use crate::cli::quote::{shell, shown};
use crate::cli::shim::{self, HOOK_BYTES_MAX, Shim};

/// The mode of our hook files: everybody may run them, only their owner may change them.
pub const HOOK_MODE: u32 = 0o755;

/// What stands in a hook's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing.
    Absent,
    /// Ours, a regular file with the right mode, calling this program.
    Ours(PathBuf),
    /// Ours, but edited, of another version, behind a symlink or with another mode.
    Worn,
    /// Somebody else's, or a symlink to anything that is not ours.
    Foreign,
}

/// Looks at a hook's place.
pub fn state(place: &Place) -> Result<State, Fault> {
    let looked = || format!("could not look at {}", shown(&place.path));
    let meta = match fs::symlink_metadata(&place.path) {
        Ok(meta) => meta,
        Err(error) if files::is_absent(&error) => return Ok(State::Absent),
        Err(error) => return Err(error).or_fault(looked),
    };
    if meta.is_dir() {
        return Err(Fault::new(format!("{} is a folder", shown(&place.path)))
            .hint("take it away, or put the hook it holds in its place"));
    }
    let bytes = match files::read_start(&place.path, HOOK_BYTES_MAX) {
        Ok(bytes) => bytes,
        // A dangling symlink is somebody's, too, and is put back when we go.
        Err(_) if meta.is_symlink() => return Ok(State::Foreign),
        Err(error) => return Err(error).or_fault(looked),
    };
    let as_written = !meta.is_symlink() && meta.permissions().mode() & 0o7777 == HOOK_MODE;
    Ok(match shim::read(place.hook, &bytes) {
        Shim::Current { binary } if as_written => State::Ours(binary),
        Shim::Current { .. } | Shim::Altered => State::Worn,
        Shim::Foreign => State::Foreign,
    })
}

/// Whether a hook would be kept aside when ours is put in its place. Faults when one is kept there
/// already: then there are two, and only the operator knows which one is wanted.
pub fn must_keep(place: &Place, state: &State) -> Result<bool, Fault> {
    let Some(earlier) = place.earlier.as_deref().filter(|_| *state == State::Foreign) else {
        return Ok(false);
    };
    if fs::symlink_metadata(earlier).is_err() {
        return Ok(true);
    }
    if is_kept_already(&place.path, earlier) {
        return Ok(false);
    }
    Err(Fault::new(format!(
        "{} is not ours, and there is an earlier hook already",
        shown(&place.path)
    ))
    .cause(format!("{} would be overwritten", shown(earlier)))
    .hint(format!(
        "keep the one that is wanted: mv {} {}",
        shell(&place.path),
        shell(earlier)
    )))
}

/// Whether both are names of one file: keeping was done and putting was not, an install was stopped
/// in between.
fn is_kept_already(path: &Path, earlier: &Path) -> bool {
    match (fs::symlink_metadata(path), fs::symlink_metadata(earlier)) {
        (Ok(now), Ok(kept)) => (kept.dev(), kept.ino()) == (now.dev(), now.ino()),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Keeps the hook that is there beside itself; it stays in force until ours takes its place.
pub fn keep(place: &Place) -> Result<(), Fault> {
    let Some(earlier) = &place.earlier else { return Ok(()) };
    files::second_name(&place.path, earlier)
        .or_fault(|| format!("could not keep {} as {}", shown(&place.path), shown(earlier)))
}

/// Puts our hook in its place.
pub fn put(place: &Place, bytes: &[u8], durable: Durable) -> Result<(), Fault> {
    let could_not = || format!("could not write {}", shown(&place.path));
    if let Some(folder) = place.path.parent() {
        files::make_folders(folder, 0o755).or_fault(could_not)?;
    }
    files::write_whole_by(&place.path, bytes, HOOK_MODE, durable).or_fault(could_not)
}

/// What became of a hook's place when ours was taken out of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restored {
    /// Ours was not there, and nothing was kept.
    Nothing,
    /// Ours is gone.
    Removed,
    /// The earlier hook is back, as it was.
    Earlier,
    /// A hook that is not ours was left alone.
    LeftForeign,
}

/// Takes our hook away and puts back what was there before.
pub fn restore(place: &Place) -> Result<Restored, Fault> {
    let state = state(place)?;
    let earlier = place.earlier.as_deref().filter(|path| fs::symlink_metadata(path).is_ok());
    match (state, earlier) {
        (State::Foreign, Some(earlier)) if is_kept_already(&place.path, earlier) => {
            files::remove(earlier).or_fault(|| format!("could not remove {}", shown(earlier)))?;
            Ok(Restored::Earlier)
        }
        (State::Foreign, Some(_) | None) => Ok(Restored::LeftForeign),
        (State::Absent | State::Ours(_) | State::Worn, Some(earlier)) => {
            files::rename(earlier, &place.path)
                .or_fault(|| format!("could not put back {}", shown(&place.path)))?;
            Ok(Restored::Earlier)
        }
        (State::Ours(_) | State::Worn, None) => {
            files::remove(&place.path)
                .or_fault(|| format!("could not remove {}", shown(&place.path)))?;
            Ok(Restored::Removed)
        }
        (State::Absent, None) => Ok(Restored::Nothing),
    }
}
