//! How a ref moves: forward, back, into being, away.

use crate::facts::{Motion, UpdateFacts};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::push::update::Change;

/// Looks at the motion of one update. `None` when nothing moves.
pub fn look(scene: &mut Scene<'_>, facts: &UpdateFacts) -> Result<Option<Motion>, GatherError> {
    let (old, new) = match facts.change {
        Change::Create { .. } => return Ok(Some(Motion::Create)),
        Change::Delete { .. } => return Ok(Some(Motion::Delete)),
        Change::Nothing => return Ok(None),
        Change::Move { old, new } => (old, new),
    };
    let known_value = scene.past.had(&facts.update.name, &new)?.is_some();
    let commits = (scene.reader.peel_commit(&old)?, scene.reader.peel_commit(&new)?);
    let (Some(from), Some(to)) = commits else {
        return Ok(Some(Motion::Rewind { lost: 0, newest: None, known_value }));
    };
    let arriving = scene.reader.arriving(&[to], &[from])?;
    if from == to || arriving.iter().any(|(_, commit)| commit.parents.contains(&from)) {
        return Ok(Some(Motion::FastForward));
    }
    let lost = scene.reader.arriving(&[from], &[to])?;
    let newest = lost.first().map(|(oid, commit)| (*oid, commit.subject()));
    Ok(Some(Motion::Rewind { lost: lost.len(), newest, known_value }))
}

/// A rewind to a value that the log gives this ref has no steps.
pub fn is_known_rewind(motion: Option<&Motion>) -> bool {
    matches!(motion, Some(Motion::Rewind { known_value: true, .. }))
}
