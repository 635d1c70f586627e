//! Which policy a repository is to be judged by, and whether it can be.
//!
//! Used by `install`. Reads policies and people, writes nothing. A policy with a problem is a fault
//! here, before anything was changed: with it installed, every push would be refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::configfile::Change;
use crate::cli::fault::Fault;
use crate::cli::install::args::Install;
use crate::cli::install::people;
use crate::cli::install::starter::{self, Approvals};
use crate::cli::platform::Platform;
use crate::cli::policies;
use crate::cli::site::{KEY_POLICY, Site};
use crate::cli::surroundings::Surroundings;

/// The texts of a policy, with their places.
pub type Texts = Vec<(PathBuf, Vec<u8>)>;

/// A policy, read.
#[derive(Debug, Default)]
pub struct Known {
    /// Its texts, with their places; they compile.
    pub texts: Texts,
    /// Where it wants its logs to be.
    pub log_dir: Option<PathBuf>,
}

impl Known {
    fn of(texts: Texts) -> Result<Self, Fault> {
        lint(&texts)?;
        let log_dir = policies::log_dir(&texts);
        Ok(Self { texts, log_dir })
    }
}

/// What reading a policy came to.
type Read = Result<Arc<Known>, Fault>;

/// Policies that were read already: of a thousand repositories most have the same one.
#[derive(Debug, Default)]
pub struct Shelf {
    known: Mutex<BTreeMap<Vec<PathBuf>, Read>>,
}

impl Shelf {
    /// The policy in these files.
    pub fn policy(&self, paths: &[PathBuf]) -> Result<Arc<Known>, Fault> {
        // Whoever panicked while reading has left the others as they were.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || policies::read(paths).and_then(Known::of).map(Arc::new);
        known.entry(paths.to_vec()).or_insert_with(read).clone()
    }
}

/// What was chosen.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The starter policy's text, when there is no policy yet.
    pub starter: Option<String>,
    /// What the configuration has to say from now on; `None`: it says it already.
    pub change: Option<Change>,
    /// Policies that go, each with the one that comes for it.
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// The texts that judge pushes now, where another policy takes its place.
    pub before: Option<Arc<Known>>,
    /// The texts that will judge pushes, with their places; they compile.
    pub policy: Arc<Known>,
    /// What the operator has to know.
    pub warnings: Vec<String>,
    /// What the operator may want to know.
    pub notes: Vec<String>,
}

/// Chooses the policy: the one asked for, else the one in force, else a starter.
pub fn policy(
    around: &Surroundings,
    install: &Install,
    platform: &Platform,
    site: &Site,
    shelf: &Shelf,
) -> Result<Chosen, Fault> {
    let named = site.config.local_paths(KEY_POLICY);
    let wanted = policies::places(around, &install.policy)?;
    let has_starter = site.starter_policy().exists();
    if wanted.is_empty() && named.is_empty() && !has_starter {
        return starter(around, install, platform, site);
    }
    let mut chosen = Chosen::default();
    if !install.people.is_empty() {
        chosen.warnings.push("--people is for a starter policy, here is a policy already".into());
    }
    let in_force = match (named.is_empty(), has_starter) {
        (true, true) => vec![site.starter_policy()],
        (true, false) | (false, true | false) => named.clone(),
    };
    chosen.policy = shelf.policy(if wanted.is_empty() { &in_force } else { &wanted })?;
    if wanted.is_empty() || wanted == named {
        return Ok(chosen);
    }
    // One that cannot be read or used any more is no less gone.
    let is_replaced = site.repository_id().is_some();
    chosen.before = shelf.policy(&in_force).ok().filter(|_| is_replaced);
    let goes = in_force.iter().filter(|old| !wanted.contains(old));
    let comes = wanted.iter().filter(|new| !in_force.contains(new));
    chosen.replaced = goes.cloned().zip(comes.cloned()).collect();
    let values = wanted.into_iter().map(PathBuf::into_os_string).collect();
    chosen.change = Some(Change { key: KEY_POLICY, values });
    Ok(chosen)
}

fn starter(
    around: &Surroundings,
    install: &Install,
    platform: &Platform,
    site: &Site,
) -> Result<Chosen, Fault> {
    let roster = people::read(around, &install.people)?;
    let reviewers = roster.people.len();
    let approvals = Approvals::with(reviewers, install.enforce);
    let text = starter::policy(&roster.people, platform, approvals);
    let policy = Known::of(vec![(site.starter_policy(), text.clone().into_bytes())])?;
    let warning = match approvals {
        Approvals::Refuse if reviewers < starter::REVIEWERS_MIN => {
            Some("with a single reviewer, nobody can approve what that reviewer writes")
        }
        Approvals::Refuse => None,
        Approvals::Warn => Some(
            "there is only ONE possible reviewer: unreviewed infrastructure changes are let through\n\
             the rule `infra-review` only warns until the policy names a second one",
        ),
        Approvals::Absent => Some(
            "nobody is in the roster: infrastructure changes are NOT reviewed\n\
             name people with --people, or write them into the policy and uncomment `infra-review`",
        ),
    };
    Ok(Chosen {
        starter: Some(text),
        policy: Arc::new(policy),
        warnings: warning.map(str::to_owned).into_iter().collect(),
        notes: roster.notes,
        ..Chosen::default()
    })
}

/// Faults when these texts cannot be used as a policy.
fn lint(texts: &[(PathBuf, Vec<u8>)]) -> Result<(), Fault> {
    let looked = policies::look(texts);
    if looked.is_usable() {
        return Ok(());
    }
    Err(Fault::refused("the policy cannot be used, so nothing was installed")
        .cause(looked.render(false).trim_end()))
}
