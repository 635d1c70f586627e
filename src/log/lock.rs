//! The locks of a log: one for whoever appends, one for whoever signs.
//!
//! The file of a lock says which segment was the newest when it was written last, and who has it, for
//! the operator who wants to know whom to look at: `<number of its first entry> <process id>`. Who
//! begins a segment says so before there is one, so that whoever knows where the log ended sees
//! without listing the folder that it may end elsewhere. Version 0.1.0 writes its process id alone,
//! over the beginning of that number, which then is none.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::log::disk::{Folder, io_fault};
use crate::log::error::LogError;

/// How long an append waits for the lock.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How long what the file says can be.
const SAID_BYTES_MAX: usize = 64;

/// What stands for a process that is not known.
const NOBODY: &str = "?";

/// How many digits the number of a segment has here.
const NUMBER_BYTES: usize = 20;

/// The stack of a thread that only waits.
const WAITER_STACK_BYTES: usize = 64 * 1024;

/// A lock; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    newest: Cell<Option<u64>>,
}

impl Lock {
    /// The newest segment, by who began it or looked last. `None`: nobody said.
    pub const fn newest(&self) -> Option<u64> {
        self.newest.get()
    }

    /// Says which segment is the newest, or is about to be.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&self, newest: u64) -> Result<(), LogError> {
        if self.newest.get() == Some(newest) {
            return Ok(());
        }
        let written = self.file.write_all_at(&said(Some(newest)), 0);
        written.map_err(|source| io_fault("write", &self.path, source))?;
        self.newest.set(Some(newest));
        Ok(())
    }
}

/// Takes the lock of who appends, or says who has it.
pub fn lock(folder: &Folder, patience: Duration) -> Result<Lock, LogError> {
    lock_file(folder, &folder.lock(), patience)
}

/// Takes the lock of this file, or says who has it.
pub fn lock_file(folder: &Folder, path: &Path, patience: Duration) -> Result<Lock, LogError> {
    let file = folder.open_small(path)?;
    let fault = |source| io_fault("lock", path, source);
    let taken = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => waited(&file, patience).map_err(fault)?,
        Err(TryLockError::Error(source)) => return Err(fault(source)),
    };
    if !taken {
        let holder = holder(&file).unwrap_or_else(|_| NOBODY.to_owned());
        return Err(LogError::Busy { holder, seconds: patience.as_secs() });
    }
    let (newest, _) = read(&file).map_err(|source| io_fault("read", path, source))?;
    // For people, and for the file's time: since when it is held.
    let _ = file.write_all_at(&said(newest), 0);
    Ok(Lock { file, path: path.to_owned(), newest: Cell::new(newest) })
}

/// Waits for the lock in the kernel's queue, where whoever came first is first. flock(2) knows no
/// patience, so a thread waits; one whose time is over gives back what it gets, unless the process
/// has ended before. Whether it was had in time.
fn waited(file: &File, patience: Duration) -> io::Result<bool> {
    if patience.is_zero() {
        return Ok(false);
    }
    // The same open file: what the thread locks is locked for both.
    let queued = file.try_clone()?;
    let (tell, told) = mpsc::channel();
    let wait = move || {
        // Nobody listens any more where the time is over.
        let _ = tell.send(queued.lock());
    };
    thread::Builder::new().stack_size(WAITER_STACK_BYTES).spawn(wait)?;
    match told.recv_timeout(patience) {
        Ok(locked) => locked.map(|()| true),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(false),
    }
}

/// What the file says of this process. Always of the same length, so nothing of an earlier one is
/// left behind it.
fn said(newest: Option<u64>) -> Vec<u8> {
    let newest = newest.map_or_else(|| "-".repeat(NUMBER_BYTES), |first| format!("{first:020}"));
    format!("{newest} {:<10}\n", std::process::id()).into_bytes()
}

/// Which segment the file says is the newest, and who has the lock.
fn read(file: &File) -> io::Result<(Option<u64>, Option<u32>)> {
    let mut bytes = [0; SAID_BYTES_MAX];
    let length = file.read_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes[..length]);
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let is_number = first.len() == NUMBER_BYTES;
    let newest = first.parse().ok().filter(|_| is_number);
    let holder = if is_number { words.next().unwrap_or_default() } else { first };
    Ok((newest, holder.parse().ok()))
}

/// The process that a file of a lock says has it, or had it last; `?` where it says none.
///
/// # Errors
/// When the file cannot be read.
pub fn holder(file: &File) -> io::Result<String> {
    read(file).map(|(_, holder)| holder.map_or_else(|| NOBODY.to_owned(), |id| id.to_string()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::*;

    use crate::log::disk::Modes;

    #[test]
    fn who_waits_gets_it_when_it_is_given_back_and_no_later_than_the_patience() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(&place.path().join("log"), Modes::PRIVATE).unwrap();
        let held = lock(&folder, LOCK_PATIENCE).unwrap();
        let busy = lock(&folder, Duration::from_millis(1));
        assert!(matches!(busy, Err(LogError::Busy { .. })), "{busy:?}");
        let (others, taken) = (folder.clone(), mpsc::channel());
        let waiter = thread::spawn(move || {
            let lock = lock(&others, LOCK_PATIENCE).unwrap();
            taken.0.send(()).unwrap();
            drop(lock);
        });
        assert_eq!(taken.1.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(held);
        taken.1.recv().unwrap();
        waiter.join().unwrap();
        // Those whose time was over have given it back, or do so as soon as they have it.
        drop(lock(&folder, LOCK_PATIENCE).unwrap());
    }

    #[test]
    fn what_it_says_of_the_newest_segment_outlives_who_said_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(&place.path().join("log"), Modes::PRIVATE).unwrap();
        let take = || lock(&folder, Duration::ZERO);
        assert_eq!(take().unwrap().newest(), None);
        let held = take().unwrap();
        held.note(4096).unwrap();
        let busy = take().unwrap_err();
        let own = std::process::id().to_string();
        assert!(matches!(&busy, LogError::Busy { holder, .. } if *holder == own), "{busy:?}");
        drop(held);
        assert_eq!(take().unwrap().newest(), Some(4096));
        // Another process; version 0.1.0, after us and alone; somebody who was stopped, or damage.
        for (text, newest, who) in [
            ("00000000000000000008 77        \n", Some(8), "77"),
            ("77        \n000000008 77        \n", None, "77"),
            ("77        \n", None, "77"),
            ("-------------------- 77        \n", None, "77"),
            ("00000000000000000008 ", Some(8), "?"),
            ("", None, "?"),
            ("\u{0}\u{0}\u{0} nothing", None, "?"),
        ] {
            std::fs::write(folder.lock(), text).unwrap();
            assert_eq!(holder(&File::open(folder.lock()).unwrap()).unwrap(), who, "{text:?}");
            assert_eq!(take().unwrap().newest(), newest, "{text:?}");
            let said = std::fs::read_to_string(folder.lock()).unwrap();
            assert!(said.split_whitespace().nth(1) == Some(own.as_str()), "{said:?}");
            assert_eq!(take().unwrap().newest(), newest, "{text:?}");
        }
    }
}
