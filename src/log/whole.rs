//! Makes a record whole again whose lists did not fit in its line.

use std::fs::File;
use std::io;

use crate::log::disk::Folder;
use crate::log::entry::{Genesis, Record};
use crate::log::line::{Entry, read_record};
use crate::log::listed::refill;
use crate::log::pread::range_of;
use crate::names::digest::Digest;

/// How long a line of the refs at genesis may be: no refname is longer (`PATH_MAX`).
const GENESIS_LINE_BYTES_MAX: u64 = 8192;

/// The record of an entry with every commit and entry it names. Paths stay as they stand in the line: the
/// first of them, and an attachment. What a refused push lost when it was cut is not known.
pub fn record(folder: &Folder, entry: &Entry) -> io::Result<Record> {
    let mut record = match entry.short.as_ref().and_then(|short| short.whole) {
        Some(name) => {
            let json = attachment(folder, &name.0)?;
            read_record(entry.common.kind, &json)
                .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?
        }
        None => entry.record.clone(),
    };
    if let (Record::BreakGlass(whole), Record::BreakGlass(line)) = (&mut record, &entry.record) {
        // Its decision's number was not known when the attachment was made.
        whole.of = line.of;
    }
    if let Record::Decision(decision) = &mut record {
        for one in &mut decision.refs {
            let Some(name) = one.brought.att else { continue };
            let bytes = attachment(folder, &name.0)?;
            refill(&mut one.brought, &bytes).ok_or(io::ErrorKind::InvalidData)?;
        }
        for one in &mut decision.statements {
            let Some(name) = one.entries.att else { continue };
            let bytes = attachment(folder, &name.0)?;
            refill(&mut one.entries, &bytes).ok_or(io::ErrorKind::InvalidData)?;
        }
    }
    Ok(record)
}

/// The bytes of a genesis's list of refs.
pub fn genesis_refs(folder: &Folder, genesis: &Genesis) -> io::Result<Vec<u8>> {
    match genesis.refs.att {
        Some(name) => attachment(folder, &name.0),
        None => Ok(Vec::new()),
    }
}

/// The line of the refs at genesis that begins here, without its end. `None` when there is none.
///
/// What a large repository began with is long, and one line of it is asked for at every push to a
/// ref that has not moved since, so it is not held against its digest; `log verify` does that.
pub fn genesis_line(folder: &Folder, genesis: &Genesis, at: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(name) = genesis.refs.att else { return Ok(None) };
    let file = File::open(folder.attachments().join(name.0.hex()))?;
    let mut bytes = range_of(&file, at, at + GENESIS_LINE_BYTES_MAX)?;
    let end = bytes.iter().position(|&byte| byte == b'\n');
    bytes.truncate(end.unwrap_or(0));
    Ok(end.map(|_| bytes))
}

/// An attachment that must be there.
pub fn attachment(folder: &Folder, name: &Digest) -> io::Result<Vec<u8>> {
    folder.attachment(name)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}
