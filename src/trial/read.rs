//! A text of cases, read: every line is understood or is a problem with its place.

use std::sync::Arc;

use crate::names::refname::Refname;
use crate::source::problem::{Problem, Problems};
use crate::source::text::{SourceText, Span, Spot};
use crate::trial::deed::head;
use crate::trial::file::{Deed, Expected, Told, ToldPush, ToldWho};
use crate::trial::line::{detail, expected};
use crate::trial::words::Words;

/// How large a text of cases may be, in bytes.
pub const CASES_BYTES_MAX: usize = 1024 * 1024;

/// How many pushes one text may tell of.
pub const PUSHES_MAX: usize = 10_000;

/// A push whose lines are being read.
struct Open {
    case: String,
    spot: Spot,
    parts: Option<(ToldWho, Deed, Refname)>,
    told: Told,
}

/// Reads all pushes of a text. What is wrong is added to the problems.
pub(super) fn read(text: &Arc<SourceText>, problems: &mut Problems) -> Vec<ToldPush> {
    let mut pushes = Vec::new();
    let mut case: Option<(String, Spot, usize)> = None;
    let mut open: Option<Open> = None;
    let mut start = 0;
    for line in text.as_str().split_inclusive('\n') {
        let words = line.trim_end();
        let spot = text.spot(Span { start, end: start + words.len() });
        start += line.len();
        let is_blank = words.trim_start().is_empty() || words.trim_start().starts_with('#');
        if let Some(title) = words.strip_prefix("== ") {
            unanswered(open.take(), problems);
            empty(case.take(), pushes.len(), problems);
            case = Some((title.trim().to_owned(), spot, pushes.len()));
        } else if is_blank || case.is_none() {
            // Words before the first case are for people.
        } else if words.starts_with([' ', '\t']) {
            match &mut open {
                Some(open) => flaw(detail(words, &mut open.told), &spot, problems),
                None => problems.error_hint(
                    &spot,
                    "what does this line belong to?",
                    "a push begins with a line that is not indented: alice merges into main",
                ),
            }
        } else if let Some(outcome) = words.strip_prefix("=>") {
            match (expected(outcome), open.take()) {
                (Ok(outcome), Some(open)) => pushes.extend(open.close(&spot, outcome)),
                (Ok(_), None) => {
                    problems.error_hint(&spot, "no push stands above this", "one line for each");
                }
                (Err(what), _) => problems.push(Problem::error(what).at(&spot)),
            }
        } else {
            unanswered(open.take(), problems);
            let title = case.as_ref().map(|(title, _, _)| title.clone()).unwrap_or_default();
            let parts = Words::of(words).and_then(|mut words| head(&mut words));
            let parts = parts.map_err(|what| problems.push(Problem::error(what).at(&spot))).ok();
            open = Some(Open { case: title, spot, parts, told: Told::default() });
        }
    }
    unanswered(open, problems);
    let any = case.is_some();
    empty(case, pushes.len(), problems);
    if !any {
        problems.error_hint(&text.whole(), "there is no case", "a case begins with `== TITLE`");
    }
    if pushes.len() > PUSHES_MAX {
        let what = format!("more than {PUSHES_MAX} pushes");
        problems.error_hint(&text.whole(), what, "put some of them into another file");
    }
    pushes
}

impl Open {
    fn close(self, at: &Spot, expected: Expected) -> Option<ToldPush> {
        let (who, deed, refname) = self.parts?;
        Some(ToldPush {
            case: self.case,
            spot: self.spot,
            who,
            deed,
            refname,
            told: self.told,
            expected_at: at.clone(),
            expected,
        })
    }
}

fn flaw(read: Result<(), String>, spot: &Spot, problems: &mut Problems) {
    if let Err(what) = read {
        problems.push(Problem::error(what).at(spot));
    }
}

/// A push of which it is not said what comes of it tests nothing.
fn unanswered(open: Option<Open>, problems: &mut Problems) {
    if let Some(open) = open {
        let hint = "a line below says it: `=> accepted` or `=> refused by RULE`";
        problems.error_hint(&open.spot, "what comes of this push?", hint);
    }
}

fn empty(case: Option<(String, Spot, usize)>, pushes: usize, problems: &mut Problems) {
    if let Some((_, spot, before)) = case
        && pushes == before
        && problems.errors() == 0
    {
        let hint = "a push and what comes of it: alice merges into main";
        problems.error_hint(&spot, "nothing is pushed in this case", hint);
    }
}
