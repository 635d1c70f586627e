//! The filters of `log show` and `log tail`, as they are typed.
//!
//! What they mean is the log room's; read here are words and times.

use clap::{Args, ValueEnum};

use crate::cli::fault::Fault;
use crate::log::decision::Verdict;
use crate::log::read::Filter;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;

/// The length of a day in seconds.
const DAY_SECONDS: i64 = 86_400;

/// The filters. An entry is shown when it fits all that are given.
#[derive(Args, Clone, Debug, Default)]
pub struct Asked {
    /// Entries about this ref: its full name, or a branch or tag
    #[arg(long = "ref", value_name = "REF", help_heading = "Filters")]
    refname: Option<String>,

    /// Pushes by this person, machine or login
    #[arg(long, value_name = "WHO", help_heading = "Filters")]
    by: Option<String>,

    /// Pushes that change this file, or something in this folder
    #[arg(long, value_name = "PATH", help_heading = "Filters")]
    path: Option<String>,

    /// Pushes that this rule objected to, or was exempted from
    #[arg(long, value_name = "RULE", help_heading = "Filters")]
    rule: Option<String>,

    /// Pushes with this answer; `warned` would have been refused were no rule at level warn
    #[arg(long, value_name = "VERDICT", value_enum, help_heading = "Filters")]
    verdict: Option<Answered>,

    /// From this time on: a day, an RFC 3339 time, or how long ago (30m, 12h, 7d, 4w)
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    since: Option<String>,

    /// Up to this time; a day is meant with all its hours, all times are UTC
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    until: Option<String>,
}

/// How a push, or one of its refs, was answered.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// Yes, and no rule objected
    #[value(alias = "accept")]
    Accepted,
    /// Yes, and a rule at level warn objected
    #[value(alias = "warn")]
    Warned,
    /// No
    #[value(alias = "refuse")]
    Refused,
}

impl Asked {
    /// Reads the filters. Faults on a time that is none.
    pub fn filter(&self, now: Moment) -> Result<Filter, Fault> {
        let bytes = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let since = self.since.as_deref().map(|text| time(text, now)).transpose()?;
        let until = self.until.as_deref().map(|text| time(text, now)).transpose()?;
        Ok(Filter {
            refname: bytes(&self.refname),
            by: bytes(&self.by),
            path: bytes(&self.path),
            rule: self.rule.clone(),
            verdict: self.verdict.map(|answered| match answered {
                Answered::Accepted => Verdict::Accept,
                Answered::Warned => Verdict::Warn,
                Answered::Refused => Verdict::Refuse,
            }),
            since: since.map(|time| time.first),
            until: until.map(|time| time.after),
        })
    }
}

/// A moment that somebody has named: a day's first, or how long ago.
pub fn moment(text: &str, now: Moment) -> Result<Moment, Fault> {
    Ok(time(text, now)?.first)
}

impl Asked {
    /// The filters as they were typed, escaped; empty where there are none.
    pub fn words(&self) -> String {
        let verdict = self.verdict.and_then(|it| it.to_possible_value());
        let verdict = verdict.map(|it| it.get_name().to_owned());
        let typed = [
            ("ref", &self.refname),
            ("by", &self.by),
            ("path", &self.path),
            ("rule", &self.rule),
            ("verdict", &verdict),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let word = |(name, value): (&str, &Option<String>)| {
            value.as_ref().map(|value| format!("--{name} {}", escape_short(value.as_bytes())))
        };
        typed.into_iter().filter_map(word).collect::<Vec<_>>().join(" ")
    }
}

/// A stretch of time that somebody has named: its first moment, and the first after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    first: Moment,
    after: Moment,
}

fn time(text: &str, now: Moment) -> Result<Stretch, Fault> {
    if let Some(first) = Moment::parse_day(text) {
        return Ok(Stretch { first, after: first.plus_seconds(DAY_SECONDS) });
    }
    let at = ago(text).map(|seconds| now.plus_seconds(-seconds)).or_else(|| Moment::parse(text));
    let just_after = |first: Moment| Moment::from_millis(first.millis().saturating_add(1));
    at.map(|first| Stretch { first, after: just_after(first) }).ok_or_else(|| {
        Fault::mistyped(format!("\"{}\" is no time", escape_short(text.as_bytes())))
            .hint("write 2026-11-22, 2026-11-22T21:00:00Z, or how long ago: 30m, 12h, 7d, 4w")
    })
}

/// How many seconds ago `30m`, `12h`, `7d` or `4w` is.
fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => DAY_SECONDS,
        'w' => 7 * DAY_SECONDS,
        _ => return None,
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    digits.parse::<i64>().ok()?.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn a_day_is_meant_whole_and_a_time_to_its_millisecond() {
        let now = moment("2026-11-22T21:00:00Z");
        let day = time("2026-11-20", now).unwrap();
        assert_eq!(day.first, moment("2026-11-20T00:00:00Z"));
        assert_eq!(day.after, moment("2026-11-21T00:00:00Z"));
        let ago = time("12h", now).unwrap();
        assert_eq!(ago.first, moment("2026-11-22T09:00:00Z"));
        let exact = time("2026-11-22T21:00:00+01:00", now).unwrap();
        assert_eq!(exact.after, moment("2026-11-22T20:00:00.001Z"));
        for wrong in ["", "d", "-7d", "yesterday", "2026-13-01", "7ü", "99999999999999999999w"] {
            assert!(time(wrong, now).is_err(), "{wrong}");
        }
    }
}
