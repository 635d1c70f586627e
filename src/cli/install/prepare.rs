//! Looks at a repository and works out what `install` has to do there.
//!
//! Used by `install`. Changes nothing. Faults on whatever would leave the repository half guarded:
//! another account's repository, a format that cannot be read, a broken policy, hooks that Git looks
//! for in a folder shared with other repositories.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::configfile::Change;
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::{self, Git};
use crate::cli::hookfile::{self, State};
use crate::cli::install::args::Install;
use crate::cli::install::choose::{self, Known, Shelf};
use crate::cli::install::keys::{self, Wanted};
use crate::cli::install::mirror;
use crate::cli::install::plan::Step;
use crate::cli::newborn;
use crate::cli::platform::{Layout, Place, Platform};
use crate::cli::quote::{shell, shown};
use crate::cli::shim::{self, Hook};
use crate::cli::site::{FOLDER, KEY_HOOKS, KEY_MADE, Site};
use crate::cli::surroundings::Surroundings;
use crate::log::disk::is_log;
use crate::log::{append_only, remote};
use crate::names::moment::Moment;
use crate::store::open::{self, OpenAt};

/// A repository, looked at.
#[derive(Debug)]
pub struct Prepared {
    /// The repository.
    pub site: Site,
    /// What has to be done, in this order. Empty: everything is in place.
    pub steps: Vec<Step>,
    /// The starter policy, when one is written.
    pub starter: Option<String>,
    /// Policies that are replaced, and by which.
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// The policy that judges pushes now, where another takes its place.
    pub before: Option<Arc<Known>>,
    /// The policy that will judge pushes.
    pub policy: Arc<Known>,
    /// The remote whose branches are fetched over the ones here: nobody pushes to it.
    pub mirror: Option<String>,
    /// Where the log is going to be.
    pub log: PathBuf,
    /// What the operator has to know.
    pub warnings: Vec<String>,
    /// What the operator may want to know.
    pub notes: Vec<String>,
}

/// A repository that was named, or found below a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Where it is.
    pub path: PathBuf,
    /// Its path below the folder that it was found in.
    pub below: Option<PathBuf>,
}

/// What the looks at all repositories of one call share.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The world.
    pub around: &'a Surroundings,
    /// Git.
    pub git: &'a Git,
    /// What was asked for.
    pub install: &'a Install,
    /// Policies that were read.
    pub shelf: Shelf,
}

/// Looks at one repository.
pub fn prepare(desk: &Desk<'_>, target: &Target) -> Result<Prepared, Fault> {
    let Desk { around, git, install, shelf } = desk;
    let site = Site::find(around, git, &target.path)?;
    let mirror = mirror::fetches_into_branches(&site.config).filter(|_| target.below.is_some());
    if let Some(remote) = mirror {
        return Ok(Prepared { mirror: Some(remote), ..Prepared::nothing(site) });
    }
    match is_ours_to_change(&site) {
        Ok(()) => {}
        // Only root may give the attribute, and this is all that root has to do here.
        Err(_) if install.append_only && rustix::process::geteuid().is_root() => {
            return protected(site);
        }
        Err(fault) => return Err(fault),
    }
    open::open(&OpenAt::at_rest(&site.git_dir))
        .or_fault(|| format!("{} cannot be guarded", shown(&site.git_dir)))?;
    let platform = match &install.platform {
        Some(name) => Platform::named(name)?,
        None => Platform::of(&site)?,
    };
    let hooks = wanted_hooks(install, platform, &site)?;
    has_hooks(&site, platform, &hooks)?;
    let mut one = Prepared::nothing(site);
    let path = one.site.folder();
    let mode = files::shared_mode(one.site.config.local_text("core.sharedrepository"));
    if !path.is_dir() {
        one.steps.push(Step::MakeFolder { path, mode });
    }
    let chosen = choose::policy(around, install, platform, &one.site, shelf)?;
    if let Some(text) = &chosen.starter {
        let path = one.site.starter_policy();
        // Never writable by the group: a policy that pushers can change is refused.
        let mode = if mode & 0o070 == 0 { 0o600 } else { 0o640 };
        one.steps.push(Step::WritePolicy { path, text: text.clone(), mode });
    }
    let wanted = Wanted { platform, hooks: &hooks, log_dir: chosen.policy.log_dir.clone() };
    let mut changes = keys::changes(around, install, target, &one.site, wanted)?;
    changes.extend(chosen.change);
    changes.extend(one.made(platform, &hooks));
    let log = keys::log_folder(&one.site, &changes);
    if !changes.is_empty() {
        one.steps.push(Step::Configure(changes));
    }
    one.plan_log(install, log, mode, around.now);
    one.starter = chosen.starter;
    one.replaced = chosen.replaced;
    one.before = chosen.before;
    one.policy = chosen.policy;
    one.warnings = chosen.warnings;
    one.notes = chosen.notes;
    one.plan_hooks(around, platform, &hooks)?;
    let mark = newborn::mark(&one.site.git_dir);
    if mark.is_file() {
        one.steps.push(Step::Settle { mark, mode });
    }
    Ok(one)
}

/// Git and the hooks run as the repository's owner; what another account writes, the owner may not
/// be able to change, or a stranger may.
fn is_ours_to_change(site: &Site) -> Result<(), Fault> {
    let owner = std::fs::metadata(&site.git_dir)
        .or_fault(|| format!("could not look at {}", shown(&site.git_dir)))?
        .uid();
    if rustix::process::geteuid().as_raw() == owner {
        return Ok(());
    }
    Err(Fault::new(format!("{} belongs to another account, number {owner}", shown(&site.git_dir)))
        .hint(format!("sudo -u '#{owner}' portcullis install {}", shell(&site.git_dir))))
}

/// Hooks in a folder that other repositories share are put there for all of them, or not at all.
fn has_hooks(site: &Site, platform: &Platform, hooks: &[Hook]) -> Result<(), Fault> {
    if platform.layout != Layout::Single || !site.shares_hooks() {
        return Ok(());
    }
    let mut states = hooks.iter().map(|&hook| hookfile::state(&platform.place(site, hook)));
    if states.all(|state| matches!(state, Ok(State::Ours(_)))) {
        return Ok(());
    }
    let own = site.git_dir.join("hooks");
    let (repo, shared) = (shell(&site.git_dir), shell(&site.hooks_dir));
    Err(Fault::new(
        "Git looks for this repository's hooks in a folder that other repositories share",
    )
    .cause(format!(
        "core.hooksPath is {}, set for the machine or the account",
        shown(&site.hooks_dir)
    ))
    .hint(format!("put ours there for all of them: portcullis install --global {shared}"))
    .hint(format!(
        "or give the repository its own: git --git-dir={repo} config core.hooksPath {}",
        shell(&own)
    ))
    .hint("hooks in the shared folder then no longer run here, copy those that have to"))
}

fn wanted_hooks(install: &Install, platform: &Platform, site: &Site) -> Result<Vec<Hook>, Fault> {
    // What was chosen before stays chosen.
    let chosen = site.config.local_text(KEY_HOOKS).unwrap_or_default();
    hooks_of(install, platform, chosen)
}

/// The hooks that were asked for, else those chosen before, else all.
pub fn hooks_of(install: &Install, platform: &Platform, chosen: &str) -> Result<Vec<Hook>, Fault> {
    let mut hooks = Vec::new();
    for name in &install.hooks {
        let hook = Hook::named(name.trim()).filter(|hook| platform.hooks.contains(hook));
        hooks.push(hook.ok_or_else(|| {
            let known: Vec<&str> = platform.hooks.iter().map(|hook| hook.name()).collect();
            Fault::mistyped(format!("there is no hook `{}` for us", name.escape_debug()))
                .hint(format!("hooks on {}: {}", platform.name, known.join(", ")))
        })?);
    }
    if hooks.is_empty() {
        hooks.extend(chosen.split_whitespace().filter_map(Hook::named));
        hooks.retain(|hook| platform.hooks.contains(hook));
    }
    if hooks.is_empty() {
        return Ok(platform.hooks.to_vec());
    }
    hooks.sort();
    hooks.dedup();
    if hooks == [Hook::PostReceive] {
        return Err(Fault::mistyped("post-receive alone cannot refuse anything")
            .hint("--hooks pre-receive,post-receive"));
    }
    Ok(hooks)
}

/// What root does for `--append-only` in a repository that was installed by its owner.
fn protected(site: Site) -> Result<Prepared, Fault> {
    let log = site.log_dir();
    let lacking = append_only::unprotected(&log)
        .or_fault(|| format!("there is no log in {} that could be made append-only", shown(&log)));
    let lacking = lacking.map_err(|fault| {
        fault.hint("install as the repository's owner first, without --append-only")
    })?;
    let mut one = Prepared::nothing(site);
    if !lacking.is_empty() {
        one.steps.push(Step::Protect { dir: log });
    }
    Ok(one)
}

impl Prepared {
    fn nothing(site: Site) -> Self {
        Self {
            site,
            steps: Vec::new(),
            starter: None,
            replaced: Vec::new(),
            before: None,
            policy: Arc::default(),
            mirror: None,
            log: PathBuf::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn plan_log(&mut self, install: &Install, dir: PathBuf, mode: u32, moment: Moment) {
        let is_there = is_log(&dir);
        self.log.clone_from(&dir);
        if install.network_log && !remote::permit(&dir).exists() {
            self.steps.push(Step::PermitNetwork { dir: dir.clone(), mode });
        }
        if !is_there {
            self.steps.push(Step::CreateLog { dir: dir.clone(), mode, moment });
        }
        let is_protected = || append_only::unprotected(&dir).is_ok_and(|files| files.is_empty());
        if install.append_only && !is_protected() {
            self.steps.push(Step::Protect { dir });
        }
    }

    /// The folders that have to be made for hooks, so that `uninstall` takes them away again.
    fn made(&self, platform: &Platform, hooks: &[Hook]) -> Option<Change> {
        let mut folders = self.site.config.local_paths(KEY_MADE);
        let known = folders.len();
        for &hook in hooks {
            let place = platform.place(&self.site, hook);
            let above = place.path.ancestors().skip(1);
            for folder in above.take_while(|folder| !folder.is_dir()) {
                // Below the repository's folder, so that it may be moved.
                let folder = folder.strip_prefix(&self.site.git_dir).unwrap_or(folder);
                if !folders.iter().any(|one| one == folder) && !folder.starts_with(FOLDER) {
                    folders.push(folder.to_owned());
                }
            }
        }
        let values = folders.iter().map(|folder| folder.clone().into_os_string()).collect();
        (folders.len() > known).then_some(Change { key: KEY_MADE, values })
    }

    fn plan_hooks(
        &mut self,
        around: &Surroundings,
        platform: &Platform,
        hooks: &[Hook],
    ) -> Result<(), Fault> {
        for &hook in platform.hooks.iter().filter(|hook| !hooks.contains(hook)) {
            let place = platform.place(&self.site, hook);
            match hookfile::state(&place)? {
                State::Ours(_) | State::Worn => self.steps.push(Step::RestoreHook(place)),
                State::Absent | State::Foreign => {}
            }
        }
        let places = hooks.iter().map(|&hook| platform.place(&self.site, hook));
        // Those of a shared folder were put there for all, and are there.
        if platform.layout != Layout::Single || !self.site.shares_hooks() {
            self.steps.extend(hook_steps(around, places)?);
        }
        if let Some(step) = platform.common {
            self.warnings.push(format!(
                "the hooks of all repositories are in one folder, ours get there once:\n\
                 {step}\n\
                 every repository has to be installed, one without a policy refuses all pushes"
            ));
        }
        Ok(())
    }
}

/// What has to be done so that our hooks are in these places.
pub fn hook_steps(
    around: &Surroundings,
    places: impl Iterator<Item = Place>,
) -> Result<Vec<Step>, Fault> {
    let binary = own_binary(around)?;
    let mut steps = Vec::new();
    for place in places {
        let state = hookfile::state(&place)?;
        if state == State::Ours(binary.clone()) {
            continue;
        }
        if hookfile::must_keep(&place, &state)? {
            steps.push(Step::KeepHook(place.clone()));
        }
        let bytes = shim::render(place.hook, &binary);
        steps.push(Step::PutHook { place, bytes });
    }
    Ok(steps)
}

/// The path under which this program is called, symlinks kept: an upgrade that moves a link then
/// needs no new install.
fn own_binary(around: &Surroundings) -> Result<PathBuf, Fault> {
    let running = around
        .executable
        .clone()
        .ok_or_else(|| Fault::new("the system does not say where this program is"))?;
    let same = |path: &Path| match (path.metadata(), running.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    };
    let called = around.arguments.first().cloned().unwrap_or_default();
    let called = if Path::new(&called).components().count() > 1 {
        around.absolute(Path::new(&called)).ok()
    } else {
        git::find_program(&called, around.variable("PATH").unwrap_or_default())
    };
    Ok(called.filter(|path| same(path)).unwrap_or(running))
}
