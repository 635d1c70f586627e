//! What `doctor` finds: what is so, why it matters, and the commands that mend it.
//!
//! Made by the checks, shown by `doctor/mod.rs`. Plain data, so that the terminal and `--json` say
//! the same.

use std::path::PathBuf;

use crate::cli::configfile::Change;
use crate::cli::platform::Place;
use crate::cli::quote::shell;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Pushes go unjudged, or all are refused, or what was judged can be changed.
    Error,
    /// It weakens the gate.
    Warning,
    /// It would be better otherwise.
    Note,
}

impl Level {
    /// The word for it, in messages and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The name to search for and to filter by: `hook-not-executable`.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is so.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What mends it: commands to copy, or a sentence where there is no command.
    pub mend: Vec<String>,
    /// What `--fix` does about it; `None`: an operator has to decide.
    pub fix: Option<Fix>,
}

/// A mend that cannot make anything worse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fix {
    /// Gives a file or folder this mode.
    Chmod {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Changes a key of the repository's configuration.
    Configure(Change),
    /// Writes a hook of ours where there is none, or an outdated one of ours.
    PutHook {
        /// Where.
        place: Place,
        /// What goes into the file.
        bytes: Vec<u8>,
    },
    /// Takes files of ours away that an interrupted write has left.
    Remove {
        /// The files.
        paths: Vec<PathBuf>,
    },
}

impl Finding {
    /// A finding that nothing mends yet.
    pub fn new(
        level: Level,
        check: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self { check, level, what: what.into(), why: why.into(), mend: Vec::new(), fix: None }
    }

    /// The same, with a command that mends it.
    #[must_use]
    pub fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend.push(command.into());
        self
    }

    /// The same, mended by giving this path this mode.
    #[must_use]
    pub fn chmod(mut self, path: &std::path::Path, mode: u32) -> Self {
        self.mend.push(format!("chmod {mode:o} {}", shell(path)));
        self.fix = Some(Fix::Chmod { path: path.to_owned(), mode });
        self
    }

    /// The same, which `--fix` mends so.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// The same, mended by setting this key in this repository's configuration.
    #[must_use]
    pub fn set(mut self, git_dir: &std::path::Path, key: &'static str, value: &str) -> Self {
        self.mend.push(format!("git --git-dir={} config {key} {value}", shell(git_dir)));
        self.fix = Some(Fix::Configure(Change { key, values: vec![value.into()] }));
        self
    }
}
