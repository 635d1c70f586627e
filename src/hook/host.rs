//! The machine a hook runs on: clock, boot, name, account, and the receive-pack it runs for.
//!
//! Read once a run. What cannot be read has a value that fits nothing else, so that it can never
//! be taken for the same machine, boot or process.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, getppid};

use crate::facts::past::SessionKey;
use crate::log::entry::Session;
use crate::log::file::Ctx;
use crate::log::settle::start_of;
use crate::names::moment::Moment;

/// How far up the process tree receive-pack is looked for: wrappers stand between.
const ANCESTORS_MAX: usize = 16;

/// How much of a file of `/proc` is read at first.
const PROC_BYTES: usize = 4096;

/// The variables that a `git` of ours gets, besides what we tell it: the way to itself, and to the
/// configuration of this account.
pub const GIT_VARIABLES: [&str; 6] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_GLOBAL",
];

/// The circumstances of one run, as the log records them.
pub fn ctx(moment: Moment) -> Ctx {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(uptime.tv_sec).unwrap_or(0);
    let micros = u64::try_from(uptime.tv_nsec / 1000).unwrap_or(0);
    Ctx {
        moment,
        boot: boot(),
        mono_us: seconds.saturating_mul(1_000_000).saturating_add(micros),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        push: random(),
        session: session(),
    }
}

/// The same circumstances for what this process does by itself: it is over when we are.
pub fn own_ctx(ctx: &Ctx) -> Ctx {
    Ctx { session: session_of(u64::from(std::process::id())), ..ctx.clone() }
}

/// The run of receive-pack, as the log compares it.
pub fn session_key(ctx: &Ctx) -> SessionKey {
    SessionKey { boot: ctx.boot.clone(), pid: ctx.session.pid, start: ctx.session.start }
}

/// The run of receive-pack that this process belongs to.
pub fn session_now() -> SessionKey {
    let Session { pid, start } = session();
    SessionKey { boot: boot(), pid, start }
}

/// The nearest ancestor that is git-receive-pack, else the parent.
fn session() -> Session {
    // Asked of the system, for which `/proc/self/stat` would be written out whole.
    let parent = u64::try_from(Pid::as_raw(getppid())).ok();
    let mut pid = parent;
    for _ in 0..ANCESTORS_MAX {
        let Some(at) = pid.filter(|pid| *pid > 1) else { break };
        if is_receive_pack(at) {
            return session_of(at);
        }
        pid = parent_of(&at.to_string());
    }
    parent.map_or(Session { pid: 0, start: 0 }, session_of)
}

fn session_of(pid: u64) -> Session {
    let stat = proc(pid, "stat").unwrap_or_default();
    Session { pid, start: start_of(&stat).unwrap_or(0) }
}

/// By its arguments: `git-receive-pack DIR`, or `git receive-pack DIR`. A shell that was merely
/// handed such a line has it in one argument and does not match.
fn is_receive_pack(pid: u64) -> bool {
    let line = proc(pid, "cmdline").unwrap_or_default();
    let mut args = line.split(|&b| b == 0);
    let program = args.next().unwrap_or_default();
    let name = program.rsplit(|&b| b == b'/').next().unwrap_or_default();
    name == b"git-receive-pack" || (name == b"git" && args.any(|arg| arg == b"receive-pack"))
}

/// The parent of a process: field 4 of `/proc/PID/stat`, counted behind the last parenthesis.
pub(super) fn parent_of(pid: &str) -> Option<u64> {
    let stat = proc(pid, "stat")?;
    let after = stat.iter().rposition(|&b| b == b')')?;
    let text = std::str::from_utf8(stat.get(after + 2..)?).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

/// The name of the account the hook runs as, by passwd(5).
pub fn os_user() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The account this runs as, for a record: its name, or its number where it has none.
pub fn account() -> String {
    let number = rustix::process::getuid().as_raw();
    os_user().unwrap_or_else(|| format!("account {number}"))
}

fn boot() -> String {
    read_line("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// A file that tells of a process. Its length is not known beforehand, and nearly always one page:
/// so one is there to be read into.
fn proc(pid: impl std::fmt::Display, name: &str) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::with_capacity(PROC_BYTES);
    // Without `take` the file would be asked for its length, which is always 0.
    let file = fs::File::open(format!("/proc/{pid}/{name}")).ok()?;
    file.take(u64::MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn read_line(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(path)).ok().map(|text| text.trim_end().to_owned())
}

fn random() -> [u8; 16] {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    // A number that is not random names the run all the same: the log's own sequence tells runs
    // apart.
    let _ = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    bytes
}
