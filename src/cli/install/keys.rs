//! What a repository's configuration has to say once Portcullis guards it.
//!
//! Used by `install`. Changes nothing; keys that say it already are left out, so that a second
//! install has nothing to do. The policy's key is `choose`'s.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::Change;
use crate::cli::install::args::Install;
use crate::cli::platform::{PLATFORMS, Platform};
use crate::cli::quote::shown;
use crate::cli::shim::Hook;
use crate::cli::site::{
    KEY_HOOKS, KEY_LOG_DIR, KEY_PLATFORM, KEY_REPOSITORY, KEY_RESTORE, PUSH_OPTIONS, Site,
};
use crate::cli::surroundings::Surroundings;

/// The same, as Git lists it.
const PUSH_OPTIONS_LISTED: &str = "receive.advertisepushoptions";

/// How many random bytes keep two repositories of one name apart.
const ID_BYTES: usize = 4;

/// How long an id may be, in bytes.
const ID_BYTES_MAX: usize = 256;

/// Every key that has to change.
pub fn changes(
    around: &Surroundings,
    install: &Install,
    platform: &Platform,
    hooks: &[Hook],
    site: &Site,
    by_policy: Option<PathBuf>,
) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    if site.repository_id().is_none() {
        changes.push(Change { key: KEY_REPOSITORY, values: vec![id(site)?.into()] });
    }
    let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
    changes.extend(change(site, KEY_HOOKS, names.join(" ").into()));
    let is_plain = platform.name == PLATFORMS[0].name;
    if !is_plain || site.config.local_text(KEY_PLATFORM).is_some() {
        changes.extend(change(site, KEY_PLATFORM, platform.name.into()));
    }
    let typed = install.log_dir.as_deref().map(|dir| around.absolute(dir)).transpose()?;
    if let (Some(typed), Some(written)) = (&typed, &by_policy)
        && typed != written
    {
        let why = format!("`[log] dir` of the policy says {}", shown(written));
        let fault = Fault::mistyped("--log-dir and the policy name two places for the log");
        return Err(fault.cause(why).hint("leave --log-dir out, or change the policy"));
    }
    if let Some(dir) = typed.or(by_policy) {
        changes.extend(log_dir(site, dir)?);
    }
    if site.config.boolean(PUSH_OPTIONS_LISTED) != Some(true) {
        changes.extend(push_options(site));
    }
    Ok(changes)
}

/// The id that the repository had before an `uninstall`, else a new one.
fn id(site: &Site) -> Result<String, Fault> {
    let kept = site.kept_id();
    if kept.exists() {
        let could_not = || format!("could not read {}", shown(&kept));
        let text = files::read_whole(&kept, ID_BYTES_MAX).or_fault(could_not)?;
        return String::from_utf8(text).or_fault(could_not).map(|text| text.trim_end().into());
    }
    let random = files::random_hex(ID_BYTES)
        .or_fault(|| "could not make an id for the repository".into())?;
    Ok(format!("{}-{random}", site.name()))
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
