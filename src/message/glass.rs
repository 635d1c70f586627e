//! A broken glass, told so that nobody reads past it; and how to break it.
//!
//! Used by `pusher`.

use crate::message::layout::{WIDTH, hint_lines, wrap};
use crate::verdict::glass::{Broken, Offer};
use crate::verdict::line::{Hint, Line};

/// What stands around the banner, behind `warning: `.
fn bar() -> String {
    format!("warning: {}", "=".repeat(WIDTH - "warning: ".len()))
}

/// The banner for one ref.
pub(crate) fn banner(broken: &Broken) -> Vec<String> {
    let mut lines = vec![bar()];
    lines.extend(wrap("", &format!("warning: the glass is broken for {}", broken.refname)));
    let reason = Line::new("  reason: ").quoted(broken.reason.as_bytes());
    lines.extend(wrap("  ", reason.show().trim_start()));
    let mut rules: Vec<&str> = Vec::new();
    for finding in &broken.overridden {
        if !rules.contains(&finding.rule.name()) {
            rules.push(finding.rule.name());
        }
    }
    let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    lines.extend(wrap("  ", &format!("it lets in what was refused by {}", rules.join(", "))));
    let until = broken.settle_by.rfc3339_seconds();
    lines.extend(wrap("  ", &format!("a debt stands until it is approved, due {until}")));
    lines.extend(broken.owed.iter().flat_map(hint_lines));
    lines.push(bar());
    lines
}

/// What is said where it was to be broken and nothing stood in the way.
pub(crate) fn unused() -> Vec<String> {
    wrap("  ", "the glass was not needed: it is whole, and nothing is owed")
}

/// How to break it, as the last words of a refusal.
pub(crate) fn offer(offer: &Offer) -> Vec<String> {
    match offer {
        Offer::Command { command, pattern } => {
            let mut text = Line::new("in an emergency you may break the glass");
            if let Some(pattern) = pattern {
                text = text.text(", for a reason that matches `").text(pattern.clone()).text("`");
            }
            hint_lines(&Hint::run(text, command.clone()))
        }
        Offer::NotHere => {
            let text = "the glass cannot be broken here: this server runs no pre-receive hook";
            hint_lines(&Hint::new(Line::new(text)))
        }
    }
}
