//! One log's part of a report: the second walk, in which every entry is told.

use std::io::{self, Write as _};

use base64ct::{Base64, Encoding as _};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cli::fault::{Fault, OrFault as _};
use crate::cli::io::Screen;
use crate::cli::log::place::Place;
use crate::cli::log::report::data::{
    ControlRow, DriftRow, GlassRow, LandingRow, Lexicon, Row, Word,
};
use crate::cli::log::report::known::Known;
use crate::cli::log::report::rules::Parts;
use crate::cli::log::report::walk::walk;
use crate::cli::log::{block, row, truth, words};
use crate::log::about;
use crate::log::decision::{Decision, FindingRecord};
use crate::log::entry::{Drift, Policy, Record, State};
use crate::log::error::LogError;
use crate::log::glass::BreakGlass;
use crate::log::line::Entry;
use crate::log::read::{Filter, fits_entry};
use crate::log::scan::Found;
use crate::log::whole;
use crate::names::escape::escape;

/// How many entries are packed together, to be unpacked when one of them is opened.
pub const PACK_ENTRIES: usize = 128;

/// How many paths of an entry can be searched for.
const PATHS_MAX: usize = 32;

/// The rows of all logs, as they grow.
#[derive(Debug, Default)]
pub struct Telling {
    /// The words.
    pub lexicon: Lexicon,
    /// The entries.
    pub rows: Vec<Row>,
    /// What landed.
    pub landings: Vec<LandingRow>,
    /// Broken glasses.
    pub glasses: Vec<GlassRow>,
    /// Drifts.
    pub drifts: Vec<DriftRow>,
    /// Policies, hooks and settings, seals, damage.
    pub controls: Vec<ControlRow>,
    /// What `log show N` prints of each row, `PACK_ENTRIES` together: JSON, gzip, base64.
    pub packs: Vec<String>,
    waiting: Vec<String>,
}

/// What was read of one log.
#[derive(Debug, Default)]
pub struct Read {
    /// The log's own name.
    pub name: String,
    /// How many entries.
    pub entries: u64,
    /// The times of the first and the last.
    pub span: Option<(i64, i64)>,
    /// Where it ends too early, if it does.
    pub end: Option<LogError>,
}

/// One log, while it is told.
struct OneLog<'a> {
    place: &'a Place,
    number: usize,
    known: &'a Known,
    filter: &'a Filter,
    parts: Parts,
}

impl Telling {
    /// Tells one log: the log with this number, the entries that fit the filter.
    pub fn log(&mut self, place: &Place, number: usize, filter: &Filter) -> Result<Read, Fault> {
        let mut known = Known::default();
        let mut read = Read::default();
        read.end = walk(place, &mut |found, record| {
            known.add(&found.entry, record);
            let common = &found.entry.common;
            let at = common.ts.0.millis();
            read.entries = common.seq + 1;
            read.span = Some((read.span.map_or(at, |(from, _)| from), at));
            if read.name.is_empty() {
                read.name = words::plain(&common.log);
            }
            Ok(())
        })?;
        let mut log = OneLog { place, number, known: &known, filter, parts: Parts::default() };
        walk(place, &mut |found, record| {
            self.controls.extend(log.control(&found.entry, record));
            self.exception(&log, &found.entry, record);
            self.entry(&log, found, record)
        })?;
        Ok(read)
    }

    fn entry(&mut self, log: &OneLog<'_>, found: &Found, record: &Record) -> Result<(), Fault> {
        let entry = &found.entry;
        // What cannot be held against the filter for want of an attachment is shown.
        if !fits_entry(&log.place.folder, log.filter, entry).unwrap_or(true) {
            return Ok(());
        }
        let lexicon = &mut self.lexicon;
        let row::Row { who, word, tells } = row::row(record);
        let told: Vec<String> =
            tells.into_iter().chain(entry.common.held.iter().map(row::held)).collect();
        let (refused, warned) = objections(record);
        let row: Row = (
            log.number,
            entry.common.seq,
            entry.common.ts.0.millis(),
            lexicon.number(entry.common.kind.name()),
            lexicon.number(&who),
            lexicon.number(word),
            told.join("\n"),
            refs(lexicon, record),
            lexicon.numbers(&refused),
            lexicon.numbers(&warned),
            paths(lexicon, record),
        );
        self.rows.push(row);
        if let Record::Decision(decision) = record {
            self.landed(log, entry.common.seq, decision);
        }
        let layout = block::Layout { is_full: false, screen: Screen::default() };
        let lines = block::lines(entry, record, &log.known.lore, layout);
        self.waiting.push(lines.join("\n"));
        if self.waiting.len() == PACK_ENTRIES { self.pack() } else { Ok(()) }
    }

    fn landed(&mut self, log: &OneLog<'_>, number: u64, decision: &Decision) {
        for one in &decision.refs {
            let Some(landing) = log.known.landing(number, decision, one) else { continue };
            let lexicon = &mut self.lexicon;
            let landed: LandingRow = (
                log.number,
                number,
                lexicon.number(&words::refname(&one.refname)),
                lexicon.numbers(&landing.makers),
                lexicon.numbers(&landing.approvers),
                lexicon.numbers(&landing.checks),
                landing.first.map(|at| at.entry),
                landing.first.map(|at| at.millis),
                lexicon.number(landing.state.map_or("not known so far", words::state)),
            );
            self.landings.push(landed);
        }
    }

    fn exception(&mut self, log: &OneLog<'_>, entry: &Entry, record: &Record) {
        if let Record::BreakGlass(it) = record {
            self.glasses.push(log.glass(entry, it));
        } else if let Record::Drift(it) = record {
            self.drifts.push(log.drift(entry, it));
        }
    }

    /// Packs what waits. Called once more at the end.
    pub fn pack(&mut self) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let texts = std::mem::take(&mut self.waiting);
        let packed = packed(&texts).or_fault(|| "could not pack the entries".to_owned())?;
        self.packs.push(packed);
        Ok(())
    }
}

fn packed(texts: &[String]) -> io::Result<String> {
    let json = serde_json::to_vec(texts)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&json)?;
    Ok(Base64::encode_string(&gzip.finish()?))
}

fn refs(lexicon: &mut Lexicon, record: &Record) -> Vec<Word> {
    about::refs(record).into_iter().map(|name| lexicon.number(&escape(name))).collect()
}

fn paths(lexicon: &mut Lexicon, record: &Record) -> Vec<Word> {
    let Record::Decision(it) = record else { return Vec::new() };
    let all = it.refs.iter().flat_map(|one| &one.paths.list).take(PATHS_MAX);
    all.map(|path| lexicon.number(&escape(&path.0))).collect()
}

/// The rules that refused and those that warned, each once.
fn objections(record: &Record) -> (Vec<String>, Vec<String>) {
    let (mut refused, mut warned) = (Vec::new(), Vec::new());
    let mut add = |findings: &[FindingRecord]| {
        for finding in findings {
            let list = if finding.level == "warn" { &mut warned } else { &mut refused };
            let rule = words::plain(&finding.rule);
            if !list.contains(&rule) {
                list.push(rule);
            }
        }
    };
    if let Record::Decision(it) = record {
        it.refs.iter().for_each(|one| add(&one.findings));
    } else if let Record::Refusal(it) = record {
        let what = if it.fault { "(a fault)" } else { "(without a judgement)" };
        return (vec![what.to_owned()], Vec::new());
    }
    (refused, warned)
}

impl OneLog<'_> {
    fn glass(&self, entry: &Entry, it: &BreakGlass) -> GlassRow {
        let settled = it.of.and_then(|of| self.known.settled(of, &it.refname));
        let state = it.of.and_then(|of| self.known.state(of, &it.refname));
        GlassRow {
            log: self.number,
            entry: entry.common.seq,
            of: it.of,
            time: entry.common.ts.0.millis(),
            who: words::who(&it.actor),
            refname: words::refname(&it.refname),
            rules: words::each_once(it.overridden.iter().map(|finding| &finding.rule)),
            reason: escape(&it.reason.0),
            due: it.settle_by.0.millis(),
            stands: state.is_none_or(State::had),
            settled: settled.map(|(at, how)| (at.entry, at.millis, how.clone())),
        }
    }

    fn drift(&self, entry: &Entry, it: &Drift) -> DriftRow {
        let accepted = self.known.accepted(entry.common.seq);
        DriftRow {
            log: self.number,
            entry: entry.common.seq,
            time: entry.common.ts.0.millis(),
            what: truth::drifted(it),
            accepted: accepted.map(|(at, by)| (at.entry, at.millis, by.clone())),
        }
    }

    fn control(&mut self, entry: &Entry, record: &Record) -> Option<ControlRow> {
        let mut sha256 = None;
        let (what, tells) = if let Record::Policy(it) = record {
            sha256 = Some(it.sha256.0.hex());
            ("policy", self.policy(it))
        } else if let Record::Config(it) = record {
            ("config", truth::configured(it))
        } else if let Record::Genesis(_) = record {
            ("genesis", vec!["the log begins".to_owned()])
        } else if let Record::Seal(_) = record {
            ("seal", row::row(record).tells)
        } else if let Record::Recovered(_) = record {
            ("damage", row::row(record).tells)
        } else if let Record::Pruned(_) = record {
            ("pruned", row::row(record).tells)
        } else if entry.common.ts_before_prev {
            ("clock", vec!["the clock was set back".to_owned()])
        } else {
            return None;
        };
        let (log, entry, time) = (self.number, entry.common.seq, entry.common.ts.0.millis());
        Some(ControlRow { log, entry, time, what, tells, sha256 })
    }

    /// What a policy changes, in words.
    fn policy(&mut self, it: &Policy) -> Vec<String> {
        let texts: Option<Vec<Vec<u8>>> = it
            .files
            .iter()
            .map(|file| whole::attachment(&self.place.folder, &file.att.0).ok())
            .collect();
        let Some(texts) = texts else {
            return vec!["its text is not among the attachments any more".to_owned()];
        };
        let parts = Parts::of(texts.iter().map(Vec::as_slice).enumerate());
        let before = std::mem::replace(&mut self.parts, parts);
        let told = self.parts.since(&before);
        if told.is_empty() { vec!["the same parts, written otherwise".to_owned()] } else { told }
    }
}
