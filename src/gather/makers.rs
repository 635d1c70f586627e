//! Whose work commits are (product contract, section 5, rule 3).

use crate::facts::landing::MergeFact;
use crate::facts::makers::{MakerBy, Makers};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::ssh::signature::{GIT_NAMESPACE, SignatureCheck, verify};

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
        for (_, email) in commit.co_authors() {
            if let Some(name) = scene.roster.by_email(&email) {
                makers.add(name, MakerBy::CoAuthor, oid);
            }
        }
        if let Some(signature) = commit.signature()
            && let SignatureCheck::Good { key, .. } =
                verify(GIT_NAMESPACE, &signature.payload, &signature.armor)
            && let Some(name) = scene.roster.by_key(&key)
        {
            makers.add(name, MakerBy::Signed, oid);
        }
    }
    Ok(())
}
