//! Begins a new segment, under the lock of the log.
//!
//! The last segment is ended and brought to the disk first, so that no entry is ever safer than
//! the one before it; then the new one appears under its name, whole with its first line, or not
//! at all. A stop at any point leaves a log that holds together.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::log::append_only;
use crate::log::batch::Batch;
use crate::log::damage::Recovered;
use crate::log::disk::{Folder, Medium, io_fault, open_to_append, reserve};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::Ctx;
use crate::log::line::{self, Entry};
use crate::log::lock::Lock;
use crate::log::segment::{Active, Closed, Limits, PLAIN, Segment, due, file_name};
use crate::log::tail::{self, KnownEnd, Tail};
use crate::log::tape::Tape;

/// Where lines are appended.
#[derive(Debug)]
pub struct Place {
    /// The file, open for appending.
    pub file: File,
    /// Its name.
    pub path: PathBuf,
    /// Where it begins in the log.
    pub base: u64,
    /// Where it ends in the log.
    pub end: u64,
}

/// The segment that is there.
///
/// # Errors
/// When its first line does not say that it is one: then somebody else put it there.
pub fn newest(tape: &Tape, end: u64) -> Result<Place, LogError> {
    let path = tape.newest_path();
    if tape.newest() > 0 {
        let header = tape.newest_header().map_err(|source| io_fault("read", &path, source))?;
        let says_so = |entry: &Entry| matches!(&entry.record, Record::Segment(it) if it.first == tape.newest());
        if !header.is_some_and(says_so) {
            return Err(LogError::NoSegment { path });
        }
    }
    let base = tape.newest_base().map_err(|source| io_fault("read", &path, source))?;
    Ok(Place { file: open_to_append(&path)?, path, base, end })
}

/// The end of the log and the segment it is in, where that is the one in which it is known to have
/// ended: by the lock, which says whether another has begun since. `None`: it is not, or it cannot
/// be told; then all has to be looked at anew.
pub fn still_there(lock: &Lock, known: &KnownEnd) -> Option<(Tail, Place)> {
    let tape = &known.tape;
    if lock.newest() != Some(tape.newest()) {
        return None;
    }
    let mut place = newest(tape, known.position.offset).ok()?;
    let found = place.file.metadata().ok()?;
    if !tape.ends_in(&found).ok()? {
        return None;
    }
    let tail = match place.base.checked_add(found.len())? == place.end {
        true => known.tail()?,
        false => tail::find(tape).ok()??.0,
    };
    place.end = tail.eof;
    Some((tail, place))
}

/// Whether a new segment is due, and why.
pub fn is_due(
    place: &Place,
    tape: &Tape,
    tail: &Tail,
    limits: &Limits,
    (ctx, in_doubt): (&Ctx, bool),
) -> Result<Option<Closed>, LogError> {
    let active =
        Active { first: tape.newest(), bytes: place.end - place.base, next: tail.last.seq + 1 };
    due(&active, limits, ctx.moment, in_doubt, || {
        let header = tape.newest_header();
        let header = header.map_err(|source| io_fault("read", &place.path, source))?;
        Ok(header.map_or(ctx.moment, |entry| entry.common.ts.0))
    })
}

/// Begins a new segment. On return the batch goes on behind its first lines: what was wrong before
/// is declared with the first write, or a stop here would leave it behind a line that looks whole.
pub fn begin(
    (folder, lock): (&Folder, &Lock),
    medium: &dyn Medium,
    old: &Place,
    batch: &mut Batch<'_>,
    (why, tail, doubtful): (Closed, &Tail, Option<Recovered>),
) -> Result<Place, LogError> {
    let mut end = old.end;
    if !batch.bytes.is_empty() {
        // The line feed that the last line lacks belongs to its own file.
        append(medium, old, &batch.bytes)?;
        end += batch.bytes.len() as u64;
        batch.bytes.clear();
    }
    match why {
        Closed::Entries | Closed::Bytes | Closed::Day => medium
            .sync(&old.file)
            .map_err(|source| LogError::NotSynced { path: old.path.clone(), source })?,
        // What it refused once it may only seem to do now.
        Closed::NotSynced => {}
    }
    let first = batch.head.size;
    let path = folder.dir().join(file_name(first, PLAIN));
    match path.symlink_metadata() {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        Ok(_) => return Err(LogError::Interfered { path }),
        Err(source) => return Err(io_fault("look at", &path, source)),
    }
    lock.note(first)?;
    let record = Record::Segment(Segment { first, offset: end, why });
    let body = line::body(&record, None)
        .map_err(|source| LogError::Json { kind: record.kind().name(), source })?;
    batch.push(&body)?;
    batch.declare(tail, doubtful)?;
    folder.write_whole(medium, &path, &batch.bytes)?;
    let length = batch.bytes.len() as u64;
    batch.bytes.clear();
    let file = open_to_append(&path)?;
    reserve(&file, 0, length);
    append_only::carry_over(&old.file, &file);
    Ok(Place { file, path, base: end, end: end + length })
}

fn append(medium: &dyn Medium, place: &Place, bytes: &[u8]) -> Result<(), LogError> {
    let fault = |source| io_fault("append to", &place.path, source);
    match medium.append(&place.file, bytes).map_err(fault)? {
        n if n == bytes.len() => Ok(()),
        _ => Err(fault(io::ErrorKind::StorageFull.into())),
    }
}
