//! What `install` is going to do to one repository, step by step, before it does any of it.
//!
//! Made by `install` from what is there now, so that a second run has nothing to do; shown by
//! `--dry-run`, done otherwise. The order is the order of a list: the hooks come last, when all they
//! need is there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::cli::configfile::{self, Change, Keep};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::git::Git;
use crate::cli::hookfile;
use crate::cli::inventory;
use crate::cli::logs;
use crate::cli::platform::Place;
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::hook::host;
use crate::log::config::Noticed;
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
    /// Takes away the mark that a repository was made from a template and waits for its first push.
    Settle {
        /// The mark.
        mark: PathBuf,
        /// The mode of the folder it is in, which a template does not give.
        mode: u32,
    },
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
            Self::Settle { mark, .. } => format!("rm {}", shell(mark)),
            Self::PutHook { place, .. } => format!("write {}", shown(&place.path)),
        }
    }

    /// Whether it lets pushes be judged: before it, everything else has to be in place.
    pub fn is_last(&self) -> bool {
        match self {
            Self::KeepHook(_)
            | Self::RestoreHook(_)
            | Self::PutHook { .. }
            | Self::Settle { .. } => true,
            Self::MakeFolder { .. }
            | Self::WritePolicy { .. }
            | Self::Configure(_)
            | Self::CreateLog { .. }
            | Self::PermitNetwork { .. }
            | Self::Protect { .. } => false,
        }
    }

    /// Does it, where it is about a hook's file: those of a shared folder belong to no repository.
    pub fn write(&self, durable: Durable) -> Result<(), Fault> {
        match self {
            Self::KeepHook(place) => hookfile::keep(place),
            Self::RestoreHook(place) => hookfile::restore(place).map(drop),
            Self::PutHook { place, bytes } => hookfile::put(place, bytes, durable),
            Self::MakeFolder { .. }
            | Self::WritePolicy { .. }
            | Self::Configure(_)
            | Self::CreateLog { .. }
            | Self::PermitNetwork { .. }
            | Self::Protect { .. }
            | Self::Settle { .. } => Ok(()),
        }
    }

    /// Does it.
    pub fn apply(&self, git: &Git, site: &Site, durable: Durable) -> Result<(), Fault> {
        match self {
            Self::MakeFolder { path, mode } => files::make_folders(path, *mode)
                .or_fault(|| format!("could not make the folder {}", shown(path))),
            Self::WritePolicy { path, text, mode } => {
                files::write_whole(path, text.as_bytes(), *mode)
                    .or_fault(|| format!("could not write {}", shown(path)))
            }
            Self::Configure(changes) => {
                // What came from a template of ours is not from before us.
                let is_new = site.repository_id().is_none() && !site.is_prepared();
                let keep = if is_new { Keep::First } else { Keep::Later };
                let kept = site.kept_config();
                git.configure_keeping(&site.git_dir, changes, Some((&kept, keep)), durable)
            }
            Self::CreateLog { dir, mode, moment } => {
                logs::create(&site.git_dir, dir, *mode, *moment, durable)
            }
            Self::PermitNetwork { dir, mode } => logs::permit_network(dir, *mode),
            Self::Protect { dir } => logs::protect(dir),
            Self::KeepHook(_) | Self::RestoreHook(_) | Self::PutHook { .. } => self.write(durable),
            Self::Settle { mark, mode } => {
                let could_not = || format!("could not remove {}", shown(mark));
                let rights = Permissions::from_mode(*mode);
                fs::set_permissions(site.folder(), rights).or_fault(could_not)?;
                files::remove(mark).or_fault(could_not)
            }
        }
    }
}

/// Writes the hooks and the settings that are in force now into the log.
pub fn noted(
    around: &Surroundings,
    git: &Git,
    site: &Site,
    steps: &[Step],
    durable: Durable,
) -> Result<(), Fault> {
    let site = match after(site, steps) {
        Some(site) => site,
        None => Site::find(around, git, &site.git_dir)?,
    };
    let mut log = logs::open(&site.log_dir(), durable)?;
    let ctx = host::ctx(around.now);
    inventory::note(&site, &mut log, Noticed::Install, &ctx).map(drop)
}

/// The repository as it is once these steps are done. `None` where Git has to be asked, because keys
/// changed that were there: their places in the file are its business.
fn after(site: &Site, steps: &[Step]) -> Option<Site> {
    let mut site = site.clone();
    for step in steps {
        let Step::Configure(changes) = step else { continue };
        for change in configfile::in_order(changes) {
            site.config.add_local(change.key, &change.values)?;
        }
    }
    Some(site)
}
