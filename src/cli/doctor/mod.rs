//! `portcullis doctor`: what would let a push through unjudged, and what mends it.
//!
//! For operators, and for a timer: exit code 1 when there is an error. Everything is gathered first
//! (`snapshot`), then looked at by a table of checks that know nothing of each other.

pub mod account;
pub mod certificates;
pub mod finding;
pub mod fix;
pub mod history;
pub mod hooks;
pub mod leftover;
pub mod look;
pub mod path;
pub mod report;
pub mod repository;
pub mod settings;
pub mod snapshot;
pub mod storage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};
use indicatif::ProgressBar;

use crate::cli::crowd::bar_of_many;
use crate::cli::doctor::finding::Finding;
use crate::cli::doctor::report::{Outcome, Report};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::fault::{Exit, Fault};
use crate::cli::git::Git;
use crate::cli::install::mirror::fetches_into_branches;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::cli::trees::{Asked, Trees, trap};
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Doctor::command, run };

/// Find what would let a push through unjudged
///
/// Looks at hooks, configuration, policy, log, refs, rights, logins and sshd, as the account that runs
/// it; run it as the account that serves pushes. Each finding says what is so, why it matters and what
/// mends it; docs/doctor.md has them all. Of a folder, every repository below it is looked at; mirrors
/// without our hooks are passed over.
///
/// The exit code is 1 when there is an error, so that a timer can run it, and 3 when a repository could
/// not be looked at; the others are told all the same.
#[derive(Parser, Debug)]
#[command(name = "doctor", after_help = EXAMPLES)]
struct Doctor {
    /// Mend what needs no decision: modes, our own hooks where nothing else stands, settings that only
    /// add, files of ours that an interrupted write has left. Says what was done, and writes the change
    /// into the log
    #[arg(long)]
    fix: bool,

    /// Print the findings as JSON, see docs/doctor.md
    #[arg(long)]
    json: bool,

    /// sshd's configuration, where it is not /etc/ssh/sshd_config and what stands beside it
    #[arg(long, value_name = "FILE")]
    sshd_config: Vec<PathBuf>,

    #[command(flatten)]
    trees: Trees,
}

const EXAMPLES: &str = "\
Examples:
  sudo -u git portcullis doctor /srv/git/infra.git
  sudo -u git portcullis doctor --fix /srv/git
  portcullis doctor --json /srv/git | jq -r '.repositories[].findings[].what'";

/// A check: what it finds in a snapshot.
type Check = fn(&Snapshot) -> Vec<Finding>;

/// Every check, in the order their findings are shown.
static CHECKS: &[Check] = &[
    hooks::installed,
    hooks::present,
    hooks::executable,
    hooks::ours,
    hooks::program,
    hooks::guarded,
    hooks::runner,
    hooks::earlier,
    hooks::watching,
    settings::hooks_path,
    settings::only_warns,
    settings::configured_hooks,
    settings::proc_receive,
    settings::shallow_update,
    storage::policy,
    storage::owners,
    storage::account,
    storage::private,
    storage::log,
    history::usable,
    history::belongs,
    history::drift,
    history::ends,
    history::held,
    storage::log_append_only,
    storage::log_space,
    storage::sealed,
    repository::readable,
    repository::head,
    repository::left_out,
    repository::locks,
    repository::incoming,
    repository::aliases,
    settings::own_keys,
    settings::shared,
    settings::hidden_refs,
    settings::anonymous,
    settings::pruning,
    account::login_shell,
    account::group_shells,
    path::writable,
    account::client_variables,
    certificates::nonces,
    settings::worth_having,
    leftover::files,
    storage::log_place,
];

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let doctor: Doctor = call.arguments()?;
    let git = Git::find(call.around)?;
    let found = doctor.trees.find(call)?;
    let mut exit = found.exit;
    let mut reports = Vec::with_capacity(found.asked.len());
    let mut snapshots: Vec<Option<Snapshot>> = Vec::new();
    // What is mended is told as it is done, and would stand between.
    let bar = match doctor.fix {
        true => ProgressBar::hidden(),
        false => bar_of_many(call.console, "repositories", found.asked.len()),
    };
    for asked in found.asked {
        bar.inc(1);
        let (outcome, snapshot) = match treat(call, &git, &doctor, &asked) {
            Ok((outcome, snapshot)) => (outcome, Some(snapshot)),
            Err(fault) if fault.is_quiet() => return Err(fault),
            Err(fault) => (Outcome::Fault(fault), None),
        };
        reports.push(Report { asked, outcome });
        snapshots.push(snapshot);
    }
    bar.finish_and_clear();
    add_twins(&snapshots, &mut reports);
    exit = reports.iter().fold(exit, |exit, report| Exit::worst(exit, report.exit()));
    if doctor.json {
        call.console.json(&report::as_json(&reports))?;
    } else {
        report::print(call.console, &reports)?;
    }
    Ok(exit)
}

/// Looks at one repository, and mends it where that was asked for.
fn treat(
    call: &mut Call<'_>,
    git: &Git,
    doctor: &Doctor,
    asked: &Asked,
) -> Result<(Outcome, Snapshot), Fault> {
    if let Some(why) = &asked.missing {
        return Err(
            Fault::new(why.clone()).hint("name the folder that holds HEAD, objects and refs")
        );
    }
    if let Some(why) = trap(&asked.path) {
        return Err(Fault::new(why));
    }
    let files = sshd_files(call.around, doctor)?;
    let look = || Snapshot::gather(call.around, git, &asked.path, &files);
    let mut snapshot = look()?;
    if !asked.is_named
        && snapshot.hooks.is_empty()
        && fetches_into_branches(&snapshot.site.config).is_some()
    {
        return Ok((Outcome::Mirror, snapshot));
    }
    let mut findings = findings(&snapshot);
    if doctor.fix && fix::mend(call.around, call.console, git, &snapshot.site, &findings)? {
        snapshot = Snapshot::gather(call.around, git, &asked.path, &files)?;
        findings = self::findings(&snapshot);
    }
    Ok((Outcome::Findings(findings), snapshot))
}

fn sshd_files(around: &Surroundings, doctor: &Doctor) -> Result<Vec<PathBuf>, Fault> {
    match doctor.sshd_config.is_empty() {
        true => Ok(look::sshd_files()),
        false => doctor.sshd_config.iter().map(|file| around.absolute(file)).collect(),
    }
}

/// Everything that is found in one repository, the worst first.
pub fn examine(around: &Surroundings, git: &Git, repo: &Path) -> Result<Vec<Finding>, Fault> {
    Ok(findings(&Snapshot::gather(around, git, repo, &look::sshd_files())?))
}

fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    if snapshot.hooks.is_empty() {
        // Where nothing of ours is, nothing of ours can be wrong; only whether all is seen matters.
        return [hooks::installed(snapshot), storage::account(snapshot)].concat();
    }
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(snapshot)).collect();
    findings.sort_by_key(|finding| finding.level);
    findings
}

/// Finds repositories among those that were looked at which say they are the same one: a copy takes
/// its id along, and statements for one would count for the other.
fn add_twins(snapshots: &[Option<Snapshot>], reports: &mut [Report]) {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (snapshot, report) in snapshots.iter().zip(reports) {
        let (Some(snapshot), Outcome::Findings(findings)) = (snapshot, &mut report.outcome) else {
            continue;
        };
        let Some((id, place)) = snapshot::id_of(&snapshot.site) else { continue };
        let Some(first) = seen.get(&id).filter(|first| **first != place) else {
            seen.insert(id, place);
            continue;
        };
        // The log of a copy may have told already.
        if findings.iter().any(|finding| finding.check == "same-id") {
            continue;
        }
        let what = format!("{} has the same id, {id}", shown(first));
        findings.insert(0, history::copied(snapshot, &what));
    }
}
