//! What the store and libgit2 have to say to each other: names, kinds, paths, errors.
//!
//! Used by `gitstore`.

use std::fs::File;
use std::path::Path;

use git2::{Config, Index, ObjectType, Odb, Repository};

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::error::StoreError;
use crate::store::objects::ObjectKind;

/// A repository that is nothing but these objects: no folder, an empty configuration, an empty
/// index. Without the last two libgit2 would look for them on disk.
pub(super) fn merger(all: &Odb<'_>, format: git2::ObjectFormat) -> Result<Repository, git2::Error> {
    let repository = Repository::from_odb(Odb::new_ext(format)?)?;
    repository.set_odb(all)?;
    repository.set_config(&Config::new()?)?;
    repository.set_index(&mut Index::new_ext(format)?)?;
    Ok(repository)
}

/// The folder's path as libgit2's binding takes it. A path that is not UTF-8 is opened and named by
/// its descriptor, which has to stay open as long as the path is used.
pub(super) fn libgit2_path(folder: &Path, held: &mut Vec<File>) -> Result<String, StoreError> {
    // libgit2 passes over a folder that is not there without a word.
    let file =
        File::open(folder).map_err(|source| StoreError::File { path: folder.into(), source })?;
    if let Some(path) = folder.to_str() {
        return Ok(path.to_owned());
    }
    use std::os::fd::AsRawFd as _;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    held.push(file);
    Ok(path)
}

pub(super) fn interim_commit(tree: git2::Oid, ours: &git2::Oid, theirs: &git2::Oid) -> Vec<u8> {
    let ident = "interim <> 0 +0000";
    format!("tree {tree}\nparent {ours}\nparent {theirs}\nauthor {ident}\ncommitter {ident}\n\n")
        .into_bytes()
}

pub(super) fn merge_error(commits: &[Oid], source: git2::Error) -> StoreError {
    let oids = commits.iter().map(Oid::short).collect::<Vec<_>>().join(", ");
    StoreError::Merge { oids, source }
}

pub(super) fn unknown_kind(oid: &Oid) -> StoreError {
    let source = git2::Error::from_str("it is of no known kind");
    StoreError::Object { oid: *oid, source }
}

pub(super) fn git2_format(format: ObjectFormat) -> git2::ObjectFormat {
    match format {
        ObjectFormat::Sha1 => git2::ObjectFormat::Sha1,
        ObjectFormat::Sha256 => git2::ObjectFormat::Sha256,
    }
}

pub(super) fn git2_oid(oid: &Oid) -> Result<git2::Oid, git2::Error> {
    git2::Oid::from_bytes(oid.as_bytes())
}

pub(super) fn kind_of(kind: ObjectType) -> Option<ObjectKind> {
    match kind {
        ObjectType::Commit => Some(ObjectKind::Commit),
        ObjectType::Tree => Some(ObjectKind::Tree),
        ObjectType::Blob => Some(ObjectKind::Blob),
        ObjectType::Tag => Some(ObjectKind::Tag),
        ObjectType::Any => None,
    }
}
