//! Telling a command of the operator's what has happened, when it is over.
//!
//! What happened is what the log says. A file beside it holds the number of the last entry that was
//! looked at; a process of its own, which nobody waits for, goes on from there, one at a time for a
//! repository. So each entry is told of once, in order, and what one push missed (a crash, a
//! deadline) the next one tells of. The command decides nothing: the answer was given before.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::facts::run::Ended;
use crate::hook::runs::child::{Limits, PATH, scrubbed, watched};
use crate::hook::world::{FOLDER, World};
use crate::log::book::Log;
use crate::log::decision::Verdict;
use crate::log::entry::{Record, State};
use crate::policy::notify::{Event, Notify};

/// The file that holds how far the log was looked at.
const MARK: &str = "notified";

/// How many entries behind may be told of; what is older was missed.
const ENTRIES_MAX: u64 = 1_000;

/// How long one process goes on telling.
const GOES_ON: Duration = Duration::from_secs(600);

/// How much address space the command may take, and how much of its output is looked at.
const MEMORY_MIB: u64 = 4096;
const OUTPUT_BYTES_MAX: usize = 1024;

/// Where the server's journal listens.
const JOURNAL: &str = "/dev/log";

fn mark(git_dir: &Path) -> PathBuf {
    git_dir.join(FOLDER).join(MARK)
}

/// Sees to it that what happens from now on is told of. `size`: how many entries there are now.
pub fn begin(git_dir: &Path, size: u64) {
    let mut new = OpenOptions::new();
    let file = new.write(true).create_new(true).mode(0o600).open(mark(git_dir));
    if let Ok(mut file) = file
        && let Err(error) = write!(file, "{size}")
    {
        tracing::warn!(reason = %error, "nobody will be told of this");
    }
}

/// Starts the telling, where somebody is to be told, and does not wait for it.
pub fn start(program: Option<&Path>, git_dir: &Path) {
    let Some(program) = program.filter(|_| mark(git_dir).exists()) else { return };
    let Ok(git_dir) = git_dir.canonicalize() else { return };
    let mut command = Command::new(program);
    command.args(["hook", "notify"]).arg(&git_dir).env_clear().env("PATH", PATH);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir("/").process_group(0);
    if let Err(error) = command.spawn() {
        tracing::warn!(reason = %error, "nobody is told of this");
    }
}

/// Tells of what has happened since it was last told. For the process that `start` starts.
pub fn tell(git_dir: &Path) {
    if let Err(why) = try_to_tell(git_dir) {
        journal(git_dir, &why);
    }
}

fn try_to_tell(git_dir: &Path) -> Result<(), String> {
    let until = Instant::now() + GOES_ON;
    let world = World::at_rest(git_dir).map_err(|stop| stop.reason)?;
    let (policy, _) = world.policy().map_err(|stop| stop.reason)?;
    let Some(notify) = &policy.notify else {
        // Whoever asks for it again is told of what happens from then on.
        return std::fs::remove_file(mark(git_dir)).map_err(|error| error.to_string());
    };
    let mut log = world.log_to_read().map_err(|stop| stop.reason)?;
    loop {
        let file = OpenOptions::new().read(true).write(true).open(mark(git_dir));
        let mut file = file.map_err(|error| error.to_string())?;
        if file.try_lock().is_err() {
            // Somebody else is telling, and looks once more when they are done.
            return Ok(());
        }
        let told = Telling { world: &world, git_dir, notify, until };
        let done = told.all(&log, &mut file)?;
        drop(file);
        log.refresh().map_err(|error| error.to_string())?;
        if done >= log.head().size || Instant::now() >= until {
            return Ok(());
        }
    }
}

struct Telling<'t> {
    world: &'t World,
    git_dir: &'t Path,
    notify: &'t Notify,
    until: Instant,
}

impl Telling<'_> {
    /// Tells of every entry there is, and returns the number of the last one.
    fn all(&self, log: &Log, file: &mut File) -> Result<u64, String> {
        let mut text = String::new();
        file.take(20).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let size = log.head().size;
        let mut done = text.trim().parse::<u64>().unwrap_or(size).min(size);
        let oldest = size.saturating_sub(ENTRIES_MAX);
        if done < oldest {
            journal(self.git_dir, &format!("entries {done} to {oldest} were told to nobody"));
            done = oldest;
        }
        while done < size && Instant::now() < self.until {
            let number = done;
            done += 1;
            // First: an entry that ends us is not told of twice.
            keep(file, done).map_err(|error| error.to_string())?;
            let found = log.found_if_kept(number).map_err(|error| error.to_string())?;
            let Some(found) = found else { continue };
            let Some(event) = event(&found.entry.record) else { continue };
            if self.notify.on.contains(&event) {
                self.one(log, event, &found.entry.record, &found.line);
            }
        }
        Ok(done)
    }

    fn one(&self, log: &Log, event: Event, record: &Record, line: &[u8]) {
        let of = if let Record::Outcome(outcome) = record { Some(outcome.of) } else { None };
        let decision = of.and_then(|of| log.found_if_kept(of).ok().flatten());
        let decision = decision.map(|found| value(&found.line));
        let told = json!({
            "version": 1,
            "event": event.word(),
            "repository": self.world.repository,
            "entry": value(line),
            "decision": decision,
        });
        let ended = self.run(&format!("{told}\n"));
        match ended {
            Ok((Ended::Exited(0), _)) => {}
            Ok((ended, output)) => {
                let said = crate::names::escape::escape(&output);
                let word = event.word();
                journal(
                    self.git_dir,
                    &format!("the command of [notify], told of {word}: {ended:?}: {said}"),
                );
            }
            Err(error) => journal(self.git_dir, &error.to_string()),
        }
    }

    fn run(&self, input: &str) -> std::io::Result<(Ended, Vec<u8>)> {
        let home = tempfile::Builder::new().prefix("portcullis-notify-").tempdir()?;
        let limits = Limits {
            time: Duration::from_secs(self.notify.timeout_seconds),
            memory_mib: MEMORY_MIB,
            output_bytes: OUTPUT_BYTES_MAX,
        };
        let mut command = scrubbed(&self.notify.command, home.path(), &limits);
        command.current_dir(home.path());
        let seen = watched(command, input.as_bytes(), &limits);
        Ok((seen.ended, seen.output))
    }
}

/// A line of the log; it was read before, so that it is JSON.
fn value(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap_or_default()
}

fn keep(file: &mut File, number: u64) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    write!(file, "{number}")
}

/// What an entry tells of. `None`: nothing that anybody is told.
fn event(record: &Record) -> Option<Event> {
    match record {
        Record::Outcome(outcome) => {
            let applied = outcome.refs.iter().any(|one| one.state == State::Applied);
            applied.then_some(Event::Landed)
        }
        Record::Decision(decision) => {
            (decision.verdict == Verdict::Refuse).then_some(Event::Refused)
        }
        Record::Refusal(_) => Some(Event::Refused),
        Record::BreakGlass(_) => Some(Event::BreakGlass),
        Record::Drift(_) => Some(Event::Drift),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Segment(_)
        | Record::Config(_)
        | Record::Accepted(_)
        | Record::Pruned(_) => None,
    }
}

/// Tells the server's journal. Where none listens there is nobody to tell.
fn journal(git_dir: &Path, why: &str) {
    tracing::warn!(reason = why, "notify");
    // Facility daemon, severity warning (RFC 3164).
    let place = crate::names::escape::escape(git_dir.as_os_str().as_encoded_bytes());
    let text = format!("<28>portcullis[{}]: {place}: {why}", std::process::id());
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.set_write_timeout(Some(Duration::from_secs(1)));
        let _ = socket.send_to(text.as_bytes(), JOURNAL);
    }
}
