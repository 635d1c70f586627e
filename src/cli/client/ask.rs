//! Asks the server by pushing to `refs/portcullis/ask/...`, and checks what it answers.
//!
//! Used by the verbs that run in a clone. The push is always refused; its answer is one line of
//! JSON between whatever else the server says. What a clone can compute itself it does not take
//! from the answer: a statement is signed over what is here, not over what a server claims.

use std::process::Output;

use crate::answer::{ASK_OPTION, ASK_REFS, Answer, AnswerError, JSON_OPTION};
use crate::cli::client::delta::LocalDelta;
use crate::cli::client::git::CloneGit;
use crate::cli::client::target::Target;
use crate::cli::fault::Fault;
use crate::cli::quote::shell_word;
use crate::names::digest::Digest;
use crate::names::escape::{escape, escape_short};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::statement::fields::RepositoryId;
use crate::statement::place::ApprovalKey;

/// Options of each push: no hook of the clone, no tags, no submodules go along.
pub const PUSH: [&str; 4] = ["push", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"];

/// How many lines of the server's are passed on when there is no answer among them.
const LINES_MAX: usize = 12;

/// An answer's values, read, and compared with what the clone knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The repository's id.
    pub repository: RepositoryId,
    /// Where the delta begins.
    pub base: Oid,
    /// The delta, as computed here.
    pub delta: LocalDelta,
    /// The key of ref and delta, as computed here.
    pub key: ApprovalKey,
    /// The server's time.
    pub now: Moment,
}

/// Asks about the target.
pub fn ask(git: &CloneGit, target: &Target) -> Result<Answer, Fault> {
    let refspec = format!("{}:{ASK_REFS}{}", target.commit, target.refname.below_refs());
    let mut arguments = PUSH.to_vec();
    arguments.extend(["-o", ASK_OPTION, "-o", JSON_OPTION, "--", &target.remote, &refspec]);
    let output = git.output(&arguments, b"")?;
    if output.status.success() {
        return Err(no_gate(target));
    }
    match Answer::find(&output.stderr) {
        Ok(answer) => Ok(answer),
        Err(AnswerError::Missing) => Err(no_answer(target, &output)),
        Err(why) => Err(Fault::caused("could not read the server's answer", &why)),
    }
}

/// Reads the answer's values and holds them against the clone's own.
pub fn check(git: &CloneGit, target: &Target, answer: &Answer) -> Result<Subject, Fault> {
    let repository = RepositoryId::parse(&answer.repository)
        .ok_or_else(|| unreadable("repository id", &answer.repository))?;
    let base = Oid::from_hex(answer.base.as_bytes())
        .filter(|base| base.format() == target.commit.format())
        .ok_or_else(|| unreadable("base", &answer.base))?;
    let now = Moment::parse(&answer.now).ok_or_else(|| unreadable("time", &answer.now))?;
    if answer.refname != target.refname.text() {
        return Err(differs("the ref", target.refname.text(), &answer.refname));
    }
    if answer.commit != target.commit.hex() {
        return Err(differs("the commit", &target.commit.hex(), &answer.commit));
    }
    demand_base(git, &base, &target.commit)?;
    let delta = LocalDelta::read(git, &base, &target.commit)?;
    let claimed = answer.delta.strip_prefix("sha256:").unwrap_or_default();
    if Digest::from_hex(claimed.as_bytes()) != Some(delta.digest) {
        return Err(differs("the digest of the delta", &delta.digest.hex(), claimed));
    }
    let key = ApprovalKey::of(target.refname.name(), &delta.digest);
    if answer.key != key.hex() {
        return Err(differs("the key", &key.hex(), &answer.key));
    }
    Ok(Subject { repository, base, delta, key, now })
}

/// What the server said through `git push`: its lines, escaped, without what Git adds to them.
pub fn remote_lines(stderr: &[u8]) -> Vec<String> {
    stderr
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter_map(|line| line.strip_prefix(b"remote: "))
        .map(|line| {
            let line = line.trim_ascii_end();
            escape(line.strip_suffix(b"\x1b[K").unwrap_or(line).trim_ascii_end())
        })
        .collect()
}

/// The base must be here, and the commit must build on it.
fn demand_base(git: &CloneGit, base: &Oid, commit: &Oid) -> Result<(), Fault> {
    if base.is_zero() {
        return Ok(());
    }
    let (base_hex, commit_hex) = (base.hex(), commit.hex());
    let object = format!("{base_hex}^{{commit}}");
    if git.maybe(&["rev-parse", "--verify", "--quiet", &object])?.is_none() {
        let shallow = git.maybe(&["rev-parse", "--is-shallow-repository"])?;
        let hint = match shallow.as_deref() {
            Some("true") => "this clone is shallow; fetch the rest: git fetch --unshallow",
            Some(_) | None => "fetch it: git fetch --all",
        };
        let sentence = format!("the base {} is not in this clone", base.short());
        return Err(Fault::new(sentence).hint(hint));
    }
    let arguments = ["merge-base", "--is-ancestor", &base_hex, &commit_hex];
    if git.output(&arguments, b"")?.status.success() {
        return Ok(());
    }
    Err(Fault::new(format!(
        "the server names {} as base, and {} does not build on it",
        base.short(),
        commit.short()
    )))
}

fn unreadable(what: &str, found: &str) -> Fault {
    Fault::new(format!("the server answers with a {what} that cannot be read"))
        .cause(format!("it is \"{}\"", escape_short(found.as_bytes())))
}

fn differs(what: &str, here: &str, there: &str) -> Fault {
    Fault::new(format!("the server and this clone disagree about {what}"))
        .cause(format!("here it is {}", escape(here.as_bytes())))
        .cause(format!("the server says {}", escape(there.as_bytes())))
        .hint("nothing was signed; tell the operators of the server")
}

/// The server took the question as an ordinary push.
fn no_gate(target: &Target) -> Fault {
    let name = format!("{ASK_REFS}{}", target.refname.below_refs());
    Fault::new("this server has no gate: it took the question as an ordinary push")
        .hint("on the server: portcullis install REPO")
        .hint(format!(
            "take the ref away again: git push {} {}",
            shell_word(target.remote.as_bytes()),
            shell_word(format!(":{name}").as_bytes())
        ))
}

/// The push was refused without an answer: by the transport, by Git, or by a gate in trouble.
fn no_answer(target: &Target, output: &Output) -> Fault {
    let said = String::from_utf8_lossy(&output.stderr);
    let remote = escape(target.remote.as_bytes());
    let mut fault = Fault::new(format!("{remote} did not answer"));
    for line in output.stderr.split(|b| *b == b'\n').filter(|line| !line.is_empty()).take(LINES_MAX)
    {
        fault = fault.cause(escape(line.trim_ascii_end()));
    }
    if said.contains("does not support push options") {
        fault = fault
            .hint("on the server: git config receive.advertisePushOptions true, as doctor does");
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_lines_lose_what_git_adds_and_can_do_no_harm() {
        let stderr =
            b"To x\nremote: accepted as entry 3        \nremote: \x1b[2J\x1b[K\nremote: \n";
        assert_eq!(remote_lines(stderr), ["accepted as entry 3", "\\x1b[2J", ""]);
    }
}
