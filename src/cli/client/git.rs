//! Runs `git` in a person's clone, as that person would.
//!
//! Unlike `cli::git`, which asks about a server's repository, the whole environment is passed on:
//! credentials, agents, ssh settings and `GIT_DIR` are the person's own. Replacement objects are
//! turned off, so that what is signed is what is there.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::git::find_program;
use crate::cli::surroundings::Surroundings;
use crate::names::escape::escape;

/// How many lines of Git's complaints are passed on.
const LINES_MAX: usize = 8;

/// `git` in one clone.
#[derive(Clone, Debug)]
pub struct CloneGit {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
}

impl CloneGit {
    /// The clone that the working directory lies in.
    pub fn here(around: &Surroundings) -> Result<Self, Fault> {
        let path = around.variable("PATH").unwrap_or_default();
        let program = find_program(OsStr::new("git"), path)
            .ok_or_else(|| Fault::new("git is not in PATH").hint("install it: apt install git"))?;
        let directory = around.absolute(".".as_ref())?;
        let environment = around
            .environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain([("GIT_NO_REPLACE_OBJECTS".into(), "1".into())])
            .collect();
        let git = Self { program, environment, directory };
        if git.maybe(&["rev-parse", "--git-dir"])?.is_none() {
            return Err(Fault::new("this is no Git repository")
                .hint("run it in your clone of the repository: cd CLONE"));
        }
        Ok(git)
    }

    /// The same clone, with one variable more in the environment.
    #[must_use]
    pub fn with(&self, name: &str, value: impl Into<OsString>) -> Self {
        let mut git = self.clone();
        git.environment.push((name.into(), value.into()));
        git
    }

    /// Runs `git` with this on its standard input, and returns whatever it answers.
    pub fn output(&self, arguments: &[&str], input: &[u8]) -> Result<Output, Fault> {
        self.run_program(&mut Command::new(&self.program), arguments, input)
    }

    /// Runs any program in the clone with this on its standard input; both outputs are caught.
    pub fn run_program(
        &self,
        command: &mut Command,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Output, Fault> {
        let name = escape(command.get_program().as_encoded_bytes());
        let sentence = || format!("could not run {name}");
        let mut child = self
            .in_clone(command)
            .args(arguments)
            .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .or_fault(sentence)?;
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // Fed from a second thread: a program that answers while it reads would wait for us,
            // and we for it. One that stops reading early says why in its output.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        })
        .or_fault(sentence)
    }

    /// Gives a command the clone's directory and the person's environment.
    pub fn in_clone<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
    }

    /// What `git` prints; a fault when it says no.
    pub fn bytes(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Fault> {
        let output = self.output(arguments, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(said_no(arguments, &output.stderr))
    }

    /// The one line that `git` prints; a fault when it says no.
    pub fn line(&self, arguments: &[&str]) -> Result<String, Fault> {
        let bytes = self.bytes(arguments, b"")?;
        text_line(&bytes).ok_or_else(|| said_no(arguments, b"its answer is not UTF-8"))
    }

    /// The one line that `git` prints; `None` when it says no, or nothing.
    pub fn maybe(&self, arguments: &[&str]) -> Result<Option<String>, Fault> {
        let output = self.output(arguments, b"")?;
        let line = text_line(&output.stdout).filter(|line| !line.is_empty());
        Ok(line.filter(|_| output.status.success()))
    }

    /// A setting of the person's or the clone's; `None` when it is unset or empty.
    pub fn setting(&self, key: &str) -> Result<Option<String>, Fault> {
        self.maybe(&["config", "--get", key])
    }

    /// As `setting`, with `~` resolved.
    pub fn path_setting(&self, key: &str) -> Result<Option<String>, Fault> {
        self.maybe(&["config", "--type=path", "--get", key])
    }
}

/// A `git` that said no, with its own words as causes.
pub fn said_no(arguments: &[&str], stderr: &[u8]) -> Fault {
    let verb = arguments.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let mut fault = Fault::new(format!("git {verb} failed"));
    for line in stderr.split(|&b| b == b'\n').filter(|line| !line.is_empty()).take(LINES_MAX) {
        fault = fault.cause(escape(line));
    }
    fault
}

fn text_line(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_suffix('\n').unwrap_or(text).to_owned())
}
