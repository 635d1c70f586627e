//! `portcullis replay`: what a policy would have refused, had it been in force all along.
//!
//! For operators, to try a policy before it bites. Reads a repository and policy files, writes
//! nothing and asks no log. How history is judged is the room `replay`; how the result is shown
//! stands in `text` and `json`.

pub mod beside;
pub mod json;
pub mod text;

use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};

use crate::cli::client::target::TextRefname;
use crate::cli::crowd;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::git::Git;
use crate::cli::io::Console;
use crate::cli::policies;
use crate::cli::quote::shown;
use crate::cli::replay::beside::Difference;
use crate::cli::site::Site;
use crate::cli::verb::{Call, Group, Verb};
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::replay::error::ReplayError;
use crate::replay::tally::Replayed;
use crate::replay::{Order, THREADS_MAX, replay};
use crate::source::problem::{Colour, Problems};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Replay::command, run };

/// Try a policy on history: what would it have refused?
///
/// Judges a branch's first-parent history step by step, oldest first, as if each step had been a
/// push of its own, and counts for each rule what it would have refused and which evidence would
/// have been needed. The other parents of a merge count as brought before, a commit with a single
/// parent as pushed directly, and evidence as missing. What was refused by a rule at level warn is
/// counted as a warning. Nothing is changed and nothing is logged.
///
/// Another policy than the one in force is held beside it: which steps would be judged otherwise.
///
/// The exit code is 1 when some step would have been refused.
#[derive(Parser, Debug)]
#[command(name = "replay", after_long_help = EXAMPLES)]
struct Replay {
    /// The branch, or a ref in full [default: the one HEAD names]
    #[arg(long = "ref", value_name = "REF")]
    refname: Option<String>,

    /// The policy to try, beside the one in force; several are read together [default: the one in
    /// force]
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,

    /// Only the newest N steps
    #[arg(long, value_name = "N")]
    last: Option<usize>,

    /// Print the counts as JSON
    #[arg(long)]
    json: bool,

    /// The repository: bare, or with a .git in it
    #[arg(value_name = "REPO")]
    repo: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  portcullis replay /srv/git/infra.git              the policy in force
  portcullis replay --policy new.toml --last 200 /srv/git/infra.git
  portcullis replay --policy new.toml --ref release/2.4 --json .";

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let arguments: Replay = call.arguments()?;
    let git = Git::find(call.around)?;
    let site = Site::find(call.around, &git, &arguments.repo)?;
    let refname = arguments.refname.as_deref().map(refname).transpose()?;
    let paths = match arguments.policy.as_slice() {
        [] => site.policies(),
        named => policies::places(call.around, named)?,
    };
    // Before the first `install` none is in force.
    let in_force = site.repository_id().map(|_| site.policies()).filter(|it| *it != paths);
    let policy = match policies::compiled_by_name(&policies::read(&paths)?) {
        Ok(policy) => policy,
        Err(problems) => return show_problems(call.console, &problems),
    };
    let order = Order {
        git_dir: site.git_dir,
        refname,
        last: arguments.last,
        threads: threads(),
        moment: call.around.now,
    };
    let replayed = with_progress(call.console, &order, &policy)?;
    let beside = match in_force {
        Some(paths) => beside(call.console, &order, (&paths, &replayed))?,
        None => None,
    };
    if arguments.json {
        call.console.json(&json::of(&replayed, beside.as_ref()))?;
    } else {
        call.console.data(&text::whole(&replayed, beside.as_ref()))?;
    }
    Ok(if replayed.refused > 0 { Exit::No } else { Exit::Yes })
}

/// What another policy says otherwise than the one in force. `None` where that one cannot be used.
fn beside(
    console: &mut Console,
    order: &Order,
    (in_force, new): (&[PathBuf], &Replayed),
) -> Result<Option<Difference>, Fault> {
    let texts = policies::read(in_force).ok();
    let Some(policy) = texts.and_then(|texts| policies::compiled_by_name(&texts).ok()) else {
        console
            .talk("note: the policy in force cannot be used, so nothing stands beside this one")?;
        console.talk("hint: portcullis lint says what is wrong with it")?;
        return Ok(None);
    };
    let old = with_progress(console, order, &policy)?;
    Ok(Some(Difference::between(&old, new)))
}

/// What the newest steps of the default branch would have met under these policy texts, for
/// `install`: a line a rule and the sum. `None` where there is no history yet.
pub fn preview(
    git_dir: &Path,
    texts: &[(PathBuf, Vec<u8>)],
    last: usize,
    moment: Moment,
) -> Result<Option<String>, Fault> {
    let order = newest(git_dir, last, threads(), moment);
    judged(&order, texts).map(|replayed| replayed.map(|replayed| text::brief(&replayed)))
}

/// The newest steps of the default branch.
pub fn newest(git_dir: &Path, last: usize, threads: usize, moment: Moment) -> Order {
    Order { git_dir: git_dir.to_owned(), refname: None, last: Some(last), threads, moment }
}

/// What these policy texts say of that history. `None` where there is none yet.
pub fn judged(order: &Order, texts: &[(PathBuf, Vec<u8>)]) -> Result<Option<Replayed>, Fault> {
    let could_not = || format!("could not replay {}", shown(&order.git_dir));
    let policy = policies::compiled_by_name(texts)
        .map_err(|problems| Fault::new(could_not()).cause(problems.render(Colour::Off)))?;
    match replay(order, &policy, &mut |_, _| {}) {
        Ok(replayed) => Ok(Some(replayed)),
        Err(ReplayError::NoRef { .. } | ReplayError::NoDefault) => Ok(None),
        Err(error) => Err(Fault::caused(could_not(), &error)),
    }
}

fn with_progress(console: &Console, order: &Order, policy: &Policy) -> Result<Replayed, Fault> {
    let bar = crowd::bar(console, "steps", 0);
    let replayed = replay(order, policy, &mut |done, all| {
        // A history is no longer than a u64 counts.
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    replayed.or_fault(|| format!("could not replay {}", shown(&order.git_dir)))
}

fn refname(typed: &str) -> Result<Refname, Fault> {
    let name = TextRefname::parse(typed).ok_or_else(|| {
        Fault::mistyped(format!("no refname: \"{}\"", escape_short(typed.as_bytes())))
            .hint("give a branch, such as main, or a full name, such as refs/heads/main")
    })?;
    Ok(name.name().clone())
}

fn show_problems(console: &mut Console, problems: &Problems) -> Result<Exit, Fault> {
    let colour = if console.colour_err() { Colour::On } else { Colour::Off };
    console.talk(problems.render(colour).trim_end())?;
    Ok(Exit::No)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
}
