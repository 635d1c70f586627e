//! `portcullis log tail`: the newest entries, and with `--follow` those that come.
//!
//! Reads from the end, so a long log costs no more than a short one, unless a filter is given that
//! nothing recent fits.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::cli::fault::{Exit, Fault, OrFault as _};
use crate::cli::log::filter::Asked;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::printer::{Form, Printer, heading};
use crate::cli::log::show::{End, said};
use crate::cli::quote::shown;
use crate::cli::verb::Call;
use crate::log::error::LogError;
use crate::log::follow::{Follow, Watch, Woken};
use crate::log::read::Filter;
use crate::log::search::Search;

/// Show the newest entries, the oldest of them first
#[derive(Args, Debug)]
pub struct Tail {
    /// How many
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    most: usize,

    /// Go on, and show entries as they come, until interrupted or until nobody reads any more
    #[arg(short = 'f', long)]
    follow: bool,

    #[command(flatten)]
    form: Form,

    #[command(flatten)]
    filters: Asked,

    #[command(flatten)]
    below: Below,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// One log that is followed.
struct Followed<'a> {
    place: &'a Place,
    printer: Printer<'a>,
    follow: Follow,
    /// The number after that of the last entry that was shown.
    next: u64,
}

impl Tail {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let filter = self.filters.filter(call.around.now)?;
        let (places, mut exit) = place::gather(call, &self.places, &self.below)?;
        let mut ends = Vec::new();
        let mut followed = Vec::new();
        for (at, place) in places.iter().enumerate() {
            heading(call.console, &self.form, &places, at)?;
            match self.newest(call, place, &filter) {
                Ok((one, end)) => {
                    ends.push(end.map(End::Log));
                    followed.extend(one);
                }
                Err(fault) if places.len() < 2 || fault.is_quiet() => return Err(fault),
                Err(fault) => ends.push(Some(End::Fault(fault))),
            }
        }
        exit = Exit::worst(exit, said(call, &places, ends)?);
        if !self.follow || followed.is_empty() {
            return Ok(exit);
        }
        Ok(Exit::worst(exit, self.go_on(call, followed)?))
    }

    /// Shows the newest of one log. Answers it with its end, when it is to be followed.
    fn newest<'a>(
        &self,
        call: &mut Call<'_>,
        place: &'a Place,
        filter: &Filter,
    ) -> Result<(Option<Followed<'a>>, Option<LogError>), Fault> {
        let dir = place.folder.dir();
        let fault = |error: LogError| place::fault(dir, &error);
        let mut printer = Printer::new(place, self.form.clone(), call.console.screen())?;
        if self.form.full {
            printer.learn()?;
        }
        // Before the newest are read: what comes in between is seen twice rather than never.
        let follow = match self.follow {
            true => Some(Follow::at_end(dir, filter.clone()).map_err(fault)?),
            false => None,
        };
        let last = match Search::last(dir, filter.clone(), self.most) {
            Ok((last, _)) => last,
            Err(error) => return Ok((None, Some(error))),
        };
        last.iter().try_for_each(|found| printer.print(call.console, found))?;
        let next = last.last().map_or(0, |last| last.entry.common.seq + 1);
        Ok((follow.map(|follow| Followed { place, printer, follow, next }), None))
    }

    /// Shows what comes, until nobody reads it any more.
    fn go_on(&self, call: &mut Call<'_>, mut followed: Vec<Followed<'_>>) -> Result<Exit, Fault> {
        let watch = Watch::of(followed.iter().map(|one| one.place.folder.dir()));
        let several = followed.len() > 1;
        let mut shown_last = None;
        let out = io::stdout();
        loop {
            for (at, one) in followed.iter_mut().enumerate() {
                if self.form.full {
                    one.printer.learn()?;
                }
                let (printer, next) = (&mut one.printer, &mut one.next);
                let given = &one.place.given;
                let console = &mut *call.console;
                let is_named = several && !self.form.json;
                one.follow
                    .more(&mut |found| {
                        let number = found.entry.common.seq;
                        if number < *next {
                            return Ok(());
                        }
                        if is_named && shown_last.replace(at) != Some(at) {
                            console.data_line(&format!("\n{}:", shown(given)))?;
                        }
                        *next = number + 1;
                        printer.print(console, found).map_err(Ended::Fault)
                    })
                    .map_err(|ended| match ended {
                        Ended::Fault(fault) => fault,
                        Ended::Log(error) => place::fault(one.place.folder.dir(), &error),
                    })?;
            }
            call.console.flush()?;
            match watch.wait(&out).or_fault(|| "could not wait for entries".into())? {
                Woken::Look => {}
                Woken::Closed => return Ok(Exit::Yes),
            }
        }
    }
}

/// Why following a log has ended.
enum Ended {
    Log(LogError),
    Fault(Fault),
}

impl From<LogError> for Ended {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
