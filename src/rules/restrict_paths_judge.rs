//! What becomes of a ref and what each arriving commit does, against who may.

use crate::facts::change::{Operation, PathChange};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::push::pusher::Pusher;
use crate::rules::restrict_paths::{RestrictPaths, Who};
use crate::rules::view::View;
use crate::rules::words::{leave_out, told};
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// How many paths are told one by one.
const TOLD_MAX: usize = 5;

/// How many people a hint names.
const NAMES_TOLD_MAX: usize = 8;

/// Something done to a path that is not for everybody.
struct Act<'f> {
    operation: Operation,
    path: &'f RepoPath,
    /// The commit that does it. `None`: what all of them come to.
    commit: Option<Oid>,
}

/// Judges one ref update. Deletions of the ref are not this rule's business.
pub(crate) fn judge(rule: &RestrictPaths, view: &View<'_>) -> Ruling {
    let acts = acts(rule, view);
    let Some(first) = acts.first() else { return Ruling::default() };
    let pusher = &view.push.push.pusher;
    if rule.who.allows(pusher) {
        let note = Line::new("").text(told(pusher)).text(" may change ").path(first.path);
        return Ruling { objections: Vec::new(), notes: vec![and_more(note, acts.len() - 1)] };
    }
    Ruling { objections: vec![objection(rule, view, pusher, &acts)], notes: Vec::new() }
}

/// Everything that the rule is about, each path and operation once, the oldest first.
fn acts<'f>(rule: &RestrictPaths, view: &View<'f>) -> Vec<Act<'f>> {
    let mut acts: Vec<Act<'f>> = Vec::new();
    let mut add = |change: &'f PathChange, commit: Option<Oid>| {
        let Some(operation) = rule.operations.first_of(change) else { return };
        acts.push(Act { operation, path: &change.path, commit });
    };
    for taken in view.intake.iter().flat_map(|intake| &intake.taken) {
        let marks = view.intake.map(|intake| intake.infra.as_slice()).unwrap_or_default();
        if rule.scope.covers_marked(&taken.change, marks) {
            add(&taken.change, Some(taken.commit));
        }
    }
    for segment in view.landing.iter().flat_map(|landing| &landing.segments) {
        let step = &segment.whole;
        for change in step.delta.changes().iter().filter(|c| rule.scope.covers(c, step)) {
            add(change, None);
        }
    }
    let mut seen = std::collections::HashSet::new();
    acts.retain(|act| seen.insert((act.path, act.operation)));
    acts
}

fn objection(
    rule: &RestrictPaths,
    view: &View<'_>,
    pusher: &Pusher,
    acts: &[Act<'_>],
) -> Objection {
    let mut acts = acts.iter();
    let mut objection = match acts.next() {
        Some(first) => {
            let what = Line::new("").text(told(pusher)).text(" may not ");
            Objection::new(where_to(act(what, first), first))
        }
        None => Objection::new(Line::new("these paths are not for everybody")),
    };
    for one in acts.by_ref().take(TOLD_MAX) {
        objection = objection.detail(where_to(act(Line::new("nor "), one), one));
    }
    if let more @ 1.. = acts.count() {
        objection = objection.detail(Line::new("").count(more, "more path", "more paths"));
    }
    let (who, ask) = match &rule.who {
        Who::By(party) if party.names.is_empty() => (Line::new("nobody may"), None),
        Who::By(party) => {
            let names = party.names.iter().take(NAMES_TOLD_MAX);
            let ask = Line::new("ask one of ").names(names).text(" to push it");
            (Line::new("only ").text(party.written.join(", ")).text(" may"), Some(ask))
        }
        Who::NotBy(party) => {
            let who = Line::new("everybody may but ").text(party.written.join(", "));
            (who, Some(Line::new("ask somebody who may to push it")))
        }
    };
    objection = objection.detail(who);
    let leave = "leave these paths out of every commit of the push";
    objection = objection.hint(match view.intake {
        Some(intake) => leave_out(intake, leave),
        None => Hint::new(Line::new(leave)),
    });
    ask.into_iter().map(Hint::new).fold(objection, Objection::hint)
}

fn act(line: Line, act: &Act<'_>) -> Line {
    let verb = match act.operation {
        Operation::Add => "add ",
        Operation::Modify => "modify ",
        Operation::Delete => "delete ",
        Operation::ModeFlip => "flip the mode of ",
        Operation::TypeChange => "change the type of ",
    };
    line.text(verb).path(act.path)
}

fn where_to(line: Line, act: &Act<'_>) -> Line {
    match act.commit {
        Some(commit) => line.text(", as ").oid(commit).text(" does"),
        None => line.text(", as this push does"),
    }
}

fn and_more(line: Line, more: usize) -> Line {
    match more {
        0 => line,
        _ => line.text(" and ").count(more, "more path", "more paths"),
    }
}
