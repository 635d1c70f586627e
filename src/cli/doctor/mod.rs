//! `portcullis doctor`: what would let a push through unjudged, and what mends it.
//!
//! For operators, and for a timer: exit code 1 when there is an error. Everything is gathered first
//! (`snapshot`), then looked at by a table of checks that know nothing of each other.

pub mod account;
pub mod certificates;
pub mod finding;
pub mod hooks;
pub mod look;
pub mod repository;
pub mod settings;
pub mod snapshot;
pub mod storage;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};
use serde_json::{Value, json};

use crate::cli::doctor::finding::{Finding, Fix, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::git::Git;
use crate::cli::io::{Console, Tone};
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Doctor::command, run };

/// Find what would let a push through unjudged
///
/// Looks at hooks, configuration, policy, log, rights, logins and sshd, as the account that runs it;
/// run it as the account that serves pushes. Each finding says what is so, why it matters and what
/// mends it. The exit code is 1 when there is an error, so that a timer can run it.
#[derive(Parser, Debug)]
#[command(name = "doctor")]
struct Doctor {
    /// Mend what can be mended without a decision: modes, settings
    #[arg(long)]
    fix: bool,

    /// Print the findings as JSON
    #[arg(long)]
    json: bool,

    /// The repositories; the one here when none is named
    #[arg(value_name = "REPO", default_value = ".")]
    repos: Vec<PathBuf>,
}

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
    settings::hooks_path,
    settings::only_warns,
    settings::configured_hooks,
    settings::proc_receive,
    storage::policy,
    storage::owners,
    storage::account,
    storage::log,
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
    account::client_variables,
    certificates::nonces,
    settings::worth_having,
    storage::log_place,
];

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let doctor: Doctor = call.arguments()?;
    let git = Git::find(call.around)?;
    let mut reports = Vec::new();
    let mut sites: Vec<Site> = Vec::new();
    for repo in &doctor.repos {
        let site = Site::find(call.around, &git, repo)?;
        let mut findings = examine(call.around, &git, &site.git_dir)?;
        if doctor.fix && mend(call.console, &git, &site, &findings)? {
            findings = examine(call.around, &git, &site.git_dir)?;
        }
        reports.push((site.git_dir.clone(), findings));
        sites.push(site);
    }
    add_twins(&sites, &mut reports);
    if doctor.json {
        let reports: Vec<Value> = reports.iter().map(|(dir, found)| as_json(dir, found)).collect();
        call.console.json(&json!({ "repositories": reports }))?;
    } else {
        for (dir, findings) in &reports {
            if reports.len() > 1 {
                call.console.data_line(&format!("{}:", shown(dir)))?;
            }
            show(call.console, findings)?;
        }
    }
    let healthy = reports.iter().all(|(_, findings)| is_healthy(findings));
    Ok(if healthy { Exit::Yes } else { Exit::No })
}

/// Everything that is found in one repository, the worst first.
pub fn examine(around: &Surroundings, git: &Git, repo: &Path) -> Result<Vec<Finding>, Fault> {
    let snapshot = Snapshot::gather(around, git, repo)?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&snapshot)).collect();
    findings.sort_by_key(|finding| finding.level);
    Ok(findings)
}

/// Whether pushes are judged as they should be.
pub fn is_healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Error)
}

/// Prints the findings for a person.
pub fn show(console: &mut Console, findings: &[Finding]) -> Result<(), Fault> {
    for finding in findings {
        let what = finding.what.replace('\n', "\n  ");
        let word = finding.level.word();
        console.data_line(&format!("{word}: {what} [{}]", finding.check))?;
        console.data_line(&format!("  {}", finding.why))?;
        for command in &finding.mend {
            console.data_line(&format!("  mend: {command}"))?;
        }
    }
    let sum = [Level::Error, Level::Warning, Level::Note]
        .map(|level| {
            (findings.iter().filter(|finding| finding.level == level).count(), level.word())
        })
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect::<Vec<_>>();
    if sum.is_empty() {
        return console.data_line("nothing is wrong");
    }
    console.data_line(&sum.join(", "))
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn as_json(dir: &Path, findings: &[Finding]) -> Value {
    let rows: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "level": finding.level.word(),
                "what": finding.what,
                "why": finding.why,
                "mend": finding.mend,
                "fixable": finding.fix.is_some(),
            })
        })
        .collect();
    json!({ "repository": shown(dir), "healthy": is_healthy(findings), "findings": rows })
}

/// Mends what a check says can be mended. Answers whether anything was.
fn mend(console: &mut Console, git: &Git, site: &Site, found: &[Finding]) -> Result<bool, Fault> {
    let mut mended = false;
    for finding in found {
        match &finding.fix {
            None => continue,
            Some(Fix::Chmod { path, mode }) => {
                fs::set_permissions(path, Permissions::from_mode(*mode))
                    .or_fault(|| format!("could not change the mode of {}", shown(path)))?
            }
            Some(Fix::Configure(change)) => {
                git.configure(&site.git_dir, std::slice::from_ref(change))?;
            }
        }
        mended = true;
        console
            .talk_lines(Tone::Success, &format!("mended: {} [{}]", finding.what, finding.check))?;
    }
    Ok(mended)
}

/// Finds repositories among those that were named which say they are the same one: a copy takes its
/// id along, and statements for one would count for the other.
fn add_twins(sites: &[Site], reports: &mut [(PathBuf, Vec<Finding>)]) {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (site, (_, findings)) in sites.iter().zip(reports) {
        let Some((id, place)) = snapshot::id_of(site) else { continue };
        let Some(first) = seen.get(&id).filter(|first| **first != place) else {
            seen.insert(id, place);
            continue;
        };
        let what = format!("{} has the same id, {id}", shown(first));
        let why = "an approval for one counts for the other";
        let dir = shell(&site.git_dir);
        findings.insert(
            0,
            Finding::new(Level::Error, "same-id", what, why)
                .mend(format!(
                    "in the copy: git --git-dir={dir} config --unset portcullis.repository"
                ))
                .mend(format!("portcullis install {dir}")),
        );
    }
}
