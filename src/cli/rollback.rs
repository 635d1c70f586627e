//! `portcullis rollback`: a commit that takes a ref back to an earlier state of it.
//!
//! It asks the server for the ref's landings, makes the commit in this clone without touching the
//! work tree, asks what is missing for it to land, and says how to push it.

use clap::{ArgGroup, Args};
use serde::Serialize;

use crate::answer::{Answer, LandingAnswer, RuleAnswer};
use crate::cli::client::ask::ask;
use crate::cli::client::back::Back;
use crate::cli::client::git::CloneGit;
use crate::cli::client::target::{Target, Typed};
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::{Console, Tone};
use crate::cli::quote::shell_word;
use crate::cli::verb::{Call, Group, Verb};
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;

/// The row in the table of verbs.
pub static VERB: Verb = Verb { group: Group::People, command, run };

const STORY: &str = "\
A policy with [rollback] lets a commit past `merge`, `check` and the approvals of `approval` rules
when it takes the ref back to a state that was judged there before, and enough people of `by`
approve that. This verb makes such a commit: its parent is the ref's value at the server, its tree
that of the state (or, with --paths, the ref's own with those paths as the state has them), and its
trailers Rollback-To and Rollback-Paths say so. The server believes none of it and compares.

-1 is the state before the last landing, -2 the one before that; states that a rollback has left
are passed over. Only the server's landings count, as its log has them.

The commit's name goes to standard output. Your work tree, index and branches stay as they are;
the commit is signed where commit.gpgSign is set. `--print` shows plain git commands that make the
same commit instead.

Exit codes: 0 made, 1 there is nothing to go back to, 2 mistyped, 3 it could not be done.";

/// How far back `-1`, `-2` and so on may count.
const BACK_MAX: i64 = 99;

#[derive(Args)]
#[command(group(ArgGroup::new("where").required(true).args(["back", "landings", "to"])))]
struct RollbackArgs {
    /// The ref to take back: a branch, or a full name
    refname: String,
    /// How many landings back: -1 is the state before the last one
    #[arg(value_name = "-N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(i64).range(-BACK_MAX..=-1))]
    back: Option<i64>,
    /// The same as -N, by a number
    #[arg(short = 'N', value_name = "LANDINGS", value_parser = clap::value_parser!(i64).range(1..=BACK_MAX))]
    landings: Option<i64>,
    /// The state to go back to: a value that the ref had
    #[arg(long, value_name = "COMMIT")]
    to: Option<String>,
    /// Go back in these paths only, a pattern each: 'infra/**'
    #[arg(long, value_name = "PATTERN")]
    paths: Vec<String>,
    /// The server [default: the branch's remote, else origin]
    #[arg(long)]
    remote: Option<String>,
    /// Print the plain git commands instead of running them
    #[arg(long)]
    print: bool,
    /// Print what was made, and the server's answer about it, as JSON
    #[arg(long, conflicts_with = "print")]
    json: bool,
}

/// What was made, for programs.
#[derive(Serialize)]
struct Made<'a> {
    /// The rollback.
    commit: String,
    /// The ref it is for, in full.
    #[serde(rename = "ref")]
    refname: &'a str,
    /// The state it goes back to.
    state: String,
    /// The log entry that gave the ref that state.
    entry: Option<u64>,
    /// The value it leaves: its parent.
    left: String,
    /// The patterns within which it goes back; empty: everywhere.
    paths: &'a [String],
    /// How many entries change.
    changes: usize,
    /// What the server says about landing it.
    answer: Option<&'a Answer>,
}

fn command() -> clap::Command {
    let command = clap::Command::new("rollback")
        .about("Make the commit that takes a branch back to a state it had")
        .after_long_help(STORY);
    RollbackArgs::augment_args(command)
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let args: RollbackArgs = call.arguments()?;
    let git = CloneGit::here(call.around)?;
    let typed = Typed {
        commit: args.to.as_deref(),
        refname: Some(&args.refname),
        remote: args.remote.as_deref(),
    };
    let target = Target::find(&git, typed)?;
    let left = value(&git, &target)?;
    let answer = ask(&git, &Target { commit: left, ..target.clone() })?;
    let landings = Landings { all: &answer.landings, left };
    let (state, entry) = match (args.back, args.landings, &args.to) {
        (Some(back), _, _) => landings.back(call.console, back.unsigned_abs())?,
        (None, Some(back), _) => landings.back(call.console, back.unsigned_abs())?,
        (None, None, _) => landings.at(target.commit)?,
    };
    demand(&git, &target, &state)?;
    landings.warn_of_no_rollback(call.console)?;
    let back = Back::plan(&git, target.refname.clone(), (left, state, entry), &args.paths)?;
    if back.changes.is_empty() {
        let sentence = format!("nothing to roll back: {}", is_so_already(&target, &state, &back));
        call.console.talk_lines(Tone::Error, &sentence)?;
        return Ok(Exit::No);
    }
    if args.print {
        call.console.data_bytes(&back.script())?;
        return Ok(Exit::Yes);
    }
    let commit = back.make(&git, call.around)?;
    let asked = ask(&git, &Target { commit, ..target.clone() });
    if args.json {
        let made = Made {
            commit: commit.hex(),
            refname: back.refname.text(),
            state: state.hex(),
            entry,
            left: left.hex(),
            paths: &args.paths,
            changes: back.changes.len(),
            answer: asked.as_ref().ok(),
        };
        call.console.json(&made)?;
    } else {
        call.console.data_line(&commit.hex())?;
        tell(call.console, &target, &back, commit)?;
    }
    match asked {
        Ok(answer) => tell_what_is_missing(call.console, &target, commit, &answer)?,
        Err(fault) => {
            let sentence = format!("could not ask what is missing: {fault}");
            call.console.talk_lines(Tone::Warning, &sentence)?;
        }
    }
    Ok(Exit::Yes)
}

/// The ref's value at the server, fetched where the clone lacks it.
fn value(git: &CloneGit, target: &Target) -> Result<Oid, Fault> {
    let name = target.refname.text();
    let listing = git.bytes(&["ls-remote", "--", &target.remote, name], b"")?;
    let listing = String::from_utf8_lossy(&listing);
    let mut rows = listing.lines().filter_map(|line| line.split_once('\t'));
    let row = rows.find(|(_, of)| *of == name);
    let value = row.and_then(|(oid, _)| Oid::from_hex(oid.as_bytes())).ok_or_else(|| {
        Fault::new(format!(
            "{} has no {}",
            escape(target.remote.as_bytes()),
            escape(name.as_bytes())
        ))
        .hint("give a branch of the server, such as main, or a full name")
    })?;
    demand(git, target, &value)?;
    Ok(value)
}

/// The commit has to be here.
fn demand(git: &CloneGit, target: &Target, oid: &Oid) -> Result<(), Fault> {
    let wanted = format!("{oid}^{{commit}}");
    let here = || git.maybe(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
    if here()?.is_some() {
        return Ok(());
    }
    let fetch = ["fetch", "--quiet", "--no-recurse-submodules", "--", &target.remote];
    git.bytes(&[&fetch[..], &[target.refname.text()]].concat(), b"")?;
    match here()? {
        Some(_) => Ok(()),
        None => Err(Fault::new(format!("{} is not in this clone", oid.short()))
            .hint("in a shallow clone: git fetch --unshallow")),
    }
}

/// The ref's landings, newest first, as the server tells them.
struct Landings<'a> {
    all: &'a [LandingAnswer],
    left: Oid,
}

impl Landings<'_> {
    /// The state so many landings back, and its entry.
    fn back(&self, console: &mut Console, count: u64) -> Result<(Oid, Option<u64>), Fault> {
        let mut states = Vec::new();
        for landing in self.all {
            let Some(oid) = oid(landing).filter(|oid| *oid != self.left) else { continue };
            if landing.state == Some(false) {
                let why = escape(landing.state_why.as_bytes());
                console.talk_lines(Tone::Note, &format!("passed over: {why}"))?;
                continue;
            }
            states.push((oid, landing.entry));
            if states.len() as u64 == count {
                return Ok((oid, Some(landing.entry)));
            }
        }
        let found = match states.len() {
            0 => "the server tells of no earlier state of this ref".to_owned(),
            1 => "the server tells of 1 earlier state of this ref".to_owned(),
            n => format!("the server tells of {n} earlier states of this ref"),
        };
        Err(Fault::refused(found).hint("on the server: portcullis log show --ref REF REPO"))
    }

    /// A state that was named, and its entry where the server tells of it.
    fn at(&self, state: Oid) -> Result<(Oid, Option<u64>), Fault> {
        let Some(landing) = self.all.iter().find(|landing| oid(landing) == Some(state)) else {
            return Ok((state, None));
        };
        if landing.state == Some(false) {
            let why = escape(landing.state_why.as_bytes());
            return Err(Fault::refused(format!("{} is no state to go back to", state.short()))
                .cause(why)
                .hint("the state before the last landing: portcullis rollback REF -1"));
        }
        Ok((state, Some(landing.entry)))
    }

    fn warn_of_no_rollback(&self, console: &mut Console) -> Result<(), Fault> {
        if self.all.is_empty() || self.all.iter().any(|landing| landing.state.is_some()) {
            return Ok(());
        }
        let sentence = "the server's policy has no [rollback]: the commit is judged like any other";
        console.talk_lines(Tone::Warning, sentence)
    }
}

/// The value of a landing. `None`: the ref was deleted, or the server said something else.
fn oid(landing: &LandingAnswer) -> Option<Oid> {
    Oid::from_hex(landing.commit.as_bytes()).filter(|oid| !oid.is_zero())
}

fn is_so_already(target: &Target, state: &Oid, back: &Back) -> String {
    let (name, state) = (escape(target.refname.short().as_bytes()), state.short());
    match back.paths.is_empty() {
        true => format!("{name} is as {state} has it"),
        false => format!("in these paths {name} is as {state} has it"),
    }
}

fn tell(console: &mut Console, target: &Target, back: &Back, commit: Oid) -> Result<(), Fault> {
    let entry = back.entry.map(|entry| format!(" (entry {entry})")).unwrap_or_default();
    let name = escape(target.refname.short().as_bytes());
    let (state, commit) = (back.state.short(), commit.short());
    let changes = match back.changes.len() {
        1 => "1 entry changes".to_owned(),
        n => format!("{n} entries change"),
    };
    let sentence = format!("made {commit}, it takes {name} back to {state}{entry}, {changes}");
    console.talk_lines(Tone::Success, &sentence)
}

/// What the server says about landing it, and how to push it then.
fn tell_what_is_missing(
    console: &mut Console,
    target: &Target,
    commit: Oid,
    answer: &Answer,
) -> Result<(), Fault> {
    let open: Vec<&RuleAnswer> = answer.rules.iter().filter(|rule| !rule.satisfied).collect();
    let mut told: Vec<String> = Vec::new();
    for rule in &open {
        let tone = if rule.level == "warn" { Tone::Warning } else { Tone::Note };
        let mut sentence = format!(
            "rule `{}`: {}",
            escape_short(rule.rule.as_bytes()),
            escape(rule.what.as_bytes())
        );
        if !told.contains(&rule.what) {
            for line in &rule.lines {
                sentence.push('\n');
                sentence.push_str(&escape(line.as_bytes()));
            }
            told.push(rule.what.clone());
        }
        console.talk_lines(tone, &sentence)?;
    }
    let mut hints: Vec<&String> = Vec::new();
    for hint in open.iter().flat_map(|rule| &rule.hints) {
        if !hints.contains(&hint) {
            hints.push(hint);
            console.talk_lines(Tone::Hint, &escape(hint.as_bytes()))?;
        }
    }
    let refspec = format!("{commit}:{}", target.refname.text());
    let push = format!(
        "git push {} {}",
        shell_word(target.remote.as_bytes()),
        shell_word(refspec.as_bytes())
    );
    let when =
        if open.iter().all(|rule| rule.level == "warn") { "push it" } else { "then push it" };
    console.talk_lines(Tone::Hint, &format!("{when}: {push}"))
}
