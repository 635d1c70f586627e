//! How much room the log's disk has: no push is accepted that could not be written down, nor one
//! that would leave no room for what became of it.
//!
//! Each segment has space reserved ahead of its end (`disk::reserve`), so that a disk that others
//! fill does not tear a line. This is about the time before.

use std::io;
use std::path::Path;

/// Whether there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// There is.
    Enough,
    /// Not for long: so many bytes are free.
    Little(u64),
    /// Not any more: so many bytes are free.
    Full(u64),
}

/// How many bytes an account that is not root may still write to this disk. See statvfs(3).
///
/// # Errors
/// When the file system cannot be asked.
pub fn free_bytes(dir: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(dir)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// What so many free bytes mean, where `warn` are little and `full` are too few.
pub const fn judged(free: u64, warn: u64, full: u64) -> Space {
    if free < full {
        Space::Full(free)
    } else if free < warn {
        Space::Little(free)
    } else {
        Space::Enough
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::*;

    #[test]
    fn little_is_said_before_too_little_refuses() {
        assert_eq!(judged(100, 50, 10), Space::Enough);
        assert_eq!(judged(50, 50, 10), Space::Enough);
        assert_eq!(judged(49, 50, 10), Space::Little(49));
        assert_eq!(judged(10, 50, 10), Space::Little(10));
        assert_eq!(judged(9, 50, 10), Space::Full(9));
        assert_eq!(judged(9, 5, 10), Space::Full(9));
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
    }
}
