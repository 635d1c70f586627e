//! Tiles on the disk: a log's tree and entries as files for others to fetch (C2SP tlog-tiles).
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]        256 hashes of level L, or W of them at the right edge
//! tile/entries/<N>[.p/<W>]    256 entries, or W of them
//! ```
//!
//! Used by `keeper`, which writes them before each checkpoint, and by whoever proves. Derived from
//! the entries: the folder `tile` may be deleted at any time, the next checkpoint writes it anew.
//! A full tile never changes. A partial one of hashes stays until its tile is full; of the partial
//! ones of entries only the newest stays, since each is the beginning of the next.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::log::disk::{Disk, Folder, io_fault, read_small, sync_folder};
use crate::log::error::LogError;
use crate::names::digest::Digest;
use crate::tlog::edge::Edge;
use crate::tlog::tile::{TILE_WIDTH, Tile, TileKind, add_entry, entries, hashes_bytes};
use crate::tlog::tree::leaf_hash;

/// Where a tile's file is.
pub fn tile_path(folder: &Folder, tile: &Tile) -> PathBuf {
    folder.dir().join(tile.to_string())
}

/// The bytes of a tile. `None` when there is no such file.
pub fn read_tile(folder: &Folder, tile: &Tile) -> Result<Option<Vec<u8>>, LogError> {
    read_small(&tile_path(folder, tile), tile.bytes_max() + 1)
}

/// As `read_tile`; a file that cannot be read is as good as none.
pub fn shelf(folder: &Folder) -> impl Fn(&Tile) -> Option<Vec<u8>> {
    |tile| read_tile(folder, tile).ok().flatten()
}

/// The tiles of a log while it grows.
#[derive(Debug)]
pub struct Tiles {
    folder: Folder,
    edge: Edge,
    bundle: Vec<u8>,
    /// Whether the bundle lacks entries that were taken away: then it is not written.
    lacks: bool,
    /// Tiles that were filled: what was partial of them can go.
    filled: Vec<Tile>,
}

impl Tiles {
    /// Those of a log without entries.
    pub fn none(folder: &Folder) -> Self {
        let (edge, bundle, lacks, filled) = Default::default();
        Self { folder: folder.clone(), edge, bundle, lacks, filled }
    }

    /// Those that are there for a tree of this size. `None` when some is missing at the right edge,
    /// or they are not those of a tree with this root.
    pub fn read(folder: &Folder, size: u64, root: &Digest) -> Option<Self> {
        let shelf = shelf(folder);
        let edge = Edge::read(size, &shelf)?;
        if edge.frontier()?.root() != *root {
            return None;
        }
        let bundle = match edge.bundle() {
            None => Vec::new(),
            Some(tile) => shelf(&tile)?,
        };
        let leaves = entries(&bundle, size % TILE_WIDTH)?.into_iter().map(leaf_hash);
        let same = leaves.eq(edge.leaves().iter().copied());
        let (folder, filled) = (folder.clone(), Vec::new());
        same.then_some(Self { folder, edge, bundle, lacks: false, filled })
    }

    /// The tree of them.
    pub const fn edge(&self) -> &Edge {
        &self.edge
    }

    /// One more entry: its line, unless it was taken away, and its hash. Writes the tiles that it
    /// fills.
    pub fn push(&mut self, line: Option<&[u8]>, leaf: Digest) -> Result<(), LogError> {
        self.lacks |= line.is_none();
        if line.is_some_and(|line| !add_entry(&mut self.bundle, line)) {
            let path = self.folder.dir().join("tile/entries");
            return Err(io_fault("write", &path, io::ErrorKind::FileTooLarge.into()));
        }
        let mut full = Vec::new();
        self.edge.push(leaf, &mut |tile, row| full.push((tile, hashes_bytes(row))));
        for (tile, bytes) in full {
            if tile.kind == TileKind::Hashes(0) {
                let entries = Tile { kind: TileKind::Entries, ..tile };
                let bundle = std::mem::take(&mut self.bundle);
                if !std::mem::take(&mut self.lacks) {
                    write(&self.folder, &entries, &bundle)?;
                }
                self.filled.push(entries);
            }
            write(&self.folder, &tile, &bytes)?;
            self.filled.push(tile);
        }
        Ok(())
    }

    /// Writes the partial tiles. After this a checkpoint of this size may be told.
    pub fn finish(&self) -> Result<(), LogError> {
        for (tile, row) in self.edge.partials() {
            write(&self.folder, &tile, &hashes_bytes(row))?;
        }
        match self.edge.bundle().filter(|_| !self.lacks) {
            Some(tile) => write(&self.folder, &tile, &self.bundle),
            None => Ok(()),
        }
    }

    /// Takes away the partial tiles that nobody needs once a checkpoint of this size stands. Best
    /// effort: what is left over takes space and nothing else.
    pub fn sweep(&self) {
        for tile in &self.filled {
            empty(&partials_of(&self.folder, tile), None);
        }
        if let Some(bundle) = self.edge.bundle() {
            empty(&partials_of(&self.folder, &bundle), Some(&bundle.width.to_string()));
        }
    }
}

/// Removes the bundles whose entries are all before this one. How many there were.
///
/// # Errors
/// When one is there and cannot be removed.
pub fn remove_bundles(folder: &Folder, first: u64) -> Result<u64, LogError> {
    let mut gone = 0;
    for index in 0..first / TILE_WIDTH {
        let tile = Tile { kind: TileKind::Entries, index, width: TILE_WIDTH };
        let path = tile_path(folder, &tile);
        match fs::remove_file(&path) {
            Ok(()) => gone += 1,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(io_fault("remove", &path, source)),
        }
    }
    Ok(gone)
}

/// The folder of a tile's partial ones.
fn partials_of(folder: &Folder, tile: &Tile) -> PathBuf {
    let full = tile_path(folder, &Tile { width: TILE_WIDTH, ..*tile });
    let mut name = full.into_os_string();
    name.push(".p");
    PathBuf::from(name)
}

/// Removes the files of a folder of partial tiles but this one, and the folder when it is empty.
fn empty(dir: &Path, but: Option<&str>) {
    let Ok(names) = fs::read_dir(dir) else { return };
    for name in names.flatten().map(|found| found.file_name()) {
        if but.is_none_or(|kept| name != kept) {
            let _ = fs::remove_file(dir.join(name));
        }
    }
    if but.is_none() {
        let _ = fs::remove_dir(dir);
    }
}

fn write(folder: &Folder, tile: &Tile, bytes: &[u8]) -> Result<(), LogError> {
    let path = tile_path(folder, tile);
    if let Some(parent) = path.parent() {
        make_folders(folder, parent)?;
    }
    folder.write_whole(&Disk, &path, bytes)
}

/// Makes the folders down to this one, each with its name on the disk.
fn make_folders(folder: &Folder, dir: &Path) -> Result<(), LogError> {
    let mut missing: Vec<&Path> = Vec::new();
    for above in dir.ancestors().take_while(|above| *above != folder.dir()) {
        if above.is_dir() {
            break;
        }
        missing.push(above);
    }
    for each in missing.into_iter().rev() {
        match fs::create_dir(each) {
            Ok(()) => {}
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists && each.is_dir() => continue,
            Err(source) => return Err(io_fault("make", each, source)),
        }
        fs::set_permissions(each, fs::Permissions::from_mode(folder.modes().folder))
            .map_err(|source| io_fault("set the rights of", each, source))?;
        if let Some(parent) = each.parent() {
            sync_folder(&Disk, parent)?;
        }
    }
    Ok(())
}
