//! `Objects` by libgit2, and refs by what they are kept as.
//!
//! Made by `open`. One of these belongs to one thread; opening another is cheap (a configuration
//! file, a folder of packs). Objects that a recomputed merge makes live in memory, in front of the
//! folders, and go with this value.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Index, MergeOptions, ObjectType, OdbLookupFlags};

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::store::catfile::{Object, Part};
use crate::store::databases::Databases;
use crate::store::error::StoreError;
use crate::store::libgit2::{git2_oid, interim_commit, kind_of, merge_error, unknown_kind};
use crate::store::objects::{CONFLICTS_MAX, HeadValue, Merged, ObjectKind, Objects, RefValue};
use crate::store::open::Layout;
use crate::store::reffiles::RefFiles;
use crate::store::refs::{RefFormat, Refs};
use crate::store::reftables::RefTables;
use crate::store::settings::Settings;
use crate::store::view::View;

/// An open repository.
pub struct GitStore {
    layout: Layout,
    databases: OnceCell<Databases>,
    settings: Settings,
    refs: RefCell<Box<dyn Refs>>,
    view: RefCell<Option<View>>,
}

impl GitStore {
    pub(super) fn new(layout: Layout, settings: Settings) -> Self {
        let refs: Box<dyn Refs> = match layout.ref_format {
            RefFormat::Files => Box::new(RefFiles::new(&layout)),
            RefFormat::Reftable => Box::new(RefTables::new(&layout)),
        };
        let (refs, view) = (RefCell::new(refs), RefCell::new(None));
        Self { layout, databases: OnceCell::new(), settings, refs, view }
    }

    fn databases(&self) -> Result<&Databases, StoreError> {
        if let Some(databases) = self.databases.get() {
            return Ok(databases);
        }
        let opened = Databases::open(&self.layout)?;
        Ok(self.databases.get_or_init(|| opened))
    }

    /// Where HEAD and the like are.
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }

    /// Where refs, configuration and objects are; in a worktree not `git_dir`.
    pub fn common_dir(&self) -> &Path {
        &self.layout.common_dir
    }

    /// How the repository keeps its refs.
    pub fn ref_format(&self) -> RefFormat {
        self.layout.ref_format
    }

    /// The setting that makes it a partial clone, if it is one.
    pub fn left_out(&self) -> Option<&str> {
        self.layout.partial.as_deref()
    }

    /// The object folders, the push's first if there is one, those borrowed from last.
    pub fn object_dirs(&self) -> Vec<PathBuf> {
        let Layout { quarantine, objects, borrowed, lent, .. } = &self.layout;
        quarantine.iter().chain([objects]).chain(borrowed).chain(lent).cloned().collect()
    }

    /// Every ref with its value; zero for one that is another name for a ref, or that cannot be
    /// told because what stands in its place is no value.
    pub fn all_refs(&self) -> Result<Vec<(Refname, Oid)>, StoreError> {
        self.refs.borrow_mut().all()
    }

    fn fold(databases: &Databases, commits: &[Oid], renames: bool) -> Result<Merged, git2::Error> {
        let merger = databases.merger()?;
        let Some((first, rest)) = commits.split_first() else {
            return Err(git2::Error::from_str("there is nothing to merge"));
        };
        let mut ours = merger.find_commit(git2_oid(first)?)?;
        let mut tree = ours.tree_id();
        for (at, other) in rest.iter().enumerate() {
            let theirs = merger.find_commit(git2_oid(other)?)?;
            let mut options = MergeOptions::new();
            options.find_renames(renames);
            let mut index = merger.merge_commits(&ours, &theirs, Some(&options))?;
            if index.has_conflicts() {
                return Ok(Merged::Conflict(conflicts(&index)?));
            }
            tree = index.write_tree_to(merger)?;
            if at + 1 < rest.len() {
                // The next parent's merge base has to take this step into account.
                let raw = interim_commit(tree, &ours.id(), &theirs.id());
                let oid = databases.all.write(ObjectType::Commit, &raw)?;
                ours = merger.find_commit(oid)?;
            }
        }
        let tree = Oid::from_bytes(tree.as_bytes());
        tree.map(Merged::Clean).ok_or_else(|| git2::Error::from_str("a tree without a name"))
    }
}

/// Paths in conflict, sorted, each once.
fn conflicts(index: &Index) -> Result<Vec<RepoPath>, git2::Error> {
    let mut paths = BTreeSet::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let sides = [conflict.our, conflict.their, conflict.ancestor];
        paths.extend(sides.into_iter().flatten().next().map(|entry| RepoPath::new(entry.path)));
    }
    Ok(paths.into_iter().take(CONFLICTS_MAX).collect())
}

impl Objects for GitStore {
    fn format(&self) -> ObjectFormat {
        self.layout.format
    }

    fn read(&self, oid: &Oid) -> Result<Option<(ObjectKind, Vec<u8>)>, StoreError> {
        if *oid == self.layout.format.empty_tree() {
            return Ok(Some((ObjectKind::Tree, Vec::new())));
        }
        let Some(name) = self.name_of(oid)? else { return Ok(None) };
        match self.databases()?.all.read(name) {
            Ok(object) => match kind_of(object.kind()) {
                Some(kind) => Ok(Some((kind, object.data().to_vec()))),
                None => Err(unknown_kind(oid)),
            },
            Err(source) => self.by_git(oid, source, Part::Whole, |(kind, _, bytes)| (kind, bytes)),
        }
    }

    fn header(&self, oid: &Oid) -> Result<Option<(ObjectKind, u64)>, StoreError> {
        if *oid == self.layout.format.empty_tree() {
            return Ok(Some((ObjectKind::Tree, 0)));
        }
        let Some(name) = self.name_of(oid)? else { return Ok(None) };
        match self.databases()?.all.read_header(name) {
            Ok((size, kind)) => match kind_of(kind) {
                // No object is larger than 2^64 bytes.
                Some(kind) => Ok(Some((kind, size as u64))),
                None => Err(unknown_kind(oid)),
            },
            Err(source) => self.by_git(oid, source, Part::Header, |(kind, size, _)| (kind, size)),
        }
    }

    fn was_here(&self, oid: &Oid) -> Result<bool, StoreError> {
        let Some(name) = self.name_of(oid)? else { return Ok(false) };
        // `exists` says "no" when reading fails; "no" is the answer that refuses.
        let databases = self.databases()?;
        if databases.own.exists_ext(name, OdbLookupFlags::NO_REFRESH) {
            return Ok(true);
        }
        // What stands in the push's folder and not in the others came with the push. Only for what
        // is in neither are the folders listed again: somebody may be packing them.
        let came = self.layout.quarantine.is_some()
            && databases.all.exists_ext(name, OdbLookupFlags::NO_REFRESH);
        Ok(!came && databases.own.exists(name))
    }

    fn missing(&self, oid: &Oid) -> StoreError {
        match &self.layout.partial {
            Some(setting) => StoreError::LeftOut { oid: *oid, setting: setting.clone() },
            None => StoreError::Missing { oid: *oid },
        }
    }

    fn read_ref(&self, name: &Refname) -> Result<RefValue, StoreError> {
        self.refs.borrow_mut().read(name)
    }

    fn head(&self) -> Result<HeadValue, StoreError> {
        self.refs.borrow_mut().head()
    }

    fn refs_under(&self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError> {
        self.refs.borrow_mut().under(prefix)
    }

    fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, StoreError> {
        let failed = |source| merge_error(&[*one, *other], source);
        let (a, b) = (git2_oid(one).map_err(failed)?, git2_oid(other).map_err(failed)?);
        match self.databases()?.merger().map_err(failed)?.merge_bases(a, b) {
            Ok(bases) => Ok(bases.iter().filter_map(|b| Oid::from_bytes(b.as_bytes())).collect()),
            Err(error) if error.code() == ErrorCode::NotFound => {
                // libgit2 says "not found" for unrelated histories and for missing commits.
                for oid in [one, other] {
                    if self.header(oid)?.is_none() {
                        return Err(self.missing(oid));
                    }
                }
                Ok(Vec::new())
            }
            Err(error) => {
                let by_git = self.through_git(|view| view.merge_bases(one, other));
                by_git.map_err(|_| failed(error))
            }
        }
    }

    fn merged_tree(&self, commits: &[Oid], renames: bool) -> Result<Merged, StoreError> {
        let source = match Self::fold(self.databases()?, commits, renames) {
            Ok(merged) => return Ok(merged),
            Err(source) => source,
        };
        // Where libgit2 cannot read what is to be merged, git may.
        if let [ours, theirs] = commits
            && renames
            && let Ok(Some(merged)) = self.merged_tree_by_git(ours, theirs)
        {
            return Ok(merged);
        }
        Err(merge_error(commits, source))
    }

    fn merged_tree_by_git(&self, ours: &Oid, theirs: &Oid) -> Result<Option<Merged>, StoreError> {
        self.through_git(|view| view.merge(ours, theirs))
    }

    fn not_reachable_from(&self, tips: &[Oid], commits: &[Oid]) -> Result<Vec<Oid>, StoreError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let mut there = Vec::with_capacity(tips.len());
        for tip in tips {
            match self.header(tip)? {
                Some((ObjectKind::Commit | ObjectKind::Tag, _)) => there.push(*tip),
                Some((ObjectKind::Tree | ObjectKind::Blob, _)) | None => {}
            }
        }
        let beyond = self.through_git(|view| view.reachable_only(commits, &there))?;
        let beyond: HashSet<Oid> = beyond.into_iter().collect();
        Ok(commits.iter().filter(|oid| beyond.contains(oid)).copied().collect())
    }

    fn merged_blob(&self, base: &Oid, ours: &Oid, theirs: &Oid) -> Result<Option<Oid>, StoreError> {
        let mut versions = Vec::with_capacity(3);
        for oid in [base, ours, theirs] {
            match self.header(oid)? {
                Some((ObjectKind::Blob, size)) if size <= MERGED_FILE_BYTES_MAX => {}
                Some(_) => return Ok(None),
                None => return Err(self.missing(oid)),
            }
            match self.read(oid)? {
                Some((_, bytes)) if !is_binary(&bytes) => versions.push(bytes),
                Some(_) => return Ok(None),
                None => return Err(self.missing(oid)),
            }
        }
        let failed = |source| merge_error(&[*base, *ours, *theirs], source);
        let inputs = versions.iter().map(|bytes| {
            let mut input = git2::MergeFileInput::new();
            input.content(bytes);
            input
        });
        let inputs: Vec<_> = inputs.collect();
        let [base, ours, theirs] = inputs.as_slice() else { return Ok(None) };
        let merged = git2::merge_file(base, ours, theirs, None).map_err(failed)?;
        if !merged.is_automergeable() {
            return Ok(None);
        }
        let written =
            self.databases()?.all.write(ObjectType::Blob, merged.content()).map_err(failed)?;
        Ok(Oid::from_bytes(written.as_bytes()))
    }

    fn config_values(&self, key: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.settings.values(key).map(<[u8]>::to_vec).collect())
    }
}

impl GitStore {
    /// What git has of an object that libgit2 does not find or cannot read.
    fn by_git<T>(
        &self,
        oid: &Oid,
        source: git2::Error,
        part: Part,
        wanted: impl FnOnce(Object) -> T,
    ) -> Result<Option<T>, StoreError> {
        match self.through_git(|view| view.object(oid, part))? {
            Some(object) => Ok(Some(wanted(object))),
            None if source.code() == ErrorCode::NotFound => Ok(None),
            // It is there and neither can read it.
            None => Err(StoreError::Object { oid: *oid, source }),
        }
    }

    /// Asks the git program. Its folder is made when it is first needed, and kept.
    fn through_git<T>(
        &self,
        ask: impl FnOnce(&View) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut kept = self.view.borrow_mut();
        let view = match kept.take() {
            Some(view) => view,
            None => View::new(self.layout.format, &self.object_dirs())?,
        };
        ask(kept.insert(view))
    }

    /// libgit2's form of a name, or `None` for one that no object here can have.
    fn name_of(&self, oid: &Oid) -> Result<Option<git2::Oid>, StoreError> {
        if oid.format() != self.layout.format || oid.is_zero() {
            return Ok(None);
        }
        git2_oid(oid).map(Some).map_err(|source| StoreError::Object { oid: *oid, source })
    }
}

/// What Git looks at to tell text from binary (buffer_is_binary in its xdiff-interface.c).
const BINARY_PROBE_BYTES: usize = 8000;

/// How large a file may be for its lines to be merged, whatever a policy says. Larger ones count as
/// a conflict.
const MERGED_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(BINARY_PROBE_BYTES).any(|&byte| byte == 0)
}
