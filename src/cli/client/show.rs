//! Shows a person what they are about to sign.
//!
//! Used by `approve` and its like, before anything is signed. Titles, names and paths are other
//! people's text and shown escaped.

use crate::answer::ApprovalAnswer;
use crate::cli::client::ask::Subject;
use crate::cli::client::git::CloneGit;
use crate::cli::client::key::SigningKey;
use crate::cli::client::look::Look;
use crate::cli::fault::Fault;
use crate::cli::io::{Console, Tone};
use crate::names::escape::{escape, escape_short};
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
    let word = match &fields.saying {
        Saying::Approval { verdict } => verdict.as_str().to_owned(),
        Saying::Check { check, verdict, .. } => format!("{check} {}", verdict.as_str()),
    };
    console.talk(&format!("{word:8} {} \"{}\"", fields.commit.short(), escape_short(title)))?;
    console.talk(&format!("author   {}", escape(author)))?;
    console.talk(&format!("on       {} of {}", fields.refname, fields.repository))?;
    console.talk(&format!("as       {}, with {}", fields.person, key.shown()))?;
    console.talk(&format!("until    {}", fields.expires))?;
    if let Saying::Check { url: Some(url), .. } = &fields.saying {
        console.talk(&format!("url      {}", url.as_str()))?;
    }
    if let Some(earlier) = earlier {
        let (verdict, date) = (escape(earlier.verdict.as_bytes()), escape(earlier.date.as_bytes()));
        console.talk(&format!("instead  of your {verdict} of {date}"))?;
    }
    show_delta(console, git, fields, subject)
}

fn show_delta(
    console: &mut Console,
    git: &CloneGit,
    fields: &Fields,
    subject: &Subject,
) -> Result<(), Fault> {
    let base = if fields.base.is_zero() { "nothing".to_owned() } else { fields.base.short() };
    let look = Look::at(git, &subject.delta, &fields.base, &fields.commit)?;
    let count = look.rows.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    let (added, gone) = look.lines;
    console.talk(&format!("delta    {count} {entries} from {base}, +{added} -{gone} lines"))?;
    let (lines, left_out) = look.shown();
    for line in lines {
        console.talk(&format!("  {line}"))?;
    }
    if left_out > 0 {
        console.talk(&format!("  and {left_out} more"))?;
    }
    let from = if fields.base.is_zero() { fields.base.format().empty_tree() } else { fields.base };
    let command = format!("git diff --text {} {}", from.short(), fields.commit.short());
    console.talk_lines(Tone::Hint, &format!("to read it all: {command}"))?;
    match look.pointers() {
        0 => Ok(()),
        count => {
            let (are, they) = if count == 1 {
                ("1 of these is a pointer", "it points to")
            } else {
                ("some of these are pointers", "they point to")
            };
            let sentence = format!("{are} only: what {they} is not shown here, and not signed for");
            console.talk_lines(Tone::Warning, &sentence)
        }
    }
}
