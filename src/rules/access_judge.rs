//! Who may create, move, rewind and delete a ref.

use crate::facts::Motion;
use crate::roster::party::Party;
use crate::rules::access::Access;
use crate::rules::view::View;
use crate::rules::words::{rewound, take_in_first, told};
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// The list that speaks of a motion, when the rule has one.
pub(crate) fn list_for<'r>(rule: &'r Access, motion: &Motion) -> Option<&'r Party> {
    match motion {
        Motion::Create => rule.create.as_ref(),
        Motion::FastForward => rule.moving.as_ref(),
        Motion::Rewind { .. } => rule.rewind.as_ref(),
        Motion::Delete => rule.delete.as_ref(),
    }
}

/// Judges one ref update.
pub(crate) fn judge(rule: &Access, view: &View<'_>) -> Ruling {
    let Some(motion) = &view.update.motion else { return Ruling::default() };
    let Some(party) = list_for(rule, motion) else { return Ruling::default() };
    let pusher = &view.push.push.pusher;
    let is_listed = pusher.name().is_some_and(|name| party.contains(name));
    if is_listed || rule.is_own(pusher, &view.update.update.name) {
        let note = Line::new("").text(told(pusher)).text(" may ").text(verb(motion)).text(" it");
        return Ruling { objections: Vec::new(), notes: vec![note] };
    }
    let name = &view.update.update.name;
    let who = match party.names.is_empty() {
        true if !rule.own.is_empty() => {
            let line = Line::new("").text(told(pusher)).text(" may not ").text(verb(motion));
            line.text(" this ref, only whose it is may: ").text(rule.own.join(", "))
        }
        true => Line::new("nobody may ").text(verb(motion)).text(" this ref"),
        false => {
            let line = Line::new("").text(told(pusher)).text(" may not ").text(verb(motion));
            line.text(" this ref, ").text(party.written.join(", ")).text(" may")
        }
    };
    let objection = match motion {
        Motion::Rewind { .. } => rewound(view.update, motion).detail(who).hint(take_in_first(name)),
        Motion::Create | Motion::FastForward | Motion::Delete => {
            let hint = match party.names.is_empty() {
                true => Line::new("leave this ref out of the push"),
                false => {
                    Line::new("ask one of ").names(party.names.iter().take(8)).text(" to do it")
                }
            };
            Objection::new(who).hint(Hint::new(hint))
        }
    };
    Ruling { objections: vec![objection], notes: Vec::new() }
}

const fn verb(motion: &Motion) -> &'static str {
    match motion {
        Motion::Create => "create",
        Motion::FastForward => "move",
        Motion::Rewind { .. } => "rewind",
        Motion::Delete => "delete",
    }
}
