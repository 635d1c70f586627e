//! Reads a range of bytes from wherever they stand, whole although a read may give less.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

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
