//! A sorted file of postings, one piece of the index.
//!
//! First `cells`, which say where the postings of a key are. Then blocks of 4,096 bytes: 127 postings
//! of 32 bytes, and the SHA-256 of the block's number and those bytes. A block that is not what its
//! digest says is damage, never an answer. Written once, never changed; named by what it holds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use crate::log::cells::{CELL_BYTES, CellWriter, cell_of, cells_for, place_in};
use crate::log::posting::{KEY_BYTES, Posting};
use crate::log::pread::range_of;
use crate::names::digest::Digest;

/// The length of a block.
const BLOCK_BYTES: usize = 4096;

/// The length of a posting in a block: key, entry (6 bytes), place (6 bytes), aux.
const POSTING_BYTES: usize = 32;

/// How many postings a block holds.
const BLOCK_POSTINGS: usize = BLOCK_BYTES / POSTING_BYTES - 1;

/// How the names of runs end.
pub const RUN: &str = ".run";

/// How many checked blocks are kept in memory.
const CACHED_BLOCKS_MAX: usize = 256;

/// A run, open for look-ups.
#[derive(Debug)]
pub struct Run {
    /// Its name in the folder.
    pub name: String,
    /// How many postings it holds.
    pub postings: u64,
    cells: u64,
    file: File,
    cache: RefCell<HashMap<u64, Rc<Vec<u8>>>>,
}

/// How many bytes stand before the blocks of a run of at most so many postings.
pub fn bytes_before(postings: u64) -> u64 {
    cells_for(postings) * CELL_BYTES as u64
}

/// Writes a run: postings in order, a block at a time.
pub struct RunWriter<W> {
    cells: CellWriter<W>,
    out: W,
    block: Vec<u8>,
    sums: Vec<u8>,
    last: Option<Posting>,
    postings: u64,
}

impl<W: Write> RunWriter<W> {
    /// A run that nothing was written to, of at most so many postings: what comes before the blocks
    /// goes to `cells`.
    pub fn new(cells: W, out: W, most: u64) -> Self {
        let cells = CellWriter::new(cells, cells_for(most));
        Self { cells, out, block: Vec::new(), sums: Vec::new(), last: None, postings: 0 }
    }

    /// Writes one posting. It is not below the one before; one that is the same is left out.
    pub fn push(&mut self, posting: Posting) -> io::Result<()> {
        if self.last == Some(posting) {
            return Ok(());
        }
        self.last = Some(posting);
        self.cells.push(&posting.key, self.postings)?;
        self.block.extend_from_slice(&posting.key);
        self.block.extend_from_slice(&posting.seq.to_be_bytes()[2..]);
        self.block.extend_from_slice(&posting.at.to_be_bytes()[2..]);
        self.block.extend_from_slice(&posting.aux.to_be_bytes());
        self.postings += 1;
        if self.block.len() == BLOCK_POSTINGS * POSTING_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.block.resize(BLOCK_BYTES - POSTING_BYTES, 0xff);
        let sum = block_sum((self.sums.len() / POSTING_BYTES) as u64, &self.block);
        self.out.write_all(&self.block)?;
        self.out.write_all(sum.as_bytes())?;
        self.sums.extend_from_slice(sum.as_bytes());
        self.block.clear();
        Ok(())
    }

    /// The run's name, and how many postings it holds.
    pub fn finish(mut self) -> io::Result<(String, u64)> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.out.flush()?;
        self.cells.finish(self.postings)?;
        Ok((format!("{}{RUN}", &Digest::of(&self.sums).hex()[..32]), self.postings))
    }
}

fn block_sum(number: u64, data: &[u8]) -> Digest {
    Digest::of_parts(&[&number.to_be_bytes(), data])
}

fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

impl Run {
    /// Opens a run that should hold so many postings.
    pub fn open(folder: &Path, name: &str, postings: u64) -> io::Result<Self> {
        let file = File::open(folder.join(name))?;
        let blocks = postings.div_ceil(BLOCK_POSTINGS as u64);
        let before = file.metadata()?.len().checked_sub(blocks * BLOCK_BYTES as u64);
        let before = before.filter(|it| *it > 0 && it.is_multiple_of(CELL_BYTES as u64));
        let cells = before.ok_or_else(damaged)? / CELL_BYTES as u64;
        Ok(Self { name: name.to_owned(), postings, cells, file, cache: RefCell::default() })
    }

    /// The postings with the key of `to` that are not above it, highest first, at most so many.
    pub fn newest(&self, to: &Posting, most: usize) -> io::Result<Vec<Posting>> {
        let mut found = Vec::new();
        let Some((low, high)) = self.place(&to.key)? else { return Ok(found) };
        let mut at = self.first_where((low, high), |posting| posting > to)?;
        while at > low && found.len() < most {
            at -= 1;
            let posting = self.posting(at)?;
            if posting.key != to.key {
                break;
            }
            found.push(posting);
        }
        Ok(found)
    }

    /// The postings with the key of `from` that are not below it, lowest first, at most so many.
    pub fn oldest(&self, from: &Posting, most: usize) -> io::Result<Vec<Posting>> {
        let mut found = Vec::new();
        let Some((low, high)) = self.place(&from.key)? else { return Ok(found) };
        let mut at = self.first_where((low, high), |posting| posting >= from)?;
        while at < high && found.len() < most {
            let posting = self.posting(at)?;
            if posting.key != from.key {
                break;
            }
            found.push(posting);
            at += 1;
        }
        Ok(found)
    }

    /// Every posting, in order; one block at a time is in memory.
    pub fn walk(&self) -> impl Iterator<Item = io::Result<Posting>> + '_ {
        let blocks = self.postings.div_ceil(BLOCK_POSTINGS as u64);
        let mut left = self.postings;
        (0..blocks).flat_map(move |number| {
            let here = left.min(BLOCK_POSTINGS as u64);
            left -= here;
            match self.checked_block(number) {
                Ok(block) => (0..here).map(|at| posting_in(&block, at)).collect(),
                Err(fault) => vec![Err(fault)],
            }
        })
    }

    /// Between which two places the postings of a key are. `None`: there are none.
    fn place(&self, key: &[u8; KEY_BYTES]) -> io::Result<Option<(u64, u64)>> {
        let cell = cell_of(key, self.cells);
        let from = cell * CELL_BYTES as u64;
        let bytes = range_of(&self.file, from, from + CELL_BYTES as u64)?;
        match place_in(&bytes, cell, key)? {
            Some((low, high)) if low > high || high > self.postings => Err(damaged()),
            other => Ok(other),
        }
    }

    /// The place of the first posting between two of which this is true; it is of all after it.
    fn first_where(
        &self,
        (mut low, mut high): (u64, u64),
        is: impl Fn(&Posting) -> bool,
    ) -> io::Result<u64> {
        while low < high {
            let middle = low + (high - low) / 2;
            if is(&self.posting(middle)?) { high = middle } else { low = middle + 1 }
        }
        Ok(low)
    }

    fn posting(&self, at: u64) -> io::Result<Posting> {
        let block = self.block(at / BLOCK_POSTINGS as u64)?;
        posting_in(&block, at % BLOCK_POSTINGS as u64)
    }

    fn block(&self, number: u64) -> io::Result<Rc<Vec<u8>>> {
        if let Some(block) = self.cache.borrow().get(&number) {
            return Ok(Rc::clone(block));
        }
        let bytes = self.checked_block(number)?;
        let block = Rc::new(bytes);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHED_BLOCKS_MAX {
            cache.clear();
        }
        cache.insert(number, Rc::clone(&block));
        Ok(block)
    }

    fn checked_block(&self, number: u64) -> io::Result<Vec<u8>> {
        let from = self.cells * CELL_BYTES as u64 + number * BLOCK_BYTES as u64;
        let mut bytes = range_of(&self.file, from, from + BLOCK_BYTES as u64)?;
        if bytes.len() != BLOCK_BYTES {
            return Err(damaged());
        }
        let (postings, sum) = bytes.split_at(BLOCK_BYTES - POSTING_BYTES);
        if block_sum(number, postings).as_bytes()[..] != *sum {
            return Err(damaged());
        }
        bytes.truncate(BLOCK_BYTES - POSTING_BYTES);
        Ok(bytes)
    }
}

fn posting_in(block: &[u8], at: u64) -> io::Result<Posting> {
    let begin = usize::try_from(at).map_err(|_| damaged())? * POSTING_BYTES;
    let bytes = block.get(begin..begin + POSTING_BYTES).ok_or_else(damaged)?;
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&bytes[..KEY_BYTES]);
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let aux = u32::try_from(number(28, 32)).map_err(|_| damaged())?;
    Ok(Posting { key, seq: number(16, 22), at: number(22, 28), aux })
}
