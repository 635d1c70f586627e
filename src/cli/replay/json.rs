//! A replay's result for scripts. Converted by hand, so that a renamed field changes no format.

use serde_json::{Value, json};

use crate::cli::replay::beside::Difference;
use crate::names::escape::escape;
use crate::names::principal::PrincipalName;
use crate::replay::tally::{Example, Replayed, RuleTally, Shapes};
use crate::verdict::finding::{Level, RuleRef};

/// All of it.
pub fn of(replayed: &Replayed, beside: Option<&Difference>) -> Value {
    let accepted = replayed.shapes.all() - replayed.refused;
    json!({
        "ref": replayed.refname.to_string(),
        "tip": replayed.tip.hex(),
        "oldest": replayed.dates.map(|(oldest, _)| oldest.rfc3339_seconds()),
        "newest": replayed.dates.map(|(_, newest)| newest.rfc3339_seconds()),
        "steps": shapes(replayed.shapes),
        "refused": replayed.refused,
        "accepted": accepted,
        "warned": replayed.warned,
        "rules": replayed.rules.iter().map(rule).collect::<Vec<_>>(),
        "left_out": replayed.untold.iter().map(reference).collect::<Vec<_>>(),
        "beside": beside.map(Difference::as_json),
        "about_other_refs": replayed.elsewhere.iter().map(reference).collect::<Vec<_>>(),
    })
}

fn shapes(shapes: Shapes) -> Value {
    json!({
        "all": shapes.all(),
        "merges": shapes.merges,
        "direct": shapes.direct,
        "first": shapes.first,
    })
}

fn rule(tally: &RuleTally) -> Value {
    let mut value = reference(&tally.rule);
    value["level"] = json!(match tally.level {
        Level::Refuse => "refuse",
        Level::Warn => "warn",
    });
    value["objects_to"] = shapes(tally.steps);
    let needed = tally.needed.iter().map(|(missing, steps)| {
        let from: Vec<&str> = missing.from.iter().map(PrincipalName::as_str).collect();
        json!({ "approvals": missing.approvals, "from": from, "steps": steps })
    });
    value["needed"] = needed.collect();
    value["examples"] = tally.examples.iter().map(example).collect();
    value
}

fn reference(rule: &RuleRef) -> Value {
    let place = match rule {
        RuleRef::Policy { file, line, .. } => Some((file, line)),
        RuleRef::Always { .. } => None,
    };
    json!({
        "rule": rule.name(),
        "kind": rule.kind(),
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, line)| line),
    })
}

fn example(example: &Example) -> Value {
    json!({
        "commit": example.commit.hex(),
        "date": example.when.rfc3339_seconds(),
        "subject": escape(&example.subject),
        "what": example.what.show(),
    })
}
