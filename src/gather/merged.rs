//! What a merge brings in, by the deltas of its other parents: whose statements speak for it, and
//! whether it lands as those parents have it.

use crate::facts::change::{Delta, PathChange};
use crate::facts::landing::{MergeFact, StepKind};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;

/// A merge's other parents, seen from its first.
pub struct Merged {
    /// The delta of each other parent since a merge base with the first.
    deltas: Vec<(Oid, Delta)>,
}

impl Merged {
    /// Looks at every other parent since every merge base; at nothing for what is no merge.
    pub fn look(
        scene: &Scene<'_>,
        kind: StepKind,
        from: Option<Oid>,
        others: &[Oid],
    ) -> Result<Self, GatherError> {
        let mut deltas = Vec::new();
        let (StepKind::Merge, Some(first)) = (kind, from) else { return Ok(Self { deltas }) };
        for other in others {
            for base in scene.reader.merge_bases(&first, other)? {
                deltas.push((*other, scene.reader.delta(Some(base), Some(*other))?));
            }
        }
        Ok(Self { deltas })
    }

    /// The one other parent and its delta since the one merge base; `None` where there are more.
    pub fn single(&self) -> Option<(&Oid, &Delta)> {
        match self.deltas.as_slice() {
            [(other, delta)] => Some((other, delta)),
            _ => None,
        }
    }

    /// The digests whose statements are candidates of a step with this delta: its own first.
    pub fn digests(&self, delta: &Delta) -> Vec<Digest> {
        let mut digests = vec![delta.digest()];
        for (_, merged) in &self.deltas {
            let digest = merged.digest();
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        digests
    }

    /// A path of the merged change that lands otherwise than the one other parent has it, because
    /// the branch has changed it too. No statement about that parent can count then. `None` where
    /// the change arrives whole since some merge base.
    pub fn overtaken(
        &self,
        scene: &Scene<'_>,
        (to, delta): (&Oid, &Delta),
        fact: Option<&MergeFact>,
    ) -> Result<Option<RepoPath>, GatherError> {
        let by_git = match fact {
            Some(MergeFact::Equal | MergeFact::Conflict(_)) => true,
            Some(MergeFact::Differs(_)) | None => false,
        };
        // Of several parents one may have changed the file of another.
        let alone = self.deltas.iter().all(|(other, _)| *other == self.deltas[0].0);
        let mut overtaken = None;
        for (_, merged) in self.deltas.iter().filter(|_| by_git && alone) {
            match first_not_arriving(scene, (to, delta), merged)? {
                Some(path) => overtaken = overtaken.or(Some(path)),
                None => return Ok(None),
            }
        }
        Ok(overtaken)
    }
}

fn first_not_arriving(
    scene: &Scene<'_>,
    to: (&Oid, &Delta),
    merged: &Delta,
) -> Result<Option<RepoPath>, GatherError> {
    for change in merged.changes() {
        if !arrives(scene, to, change)? {
            return Ok(Some(change.path.clone()));
        }
    }
    Ok(None)
}

/// Whether the new side of an entry stands in a step's result, which is told with its delta.
pub fn arrives(
    scene: &Scene<'_>,
    (to, delta): (&Oid, &Delta),
    change: &PathChange,
) -> Result<bool, GatherError> {
    if let Ok(at) = delta.changes().binary_search_by(|c| c.path.cmp(&change.path)) {
        return Ok(delta.changes()[at].new == change.new);
    }
    Ok(scene.reader.entry_at(to, &change.path)? == change.new)
}
