//! The folder of one log: where things are, with which rights, and the few ways to touch them.
//!
//! ```text
//! 00000000000000000000.jsonl   entries; a segment is named by the number of its first entry
//! 00000000000000004096.jsonl   more of them; closed ones may be packed: `....jsonl.gz`
//! ...-....jsonl.gz             what stays of entries that were taken away; see `summary`
//! lock                         locked while somebody appends; says who, and the newest segment
//! att/<sha256>                 attachments, named by their content
//! suspect                      there while bytes are in doubt: `<offset> <length>`
//! rate                         counts of recent refusals
//! key, checkpoint              what signs, and what was signed last
//! tile/, mark                  derived from the entries: the tree, and where a checkpoint ends
//! index/                       derived from the entries; may be deleted at any time
//! ```
//!
//! Used by the other files of this room. `Medium` is the seam where tests make a disk fail.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{FallocateFlags, fallocate};

use crate::log::error::LogError;
use crate::log::remote;
use crate::log::segment::{Limits, PACKED, PLAIN, file_name};
use crate::log::summary::Named;
use crate::log::tape::{Tape, list};
use crate::names::digest::Digest;

/// The name of the file with the entries from number 0 on.
pub const FIRST_SEGMENT: &str = "00000000000000000000.jsonl";

/// How much space is reserved at a time, so that a full disk does not tear a line.
const RESERVE_BYTES: u64 = 256 * 1024;

/// How near the end of the reserved space a new stretch is reserved.
const RESERVE_AHEAD_BYTES: u64 = 128 * 1024;

/// The rights of what is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Of folders.
    pub folder: u32,
    /// Of files.
    pub file: u32,
}

impl Modes {
    /// For the owner alone.
    pub const PRIVATE: Self = Self { folder: 0o700, file: 0o600 };

    /// For the owner and the group: `core.sharedRepository = group`.
    pub const GROUP: Self = Self { folder: 0o2770, file: 0o660 };
}

/// What a log does to its files, where it matters whether that fails.
pub trait Medium: fmt::Debug {
    /// One `write` to a file opened for appending. May write less than it was given.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;

    /// Brings a file's data to the disk, fdatasync(2).
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Brings a folder's names to the disk.
    fn sync_folder(&self, folder: &File) -> io::Result<()>;

    /// When a segment is closed here.
    fn limits(&self) -> Limits {
        Limits::USUAL
    }
}

/// The disk there is.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Medium for Disk {
    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match file.write(bytes) {
                // Nothing was written; only a signal came.
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        folder.sync_all()
    }
}

/// The folder of one log.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: PathBuf,
    modes: Modes,
}

impl Folder {
    /// A folder that is there, with the rights that its entries have.
    pub fn existing(dir: &Path) -> Result<Self, LogError> {
        let found = match fs::metadata(dir) {
            Ok(found) => found,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                return Err(LogError::Missing { dir: dir.to_owned() });
            }
            Err(source) => return Err(io_fault("look at", dir, source)),
        };
        remote::refuse(dir)?;
        let file = match first_segment(dir) {
            Ok(Some(meta)) => meta.mode() & 0o777,
            Ok(None) => return Err(LogError::NoGenesis { dir: dir.to_owned() }),
            Err(source) => return Err(io_fault("look at", &dir.join(FIRST_SEGMENT), source)),
        };
        Ok(Self { dir: dir.to_owned(), modes: Modes { folder: found.mode() & 0o7777, file } })
    }

    /// Makes the folder and those in it.
    pub fn create(dir: &Path, modes: Modes) -> Result<Self, LogError> {
        let folder = Self { dir: dir.to_owned(), modes };
        for each in [dir.to_owned(), folder.attachments()] {
            fs::create_dir_all(&each).map_err(|source| io_fault("make", &each, source))?;
            fs::set_permissions(&each, Permissions::from_mode(modes.folder))
                .map_err(|source| io_fault("set the rights of", &each, source))?;
        }
        remote::refuse(dir)?;
        folder.refuse_existing()?;
        Ok(folder)
    }

    /// A log that is there is never written over.
    pub fn refuse_existing(&self) -> Result<(), LogError> {
        match first_segment(&self.dir) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(LogError::Exists { dir: self.dir.clone() }),
            Err(source) => Err(io_fault("look at", &self.segment(), source)),
        }
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file with the first entries.
    pub fn segment(&self) -> PathBuf {
        self.dir.join(FIRST_SEGMENT)
    }

    /// The folder of the attachments.
    pub fn attachments(&self) -> PathBuf {
        self.dir.join("att")
    }

    /// The file that is locked.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The mark that bytes are in doubt.
    pub fn suspect(&self) -> PathBuf {
        self.dir.join("suspect")
    }

    /// The counts of refusals.
    pub fn rate(&self) -> PathBuf {
        self.dir.join("rate")
    }

    /// The folder of the index.
    pub fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// The rights of what is created here.
    pub const fn modes(&self) -> Modes {
        self.modes
    }

    /// The entries, for reading.
    pub fn tape(&self) -> Result<Rc<Tape>, LogError> {
        Tape::open(&self.dir).map(Rc::new)
    }

    /// Opens a file for writing, made if it is not there.
    pub fn open_small(&self, path: &Path) -> Result<File, LogError> {
        let fault = |source| io_fault("open", path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match options.open(path) {
            Err(none) if none.kind() == io::ErrorKind::NotFound => {}
            other => return other.map_err(fault),
        }
        let file = options.create(true).mode(self.modes.file).open(path).map_err(fault)?;
        // The mode above has gone through the umask.
        file.set_permissions(Permissions::from_mode(self.modes.file)).map_err(fault)?;
        Ok(file)
    }

    /// Writes a file whole: beside it, to the disk, then under its name, then the name to the
    /// disk. A file of that name is replaced.
    pub fn write_whole(
        &self,
        medium: &dyn Medium,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), LogError> {
        self.write_with(medium, path, bytes, self.modes.file)
    }

    /// As `write_whole`, for its owner alone whatever the rights of the log are.
    pub fn write_secret(
        &self,
        medium: &dyn Medium,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), LogError> {
        self.write_with(medium, path, bytes, Modes::PRIVATE.file)
    }

    fn write_with(
        &self,
        medium: &dyn Medium,
        path: &Path,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), LogError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io_fault("write", path, io::ErrorKind::InvalidInput.into()));
        };
        let beside = parent.join(format!(
            ".{}.{}-{:?}",
            name.to_string_lossy(),
            std::process::id(),
            std::thread::current().id()
        ));
        let written = self.write_beside(medium, &beside, bytes, mode).and_then(|()| {
            fs::rename(&beside, path).map_err(|source| io_fault("name", path, source))
        });
        if written.is_err() {
            // Best effort: what is left over is never read.
            let _ = fs::remove_file(&beside);
        }
        written?;
        sync_folder(medium, parent)
    }

    fn write_beside(
        &self,
        medium: &dyn Medium,
        path: &Path,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), LogError> {
        let fault = |source| io_fault("write", path, source);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .map_err(fault)?;
        file.set_permissions(Permissions::from_mode(mode)).map_err(fault)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match medium.append(&file, rest).map_err(fault)? {
                0 => return Err(fault(io::ErrorKind::WriteZero.into())),
                n => rest = &rest[n..],
            }
        }
        if fs::read(path).map_err(fault)? != bytes {
            return Err(LogError::Interfered { path: path.to_owned() });
        }
        medium.sync(&file).map_err(|source| LogError::NotSynced { path: path.to_owned(), source })
    }

    /// Keeps an attachment: on return its bytes and its name are on the disk.
    pub fn attach(&self, medium: &dyn Medium, bytes: &[u8]) -> Result<Digest, LogError> {
        let name = Digest::of(bytes);
        let path = self.attachments().join(name.hex());
        if let Ok(there) = fs::read(&path)
            && there == bytes
        {
            // Another push wrote it; whether it waited for the disk we do not know.
            let file = File::open(&path).map_err(|source| io_fault("read", &path, source))?;
            medium.sync(&file).map_err(|source| LogError::NotSynced { path, source })?;
            sync_folder(medium, &self.attachments())?;
            return Ok(name);
        }
        self.write_whole(medium, &path, bytes)?;
        Ok(name)
    }

    /// The bytes of an attachment. `None` when it is missing or not what its name says.
    pub fn attachment(&self, name: &Digest) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.attachments().join(name.hex())) {
            Ok(bytes) => Ok((Digest::of(&bytes) == *name).then_some(bytes)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// The file with the first entries, as it was written or packed, or with what stays of them; where
/// somebody took that away, the first that is left: no other log may begin beside it.
fn first_segment(dir: &Path) -> io::Result<Option<fs::Metadata>> {
    for ending in [PLAIN, PACKED] {
        match fs::metadata(dir.join(file_name(0, ending))) {
            Ok(found) => return Ok(Some(found)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
    }
    let named = || -> io::Result<Option<String>> {
        if let Some(last) = Named::list(dir)?.last() {
            return Ok(Some(last.file_name()));
        }
        let ending = |plain| if plain { PLAIN } else { PACKED };
        Ok(list(dir)?.first().map(|it| file_name(it.first, ending(it.plain))))
    };
    match named() {
        Ok(name) => name.map(|name| fs::metadata(dir.join(name))).transpose(),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether this folder looks like that of a log.
pub fn is_log(dir: &Path) -> bool {
    first_segment(dir).is_ok_and(|found| found.is_some())
}

/// Opens a segment for appending.
pub fn open_to_append(path: &Path) -> Result<File, LogError> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .open(path)
        .map_err(|source| io_fault("open for appending", path, source))
}

/// Reads a small file. `None` when it is not there.
pub fn read_small(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, LogError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_fault("read", path, source)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max)
        .read_to_end(&mut bytes)
        .map_err(|source| io_fault("read", path, source))?;
    Ok(Some(bytes))
}

/// Brings the names in a folder to the disk.
pub fn sync_folder(medium: &dyn Medium, dir: &Path) -> Result<(), LogError> {
    let folder = File::open(dir).map_err(|source| io_fault("open", dir, source))?;
    medium
        .sync_folder(&folder)
        .map_err(|source| LogError::NotSynced { path: dir.to_owned(), source })
}

/// Reserves blocks behind the end without changing the length. Not every file system can; then a
/// full disk is noticed when it is full.
pub fn reserve(file: &File, before: u64, written: u64) {
    let stretch = |at: u64| (at + RESERVE_AHEAD_BYTES) / RESERVE_BYTES;
    let after = before + written;
    if before == 0 || stretch(before) != stretch(after) {
        let _ = fallocate(file, FallocateFlags::KEEP_SIZE, after, RESERVE_BYTES);
    }
}

/// A fault of the system, told with what was being done.
pub fn io_fault(doing: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::Io { doing, path: path.to_owned(), source }
}
