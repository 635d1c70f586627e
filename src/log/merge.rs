//! How the index comes to its files: what is in memory becomes a run, runs become fewer.
//!
//! A hook writes little at a time: what a push waits for does not grow with the log, nor does the
//! memory it takes. Runs that have grown are merged by who has the time: `log seal`, `log tidy`,
//! and now and then a `post-receive`, when everything is said. Every run is then more than twice as
//! long as all after it, so that there are few.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::log::index::{Index, Keeping};
use crate::log::manifest::Manifest;
use crate::log::posting::Posting;
use crate::log::run::{RUN, Run, RunWriter, bytes_before};
use crate::log::scan::Position;

/// How many postings a hook puts in one run: 2 MiB, some tens of milliseconds.
pub(super) const QUICK_POSTINGS_MAX: u64 = 64 * 1024;

/// How many runs wait for somebody with time before `post-receive` merges them.
const WAITING_RUNS_MAX: usize = 4;

/// How many runs there may be. Past that they are merged at once: nobody with time came by.
const RUNS_MAX: usize = 64;

/// Who asks for runs to be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leisure {
    /// Somebody is waiting, and only what has piled up is worth it.
    AfterPush,
    /// Nobody is waiting.
    Timer,
}

impl Index {
    /// Turns what is in memory into a run, when that can be done now. Whatever fails here costs
    /// time at the next opening and nothing else.
    pub(super) fn flush(&mut self) {
        if self.keeping == Keeping::InMemory {
            return;
        }
        if self.try_flush().is_ok() {
            self.flushed = self.position;
            self.recent.clear();
            self.piled.clear();
            if self.runs.len() >= RUNS_MAX {
                // As above: what cannot be merged stays as it is.
                let _ = self.try_merge(self.mergeable());
            }
        } else {
            // Kept in memory; it is tried again when as much has come together once more.
            self.recent.extend(self.piled.drain(..));
        }
    }

    /// Merges runs, if there is something to gain. What fails changes nothing.
    pub fn merge(&mut self, leisure: Leisure) {
        if self.keeping == Keeping::InMemory {
            return;
        }
        let from = self.mergeable();
        let waiting = self.runs.len() - from;
        let worth = match leisure {
            Leisure::AfterPush => waiting > WAITING_RUNS_MAX,
            Leisure::Timer => waiting > 1,
        };
        if worth {
            // Best effort: what cannot be merged now stays as it is.
            let _ = self.try_merge(from);
        }
    }

    /// The first run that is not more than twice as long as all after it.
    fn mergeable(&self) -> usize {
        let (mut from, mut behind) = (self.runs.len(), 0);
        for (at, run) in self.runs.iter().enumerate().rev() {
            if run.postings <= 2 * behind {
                from = at;
            }
            behind += run.postings;
        }
        from
    }

    fn try_flush(&mut self) -> io::Result<()> {
        let _lock = self.locked()?;
        let mut postings: Vec<Posting> = self.recent.iter().copied().collect();
        postings.extend_from_slice(&self.piled);
        let mut kept = self.runs.len();
        while let Some(run) = kept.checked_sub(1).and_then(|last| self.runs.get(last)) {
            let ours = postings.len() as u64;
            if run.postings > 2 * ours || run.postings + ours > QUICK_POSTINGS_MAX {
                break;
            }
            kept -= 1;
            for posting in run.walk() {
                postings.push(posting?);
            }
        }
        postings.sort_unstable();
        let most = postings.len() as u64;
        let run = self.write_run(postings.into_iter().map(Ok), most)?;
        let covered = self.position;
        self.take_in(kept, run, covered)
    }

    /// Puts the runs from this one on into one.
    fn try_merge(&mut self, from: usize) -> io::Result<()> {
        let _lock = self.locked()?;
        let most = self.runs[from..].iter().map(|run| run.postings).sum();
        let run = self.write_run(Merge::of(&self.runs[from..])?, most)?;
        let covered = self.flushed;
        self.take_in(from, run, covered)
    }

    /// The lock, while our runs are those that the table of contents names.
    fn locked(&self) -> io::Result<File> {
        let dir = self.folder.index();
        make_folder(&dir, self.folder.modes().folder)?;
        let lock = self.folder.open_small(&dir.join("lock")).map_err(io::Error::other)?;
        lock.try_lock().map_err(io::Error::other)?;
        let ours = self.runs.iter().map(|run| run.name.as_str());
        match self.manifest() {
            // Somebody else has written runs since; the next opening takes those.
            Some(there)
                if self.is_of_log(&there)
                    && there.runs.iter().map(|(name, _)| name.as_str()).ne(ours) =>
            {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Some(_) | None => Ok(lock),
        }
    }

    /// Puts a run in the place of those from `kept` on.
    fn take_in(&mut self, kept: usize, run: Run, covered: Position) -> io::Result<()> {
        let name = run.name.clone();
        let listed = |run: &Run| (run.name.clone(), run.postings);
        let runs = self.runs[..kept].iter().map(listed).chain(std::iter::once(listed(&run)));
        let (origin, first) = (self.origin.clone(), self.tape.first());
        let manifest = Manifest { origin, first, position: covered, runs: runs.collect() };
        let (beside, mut file) = self.beside("runs")?;
        io::Write::write_all(&mut file, manifest.text().as_bytes())?;
        fs::rename(&beside, self.folder.index().join("runs"))?;
        let gone = self.runs.split_off(kept);
        self.runs.push(run);
        for run in gone.iter().filter(|run| run.name != name) {
            // Left over, it only takes space.
            let _ = fs::remove_file(self.folder.index().join(&run.name));
        }
        if kept == 0 {
            self.sweep();
        }
        Ok(())
    }

    /// Takes away, under the lock, what no table of contents names: runs of an earlier way of
    /// indexing, and what was being written when somebody was killed.
    fn sweep(&self) {
        let Ok(names) = fs::read_dir(self.folder.index()) else { return };
        for name in names.flatten().map(|entry| entry.file_name()) {
            let text = name.to_string_lossy();
            let ours = text.ends_with(RUN) || text.starts_with(".run");
            if ours && self.runs.iter().all(|run| *run.name != *text) {
                // Left over, it only takes space.
                let _ = fs::remove_file(self.folder.index().join(&name));
            }
        }
    }

    /// Writes a run of at most so many postings whole, not waiting for the disk: after a crash it is
    /// checked, and made anew.
    fn write_run(
        &self,
        mut postings: impl Iterator<Item = io::Result<Posting>>,
        most: u64,
    ) -> io::Result<Run> {
        let (beside, cells) = self.beside("run")?;
        let mut blocks = OpenOptions::new().write(true).open(&beside)?;
        blocks.seek(SeekFrom::Start(bytes_before(most)))?;
        let mut writer = RunWriter::new(BufWriter::new(cells), BufWriter::new(blocks), most);
        let written = postings.try_for_each(|posting| writer.push(posting?));
        let finished = written.and_then(|()| writer.finish());
        let (name, postings) = finished.inspect_err(|_| {
            // Left over, it only takes space.
            let _ = fs::remove_file(&beside);
        })?;
        fs::rename(&beside, self.folder.index().join(&name))?;
        Run::open(&self.folder.index(), &name, postings)
    }

    /// A file that nobody looks for, to be renamed when it is whole.
    fn beside(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let path = self.folder.index().join(format!(".{name}.{}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(self.folder.modes().file)
            .open(&path)?;
        Ok((path, file))
    }
}

fn make_folder(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(mode))
}

/// The postings of several runs, in order.
struct Merge<'a> {
    runs: Vec<Box<dyn Iterator<Item = io::Result<Posting>> + 'a>>,
    next: BinaryHeap<Reverse<(Posting, usize)>>,
}

impl<'a> Merge<'a> {
    fn of(runs: &'a [Run]) -> io::Result<Self> {
        let mut merge = Self { runs: Vec::new(), next: BinaryHeap::new() };
        for (at, run) in runs.iter().enumerate() {
            merge.runs.push(Box::new(run.walk()));
            merge.advance(at)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, at: usize) -> io::Result<()> {
        if let Some(posting) = self.runs.get_mut(at).and_then(Iterator::next) {
            self.next.push(Reverse((posting?, at)));
        }
        Ok(())
    }
}

impl Iterator for Merge<'_> {
    type Item = io::Result<Posting>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((posting, at)) = self.next.pop()?;
        Some(self.advance(at).map(|()| posting))
    }
}
