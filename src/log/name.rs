//! The name of a log: its first entry gives it, for ever.

use crate::log::disk::{Folder, io_fault};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::line::read;
use crate::log::tail::unreadable;
use crate::log::tape::Tape;

/// The name of the log in a folder.
///
/// # Errors
/// When its first entry cannot be read.
pub fn name_of(folder: &Folder) -> Result<String, LogError> {
    origin_of(folder, &*folder.tape()?)
}

/// The name of the log in a folder whose segments are these.
///
/// # Errors
/// When its first entry cannot be read.
pub fn origin_of(folder: &Folder, tape: &Tape) -> Result<String, LogError> {
    let first = tape.read_line(0).map_err(|source| io_fault("read", &folder.segment(), source))?;
    match read(&first) {
        Ok(entry) if matches!(entry.record, Record::Genesis(_)) => Ok(entry.common.log),
        Err(fault) if fault.is_newer() => Err(unreadable(fault, &folder.segment())),
        Ok(_) | Err(_) => Err(LogError::NoGenesis { dir: folder.dir().to_owned() }),
    }
}
