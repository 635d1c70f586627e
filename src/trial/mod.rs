//! Unit tests of a policy: pushes that nobody has made, told as text, and what the policy says.
//!
//! Whoever keeps a policy writes that this person who pushes this to that ref is accepted, or is
//! refused by these rules. A case becomes facts, the facts are judged as those of a push are, and
//! the answer is held against what the case expects. Nothing is read but the text; no repository
//! stands behind it. The language is told of in `docs/policy-cases.md`.

mod arriving;
mod check;
mod deed;
mod facts;
mod file;
mod line;
pub mod outcome;
pub mod read;
mod words;

use std::sync::Arc;

use crate::policy::Policy;
use crate::source::problem::Problems;
use crate::source::text::SourceText;
use crate::trial::outcome::{Outcome, outcome};

/// The first words of the lines that tell of a push.
pub const LINES: [&str; line::DETAILS.len()] = line::DETAILS;

/// What a push may do to a ref.
pub const VERBS: [&str; deed::DEEDS.len()] = deed::VERBS;

/// Tries a policy with every case of a text; the outcomes in the order of the text.
///
/// # Errors
///
/// What is wrong with the text, every problem with its line: then no case was tried.
pub fn tried(policy: &Policy, text: &Arc<SourceText>) -> Result<Vec<Outcome>, Problems> {
    let mut problems = Problems::new();
    let pushes = read::read(text, &mut problems);
    for push in &pushes {
        check::check(policy, push, &mut problems);
    }
    if problems.errors() > 0 {
        return Err(problems);
    }
    Ok(pushes.iter().map(|push| outcome(policy, push)).collect())
}
