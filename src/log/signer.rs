//! Who signs for a log: a key in a file, which is turned at every seal, or one of an
//! ssh-agent, which stays.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::log::agent::Held;
use crate::log::disk::{Disk, Folder, io_fault, read_small, sync_folder};
use crate::log::error::LogError;
use crate::tlog::holder::KeyPlace;
use crate::tlog::key::{SignerKey, VerifierKey};

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

/// Who signs now.
#[derive(Debug)]
pub enum Signer {
    /// The key in this file.
    File(PathBuf, Box<SignerKey>),
    /// An agent.
    Agent(Box<Held>),
    /// The key in this file for the last time: the next seal names the agent's.
    HandedOver(PathBuf, Box<SignerKey>, Box<Held>),
}

impl Signer {
    /// The key that the last seal `named`, or a first one.
    ///
    /// # Errors
    /// When it is gone, is another log's, or cannot be read.
    pub fn find(
        folder: &Folder,
        place: &KeyPlace,
        origin: &str,
        named: Option<&VerifierKey>,
        lost: LostKey,
    ) -> Result<Self, LogError> {
        let path = match place {
            KeyPlace::InTheLog => folder.dir().join("key"),
            KeyPlace::File(path) if path.is_dir() => path.join(file_name(origin)),
            KeyPlace::File(path) => path.clone(),
            KeyPlace::Agent(place) => {
                let held = Box::new(Held::find(place, origin)?);
                return Self::of_agent(folder, held, origin, named, lost);
            }
        };
        let key = in_file(folder, &path, origin, named, lost)?;
        Ok(Self::File(path, Box::new(key)))
    }

    fn of_agent(
        folder: &Folder,
        held: Box<Held>,
        origin: &str,
        named: Option<&VerifierKey>,
        lost: LostKey,
    ) -> Result<Self, LogError> {
        let Some(named) = named.filter(|named| *named != held.key()) else {
            return Ok(Self::Agent(held));
        };
        // A log that signed with its own file until now hands over in its next seal.
        let path = folder.dir().join("key");
        for file in [path.clone(), next_path(&path)] {
            if let Some(key) = read_key(&file, origin)?.filter(|key| key.verifier() == *named) {
                return Ok(Self::HandedOver(path, Box::new(key), held));
            }
        }
        match lost {
            LostKey::Refuse => Err(LogError::AgentKeyOther {
                named: named.to_string(),
                key: held.key().to_string(),
            }),
            LostKey::BeginAnew => Ok(Self::Agent(held)),
        }
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        match self {
            Self::File(_, key) | Self::HandedOver(_, key, _) => key.verifier(),
            Self::Agent(held) => held.key().clone(),
        }
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], LogError> {
        match self {
            Self::File(_, key) | Self::HandedOver(_, key, _) => Ok(key.sign(message)),
            Self::Agent(held) => held.sign(message),
        }
    }

    /// The key of the next epoch, made and kept before a seal names it. An agent's stays.
    pub fn next(&self, folder: &Folder, origin: &str) -> Result<VerifierKey, LogError> {
        match self {
            Self::File(path, _) => {
                let next = made(origin)?;
                let text = next.secret_text() + "\n";
                folder.write_secret(&Disk, &next_path(path), text.as_bytes())?;
                Ok(next.verifier())
            }
            Self::Agent(held) | Self::HandedOver(_, _, held) => Ok(held.key().clone()),
        }
    }

    /// The next key takes the place of this one, which is gone then. An agent's stays.
    pub fn turn(&self) -> Result<(), LogError> {
        match self {
            Self::File(path, _) => turn(path),
            Self::Agent(_) => Ok(()),
            Self::HandedOver(path, ..) => {
                for path in [next_path(path), path.clone()] {
                    match std::fs::remove_file(&path) {
                        Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                            return Err(io_fault("remove", &path, fault));
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
                Ok(())
            }
        }
    }
}

/// The name of a log's key file where one folder holds those of many logs.
fn file_name(origin: &str) -> String {
    let id = origin.rsplit('/').next().unwrap_or(origin);
    format!("{id}.key")
}

fn next_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn in_file(
    folder: &Folder,
    path: &Path,
    origin: &str,
    named: Option<&VerifierKey>,
    lost: LostKey,
) -> Result<SignerKey, LogError> {
    let here = read_key(path, origin)?;
    let Some(named) = named else {
        return match here {
            Some(key) => Ok(key),
            None => first(folder, path, origin),
        };
    };
    if let Some(key) = here.filter(|key| key.verifier() == *named) {
        return Ok(key);
    }
    // A seal was written and its writer stopped before the keys were changed.
    if let Some(key) = read_key(&next_path(path), origin)?.filter(|key| key.verifier() == *named) {
        turn(path)?;
        return Ok(key);
    }
    match lost {
        LostKey::Refuse => Err(LogError::KeyGone { key: named.to_string(), path: path.to_owned() }),
        LostKey::BeginAnew => first(folder, path, origin),
    }
}

fn turn(path: &Path) -> Result<(), LogError> {
    std::fs::rename(next_path(path), path).map_err(|source| io_fault("name", path, source))?;
    match path.parent() {
        Some(parent) => sync_folder(&Disk, parent),
        None => Ok(()),
    }
}

fn first(folder: &Folder, path: &Path, origin: &str) -> Result<SignerKey, LogError> {
    let key = made(origin)?;
    folder.write_secret(&Disk, path, (key.secret_text() + "\n").as_bytes())?;
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

/// Reads a key. One of another log is a fault: signed with it, this log's word would be worth
/// nothing, and its file would be written over.
fn read_key(path: &Path, origin: &str) -> Result<Option<SignerKey>, LogError> {
    let Some(bytes) = read_small(path, KEY_BYTES_MAX)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let key = SignerKey::parse(text.trim_end())
        .map_err(|why| io_fault("read", path, io::Error::other(why)))?;
    let name = key.verifier().name().to_owned();
    if name == origin {
        Ok(Some(key))
    } else {
        Err(LogError::KeyOfAnother { path: path.to_owned(), name })
    }
}
