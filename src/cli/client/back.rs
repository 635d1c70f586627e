//! A commit that takes a ref back to an earlier state: its tree, its message, and the plain commands
//! that make the same.
//!
//! Used by `rollback`. Nothing here touches the work tree or the clone's index.

use std::collections::BTreeSet;

use crate::cli::client::delta::{Entry, LocalDelta};
use crate::cli::client::git::CloneGit;
use crate::cli::client::target::TextRefname;
use crate::cli::fault::{Fault, OrFault};
use crate::cli::quote::quoted_bytes;
use crate::cli::surroundings::Surroundings;
use crate::names::escape::escape;
use crate::names::oid::Oid;
use crate::pattern::exact::ExactPaths;

/// The mode of what is not there.
const ABSENT: &str = "000000";

/// A rollback that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Back {
    /// The ref.
    pub refname: TextRefname,
    /// Its value at the server: the rollback's parent.
    pub left: Oid,
    /// The state to go back to.
    pub state: Oid,
    /// The log entry that gave the ref that value, where the server has told it.
    pub entry: Option<u64>,
    /// The patterns within which to go back; empty: everywhere.
    pub paths: Vec<String>,
    /// The entries that change.
    pub changes: Vec<Entry>,
    /// Whether Git is set to sign commits.
    pub is_signed: bool,
}

impl Back {
    /// Finds what changes.
    pub fn plan(
        git: &CloneGit,
        refname: TextRefname,
        (left, state, entry): (Oid, Oid, Option<u64>),
        paths: &[String],
    ) -> Result<Self, Fault> {
        let picked = picked(paths)?;
        let mut changes = LocalDelta::read(git, &left, &state)?.entries;
        changes.retain(|entry| picked.as_ref().is_none_or(|paths| paths.pick(&entry.path)));
        let signs = git.maybe(&["config", "--type=bool", "--get", "commit.gpgSign"])?;
        let is_signed = signs.is_some_and(|word| word == "true");
        Ok(Self { refname, left, state, entry, paths: paths.to_vec(), changes, is_signed })
    }

    /// Makes the commit and returns its name.
    pub fn make(&self, git: &CloneGit, around: &Surroundings) -> Result<Oid, Fault> {
        let tree = match self.paths.is_empty() {
            true => format!("{}^{{tree}}", self.state),
            false => self.tree(git, around)?.hex(),
        };
        let left = self.left.hex();
        let mut arguments = vec!["commit-tree", "-p", &left];
        if self.is_signed {
            arguments.push("-S");
        }
        arguments.push(&tree);
        let made = git.bytes(&arguments, self.message().as_bytes())?;
        oid_of(&made)
    }

    /// The tree of the ref's value with the picked entries as the state has them.
    fn tree(&self, git: &CloneGit, around: &Surroundings) -> Result<Oid, Fault> {
        let place =
            around.variable("TMPDIR").map_or(std::path::Path::new("/tmp"), |dir| dir.as_ref());
        let folder = tempfile::Builder::new()
            .prefix("portcullis-")
            .tempdir_in(place)
            .or_fault(|| "could not make a temporary folder".into())?;
        let git = git.with("GIT_INDEX_FILE", folder.path().join("index"));
        let left = self.left.hex();
        git.bytes(&["read-tree", &left], b"")?;
        let mut lines = Vec::new();
        for line in self.index_lines() {
            lines.extend(line);
            lines.push(0);
        }
        git.bytes(&["update-index", "-z", "--index-info"], &lines)?;
        let tree = oid_of(&git.bytes(&["write-tree"], b"")?)?;
        self.demand_nothing_else(&git, &tree)?;
        Ok(tree)
    }

    /// A file cannot stand where the paths that stay have a folder, nor a folder for a file.
    fn demand_nothing_else(&self, git: &CloneGit, tree: &Oid) -> Result<(), Fault> {
        let key = |entry: &Entry| (entry.path.clone(), entry.new_mode.clone(), entry.new);
        let wanted: BTreeSet<_> = self.changes.iter().map(key).collect();
        let made = LocalDelta::read(git, &self.left, tree)?.entries;
        let made: BTreeSet<_> = made.iter().map(key).collect();
        let Some((path, _, _)) = made.symmetric_difference(&wanted).next() else { return Ok(()) };
        let shown = escape(path);
        Err(Fault::new(format!("these paths alone cannot go back: {shown} stands in the way"))
            .hint("name the whole folder: --paths 'FOLDER/**'"))
    }

    /// What `git update-index --index-info` is told, what goes away first.
    fn index_lines(&self) -> Vec<Vec<u8>> {
        let (gone, there): (Vec<&Entry>, Vec<&Entry>) =
            self.changes.iter().partition(|entry| entry.new_mode == ABSENT);
        let line = |entry: &&Entry| {
            let mode = if entry.new_mode == ABSENT { "0" } else { &entry.new_mode };
            [format!("{mode} {}\t", entry.new).into_bytes(), entry.path.clone()].concat()
        };
        gone.iter().chain(&there).map(line).collect()
    }

    /// The commit's message, trailers at its end.
    pub fn message(&self) -> String {
        let (name, state) = (self.refname.short(), self.state.short());
        let within = match self.paths.as_slice() {
            [] => String::new(),
            paths => format!(" in {}", paths.join(", ")),
        };
        let was = match self.entry {
            Some(entry) => format!("as entry {entry} of the change log left it"),
            None => format!("as it was at {state}"),
        };
        let mut text = format!(
            "Roll {name} back to {state}\n\nIt is again {was}{within}.\n\nRollback-To: {}\n",
            self.state
        );
        for pattern in &self.paths {
            text.push_str(&format!("Rollback-Paths: {pattern}\n"));
        }
        text
    }

    /// A script for `sh` that makes the same commit with nothing but `git`, and prints its name.
    pub fn script(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = |text: &str| out.extend([text.as_bytes(), b"\n"].concat());
        line("set -eu");
        line("export GIT_NO_REPLACE_OBJECTS=1");
        let tree = match self.paths.is_empty() {
            true => format!("'{}^{{tree}}'", self.state),
            false => {
                line("folder=$(mktemp -d)");
                line("trap 'rm -rf \"$folder\"' EXIT");
                line("export GIT_INDEX_FILE=\"$folder/index\"");
                line(&format!("git read-tree {}", self.left));
                "\"$(git write-tree)\"".to_owned()
            }
        };
        if !self.paths.is_empty() {
            words(&mut out, "printf '%s\\0'", &self.index_lines());
            out.extend(b"  | git update-index -z --index-info\n");
        }
        let message: Vec<Vec<u8>> =
            self.message().trim_end().split('\n').map(|l| l.as_bytes().to_vec()).collect();
        words(&mut out, "printf '%s\\n'", &message);
        let sign = if self.is_signed { " -S" } else { "" };
        out.extend(format!("  | git commit-tree -p {}{sign} {tree}\n", self.left).into_bytes());
        out
    }
}

/// A command and its quoted words, one a line.
fn words(out: &mut Vec<u8>, command: &str, words: &[Vec<u8>]) {
    out.extend(command.as_bytes());
    for word in words {
        out.extend(b" \\\n  ");
        out.extend(quoted_bytes(word));
    }
    out.extend(b" \\\n");
}

fn picked(paths: &[String]) -> Result<Option<ExactPaths>, Fault> {
    if paths.is_empty() {
        return Ok(None);
    }
    let read = ExactPaths::read(paths.iter().map(String::as_str));
    read.map(Some).map_err(|why| {
        Fault::mistyped(format!("these are no paths to go back in: {why}"))
            .hint("`--paths 'infra/**'` is a folder and all in it")
    })
}

fn oid_of(printed: &[u8]) -> Result<Oid, Fault> {
    Oid::from_hex(printed.trim_ascii_end())
        .ok_or_else(|| Fault::new("could not read the name of the object that git made"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]
mod tests {
    use super::*;

    fn back(paths: &[&str]) -> Back {
        let oid = |fill: u8| Oid::from_bytes(&[fill; 20]).unwrap();
        let entry = |new_mode: &str, path: &str| Entry {
            old_mode: "100644".into(),
            new_mode: new_mode.into(),
            old: oid(3),
            new: if new_mode == ABSENT { oid(0) } else { oid(4) },
            status: 'M',
            path: path.as_bytes().to_vec(),
        };
        Back {
            refname: TextRefname::parse("main").unwrap(),
            left: oid(1),
            state: oid(2),
            entry: Some(12),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            changes: vec![entry("100755", "infra/it's.tf"), entry(ABSENT, "infra/z")],
            is_signed: false,
        }
    }

    #[test]
    fn the_message_ends_with_what_the_server_compares() {
        let state = "02".repeat(20);
        assert_eq!(
            back(&["infra/**", "a"]).message(),
            format!(
                "Roll main back to 0202020\n\nIt is again as entry 12 of the change log left it in \
                 infra/**, a.\n\nRollback-To: {state}\nRollback-Paths: infra/**\nRollback-Paths: a\n"
            )
        );
    }

    #[test]
    fn the_plain_commands_quote_what_they_are_given_and_delete_first() {
        let script = String::from_utf8(back(&["infra/**"]).script()).unwrap();
        let zero = "0".repeat(40);
        let four = "04".repeat(20);
        let lines = format!(
            "printf '%s\\0' \\\n  '0 {zero}\tinfra/z' \\\n  '100755 {four}\tinfra/it'\\''s.tf' \\\n  \
             | git update-index -z --index-info\n"
        );
        assert!(script.contains(&lines), "{script}");
        let whole = String::from_utf8(back(&[]).script()).unwrap();
        assert!(!whole.contains("index"), "{whole}");
        let tree =
            format!("| git commit-tree -p {} '{}^{{tree}}'", "01".repeat(20), "02".repeat(20));
        assert!(whole.contains(&tree), "{whole}");
    }
}
