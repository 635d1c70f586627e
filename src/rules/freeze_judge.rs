//! What `freeze` says of a ref update while a window is closed.

use crate::facts::landing::{Landing, Step};
use crate::push::update::Change;
use crate::rules::freeze::{Closed, Freeze};
use crate::rules::rollback;
use crate::rules::scope::Scope;
use crate::rules::view::View;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

pub(super) fn judge(rule: &Freeze, view: &View<'_>) -> Ruling {
    let now = view.push.push.moment;
    let Some(closed) = rule.closed_at(now).filter(|_| view.update.change != Change::Nothing) else {
        return Ruling::default();
    };
    if let Some(scope) = &rule.scope
        && !touches(scope, view)
    {
        return Ruling::default();
    }
    if rule.lets_through(&view.push.push.pusher.who) {
        let note = Line::new("it is closed, and you may push all the same");
        return Ruling { objections: Vec::new(), notes: vec![note] };
    }
    match view.landing.and_then(|landing| rolled_back(view, landing)) {
        Some(note) => Ruling { objections: Vec::new(), notes: vec![note] },
        None => Ruling { objections: vec![objection(rule, view, &closed)], notes: Vec::new() },
    }
}

/// Whether the rule is about what the update does. What has no landing is about everything.
fn touches(scope: &Scope, view: &View<'_>) -> bool {
    let Some(landing) = view.landing.filter(|it| it.steps().next().is_some()) else { return true };
    let of_step = |step: &Step| {
        step.delta.changes().iter().any(|change| scope.covers(change, step))
            || step.hidden.iter().any(|path| scope.covers_path(path))
    };
    landing.steps().any(of_step)
}

/// What speaks for a landing of which every step, in one reading, is a rollback that lacks nothing.
fn rolled_back(view: &View<'_>, landing: &Landing) -> Option<Line> {
    let granted = |step: &Step| rollback::granted(view, step);
    if let Some(note) = landing.whole.as_deref().and_then(granted) {
        return Some(note);
    }
    let mut last = None;
    for segment in &landing.segments {
        let each = || match segment.each.as_slice() {
            [] => None,
            steps => steps.iter().map(granted).collect::<Option<Vec<Line>>>()?.pop(),
        };
        last = Some(granted(&segment.whole).or_else(each)?);
    }
    last
}

fn objection(rule: &Freeze, view: &View<'_>, closed: &Closed<'_>) -> Objection {
    let name = &view.update.update.name;
    let what = Line::new("").refname(name);
    let what = match closed.until {
        Some(until) => what.text(format!(" is closed until {}", rule.told(until))),
        None => what.text(" is closed, and nobody can say until when"),
    };
    let detail = match closed.window {
        Some(window) => Line::new(format!("closed: {} {}", window.written, rule.zone_name)),
        None => {
            let open: Vec<&str> = rule.open.iter().map(|window| window.written.as_str()).collect();
            Line::new(format!("open: {} {}", open.join("; "), rule.zone_name))
        }
    };
    let detail = match closed.window.and_then(|window| window.why.as_ref()) {
        Some(why) => detail.text(": ").text(why.clone()),
        None => detail,
    };
    let mut objection = Objection::new(what).detail(detail);
    if let Some(until) = closed.until {
        let hint = format!("push again then, at {until} or later");
        objection = objection.hint(Hint::new(Line::new(hint)));
    }
    if let Some(party) = &rule.by {
        let ask = Line::new("what cannot wait is pushed by one of ").text(party.written.join(", "));
        objection = objection.hint(Hint::new(ask));
    }
    let steps = view.landing.into_iter().flat_map(Landing::steps);
    let claim = steps.filter(|step| step.rollback.is_some()).last();
    match claim {
        Some(step) => rollback::objection(view, step, objection),
        None => objection,
    }
}
