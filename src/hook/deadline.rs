//! The deadline of a run: past it the answer is no (Git itself never ends a hook that hangs).
//!
//! A thread waits beside the judging. When time is up it writes a refusal, tells the pusher, and
//! ends the process; a decision written at the same moment is found not applied by the next push.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::hook::answer::stop_text;
use crate::hook::fault::{Road, Stop};
use crate::hook::tell::tell;
use crate::log::book::Log;
use crate::log::decision::Hook;
use crate::log::entry::{Record, Refusal};
use crate::log::file::{Appended, Ctx};
use crate::log::wire::Text;
use crate::verdict::line::Line;

/// A running deadline; it is called off when dropped.
#[derive(Debug)]
pub struct Deadline {
    _called_off: Sender<()>,
}

/// Starts the clock for a run.
pub fn start(seconds: u64, log: PathBuf, ctx: Ctx, hook: Hook, help: Option<String>) -> Deadline {
    let (called_off, wait) = channel();
    std::thread::spawn(move || {
        if wait.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            let text = over(seconds, log, &ctx, hook, help.as_deref());
            tell(&text);
            end();
        }
    });
    Deadline { _called_off: called_off }
}

fn over(seconds: u64, log: PathBuf, ctx: &Ctx, hook: Hook, help: Option<&str>) -> String {
    let told = format!("judging took longer than {seconds} seconds, the limit `deadline-seconds`");
    let stop = Stop { road: Road::Fault, ..Stop::refused(Line::new(told)) };
    let record = Record::Refusal(Refusal {
        hook,
        actor: None,
        of: None,
        refs: Vec::new(),
        reason: Text(stop.reason.clone().into_bytes()),
        fault: true,
    });
    let receipt = match Log::open(&log).and_then(|mut log| log.append(&[record], ctx, None)) {
        Ok(Appended::Written(receipt)) => Some(receipt),
        Ok(Appended::Moved(_) | Appended::Held) | Err(_) => None,
    };
    stop_text(&stop, help, receipt.as_ref())
}

#[expect(clippy::exit, reason = "the judging thread cannot be stopped any other way")]
#[expect(clippy::disallowed_methods, reason = "as above")]
fn end() -> ! {
    std::process::exit(3)
}
