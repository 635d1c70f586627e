//! Tiles: a log's hashes and entries as static files of 256 (C2SP tlog-tiles).
//!
//! Names and contents alone; whoever publishes writes the files.

use std::fmt;

use crate::names::digest::Digest;

/// How many hashes or entries a full tile holds.
pub const TILE_WIDTH: u64 = 256;

/// How many levels of the tree one level of tiles spans.
pub const TILE_LEVELS: u8 = 8;

/// The longest entry a bundle can hold, in bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// How long a hash is, in bytes.
const HASH_BYTES: usize = 32;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of this level of tiles: those of subtrees of `256^level` leaves.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// One file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Its number among those of its kind.
    pub index: u64,
    /// How much it holds, 1 to 256; less than 256 only at the right end.
    pub width: u64,
}

/// The tiles of a tree of this size, of every kind, in order.
pub fn tiles(size: u64) -> Vec<Tile> {
    let mut found = of_kind(TileKind::Entries, size);
    let (mut level, mut hashes) = (0, size);
    while hashes > 0 {
        found.extend(of_kind(TileKind::Hashes(level), hashes));
        hashes /= TILE_WIDTH;
        level += 1;
    }
    found.sort_unstable();
    found
}

fn of_kind(kind: TileKind, elements: u64) -> Vec<Tile> {
    let full = elements / TILE_WIDTH;
    let rest = elements % TILE_WIDTH;
    let whole = (0..full).map(|index| Tile { kind, index, width: TILE_WIDTH });
    let partial = (rest > 0).then_some(Tile { kind, index: full, width: rest });
    whole.chain(partial).collect()
}

/// Adds an entry to a bundle: its length in two bytes, big-endian, and its bytes. `false`, and
/// nothing added, when it is too long.
#[must_use = "an entry that was left out is missing from the bundle"]
pub fn add_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of a bundle. `None` when its bytes are not so many whole entries.
pub fn entries(bundle: &[u8], width: u64) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    let mut rest = bundle;
    while let Some((length, behind)) = rest.split_at_checked(2) {
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        let (entry, behind) = behind.split_at_checked(length)?;
        found.push(entry);
        rest = behind;
    }
    (rest.is_empty() && found.len() as u64 == width).then_some(found)
}

/// The bytes of a tile of hashes.
pub fn hashes_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes of a tile. `None` when its bytes are not exactly so many.
pub fn hashes(bytes: &[u8], width: u64) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    let whole = rest.is_empty() && hashes.len() as u64 == width;
    whole.then(|| hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

impl Tile {
    /// The most bytes that its file can have.
    pub const fn bytes_max(&self) -> u64 {
        match self.kind {
            TileKind::Hashes(_) => self.width * HASH_BYTES as u64,
            TileKind::Entries => self.width * (2 + ENTRY_BYTES_MAX as u64),
        }
    }
}

impl fmt::Display for Tile {
    /// The path below the log's address: `tile/0/x001/x234/067.p/5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Tile, TileKind, add_entry, entries, hashes, hashes_bytes, tiles};
    use crate::names::digest::Digest;

    #[test]
    fn names_are_those_of_the_format() {
        let name = |kind, index, width| Tile { kind, index, width }.to_string();
        assert_eq!(name(TileKind::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(name(TileKind::Hashes(1), 0, 1), "tile/1/000.p/1");
        assert_eq!(name(TileKind::Entries, 999, 255), "tile/entries/999.p/255");
        assert_eq!(name(TileKind::Entries, 1000, 256), "tile/entries/x001/000");
    }

    #[test]
    fn a_tree_has_the_tiles_of_the_format() {
        let names = |size: u64| tiles(size).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(0), [""; 0]);
        assert_eq!(names(1), ["tile/0/000.p/1", "tile/entries/000.p/1"]);
        // The example of tlog-tiles: 70,000 entries.
        let large = names(70_000);
        assert!(large.contains(&"tile/0/272".to_owned()));
        assert!(large.contains(&"tile/0/273.p/112".to_owned()));
        assert!(large.contains(&"tile/1/000".to_owned()));
        assert!(large.contains(&"tile/1/001.p/17".to_owned()));
        assert!(large.contains(&"tile/2/000.p/1".to_owned()));
        assert_eq!(large.len(), 2 * 274 + 2 + 1);
    }

    #[test]
    fn entries_stand_behind_their_length() {
        let mut bundle = Vec::new();
        assert!(add_entry(&mut bundle, b"") && add_entry(&mut bundle, b"ab"));
        assert_eq!(bundle, b"\0\0\0\x02ab");
        assert!(!add_entry(&mut bundle, &[0; 65_536]));
        assert_eq!(bundle.len(), 6);
        assert_eq!(entries(&bundle, 2), Some(vec![b"".as_slice(), b"ab"]));
        for (bytes, width) in [(&bundle[..5], 2), (&bundle[..], 1), (&bundle[..3], 1)] {
            assert_eq!(entries(bytes, width), None);
        }
    }

    #[test]
    fn hashes_stand_one_behind_the_other() {
        let both = [Digest::of(b"a"), Digest::of(b"b")];
        let bytes = hashes_bytes(&both);
        assert_eq!(bytes.len(), 64);
        assert_eq!(hashes(&bytes, 2).as_deref(), Some(both.as_slice()));
        assert_eq!((hashes(&bytes, 1), hashes(&bytes[1..], 2)), (None, None));
    }
}
