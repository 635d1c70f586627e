//! Policy files that are kept in a repository: `git:REPO:REF:PATH`.
//!
//! What counts is the value that the ref has now. Before a push is accepted that is the value before
//! the push, also where a repository is guarded by what it holds itself. The repository is opened
//! as every one is, without anybody's configuration but its own; the objects of the push that is
//! being judged are not looked at.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::facts::change::FileMode;
use crate::facts::limits::Limits;
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::policy::POLICY_BYTES_MAX;
use crate::policy::place::GitPlace;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{Objects as _, RefValue};
use crate::store::open::{OpenAt, open};

/// Why a file cannot be taken from a repository. Words for operators.
#[derive(Debug, Error)]
pub enum Unread {
    /// The repository cannot be opened or read.
    #[error("the repository {} cannot be read", .0.display())]
    Store(PathBuf, #[source] StoreError),
    /// An object of it cannot be read.
    #[error("the repository {} cannot be read", .0.display())]
    Object(PathBuf, #[source] GatherError),
    /// It has files of a working tree beside it.
    #[error("the repository {} is not bare", .0.display())]
    NotBare(PathBuf),
    /// Its files can be changed past its gate.
    #[error("{0}")]
    Unsafe(String),
    /// The ref is not there, or is another name for one.
    #[error("{} {why}", .name)]
    Ref {
        /// The ref.
        name: Refname,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file is not there, or is none.
    #[error("{place} {why}")]
    File {
        /// Where it was looked for.
        place: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Repositories that policies were read from, each at one commit: all files of one policy are of
/// the same.
#[derive(Default)]
pub struct Committed {
    opened: HashMap<(PathBuf, Refname), (GitStore, Oid)>,
}

impl Committed {
    /// The bytes of a file.
    pub fn read(&mut self, place: &GitPlace) -> Result<Vec<u8>, Unread> {
        let at = (place.repository.clone(), place.refname.clone());
        if !self.opened.contains_key(&at) {
            self.opened.insert(at.clone(), opened(place)?);
        }
        let none = || file(place, "is not there");
        let (store, commit) = self.opened.get(&at).ok_or_else(none)?;
        let limits = Limits::default();
        let reader = Reader::new(store, &limits);
        let unread = |error| Unread::Object(place.repository.clone(), error);
        let side = reader.entry_at(commit, &place.path).map_err(unread)?.ok_or_else(none)?;
        match side.mode {
            FileMode::File | FileMode::Executable => {}
            FileMode::Symlink | FileMode::Gitlink => return Err(file(place, "is no file")),
        }
        let bytes = reader.small_blob(&side.oid, POLICY_BYTES_MAX).map_err(unread)?;
        bytes.ok_or_else(|| file(place, "is too large for a policy"))
    }
}

fn file(place: &GitPlace, why: &'static str) -> Unread {
    Unread::File { place: place.written().display().to_string(), why }
}

fn opened(place: &GitPlace) -> Result<(GitStore, Oid), Unread> {
    let (at, name) = (&place.repository, &place.refname);
    let unread = |error| Unread::Store(at.clone(), error);
    let store = open(&OpenAt::at_rest(at)).map_err(unread)?;
    let bare = store.config_values("core.bare").map_err(unread)?;
    if bare.last().is_some_and(|value| value.eq_ignore_ascii_case(b"false")) {
        return Err(Unread::NotBare(at.clone()));
    }
    guarded(store.common_dir(), name)?;
    let wrong = |why| Unread::Ref { name: name.clone(), why };
    let value = match store.read_ref(name).map_err(unread)? {
        RefValue::Direct(oid) => oid,
        RefValue::Absent => return Err(wrong("is not there")),
        RefValue::Symbolic(_) => return Err(wrong("is another name for a ref")),
    };
    let limits = Limits::default();
    let commit = Reader::new(&store, &limits)
        .peel_commit(&value)
        .map_err(|error| Unread::Object(at.clone(), error))?;
    let commit = commit.ok_or_else(|| wrong("names no commit"))?;
    Ok((store, commit))
}

/// What others may write is nobody's policy (threats G17): whoever can change the ref's file, or the
/// folder it is in, goes round the repository's gate.
fn guarded(repository: &Path, name: &Refname) -> Result<(), Unread> {
    let mut paths: Vec<PathBuf> =
        ["", "config", "packed-refs", "objects", "refs", "reftable", "reftable/tables.list"]
            .map(|inside| repository.join(inside))
            .into();
    let parts: Vec<&[u8]> = name.as_bytes().split(|&byte| byte == b'/').collect();
    for end in 2..=parts.len() {
        let inside = parts.get(..end).unwrap_or_default().join(&b'/');
        paths.push(repository.join(OsStr::from_bytes(&inside)));
    }
    let mine = rustix::process::geteuid().as_raw();
    for path in paths {
        let shown = path.display();
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Unread::Unsafe(format!("{shown}: {error}"))),
        };
        if meta.permissions().mode() & 0o022 != 0 {
            let why = format!("others may write {shown}, so the policy in it too: chmod go-w");
            return Err(Unread::Unsafe(why));
        }
        if meta.uid() != 0 && meta.uid() != mine {
            let why = format!("{shown} belongs to user {}, not to us or root", meta.uid());
            return Err(Unread::Unsafe(why));
        }
    }
    Ok(())
}
