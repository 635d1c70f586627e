//! The commits that arrive on a ref, and the chain of first parents through them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::store::commit::Commit;

/// The commits that arrive, by name.
pub type Arriving = BTreeMap<Oid, Arc<Commit>>;

/// The first-parent chain from `start` to `end`, oldest first. `true`: it does not lead there, so
/// there is none.
pub fn chain(start: Option<Oid>, end: Oid, arriving: &Arriving) -> (Vec<Oid>, bool) {
    let mut chain = Vec::new();
    let mut at = Some(end);
    while let Some(oid) = at {
        let Some(commit) = arriving.get(&oid) else { break };
        chain.push(oid);
        at = commit.parents.first().copied();
    }
    if start.is_some() && at != start {
        return (Vec::new(), true);
    }
    chain.reverse();
    (chain, false)
}

/// Looks over the trees of what arrives beside the chain, whose own are looked at step by step.
pub fn look_over_beside(
    scene: &Scene<'_>,
    chain: &[Oid],
    arriving: &Arriving,
) -> Result<(), GatherError> {
    let steps: BTreeSet<&Oid> = chain.iter().collect();
    let beside = arriving.iter().filter(|(oid, _)| !steps.contains(oid));
    scene.reader.look_over(beside.map(|(oid, commit)| (*oid, &**commit)))
}
