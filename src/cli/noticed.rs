//! After a push: whether Git runs other hooks or is set up in another way than when somebody looked
//! last.
//!
//! Asking Git takes longer than judging most pushes, so it is asked only when a file that could say
//! something new was changed: the times and sizes of those files are kept beside the log's index, to
//! be thrown away like it. What files include, and what another account has set, is for the timer.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::git::Git;
use crate::cli::inventory;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::hook::bench::Input;
use crate::hook::fault::Stop;
use crate::hook::host;
use crate::hook::world::World;
use crate::log::config::Noticed;
use crate::log::disk::{Disk, Folder, read_small};
use crate::names::digest::Digest;

/// How many files of a folder of hooks are looked at.
const FILES_MAX: usize = 1000;

/// How long the digest of a look is, in bytes.
const STAMP_BYTES: usize = 64;

/// Puts what has changed into the log. `at`: the file that Git ran.
pub fn after_push(
    around: &Surroundings,
    world: &World,
    input: &Input<'_>,
    at: Option<&Path>,
) -> Result<(), Fault> {
    // Without a home Git has other settings than the operator sees, and the log would be told of
    // each look in turn.
    if around.variable("HOME").is_none() {
        return Ok(());
    }
    let stopped = |stop: Stop| Fault::new(stop.reason);
    let folder = Folder::existing(&world.log_dir()).or_fault(|| could_not(&world.log_dir()))?;
    let looked = folder.index().join("looked");
    let now = stamp(&files(around, world, at.map(|at| input.directory.join(at))));
    let before = read_small(&looked, STAMP_BYTES as u64);
    if before.is_ok_and(|before| before.as_deref() == Some(now.as_bytes())) {
        return Ok(());
    }
    let git = Git::find(around)?;
    let site = Site::find(around, &git, &world.git_dir)?;
    let mut log = world.log().map_err(stopped)?;
    let ctx = host::own_ctx(&host::ctx(input.moment));
    inventory::note(&site, &mut log, Noticed::PostReceive, &ctx)?;
    keep(&folder, &looked, &now)
}

fn keep(folder: &Folder, looked: &Path, stamp: &str) -> Result<(), Fault> {
    let index = folder.index();
    if !index.is_dir() {
        fs::create_dir(&index).or_fault(|| could_not(&index))?;
        let rights = Permissions::from_mode(folder.modes().folder);
        fs::set_permissions(&index, rights).or_fault(|| could_not(&index))?;
    }
    folder.write_whole(&Disk, looked, stamp.as_bytes()).or_fault(|| could_not(looked))
}

fn could_not(path: &Path) -> String {
    format!("could not use {}", shown(path))
}

/// Where hooks and settings stand, as far as that can be known without asking Git.
fn files(around: &Surroundings, world: &World, at: Option<PathBuf>) -> Vec<PathBuf> {
    let common = world.store.common_dir();
    let home = around.variable("HOME").map(Path::new);
    let elsewhere = around.variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let mut files = vec![common.join("config"), common.join("config.worktree")];
    files.extend(home.map(|home| home.join(".gitconfig")));
    files.extend(
        elsewhere.or(home.map(|home| home.join(".config"))).map(|dir| dir.join("git/config")),
    );
    files.push(around.variable("GIT_CONFIG_SYSTEM").unwrap_or(OsStr::new("/etc/gitconfig")).into());
    let mut folders = vec![world.hooks_dir(), common.join("hooks"), common.join("custom_hooks")];
    folders.extend(at.as_deref().and_then(Path::parent).map(Path::to_owned));
    folders.sort();
    folders.dedup();
    for folder in folders {
        for entry in listed(&folder) {
            if entry.extension().is_some_and(|end| end == "d") {
                files.extend(listed(&entry));
            }
            files.push(entry);
        }
        files.push(folder);
    }
    files
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<PathBuf> =
        listing.filter_map(Result::ok).take(FILES_MAX).map(|it| it.path()).collect();
    all.sort();
    all
}

/// The digest of what the system says of these files. A change of a file changes its `ctime`, which
/// nobody sets.
fn stamp(files: &[PathBuf]) -> String {
    let mut text = String::new();
    for path in files {
        let meta = fs::metadata(path);
        let told = meta.map(|it| (it.ino(), it.mode(), it.size(), it.ctime(), it.ctime_nsec()));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} {:?}", path.as_os_str().as_bytes().escape_ascii(), told.ok());
    }
    Digest::of(text.as_bytes()).hex()
}
