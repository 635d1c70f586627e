//! What another policy would change: rules that come, go or weigh something else, and landings of the
//! past that only one of the two would have refused.
//!
//! Used by `install --policy NEW`, before the new one takes the old one's place. Nothing is changed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::fault::Fault;
use crate::cli::git::Git;
use crate::cli::install::choose::{Known, Texts};
use crate::cli::policies;
use crate::cli::replay;
use crate::cli::replay::beside::Difference;
use crate::cli::site::Site;
use crate::names::moment::Moment;
use crate::policy::Policy;
use crate::verdict::finding::Level;

/// How many of the newest landings are held against both policies.
pub const LANDINGS_REPLAYED: usize = 100;

/// Holds the newest landings of the default branch against both.
pub fn difference(
    git_dir: &Path,
    (before, after): (&Arc<Known>, &Arc<Known>),
    threads: usize,
    moment: Moment,
) -> Result<Difference, Fault> {
    let order = replay::newest(git_dir, LANDINGS_REPLAYED, threads, moment);
    let (Some(old), Some(new)) =
        (replay::judged(&order, &before.texts)?, replay::judged(&order, &after.texts)?)
    else {
        return Ok(Difference::default());
    };
    Ok(Difference::between(&old, &new))
}

/// The rules that come, go, or weigh something else from now on.
pub fn rules(before: &Known, after: &Known, moment: Moment) -> Vec<String> {
    let (Ok(old), Ok(new)) = (of(&before.texts), of(&after.texts)) else { return Vec::new() };
    let mut lines = Vec::new();
    for rule in &old.rules {
        match new.rules.iter().find(|other| other.name == rule.name) {
            None => lines.push(format!("rule `{}` ({}) goes", rule.name, rule.kind)),
            Some(other) => {
                let (was, is) = (rule.level_at(moment), other.level_at(moment));
                if was != is {
                    let (was, is) = (word(was), word(is));
                    lines
                        .push(format!("rule `{}` ({}): {was} becomes {is}", rule.name, other.kind));
                }
            }
        }
    }
    let known = |name: &str| old.rules.iter().any(|rule| rule.name == name);
    for rule in new.rules.iter().filter(|rule| !known(&rule.name)) {
        let level = word(rule.level_at(moment));
        lines.push(format!("rule `{}` ({}) comes, level {level}", rule.name, rule.kind));
    }
    lines
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Refuse => "refuse",
        Level::Warn => "warn",
    }
}

fn of(texts: &Texts) -> Result<Policy, ()> {
    policies::compiled(texts).map_err(drop)
}

/// Policies that go, each with the one that comes for it, once each.
pub fn pairs<'a>(
    all: impl Iterator<Item = &'a Vec<(PathBuf, PathBuf)>>,
) -> Vec<(PathBuf, PathBuf)> {
    let mut pairs: Vec<(PathBuf, PathBuf)> = all.flatten().cloned().collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

/// The lines that differ between the policy in force and the new one, as Git shows them.
pub fn texts(git: &Git, site: &Site, old: &Path, new: &Path) -> Result<Vec<u8>, Fault> {
    let words = ["diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--"];
    let mut arguments: Vec<&OsStr> = words.iter().map(|word| (*word).as_ref()).collect();
    arguments.extend([old.as_os_str(), new.as_os_str()]);
    // Git's exit code says whether they differ; where one of them is gone there is nothing to show.
    git.output(&site.git_dir, &arguments).map(|output| output.stdout)
}
