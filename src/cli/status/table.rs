//! `status` for people: a row a repository, the worst first, and below it what needs a hand.
//!
//! Pure. Fits the width it is given; with room to spare it says more.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::log::words::counted;
use crate::cli::quote::shell;
use crate::cli::status::told::{State, Summary, Told, in_state};
use crate::names::escape::escape;
use crate::names::moment::Moment;

/// From how many columns on a row also says which hooks run, on which platform, and when exactly.
const WIDE_COLUMNS: usize = 120;

/// How many columns the name of a repository has at least.
const NAME_COLUMNS_MIN: usize = 12;

/// How many digits of a policy's digest are shown, narrow and wide.
const DIGITS: [usize; 2] = [8, 12];

/// How many columns a version may take.
const VERSION_COLUMNS_MAX: usize = 10;

/// One column: its heading, whether it stands only in a wide table, whether it is a number, and what
/// it says.
struct Column {
    heading: &'static str,
    is_wide: bool,
    is_number: bool,
    cell: fn(&Told, &Page) -> String,
}

/// How it is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many columns a line has.
    pub columns: usize,
    /// What ages are counted from.
    pub now: Moment,
}

impl Page {
    const fn is_wide(&self) -> bool {
        self.columns >= WIDE_COLUMNS
    }
}

const COLUMNS: [Column; 11] = [
    column("gate", false, |told, _| gate(told).to_owned()),
    column("hooks", true, |told, _| hooks(told)),
    column("platform", true, |told, _| escape(told.platform.as_bytes())),
    column("version", false, |told, _| version(told)),
    column("policy", false, |told, page| {
        let digest = told.policy.as_ref().map_or("-", |policy| &policy.digest);
        let digits = if page.is_wide() { DIGITS[1] } else { DIGITS[0] };
        digest.get(..digits).unwrap_or(digest).to_owned()
    }),
    number("entry", |told, _| or_dash(told.last.as_ref().map(|last| last.entry.to_string()))),
    number("last", |told, page| or_dash(told.last.as_ref().map(|last| age(last.at, page.now)))),
    number("sealed", sealed),
    number("drift", |told, _| count(told, told.drifts.len())),
    number("debts", |told, _| count(told, told.debts.len())),
    number("warn", |told, _| count(told, told.count(Level::Warning))),
];

const fn column(heading: &'static str, is_wide: bool, cell: fn(&Told, &Page) -> String) -> Column {
    Column { heading, is_wide, is_number: false, cell }
}

const fn number(heading: &'static str, cell: fn(&Told, &Page) -> String) -> Column {
    Column { heading, is_wide: false, is_number: true, cell }
}

/// The whole page. `all` is sorted, the worst first.
pub fn page(all: &[Told], page: &Page) -> Vec<String> {
    let mut lines = table(all, page);
    lines.extend(hands(all));
    lines.push(String::new());
    lines.push(sum(all));
    lines
}

/// The rows alone.
fn table(all: &[Told], page: &Page) -> Vec<String> {
    let shown = || COLUMNS.iter().filter(|column| page.is_wide() || !column.is_wide);
    let cells: Vec<Vec<String>> =
        all.iter().map(|told| shown().map(|column| (column.cell)(told, page)).collect()).collect();
    let widths: Vec<usize> = shown()
        .enumerate()
        .map(|(at, column)| {
            let cells = cells.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell));
            cells.chain([column.heading.len()]).max().unwrap_or_default()
        })
        .collect();
    let rest: usize = widths.iter().map(|width| width + 1).sum();
    let longest = all.iter().map(|told| columns(&told.label)).max().unwrap_or_default();
    let room = page.columns.saturating_sub(rest).max(NAME_COLUMNS_MIN);
    let name_width = longest.max("repository".len()).min(room);
    let row = |name: &str, cells: &[String]| {
        let mut line = format!("{:name_width$}", cut(name, name_width));
        for ((cell, width), column) in cells.iter().zip(&widths).zip(shown()) {
            line.push(' ');
            line.push_str(&match column.is_number {
                true => format!("{cell:>width$}"),
                false => format!("{cell:width$}"),
            });
        }
        line.trim_end().to_owned()
    };
    let headings: Vec<String> = shown().map(|column| column.heading.to_owned()).collect();
    let mut lines = vec![row("repository", &headings)];
    lines.extend(all.iter().zip(&cells).map(|(told, cells)| row(&told.label, cells)));
    lines
}

/// What needs a hand, each with its command. Empty where all is well.
pub fn hands(all: &[Told]) -> Vec<String> {
    let mut lines = Vec::new();
    let heading = |lines: &mut Vec<String>, text: &str| {
        lines.push(String::new());
        lines.push(text.to_owned());
    };
    let others = || all.iter().filter(|told| told.state != State::Open);
    for (level, text) in [(Level::Error, "needs a hand:"), (Level::Warning, "warnings:")] {
        let mut is_first = true;
        for told in others() {
            for finding in told.findings.iter().filter(|finding| finding.level == level) {
                if std::mem::take(&mut is_first) {
                    heading(&mut lines, text);
                }
                lines.extend(hand(told, finding));
            }
        }
    }
    let open: Vec<&Told> = all.iter().filter(|told| told.state == State::Open).collect();
    if !open.is_empty() {
        heading(&mut lines, "no hooks are installed, so pushes to these are not judged:");
        lines.extend(open.iter().map(|told| format!("  portcullis install {}", shell(&told.path))));
    }
    let mirrors: Vec<&Told> = all.iter().filter(|told| told.state == State::Mirror).collect();
    if !mirrors.is_empty() {
        heading(&mut lines, "mirrors, which nobody pushes to:");
        lines.extend(mirrors.iter().map(|told| format!("  {}", told.label)));
    }
    lines
}

fn hand(told: &Told, finding: &Finding) -> Vec<String> {
    // The rest of a long one is what its command says.
    let what = finding.what.lines().next().unwrap_or_default();
    let mut lines = vec![format!("  {}: {what}", told.label)];
    lines.extend(finding.mend.iter().map(|command| format!("    {command}")));
    lines
}

/// All in one line.
fn sum(all: &[Told]) -> String {
    let sum = Summary::of(all);
    let repositories = match sum.repositories {
        1 => "1 repository".to_owned(),
        many => format!("{many} repositories"),
    };
    let states = State::ALL.into_iter().filter_map(|state| {
        let count = in_state(all, state);
        let words = match state {
            State::Gated => format!("{count} gated"),
            State::Open => format!("{count} without our hooks"),
            State::Mirror => counted(count as u64, "mirror"),
            State::Unseen => format!("{count} not looked at"),
        };
        (count > 0).then_some(words)
    });
    let states: Vec<String> = states.collect();
    let hands = match sum.hands {
        0 => "nothing needs a hand".to_owned(),
        1 => "1 needs a hand".to_owned(),
        many => format!("{many} need a hand"),
    };
    let more = [(sum.drifts, "drift"), (sum.debts, "debt"), (sum.warnings, "warning")];
    let more = more.iter().filter(|(count, _)| *count > 0);
    let more: String = more.map(|(n, what)| format!(", {}", counted(*n as u64, what))).collect();
    format!("{repositories}: {}; {hands}{more}", states.join(", "))
}

/// How the gate of a repository stands, in a word.
pub fn gate(told: &Told) -> &'static str {
    match (told.state, &told.policy) {
        (State::Unseen, _) => "?",
        (State::Open, _) => "none",
        (State::Mirror, _) => "mirror",
        (State::Gated, Some(policy)) if told.is_judging() => policy.stance.word(),
        (State::Gated, Some(_) | None) => "broken",
    }
}

/// The hooks by name; one that does not run has a mark.
pub fn hooks(told: &Told) -> String {
    let words = told.hooks.iter().map(|hook| {
        let mark = if hook.runs { "" } else { " (does not run)" };
        format!("{}{mark}", hook.name)
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "-".into() } else { words.join(",") }
}

fn version(told: &Told) -> String {
    let one = |program: &crate::cli::status::told::Program| {
        program.version.clone().unwrap_or_else(|| "?".to_owned())
    };
    let mut versions: Vec<String> = told.programs.iter().map(one).collect();
    versions.dedup();
    or_dash(Some(cut(&versions.join(","), VERSION_COLUMNS_MAX)).filter(|text| !text.is_empty()))
}

fn sealed(told: &Told, page: &Page) -> String {
    let Some(seal) = &told.seal else { return "-".to_owned() };
    let late = if seal.is_overdue { "!" } else { "" };
    match seal.at {
        Some(at) => format!("{}{late}", age(at, page.now)),
        None => format!("never{late}"),
    }
}

fn count(told: &Told, count: usize) -> String {
    match (told.state, count) {
        (State::Gated, many) => many.to_string(),
        (State::Unseen | State::Open | State::Mirror, _) => "-".to_owned(),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// How long ago, in one number and one letter.
pub fn age(at: Moment, now: Moment) -> String {
    const UNITS: [(i64, char); 4] = [(604_800, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let seconds = now.seconds().saturating_sub(at.seconds()).max(0);
    // Weeks only where days would be many.
    let fitting = UNITS.iter().find(|(length, unit)| match unit {
        'w' => seconds >= 9 * length,
        _ => seconds >= *length,
    });
    fitting.map_or_else(
        || format!("{seconds}s"),
        |(length, unit)| format!("{}{unit}", seconds / length),
    )
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The end of a name tells more than its beginning.
fn cut(text: &str, most: usize) -> String {
    let length = columns(text);
    if length <= most {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length + 2 - most).collect();
    format!("..{end}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::status::told::{HookTold, Last, PolicyTold, Program, SealTold, Stance};

    fn told(label: &str) -> Told {
        let at = Moment::from_seconds(1_000_000);
        Told {
            repository: "infra-5f0c91ab".to_owned(),
            platform: "plain".to_owned(),
            hooks: vec![HookTold {
                name: "pre-receive".to_owned(),
                path: PathBuf::from("hooks/pre-receive"),
                runs: true,
            }],
            programs: vec![Program {
                path: PathBuf::from("/usr/bin/portcullis"),
                version: Some("10.20.30-rc.1".to_owned()),
            }],
            policy: Some(PolicyTold { digest: "ab".repeat(32), stance: Stance::Enforce }),
            last: Some(Last { entry: 12_345_678, at, head: "cd".repeat(32) }),
            seal: Some(SealTold { at: Some(at), since: at, every: Some(1), is_overdue: true }),
            ..Told::nothing(PathBuf::from("/srv").join(label), label.to_owned(), State::Gated)
        }
    }

    #[test]
    fn a_row_fits_the_page_and_says_more_on_a_wide_one() {
        let long = told("a/very/long/way/down/to/one/of/the/repositories/of/the/team/infra.git");
        let all = [long, told("b.git"), Told::nothing("/srv/c".into(), "c".into(), State::Mirror)];
        let now = Moment::from_seconds(1_000_000 + 3 * 86_400);
        for columns in [80, 100, 120, 200] {
            let lines = table(&all, &Page { columns, now });
            for line in &lines {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
            let wide = columns >= 120;
            assert_eq!(lines.iter().any(|line| line.contains("pre-receive")), wide, "{lines:#?}");
            assert!(lines.iter().all(|line| !line.ends_with(' ')));
        }
        let lines = table(&all, &Page { columns: 80, now });
        let heading = lines.first().map_or("", String::as_str);
        for word in ["repository", "gate", "version", "policy", "entry", "last", "sealed", "warn"] {
            assert!(heading.contains(word), "{heading}");
        }
        assert!(lines.iter().any(|line| line.contains("infra.git") && line.contains("3d!")));
    }

    #[test]
    fn ages_are_short() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_400, 62 * 86_400, 63 * 86_400];
        let now = Moment::from_seconds(100_000_000);
        let shown = ages.map(|seconds| age(now.plus_seconds(-seconds), now));
        assert_eq!(shown, ["0s", "59s", "1m", "59m", "1h", "1d", "62d", "9w"]);
        assert_eq!(age(now.plus_seconds(5), now), "0s");
    }
}
