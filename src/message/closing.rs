//! What the log and the hook know when a judgement is told, and the judgement does not.

use crate::facts::limits::Limits;
use crate::push::pusher::Pusher;

/// What the last lines of a message say beside the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Closing<'a> {
    /// The number of the log's entry; `None` when no entry was written.
    pub entry: Option<u64>,
    /// The log's head after it, its first digits.
    pub head: Option<&'a str>,
    /// Who the pusher is to the gate; told when a push is accepted.
    pub you: Option<&'a Pusher>,
    /// What a refusal stops.
    pub reach: Reach,
    /// How long the message may be.
    pub room: Room,
}

/// How long a message may be. What is cut is counted, and whole in the log.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Lines, the sum included.
    pub lines: usize,
    /// Bytes: well below what a pipe holds, so that a hook never waits for a reader who is gone.
    pub bytes: usize,
}

impl Room {
    /// As a policy has it.
    pub const fn of(limits: &Limits) -> Self {
        Self { lines: limits.message_lines, bytes: limits.message_bytes }
    }
}

impl Default for Room {
    /// As it is where no policy was read.
    fn default() -> Self {
        Self::of(&Limits::default())
    }
}

/// The entry that a no without a judgement has in the log.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// Its number.
    pub entry: u64,
    /// The log's head after it, its first digits.
    pub head: &'a str,
}

/// The line that tells a log's head under a refusal.
pub fn head_line(head: &str) -> String {
    format!("  the log's head after it: {head}")
}

/// What a refusal of one ref means for the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Git updates nothing of the push: pre-receive said no.
    WholePush,
    /// Git updates the refs that are not refused: `[push] refuse = "ref"`.
    RefusedRefs,
    /// One ref is spoken of, the others have their own answer: the update hook said no.
    ThisRef,
}
