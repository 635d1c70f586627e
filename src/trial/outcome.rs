//! What a policy says of a told push, held against what its case expects.

use crate::facts::run::{Ended, RunSeen};
use crate::judge::{judge, runs};
use crate::message::closing::{Closing, Reach, Room};
use crate::message::pusher;
use crate::policy::Policy;
use crate::source::text::Spot;
use crate::trial::facts::facts;
use crate::trial::file::{ToldPush, outcome_words};
use crate::verdict::Judgement;
use crate::verdict::finding::{Finding, Level};

/// What came of one push of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The words above the case.
    pub case: String,
    /// The line of the case that says what is expected.
    pub spot: Spot,
    /// What is expected, in the words of a case.
    pub expected: String,
    /// What the policy says, in the same words.
    pub got: String,
    /// What is otherwise than the case has it, a line each; none: it holds.
    pub otherwise: Vec<String>,
    /// What the pusher would read.
    pub message: String,
}

impl Outcome {
    /// Whether all is as the case has it.
    pub fn holds(&self) -> bool {
        self.otherwise.is_empty()
    }
}

/// Judges a push and compares.
pub(super) fn outcome(policy: &Policy, push: &ToldPush) -> Outcome {
    let mut facts = facts(policy, push);
    let mut otherwise = Vec::new();
    let mut seen = Vec::new();
    for order in runs(policy, &facts) {
        let told = push.told.runs.iter().find(|(name, _)| name == order.name);
        match told {
            Some((_, passes)) => seen.push((order.rule, *passes)),
            None => otherwise.push(format!(
                "rule `{0}` runs a command, and the case does not say what comes of it: \
                 `run {0} passes` or `run {0} fails`",
                order.name
            )),
        }
    }
    if let Some(update) = facts.updates.first_mut() {
        update.runs.extend(seen.into_iter().map(|(rule, passes)| (rule, ran(passes))));
    }
    let judged = judge(policy, &facts);
    let refused_by = names(&judged, Level::Refuse);
    let warned_by = names(&judged, Level::Warn);
    let closing = Closing {
        entry: None,
        head: None,
        you: None,
        reach: Reach::WholePush,
        room: Room::of(&policy.limits),
    };
    let message = pusher::judged(&judged, &closing);
    let expected = &push.expected;
    let warnings = expected.warned_by.as_ref().map_or(&[][..], |_| warned_by.as_slice());
    let got = outcome_words(&refused_by, warnings);
    let differs = refused_by != expected.refused_by
        || expected.warned_by.as_ref().is_some_and(|names| *names != warned_by);
    if differs {
        otherwise.insert(0, format!("expected {}, got {got}", expected.words()));
    }
    let read = on_one_line(&message);
    let missing = expected.says.iter().filter(|text| !read.contains(&on_one_line(text)));
    otherwise.extend(missing.map(|text| format!("expected to be said and is not: {text}")));
    let heard = expected.silent.iter().filter(|text| read.contains(&on_one_line(text)));
    otherwise.extend(heard.map(|text| format!("expected not to be said and is: {text}")));
    Outcome {
        case: push.case.clone(),
        spot: push.expected_at.clone(),
        expected: expected.words(),
        got,
        otherwise,
        message,
    }
}

fn ran(passes: bool) -> RunSeen {
    let ended = Ended::Exited(i32::from(!passes));
    RunSeen { ended, output: Vec::new(), cut: false, took_ms: 0 }
}

/// The rules that speak at this level, sorted.
fn names(judged: &Judgement, level: Level) -> Vec<String> {
    let of_refs = judged.refs.iter().flat_map(|one| &one.findings);
    let at_level = |finding: &&Finding| finding.level == level;
    let findings = judged.findings.iter().chain(of_refs).filter(at_level);
    let mut names: Vec<String> = findings.map(|one| one.rule.name().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// A text without its line breaks, and without the width that they came from.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
