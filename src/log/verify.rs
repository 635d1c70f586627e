//! Checks a whole log, from its first byte to its last.
//!
//! Used by `log verify` and by tests. Needs no index and writes nothing. Checked: each line's own
//! hash, the chain, dense numbers, one genesis, keys that stand once, damage that is declared,
//! attachments that are there and are what their names say, time that goes on. Not seen from here:
//! that the end was cut off; for that somebody must have kept a head, as every pusher does whose
//! push was accepted.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use crate::log::clock::Clock;
use crate::log::disk::{Folder, io_fault, read_small};
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::glance::Glance;
use crate::log::index::scan_fault;
use crate::log::keys::keys_of;
use crate::log::line::LineError;
use crate::log::opening::{Opening, cut_off};
use crate::log::scan::{Break, BreakKind, Found, Position, ScanError, Scanner};
use crate::names::digest::Digest;

/// How many entries go by between two words on how far it is.
const PROGRESS_ENTRIES: u64 = 1024;

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The log's name; empty when not even the first entry could be read.
    pub origin: String,
    /// The length and the last hash of the part that holds together.
    pub head: Head,
    /// How many stretches of damage are declared by an entry.
    pub recovered: u64,
    /// How many attachments were checked.
    pub attachments: u64,
    /// Where the server's clock was set back. No break: it happens to honest servers.
    pub clock: Clock,
    /// Where an append that did not end begins. The next entry will declare it.
    pub torn: Option<u64>,
    /// Whether a writer could not bring its lines to the disk, and no entry has said so yet.
    pub in_doubt: bool,
    /// The first entry that is there where old ones were taken away, and how many of those the
    /// summary keeps whole.
    pub pruned: Option<(u64, u64)>,
    /// The first place where the log does not hold together.
    pub broken: Option<Break>,
}

impl Report {
    /// Of a log that nobody has looked at yet.
    fn nothing(in_doubt: bool) -> Self {
        Self {
            origin: String::new(),
            head: Position::START.head,
            recovered: 0,
            attachments: 0,
            clock: Clock::default(),
            torn: None,
            in_doubt,
            pruned: None,
            broken: None,
        }
    }

    /// What the end of the walk tells.
    fn ended(&mut self, scanner: &Scanner, opening: Option<&Opening>) {
        if let Some(opening) = opening {
            self.broken = self.broken.take().or_else(|| opening.wrong());
            self.pruned = Some((opening.first(), opening.kept));
        }
        self.recovered = scanner.declared();
        self.torn = scanner.torn().filter(|_| self.broken.is_none());
    }
}

/// Verifies the log in this folder. `progress` is told bytes done and bytes in all.
///
/// # Errors
/// When the log cannot be read, or a newer program has written it. A log that does not hold
/// together is no error: it is in the report.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, LogError> {
    let folder = Folder::existing(dir)?;
    let mut report = Report::nothing(read_small(&folder.suspect(), 1)?.is_some());
    let tape = match folder.tape() {
        // There are files of entries, or of what stays of them: those before were taken away.
        Err(LogError::NoGenesis { .. }) => {
            return Ok(Report { broken: Some(cut_off()), ..report });
        }
        other => other?,
    };
    let fault = |source| io_fault("read", &folder.segment(), source);
    let total = tape.end().map_err(fault)?;
    let mut checked = HashSet::new();
    let mut opening = match Opening::look(&folder, &tape, &mut checked)? {
        Ok(opening) => opening,
        Err(broken) => return Ok(Report { broken: Some(broken), ..report }),
    };
    let origin = opening.as_ref().map(|it| it.origin.clone());
    let start = opening.as_ref().map_or(Position::START, Opening::position);
    let mut scanner = Scanner::from(&tape, start, origin).map_err(fault)?;
    loop {
        let Found { entry, line, offset } = match next(&mut scanner, &folder)? {
            Ok(found) => found,
            Err(broken) => {
                report.broken = broken;
                break;
            }
        };
        let Glance { seq, log, times, short, record, .. } = entry;
        let whole = short.and_then(|short| short.whole).map(|name| name.0);
        let time = report.clock.look(times).err().map(BreakKind::Clock);
        if let Some(what) = faults_of(&folder, &line, whole, &mut checked)?.or(time) {
            report.broken = Some(Break { line: scanner.lines(), entry: seq, offset, what });
            break;
        }
        if report.origin.is_empty() {
            report.origin = log;
        }
        if let Some(opening) = &mut opening {
            opening.see(&line, record.as_ref());
        }
        report.head = scanner.position().head;
        if report.head.size.is_multiple_of(PROGRESS_ENTRIES) {
            progress(scanner.position().offset, total);
        }
    }
    progress(scanner.position().offset, total);
    report.attachments = checked.len() as u64;
    report.ended(&scanner, opening.as_ref());
    if report.broken.is_none() && report.head.size == 0 {
        return Err(LogError::NoGenesis { dir: dir.to_owned() });
    }
    Ok(report)
}

/// The next entry; else what is broken there, or `None` at a whole end.
fn next(
    scanner: &mut Scanner,
    folder: &Folder,
) -> Result<Result<Found<Glance>, Option<Break>>, LogError> {
    Ok(match scanner.next_glance() {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(scanner.undeclared()),
        Err(ScanError::Break(broken)) if !is_newer(&broken) => Err(Some(broken)),
        Err(ScanError::Io(fault)) if is_packed_wrong(&fault) => {
            let Position { offset, head } = *scanner.position();
            let line = scanner.lines() + 1;
            Err(Some(Break { line, entry: head.size, offset, what: BreakKind::Packed }))
        }
        Err(fault) => return Err(scan_fault(folder, fault)),
    })
}

/// Whether bytes were read and are not what was packed: no fault of the disk but a changed file.
pub(super) fn is_packed_wrong(fault: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(fault.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

fn is_newer(broken: &Break) -> bool {
    matches!(&broken.what, BreakKind::NoEntry(fault) if fault.is_newer())
}

/// What is wrong with an entry that stands well in the chain. `whole`: the attachment that has the
/// record where the line has it cut.
pub(super) fn faults_of(
    folder: &Folder,
    line: &[u8],
    whole: Option<Digest>,
    checked: &mut HashSet<Digest>,
) -> Result<Option<BreakKind>, LogError> {
    let Some(keys) = keys_of(line) else {
        return Ok(Some(BreakKind::NoEntry(LineError::Fields)));
    };
    if let Some(double) = keys.double {
        return Ok(Some(BreakKind::DoubleKey(double)));
    }
    for name in keys.attachments {
        if checked.contains(&name) {
            continue;
        }
        let path = folder.attachments().join(name.hex());
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some(BreakKind::AttachmentMissing(name)));
            }
            Err(source) => return Err(io_fault("read", &path, source)),
        };
        if Digest::of(&bytes) != name {
            return Ok(Some(BreakKind::AttachmentChanged(name)));
        }
        checked.insert(name);
        if whole == Some(name)
            && let Some(what) = faults_of_whole(folder, &bytes, checked)
        {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// What is wrong with the attachments that a record names which is itself an attachment.
fn faults_of_whole(
    folder: &Folder,
    json: &[u8],
    checked: &mut HashSet<Digest>,
) -> Option<BreakKind> {
    let keys = keys_of(json).unwrap_or_default();
    if let Some(double) = keys.double {
        return Some(BreakKind::DoubleKey(double));
    }
    for name in keys.attachments {
        match folder.attachment(&name) {
            Ok(Some(_)) => checked.insert(name),
            Ok(None) | Err(_) => return Some(BreakKind::AttachmentMissing(name)),
        };
    }
    None
}
