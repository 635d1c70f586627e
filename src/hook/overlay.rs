//! A repository with one commit more: the merge that a question is about.

use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::names::digest::Digest;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::mergesize::MergeSize;
use crate::store::objects::{HeadValue, Merged, ObjectKind, Objects, RefValue};

/// A commit that exists in memory: its name and its bytes.
pub type Made = (Oid, Vec<u8>);

/// The tree of the merge of two commits, or the paths in which they do not merge by themselves.
pub fn merged(reader: &Reader<'_>, value: Oid, commit: Oid) -> Result<Merged, GatherError> {
    let renames = match reader.merge_size(&[value, commit])? {
        MergeSize::Fits { renames } => renames,
        MergeSize::Conflict(paths) => return Ok(Merged::Conflict(paths)),
        MergeSize::TooMuch(what) => return Err(reader.too_much(what)),
    };
    let objects = reader.objects;
    let own = objects.merged_tree(&[value, commit], renames)?;
    if matches!(own, Merged::Clean(_)) || !renames {
        return Ok(own);
    }
    Ok(objects.merged_tree_by_git(&value, &commit)?.unwrap_or(own))
}

/// A commit with this tree and these parents, which exists nowhere else.
pub fn made(format: ObjectFormat, tree: Oid, parents: &[Oid], message: &str) -> Option<Made> {
    let mut raw = format!("tree {tree}\n");
    for parent in parents {
        raw.push_str(&format!("parent {parent}\n"));
    }
    raw.push_str("author Portcullis <> 0 +0000\ncommitter Portcullis <> 0 +0000\n\n");
    raw.push_str(message);
    let raw = raw.into_bytes();
    // The name need only be nobody else's: the object is never stored.
    let digest = Digest::of_parts(&[b"portcullis overlay v1\n", &raw]);
    let name = Oid::from_bytes(&digest.as_bytes()[..format.len_bytes()])?;
    Some((name, raw))
}

/// The repository below, and the made commit on top.
pub struct Overlay<'o> {
    below: &'o dyn Objects,
    made: Option<Made>,
}

impl<'o> Overlay<'o> {
    /// Puts a commit, if there is one, on top of a repository.
    pub fn new(below: &'o dyn Objects, made: Option<Made>) -> Self {
        Self { below, made }
    }

    fn made(&self, oid: &Oid) -> Option<&[u8]> {
        self.made.as_ref().filter(|(name, _)| name == oid).map(|(_, raw)| raw.as_slice())
    }
}

impl Objects for Overlay<'_> {
    fn format(&self) -> ObjectFormat {
        self.below.format()
    }

    fn read(&self, oid: &Oid) -> Result<Option<(ObjectKind, Vec<u8>)>, StoreError> {
        match self.made(oid) {
            Some(raw) => Ok(Some((ObjectKind::Commit, raw.to_vec()))),
            None => self.below.read(oid),
        }
    }

    fn header(&self, oid: &Oid) -> Result<Option<(ObjectKind, u64)>, StoreError> {
        match self.made(oid) {
            Some(raw) => Ok(Some((ObjectKind::Commit, raw.len() as u64))),
            None => self.below.header(oid),
        }
    }

    fn was_here(&self, oid: &Oid) -> Result<bool, StoreError> {
        match self.made(oid) {
            Some(_) => Ok(false),
            None => self.below.was_here(oid),
        }
    }

    fn missing(&self, oid: &Oid) -> StoreError {
        self.below.missing(oid)
    }

    fn read_ref(&self, name: &Refname) -> Result<RefValue, StoreError> {
        self.below.read_ref(name)
    }

    fn head(&self) -> Result<HeadValue, StoreError> {
        self.below.head()
    }

    fn refs_under(&self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError> {
        self.below.refs_under(prefix)
    }

    fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, StoreError> {
        self.below.merge_bases(one, other)
    }

    fn merged_tree(&self, commits: &[Oid], renames: bool) -> Result<Merged, StoreError> {
        self.below.merged_tree(commits, renames)
    }

    fn merged_tree_by_git(&self, ours: &Oid, theirs: &Oid) -> Result<Option<Merged>, StoreError> {
        self.below.merged_tree_by_git(ours, theirs)
    }

    fn not_reachable_from(&self, tips: &[Oid], commits: &[Oid]) -> Result<Vec<Oid>, StoreError> {
        self.below.not_reachable_from(tips, commits)
    }

    fn merged_blob(&self, base: &Oid, ours: &Oid, theirs: &Oid) -> Result<Option<Oid>, StoreError> {
        self.below.merged_blob(base, ours, theirs)
    }

    fn config_values(&self, key: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        self.below.config_values(key)
    }
}
