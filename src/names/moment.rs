//! Points in time. The only clock type of the house; whoever needs "now" is given a `Moment`.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

/// A point in time, UTC, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since 1970-01-01T00:00:00Z.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z. Statements are compared in these.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment, so many seconds later (earlier, when negative).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Reads exactly `YYYY-MM-DDTHH:MM:SSZ`, the form of statements (RFC 3339, UTC, whole seconds).
    pub fn parse_seconds(text: &str) -> Option<Self> {
        let moment = Self::parse(text)?;
        (moment.rfc3339_seconds() == text).then_some(moment)
    }

    /// Reads any RFC 3339 time with an offset.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// Reads a day, `YYYY-MM-DD`, as its 00:00 UTC.
    pub fn parse_day(text: &str) -> Option<Self> {
        let day: jiff::civil::Date = text.parse().ok()?;
        if day.to_string() != text {
            return None;
        }
        day.to_zoned(TimeZone::UTC).ok().map(|z| Self(z.timestamp().as_millisecond()))
    }

    /// `2026-11-22T21:00:00Z`.
    pub fn rfc3339_seconds(self) -> String {
        Self::from_seconds(self.seconds()).format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `2026-11-22T21:00:00.000Z`, the form of log entries.
    pub fn rfc3339_millis(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// `2026-11-22`.
    pub fn day(self) -> String {
        self.format("%Y-%m-%d")
    }

    fn format(self, form: &str) -> String {
        match Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.strftime(form).to_string(),
            // Outside the years -9999..9999: show the number rather than nothing.
            Err(_) => format!("@{}ms", self.0),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_seconds())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_millis())
    }
}
