//! `portcullis uninstall`: puts a repository back to what it was before `install`.
//!
//! For operators. An earlier hook comes back byte for byte, our configuration keys go, what `install`
//! changed of others is restored. The log and the policy stay: they are the record of what was, and a
//! later `install` goes on with them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::{Change, Git};
use crate::cli::hookfile::{self, Restored};
use crate::cli::io::Tone;
use crate::cli::platform::{PLATFORMS, Platform};
use crate::cli::quote::shown;
use crate::cli::shim::Hook;
use crate::cli::site::{KEY_RESTORE, OWN_KEYS, RESTORABLE, Site};
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Uninstall::command, run };

/// Take the gate out again: earlier hooks come back, the log stays
///
/// Removes our hooks and our configuration keys and puts back what was there before them. The log,
/// the policy and the repository's id stay; delete the folder `portcullis` by hand when nobody will
/// want to know what happened.
#[derive(Parser, Debug)]
#[command(name = "uninstall")]
struct Uninstall {
    /// The repositories
    #[arg(value_name = "REPO", required = true)]
    repos: Vec<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let uninstall: Uninstall = call.arguments()?;
    let git = Git::find(call.around)?;
    let sites: Vec<Site> = uninstall
        .repos
        .iter()
        .map(|repo| Site::find(call.around, &git, repo))
        .collect::<Result<_, _>>()?;
    let mut exit = Exit::Yes;
    for site in &sites {
        if one(call, &git, site)? == Exit::No {
            exit = Exit::No;
        }
    }
    Ok(exit)
}

fn one(call: &mut Call<'_>, git: &Git, site: &Site) -> Result<Exit, Fault> {
    let mut exit = Exit::Yes;
    for place in places(site)? {
        let path = shown(&place.path);
        match hookfile::restore(&place)? {
            Restored::Nothing => {}
            Restored::Removed => call.console.talk(&format!("removed {path}"))?,
            Restored::Earlier => call.console.talk(&format!("put back {path}"))?,
            Restored::LeftForeign if place.earlier.as_ref().is_some_and(|path| path.exists()) => {
                exit = Exit::No;
                let text =
                    format!("{path} is not ours and was left, with the earlier one beside it");
                call.console.talk_lines(Tone::Warning, &text)?;
            }
            Restored::LeftForeign => {}
        }
    }
    if let Some(id) = site.repository_id().filter(|_| site.folder().is_dir()) {
        files::write_whole(&site.kept_id(), format!("{id}\n").as_bytes(), 0o600)
            .or_fault(|| format!("could not write {}", shown(&site.kept_id())))?;
    }
    let changes = changes(site);
    if !changes.is_empty() {
        git.configure(&site.git_dir, &changes)?;
    }
    if Platform::of(site)?.common.is_some() {
        let text = "our hooks stay in the one folder for all repositories: pushes here are refused\n\
                    until they are taken out there, or this repository is installed again";
        call.console.talk_lines(Tone::Warning, text)?;
    }
    let text = format!("pushes to {} are no longer judged", shown(&site.git_dir));
    call.console.talk_lines(Tone::Success, &text)?;
    if site.log_dir().is_dir() {
        call.console.talk(&format!("  the log stays in {}", shown(&site.log_dir())))?;
    }
    Ok(exit)
}

/// Every place a hook of ours could be in: the platform may have been another once.
fn places(site: &Site) -> Result<Vec<crate::cli::platform::Place>, Fault> {
    let of_site = Platform::of(site)?;
    let mut places = Vec::new();
    for platform in PLATFORMS {
        for hook in Hook::ALL {
            let place = platform.place(site, hook);
            // On another platform's layout a file of the same place may be the platform's own.
            if platform.layout == of_site.layout || place.path.exists() {
                places.push(place);
            }
        }
    }
    places.sort_by(|a, b| a.path.cmp(&b.path));
    places.dedup();
    Ok(places)
}

/// Our keys go, and what `install` set of others becomes what it was.
fn changes(site: &Site) -> Vec<Change> {
    let config = &site.config;
    let mut changes = Vec::new();
    for restore in config.local(KEY_RESTORE) {
        let (name, value) = match restore.iter().position(|&b| b == b'=') {
            Some(at) => (&restore[..at], Some(&restore[at + 1..])),
            None => (restore, None),
        };
        let Some(key) = RESTORABLE.into_iter().find(|key| key.as_bytes() == name) else { continue };
        let values = value.map(|value| OsStr::from_bytes(value).to_owned()).into_iter().collect();
        changes.push(Change { key, values });
    }
    let present = OWN_KEYS.into_iter().filter(|key| !config.local(key).is_empty());
    changes.extend(present.map(|key| Change { key, values: Vec::new() }));
    changes
}
