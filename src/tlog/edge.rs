//! A tree in tiles: how it grows at its right edge, and its hashes read back for proofs.
//!
//! Used by whoever writes tiles and by whoever proves from them. Where the files are is for others
//! to say: a tile is asked for by its name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::names::digest::Digest;
use crate::tlog::tile::{TILE_LEVELS, TILE_WIDTH, Tile, TileKind, hashes};
use crate::tlog::tree::{Frontier, Nodes, complete};

/// The bytes of a tile. `None` when there is none.
pub type Shelf<'a> = dyn Fn(&Tile) -> Option<Vec<u8>> + 'a;

/// The right edge of a tree: of each level of tiles the hashes that do not fill a tile yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// The edge of a tree of this size, from its partial tiles. Nothing of it is checked but that
    /// the tiles are there and as wide as they have to be: compare the root.
    pub fn read(size: u64, shelf: &Shelf<'_>) -> Option<Self> {
        let mut rows = Vec::new();
        let (mut level, mut elements) = (0, size);
        while elements > 0 {
            let (index, width) = (elements / TILE_WIDTH, elements % TILE_WIDTH);
            let tile = Tile { kind: TileKind::Hashes(level), index, width };
            rows.push(if width == 0 { Vec::new() } else { hashes(&shelf(&tile)?, width)? });
            elements = index;
            level += 1;
        }
        Some(Self { size, rows })
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The leaves that do not fill a tile yet.
    pub fn leaves(&self) -> &[Digest] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// One more leaf. `full` is told each tile that it fills, lowest first.
    pub fn push(&mut self, leaf: Digest, full: &mut dyn FnMut(Tile, &[Digest])) {
        let (mut hash, mut index) = (leaf, self.size);
        self.size += 1;
        for level in 0..=TILE_LEVELS {
            if self.rows.len() == usize::from(level) {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(usize::from(level)) else { return };
            row.push(hash);
            if (row.len() as u64) < TILE_WIDTH {
                return;
            }
            index /= TILE_WIDTH;
            full(Tile { kind: TileKind::Hashes(level), index, width: TILE_WIDTH }, row);
            hash = complete(row);
            row.clear();
        }
    }

    /// The partial tiles of hashes, lowest first.
    pub fn partials(&self) -> Vec<(Tile, &[Digest])> {
        let mut found = Vec::new();
        let mut elements = self.size;
        for (level, row) in (0..).zip(&self.rows) {
            let (kind, index) = (TileKind::Hashes(level), elements / TILE_WIDTH);
            if !row.is_empty() {
                found.push((Tile { kind, index, width: row.len() as u64 }, row.as_slice()));
            }
            elements = index;
        }
        found
    }

    /// The partial tile of entries, where there is one.
    pub fn bundle(&self) -> Option<Tile> {
        let (index, width) = (self.size / TILE_WIDTH, self.size % TILE_WIDTH);
        (width > 0).then_some(Tile { kind: TileKind::Entries, index, width })
    }

    /// The same tree, leaf by leaf. `None` where the rows are not those of its size.
    pub fn frontier(&self) -> Option<Frontier> {
        let mut subtrees = Vec::new();
        for row in self.rows.iter().rev() {
            let mut rest = row.as_slice();
            while let Some(bits) = rest.len().checked_ilog2() {
                let (left, right) = rest.split_at(1 << bits);
                subtrees.push(complete(left));
                rest = right;
            }
        }
        Frontier::of(self.size, subtrees)
    }
}

/// The hashes of a tree of some size, from its tiles.
pub struct TileNodes<'a> {
    size: u64,
    shelf: &'a Shelf<'a>,
    seen: RefCell<HashMap<(u8, u64), Vec<Digest>>>,
}

impl<'a> TileNodes<'a> {
    /// The tiles that a log of this size has.
    pub fn new(size: u64, shelf: &'a Shelf<'a>) -> Self {
        Self { size, shelf, seen: RefCell::default() }
    }
}

impl Nodes for TileNodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Digest> {
        let (row, within) = (level / TILE_LEVELS, level % TILE_LEVELS);
        let count = 1_u64 << within;
        let first = index.checked_mul(count)?;
        // How many hashes that level of tiles has in all.
        let all = self.size.checked_shr(u32::from(row) * u32::from(TILE_LEVELS)).unwrap_or(0);
        if first.checked_add(count)? > all {
            return None;
        }
        let number = first / TILE_WIDTH;
        let mut seen = self.seen.borrow_mut();
        let hashes = match seen.entry((row, number)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let width = TILE_WIDTH.min(all - number * TILE_WIDTH);
                let tile = Tile { kind: TileKind::Hashes(row), index: number, width };
                place.insert(hashes(&(self.shelf)(&tile)?, width)?)
            }
        };
        let from = usize::try_from(first % TILE_WIDTH).ok()?;
        let to = from + usize::try_from(count).ok()?;
        Some(complete(hashes.get(from..to)?))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use std::collections::BTreeMap;

    use super::{Edge, TileNodes};
    use crate::names::digest::Digest;
    use crate::tlog::tile::{TILE_WIDTH, Tile, TileKind, hashes_bytes, tiles};
    use crate::tlog::tree::{
        Whole, consistency, consistent, includes, inclusion, leaf_hash, root_at,
    };

    fn leaf(n: u64) -> Digest {
        leaf_hash(&n.to_be_bytes())
    }

    /// The tiles of hashes of a tree of this size, and the tree.
    fn grown(size: u64) -> (BTreeMap<Tile, Vec<u8>>, Edge, Whole) {
        let (mut shelf, mut edge, mut whole) = Default::default();
        for n in 0..size {
            let full: &mut BTreeMap<Tile, Vec<u8>> = &mut shelf;
            Edge::push(&mut edge, leaf(n), &mut |tile, row| {
                full.insert(tile, hashes_bytes(row));
            });
            Whole::push(&mut whole, leaf(n));
        }
        for (tile, row) in edge.partials() {
            shelf.insert(tile, hashes_bytes(row));
        }
        (shelf, edge, whole)
    }

    #[test]
    fn a_tree_has_exactly_the_tiles_of_the_format() {
        for size in [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000] {
            let (shelf, edge, whole) = grown(size);
            let asked = tiles(size).into_iter().filter(|tile| tile.kind != TileKind::Entries);
            assert!(asked.eq(shelf.keys().copied()), "{size}");
            let read = Edge::read(size, &|tile| shelf.get(tile).cloned()).unwrap();
            // A row above the highest tile may stand there, empty.
            assert_eq!(read.frontier(), edge.frontier());
            assert_eq!(read.frontier().unwrap().root(), whole.root(), "{size}");
            assert_eq!(read.leaves(), edge.leaves());
            let partial = tiles(size)
                .into_iter()
                .find(|it| it.kind == TileKind::Entries && it.width < TILE_WIDTH);
            assert_eq!(edge.bundle(), partial, "{size}");
        }
    }

    #[test]
    fn an_edge_that_was_read_grows_on() {
        let (shelf, ..) = grown(300);
        let mut edge = Edge::read(300, &|tile| shelf.get(tile).cloned()).unwrap();
        let mut filled = Vec::new();
        (300..513).for_each(|n| edge.push(leaf(n), &mut |tile, _| filled.push(tile.to_string())));
        assert_eq!(filled, ["tile/0/001"]);
        assert_eq!(edge.frontier(), grown(513).1.frontier());
        assert_eq!(edge.bundle().unwrap().to_string(), "tile/entries/002.p/1");
        assert_eq!(Edge::read(301, &|tile| shelf.get(tile).cloned()), None);
    }

    #[test]
    fn proofs_from_tiles_are_those_from_the_whole_tree() {
        let size = 70_000;
        let (shelf, _, whole) = grown(size);
        let read = |tile: &Tile| shelf.get(tile).cloned();
        let nodes = TileNodes::new(size, &read);
        for index in [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
            let path = inclusion(&nodes, index, size).unwrap();
            assert_eq!(Some(&path), inclusion(&whole, index, size).as_ref());
            assert!(includes(&whole.root(), size, index, &leaf(index), &path));
        }
        for old in [1, 255, 256, 300, 65_536, 69_999] {
            let root = root_at(&nodes, old).unwrap();
            let path = consistency(&nodes, old, size).unwrap();
            assert!(consistent((old, &root), (size, &whole.root()), &path), "{old}");
        }
        assert_eq!(root_at(&nodes, size + 1), None);
    }

    #[test]
    fn a_tile_that_is_missing_or_short_gives_nothing() {
        let (mut shelf, ..) = grown(513);
        let cut = Tile { kind: TileKind::Hashes(0), index: 1, width: 256 };
        shelf.get_mut(&cut).unwrap().pop();
        let read = |tile: &Tile| shelf.get(tile).cloned();
        let nodes = TileNodes::new(513, &read);
        assert_eq!(inclusion(&nodes, 300, 513), None);
        assert!(inclusion(&nodes, 3, 513).is_some());
        assert_eq!(Edge::read(1025, &read), None);
    }
}
