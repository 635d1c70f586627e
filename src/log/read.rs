//! Reads entries for people and scripts: all of them, those that fit a filter, the last few.
//!
//! Used by the verbs under `log`. Needs no index and writes nothing, so it works for whoever may
//! read the folder, and on a log whose end is torn.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use crate::log::about;
use crate::log::decision::{Actor, Decision, RefDecision, Verdict};
use crate::log::disk::{Folder, io_fault};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::index::scan_fault;
use crate::log::line::{Entry, read};
use crate::log::scan::{Found, Position, Scanner};
use crate::log::whole;
use crate::names::moment::Moment;

/// How much is read from the end at first, for the last few entries.
const LAST_READ_BYTES: u64 = 64 * 1024;

/// Which entries are wanted. An empty filter wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A ref, by its full name or by what follows `refs/heads/` or `refs/tags/`.
    pub refname: Option<Vec<u8>>,
    /// A pusher, by name or login.
    pub by: Option<Vec<u8>>,
    /// A path that was changed: that file, or anything in that folder.
    pub path: Option<Vec<u8>>,
    /// A rule that objected or was silenced by an exemption.
    pub rule: Option<String>,
    /// An answer.
    pub verdict: Option<Verdict>,
    /// No earlier than this.
    pub since: Option<Moment>,
    /// Earlier than this.
    pub until: Option<Moment>,
}

/// The entries of a log, one after another.
pub struct Entries {
    folder: Folder,
    scanner: Scanner,
    filter: Filter,
    looked: u64,
}

impl Entries {
    /// The entries that a filter wants, from the first on.
    pub fn open(dir: &Path, filter: Filter) -> Result<Self, LogError> {
        let folder = Folder::existing(dir)?;
        let tape = folder.tape()?;
        let fault = |source| io_fault("read", &folder.segment(), source);
        let start = Position::start_of(&tape).map_err(fault)?;
        let scanner = Scanner::from(&tape, start, None).map_err(fault)?;
        Ok(Self { folder, scanner, filter, looked: 0 })
    }

    /// The next one. `None` at the end; an error where the log does not hold together.
    pub fn next_entry(&mut self) -> Result<Option<Found>, LogError> {
        loop {
            let found = self.scanner.next_entry().map_err(|it| scan_fault(&self.folder, it))?;
            let Some(found) = found else { return Ok(None) };
            self.looked += 1;
            let fits = fits(&self.folder, &self.filter, &found.entry).map_err(|source| {
                io_fault("read the attachments of", &self.folder.segment(), source)
            })?;
            if fits {
                return Ok(Some(found));
            }
        }
    }

    /// How many entries were read so far.
    pub const fn looked(&self) -> u64 {
        self.looked
    }

    /// The last of them, at most so many, oldest first.
    pub fn last(&mut self, most: usize) -> Result<Vec<Found>, LogError> {
        if self.filter == Filter::default() {
            let last = last_lines(&self.folder, most)?;
            self.looked = last.len() as u64;
            return Ok(last);
        }
        let mut last = VecDeque::new();
        while let Some(found) = self.next_entry()? {
            if last.len() == most {
                last.pop_front();
            }
            last.push_back(found);
        }
        Ok(last.into())
    }
}

/// The last whole entries, read backwards from the end. Their chain is not checked.
fn last_lines(folder: &Folder, most: usize) -> Result<Vec<Found>, LogError> {
    let tape = folder.tape()?;
    let fault = |source| io_fault("read", &folder.segment(), source);
    let eof = tape.end().map_err(fault)?;
    let mut want = LAST_READ_BYTES;
    loop {
        let base = eof.saturating_sub(want).max(tape.begin());
        let window = tape.read_range(base, eof).map_err(fault)?;
        let mut lines = Vec::new();
        let mut offset = base;
        for (index, line) in window.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let begins_here = index > 0 || base == tape.begin();
            if begins_here
                && let Some(line) = line.strip_suffix(b"\n")
                && let Ok(entry) = read(line)
            {
                lines.push(Found { entry, line: line.to_vec(), offset });
            }
            offset += line.len() as u64;
        }
        if lines.len() >= most || base == tape.begin() {
            return Ok(lines.split_off(lines.len().saturating_sub(most)));
        }
        want *= 4;
    }
}

/// Whether an entry of the log in this folder fits a filter.
pub fn fits_entry(folder: &Folder, filter: &Filter, entry: &Entry) -> Result<bool, LogError> {
    fits(folder, filter, entry)
        .map_err(|source| io_fault("read the attachments of", &folder.segment(), source))
}

/// Whether an entry fits a filter.
fn fits(folder: &Folder, filter: &Filter, entry: &Entry) -> io::Result<bool> {
    let Filter { refname, by, path, rule, verdict, since, until } = filter;
    let ts = entry.common.ts.0;
    if since.is_some_and(|since| ts < since) || until.is_some_and(|until| ts >= until) {
        return Ok(false);
    }
    if *filter == (Filter { since: *since, until: *until, ..Filter::default() }) {
        return Ok(true);
    }
    let record = whole::record(folder, entry)?;
    if by.as_ref().is_some_and(|by| !about::actor(&record).is_some_and(|actor| is_actor(actor, by)))
    {
        return Ok(false);
    }
    if let Record::Decision(decision) = &record {
        return fits_decision(folder, filter, decision);
    }
    if let Record::BreakGlass(glass) = &record
        && let Some(rule) = rule
        && !glass.overridden.iter().any(|finding| finding.rule == *rule)
    {
        return Ok(false);
    }
    if path.is_some() || (rule.is_some() && !matches!(record, Record::BreakGlass(_))) {
        return Ok(false);
    }
    if verdict.is_some() && about::said(&record) != *verdict {
        return Ok(false);
    }
    Ok(refname
        .as_ref()
        .is_none_or(|wanted| about::refs(&record).into_iter().any(|name| is_ref(name, wanted))))
}

fn fits_decision(folder: &Folder, filter: &Filter, decision: &Decision) -> io::Result<bool> {
    if let Some(verdict) = filter.verdict
        && decision.verdict != verdict
        && !decision.refs.iter().any(|one| one.verdict == verdict)
    {
        return Ok(false);
    }
    for one in &decision.refs {
        let ref_fits = filter.refname.as_ref().is_none_or(|name| is_ref(&one.refname.0, name));
        let rule_fits = filter.rule.as_ref().is_none_or(|rule| {
            one.findings.iter().any(|finding| finding.rule == *rule)
                || one.exempt.iter().any(|exempt| exempt.rule == *rule)
        });
        if ref_fits && rule_fits {
            let path_fits = match &filter.path {
                Some(path) => changes(folder, one, path)?,
                None => true,
            };
            if path_fits {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a ref update changes this path, or something in this folder.
fn changes(folder: &Folder, one: &RefDecision, wanted: &[u8]) -> io::Result<bool> {
    let wanted = wanted.strip_suffix(b"/").unwrap_or(wanted);
    let is = |path: &[u8]| {
        path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    };
    if one.paths.list.iter().any(|path| is(&path.0)) {
        return Ok(true);
    }
    let Some(name) = one.paths.att else { return Ok(false) };
    let bytes = whole::attachment(folder, &name.0)?;
    Ok(bytes.split(|&byte| byte == 0).any(|path| !path.is_empty() && is(path)))
}

fn is_ref(name: &[u8], wanted: &[u8]) -> bool {
    let short = name.strip_prefix(b"refs/heads/").or_else(|| name.strip_prefix(b"refs/tags/"));
    name == wanted || short == Some(wanted)
}

fn is_actor(actor: &Actor, wanted: &[u8]) -> bool {
    actor.login.0 == wanted
        || actor.name.as_ref().is_some_and(|name| name.0.as_str().as_bytes() == wanted)
}
