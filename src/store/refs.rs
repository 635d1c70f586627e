//! What is read of refs, however a repository keeps them.
//!
//! `gitstore` asks through this trait; `reffiles` and `reftables` answer it.

use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::objects::{HeadValue, RefValue};

/// Refs that each worktree has for itself (gitworktree(1), REFS).
pub(super) const OWN_PREFIXES: [&[u8]; 3] =
    [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];

/// Where a repository's refs are kept (git-config(1), `extensions.refStorage`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefFormat {
    /// As files, and packed in one.
    Files,
    /// In tables (gitformat-reftable(5)).
    Reftable,
}

impl RefFormat {
    /// The name Git gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Reftable => "reftable",
        }
    }
}

/// The refs of one repository.
///
/// Each answer is as of now: what another process has changed is seen.
pub(super) trait Refs {
    /// What a ref holds, one step far.
    fn read(&mut self, name: &Refname) -> Result<RefValue, StoreError>;

    /// What the repository's HEAD holds. That of a linked worktree is not asked: who pushes chooses
    /// the path, and must not choose by it what `@default` is.
    fn head(&mut self) -> Result<HeadValue, StoreError>;

    /// The refs that name an object and whose names begin so, sorted.
    fn under(&mut self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError>;

    /// Every ref under `refs/` with its value; zero for one that is a name for another, or broken.
    fn all(&mut self) -> Result<Vec<(Refname, Oid)>, StoreError>;
}
