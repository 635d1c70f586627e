//! What `install` is going to do to one repository, step by step, before it does any of it.
//!
//! Made by `install` from what is there now, so that a second run has nothing to do; shown by
//! `--dry-run`, done otherwise. The order is the order of a list: the hooks come last, when all they
//! need is there.

use std::path::PathBuf;

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::{Change, Git};
use crate::cli::hookfile;
use crate::cli::logs;
use crate::cli::platform::Place;
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::log::remote;
use crate::names::moment::Moment;

/// One change to a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Makes the folder for our own things.
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Writes the starter policy.
    WritePolicy {
        /// The file.
        path: PathBuf,
        /// What goes into it.
        text: String,
        /// Its mode.
        mode: u32,
    },
    /// Changes keys of the repository's configuration, all at once.
    Configure(Vec<Change>),
    /// Begins the log.
    CreateLog {
        /// Its folder.
        dir: PathBuf,
        /// The folder's mode.
        mode: u32,
        /// When it begins.
        moment: Moment,
    },
    /// Permits the log to be on a network file system.
    PermitNetwork {
        /// The log's folder.
        dir: PathBuf,
        /// The folder's mode.
        mode: u32,
    },
    /// Gives the log's files the append-only attribute.
    Protect {
        /// The log's folder.
        dir: PathBuf,
    },
    /// Keeps the hook that is there as `HOOK.before-portcullis`.
    KeepHook(Place),
    /// Takes a hook of ours away that is no longer wanted, and puts back what was there.
    RestoreHook(Place),
    /// Writes our hook.
    PutHook {
        /// Where.
        place: Place,
        /// What goes into the file.
        bytes: Vec<u8>,
    },
}

impl Step {
    /// The step in words, as the command that would do it where there is one.
    pub fn describe(&self) -> String {
        match self {
            Self::MakeFolder { path, mode } => format!("mkdir -m {mode:04o} {}", shell(path)),
            Self::WritePolicy { path, text, .. } => {
                format!("write {} ({} lines)", shown(path), text.lines().count())
            }
            Self::Configure(changes) => {
                changes.iter().flat_map(Change::describe).collect::<Vec<_>>().join("\n")
            }
            Self::CreateLog { dir, .. } => format!("begin the log in {}", shown(dir)),
            Self::PermitNetwork { dir, .. } => format!("touch {}", shell(&remote::permit(dir))),
            Self::Protect { dir } => format!("chattr +a {}/*.jsonl", shell(dir)),
            Self::KeepHook(place) => match &place.earlier {
                Some(earlier) => format!("keep {} as {}", shown(&place.path), shown(earlier)),
                None => format!("keep {}", shown(&place.path)),
            },
            Self::RestoreHook(place) => format!("take away {}", shown(&place.path)),
            Self::PutHook { place, .. } => format!("write {}", shown(&place.path)),
        }
    }

    /// Does it.
    pub fn apply(&self, git: &Git, site: &Site) -> Result<(), Fault> {
        match self {
            Self::MakeFolder { path, mode } => files::make_folders(path, *mode)
                .or_fault(|| format!("could not make the folder {}", shown(path))),
            Self::WritePolicy { path, text, mode } => {
                files::write_whole(path, text.as_bytes(), *mode)
                    .or_fault(|| format!("could not write {}", shown(path)))
            }
            Self::Configure(changes) => git.configure(&site.git_dir, changes),
            Self::CreateLog { dir, mode, moment } => {
                logs::create(&site.git_dir, dir, *mode, *moment)
            }
            Self::PermitNetwork { dir, mode } => logs::permit_network(dir, *mode),
            Self::Protect { dir } => logs::protect(dir),
            Self::KeepHook(place) => hookfile::keep(place),
            Self::RestoreHook(place) => hookfile::restore(place).map(drop),
            Self::PutHook { place, bytes } => hookfile::put(place, bytes),
        }
    }
}
