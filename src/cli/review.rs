//! `portcullis review`: what is missing for a change to land, who can give it, the commands.

use clap::Args;

use crate::answer::Answer;
use crate::cli::client::ask::ask;
use crate::cli::client::draft::person;
use crate::cli::client::git::CloneGit;
use crate::cli::client::render::{self, Reader};
use crate::cli::client::target::{Target, Typed};
use crate::cli::fault::{Exit, Fault};
use crate::cli::verb::{Call, Group, Verb};
use crate::names::escape::escape_short;
use crate::names::principal::PrincipalName;

/// The row in the table of verbs.
pub static VERB: Verb = Verb { group: Group::People, command, run };

const STORY: &str = "\
Asks the server what it would say if COMMIT were merged into the ref now, and shows each rule with
what is missing, who can give it and the command to type. Run it in a clone: the question travels
as a push to refs/portcullis/ask/..., which the server always refuses and never keeps.

Exit codes: 0 nothing is missing, 1 something is, 2 mistyped, 3 the server could not be asked.";

#[derive(Args)]
struct ReviewArgs {
    /// The commit that should land: anything git understands
    #[arg(default_value = "HEAD")]
    commit: String,
    /// The ref it should land on: a branch, or a full name [default: the remote's HEAD]
    #[arg(long = "for", value_name = "REF")]
    refname: Option<String>,
    /// The server to ask [default: the branch's remote, else origin]
    #[arg(long)]
    remote: Option<String>,
    /// Read the answer as this person
    #[arg(long = "as", value_name = "PERSON", value_parser = person)]
    person: Option<PrincipalName>,
    /// Print the server's answer as JSON
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
    let git = CloneGit::here(call.around)?;
    let typed = Typed {
        commit: Some(&args.commit),
        refname: args.refname.as_deref(),
        remote: args.remote.as_deref(),
    };
    let target = Target::find(&git, typed)?;
    let answer = ask(&git, &target)?;
    if args.json {
        call.console.json(&answer)?;
    } else {
        let subject = subject(&git, &target)?;
        let typed_ref = target.refname.typed();
        let name = args.person.as_ref().map(PrincipalName::as_str);
        let reader = Reader { name, typed_ref: &typed_ref, subject: &subject };
        for line in render::review(&answer, &reader) {
            call.console.data_line(&line)?;
        }
    }
    Ok(exit(&answer))
}

fn exit(answer: &Answer) -> Exit {
    if render::refused(answer) == 0 { Exit::Yes } else { Exit::No }
}

fn subject(git: &CloneGit, target: &Target) -> Result<String, Fault> {
    let commit = target.commit.hex();
    let arguments = ["log", "-1", "--no-show-signature", "--format=%s", &commit];
    let line = git.bytes(&arguments, b"")?;
    Ok(escape_short(line.strip_suffix(b"\n").unwrap_or(&line)))
}
