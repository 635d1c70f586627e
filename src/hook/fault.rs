//! Why a push could not be judged, or was refused before it was: told three ways.
//!
//! The pusher reads one plain line, the log keeps the causes, the exit code tells the roads apart.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::facts::limits::row;
use crate::message::pusher::Again;
use crate::verdict::line::{Hint, Line};

/// A no without a judgement.
#[derive(Debug)]
pub struct Stop {
    /// What the pusher reads; no server paths, no internals.
    pub told: Line,
    /// What to do, where the pusher can do something.
    pub hint: Option<Hint>,
    /// What the operators read in the log: the sentence and its causes.
    pub reason: String,
    /// Whether somebody has to mend something on the server first.
    pub road: Road,
}

/// The two roads of a no without a judgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Road {
    /// The push itself is refused: exit code 1.
    Refused,
    /// Another push was in the way: exit code 1, and pushing again helps.
    Busy,
    /// The server could not judge: exit code 3.
    Fault,
}

impl Stop {
    /// A push that is refused for what it is.
    pub fn refused(told: Line) -> Self {
        let reason = told.show();
        Self { told, hint: None, reason, road: Road::Refused }
    }

    /// A push that goes past a limit of `[limits]`: which one, how far it reaches, what to do.
    pub fn limit(key: &'static str, limit: usize) -> Self {
        let told = format!("the push goes past the limit `{key}` = {limit}");
        let Some(row) = row(key) else { return Self::refused(Line::new(told)) };
        let hint = format!("{}, or ask for a higher `{key}` in [limits]", row.instead);
        Self::refused(Line::new(format!("{told}: {}", row.doc))).hint(Hint::new(Line::new(hint)))
    }

    /// A fault of the server, with the error that shows it.
    pub fn fault(told: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self {
            told: Line::new(told),
            hint: None,
            reason: format!("{told}: {}", causes(error)),
            road: Road::Fault,
        }
    }

    /// A fault of the server that no error value describes.
    pub fn fault_because(told: &'static str, reason: String) -> Self {
        Self { told: Line::new(told), hint: None, reason, road: Road::Fault }
    }

    /// The same, with something the pusher can do.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Whether pushing the same again may help.
    pub fn again(&self) -> Again {
        match self.road {
            Road::Busy => Again::Helps,
            Road::Refused | Road::Fault => Again::DoesNotHelp,
        }
    }

    /// The exit code of the hook.
    pub const fn code(&self) -> u8 {
        match self.road {
            Road::Refused | Road::Busy => 1,
            Road::Fault => 3,
        }
    }
}

/// An error and what caused it, on one line.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Runs this; a panic in it is a fault of the server, and no way out of the hook.
pub fn caught<T>(run: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(bug(panic.as_ref())))
}

/// A panic, as the operators read it.
fn bug(panic: &(dyn Any + Send)) -> Stop {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no word");
    Stop::fault_because("portcullis met a bug of its own", format!("bug: {text}"))
}

#[cfg(test)]
mod tests {
    use super::{Stop, caught};

    #[test]
    fn j07_a_panic_is_a_fault_with_its_words_in_the_log() {
        let stopped = |run: fn() -> Result<(), Stop>| caught(run).map_err(|s| (s.code(), s.reason));
        assert_eq!(stopped(|| panic!("at {}", 7)), Err((3, "bug: at 7".to_owned())));
        assert_eq!(stopped(|| panic!("plain")), Err((3, "bug: plain".to_owned())));
        let odd = || std::panic::panic_any(7_u8);
        assert_eq!(caught::<()>(odd).map_err(|stop| stop.reason), Err("bug: no word".to_owned()));
        assert_eq!(stopped(|| Ok(())), Ok(()));
    }
}
