//! A client that leaves before it should, or does not listen: a raw push, stopped at any step.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::ground::{Ground, text};
use crate::support::objects::packed;
use crate::support::person::Person;

/// How long anything of a push may take. Nothing does, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a client hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It has heard which refs there are.
    Greeting,
    /// It has said some of its first command.
    HalfACommand,
    /// It has said what it wants, and sends no pack.
    Commands,
    /// It has sent some of the pack.
    HalfAPack,
    /// It has said everything, and hears nothing.
    Everything,
}

/// Every step of a push, in order.
pub(crate) const STEPS: [Step; 5] =
    [Step::Greeting, Step::HalfACommand, Step::Commands, Step::HalfAPack, Step::Everything];

impl Step {
    /// What of a request is sent up to here.
    pub(crate) fn of<'r>(&self, request: &'r [u8]) -> &'r [u8] {
        let pack = request.windows(4).position(|four| four == b"PACK").unwrap();
        match self {
            Self::Greeting => &[],
            Self::HalfACommand => &request[..30],
            Self::Commands => &request[..pack],
            Self::HalfAPack => &request[..usize::midpoint(pack, request.len())],
            Self::Everything => request,
        }
    }
}

/// A program that speaks the protocol, greeted.
pub(crate) struct Talk {
    pub(crate) child: Child,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
}

impl Talk {
    /// Starts it and hears which refs there are, up to the flush that ends that.
    pub(crate) fn with(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let (stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut heard = Vec::new();
        while !heard.ends_with(b"0000") {
            let mut byte = [0];
            stdout.read_exact(&mut byte).unwrap();
            heard.push(byte[0]);
        }
        Self { child, stdin, stdout }
    }

    /// Says this, hears nothing and goes.
    pub(crate) fn says_and_goes(self, words: &[u8]) -> Child {
        let Self { child, mut stdin, stdout } = self;
        // The other side may have gone first.
        drop(stdin.write_all(words));
        drop((stdin, stdout));
        child
    }
}

/// A pack with a commit and what the server's `main` does not have of it.
pub(crate) fn pack_of(person: &Person, tip: &str) -> Vec<u8> {
    let known = format!("^{}", person.oid("origin/main"));
    packed(person, &["--revs", "--thin"], &[tip, &known])
}

/// Waits until nobody is at work in a repository; hooks and receive-packs are.
#[track_caller]
pub(crate) fn rests(repository: &Path) {
    let begin = Instant::now();
    let repository = fs::canonicalize(repository).unwrap();
    let at_work = || {
        let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        all.map(|entry| entry.path())
            .any(|it| fs::read_link(it.join("cwd")).is_ok_and(|cwd| cwd == repository))
    };
    while at_work() {
        assert!(begin.elapsed() < PATIENCE, "somebody hangs in {}", repository.display());
        std::thread::yield_now();
    }
}

/// Nothing in a repository is locked.
#[track_caller]
pub(crate) fn is_free(ground: &Ground, repository: &Path) {
    let mut find = ground.command("find");
    find.arg(repository).args(["-name", "*.lock"]);
    assert_eq!(text(&mut find), "", "locked");
}

/// The Gits of this machine, one of each version: a search path with it in front, and its name.
pub(crate) fn gits(ground: &Ground) -> Vec<(OsString, String)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(["/usr/local/bin", "/usr/bin"].map(PathBuf::from))
        .collect();
    let mut found: Vec<(OsString, String)> = Vec::new();
    for folder in folders.iter().filter(|folder| folder.join("git").is_file()) {
        let version = text(ground.command(folder.join("git")).arg("--version"));
        if found.iter().all(|(_, known)| *known != version) {
            let first = std::iter::once(folder).chain(&folders);
            found.push((std::env::join_paths(first).unwrap(), version));
        }
    }
    found
}
