//! `portcullis approve`, `reject`, `revoke`: a person's signed word about a change.
//!
//! One way for all three: ask the server, compute the delta here, show what will be signed, sign
//! it with the person's own key, push it, and say what is still missing.

use std::path::PathBuf;

use clap::Args;

use crate::cli::client::ask::{ask, check};
use crate::cli::client::doubt::{About, Nothing, nothing, would_not_count};
use crate::cli::client::draft::{Speaker, date_after, latest_of, person, signer, span};
use crate::cli::client::git::CloneGit;
use crate::cli::client::speak::{How, JSON_STORY, Print, Word, give};
use crate::cli::client::target::{Target, Typed};
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Tone;
use crate::cli::verb::{Call, Group, Verb};
use crate::names::principal::PrincipalName;
use crate::statement::fields::{ApprovalVerdict, Fields, Saying};

/// The row of `approve` in the table of verbs.
pub static APPROVE: Verb = Verb {
    group: Group::People,
    command: || command("approve", "Say yes to a change, signed with your Git signing key"),
    run: |call| run(call, ApprovalVerdict::Approve),
};

/// The row of `reject`.
pub static REJECT: Verb = Verb {
    group: Group::People,
    command: || command("reject", "Say no to a change, signed; it stands until you say otherwise"),
    run: |call| run(call, ApprovalVerdict::Reject),
};

/// The row of `revoke`.
pub static REVOKE: Verb = Verb {
    group: Group::People,
    command: || command("revoke", "Take back what you said about a change"),
    run: |call| run(call, ApprovalVerdict::Revoke),
};

const STORY: &str = "\
Asks the server about COMMIT landing on the ref, computes the delta in this clone, shows what you
are about to sign, and signs it with your own key through ssh-keygen: `--key`, else Git's
user.signingkey (a file, or key::... with an agent), gpg.ssh.defaultKeyCommand, else the key that
the policy has for you in your agent or in ~/.ssh. Then it pushes the signed statement and says
what is still missing, or how to land the change. A commit that is not in this clone is fetched.

What you approve is the delta from the merge base to COMMIT: these entries with these contents, on
this ref of this repository. It survives a merge, a squash and a clean rebase; any other content
needs a new word. Of a submodule and a Git LFS file only the pointer is signed for. `--print` shows
the plain git and ssh-keygen commands instead of running them.

Without a terminal nobody can be asked, so nothing is signed unless you say --yes.";

const EXITS: &str = "\
Exit codes: 0 done, or it was so already; 1 refused by the server or by you, or nothing to sign;
2 mistyped, or nobody there to say yes; 3 it could not be done.";

/// How long a word stands unless something else is typed: 14 days.
const EXPIRES_SECONDS: i64 = 14 * 24 * 60 * 60;

#[derive(Args)]
struct ApproveArgs {
    /// The commit that should land: anything git understands
    commit: String,
    /// The ref it should land on: a branch, or a full name [default: the remote's HEAD]
    #[arg(long = "for", value_name = "REF")]
    refname: Option<String>,
    /// The server [default: the branch's remote, else origin]
    #[arg(long)]
    remote: Option<String>,
    /// The key to sign with: a file, or key::TYPE BASE64 for one in your agent
    #[arg(long)]
    key: Option<PathBuf>,
    /// Print the plain commands instead of running them
    #[arg(long)]
    print: bool,
    /// Do not ask before signing
    #[arg(long)]
    yes: bool,
    /// Print what was given as JSON
    #[arg(long)]
    json: bool,
    /// How long it stands: hours, days or weeks [default: 14d]
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires: Option<i64>,
    /// Sign as this person [default: who the server says you are]
    #[arg(long = "as", value_name = "PERSON", value_parser = person)]
    person: Option<PrincipalName>,
}

impl ApproveArgs {
    fn typed(&self) -> Typed<'_> {
        Typed {
            commit: Some(&self.commit),
            refname: self.refname.as_deref(),
            remote: self.remote.as_deref(),
        }
    }
}

fn command(name: &'static str, about: &'static str) -> clap::Command {
    let story = format!("{STORY}\n\n{JSON_STORY}\n\n{EXITS}");
    ApproveArgs::augment_args(clap::Command::new(name).about(about).after_long_help(story))
}

fn run(call: &mut Call<'_>, verdict: ApprovalVerdict) -> Result<Exit, Fault> {
    let args: ApproveArgs = call.arguments()?;
    let git = CloneGit::here(call.around)?;
    let target = Target::find(&git, args.typed())?;
    let answer = ask(&git, &target)?;
    let subject = check(&git, &target, &answer)?;
    let person = signer(args.person.as_ref(), &answer, Speaker::Person)?;
    let earlier = latest_of(&person, None, &answer);
    let about = About { verdict, person: &person, earlier, answer: &answer };
    match nothing(&about, &target, &subject) {
        // Who types how long it shall stand wants another one.
        Some(Nothing::Done(_)) if args.expires.is_some() => {}
        Some(Nothing::Done(sentence)) => {
            call.console.talk_lines(Tone::Success, &sentence)?;
            return Ok(Exit::Yes);
        }
        Some(Nothing::Not(sentence, hint)) => {
            call.console.talk_lines(Tone::Error, &sentence)?;
            if let Some(hint) = hint {
                call.console.talk_lines(Tone::Hint, &hint)?;
            }
            return Ok(Exit::No);
        }
        None => {}
    }
    let doubt = would_not_count(&about);
    let date = date_after(earlier, subject.now)?;
    let fields = Fields {
        repository: subject.repository.clone(),
        refname: target.refname.name().clone(),
        base: subject.base,
        commit: target.commit,
        delta: subject.delta.digest,
        person: person.clone(),
        date,
        expires: date.plus_seconds(args.expires.unwrap_or(EXPIRES_SECONDS)),
        saying: Saying::Approval { verdict },
    };
    let how = match (args.print, args.yes) {
        (true, _) => How::AsCommands,
        (false, true) => How::AtOnce,
        (false, false) => How::WhenConfirmed,
    };
    let word = Word {
        fields,
        noun: noun(verdict),
        target: &target,
        subject: &subject,
        answer: &answer,
        earlier,
        doubt,
        key: args.key,
        how,
        print: if args.json { Print::Json } else { Print::Nothing },
    };
    give(call, &git, word)
}

const fn noun(verdict: ApprovalVerdict) -> &'static str {
    match verdict {
        ApprovalVerdict::Approve => "approval",
        ApprovalVerdict::Reject => "reject",
        ApprovalVerdict::Revoke => "revocation",
    }
}

#[cfg(test)]
mod tests;
