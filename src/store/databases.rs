//! The objects of a repository, as libgit2 reads them: opened when the first is asked for, since a
//! hook that only looks at refs and log needs none.

use std::cell::OnceCell;
use std::fs::File;

use git2::{Odb, Repository};

use crate::store::error::StoreError;
use crate::store::libgit2::{git2_format, libgit2_path, merger};
use crate::store::open::Layout;

/// Before the folders (libgit2 asks backends by falling priority), so that computed objects are
/// found first and writing never looks further.
const MEMORY_PRIORITY: i32 = 1000;

/// The databases of one repository.
pub(super) struct Databases {
    /// All objects: the repository's, the push's, and what was computed.
    pub(super) all: Odb<'static>,
    /// The repository's own objects and those of its alternates.
    pub(super) own: Odb<'static>,
    merger: OnceCell<Repository>,
    format: git2::ObjectFormat,
    /// Folders that libgit2 knows by their descriptor; see `libgit2_path`.
    _held: Vec<File>,
}

impl Databases {
    /// Opens them.
    ///
    /// # Errors
    /// `File`, `Database` for folders that cannot be read.
    pub(super) fn open(layout: &Layout) -> Result<Self, StoreError> {
        // Git has hashed every object when it took it in. Hashing again would double the reading.
        git2::opts::strict_hash_verification(false);
        let mut held = Vec::new();
        let format = git2_format(layout.format);
        let database = |source| StoreError::Database { path: layout.objects.clone(), source };

        let own = Odb::new_ext(format).map_err(database)?;
        let all = Odb::new_ext(format).map_err(database)?;
        all.add_new_mempack_backend(MEMORY_PRIORITY).map_err(database)?;
        // libgit2 finds most of the borrowed ones by itself, and takes none twice.
        let ours = std::iter::once(&layout.objects).chain(&layout.borrowed);
        for folder in ours.clone().chain(&layout.quarantine).chain(&layout.lent) {
            let path = libgit2_path(folder, &mut held)?;
            all.add_disk_alternate(&path).map_err(database)?;
        }
        for folder in ours {
            own.add_disk_alternate(&libgit2_path(folder, &mut held)?).map_err(database)?;
        }
        Ok(Self { all, own, merger: OnceCell::new(), format, _held: held })
    }

    /// A repository in memory around `all`, for merges.
    pub(super) fn merger(&self) -> Result<&Repository, git2::Error> {
        if let Some(merger) = self.merger.get() {
            return Ok(merger);
        }
        let made = merger(&self.all, self.format)?;
        Ok(self.merger.get_or_init(|| made))
    }
}
