//! The sheet: what the page's table holds, RFC 4180, one line a ref.
//!
//! As `log export --format csv`, and with it what became of each push, who made and who approved
//! what landed, and how long that took: what otherwise takes looking up entries in each other.

use crate::cli::fault::Fault;
use crate::cli::log::change::{Change, Does, changes};
use crate::cli::log::csv::quoted;
use crate::cli::log::place::{self, Place};
use crate::cli::log::report::known::{Known, Landing};
use crate::cli::log::report::walk::walk;
use crate::cli::log::words;
use crate::log::about;
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::read::{Filter, fits_entry};
use crate::names::moment::Moment;

/// The first line.
pub const HEADER: &str = "\"log\",\"entry\",\"time\",\"type\",\"who\",\"ref\",\"does\",\"old\",\"new\",\"answer\",\"became\",\"rules\",\"made by\",\"approved by\",\"checks\",\"first pushed\",\"seconds to landing\",\"reason\",\"hash\"\r\n";

/// Writes the lines of one log. Answers where it ends too early, if it does.
pub fn write(
    place: &Place,
    filter: &Filter,
    out: &mut dyn FnMut(&str) -> Result<(), Fault>,
) -> Result<Option<LogError>, Fault> {
    let mut known = Known::default();
    walk(place, &mut |found, record| {
        known.add(&found.entry, record);
        Ok(())
    })?;
    walk(place, &mut |found, record| {
        let entry = &found.entry;
        let fits = fits_entry(&place.folder, filter, entry);
        if !fits.map_err(|error| place::fault(place.folder.dir(), &error))? {
            return Ok(());
        }
        let common = &entry.common;
        let who = about::actor(record).map(words::who).unwrap_or_default();
        for (at, change) in changes(record).into_iter().enumerate() {
            let (became, landing) = fate(&known, common.seq, record, at);
            let Change { refname, old, new, does, answer, state, rules, reason } = change;
            let Landing { makers, approvers, checks, first, .. } = landing.unwrap_or_default();
            let took = first.map(|first| (common.ts.0.millis() - first.millis) / 1000);
            let first = first.map(|at| Moment::from_millis(at.millis).rfc3339_seconds());
            let cells = [
                words::plain(&common.log),
                common.seq.to_string(),
                common.ts.0.rfc3339_millis(),
                common.kind.name().to_owned(),
                who.clone(),
                refname.unwrap_or_default(),
                does.map_or("", Does::word).to_owned(),
                old.unwrap_or_default(),
                new.unwrap_or_default(),
                answer.to_owned(),
                if became.is_empty() { state } else { became }.to_owned(),
                rules,
                makers.join(" "),
                approvers.join(" "),
                checks.join(", "),
                first.unwrap_or_default(),
                took.map(|seconds| seconds.to_string()).unwrap_or_default(),
                reason,
                entry.hash.hex(),
            ];
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            out(&format!("{}\r\n", cells.join(",")))?;
        }
        Ok(())
    })
}

/// What became of a ref of a push, and what landed with it.
fn fate(known: &Known, number: u64, record: &Record, at: usize) -> (&'static str, Option<Landing>) {
    let Record::Decision(decision) = record else { return ("", None) };
    let Some(one) = decision.refs.get(at) else { return ("", None) };
    let state = known.state(number, &one.refname).map_or("", words::state);
    (state, known.landing(number, decision, one))
}
