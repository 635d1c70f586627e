//! Windows against a clock that goes minute by minute.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use super::{Freeze, zone};
use crate::names::moment::Moment;
use crate::rules::window::Window;
use crate::source::problem::Problems;
use crate::source::table::{Table, parse};
use crate::source::text::SourceText;

fn windows(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Vec<Window> {
    let list = table.tables(key, problems).map(|list| list.value).unwrap_or_default();
    list.into_iter().map(|one| Window::read(one, problems).unwrap()).collect()
}

fn freeze(text: &str) -> Freeze {
    let mut problems = Problems::new();
    let text: Arc<SourceText> = SourceText::read(0, "t", text.as_bytes(), 10_000).unwrap();
    let parsed = parse(&text, &mut problems).unwrap();
    let mut table = Table::new(&text, text.whole(), parsed.get_ref());
    let (zone, zone_name) = zone(&mut table, &mut problems).unwrap();
    let closed = windows(&mut table, "closed", &mut problems);
    let open = windows(&mut table, "open", &mut problems);
    assert!(problems.is_empty(), "{problems}");
    Freeze { closed, open, zone, zone_name, by: None, scope: None }
}

/// Goes through some days minute by minute: what is told of the next opening is the next minute
/// at which it is open. Clocks are put forward on 2026-03-29 and back on 2026-10-25.
fn agrees(rule: &Freeze, from: &str, days: i64) {
    let start = Moment::parse_seconds(from).unwrap();
    let minutes: Vec<Moment> = (0..days * 24 * 60).map(|m| start.plus_seconds(m * 60)).collect();
    let mut next: Option<Moment> = None;
    let mut told = 0;
    for now in minutes.iter().rev() {
        match rule.closed_at(*now) {
            None => next = Some(*now),
            Some(closed) if next.is_some() => {
                assert_eq!(closed.until, next, "at {now}");
                told += 1;
            }
            Some(_) => {}
        }
    }
    assert!(told > 0 && next.is_some());
}

#[test]
fn the_next_opening_is_the_next_minute_at_which_it_is_open() {
    for zone in ["Europe/Berlin", "UTC", "+05:45", "America/St_Johns"] {
        let weekly = format!(
            "zone = \"{zone}\"\nclosed = [{{ from = \"fri 16:00\", to = \"mon 08:00\" }}, \
             {{ days = \"mon-thu\", from = \"18:00\", to = \"06:30\" }}, \
             {{ from = \"03-31\", to = \"04-01 12:00\" }}]"
        );
        agrees(&freeze(&weekly), "2026-03-23T00:00:00Z", 12);
        let open = format!(
            "zone = \"{zone}\"\nopen = [{{ days = [\"tue\", \"sat\"], from = \"09:00\", to = \
             \"11:00\" }}]\nclosed = [{{ from = \"2026-10-27 10:00\", to = 2026-10-27 }}]"
        );
        agrees(&freeze(&open), "2026-10-22T00:00:00Z", 12);
    }
}

#[test]
fn a_clock_that_is_put_back_or_forward_neither_hangs_nor_goes_back() {
    // An hour that is shown twice: both count. One that is never shown: it is over at once.
    let back = freeze(
        "zone = \"Europe/Berlin\"\nclosed = [{ days = \"sun\", from = \"02:15\", to = \"02:45\" }]",
    );
    let at = |text| Moment::parse_seconds(text).unwrap();
    for closed in ["2026-10-25T00:20:00Z", "2026-10-25T01:20:00Z"] {
        let told = back.closed_at(at(closed)).unwrap();
        assert_eq!(told.until, Some(at(closed).plus_seconds(25 * 60)), "{closed}");
    }
    assert!(back.closed_at(at("2026-10-25T00:50:00Z")).is_none());
    assert!(back.closed_at(at("2026-03-29T01:20:00Z")).is_none());
}

#[test]
fn a_window_of_one_day_of_the_year_holds_once_a_year() {
    let rule = freeze("closed = [{ from = \"02-29\", to = \"02-29\" }]");
    let at = |text| Moment::parse_seconds(text).unwrap();
    assert!(rule.closed_at(at("2026-02-28T23:59:59Z")).is_none());
    assert!(rule.closed_at(at("2026-03-01T00:00:00Z")).is_none());
    let leap = rule.closed_at(at("2028-02-29T12:00:00Z")).unwrap();
    assert_eq!(leap.until, Some(at("2028-03-01T00:00:00Z")));
}

#[test]
fn a_day_that_only_some_years_have_ends_with_the_month_in_the_others() {
    for (from, to) in [("02-27", "02-29 12:00"), ("02-27", "02-29"), ("02-29 12:00", "03-02")] {
        let rule = freeze(&format!("closed = [{{ from = \"{from}\", to = \"{to}\" }}]"));
        agrees(&rule, "2026-02-25T00:00:00Z", 8);
        agrees(&rule, "2028-02-25T00:00:00Z", 8);
    }
}
