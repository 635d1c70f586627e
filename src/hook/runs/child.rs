//! One command: started with nothing of ours, watched, and gone with all it has started when it
//! has ended or its time is up.

use std::ffi::OsStr;
use std::io::{ErrorKind, PipeReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::facts::run::{Ended, RunSeen};

/// Where the new tree stands in the command's folder, and its home.
pub(super) const TREE: &str = "tree";
pub(super) const HOME: &str = "home";

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Sets the bounds that a process passes on to whatever it starts, then becomes the command. Core
/// files are not written; what is larger than a file may be, or takes more processor time than
/// there is time, is ended by the kernel.
const LIMITED: &str = "ulimit -c 0 && ulimit -v \"$1\" && ulimit -t \"$2\" && ulimit -f \"$3\" && \
                       shift 3 && exec \"$@\"";

/// How large a file the command may write, in blocks of 512 bytes: 1 GiB.
const FILE_BLOCKS_MAX: u64 = 2 * 1024 * 1024;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The bounds of one command.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// How much address space each of its processes may take.
    pub memory_mib: u64,
    /// How much of what it writes is kept.
    pub output_bytes: usize,
}

/// A command with nothing of ours in its environment, in a process group of its own.
pub fn scrubbed(words: &[String], home: &Path, limits: &Limits) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(LIMITED).arg("portcullis");
    command.arg((limits.memory_mib * 1024).to_string());
    command.arg((limits.time.as_secs() + 1).to_string());
    command.arg(FILE_BLOCKS_MAX.to_string());
    command.args(words.iter().map(OsStr::new));
    command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8");
    command.env("HOME", home).env("TMPDIR", home);
    command.process_group(0);
    command
}

/// Runs a command in a folder that holds `tree` and `home`.
pub(super) fn run(words: &[String], folder: &Path, input: &[u8], limits: &Limits) -> RunSeen {
    let mut command = scrubbed(words, &folder.join(HOME), limits);
    command.current_dir(folder.join(TREE));
    watched(command, input, limits)
}

/// Starts a command and waits for its end.
pub fn watched(mut command: Command, input: &[u8], limits: &Limits) -> RunSeen {
    let mut seen = RunSeen {
        ended: Ended::NotStarted("it does not start".to_owned()),
        output: Vec::new(),
        cut: false,
        took_ms: 0,
    };
    match start(&mut command) {
        Ok((child, watch)) => seen.ended = watch.until_it_ends(child, input, limits, &mut seen),
        Err(error) => tracing::warn!(reason = %error, "a command does not start"),
    }
    seen
}

/// What is looked at while a command runs.
struct Watch {
    output: PipeReader,
    stdin: Option<ChildStdin>,
    ends: OwnedFd,
    group: Pid,
}

fn start(command: &mut Command) -> std::io::Result<(Child, Watch)> {
    let (output, writer) = std::io::pipe()?;
    command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command's own ends of the pipe are closed here, so that its end is seen.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let stdin = child.stdin.take();
    let watch = watching(&child, output, stdin);
    if watch.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Ok((child, watch?))
}

fn watching(
    child: &Child,
    output: PipeReader,
    stdin: Option<ChildStdin>,
) -> std::io::Result<Watch> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let group = group.ok_or_else(|| std::io::Error::other("no process id"))?;
    let ends = pidfd_open(group, PidfdFlags::empty())?;
    rustix::io::ioctl_fionbio(&output, true)?;
    if let Some(stdin) = &stdin {
        rustix::io::ioctl_fionbio(stdin, true)?;
    }
    Ok(Watch { output, stdin, ends, group })
}

/// What woke us.
#[derive(Clone, Copy, Default)]
struct Woken {
    ended: bool,
    output: bool,
    stdin: bool,
}

impl Watch {
    fn until_it_ends(
        mut self,
        mut child: Child,
        input: &[u8],
        limits: &Limits,
        seen: &mut RunSeen,
    ) -> Ended {
        let until = Instant::now() + limits.time;
        let mut written = 0;
        let mut open = true;
        let in_time = loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break false;
            }
            let Ok(woken) = self.wait(left, open) else { break false };
            if woken.stdin {
                self.feed(input, &mut written);
            }
            if woken.output {
                open = self.hear(limits.output_bytes, seen);
            }
            if woken.ended {
                break true;
            }
        };
        // Whatever it has started ends with it; the leader is not reaped yet, so the name is its own.
        let _ = kill_process_group(self.group, Signal::KILL);
        if open {
            self.hear(limits.output_bytes, seen);
        }
        match (in_time, child.wait()) {
            (false, _) => Ended::TimedOut(limits.time.as_secs()),
            (true, Err(error)) => Ended::NotStarted(error.to_string()),
            (true, Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => Ended::Exited(code),
                (None, signal) => Ended::Signalled(signal.unwrap_or_default()),
            },
        }
    }

    fn wait(&self, left: Duration, output_open: bool) -> std::io::Result<Woken> {
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = vec![PollFd::new(&self.ends, PollFlags::IN)];
        if output_open {
            fds.push(PollFd::new(&self.output, PollFlags::IN));
        }
        let stdin = self.stdin.as_ref().map(|pipe| pipe.as_fd());
        if let Some(stdin) = &stdin {
            fds.push(PollFd::new(stdin, PollFlags::OUT));
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Woken::default()),
            Err(error) => return Err(error.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let ended = ready.next().unwrap_or(false);
        let output = output_open && ready.next().unwrap_or(false);
        let stdin = stdin.is_some() && ready.next().unwrap_or(false);
        Ok(Woken { ended, output, stdin })
    }

    /// Writes more of the input. A command need not read it.
    fn feed(&mut self, input: &[u8], written: &mut usize) {
        let Some(stdin) = &mut self.stdin else { return };
        let rest = input.get(*written..).unwrap_or_default();
        let done = match stdin.write(rest) {
            Ok(bytes) => {
                *written += bytes;
                *written >= input.len() || bytes == 0
            }
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        };
        if done {
            self.stdin = None;
        }
    }

    /// Reads what is there, and keeps the beginning. Whether more may come.
    fn hear(&mut self, keep: usize, seen: &mut RunSeen) -> bool {
        let mut chunk = [0; READ_BYTES];
        // Somebody who writes for ever is not listened to for ever.
        for _ in 0..8 {
            match self.output.read(&mut chunk) {
                Ok(0) => return false,
                Ok(bytes) => {
                    let room = keep - seen.output.len();
                    seen.output.extend(chunk.iter().take(bytes.min(room)));
                    seen.cut |= bytes > room;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
