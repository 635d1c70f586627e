//! The key a log signs with: kept in its folder, replaced at every seal.
//!
//! ```text
//! key        the key of this epoch, for its owner alone
//! key.next   the key of the next, while a seal is being written
//! checkpoint what was signed last
//! ```
//!
//! A kill at any point leaves either key in force: the seal in the log says which.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::log::book::Log;
use crate::log::disk::{Disk, Folder, io_fault, read_small, sync_folder};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx, LOCK_PATIENCE, Lock, lock_file};
use crate::log::merge::Leisure;
use crate::log::seal::Seal;
use crate::log::survey::{Survey, survey};
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::key::{SignerKey, VerifierKey};
use crate::tlog::note::{NOTE_BYTES_MAX, Note};

/// How long a key file may be, in bytes.
const KEY_BYTES_MAX: u64 = 4096;

/// What is done where the key that the log names is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostKey {
    /// Nothing is signed.
    Refuse,
    /// A new key begins; the seal says so by naming a key that the one before it does not know.
    BeginAnew,
}

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
pub fn seal(dir: &Path, refs: Digest, lost: LostKey, ctx: &Ctx) -> Result<Done, LogError> {
    let keeper = Keeper::open(dir, lost)?;
    let checkpoint = &keeper.survey.checkpoint;
    let next = keeper.next_key()?;
    let seal = Seal::new(checkpoint, refs, &keeper.key, &next.verifier())
        .map_err(|_| LogError::NoKeyName { origin: keeper.survey.checkpoint.origin.clone() })?;
    let record = Record::Seal(seal.clone());
    let mut log = Log::open(dir)?;
    let entry = match log.append(&[record], ctx, None)? {
        Appended::Written(receipt) => receipt.seq(),
        // A seal is no refusal and rests on nothing that could move.
        Appended::Moved(_) | Appended::Held => return Err(LogError::Restless),
    };
    turn(&keeper.folder)?;
    log.merge_index(Leisure::Timer);
    Ok(Done { entry, seal })
}

/// Signs what the log is now, keeps it as `checkpoint`, and returns it.
///
/// # Errors
/// As for [`seal`].
pub fn checkpoint(dir: &Path, lost: LostKey) -> Result<Note, LogError> {
    let keeper = Keeper::open(dir, lost)?;
    let note = keeper
        .survey
        .checkpoint
        .sign(&keeper.key)
        .map_err(|_| LogError::NoKeyName { origin: keeper.survey.checkpoint.origin.clone() })?;
    let path = checkpoint_path(&keeper.folder);
    keeper.folder.write_whole(&Disk, &path, note.to_string().as_bytes())?;
    Ok(note)
}

/// The public half of the key that signs now; a first one is made where there is none.
///
/// # Errors
/// As for [`seal`].
pub fn public_key(dir: &Path, lost: LostKey) -> Result<VerifierKey, LogError> {
    Ok(Keeper::open(dir, lost)?.key.verifier())
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

fn key_path(folder: &Folder) -> PathBuf {
    folder.dir().join("key")
}

fn next_path(folder: &Folder) -> PathBuf {
    folder.dir().join("key.next")
}

fn checkpoint_path(folder: &Folder) -> PathBuf {
    folder.dir().join("checkpoint")
}

/// A log, its tree and its key, with nobody else signing.
struct Keeper {
    folder: Folder,
    survey: Survey,
    key: SignerKey,
    _lock: Lock,
}

impl Keeper {
    fn open(dir: &Path, lost: LostKey) -> Result<Self, LogError> {
        let folder = Folder::existing(dir)?;
        let lock = lock_file(&folder, &folder.dir().join("key.lock"), LOCK_PATIENCE)?;
        let last = last_checkpoint(&folder)?;
        let sizes: Vec<u64> = last.iter().map(|(checkpoint, _)| checkpoint.size).collect();
        let survey = survey(dir, &sizes, &mut |_| {})?;
        if let Some(sealed) = survey.seals.iter().find(|sealed| sealed.wrong.is_some())
            && lost == LostKey::Refuse
        {
            return Err(LogError::Unsealed { entry: sealed.entry });
        }
        // A log that has said one thing must never sign another.
        if let Some((checkpoint, _)) = &last
            && survey.roots.get(&checkpoint.size) != Some(&checkpoint.root)
        {
            return Err(LogError::OtherTree { size: checkpoint.size });
        }
        let key = key(&folder, &survey, lost)?;
        Ok(Self { folder, survey, key, _lock: lock })
    }

    /// The key of the next epoch, made and kept before a seal names it.
    fn next_key(&self) -> Result<SignerKey, LogError> {
        let next = made(&self.survey.checkpoint.origin)?;
        let text = next.secret_text() + "\n";
        self.folder.write_secret(&Disk, &next_path(&self.folder), text.as_bytes())?;
        Ok(next)
    }
}

/// The next key takes the place of this one, which is gone then.
fn turn(folder: &Folder) -> Result<(), LogError> {
    let (from, to) = (next_path(folder), key_path(folder));
    std::fs::rename(&from, &to).map_err(|source| io_fault("name", &to, source))?;
    sync_folder(&Disk, folder.dir())
}

/// The key that signs now: the one that the last seal names, or a first one.
fn key(folder: &Folder, survey: &Survey, lost: LostKey) -> Result<SignerKey, LogError> {
    let here = read_key(&key_path(folder))?;
    let Some(named) = &survey.next else {
        return match here {
            Some(key) => Ok(key),
            None => first(folder, &survey.checkpoint.origin),
        };
    };
    if let Some(key) = here.filter(|key| key.verifier() == *named) {
        return Ok(key);
    }
    // A seal was written and its writer stopped before the keys were changed.
    if let Some(key) = read_key(&next_path(folder))?.filter(|key| key.verifier() == *named) {
        turn(folder)?;
        return Ok(key);
    }
    match lost {
        LostKey::Refuse => Err(LogError::KeyGone { key: named.to_string() }),
        LostKey::BeginAnew => first(folder, &survey.checkpoint.origin),
    }
}

fn first(folder: &Folder, origin: &str) -> Result<SignerKey, LogError> {
    let key = made(origin)?;
    folder.write_secret(&Disk, &key_path(folder), (key.secret_text() + "\n").as_bytes())?;
    Ok(key)
}

fn made(origin: &str) -> Result<SignerKey, LogError> {
    let mut secret = [0; 32];
    let source = PathBuf::from("/dev/urandom");
    File::open(&source)
        .and_then(|mut file| file.read_exact(&mut secret))
        .map_err(|fault| io_fault("read", &source, fault))?;
    SignerKey::of_log(origin, &secret)
        .map_err(|_| LogError::NoKeyName { origin: origin.to_owned() })
}

fn read_key(path: &Path) -> Result<Option<SignerKey>, LogError> {
    let Some(bytes) = read_small(path, KEY_BYTES_MAX)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    match SignerKey::parse(text.trim_end()) {
        Ok(key) => Ok(Some(key)),
        Err(why) => Err(io_fault("read", path, std::io::Error::other(why))),
    }
}
