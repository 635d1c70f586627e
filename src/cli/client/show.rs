//! Shows a person what they are about to sign.
//!
//! Used by `approve` and its like, before anything is signed. Titles, names and paths are other
//! people's text and shown escaped.

use crate::answer::{Answer, ApprovalAnswer};
use crate::cli::client::ask::Subject;
use crate::cli::client::git::CloneGit;
use crate::cli::client::key::SigningKey;
use crate::cli::fault::Fault;
use crate::cli::io::{Console, Tone};
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;
use crate::statement::fields::{Fields, Saying};

/// Shows what is about to be signed.
pub fn show(
    console: &mut Console,
    git: &CloneGit,
    fields: &Fields,
    subject: &Subject,
    key: &SigningKey,
    earlier: Option<&ApprovalAnswer>,
) -> Result<(), Fault> {
    let commit = fields.commit.hex();
    let format = "--format=%s%x00%an <%ae>";
    let about = git.bytes(&["log", "-1", "--no-show-signature", format, &commit], b"")?;
    let about = about.strip_suffix(b"\n").unwrap_or(&about);
    let (title, author) = match about.iter().position(|byte| *byte == 0) {
        Some(at) => (&about[..at], &about[at + 1..]),
        None => (about, [].as_slice()),
    };
    let verdict = match &fields.saying {
        Saying::Approval { verdict } => verdict.as_str(),
        Saying::Check { verdict, .. } => verdict.as_str(),
    };
    let base = if fields.base.is_zero() { "nothing".to_owned() } else { fields.base.short() };
    console.talk(&format!("{verdict:8} {} \"{}\"", fields.commit.short(), escape_short(title)))?;
    console.talk(&format!("author   {}", escape(author)))?;
    console.talk(&format!("on       {} of {}", fields.refname, fields.repository))?;
    console.talk(&format!("as       {}, with {}", fields.person, key.shown()))?;
    console.talk(&format!("until    {}", fields.expires))?;
    if let Some(earlier) = earlier {
        let (verdict, date) = (escape(earlier.verdict.as_bytes()), escape(earlier.date.as_bytes()));
        console.talk(&format!("instead of your {verdict} of {date}"))?;
    }
    let (lines, left_out) = subject.delta.lines();
    console.talk(&format!("delta    from {base}, sha256:{}", fields.delta))?;
    for line in lines {
        console.talk(&format!("  {line}"))?;
    }
    if left_out > 0 {
        console.talk(&format!("  and {left_out} more"))?;
    }
    let from = if fields.base.is_zero() { fields.base.format().empty_tree() } else { fields.base };
    let command =
        format!("to read it all: git diff --text {} {}", from.short(), fields.commit.short());
    console.talk_lines(Tone::Hint, &command)
}

/// Commits that nobody has pushed have makers that nobody knows.
pub fn warn_of_unknown_makers(console: &mut Console, answer: &Answer) -> Result<(), Fault> {
    let commits: Vec<String> = answer
        .nobody_brought
        .iter()
        .filter_map(|hex| Oid::from_hex(hex.as_bytes()))
        .take(COMMITS_SHOWN_MAX)
        .map(|oid| oid.short())
        .collect();
    if commits.is_empty() {
        return Ok(());
    }
    let sentence =
        format!("nobody has pushed these commits to the server yet: {}", commits.join(" "));
    console.talk_lines(Tone::Warning, &sentence)?;
    console.talk_lines(Tone::Hint, "let whoever made them push them to a branch first")
}

/// How many commits a warning lists.
const COMMITS_SHOWN_MAX: usize = 5;
