//! A push seals the log when its newest seal is older than the policy wants, and when the log has
//! gone on in a new file.
//!
//! After the answer, and never in its way: what goes wrong here is told to the server's journal, and
//! `log seal` or the next push does it.

use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::log::book::Log;
use crate::log::file::Ctx;
use crate::log::keeper::{is_closed_unsigned, seal_if_due};
use crate::log::listed::refs_bytes;
use crate::names::digest::Digest;
use crate::policy::sealing;
use crate::store::error::StoreError;
use crate::store::objects::Objects as _;

/// Seals the log where it is due.
pub fn after_push(world: &World, log: &mut Log, ctx: &Ctx) -> Result<(), Stop> {
    let (key, every) = if is_closed_unsigned(log) {
        (world.policy()?.0.log.key, 0)
    } else {
        // Most policies say nothing of it, and no push waits for the others to be compiled.
        let Some(said) = sealing(&world.site_policy()?) else { return Ok(()) };
        let Some(every) = said.seal_every else { return Ok(()) };
        (said.key, every)
    };
    let mut refs = || refs_digest(world).ok();
    if let Some(done) = seal_if_due(log, &key, every, &mut refs, ctx)? {
        tracing::info!(entry = done.entry, "the log is sealed");
    }
    Ok(())
}

/// The digest of all refs, as `git ls-remote --refs` shows them, sorted by name.
pub fn refs_digest(world: &World) -> Result<Digest, StoreError> {
    let mut refs = world.store.refs_under(b"refs/")?;
    refs.sort();
    Ok(Digest::of(&refs_bytes(refs.iter().map(|(name, oid)| (name.as_bytes(), *oid)))))
}
