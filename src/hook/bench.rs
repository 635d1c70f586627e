//! What every judging of one run shares, and how it looks at a push.
//!
//! Made by the roof; used by the judging, the questions and the update hook.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::facts::Facts;
use crate::gather::error::GatherError;
use crate::gather::facts;
use crate::gather::scene::Sources;
use crate::hook::deadline::Deadline;
use crate::hook::fault::Stop;
use crate::hook::stdin::Stdin;
use crate::hook::wire;
use crate::hook::world::World;
use crate::judge::needs;
use crate::log::book::Log;
use crate::log::file::Ctx;
use crate::names::moment::Moment;
use crate::names::refname::Refname;
use crate::policy::{Policy, PolicyFile};
use crate::push::certificate::Certified;
use crate::push::env::Env;
use crate::push::update::RefUpdate;
use crate::push::{Door, Push, Seen};
use crate::store::error::StoreError;
use crate::store::objects::Objects;
use crate::verdict::line::Line;

/// What a hook was given.
pub struct Input<'i> {
    /// The environment.
    pub env: &'i Env,
    /// The working directory.
    pub directory: &'i Path,
    /// The arguments behind the hook's name, as bytes.
    pub args: &'i [Vec<u8>],
    /// What Git writes to the hook.
    pub stdin: &'i Stdin,
    /// The clock of this run; `post-receive`, which refuses nothing, has none.
    pub deadline: Option<&'i Deadline>,
    /// The server's clock.
    pub moment: Moment,
}

/// What every judging of one run shares.
pub struct Bench {
    /// The hook.
    pub door: Door,
    /// The circumstances of the run.
    pub ctx: Ctx,
    /// The policy in force. The process ends with it: to take hundreds of rules apart is time that a
    /// push would wait for nothing.
    pub policy: ManuallyDrop<Policy>,
    /// Its files, as they were read.
    pub files: Vec<(PathBuf, PolicyFile)>,
    /// The log.
    pub log: Log,
    /// The push options.
    pub options: Seen<Vec<Vec<u8>>>,
    /// The push certificate, looked at.
    pub certificate: Seen<Option<Certified>>,
    /// When the run began, for the record.
    pub began: Instant,
}

impl Bench {
    /// The ref updates of pre-receive, within the policy's limits.
    pub fn updates(&self, world: &World, input: &Input<'_>) -> Result<Vec<RefUpdate>, Stop> {
        let limits = &self.policy.limits;
        let told = "what Git writes to the hook could not be read to its end";
        let stdin = input.stdin.within(limits.stdin_bytes);
        let stdin = stdin.map_err(|error| Stop::fault(told, error))?;
        if stdin.len() > limits.stdin_bytes {
            return Err(Stop::limit("stdin-bytes", limits.stdin_bytes));
        }
        wire::updates(stdin, Objects::format(&world.store), limits.refs).map_err(refused)
    }
}

/// What is so about a push, in a repository that may hold more than the one on disk.
pub fn gather_with(
    objects: &dyn Objects,
    world: &World,
    bench: &Bench,
    push: Push,
) -> Result<Facts, Stop> {
    let checkers = bench.policy.checkers();
    let sources = Sources {
        objects,
        past: &bench.log,
        roster: &bench.policy.roster,
        limits: &bench.policy.limits,
        repository: world.repository.as_deref(),
        checkers: &checkers,
    };
    let moment = push.moment;
    let asks =
        |name: &Refname, default: Option<&Refname>| needs(&bench.policy, name, default, moment);
    facts(&sources, push, &asks).map_err(gathered)
}

/// A push that is refused for what Git was told.
pub fn refused(error: wire::WireError) -> Stop {
    match error {
        wire::WireError::Limit { name, limit } => Stop::limit(name, limit),
        wire::WireError::Empty
        | wire::WireError::Line { .. }
        | wire::WireError::OidLength { .. }
        | wire::WireError::Refname { .. }
        | wire::WireError::ZeroToZero { .. }
        | wire::WireError::Twice { .. }
        | wire::WireError::Arguments { .. }
        | wire::WireError::Options => Stop::refused(Line::new(error.to_string())),
    }
}

/// A limit or a malformed object refuses the push; what cannot be read is a fault.
pub fn gathered(error: GatherError) -> Stop {
    match &error {
        GatherError::Limit { name, limit } => Stop::limit(name, *limit),
        GatherError::Store(StoreError::TooLarge { limit, .. }) => {
            Stop::limit("object-bytes", *limit)
        }
        GatherError::Commit { .. } => Stop::refused(Line::new(error.to_string())),
        GatherError::Store(_) | GatherError::Past(_) | GatherError::NoCommit => {
            Stop::fault("the repository or its log could not be read", &error)
        }
    }
}
