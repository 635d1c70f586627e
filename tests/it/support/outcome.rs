//! What came of a push, against what a case file says.

use crate::support::push::Pushed;
use crate::support::story::{Expect, Outcome};

/// The outcome, and every word that was to be read or not to be read.
pub(crate) fn fits(pushed: &Pushed, expect: &Expect) -> Result<(), String> {
    came_to(pushed, &expect.outcome)?;
    let said = one_line(&pushed.said());
    for words in &expect.says {
        if !said.contains(&one_line(words)) {
            return Err(format!("nobody said {words:?}:\n{}", pushed.said()));
        }
    }
    for words in &expect.silent {
        if said.contains(&one_line(words)) {
            return Err(format!("somebody said {words:?}:\n{}", pushed.said()));
        }
    }
    Ok(())
}

/// Lines are broken to fit a terminal; what they say does not depend on where.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Accepted, refused by exactly these rules, or stopped elsewhere.
pub(crate) fn came_to(pushed: &Pushed, outcome: &Outcome) -> Result<(), String> {
    let is = match (pushed.is_accepted(), rules(pushed)) {
        (true, rules) if rules.is_empty() => Outcome::Accepted,
        (false, rules) if rules.is_empty() && judged(pushed) => Outcome::Stopped,
        (_, rules) => Outcome::Refused(rules),
    };
    match is == *outcome {
        true => Ok(()),
        false => Err(format!("expected {outcome:?}, this is {is:?}:\n{}", pushed.whole())),
    }
}

/// A push that could not be judged is refused for that, by no rule.
fn judged(pushed: &Pushed) -> bool {
    !pushed.said().contains("could not be judged")
}

/// The rules that refused, each once, sorted.
fn rules(pushed: &Pushed) -> Vec<String> {
    let said = one_line(&pushed.said());
    let parts = said.split("refused by rule `").skip(1);
    let mut rules: Vec<String> =
        parts.filter_map(|part| part.split('`').next()).map(str::to_owned).collect();
    rules.sort();
    rules.dedup();
    rules
}
