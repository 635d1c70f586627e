//! The entries of a log as one run of bytes, whatever files they stand in.
//!
//! Used by whatever reads entries. Offsets count through all segments as if they were one file.
//! Where a segment begins is said by its own first line, so that only the segments that are asked
//! for are opened; whoever reads from the start adds up lengths, and `Scanner` holds the two
//! against each other.

use std::cell::OnceCell;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::log::disk::io_fault;
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::line::{Entry, read};
use crate::log::packed::Packed;
use crate::log::pread::{line_at, range};
use crate::log::segment::{PACKED, PLAIN, file_name, read_name};
use crate::log::summary::{Named, SUMMARY_BYTES_MAX};

/// The segments of a log, as they were when they were listed.
#[derive(Debug)]
pub struct Tape {
    dir: PathBuf,
    pieces: Vec<Rc<Piece>>,
    /// What stays of the entries before the first piece, where some were taken away.
    before: Option<Named>,
    summary: OnceCell<Packed>,
}

#[derive(Debug)]
struct Piece {
    first: u64,
    body: OnceCell<Body>,
    header: OnceCell<Option<Box<Entry>>>,
    base: OnceCell<u64>,
}

impl Piece {
    const fn new(first: u64) -> Self {
        Self { first, body: OnceCell::new(), header: OnceCell::new(), base: OnceCell::new() }
    }
}

#[derive(Debug)]
enum Body {
    Plain(File),
    Packed(Packed),
}

impl Body {
    fn len(&self) -> io::Result<u64> {
        match self {
            Self::Plain(file) => Ok(file.metadata()?.len()),
            Self::Packed(packed) => Ok(packed.length()),
        }
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            let read = match self {
                Self::Plain(file) => file.read_at(bytes, offset),
                Self::Packed(packed) => packed.read_at(bytes, offset),
            };
            match read {
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

/// A segment, as a list of them tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The number of its first entry.
    pub first: u64,
    /// Whether it is there as it was written.
    pub plain: bool,
    /// Whether it is there packed.
    pub packed: bool,
}

/// The summary of what was taken away before these segments. Where files are left over whose
/// entries it tells of, somebody was stopped in the middle, and they count no more.
fn before(dir: &Path, listed: &[Listed]) -> io::Result<Option<Named>> {
    let Some(oldest) = listed.first().filter(|it| it.first > 0) else { return Ok(None) };
    Ok(Named::list(dir)?.into_iter().find(|it| it.first >= oldest.first))
}

/// The segments in a folder, oldest first.
pub fn list(dir: &Path) -> io::Result<Vec<Listed>> {
    let mut found: Vec<Listed> = Vec::new();
    for name in std::fs::read_dir(dir)? {
        let name = name?.file_name();
        let Some((first, packed)) = read_name(name.as_encoded_bytes()) else { continue };
        found.push(Listed { first, plain: !packed, packed });
    }
    found.sort_by_key(|it| it.first);
    found.dedup_by(|later, earlier| {
        let same = later.first == earlier.first;
        if same {
            earlier.plain |= later.plain;
            earlier.packed |= later.packed;
        }
        same
    });
    Ok(found)
}

impl Tape {
    /// Lists the segments in a log's folder.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        let listed = list(dir).map_err(|source| io_fault("list", dir, source))?;
        let before = before(dir, &listed).map_err(|source| io_fault("list", dir, source))?;
        let first = before.map_or(0, |it| it.first);
        let stays = listed.iter().filter(|it| it.first >= first);
        let pieces: Vec<_> = stays.map(|it| Rc::new(Piece::new(it.first))).collect();
        if pieces.first().is_none_or(|it| it.first != first) {
            return Err(LogError::NoGenesis { dir: dir.to_owned() });
        }
        Ok(Self { dir: dir.to_owned(), pieces, before, summary: OnceCell::new() })
    }

    /// Lists them again. What was read of closed segments, which do not change, need not be read anew.
    pub fn again(&self) -> Result<Self, LogError> {
        let mut tape = Self::open(&self.dir)?;
        if tape.before == self.before {
            let closed = self.pieces.len().saturating_sub(1).min(tape.pieces.len());
            for (new, old) in tape.pieces.iter_mut().zip(&self.pieces).take(closed) {
                if new.first == old.first {
                    *new = Rc::clone(old);
                }
            }
        }
        Ok(tape)
    }

    /// Where the log goes on behind entries that were taken away, if some were.
    pub const fn before(&self) -> Option<Named> {
        self.before
    }

    /// The number of the first entry that stands in a segment.
    pub fn first(&self) -> u64 {
        self.before.map_or(0, |it| it.first)
    }

    /// Where the first segment begins.
    pub fn begin(&self) -> u64 {
        self.before.map_or(0, |it| it.offset)
    }

    /// What stays of the entries that were taken away, if some were.
    pub fn summary(&self) -> io::Result<Option<&Packed>> {
        let Some(before) = self.before else { return Ok(None) };
        if let Some(packed) = self.summary.get() {
            return Ok(Some(packed));
        }
        let packed = Packed::open_within(&self.dir.join(before.file_name()), SUMMARY_BYTES_MAX)?;
        Ok(Some(self.summary.get_or_init(|| packed)))
    }

    /// The number of the first entry of the last segment.
    pub fn newest(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.first)
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.pieces.len()
    }

    /// The folder they are in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that is written to.
    pub fn newest_path(&self) -> PathBuf {
        self.dir.join(file_name(self.newest(), PLAIN))
    }

    fn body(&self, at: usize) -> io::Result<&Body> {
        let piece = self.pieces.get(at).ok_or(io::ErrorKind::NotFound)?;
        if let Some(body) = piece.body.get() {
            return Ok(body);
        }
        let body = match File::open(self.dir.join(file_name(piece.first, PLAIN))) {
            Ok(file) => Body::Plain(file),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                Body::Packed(Packed::open(&self.dir.join(file_name(piece.first, PACKED)))?)
            }
            Err(fault) => return Err(fault),
        };
        Ok(piece.body.get_or_init(|| body))
    }

    /// The first entry of a segment, if its first line is one.
    fn header(&self, at: usize) -> io::Result<Option<&Entry>> {
        let piece = self.pieces.get(at).ok_or(io::ErrorKind::NotFound)?;
        if let Some(header) = piece.header.get() {
            return Ok(header.as_deref());
        }
        let body = self.body(at)?;
        let line = line_at(&|bytes: &mut [u8], offset| body.read_at(bytes, offset), 0)?;
        Ok(piece.header.get_or_init(|| read(&line).ok().map(Box::new)).as_deref())
    }

    /// The first entry of the segment of this name, if its first line is one.
    pub fn header_of(&self, first: u64) -> io::Result<Option<&Entry>> {
        match self.pieces.binary_search_by_key(&first, |piece| piece.first) {
            Ok(at) => self.header(at),
            Err(_) => Ok(None),
        }
    }

    /// Where a segment begins.
    fn base(&self, at: usize) -> io::Result<u64> {
        if at == 0 {
            return Ok(self.begin());
        }
        let piece = self.pieces.get(at).ok_or(io::ErrorKind::NotFound)?;
        if let Some(base) = piece.base.get() {
            return Ok(*base);
        }
        let mut from = at;
        let mut base = loop {
            if from == 0 {
                break self.begin();
            }
            match self.header(from)?.map(|entry| &entry.record) {
                Some(Record::Segment(it)) => break it.offset,
                // Somebody changed it; lengths tell the same.
                Some(_) | None => from -= 1,
            }
        };
        for each in from..at {
            base += self.body(each)?.len()?;
        }
        Ok(*piece.base.get_or_init(|| base))
    }

    /// Where the last segment begins.
    pub fn newest_base(&self) -> io::Result<u64> {
        self.base(self.pieces.len().saturating_sub(1))
    }

    /// The first entry of the last segment, if its first line is one.
    pub fn newest_header(&self) -> io::Result<Option<&Entry>> {
        self.header(self.pieces.len().saturating_sub(1))
    }

    /// Whether the last segment is this file: under its name there may be another by now.
    pub fn ends_in(&self, found: &Metadata) -> io::Result<bool> {
        match self.body(self.pieces.len().saturating_sub(1))? {
            Body::Plain(file) => {
                let own = file.metadata()?;
                Ok((own.dev(), own.ino()) == (found.dev(), found.ino()))
            }
            Body::Packed(_) => Ok(false),
        }
    }

    /// Where the log ends now.
    pub fn end(&self) -> io::Result<u64> {
        let last = self.pieces.len().saturating_sub(1);
        Ok(self.base(last)? + self.body(last)?.len()?)
    }

    /// The segment that holds this byte, or would if the log were longer.
    fn holding(&self, offset: u64) -> io::Result<usize> {
        let (mut low, mut high) = (0, self.pieces.len());
        // Most of what is asked for is near the end.
        if high > 0 && self.base(high - 1)? <= offset {
            return Ok(high - 1);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.base(middle)? <= offset { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Reads from this byte on, at most to the end of its segment. `0`: the log ends here.
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self.holding(offset)?;
        self.body(at)?.read_at(bytes, offset - self.base(at)?)
    }

    /// Exactly these bytes, or fewer where the log ends.
    pub fn read_range(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        range(&|bytes: &mut [u8], offset| self.read_at(bytes, offset), from, to)
    }

    /// The line that begins here, without its line feed; what there is of it when it has none.
    /// Before the first segment: the line of the summary that begins there.
    pub fn read_line(&self, offset: u64) -> io::Result<Vec<u8>> {
        if offset < self.begin()
            && let Some(summary) = self.summary()?
        {
            return line_at(&|bytes: &mut [u8], from| summary.read_at(bytes, from), offset);
        }
        self.line_in(self.holding(offset)?, offset)
    }

    /// As `read_line`, of the entry with this number: no other file is looked at.
    pub fn read_line_of(&self, number: u64, offset: u64) -> io::Result<Vec<u8>> {
        match self.pieces.partition_point(|piece| piece.first <= number).checked_sub(1) {
            Some(at) => self.line_in(at, offset),
            None => self.read_line(offset),
        }
    }

    fn line_in(&self, at: usize, offset: u64) -> io::Result<Vec<u8>> {
        let (body, base) = (self.body(at)?, self.base(at)?);
        // An index that is not of this log may say anything.
        let from = offset.checked_sub(base).ok_or(io::ErrorKind::InvalidData)?;
        line_at(&|bytes: &mut [u8], at| body.read_at(bytes, at), from)
    }
}

/// A walk over the bytes of a log, through its segments, to where it ended when the walk began.
#[derive(Debug)]
pub struct Reader {
    tape: Rc<Tape>,
    piece: usize,
    local: u64,
    /// How much of the last segment is read.
    stop: u64,
    /// Where each segment begins that the walk has come to: its name, and the byte.
    starts: Vec<(u64, u64)>,
    at: u64,
}

impl Reader {
    /// A walk from a byte on.
    pub fn from(tape: &Rc<Tape>, offset: u64) -> io::Result<Self> {
        let last = tape.pieces.len().saturating_sub(1);
        let stop = tape.body(last)?.len()?;
        let mut piece = tape.holding(offset)?;
        let mut local = offset - tape.base(piece)?;
        let mut starts = Vec::new();
        // The end of one segment is the beginning of the next: it begins there, checked as such.
        if piece > 0 && local == 0 {
            piece -= 1;
            local = tape.body(piece)?.len()?;
        } else if offset == tape.begin() && offset > 0 {
            starts.push((tape.first(), offset));
        }
        Ok(Self { tape: Rc::clone(tape), piece, local, stop, starts, at: offset })
    }

    /// The segments that the walk has come to since it began: name, and where it begins.
    pub fn starts(&self) -> &[(u64, u64)] {
        &self.starts
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let last = self.tape.pieces.len().saturating_sub(1);
        loop {
            let left =
                if self.piece == last { self.stop.saturating_sub(self.local) } else { u64::MAX };
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let read = self.tape.body(self.piece)?.read_at(&mut bytes[..most], self.local)?;
            if read > 0 || most == 0 && left > 0 {
                self.local += read as u64;
                self.at += read as u64;
                return Ok(read);
            }
            if self.piece == last {
                return Ok(0);
            }
            self.piece += 1;
            self.local = 0;
            self.starts.push((self.tape.pieces[self.piece].first, self.at));
        }
    }
}
