//! Prints entries of one log: as rows, as blocks, or as they are stored.
//!
//! Used by `show` and `tail`.

use std::collections::BTreeSet;
use std::io;

use clap::Args;

use crate::cli::fault::Fault;
use crate::cli::io::{Console, Screen, Tone};
use crate::cli::log::lore::Lore;
use crate::cli::log::place::{self, Place};
use crate::cli::log::{again, block, row};
use crate::cli::quote::shown;
use crate::log::book::Log;
use crate::log::disk::Folder;
use crate::log::entry::{GenesisRef, Record};
use crate::log::error::LogError;
use crate::log::line::Entry;
use crate::log::read::{Entries, Filter};
use crate::log::scan::Found;
use crate::log::summary::{self, Line};
use crate::log::whole;
use crate::log::wire::{AsText, Text};
use crate::names::oid::Oid;

/// How entries are printed.
#[derive(Args, Clone, Debug)]
pub struct Form {
    /// Print the lines as they are stored
    #[arg(long)]
    pub json: bool,

    /// Tell entries whole: every finding, path, commit and statement
    #[arg(long, conflicts_with = "json")]
    pub full: bool,
}

/// Which log comes next, where there are several.
pub fn heading(
    console: &mut Console,
    form: &Form,
    places: &[Place],
    at: usize,
) -> Result<(), Fault> {
    if form.json || places.len() < 2 {
        return Ok(());
    }
    let gap = if at == 0 { "" } else { "\n" };
    console.data_line(&format!("{gap}{}:", shown(&places[at].given)))
}

/// Prints the entries of one log.
pub struct Printer<'a> {
    place: &'a Place,
    form: Form,
    screen: Screen,
    digits: usize,
    log: Option<Log>,
    lore: Lore,
    printed: u64,
}

impl<'a> Printer<'a> {
    /// A printer that knows how long the numbers get.
    pub fn new(place: &'a Place, form: Form, screen: Screen) -> Result<Self, Fault> {
        let dir = place.folder.dir();
        let last = Entries::open(dir, Filter::default()).and_then(|mut entries| entries.last(1));
        let last = last.map_err(|error| place::fault(dir, &error))?;
        let highest = last.first().map_or(0, |found| found.entry.common.seq);
        let digits = highest.to_string().len();
        let lore = if form.full { Lore::whole() } else { Lore::default() };
        let log = None;
        Ok(Self { place, form, screen, digits, log, lore, printed: 0 })
    }

    /// Learns what the entries say of each other, or where to look that up.
    pub fn learn(&mut self) -> Result<(), Fault> {
        self.learn_and_pick(&BTreeSet::new()).map(|_| ())
    }

    /// Learns what the entries say of each other, and finds those with these numbers. Answers
    /// those, how many entries there are, and where the log ends too early, if it does.
    pub fn learn_and_pick(
        &mut self,
        numbers: &BTreeSet<u64>,
    ) -> Result<(Vec<Found>, u64, Option<LogError>), Fault> {
        if let Ok(Some(log)) = Log::open_indexed(self.place.folder.dir()) {
            let size = log.head().size;
            let there = numbers.range(..size);
            let picked: Result<Vec<Option<Found>>, _> =
                there.map(|it| log.found_if_kept(*it)).collect();
            if let Ok(picked) = picked {
                let picked = picked.into_iter().flatten().collect();
                self.log = Some(log);
                return Ok((picked, size, None));
            }
        }
        // Without an index, or with one that is wrong: a walk, which tells where the log breaks.
        self.walk_and_pick(numbers)
    }

    fn walk_and_pick(
        &mut self,
        numbers: &BTreeSet<u64>,
    ) -> Result<(Vec<Found>, u64, Option<LogError>), Fault> {
        let dir = self.place.folder.dir();
        let opened = Entries::open(dir, Filter::default());
        let mut entries = opened.map_err(|error| place::fault(dir, &error))?;
        let (mut picked, mut size) = (self.walk_summary(numbers)?, 0);
        loop {
            match entries.next_entry() {
                Ok(Some(found)) => {
                    size = found.entry.common.seq + 1;
                    self.add(&found.entry);
                    if numbers.contains(&found.entry.common.seq) {
                        picked.push(found);
                    }
                }
                Ok(None) => return Ok((picked, size, None)),
                Err(error) => return Ok((picked, size, Some(error))),
            }
        }
    }

    /// What stays of entries that were taken away; none where all are there.
    fn walk_summary(&mut self, numbers: &BTreeSet<u64>) -> Result<Vec<Found>, Fault> {
        let (place, mut picked) = (self.place, Vec::new());
        let fault = |error| place::fault(place.folder.dir(), &error);
        let tape = place.folder.tape().map_err(fault)?;
        let mut see = |number, line| {
            if let Line::Kept(found) = line {
                self.add(&found.entry);
                if numbers.contains(&number) {
                    picked.push(*found);
                }
            }
            Ok(())
        };
        summary::walk(&place.folder, &tape, &mut see).map_err(fault)?;
        Ok(picked)
    }

    fn add(&mut self, entry: &Entry) {
        let whole = entry.short.as_ref().and_then(|short| short.whole);
        match whole.and_then(|_| whole::record(&self.place.folder, entry).ok()) {
            Some(record) => self.lore.add(entry, &record),
            // What an attachment would have added is missing; printing the entry says so.
            None => self.lore.add(entry, &entry.record),
        }
    }

    /// Prints an entry as the form says.
    pub fn print(&mut self, console: &mut Console, found: &Found) -> Result<(), Fault> {
        if self.form.full {
            return self.print_whole(console, found);
        }
        if self.form.json {
            return print_stored(console, found);
        }
        let layout = row::Layout { digits: self.digits, screen: self.screen };
        row::lines(&found.entry, layout).iter().try_for_each(|line| console.data_line(line))
    }

    /// Prints an entry whole, or as it is stored where the form says so.
    pub fn print_whole(&mut self, console: &mut Console, found: &Found) -> Result<(), Fault> {
        if self.form.json {
            return print_stored(console, found);
        }
        let folder = &self.place.folder;
        let record = match filled(folder, &found.entry) {
            Ok(record) => record,
            Err(error) => {
                let number = found.entry.common.seq;
                let text = format!("could not read the attachments of entry {number}: {error}");
                console.talk_lines(Tone::Warning, &text)?;
                found.entry.record.clone()
            }
        };
        if let Some(log) = &self.log {
            let looked = Lore::look(log, found.entry.common.seq, &record);
            self.lore = looked
                .map_err(|error| place::fault(self.place.folder.dir(), &LogError::Past(error)))?;
            if let (true, Record::Decision(decision)) = (self.form.full, &record) {
                let looked = self.lore.look_again(log, decision);
                looked.map_err(|error| {
                    place::fault(self.place.folder.dir(), &LogError::Past(error))
                })?;
            }
        }
        if self.printed > 0 {
            console.data_line("")?;
        }
        self.printed += 1;
        let layout = block::Layout { is_full: self.form.full, screen: self.screen };
        let lines = block::lines(&found.entry, &record, &self.lore, layout);
        lines.iter().try_for_each(|line| console.data_line(line))?;
        let Record::Decision(decision) = &record else { return Ok(()) };
        if !self.form.full {
            return Ok(());
        }
        let at = found.entry.common.ts.0;
        let again = again::lines(&self.place.folder, at, decision, &self.lore, self.screen);
        again.iter().try_for_each(|line| console.data_line(line))
    }
}

fn print_stored(console: &mut Console, found: &Found) -> Result<(), Fault> {
    console.data_bytes(&found.line)?;
    console.data_bytes(b"\n")
}

/// The record with every list whole, as far as the log has kept it.
fn filled(folder: &Folder, entry: &Entry) -> io::Result<Record> {
    let mut record = whole::record(folder, entry)?;
    match &mut record {
        Record::Decision(decision) => {
            for one in &mut decision.refs {
                let Some(name) = one.paths.att else { continue };
                let all = whole::attachment(folder, &name.0)?;
                let paths = all.split(|byte| *byte == 0).filter(|path| !path.is_empty());
                one.paths.list = paths.map(Text::from).collect();
            }
        }
        Record::Genesis(genesis) => {
            let all = whole::genesis_refs(folder, genesis)?;
            if !all.is_empty() {
                let refs: Option<Vec<GenesisRef>> = all
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                    .map(genesis_ref)
                    .collect();
                genesis.refs.list = refs.ok_or(io::ErrorKind::InvalidData)?;
            }
        }
        Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => {}
    }
    Ok(record)
}

/// One line in the form of `git ls-remote --refs`.
fn genesis_ref(line: &[u8]) -> Option<GenesisRef> {
    let at = line.iter().position(|byte| *byte == b'\t')?;
    let oid = Oid::from_hex(&line[..at])?;
    Some(GenesisRef { refname: Text::from(&line[at + 1..]), oid: AsText(oid) })
}
