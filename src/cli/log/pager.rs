//! Long text for a person on a terminal, through the pager that Git would use.
//!
//! `GIT_PAGER`, then `PAGER`, then `less`, run by the shell (git-var(1)), with `LESS=FRX` and
//! `LV=-c` where they are not set. Git's `core.pager` is left out: it may stand in the
//! configuration of the repository that is looked at, and an operator who reads somebody else's
//! log runs nobody else's command. Where standard output is no terminal there is no pager.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Child, Command, Stdio};

use crate::cli::fault::{Fault, OrFault as _};
use crate::cli::surroundings::Surroundings;

/// The shell that pagers are run by, as Git does.
const SHELL: &str = "/bin/sh";

/// A running pager. Text is written to it; it is waited for when it is done with.
pub struct Pager {
    child: Child,
}

impl Pager {
    /// Starts the pager. `None` when there is nobody to page for, or no pager is wanted; also when
    /// it cannot be started, because text that scrolls by is better than none.
    pub fn start(around: &Surroundings) -> Option<Self> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let command = command_line(around)?;
        let mut shell = Command::new(SHELL);
        shell.arg("-c").arg(&command).stdin(Stdio::piped());
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if !around.environment.has(name) {
                shell.env(name, value);
            }
        }
        shell.spawn().ok().map(|child| Self { child })
    }

    /// Where to write the text. Can be taken once.
    pub fn take_input(&mut self) -> Option<Box<dyn io::Write>> {
        let input = self.child.stdin.take()?;
        Some(Box::new(io::BufWriter::new(input)))
    }

    /// Waits until the person has read enough.
    pub fn wait(mut self) -> Result<(), Fault> {
        drop(self.child.stdin.take());
        self.child.wait().or_fault(|| "could not wait for the pager".into())?;
        io::stdout().flush().or_fault(|| "could not write to standard output".into())
    }
}

/// The pager's command line. `None` when it is empty or `cat`: no pager is wanted.
fn command_line(around: &Surroundings) -> Option<OsString> {
    let set = ["GIT_PAGER", "PAGER"].iter().find_map(|name| around.environment.get(name));
    let command = set.unwrap_or(OsStr::new("less"));
    (!command.is_empty() && command != "cat").then(|| command.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::moment::Moment;
    use crate::push::env::Env;

    fn chosen(vars: &[(&str, &str)]) -> Option<OsString> {
        let vars = vars.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        command_line(&Surroundings {
            arguments: Vec::new(),
            environment: Env::new(vars),
            directory: None,
            executable: None,
            now: Moment::from_seconds(0),
        })
    }

    #[test]
    fn the_pager_is_the_one_that_git_would_use() {
        assert_eq!(chosen(&[]), Some("less".into()));
        assert_eq!(chosen(&[("PAGER", "more")]), Some("more".into()));
        assert_eq!(chosen(&[("PAGER", "more"), ("GIT_PAGER", "less -S")]), Some("less -S".into()));
        assert_eq!(chosen(&[("PAGER", "more"), ("GIT_PAGER", "")]), None);
        assert_eq!(chosen(&[("PAGER", "cat")]), None);
    }
}
