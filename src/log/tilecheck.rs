//! Tiles held against the lines they are made of.
//!
//! Used by `log verify --root`, which walks the whole log anyway: every tile of the last checkpoint
//! is made anew and compared with its file.

use crate::log::disk::Folder;
use crate::log::error::LogError;
use crate::log::tiles::read_tile;
use crate::names::digest::Digest;
use crate::tlog::edge::Edge;
use crate::tlog::tile::{TILE_WIDTH, Tile, TileKind, add_entry, entries, hashes_bytes};
use crate::tlog::tree::leaf_hash;

/// How many tiles are named that are missing, and how many that are wrong.
pub const NAMED_MAX: usize = 16;

/// The length of a hash in bytes.
const HASH_BYTES: usize = 32;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileReport {
    /// How many tiles there are to be.
    pub tiles: u64,
    /// How many of them are not there, and the first of those.
    pub missing: (u64, Vec<Tile>),
    /// How many of them disagree with their lines, and the first of those.
    pub wrong: (u64, Vec<WrongTile>),
}

/// A tile that is not what its lines make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongTile {
    /// Which.
    pub tile: Tile,
    /// The first entry under the first element that differs, and the last.
    pub entries: (u64, u64),
}

/// A comparison under way.
#[derive(Debug)]
pub struct TileCheck<'a> {
    folder: &'a Folder,
    /// How many entries the tiles cover.
    size: u64,
    edge: Edge,
    bundle: Vec<u8>,
    /// Whether the bundle lacks entries that were taken away.
    lacks: bool,
    report: TileReport,
    fault: Option<LogError>,
}

impl<'a> TileCheck<'a> {
    /// Of the tiles that a checkpoint of this size has.
    pub fn new(folder: &'a Folder, size: u64) -> Self {
        let (edge, bundle, lacks, report) = Default::default();
        Self { folder, size, edge, bundle, lacks, report, fault: None }
    }

    /// The next entry of the log: its line, unless it was taken away, and its hash.
    pub fn push(&mut self, line: Option<&[u8]>, leaf: Digest) {
        if self.edge.size() == self.size {
            return;
        }
        // A line is never longer than an entry of a bundle may be; one that is makes the tile wrong.
        let _ = line.is_some_and(|line| add_entry(&mut self.bundle, line));
        self.lacks |= line.is_none();
        let mut full = Vec::new();
        self.edge.push(leaf, &mut |tile, row| full.push((tile, hashes_bytes(row))));
        for (tile, bytes) in full {
            if tile.kind == TileKind::Hashes(0) {
                let bundle = std::mem::take(&mut self.bundle);
                let entries = Tile { kind: TileKind::Entries, ..tile };
                match std::mem::take(&mut self.lacks) {
                    true => self.by_hashes(entries, &bytes),
                    false => self.compare(entries, &bundle),
                }
            }
            self.compare(tile, &bytes);
        }
    }

    /// What was found, at the end of the log.
    ///
    /// # Errors
    /// When a tile that is there could not be read.
    pub fn finish(mut self) -> Result<TileReport, LogError> {
        let partials: Vec<(Tile, Vec<u8>)> =
            self.edge.partials().into_iter().map(|(tile, row)| (tile, hashes_bytes(row))).collect();
        for (tile, bytes) in partials {
            self.compare(tile, &bytes);
        }
        if let Some(tile) = self.edge.bundle() {
            let bundle = std::mem::take(&mut self.bundle);
            match self.lacks {
                true => self.by_hashes(tile, &hashes_bytes(&self.edge.leaves().to_vec())),
                false => self.compare(tile, &bundle),
            }
        }
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.report),
        }
    }

    /// A bundle of entries some of which were taken away: where it is there still, it is held against
    /// their hashes.
    fn by_hashes(&mut self, tile: Tile, leaves: &[u8]) {
        let there = match read_tile(self.folder, &tile) {
            Ok(Some(there)) => there,
            Ok(None) => return,
            Err(fault) => {
                self.fault.get_or_insert(fault);
                return;
            }
        };
        self.report.tiles += 1;
        let found = entries(&there, tile.width).unwrap_or_default();
        let found: Vec<Digest> = found.into_iter().map(leaf_hash).collect();
        let found = hashes_bytes(&found);
        if found != leaves {
            let same = found.iter().zip(leaves).take_while(|(a, b)| a == b).count();
            let entries = under(&tile, (same / HASH_BYTES) as u64);
            note(&mut self.report.wrong, WrongTile { tile, entries });
        }
    }

    fn compare(&mut self, tile: Tile, made: &[u8]) {
        self.report.tiles += 1;
        let there = match read_tile(self.folder, &tile) {
            Ok(Some(there)) => there,
            Ok(None) => {
                note(&mut self.report.missing, tile);
                return;
            }
            Err(fault) => {
                self.fault.get_or_insert(fault);
                return;
            }
        };
        if there != made {
            let entries = under(&tile, element(&tile, made, &there));
            note(&mut self.report.wrong, WrongTile { tile, entries });
        }
    }
}

fn note<T>((count, first): &mut (u64, Vec<T>), one: T) {
    *count += 1;
    if first.len() < NAMED_MAX {
        first.push(one);
    }
}

/// The number within its tile of the first element that differs.
fn element(tile: &Tile, made: &[u8], there: &[u8]) -> u64 {
    let same = made.iter().zip(there).take_while(|(a, b)| a == b).count();
    let number = match tile.kind {
        TileKind::Hashes(_) => same / HASH_BYTES,
        TileKind::Entries => {
            let (mut number, mut at) = (0, 0);
            // Up to the entry that the first different byte is in.
            while let Some(length) = made.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
                at += 2 + usize::from(u16::from_be_bytes(*length));
                if at > same {
                    break;
                }
                number += 1;
            }
            number
        }
    };
    (number as u64).min(tile.width.saturating_sub(1))
}

/// The entries under an element of a tile.
const fn under(tile: &Tile, element: u64) -> (u64, u64) {
    let element = tile.index * TILE_WIDTH + element;
    match tile.kind {
        TileKind::Entries => (element, element),
        TileKind::Hashes(level) => {
            let span = TILE_WIDTH.saturating_pow(level as u32);
            (element * span, element * span + (span - 1))
        }
    }
}
