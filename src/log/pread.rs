//! Reads a range of bytes or a line from wherever they stand, whole although a read may give less.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::log::entry::LINE_BYTES_MAX;

/// How much is read at first for one line: nearly every line fits.
const LINE_READ_BYTES: u64 = 8 * 1024;

/// How bytes from an offset on are read, as `pread(2)` does it.
pub type ReadAt<'a> = &'a dyn Fn(&mut [u8], u64) -> io::Result<usize>;

/// Exactly these bytes, or fewer where there are no more.
pub fn range(read_at: ReadAt<'_>, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Exactly these bytes of a file, or fewer where it ends.
pub fn range_of(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    range(&|bytes: &mut [u8], offset| file.read_at(bytes, offset), from, to)
}

/// The line that begins here, without its line feed; what there is of it when it has none.
pub fn line_at(read_at: ReadAt<'_>, offset: u64) -> io::Result<Vec<u8>> {
    let mut want = LINE_READ_BYTES;
    let mut line = Vec::new();
    loop {
        let begin = line.len();
        let most = usize::try_from(want).map_err(io::Error::other)?;
        line.resize(begin + most, 0);
        let read = read_at(&mut line[begin..], offset + begin as u64)?;
        line.truncate(begin + read);
        if let Some(at) = memchr::memchr(b'\n', &line[begin..]) {
            line.truncate(begin + at);
            return Ok(line);
        }
        if read == 0 || line.len() >= LINE_BYTES_MAX {
            return Ok(line);
        }
        want = LINE_BYTES_MAX as u64;
    }
}
