//! The deadline of a run: past it the answer is no (Git itself never ends a hook that hangs).
//!
//! A thread waits beside everything else: reading what Git writes, waiting for the log's lock,
//! judging, an earlier hook, printing. When time is up it writes a refusal, tells the pusher, stops
//! what was started and ends the process; a decision written at the same moment is found not applied
//! by the next push.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::facts::limits::Limits;
use crate::hook::answer::stop_text;
use crate::hook::children;
use crate::hook::fault::{Road, Stop};
use crate::hook::world::World;
use crate::log::book::Log;
use crate::log::decision::Hook;
use crate::log::entry::{Record, Refusal};
use crate::log::file::{Appended, Ctx};
use crate::log::wire::Text;
use crate::policy::Policy;
use crate::verdict::line::{Hint, Line};

/// How long writing the refusal and telling the pusher may take: a little more than the log's own
/// patience with its lock.
const LAST_WORDS: Duration = Duration::from_secs(6);

/// A running deadline.
#[derive(Debug)]
pub struct Deadline {
    tell: Sender<Terms>,
    /// Whoever sets it first answers: the judging thread or the clock, never both.
    answered: Arc<AtomicBool>,
}

/// What is known of a run once its policy was read.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How many seconds it has, from its beginning.
    pub seconds: u64,
    /// Where the refusal is written.
    pub log: PathBuf,
    /// The circumstances of the run.
    pub ctx: Ctx,
    /// The hook.
    pub hook: Hook,
    /// Whom to ask.
    pub help: Option<String>,
}

/// What is known of a run whose policy was read.
pub fn terms(world: &World, policy: &Policy, ctx: &Ctx, hook: Hook) -> Terms {
    Terms {
        seconds: policy.limits.deadline_seconds,
        log: world.log_dir(),
        ctx: ctx.clone(),
        hook,
        help: policy.help.clone(),
    }
}

/// Starts the clock for a run, with the seconds that hold where no policy says otherwise.
pub fn start() -> Deadline {
    let (tell, told) = channel::<Terms>();
    let began = Instant::now();
    let answered = Arc::new(AtomicBool::new(false));
    let mine = Arc::clone(&answered);
    std::thread::spawn(move || {
        let mut seconds = Limits::default().deadline_seconds;
        let mut terms = None;
        loop {
            let left = Duration::from_secs(seconds).saturating_sub(began.elapsed());
            match told.recv_timeout(left) {
                Ok(known) => {
                    seconds = known.seconds;
                    terms = Some(known);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if !mine.swap(true, Ordering::SeqCst) {
            over(seconds, terms);
        }
    });
    Deadline { tell, answered }
}

impl Deadline {
    /// Tells the clock what the policy says.
    pub fn set(&self, terms: Terms) {
        // Nobody hears it when time is up already, and then nothing is left to be set.
        let _ = self.tell.send(terms);
    }

    /// Ends it: the answer was given in time. Past it nothing is answered here any more; what an
    /// earlier hook says when it is stopped, or what was decided a moment ago, comes too late.
    pub fn call_off(self) {
        if self.answered.swap(true, Ordering::SeqCst) {
            loop {
                std::thread::park();
            }
        }
    }
}

/// Says no and ends the process, whatever keeps the other thread.
fn over(seconds: u64, terms: Option<Terms>) -> ! {
    let (said, hear) = channel();
    // The log may be locked and the pusher's end of the pipe full: neither holds this up for long.
    std::thread::spawn(move || {
        let text = told(seconds, terms);
        let written = std::io::stderr().write_all(text.as_bytes());
        said.send(written.is_ok())
    });
    let _ = hear.recv_timeout(LAST_WORDS);
    children::stop();
    end()
}

/// Writes the refusal, where the log is known, and says what the pusher reads.
fn told(seconds: u64, terms: Option<Terms>) -> String {
    let told = format!(
        "this push took longer than {seconds} seconds to be judged, the limit `deadline-seconds`"
    );
    let hint = "push less at a time, or ask for a higher `deadline-seconds` in [limits]";
    let stop = Stop { road: Road::Fault, ..Stop::refused(Line::new(told)) };
    let stop = stop.hint(Hint::new(Line::new(hint)));
    let Some(Terms { log, ctx, hook, help, .. }) = terms else {
        return stop_text(&stop, None, None);
    };
    let record = Record::Refusal(Refusal {
        hook,
        actor: None,
        of: None,
        refs: Vec::new(),
        reason: Text(stop.reason.clone().into_bytes()),
        fault: true,
    });
    let receipt =
        match Log::open_awaited(&log).and_then(|mut log| log.append(&[record], &ctx, None)) {
            Ok(Appended::Written(receipt)) => Some(receipt),
            Ok(Appended::Moved(_) | Appended::Held) | Err(_) => None,
        };
    stop_text(&stop, help.as_deref(), receipt.as_ref())
}

#[expect(clippy::exit, reason = "the judging thread cannot be stopped any other way")]
#[expect(clippy::disallowed_methods, reason = "as above")]
fn end() -> ! {
    std::process::exit(3)
}
