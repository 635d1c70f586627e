//! The update hook behind pre-receive: it judges nothing, and closes what pre-receive cannot see: a
//! pre-receive that Git skipped, a ref that moved since, another name for a ref.

use crate::facts::past::{OpenDecision, Past as _};
use crate::hook::answer::Answer;
use crate::hook::bench::{Bench, Input, gathered};
use crate::hook::fault::{Stop, caught};
use crate::hook::world::World;
use crate::hook::{hidden, host, wire};
use crate::names::oid::Oid;
use crate::push::update::RefUpdate;
use crate::store::objects::{Objects as _, RefValue};
use crate::verdict::line::{Hint, Line};

/// The yes to a move that `pre-receive` has accepted in this very push, by the policy that it read.
/// Git asks once for each ref, so that policy is not read again. `None`: there is no such decision,
/// or something cannot be read; whoever reads the policy then finds out what to say.
pub fn decided(input: &Input<'_>) -> Option<Answer> {
    caught(|| Ok(find(input))).ok().flatten()
}

fn find(input: &Input<'_>) -> Option<Answer> {
    let session = host::session_key(&host::ctx(input.moment));
    let world = World::find(input.env, input.directory).ok()?;
    if session.start == 0 || !world.hooks.iter().any(|hook| hook == "pre-receive") {
        return None;
    }
    let update = wire::argument_update(input.args, world.store.format()).ok()?;
    hidden::refuse(&world, [&update.name]).ok()?;
    let real = match world.store.read_ref(&update.name).ok()? {
        RefValue::Absent => Oid::zero(world.store.format()),
        RefValue::Direct(oid) => oid,
        RefValue::Symbolic(_) => return None,
    };
    let decisions = world.log().ok()?.decision_for(&update.name, &real, &update.new).ok()?;
    let accepted = decisions.iter().any(|decision| decision.session == session);
    accepted.then(|| Answer::decided_before().from_hooks(world.hooks_dir()))
}

/// Finds the decision that accepted this move in this very push.
pub fn check(world: &World, bench: &mut Bench, update: &RefUpdate) -> Result<Answer, Stop> {
    let name = &update.name;
    let real = match world.store.read_ref(name).map_err(|e| gathered(e.into()))? {
        RefValue::Absent => Oid::zero(world.store.format()),
        RefValue::Direct(oid) => oid,
        RefValue::Symbolic(target) => {
            let told = Line::new("").refname(name).text(" is another name for ").quoted(&target);
            let hint = Hint::new(Line::new("push to the ref itself"));
            return Err(Stop::refused(told).hint(hint));
        }
    };
    let decisions = bench.log.decision_for(name, &real, &update.new)?;
    let session = host::session_key(&bench.ctx);
    if decisions.iter().any(|decision| belongs(decision, &session, bench)) {
        return Ok(Answer::decided_before());
    }
    if update.claimed_old != real {
        let told = Line::new("").refname(name).text(" has moved to ").oid(real);
        let hint = Hint::run(Line::new("take it in and push again"), Line::new("git pull"));
        return Err(Stop::refused(told.text(" since this push was judged")).hint(hint));
    }
    let told = Line::new("").refname(name).text(": pre-receive has not accepted this in this push");
    let hint = "if nothing else was refused, tell the operators to run: portcullis doctor";
    Err(Stop::refused(told).hint(Hint::new(Line::new(hint))))
}

/// Whether a decision is this push's own: the same receive-pack, or, where none can be seen, one
/// younger than the deadline.
fn belongs(
    decision: &OpenDecision,
    session: &crate::facts::past::SessionKey,
    bench: &Bench,
) -> bool {
    if session.start != 0 || decision.session.start != 0 {
        return decision.session == *session;
    }
    let limit = i64::try_from(bench.policy.limits.deadline_seconds).unwrap_or(i64::MAX);
    decision.at.plus_seconds(limit) > bench.ctx.moment
}
