//! A place for one test: a folder that vanishes, and children that see nothing of this machine.
//!
//! Every child process of every test is made by [`Ground::command`]: its environment is cleared,
//! its HOME is in the folder, Git reads no file of the system, names and dates are fixed. So oids
//! are the same everywhere and nothing depends on who runs the tests.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");

/// The first date that a commit of a test gets; each child gets the next second.
const FIRST_SECOND: u64 = 1_767_225_600; // 2026-01-01T00:00:00Z

/// Settings that every Git of a test has, and no others.
const GIT_CONFIG: &str = "[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n\
    [maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n[advice]\n\tdetachedHead = false\n\
    [protocol \"file\"]\n\tallow = always\n[core]\n\tfsync = none\n[user]\n\tuseConfigOnly = true\n";

/// A folder for one test, and the way to run a child in it.
#[derive(Debug)]
pub(crate) struct Ground {
    folder: TempDir,
    seconds: AtomicU64,
}

/// How much memory has to be free for the tests to work there.
const MEMORY_BYTES_MIN: u64 = 2 << 30;

/// Where the folders of tests are made: thousands of small repositories come and go, and on a disk
/// that is a third of what the tests wait for. In memory, unless `TMPDIR` says where, or there is
/// too little, or it runs no programs, as in most containers.
fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let fits = |it: StatVfs| {
        it.f_bavail.saturating_mul(it.f_frsize) >= MEMORY_BYTES_MIN
            && !it.f_flag.contains(StatVfsMountFlags::NOEXEC)
    };
    if std::env::var_os("TMPDIR").is_none() && statvfs(memory).is_ok_and(fits) {
        return memory.to_owned();
    }
    std::env::temp_dir()
}

/// Where a program is that is called by its name. Given a path, a child is started without copying
/// this process first, which is a quarter of what the tests would cost.
fn found(program: &OsStr) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let bare = !program.as_bytes().contains(&b'/');
    let at = |folder: PathBuf| Some(folder.join(program)).filter(|file| file.is_file());
    std::env::split_paths(&path).filter(|_| bare).find_map(at).unwrap_or_else(|| program.into())
}

impl Ground {
    /// Makes the folder and the Git settings in it.
    pub(crate) fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("portcullis-it-").tempdir_in(parent()).unwrap();
        fs::write(folder.path().join("gitconfig"), GIT_CONFIG).unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { folder, seconds: AtomicU64::new(FIRST_SECOND) }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A child that runs `program` and sees only what a test gives it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let date = format!("{} +0000", self.seconds.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(found(program.as_ref()));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("TMPDIR", self.at("tmp"))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.at("gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", "Nobody")
            .env("GIT_AUTHOR_EMAIL", "nobody@example.org")
            .env("GIT_COMMITTER_NAME", "Nobody")
            .env("GIT_COMMITTER_EMAIL", "nobody@example.org")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .stdin(Stdio::null());
        command
    }

    /// `git` in a folder, as nobody in particular.
    pub(crate) fn git(&self, folder: &Path) -> Command {
        let mut git = self.command("git");
        git.arg("-C").arg(folder);
        git
    }

    /// The program under test, as nobody in particular.
    pub(crate) fn portcullis(&self) -> Command {
        self.command(PORTCULLIS)
    }
}

/// Runs a child to its end, whatever that is.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"))
}

/// Runs a child that has to succeed, and returns its stdout.
pub(crate) fn bytes(command: &mut Command) -> Vec<u8> {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs a child that has to succeed, and returns its stdout as trimmed text.
pub(crate) fn text(command: &mut Command) -> String {
    String::from_utf8(bytes(command)).unwrap().trim_end().to_owned()
}

/// Runs a child with these bytes on its stdin, whether it reads them or not.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A child may end without reading: that is its affair, and what it says is what counts.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Set by `.ci/run`: there, what a test needs is installed, and to skip is to fail.
const NO_SKIP: &str = "PORTCULLIS_TEST_NO_SKIP";

/// Says that a test could not be made here, and why.
#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
pub(crate) fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// Says that a test could not be made here for want of a program; where `.ci/run` has installed
/// what there is to install, that is a failure.
pub(crate) fn missing(why: &str) {
    assert!(std::env::var_os(NO_SKIP).is_none(), "{why}");
    skipped(why);
}
