//! `portcullis log export`: entries for other systems, in their forms.
//!
//! One entry is in memory at a time. Nothing is left out but what a form has no place for;
//! `docs/log.md` tells what becomes of what.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::{Console, Tone};
use crate::cli::log::filter::Asked;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::show::{End, said};
use crate::cli::log::{bundle, cloudevents, csv, ocsf};
use crate::cli::verb::Call;
use crate::log::entry::Record;
use crate::log::read::Filter;
use crate::log::scan::Found;
use crate::log::search::Search;
use crate::log::whole;

/// Write entries in the form of another system
///
/// Oldest first, one event or line after the other, for a pipe. `jsonl` is the log as it is stored;
/// `cloudevents` has that in each event; `ocsf` (Entity Management, 3004) and `csv` have one a ref.
/// `portcullis log tail --follow --json` hands on what comes. `--bundle` packs whole logs for an
/// auditor who has no access to the server, with all that is needed to check them.
#[derive(Args, Debug)]
pub struct Export {
    /// The form
    #[arg(long, value_name = "FORM", value_enum, required_unless_present = "bundle")]
    format: Option<Format>,

    /// Pack the logs into this tar file instead (compressed where its name ends in .gz or .tgz): the
    /// entries, checkpoints and attachments as they stand, statements, policies and keys to be read,
    /// scripts that check it, and a README; its SHA-256 is printed
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    bundle: Option<PathBuf>,

    #[command(flatten)]
    filters: Asked,

    #[command(flatten)]
    below: Below,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// The forms.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// The lines as they are stored
    Jsonl,
    /// CloudEvents 1.0 in JSON, one event an entry
    #[value(name = "cloudevents")]
    CloudEvents,
    /// OCSF Entity Management (3004), one event a ref
    Ocsf,
    /// RFC 4180, one line a ref
    Csv,
}

impl Export {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let filter = self.filters.filter(call.around.now)?;
        let (places, exit) = place::gather(call, &self.places, &self.below)?;
        if let Some(file) = &self.bundle {
            if filter != Filter::default() {
                let text = "a bundle holds whole logs: filters do not go with it";
                return Err(Fault::mistyped(text).hint("a part of a log could not be checked"));
            }
            return Ok(Exit::worst(exit, bundle::pack(call, file, &places)?));
        }
        let Some(format) = self.format else {
            return Err(Fault::mistyped("name a form: --format FORM, or --bundle FILE"));
        };
        if format == Format::Csv {
            call.console.data(csv::HEADER)?;
        }
        let mut ends = Vec::new();
        for place in &places {
            ends.push(match export(call.console, place, &filter, format) {
                Ok(end) => end,
                Err(fault) if places.len() < 2 || fault.is_quiet() => return Err(fault),
                Err(fault) => Some(End::Fault(fault)),
            });
        }
        Ok(Exit::worst(exit, said(call, &places, ends)?))
    }
}

fn export(
    console: &mut Console,
    place: &Place,
    filter: &Filter,
    format: Format,
) -> Result<Option<End>, Fault> {
    let dir = place.folder.dir();
    let opened = Search::open(dir, filter.clone());
    let mut entries = opened.map_err(|error| place::fault(dir, &error))?;
    loop {
        match entries.next_entry() {
            Ok(Some(found)) => write(console, place, &found, format)?,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(End::Log(error))),
        }
    }
}

fn write(console: &mut Console, place: &Place, found: &Found, format: Format) -> Result<(), Fault> {
    if format == Format::Jsonl {
        console.data_bytes(&found.line)?;
        return console.data_bytes(b"\n");
    }
    let record = whole_record(console, place, found)?;
    match format {
        Format::Jsonl => Ok(()),
        Format::CloudEvents => console.data_bytes(&cloudevents::line(found, &record)),
        Format::Csv => console.data(&csv::lines(&found.entry, &record)),
        Format::Ocsf => {
            let events = ocsf::events(&found.entry, &record);
            events.iter().try_for_each(|event| console.data_line(&event.to_string()))
        }
    }
}

/// The record with all its refs; as it stands in the line where its attachment is gone.
fn whole_record(console: &mut Console, place: &Place, found: &Found) -> Result<Record, Fault> {
    match whole::record(&place.folder, &found.entry) {
        Ok(record) => Ok(record),
        Err(error) => {
            let number = found.entry.common.seq;
            let text = format!(
                "could not read the attachments of entry {number}, what is in its line is told: {error}"
            );
            console.talk_lines(Tone::Warning, &text)?;
            Ok(found.entry.record.clone())
        }
    }
}
