//! Checks of a policy that is kept in a repository: `git:REPO:REF:PATH`.
//!
//! Whoever can move that ref without anybody's word decides what lands elsewhere.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shown};
use crate::gather::default_branch;
use crate::hook::world::World;
use crate::names::moment::Moment;
use crate::policy::place::GitPlace;

/// The ref that a policy is read from takes any push.
pub fn policy_ref(snapshot: &Snapshot) -> Vec<Finding> {
    let places = snapshot.site.policies();
    let places = places.iter().filter_map(|path| GitPlace::parse(path)?.ok());
    places.filter_map(|place| Some(open(&place, unguarded(&place, snapshot.now)?))).collect()
}

fn open(place: &GitPlace, why: &str) -> Finding {
    let what = format!("the policy is read from {}, and {why}", shown(&place.written()));
    let matters = "whoever may push there decides what lands here";
    let install = format!("portcullis install {}", shell(&place.repository));
    Finding::new(Level::Error, "policy-ref-open", what, matters).mend(install)
}

/// Why nobody guards the ref. One whose own policy cannot be used takes no push at all.
fn unguarded(place: &GitPlace, now: Moment) -> Option<&'static str> {
    // What cannot be read has a finding of its own.
    let world = World::at_rest(&place.repository).ok()?;
    if world.hooks.is_empty() {
        return Some("no push to that repository is judged");
    }
    let (policy, _) = world.policy().ok()?;
    let default = default_branch(&world.store).ok()?;
    let guarded = policy.protects(&place.refname, default.as_ref(), now);
    (!guarded).then_some("no rule that refuses names that ref")
}
