//! Seals and checkpoints: what a log signs about itself.
//!
//! ```text
//! key, key.next   the key of this epoch, and of the next while a seal is being written
//! checkpoint      what was signed last, with the signatures of witnesses
//! tile/, mark     the tree of that checkpoint, and where it ends in the log
//! key.lock        locked while somebody signs
//! ```
//!
//! A kill at any point leaves either key in force: the seal in the log says which. Tiles are on the
//! disk before the checkpoint that needs them. Whoever signs again begins where the last checkpoint
//! ended, as far as mark, tiles, entries and checkpoint agree; a no is never said from there, only
//! after a walk from the first entry.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log::book::Log;
use crate::log::disk::{Disk, Folder, io_fault, read_small};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::lock::{LOCK_PATIENCE, Lock, lock_file};
use crate::log::mark::{self, Mark};
use crate::log::merge::Leisure;
use crate::log::scan::Position;
use crate::log::seal::Seal;
use crate::log::segment::SEGMENT_ENTRIES_MAX;
use crate::log::signer::{LostKey, Signer};
use crate::log::survey::{Sealed, Start, Survey, entry_at, survey_from};
use crate::log::tiles::Tiles;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::holder::KeyPlace;
use crate::tlog::key::VerifierKey;
use crate::tlog::note::{NOTE_BYTES_MAX, Note};

/// How many entries a push may walk through to seal.
const WALK_AFTER_PUSH_MAX: u64 = 2 * SEGMENT_ENTRIES_MAX;

/// A log that was sealed.
#[derive(Clone, Debug)]
pub struct Done {
    /// The entry of the seal.
    pub entry: u64,
    /// What it says.
    pub seal: Seal,
}

/// Seals a log: signs what it holds with the key of this epoch, names the next, and throws the
/// key away. `refs`: the digest of the repository's refs.
///
/// # Errors
/// When the log cannot be read or written, does not hold together, has a seal that does not hold,
/// was signed before as something else, or the key that its last seal names is gone.
pub fn seal(
    dir: &Path,
    refs: Digest,
    place: &KeyPlace,
    lost: LostKey,
    ctx: &Ctx,
) -> Result<Done, LogError> {
    let keeper = Keeper::open(dir, place, lost, LOCK_PATIENCE)?;
    let mut log = Log::open(dir)?;
    let done = keeper.seal(&mut log, refs, ctx)?;
    log.merge_index(Leisure::Timer);
    Ok(done)
}

/// Seals a log where its newest seal is older than `every` seconds, for whoever has just written to
/// it and must not wait: with a key in a file alone, where little has to be walked, and where nobody
/// else is signing. `refs` is asked only when it is sealed. `None`: not now.
///
/// With 0 seconds it is due in any case, as at the rotation of a segment.
///
/// # Errors
/// As for [`seal`]. What was pushed does not depend on it.
pub fn seal_if_due(
    log: &mut Log,
    place: &KeyPlace,
    every: i64,
    refs: &mut dyn FnMut() -> Option<Digest>,
    ctx: &Ctx,
) -> Result<Option<Done>, LogError> {
    match place {
        KeyPlace::InTheLog | KeyPlace::File(_) => {}
        KeyPlace::Agent(_) => return Ok(None),
    }
    let dir = log.dir().to_owned();
    let folder = Folder::existing(&dir)?;
    let due = |at: Option<Moment>| at.is_none_or(|at| at.plus_seconds(every) <= ctx.moment);
    let mark = Mark::read(&folder);
    let walked = mark.as_ref().map_or(0, Mark::size);
    if log.head().size.saturating_sub(walked) > WALK_AFTER_PUSH_MAX
        || !due(mark.and_then(|mark| mark.sealed_at))
    {
        return Ok(None);
    }
    let keeper = match Keeper::open(&dir, place, LostKey::Refuse, Duration::ZERO) {
        Err(LogError::Busy { .. }) => return Ok(None),
        other => other?,
    };
    // Somebody may have sealed since the mark was read.
    if !due(keeper.survey.sealed_at) {
        return Ok(None);
    }
    let Some(refs) = refs() else { return Ok(None) };
    keeper.seal(log, refs, ctx).map(Some)
}

/// Whether a file of the log was closed since it was signed last. Of a log that nobody signs: no.
pub fn is_closed_unsigned(log: &Log) -> bool {
    let Ok(folder) = Folder::existing(log.dir()) else { return false };
    let signed = Mark::read(&folder).map(|mark| mark.size());
    signed.is_some_and(|size| log.newest_segment().is_ok_and(|newest| size < newest))
}

/// Since when nothing was sealed: when the newest seal was written, or the log's first entry.
///
/// # Errors
/// When the log cannot be read, or does not hold together.
pub fn unsealed_since(dir: &Path) -> Result<Moment, LogError> {
    let folder = Folder::existing(dir)?;
    let sealed_at = match Mark::read(&folder) {
        Some(mark) => mark.sealed_at,
        None => survey_from(dir, Start::of_log(), &[], &mut |_, _| {})?.sealed_at,
    };
    let first = || entry_at(&folder, Position::START, "").map(|(found, _)| found.entry.common.ts.0);
    sealed_at.or_else(first).ok_or_else(|| LogError::NoGenesis { dir: dir.to_owned() })
}

/// Signs what the log is now, keeps it as `checkpoint`, and returns it.
///
/// # Errors
/// As for [`seal`].
pub fn checkpoint(dir: &Path, place: &KeyPlace, lost: LostKey) -> Result<Note, LogError> {
    let keeper = Keeper::open(dir, place, lost, LOCK_PATIENCE)?;
    let note = keeper.signed()?;
    keeper.publish(&note, None)?;
    Ok(note)
}

/// The public half of the key that signs now; a first one is made where there is none.
///
/// # Errors
/// As for [`seal`].
pub fn public_key(dir: &Path, place: &KeyPlace, lost: LostKey) -> Result<VerifierKey, LogError> {
    Ok(Keeper::open(dir, place, lost, LOCK_PATIENCE)?.signer.verifier())
}

/// The checkpoint that was signed last, if one was.
pub fn last_checkpoint(folder: &Folder) -> Result<Option<(Checkpoint, Note)>, LogError> {
    let path = checkpoint_path(folder);
    let Some(bytes) = read_small(&path, NOTE_BYTES_MAX as u64)? else { return Ok(None) };
    match Checkpoint::of_note(&bytes) {
        Ok(found) => Ok(Some(found)),
        Err(why) => Err(io_fault("read", &path, std::io::Error::other(why))),
    }
}

/// Adds signatures by others to the checkpoint that was signed last. `false`, and nothing is
/// changed, when it has become another meanwhile.
pub fn add_signatures(
    folder: &Folder,
    text: &str,
    signatures: &[(VerifierKey, Vec<u8>)],
) -> Result<bool, LogError> {
    let _lock = lock_file(folder, &signing_lock(folder), LOCK_PATIENCE)?;
    let Some((_, mut note)) = last_checkpoint(folder)?.filter(|(_, note)| note.text() == text)
    else {
        return Ok(false);
    };
    for (key, bytes) in signatures {
        note.add(key, bytes.clone());
    }
    folder.write_whole(&Disk, &checkpoint_path(folder), note.to_string().as_bytes())?;
    Ok(true)
}

/// The file that whoever signs has locked.
pub(super) fn signing_lock(folder: &Folder) -> PathBuf {
    folder.dir().join("key.lock")
}

fn checkpoint_path(folder: &Folder) -> PathBuf {
    folder.dir().join("checkpoint")
}

/// A log, its tree and its key, with nobody else signing.
struct Keeper {
    folder: Folder,
    survey: Survey,
    signer: Signer,
    /// What was signed last.
    last: Option<Note>,
    /// Where the walk began, and the tiles of what was before.
    start: Start,
    tiles: Tiles,
    _lock: Lock,
}

impl Keeper {
    fn open(
        dir: &Path,
        place: &KeyPlace,
        lost: LostKey,
        patience: Duration,
    ) -> Result<Self, LogError> {
        let folder = Folder::existing(dir)?;
        let lock = lock_file(&folder, &signing_lock(&folder), patience)?;
        let last = last_checkpoint(&folder)?;
        let resumed = match (lost, &last) {
            (LostKey::Refuse, Some((checkpoint, _))) => mark::resume(&folder, checkpoint),
            (LostKey::Refuse, None) | (LostKey::BeginAnew, _) => None,
        };
        let short = resumed.and_then(|(start, tiles)| {
            let (survey, signer) = walked(&folder, &last, &start, place, lost).ok()?;
            Some((survey, signer, start, tiles))
        });
        let (survey, signer, start, tiles) = match short {
            Some(found) => found,
            None => {
                let start = Start::of_log();
                let (survey, signer) = walked(&folder, &last, &start, place, lost)?;
                (survey, signer, start, Tiles::none(&folder))
            }
        };
        let last = last.map(|(_, note)| note);
        Ok(Self { folder, survey, signer, last, start, tiles, _lock: lock })
    }

    /// The checkpoint of what was walked. Who else has signed the same text stays on it.
    fn signed(&self) -> Result<Note, LogError> {
        let text = self.survey.checkpoint.text();
        let mut note = match &self.last {
            Some(last) if last.text() == text => last.clone(),
            Some(_) | None => Note::new(&text).map_err(|_| self.no_name())?,
        };
        note.add(&self.signer.verifier(), self.signer.sign(text.as_bytes())?.to_vec());
        Ok(note)
    }

    fn seal(self, log: &mut Log, refs: Digest, ctx: &Ctx) -> Result<Done, LogError> {
        let checkpoint = &self.survey.checkpoint;
        let next = self.signer.next(&self.folder, &checkpoint.origin)?;
        let signature = self.signer.sign(Seal::message(checkpoint, &next).as_bytes())?;
        let seal = Seal::new(checkpoint, refs, &self.signer.verifier(), &next, &signature)
            .map_err(|_| self.no_name())?;
        let note = self.signed()?;
        let entry = match log.append(&[Record::Seal(seal.clone())], ctx, None)? {
            Appended::Written(receipt) => receipt.seq(),
            // A seal is no refusal and rests on nothing that could move.
            Appended::Moved(_) | Appended::Held => return Err(LogError::Restless),
        };
        // The key goes first: whatever fails behind this is done by the next one who signs.
        self.signer.turn()?;
        self.publish(&note, Some(ctx.moment))?;
        Ok(Done { entry, seal })
    }

    /// Writes the tiles, then the checkpoint, then where it ends.
    fn publish(mut self, note: &Note, sealed_at: Option<Moment>) -> Result<(), LogError> {
        let Checkpoint { size, root, .. } = self.survey.checkpoint;
        // A second walk, now that it is known that this log may be signed: no tile of another
        // story takes the place of a good one.
        let (tiles, mut written) = (&mut self.tiles, Ok(()));
        survey_from(self.folder.dir(), self.start.clone(), &[], &mut |line, leaf| {
            // What was appended meanwhile is the next one's.
            if written.is_ok() && tiles.edge().size() < size {
                written = tiles.push(line, leaf);
            }
        })?;
        written?;
        if self.tiles.edge().frontier().is_none_or(|tree| tree.root() != root) {
            return Err(LogError::OtherTree { size });
        }
        self.tiles.finish()?;
        let path = checkpoint_path(&self.folder);
        self.folder.write_whole(&Disk, &path, note.to_string().as_bytes())?;
        if refused(&self.survey).is_some() {
            // Signed with a word of its own: whoever signs next has to see it again.
            mark::forget(&self.folder);
        } else {
            Mark::of(&self.survey, sealed_at).write(&self.folder)?;
        }
        self.tiles.sweep();
        Ok(())
    }

    fn no_name(&self) -> LogError {
        LogError::NoKeyName { origin: self.survey.checkpoint.origin.clone() }
    }
}

/// Walks the log from there and finds who signs it, where it may be signed.
fn walked(
    folder: &Folder,
    last: &Option<(Checkpoint, Note)>,
    start: &Start,
    place: &KeyPlace,
    lost: LostKey,
) -> Result<(Survey, Signer), LogError> {
    let sizes: Vec<u64> = last.iter().map(|(checkpoint, _)| checkpoint.size).collect();
    let survey = survey_from(folder.dir(), start.clone(), &sizes, &mut |_, _| {})?;
    if let Some(entry) = refused(&survey)
        && lost == LostKey::Refuse
    {
        return Err(LogError::Unsealed { entry });
    }
    // A log that has said one thing must never sign another.
    if let Some((checkpoint, _)) = &last
        && survey.roots.get(&checkpoint.size) != Some(&checkpoint.root)
    {
        return Err(LogError::OtherTree { size: checkpoint.size });
    }
    let origin = &survey.checkpoint.origin;
    let signer = Signer::find(folder, place, origin, survey.next.as_ref(), lost)?;
    Ok((survey, signer))
}

/// The first seal after which nothing may be signed. One that began with a new key is none: the key
/// that it names is held all the same, and `log verify` goes on saying what happened.
fn refused(survey: &Survey) -> Option<u64> {
    let wrong = |found: &&Sealed| found.wrong.as_ref().is_some_and(|wrong| !wrong.began_anew());
    survey.seals.iter().find(wrong).map(|sealed| sealed.entry)
}
