//! What Git runs and how it is set up in a repository, put into the log when it is another than
//! before.
//!
//! Used by `install`, `log drift`, `doctor --fix` and, where a file has changed, after a push. Only the
//! account that owns the repository looks, because another one has a configuration of its own.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::cli::config::{Scope, Setting};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::hookfile::{self, State};
use crate::cli::platform::{Layout, Place, Platform};
use crate::cli::quote::shown;
use crate::cli::shim::Hook;
use crate::cli::site::{KEY_HOOKS, Site};
use crate::hook::host;
use crate::log::book::Log;
use crate::log::config::{Config, HookFile, HookKind, Noticed, SettingRecord};
use crate::log::entry::Record;
use crate::log::file::Ctx;
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;

/// How many files are looked at as hooks; a folder with more is no folder of hooks.
const HOOK_FILES_MAX: usize = 1000;

/// How long a hook may be whose bytes are digested.
const HOOK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The beginnings of keys that decide what a push may do, which hooks run, and what is kept of it.
const SECTIONS: [&[u8]; 5] = [b"receive.", b"transfer.", b"portcullis.", b"hook.", b"extensions."];

/// Single keys that do.
const KEYS: [&[u8]; 12] = [
    b"core.alternaterefscommand",
    b"core.bare",
    b"core.fsync",
    b"core.fsyncmethod",
    b"core.hookspath",
    b"core.logallrefupdates",
    b"core.sharedrepository",
    b"daemon.receivepack",
    b"http.receivepack",
    b"gc.pruneexpire",
    b"gc.reflogexpire",
    b"gc.reflogexpireunreachable",
];

/// Words in a key that say its value is nobody's business.
const SECRET_WORDS: [&[u8]; 5] = [b"seed", b"secret", b"token", b"password", b"key"];

/// Writes what Git runs and how it is set up, when the log has something else or nothing. Returns
/// what was written.
pub fn note(site: &Site, log: &mut Log, via: Noticed, ctx: &Ctx) -> Result<Option<Config>, Fault> {
    let could_not = || format!("could not look at the hooks of {}", shown(&site.git_dir));
    let owner = fs::metadata(&site.git_dir).or_fault(could_not)?.uid();
    if rustix::process::geteuid().as_raw() != owner {
        return Ok(None);
    }
    let written = || format!("could not write the log of {}", shown(&site.git_dir));
    let last = log.last_config().or_fault(written)?;
    let (hooks, settings) = (hooks(site)?, settings(site));
    let by = Some(Text::from(host::account()));
    let config = Config::of(via, by, hooks, settings, last.as_ref()).or_fault(written)?;
    if last.is_some_and(|last| last.sha256 == config.sha256) {
        return Ok(None);
    }
    let record = Record::Config(Box::new(config.clone()));
    // Nothing is expected to stand still, and a look is never held back.
    let _ = log.append(&[record], ctx, None).or_fault(written)?;
    Ok(Some(config))
}

/// The files that Git, or the server around it, runs here, and those of ours that should be there.
fn hooks(site: &Site) -> Result<Vec<HookFile>, Fault> {
    let platform = Platform::of(site)?;
    let chosen = site.config.local_text(KEY_HOOKS).unwrap_or_default();
    let chosen = chosen.split_whitespace().filter_map(Hook::named);
    let places: Vec<Place> = chosen.map(|hook| platform.place(site, hook)).collect();
    let mut paths: BTreeSet<PathBuf> = places.iter().map(|place| place.path.clone()).collect();
    let mut folders = vec![site.hooks_dir.clone()];
    match platform.layout {
        Layout::Single => {}
        Layout::Folders => folders.push(site.git_dir.join("hooks")),
        Layout::CustomHooks => folders.push(site.git_dir.join("custom_hooks")),
        Layout::Common | Layout::Elsewhere => folders.push(site.folder().join("hooks")),
    }
    for folder in folders {
        for path in files_in(&folder)? {
            match path.is_dir() && path.extension().is_some_and(|end| end == "d") {
                true => paths.extend(files_in(&path)?),
                false => drop(paths.insert(path)),
            }
        }
    }
    let is_hook = |path: &&PathBuf| path.extension().is_none_or(|end| end != "sample");
    let files = paths.iter().filter(|path| !path.is_dir()).filter(is_hook);
    files.take(HOOK_FILES_MAX).map(|path| hook(site, &places, path)).collect()
}

/// What stands in a folder; nothing where there is no folder.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let could_not = || format!("could not read {}", shown(folder));
    match fs::read_dir(folder) {
        Ok(listing) => {
            let paths = listing.map(|one| one.map(|one| one.path()));
            paths.collect::<Result<_, _>>().or_fault(could_not)
        }
        Err(error) if files::is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(error).or_fault(could_not),
    }
}

fn hook(site: &Site, places: &[Place], path: &Path) -> Result<HookFile, Fault> {
    let below = path.strip_prefix(&site.git_dir).unwrap_or(path);
    let mut file = HookFile {
        path: Text::from(below.as_os_str().as_bytes()),
        kind: HookKind::Other,
        mode: None,
        sha256: None,
    };
    if let Some(place) = places.iter().find(|place| place.path == path) {
        file.kind = match hookfile::state(place)? {
            State::Ours(_) => HookKind::Ours,
            State::Absent => HookKind::None,
            State::Worn | State::Foreign => HookKind::Other,
        };
    }
    let meta = fs::metadata(path).ok();
    file.mode = meta.map(|meta| format!("{:04o}", meta.permissions().mode() & 0o7777));
    let bytes = files::read_whole(path, HOOK_BYTES_MAX).ok();
    file.sha256 = bytes.map(|bytes| AsText(Digest::of(&bytes)));
    Ok(file)
}

fn settings(site: &Site) -> Vec<SettingRecord> {
    let wanted = |one: &&Setting| {
        let key = &one.key[..];
        KEYS.contains(&key) || SECTIONS.iter().any(|section| key.starts_with(section))
    };
    site.config.settings().iter().filter(wanted).map(setting).collect()
}

fn setting(one: &Setting) -> SettingRecord {
    let scope = match &one.scope {
        Scope::System => "system",
        Scope::Global => "global",
        Scope::Local => "local",
        Scope::Other(name) => name,
    };
    let key = one.key.to_ascii_lowercase();
    let withheld = SECRET_WORDS.iter().any(|it| key.windows(it.len()).any(|part| part == *it));
    SettingRecord {
        key: Text::from(&one.key[..]),
        scope: scope.to_owned(),
        value: one.value.as_deref().filter(|_| !withheld).map(Text::from),
        withheld,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stays_where_it_is() {
        let told = |key: &str| {
            setting(&Setting {
                scope: Scope::Local,
                origin: Vec::new(),
                key: key.as_bytes().to_vec(),
                value: Some(b"4711".to_vec()),
            })
        };
        for key in ["receive.certnonceseed", "hook.ci.Token"] {
            assert_eq!((told(key).value, told(key).withheld), (None, true), "{key}");
        }
        let plain = told("receive.fsckobjects");
        assert_eq!((plain.value, plain.withheld), (Some(Text::from("4711")), false));
    }
}
