//! Whether time goes on through a log.
//!
//! Pure. Used by `verify`. An entry's `ts` is taken when its run begins, before the lock, so one
//! may stand behind another that began later; then it says so, with `ts_before_prev`. Time that
//! goes back without a word, or a word without reason, is a break. A clock that was set back is
//! none, because that happens to honest servers; it is told.

use thiserror::Error;

use crate::log::entry::Common;
use crate::names::moment::Moment;

/// How far a clock has to be set back to be told, in milliseconds.
pub const SET_BACK_TOLD_MS: i64 = 60_000;

/// How many times a clock that was set back are told one by one.
pub const SET_BACK_LISTED_MAX: usize = 100;

/// Time that does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClockError {
    /// An entry is older than the one before it and does not say so.
    #[error("its time is before that of the entry before it, and it does not say so")]
    Unsaid,
    /// An entry says that it is older than the one before it, and is not.
    #[error("it says that its time is before that of the entry before it; it is not")]
    Unfounded,
}

/// A clock that was set back between an entry and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack {
    /// The first entry by the new time.
    pub entry: u64,
    /// How far, in milliseconds.
    pub millis: i64,
}

impl SetBack {
    /// How far, in whole minutes.
    pub const fn minutes(self) -> i64 {
        self.millis / 60_000
    }
}

/// What a walk through the entries has seen of time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    before: Option<Times>,
    /// Where the clock was set back, the first `SET_BACK_LISTED_MAX` times.
    pub set_back: Vec<SetBack>,
    /// How many times in all.
    pub times: u64,
}

/// The clocks of one entry, and what it says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// The entry's number.
    pub seq: u64,
    /// The server's clock.
    pub ts: Moment,
    /// Whether it says that this is before the time of the entry before it.
    pub before_prev: bool,
    /// The boot id of the machine.
    pub boot: String,
    /// Microseconds since boot.
    pub mono_us: u64,
}

impl Times {
    /// Those of an entry that was read.
    pub fn of(common: &Common) -> Self {
        Self {
            seq: common.seq,
            ts: common.ts.0,
            before_prev: common.ts_before_prev,
            boot: common.boot.clone(),
            mono_us: common.mono_us,
        }
    }

    fn mono_ms(&self) -> i64 {
        i64::try_from(self.mono_us / 1000).unwrap_or(i64::MAX)
    }
}

impl Clock {
    /// Looks at the next entry.
    ///
    /// # Errors
    /// When its time does not go on from that of the entry before it.
    pub fn look(&mut self, now: Times) -> Result<(), ClockError> {
        if let Some(before) = &self.before {
            let gone = now.ts.millis().saturating_sub(before.ts.millis());
            if gone < 0 && !now.before_prev {
                return Err(ClockError::Unsaid);
            }
            if gone > 0 && now.before_prev {
                return Err(ClockError::Unfounded);
            }
            // Within a boot there is a clock that nobody sets: a run that waited is older by both.
            let within = before.boot == now.boot;
            let should = if within { now.mono_ms().saturating_sub(before.mono_ms()) } else { 0 };
            let millis = should.saturating_sub(gone);
            if millis > SET_BACK_TOLD_MS {
                self.times += 1;
                if self.set_back.len() < SET_BACK_LISTED_MAX {
                    self.set_back.push(SetBack { entry: now.seq, millis });
                }
            }
        }
        self.before = Some(now);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::{Clock, ClockError, SetBack, Times};
    use crate::log::entry::{Common, Session};
    use crate::log::kind::Kind;
    use crate::log::wire::AsText;
    use crate::names::moment::Moment;

    /// An entry at this second of the wall clock, and this one since boot.
    fn entry(seq: u64, wall: i64, boot: &str, since_boot: u64, before_prev: bool) -> Common {
        Common {
            v: 1,
            log: "git1/infra".to_owned(),
            seq,
            kind: Kind::Outcome,
            ts: AsText(Moment::from_seconds(1_795_000_000 + wall)),
            ts_before_prev: before_prev,
            boot: boot.to_owned(),
            mono_us: since_boot * 1_000_000,
            host: "git1".to_owned(),
            tool: "portcullis".to_owned(),
            push: String::new(),
            sess: Session { pid: 1, start: 1 },
            held: Vec::new(),
        }
    }

    fn looked(entries: &[Common]) -> Result<Vec<SetBack>, ClockError> {
        let mut clock = Clock::default();
        entries.iter().try_for_each(|one| clock.look(Times::of(one)))?;
        Ok(clock.set_back)
    }

    #[test]
    fn time_that_goes_back_has_to_be_said_and_only_then() {
        let then =
            |wall, said| looked(&[entry(0, 100, "a", 100, false), entry(1, wall, "a", 100, said)]);
        assert_eq!(then(100, false), Ok(Vec::new()));
        assert_eq!(then(101, false), Ok(Vec::new()));
        assert_eq!(then(99, true), Ok(Vec::new()));
        // Within one millisecond the writer may have seen it go back, and a reader cannot.
        assert_eq!(then(100, true), Ok(Vec::new()));
        assert_eq!(then(99, false), Err(ClockError::Unsaid));
        assert_eq!(then(101, true), Err(ClockError::Unfounded));
    }

    #[test]
    fn a_clock_that_was_set_back_is_told_and_a_run_that_waited_is_not() {
        let told = |wall, boot, since_boot, said| {
            let first = entry(7, 10_000, "a", 5_000, false);
            looked(&[first, entry(8, wall, boot, since_boot, said)]).unwrap()
        };
        assert_eq!(
            told(9_400, "a", 4_400, true),
            [],
            "it began ten minutes before, by both clocks"
        );
        let ten = SetBack { entry: 8, millis: 600_000 };
        assert_eq!(told(9_400, "a", 5_000, true), [ten]);
        assert_eq!(
            told(10_600, "a", 6_200, false),
            [ten],
            "twenty minutes went by, ten are missing"
        );
        assert_eq!(told(9_400, "b", 30, true), [ten], "after a restart there is one clock only");
        assert_eq!(told(9_990, "a", 5_000, true), [], "that is less than is told");
        assert_eq!(ten.minutes(), 10);
    }

    #[test]
    fn a_clock_that_jumps_for_ever_fills_no_memory() {
        let mut clock = Clock::default();
        for n in 0..1000 {
            clock
                .look(Times::of(&entry(n, -100 * i64::try_from(n).unwrap(), "a", 100, n > 0)))
                .unwrap();
        }
        assert_eq!((clock.set_back.len(), clock.times), (super::SET_BACK_LISTED_MAX, 999));
    }
}
