//! The append-only attribute of a segment (`chattr +a`): bytes can be added and none changed, nor
//! the file removed, by root neither, until somebody takes the attribute away again.
//!
//! Set by `install --append-only`, carried over to each new segment, taken away by `log tidy`
//! before a closed segment is packed. Only root may set it (CAP_LINUX_IMMUTABLE), and only some
//! file systems have it: ext4, XFS, Btrfs. See ioctl_iflags(2).

use std::fs::File;
use std::io;

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

/// Whether a file has the attribute. A file system without attributes has not.
pub fn is_set(file: &File) -> bool {
    ioctl_getflags(file).is_ok_and(|flags| flags.contains(IFlags::APPEND))
}

/// Gives a file the attribute, or takes it away.
///
/// # Errors
/// `PermissionDenied` for everybody but root; `Unsupported` where the file system has none.
pub fn set(file: &File, on: bool) -> io::Result<()> {
    let before = ioctl_getflags(file)?;
    let after = if on { before | IFlags::APPEND } else { before - IFlags::APPEND };
    if before != after {
        ioctl_setflags(file, after)?;
    }
    Ok(())
}

/// Gives a new segment the attribute that the one before has, where this account may. `doctor`
/// tells where it might not.
pub fn carry_over(old: &File, new: &File) {
    if is_set(old) {
        // Best effort: a push must not be refused because it is not root's.
        let _ = set(new, true);
    }
}
