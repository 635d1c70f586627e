//! One policy file, taken apart into its sections; nothing is compiled yet.
//!
//! Made and used by `policy::compile`. What stands at the top of the file is read here; a section
//! is left whole for whoever compiles it.

use crate::names::moment::Moment;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::{Located, Spot};
use crate::verdict::finding::Level;

/// The version of the policy's language that is read here.
pub(super) const VERSION: u64 = 1;

/// What may stand at the top of a file.
pub(super) const TOP_KEYS: Keys<'static> = Keys {
    known: &[
        "version",
        "help",
        "level",
        "until",
        "identity",
        "log",
        "limits",
        "push",
        "people",
        "groups",
        "break-glass",
        "rollback",
        "notify",
        "rule",
    ],
    later: &[],
};

/// What only the first file may hold: it is the site's, and others must not undo what it says.
const SITE_KEYS: [&str; 7] =
    ["identity", "log", "limits", "push", "break-glass", "rollback", "notify"];

/// How long a text that is shown to pushers may be, in characters.
pub(super) const SHOWN_CHARS_MAX: usize = 400;

/// The levels, as a policy names them.
pub(super) const LEVELS: &[(&str, Level)] = &[("refuse", Level::Refuse), ("warn", Level::Warn)];

/// What holds for every rule of a file that does not say otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) level: Option<Level>,
    pub(super) until: Option<Moment>,
}

/// The sections that only the site's file may hold.
#[derive(Debug, Default)]
pub(super) struct Site<'a> {
    pub(super) identity: Option<Table<'a>>,
    pub(super) log: Option<Table<'a>>,
    pub(super) limits: Option<Table<'a>>,
    pub(super) push: Option<Table<'a>>,
    pub(super) glass: Option<Table<'a>>,
    pub(super) rollback: Option<Table<'a>>,
    pub(super) notify: Option<Table<'a>>,
}

/// One file, taken apart.
#[derive(Debug)]
pub(super) struct RawFile<'a> {
    /// The start of the file.
    pub(super) whole: Spot,
    pub(super) help: Option<String>,
    pub(super) defaults: Defaults,
    pub(super) site: Site<'a>,
    pub(super) people: Option<Table<'a>>,
    pub(super) groups: Option<Table<'a>>,
    /// Every `[rule.NAME]`, in the order they are written.
    pub(super) rules: Vec<(Located<String>, Table<'a>)>,
}

impl<'a> RawFile<'a> {
    /// Takes a file apart. `is_site`: it is the first one.
    pub(super) fn read(mut table: Table<'a>, is_site: bool, problems: &mut Problems) -> Self {
        let whole = table.header().clone();
        version(&mut table, problems);
        if !is_site {
            refuse_site_keys(&mut table, problems);
        }
        let help = shown_text(&mut table, "help", problems);
        let defaults = Defaults {
            level: table.word("level", LEVELS, problems).map(|level| level.value),
            until: until(&mut table, problems).map(|until| until.value),
        };
        let site = Site {
            identity: table.table("identity", problems),
            log: table.table("log", problems),
            limits: table.table("limits", problems),
            push: table.table("push", problems),
            glass: table.table("break-glass", problems),
            rollback: table.table("rollback", problems),
            notify: table.table("notify", problems),
        };
        let people = table.table("people", problems);
        let groups = table.table("groups", problems);
        let rules = rules(&mut table, problems);
        table.finish(TOP_KEYS, problems);
        Self { whole, help, defaults, site, people, groups, rules }
    }
}

fn version(table: &mut Table<'_>, problems: &mut Problems) {
    if !table.has("version") {
        let hint = "a policy begins with: version = 1";
        problems.error_hint(table.header(), "`version` is missing", hint);
        return;
    }
    if let Some(version) = table.count("version", problems)
        && version.value != VERSION
    {
        let what = format!("version {} of the policy is not known", version.value);
        problems.error_hint(&version.spot, what, "this portcullis reads: version = 1");
    }
}

fn refuse_site_keys(table: &mut Table<'_>, problems: &mut Problems) {
    for key in SITE_KEYS {
        if let Some(spot) = table.key_spot(key) {
            let hint = "the first file is the site's, what holds for all stands there";
            problems.error_hint(&spot, format!("only the first file may hold `{key}`"), hint);
            table.discard(key);
        }
    }
}

fn rules<'a>(table: &mut Table<'a>, problems: &mut Problems) -> Vec<(Located<String>, Table<'a>)> {
    let Some(mut rules) = table.table("rule", problems) else { return Vec::new() };
    let mut read = Vec::new();
    for name in rules.names() {
        if let Some(body) = rules.table(&name.value, problems) {
            read.push((name, body));
        }
    }
    read
}

/// Takes a text that pushers will read: one line, not endless.
pub(super) fn shown_text(
    table: &mut Table<'_>,
    key: &str,
    problems: &mut Problems,
) -> Option<String> {
    let text = table.text(key, problems)?;
    if text.value.trim().is_empty() {
        let hint = "say something, or take the key out";
        problems.error_hint(&text.spot, format!("`{key}` is empty"), hint);
    } else if text.value.chars().any(char::is_control) {
        problems.error(&text.spot, format!("`{key}` is shown on one line and holds a line break"));
    } else if text.value.chars().count() > SHOWN_CHARS_MAX {
        let what = format!("`{key}` is longer than {SHOWN_CHARS_MAX} characters");
        problems.push(Problem::error(what).at(&text.spot));
    }
    Some(text.value)
}

/// Takes the day from which a warning refuses.
pub(super) fn until(table: &mut Table<'_>, problems: &mut Problems) -> Option<Located<Moment>> {
    let day = table.day("until", problems)?;
    match Moment::parse_day(&day.value) {
        Some(moment) => Some(Located { value: moment, spot: day.spot }),
        None => {
            let hint = "a day, from 00:00 UTC on: \"2027-01-31\"";
            problems.error_hint(&day.spot, "`until` is not a day", hint);
            None
        }
    }
}
