//! Steps against a merge rule: no direct commits, nothing of a merge's own, nothing unseen.

use crate::facts::landing::{Landing, MergeFact, Step, StepKind};
use crate::facts::makers::BY_NOBODY;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::rules::merge::{Merge, Method};
use crate::rules::rollback;
use crate::rules::view::View;
use crate::rules::words::first_with_rest;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many paths a message names.
const PATHS_MAX: usize = 3;

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &Merge, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let name = &view.update.update.name;
    let forward = rule.methods.contains(&Method::FastForward);
    if let (true, false, Some(whole)) = (forward, landing.off_chain, &landing.whole) {
        return Ruling { objections: Vec::new(), notes: vec![was_before(whole)] };
    }
    let all = landing.segments.iter().map(|s| &s.whole);
    let (back, steps): (Vec<&Step>, Vec<&Step>) =
        all.partition(|step| rollback::granted(view, step).is_some());
    let stands = |step: &&&Step| {
        forward && step.kind == StepKind::Run && !step.not_before.contains(&step.to)
    };
    let objections: Vec<Objection> = steps
        .iter()
        .filter(|step| !stands(step))
        .filter_map(|step| {
            let own = objection(rule, name, landing, step)?;
            Some(rollback::objection(view, step, own))
        })
        .collect();
    let merges = steps.iter().filter(|s| s.kind == StepKind::Merge).count();
    let mut notes = match merges {
        0 => Vec::new(),
        1 => vec![Line::new("the merge adds nothing of its own")],
        n => vec![Line::new(format!("{n} merges add nothing of their own"))],
    };
    notes.extend(back.iter().filter_map(|step| rollback::granted(view, step)));
    Ruling { objections: first_with_rest(objections), notes }
}

/// What speaks for a fast-forward.
fn was_before(step: &Step) -> Line {
    Line::new("").oid(step.to).text(" was on the server before this push")
}

fn objection(rule: &Merge, name: &Refname, landing: &Landing, step: &Step) -> Option<Objection> {
    match (step.kind, &step.merge) {
        (StepKind::Jump, _) => Some(jump(name, landing, step)),
        (StepKind::Run, _) => Some(direct(rule, name, step)),
        (StepKind::Merge, Some(MergeFact::Equal)) => unseen(step),
        (StepKind::Merge, Some(MergeFact::Differs(paths))) => {
            let what = Line::new("merge ").oid(step.to).text(" adds changes of its own");
            Some(resolved(name, Objection::new(with_paths(what.text(": "), paths)), step))
        }
        (StepKind::Merge, Some(MergeFact::Conflict(paths))) => {
            let what = Line::new("merge ").oid(step.to).text(" resolves a conflict");
            let what = if paths.is_empty() { what } else { with_paths(what.text(" in "), paths) };
            Some(resolved(name, Objection::new(what), step))
        }
        (StepKind::Merge, None) => {
            let what = Line::new("merge ").oid(step.to).text(" could not be recomputed");
            Some(resolved(name, Objection::new(what), step))
        }
    }
}

/// Single-parent commits pushed as they are.
fn direct(rule: &Merge, name: &Refname, step: &Step) -> Objection {
    let what = Line::new("").count(step.commits, "commit", "commits");
    let takes = match rule.methods.contains(&Method::FastForward) {
        false => " came by direct push, this branch takes merges only",
        true => " came by direct push, this branch takes merges and pushed topics only",
    };
    let what = what.text(takes);
    let last = Line::new("the last is ").oid(step.to).text(" ").quoted(&step.subject);
    let push = Line::new("git push origin ").oid(step.to).text(":refs/heads/TOPIC");
    let first = Hint::run(Line::new("push the work to a branch"), push);
    Objection::new(what).detail(last).hint(first).hint(land(name))
}

/// How an approved branch lands.
fn land(name: &Refname) -> Hint {
    let command = Line::new("git switch ").piece(Piece::ShortRef(name.clone()));
    let command = command.text(" && git merge --no-ff TOPIC && git push origin ");
    Hint::run(
        Line::new("when it is approved, merge it"),
        command.piece(Piece::ShortRef(name.clone())),
    )
}

/// A clean merge of commits that the server had not seen.
fn unseen(step: &Step) -> Option<Objection> {
    let first = step.not_before.last()?;
    let what = Line::new("merge ").oid(step.to).text(" brings in ");
    let what = what.count(step.not_before.len(), "commit", "commits");
    let what = what.text(" that no push has brought before");
    let objection = Objection::new(what).detail(Line::new("the first is ").oid(*first));
    if let Some((commit, BY_NOBODY)) = step.makers.unknown {
        let past = Line::new("").oid(commit).text(" is on the server and came past the gate");
        let anew = Line::new("git rebase --force-rebase ").piece(Piece::Oid(commit)).text("~1");
        let hint = Hint::run(Line::new("make the commits anew and push them to a branch"), anew);
        return Some(objection.detail(past).hint(hint));
    }
    let source = step.source.first().copied().unwrap_or(step.to);
    let push = Line::new("git push origin ").oid(source).text(":refs/heads/TOPIC");
    let hint = Hint::run(Line::new("push the merged branch by itself first"), push);
    let again = Hint::new(Line::new("then push the merge again, it needs no change"));
    Some(objection.hint(hint).hint(again))
}

/// The remedy for a merge that holds work of its own.
fn resolved(name: &Refname, objection: Objection, step: &Step) -> Objection {
    let detail = Line::new("it merges ").quoted(&step.subject);
    let command = Line::new("git switch TOPIC && git merge ").piece(Piece::ShortRef(name.clone()));
    let into = Line::new("merge the branch into the topic and resolve there");
    objection.detail(detail).hint(Hint::run(into, command)).hint(land(name))
}

/// A move that is no row of steps: a rewind, or one that leaves the old value aside.
fn jump(name: &Refname, landing: &Landing, step: &Step) -> Objection {
    let what = match landing.start {
        Some(start) => Line::new("").oid(step.to).text(" does not build on ").oid(start),
        None => Line::new("").oid(step.to).text(" builds on nothing this ref has had"),
    };
    let detail = Line::new("merges are followed by first parents only, no method allows this");
    let command = Line::new("git switch ").piece(Piece::ShortRef(name.clone()));
    let hint = Hint::run(
        Line::new("begin at the branch as it is, and merge the topic into it"),
        command.text(" && git pull --ff-only && git merge --no-ff TOPIC"),
    );
    Objection::new(what).detail(detail).hint(hint)
}

fn with_paths(mut line: Line, paths: &[RepoPath]) -> Line {
    for (i, path) in paths.iter().take(PATHS_MAX).enumerate() {
        line = if i == 0 { line } else { line.text(", ") }.path(path);
    }
    match paths.len().saturating_sub(PATHS_MAX) {
        0 => line,
        n => line.text(format!(" and {n} more")),
    }
}
