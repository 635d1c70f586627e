//! Every entry of a log with its record whole, whatever files it stands in.
//!
//! Entries that were taken away and whose lines the summary keeps come first, as they were.

use crate::cli::fault::Fault;
use crate::cli::log::place::{self, Place};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::read::{Entries, Filter};
use crate::log::scan::Found;
use crate::log::summary::{self, Line};
use crate::log::whole;

/// Tells `see` every entry, oldest first. Answers where the log ends too early, if it does. A
/// record whose attachment is gone is told as its line has it: `log verify` says what is missing.
pub fn walk(
    place: &Place,
    see: &mut dyn FnMut(&Found, &Record) -> Result<(), Fault>,
) -> Result<Option<LogError>, Fault> {
    let dir = place.folder.dir();
    let fault = |error| place::fault(dir, &error);
    let mut told = |found: &Found| match whole::record(&place.folder, &found.entry) {
        Ok(record) => see(found, &record),
        Err(_) => see(found, &found.entry.record),
    };
    let tape = match place.folder.tape() {
        Ok(tape) => tape,
        Err(error) => return Ok(Some(error)),
    };
    let mut stopped = None;
    let kept = summary::walk(&place.folder, &tape, &mut |_, line| {
        if let (Line::Kept(found), None) = (line, &stopped) {
            stopped = told(&found).err();
        }
        Ok(())
    });
    if let Some(fault) = stopped {
        return Err(fault);
    }
    if let Err(error) = kept {
        return Ok(Some(error));
    }
    let mut entries = Entries::open(dir, Filter::default()).map_err(fault)?;
    loop {
        match entries.next_entry() {
            Ok(Some(found)) => told(&found)?,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error)),
        }
    }
}
