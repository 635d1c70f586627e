//! `portcullis uninstall`: puts a repository back to what it was before `install`.
//!
//! For operators. An earlier hook comes back byte for byte, our configuration keys go, what `install`
//! changed of others is restored. The log and the policy stay: they are the record of what was, and a
//! later `install` goes on with them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use crate::cli::configfile::Change;
use crate::cli::crowd;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::{self, Git};
use crate::cli::hookfile::{self, Restored, State};
use crate::cli::install::shared;
use crate::cli::io::{Console, Tone};
use crate::cli::platform::{Layout, PLATFORMS, Platform};
use crate::cli::quote::shown;
use crate::cli::shim::Hook;
use crate::cli::site::{KEY_MADE, KEY_RESTORE, OWN_KEYS, RESTORABLE, Site};
use crate::cli::tree;
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Uninstall::command, run };

/// Take the gate out again: earlier hooks come back, the log stays
///
/// Removes our hooks and our configuration keys and puts back what was there before them, byte for
/// byte. The log, the policy and the repository's id stay; delete the folder `portcullis` by hand when
/// nobody will want to know what happened.
#[derive(Parser, Debug)]
#[command(name = "uninstall")]
struct Uninstall {
    /// Every bare repository below this folder too; one that was never installed is left as it is
    #[arg(long, value_name = "DIR")]
    recursive: Vec<PathBuf>,

    /// Take our hooks out of a template, or of a folder that many repositories share
    #[arg(long, value_name = "DIR", conflicts_with_all = ["repos", "recursive"])]
    shared: Option<PathBuf>,

    /// The repositories
    #[arg(value_name = "REPO", required_unless_present_any = ["recursive", "shared"])]
    repos: Vec<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let uninstall: Uninstall = call.arguments()?;
    let git = Git::find(call.around)?;
    if let Some(dir) = &uninstall.shared {
        return shared::remove(call, &git, dir);
    }
    let named = uninstall.repos.iter();
    let sites: Vec<Site> =
        named.map(|repo| Site::find(call.around, &git, repo)).collect::<Result<_, _>>()?;
    let mut exit = Exit::Yes;
    for site in &sites {
        let (told, said) = (one(&git, site)?, Tell::All);
        exit = Exit::worst(exit, told.say(call.console, said)?);
    }
    if !uninstall.recursive.is_empty() {
        exit = Exit::worst(exit, below(call, &git, &uninstall.recursive)?);
    }
    Ok(exit)
}

/// Those below folders: what goes well is only counted.
fn below(call: &mut Call<'_>, git: &Git, dirs: &[PathBuf]) -> Result<Exit, Fault> {
    let mut exit = Exit::Yes;
    let mut found = Vec::new();
    for dir in dirs {
        let walk = tree::walk(call.around, dir, &tree::bare)?;
        for text in &walk.unseen {
            exit = Exit::CouldNot;
            call.console.talk_lines(Tone::Warning, text)?;
        }
        found.extend(walk.found);
    }
    let around = call.around;
    let done = crowd::each(call.console, "uninstalled", &found, |path| {
        let site = Site::find(around, git, path)?;
        // Half an install is one, too: its hooks are there and its keys are not.
        if site.is_prepared() || site.repository_id().is_some() || has_hooks(&site)? {
            one(git, &site).map(Some)
        } else {
            Ok(None)
        }
    });
    let (mut removed, mut failed) = (0, 0);
    for (path, done) in found.iter().zip(done) {
        match done {
            Ok(None) => {}
            Ok(Some(told)) => {
                removed += 1;
                exit = Exit::worst(exit, told.say(call.console, Tell::Trouble)?);
            }
            Err(fault) => {
                failed += 1;
                call.console.talk(&format!("{}:", shown(path)))?;
                exit = Exit::worst(exit, fault.show(call.console));
            }
        }
    }
    let never = found.len() - removed - failed;
    let text = format!("uninstalled {removed}, not installed {never}, failed {failed}");
    call.console.data_line(&text).map(|()| exit)
}

fn has_hooks(site: &Site) -> Result<bool, Fault> {
    let mut states = places(site)?.into_iter().map(|place| hookfile::state(&place));
    Ok(states.any(|state| matches!(state, Ok(State::Ours(_) | State::Worn))))
}

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tell {
    /// Everything.
    All,
    /// What somebody has to look at.
    Trouble,
}

/// What was done to one repository.
#[derive(Debug, Default)]
struct Done {
    steps: Vec<String>,
    warnings: Vec<String>,
    success: String,
    rest: Vec<String>,
    is_left: bool,
}

impl Done {
    fn say(&self, console: &mut Console, tell: Tell) -> Result<Exit, Fault> {
        let is_all = tell == Tell::All;
        for step in self.steps.iter().filter(|_| is_all) {
            console.talk(step)?;
        }
        for warning in &self.warnings {
            console.talk_lines(Tone::Warning, warning)?;
        }
        if is_all {
            console.talk_lines(Tone::Success, &self.success)?;
        }
        for line in self.rest.iter().filter(|_| is_all) {
            console.talk(line)?;
        }
        Ok(if self.is_left { Exit::No } else { Exit::Yes })
    }
}

fn one(git: &Git, site: &Site) -> Result<Done, Fault> {
    let mut done = Done::default();
    for place in places(site)? {
        let path = shown(&place.path);
        match hookfile::restore(&place)? {
            Restored::Nothing => {}
            Restored::Removed => done.steps.push(format!("removed {path}")),
            Restored::Earlier => done.steps.push(format!("put back {path}")),
            Restored::LeftForeign if place.earlier.as_ref().is_some_and(|path| path.exists()) => {
                done.is_left = true;
                done.warnings.push(format!(
                    "{path} is not ours and was left, with the earlier one beside it"
                ));
            }
            Restored::LeftForeign => {}
        }
    }
    if let Some(id) = site.repository_id().filter(|_| site.folder().is_dir()) {
        files::write_whole(&site.kept_id(), format!("{id}\n").as_bytes(), 0o600)
            .or_fault(|| format!("could not write {}", shown(&site.kept_id())))?;
    }
    settings(git, site)?;
    for folder in made(site) {
        // One that somebody else has put something into stays.
        let _ = fs::remove_dir(&folder);
    }
    if Platform::of(site)?.common.is_some() {
        let text = "our hooks stay in the one folder for all repositories: pushes here are refused\n\
                    until they are taken out there, or this repository is installed again";
        done.warnings.push(text.to_owned());
    }
    let dir = shown(&site.git_dir);
    done.success = format!("pushes to {dir} are no longer judged");
    if site.shares_hooks() && Platform::of(site)?.layout == Layout::Single {
        done.success = format!("{dir} is no longer installed");
        done.warnings.push(format!(
            "the hooks of {dir} are in a folder that other repositories share and were left there: \
             they refuse every push to it now"
        ));
    }
    if site.log_dir().is_dir() {
        done.rest.push(format!("  the log stays in {}", shown(&site.log_dir())));
    }
    Ok(done)
}

/// The configuration becomes what it was: byte for byte where nobody else has changed it since, else
/// key by key.
fn settings(git: &Git, site: &Site) -> Result<(), Fault> {
    let kept = site.kept_config();
    let changes = changes(site);
    if !changes.is_empty() {
        let could_not = || format!("could not change {}", shown(&site.git_dir.join("config")));
        let is_back = kept.is_file()
            && git::lock_config(&site.git_dir)?.restore(&kept).or_fault(could_not)?;
        if !is_back {
            git.configure(&site.git_dir, &changes)?;
        }
    }
    files::remove(&kept).or_fault(|| format!("could not remove {}", shown(&kept)))
}

/// The folders that `install` made for hooks, the deepest first.
fn made(site: &Site) -> Vec<PathBuf> {
    let paths = site.config.local_paths(KEY_MADE).into_iter();
    let mut folders: Vec<PathBuf> = paths.map(|path| site.git_dir.join(path)).collect();
    folders.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    folders
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
    if site.shares_hooks() {
        // What others run is not ours to take away here.
        places.retain(|place| !place.path.starts_with(&site.hooks_dir));
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
