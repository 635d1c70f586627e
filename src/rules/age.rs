//! `max-age`: how old a statement may be, whatever it says of itself.

use crate::names::moment::Moment;
use crate::rules::rule::{KeyDoc, Shape};
use crate::source::duration;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::source::text::Located;

/// The key where it is about approvals.
pub(crate) const KEY: KeyDoc = KeyDoc::optional(
    "max-age",
    Shape::Duration,
    "how old an approval may be; without it, as long as it says itself",
);

/// Reads `max-age`, in seconds. `None` without the key, and with a problem.
pub(crate) fn read(table: &mut Table<'_>, problems: &mut Problems) -> Option<i64> {
    let Located { value, spot } = table.text("max-age", problems)?;
    let seconds = duration::seconds(&value);
    if seconds.is_none() {
        let hint = "a whole number and a unit: \"14d\", \"12h\", \"30m\"";
        problems.error_hint(&spot, "this is no length of time", hint);
    }
    seconds
}

/// Whether a statement of this date is more than so many seconds old.
pub(crate) fn is_older(date: Moment, seconds: i64, now: Moment) -> bool {
    date.plus_seconds(seconds).seconds() < now.seconds()
}
