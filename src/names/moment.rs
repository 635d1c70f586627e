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

    /// Reads exactly `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of log entries.
    pub fn parse_millis(text: &str) -> Option<Self> {
        const SHAPE: &[u8] = b"0000-00-00T00:00:50.000Z";
        let fits = |(byte, like): (u8, u8)| match like {
            // No leap second: it would be read as the one before.
            b'5' => (b'0'..=b'5').contains(&byte),
            b'0' => byte.is_ascii_digit(),
            _ => byte == like,
        };
        let is_shaped =
            text.len() == SHAPE.len() && text.bytes().zip(SHAPE.iter().copied()).all(fits);
        if is_shaped { Self::parse(text) } else { None }
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

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::Moment;

    proptest! {
        /// The quick look at the shape is as strict as writing it again and comparing.
        #[test]
        fn log_times_have_one_spelling(
            text in "[0-9]{4}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9][.,][0-9]{2,4}[Zz]?",
        ) {
            let slow = Moment::parse(&text).filter(|moment| moment.rfc3339_millis() == text);
            prop_assert_eq!(Moment::parse_millis(&text), slow);
        }

        #[test]
        fn a_log_time_is_read_as_it_was_written(millis in -62_000_000_000_000i64..253_000_000_000_000) {
            let moment = Moment::from_millis(millis);
            prop_assert_eq!(Moment::parse_millis(&moment.rfc3339_millis()), Some(moment));
        }
    }
}
