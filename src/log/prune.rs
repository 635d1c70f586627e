//! Takes the oldest segments of a log away, behind a checkpoint that was published.
//!
//! The order, so that a stop at any point leaves a log that holds together and the next run goes on:
//!
//! ```text
//! 1  the summary appears under its name, whole     nothing reads it while the first segment is there
//! 2  the record `pruned` is on the disk            it names the summary's SHA-256
//! 3  the segments go, the oldest first             each removal on the disk before the next
//! 4  bundles of entries and older summaries go     nothing reads them any more
//! ```
//!
//! Hashes stay: the tiles of them, and in the summary one for each entry that is gone. Attachments
//! stay too: a push that runs meanwhile may be about to name one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::facts::past::PastError;
use crate::log::append_only;
use crate::log::book::Log;
use crate::log::disk::{Folder, Medium, io_fault, sync_folder};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::keeper::signing_lock;
use crate::log::lock::{LOCK_PATIENCE, lock_file};
use crate::log::look::not_that;
use crate::log::merge::Leisure;
use crate::log::opening::WHY;
use crate::log::packed::{Packed, pack};
use crate::log::posting::Key;
use crate::log::pruned::Pruned;
use crate::log::scan::{Break, BreakKind};
use crate::log::segment::{PACKED, PLAIN, file_name};
use crate::log::summary::{Last, Line, Made, Named, SUMMARY_BYTES_MAX, make, walk};
use crate::log::tape::{Tape, list};
use crate::log::tiles::remove_bundles;
use crate::log::wire::{AsText, Text};
use crate::names::digest::{Digest, Hasher};
use crate::names::moment::Moment;
use crate::tlog::checkpoint::Checkpoint;

/// What can be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the log goes on.
    pub to: Named,
    /// The first entry that goes, or went before.
    pub from: u64,
    /// The files that go, oldest first, each with its length in bytes.
    pub files: Vec<(PathBuf, u64)>,
    /// Those of them that have the append-only attribute.
    pub protected: Vec<PathBuf>,
}

/// What was taken away.
#[derive(Clone, Debug)]
pub struct Done {
    /// The record's entry.
    pub entry: u64,
    /// How many entries the summary keeps whole.
    pub kept: u64,
    /// The summary's file.
    pub summary: PathBuf,
    /// How long it is, packed, in bytes.
    pub bytes: u64,
    /// How many bundles of entries went.
    pub bundles: u64,
}

/// Whole closed segments, every entry of which is below `size` and was written before a moment.
/// `None`: there are none.
///
/// # Errors
/// When the log cannot be read.
pub fn plan(folder: &Folder, size: u64, before: Moment) -> Result<Option<Plan>, LogError> {
    let tape = folder.tape()?;
    let fault = |source| io_fault("read", folder.dir(), source);
    let listed = list(folder.dir()).map_err(fault)?;
    let mut to = None;
    for segment in listed.iter().filter(|it| it.first > tape.first() && it.first <= size) {
        let header = tape.header_of(segment.first).map_err(fault)?;
        let Some(entry) = header.filter(|entry| entry.common.ts.0 <= before) else { continue };
        if let Record::Segment(it) = &entry.record {
            to = Some(Named { first: it.first, offset: it.offset });
        }
    }
    let Some(to) = to else { return Ok(None) };
    let (files, protected) = files_before(folder, to.first)?;
    Ok(Some(Plan { to, from: tape.first(), files, protected }))
}

/// The files of the segments before this entry, and those of them that have the attribute.
#[expect(clippy::type_complexity, reason = "two lists, told apart by their names above")]
fn files_before(
    folder: &Folder,
    first: u64,
) -> Result<(Vec<(PathBuf, u64)>, Vec<PathBuf>), LogError> {
    let listed = list(folder.dir()).map_err(|source| io_fault("list", folder.dir(), source))?;
    let (mut files, mut protected) = (Vec::new(), Vec::new());
    for segment in listed.iter().filter(|it| it.first < first) {
        for (there, ending) in [(segment.plain, PLAIN), (segment.packed, PACKED)] {
            if !there {
                continue;
            }
            let path = folder.dir().join(file_name(segment.first, ending));
            let file = File::open(&path).map_err(|source| io_fault("read", &path, source))?;
            let meta = file.metadata().map_err(|source| io_fault("look at", &path, source))?;
            if append_only::is_set(&file) {
                protected.push(path.clone());
            }
            files.push((path, meta.len()));
        }
    }
    Ok((files, protected))
}

/// Copies the files of a plan to another folder and holds the copies against them. A copy that is
/// there already and is the same is left as it is.
///
/// # Errors
/// When a file cannot be copied, or another one stands in its place.
pub fn archive(plan: &Plan, to: &Path) -> Result<u64, LogError> {
    fs::create_dir_all(to).map_err(|source| io_fault("make", to, source))?;
    for (path, _) in &plan.files {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        let bytes = fs::read(path).map_err(|source| io_fault("read", path, source))?;
        let fault = |source| io_fault("write", &target, source);
        if !target.exists() {
            let mut beside = target.clone().into_os_string();
            beside.push(".part");
            fs::write(&beside, &bytes).map_err(fault)?;
            File::open(&beside).and_then(|file| file.sync_all()).map_err(fault)?;
            fs::rename(&beside, &target).map_err(fault)?;
        }
        let back = fs::read(&target).map_err(|source| io_fault("read back", &target, source))?;
        if Digest::of(&back) != Digest::of(&bytes) {
            return Err(LogError::Interfered { path: target });
        }
    }
    let fault = |source| io_fault("bring to the disk", to, source);
    File::open(to).and_then(|dir| dir.sync_all()).map_err(fault)?;
    Ok(plan.files.len() as u64)
}

/// Goes on where an earlier run was stopped: removes what a summary in force tells of. How many
/// files there were.
///
/// # Errors
/// When no record names that summary, or a file cannot be removed.
pub fn finish(folder: &Folder, medium: &dyn Medium) -> Result<u64, LogError> {
    let tape = folder.tape()?;
    let Some(named) = tape.before() else { return Ok(0) };
    let (files, _) = files_before(folder, named.first)?;
    let older = older(folder, named.first)?;
    if files.is_empty() && older.is_empty() {
        return Ok(0);
    }
    let log = Log::open(folder.dir())?;
    let (_, digest) = last_of(folder, &tape)?;
    let is_named = |it: &Pruned| it.first == named.first && it.summary.0 == digest;
    if !log.last_pruned()?.is_some_and(|(_, it)| is_named(&it)) {
        let what = BreakKind::Beginning(WHY[1]);
        return Err(Break { line: 1, entry: 0, offset: 0, what }.into());
    }
    let all = files.into_iter().map(|(path, _)| path).chain(older).collect();
    remove(folder, medium, named.first, all).map(|(files, _)| files)
}

/// Takes away what a plan says. `published` is a checkpoint of this log that others have.
///
/// # Errors
/// When the log cannot be read or written, or a file cannot be removed: another run goes on.
pub fn prune(
    folder: &Folder,
    medium: &dyn Medium,
    plan: &Plan,
    published: &Checkpoint,
    by: &str,
    ctx: &Ctx,
) -> Result<Done, LogError> {
    let _lock = lock_file(folder, &signing_lock(folder), LOCK_PATIENCE)?;
    let mut log = Log::open(folder.dir())?;
    let made = make(folder, &folder.tape()?, plan.to, published)?;
    let path = folder.dir().join(plan.to.file_name());
    let bytes = put(folder, medium, &path, &made)?;
    let record = record_of(&made, by);
    let entry = match log.last_pruned()? {
        Some((entry, there)) if Pruned { by: record.by.clone(), ..there.clone() } == record => {
            entry
        }
        Some(_) | None => match log.append(&[Record::Pruned(Box::new(record))], ctx, None)? {
            Appended::Written(receipt) => receipt.seq(),
            // No refusal, and rests on nothing that could move.
            Appended::Moved(_) | Appended::Held => return Err(LogError::Restless),
        },
    };
    let files = plan.files.iter().map(|(path, _)| path.clone());
    let all = files.chain(older(folder, plan.to.first)?).collect();
    let (_, bundles) = remove(folder, medium, plan.to.first, all)?;
    // What is derived is made anew now, so that no push has to.
    log.refresh()?;
    log.merge_index(Leisure::Timer);
    Ok(Done { entry, kept: made.kept, summary: path, bytes, bundles })
}

/// Writes a summary and reads it back.
fn put(folder: &Folder, medium: &dyn Medium, path: &Path, made: &Made) -> Result<u64, LogError> {
    let packed = pack(&made.bytes).map_err(|source| io_fault("pack", path, source))?;
    folder.write_whole(medium, path, &packed)?;
    let fault = |source| io_fault("read back", path, source);
    let there = Packed::open_within(path, SUMMARY_BYTES_MAX).map_err(fault)?;
    if unpacked(&there).map_err(fault)? != Digest::of(&made.bytes) {
        return Err(LogError::Interfered { path: path.to_owned() });
    }
    Ok(packed.len() as u64)
}

fn unpacked(packed: &Packed) -> io::Result<Digest> {
    let (mut hasher, mut at, mut bytes) = (Hasher::default(), 0, vec![0; 64 * 1024]);
    loop {
        match packed.read_at(&mut bytes, at)? {
            0 => return Ok(hasher.digest()),
            n => {
                hasher.update(&bytes[..n]);
                at += n as u64;
            }
        }
    }
}

fn record_of(made: &Made, by: &str) -> Pruned {
    let Last { first, offset, after, size, root } = made.last.clone();
    let (summary, by) = (AsText(Digest::of(&made.bytes)), Text::from(by));
    Pruned { first, offset, after, kept: made.kept, summary, size, root, by }
}

/// Summaries of shorter beginnings than this one.
fn older(folder: &Folder, first: u64) -> Result<Vec<PathBuf>, LogError> {
    let all = Named::list(folder.dir()).map_err(|source| io_fault("list", folder.dir(), source))?;
    let older = all.into_iter().filter(|it| it.first < first);
    Ok(older.map(|it| folder.dir().join(it.file_name())).collect())
}

/// Removes files in this order, then the bundles of entries before this one: how many of each.
fn remove(
    folder: &Folder,
    medium: &dyn Medium,
    first: u64,
    files: Vec<PathBuf>,
) -> Result<(u64, u64), LogError> {
    let mut gone = 0;
    for path in files {
        match fs::remove_file(&path) {
            Ok(()) => gone += 1,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(io_fault("remove", &path, source)),
        }
        // Or a crash could bring an older one back, with a gap behind it.
        sync_folder(medium, folder.dir())?;
    }
    Ok((gone, remove_bundles(folder, first)?))
}

/// The last line of the summary in force, and the SHA-256 of all of it.
fn last_of(folder: &Folder, tape: &Tape) -> Result<(Option<Last>, Digest), LogError> {
    let fault = |source| io_fault("read", folder.dir(), source);
    let mut last = None;
    walk(folder, tape, &mut |_, line| {
        if let Line::Last(it) = line {
            last = Some(it);
        }
        Ok(())
    })?;
    let digest = match tape.summary().map_err(fault)? {
        Some(packed) => unpacked(packed).map_err(fault)?,
        None => Digest::of(b""),
    };
    Ok((last, digest))
}

/// Whether the summary in force is what these archived files make. `None` for a log that has all its
/// entries.
///
/// # Errors
/// When the archive cannot be read, does not hold together, or ends too early.
pub fn is_of_archive(folder: &Folder, archive: &Path) -> Result<Option<bool>, LogError> {
    let tape = folder.tape()?;
    let Some(named) = tape.before() else { return Ok(None) };
    let (last, digest) = last_of(folder, &tape)?;
    let Some(last) = last else { return Ok(Some(false)) };
    let published = Checkpoint { origin: String::new(), size: last.size, root: last.root.0 };
    let archived = Rc::new(Tape::open(archive)?);
    let made = make(folder, &archived, named, &published)?;
    Ok(Some(Digest::of(&made.bytes) == digest))
}

impl Log {
    /// The newest pruning: its entry, and what it says.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn last_pruned(&self) -> Result<Option<(u64, Pruned)>, PastError> {
        let newest = self.postings(Key::Prunings, 1)?;
        let Some(posting) = newest.first() else { return Ok(None) };
        let entry = self.entry(posting)?;
        let Record::Pruned(pruned) = &entry.record else { return Err(not_that(&entry)) };
        Ok(Some((entry.common.seq, (**pruned).clone())))
    }
}
