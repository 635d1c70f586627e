//! A replay's result for people.

use crate::cli::replay::beside::Difference;
use crate::names::escape::escape_short;
use crate::names::principal::PrincipalName;
use crate::replay::tally::{Example, Replayed, RuleTally, Shapes};
use crate::verdict::finding::{Level, Missing, RuleRef};

/// How many names are listed before the rest is counted.
const NAMES_MAX: usize = 6;

/// How many different lacks of approvals are listed for one rule.
const LACKS_MAX: usize = 4;

/// All of it.
pub fn whole(replayed: &Replayed, beside: Option<&Difference>) -> String {
    let mut text = format!("{}\n", heading(replayed));
    for tally in &replayed.rules {
        text.push_str(&format!("\n{}\n", verdict(tally, replayed.shapes.all())));
        text.push_str(&why(tally));
        for example in &tally.examples {
            text.push_str(&format!("  {}\n", shown_example(example)));
        }
    }
    text.push_str(&asides(replayed));
    text.push_str(&format!("\n{}\n", total(replayed)));
    if let Some(difference) = beside {
        text.push_str(&format!("beside the policy in force: {}\n", difference.line()));
    }
    text
}

/// A line a rule, and the totals.
pub fn brief(replayed: &Replayed) -> String {
    let mut text = format!("{}\n", heading(replayed));
    for tally in &replayed.rules {
        text.push_str(&format!("  {}\n", verdict(tally, replayed.shapes.all())));
    }
    text.push_str(&format!("  {}\n", total(replayed)));
    text
}

fn heading(replayed: &Replayed) -> String {
    let shapes = replayed.shapes;
    let mut text = format!("{}: {}", replayed.refname, steps(shapes.all()));
    if let Some((oldest, newest)) = replayed.dates {
        let (oldest, newest) = (oldest.day(), newest.day());
        text.push_str(&match oldest == newest {
            true => format!(" of {oldest}"),
            false => format!(" from {oldest} to {newest}"),
        });
    }
    text.push_str(&format!(", {}", by_shape(shapes)));
    text
}

fn by_shape(shapes: Shapes) -> String {
    let parts = [
        (shapes.merges, "merge", "merges"),
        (shapes.direct, "direct commit", "direct commits"),
        (shapes.first, "first commit", "first commits"),
    ];
    let parts = parts.iter().filter(|(n, _, _)| *n > 0);
    let parts: Vec<String> =
        parts.map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many })).collect();
    parts.join(", ")
}

fn verdict(tally: &RuleTally, all: usize) -> String {
    let rule = shown_rule(&tally.rule);
    let verb = match tally.level {
        Level::Refuse => "refused",
        Level::Warn => "warned about",
    };
    match tally.steps.all() {
        0 => format!("{rule} is satisfied by every step"),
        n => format!("{rule} would have {verb} {n} of {}", steps(all)),
    }
}

fn shown_rule(rule: &RuleRef) -> String {
    match rule {
        RuleRef::Policy { name, kind, file, line, .. } => {
            format!("rule `{name}` ({kind}, {file}:{line})")
        }
        RuleRef::Always { name } => format!("`{name}`, asked without a rule,"),
    }
}

/// What the steps are that a rule objects to, and what they lack.
fn why(tally: &RuleTally) -> String {
    if tally.steps.all() == 0 {
        return String::new();
    }
    let mut text = format!("  {}\n", by_shape(tally.steps));
    for (missing, n) in tally.needed.iter().take(LACKS_MAX) {
        text.push_str(&format!("  {} needed {}\n", steps(*n), shown_missing(missing)));
    }
    if let Some(more @ 1..) = tally.needed.len().checked_sub(LACKS_MAX) {
        text.push_str(&format!("  and {more} more ways of lacking approvals\n"));
    }
    text
}

fn shown_missing(missing: &Missing) -> String {
    let approvals = if missing.approvals == 1 { "approval" } else { "approvals" };
    format!("{} {approvals} from {}", missing.approvals, names(&missing.from))
}

fn names(names: &[PrincipalName]) -> String {
    if names.is_empty() {
        return "nobody: there is no reviewer".into();
    }
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(ToString::to_string).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn shown_example(example: &Example) -> String {
    let (commit, day) = (example.commit.short(), example.when.day());
    let subject = escape_short(&example.subject);
    format!("{commit} {day} \"{subject}\"\n    {}", example.what.show())
}

fn asides(replayed: &Replayed) -> String {
    let mut text = String::new();
    for rule in &replayed.untold {
        let rule = shown_rule(rule);
        text.push_str(&format!("\n{rule} is left out: history does not tell who pushed\n"));
    }
    for rule in &replayed.elsewhere {
        text.push_str(&format!("\n{} is about other refs\n", shown_rule(rule)));
    }
    text
}

fn total(replayed: &Replayed) -> String {
    let all = replayed.shapes.all();
    let accepted = all - replayed.refused;
    let warned = match replayed.warned {
        0 => String::new(),
        n => format!(", {n} of them with a warning"),
    };
    let refused = replayed.refused;
    format!("{refused} of {} would have been refused, {accepted} accepted{warned}", steps(all))
}

fn steps(n: usize) -> String {
    format!("{n} {}", if n == 1 { "step" } else { "steps" })
}
