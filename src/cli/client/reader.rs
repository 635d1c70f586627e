//! Who reads an answer in this clone: what the commands that are shown have to know of it.
//!
//! Used by `review` and by the verbs that say what is still missing.

use crate::answer::Answer;
use crate::cli::client::git::CloneGit;
use crate::cli::client::target::Target;
use crate::cli::fault::Fault;
use crate::message::reader::{OwnBranch, Reader};
use crate::names::escape::escape_short;

/// The first line of the commit's message, made safe to show.
pub fn subject(git: &CloneGit, target: &Target) -> Result<String, Fault> {
    let commit = target.commit.hex();
    let arguments = ["log", "-1", "--no-show-signature", "--format=%s", &commit];
    let line = git.bytes(&arguments, b"")?;
    Ok(escape_short(line.strip_suffix(b"\n").unwrap_or(&line)))
}

/// The reader, without a subject.
pub fn of<'a>(
    git: &CloneGit,
    target: &'a Target,
    answer: &Answer,
    name: Option<&'a str>,
) -> Result<Reader<'a>, Fault> {
    Ok(Reader {
        name,
        topic: target.topic.as_deref(),
        own_branch: own_branch(git, target, answer)?,
        ..Reader::of_remote(&target.remote)
    })
}

/// Whether the clone's own branch of the target's name could be fast-forwarded to the server's.
fn own_branch(git: &CloneGit, target: &Target, answer: &Answer) -> Result<OwnBranch, Fault> {
    let Some(branch) = target.refname.text().strip_prefix("refs/heads/") else {
        return Ok(OwnBranch::Follows);
    };
    let own = format!("refs/heads/{branch}");
    if git.maybe(&["rev-parse", "--verify", "--quiet", &own])?.is_none() {
        return Ok(OwnBranch::Follows);
    }
    let tracked = format!("refs/remotes/{}/{branch}", target.remote);
    // The server's value may not have been fetched yet; what was fetched last is older.
    for theirs in [answer.value.as_deref().unwrap_or_default(), &tracked] {
        let arguments = ["merge-base", "--is-ancestor", &own, theirs];
        if !theirs.is_empty() && git.output(&arguments, b"")?.status.success() {
            return Ok(OwnBranch::Follows);
        }
    }
    Ok(OwnBranch::Differs)
}
