//! What another policy would change: rules that come, go or weigh something else, and landings of the
//! past that only one of the two would have refused.
//!
//! Used by `install --policy NEW`, before the new one takes the old one's place. Nothing is changed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::git::Git;
use crate::cli::install::choose::{Known, Texts};
use crate::cli::policies;
use crate::cli::replay;
use crate::cli::site::Site;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::policy::Policy;
use crate::verdict::finding::Level;

/// How many of the newest landings are held against both policies.
pub const LANDINGS_REPLAYED: usize = 100;

/// How many landings are named.
const NAMED_MAX: usize = 5;

/// What the two policies say of the same landings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// How many landings were judged.
    pub landings: usize,
    /// Those that only the new one refuses, oldest first.
    pub newly_refused: Vec<Oid>,
    /// Those that only the old one refuses.
    pub newly_passed: Vec<Oid>,
}

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
    let only = |these: &[Oid], those: &[Oid]| {
        these.iter().filter(|oid| !those.contains(oid)).copied().collect()
    };
    Ok(Difference {
        landings: new.shapes.all(),
        newly_refused: only(&new.refusals, &old.refusals),
        newly_passed: only(&old.refusals, &new.refusals),
    })
}

impl Difference {
    /// Whether both say the same.
    pub fn is_none(&self) -> bool {
        self.newly_refused.is_empty() && self.newly_passed.is_empty()
    }

    /// In words.
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        for (oids, what) in [
            (&self.newly_refused, "would be refused that passed"),
            (&self.newly_passed, "would pass that were refused"),
        ] {
            if let (n @ 1.., named) = (oids.len(), named(oids)) {
                parts.push(format!("{n} {what} ({named})"));
            }
        }
        match (self.landings, parts.is_empty()) {
            (0, _) => "no landings yet".to_owned(),
            (n, true) => format!("of {n} landings none is judged otherwise"),
            (n, false) => format!("of {n} landings {}", parts.join(", ")),
        }
    }

    /// For scripts.
    pub fn as_json(&self) -> Value {
        let hex = |oids: &[Oid]| oids.iter().map(Oid::hex).collect::<Vec<_>>();
        json!({
            "landings": self.landings,
            "newly_refused": hex(&self.newly_refused),
            "newly_passed": hex(&self.newly_passed),
        })
    }
}

fn named(oids: &[Oid]) -> String {
    let mut names: Vec<String> = oids.iter().take(NAMED_MAX).map(|oid| oid.short()).collect();
    if oids.len() > NAMED_MAX {
        names.push(format!("and {} more", oids.len() - NAMED_MAX));
    }
    names.join(", ")
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "oids in tests are well-formed")]

    use super::*;

    #[test]
    fn a_difference_is_told_in_one_line() {
        let oid = |byte: u8| Oid::from_bytes(&[byte; 20]).unwrap();
        let none = Difference { landings: 7, ..Difference::default() };
        assert_eq!(none.line(), "of 7 landings none is judged otherwise");
        assert_eq!(Difference::default().line(), "no landings yet");
        let some = Difference {
            landings: 9,
            newly_refused: (0..7).map(oid).collect(),
            newly_passed: vec![oid(0xab)],
        };
        let line = some.line();
        assert!(
            line.starts_with("of 9 landings 7 would be refused that passed (0000000, "),
            "{line}"
        );
        assert!(line.ends_with("and 2 more), 1 would pass that were refused (abababa)"), "{line}");
        assert_eq!(some.as_json()["newly_passed"][0], "ab".repeat(20));
    }
}
