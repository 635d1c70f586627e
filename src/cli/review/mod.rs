//! `portcullis review`: what is missing for a change to land, who can give it, the commands.
//!
//! In a clone it asks the server by a push (`client::ask`); on the server it judges there itself
//! (`here`). What is shown is the same.

pub mod here;

use std::path::PathBuf;

use clap::Args;

use crate::answer::Answer;
use crate::cli::client::ask::ask;
use crate::cli::client::draft::person;
use crate::cli::client::git::CloneGit;
use crate::cli::client::reader;
use crate::cli::client::target::{Target, Typed};
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Tone;
use crate::cli::verb::{Call, Group, Verb};
use crate::message::reader::Reader;
use crate::message::review::{refused, whole};
use crate::names::principal::PrincipalName;

/// The row in the table of verbs.
pub static VERB: Verb = Verb { group: Group::People, command, run };

const STORY: &str = "\
Says what the server would say if COMMIT landed on the ref now, and shows each rule with what is
missing, who can give it and the command to type; when nothing is missing, the commands that land
it. Run it in a clone: the question travels as a push to refs/portcullis/ask/..., which the server
always refuses and never keeps. A commit that is not in the clone is fetched.

Run in a repository that has the gate's hooks, or with --repo, it judges there with the policy, the
people and the log in force, for a commit or a branch of that repository. It reads only: no log
entry tells of it, and moves whose outcome the log does not know yet stay unsettled (it says so).

`--json` prints the answer as the server gives it: v, you, repository, ref, value, base, commit,
delta, key, now, delta_lines, landing_lines, on_server, methods, conflicts, makers, rules (rule,
kind, level, place, satisfied, what, lines, hints, missing, reviewers), approvals, landings,
nobody_brought. What does not apply is left out.

Exit codes: 0 nothing is missing, 1 something is, 2 mistyped, 3 the server could not be asked.";

#[derive(Args)]
struct ReviewArgs {
    /// The commit that should land: anything git understands [default: HEAD; on the server, say it]
    commit: Option<String>,
    /// The ref it should land on: a branch, or a full name [default: the one the server's HEAD names]
    #[arg(long = "for", value_name = "REF")]
    refname: Option<String>,
    /// The server to ask [default: the branch's remote, else origin]
    #[arg(long, conflicts_with = "repo")]
    remote: Option<String>,
    /// A repository on this machine that has the gate's hooks: judge there, ask nobody
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    /// Read the answer as this person
    #[arg(long = "as", value_name = "PERSON", value_parser = person)]
    person: Option<PrincipalName>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

fn command() -> clap::Command {
    let command = clap::Command::new("review")
        .about("What is missing for a change to land, and who can give it")
        .after_long_help(STORY);
    ReviewArgs::augment_args(command)
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let args: ReviewArgs = call.arguments()?;
    let site = match (&args.remote, &args.repo) {
        (Some(_), _) => None,
        (None, Some(repo)) => Some(here::named(call.around, repo)?),
        (None, None) => here::around(call.around)?,
    };
    match site {
        Some(site) => on_server(call, &args, &site),
        None => in_clone(call, &args),
    }
}

fn in_clone(call: &mut Call<'_>, args: &ReviewArgs) -> Result<Exit, Fault> {
    let git = CloneGit::here(call.around)?;
    let typed = Typed {
        commit: args.commit.as_deref(),
        refname: args.refname.as_deref(),
        remote: args.remote.as_deref(),
    };
    let target = Target::find(&git, typed)?;
    let answer = ask(&git, &target)?;
    let subject = reader::subject(&git, &target)?;
    let name = args.person.as_ref().map(PrincipalName::as_str);
    let reader = reader::of(&git, &target, &answer, name)?;
    show(call, args, &answer, &Reader { asked: &subject, ..reader })
}

fn on_server(call: &mut Call<'_>, args: &ReviewArgs, site: &here::Here) -> Result<Exit, Fault> {
    let asked = here::Typed {
        commit: args.commit.as_deref(),
        refname: args.refname.as_deref(),
        person: args.person.as_ref(),
    };
    let judged = here::judge(call.around, site, asked)?;
    if judged.unsettled > 0 {
        let sentence = "the log does not know yet what became of a move of this ref; the next push \
                        settles that first, and may be judged otherwise";
        call.console.talk_lines(Tone::Warning, sentence)?;
    }
    let name = args.person.as_ref().map(PrincipalName::as_str);
    let reader = Reader { name, asked: &judged.subject, ..Reader::of_remote("origin") };
    show(call, args, &judged.answer, &reader)
}

fn show(
    call: &mut Call<'_>,
    args: &ReviewArgs,
    answer: &Answer,
    reader: &Reader<'_>,
) -> Result<Exit, Fault> {
    if args.json {
        call.console.json(answer)?;
    } else {
        for line in whole(answer, reader) {
            call.console.data_line(&line)?;
        }
    }
    Ok(if refused(answer) == 0 { Exit::Yes } else { Exit::No })
}
