//! What can go wrong while a repository is read.
//!
//! Each variant says what was being done to what. All of them are faults: whoever meets one
//! refuses. What a push may be at fault for (a malformed commit, a hostile tree) is a value that
//! the readers return, not an error, so that it can be judged.

use std::path::PathBuf;

use crate::names::escape::escape;
use crate::names::oid::Oid;
use crate::store::objects::ObjectKind;

/// Why a repository, or something in it, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no repository there.
    #[error("no repository at {path:?}: {lacks} is missing")]
    NotARepository {
        /// Where one was looked for.
        path: PathBuf,
        /// The file or folder that every repository has.
        lacks: &'static str,
    },
    /// The repository has a format that is not read here.
    #[error("this repository's format is not supported: {what} (it would be read wrong)")]
    UnsupportedFormat {
        /// The setting that says so, and its value.
        what: String,
    },
    /// `info/grafts` changes what Git takes for history.
    #[error("{path:?} rewrites this repository's history, remove it")]
    Grafts {
        /// The file.
        path: PathBuf,
    },
    /// History is cut off: the repository is shallow.
    #[error("this repository is shallow, its history ends early: {path:?}")]
    Shallow {
        /// The file that lists where it ends.
        path: PathBuf,
    },
    /// The push comes from a shallow clone and would cut history off.
    #[error("the push comes from a shallow clone")]
    ShallowPush,
    /// An object that must be there is not, in a partial clone; nothing is fetched here.
    #[error(
        "object {oid} is not on this server: the repository is a partial clone ({setting}), and \
         nothing is fetched while a push is judged. Bring in what is left out and keep it: \
         git fetch --refetch --no-filter"
    )]
    LeftOut {
        /// The object's name.
        oid: Oid,
        /// The setting that makes it one.
        setting: String,
    },
    /// A file of the repository could not be read.
    #[error("could not read {path:?}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The repository's configuration could not be read.
    #[error("could not read the repository's configuration")]
    Config(#[source] git2::Error),
    /// The object database could not be opened.
    #[error("could not open the objects in {path:?}")]
    Database {
        /// Its folder.
        path: PathBuf,
        /// What libgit2 said.
        #[source]
        source: git2::Error,
    },
    /// An object is there but could not be read.
    #[error("could not read object {oid}")]
    Object {
        /// Its name.
        oid: Oid,
        /// What libgit2 said.
        #[source]
        source: git2::Error,
    },
    /// An object that must be there is not.
    #[error("object {oid} is missing")]
    Missing {
        /// Its name.
        oid: Oid,
    },
    /// An object is of another kind than its place demands.
    #[error("object {oid} is a {found}, expected a {expected}", found = found.name(), expected = expected.name())]
    WrongKind {
        /// Its name.
        oid: Oid,
        /// What it is.
        found: ObjectKind,
        /// What it has to be.
        expected: ObjectKind,
    },
    /// A commit that not even Git can read: it does not begin with its tree.
    #[error("commit {oid} cannot be read: {why}")]
    BrokenCommit {
        /// Its name.
        oid: Oid,
        /// What is wrong.
        why: &'static str,
    },
    /// A tag that not even Git can read.
    #[error("tag {oid} cannot be read: {why}")]
    BrokenTag {
        /// Its name.
        oid: Oid,
        /// What is wrong.
        why: &'static str,
    },
    /// A tree that not even Git can read.
    #[error("tree {oid} cannot be read: {why}")]
    BrokenTree {
        /// Its name.
        oid: Oid,
        /// What is wrong.
        why: &'static str,
    },
    /// A ref's file holds neither an oid nor the name of another ref.
    #[error("ref {} cannot be read", escape(name))]
    BrokenRef {
        /// The ref's name.
        name: Vec<u8>,
    },
    /// The file of packed refs does not have its form.
    #[error("{path:?} cannot be read: line {line} is not a packed ref")]
    BrokenPackedRefs {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A table of refs does not have its form, or git reads something else in it.
    #[error("{path:?} cannot be read: {why}")]
    BrokenTable {
        /// The table, or the folder of all of them.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A merge could not be recomputed, for another reason than a conflict.
    #[error("could not recompute the merge of {oids}")]
    Merge {
        /// The commits, abbreviated.
        oids: String,
        /// What libgit2 said.
        #[source]
        source: git2::Error,
    },
    /// An object is larger than what is read of its kind.
    #[error("{kind} {oid} has {size} bytes, at most {limit} are read", kind = kind.name())]
    TooLarge {
        /// Its name.
        oid: Oid,
        /// What it is.
        kind: ObjectKind,
        /// How large it is, in bytes.
        size: u64,
        /// How large it may be.
        limit: usize,
    },
    /// A walk met more than it may.
    #[error("stopped after {limit} {what}")]
    Limit {
        /// Of what there were too many.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// The git program could not be run.
    #[error("could not run `git {verb}`")]
    Spawn {
        /// Its first argument.
        verb: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The git program is too old for this repository.
    #[error(
        "{what} need git {needs} or newer, and the `git` in PATH is {found}: put a newer one \
         first in the PATH of whoever runs this"
    )]
    GitTooOld {
        /// What it cannot read.
        what: &'static str,
        /// The first version that can.
        needs: &'static str,
        /// What it says of itself.
        found: String,
    },
    /// The git program failed.
    #[error("`git {verb}` failed: {stderr}")]
    Git {
        /// Its first argument.
        verb: &'static str,
        /// What it said, escaped.
        stderr: String,
    },
}
