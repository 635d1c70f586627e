//! What a push takes into a ref, commit by commit: the changes that an arriving commit makes, and
//! what is in the files it brings.
//!
//! Made by `gather::intake`; read by the rules `restrict-paths`, `files` and `secrets`. A landing
//! tells what becomes of the ref; this tells what becomes of its history, where a file that was
//! added and taken out again in one push stays for good.

use std::collections::BTreeMap;

use crate::facts::change::{PathChange, Side};
use crate::infra::set::InfraKinds;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::secret::scan::Found;

/// How long the target of a symbolic link may be, in bytes. No system follows a longer one.
pub const LINK_BYTES_MAX: usize = 4096;

/// A change that an arriving commit makes: what it has at a path, and no parent of it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The commit; of several that make the same change, the oldest.
    pub commit: Oid,
    /// The change, since its first parent.
    pub change: PathChange,
    /// What else the file was before: what the other parents of a merge have at the path, and what
    /// stood elsewhere with the same content and was moved here.
    pub others: Vec<Side>,
}

impl Taken {
    /// Everything that stood here, or was moved here, before the commit.
    pub fn before(&self) -> impl Iterator<Item = &Side> {
        self.change.old.iter().chain(&self.others)
    }
}

/// What is in a file that arrives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blob {
    /// Its size in bytes.
    pub size: u64,
    /// What it holds. `None`: no rule asked, or `unread` says why not.
    pub inside: Option<Inside>,
    /// The limit past which it was not looked into: its key and value.
    pub unread: Option<(&'static str, u64)>,
}

/// What a file holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inside {
    /// Whether Git would show it as binary: there is a NUL near its beginning.
    pub binary: bool,
    /// Whether it is the pointer of a file that Git LFS keeps elsewhere.
    pub lfs_pointer: bool,
    /// Whether its first lines say that a program wrote it.
    pub generated: bool,
    /// Whether it is PEM, and nothing in it is private.
    pub public_pem: bool,
    /// The secrets in it.
    pub secrets: Vec<Found>,
}

/// Two names in one folder that some file system takes for one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clash {
    /// The commit that brings them together.
    pub commit: Oid,
    /// The name that arrives, with its folder.
    pub path: RepoPath,
    /// The other.
    pub other: RepoPath,
}

/// Secrets in what a commit or an annotated tag says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The commit or tag.
    pub object: Oid,
    /// What was found in its message.
    pub secrets: Vec<Found>,
}

/// What a push takes into a ref.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Intake {
    /// The commit it builds on, where it is one that all follow.
    pub base: Option<Oid>,
    /// How many commits arrive.
    pub commits: usize,
    /// What they change, oldest commit first.
    pub taken: Vec<Taken>,
    /// Paths among them that are infrastructure by what their blobs hold, on either side.
    pub infra: Vec<(RepoPath, InfraKinds)>,
    /// What is known of the files, by the names of their contents. Empty where no rule asked.
    pub blobs: BTreeMap<Oid, Blob>,
    /// The targets of symbolic links; empty for one longer than [`LINK_BYTES_MAX`].
    pub links: BTreeMap<Oid, Vec<u8>>,
    /// Names that collide. Empty where no rule asked.
    pub clashes: Vec<Clash>,
    /// Secrets in messages. Empty where no rule asked.
    pub said: Vec<Said>,
}

impl Intake {
    /// What is known of one side of a change.
    pub fn blob(&self, side: &Side) -> Option<&Blob> {
        self.blobs.get(&side.oid)
    }
}
