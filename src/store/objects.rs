//! The narrow waist: what anything above needs of a repository, and no more.
//!
//! `gitstore` implements it. Everything that can be computed from raw object
//! bytes (parents, trees, deltas, signatures) is computed above this trait, by our own parsers.

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::store::error::StoreError;

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
    /// A blob.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// The name Git gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// Reads the name Git gives it.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }
}

/// What a ref holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefValue {
    /// There is no such ref.
    Absent,
    /// It names an object.
    Direct(Oid),
    /// It is another name for this ref (git-symbolic-ref(1)).
    Symbolic(Vec<u8>),
}

/// What HEAD holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeadValue {
    /// It names this branch, which may not exist yet.
    Branch(Refname),
    /// It names a commit directly.
    Detached(Oid),
    /// It is missing, or names nothing that can be a branch.
    Unreadable,
}

/// What came out of a merge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Merged {
    /// A tree.
    Clean(Oid),
    /// No tree: both sides changed these paths, of which at most `CONFLICTS_MAX` are named.
    Conflict(Vec<RepoPath>),
}

/// How many paths in conflict are named.
pub const CONFLICTS_MAX: usize = 10;

/// A repository, as far as it can be read.
///
/// Replace refs are never honoured. Every oid passed in has to be of the repository's format;
/// another one is not found.
pub trait Objects {
    /// How the repository names its objects.
    fn format(&self) -> ObjectFormat;

    /// The kind and bytes of an object, quarantine included. `None`: there is none.
    fn read(&self, oid: &Oid) -> Result<Option<(ObjectKind, Vec<u8>)>, StoreError>;

    /// The kind and size in bytes of an object, without inflating it. `None`: there is none.
    fn header(&self, oid: &Oid) -> Result<Option<(ObjectKind, u64)>, StoreError>;

    /// Whether the object stands in the repository's own store or its alternates, so that it was
    /// there before this push. After Git has taken the quarantine in (`update`, `post-receive`)
    /// everything was.
    fn was_here(&self, oid: &Oid) -> Result<bool, StoreError>;

    /// The error for an object that has to be there and is not.
    fn missing(&self, oid: &Oid) -> StoreError {
        StoreError::Missing { oid: *oid }
    }

    /// What a ref holds now.
    fn read_ref(&self, name: &Refname) -> Result<RefValue, StoreError>;

    /// What HEAD holds now.
    fn head(&self) -> Result<HeadValue, StoreError>;

    /// Every ref whose name begins with these bytes and that names an object, sorted by name.
    /// Symbolic refs are left out: they are other names for what the list already has.
    fn refs_under(&self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError>;

    /// The best common ancestors of two commits (git-merge-base(1) `--all`). None: the histories
    /// are unrelated.
    fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, StoreError>;

    /// What merging these commits gives, the first being the one merged into; more than two are
    /// folded, one after another. The tree is kept in memory and can be read through this trait.
    /// Files that one side has under another name are looked for only where `renames` says so.
    fn merged_tree(&self, commits: &[Oid], renames: bool) -> Result<Merged, StoreError>;

    /// What the git program makes of merging two commits, for where it may know better: it finds
    /// renamed folders, and lines that moved. Slow. `None`: there is no git that can say.
    fn merged_tree_by_git(&self, ours: &Oid, theirs: &Oid) -> Result<Option<Merged>, StoreError>;

    /// Those of these commits that are reachable from none of the tips. Asks the git program, which
    /// has commit graphs to answer from. Tips that are not there any more exclude nothing.
    fn not_reachable_from(&self, tips: &[Oid], commits: &[Oid]) -> Result<Vec<Oid>, StoreError>;

    /// What merging three versions of a file line by line gives. `None`: there is a conflict, or
    /// they are not text.
    fn merged_blob(&self, base: &Oid, ours: &Oid, theirs: &Oid) -> Result<Option<Oid>, StoreError>;

    /// All values of a key (`portcullis.policy`) in the repository's own configuration, in order.
    fn config_values(&self, key: &str) -> Result<Vec<Vec<u8>>, StoreError>;
}

/// Reads an object that has to be there and of this kind.
pub fn read_kind(
    objects: &dyn Objects,
    oid: &Oid,
    expected: ObjectKind,
) -> Result<Vec<u8>, StoreError> {
    match objects.read(oid)? {
        None => Err(objects.missing(oid)),
        Some((found, _)) if found != expected => {
            Err(StoreError::WrongKind { oid: *oid, found, expected })
        }
        Some((_, bytes)) => Ok(bytes),
    }
}

/// The same, where no more than so many bytes are to be read. `None`: however many there are.
pub fn read_kind_within(
    objects: &dyn Objects,
    oid: &Oid,
    expected: ObjectKind,
    bytes_max: Option<usize>,
) -> Result<Vec<u8>, StoreError> {
    if let Some(limit) = bytes_max
        && let Some((kind, size)) = objects.header(oid)?
        && size > limit as u64
    {
        return Err(StoreError::TooLarge { oid: *oid, kind, size, limit });
    }
    read_kind(objects, oid, expected)
}
