//! A delta as `git diff-tree` prints it: its digest, and what to tell the person who signs it.
//!
//! Used by `approve` and its like to compute for themselves what the server says about a delta.
//! The digest is over the raw output, so it does not depend on how we read it.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::names::digest::Digest;
use crate::names::escape::escape;
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

/// How many entries a person is shown before the rest is counted.
pub const ENTRIES_SHOWN_MAX: usize = 40;

/// How large a Git LFS pointer may be, in bytes (its specification says 1024).
const LFS_POINTER_BYTES_MAX: usize = 1024;

/// How a Git LFS pointer begins.
const LFS_POINTER_BEGIN: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

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
    /// The new side is a Git LFS pointer: what it points to is not part of what is signed.
    pub is_lfs_pointer: bool,
}

impl LocalDelta {
    /// Asks `git` for the delta from `base` (the zero oid: the empty tree) to `commit`.
    pub fn read(git: &CloneGit, base: &Oid, commit: &Oid) -> Result<Self, Fault> {
        let from = if base.is_zero() { base.format().empty_tree() } else { *base };
        let (from, to) = (from.hex(), commit.hex());
        let mut arguments = DIFF_TREE.to_vec();
        arguments.extend([from.as_str(), to.as_str()]);
        let raw = git.bytes(&arguments, b"")?;
        let mut entries = parse_raw(&raw)
            .ok_or_else(|| Fault::new("could not read what git diff-tree printed"))?;
        mark_lfs_pointers(git, &mut entries)?;
        Ok(Self { digest: Digest::of(&raw), entries })
    }

    /// The entries as lines, the first `ENTRIES_SHOWN_MAX` of them, and how many are left out.
    pub fn lines(&self) -> (Vec<String>, usize) {
        let shown: Vec<String> =
            self.entries.iter().take(ENTRIES_SHOWN_MAX).map(Entry::line).collect();
        let left_out = self.entries.len() - shown.len();
        (shown, left_out)
    }
}

impl Entry {
    /// One line: the letter, the path, and what a letter does not say.
    pub fn line(&self) -> String {
        let mut line = format!("{} {}", self.status, escape(&self.path));
        let was_there = self.old_mode != "000000";
        let is_there = self.new_mode != "000000";
        // Writing to a String cannot fail.
        let _ = match (self.old_mode.as_str(), self.new_mode.as_str()) {
            (MODE_SUBMODULE, MODE_SUBMODULE) => {
                write!(line, " (submodule {} -> {})", self.old.short(), self.new.short())
            }
            (_, MODE_SUBMODULE) => write!(line, " (becomes submodule at {})", self.new.short()),
            (MODE_SUBMODULE, _) => write!(line, " (was a submodule)"),
            (old, MODE_LINK) if old != MODE_LINK => write!(line, " (becomes a symlink)"),
            (MODE_LINK, _) if is_there && self.new_mode != MODE_LINK => {
                write!(line, " (was a symlink)")
            }
            (old, new) if was_there && is_there && old != new => {
                write!(line, " (mode {old} -> {new})")
            }
            ("000000", "100755") => write!(line, " (executable)"),
            _ => Ok(()),
        };
        if self.is_lfs_pointer {
            line.push_str(" (Git LFS, pointer only)");
        }
        line
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
            is_lfs_pointer: false,
        });
    }
    Some(entries)
}

/// Looks into the new blobs that are small enough to be pointers.
fn mark_lfs_pointers(git: &CloneGit, entries: &mut [Entry]) -> Result<(), Fault> {
    let blobs: Vec<Oid> = entries
        .iter()
        .filter(|entry| entry.new_mode.starts_with("100"))
        .map(|entry| entry.new)
        .collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let listing = git.bytes(&["cat-file", "--batch-check"], &one_a_line(&blobs))?;
    let small = small_blobs(&listing);
    if small.is_empty() {
        return Ok(());
    }
    let contents = git.bytes(&["cat-file", "--batch"], &one_a_line(&small))?;
    let pointers = pointers(&contents)
        .ok_or_else(|| Fault::new("could not read what git cat-file printed"))?;
    for entry in entries {
        entry.is_lfs_pointer = pointers.contains(&entry.new);
    }
    Ok(())
}

fn one_a_line(oids: &[Oid]) -> Vec<u8> {
    oids.iter().map(|oid| format!("{oid}\n")).collect::<String>().into_bytes()
}

/// From `OID TYPE SIZE` lines those that can be pointers. What is missing here is none.
fn small_blobs(listing: &[u8]) -> Vec<Oid> {
    listing
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let words: Vec<&str> = std::str::from_utf8(line).ok()?.split(' ').collect();
            let [oid, "blob", size] = words.as_slice() else { return None };
            let size: usize = size.parse().ok()?;
            (size <= LFS_POINTER_BYTES_MAX).then(|| Oid::from_hex(oid.as_bytes()))?
        })
        .collect()
}

/// From `OID TYPE SIZE LF CONTENT LF` blocks those whose content is a pointer.
fn pointers(contents: &[u8]) -> Option<HashSet<Oid>> {
    let mut found = HashSet::new();
    let mut rest = contents;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let words: Vec<&str> = std::str::from_utf8(&rest[..end]).ok()?.split(' ').collect();
        let [oid, _, size] = words.as_slice() else { return None };
        let size: usize = size.parse().ok()?;
        let content = rest.get(end + 1..)?.get(..size)?;
        if content.starts_with(LFS_POINTER_BEGIN) {
            found.insert(Oid::from_hex(oid.as_bytes())?);
        }
        rest = rest.get(end + 1 + size + 1..)?;
    }
    Some(found)
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

    fn line(old_mode: &str, new_mode: &str, status: char, path: &str) -> String {
        parse_raw(&raw(old_mode, new_mode, status, path)).unwrap()[0].line()
    }

    #[test]
    fn lines_say_what_a_letter_does_not() {
        assert_eq!(line("100644", "100644", 'M', "a b"), "M a b");
        assert_eq!(line("000000", "100644", 'A', "a"), "A a");
        assert_eq!(line("000000", "100755", 'A', "a"), "A a (executable)");
        assert_eq!(line("100644", "000000", 'D', "a"), "D a");
        assert_eq!(line("100644", "100755", 'M', "a"), "M a (mode 100644 -> 100755)");
        assert_eq!(line("100644", "120000", 'T', "a"), "T a (becomes a symlink)");
        assert_eq!(line("120000", "100644", 'T', "a"), "T a (was a symlink)");
        assert_eq!(line("120000", "000000", 'D', "a"), "D a");
        assert_eq!(line("160000", "160000", 'M', "sub"), "M sub (submodule 1111111 -> 2222222)");
        assert_eq!(line("040000", "160000", 'T', "s"), "T s (becomes submodule at 2222222)");
        assert_eq!(line("100644", "100644", 'M', "a\x1b[2J\n"), "M a\\x1b[2J\\n");
    }

    #[test]
    fn pointers_are_told_by_their_first_line() {
        let oid = "1".repeat(40);
        let other = "2".repeat(40);
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
        let text = format!("{oid} blob {}\n{pointer}\n{other} blob 4\na\nb\n\n", pointer.len());
        let found = pointers(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found.contains(&Oid::from_hex(oid.as_bytes()).unwrap()));
        let listing = format!("{oid} blob 1024\n{other} blob 1025\n{other} missing\n");
        assert_eq!(small_blobs(listing.as_bytes()).len(), 1);
    }

    proptest! {
        #[test]
        fn arbitrary_output_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_raw(&bytes);
            let _ = pointers(&bytes);
            let _ = small_blobs(&bytes);
        }
    }
}
