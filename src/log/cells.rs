//! What stands before the blocks of a run: where the postings of a key would be, and mostly that
//! there are none.
//!
//! Cells of 128 bytes, each for a stretch of the keys: where its postings begin and end in the run,
//! a filter of those keys, and the start of the SHA-256 of all that with the cell's number. So a
//! look-up reads 128 bytes of each run, however long that is, and blocks only of those that have the
//! key; which runs there are hardly matters. A cell that is not what its digest says is damage, never
//! an answer.

use std::io::{self, Write};

use crate::log::posting::KEY_BYTES;
use crate::names::digest::Digest;

/// The length of a cell: begin (6 bytes), end (6 bytes), filter, digest.
pub(super) const CELL_BYTES: usize = 128;

/// How much of a cell's digest is kept: it tells damage, and withstands nobody.
const SUM_BYTES: usize = 8;

/// Where the filter begins.
const FILTER_AT: usize = 12;

/// How many bits the filter has.
const FILTER_BITS: u64 = 8 * (CELL_BYTES - FILTER_AT - SUM_BYTES) as u64;

/// How many bits a key sets: of ten keys that are not there, the filter of a full cell lets fewer than
/// one in fifty through.
const KEY_BITS: u64 = 6;

/// How many postings a cell is for, more or less.
const CELL_POSTINGS: u64 = 64;

/// How many cells a run of at most so many postings has.
pub(super) fn cells_for(postings: u64) -> u64 {
    postings.div_ceil(CELL_POSTINGS).max(1)
}

/// The cell of a key. Keys are digests, so that every cell gets about as many.
pub(super) fn cell_of(key: &[u8; KEY_BYTES], cells: u64) -> u64 {
    let place = number(&key[..8]);
    // Below `cells`, since the place is below 2^64.
    ((u128::from(place) * u128::from(cells)) >> 64) as u64
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The bits of a key, from those of its bytes that do not say which cell it is in.
fn bits_of(key: &[u8; KEY_BYTES]) -> impl Iterator<Item = (usize, u8)> {
    let (first, step) = (number(&key[8..12]), number(&key[12..]) | 1);
    (0..KEY_BITS).map(move |at| {
        let bit = (first + at * step) % FILTER_BITS;
        // Below the length of a cell.
        (FILTER_AT + (bit / 8) as usize, 1 << (bit % 8))
    })
}

fn sum(number: u64, told: &[u8]) -> Digest {
    Digest::of_parts(&[&number.to_be_bytes(), told])
}

/// Where the postings of a key would be, by its cell: from here up to there. `None`: there are none.
///
/// # Errors
/// When the cell is damaged.
pub(super) fn place_in(
    cell: &[u8],
    number_of_cell: u64,
    key: &[u8; KEY_BYTES],
) -> io::Result<Option<(u64, u64)>> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let (told, kept) = cell.split_at_checked(CELL_BYTES - SUM_BYTES).ok_or_else(damaged)?;
    if sum(number_of_cell, told).as_bytes()[..SUM_BYTES] != *kept {
        return Err(damaged());
    }
    if bits_of(key).any(|(at, bit)| told[at] & bit == 0) {
        return Ok(None);
    }
    Ok(Some((number(&told[..6]), number(&told[6..FILTER_AT]))))
}

/// Writes the cells of a run while its postings are written, in order.
pub(super) struct CellWriter<W> {
    out: W,
    cells: u64,
    /// The cell that is being filled.
    at: u64,
    begin: u64,
    filter: [u8; CELL_BYTES],
}

impl<W: Write> CellWriter<W> {
    /// So many cells, none of them written.
    pub(super) const fn new(out: W, cells: u64) -> Self {
        Self { out, cells, at: 0, begin: 0, filter: [0; CELL_BYTES] }
    }

    /// Takes in a posting of this key, which stands at this place.
    pub(super) fn push(&mut self, key: &[u8; KEY_BYTES], place: u64) -> io::Result<()> {
        let cell = cell_of(key, self.cells);
        while self.at < cell {
            self.end_cell(place)?;
        }
        bits_of(key).for_each(|(at, bit)| self.filter[at] |= bit);
        Ok(())
    }

    fn end_cell(&mut self, end: u64) -> io::Result<()> {
        let mut cell = self.filter;
        cell[..6].copy_from_slice(&self.begin.to_be_bytes()[2..]);
        cell[6..FILTER_AT].copy_from_slice(&end.to_be_bytes()[2..]);
        let sum = sum(self.at, &cell[..CELL_BYTES - SUM_BYTES]);
        cell[CELL_BYTES - SUM_BYTES..].copy_from_slice(&sum.as_bytes()[..SUM_BYTES]);
        self.out.write_all(&cell)?;
        (self.at, self.begin, self.filter) = (self.at + 1, end, [0; CELL_BYTES]);
        Ok(())
    }

    /// Writes the cells that are left, of a run of so many postings.
    pub(super) fn finish(mut self, postings: u64) -> io::Result<()> {
        while self.at < self.cells {
            self.end_cell(postings)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::{CELL_BYTES, CellWriter, cell_of, cells_for, place_in};
    use crate::log::posting::KEY_BYTES;
    use crate::names::digest::Digest;

    fn key(number: u64) -> [u8; KEY_BYTES] {
        Digest::of(&number.to_be_bytes()).as_bytes()[..KEY_BYTES].try_into().unwrap()
    }

    #[test]
    fn a_cell_knows_its_keys_and_hardly_any_other() {
        // Each third key stands there as often as a ref that everybody pushes to.
        let mut keys: Vec<_> = (0..3_000).map(key).collect();
        keys.extend((0..3_000).map(|number| key(number / 1_000)));
        keys.sort_unstable();
        let cells = cells_for(keys.len() as u64);
        let mut bytes = Vec::new();
        let mut writer = CellWriter::new(&mut bytes, cells);
        (0..).zip(&keys).for_each(|(place, key)| writer.push(key, place).unwrap());
        writer.finish(keys.len() as u64).unwrap();
        assert_eq!(bytes.len() as u64, cells * CELL_BYTES as u64);
        let place = |key: &[u8; KEY_BYTES]| {
            let number = cell_of(key, cells);
            let from = usize::try_from(number).unwrap() * CELL_BYTES;
            place_in(&bytes[from..from + CELL_BYTES], number, key).unwrap()
        };
        for (at, key) in (0..).zip(&keys) {
            let (begin, end) = place(key).unwrap();
            assert!(begin <= at && at < end, "{at} is not in {begin}..{end}");
        }
        let wrong = (10_000..20_000).filter(|number| place(&key(*number)).is_some()).count();
        assert!(wrong < 200, "{wrong} of 10,000 keys that are not there");
        // Each bit of a cell counts, and its place too.
        let first = &bytes[..CELL_BYTES];
        for bit in 0..8 * CELL_BYTES {
            let mut changed = first.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(place_in(&changed, 0, &keys[0]).is_err(), "bit {bit}");
        }
        assert!(place_in(first, 1, &keys[0]).is_err());
    }
}
