//! Appends to the log: lock, look at the tail, write once, unlock, bring to the disk.
//!
//! The system calls of one append, in order:
//!
//! ```text
//! open(lock) flock(LOCK_EX|LOCK_NB), or flock(LOCK_EX) in a thread until the patience ends
//! pread(lock), else getdents(folder)               the newest segment; see `rotate` for a new one
//! open(segment, O_RDWR|O_APPEND) fstat fstat       does the log end as it is known to?
//!   else pread                                     the tail: damage is declared, never cut away
//! write(segment, every line at once) pread           what stands there is what was written
//! close(lock)                                        the lock goes before the wait for the disk
//! fdatasync(segment)
//! ```
//!
//! A later entry never stands before an earlier one, and fdatasync covers all bytes before it, so
//! waiting without the lock is safe. Sad paths that remain: a machine that dies between write and
//! fdatasync leaves any part of the line, which the next writer declares; a disk that lies about
//! fdatasync cannot be seen from here.
//!
//! Invariant: a `Receipt` is made here only, after fdatasync said yes.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use crate::log::batch::{Batch, sealed};
use crate::log::disk::{Folder, Medium, io_fault, open_to_append, reserve};
use crate::log::entry::{Common, FORMAT_VERSION, Session};
use crate::log::error::LogError;
use crate::log::fit::Prepared;
use crate::log::kind::Kind;
use crate::log::line::NO_ENTRY;
use crate::log::lock::{LOCK_PATIENCE, Lock, lock};
use crate::log::pread::range_of;
use crate::log::rate::Rates;
use crate::log::rotate::{self, Place};
use crate::log::scan::Position;
use crate::log::suspect;
use crate::log::tail::{self, KnownEnd, Tail};
use crate::log::tape::Tape;
use crate::log::wire::AsText;
use crate::names::digest::Digest;
use crate::names::moment::Moment;

/// The program, as entries name it.
pub const TOOL: &str = concat!("portcullis ", env!("CARGO_PKG_VERSION"));

/// Where and when one run of this program happens. Taken once, by the caller, as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ctx {
    /// The server's clock.
    pub moment: Moment,
    /// The boot id of the machine.
    pub boot: String,
    /// Microseconds since boot, CLOCK_MONOTONIC or CLOCK_BOOTTIME.
    pub mono_us: u64,
    /// The machine's name.
    pub host: String,
    /// A random number that names this run.
    pub push: [u8; 16],
    /// The receive-pack process.
    pub session: Session,
}

/// A log at one length: how many entries, and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The hash of the last one.
    pub hash: Digest,
}

/// Proof that entries are on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "without the receipt nobody may be told yes"]
pub struct Receipt {
    first: u64,
    head: Head,
}

impl Receipt {
    /// The number of the last entry written; a decision is written last.
    pub const fn seq(&self) -> u64 {
        self.head.size - 1
    }

    /// The number of the first entry written.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The log's head after it.
    pub const fn head(&self) -> Head {
        self.head
    }
}

/// What stands in the way of appending, found under the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The entry that came in between.
    pub entry: u64,
    /// What it touches that the judging used.
    pub what: String,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "only a receipt allows a yes"]
pub enum Appended {
    /// Written, and on the disk.
    Written(Receipt),
    /// Nothing was written: something the judging used has changed since.
    Moved(Moved),
    /// Too many refusals of this pusher: counted, to be told by the next entry.
    Held,
}

/// What `write` did.
#[derive(Debug)]
pub enum Written {
    /// The lines stand in the file, from this entry on up to this head. Not on the disk yet.
    Lines(Pending),
    /// Nothing was written.
    Moved(Moved),
    /// Every line was a refusal beyond the rate.
    Held,
}

/// Lines that stand in the file and may not be on the disk.
#[derive(Debug)]
pub struct Pending {
    place: Place,
    first: u64,
    head: Head,
    length: u64,
    /// Whether some line was held back.
    pub held: bool,
}

impl Pending {
    /// The log's end behind these lines.
    pub const fn end(&self) -> Position {
        Position { offset: self.place.end + self.length, head: self.head }
    }

    /// The log's head after these lines.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The file they stand in, and how long it is with them.
    pub fn into_file(self) -> (PathBuf, u64) {
        let length = self.place.end - self.place.base + self.length;
        (self.place.path, length)
    }
}

/// Writes the first entry: the file appears whole, or not at all.
pub fn write_first(
    folder: &Folder,
    medium: &dyn Medium,
    origin: &str,
    genesis: &Prepared,
    ctx: &Ctx,
) -> Result<Receipt, LogError> {
    let _lock = lock(folder, LOCK_PATIENCE)?;
    folder.refuse_existing()?;
    let path = folder.segment();
    let common = common(origin, ctx, Kind::Genesis, 0);
    let (bytes, hash) = sealed(&common, &genesis.body, &NO_ENTRY)?;
    folder.write_whole(medium, &path, bytes.as_bytes())?;
    reserve(&open_to_append(&path)?, 0, bytes.len() as u64);
    Ok(Receipt { first: 0, head: Head { size: 1, hash } })
}

/// Writes lines under the lock. `guard` sees the tail and may say that something has moved.
pub fn write(
    folder: &Folder,
    medium: &dyn Medium,
    origin: &str,
    drafts: &[Prepared],
    (ctx, known): (&Ctx, Option<&KnownEnd>),
    guard: impl FnOnce(&Rc<Tape>, &Tail) -> Result<Option<Moved>, LogError>,
) -> Result<Written, LogError> {
    let lock = lock(folder, LOCK_PATIENCE)?;
    let (tape, tail, mut place) = end(folder, &lock, known)?;
    if let Some(moved) = guard(&tape, &tail)? {
        return Ok(Written::Moved(moved));
    }
    let mut rates = Rates::load(folder)?;
    let before = rates.clone();
    let admitted: Vec<&Prepared> = drafts
        .iter()
        .filter(|draft| draft.refused.as_ref().is_none_or(|who| rates.admit(who, ctx.moment)))
        .collect();
    let held = admitted.len() < drafts.len();
    if admitted.is_empty() && held {
        rates.save(folder)?;
        return Ok(Written::Held);
    }
    let doubtful = suspect::doubtful(folder, medium, &tape)?;
    let in_doubt = doubtful.is_some();
    let mut batch = Batch::after(&tail, origin, ctx);
    match rotate::is_due(&place, &tape, &tail, &medium.limits(), (ctx, in_doubt))? {
        Some(why) => {
            let before = (why, &tail, doubtful);
            place = rotate::begin((folder, &lock), medium, &place, &mut batch, before)?;
        }
        None => batch.declare(&tail, doubtful)?,
    }
    batch.held = rates.take_held();
    lines(&mut batch, &admitted)?;
    write_once(&place, medium, folder, &batch)?;
    if rates != before {
        rates.save(folder)?;
    }
    if in_doubt {
        let mark = folder.suspect();
        std::fs::remove_file(&mark).map_err(|source| io_fault("remove", &mark, source))?;
    }
    let length = batch.bytes.len() as u64;
    drop(lock);
    reserve(&place.file, place.end - place.base, length);
    Ok(Written::Lines(Pending { place, first: batch.first, head: batch.head, length, held }))
}

/// The end of the log, under the lock: as it is known, or as it is found.
fn end(
    folder: &Folder,
    lock: &Lock,
    known: Option<&KnownEnd>,
) -> Result<(Rc<Tape>, Tail, Place), LogError> {
    if let Some(known) = known
        && let Some((tail, place)) = rotate::still_there(lock, known)
    {
        return Ok((Rc::clone(&known.tape), tail, place));
    }
    let tape = folder.tape()?;
    let no_genesis = || LogError::NoGenesis { dir: folder.dir().to_owned() };
    let (tail, _) = tail::find(&tape)?.ok_or_else(no_genesis)?;
    let place = rotate::newest(&tape, tail.eof)?;
    // Only who begins a segment has to have said so.
    let _ = lock.note(tape.newest());
    Ok((tape, tail, place))
}

fn lines(batch: &mut Batch<'_>, admitted: &[&Prepared]) -> Result<(), LogError> {
    let decision = admitted.iter().position(|draft| draft.body.kind == Kind::Decision);
    for (at, draft) in admitted.iter().enumerate() {
        match decision.filter(|_| draft.body.kind == Kind::BreakGlass) {
            // It stands before its decision, whose number is known only here.
            Some(decision) if decision > at => {
                batch.push(&draft.body.of(batch.head.size + (decision - at) as u64))?;
            }
            Some(_) | None => batch.push(&draft.body)?,
        }
    }
    Ok(())
}

/// Brings lines to the disk. A failure is never tried again: after one, the kernel may call pages
/// clean that never got there; nor may a later sync be believed that covers them.
pub fn sync(folder: &Folder, medium: &dyn Medium, pending: &Pending) -> Result<Receipt, LogError> {
    let Place { file, path, end, .. } = &pending.place;
    let not_synced = |source| LogError::NotSynced { path: path.clone(), source };
    if let Err(source) = medium.sync(file) {
        // If the disk does not even take the mark, the answer is no all the same.
        let _ = suspect::mark(folder, *end, pending.length);
        return Err(not_synced(source));
    }
    if suspect::begins_before(folder, end + pending.length)? {
        return Err(not_synced(io::Error::other("another push could not bring its lines there")));
    }
    Ok(Receipt { first: pending.first, head: pending.head })
}

/// The fields that every entry has.
pub fn common(origin: &str, ctx: &Ctx, kind: Kind, seq: u64) -> Common {
    Common {
        v: FORMAT_VERSION,
        log: origin.to_owned(),
        seq,
        kind,
        ts: AsText(ctx.moment),
        ts_before_prev: false,
        boot: ctx.boot.clone(),
        mono_us: ctx.mono_us,
        host: ctx.host.clone(),
        tool: TOOL.to_owned(),
        push: format!("{:032x}", u128::from_be_bytes(ctx.push)),
        sess: ctx.session,
        held: Vec::new(),
    }
}

/// One write, and a look at what stands there. A write that was cut short is declared at once, if
/// the disk still takes that; else the next writer does.
pub(super) fn write_once(
    place: &Place,
    medium: &dyn Medium,
    folder: &Folder,
    batch: &Batch<'_>,
) -> Result<(), LogError> {
    let Place { file, path, base, end } = place;
    let failed = match medium.append(file, &batch.bytes) {
        Ok(n) if n == batch.bytes.len() => None,
        Ok(_) => Some(io::Error::from(io::ErrorKind::StorageFull)),
        Err(source) => Some(source),
    };
    if let Some(source) = failed {
        declare_cut(file, medium, folder, batch);
        return Err(io_fault("append to", path, source));
    }
    let begin = end - base;
    let back = range_of(file, begin, begin + batch.bytes.len() as u64)
        .map_err(|source| io_fault("read back", path, source))?;
    if back != batch.bytes {
        return Err(LogError::Interfered { path: path.clone() });
    }
    Ok(())
}

/// Best effort: whatever fails here, the next writer finds the same damage.
fn declare_cut(file: &File, medium: &dyn Medium, folder: &Folder, batch: &Batch<'_>) {
    let Ok(tape) = folder.tape() else { return };
    let Ok(Some((tail, _))) = tail::find(&tape) else { return };
    if tail.damage.is_none() {
        return;
    }
    let mut mend = batch.anew(&tail);
    if mend.declare(&tail, None).is_ok() {
        let _ = medium.append(file, &mend.bytes);
    }
}
