//! What the pusher reads, said without waiting for a pusher who does not read.
//!
//! Git hands a hook's words on to the client, and a client may stop reading and stay. When the pipe
//! is full the words wait for a while, under no lock, and then the rest is dropped: the answer is
//! the exit code, and the log has all of it.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};

/// How long a pusher may take to read what a hook says.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a pipe that can be written at all takes without waiting (`PIPE_BUF`, pipe(7)).
const CHUNK_BYTES: usize = 4096;

/// Says this to the pusher. A client that is gone, or does not read, changes nothing.
pub fn tell(text: &str) {
    // Where it could not be said there is nobody to tell.
    let _ = say(std::io::stderr().as_fd(), text.as_bytes(), PATIENCE);
}

/// Whether all of it was written in time.
fn say(to: BorrowedFd<'_>, mut text: &[u8], patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while !text.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else { return false };
        match poll(&mut [PollFd::new(&to, PollFlags::OUT)], Some(&left)) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return false,
        }
        let chunk = text.get(..CHUNK_BYTES).unwrap_or(text);
        match write(to, chunk) {
            Ok(0) => return false,
            Ok(written) => text = text.get(written..).unwrap_or_default(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
    }
    true
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn who_reads_slowly_hears_everything_and_who_does_not_read_is_not_waited_for() {
        let text = "refused\n".repeat(40_000);
        let (mut reader, writer) = std::io::pipe().unwrap();
        let all = text.clone();
        let said = std::thread::spawn(move || {
            say(writer.as_fd(), all.as_bytes(), Duration::from_secs(60))
        });
        let mut heard = String::new();
        reader.read_to_string(&mut heard).unwrap();
        assert!(said.join().unwrap());
        assert_eq!(heard, text);

        let (_kept, writer) = std::io::pipe().unwrap();
        assert!(!say(writer.as_fd(), text.as_bytes(), Duration::from_millis(20)));
        let (gone, writer) = std::io::pipe().unwrap();
        drop(gone);
        assert!(!say(writer.as_fd(), b"refused\n", Duration::from_secs(60)));
    }
}
