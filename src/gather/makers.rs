//! Whose work commits are (product contract, section 5, rule 3).

use crate::facts::landing::MergeFact;
use crate::facts::makers::{MakerBy, Makers};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::store::commit::Commit;

/// Adds the makers of these commits: who brought, signed, authored, committed or co-authored them.
/// A merge that equals the merge recomputed is nobody's work.
pub fn makers_of(
    scene: &mut Scene<'_>,
    commits: &[Oid],
    makers: &mut Makers,
) -> Result<(), GatherError> {
    scene.provenance.learn(&scene.reader, commits.iter().copied())?;
    for &oid in commits {
        let commit = scene.reader.commit(&oid)?;
        if commit.parents.len() > 1 && scene.reader.merge_fact(&oid)? == MergeFact::Equal {
            continue;
        }
        scene.provenance.add_bringers(oid, makers);
        let claims = [
            (&commit.author.email, MakerBy::Author),
            (&commit.committer.email, MakerBy::Committer),
        ];
        for (email, by) in claims {
            if let Some(name) = scene.roster.by_email(email) {
                makers.add(name, by, oid);
            }
        }
        add_co_authors(scene, oid, &commit, makers);
        if let Some(signature) = commit.signature() {
            let heard = scene.heard(oid, &signature);
            // Also by a key that counts no more: this can only exclude.
            if let Some(name) = heard.key_of() {
                makers.add(name, MakerBy::Signed, oid);
            }
        }
    }
    Ok(())
}

/// Adds the makers that the landing commits of an unaltered change name: co-authors, and nobody
/// else. A squash is made, signed and pushed by whoever lands it, and says in its trailers whose
/// work it holds.
pub fn makers_named_by(
    scene: &Scene<'_>,
    commits: &[Oid],
    makers: &mut Makers,
) -> Result<(), GatherError> {
    for &oid in commits {
        add_co_authors(scene, oid, &*scene.reader.commit(&oid)?, makers);
    }
    Ok(())
}

fn add_co_authors(scene: &Scene<'_>, oid: Oid, commit: &Commit, makers: &mut Makers) {
    for (_, email) in commit.co_authors() {
        if let Some(name) = scene.roster.by_email(&email) {
            makers.add(name, MakerBy::CoAuthor, oid);
        }
    }
}
