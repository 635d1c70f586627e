//! Takes refs away by `git update-ref --stdin`, each only from the value it was seen at.
//!
//! Runs outside of quarantine only: Git forbids it inside. No hook of the repository runs: one on
//! `reference-transaction` was not asked when the statement came, could hold up every push from
//! here, and the log already says what goes.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::hook::host::GIT_VARIABLES;
use crate::hook::tidy::Dead;
use crate::names::escape::escape_short;

/// Removes these refs: all at once, else one by one. Answers what Git said of those it left.
pub fn remove(git_dir: &Path, dead: &[Dead]) -> Option<String> {
    let Err(all) = update(git_dir, dead) else { return None };
    let mut left = None;
    // One that has moved, or is locked, must not keep the others.
    for one in dead {
        if let Err(words) = update(git_dir, std::slice::from_ref(one)) {
            left.get_or_insert(words);
        }
    }
    tracing::debug!(git = %all, "update-ref");
    left
}

fn update(git_dir: &Path, dead: &[Dead]) -> Result<(), String> {
    let mut input = Vec::new();
    for one in dead {
        input.extend_from_slice(b"delete ");
        input.extend_from_slice(one.held.seen.place.as_bytes());
        input.push(0);
        input.extend_from_slice(one.held.old.hex().as_bytes());
        input.push(0);
    }
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(git_dir).args(["-c", "core.hooksPath=/dev/null"]);
    git.args(["update-ref", "--no-deref", "-z", "--stdin"]);
    for (name, _) in std::env::vars_os() {
        if !GIT_VARIABLES.iter().any(|passed| name == *passed) {
            git.env_remove(name);
        }
    }
    git.env("LC_ALL", "C");
    git.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    match talk(&mut git, &input) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let words = output.stderr.trim_ascii();
            let first = words.split(|&b| b == b'\n').next().unwrap_or_default();
            Err(escape_short(first))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// A batch and what Git says to it fit in the pipes, so nobody waits for the other.
fn talk(git: &mut Command, input: &[u8]) -> io::Result<Output> {
    let mut child = git.spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // A Git that ends early says why on its stderr.
        let _ = pipe.write_all(input);
    }
    child.wait_with_output()
}
