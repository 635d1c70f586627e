//! Commands that rules have run: what they are given, and what became of them.
//!
//! Between the gathering and the judging: the outcome of a command is a fact, and the rule that
//! asked for it only reads it. A push that is judged twice runs nothing twice.

pub mod child;
mod given;
mod tree;

use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::facts::Facts;
use crate::facts::run::{Ended, RunSeen};
use crate::hook::bench::Bench;
use crate::hook::runs::child::Limits;
use crate::hook::world::World;
use crate::judge::{RunOrder, runs};
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::store::objects::Objects;

/// How much of what a command writes is kept, in bytes.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// What is left of the deadline for judging and logging.
const SPARE: Duration = Duration::from_secs(1);

/// What was run for this push so far, and what became of it.
#[derive(Debug, Default)]
pub struct Runs(Vec<(Key, RunSeen)>);

/// A rule, a ref, and where it goes from where: what one command is run for.
type Key = (usize, Refname, Option<Oid>, Oid);

/// Runs what the rules ask for, and puts what became of it among the facts.
pub fn look(world: &World, bench: &Bench, facts: &mut Facts, ran: &mut Runs) {
    let orders = runs(&bench.policy, facts);
    let mut seen: Vec<(usize, usize, RunSeen)> = Vec::new();
    for order in &orders {
        let update = &order.update.update;
        let key: Key = (order.rule, update.name.clone(), order.update.real, update.new);
        let known = ran.0.iter().find(|(other, _)| *other == key).map(|(_, run)| run.clone());
        let run = known.unwrap_or_else(|| {
            let run = run(&world.store, bench, facts, order);
            tracing::debug!(rule = order.name, took_ms = run.took_ms, "ran a command");
            ran.0.push((key, run.clone()));
            run
        });
        seen.push((order.at, order.rule, run));
    }
    for (at, rule, run) in seen {
        if let Some(update) = facts.updates.get_mut(at) {
            update.runs.push((rule, run));
        }
    }
}

fn run(objects: &dyn Objects, bench: &Bench, facts: &Facts, order: &RunOrder<'_>) -> RunSeen {
    let began = Instant::now();
    let deadline = Duration::from_secs(bench.policy.limits.deadline_seconds);
    let left = deadline.saturating_sub(bench.began.elapsed()).saturating_sub(SPARE);
    let until = began + left.min(Duration::from_secs(order.ask.timeout_seconds));
    let mut seen = match prepared(objects, bench, order, until) {
        Err(why) => {
            RunSeen { ended: Ended::NotStarted(why), output: Vec::new(), cut: false, took_ms: 0 }
        }
        Ok(folder) => {
            let limits = Limits {
                time: until.saturating_duration_since(Instant::now()),
                memory_mib: order.ask.memory_mib,
                output_bytes: OUTPUT_BYTES_MAX,
            };
            let input = given::facts(facts, order);
            let mut seen = child::run(&order.ask.command, folder.path(), &input, &limits);
            tree::remove(folder);
            if let Ended::TimedOut(seconds) = &mut seen.ended {
                // What it was given, of which laying out the tree took a part.
                *seconds = until.duration_since(began).as_secs();
            }
            seen
        }
    };
    seen.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    seen
}

/// A private folder with the new tree and a home in it. The error is told to the pusher.
fn prepared(
    objects: &dyn Objects,
    bench: &Bench,
    order: &RunOrder<'_>,
    until: Instant,
) -> Result<TempDir, String> {
    let no_folder = |error: std::io::Error| {
        tracing::warn!(reason = %error, "no folder for a command");
        "there is no room for it".to_owned()
    };
    let folder = tempfile::Builder::new().prefix("portcullis-run-").tempdir().map_err(no_folder)?;
    tree::folder(&folder.path().join(child::HOME)).map_err(no_folder)?;
    let root = folder.path().join(child::TREE);
    tree::folder(&root).map_err(no_folder)?;
    if let Some(commit) = order.update.target.commit().filter(|_| order.ask.tree) {
        let bounds = tree::Bounds { depth: bench.policy.limits.tree_depth, until };
        let laid = tree::lay_out(objects, &commit, &root, &bounds);
        if let Err(why) = laid {
            tree::remove(folder);
            return Err(why);
        }
    }
    Ok(folder)
}
