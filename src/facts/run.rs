//! What became of a command that a rule has run.
//!
//! Made by `hook::runs`; read by the rule `run`. The command saw the push; the rule sees only this.

/// A command that was run, or could not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSeen {
    /// How it ended.
    pub ended: Ended,
    /// The beginning of what it wrote, standard output and error together, any bytes.
    pub output: Vec<u8>,
    /// Whether it wrote more than is kept.
    pub cut: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It was killed because its time, in seconds, was up.
    TimedOut(u64),
    /// It was not started, for this reason.
    NotStarted(String),
}
