//! What a question has to say about going back: which landings are states, and which commits land as
//! themselves because they claim a rollback.

use crate::gather::reader::Reader;
use crate::gather::rollback::{self, State};
use crate::hook::bench::{Bench, gathered};
use crate::hook::fault::Stop;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// Whether a commit on top of a ref's value claims a rollback. It lands by itself then: behind a
/// merge it would be none.
pub fn is_claimed(
    bench: &Bench,
    reader: &Reader<'_>,
    value: &Oid,
    commit: &Oid,
) -> Result<bool, Stop> {
    if bench.policy.rollback.is_none() {
        return Ok(false);
    }
    let commit = reader.commit(commit).map_err(gathered)?;
    Ok(commit.parents == [*value] && rollback::is_claimed(&commit))
}

/// Whether a rollback may go back to a value, and why not. `None` where the policy has none.
pub fn state(bench: &Bench, name: &Refname, oid: &Oid) -> Result<(Option<bool>, String), Stop> {
    let Some(terms) = &bench.policy.rollback else { return Ok((None, String::new())) };
    if oid.is_zero() {
        return Ok((Some(false), "the ref was deleted".to_owned()));
    }
    let within_seconds = terms.within_seconds;
    let state = State { name, within_seconds, moment: bench.ctx.moment };
    Ok(match state.entry(&bench.log, oid)? {
        Ok(_) => (Some(true), String::new()),
        Err(line) => (Some(false), line.show()),
    })
}
