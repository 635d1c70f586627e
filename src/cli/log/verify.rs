//! `portcullis log verify`: whether the log is as it was written, or where it is not.
//!
//! The checking is the log room's. Exit code 1 when a log does not hold together, for timers.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::io::Console;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::repo::{self, Agreement};
use crate::cli::log::roots::{self, Asked, Roots};
use crate::cli::log::scope::{Scope, Wanted};
use crate::cli::log::seal::read_checkpoint;
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::Call;
use crate::log::clock::SetBack;
use crate::log::prune::is_of_archive;
use crate::log::read::{Entries, Filter};
use crate::log::verify::{Report, verify};
use crate::names::escape::escape;
use crate::tlog::trust::{TRUST_BYTES_MAX, Trust};

/// Check that every line of the log is as it was written
///
/// Checks each line's own hash, that it continues the line before, that numbers are dense, that
/// damage is declared, that attachments are what their names say, and that time goes on. The end
/// can be cut off without a trace in the file: compare number and head with what an accepted push
/// has printed, or give a checkpoint that was kept elsewhere with --since. The last lines say what
/// was checked and what was not. config/audit/verify.sh and verify.py check the same without this
/// program.
#[derive(Args, Debug)]
pub struct Verify {
    /// Check the tree of all entries too, and every seal: that it is signed, by the key that the
    /// seal before it named
    #[arg(long)]
    root: bool,

    /// Check that the log continues this checkpoint: that nothing it covers was changed, and that
    /// the end was not cut off
    #[arg(long, value_name = "CHECKPOINT")]
    since: Vec<PathBuf>,

    /// Whom to believe (C2SP tlog-policy): logs, witnesses, and how many of them have to have
    /// signed the checkpoints given by --since, or else the log's own last one
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// Hold the refs and HEAD of the repository against the log too: which are explained, which
    /// accepted pushes still wait, which were moved past the gate. Writes nothing. The exit code is 1
    /// while there is a drift that no operator has accepted
    #[arg(long)]
    repo: bool,

    /// Old files of the log as `log prune --to` copied them: check that the summary of what was taken
    /// away is what they make
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

impl Verify {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let (places, mut exit) = place::gather(call, &self.places, &self.below)?;
        let asked = self.asked(call.around)?;
        let (mut whole, mut agrees) = (true, true);
        let mut all: Vec<Value> = Vec::new();
        for place in &places {
            let looked = checked(call.console, place, asked.as_ref());
            let (report, roots) = match looked {
                Ok(looked) => looked,
                Err(fault) => {
                    exit = Exit::worst(exit, place::go_on(call, &places, fault)?);
                    continue;
                }
            };
            let agreement = match (self.repo, &report.broken) {
                (true, None) => {
                    Some(repo::look(&place::site(call.around, place)?, call.around.now)?)
                }
                (true, Some(_)) | (false, _) => None,
            };
            agrees &= agreement.as_ref().is_none_or(Agreement::holds);
            if report.broken.is_some() || roots.as_ref().is_some_and(|it| !it.holds()) {
                whole = false;
            }
            let archived = self.archived(call.around, place, &report)?;
            whole &= archived != Some(false);
            let scope = Scope::of(&report, self.wanted());
            if self.json {
                let mut value = as_json(place, &report);
                scope.tell(&mut value);
                value["archive"] = json!(archived);
                value["tree"] = roots.as_ref().map_or(Value::Null, Roots::as_json);
                value["repo"] = agreement.as_ref().map_or(Value::Null, Agreement::as_json);
                all.push(value);
            } else {
                let name = if places.len() > 1 { Some(shown(&place.given)) } else { None };
                tell(call.console, name.as_deref(), place, &report)?;
                let lines = pruned_lines(&report, archived).into_iter();
                let lines = lines.chain(roots.iter().flat_map(Roots::lines));
                let lines = lines.chain(agreement.iter().flat_map(Agreement::lines));
                for line in lines.chain(scope.lines()) {
                    call.console.data_words(&format!("  {line}"))?;
                }
            }
        }
        if self.json {
            call.console.json(&json!({ "whole": whole, "logs": all }))?;
        }
        Ok(if whole && agrees { Exit::Yes } else { Exit::No })
    }
}

impl Verify {
    /// Whether the archived files make the summary of what was taken away. `None`: nobody asked, or
    /// nothing was.
    fn archived(
        &self,
        around: &Surroundings,
        place: &Place,
        report: &Report,
    ) -> Result<Option<bool>, Fault> {
        let Some(dir) = self.archive.as_ref().filter(|_| report.broken.is_none()) else {
            return Ok(None);
        };
        let dir = around.absolute(dir)?;
        is_of_archive(&place.folder, &dir).map_err(|error| place::fault(&dir, &error))
    }

    fn wanted(&self) -> Wanted {
        let (since, trust) = (!self.since.is_empty(), self.trust.is_some());
        Wanted { tree: self.root || since || trust, since, trust, repo: self.repo }
    }

    /// What is asked about the tree, when anything is.
    fn asked(&self, around: &Surroundings) -> Result<Option<Asked>, Fault> {
        if !self.root && self.since.is_empty() && self.trust.is_none() {
            return Ok(None);
        }
        let mut asked = Asked::default();
        for file in &self.since {
            let path = around.absolute(file)?;
            let (checkpoint, note) = read_checkpoint(&path)?;
            asked.since.push((shown(file), checkpoint, note));
        }
        if let Some(file) = &self.trust {
            let path = around.absolute(file)?;
            let bytes = files::read_whole(&path, TRUST_BYTES_MAX)
                .or_fault(|| format!("could not read {}", shown(&path)))?;
            let trust = Trust::parse(&bytes);
            asked.trust =
                Some(trust.or_fault(|| format!("{} says not whom to trust", shown(&path)))?);
        }
        Ok(Some(asked))
    }
}

/// Looks at one log, and at its tree when that is asked for.
pub fn checked(
    console: &Console,
    place: &Place,
    asked: Option<&Asked>,
) -> Result<(Report, Option<Roots>), Fault> {
    let report = verified(console, place)?;
    let roots = match (asked, &report.broken) {
        (Some(asked), None) => Some(roots::look(&place.folder, asked)?),
        (Some(_), Some(_)) | (None, _) => None,
    };
    Ok((report, roots))
}

/// Verifies one log, with a bar where somebody waits.
fn verified(console: &Console, place: &Place) -> Result<Report, Fault> {
    let dir = place.folder.dir();
    let bar = if console.shows_progress() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("verifying {bar:30} {bytes} of {total_bytes}");
    // A template that cannot be read leaves the bar as it is by default.
    let bar = match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    let report = verify(dir, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    report.map_err(|error| place::fault(dir, &error))
}

fn tell(
    console: &mut Console,
    name: Option<&str>,
    place: &Place,
    report: &Report,
) -> Result<(), Fault> {
    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let size = report.head.size;
    if let Some(broken) = &report.broken {
        console.data_line(&format!("{name}broken at entry {}", broken.entry))?;
        console.data_line(&format!("  line {}, byte {}", broken.line, broken.offset))?;
        console.data_line(&format!("  {}", escape(broken.what.to_string().as_bytes())))?;
        let holds = match size {
            0 => "nothing before it".to_owned(),
            1 => "only the first entry before it".to_owned(),
            _ => format!("entries 0 to {} before it, head {}", size - 1, report.head.hash.hex()),
        };
        console.data_line(&format!("  what holds together: {holds}"))?;
        return console
            .data_line("  compare with a copy, and with the heads that pushers were told");
    }
    let entries = if size == 1 { "1 entry".to_owned() } else { format!("{size} entries") };
    console.data_words(&format!("{name}whole, {entries}, head {}", report.head.hash.hex()))?;
    console.data_line(&format!("  log {}", words::plain(&report.origin)))?;
    if let Some((first, last)) = span(place) {
        console.data_line(&format!("  from {first} to {last}"))?;
    }
    if report.attachments > 0 {
        let checked = words::counted(report.attachments, "attachment");
        console.data_line(&format!("  {checked} checked"))?;
    }
    for line in clock_lines(report) {
        console.data_line(&format!("  {line}"))?;
    }
    if report.recovered > 0 {
        let places = words::counted(report.recovered, "place");
        console.data_line(&format!("  damage in {places}, declared by the entries after it"))?;
    }
    if let Some(offset) = report.torn {
        console.data_line(&format!(
            "  an append at byte {offset} has not ended; the next entry will declare it"
        ))?;
    }
    if report.in_doubt {
        console
            .data_line("  the disk refused to keep some lines; the next entry will declare it")?;
    }
    Ok(())
}

/// What is told of entries that were taken away.
fn pruned_lines(report: &Report, archived: Option<bool>) -> Vec<String> {
    let Some((first, kept)) = report.pruned.filter(|_| report.broken.is_none()) else {
        return Vec::new();
    };
    let told = format!(
        "entries 0 to {} were taken away; {kept} of them stay whole in the summary, proved by the \
         tree, of the others their hashes",
        first.saturating_sub(1)
    );
    let archive = match archived {
        Some(true) => "the summary is what the archived files make",
        Some(false) => "broken: the summary is not what the archived files make",
        None => "whether the summary leaves something out: --archive DIR, where the old files are",
    };
    vec![told, archive.to_owned()]
}

/// Where the server's clock was set back. Honest servers do that too, so it is told and no break.
fn clock_lines(report: &Report) -> Vec<String> {
    let told = |it: &SetBack| {
        let minutes = words::counted(it.minutes().unsigned_abs(), "minute");
        format!("the clock went back {minutes} at entry {}", it.entry)
    };
    let mut lines: Vec<String> = report.clock.set_back.iter().map(told).collect();
    let more = report.clock.times.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} times more"));
    }
    lines
}

/// When the first and the last entry were written. `None` where they cannot be read any more.
fn span(place: &Place) -> Option<(String, String)> {
    let dir = place.folder.dir();
    let mut entries = Entries::open(dir, Filter::default()).ok()?;
    let first = entries.next_entry().ok()??.entry.common.ts.0;
    let last = Entries::open(dir, Filter::default()).ok()?.last(1).ok()?;
    let last = last.first()?.entry.common.ts.0;
    Some((first.rfc3339_seconds(), last.rfc3339_seconds()))
}

/// What was found, for scripts.
pub fn as_json(place: &Place, report: &Report) -> Value {
    let broken = report.broken.as_ref().map(|broken| {
        json!({
            "entry": broken.entry,
            "line": broken.line,
            "offset": broken.offset,
            "what": escape(broken.what.to_string().as_bytes()),
        })
    });
    let set_back = report.clock.set_back.iter();
    let set_back = set_back.map(|it| json!({ "entry": it.entry, "seconds": it.millis / 1000 }));
    let head = (report.head.size > 0).then(|| report.head.hash.hex());
    json!({
        "place": shown(place.folder.dir()),
        "log": words::plain(&report.origin),
        "whole": report.broken.is_none(),
        "entries": report.head.size,
        "head": head,
        "attachments": report.attachments,
        "recovered": report.recovered,
        "clock_set_back": set_back.collect::<Vec<_>>(),
        "torn": report.torn,
        "in_doubt": report.in_doubt,
        "pruned": report.pruned.map(|(first, kept)| json!({ "first": first, "kept": kept })),
        "broken": broken,
    })
}
