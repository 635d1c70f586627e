//! `portcullis attest`: a machine's signed word about a change: a check was passed, or it was not.
//!
//! For pipelines: asks nobody, needs no terminal. Otherwise as `approve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::client::ask::{ask, check};
use crate::cli::client::draft::{Speaker, date_after, latest_of, person, signer, span};
use crate::cli::client::git::CloneGit;
use crate::cli::client::speak::{How, JSON_STORY, Print, Word, give};
use crate::cli::client::target::{Target, Typed};
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Tone;
use crate::cli::verb::{Call, Group, Verb};
use crate::names::principal::PrincipalName;
use crate::statement::fields::{CheckVerdict, Fields, Saying, URL_BYTES_MAX, Url};

/// The row in the table of verbs.
pub static VERB: Verb = Verb { group: Group::People, command, run };

const STORY: &str = "\
For the machine that ran the check, in a clone that has COMMIT and what it builds on. Asks the
server about COMMIT landing on the ref, computes the delta in this clone, signs what is said about
it in the namespace check@portcullis, and pushes it to refs/checks/KEY/CHECK/MACHINE. A rule of kind
`check` counts the latest word of each machine that it names; a later word replaces the earlier.

Nobody is asked and no terminal is needed. The key is `--key` (a file that only its owner reads, or
key::TYPE BASE64 for one in an agent), else found as `approve` finds one. Who pushes need not be the
machine itself: `--as MACHINE` says whose key signs. A shallow clone lacks what COMMIT builds on:
fetch it whole (git fetch --unshallow; fetch-depth: 0 in many pipelines). `--print` shows the plain
git and ssh-keygen commands instead of running them.

Example, after `terraform plan` in a pipeline:
  portcullis attest terraform-plan pass HEAD --for main --key plan-bot.key --url \"$BUILD_URL\"";

const EXITS: &str = "\
Exit codes: 0 the word was taken, whether pass or fail; 1 the server refused it, or there is nothing
to check; 2 mistyped; 3 it could not be done.";

/// How long a word stands unless something else is typed: 14 days.
const EXPIRES_SECONDS: i64 = 14 * 24 * 60 * 60;

#[derive(Args)]
struct AttestArgs {
    /// The check, as the policy names it
    #[arg(value_parser = person)]
    check: PrincipalName,
    /// What came out
    #[arg(value_enum)]
    verdict: Outcome,
    /// The commit that was checked: anything git understands
    commit: String,
    /// The ref it should land on: a branch, or a full name [default: the remote's HEAD]
    #[arg(long = "for", value_name = "REF")]
    refname: Option<String>,
    /// The server [default: the branch's remote, else origin]
    #[arg(long)]
    remote: Option<String>,
    /// The key to sign with: a file, or key::TYPE BASE64 for one in an agent
    #[arg(long)]
    key: Option<PathBuf>,
    /// Where the details of the check are: http:// or https://
    #[arg(long, value_parser = url)]
    url: Option<Url>,
    /// How long it stands: hours, days or weeks [default: 14d]
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires: Option<i64>,
    /// Sign as this machine [default: who the server says you are]
    #[arg(long = "as", value_name = "MACHINE", value_parser = person)]
    machine: Option<PrincipalName>,
    /// Print the plain commands instead of running them
    #[arg(long)]
    print: bool,
    /// Print what was given as JSON
    #[arg(long)]
    json: bool,
    /// Nobody is asked anyway; taken so that scripts can say it to every verb
    #[arg(long, hide_short_help = true)]
    yes: bool,
}

/// What came out of a check, as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Outcome {
    Pass,
    Fail,
}

fn command() -> clap::Command {
    let command = clap::Command::new("attest")
        .about("Say that a check of a change passed or failed, signed")
        .after_long_help(format!("{STORY}\n\n{JSON_STORY}\n\n{EXITS}"));
    AttestArgs::augment_args(command)
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let args: AttestArgs = call.arguments()?;
    let git = CloneGit::here(call.around)?;
    let typed = Typed {
        commit: Some(&args.commit),
        refname: args.refname.as_deref(),
        remote: args.remote.as_deref(),
    };
    let target = Target::find(&git, typed)?;
    let answer = ask(&git, &target)?;
    let subject = check(&git, &target, &answer)?;
    let machine = signer(args.machine.as_ref(), &answer, Speaker::Machine)?;
    if subject.delta.entries.is_empty() {
        let (commit, name) = (target.commit.short(), target.refname.name());
        let sentence = format!("nothing to check: {commit} changes nothing on {name}");
        call.console.talk_lines(Tone::Error, &sentence)?;
        return Ok(Exit::No);
    }
    let earlier = latest_of(&machine, Some(&args.check), &answer);
    let date = date_after(earlier, subject.now)?;
    let verdict = match args.verdict {
        Outcome::Pass => CheckVerdict::Pass,
        Outcome::Fail => CheckVerdict::Fail,
    };
    let fields = Fields {
        repository: subject.repository.clone(),
        refname: target.refname.name().clone(),
        base: subject.base,
        commit: target.commit,
        delta: subject.delta.digest,
        person: machine,
        date,
        expires: date.plus_seconds(args.expires.unwrap_or(EXPIRES_SECONDS)),
        saying: Saying::Check { check: args.check, verdict, url: args.url },
    };
    let word = Word {
        fields,
        noun: "check",
        target: &target,
        subject: &subject,
        answer: &answer,
        earlier,
        doubt: None,
        key: args.key,
        how: if args.print { How::AsCommands } else { How::AtOnce },
        print: if args.json { Print::Json } else { Print::Nothing },
    };
    give(call, &git, word)
}

/// Reads an address, for clap.
fn url(text: &str) -> Result<Url, String> {
    Url::parse(text).ok_or_else(|| {
        format!("an address begins with https:// and has no blanks, at most {URL_BYTES_MAX} bytes")
    })
}

#[cfg(test)]
mod tests;
