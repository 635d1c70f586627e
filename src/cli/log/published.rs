//! Which published checkpoint a log is pruned behind: the file that is named, or of a folder of such
//! files, for many logs at once, the longest that each log has there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::log::seal::read_checkpoint;
use crate::cli::quote::shown;

/// What `--published` names.
pub(super) enum Published {
    /// One checkpoint, whatever log is pruned.
    File(PathBuf),
    /// The longest checkpoint of each log, by the log's name.
    Folder(BTreeMap<String, (u64, PathBuf)>),
}

impl Published {
    /// Looks what there is. Files of a folder that are no checkpoints are passed over.
    pub(super) fn look(path: &Path) -> Result<Self, Fault> {
        if !path.is_dir() {
            return Ok(Self::File(path.to_owned()));
        }
        let unread = || format!("could not read {}", shown(path));
        let mut found: BTreeMap<String, (u64, PathBuf)> = BTreeMap::new();
        for entry in fs::read_dir(path).or_fault(unread)? {
            let file = entry.or_fault(unread)?.path();
            if !file.is_file() {
                continue;
            }
            let Ok((checkpoint, _)) = read_checkpoint(&file) else { continue };
            let one = (checkpoint.size, file);
            let there = found.entry(checkpoint.origin).or_insert_with(|| one.clone());
            if one > *there {
                *there = one;
            }
        }
        Ok(Self::Folder(found))
    }

    /// The file for the log of this name, if there is one.
    pub(super) fn of(&self, origin: &str) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Folder(all) => all.get(origin).map(|(_, path)| path.as_path()),
        }
    }
}
