//! The change log of one repository, open: the one value that others hold.
//!
//! Made by `Log::create` at installation and `Log::open` afterwards; `hook` appends through it
//! and asks it about the past (`past.rs`). An open log has read everything there was when it was
//! opened; `refresh` reads what has come since.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::log::disk::{Disk, Folder, Medium, Modes, io_fault};
use crate::log::entry::{Genesis, Record};
use crate::log::error::LogError;
use crate::log::file::{self, Appended, Ctx, Head, Moved, Pending, Receipt, Written};
use crate::log::fit::{Prepared, prepare};
use crate::log::index::{AWAITED_ENTRIES_MAX, Index, Keeping, scan_fault};
use crate::log::kind::Kind;
use crate::log::line::Entry;
use crate::log::merge::Leisure;
use crate::log::name::origin_of;
use crate::log::posting::{Key, Posting};
use crate::log::restart;
use crate::log::scan::{Position, Scanner};
use crate::log::tail::{KnownEnd, Tail};
use crate::log::tape::Tape;
use crate::log::touched::{JudgedAt, touches};
use crate::log::whole;
use crate::names::moment::Moment;
use crate::names::oid::Oid;

/// An open change log.
#[derive(Debug)]
pub struct Log {
    pub(super) folder: Folder,
    origin: String,
    medium: Box<dyn Medium>,
    pub(super) index: RefCell<Index>,
    pub(super) cache: RefCell<HashMap<u64, Rc<Entry>>>,
    poisoned: bool,
    /// The boot whose first append here has been looked after.
    looked_after: Option<String>,
    /// Where the log ends by what was written here, while the index does not know it yet: most who
    /// write ask nothing afterwards.
    written: Cell<Option<Position>>,
    /// The entry that was read or written here last, and when it was written.
    last_time: Option<(u64, Moment)>,
    /// The file that was appended to last, and how long it was then.
    written_file: Option<(PathBuf, u64)>,
}

impl Log {
    /// Begins a log. `origin` names it for ever: `<host>/<repository id>`, say.
    pub fn create(
        dir: &Path,
        origin: &str,
        genesis: Genesis,
        ctx: &Ctx,
        modes: Modes,
    ) -> Result<Receipt, LogError> {
        Self::create_on(&Disk, dir, origin, genesis, ctx, modes)
    }

    /// As `create`, on a medium of the caller's.
    pub fn create_on(
        medium: &dyn Medium,
        dir: &Path,
        origin: &str,
        genesis: Genesis,
        ctx: &Ctx,
        modes: Modes,
    ) -> Result<Receipt, LogError> {
        let folder = Folder::create(dir, modes)?;
        let prepared = prepared(&Record::Genesis(Box::new(genesis)), origin, ctx)?;
        for bytes in &prepared.attachments {
            folder.attach(medium, bytes)?;
        }
        file::write_first(&folder, medium, origin, &prepared, ctx)
    }

    /// Opens a log and reads what its index does not know yet.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        Self::open_on(Box::new(Disk), dir)
    }

    /// As `open`, by somebody whom a pusher waits for: refuses where the index lacks so much that
    /// reading it takes long, and makes a part of it for the next one.
    pub fn open_awaited(dir: &Path) -> Result<Self, LogError> {
        Self::open_with(Box::new(Disk), dir, Keeping::Awaited(AWAITED_ENTRIES_MAX))
    }

    /// Opens a log to ask it, and leaves its folder as it is, the index too.
    pub fn open_to_read(dir: &Path) -> Result<Self, LogError> {
        Self::open_with(Box::new(Disk), dir, Keeping::InMemory)
    }

    /// As `open_to_read`, where an index makes that quick. `None` where all would have to be read.
    pub fn open_indexed(dir: &Path) -> Result<Option<Self>, LogError> {
        let folder = Folder::existing(dir)?;
        let tape = folder.tape()?;
        let origin = origin_of(&folder, &tape)?;
        let index = Index::open_if_near_end(&folder, tape, &origin)?;
        Ok(index.map(|index| Self::around(Box::new(Disk), folder, origin, index)))
    }

    /// As `open`, on a medium of the caller's.
    pub fn open_on(medium: Box<dyn Medium>, dir: &Path) -> Result<Self, LogError> {
        Self::open_with(medium, dir, Keeping::InFiles)
    }

    pub(super) fn open_with(
        medium: Box<dyn Medium>,
        dir: &Path,
        keeping: Keeping,
    ) -> Result<Self, LogError> {
        let folder = Folder::existing(dir)?;
        let tape = folder.tape()?;
        let origin = origin_of(&folder, &tape)?;
        let index = Index::open_with(&folder, tape, &origin, keeping)?;
        Ok(Self::around(medium, folder, origin, index))
    }

    fn around(medium: Box<dyn Medium>, folder: Folder, origin: String, index: Index) -> Self {
        let (index, cache) = (RefCell::new(index), RefCell::default());
        let (poisoned, looked_after, written) = (false, None, Cell::new(None));
        let (last_time, written_file) = (None, None);
        Self {
            folder,
            origin,
            medium,
            index,
            cache,
            poisoned,
            looked_after,
            written,
            last_time,
            written_file,
        }
    }

    /// The log's name for ever.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The folder it is in.
    pub fn dir(&self) -> &Path {
        self.folder.dir()
    }

    /// How long it is, and the hash of its last entry.
    pub fn head(&self) -> Head {
        self.written.get().map_or_else(|| self.index.borrow().position().head, |it| it.head)
    }

    /// Where the log ends by what was written here last, while nothing else was read since: in which
    /// file, how long that is, and how many entries there are.
    pub fn written_to(&self) -> Option<(&Path, u64, u64)> {
        let size = self.written.get()?.head.size;
        self.written_file.as_ref().map(|(file, length)| (file.as_path(), *length, size))
    }

    /// The number of the first entry that is there: of those before it some stay in the summary.
    pub fn first_entry_there(&self) -> u64 {
        self.index.borrow().tape().first()
    }

    /// The number of the first entry of the newest file, as far as this log was read or written.
    pub fn newest_segment(&self) -> Result<u64, LogError> {
        self.read_own()?;
        Ok(self.index.borrow().tape().newest())
    }

    /// Reads what was appended since.
    pub fn refresh(&mut self) -> Result<(), LogError> {
        self.written.set(None);
        self.index.get_mut().catch_up()
    }

    /// Has the index read what was written here, before it is asked.
    pub(super) fn read_own(&self) -> Result<(), LogError> {
        if self.written.take().is_some() {
            self.index.borrow_mut().catch_up()?;
        }
        Ok(())
    }

    /// Appends records, in this order, each an entry, and waits until they are on the disk.
    ///
    /// With `expect`, nothing is written when an entry that came after the judging touches what
    /// it used.
    pub fn append(
        &mut self,
        records: &[Record],
        ctx: &Ctx,
        expect: Option<&JudgedAt>,
    ) -> Result<Appended, LogError> {
        let pending = match self.write(records, ctx, expect)? {
            Written::Moved(moved) => return Ok(Appended::Moved(moved)),
            Written::Held => return Ok(Appended::Held),
            Written::Lines(pending) => pending,
        };
        let held = pending.held;
        let synced = file::sync(&self.folder, self.medium.as_ref(), &pending);
        self.poisoned |= synced.is_err();
        let receipt = synced?;
        self.wrote(pending, ctx.moment);
        Ok(if held { Appended::Held } else { Appended::Written(receipt) })
    }

    /// Appends records that may be lost: questions answered, outcomes that can be found out
    /// again. Does not wait for the disk and gives no receipt. `expect` as for `append`.
    pub fn note(
        &mut self,
        records: &[Record],
        ctx: &Ctx,
        expect: Option<&JudgedAt>,
    ) -> Result<Option<Moved>, LogError> {
        Ok(match self.write(records, ctx, expect)? {
            Written::Moved(moved) => Some(moved),
            Written::Held => None,
            Written::Lines(pending) => {
                self.wrote(pending, ctx.moment);
                None
            }
        })
    }

    /// Has the index merge what has piled up.
    pub fn merge_index(&mut self, leisure: Leisure) {
        self.index.get_mut().merge(leisure);
    }

    /// Remembers that these commits were here before the log began. The caller has asked Git.
    pub fn remember_before_genesis(&mut self, commits: &[Oid]) {
        let posting = |oid| Posting::first_of(Key::BeforeGenesis(oid).digest());
        let postings: Vec<Posting> = commits.iter().map(posting).collect();
        if !postings.is_empty() {
            self.index.get_mut().add(postings);
        }
    }

    fn write(
        &mut self,
        records: &[Record],
        ctx: &Ctx,
        expect: Option<&JudgedAt>,
    ) -> Result<Written, LogError> {
        if self.poisoned {
            return Err(LogError::Poisoned);
        }
        if self.looked_after.as_ref() != Some(&ctx.boot) {
            let mended = self.mend_after_restart(ctx)?;
            self.looked_after = Some(ctx.boot.clone());
            if mended && expect.is_some() {
                let entry = self.head().size.saturating_sub(1);
                let what = "the end of the log, which a crash had damaged".to_owned();
                return Ok(Written::Moved(Moved { entry, what }));
            }
        }
        let medium = self.medium.as_ref();
        let mut drafts = Vec::with_capacity(records.len());
        for record in records {
            let draft = prepared(record, &self.origin, ctx)?;
            for bytes in &draft.attachments {
                self.folder.attach(medium, bytes)?;
            }
            drafts.push(draft);
        }
        let guard = |tape: &Rc<Tape>, tail: &Tail| self.moved_since(expect, tape, tail);
        let known = self.known_end();
        let at = (ctx, known.as_ref());
        let written = file::write(&self.folder, medium, &self.origin, &drafts, at, guard);
        self.poisoned |= matches!(written, Err(LogError::Interfered { .. }));
        written
    }

    /// Remembers where the log ends behind lines that were written here.
    fn wrote(&mut self, pending: Pending, moment: Moment) {
        let end = pending.end();
        self.written.set(Some(end));
        self.last_time = end.head.size.checked_sub(1).map(|seq| (seq, moment));
        self.written_file = Some(pending.into_file());
    }

    /// Where the log ended when it was last read or written here.
    fn known_end(&self) -> Option<KnownEnd> {
        let index = self.index.borrow();
        let position = self.written.get().unwrap_or(*index.position());
        let (seq, ts) = self.last_time?;
        let is_last = position.head.size.checked_sub(1) == Some(seq);
        is_last.then(|| KnownEnd { tape: Rc::clone(index.tape()), position, ts })
    }

    /// Before the first append since the machine was started: declares what a crash has left.
    /// Whether there was anything.
    fn mend_after_restart(&mut self, ctx: &Ctx) -> Result<bool, LogError> {
        let Some(last) = self.head().size.checked_sub(1) else { return Ok(false) };
        let entry = self.entry_by_number(last)?;
        self.last_time = Some((last, entry.common.ts.0));
        if entry.common.boot == ctx.boot {
            return Ok(false);
        }
        let medium = self.medium.as_ref();
        let mended = restart::mend(&self.folder, medium, &self.origin, ctx)?;
        if mended {
            self.written.set(None);
            self.cache.get_mut().clear();
            self.index.get_mut().rebuild()?;
        }
        Ok(mended)
    }

    /// The first entry since the judging that touches what it used. All that came since has to hold
    /// together, whoever asks: what is written behind a last entry with a hole before it, no reader
    /// gets to.
    fn moved_since(
        &self,
        judged: Option<&JudgedAt>,
        tape: &Rc<Tape>,
        tail: &Tail,
    ) -> Result<Option<Moved>, LogError> {
        let size = judged.map_or_else(|| self.head().size, |judged| judged.size);
        if tail.last.seq < size {
            return Ok(None);
        }
        let fault = |source| io_fault("read", &self.folder.segment(), source);
        let broken = |it| scan_fault(&self.folder, it);
        let from = self.position_before(size)?;
        let mut scanner = Scanner::from(tape, from, Some(self.origin.clone())).map_err(fault)?;
        let Some(judged) = judged else {
            while scanner.next_glance().map_err(broken)?.is_some() {}
            return reached(&scanner, tail).map(|()| None);
        };
        while let Some(found) = scanner.next_entry().map_err(broken)? {
            let entry = found.entry.common.seq;
            if entry < size {
                continue;
            }
            let record = whole::record(&self.folder, &found.entry).map_err(fault)?;
            if let Some(what) = touches(&record, judged) {
                return Ok(Some(Moved { entry, what }));
            }
        }
        reached(&scanner, tail).map(|()| None)
    }

    /// Where to begin to read for everything from entry `size` on. Usually this log was read to
    /// exactly there.
    pub(super) fn position_before(&self, size: u64) -> Result<Position, LogError> {
        if let Some(end) = self.written.get().filter(|end| end.head.size <= size) {
            return Ok(end);
        }
        self.read_own()?;
        let index = self.index.borrow();
        if index.position().head.size <= size || size == 0 {
            return Ok(*index.position());
        }
        if size <= index.tape().first() {
            return Position::start_of(index.tape())
                .map_err(|source| io_fault("read", &self.folder.segment(), source));
        }
        drop(index);
        let before = self.entry_by_number(size - 1)?;
        let key = Key::Entry(size - 1).digest();
        let found = self.index.borrow().newest(key, 1);
        let found = found.map_err(|source| io_fault("read", &self.folder.index(), source))?;
        let offset = found.first().map_or(0, |posting| posting.at);
        // The entry itself is read again: its head is that of the entries before it.
        Ok(Position { offset, head: Head { size: size - 1, hash: before.prev } })
    }
}

/// Whether a walk came to the last entry: none stands behind a hole.
fn reached(scanner: &Scanner, tail: &Tail) -> Result<(), LogError> {
    match scanner.undeclared() {
        Some(broken) if scanner.position().head.hash != tail.last.hash => Err(broken.into()),
        Some(_) | None => Ok(()),
    }
}

/// A record as an append takes it.
fn prepared(record: &Record, origin: &str, ctx: &Ctx) -> Result<Prepared, LogError> {
    let kind = record.kind().name();
    let json = |source| LogError::Json { kind, source };
    // The longest that the common fields can get, but for what `HELD_BYTES_MAX` allows.
    let mut widest = file::common(origin, ctx, Kind::Recovered, 1 << 53);
    widest.ts_before_prev = true;
    let common_bytes = serde_json::to_string(&widest).map_err(json)?.len();
    prepare(record, common_bytes).map_err(json)?.ok_or(LogError::TooLong { kind })
}
