//! `portcullis status`: how the gate of each repository stands, in a few lines.
//!
//! For operators and for a timer: exit code 1 when something is wrong. Reads only; what is wrong in
//! detail is told by `doctor` and `lint`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};
use serde_json::{Value, json};

use crate::answer::DebtAnswer;
use crate::cli::doctor::storage::is_overdue;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::git::Git;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::verb::{Call, Group, Verb};
use crate::hook::world::World;
use crate::hook::{debts, host, owed};
use crate::judge::debts::paid;
use crate::log::book::Log;
use crate::log::file::Ctx;
use crate::log::keeper::unsealed_since;
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::source::duration;
use crate::store::objects::Objects as _;

/// How many digits of the log's head and of a digest are shown.
const DIGITS: usize = 12;

/// The length of a day in seconds.
const DAY_SECONDS: i64 = 86_400;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Status::command, run };

/// Show how the gate stands: hooks, policy, log, and what is owed
///
/// For each repository: which hooks run, the policy's digest or its problems, the log's last entry,
/// how many statements wait to be used, and the debts of broken glasses with their age and when they
/// are due. The exit code is 1 when something is wrong: a hook that does not run, a policy or a log
/// that cannot be used, a debt that is overdue, a seal that is overdue (policy, `[log] seal-every`).
#[derive(Parser, Debug)]
#[command(name = "status")]
struct Status {
    /// Print it as JSON
    #[arg(long)]
    json: bool,

    /// The repositories
    #[arg(value_name = "REPO", required = true)]
    repos: Vec<PathBuf>,
}

/// What is told of one repository.
struct Told {
    path: PathBuf,
    repository: String,
    hooks: Vec<String>,
    policy: Option<String>,
    last: Option<Last>,
    /// Since when nothing was sealed, where the policy says how often it should be.
    unsealed_since: Option<Moment>,
    waiting: usize,
    debts: Vec<Owed>,
    wrong: Vec<String>,
}

/// The log's last entry.
struct Last {
    entry: u64,
    at: Moment,
    head: String,
}

/// A debt and the ref that owes it.
struct Owed {
    refname: Refname,
    at: Moment,
    told: DebtAnswer,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let status: Status = call.arguments()?;
    let git = Git::find(call.around)?;
    let ctx = host::ctx(call.around.now);
    let mut all = Vec::with_capacity(status.repos.len());
    for repo in &status.repos {
        let site = Site::find(call.around, &git, repo)?;
        all.push(look(&site, &ctx)?);
    }
    if status.json {
        let repositories: Vec<Value> = all.iter().map(as_json).collect();
        call.console.json(&json!({ "repositories": repositories }))?;
    } else {
        for line in all.iter().flat_map(|told| lines(told, ctx.moment)) {
            call.console.data_line(&line)?;
        }
    }
    let fine = all.iter().all(|told| told.wrong.is_empty());
    Ok(if fine { Exit::Yes } else { Exit::No })
}

fn look(site: &Site, ctx: &Ctx) -> Result<Told, Fault> {
    let path = site.git_dir.clone();
    let world = World::at_rest(&path)
        .map_err(|stop| Fault::new(format!("could not open {}: {}", shown(&path), stop.reason)))?;
    let mut wrong = Vec::new();
    if world.hooks.is_empty() {
        wrong.push("no hooks are installed: pushes are not judged".to_owned());
    }
    for hook in world.hooks.iter().filter(|hook| !world.hook_runs(hook)) {
        wrong.push(format!(
            "the hook {} does not run: see portcullis doctor",
            escape(hook.as_bytes())
        ));
    }
    let policy = world.policy().map(|(policy, _)| policy);
    let policy = policy.map_err(|stop| wrong.push(stop.reason)).ok();
    let log = world.log().map_err(|stop| wrong.push(stop.reason)).ok();
    let mut told = Told {
        repository: world.repository.clone().unwrap_or_default(),
        hooks: world.hooks.clone(),
        policy: policy.as_ref().map(|policy| policy.digest.hex()),
        last: None,
        unsealed_since: None,
        waiting: world
            .store
            .refs_under(b"refs/approvals/")
            .or_fault(|| format!("could not read the refs of {}", shown(&path)))?
            .len(),
        debts: Vec::new(),
        path,
        wrong,
    };
    let Some(log) = log else { return Ok(told) };
    let read = last(&log).and_then(|last| Ok((last, owed(&world, &log, policy.as_ref(), ctx)?)));
    match read {
        Ok((last, debts)) => {
            told.last = Some(last);
            told.debts = debts;
        }
        Err(reason) => told.wrong.push(reason),
    }
    if let Some(every) = policy.as_ref().and_then(|policy| policy.log.seal_every) {
        match unsealed_since(log.dir()) {
            Ok(since) => {
                told.unsealed_since = Some(since);
                if is_overdue(every, since, ctx.moment) {
                    let every = duration::shown(every);
                    let what = format!("the log was to be sealed every {every}, and was not");
                    told.wrong.push(what);
                }
            }
            Err(error) => told.wrong.push(error.to_string()),
        }
    }
    let overdue = told.debts.iter().filter(|debt| debt.told.overdue).map(|debt| {
        format!("the debt of entry {} on {} is overdue", debt.told.entry, debt.refname)
    });
    let overdue: Vec<String> = overdue.collect();
    told.wrong.extend(overdue);
    Ok(told)
}

/// The last entry, or why it cannot be read.
fn last(log: &Log) -> Result<Last, String> {
    let head = log.head();
    let entry = head.size.saturating_sub(1);
    let found = log.entry_by_number(entry).map_err(|error| error.to_string())?;
    Ok(Last { entry, at: found.common.ts.0, head: head.hash.hex() })
}

/// What is owed. Without a policy that can be used nobody can say what would settle it.
fn owed(world: &World, log: &Log, policy: Option<&Policy>, ctx: &Ctx) -> Result<Vec<Owed>, String> {
    let all = log.all_debts().map_err(|error| error.to_string())?;
    let Some(policy) = policy else { return Ok(Vec::new()) };
    let refs: BTreeSet<Refname> = all.into_iter().map(|debt| debt.refname).collect();
    let mut owed = Vec::new();
    for name in refs {
        let debts = debts::on(world, log, policy, &name, ctx).map_err(|stop| stop.reason)?;
        // One that is paid and not written down yet is nobody's debt any more.
        for facts in debts.iter().filter(|facts| paid(policy, facts).is_none()) {
            let told = owed::answer(policy, facts, ctx.moment);
            owed.push(Owed { refname: name.clone(), at: facts.debt.at, told });
        }
    }
    Ok(owed)
}

fn lines(told: &Told, now: Moment) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", shown(&told.path), escape(told.repository.as_bytes()))];
    let hooks = if told.hooks.is_empty() { "none".to_owned() } else { told.hooks.join(", ") };
    lines.push(format!("  hooks    {}", escape(hooks.as_bytes())));
    let policy = told.policy.as_ref().map_or("cannot be used", |hex| &hex[..DIGITS]);
    lines.push(format!("  policy   {policy}"));
    match &told.last {
        Some(last) => {
            let (entry, at, head) = (last.entry, last.at.rfc3339_seconds(), &last.head[..DIGITS]);
            lines.push(format!("  log      entry {entry} of {at}, head {head}"));
        }
        None => lines.push("  log      cannot be used".to_owned()),
    }
    if let Some(since) = told.unsealed_since {
        lines.push(format!("  sealed   {}", since.rfc3339_seconds()));
    }
    lines.push(format!("  waiting  {}", counted(told.waiting, "statement")));
    if told.debts.is_empty() {
        lines.push("  debts    none".to_owned());
    }
    for debt in &told.debts {
        let DebtAnswer { entry, by, due, reason, missing, commit, .. } = &debt.told;
        let age = age(debt.at, now);
        lines.push(format!(
            "  debts    entry {entry} on {} by {by}, {age}, due {due}",
            debt.refname
        ));
        lines.push(format!("           \"{reason}\""));
        for lack in missing {
            let count = usize::try_from(lack.approvals).unwrap_or(usize::MAX);
            let commit = commit.get(..DIGITS).unwrap_or(commit);
            lines.push(format!(
                "           {commit} lacks {}, from {}",
                counted(count, "approval"),
                lack.from.join(", ")
            ));
        }
    }
    for wrong in &told.wrong {
        lines.push(format!("  error: {}", wrong.trim_end().replace('\n', "\n    ")));
    }
    lines
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How old something is, in whole days.
fn age(at: Moment, now: Moment) -> String {
    let days = now.seconds().saturating_sub(at.seconds()).max(0) / DAY_SECONDS;
    match days {
        0 => "since today".to_owned(),
        1 => "1 day old".to_owned(),
        many => format!("{many} days old"),
    }
}

fn as_json(told: &Told) -> Value {
    let debts = told.debts.iter().map(|debt| {
        let DebtAnswer { entry, commit, by, reason, at, due, overdue, missing } = &debt.told;
        let missing: Vec<Value> = missing
            .iter()
            .map(|lack| json!({ "approvals": lack.approvals, "from": lack.from }))
            .collect();
        json!({
            "entry": entry, "ref": debt.refname.to_string(), "commit": commit, "by": by,
            "reason": reason, "at": at, "due": due, "overdue": overdue, "missing": missing,
        })
    });
    json!({
        "path": shown(&told.path),
        "repository": told.repository,
        "hooks": told.hooks,
        "policy": told.policy,
        "log": told.last.as_ref().map(|last| json!({
            "entry": last.entry, "at": last.at.rfc3339_millis(), "head": last.head,
        })),
        "unsealed_since": told.unsealed_since.map(|since| since.rfc3339_seconds()),
        "waiting": told.waiting,
        "debts": debts.collect::<Vec<_>>(),
        "wrong": told.wrong,
    })
}
