//! The append-only attribute of a segment (`chattr +a`): bytes can be added and none changed, nor
//! the file removed, by root neither, until somebody takes the attribute away again.
//!
//! Set by `install --append-only`, and carried over to each new segment where the account may. Only
//! root may set it (CAP_LINUX_IMMUTABLE), and only some file systems have it: ext4, XFS, Btrfs. See
//! ioctl_iflags(2).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::log::segment::{PLAIN, file_name};
use crate::log::tape::list;

/// Whether a file has the attribute. A file system without attributes has not.
pub fn is_set(file: &File) -> bool {
    ioctl_getflags(file).is_ok_and(|flags| flags.contains(IFlags::APPEND))
}

/// Gives a file the attribute.
///
/// # Errors
/// `PermissionDenied` for everybody but root; `Unsupported` where the file system has none.
pub fn set(file: &File) -> io::Result<()> {
    let flags = ioctl_getflags(file)?;
    Ok(ioctl_setflags(file, flags | IFlags::APPEND)?)
}

/// The files of a log that lack the attribute: every segment that is as it was written.
pub fn unprotected(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let plain = list(dir)?.into_iter().filter(|segment| segment.plain);
    let mut all = Vec::new();
    for path in plain.map(|segment| dir.join(file_name(segment.first, PLAIN))) {
        if !is_set(&File::open(&path)?) {
            all.push(path);
        }
    }
    Ok(all)
}

/// The files that lack the attribute where others of the log have it.
pub fn forgotten(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let lacking = unprotected(dir)?;
    let plain = list(dir)?.iter().filter(|segment| segment.plain).count();
    Ok(if lacking.len() < plain { lacking } else { Vec::new() })
}

/// Gives a new segment the attribute that the one before has, where this account may. `doctor`
/// tells where it might not.
pub fn carry_over(old: &File, new: &File) {
    if is_set(old) {
        // Best effort: a push must not be refused because it is not root's.
        let _ = set(new);
    }
}
