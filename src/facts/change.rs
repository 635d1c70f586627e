//! What differs between two trees: the delta, its entries and its digest.
//!
//! Made by `store::delta`, read by rules, statements and the log. Nothing here reads a repository.
//! There are no renames: a moved file is a delete and an add, so that neither path can hide.
//!
//! Invariant: the digest is that of the bytes which anybody gets from
//! `git --no-replace-objects diff-tree -r -z --no-renames --no-abbrev --raw --ignore-submodules=none`
//! between the two commits, so it can be computed with no tool of ours.

use crate::names::digest::Digest;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;

/// What a tree says an entry is, reduced to what Git itself tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FileMode {
    /// A file, mode 100644 (100664 of old histories counts as this, as it does for Git).
    File,
    /// An executable file, mode 100755.
    Executable,
    /// A symbolic link, mode 120000; its blob is the target's path.
    Symlink,
    /// A submodule, mode 160000; its oid names a commit of another repository.
    Gitlink,
}

impl FileMode {
    /// The mode as trees and raw diffs write it.
    pub const fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Gitlink => "160000",
        }
    }

    /// The mode as a number.
    pub const fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Gitlink => 0o160_000,
        }
    }

    /// Whether Git sees these two as the same type, so that going from one to the other is no `T`.
    pub const fn same_type(self, other: Self) -> bool {
        // The upper four bits are the type (S_IFMT of inode(7)).
        self.bits() & 0o170_000 == other.bits() & 0o170_000
    }
}

/// One side of a change: what stood, or stands, at a path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Side {
    /// What it is.
    pub mode: FileMode,
    /// Its content: a blob, or the submodule's commit.
    pub oid: Oid,
}

/// What happened to a path, in the words a policy uses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// Nothing stood there before.
    Add,
    /// Other content, the same type.
    Modify,
    /// Nothing stands there any more.
    Delete,
    /// Executable or no longer so.
    ModeFlip,
    /// A file became a symbolic link or a submodule, or the like.
    TypeChange,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Add, Self::Modify, Self::Delete, Self::ModeFlip, Self::TypeChange];

    /// The word a policy has for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
            Self::ModeFlip => "mode",
            Self::TypeChange => "type",
        }
    }
}

/// A path that differs between two trees.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PathChange {
    /// Where.
    pub path: RepoPath,
    /// What stood there. `None` when it was added.
    pub old: Option<Side>,
    /// What stands there now. `None` when it was deleted.
    pub new: Option<Side>,
}

impl PathChange {
    /// What happened, in one word. New content in a file that also changed its mode is a
    /// `Modify`; who must not miss the flip asks `operations`.
    pub fn operation(&self) -> Operation {
        self.operations().first().copied().unwrap_or(Operation::Modify)
    }

    /// All that happened, never empty: content and executable bit can change at once, and a rule
    /// on either has to see it.
    pub fn operations(&self) -> &'static [Operation] {
        match (self.old, self.new) {
            (None, _) => &[Operation::Add],
            (_, None) => &[Operation::Delete],
            (Some(old), Some(new)) if !old.mode.same_type(new.mode) => &[Operation::TypeChange],
            (Some(old), Some(new)) if old.mode == new.mode => &[Operation::Modify],
            (Some(old), Some(new)) if old.oid == new.oid => &[Operation::ModeFlip],
            (Some(_), Some(_)) => &[Operation::Modify, Operation::ModeFlip],
        }
    }

    /// The letter of git-diff-tree(1): `A`, `M`, `D` or `T`.
    pub fn status_letter(&self) -> char {
        match self.operation() {
            Operation::Add => 'A',
            Operation::Delete => 'D',
            Operation::TypeChange => 'T',
            Operation::Modify | Operation::ModeFlip => 'M',
        }
    }

    fn append_raw(&self, format: ObjectFormat, out: &mut Vec<u8>) {
        let absent = (ABSENT_OCTAL, Oid::zero(format));
        let (old_octal, old_oid) = self.old.map_or(absent, |side| (side.mode.octal(), side.oid));
        let (new_octal, new_oid) = self.new.map_or(absent, |side| (side.mode.octal(), side.oid));
        out.push(b':');
        out.extend_from_slice(old_octal.as_bytes());
        out.push(b' ');
        out.extend_from_slice(new_octal.as_bytes());
        out.push(b' ');
        append_hex(old_oid, out);
        out.push(b' ');
        append_hex(new_oid, out);
        out.push(b' ');
        // The four letters are ASCII, so the cast keeps them.
        out.push(self.status_letter() as u8);
        out.push(0);
        out.extend_from_slice(self.path.as_bytes());
        out.push(0);
    }
}

/// How a raw diff writes the mode of a side that is not there.
const ABSENT_OCTAL: &str = "000000";

fn append_hex(oid: Oid, out: &mut Vec<u8>) {
    for byte in oid.as_bytes() {
        for half in [byte >> 4, byte & 15] {
            out.push(if half < 10 { b'0' + half } else { b'a' + half - 10 });
        }
    }
}

/// Everything that differs between two trees.
///
/// Invariant: `changes` is sorted by path bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    format: ObjectFormat,
    changes: Vec<PathChange>,
}

impl Delta {
    /// Takes changes in any order and sorts them.
    pub fn new(format: ObjectFormat, mut changes: Vec<PathChange>) -> Self {
        if !changes.is_sorted_by(|a, b| a.path <= b.path) {
            changes.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Self { format, changes }
    }

    /// How the repository names its objects; it decides how wide the zero oid is.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// The changes, sorted by path bytes.
    pub fn changes(&self) -> &[PathChange] {
        &self.changes
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The bytes that `git diff-tree` prints for this delta; see the top of this file.
    pub fn raw_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.changes.len() * (2 * self.format.len_hex() + 64));
        for change in &self.changes {
            change.append_raw(self.format, &mut out);
        }
        out
    }

    /// The SHA-256 of each entry's part of `raw_bytes`, in order. What a reject is found by.
    pub fn entry_digests(&self) -> Vec<Digest> {
        let digest = |change: &PathChange| {
            let mut raw = Vec::new();
            change.append_raw(self.format, &mut raw);
            Digest::of(&raw)
        };
        self.changes.iter().map(digest).collect()
    }

    /// SHA-256 of `raw_bytes`. What statements bind to.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.raw_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Delta, FileMode, Operation, PathChange, Side};
    use crate::names::digest::Digest;
    use crate::names::oid::{ObjectFormat, Oid};
    use crate::names::path::RepoPath;

    fn side(mode: FileMode, fill: u8) -> Option<Side> {
        Oid::from_bytes(&[fill; 20]).map(|oid| Side { mode, oid })
    }

    fn change(path: &str, old: Option<Side>, new: Option<Side>) -> PathChange {
        PathChange { path: RepoPath::new(path), old, new }
    }

    #[test]
    fn a_delta_is_written_as_git_writes_it() {
        let delta = Delta::new(
            ObjectFormat::Sha1,
            vec![
                change("b", side(FileMode::File, 1), None),
                change("a", None, side(FileMode::Symlink, 0xab)),
            ],
        );
        let expected = format!(
            ":000000 120000 {} {} A\0a\0:100644 000000 {} {} D\0b\0",
            "0".repeat(40),
            "ab".repeat(20),
            "01".repeat(20),
            "0".repeat(40)
        );
        assert!(!delta.is_empty());
        assert_eq!(delta.raw_bytes(), expected.as_bytes());
        assert_eq!(delta.digest(), Digest::of(expected.as_bytes()));
        let halves = expected.split_at(expected.find(":100644").unwrap_or_default());
        let digests = [halves.0, halves.1].map(|half| Digest::of(half.as_bytes()));
        assert_eq!(delta.entry_digests(), digests);
    }

    #[test]
    fn the_empty_delta_has_the_digest_of_nothing() {
        let delta = Delta::new(ObjectFormat::Sha256, vec![]);
        assert!(delta.is_empty());
        assert_eq!(delta.digest(), Digest::of(b""));
    }

    #[test]
    fn operations_tell_content_mode_and_type_apart() {
        let file = side(FileMode::File, 1);
        let cases = [
            (None, file, 'A', &[Operation::Add][..]),
            (file, None, 'D', &[Operation::Delete]),
            (file, side(FileMode::File, 2), 'M', &[Operation::Modify]),
            (file, side(FileMode::Executable, 1), 'M', &[Operation::ModeFlip]),
            (file, side(FileMode::Executable, 2), 'M', &[Operation::Modify, Operation::ModeFlip]),
            (file, side(FileMode::Symlink, 1), 'T', &[Operation::TypeChange]),
            (side(FileMode::Symlink, 1), side(FileMode::Gitlink, 1), 'T', &[Operation::TypeChange]),
            (side(FileMode::Gitlink, 1), side(FileMode::Gitlink, 2), 'M', &[Operation::Modify]),
        ];
        for (old, new, letter, operations) in cases {
            let change = change("x", old, new);
            assert_eq!(change.status_letter(), letter, "{change:?}");
            assert_eq!(change.operations(), operations, "{change:?}");
            assert_eq!(change.operation(), operations[0], "{change:?}");
        }
    }
}
