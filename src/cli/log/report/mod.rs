//! `portcullis log report`: one page for whoever has to answer for what happened.
//!
//! From the log alone. Two walks through each log: what entries say of each other, then every entry
//! told; `log verify` is asked before, and its answer stands on the page.

pub mod data;
pub mod known;
pub mod page;
pub mod rules;
pub mod sheet;
pub mod tell;
pub mod walk;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault, OrFault as _};
use crate::cli::files;
use crate::cli::io::Tone;
use crate::cli::log::filter::Asked;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::report::data::{Data, LogHead, VERSION};
use crate::cli::log::report::tell::{Read, Telling};
use crate::cli::log::roots::{self, Roots};
use crate::cli::log::show::{End, said};
use crate::cli::log::verify;
use crate::cli::quote::shown;
use crate::cli::verb::Call;
use crate::cli::version;
use crate::log::keeper::last_checkpoint;
use crate::log::read::Filter;

/// The mode of what is written, before the umask: whoever may not read the log gets no copy of it.
const FILE_MODE: u32 = 0o600;

/// Write a report for people: one page, or a sheet
///
/// The page needs no network and no other file: it can be sent by mail and opened anywhere. It
/// shows what landed and how fast, what was refused by which rule, who approved whose work, what
/// went past the rules and is owed, what moved past the gate, every change of policy, hooks and
/// settings, the seals, and whether the log is whole; each figure leads to its entries. The sheet
/// has one line a ref. Filters choose the entries and what is counted of them; controls, debts and
/// drifts are told of the whole log. The exit code is 1 when a log does not hold together; the
/// report is written all the same, and says so.
#[derive(Args, Debug)]
pub struct Report {
    /// Write the page to this file; - is standard output
    #[arg(long, value_name = "FILE", required_unless_present = "csv")]
    html: Option<PathBuf>,

    /// Write the sheet to this file (RFC 4180); - is standard output
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    #[command(flatten)]
    filters: Asked,

    #[command(flatten)]
    below: Below,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

impl Report {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        if let (Some(html), Some(csv)) = (&self.html, &self.csv)
            && html == csv
        {
            let text = "the page and the sheet cannot be written to the same place";
            return Err(Fault::mistyped(text).hint("name two files"));
        }
        let filter = self.filters.filter(call.around.now)?;
        let (places, mut exit) = place::gather(call, &self.places, &self.below)?;
        let mut broken = Vec::new();
        if let Some(file) = &self.csv {
            broken = self.sheet(call, file, &places, &filter)?;
        }
        if let Some(file) = &self.html {
            let (ends, worst) = self.page(call, file, &places, &filter)?;
            (broken, exit) = (ends, Exit::worst(exit, worst));
        }
        Ok(Exit::worst(exit, said(call, &places, broken)?))
    }

    fn sheet(
        &self,
        call: &mut Call<'_>,
        file: &Path,
        places: &[Place],
        filter: &Filter,
    ) -> Result<Vec<Option<End>>, Fault> {
        let mut ends = Vec::new();
        let mut text = sheet::HEADER.to_owned();
        for place in places {
            let mut lines = String::new();
            let written = sheet::write(place, filter, &mut |line| {
                lines.push_str(line);
                Ok(())
            });
            text.push_str(&lines);
            ends.push(match written {
                Ok(end) => end.map(End::Log),
                Err(fault) if places.len() < 2 => return Err(fault),
                Err(fault) => Some(End::Fault(fault)),
            });
        }
        put(call, file, &text)?;
        Ok(ends)
    }

    fn page(
        &self,
        call: &mut Call<'_>,
        file: &Path,
        places: &[Place],
        filter: &Filter,
    ) -> Result<(Vec<Option<End>>, Exit), Fault> {
        let mut telling = Telling::default();
        let (mut logs, mut ends, mut exit) = (Vec::new(), Vec::new(), Exit::Yes);
        for place in places {
            let told = proof(call, place).and_then(|(proof, holds)| {
                let read = telling.log(place, logs.len(), filter)?;
                Ok((proof, holds, read))
            });
            match told {
                Ok((proof, holds, read)) => {
                    exit = if holds { exit } else { Exit::worst(exit, Exit::No) };
                    let Read { name, entries, span, end } = read;
                    let (place, from) = (shown(&place.given), span.map(|(from, _)| from));
                    let to = span.map(|(_, to)| to);
                    logs.push(LogHead { name, place, entries, from, to, proof });
                    ends.push(end.map(End::Log));
                }
                Err(fault) if places.len() < 2 || fault.is_quiet() => return Err(fault),
                Err(fault) => ends.push(Some(End::Fault(fault))),
            }
        }
        telling.pack()?;
        let Telling { lexicon, rows, landings, glasses, drifts, controls, packs, .. } = telling;
        let data = Data {
            v: VERSION,
            made: call.around.now.millis(),
            tool: format!("portcullis {}", version::VERSION),
            filters: self.filters.words(),
            logs,
            words: lexicon.into_words(),
            rows,
            landings,
            glasses,
            drifts,
            controls,
        };
        let page = page::page(&data, &packs).or_fault(|| "could not make the page".to_owned())?;
        put(call, file, &page)?;
        Ok((ends, exit))
    }
}

/// What `log verify --root` finds, and whether the log holds.
fn proof(call: &mut Call<'_>, place: &Place) -> Result<(Value, bool), Fault> {
    let (report, roots) = verify::checked(call.console, place, Some(&roots::Asked::default()))?;
    let mut proof = verify::as_json(place, &report);
    proof["tree"] = roots.as_ref().map_or(Value::Null, Roots::as_json);
    proof["tells"] = roots.as_ref().map_or_else(|| json!([]), |roots| json!(roots.lines()));
    let fault = |error| place::fault(place.folder.dir(), &error);
    let checkpoint = last_checkpoint(&place.folder).map_err(fault);
    proof["checkpoint"] = checkpoint.map_or(Value::Null, |found| {
        found.map_or(Value::Null, |(_, note)| json!(note.to_string()))
    });
    let holds = report.broken.is_none() && roots.is_none_or(|roots| roots.holds());
    Ok((proof, holds))
}

/// Writes a file whole, or to standard output.
fn put(call: &mut Call<'_>, file: &Path, text: &str) -> Result<(), Fault> {
    if file == Path::new("-") {
        return call.console.data(text);
    }
    let path = call.around.absolute(file)?;
    files::write_whole(&path, text.as_bytes(), FILE_MODE)
        .or_fault(|| format!("could not write {}", shown(&path)))?;
    let size = text.len().div_ceil(1024);
    call.console.talk_lines(Tone::Note, &format!("{}, {size} KiB", shown(&path)))
}
