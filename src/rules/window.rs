//! Windows of time, as a clock on a wall shows it: when they hold, and when that may change.
//!
//! Used by `freeze`. Weekly ones go by minutes since Monday; others by dates. Pure, and no clock.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

use crate::source::problem::Problems;
use crate::source::table::{Keys, Table};
use crate::source::text::Located;

/// Minutes of a day, and of a week.
const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// The days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How long what a window is called may be, in characters.
const WHY_CHARS_MAX: usize = 200;

/// A day of every year, and a minute of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct YearDay {
    month: i8,
    day: i8,
    minute: u16,
}

/// When a window holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// Every week: first minute and length of each stretch; a stretch may reach into the next week.
    Weekly(Vec<(u16, u16)>),
    /// From one moment to another, which is the first that is outside.
    Once(DateTime, DateTime),
    /// The same, every year; it may reach into the next.
    Yearly(YearDay, YearDay),
}

/// A window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    when: When,
    /// How it was written, for messages.
    pub(crate) written: String,
    /// What it is there for.
    pub(crate) why: Option<String>,
}

impl Window {
    /// Whether it holds when a clock shows this.
    pub(crate) fn holds(&self, at: DateTime) -> bool {
        match &self.when {
            When::Weekly(stretches) => {
                let now = minute_of_week(at);
                stretches.iter().any(|(start, length)| (now + WEEK - start) % WEEK < *length)
            }
            When::Once(from, to) => *from <= at && at < *to,
            When::Yearly(from, to) => {
                let now = YearDay { month: at.month(), day: at.day(), minute: minute_of_day(at) };
                match from <= to {
                    true => *from <= now && now < *to,
                    false => *from <= now || now < *to,
                }
            }
        }
    }

    /// The next time at which it may begin or end, later than what the clock shows.
    pub(crate) fn next_edge(&self, at: DateTime) -> Option<DateTime> {
        match &self.when {
            When::Weekly(stretches) => {
                let now = minute_of_week(at);
                let edges = stretches.iter().flat_map(|(start, length)| [*start, start + length]);
                let ahead = edges.map(|edge| match (edge % WEEK + WEEK - now) % WEEK {
                    0 => WEEK,
                    minutes => minutes,
                });
                let whole = at.date().at(at.hour(), at.minute(), 0, 0);
                whole.checked_add(i64::from(ahead.min()?).minutes()).ok()
            }
            When::Once(from, to) => [*from, *to].into_iter().find(|edge| *edge > at),
            When::Yearly(from, to) => {
                let years = [at.year(), at.year().saturating_add(1)];
                let edges =
                    years.into_iter().flat_map(|year| [from.in_year(year), to.in_year(year)]);
                edges.flatten().filter(|edge| *edge > at).min()
            }
        }
    }

    /// The minutes of the week at which it holds whatever the date; none for one that goes by dates.
    pub(crate) fn weekly(&self) -> impl Iterator<Item = u16> {
        let stretches = match &self.when {
            When::Weekly(stretches) => stretches.clone(),
            When::Once(..) | When::Yearly(..) => Vec::new(),
        };
        stretches
            .into_iter()
            .flat_map(|(start, length)| (0..length).map(move |m| (start + m) % WEEK))
    }

    /// Whether it goes by the days of the week.
    pub(crate) fn is_weekly(&self) -> bool {
        matches!(self.when, When::Weekly(_))
    }

    /// Reads `{ days, from, to, why }`. `None` goes with at least one problem.
    pub(crate) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Self> {
        let header = table.header().clone();
        let days = table.texts_or_text("days", problems);
        if let Some(days) = days.as_ref().filter(|days| days.value.is_empty()) {
            problems.error_hint(&days.spot, "no days are named", "days = [\"sat-sun\"]");
        }
        let from = point(&mut table, "from", problems);
        let to = point(&mut table, "to", problems);
        let why = table.text("why", problems).and_then(|why| shown(why, problems));
        table.finish(Keys { known: &["days", "from", "to", "why"], later: &[] }, problems);
        let told = |one: &Option<Located<String>>| {
            one.as_ref().map(|it| it.value.clone()).unwrap_or_default()
        };
        let (when, written) = match days {
            Some(days) => {
                let list: Vec<&str> = days.value.iter().map(|day| day.value.as_str()).collect();
                let hours = match (&from, &to) {
                    (None, None) => String::new(),
                    (Some(_), _) | (_, Some(_)) => format!(" {} to {}", told(&from), told(&to)),
                };
                let written = format!("{}{hours}", list.join(", "));
                (on_days(&days.value, from.as_ref(), to.as_ref(), problems)?, written)
            }
            None => {
                let (Some(from), Some(to)) = (&from, &to) else {
                    let hint = "{ days = [\"sat\", \"sun\"] }, { from = \"fri 16:00\", to = \"mon \
                                08:00\" }, { from = \"2026-12-20\", to = \"2027-01-03\" }";
                    problems.error_hint(
                        &header,
                        "when does this begin, and when does it end?",
                        hint,
                    );
                    return None;
                };
                (between(from, to, problems)?, format!("{} to {}", from.value, to.value))
            }
        };
        Some(Self { when, written, why })
    }
}

/// Takes one point in time: a text, or a TOML date.
fn point(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Option<Located<String>> {
    let list = table.texts_or_day(key, problems)?;
    if list.value.len() != 1 {
        problems.error(&list.spot, format!("`{key}` is one point in time"));
    }
    list.value.into_iter().next()
}

impl YearDay {
    /// The moment in one year; where it has no such day, the beginning of the day after.
    fn in_year(self, year: i16) -> Option<DateTime> {
        match Date::new(year, self.month, self.day) {
            Ok(date) => plus_minutes(date, self.minute),
            Err(_) => plus_minutes(Date::new(year, self.month + 1, 1).ok()?, 0),
        }
    }
}

fn plus_minutes(date: Date, minutes: u16) -> Option<DateTime> {
    date.to_datetime(Time::midnight()).checked_add(i64::from(minutes).minutes()).ok()
}

fn minute_of_day(at: DateTime) -> u16 {
    u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or_default()
}

fn minute_of_week(at: DateTime) -> u16 {
    let day = at.date().weekday().to_monday_zero_offset();
    u16::try_from(day).unwrap_or_default() * DAY + minute_of_day(at)
}

fn shown(why: Located<String>, problems: &mut Problems) -> Option<String> {
    let fits =
        why.value.chars().count() <= WHY_CHARS_MAX && !why.value.chars().any(char::is_control);
    if !fits || why.value.trim().is_empty() {
        let what = format!("`why` is one line of at most {WHY_CHARS_MAX} characters");
        problems.error(&why.spot, what);
        return None;
    }
    Some(why.value)
}

/// `{ days = ["mon-thu"], from = "18:00", to = "08:00" }`: on each of these days, into the next one
/// where it ends no later than it begins.
fn on_days(
    days: &[Located<String>],
    from: Option<&Located<String>>,
    to: Option<&Located<String>>,
    problems: &mut Problems,
) -> Option<When> {
    let before = problems.errors();
    let mut hour = |written: Option<&Located<String>>, without: u16| {
        let Some(written) = written else { return without };
        time(&written.value).unwrap_or_else(|| {
            let hint = "beside `days` it is a time: \"08:00\", \"16:30\", \"24:00\"";
            problems.error_hint(&written.spot, "this is no time of day", hint);
            without
        })
    };
    let (from, to) = (hour(from, 0), hour(to, DAY));
    let length = if to > from { to - from } else { to + DAY - from };
    let mut stretches = Vec::new();
    for written in days {
        match some_days(&written.value) {
            Some(named) => stretches.extend(named.map(|day| (day * DAY + from % DAY, length))),
            None => {
                let hint = "mon, tue, wed, thu, fri, sat, sun, or a range: \"mon-fri\"";
                problems.error_hint(&written.spot, "no such days", hint);
            }
        }
    }
    (problems.errors() == before && !stretches.is_empty()).then_some(When::Weekly(stretches))
}

fn day(name: &str) -> Option<u16> {
    let at = DAYS.iter().position(|day| name.eq_ignore_ascii_case(day))?;
    u16::try_from(at).ok()
}

/// `sat`, or `fri-mon`, which goes round the end of the week.
fn some_days(text: &str) -> Option<impl Iterator<Item = u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first.trim())?, day(last.trim())?);
    let count = (last + 7 - first) % 7 + 1;
    Some((0..count).map(move |n| (first + n) % 7))
}

/// Minutes since midnight of `HH:MM`, up to 24:00.
fn time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= DAY).then_some(whole)
}

/// One end of a window.
enum End {
    Week(u16),
    Day(DateTime),
    Year(YearDay),
}

/// Reads an end. Where only a day is named it is the start of the day, or of the one after: a
/// window holds on the day that it is said to end on.
fn end(text: &str, is_last: bool) -> Option<End> {
    let text = text.replace('T', " ");
    let (date, hours) = match text.trim().split_once(' ') {
        Some((date, hours)) => {
            let hours = hours.trim();
            (
                date.to_owned(),
                time(hours.strip_suffix(":00").filter(|h| h.len() == 5).unwrap_or(hours))?,
            )
        }
        None => (text.trim().to_owned(), if is_last { DAY } else { 0 }),
    };
    if let Some(day) = day(&date) {
        return Some(End::Week((day * DAY + hours) % WEEK));
    }
    if let Ok(day) = date.parse::<Date>() {
        return (day.to_string() == date).then(|| plus_minutes(day, hours).map(End::Day)).flatten();
    }
    // A year that has every day there is.
    let day: Date = format!("2024-{date}").parse().ok()?;
    let at = plus_minutes(day, hours)?;
    let minute = minute_of_day(at);
    Some(End::Year(YearDay { month: at.month(), day: at.day(), minute }))
}

/// `{ from, to }`, both of the same form.
fn between(from: &Located<String>, to: &Located<String>, problems: &mut Problems) -> Option<When> {
    let mut read = |written: &Located<String>, is_last| {
        let read = end(&written.value, is_last);
        if read.is_none() {
            let hint = "\"fri 16:00\"; a date, \"2026-12-20\" or \"2026-12-20 18:00\"; or one of \
                        every year, \"12-20\"";
            problems.error_hint(&written.spot, "this is no point in time", hint);
        }
        read
    };
    let (first, last) = (read(from, false), read(to, true));
    let what = match (first?, last?) {
        (End::Week(start), End::Week(end)) if start == end => "this ends where it begins",
        (End::Week(start), End::Week(end)) => {
            return Some(When::Weekly(vec![(start, (end + WEEK - start) % WEEK)]));
        }
        (End::Day(start), End::Day(end)) if start >= end => "this ends before it begins",
        (End::Day(start), End::Day(end)) => return Some(When::Once(start, end)),
        (End::Year(start), End::Year(end)) if start == end => "this ends where it begins",
        (End::Year(start), End::Year(end)) => return Some(When::Yearly(start, end)),
        (End::Week(_) | End::Day(_) | End::Year(_), End::Week(_) | End::Day(_) | End::Year(_)) => {
            "`from` and `to` are of two kinds"
        }
    };
    let hint = "two days of the week, two dates, or two days of every year";
    problems.error_hint(&to.spot, what, hint);
    None
}
