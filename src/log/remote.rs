//! File systems of other machines, where a log is not safe: they simulate appending and locking, so
//! two writers may tear each other's lines.
//!
//! Such a folder is refused, but for an operator who knows better and has left a word in it.

use std::io;
use std::path::{Path, PathBuf};

use crate::log::disk::io_fault;
use crate::log::error::LogError;

/// File systems of other machines, by `f_type` (`linux/magic.h`).
const REMOTE_FILE_SYSTEMS: [(u32, &str); 6] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
];

/// The file with which `install --network-log` says that the folder is wanted where it is.
pub fn permit(dir: &Path) -> PathBuf {
    dir.join("network-log")
}

/// Refuses a folder on another machine, unless somebody has permitted it.
///
/// # Errors
/// `Remote` for such a folder; otherwise when it cannot be looked at.
pub fn refuse(dir: &Path) -> Result<(), LogError> {
    let found = rustix::fs::statfs(dir)
        .map_err(|errno| io_fault("look at", dir, io::Error::from(errno)))?;
    // The kernel's numbers are 32 bits wide, whatever the field's type is here.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the field's width and sign differ between machines"
    )]
    let kind = found.f_type as u32;
    refuse_kind(dir, kind)
}

fn refuse_kind(dir: &Path, kind: u32) -> Result<(), LogError> {
    match REMOTE_FILE_SYSTEMS.iter().find(|(magic, _)| *magic == kind) {
        Some((_, name)) if !permit(dir).exists() => {
            Err(LogError::Remote { dir: dir.to_owned(), name })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_on_another_machine_is_refused_until_somebody_permits_it() {
        let dir = tempfile::tempdir().unwrap();
        refuse(dir.path()).unwrap();
        let refused = refuse_kind(dir.path(), 0x6969).unwrap_err();
        assert!(matches!(refused, LogError::Remote { name: "NFS", .. }));
        std::fs::write(permit(dir.path()), "").unwrap();
        refuse_kind(dir.path(), 0x6969).unwrap();
    }
}
