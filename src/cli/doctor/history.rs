//! What the log has to say to `doctor`: can it be used, whose is it, what was moved past the gate, who
//! holds it.
//!
//! Gathered for the snapshot, then checked; the checks are pure. Nothing in the log's folder changes.

use std::fs::{self, File, TryLockError};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::hook::fault::causes;
use crate::hook::host;
use crate::hook::sweep::{Doing, sweep};
use crate::hook::world::World;
use crate::log::book::Log;
use crate::log::disk::Folder;
use crate::log::entry::Record;
use crate::log::lock;
use crate::names::escape::escape;
use crate::names::moment::Moment;

/// How many entries a log may have so that every ref is held against it here: all of them are read.
const SWEEP_ENTRIES_MAX: u64 = 100_000;

/// How long the lock of a log may be held, in seconds: a push holds it for a few milliseconds.
const LOCK_SECONDS_MAX: i64 = 60;

/// What the log has to say.
#[derive(Debug, Default)]
pub struct History {
    /// Why it cannot be used, and what to do.
    unusable: Option<(String, String)>,
    /// The repository it was begun for, and the folder that was in.
    begun: Option<(String, PathBuf)>,
    /// Where it was begun another repository stands now, with the same id.
    original: Option<PathBuf>,
    /// The refs that were moved past the gate, and nobody has accepted it.
    drifted: Vec<String>,
    /// How many accepted pushes there are whose end is plain and not written down.
    unended: usize,
    /// Who holds its lock, and for how long.
    holder: Option<Holder>,
}

/// A process that holds the lock.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Holder {
    process: String,
    is_stopped: bool,
    seconds: i64,
}

impl History {
    /// Looks at the log of a repository. Where there is none there is nothing to say; that is another
    /// check's.
    pub fn gather(site: &Site, now: Moment) -> Self {
        let mut history = Self::default();
        let Ok(world) = World::at_rest(&site.git_dir) else { return history };
        let dir = world.log_dir();
        if !dir.is_dir() {
            return history;
        }
        history.holder = holder(&dir, now);
        let log = match Log::open_indexed(&dir).transpose() {
            Some(log) => log,
            None => Log::open_to_read(&dir),
        };
        match log {
            Ok(log) => {
                let read = history.read(&world, log, now);
                let mend = format!("portcullis log verify {}", shell(&site.git_dir));
                history.unusable = read.err().map(|why| (why, mend));
            }
            Err(error) => {
                history.unusable = Some((causes(&error), error.hint().to_owned()));
            }
        }
        history
    }

    /// The id of the repository that it was begun for.
    pub fn begun_for(&self) -> Option<&str> {
        self.begun.as_ref().map(|(id, _)| id.as_str()).filter(|id| !id.is_empty())
    }

    fn read(&mut self, world: &World, mut log: Log, now: Moment) -> Result<(), String> {
        let first = log.entry_by_number(0).map_err(|error| error.to_string())?;
        if let Record::Genesis(genesis) = &first.record {
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(&genesis.path.0));
            self.original = original(world, &path);
            self.begun = Some((genesis.repo.clone(), path));
        }
        let drifts = log.drifts().map_err(|error| error.to_string())?;
        let open = drifts.iter().filter(|one| one.accepted.is_none());
        self.drifted = open.map(|one| escape(&one.drift.refname.0)).collect();
        if log.head().size <= SWEEP_ENTRIES_MAX {
            let ctx = host::own_ctx(&host::ctx(now));
            let swept = sweep(world, &mut log, Doing::Look, &ctx).map_err(|stop| stop.reason)?;
            let new = swept.drifts().map(|drift| escape(&drift.refname.0));
            self.drifted.extend(new.collect::<Vec<_>>());
            let ends = swept.records.iter().filter(|one| matches!(one, Record::Outcome(_)));
            self.unended = ends.count();
        }
        self.drifted.sort();
        self.drifted.dedup();
        Ok(())
    }
}

/// The repository in the folder that the log was begun for, where this is a copy of it.
fn original(world: &World, begun: &Path) -> Option<PathBuf> {
    let (here, there) = (fs::canonicalize(&world.git_dir).ok()?, fs::canonicalize(begun).ok()?);
    if here == there || !there.join("config").is_file() {
        return None;
    }
    let other = World::at_rest(&there).ok()?;
    (other.repository.is_some() && other.repository == world.repository).then_some(there)
}

/// Who has the lock of the log. Taking it to find out would write into its file.
fn holder(dir: &Path, now: Moment) -> Option<Holder> {
    let path = Folder::existing(dir).ok()?.lock();
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    let process = lock::holder(&file).ok()?;
    let stat = fs::read(format!("/proc/{process}/stat")).unwrap_or_default();
    let taken = file.metadata().ok()?.mtime();
    let seconds = now.seconds().saturating_sub(taken);
    Some(Holder { is_stopped: is_stopped(&stat), process, seconds })
}

/// The state of a process, behind the last parenthesis of `/proc/PID/stat`: T, or t when traced.
fn is_stopped(stat: &[u8]) -> bool {
    let after = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
    matches!(after, Some(b'T' | b't'))
}

/// The log is there and cannot be used.
pub fn usable(snapshot: &Snapshot) -> Vec<Finding> {
    let Some((what, mend)) = &snapshot.history.unusable else { return Vec::new() };
    let why = "no push is accepted that cannot be written down";
    vec![Finding::new(Level::Error, "log-unusable", what, why).mend(mend)]
}

/// The log is another repository's, or this is a copy of the one it belongs to.
pub fn belongs(snapshot: &Snapshot) -> Vec<Finding> {
    let (Some((repo, path)), Some(id)) = (&snapshot.history.begun, snapshot.site.repository_id())
    else {
        return Vec::new();
    };
    if let Some(original) = &snapshot.history.original {
        return vec![copied(snapshot, &format!("{} has the same id, {id}", shown(original)))];
    }
    if repo.is_empty() || repo == id {
        return Vec::new();
    }
    let what = format!(
        "the log is that of {}, begun in {}, and this repository is {id}",
        escape(repo.as_bytes()),
        shown(path)
    );
    let why = "two logs of one name go two ways, and whoever keeps a copy takes one for a forgery";
    let finding = Finding::new(Level::Error, "log-of-another", what, why);
    vec![finding.mend(anew(snapshot))]
}

/// A repository that is a copy of another, log and all.
pub fn copied(snapshot: &Snapshot, what: &str) -> Finding {
    let dir = shell(&snapshot.site.git_dir);
    let why = "an approval for one counts for the other, and their logs have one name";
    Finding::new(Level::Error, "same-id", what, why)
        .mend(format!(
            "git --git-dir={dir} config --unset-all portcullis.repository # in the copy, not in both"
        ))
        .mend(anew(snapshot))
}

/// The commands that begin a log of its own; the old one stays beside it.
fn anew(snapshot: &Snapshot) -> String {
    let install = format!("portcullis install {}", shell(&snapshot.site.git_dir));
    let log = &snapshot.log.path;
    // A log that stands outside is in a folder of its repository's id, and stays the other's.
    if !log.starts_with(&snapshot.site.git_dir) {
        return install;
    }
    let mut aside = log.as_os_str().to_owned();
    aside.push(".of-another");
    format!("mv {} {} && {install}", shell(log), shell(Path::new(&aside)))
}

/// Refs that were moved past the gate: by a command on the server, by hand, by another program, by a
/// copy that was put back.
pub fn drift(snapshot: &Snapshot) -> Vec<Finding> {
    let drifted = &snapshot.history.drifted;
    let Some(first) = drifted.first() else { return Vec::new() };
    let more = match drifted.len() - 1 {
        0 => "was".to_owned(),
        more => format!("and {more} more were"),
    };
    let what = format!("{first} {more} moved past the gate, and nobody has accepted it");
    let why = "no push that was accepted explains it: somebody knows another way in";
    let dir = shell(&snapshot.site.git_dir);
    let finding = Finding::new(Level::Error, "drift", what, why);
    vec![
        finding
            .mend(format!("portcullis log drift {dir} # what, and what speaks about it"))
            .mend(format!("portcullis log drift --accept 'WHY IT IS WELL' {dir}")),
    ]
}

/// Pushes that ended in the middle, or whose end nobody has written.
pub fn ends(snapshot: &Snapshot) -> Vec<Finding> {
    let what = match snapshot.history.unended {
        0 => return Vec::new(),
        1 => "the end of 1 accepted push is not written down".to_owned(),
        many => format!("the ends of {many} accepted pushes are not written down"),
    };
    let why =
        "they were killed, or a client hung up, before `post-receive`; the next push writes it";
    let command = format!("portcullis log drift {}", shell(&snapshot.site.git_dir));
    vec![Finding::new(Level::Note, "open-ends", what, why).mend(command)]
}

/// A process that keeps all others from writing.
pub fn held(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(holder) = &snapshot.history.holder else { return Vec::new() };
    if !holder.is_stopped && holder.seconds <= LOCK_SECONDS_MAX {
        return Vec::new();
    }
    let Holder { process, is_stopped, seconds } = holder;
    let state = if *is_stopped { ", which is stopped," } else { "" };
    let what = format!("process {process}{state} holds the lock of the log for {seconds} seconds");
    let why = "every push waits a few seconds for it, and is refused then";
    let signal = if *is_stopped { "CONT" } else { "TERM" };
    let finding = Finding::new(Level::Error, "log-held", what, why);
    vec![
        finding
            .mend(format!("ps -o pid,stat,lstart,args -p {process}"))
            .mend(format!("kill -{signal} {process}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::is_stopped;

    #[test]
    fn a_stopped_process_is_known_by_its_state() {
        for (stat, stopped) in [
            (&b"12 (sh) T 1 12"[..], true),
            (b"12 (a) b) t 1", true),
            (b"12 (T) S 1", false),
            (b"", false),
        ] {
            assert_eq!(is_stopped(stat), stopped);
        }
    }
}
