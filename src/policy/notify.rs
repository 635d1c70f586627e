//! `[notify]`: a command that is told what has happened (product contract, section 4).
//!
//! It hears of things when they are over, so that nothing it does can change or delay an answer.

use crate::rules::run::command;
use crate::source::duration;
use crate::source::problem::Problems;
use crate::source::table::{Keys, Table, pick};

/// What may stand in `[notify]`.
pub const NOTIFY_KEYS: [&str; 3] = ["command", "on", "timeout"];

/// How long the command may take for one event without a word, in seconds, and with one.
const TIMEOUT_SECONDS: u64 = 30;
const TIMEOUT_SECONDS_MAX: u64 = 600;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A ref has moved by a push that was judged.
    Landed,
    /// A push was refused, or could not be judged.
    Refused,
    /// Somebody broke the glass.
    BreakGlass,
    /// A ref was found moved past the gate.
    Drift,
}

/// The events, as a policy names them.
pub const EVENTS: [(&str, Event); 4] = [
    ("landed", Event::Landed),
    ("refused", Event::Refused),
    ("break-glass", Event::BreakGlass),
    ("drift", Event::Drift),
];

impl Event {
    /// The word a policy has for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Landed => "landed",
            Self::Refused => "refused",
            Self::BreakGlass => "break-glass",
            Self::Drift => "drift",
        }
    }
}

/// Who is told, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What it hears of.
    pub on: Vec<Event>,
    /// How long it may take for one event.
    pub timeout_seconds: u64,
}

/// Reads the table. `None` goes with at least one problem.
pub(super) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Notify> {
    let before = problems.errors();
    let command = command(&mut table, problems);
    let on = match table.texts("on", problems) {
        Some(list) => {
            if list.value.is_empty() {
                let hint = "name some, or take the key out: then it is all of them";
                problems.error_hint(&list.spot, "`on` is empty, so nobody is told", hint);
            }
            let words = list.value.iter();
            words
                .filter_map(|word| pick(word, "no such event", &EVENTS, problems))
                .map(|it| it.value)
                .collect()
        }
        None => EVENTS.iter().map(|(_, event)| *event).collect(),
    };
    let timeout_seconds = timeout(&mut table, problems);
    table.finish(Keys { known: &NOTIFY_KEYS, later: &[] }, problems);
    let notify = Notify { command: command?, on, timeout_seconds };
    (problems.errors() == before).then_some(notify)
}

fn timeout(table: &mut Table<'_>, problems: &mut Problems) -> u64 {
    let Some(written) = table.text("timeout", problems) else { return TIMEOUT_SECONDS };
    let seconds = duration::seconds(&written.value).and_then(|s| u64::try_from(s).ok());
    let fits = seconds.filter(|seconds| *seconds <= TIMEOUT_SECONDS_MAX);
    fits.unwrap_or_else(|| {
        let hint = "a whole number and a unit, ten minutes at most: \"30s\"";
        problems.error_hint(&written.spot, "this is no length of time for a word", hint);
        TIMEOUT_SECONDS
    })
}
