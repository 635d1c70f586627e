//! Packs the closed segments of a log, so that old entries take little space.
//!
//! Used by `log tidy`. A packed segment appears whole and is read back, byte for byte, before the
//! plain one goes; while both are there the plain one is read. Nothing else changes: every reader
//! reads both, and `gzip -d` gives the plain file back.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::log::append_only;
use crate::log::disk::{Folder, Medium, io_fault, sync_folder};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::packed::{Packed, pack};
use crate::log::pread::range;
use crate::log::segment::{Closed, PACKED, PLAIN, file_name};
use crate::log::tape::{Tape, list};

/// How many of the newest segments stay as they were written: the one that grows, and the one
/// that most look-ups end in.
const PLAIN_KEPT: usize = 2;

/// A segment that was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The number of its first entry.
    pub first: u64,
    /// How long it was, in bytes.
    pub from: u64,
    /// How long it is.
    pub to: u64,
}

/// Packs every closed segment but the newest. `progress` is told each one that is done.
///
/// A segment that the disk refused to keep lines of stays as it is: it is evidence. So does one
/// that has the append-only attribute.
///
/// # Errors
/// When a file cannot be read or written. What was packed before stays packed.
pub fn pack_closed(
    folder: &Folder,
    medium: &dyn Medium,
    progress: &mut dyn FnMut(&Done),
) -> Result<(), LogError> {
    for first in to_pack(folder)? {
        progress(&pack_one(folder, medium, first)?);
    }
    Ok(())
}

/// The segments that would be packed; none is smaller for it yet.
///
/// # Errors
/// When they cannot be looked at.
pub fn would_pack(folder: &Folder) -> Result<Vec<Done>, LogError> {
    let mut all = Vec::new();
    for first in to_pack(folder)? {
        let path = folder.dir().join(file_name(first, PLAIN));
        let from = fs::metadata(&path).map_err(|source| io_fault("look at", &path, source))?.len();
        all.push(Done { first, from, to: from });
    }
    Ok(all)
}

fn to_pack(folder: &Folder) -> Result<Vec<u64>, LogError> {
    let listed = list(folder.dir()).map_err(|source| io_fault("list", folder.dir(), source))?;
    let tape = folder.tape()?;
    let closed = listed.len().saturating_sub(PLAIN_KEPT);
    let mut all = Vec::new();
    for (at, segment) in listed.iter().enumerate().take(closed) {
        let next = listed.get(at + 1).map(|next| next.first);
        if segment.plain && !is_protected(folder, segment.first)? && !in_doubt(&tape, next)? {
            all.push(segment.first);
        }
    }
    Ok(all)
}

/// Whether somebody has made a segment append-only: then it is to stay.
fn is_protected(folder: &Folder, first: u64) -> Result<bool, LogError> {
    let path = folder.dir().join(file_name(first, PLAIN));
    let file = File::open(&path).map_err(|source| io_fault("read", &path, source))?;
    Ok(append_only::is_set(&file))
}

/// Whether the next segment begins with the news that this one was not brought to the disk.
fn in_doubt(tape: &Tape, next: Option<u64>) -> Result<bool, LogError> {
    let Some(next) = next else { return Ok(true) };
    let header = tape.header_of(next).map_err(|source| io_fault("read", tape.dir(), source))?;
    let Some(Record::Segment(it)) = header.map(|entry| &entry.record) else {
        // Not ours to touch while it does not hold together.
        return Ok(true);
    };
    Ok(it.why == Closed::NotSynced)
}

fn pack_one(folder: &Folder, medium: &dyn Medium, first: u64) -> Result<Done, LogError> {
    let (from, to) =
        (folder.dir().join(file_name(first, PLAIN)), folder.dir().join(file_name(first, PACKED)));
    let bytes = fs::read(&from).map_err(|source| io_fault("read", &from, source))?;
    let packed = pack(&bytes).map_err(|source| io_fault("pack", &from, source))?;
    folder.write_whole(medium, &to, &packed)?;
    match unpacked(&to) {
        Ok(back) if back == bytes => {}
        Ok(_) => return Err(LogError::Interfered { path: to }),
        Err(source) => return Err(io_fault("read back", &to, source)),
    }
    fs::remove_file(&from).map_err(|source| io_fault("remove", &from, source))?;
    sync_folder(medium, folder.dir())?;
    Ok(Done { first, from: bytes.len() as u64, to: packed.len() as u64 })
}

fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    let packed = Packed::open(path)?;
    range(&|bytes: &mut [u8], offset| packed.read_at(bytes, offset), 0, packed.length())
}
