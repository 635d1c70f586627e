//! How many refusals are written whole: a flood of them is counted instead.
//!
//! Used by `append` under the lock. The file `rate` is a help, not a record: when it is lost or
//! damaged, counting starts anew.

use serde::{Deserialize, Serialize};

use crate::log::disk::{Folder, io_fault, read_small};
use crate::log::error::LogError;
use crate::log::wire::{AsText, Text};
use crate::names::moment::Moment;

/// How many refusals of one pusher are written in one minute.
pub const REFUSALS_A_MINUTE_MAX: u64 = 60;

/// How many pushers are counted apart; the oldest makes room, and its count goes to `?`.
const PUSHERS_MAX: usize = 256;

/// How much of the file is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const MINUTE_MILLIS: u64 = 60_000;

/// Refusals of one pusher beyond the rate that is written whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The pusher's name or login.
    pub who: Text,
    /// How many.
    pub n: u64,
    /// When the first was.
    pub first: AsText<Moment>,
    /// When the last was.
    pub last: AsText<Moment>,
}

/// How many bytes `held` may take in a line.
pub const HELD_BYTES_MAX: usize = 640;

/// The counts of all pushers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pushers: Vec<Pusher>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pusher {
    who: Text,
    since: AsText<Moment>,
    written: u64,
    held: u64,
    first: AsText<Moment>,
    last: AsText<Moment>,
}

impl Pusher {
    /// Counts so many more. Who comes to the lock first need not have begun first.
    fn hold(&mut self, more: u64, first: Moment, last: Moment) {
        let anew = self.held == 0;
        self.first = AsText(if anew { first } else { self.first.0.min(first) });
        self.last = AsText(if anew { last } else { self.last.0.max(last) });
        self.held += more;
    }
}

impl Rates {
    /// The counts so far.
    pub fn load(folder: &Folder) -> Result<Self, LogError> {
        let bytes = read_small(&folder.rate(), FILE_BYTES_MAX)?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Keeps the counts for the next run. Not brought to the disk: they are a help only.
    pub fn save(&self, folder: &Folder) -> Result<(), LogError> {
        use std::os::unix::fs::FileExt as _;
        let path = folder.rate();
        let fault = |source| io_fault("write", &path, source);
        let json = serde_json::to_vec(self).map_err(|source| fault(source.into()))?;
        let file = folder.open_small(&path)?;
        file.set_len(json.len() as u64).map_err(fault)?;
        file.write_all_at(&json, 0).map_err(fault)
    }

    /// Whether one more refusal of this pusher is written; if not, it is counted.
    pub fn admit(&mut self, who: &Text, now: Moment) -> bool {
        let pusher = self.pusher(who, now);
        let age = now.millis() - pusher.since.0.millis();
        // Who began a little earlier and comes later begins no new minute.
        if age.unsigned_abs() >= MINUTE_MILLIS {
            pusher.since = AsText(now);
            pusher.written = 0;
        }
        if pusher.written < REFUSALS_A_MINUTE_MAX {
            pusher.written += 1;
            return true;
        }
        pusher.hold(1, now, now);
        false
    }

    /// The counts that the next entry carries, as many as fit in it; they are forgotten here.
    pub fn take_held(&mut self) -> Vec<Held> {
        let mut taken = Vec::new();
        for pusher in self.pushers.iter_mut().filter(|pusher| pusher.held > 0) {
            taken.push(Held {
                who: pusher.who.clone(),
                n: pusher.held,
                first: pusher.first,
                last: pusher.last,
            });
            // `,"held":` before it, and it is never empty here.
            if serde_json::to_string(&taken).map_or(0, |json| json.len()) + 8 > HELD_BYTES_MAX {
                taken.pop();
                break;
            }
            pusher.held = 0;
        }
        taken
    }

    fn pusher(&mut self, who: &Text, now: Moment) -> &mut Pusher {
        if let Some(at) = self.pushers.iter().position(|pusher| pusher.who == *who) {
            return &mut self.pushers[at];
        }
        if self.pushers.len() >= PUSHERS_MAX {
            self.drop_oldest();
        }
        let (who, now) = (who.clone(), AsText(now));
        self.pushers.push(Pusher { who, since: now, written: 0, held: 0, first: now, last: now });
        let newest = self.pushers.len() - 1;
        &mut self.pushers[newest]
    }

    fn drop_oldest(&mut self) {
        let ages = self.pushers.iter().enumerate().filter(|(_, pusher)| pusher.held == 0);
        let oldest = ages.min_by_key(|(_, pusher)| pusher.since.0).map_or(0, |(at, _)| at);
        let gone = self.pushers.remove(oldest);
        if gone.held > 0
            && let Some(other) = self.pushers.first_mut()
        {
            // Everybody has something held: the count stays right, the name becomes unsure.
            other.who = Text::from("?");
            other.hold(gone.held, gone.first.0, gone.last.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_lies_between_its_first_and_its_last_whoever_came_to_the_lock_when() {
        let mut rates = Rates::default();
        let at = |second: i64| Moment::from_seconds(1_000 + second);
        let carol = Text::from("carol");
        (0..REFUSALS_A_MINUTE_MAX).for_each(|_| assert!(rates.admit(&carol, at(0))));
        for second in [7, -1, 9, 8] {
            assert!(!rates.admit(&carol, at(second)));
        }
        let held = rates.take_held();
        let told = |held: &Held| (held.n, held.first.0, held.last.0);
        assert_eq!(held.iter().map(told).collect::<Vec<_>>(), [(4, at(-1), at(9))]);
        // The next ones begin anew, and whose count is pushed out is added to another's.
        assert!(!rates.admit(&carol, at(20)));
        let full = (1..PUSHERS_MAX).map(|n| Text::from(format!("login-{n}").as_str()));
        for who in full.collect::<Vec<_>>() {
            for _ in 0..=REFUSALS_A_MINUTE_MAX {
                rates.admit(&who, at(21));
            }
        }
        assert!(rates.admit(&Text::from("one more"), at(22)));
        let all: u64 = std::iter::from_fn(|| Some(rates.take_held()).filter(|it| !it.is_empty()))
            .flatten()
            .map(|held| held.n)
            .sum();
        assert_eq!(all, PUSHERS_MAX as u64, "nobody's refusal is forgotten");
    }
}
