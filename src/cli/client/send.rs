//! Stores a signed statement, pushes it to its place, and tells what is left to do.
//!
//! Used by `approve` and its like, after signing.

use crate::answer::Answer;
use crate::cli::client::ask::{PUSH, ask, remote_lines};
use crate::cli::client::git::{CloneGit, said_no};
use crate::cli::client::reader;
use crate::cli::client::target::Target;
use crate::cli::fault::Fault;
use crate::cli::io::{Console, Tone};
use crate::message::review;
use crate::names::oid::Oid;
use crate::statement::fields::Fields;

/// Stores the statement and pushes it to its place. Whether the server took it.
pub fn push(
    console: &mut Console,
    git: &CloneGit,
    target: &Target,
    fields: &Fields,
    bytes: &[u8],
) -> Result<bool, Fault> {
    let written = git.bytes(&["hash-object", "-w", "--stdin"], bytes)?;
    let blob = Oid::from_hex(written.trim_ascii_end())
        .ok_or_else(|| Fault::new("could not read the name of the statement's blob"))?;
    // Git has no fast-forward from one statement to the next, and one may stand there that the server
    // did not tell of: for an id that the repository had before. Which one stays, the gate says.
    let refspec = format!("+{blob}:{}", fields.place());
    let mut arguments = PUSH.to_vec();
    arguments.extend(["--", &target.remote, &refspec]);
    let output = git.output(&arguments, b"")?;
    let lines = remote_lines(&output.stderr);
    for line in &lines {
        console.talk(line)?;
    }
    if output.status.success() {
        return Ok(true);
    }
    // Words of the server's are a refusal; without any, the push did not get that far.
    if lines.is_empty() { Err(said_no(&arguments, &output.stderr)) } else { Ok(false) }
}

/// Asks once more and says what is left to do. The statement is in: no fault from here on.
pub fn show_still_missing(
    console: &mut Console,
    git: &CloneGit,
    target: &Target,
) -> Result<Option<Answer>, Fault> {
    let answer = match ask(git, target) {
        Ok(answer) => answer,
        Err(fault) => {
            let sentence = format!("could not ask what is still missing: {fault}");
            console.talk_lines(Tone::Warning, &sentence)?;
            return Ok(None);
        }
    };
    let reader = reader::of(git, target, &answer, None)?;
    for line in review::missing(&answer, &reader) {
        console.talk(&line)?;
    }
    console.talk("")?;
    for line in review::summary(&answer, &reader) {
        console.talk(&line)?;
    }
    Ok(Some(answer))
}
