//! What arrives, against what must not: by name, by content, and by what nobody has looked into.

use std::collections::BTreeSet;

use crate::facts::change::{FileMode, Side};
use crate::facts::intake::{Blob, Intake, Taken};
use crate::names::oid::Oid;
use crate::pattern::paths::EntryShape;
use crate::rules::secrets::Secrets;
use crate::rules::view::View;
use crate::rules::words::{leave_out, listed};
use crate::secret::kinds::{OTHER, SecretKind};
use crate::secret::names::{by_name, holds_no_text};
use crate::secret::scan::Found;
use crate::source::size;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// Judges one ref update.
pub(crate) fn judge(rule: &Secrets, view: &View<'_>) -> Ruling {
    let Some(intake) = view.intake else { return Ruling::default() };
    let mut faults: Vec<Line> = Vec::new();
    let mut seen = BTreeSet::new();
    for taken in &intake.taken {
        let allowed = rule.allow.as_ref().is_some_and(|allow| allow.holds(&taken.change.path));
        for why in whys(rule, intake, taken).into_iter().filter(|_| !allowed) {
            if seen.insert((&taken.change.path, why.show())) {
                let line = Line::new("").path(&taken.change.path).line(&why);
                faults.push(line.text(", in ").oid(taken.commit));
            }
        }
    }
    for said in &intake.said {
        let secrets = said.secrets.iter().filter(|found| counts(rule, found.kind));
        faults.extend(secrets.map(|found| in_message(said.object, found)));
    }
    if faults.is_empty() {
        return Ruling::default();
    }
    Ruling { objections: vec![objection(intake, faults)], notes: Vec::new() }
}

fn objection(intake: &Intake, faults: Vec<Line>) -> Objection {
    let stays = "a later commit that takes it out leaves it in history: make the commits anew";
    let known = "a secret that has left your machine is known: replace it where it is used";
    let allow = "where it is none, ask the operators for `allow` in this rule";
    let objection = listed(faults).hint(leave_out(intake, stays));
    objection.hint(Hint::new(Line::new(known))).hint(Hint::new(Line::new(allow)))
}

fn counts(rule: &Secrets, kind: &SecretKind) -> bool {
    !rule.skip.contains(&kind.name)
}

fn in_message(object: Oid, found: &Found) -> Line {
    let line = format!(", line {}, holds {}", found.line, found.kind.what);
    Line::new("what ").oid(object).text(" says").text(line)
}

/// Everything secret that arrives at a path, each in words that follow the path.
fn whys(rule: &Secrets, intake: &Intake, taken: &Taken) -> Vec<Line> {
    let Some(new) = taken.change.new else { return Vec::new() };
    // Only a mode has changed: nothing arrives.
    if taken.change.old.is_some_and(|old| old.oid == new.oid && old.mode.same_type(new.mode)) {
        return Vec::new();
    }
    let blob = intake.blob(&new);
    let mut whys: Vec<Line> = Vec::new();
    match new.mode {
        FileMode::Gitlink => return whys,
        FileMode::Symlink => {}
        FileMode::File | FileMode::Executable => whys.extend(of_name(rule, taken, blob)),
    }
    let Some(blob) = blob else { return whys };
    if let Some((limit, most)) = blob.unread
        && !holds_no_text(taken.change.path.as_bytes())
    {
        let line = Line::new(format!(" is {}, and {limit} = {most}", size::shown(blob.size)));
        whys.push(line.text(" is all that is looked into: it may hold anything"));
    }
    let secrets = blob.inside.iter().flat_map(|inside| &inside.secrets);
    for found in secrets.filter(|found| counts(rule, found.kind)) {
        if !is_old(intake, taken, found) {
            whys.push(Line::new(format!(", line {}, holds {}", found.line, found.kind.what)));
        }
    }
    whys
}

fn of_name(rule: &Secrets, taken: &Taken, blob: Option<&Blob>) -> Option<Line> {
    let path = &taken.change.path;
    let also = rule.also.as_ref();
    if also.is_some_and(|also| also.picks(path, EntryShape::File, false)) {
        return Some(Line::new(" is ").text(OTHER.what));
    }
    let named = by_name(path.as_bytes()).filter(|named| counts(rule, named.kind))?;
    let inside = blob.and_then(|blob| blob.inside.as_ref());
    let public = named.unless_public && inside.is_some_and(|inside| inside.public_pem);
    (!public).then(|| Line::new(" is ").text(named.kind.what).text(" by its name"))
}

/// Whether a secret stood in what was there before.
fn is_old(intake: &Intake, taken: &Taken, found: &Found) -> bool {
    let stood = |side: &Side| {
        let inside = intake.blob(side).and_then(|blob| blob.inside.as_ref());
        inside.is_some_and(|inside| inside.secrets.iter().any(|old| old.mark == found.mark))
    };
    taken.before().any(stood)
}
