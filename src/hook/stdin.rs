//! What Git writes to a hook: read when it is first needed, and no further than it may be long.

use std::cell::{OnceCell, RefCell};
use std::io::{self, Read};

/// How much is read where no policy speaks, in bytes: as much as any may let a push have. A push that
/// gets there was let in by a policy before.
pub const STDIN_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// A hook's standard input.
pub struct Stdin {
    source: RefCell<Box<dyn Read>>,
    read: OnceCell<(Vec<u8>, Option<io::Error>)>,
}

impl Stdin {
    /// Nothing is read yet.
    pub fn new(source: impl Read + 'static) -> Self {
        Self { source: RefCell::new(Box::new(source)), read: OnceCell::new() }
    }

    /// Everything, or one byte more than it may be long. Whoever asks first says how long that is.
    ///
    /// # Errors
    /// What was read before reading failed is a part, and nobody may take it for the whole.
    pub fn within(&self, bytes_max: usize) -> Result<&[u8], &io::Error> {
        match self.take(bytes_max) {
            (_, Some(error)) => Err(error),
            (bytes, None) => Ok(bytes),
        }
    }

    /// As much as there is, for telling what was asked for.
    pub fn some(&self, bytes_max: usize) -> &[u8] {
        &self.take(bytes_max).0
    }

    fn take(&self, bytes_max: usize) -> &(Vec<u8>, Option<io::Error>) {
        self.read.get_or_init(|| {
            let mut bytes = Vec::new();
            let one_more = (bytes_max as u64).saturating_add(1);
            let read = self.source.borrow_mut().as_mut().take(one_more).read_to_end(&mut bytes);
            (bytes, read.err())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::Stdin;

    struct Breaks;

    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }

    #[test]
    fn no_more_is_read_than_shows_that_it_is_too_much() {
        let long = Stdin::new(&b"12345678"[..]);
        assert_eq!(long.within(5).ok(), Some(&b"123456"[..]));
        // It was read, and is not read again.
        assert_eq!(long.within(100).ok(), Some(&b"123456"[..]));
        assert_eq!(Stdin::new(&b"12345"[..]).within(5).ok(), Some(&b"12345"[..]));
    }

    #[test]
    fn a_part_is_not_the_whole() {
        let broken = Stdin::new((&b"line\n"[..]).chain(Breaks));
        assert_eq!(broken.some(100), b"line\n");
        assert!(broken.within(100).is_err());
    }
}
