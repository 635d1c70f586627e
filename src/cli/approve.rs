//! `portcullis approve`, `reject`, `revoke`: a person's signed word about a change.
//!
//! One way for all three: ask the server, compute the delta here, show what will be signed, sign
//! it with the person's own key, push it, and say what is still missing.

use std::path::PathBuf;

use clap::Args;

use crate::answer::ApprovalAnswer;
use crate::cli::client::ask::{Subject, ask, check};
use crate::cli::client::draft::{date_after, latest_of, person, signer};
use crate::cli::client::git::CloneGit;
use crate::cli::client::key::SigningKey;
use crate::cli::client::plain;
use crate::cli::client::prompt::confirm;
use crate::cli::client::send::{push, show_still_missing};
use crate::cli::client::show::{show, warn_of_unknown_makers};
use crate::cli::client::sign::sign;
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
user.signingkey (a file, or key::... with an agent), gpg.ssh.defaultKeyCommand, else a key in
~/.ssh. Then it pushes the signed statement and says what is still missing.

What you approve is the delta from the merge base to COMMIT: these entries with these contents, on
this ref of this repository. It survives a merge, a squash and a clean rebase; any other content
needs a new word. `--print` shows the plain git and ssh-keygen commands instead of running them.

Exit codes: 0 done, 1 refused by the server or by you, 2 mistyped, 3 it could not be done.";

/// How long a statement may stand, in seconds: a year and a day.
const SPAN_SECONDS_MAX: i64 = 366 * 24 * 60 * 60;

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
    /// How long it stands: hours, days or weeks
    #[arg(long, value_name = "SPAN", default_value = "14d", value_parser = span)]
    expires: i64,
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
    ApproveArgs::augment_args(clap::Command::new(name).about(about).after_long_help(STORY))
}

fn run(call: &mut Call<'_>, verdict: ApprovalVerdict) -> Result<Exit, Fault> {
    let args: ApproveArgs = call.arguments()?;
    let git = CloneGit::here(call.around)?;
    let target = Target::find(&git, args.typed())?;
    let answer = ask(&git, &target)?;
    let subject = check(&git, &target, &answer)?;
    let person = signer(args.person.as_ref(), &answer)?;
    let earlier = latest_of(&person, &answer);
    if let Some(nothing) = nothing_to_do(verdict, &target, &subject, &person, earlier) {
        call.console.talk_lines(Tone::Error, &nothing)?;
        return Ok(Exit::No);
    }
    let date = date_after(earlier, subject.now)?;
    let fields = Fields {
        repository: subject.repository.clone(),
        refname: target.refname.name().clone(),
        base: subject.base,
        commit: target.commit,
        delta: subject.delta.digest,
        person,
        date,
        expires: date.plus_seconds(args.expires),
        saying: Saying::Approval { verdict },
    };
    let key = SigningKey::find(&git, call.around, args.key.as_deref())?;
    if args.print {
        let script = plain::script(&fields, &key, &target.remote, earlier.is_some());
        call.console.data_bytes(&script)?;
        return Ok(Exit::Yes);
    }
    show(call.console, &git, &fields, &subject, &key, earlier)?;
    warn_of_unknown_makers(call.console, &answer)?;
    if !args.yes && !confirm(call.console, &format!("sign and push this {}?", noun(verdict)))? {
        call.console.talk_lines(Tone::Note, "nothing was signed")?;
        return Ok(Exit::No);
    }
    let signed = sign(&git, call.around, &key, &fields)?;
    if !push(call.console, &git, &target, &fields, &signed.bytes, earlier.is_some())? {
        return Ok(Exit::No);
    }
    let (noun, person, fingerprint) = (noun(verdict), &fields.person, &signed.fingerprint);
    let sentence = format!("{noun} by {person}, signed with {fingerprint}");
    call.console.talk_lines(Tone::Success, &sentence)?;
    show_still_missing(call.console, &git, &target)?;
    Ok(Exit::Yes)
}

/// Why there is nothing to sign, if there is nothing.
fn nothing_to_do(
    verdict: ApprovalVerdict,
    target: &Target,
    subject: &Subject,
    person: &PrincipalName,
    earlier: Option<&ApprovalAnswer>,
) -> Option<String> {
    if subject.delta.entries.is_empty() {
        let (verb, commit) = (verdict.as_str(), target.commit.short());
        let refname = target.refname.name();
        return Some(format!("nothing to {verb}: {commit} changes nothing on {refname}"));
    }
    if verdict == ApprovalVerdict::Revoke && earlier.is_none() {
        return Some(format!("nothing to revoke: {person} has said nothing about this delta"));
    }
    None
}

const fn noun(verdict: ApprovalVerdict) -> &'static str {
    match verdict {
        ApprovalVerdict::Approve => "approval",
        ApprovalVerdict::Reject => "reject",
        ApprovalVerdict::Revoke => "revocation",
    }
}

/// Reads `36h`, `14d`, `2w` as seconds, for clap.
fn span(text: &str) -> Result<i64, String> {
    let wrong = || "give hours, days or weeks, such as 36h, 14d or 2w".to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit_seconds = match unit {
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count: i64 = digits.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let seconds = count.checked_mul(unit_seconds).ok_or_else(wrong)?;
    match seconds {
        1..=SPAN_SECONDS_MAX => Ok(seconds),
        _ => Err("between an hour and 366 days".to_owned()),
    }
}

#[cfg(test)]
mod tests;
