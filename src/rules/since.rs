//! `since`: from when on a rule judges the commits that arrive, so that old sins block no new work.
//!
//! A day is held against the log, which knows when each commit came; the date in a commit is what
//! its maker wanted it to be. A commit stands for itself and all that it builds on.

use crate::facts::needs::Since;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::rules::rule::{KeyDoc, Shape};
use crate::source::problem::Problems;
use crate::source::table::Table;

/// How many commits one rule may name: each is asked about at every push.
const COMMITS_MAX: usize = 64;

/// The key, for every kind that judges commits.
pub(crate) const KEY: KeyDoc = KeyDoc::optional(
    "since",
    Shape::Since,
    "a day: commits that were on this server before it, by the log, are passed over, and what \
          the log began with; or whole names of commits: they and what they build on are",
);

/// Reads the key. Without it nothing is passed over.
pub(crate) fn read(table: &mut Table<'_>, problems: &mut Problems) -> Since {
    let mut since = Since::default();
    let Some(list) = table.texts_or_day(KEY.name, problems) else { return since };
    if list.value.is_empty() {
        let hint = "name a day or commits, or take the key out";
        problems.error_hint(&list.spot, "`since` is empty", hint);
    }
    for written in &list.value {
        if let Some(day) = Moment::parse_day(&written.value) {
            if since.moment.replace(day).is_some() {
                problems.error(&written.spot, "`since` names two days");
            }
        } else if let Some(oid) = Oid::from_hex(written.value.as_bytes()).filter(|o| !o.is_zero()) {
            since.commits.push(oid);
        } else {
            let hint = "a day, \"2027-01-31\", or the whole name of a commit: git rev-parse main";
            problems.error_hint(&written.spot, "this is neither a day nor a commit", hint);
        }
    }
    if since.commits.len() > COMMITS_MAX {
        problems.error(&list.spot, format!("more than {COMMITS_MAX} commits in `since`"));
    }
    since
}
