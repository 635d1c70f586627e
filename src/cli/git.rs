//! Runs `git` for the verbs, by absolute path and in a clean environment.
//!
//! Used by `site`, `install`, `uninstall` and `doctor`. The hooks do not come here. Of the caller's
//! environment only what decides which configuration Git reads is passed on, so that neither
//! `GIT_CONFIG_PARAMETERS` nor `GIT_DIR` can turn an answer round.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::cli::config::Config;
use crate::cli::configfile::{self, Change, Keep, Locked};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files::Durable;
use crate::cli::quote::{shell, shown};
use crate::cli::surroundings::Surroundings;
use crate::hook::host::GIT_VARIABLES;
use crate::names::escape::escape;

/// `git` asks for this exit code when a key is not there (git-config(1)).
const KEY_ABSENT: i32 = 1;

/// `git config --unset` answers this when there is nothing to unset (git-config(1)).
const NOTHING_TO_UNSET: i32 = 5;

/// The program `git` of this machine.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Git {
    /// Looks `git` up in `PATH`; only absolute entries count.
    pub fn find(around: &Surroundings) -> Result<Self, Fault> {
        let path = around.variable("PATH").unwrap_or_default();
        let program = find_program(OsStr::new("git"), path)
            .ok_or_else(|| Fault::new("git is not in PATH").hint("install it: apt install git"))?;
        let environment = GIT_VARIABLES
            .iter()
            .filter_map(|name| Some(((*name).into(), around.environment.get(name)?.to_owned())))
            .chain([("LC_ALL".into(), "C".into())])
            .collect();
        Ok(Self { program, environment })
    }

    /// Runs `git --git-dir=DIR ARGUMENTS` and returns what it printed. A Git that says no is a
    /// fault with Git's own words as its cause.
    pub fn run(&self, git_dir: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>, Fault> {
        let output = self.output(git_dir, arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(Self::said_no(git_dir, arguments, &output))
    }

    /// The configuration in force for this repository and account.
    pub fn config(&self, git_dir: &Path) -> Result<Config, Fault> {
        let arguments = ["config", "--list", "--show-scope", "--show-origin", "-z"].map(OsStr::new);
        let listing = self.run(git_dir, &arguments)?;
        Config::parse(&listing)
            .ok_or_else(|| Fault::new("could not read what git says of its configuration"))
    }

    /// A key as a path, `~` resolved by Git; `None` when it is unset.
    pub fn config_path(&self, git_dir: &Path, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        let arguments = ["config", "--type=path", "-z", "--get", key].map(OsStr::new);
        let output = self.output(git_dir, &arguments)?;
        match output.status.code() {
            Some(0) => {
                Ok(Some(output.stdout.strip_suffix(b"\0").unwrap_or(&output.stdout).to_vec()))
            }
            Some(KEY_ABSENT) => Ok(None),
            Some(_) | None => Err(Self::said_no(git_dir, &arguments, &output)),
        }
    }

    /// Makes these changes to the repository's own configuration, all of them or none.
    pub fn configure(&self, git_dir: &Path, changes: &[Change]) -> Result<(), Fault> {
        self.configure_keeping(git_dir, changes, None, Durable::AtOnce)
    }

    /// The same; what stood there before us is kept in this file. Keys that were not there are added
    /// without a process for each.
    pub fn configure_keeping(
        &self,
        git_dir: &Path,
        changes: &[Change],
        keep: Option<(&Path, Keep)>,
        durable: Durable,
    ) -> Result<(), Fault> {
        let could_not = || format!("could not change {}", shown(&git_dir.join("config")));
        let locked = lock_config(git_dir)?;
        let is_new = |change: &&Change| {
            !change.values.is_empty() && !configfile::has(locked.copy(), change.key)
        };
        let new: Vec<Change> = changes.iter().filter(is_new).cloned().collect();
        let new = configfile::in_order(&new);
        let others = changes.iter().filter(|change| !new.contains(change));
        others.into_iter().try_for_each(|change| self.apply(git_dir, locked.copy(), change))?;
        if !locked.append(&new).or_fault(could_not)? {
            new.iter().try_for_each(|change| self.apply(git_dir, locked.copy(), change))?;
        }
        locked.place(keep, durable).or_fault(could_not)
    }

    fn apply(&self, git_dir: &Path, file: &Path, change: &Change) -> Result<(), Fault> {
        let [config, in_file, unset, add] =
            ["config", "--file", "--unset-all", "--add"].map(OsStr::new);
        let key = OsStr::new(change.key);
        let output = self.output(git_dir, &[config, in_file, file.as_os_str(), unset, key])?;
        if !matches!(output.status.code(), Some(0 | NOTHING_TO_UNSET)) {
            return Err(Self::said_no(git_dir, &[config], &output));
        }
        for value in &change.values {
            self.run(git_dir, &[config, in_file, file.as_os_str(), add, key, value])?;
        }
        Ok(())
    }

    /// What Git answers, whatever it is.
    pub fn output(&self, git_dir: &Path, arguments: &[&OsStr]) -> Result<Output, Fault> {
        let mut directory = OsString::from("--git-dir=");
        directory.push(git_dir);
        Command::new(&self.program)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .arg(directory)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .or_fault(|| format!("could not run {}", shown(&self.program)))
    }

    fn said_no(git_dir: &Path, arguments: &[&OsStr], output: &Output) -> Fault {
        let verb = arguments.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let mut fault = Fault::new(format!("git {verb} failed in {}", shown(git_dir)));
        let said = output.stderr.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        for line in said.take(LINES_MAX) {
            fault = fault.cause(escape(line));
        }
        match output.stderr.windows(EXTENSION.len()).any(|words| words == EXTENSION) {
            true => fault.hint("a newer git reads it: refs kept as reftable need 2.45"),
            false => fault,
        }
    }
}

/// What Git says of a repository that was made for a newer one.
const EXTENSION: &[u8] = b"unknown repository extension";

/// Locks a repository's own configuration.
pub fn lock_config(git_dir: &Path) -> Result<Locked, Fault> {
    let could_not = || format!("could not change {}", shown(&git_dir.join("config")));
    Locked::take(git_dir).map_err(|error| {
        let fault = Fault::caused(could_not(), &error);
        if error.kind() != ErrorKind::AlreadyExists {
            return fault;
        }
        let lock = shell(&Locked::path(git_dir));
        fault.hint(format!("if no git runs there now: rm {lock}"))
    })
}

/// How many lines of Git's complaints are passed on.
const LINES_MAX: usize = 5;

/// The first executable file of this name in the absolute folders of a `PATH`.
pub fn find_program(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether this is a regular file that somebody may run.
pub fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
