//! The first append after the machine was started again: what a crash has left is found, and
//! declared.
//!
//! A disk writes pages in any order, so a crash may leave zeros where a line was and whole lines
//! behind them. Nobody was told yes by any of these: a line is on the disk before its pusher hears
//! of it, and all lines before it with it. They are declared as one stretch that does not count.
//! Where the machine was not started again since, or where no zeros stand, it was no crash, and a
//! person has to look.

use std::fs;
use std::rc::Rc;

use crate::log::batch::Batch;
use crate::log::damage::Cause;
use crate::log::disk::{Folder, Medium, io_fault};
use crate::log::error::LogError;
use crate::log::file::{Ctx, Head, write_once};
use crate::log::index::scan_fault;
use crate::log::lock::{LOCK_PATIENCE, lock};
use crate::log::rotate;
use crate::log::scan::{Position, ScanError, Scanner};
use crate::log::tail::{Last, TAIL_BYTES_MAX, Tail, declared, find};
use crate::log::tape::Tape;

/// Declares entries that stand behind a hole. Whether there was one; then whatever is derived from
/// the log has to be made anew.
///
/// # Errors
/// When the hole is none that a crash leaves, or the log cannot be read or written.
pub fn mend(
    folder: &Folder,
    medium: &dyn Medium,
    origin: &str,
    ctx: &Ctx,
) -> Result<bool, LogError> {
    let _lock = lock(folder, LOCK_PATIENCE)?;
    let tape = folder.tape()?;
    let Some((tail, last)) = find(&tape)? else { return Ok(false) };
    if last.common.boot == ctx.boot {
        return Ok(false);
    }
    let Some(reached) = reached(folder, &tape, &tail)? else { return Ok(false) };
    let place = rotate::newest(&tape, tail.eof)?;
    let mut batch = Batch::after(&reached, origin, ctx);
    batch.declare(&reached, None)?;
    // It may know entries that do not count, and is made anew by who needs it.
    match fs::remove_dir_all(folder.index()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
            return Err(io_fault("remove", &folder.index(), fault));
        }
        Ok(()) | Err(_) => {}
    }
    write_once(&place, medium, folder, &batch)?;
    medium
        .sync(&place.file)
        .map_err(|source| LogError::NotSynced { path: place.path.clone(), source })?;
    Ok(true)
}

/// The end that the chain reaches, where that is not the tail: the newest file is walked, for all
/// before it was on the disk when it began.
fn reached(folder: &Folder, tape: &Rc<Tape>, tail: &Tail) -> Result<Option<Tail>, LogError> {
    let fault = |source| io_fault("read", &tape.newest_path(), source);
    let from = match tape.newest_header().map_err(fault)? {
        Some(header) if header.common.seq > 0 => Position {
            offset: tape.newest_base().map_err(fault)?,
            head: Head { size: header.common.seq, hash: header.prev },
        },
        Some(_) | None => Position::START,
    };
    let mut scanner = Scanner::from(tape, from, None).map_err(fault)?;
    let mut last: Option<Last> = None;
    let hole = loop {
        match scanner.next_entry() {
            Ok(Some(found)) => last = Some(Last::of(&found.entry)),
            Ok(None) if scanner.position().head.hash == tail.last.hash => return Ok(None),
            // The only entry behind the hole lacks its line feed.
            Ok(None) => match scanner.zeros() {
                Some(hole) => break hole,
                None => return Ok(None),
            },
            Err(ScanError::Break(broken)) => match scanner.hole() {
                Some(hole) => break hole,
                None => return Err(scan_fault(folder, broken.into())),
            },
            Err(other) => return Err(scan_fault(folder, other)),
        }
    };
    let Some(last) = last else {
        return Err(LogError::NoTail { path: tape.newest_path(), offset: hole });
    };
    if tail.eof - hole > TAIL_BYTES_MAX {
        return Err(LogError::NoTail { path: tape.newest_path(), offset: hole });
    }
    let bytes = tape.read_range(hole, tail.eof).map_err(fault)?;
    Ok(Some(Tail {
        last,
        end: hole,
        eof: tail.eof,
        damage: Some(declared(hole, &bytes, Cause::Torn)),
        unended: bytes.last() != Some(&b'\n'),
    }))
}
