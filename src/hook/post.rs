//! post-receive: Git says which refs were updated, and the log hears it.
//!
//! It can refuse nothing any more; what it misses is found by the next push. Then it takes the
//! statements that this push was the end of out of the refs, and seals the log where that is due.

use std::collections::BTreeSet;
use std::path::Path;

use crate::hook::bench::Input;
use crate::hook::debts;
use crate::hook::fault::Stop;
use crate::hook::stdin::STDIN_BYTES_MAX;
use crate::hook::world::World;
use crate::hook::{host, journal, notify, sealing, tidy};
use crate::log::merge::Leisure;
use crate::log::settle::OwnPush;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// Records the outcomes of this push. `program`: what we are, to be started once more.
pub fn post_receive(world: &World, input: &Input<'_>, program: Option<&Path>) -> Result<(), Stop> {
    let mut log = world.log()?;
    let ctx = host::ctx(input.moment);
    let applied: Vec<(Refname, Oid, Oid)> =
        input.stdin.some(STDIN_BYTES_MAX).split(|&b| b == b'\n').filter_map(line).collect();
    let names: BTreeSet<Refname> = applied.iter().map(|(name, _, _)| name.clone()).collect();
    let session = host::session_key(&ctx);
    log.settle(world, &names, Some(&OwnPush { session: &session, applied: &applied }), &ctx)?;
    // The policy is read only for this, and only where something is owed.
    let settled = debts::settle_after(world, &mut log, &names, &ctx);
    // Git never calls us here from within a quarantine, and inside one no ref can go.
    if !input.env.has("GIT_QUARANTINE_PATH")
        && let Err(stop) = tidy::after_push(world, &mut log, &ctx)
    {
        // `log tidy` takes what stays.
        journal::listen_late(world);
        tracing::warn!(reason = %stop.reason, "statements stay in the refs");
    }
    if let Err(stop) = sealing::after_push(world, &mut log, &ctx) {
        // A timer with `log seal` does it, or the next push.
        journal::listen_late(world);
        tracing::warn!(reason = %stop.reason, "the log is not sealed");
    }
    log.merge_index(Leisure::AfterPush);
    notify::start(program, &world.git_dir);
    settled
}

/// `OLD SP NEW SP REF`; what is not that names no ref of ours.
fn line(line: &[u8]) -> Option<(Refname, Oid, Oid)> {
    let mut parts = line.splitn(3, |&b| b == b' ');
    let (old, new) = (Oid::from_hex(parts.next()?)?, Oid::from_hex(parts.next()?)?);
    Some((Refname::parse(parts.next()?)?, old, new))
}
