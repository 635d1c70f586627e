//! The one way through the house: what Git asked for goes in, a yes or a no comes out.
//!
//! `Push -> Facts -> Judgement -> Entry -> Answer`. Nothing is printed here; whoever called prints
//! the message after the log is unlocked, so that a client that is gone holds nobody up.

pub mod answer;
pub mod ask;
pub mod asked;
pub mod back;
pub mod bench;
pub mod certificate;
pub mod children;
pub mod committed;
pub mod deadline;
pub mod debts;
pub mod earlier;
pub mod fault;
pub mod handed;
pub mod head;
pub mod hidden;
pub mod host;
pub mod journal;
pub mod notify;
pub mod overlay;
pub mod owed;
pub mod post;
pub mod record;
pub mod redact;
pub mod removal;
pub mod reply;
pub mod runs;
pub mod said;
pub mod sealing;
pub mod slip;
pub mod space;
pub mod stdin;
pub mod sweep;
pub mod tell;
pub mod tidy;
pub mod traces;
pub mod update;
pub mod who;
pub mod wire;
pub mod world;

use std::mem::ManuallyDrop;
use std::time::Instant;

use crate::facts::Facts;
use crate::facts::limits::Limits;
use crate::gather::default_branch;
use crate::hook::answer::Answer;
use crate::hook::bench::{Bench, Input, gather_with, gathered, refused};
use crate::hook::fault::{Road, Stop, caught};
use crate::hook::world::{World, refs_in_hand};
use crate::judge::judge;
use crate::log::book::Log;
use crate::log::entry::{Asking, Record, Refusal};
use crate::log::file::{Appended, Ctx};
use crate::log::wire::Text;
use crate::message::closing::{Reach, Room};
use crate::message::pusher;
use crate::names::refname::Refname;
use crate::pattern::refs::DEFAULT_BRANCH;
use crate::policy::Policy;
use crate::policy::settings::RefuseMode;
use crate::push::update::RefUpdate;
use crate::push::{Door, Push, Seen};
use crate::store::objects::Objects;
use crate::verdict::line::Line;
use crate::verdict::{Judgement, Verdict};

/// How often a push is judged again because the log moved meanwhile.
const TRIES: usize = 2;

/// Runs `pre-receive`: decides, once, for the whole push.
pub fn pre_receive(input: &Input<'_>) -> Answer {
    gate(input, Door::PreReceive, |world, bench| {
        let updates = bench.updates(world, input)?;
        hidden::refuse(world, updates.iter().map(|update| &update.name))?;
        handed::over(world, &updates)?;
        bench.certificate = certificate::look(world, bench, input, &updates)?;
        if let Some(asked) = ask::question(&updates, &bench.options) {
            return ask::answer(world, bench, input, asked);
        }
        decide(world, bench, input, updates)
    })
}

/// Runs `update`: checks pre-receive's decision, or judges where it is the only hook.
pub fn update(input: &Input<'_>) -> Answer {
    gate(input, Door::Update, |world, bench| {
        let update = wire::argument_update(input.args, world.store.format()).map_err(refused)?;
        hidden::refuse(world, [&update.name])?;
        if world.hooks.iter().any(|hook| hook == "pre-receive") {
            return update::check(world, bench, &update);
        }
        decide(world, bench, input, vec![update])
    })
}

/// Opens what is needed, runs, and turns every way of failing into a no that the log knows of.
fn gate(
    input: &Input<'_>,
    door: Door,
    run: impl FnOnce(&World, &mut Bench) -> Result<Answer, Stop>,
) -> Answer {
    let began = Instant::now();
    let ctx = host::ctx(input.moment);
    let world = match World::find(input.env, input.directory) {
        Ok(world) => world,
        Err(stop) => return unlogged(&stop),
    };
    let log = match world.log() {
        Ok(log) => log,
        Err(stop) => return unlogged(&stop),
    };
    let (policy, files) = match world.policy() {
        Ok(policy) => policy,
        Err(stop) => return logged(log, &ctx, door, input, &stop, None),
    };
    journal::listen(policy.log.journal.as_ref(), &world);
    let help = policy.help.clone();
    if let Some(deadline) = input.deadline {
        deadline.set(deadline::terms(&world, &policy, &ctx, record::hook(door)));
    }
    let notify = policy.notify.as_ref().map(|_| world.git_dir.clone());
    if notify.is_some() {
        notify::begin(&world.git_dir, log.head().size);
    }
    let options = match door {
        Door::PreReceive => wire::options(input.env, &policy.limits).map_err(refused),
        Door::Update => Ok(Seen::NotHere),
    };
    let options = match options {
        Ok(options) => options,
        Err(stop) => return logged(log, &ctx, door, input, &stop, help.as_deref()),
    };
    tracing::debug!(
        hook = door.name(),
        rules = policy.rules.len(),
        entries = log.head().size,
        took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "policy and log are open"
    );
    let (policy, certificate) = (ManuallyDrop::new(policy), Seen::NotHere);
    let mut bench = Bench { door, ctx, policy, files, log, options, certificate, began };
    // A bug must leave an entry too. What it may have left half done is thrown away with it.
    let ran = caught(|| {
        can_judge(&world, &bench.policy)?;
        run(&world, &mut bench)
    });
    let answer = match ran {
        Ok(answer) => answer.from_hooks(world.hooks_dir()),
        Err(stop) => {
            let Bench { log, ctx, .. } = bench;
            tracing::debug!(reason = %stop.reason, "stopped");
            logged(log, &ctx, door, input, &stop, help.as_deref())
        }
    };
    answer.notifies(notify)
}

/// Whether this policy can be held against anything in this repository as it stands.
pub fn can_judge(world: &World, policy: &Policy) -> Result<(), Stop> {
    named_default(world, policy)?;
    one_log(world, policy)
}

/// A rule about `@default` protects nothing where HEAD names no branch; then nothing is judged.
fn named_default(world: &World, policy: &Policy) -> Result<(), Stop> {
    let asks = policy.rules.iter().flat_map(|rule| rule.refs.written());
    let told = "HEAD on this server names no branch, so nobody can say what @default protects";
    let asked = asks.map(|pattern| pattern.trim_start_matches('!')).any(|p| p == DEFAULT_BRANCH);
    if asked && default_branch(&world.store).map_err(gathered)?.is_none() {
        return Err(Stop::fault_because(told, told.to_owned()));
    }
    Ok(())
}

/// Where the log is was fixed by `install`; a policy that names another place is not in force.
fn one_log(world: &World, policy: &Policy) -> Result<(), Stop> {
    let Some(dir) = &policy.log.dir else { return Ok(()) };
    if world.log_dir().parent() == Some(dir) {
        return Ok(());
    }
    let told = "the policy on this server names another place for the change log";
    let reason = format!("{told}: {} (move it there by hand, then install again)", dir.display());
    Err(Stop::fault_because(told, reason))
}

/// A no that could not even be written down.
fn unlogged(stop: &Stop) -> Answer {
    Answer::stopped(stop, pusher::fault(std::slice::from_ref(&stop.told), stop.again(), None, None))
}

/// A no without a judgement, written down where that is still possible.
fn logged(
    mut log: Log,
    ctx: &Ctx,
    door: Door,
    input: &Input<'_>,
    stop: &Stop,
    help: Option<&str>,
) -> Answer {
    let record = Record::Refusal(Refusal {
        hook: record::hook(door),
        actor: None,
        of: None,
        refs: asked_for(door, input),
        reason: Text(stop.reason.clone().into_bytes()),
        fault: stop.road == Road::Fault,
    });
    let receipt = match log.append(&[record], ctx, None) {
        Ok(Appended::Written(receipt)) => Some(receipt),
        Ok(Appended::Moved(_) | Appended::Held) | Err(_) => None,
    };
    journal::stopped(stop, receipt.as_ref());
    Answer::stopped(stop, answer::stop_text(stop, help, receipt.as_ref()))
}

/// What was asked for, as far as it can be told from unread bytes; at most a handful.
fn asked_for(door: Door, input: &Input<'_>) -> Vec<Asking> {
    let lines: Vec<Vec<u8>> = match door {
        Door::PreReceive => {
            let lines = input.stdin.some(Limits::default().stdin_bytes).split(|&b| b == b'\n');
            lines.filter(|line| !line.is_empty()).take(ASKING_MAX).map(<[u8]>::to_vec).collect()
        }
        Door::Update => match input.args {
            [name, old, new] => vec![[old.as_slice(), b" ", new, b" ", name].concat()],
            _ => Vec::new(),
        },
    };
    let asking = lines.iter().map(|line| {
        let mut parts = line.splitn(3, |&b| b == b' ');
        let mut next =
            || Text(parts.next().unwrap_or_default().iter().take(200).copied().collect());
        let (old, new) = (next(), next());
        Asking { refname: next(), old, new }
    });
    asking.collect()
}

/// How many ref updates of an unjudged push are recorded.
const ASKING_MAX: usize = 8;

/// Judges a push and writes the decision; judges again once when the log has moved.
fn decide(
    world: &World,
    bench: &mut Bench,
    input: &Input<'_>,
    updates: Vec<RefUpdate>,
) -> Result<Answer, Stop> {
    settle(world, bench, &updates)?;
    let warning = space::left(world, &bench.policy)?;
    head::in_doubt(world, bench, &updates)?;
    let room = Room::of(&bench.policy.limits);
    let mut ran = runs::Runs::default();
    for _ in 0..TRIES {
        let push = Push {
            door: bench.door,
            pusher: who::pusher(input.env, &bench.policy, &bench.certificate),
            updates: updates.clone(),
            options: bench.options.clone(),
            certificate: bench.certificate.clone(),
            namespace: input.env.bytes("GIT_NAMESPACE").map(<[u8]>::to_vec),
            moment: input.moment,
        };
        let mut facts = gather(world, bench, push)?;
        runs::look(world, bench, &mut facts, &mut ran);
        let judgement = judge(&bench.policy, &facts);
        match write(world, bench, &facts, &judgement)? {
            Appended::Written(receipt) => {
                slip::leave(world, bench, &facts, (&judgement, verdict(world, bench, &judgement)));
                bench.log.remember_before_genesis(&facts.before_genesis);
                let reach = reach(world, bench, &judgement);
                let you = &facts.push.push.pusher;
                journal::judged(&judgement, &receipt, you);
                let answer = Answer::judged(&judgement, &receipt, you, (reach, room));
                return Ok(answer.warned(warning));
            }
            Appended::Held => {
                tracing::warn!(verdict = "refused", "a push is counted with others");
                return Ok(Answer::held(&judgement, room));
            }
            Appended::Moved(_) => {
                bench.log.refresh()?;
                if bench.certificate != Seen::NotHere {
                    // The push that was in between may have carried the same certificate.
                    bench.certificate = certificate::look(world, bench, input, &updates)?;
                }
            }
        }
    }
    let told = Line::new("another push was judged at the same time and touched the same refs");
    Err(Stop { road: Road::Busy, ..Stop::refused(told) })
}

/// Brings log and refs together for the refs in hand.
fn settle(world: &World, bench: &mut Bench, updates: &[RefUpdate]) -> Result<(), Stop> {
    let mut names = refs_in_hand(updates.iter().map(|update| &update.name));
    names.extend(default_branch(&world.store).map_err(gathered)?);
    bench.log.settle(world, &names, None, &bench.ctx)?;
    debts::settle(world, &mut bench.log, &bench.policy, &names, &bench.ctx)
}

/// What is so, with the refs of open decisions that matter to it settled first.
fn gather(world: &World, bench: &mut Bench, push: Push) -> Result<Facts, Stop> {
    let first = gather_once(world, bench, push.clone())?;
    let others = open_refs(bench, &first)?;
    if others.is_empty() {
        return Ok(first);
    }
    bench.log.settle(world, &others, None, &bench.ctx)?;
    gather_once(world, bench, push)
}

fn gather_once(world: &World, bench: &Bench, push: Push) -> Result<Facts, Stop> {
    gather_with(&world.store, world, bench, push)
}

/// Refs of open decisions that brought a commit or hold a statement of this judging.
fn open_refs(bench: &Bench, facts: &Facts) -> Result<std::collections::BTreeSet<Refname>, Stop> {
    use crate::facts::past::Past as _;
    let mut names = std::collections::BTreeSet::new();
    for update in &facts.updates {
        let steps = update.landings.iter().flat_map(crate::facts::landing::Landing::steps);
        for step in steps {
            for commit in step.unseen() {
                names.extend(bench.log.open_bringing(commit)?.into_iter().map(|o| o.refname));
            }
            for candidate in step.statements() {
                names.extend(bench.log.open_with(&candidate.id)?.into_iter().map(|o| o.refname));
            }
        }
    }
    names.retain(|name| facts.updates.iter().all(|update| update.update.name != *name));
    Ok(names)
}

/// Writes the decision, with what goes before it.
fn write(
    world: &World,
    bench: &mut Bench,
    facts: &Facts,
    judgement: &Judgement,
) -> Result<Appended, Stop> {
    use crate::facts::past::Past as _;
    let mut records = Vec::new();
    if bench.log.last_policy()? != Some(bench.policy.digest) {
        records.push(Record::Policy(record::policy(
            bench.policy.digest,
            &bench.files,
            "first seen by a hook",
        )));
    }
    let verdict = verdict(world, bench, judgement);
    if verdict == Verdict::Accept {
        records.extend(record::birth(facts, judgement).map(Record::Birth));
        for broken in &judgement.glass.broken {
            let record = debts::broken(world, &bench.policy, facts, broken)?;
            records.extend(record.map(|glass| Record::BreakGlass(Box::new(glass))));
        }
    }
    let frame = record::Frame {
        policy: bench.policy.digest,
        took_us: u64::try_from(bench.began.elapsed().as_micros()).unwrap_or(u64::MAX),
        verdict,
        git: None,
    };
    records.push(Record::Decision(Box::new(record::decision(facts, judgement, &frame))));
    redact::records(&mut records, bench.policy.log.redact, &world.log_dir())?;
    let judged = record::rests_on(facts);
    Ok(bench.log.append(&records, &bench.ctx, Some(&judged))?)
}

/// The verdict that Git hears: with `[push] refuse = "ref"` the update hook says the single noes.
fn verdict(world: &World, bench: &Bench, judgement: &Judgement) -> Verdict {
    match reach(world, bench, judgement) {
        Reach::RefusedRefs => Verdict::Accept,
        Reach::WholePush | Reach::ThisRef => judgement.verdict(),
    }
}

fn reach(world: &World, bench: &Bench, judgement: &Judgement) -> Reach {
    let some_pass = judgement.refs.iter().any(|r| r.verdict() == Verdict::Accept);
    match bench.door {
        Door::Update => Reach::ThisRef,
        Door::PreReceive
            if bench.policy.refuse == RefuseMode::Ref
                && judgement.findings.is_empty()
                && some_pass
                && world.hook_runs("update") =>
        {
            Reach::RefusedRefs
        }
        Door::PreReceive => Reach::WholePush,
    }
}
