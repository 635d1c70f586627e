//! `portcullis install`: hooks, policy and log for a repository, so that pushes to it are judged.
//!
//! For operators. Looks at everything first and changes nothing while something is in the way; a
//! second run finds nothing to do. `uninstall` undoes it. What a step is stands in `plan`, what the
//! first policy says in `starter`, where hooks go in `cli::platform`.

pub mod args;
pub mod choose;
pub mod keys;
pub mod people;
pub mod plan;
pub mod prepare;
pub mod starter;

use clap::CommandFactory as _;

use crate::cli::doctor;
use crate::cli::doctor::finding::Level;
use crate::cli::doctor::report;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::git::Git;
use crate::cli::install::args::Install;
use crate::cli::install::prepare::Prepared;
use crate::cli::inventory;
use crate::cli::io::Tone;
use crate::cli::quote::{shell, shown};
use crate::cli::replay;
use crate::cli::site::Site;
use crate::cli::verb::{Call, Group, Verb};
use crate::hook::host;
use crate::log::book::Log;
use crate::log::config::Noticed;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Install::command, run };

/// How many of the newest landings are held against the policy before it is put in force.
const LANDINGS_REPLAYED: usize = 100;

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let install: Install = call.arguments()?;
    let git = Git::find(call.around)?;
    // All of them are looked at before the first is touched.
    let mut prepared = Vec::new();
    for repo in &install.repos {
        prepared.push(prepare::prepare(call, &git, &install, repo)?);
    }
    let mut exit = Exit::Yes;
    for one in &prepared {
        show(call, &git, one)?;
        if install.dry_run {
            continue;
        }
        for step in &one.steps {
            step.apply(&git, &one.site)?;
        }
        noted(call, &git, one)?;
        if finish(call, &git, one)? == Exit::No {
            exit = Exit::No;
        }
    }
    Ok(exit)
}

/// Says what is going to be done.
fn show(call: &mut Call<'_>, git: &Git, one: &Prepared) -> Result<(), Fault> {
    let now = call.around.now;
    let console = &mut *call.console;
    for note in &one.notes {
        console.talk_lines(Tone::Note, note)?;
    }
    if let Some(text) = &one.starter {
        console.talk_lines(Tone::Note, "there is no policy yet, this one is written:")?;
        console.data(text)?;
    }
    for (old, new) in &one.replaced {
        console.data_bytes(&difference(git, one, old, new)?)?;
    }
    for warning in &one.warnings {
        console.talk_lines(Tone::Warning, warning)?;
    }
    if one.steps.is_empty() {
        return console.talk(&format!("{}: nothing to do", shown(&one.site.git_dir)));
    }
    if !one.policy.is_empty()
        && let Some(text) = replay::preview(&one.site.git_dir, &one.policy, LANDINGS_REPLAYED, now)?
    {
        console.talk_lines(
            Tone::Note,
            &format!("had it been in force already:\n{}", text.trim_end()),
        )?;
    }
    console.talk(&format!("{}:", shown(&one.site.git_dir)))?;
    for step in &one.steps {
        console.talk(&format!("  {}", step.describe().replace('\n', "\n  ")))?;
    }
    Ok(())
}

/// The lines that differ between the policy in force and the new one, as Git shows them.
fn difference(
    git: &Git,
    one: &Prepared,
    old: &std::path::Path,
    new: &std::path::Path,
) -> Result<Vec<u8>, Fault> {
    let words = ["diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--"];
    let mut arguments: Vec<&std::ffi::OsStr> = words.iter().map(|word| (*word).as_ref()).collect();
    arguments.extend([old.as_os_str(), new.as_os_str()]);
    // Git's exit code says whether they differ; where one of them is gone there is nothing to show.
    git.output(&one.site.git_dir, &arguments).map(|output| output.stdout)
}

/// Writes the hooks and the settings that are in force now into the log.
fn noted(call: &Call<'_>, git: &Git, one: &Prepared) -> Result<(), Fault> {
    let site = Site::find(call.around, git, &one.site.git_dir)?;
    let dir = site.log_dir();
    let mut log = Log::open(&dir).or_fault(|| format!("could not open the log {}", shown(&dir)))?;
    let ctx = host::ctx(call.around.now);
    inventory::note(&site, &mut log, Noticed::Install, &ctx).map(drop)
}

/// Looks whether everything is in place now, and says what comes next.
fn finish(call: &mut Call<'_>, git: &Git, one: &Prepared) -> Result<Exit, Fault> {
    let mut findings = doctor::examine(call.around, git, &one.site.git_dir)?;
    let all = findings.len();
    findings.retain(|finding| finding.level != Level::Note);
    report::show(call.console, &findings)?;
    let repo = shell(&one.site.git_dir);
    if report::is_healthy(&findings) {
        call.console.talk_lines(Tone::Success, &format!("{repo} is judged by its policy now"))?;
        if all > findings.len() {
            let text = format!("what could be better yet: portcullis doctor {repo}");
            call.console.talk_lines(Tone::Hint, &text)?;
        }
        return Ok(Exit::Yes);
    }
    call.console
        .talk_lines(Tone::Hint, &format!("mend this, then run: portcullis doctor {repo}"))?;
    Ok(Exit::No)
}
