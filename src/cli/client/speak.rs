//! Gives a signed word about a delta: shows it, signs it, pushes it, says what is still missing.
//!
//! Used by `approve` and its like and by `attest`, once they know what to say.

use std::path::PathBuf;

use serde::Serialize;

use crate::answer::{Answer, ApprovalAnswer};
use crate::cli::client::ask::Subject;
use crate::cli::client::git::CloneGit;
use crate::cli::client::key::{Owner, SigningKey};
use crate::cli::client::plain;
use crate::cli::client::prompt::confirm;
use crate::cli::client::send::{push, show_still_missing};
use crate::cli::client::show::show;
use crate::cli::client::sign::sign;
use crate::cli::client::target::Target;
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Tone;
use crate::cli::verb::Call;
use crate::statement::fields::{Fields, Saying};
use crate::statement::read::Statement;

/// A word, and how it is to be given.
pub struct Word<'w> {
    /// What is said.
    pub fields: Fields,
    /// What it is called in a sentence: `approval`.
    pub noun: &'static str,
    /// The server, the ref and the commit.
    pub target: &'w Target,
    /// What the server said, read.
    pub subject: &'w Subject,
    /// What the server said.
    pub answer: &'w Answer,
    /// The signer's own last word about the same, which this one replaces.
    pub earlier: Option<&'w ApprovalAnswer>,
    /// Why it will not count, if that is known.
    pub doubt: Option<String>,
    /// The key, as typed.
    pub key: Option<PathBuf>,
    /// What is to become of it.
    pub how: How,
    /// What to print when it is done.
    pub print: Print,
}

/// What is to become of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Sign and push it when the person at the terminal says yes.
    WhenConfirmed,
    /// Sign and push it.
    AtOnce,
    /// Show the plain commands that would.
    AsCommands,
}

/// What is printed for a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Print {
    /// Nothing: what is to be said goes to standard error.
    Nothing,
    /// A JSON object.
    Json,
}

/// What a program reads of a word that was given.
#[derive(Serialize)]
struct Given<'g> {
    accepted: bool,
    statement: String,
    place: String,
    by: &'g str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'g str>,
    repository: &'g str,
    #[serde(rename = "ref")]
    refname: String,
    commit: String,
    delta: String,
    date: String,
    expires: String,
    /// What the server answers now; absent where it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Answer>,
}

/// What every such verb prints with `--json`, for its help.
pub const JSON_STORY: &str = "\
`--json` prints one object when the push was made: accepted, statement (the SHA-256 of what was
signed), place (the ref it was pushed to), by, verdict, check, repository, ref, commit, delta, date,
expires, and now: the server's answer afterwards, as `review --json` prints it.";

/// Gives it.
pub fn give(call: &mut Call<'_>, git: &CloneGit, word: Word<'_>) -> Result<Exit, Fault> {
    let (fields, target) = (&word.fields, word.target);
    let signer = fields.person.as_str();
    // The server tells whose keys the policy has only for whoever asks.
    let is_asker = word.answer.you.name.as_deref() == Some(signer);
    let keys = if is_asker { word.answer.you.keys.as_slice() } else { &[] };
    let owner = Owner { name: signer, keys };
    let key = SigningKey::find(git, call.around, word.key.as_deref(), owner)?;
    if word.how == How::AsCommands {
        let script = plain::script(fields, &key, &target.remote);
        call.console.data_bytes(&script)?;
        return Ok(Exit::Yes);
    }
    show(call.console, git, fields, word.subject, &key, word.earlier)?;
    if let Some(doubt) = &word.doubt {
        call.console.talk_lines(Tone::Warning, &format!("it will not count: {doubt}"))?;
    }
    let question = match word.doubt {
        Some(_) => format!("sign and push this {} all the same?", word.noun),
        None => format!("sign and push this {}?", word.noun),
    };
    if word.how == How::WhenConfirmed && !confirm(call.console, &question)? {
        call.console.talk_lines(Tone::Note, "nothing was signed")?;
        return Ok(Exit::No);
    }
    let signed = sign(git, call.around, &key, fields)?;
    let accepted = push(call.console, git, target, fields, &signed.bytes)?;
    let mut now = None;
    if accepted {
        let sentence = format!("{} by {signer}, signed with {}", word.noun, signed.fingerprint);
        call.console.talk_lines(Tone::Success, &sentence)?;
        now = show_still_missing(call.console, git, target)?;
    }
    if word.print == Print::Json {
        let statement = Statement::parse(&signed.bytes).map(|signed| signed.id().hex());
        call.console.json(&given(fields, accepted, statement.unwrap_or_default(), now))?;
    }
    Ok(if accepted { Exit::Yes } else { Exit::No })
}

fn given(fields: &Fields, accepted: bool, statement: String, now: Option<Answer>) -> Given<'_> {
    let (check, verdict) = match &fields.saying {
        Saying::Approval { verdict } => (None, verdict.as_str()),
        Saying::Check { check, verdict, .. } => (Some(check.as_str()), verdict.as_str()),
    };
    Given {
        accepted,
        statement,
        place: fields.place().as_text(),
        by: fields.person.as_str(),
        verdict,
        check,
        repository: fields.repository.as_str(),
        refname: fields.refname.to_string(),
        commit: fields.commit.hex(),
        delta: format!("sha256:{}", fields.delta),
        date: fields.date.rfc3339_seconds(),
        expires: fields.expires.rfc3339_seconds(),
        now,
    }
}
