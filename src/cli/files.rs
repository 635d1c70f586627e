//! Files written whole or not at all.
//!
//! Used by `install`, `uninstall`, `man`. A reader sees the old file or the new one, and after a
//! crash one of the two: temporary file in the same folder, sync, rename, sync of the folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

/// Whether an error says that nothing is there, as opposed to: it may not be looked at.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// When what was written has to be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durable {
    /// When the function returns.
    AtOnce,
    /// When `sync_systems` has run, for many files together. A file never takes another's place
    /// before its own bytes are there.
    WithAll,
}

/// Puts these bytes at this path, with exactly this mode, in place of whatever is there.
pub fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write_whole_by(path, bytes, mode, Durable::AtOnce)
}

/// The same; the name may be on the disk later than the bytes.
pub fn write_whole_by(path: &Path, bytes: &[u8], mode: u32, durable: Durable) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let written = write_new(&temporary, bytes, mode).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; a left-over temporary file is harmless.
        let _ = fs::remove_file(&temporary);
    }
    match durable {
        Durable::AtOnce => written.and_then(|()| sync_folder(path)),
        Durable::WithAll => written,
    }
}

/// Brings everything that was written to the file systems of these paths to the disk.
pub fn sync_systems<'a>(paths: impl Iterator<Item = &'a Path>) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    for path in paths {
        // What is not there was not written.
        let Ok(meta) = fs::metadata(path) else { continue };
        if seen.insert(meta.dev()) {
            rustix::fs::syncfs(File::open(path)?)?;
        }
    }
    Ok(())
}

/// Moves a file whose bytes are on the disk.
pub fn rename_by(from: &Path, to: &Path, durable: Durable) -> io::Result<()> {
    match durable {
        Durable::AtOnce => rename(from, to),
        Durable::WithAll => fs::rename(from, to),
    }
}

/// Moves a file, so that the new name stands for it after a crash, too.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(to)
}

/// Takes a file away; one that is not there is away already.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(path),
    }
}

/// Gives a file, or a symlink itself, a second name in its folder. Where the file system has no
/// hard links the second name is a copy.
pub fn second_name(path: &Path, other: &Path) -> io::Result<()> {
    if fs::hard_link(path, other).is_ok() {
        return sync_folder(other);
    }
    let meta = fs::symlink_metadata(path)?;
    if meta.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(path)?, other)?;
        return sync_folder(other);
    }
    write_new(other, &fs::read(path)?, meta.permissions().mode() & 0o7777)?;
    sync_folder(other)
}

/// Makes a folder and those above it; what is there already is left as it is.
pub fn make_folders(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o777).create(path.parent().unwrap_or(path))?;
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        // Not what umask made of it, but what was asked for.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
    }
}

/// The mode of a folder of ours: the owner's alone, or what `core.sharedRepository` asks for
/// (git-config(1)).
pub fn shared_mode(shared: Option<&str>) -> u32 {
    match shared.unwrap_or_default().to_ascii_lowercase().as_str() {
        "group" | "true" | "1" | "yes" | "on" => 0o2770,
        "all" | "world" | "everybody" | "2" => 0o2775,
        octal if octal.len() > 1 && octal.starts_with('0') => {
            u32::from_str_radix(octal, 8).map_or(0o700, |mode| {
                // As Git does: who may read may enter, and folders pass their group on.
                0o2700 | (mode & 0o777) | ((mode & 0o444) >> 2)
            })
        }
        _ => 0o700,
    }
}

/// The first bytes of a file, at most so many. Folders, pipes and devices are an error: reading
/// them could wait for ever.
pub fn read_start(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All bytes of a file. An error when there are more than so many.
pub fn read_whole(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let bytes = read_start(path, bytes_max.saturating_add(1))?;
    if bytes.len() > bytes_max {
        return Err(io::Error::other(format!("it is larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}

fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::open(path)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A name beside the file that nobody else uses: two installs at once do not write one file.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("a path without a file name"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", random_hex(4)?));
    Ok(path.with_file_name(temporary))
}

/// So many random bytes, as hexadecimal digits, from the system.
pub fn random_hex(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0u8; bytes];
    File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}
