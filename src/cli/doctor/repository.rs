//! Checks of the repository itself: can it be read as it is, is something left over, are there names
//! behind names.
//!
//! Pure over the snapshot.

use std::path::PathBuf;

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shell_word, shown};
use crate::names::escape::escape;

/// How old a lock has to be before it is called left over, in seconds.
const LOCK_AGE_MAX_SECONDS: i64 = 600;

/// How old a folder of arriving objects has to be, in seconds: longer than any push takes.
const INCOMING_AGE_MAX_SECONDS: i64 = 86_400;

/// The hooks cannot read the repository, or would not see its history as it is.
pub fn readable(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(why) = &snapshot.unreadable else { return Vec::new() };
    let dir = &snapshot.site.git_dir;
    let grafts = dir.join("info").join("grafts");
    let mend = if grafts.exists() {
        format!("mv {} {}", shell(&grafts), shell(&dir.join("info").join("grafts.away")))
    } else if dir.join("shallow").exists() {
        format!("git --git-dir={} fetch --unshallow", shell(dir))
    } else {
        format!("look what git says of it: git --git-dir={} fsck --connectivity-only", shell(dir))
    };
    let finding = Finding::new(Level::Error, "repository-unreadable", why, "every push is refused");
    vec![finding.mend(mend)]
}

/// Objects were left out, and nothing is fetched while a push is judged.
pub fn left_out(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(setting) = &snapshot.left_out else { return Vec::new() };
    let what = format!("the repository is a partial clone: {} is set", escape(setting.as_bytes()));
    let why = "a push that cannot be judged without an object that was left out is refused";
    let dir = shell(&snapshot.site.git_dir);
    let mend = format!("git --git-dir={dir} fetch --refetch --no-filter");
    vec![Finding::new(Level::Warning, "partial-clone", what, why).mend(mend)]
}

/// Locks that nobody holds any more.
pub fn locks(snapshot: &Snapshot) -> Vec<Finding> {
    let old = snapshot.locks.iter().filter(|(_, age)| *age > LOCK_AGE_MAX_SECONDS);
    let finding = |(path, age): &(PathBuf, i64)| {
        let what = format!("{} is {} minutes old", shown(path), age / 60);
        let why = "Git refuses to change what it locks, pushes are accepted and then not applied";
        let mend = format!("rm {} # if no git runs there now", shell(path));
        Finding::new(Level::Warning, "stale-lock", what, why).mend(mend)
    };
    old.map(finding).collect()
}

/// Objects of pushes that ended in the middle.
pub fn incoming(snapshot: &Snapshot) -> Vec<Finding> {
    let old: Vec<&PathBuf> = snapshot
        .incoming
        .iter()
        .filter(|(_, age)| *age > INCOMING_AGE_MAX_SECONDS)
        .map(|(path, _)| path)
        .collect();
    let Some(first) = old.first() else { return Vec::new() };
    let what = format!("{} and {} more are left over from pushes", shown(first), old.len() - 1);
    let why =
        "a client hung up, or a process was killed; they take up space until a gc weeks later";
    let words: Vec<String> = old.iter().map(|path| shell(path)).collect();
    let command = format!("rm -r {} # if no push runs there since", words.join(" "));
    vec![Finding::new(Level::Note, "left-over-objects", what, why).mend(command)]
}

/// Refs that are other names of refs: a push to one moves the other.
pub fn aliases(snapshot: &Snapshot) -> Vec<Finding> {
    let finding = |(name, target): &(Vec<u8>, Vec<u8>)| {
        let what = format!("{} is another name of {}", escape(name), escape(target));
        let why = "a push to it would move the other ref, so all pushes to it are refused";
        let dir = shell(&snapshot.site.git_dir);
        let mend = format!("git --git-dir={dir} symbolic-ref --delete {}", shell_word(name));
        Finding::new(Level::Note, "symbolic-ref", what, why).mend(mend)
    };
    snapshot.aliases.iter().map(finding).collect()
}

/// `@default` in a policy is the branch that HEAD names.
pub fn head(snapshot: &Snapshot) -> Vec<Finding> {
    let dir = shell(&snapshot.site.git_dir);
    let branch = snapshot.branch.as_deref().unwrap_or(b"refs/heads/NAME");
    let mend = format!("git --git-dir={dir} symbolic-ref HEAD {}", shell_word(branch));
    match &snapshot.head {
        Some((_, true)) => Vec::new(),
        Some((name, false)) => {
            let what = format!("HEAD names {}, which is not there", escape(name));
            let why = "`@default` in a policy means that branch, others are not protected by it";
            vec![Finding::new(Level::Note, "head-unborn", what, why).mend(mend)]
        }
        None => {
            let what = "HEAD names no branch";
            let why = "`@default` in a policy cannot be told, pushes are refused where it stands";
            vec![Finding::new(Level::Error, "head-detached", what, why).mend(mend)]
        }
    }
}
