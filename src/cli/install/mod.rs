//! `portcullis install`: hooks, policy and log for a repository, so that pushes to it are judged.
//!
//! For operators. Looks at everything first and changes nothing while something is in the way; a
//! second run finds nothing to do. `uninstall` undoes it. What a step is stands in `plan`, what the
//! first policy says in `starter`, where hooks go in `cli::platform`; many repositories are `batch`'s.

pub mod args;
pub mod batch;
pub mod choose;
pub mod keys;
pub mod mirror;
pub mod people;
pub mod plan;
pub mod prepare;
pub mod shared;
pub mod starter;
pub mod swap;

use clap::CommandFactory as _;

use crate::cli::doctor;
use crate::cli::doctor::finding::Level;
use crate::cli::doctor::report;
use crate::cli::fault::{Exit, Fault};
use crate::cli::files::Durable;
use crate::cli::git::Git;
use crate::cli::install::args::Install;
use crate::cli::install::batch::Batch;
use crate::cli::install::choose::Shelf;
use crate::cli::install::prepare::{Desk, Prepared, Target};
use crate::cli::io::Tone;
use crate::cli::quote::{shell, shown};
use crate::cli::replay;
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Install::command, run };

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let install: Install = call.arguments()?;
    let git = Git::find(call.around)?;
    let around = call.around;
    let desk = Desk { around, git: &git, install: &install, shelf: Shelf::default() };
    if let Some(dir) = &install.template {
        return shared::template(call, &desk, dir);
    }
    if let Some(dir) = &install.global {
        return shared::global(call, &desk, dir);
    }
    if install.json || !install.recursive.is_empty() {
        return Batch::find(&desk)?.run(call);
    }
    // All of them are looked at before the first is touched.
    let mut prepared = Vec::new();
    for repo in &install.repos {
        let target = Target { path: repo.clone(), below: None };
        prepared.push(prepare::prepare(&desk, &target)?);
    }
    let mut exit = Exit::Yes;
    for one in &prepared {
        show(call, &desk, one)?;
        if install.dry_run {
            continue;
        }
        for step in &one.steps {
            step.apply(&git, &one.site, Durable::AtOnce)?;
        }
        plan::noted(call.around, &git, &one.site, &one.steps, Durable::AtOnce)?;
        if finish(call, &git, one)? == Exit::No {
            exit = Exit::No;
        }
    }
    Ok(exit)
}

/// Says what is going to be done.
fn show(call: &mut Call<'_>, desk: &Desk<'_>, one: &Prepared) -> Result<(), Fault> {
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
        console.data_bytes(&swap::texts(desk.git, &one.site, old, new)?)?;
    }
    for warning in &one.warnings {
        console.talk_lines(Tone::Warning, warning)?;
    }
    if one.steps.is_empty() {
        return console.talk(&format!("{}: nothing to do", shown(&one.site.git_dir)));
    }
    let texts = &one.policy.texts;
    if !texts.is_empty()
        && let Some(text) = replay::preview(&one.site.git_dir, texts, swap::LANDINGS_REPLAYED, now)?
    {
        console.talk_lines(
            Tone::Note,
            &format!("had it been in force already:\n{}", text.trim_end()),
        )?;
    }
    if let Some(before) = &one.before {
        for line in swap::rules(before, &one.policy, now) {
            console.data_line(&line)?;
        }
        let threads = crate::replay::THREADS_MAX;
        let found = swap::difference(&one.site.git_dir, (before, &one.policy), threads, now)?;
        console.data_line(&format!("{}: {}", shown(&one.site.git_dir), found.line()))?;
    }
    console.talk(&format!("{}:", shown(&one.site.git_dir)))?;
    for step in &one.steps {
        console.talk(&format!("  {}", step.describe().replace('\n', "\n  ")))?;
    }
    Ok(())
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
