//! What a verb is: its name, its group in the help, its arguments, what it does.
//!
//! Each verb's file makes one; `cli/mod.rs` lists them all. Kept apart from the roof so that the
//! verbs do not import the table they stand in.

use clap::{ArgMatches, Command};

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Console;
use crate::cli::surroundings::Surroundings;

/// Under which heading of `-h` a verb stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// For whoever runs the server.
    Server,
    /// For whoever writes and reviews changes.
    People,
    /// For whoever wants to know what happened.
    Audit,
    /// The rest.
    Other,
    /// Not shown: called by programs.
    Hidden,
}

impl Group {
    /// The groups that `-h` shows, in its order.
    pub const SHOWN: [Self; 4] = [Self::Server, Self::People, Self::Audit, Self::Other];

    /// The heading in the help.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Server => "On the server",
            Self::People => "Writing and reviewing changes",
            Self::Audit => "What happened",
            Self::Other => "Other",
            Self::Hidden => "Hidden",
        }
    }
}

/// One verb of the program.
pub struct Verb {
    /// Where the help shows it.
    pub group: Group,
    /// Its name, texts and arguments, for clap.
    pub command: fn() -> Command,
    /// Does it.
    pub run: fn(&mut Call<'_>) -> Result<Exit, Fault>,
}

/// One call of a verb.
pub struct Call<'a> {
    /// The verb's own arguments.
    pub matches: &'a ArgMatches,
    /// The whole program's command line, for the verbs that describe it.
    pub program: &'a Command,
    /// What the process was given.
    pub around: &'a Surroundings,
    /// Where to write.
    pub console: &'a mut Console,
}

impl Call<'_> {
    /// The verb's arguments as its own type.
    pub fn arguments<A: clap::FromArgMatches>(&self) -> Result<A, Fault> {
        // clap has checked the matches against the type that also described them; what can still
        // fail is a bug of ours, and a bug must not become a yes.
        A::from_arg_matches(self.matches).map_err(|error| Fault::mistyped(error.to_string()))
    }
}
