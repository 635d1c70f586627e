//! What a repository's configuration has to say once Portcullis guards it.
//!
//! Used by `install`. Changes nothing; keys that say it already are left out, so that a second
//! install has nothing to do. The policy's key is `choose`'s.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use crate::cli::configfile::Change;
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::install::args::Install;
use crate::cli::install::prepare::Target;
use crate::cli::platform::{PLATFORMS, Platform};
use crate::cli::quote::shown;
use crate::cli::shim::Hook;
use crate::cli::site::{
    KEY_HOOKS, KEY_LEVEL, KEY_LOG_DIR, KEY_PLATFORM, KEY_REPOSITORY, KEY_RESTORE, LEVEL_WARN,
    PUSH_OPTIONS, Site, readable_path,
};
use crate::cli::surroundings::Surroundings;

/// The same, as Git lists it.
const PUSH_OPTIONS_LISTED: &str = "receive.advertisepushoptions";

/// What GitLab calls a repository whose folder is named by a hash.
const KEY_GITLAB_PATH: &str = "gitlab.fullpath";

/// How many random bytes keep two repositories of one name apart.
const ID_BYTES: usize = 4;

/// How long an id may be, in bytes.
const ID_BYTES_MAX: usize = 256;

/// What the keys are to say.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Which software serves the repository.
    pub platform: &'a Platform,
    /// Which hooks are ours.
    pub hooks: &'a [Hook],
    /// Where the policy wants its logs to be.
    pub log_dir: Option<PathBuf>,
}

/// Every key that has to change.
pub fn changes(
    around: &Surroundings,
    install: &Install,
    target: &Target,
    site: &Site,
    wanted: Wanted<'_>,
) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    if site.repository_id().is_none() {
        changes.push(Change { key: KEY_REPOSITORY, values: vec![id(site, target)?.into()] });
    }
    changes.extend(level(install, target, site));
    changes.extend(change(site, KEY_HOOKS, hook_names(wanted.hooks).into()));
    let platform = wanted.platform;
    let is_plain = platform.name == PLATFORMS[0].name;
    if !is_plain || site.config.local_text(KEY_PLATFORM).is_some() {
        changes.extend(change(site, KEY_PLATFORM, platform.name.into()));
    }
    let typed = install.log_dir.as_deref().map(|dir| around.absolute(dir)).transpose()?;
    if let (Some(typed), Some(written)) = (&typed, &wanted.log_dir)
        && typed != written
    {
        let why = format!("`[log] dir` of the policy says {}", shown(written));
        let fault = Fault::mistyped("--log-dir and the policy name two places for the log");
        return Err(fault.cause(why).hint("leave --log-dir out, or change the policy"));
    }
    if let Some(dir) = typed.or(wanted.log_dir) {
        changes.extend(log_dir(site, dir)?);
    }
    if site.config.boolean(PUSH_OPTIONS_LISTED) != Some(true) {
        changes.extend(push_options(site));
    }
    Ok(changes)
}

/// The names of these hooks, as the configuration has them.
pub fn hook_names(hooks: &[Hook]) -> String {
    let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
    names.join(" ")
}

/// What is found below a folder and was never installed begins with warnings, until somebody says
/// `--enforce`. What refuses already is never made to warn.
fn level(install: &Install, target: &Target, site: &Site) -> Option<Change> {
    if install.enforce {
        let is_set = !site.config.local(KEY_LEVEL).is_empty();
        return is_set.then_some(Change { key: KEY_LEVEL, values: Vec::new() });
    }
    let is_new = site.repository_id().is_none() && !site.is_prepared();
    let begins = target.below.is_some() && is_new;
    if begins { change(site, KEY_LEVEL, LEVEL_WARN.into()) } else { None }
}

/// The id that the repository had before an `uninstall`, else a new one.
fn id(site: &Site, target: &Target) -> Result<String, Fault> {
    let kept = site.kept_id();
    if kept.exists() {
        let could_not = || format!("could not read {}", shown(&kept));
        let text = files::read_whole(&kept, ID_BYTES_MAX).or_fault(could_not)?;
        return String::from_utf8(text).or_fault(could_not).map(|text| text.trim_end().into());
    }
    let below = target.below.as_deref().filter(|below| !below.as_os_str().is_empty());
    new_id(&match (site.config.local(KEY_GITLAB_PATH).pop(), below) {
        (Some(path), _) => readable_path(path),
        (None, Some(below)) => readable_path(below.as_os_str().as_bytes()),
        (None, None) => site.name(),
    })
}

/// An id that no other repository has, not even one of the same name.
pub fn new_id(name: &str) -> Result<String, Fault> {
    let random = files::random_hex(ID_BYTES)
        .or_fault(|| "could not make an id for the repository".into())?;
    Ok(format!("{name}-{random}"))
}

fn log_dir(site: &Site, dir: PathBuf) -> Result<Option<Change>, Fault> {
    let now = site.config.local_paths(KEY_LOG_DIR).pop();
    let log = site.log_dir();
    if now.as_ref() != Some(&dir) && log.is_dir() {
        return Err(Fault::new(format!(
            "the log of this repository is in {} already",
            shown(&log)
        ))
        .cause("a log that began anew would not know what came before")
        .hint("leave --log-dir out, or move the folder by hand first"));
    }
    Ok(change(site, KEY_LOG_DIR, dir.into_os_string()))
}

/// Where the log will be once these changes are made.
pub fn log_folder(site: &Site, changes: &[Change]) -> PathBuf {
    let changed = |key: &str| changes.iter().find(|change| change.key == key)?.values.first();
    let outside = changed(KEY_LOG_DIR).map(PathBuf::from);
    let id = changed(KEY_REPOSITORY).map(OsString::as_os_str);
    site.log_dir_with(outside, id.or(site.repository_id().map(OsStr::new)))
}

/// Lets clients ask, and notes what `uninstall` has to put back.
fn push_options(site: &Site) -> Vec<Change> {
    let mut restore = PUSH_OPTIONS.as_bytes().to_vec();
    if let Some(value) = site.config.local(PUSH_OPTIONS_LISTED).pop() {
        restore.push(b'=');
        restore.extend_from_slice(value);
    }
    let mut changes = vec![Change { key: PUSH_OPTIONS, values: vec!["true".into()] }];
    // Only the first install saw what was there before us.
    if site.config.local(KEY_RESTORE).is_empty() {
        changes.push(Change { key: KEY_RESTORE, values: vec![OsString::from_vec(restore)] });
    }
    changes
}

/// The change that gives a key exactly this value; `None` when it has it.
fn change(site: &Site, key: &'static str, value: OsString) -> Option<Change> {
    let is_so = site.config.local(key) == [value.as_bytes()];
    (!is_so).then(|| Change { key, values: vec![value] })
}
