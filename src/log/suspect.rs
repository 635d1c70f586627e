//! Bytes in doubt: written, and not brought to the disk when that was tried.
//!
//! The file `suspect` says where they are. The writer that could not sync leaves it behind; the
//! next one declares the bytes and removes it. Used by `file`, under the lock or by a writer that
//! has just failed.

use std::os::unix::fs::FileExt as _;

use crate::log::damage::{Cause, Recovered};
use crate::log::disk::{Folder, Medium, io_fault, read_small};
use crate::log::error::LogError;
use crate::log::tail::{TAIL_BYTES_MAX, declared};
use crate::log::tape::Tape;
use crate::log::wire::AsText;

/// What an earlier writer could not bring to the disk, as the record that says so.
///
/// The bytes are kept as an attachment too: after a crash the segment may not have them any more.
pub fn doubtful(
    folder: &Folder,
    medium: &dyn Medium,
    tape: &Tape,
) -> Result<Option<Recovered>, LogError> {
    let Some((offset, length)) = suspect_range(folder)? else { return Ok(None) };
    let bytes = tape
        .read_range(offset, offset.saturating_add(length.min(TAIL_BYTES_MAX)))
        .map_err(|source| io_fault("read", &tape.newest_path(), source))?;
    let mut record = declared(offset, &bytes, Cause::NotSynced);
    record.att = Some(AsText(folder.attach(medium, &bytes)?));
    Ok(Some(record))
}

/// Whether bytes before this one are in doubt.
pub fn begins_before(folder: &Folder, end: u64) -> Result<bool, LogError> {
    Ok(suspect_range(folder)?.is_some_and(|(offset, _)| offset < end))
}

fn suspect_range(folder: &Folder) -> Result<Option<(u64, u64)>, LogError> {
    let Some(text) = read_small(&folder.suspect(), 64)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap_or(0));
    Ok(Some((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))))
}

/// Marks bytes as doubtful, together with those that are already.
pub fn mark(folder: &Folder, offset: u64, length: u64) -> Result<(), LogError> {
    let (mut from, mut to) = (offset, offset + length);
    if let Some((earlier, length)) = suspect_range(folder)? {
        from = from.min(earlier);
        to = to.max(earlier + length);
    }
    let path = folder.suspect();
    let file = folder.open_small(&path)?;
    let text = format!("{from} {}\n", to - from);
    let fault = |source| io_fault("write", &path, source);
    file.set_len(text.len() as u64).map_err(fault)?;
    file.write_all_at(text.as_bytes(), 0).map_err(fault)?;
    file.sync_all().map_err(fault)
}
