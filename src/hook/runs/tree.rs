//! A commit's tree, laid out as files for a command to read.
//!
//! Every folder and file is made by us, in a folder that was empty and is ours alone, and never
//! through a link: what a tree calls a link becomes a small file. So nothing that somebody pushes
//! can lead out of it. Names that Git itself would not check out end it.

use std::ffi::OsStr;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::facts::change::FileMode;
use crate::names::oid::Oid;
use crate::store::commit::links_of;
use crate::store::objects::{ObjectKind, Objects, read_kind};
use crate::store::tree::{EntryMode, Tree};

/// How much is laid out at most.
const FILES_MAX: usize = 100_000;
const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// How far the laying out may go.
pub(super) struct Bounds {
    /// Folders within folders.
    pub(super) depth: usize,
    /// When it has to be done.
    pub(super) until: Instant,
}

/// Makes a folder that only we may enter.
pub(super) fn folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Lays out the tree of a commit. The error is told to the pusher.
pub(super) fn lay_out(
    objects: &dyn Objects,
    commit: &Oid,
    root: &Path,
    bounds: &Bounds,
) -> Result<(), String> {
    let raw = read_kind(objects, commit, ObjectKind::Commit).map_err(|e| unreadable(&e))?;
    let links = links_of(objects.format(), &raw).map_err(str::to_owned)?;
    let mut open: Vec<(Oid, PathBuf, usize)> = vec![(links.tree, root.to_owned(), 0)];
    let (mut files, mut bytes) = (0_usize, 0_u64);
    while let Some((oid, place, depth)) = open.pop() {
        if depth > bounds.depth {
            return Err(format!("its folders are more than {} deep", bounds.depth));
        }
        let raw = read_kind(objects, &oid, ObjectKind::Tree).map_err(|e| unreadable(&e))?;
        let tree = Tree::parse(objects.format(), raw).map_err(str::to_owned)?;
        for entry in tree.entries() {
            files += 1;
            if files > FILES_MAX {
                return Err(format!("its tree has more than {FILES_MAX} files and folders"));
            }
            if Instant::now() >= bounds.until {
                return Err("laying out its tree takes too long".to_owned());
            }
            if !is_harmless(entry.name) {
                return Err("its tree holds a name that is never checked out".to_owned());
            }
            let path = place.join(OsStr::from_bytes(entry.name));
            match entry.mode {
                EntryMode::Folder => {
                    folder(&path).map_err(|e| not_written(&e))?;
                    open.push((entry.oid, path, depth + 1));
                }
                EntryMode::Leaf(mode) => leaf(objects, &path, mode, &entry.oid, &mut bytes)?,
            }
        }
    }
    Ok(())
}

/// Writes what is no folder.
fn leaf(
    objects: &dyn Objects,
    path: &Path,
    mode: FileMode,
    oid: &Oid,
    bytes: &mut u64,
) -> Result<(), String> {
    let mode = match mode {
        FileMode::Gitlink => return folder(path).map_err(|e| not_written(&e)),
        FileMode::File | FileMode::Symlink => 0o600,
        FileMode::Executable => 0o700,
    };
    let size = objects.header(oid).map_err(|e| unreadable(&e))?;
    *bytes = bytes.saturating_add(size.map_or(u64::MAX, |(_, size)| size));
    if *bytes > BYTES_MAX {
        return Err(format!("its tree has more than {BYTES_MAX} bytes"));
    }
    let blob = read_kind(objects, oid, ObjectKind::Blob).map_err(|e| unreadable(&e))?;
    file(path, mode, &blob).map_err(|e| not_written(&e))
}

fn unreadable(error: &dyn std::error::Error) -> String {
    tracing::warn!(reason = %error, "a tree is not laid out");
    "the new tree cannot be read".to_owned()
}

/// A name that stands for one entry of its folder and nothing else.
fn is_harmless(name: &[u8]) -> bool {
    let special = name.is_empty() || name == b"." || name == b".." || name.contains(&b'/');
    !special && !name.contains(&0) && !name.eq_ignore_ascii_case(b".git")
}

fn not_written(error: &std::io::Error) -> String {
    tracing::warn!(reason = %error, "a tree is not laid out");
    format!("its tree cannot be laid out as files: {}", error.kind())
}

fn file(path: &Path, mode: u32, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
}

/// Removes a folder, whatever a command has made of it.
pub(super) fn remove(folder: TempDir) {
    let root = folder.path().to_owned();
    if folder.close().is_ok() {
        return;
    }
    // A folder that may not be read or changed cannot be emptied: take such marks away.
    let mut open = vec![root.clone()];
    while let Some(place) = open.pop() {
        let _ = std::fs::set_permissions(&place, Permissions::from_mode(0o700));
        let Ok(entries) = std::fs::read_dir(&place) else { continue };
        let is_folder = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|t| t.is_dir());
        open.extend(entries.flatten().filter(is_folder).map(|entry| entry.path()));
    }
    if let Err(error) = std::fs::remove_dir_all(&root) {
        tracing::warn!(reason = %error, "the folder of a command is left behind");
    }
}
