//! A review on the server: judged where the policy, the people and the log are.
//!
//! Reads only. The log is not settled and hears nothing of it, so that an operator may look as any
//! account that can read, as often as they like.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::time::Instant;

use crate::answer::Answer;
use crate::cli::client::target::TextRefname;
use crate::cli::fault::Fault;
use crate::cli::git::Git;
use crate::cli::quote::{shell, shown};
use crate::cli::site::{KEY_HOOKS, Site};
use crate::cli::surroundings::Surroundings;
use crate::gather::default_branch;
use crate::hook::asked::Question;
use crate::hook::bench::{Bench, gathered};
use crate::hook::fault::Stop;
use crate::hook::reply::judged;
use crate::hook::world::World;
use crate::hook::{can_judge, host};
use crate::names::escape::escape_short;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::push::pusher::{Pusher, Who};
use crate::push::{Door, Seen};
use crate::source::nearest::suggestion;

/// A repository of this machine that has the gate's hooks.
#[derive(Debug)]
pub struct Here {
    git: Git,
    site: Site,
}

/// What was typed.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// The commit, or a branch.
    pub commit: Option<&'a str>,
    /// The ref it should land on.
    pub refname: Option<&'a str>,
    /// Who reads.
    pub person: Option<&'a PrincipalName>,
}

/// What was judged.
#[derive(Debug)]
pub struct Judged {
    /// What a clone would have been told.
    pub answer: Answer,
    /// The first line of the commit's message, escaped.
    pub subject: String,
    /// How many records settling the ref would have written.
    pub unsettled: usize,
}

/// The repository at this path, which has to have our hooks.
pub fn named(around: &Surroundings, path: &Path) -> Result<Here, Fault> {
    let git = Git::find(around)?;
    let site = Site::find(around, &git, path)?;
    if site.config.local_text(KEY_HOOKS).is_none() {
        return Err(Fault::new(format!("{} has no hooks of ours", shown(path)))
            .hint(format!("portcullis install {}", shell(path)))
            .hint("in a clone, leave --repo out"));
    }
    Ok(Here { git, site })
}

/// The repository that the working directory lies in, if it is one with our hooks: not a clone.
pub fn around(around: &Surroundings) -> Result<Option<Here>, Fault> {
    let git = Git::find(around)?;
    let directory = around.absolute(Path::new("."))?;
    let site = directory.ancestors().find_map(|folder| Site::find(around, &git, folder).ok());
    let ours = site.filter(|site| site.config.local_text(KEY_HOOKS).is_some());
    Ok(ours.map(|site| Here { git, site }))
}

/// Judges.
pub fn judge(around: &Surroundings, here: &Here, typed: Typed<'_>) -> Result<Judged, Fault> {
    let could_not = |stop: Stop| could_not(&here.site, &stop);
    let world = World::at_rest(&here.site.git_dir).map_err(could_not)?;
    let (policy, files) = world.policy().map_err(could_not)?;
    can_judge(&world, &policy).map_err(could_not)?;
    let log = world.log_to_read().map_err(could_not)?;
    let name = refname(&world, typed.refname).map_err(could_not)??;
    let commit = commit(here, typed.commit, &name)?;
    let pusher = pusher(&policy, typed.person)?;
    let ctx = host::ctx(around.now);
    let (door, options, began) = (Door::PreReceive, Seen::NotHere, Instant::now());
    let certificate = Seen::All(None);
    let policy = ManuallyDrop::new(policy);
    let mut bench = Bench { door, ctx, policy, files, log, options, certificate, began };
    let refs = BTreeSet::from([name.clone()]);
    let unsettled = bench.log.unsettled_records(&world, &refs, &bench.ctx).map_err(could_not)?;
    let question = Question { name, commit, json: false };
    let mut answer = judged(&world, &bench, &pusher, &question).map_err(could_not)?;
    // No push was asked with, so there is no entry of it.
    answer.entry = None;
    if typed.person.is_none() {
        // Nobody pushes here, so nothing is to be said of who does.
        answer.rules.retain(|rule| !(rule.kind == "always" && rule.rule == "identity"));
        answer.you.login.clear();
    }
    let subject = subject(here, &answer)?;
    Ok(Judged { answer, subject, unsettled })
}

/// The ref that was typed, else the branch that HEAD names.
fn refname(world: &World, typed: Option<&str>) -> Result<Result<Refname, Fault>, Stop> {
    if let Some(typed) = typed {
        let read = TextRefname::parse(typed).map(|name| name.name().clone());
        return Ok(read.ok_or_else(|| {
            Fault::mistyped(format!("no refname: \"{}\"", escape_short(typed.as_bytes())))
                .hint("give a branch, such as main, or a full name, such as refs/tags/v1")
        }));
    }
    let head = default_branch(&world.store).map_err(gathered)?;
    Ok(head.ok_or_else(|| {
        Fault::new("HEAD of this repository names no branch")
            .hint("say which ref is meant: --for main")
    }))
}

/// The commit that was typed; for a ref that is no branch, the tag that leads to it.
fn commit(here: &Here, typed: Option<&str>, name: &Refname) -> Result<Oid, Fault> {
    let Some(typed) = typed.filter(|typed| !typed.is_empty() && !typed.starts_with('-')) else {
        return Err(Fault::mistyped("say which commit or branch of this repository should land")
            .hint("portcullis review BRANCH"));
    };
    let kind = if name.branch().is_some() { "commit" } else { "" };
    let wanted = format!("{typed}^{{{kind}}}");
    let wanted = if kind.is_empty() { typed } else { &wanted };
    let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", wanted];
    let output = here.git.output(&here.site.git_dir, &arguments.map(OsStr::new))?;
    let found = Oid::from_hex(output.stdout.trim_ascii_end()).filter(|_| output.status.success());
    found.ok_or_else(|| {
        let shown = escape_short(typed.as_bytes());
        Fault::new(format!("this repository has no commit \"{shown}\""))
            .hint("name one that was pushed here, or a branch: git branch --list")
    })
}

/// The person of this name, as a pusher; without one, somebody of whom nothing is known.
fn pusher(policy: &Policy, person: Option<&PrincipalName>) -> Result<Pusher, Fault> {
    let (who, login) = match person {
        None => (Who::Unlisted, "somebody".to_owned()),
        Some(name) => {
            let Some(principal) = policy.roster.get(name) else {
                let people: Vec<_> = policy.roster.people().map(|p| p.name.as_str()).collect();
                let fault = Fault::mistyped(format!("nobody in the policy is called {name}"));
                return Err(match suggestion(name.as_str(), "people", people.iter().copied()) {
                    Some(hint) => fault.hint(hint),
                    None => fault,
                });
            };
            let (machine, shared) = (principal.machine, principal.shared);
            let who = Who::Listed { name: name.clone(), machine, shared };
            (who, principal.logins.first().cloned().unwrap_or_default())
        }
    };
    Ok(Pusher { who, login, source: "review".to_owned(), door: "local", key: None })
}

fn subject(here: &Here, answer: &Answer) -> Result<String, Fault> {
    let arguments = ["log", "-1", "--no-show-signature", "--format=%s", &answer.commit];
    let line = here.git.run(&here.site.git_dir, &arguments.map(OsStr::new))?;
    Ok(escape_short(line.strip_suffix(b"\n").unwrap_or(&line)))
}

fn could_not(site: &Site, stop: &Stop) -> Fault {
    Fault::new(format!("could not judge in {}", shown(&site.git_dir))).cause(stop.reason.clone())
}
