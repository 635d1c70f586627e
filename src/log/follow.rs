//! What is appended to logs from now on, as it comes.
//!
//! Used by `log tail --follow`. The kernel tells when something in a log's folder has changed
//! (inotify(7)); where it does not, the folders are looked at every `LOOK_EVERY`. Reads on from
//! where it was, and checks the chain as every walk does.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

use crate::log::disk::{Folder, io_fault};
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::index::scan_fault;
use crate::log::read::{Entries, Filter, fits_entry};
use crate::log::scan::{Found, Position, Scanner};

/// How often a folder is looked at when nothing is heard of it: a file system may keep silent.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many bytes of the kernel's events are read at once.
const EVENT_BYTES: usize = 4096;

/// The end of one log, moving.
pub struct Follow {
    folder: Folder,
    position: Position,
    filter: Filter,
}

impl Follow {
    /// From the end that the log has now.
    pub fn at_end(dir: &Path, filter: Filter) -> Result<Self, LogError> {
        let folder = Folder::existing(dir)?;
        let last = Entries::open(dir, Filter::default())?.last(1)?;
        let position = last.last().map_or(Position::START, |last| Position {
            offset: last.offset + last.line.len() as u64 + 1,
            head: Head { size: last.entry.common.seq + 1, hash: last.entry.hash },
        });
        Ok(Self { folder, position, filter })
    }

    /// What has come since, handed on one by one. An error where the log does not hold together.
    pub fn more<E: From<LogError>>(
        &mut self,
        hand: &mut dyn FnMut(&Found) -> Result<(), E>,
    ) -> Result<(), E> {
        let fault = |source| io_fault("read", &self.folder.segment(), source);
        let tape = self.folder.tape()?;
        let mut scanner = Scanner::from(&tape, self.position, None).map_err(fault)?;
        while let Some(found) = scanner.next_entry().map_err(|it| scan_fault(&self.folder, it))? {
            self.position = *scanner.position();
            if fits_entry(&self.folder, &self.filter, &found.entry)? {
                hand(&found)?;
            }
        }
        Ok(())
    }
}

/// Waits for something to happen in the folders of logs.
pub struct Watch {
    heard: Option<OwnedFd>,
}

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// There may be more to read.
    Look,
    /// Nobody reads any more what is written.
    Closed,
}

impl Watch {
    /// Listens at these folders. Where the system does not let us, they are looked at now and then.
    pub fn of<'a>(dirs: impl Iterator<Item = &'a Path>) -> Self {
        let listen = || -> rustix::io::Result<OwnedFd> {
            let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
            let heard = inotify::init(flags)?;
            for dir in dirs {
                let what = inotify::WatchFlags::MODIFY
                    | inotify::WatchFlags::CREATE
                    | inotify::WatchFlags::MOVED_TO;
                inotify::add_watch(&heard, dir, what)?;
            }
            Ok(heard)
        };
        Self { heard: listen().ok() }
    }

    /// Waits until there may be more, or whoever reads `out` has gone.
    pub fn wait(&self, out: &impl AsFd) -> io::Result<Woken> {
        // Only what is always told is asked of the output: that its reader has gone.
        let mut fds = vec![PollFd::new(out, PollFlags::empty())];
        fds.extend(self.heard.iter().map(|heard| PollFd::new(heard, PollFlags::IN)));
        let timeout = Timespec {
            tv_sec: i64::try_from(LOOK_EVERY.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: 0,
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        if fds.first().is_some_and(|out| out.revents().intersects(gone)) {
            return Ok(Woken::Closed);
        }
        self.forget_heard();
        Ok(Woken::Look)
    }

    /// What was heard says only that it is time to look.
    fn forget_heard(&self) {
        let Some(heard) = &self.heard else { return };
        let mut bytes = [MaybeUninit::uninit(); EVENT_BYTES];
        let mut reader = inotify::Reader::new(heard, &mut bytes);
        while reader.next().is_ok() {}
    }
}
