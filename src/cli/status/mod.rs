//! `portcullis status`: how the gates of one repository stand, or of a thousand.
//!
//! For operators and for a timer: exit code 1 when something needs a hand, 3 when something could not
//! be looked at. Reads only; what is wrong in detail is told by `doctor` and `lint`.

pub mod card;
pub mod crowd;
pub mod json;
pub mod look;
pub mod programs;
pub mod prometheus;
pub mod table;
pub mod told;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};

use crate::cli::config::Config;
use crate::cli::crowd::bar_of_many;
use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::Git;
use crate::cli::quote::{shell, shown};
use crate::cli::status::look::Eye;
use crate::cli::status::programs::Programs;
use crate::cli::status::table::Page;
use crate::cli::status::told::{State, Told};
use crate::cli::surroundings::Surroundings;
use crate::cli::trees::{Found, Trees};
use crate::cli::verb::{Call, Group, Verb};
use crate::hook::host;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Status::command, run };

/// How many columns a table has where nobody says.
const COLUMNS: usize = 80;

/// How many columns are believed.
const COLUMNS_MAX: usize = 1000;

/// The mode of the file for Prometheus: another account reads it.
const METRICS_MODE: u32 = 0o644;

/// A path that is no repository: asked there, Git tells the settings of machine and account.
const NOWHERE: &str = "/nonexistent";

/// Show how the gates stand, and what needs a hand
///
/// Of repositories that are named, and of all that stand below a folder: a row each, the worst first,
/// and below the table what needs a hand, each with its command. Mirrors are passed over. Nothing is
/// written, and no log is read from one end to the other: drift is what `log drift` has written down.
///
/// The exit code is 1 when something needs a hand: a repository without hooks, a hook that does not
/// run, a policy or a log that cannot be used, a drift that nobody has accepted, a debt or a seal that
/// is overdue, two repositories with one id. It is 3 when a repository could not be looked at; the
/// others are told all the same. Warnings alone do not change it.
#[derive(Parser, Debug)]
#[command(name = "status", after_help = EXAMPLES)]
struct Status {
    /// Print it as JSON, see docs/status.md
    #[arg(long)]
    json: bool,

    /// Write it to this file as metrics for Prometheus, whole or not at all, so that the textfile
    /// collector of node_exporter never reads half of it; `-`: to standard output. Of the rest only
    /// what needs a hand is printed
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,

    /// Print only what needs a hand, and nothing when nothing does: for cron
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    /// Leave out repositories that have none of our hooks
    #[arg(long)]
    installed: bool,

    #[command(flatten)]
    trees: Trees,
}

const EXAMPLES: &str = "\
Examples:
  portcullis status /srv/git
  portcullis status --quiet /srv/git      from cron: mails only what needs a hand
  portcullis status --prometheus /var/lib/node-exporter/gates.prom /srv/git
  portcullis status --json /srv/git | jq -r '.repositories[].path'";

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let status: Status = call.arguments()?;
    let is_piped = status.prometheus.as_deref().is_some_and(|file| file == Path::new("-"));
    if is_piped && status.json {
        return Err(Fault::mistyped("--json and --prometheus - both write to standard output"));
    }
    let found = status.trees.find(call)?;
    let is_one = found.is_one();
    let Found { asked, mut exit } = found;
    let git = Git::find(call.around)?;
    let (shared, shared_hooks) = shared(&git);
    let eye = || Eye {
        git: git.clone(),
        shared: shared.clone(),
        shared_hooks: shared_hooks.clone(),
        ctx: host::ctx(call.around.now),
        programs: Programs::new(call.around.executable.clone()),
    };
    let bar = bar_of_many(call.console, "repositories", asked.len());
    let mut all = crowd::look_at_all(asked, crowd::LOOK_TIME_MAX, &eye, &mut || bar.inc(1));
    bar.finish_and_clear();
    if status.installed {
        all.retain(|told| !matches!(told.state, State::Open | State::Mirror));
    }
    add_twins(&mut all);
    all.sort_by(|one, other| (one.rank(), &one.path).cmp(&(other.rank(), &other.path)));
    if all.iter().any(Told::needs_a_hand) {
        exit = Exit::worst(exit, Exit::No);
    }
    if all.iter().any(|told| told.state == State::Unseen) {
        exit = Exit::worst(exit, Exit::CouldNot);
    }
    if let Some(file) = &status.prometheus {
        write_metrics(call, file, &prometheus::whole(&all, call.around.now))?;
    }
    if !is_piped {
        show(call, &status, is_one, &all)?;
    }
    Ok(exit)
}

fn show(call: &mut Call<'_>, status: &Status, is_one: bool, all: &[Told]) -> Result<(), Fault> {
    let now = call.around.now;
    if status.json {
        return call.console.json(&json::whole(all, now));
    }
    let lines = match all {
        _ if status.quiet || status.prometheus.is_some() => {
            let hands = table::hands(all);
            let is_needed = all.iter().any(Told::needs_a_hand);
            if is_needed { hands.into_iter().skip(1).collect() } else { Vec::new() }
        }
        [one] if is_one => card::lines(one, now),
        all => {
            let page = Page { columns: columns(call.around), now };
            let mut lines = table::page(all, &page);
            let owing = all.iter().filter(|told| !told.debts.is_empty());
            let owing: Vec<String> = owing
                .flat_map(|told| {
                    let heading = ["".to_owned(), format!("{} owes:", told.label)];
                    heading.into_iter().chain(card::debts(&told.debts, now))
                })
                .collect();
            let at = lines.len().saturating_sub(2);
            lines.splice(at..at, owing);
            lines
        }
    };
    lines.iter().try_for_each(|line| call.console.data_line(line))
}

fn write_metrics(call: &mut Call<'_>, file: &Path, text: &str) -> Result<(), Fault> {
    if file == Path::new("-") {
        return call.console.data(text);
    }
    let path = call.around.absolute(file)?;
    files::write_whole(&path, text.as_bytes(), METRICS_MODE)
        .or_fault(|| format!("could not write {}", shown(&path)))
        .map_err(|fault| {
            fault.hint("its folder has to be writable, the file is replaced as a whole")
        })
}

/// The settings of machine and account, and where their `core.hooksPath` leads. A Git that does not
/// answer takes nothing away: what a repository says for itself is read in any case.
fn shared(git: &Git) -> (Config, Option<PathBuf>) {
    let nowhere = Path::new(NOWHERE);
    let hooks = git.config_path(nowhere, "core.hooksPath").ok().flatten();
    let hooks = hooks.map(|path| PathBuf::from(OsStr::from_bytes(&path)));
    (git.config(nowhere).unwrap_or_default(), hooks)
}

/// The width of the page: as `COLUMNS` says, else the terminal.
fn columns(around: &Surroundings) -> usize {
    let said = around.variable("COLUMNS").and_then(OsStr::to_str);
    let said = said.and_then(|text| text.parse().ok()).filter(|columns| *columns > 0);
    let seen = || {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    };
    said.or_else(seen).unwrap_or(COLUMNS).min(COLUMNS_MAX)
}

/// Finds repositories that say they are the same one: a copy takes its id along, and statements for
/// one would count for the other.
fn add_twins(all: &mut [Told]) {
    let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, told) in all.iter().enumerate() {
        if told.state == State::Gated && !told.repository.is_empty() {
            by_id.entry(told.repository.clone()).or_default().push(at);
        }
    }
    for (id, places) in by_id.iter().filter(|(_, places)| places.len() > 1) {
        let paths: Vec<PathBuf> =
            places.iter().filter_map(|at| all.get(*at)).map(|told| told.path.clone()).collect();
        for at in places {
            let Some(told) = all.get_mut(*at) else { continue };
            let Some(other) = paths.iter().find(|path| **path != told.path) else { continue };
            told.findings.insert(0, twin(id, &told.path, other));
        }
    }
}

fn twin(id: &str, path: &Path, other: &Path) -> Finding {
    let what = format!("{} has the same id, {id}", shown(other));
    let why = "an approval for one counts for the other";
    Finding::new(Level::Error, "same-id", what, why).mend(format!(
        "portcullis doctor {} {}",
        shell(path),
        shell(other)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_with_one_id_name_each_other() {
        let gated = |path: &str, id: &str| Told {
            repository: id.to_owned(),
            ..Told::nothing(path.into(), path.to_owned(), State::Gated)
        };
        let mut all = [gated("/a", "x"), gated("/b", "y"), gated("/c", "x"), gated("/d", "")];
        add_twins(&mut all);
        let what = |at: usize| {
            let first = all.get(at).and_then(|told| told.findings.first());
            first.map(|finding| finding.what.clone())
        };
        assert_eq!(what(0).as_deref(), Some("/c has the same id, x"));
        assert_eq!(what(2).as_deref(), Some("/a has the same id, x"));
        assert_eq!((what(1), what(3)), (None, None));
    }
}
