//! An entry in one line, or one a ref: number, time, who, answer, what.
//!
//! Pure. Made for reading down the columns; everything else is told by `block`.

use std::iter;

use crate::cli::io::{Screen, folded};
use crate::cli::log::truth;
use crate::cli::log::words;
use crate::log::decision::{Decision, RefDecision, Verdict};
use crate::log::entry::{GenesisRef, Outcome, Policy, Record, Refusal};
use crate::log::glass::BreakGlass;
use crate::log::line::Entry;
use crate::log::rate::Held;
use crate::log::tidy::{Tidy, TidyRef};
use crate::names::escape::{escape, escape_short};

/// How many refs of one push a list shows.
const REFS_MAX: usize = 6;

/// The width of the column of names; longer names push the rest to the right.
const WHO_COLUMNS: usize = 10;

/// The width of the column of answers: `recovered`, `not applied`.
const WORD_COLUMNS: usize = 11;

/// The width of a time.
const TIME_COLUMNS: usize = 20;

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many digits the highest number has.
    pub digits: usize,
    /// What shows it.
    pub screen: Screen,
}

/// What a row says behind number and time.
pub struct Row {
    /// Who: a name, a login in quotes, `-` where it is nobody, `?` where nobody could say.
    pub who: String,
    /// The answer, or what it is.
    pub word: &'static str,
    /// What, one line a ref.
    pub tells: Vec<String>,
}

impl Row {
    fn new(who: impl Into<String>, word: &'static str, tells: Vec<String>) -> Self {
        Self { who: who.into(), word, tells }
    }
}

/// The lines of one entry: what it tells beside number, time, name and answer, or below them, folded,
/// where the terminal is too narrow for that.
pub fn lines(entry: &Entry, layout: Layout) -> Vec<String> {
    let common = &entry.common;
    let mut row = row(&entry.record);
    row.tells.extend(common.held.iter().map(held));
    let (digits, screen) = (layout.digits, layout.screen);
    let begin = format!("{:>digits$}  {}  ", common.seq, common.ts.0.rfc3339_seconds());
    let begin = format!("{begin}{}  ", padded(&row.who, WHO_COLUMNS));
    let indent = digits + TIME_COLUMNS + WHO_COLUMNS + WORD_COLUMNS + 8;
    let word = padded(row.word, WORD_COLUMNS);
    let shown = if screen.colour { coloured(row.word, &word) } else { word.clone() };
    let first = row.tells.first().map_or(0, |tell| width(&begin) + width(&word) + 2 + width(tell));
    let others = row.tells.iter().skip(1).map(|tell| indent + width(tell));
    let widest = others.chain([first]).max().unwrap_or_default();
    if let Some(columns) = screen.columns.filter(|columns| widest > *columns) {
        let blanks = digits + 2;
        let below = |tell: &String| folded(&format!("{:blanks$}{tell}", ""), columns, blanks + 2);
        let tells = row.tells.iter().map(below);
        return iter::once(format!("{begin}{shown}").trim_end().to_owned()).chain(tells).collect();
    }
    let tells = row.tells.iter().enumerate().map(|(at, tell)| match at {
        0 => format!("{begin}{shown}  {tell}"),
        _ => format!("{}{tell}", " ".repeat(indent)),
    });
    tells.map(|line| line.trim_end().to_owned()).collect()
}

/// The answer in its colour: no is red, a warning yellow, a yes green.
pub fn coloured(word: &str, shown: &str) -> String {
    let colour = match word {
        "refused" | "drift" | "lost" | "recovered" | "break-glass" => "31",
        "warned" | "partly" | "not applied" => "33",
        "accepted" | "settled" | "excused" => "32",
        _ => return shown.to_owned(),
    };
    format!("\x1b[{colour}m{shown}\x1b[0m")
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// What the row of a record says.
pub fn row(record: &Record) -> Row {
    match record {
        Record::Genesis(it) => {
            let refs = words::counted(it.refs.n, "ref");
            let tell = format!("{}, {}, {refs}", words::plain(&it.repo), words::plain(&it.format));
            Row::new("-", "genesis", vec![tell])
        }
        Record::Birth(it) => {
            let tell = |one: &GenesisRef| {
                format!("{} {}", words::refname(&one.refname), one.oid.0.short())
            };
            Row::new("-", "birth", capped(it.refs.iter().map(tell).collect(), it.refs.len()))
        }
        Record::Decision(it) => decision(it),
        Record::Refusal(it) => refusal(it),
        Record::Outcome(it) => outcome(it),
        Record::Drift(it) => Row::new("-", "drift", vec![truth::drifted(it)]),
        Record::Config(it) => {
            let tells = truth::configured(it);
            let all = tells.len();
            let who = it.by.as_ref().map_or_else(|| "-".into(), |by| escape_short(&by.0));
            Row::new(who, "config", capped(tells, all))
        }
        Record::Accepted(it) => Row::new(escape_short(&it.by.0), "excused", truth::accepts(it)),
        Record::Policy(it) => policy(it),
        Record::Asked(it) => {
            let (name, commit) = (words::refname(&it.refname), it.commit.0.short());
            let answer = words::answer(it.verdict);
            let tell = format!("{name}: {commit} would be {answer}");
            Row::new(words::who(&it.actor), "asked", vec![tell])
        }
        Record::Recovered(it) => {
            let bytes = words::counted(it.length, "byte");
            let tell = format!("{bytes} from {}: {}", it.offset, words::cause(it.cause));
            Row::new("-", "recovered", vec![tell])
        }
        Record::Tidy(it) => tidy(it),
        Record::BreakGlass(it) => broken_glass(it),
        Record::Settled(it) => {
            let by: Vec<&str> = it.by.iter().map(|name| name.0.as_str()).collect();
            let how = words::settled(it.how, &by);
            let tell = format!("entry {}: {} {how}", it.of, words::refname(&it.refname));
            Row::new("-", "settled", vec![tell])
        }
        Record::Pruned(it) => {
            let tell = format!("entries 0 to {} taken away", it.first.saturating_sub(1));
            let kept = format!("{} kept whole in the summary", words::entries(it.kept));
            Row::new(escape_short(&it.by.0), "pruned", vec![tell, kept])
        }
        Record::Segment(it) => {
            let tell = format!("a new file, {}", words::closed(it.why));
            Row::new("-", "segment", vec![tell])
        }
        Record::Seal(it) => {
            let tell = format!("{} sealed", words::entries(it.size));
            Row::new("-", "seal", vec![tell])
        }
    }
}

fn policy(it: &Policy) -> Row {
    let files: Vec<String> = it.files.iter().map(|file| escape(&file.place.0)).collect();
    let hex = it.sha256.0.hex();
    let tell = format!("{} {}", words::digest(&hex), files.join(", "));
    Row::new(escape_short(&it.who.0), "policy", vec![tell])
}

fn broken_glass(it: &BreakGlass) -> Row {
    let (name, new) = (words::refname(&it.refname), words::short(&it.new.0));
    let rules = words::each_once(it.overridden.iter().map(|finding| &finding.rule));
    let reason = escape_short(&it.reason.0);
    let due = it.settle_by.0.rfc3339_seconds();
    let tells = vec![format!("{name} {new}  past {rules}: \"{reason}\""), format!("due {due}")];
    Row::new(words::who(&it.actor), "break-glass", tells)
}

fn tidy(it: &Tidy) -> Row {
    let tell =
        |one: &TidyRef| format!("{} leaves, {}", words::refname(&one.refname), words::dead(one));
    let tells = capped(it.refs.iter().map(tell).collect(), it.refs.len());
    Row::new(escape_short(&it.by.0), "tidy", tells)
}

fn decision(it: &Decision) -> Row {
    let word = words::verdict(it);
    let mut tells: Vec<String> = it.refs.iter().map(|one| moved(it, one)).collect();
    if tells.is_empty() {
        tells.push("no refs".into());
    }
    let refs = tells.len();
    Row::new(words::who(&it.actor), word, capped(tells, refs))
}

/// One ref of a push: a statement in words, or from where to where, and what was said to it.
fn moved(decision: &Decision, one: &RefDecision) -> String {
    let statement = decision.statements.iter().find(|it| it.place == one.refname);
    let mut tell = match statement {
        Some(it) => {
            let check = it.check.as_ref().map(|name| format!("{} ", words::plain(name)));
            format!(
                "{}{} of {} for {}",
                check.unwrap_or_default(),
                words::plain(&it.verdict),
                it.commit.0.short(),
                words::refname(&it.for_ref)
            )
        }
        None => {
            let mut tell = format!("{} {}", words::refname(&one.refname), words::range(one));
            if one.commits > 0 {
                tell.push_str(&format!(", {}", words::counted(one.commits, "commit")));
            }
            tell
        }
    };
    let named = |level: &str| {
        words::each_once(
            one.findings.iter().filter(|it| it.level == level).map(|finding| &finding.rule),
        )
    };
    let exempt = words::each_once(one.exempt.iter().map(|it| &it.rule));
    for (word, rules) in
        [("refused by", named("refuse")), ("warned by", named("warn")), ("exempt from", exempt)]
    {
        if !rules.is_empty() {
            tell.push_str(&format!("  {word} {rules}"));
        }
    }
    // Git refuses the refs beside it as well, and the row should not look as if they were at fault.
    if decision.verdict == Verdict::Refuse && one.verdict != Verdict::Refuse {
        tell.push_str("  in order by itself");
    }
    tell
}

fn refusal(it: &Refusal) -> Row {
    let who = it.actor.as_ref().map_or("?".into(), words::who);
    let what = if it.fault { "fault: " } else { "" };
    let mut tells = vec![format!("{what}{}", escape(&it.reason.0))];
    tells.extend(it.refs.iter().map(|one| words::refname(&one.refname)));
    let refs = tells.len();
    Row::new(who, "refused", capped(tells, refs))
}

fn outcome(it: &Outcome) -> Row {
    let first = it.refs.first().map(|one| one.state);
    let is_one = it.refs.iter().all(|one| Some(one.state) == first);
    let word = first.filter(|_| is_one).map_or("outcome", words::state);
    let tells = it.refs.iter().map(|one| {
        let state = if is_one { "" } else { words::state(one.state) };
        let tell = format!("entry {}: {} {state}", it.of, words::refname(&one.refname));
        tell.trim_end().to_owned()
    });
    let mut tells: Vec<String> = tells.collect();
    if tells.is_empty() {
        tells.push(format!("entry {}", it.of));
    }
    let refs = tells.len();
    Row::new("-", word, capped(tells, refs))
}

/// Refusals that were counted and not written.
pub fn held(it: &Held) -> String {
    format!(
        "and {} of {} from {} to {}, counted only",
        words::counted(it.n, "refusal"),
        escape_short(&it.who.0),
        it.first.0.rfc3339_seconds(),
        it.last.0.rfc3339_seconds()
    )
}

/// The first of many lines, and how many more there are.
fn capped(mut tells: Vec<String>, all: usize) -> Vec<String> {
    if all > REFS_MAX {
        tells.truncate(REFS_MAX);
        tells.push(format!("and {} more", all - REFS_MAX));
    }
    tells
}
