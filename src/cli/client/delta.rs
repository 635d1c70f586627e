//! A delta as `git diff-tree` prints it: its digest and its entries.
//!
//! Used by `approve` and its like to compute for themselves what the server says about a delta.
//! The digest is over the raw output, so it does not depend on how we read it.

use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// The command that prints a delta, but for its two ends (product contract, section 5).
pub const DIFF_TREE: [&str; 8] = [
    "--no-replace-objects",
    "diff-tree",
    "-r",
    "-z",
    "--no-renames",
    "--no-abbrev",
    "--raw",
    "--ignore-submodules=none",
];

/// The mode of a side that is not there.
const ABSENT: &str = "000000";
const MODE_LINK: &str = "120000";
const MODE_SUBMODULE: &str = "160000";

/// The delta between two trees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalDelta {
    /// Of the bytes that `git diff-tree` prints.
    pub digest: Digest,
    /// The entries, in Git's order.
    pub entries: Vec<Entry>,
}

/// One entry that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Six octal digits; `000000`: not there.
    pub old_mode: String,
    /// Six octal digits; `000000`: not there.
    pub new_mode: String,
    /// The old object.
    pub old: Oid,
    /// The new object.
    pub new: Oid,
    /// `A`, `M`, `D` or `T`.
    pub status: char,
    /// Any bytes but NUL.
    pub path: Vec<u8>,
}

impl LocalDelta {
    /// Asks `git` for the delta from `base` (the zero oid: the empty tree) to `commit`.
    pub fn read(git: &CloneGit, base: &Oid, commit: &Oid) -> Result<Self, Fault> {
        let from = if base.is_zero() { base.format().empty_tree() } else { *base };
        let (from, to) = (from.hex(), commit.hex());
        let mut arguments = DIFF_TREE.to_vec();
        arguments.extend([from.as_str(), to.as_str()]);
        let raw = git.bytes(&arguments, b"")?;
        let entries = parse_raw(&raw)
            .ok_or_else(|| Fault::new("could not read what git diff-tree printed"))?;
        Ok(Self { digest: Digest::of(&raw), entries })
    }
}

impl Entry {
    /// What its letter and its content do not say: types that change, modes, submodules.
    pub fn marks(&self) -> Vec<String> {
        let is_there = self.new_mode != ABSENT;
        match (self.old_mode.as_str(), self.new_mode.as_str()) {
            (MODE_SUBMODULE, MODE_SUBMODULE) => {
                vec![format!("submodule {} -> {}", self.old.short(), self.new.short())]
            }
            (ABSENT, MODE_SUBMODULE) => vec![format!("submodule at {}", self.new.short())],
            (_, MODE_SUBMODULE) => vec![format!("becomes submodule at {}", self.new.short())],
            (MODE_SUBMODULE, _) => vec!["was a submodule".to_owned()],
            (MODE_LINK, _) if is_there && self.new_mode != MODE_LINK => {
                vec!["was a symlink".to_owned()]
            }
            (ABSENT, "100755") => vec!["executable".to_owned()],
            (ABSENT, _) | (_, ABSENT | MODE_LINK) => Vec::new(),
            (old, new) if old != new => vec![format!("mode {old} -> {new}")],
            _ => Vec::new(),
        }
    }

    /// Whether its new side is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.new_mode == MODE_LINK
    }

    /// Whether its new side is a submodule: a commit of another repository.
    pub fn is_submodule(&self) -> bool {
        self.new_mode == MODE_SUBMODULE
    }

    /// The blobs of its old and its new side, where there are any.
    pub fn blobs(&self) -> (Option<Oid>, Option<Oid>) {
        let blob = |mode: &str, oid: Oid| (mode != ABSENT && mode != MODE_SUBMODULE).then_some(oid);
        (blob(&self.old_mode, self.old), blob(&self.new_mode, self.new))
    }
}

/// Reads `:MODE MODE OID OID STATUS NUL PATH NUL` (git-diff-tree(1), RAW OUTPUT FORMAT).
fn parse_raw(raw: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut fields = raw.strip_suffix(b"\0").unwrap_or(raw).split(|byte| *byte == 0);
    if raw.is_empty() {
        return Some(entries);
    }
    while let Some(head) = fields.next() {
        let path = fields.next()?.to_vec();
        let head = std::str::from_utf8(head.strip_prefix(b":")?).ok()?;
        let words: Vec<&str> = head.split(' ').collect();
        let [old_mode, new_mode, old, new, status] = words.as_slice() else { return None };
        let mut letters = status.chars();
        let (Some(status), None) = (letters.next(), letters.next()) else { return None };
        entries.push(Entry {
            old_mode: (*old_mode).to_owned(),
            new_mode: (*new_mode).to_owned(),
            old: Oid::from_hex(old.as_bytes())?,
            new: Oid::from_hex(new.as_bytes())?,
            status,
            path,
        });
    }
    Some(entries)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(old_mode: &str, new_mode: &str, status: char, path: &str) -> Vec<u8> {
        let (old, new) = ("1".repeat(40), "2".repeat(40));
        format!(":{old_mode} {new_mode} {old} {new} {status}\0{path}\0").into_bytes()
    }

    fn marks(old_mode: &str, new_mode: &str, status: char) -> String {
        parse_raw(&raw(old_mode, new_mode, status, "a")).unwrap()[0].marks().join(", ")
    }

    #[test]
    fn marks_say_what_a_letter_does_not() {
        assert_eq!(marks("100644", "100644", 'M'), "");
        assert_eq!(marks("000000", "100644", 'A'), "");
        assert_eq!(marks("000000", "100755", 'A'), "executable");
        assert_eq!(marks("100644", "000000", 'D'), "");
        assert_eq!(marks("100644", "100755", 'M'), "mode 100644 -> 100755");
        assert_eq!(marks("120000", "100644", 'T'), "was a symlink");
        assert_eq!(marks("120000", "000000", 'D'), "");
        assert_eq!(marks("160000", "160000", 'M'), "submodule 1111111 -> 2222222");
        assert_eq!(marks("000000", "160000", 'A'), "submodule at 2222222");
        assert_eq!(marks("100644", "160000", 'T'), "becomes submodule at 2222222");
    }

    proptest! {
        #[test]
        fn arbitrary_output_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_raw(&bytes);
        }
    }
}
