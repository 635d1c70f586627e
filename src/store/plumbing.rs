//! Runs git for reading, with nothing of the surroundings.
//!
//! Used by `view`, `catfile` and `reftables`. No user's or system's configuration, no replace refs, nothing
//! fetched, no prompt, no pager; time and length of every answer have a bound. Nothing that a pusher
//! chose is an argument.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::names::escape::escape;
use crate::store::error::StoreError;

/// How long git may take for one answer.
pub(super) const GIT_SECONDS_MAX: u64 = 60;

/// How much git may print for one answer, in bytes.
const GIT_OUTPUT_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How much of what git complains is kept, in bytes.
const STDERR_BYTES_MAX: u64 = 64 * 1024;

/// How much of it is shown, in bytes.
const SAID_BYTES_MAX: usize = 400;

/// What git answered.
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// `git VERB` for the repository in this folder.
pub(super) fn command(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new("git");
    command.args(["--no-pager", "--git-dir=.", verb]).current_dir(folder);
    // Nothing of the surroundings but the way to git itself. One by one, since after `env_clear`
    // the whole process would be forked, which takes longer than git does.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name != "PATH") {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
    command.env("HOME", folder);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_ATTR_NOSYSTEM", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// Asks git one thing.
pub(super) fn ask(
    folder: &Path,
    verb: &'static str,
    args: &[impl AsRef<OsStr>],
    stdin: &[u8],
) -> Result<Answer, StoreError> {
    let mut command = command(folder, verb);
    command.args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawn_failed = |source| StoreError::Spawn { verb, source };
    let mut child = command.spawn().map_err(spawn_failed)?;
    let answer = converse(&mut child, stdin);
    if answer.is_err() {
        // It may have ended already; then there is nothing to stop.
        let _ = child.kill();
        let _ = child.wait();
    }
    answer.map_err(spawn_failed)
}

/// Feeds git and hears it out, within the limits of time and length.
fn converse(child: &mut Child, input: &[u8]) -> io::Result<Answer> {
    let (Some(mut stdin), Some(stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("a pipe is missing"));
    };
    let input = input.to_vec();
    // Each pipe needs someone at its end, or both sides would wait for each other.
    std::thread::spawn(move || stdin.write_all(&input));
    let (said, hear) = mpsc::channel();
    let (complained, hear_complaint) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(GIT_OUTPUT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
        said.send(read.map(|_| bytes))
    });
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stderr.by_ref().take(STDERR_BYTES_MAX).read_to_end(&mut bytes);
        // The rest is thrown away, but has to be read.
        let _ = io::copy(&mut stderr, &mut io::sink());
        complained.send(read.map(|_| bytes))
    });
    let patience = Duration::from_secs(GIT_SECONDS_MAX);
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it took too long");
    let stdout = hear.recv_timeout(patience).map_err(late)??;
    if stdout.len() > GIT_OUTPUT_BYTES_MAX {
        return Err(io::Error::other("it printed too much"));
    }
    let stderr = hear_complaint.recv_timeout(patience).map_err(late)??;
    Ok(Answer { code: child.wait()?.code(), stdout, stderr })
}

/// The error for an answer that is none.
pub(super) fn failed(verb: &'static str, answer: &Answer) -> StoreError {
    let said = answer.stderr.split(|&b| b == b'\n').next().unwrap_or_default();
    StoreError::Git { verb, stderr: escape(said.get(..SAID_BYTES_MAX).unwrap_or(said)) }
}
