//! `portcullis log show`: entries for people, or as they are stored.
//!
//! Without numbers: a row for every entry that fits the filters, oldest first. With numbers: those
//! entries told whole, with what later entries say became of them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;

use clap::Args;

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::{Console, Screen, Tone};
use crate::cli::log::filter::Asked;
use crate::cli::log::pager::Pager;
use crate::cli::log::place::{self, Below, Place, Words};
use crate::cli::log::printer::{Form, Printer, heading};
use crate::cli::quote::shown;
use crate::cli::verb::Call;
use crate::log::error::LogError;
use crate::log::read::Filter;
use crate::log::search::Search;

/// Show entries, oldest first; those with a number are told whole
///
/// A row is: number, time (UTC), who, answer, what. A login in quotes is one that no policy lists;
/// `?` is nobody known. `--json` prints the lines as they are stored, for jq and for whoever checks
/// hashes.
#[derive(Args, Debug)]
pub struct Show {
    #[command(flatten)]
    form: Form,

    #[command(flatten)]
    filters: Asked,

    #[command(flatten)]
    below: Below,

    /// Numbers of entries, and repositories or folders of logs; the repository here when none is
    /// named
    #[arg(value_name = "N | REPO")]
    words: Vec<OsString>,
}

impl Show {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let words = Words::read(call.around, &self.words)?;
        let filter = self.filters.filter(call.around.now)?;
        if !words.numbers.is_empty() && filter != Filter::default() {
            return Err(Fault::mistyped("numbers of entries and filters do not go together"));
        }
        let (places, found) = place::gather(call, &words.places, &self.below)?;
        let numbers: BTreeSet<u64> = words.numbers.into_iter().collect();
        let screen = call.console.screen();
        let mut pager = if self.form.json { None } else { Pager::start(call.around) };
        let input = pager.as_mut().and_then(Pager::take_input);
        let mut paged = input.map(|input| Console::plain(input, Box::new(io::stderr())));
        let mut ends: Vec<Option<End>> = Vec::new();
        let console = paged.as_mut().unwrap_or(call.console);
        let mut shown = self.show_all(console, &places, &filter, &numbers, screen, &mut ends);
        if let Some(mut console) = paged {
            shown = shown.and_then(|()| console.flush());
            // The pager sees the end of its input when the console is gone.
            drop(console);
        }
        if let Some(pager) = pager {
            pager.wait()?;
            // A person who has read enough closes the pager before the end.
            shown = shown.or_else(|fault| if fault.is_quiet() { Ok(()) } else { Err(fault) });
        }
        shown?;
        Ok(Exit::worst(found, said(call, &places, ends)?))
    }

    fn show_all(
        &self,
        console: &mut Console,
        places: &[Place],
        filter: &Filter,
        numbers: &BTreeSet<u64>,
        screen: Screen,
        ends: &mut Vec<Option<End>>,
    ) -> Result<(), Fault> {
        for (at, place) in places.iter().enumerate() {
            heading(console, &self.form, places, at)?;
            let end = if numbers.is_empty() {
                self.rows(console, place, filter, screen)
            } else {
                self.entries(console, place, numbers, screen)
            };
            ends.push(match end {
                Ok(end) => end.map(End::Log),
                Err(fault) if places.len() < 2 || fault.is_quiet() => return Err(fault),
                Err(fault) => Some(End::Fault(fault)),
            });
        }
        Ok(())
    }

    /// Every entry that fits. Answers where the log ends too early, if it does.
    fn rows(
        &self,
        console: &mut Console,
        place: &Place,
        filter: &Filter,
        screen: Screen,
    ) -> Result<Option<LogError>, Fault> {
        let dir = place.folder.dir();
        let mut printer = Printer::new(place, self.form.clone(), screen)?;
        if self.form.full && !self.form.json {
            printer.learn()?;
        }
        let opened = Search::open(dir, filter.clone());
        let mut entries = opened.map_err(|error| place::fault(dir, &error))?;
        loop {
            match entries.next_entry() {
                Ok(Some(found)) => printer.print(console, &found)?,
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            }
        }
    }

    /// The entries with these numbers, told whole.
    fn entries(
        &self,
        console: &mut Console,
        place: &Place,
        numbers: &BTreeSet<u64>,
        screen: Screen,
    ) -> Result<Option<LogError>, Fault> {
        let dir = place.folder.dir();
        let mut printer = Printer::new(place, self.form.clone(), screen)?;
        let (found, size, end) = printer.learn_and_pick(numbers)?;
        for one in &found {
            printer.print_whole(console, one)?;
        }
        let there: BTreeSet<u64> = found.iter().map(|one| one.entry.common.seq).collect();
        let missing = numbers.difference(&there).next();
        match (missing, end) {
            (Some(_), Some(end)) => Ok(Some(end)),
            (Some(number), None) => {
                let last = size.saturating_sub(1);
                if *number <= last {
                    let text = format!("entry {number} was taken away (portcullis log prune)");
                    return Err(Fault::new(text).hint("look for it in the archived files"));
                }
                let text = format!("there is no entry {number}");
                Err(Fault::new(text)
                    .hint(format!("the log in {} has entries 0 to {last}", shown(dir))))
            }
            (None, end) => Ok(end),
        }
    }
}

/// Why a log was not read to its end.
pub enum End {
    /// What the log room says.
    Log(LogError),
    /// Something else was in the way, and others were to be looked at.
    Fault(Fault),
}

/// Says of each log whether it was read to its end, and whether its beginning was taken away.
pub fn said(call: &mut Call<'_>, places: &[Place], ends: Vec<Option<End>>) -> Result<Exit, Fault> {
    let mut exit = Exit::Yes;
    for (place, end) in places.iter().zip(ends) {
        let (fault, is_broken) = match end {
            None => {
                place::tell_pruned(call, place)?;
                continue;
            }
            Some(End::Fault(fault)) => (fault, false),
            Some(End::Log(error)) => {
                let is_broken = matches!(error, LogError::Broken(_));
                (place::fault(place.folder.dir(), &error), is_broken)
            }
        };
        if !is_broken {
            exit = Exit::worst(exit, place::go_on(call, places, fault)?);
            continue;
        }
        call.console.flush()?;
        let _ = fault.show(call.console);
        call.console.talk_lines(Tone::Note, "nothing behind that place is shown")?;
        exit = Exit::worst(exit, Exit::No);
    }
    Ok(exit)
}
