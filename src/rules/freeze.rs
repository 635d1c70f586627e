//! `freeze`: times at which nothing lands.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

use crate::facts::needs::Needs;
use crate::names::moment::Moment;
use crate::push::pusher::Who;
use crate::roster::party::Party;
use crate::rules::freeze_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::{Scope, Unnamed, infra_kind_names};
use crate::rules::view::View;
use crate::rules::window::Window;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// How many windows one rule may have.
const WINDOWS_MAX: usize = 128;

/// How many times at which a window begins or ends are looked at for the next opening.
const EDGES_MAX: usize = 4_000;

/// Minutes of a week.
const WEEK_MINUTES: usize = 7 * 24 * 60;

/// The kind.
pub static KIND: Kind = Kind {
    name: "freeze",
    summary: "nothing lands while a window is closed",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "closed",
            Shape::Tables,
            "windows: [{ days = [\"sat-sun\"] }, { from = \"fri 16:00\", to = \"mon 08:00\" }], by \
             dates or days of the year too; `why` in each is shown",
        ),
        KeyDoc::optional(
            "open",
            Shape::Tables,
            "the same, and all other times are closed; what `closed` names is closed all the same",
        ),
        KeyDoc {
            default: Some("\"UTC\""),
            ..KeyDoc::optional(
                "zone",
                Shape::Text,
                "whose clock it goes by: \"Europe/Berlin\", or an offset, \"+02:00\"",
            )
        },
        KeyDoc::optional("by", Shape::Party, "who may push all the same; nobody without it"),
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "only changes of these paths; with neither, every change",
        ),
        KeyDoc::optional(
            "infra",
            Shape::Words(infra_kind_names),
            "and of these kinds of infrastructure",
        ),
    ],
    keys_later: &[],
    compile,
};

/// Times at which nothing lands.
#[derive(Clone, Debug)]
pub struct Freeze {
    pub(crate) closed: Vec<Window>,
    /// Empty: open whenever it is not closed.
    pub(crate) open: Vec<Window>,
    pub(crate) zone: TimeZone,
    /// As it was written.
    pub(crate) zone_name: String,
    pub(crate) by: Option<Party>,
    /// `None`: every change, deletions of the ref too.
    pub(crate) scope: Option<Scope>,
}

/// What holds while nothing may land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed<'r> {
    /// The window; `None`: it is none of those that are open.
    pub(crate) window: Option<&'r Window>,
    /// The next opening. `None`: none that can be told.
    pub(crate) until: Option<Moment>,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let table = &mut *body.table;
    let (has_closed, has_open) = (table.has("closed"), table.has("open"));
    if !has_closed && !has_open {
        let hint = "closed = [{ days = [\"sat-sun\"] }], or open = [{ days = [\"mon-thu\"], from = \
                    \"09:00\", to = \"16:00\" }]";
        let what = "no window is named, so this rule could never refuse anything";
        problems.error_hint(table.header(), what, hint);
    }
    let header = table.header().clone();
    let closed = windows(table, "closed", problems);
    let open = windows(table, "open", problems);
    let (zone, zone_name) = zone(table, problems)?;
    let by = match table.texts("by", problems) {
        Some(list) if list.value.is_empty() => {
            let hint = "take the key out: then nobody may";
            problems.error_hint(&list.spot, "`by` is empty", hint);
            None
        }
        Some(list) => body.roster.resolve(&list.value, problems),
        None => None,
    };
    let narrow = table.has("paths") || table.has("infra");
    let scope = if narrow { Scope::read(table, Unnamed::Nothing, problems) } else { None };
    let rule = Freeze { closed, open, zone, zone_name, by, scope };
    if problems.errors() == before && rule.never_opens() {
        let hint = "leave some minutes of the week open";
        problems.error_hint(&header, "this is closed all week, so nothing could ever land", hint);
    }
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn windows(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Vec<Window> {
    let Some(list) = table.tables(key, problems) else { return Vec::new() };
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, format!("`{key}` is empty"), hint);
    }
    if list.value.len() > WINDOWS_MAX {
        problems.error(&list.spot, format!("more than {WINDOWS_MAX} windows in one rule"));
        return Vec::new();
    }
    list.value.into_iter().filter_map(|table| Window::read(table, problems)).collect()
}

fn zone(table: &mut Table<'_>, problems: &mut Problems) -> Option<(TimeZone, String)> {
    let Some(Located { value, spot }) = table.text("zone", problems) else {
        return Some((TimeZone::UTC, "UTC".to_owned()));
    };
    let found = match value.as_bytes() {
        b"UTC" => Some(TimeZone::UTC),
        [b'+' | b'-', ..] => offset(&value).map(TimeZone::fixed),
        _ => TimeZoneDatabase::bundled().get(&value).ok(),
    };
    match found {
        Some(zone) => Some((zone, value)),
        None => {
            let hint = "a name of the IANA database, \"Europe/Berlin\", or an offset, \"+02:00\"";
            problems.error_hint(&spot, "no such time zone", hint);
            None
        }
    }
}

/// `+02:00`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2
        || minutes.len() != 2
        || !rest.bytes().all(|b| b.is_ascii_digit() || b == b':')
    {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60;
    let fits = hours <= 14 && minutes < 60;
    fits.then(|| Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()).flatten()
}

impl Freeze {
    /// What a clock of its zone shows.
    fn shows(&self, moment: Moment) -> Option<Zoned> {
        Some(Timestamp::from_millisecond(moment.millis()).ok()?.to_zoned(self.zone.clone()))
    }

    /// Whether nothing may land at this moment. `None`: it is open.
    pub(crate) fn closed_at(&self, moment: Moment) -> Option<Closed<'_>> {
        let Some(now) = self.shows(moment) else {
            return Some(Closed { window: None, until: None });
        };
        self.is_closed(now.datetime())?;
        let window = self.closed.iter().find(|window| window.holds(now.datetime()));
        Some(Closed { window, until: self.next_opening(now) })
    }

    /// `None`: open.
    fn is_closed(&self, at: DateTime) -> Option<()> {
        let holds = |window: &Window| window.holds(at);
        let closed =
            self.closed.iter().any(holds) || !(self.open.is_empty() || self.open.iter().any(holds));
        closed.then_some(())
    }

    /// The first moment at which it is open again.
    fn next_opening(&self, from: Zoned) -> Option<Moment> {
        let mut now = from;
        for _ in 0..EDGES_MAX {
            let at = now.datetime();
            let windows = self.closed.iter().chain(&self.open);
            let edge = windows.filter_map(|window| window.next_edge(at)).min()?;
            // A clock that is put back shows an hour twice; we never go back.
            let ambiguous = || self.zone.to_ambiguous_zoned(edge);
            let next = ambiguous().compatible().ok().filter(|next| *next > now);
            now = next.or_else(|| ambiguous().later().ok().filter(|next| *next > now))?;
            if self.is_closed(now.datetime()).is_none() {
                return Some(Moment::from_millis(now.timestamp().as_millisecond()));
            }
        }
        None
    }

    /// A moment as a clock of its zone shows it.
    pub(crate) fn told(&self, moment: Moment) -> String {
        let zoned = self.shows(moment);
        let told = zoned.map(|zoned| zoned.strftime("%a %Y-%m-%d %H:%M").to_string());
        format!("{} {}", told.unwrap_or_default(), self.zone_name)
    }

    /// Whether every minute of every week is closed, whatever the date.
    fn never_opens(&self) -> bool {
        let all = |windows: &[Window]| {
            let minutes = windows.iter().flat_map(Window::weekly);
            minutes.collect::<std::collections::BTreeSet<u16>>()
        };
        let closed = all(&self.closed);
        if self.open.is_empty() || !self.open.iter().all(Window::is_weekly) {
            return closed.len() == WEEK_MINUTES;
        }
        all(&self.open).is_subset(&closed)
    }

    /// Whether somebody may push all the same.
    pub(crate) fn lets_through(&self, who: &Who) -> bool {
        match who {
            Who::Listed { name, shared: false, .. } => {
                self.by.as_ref().is_some_and(|party| party.contains(name))
            }
            Who::Listed { shared: true, .. } | Who::Unlisted | Who::Unnamed { .. } => false,
        }
    }
}

impl Rule for Freeze {
    fn needs(&self) -> Needs {
        let content = self.scope.as_ref().map(Scope::infra).unwrap_or_default();
        Needs { landing: true, content, ..Needs::default() }
    }

    fn sleeps_at(&self, moment: Moment) -> bool {
        self.closed_at(moment).is_none()
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        freeze_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"Nothing lands while a window is closed. Whoever pushes then is told when it
opens.

    [people.alice]

    [rule.no-weekends]
    kind   = "freeze"
    refs   = ["@default"]
    zone   = "Europe/Berlin"
    closed = [
      { from = "fri 16:00", to = "mon 08:00" },
      { days = ["mon-thu"], from = "18:00", to = "08:00" },
      { from = "12-20", to = "01-03", why = "the year ends" },
      { from = "2027-03-12 12:00", to = "2027-03-15", why = "the big move" },
    ]
    by     = ["alice"]

    [rule.change-window]
    kind  = "freeze"
    refs  = ["release/**"]
    paths = ["prod/**"]
    open  = [{ days = ["tue", "thu"], from = "09:00", to = "11:00" }]

A window goes by the week, by dates, or by days of every year. A `to` that
names only a day is the end of that day; a time is the first that is outside.
With `days`, a `to` that is no later than `from` is on the next day. A clock
that is put back shows an hour twice, and both count.

What counts is the server's clock when the push begins; dates in commits do
not matter. A deletion of a ref is a change like any other, except where
`paths` or `infra` narrow the rule: then it counts as a change of all of them.
Time zones are part of this program, as they were known when it was built.

A rollback with all that [rollback] asks for lands at any time, and so does
what breaks the glass; whom `exempt` names may land what it says.
"#;

#[cfg(test)]
#[path = "freeze_tests.rs"]
mod tests;
