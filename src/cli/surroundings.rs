//! What the process was given: arguments, environment, directory, clock.
//!
//! Made by `main` once; read by the verbs. Nothing below `main` asks the process for these, so a
//! test can hand in any of them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cli::fault::Fault;
use crate::names::moment::Moment;
use crate::push::env::Env;

/// The world around one run of the program, as values.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// `argv`, the program's own name first.
    pub arguments: Vec<OsString>,
    /// The environment. It may hold passwords (`HTTP_AUTHORIZATION`): never print it whole.
    pub environment: Env,
    /// The working directory; `None` when it is gone.
    pub directory: Option<PathBuf>,
    /// The running program's file, symlinks resolved; `None` when the system would not say.
    pub executable: Option<PathBuf>,
    /// The moment the program was started.
    pub now: Moment,
}

impl Surroundings {
    /// The value of an environment variable; `None` when it is unset or empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(name).filter(|value| !value.is_empty())
    }

    /// The path as seen from the working directory, `.` and doubled slashes removed, symlinks
    /// kept. Faults when the path is relative and there is no working directory.
    pub fn absolute(&self, path: &Path) -> Result<PathBuf, Fault> {
        if path.is_absolute() {
            return Ok(path.components().collect());
        }
        let directory = self.directory.as_deref().ok_or_else(|| {
            Fault::new("the working directory is gone").hint("cd to one that exists")
        })?;
        Ok(directory.join(path).components().collect())
    }
}
