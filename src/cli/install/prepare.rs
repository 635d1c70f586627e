//! Looks at a repository and works out what `install` has to do there.
//!
//! Used by `install`. Changes nothing. Faults on whatever would leave the repository half guarded:
//! another account's repository, a format that cannot be read, a broken policy, hooks that Git looks
//! for in a folder shared with other repositories.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::cli::config::Scope;
use crate::cli::fault::{Fault, OrFault};
use crate::cli::git::{self, Git};
use crate::cli::hookfile::{self, State};
use crate::cli::install::args::Install;
use crate::cli::install::plan::Step;
use crate::cli::install::{choose, keys};
use crate::cli::platform::{Layout, Platform};
use crate::cli::policies;
use crate::cli::quote::{shell, shown};
use crate::cli::shim::{self, Hook};
use crate::cli::site::{KEY_HOOKS, Site};
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::Call;
use crate::log::{append_only, remote};
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
    /// The texts of the policy that will judge pushes, with their places.
    pub policy: Vec<(PathBuf, Vec<u8>)>,
    /// What the operator has to know.
    pub warnings: Vec<String>,
    /// What the operator may want to know.
    pub notes: Vec<String>,
}

/// Looks at one repository.
pub fn prepare(
    call: &Call<'_>,
    git: &Git,
    install: &Install,
    repo: &Path,
) -> Result<Prepared, Fault> {
    let site = Site::find(call.around, git, repo)?;
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
    has_own_hooks(&site, platform)?;
    let hooks = wanted_hooks(install, platform, &site)?;
    let mut one = Prepared::nothing(site);
    let path = one.site.folder();
    let mode = folder_mode(&one.site);
    if !path.is_dir() {
        one.steps.push(Step::MakeFolder { path, mode });
    }
    let chosen = choose::policy(call.around, install, platform, &one.site)?;
    if let Some(text) = &chosen.starter {
        let path = one.site.starter_policy();
        // Never writable by the group: a policy that pushers can change is refused.
        let mode = if mode & 0o070 == 0 { 0o600 } else { 0o640 };
        one.steps.push(Step::WritePolicy { path, text: text.clone(), mode });
    }
    let mut changes = keys::changes(
        call.around,
        install,
        platform,
        &hooks,
        &one.site,
        policies::log_dir(&chosen.texts),
    )?;
    changes.extend(chosen.change);
    let log = keys::log_folder(&one.site, &changes);
    if !changes.is_empty() {
        one.steps.push(Step::Configure(changes));
    }
    let is_there = log.is_dir();
    if install.network_log && !remote::permit(&log).exists() {
        one.steps.push(Step::PermitNetwork { dir: log.clone(), mode });
    }
    if !is_there {
        one.steps.push(Step::CreateLog { dir: log.clone(), mode, moment: call.around.now });
    }
    if install.append_only && !append_only::unprotected(&log).is_ok_and(|files| files.is_empty()) {
        one.steps.push(Step::Protect { dir: log });
    }
    one.starter = chosen.starter;
    one.replaced = chosen.replaced;
    one.policy = chosen.texts;
    one.warnings = chosen.warnings;
    one.notes = chosen.notes;
    one.plan_hooks(call.around, platform, &hooks)?;
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

fn has_own_hooks(site: &Site, platform: &Platform) -> Result<(), Fault> {
    let shared = match site.hooks_path_scope() {
        Some(Scope::System | Scope::Global | Scope::Other(_)) => true,
        Some(Scope::Local) | None => false,
    };
    if !shared || platform.layout != Layout::Single {
        return Ok(());
    }
    let own = site.git_dir.join("hooks");
    let repo = shell(&site.git_dir);
    Err(Fault::new(
        "Git looks for this repository's hooks in a folder that other repositories share",
    )
    .cause(format!(
        "core.hooksPath is {}, set for the machine or the account",
        shown(&site.hooks_dir)
    ))
    .hint(format!(
        "give the repository its own: git --git-dir={repo} config core.hooksPath {}",
        shell(&own)
    ))
    .hint("hooks in the shared folder then no longer run here, copy those that have to"))
}

fn wanted_hooks(install: &Install, platform: &Platform, site: &Site) -> Result<Vec<Hook>, Fault> {
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
        // What was chosen before stays chosen.
        let chosen = site.config.local_text(KEY_HOOKS).unwrap_or_default();
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
    const fn nothing(site: Site) -> Self {
        Self {
            site,
            steps: Vec::new(),
            starter: None,
            replaced: Vec::new(),
            policy: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn plan_hooks(
        &mut self,
        around: &Surroundings,
        platform: &Platform,
        hooks: &[Hook],
    ) -> Result<(), Fault> {
        let binary = own_binary(around)?;
        for &hook in platform.hooks.iter().filter(|hook| !hooks.contains(hook)) {
            let place = platform.place(&self.site, hook);
            match hookfile::state(&place)? {
                State::Ours(_) | State::Worn => self.steps.push(Step::RestoreHook(place)),
                State::Absent | State::Foreign => {}
            }
        }
        for &hook in hooks {
            let place = platform.place(&self.site, hook);
            let state = hookfile::state(&place)?;
            if state == State::Ours(binary.clone()) {
                continue;
            }
            if hookfile::must_keep(&place, &state)? {
                self.steps.push(Step::KeepHook(place.clone()));
            }
            self.steps.push(Step::PutHook { place, bytes: shim::render(hook, &binary) });
        }
        if let Some(step) = platform.common_step(&self.site) {
            self.warnings.push(format!(
                "the hooks of all repositories are in one folder, ours get there once, by hand:\n\
                 {step}\n\
                 every repository has to be installed first, one without a policy refuses all pushes"
            ));
        }
        Ok(())
    }
}

/// The mode of our folder: the owner's alone, or what `core.sharedRepository` asks for
/// (git-config(1)).
fn folder_mode(site: &Site) -> u32 {
    let shared = site.config.local_text("core.sharedrepository").unwrap_or_default();
    match shared.to_ascii_lowercase().as_str() {
        "group" | "true" | "1" | "yes" | "on" => 0o2770,
        "all" | "world" | "everybody" | "2" => 0o2775,
        octal if octal.len() > 1 && octal.starts_with('0') => {
            u32::from_str_radix(octal, 8).map_or(0o700, |mode| {
                // As Git does: who may read may enter, and folders pass their group on.
                0o2700 | (mode & 0o777) | ((mode & 0o444) >> 2)
            })
        }
        _ => 0o700,
    }
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
