//! A repository that was made from a template of ours sets itself up at its first push.
//!
//! Used by `hook`, before anything is judged, and by `install`. The template has given it our hooks,
//! its policy's place and a mark. What it cannot give is an id and a log, which no two repositories
//! share. They are made here only while the repository holds no ref at all: then there is nothing
//! that nobody has judged, and a log that begins now misses nothing. Anything else is refused.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::configfile::{Change, Locked};
use crate::cli::files::{self, Durable};
use crate::cli::install::keys;
use crate::cli::logs;
use crate::cli::site::{FOLDER, KEY_REPOSITORY, readable_path};
use crate::hook::fault::{Road, Stop};
use crate::hook::world::World;
use crate::log::disk::is_log;
use crate::names::moment::Moment;
use crate::push::env::Env;
use crate::store::objects::Objects as _;
use crate::verdict::line::Line;

/// What the pusher reads when it cannot be done.
const TOLD: &str = "the gate of this new repository could not be set up";

/// The file that says: made from a template, nobody has pushed yet.
pub fn mark(git_dir: &Path) -> PathBuf {
    git_dir.join(FOLDER).join("new")
}

/// Sets up the repository that Git runs us for, where it waits for that.
///
/// # Errors
/// It waits for it and it cannot be done: the push is refused.
pub fn settle(env: &Env, directory: &Path, moment: Moment) -> Result<(), Stop> {
    // Without it the hook itself says what is wrong.
    let Some(git_dir) = env.get("GIT_DIR").map(|dir| directory.join(dir)) else { return Ok(()) };
    let mark = mark(&git_dir);
    let file = match File::open(&mark) {
        Ok(file) => file,
        Err(error) if files::is_absent(&error) => return Ok(()),
        Err(error) => return Err(Stop::fault(TOLD, &error)),
    };
    if file.try_lock().is_err() {
        let told = "somebody else's first push to this new repository is under way";
        let reason = told.to_owned();
        return Err(Stop { told: Line::new(told), hint: None, reason, road: Road::Busy });
    }
    // Whoever held the lock before us has done it.
    if !mark.is_file() {
        return Ok(());
    }
    let fault = |error: std::io::Error| Stop::fault(TOLD, &error);
    let git_dir = fs::canonicalize(&git_dir).map_err(fault)?;
    let mut world = World::at_rest(&git_dir)?;
    let is_empty = world.store.refs_under(b"refs/").is_ok_and(|refs| refs.is_empty());
    if !is_empty {
        let reason = "it has branches or tags that nobody has judged: portcullis install REPO";
        return Err(Stop::fault_because(TOLD, reason.to_owned()));
    }
    let shared = world.store.config_values("core.sharedrepository").unwrap_or_default();
    let shared = shared.last().map(|value| String::from_utf8_lossy(value).into_owned());
    let mode = files::shared_mode(shared.as_deref());
    let folder = git_dir.join(FOLDER);
    fs::set_permissions(&folder, Permissions::from_mode(mode)).map_err(fault)?;
    if world.repository.is_none() {
        name(&git_dir)?;
        world = World::at_rest(&git_dir)?;
    }
    let log = world.log_dir();
    if !is_log(&log) {
        logs::create(&git_dir, &log, mode, moment, Durable::AtOnce)
            .map_err(|fault| Stop::fault_because(TOLD, fault.to_string()))?;
    }
    files::remove(&mark).map_err(fault)
}

/// Gives the repository its id.
fn name(git_dir: &Path) -> Result<(), Stop> {
    let name = git_dir.file_name().unwrap_or_default();
    let name = readable_path(std::os::unix::ffi::OsStrExt::as_bytes(name));
    let id = keys::new_id(&name).map_err(|fault| Stop::fault_because(TOLD, fault.to_string()))?;
    let change = Change { key: KEY_REPOSITORY, values: vec![id.into()] };
    let fault = |error: std::io::Error| Stop::fault(TOLD, &error);
    let locked = Locked::take(git_dir).map_err(fault)?;
    if !locked.append(&[change]).map_err(fault)? {
        let reason = "its configuration does not take a new key: portcullis install REPO";
        return Err(Stop::fault_because(TOLD, reason.to_owned()));
    }
    locked.place(None, Durable::AtOnce).map_err(fault)
}
