//! Whether a whole landing lies within some paths: what an exception is held to.
//!
//! Used by exemptions and by a broken glass. An exception lets something through, so that it is
//! held to every entry of every reading, to what came and went in between, and to exact bytes.

use crate::facts::change::{FileMode, Operation, PathChange, Side};
use crate::facts::landing::{Landing, Segment, Step};
use crate::facts::makers::Makers;
use crate::names::path::RepoPath;
use crate::pattern::paths::PathPatterns;

/// Every operation, as a policy names it.
pub const OPERATIONS: &[(&str, Operation)] = &[
    ("add", Operation::Add),
    ("modify", Operation::Modify),
    ("delete", Operation::Delete),
    ("mode-flip", Operation::ModeFlip),
    ("type-change", Operation::TypeChange),
];

/// How far an exception reaches. `None`: that far there is no bound.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'b> {
    /// The paths.
    pub paths: Option<&'b PathPatterns>,
    /// What may be done to them.
    pub operations: Option<&'b [Operation]>,
}

/// The first path of a landing that lies outside. `None`: all of it lies within.
pub fn first_outside<'l>(landing: &'l Landing, bounds: Bounds<'_>) -> Option<&'l RepoPath> {
    let of_segments = landing.segments.iter().find_map(|segment| of_segment(segment, bounds));
    of_segments.or_else(|| landing.whole.as_deref().and_then(|step| of_step(step, bounds, None)))
}

/// The makers of all steps of a landing.
pub fn makers(landing: &Landing) -> Makers {
    let mut makers = Makers::default();
    landing.steps().for_each(|step| makers.merge(&step.makers));
    makers
}

fn of_segment<'l>(segment: &'l Segment, bounds: Bounds<'_>) -> Option<&'l RepoPath> {
    let whole = of_step(&segment.whole, bounds, Some(&segment.each));
    whole.or_else(|| segment.each.iter().find_map(|step| of_step(step, bounds, None)))
}

/// `each`: the commits of the step one by one, where they are judged too.
fn of_step<'l>(step: &'l Step, bounds: Bounds<'_>, each: Option<&[Step]>) -> Option<&'l RepoPath> {
    let changes = step.delta.changes().iter();
    let outside = changes.filter(|change| !lies_within(change, bounds)).map(|change| &change.path);
    // What was done to a path that came and went is known only where each commit is at hand.
    let blind = bounds.operations.is_some() && each.is_none_or(<[Step]>::is_empty);
    let hidden = step.hidden.iter();
    let hidden = hidden.filter(|path| blind || bounds.paths.is_some_and(|it| !it.holds(path)));
    outside.chain(hidden).next()
}

fn lies_within(change: &PathChange, bounds: Bounds<'_>) -> bool {
    let PathChange { path, old, new } = change;
    let allowed = |operation: &Operation| bounds.operations.is_none_or(|it| it.contains(operation));
    bounds.paths.is_none_or(|paths| paths.holds(path) && !is_new_link(*old, *new))
        && change.operations().iter().all(allowed)
}

/// A symlink or submodule that was none before: what lies behind it is no path of this tree.
fn is_new_link(old: Option<Side>, new: Option<Side>) -> bool {
    let Some(new) = new else { return false };
    match new.mode {
        FileMode::File | FileMode::Executable => false,
        FileMode::Symlink | FileMode::Gitlink => {
            old.is_none_or(|old| !old.mode.same_type(new.mode))
        }
    }
}
