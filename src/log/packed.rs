//! Closed segments, packed: gzip in blocks, so that any byte is found without reading what stands
//! before it.
//!
//! BGZF, the blocked gzip of the SAM specification (SAMv1, section 4.1): gzip members (RFC 1952)
//! of at most 64 KiB, each with its own length in an extra field `BC`, and an empty one at the
//! end. `gzip -dc` and Python's `gzip` read it like any other gzip file; that is why it is this.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use flate2::bufread::GzDecoder;
use flate2::{Compression, Crc, write::DeflateEncoder};

/// How many bytes go into a block. Packed, even what cannot be packed fits in 64 KiB.
const BLOCK_BYTES: usize = 0xff00;

/// What a block begins with: magic, deflate, extra field, no time, unknown system, six bytes of
/// extra field, `BC`, two bytes; its length less one follows.
const HEADER: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0];

/// How long a block's header is with its length.
const HEADER_BYTES: usize = HEADER.len() + 2;

/// What stands in a block of nothing: nothing deflated, its checksum, its length.
const NOTHING: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Checksum and length, behind what is packed.
const TRAILER_BYTES: usize = 8;

/// How long a packed segment may be unpacked: one line more than a segment holds, twice over.
const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A packed segment.
#[derive(Debug)]
pub struct Packed {
    file: File,
    /// Where each block stands in the file and begins in what was packed.
    blocks: Vec<(u64, u64)>,
    len: u64,
    /// The block that was asked for last.
    last: RefCell<Option<(usize, Vec<u8>)>>,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the packed segment {what}"))
}

impl Packed {
    /// Opens a packed segment and finds its blocks.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_within(path, UNPACKED_BYTES_MAX)
    }

    /// As `open`, of a file that may be so long when it is unpacked, in bytes.
    pub fn open_within(path: &Path, most: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        let (mut at, mut len, mut blocks) = (0, 0, Vec::new());
        while at < end {
            let size = block_size(&file, at)?;
            let mut isize = [0; 4];
            file.read_exact_at(&mut isize, at + size - 4)?;
            let unpacked = u64::from(u32::from_le_bytes(isize));
            if unpacked > BLOCK_BYTES as u64 || len + unpacked > most {
                return Err(damaged("is longer than one can be"));
            }
            if unpacked > 0 {
                blocks.push((at, len));
            } else {
                is_nothing(&file, at, size)?;
            }
            (at, len) = (at + size, len + unpacked);
        }
        if at != end {
            return Err(damaged("was cut"));
        }
        Ok(Self { file, blocks, len, last: RefCell::new(None) })
    }

    /// How long it is, unpacked, in bytes.
    pub const fn length(&self) -> u64 {
        self.len
    }

    /// Reads from this byte of what was packed, at most to the end of a block. `0`: the end.
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.len || bytes.is_empty() {
            return Ok(0);
        }
        let at = self.blocks.partition_point(|(_, begin)| *begin <= offset) - 1;
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(block, _)| *block != at) {
            *last = Some((at, self.unpack(at)?));
        }
        let Some((_, block)) = last.as_ref() else { return Ok(0) };
        let from = usize::try_from(offset - self.blocks[at].1).map_err(io::Error::other)?;
        let rest = block.get(from..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn unpack(&self, at: usize) -> io::Result<Vec<u8>> {
        let (place, begin) = self.blocks[at];
        let end = self.blocks.get(at + 1).map_or(self.len, |(_, next)| *next);
        let size = block_size(&self.file, place)?;
        let mut block = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut block, place)?;
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        let mut decoder = GzDecoder::new(block.as_slice());
        decoder.by_ref().take(BLOCK_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        // Whoever reads with gzip would read that too.
        if !decoder.into_inner().is_empty() {
            return Err(damaged("holds something behind a block"));
        }
        if bytes.len() as u64 != end - begin {
            return Err(damaged("holds a block of another length than it says"));
        }
        Ok(bytes)
    }
}

/// How long the block that begins here is.
fn block_size(file: &File, at: u64) -> io::Result<u64> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, at)?;
    if header[..HEADER.len()] != HEADER {
        return Err(damaged("was not packed by this program: unpack it with gzip -d"));
    }
    let size = u64::from(u16::from_le_bytes([header[16], header[17]])) + 1;
    if size < (HEADER_BYTES + TRAILER_BYTES) as u64 {
        return Err(damaged("holds a block that is too short"));
    }
    Ok(size)
}

/// A block that says it is empty is so: gzip would show what stands in it, and we pass it by.
fn is_nothing(file: &File, at: u64, size: u64) -> io::Result<()> {
    let mut body = [0; NOTHING.len()];
    file.read_exact_at(&mut body, at + HEADER_BYTES as u64)?;
    if size != (HEADER_BYTES + NOTHING.len()) as u64 || body != NOTHING {
        return Err(damaged("holds something in a block that says it is empty"));
    }
    Ok(())
}

/// Packs bytes.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() / 4);
    for block in bytes.chunks(BLOCK_BYTES).chain([&[][..]]) {
        let best = deflated(block, Compression::default())?;
        let body = if best.len() + HEADER_BYTES + TRAILER_BYTES <= 1 << 16 {
            best
        } else {
            deflated(block, Compression::none())?
        };
        let size = body.len() + HEADER_BYTES + TRAILER_BYTES;
        let told = u16::try_from(size - 1).map_err(io::Error::other)?;
        let mut crc = Crc::new();
        crc.update(block);
        packed.extend_from_slice(&HEADER);
        packed.extend_from_slice(&told.to_le_bytes());
        packed.extend_from_slice(&body);
        packed.extend_from_slice(&crc.sum().to_le_bytes());
        packed.extend_from_slice(&crc.amount().to_le_bytes());
    }
    Ok(packed)
}

fn deflated(block: &[u8], how: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), how);
    encoder.write_all(block)?;
    encoder.finish()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn any_byte_is_found_again_and_gzip_reads_the_same() {
        let mut bytes = noise(150_000);
        bytes.extend(b"one line like the other\n".repeat(10_000));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it.gz");
        std::fs::write(&path, pack(&bytes).unwrap()).unwrap();
        let packed = Packed::open(&path).unwrap();
        assert_eq!(packed.length(), bytes.len() as u64);
        for from in [0, 1, 65_279, 65_280, 65_281, 149_999, 150_000, 389_999] {
            let mut some = [0; 100];
            let read = packed.read_at(&mut some, from as u64).unwrap();
            assert!(read > 0);
            assert_eq!(some[..read], bytes[from..from + read], "from {from}");
        }
        assert_eq!(packed.read_at(&mut [0; 8], bytes.len() as u64).unwrap(), 0);
        let gzip = Command::new("gzip").args(["-dc"]).arg(&path).stderr(Stdio::null()).output();
        if let Ok(gzip) = gzip {
            assert!(gzip.stdout == bytes, "gzip reads something else");
        }
    }

    #[test]
    fn a_changed_block_is_an_error_and_no_other_content() {
        let bytes = b"a line of the log\n".repeat(100);
        let whole = pack(&bytes).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it.gz");
        // Bytes 4 to 9 are time, flags and system: they say nothing about the content.
        for at in (0..whole.len()).filter(|at| *at < whole.len() - 28) {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            std::fs::write(&path, changed).unwrap();
            let read = Packed::open(&path).and_then(|packed| {
                let mut back = vec![0; bytes.len()];
                let count = packed.read_at(&mut back, 0)?;
                back.truncate(count);
                Ok(back)
            });
            assert!(read.is_err(), "byte {at}");
        }
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert!(Packed::open(&path).is_err());
    }

    #[test]
    fn nothing_hides_behind_a_block_or_in_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it.gz");
        let (first, end) = (pack(b"abc").unwrap(), pack(b"").unwrap());
        let member = |content: &[u8]| {
            let packed = pack(content).unwrap();
            packed[..packed.len() - end.len()].to_vec()
        };
        for behind in [member(b"xyz"), end.clone()] {
            // One block by its own length, two members for gzip.
            let mut block = member(b"abc");
            block.extend_from_slice(&behind);
            let told = u16::try_from(block.len() - 1).unwrap().to_le_bytes();
            block[HEADER.len()..HEADER_BYTES].copy_from_slice(&told);
            block.extend_from_slice(&end);
            std::fs::write(&path, block).unwrap();
            let read = Packed::open(&path).and_then(|packed| packed.read_at(&mut [0; 8], 0));
            assert!(read.is_err());
        }
        std::fs::write(&path, first).unwrap();
        assert_eq!(Packed::open(&path).unwrap().read_at(&mut [0; 8], 0).unwrap(), 3);
    }
}
