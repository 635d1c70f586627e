//! Opens a repository the way a hook has to.
//!
//! libgit2 is given object folders and nothing else: it never sees the repository as such, so no
//! user's or system's configuration, no grafts, no replace refs, no index and no attributes file
//! of the repository can change what is read, and a HOME that cannot be read does no harm. The
//! repository's own configuration is read from its file alone. (`git2`'s own way to switch the
//! other levels off is unsafe.) Every object folder is added as an alternate, to which libgit2
//! never writes; what is computed goes to memory.
//!
//! Refused here: formats that cannot be read, and whatever makes history look other than it is
//! (grafts, shallow). In a partial clone what was left out is missing, and never fetched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel};

use crate::names::escape::escape;
use crate::names::oid::ObjectFormat;
use crate::store::alternates::{borrowed, lent};
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::refs::RefFormat;
use crate::store::settings::Settings;

/// Where a repository is and how it is met.
#[derive(Clone, Debug)]
pub struct OpenAt {
    /// `GIT_DIR`: a bare repository, a `.git` folder, or a worktree's folder below it.
    pub git_dir: PathBuf,
    /// `GIT_OBJECT_DIRECTORY` inside `pre-receive`: where the push's objects are.
    pub quarantine: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`: where the server has more objects, and the folder that
    /// relative paths in it begin at.
    pub lent: Option<(Vec<u8>, PathBuf)>,
    /// Whether `GIT_SHALLOW_FILE` is set: the push would cut history off.
    pub shallow_file: bool,
}

impl OpenAt {
    /// A repository that is met outside a push.
    pub fn at_rest(git_dir: impl Into<PathBuf>) -> Self {
        Self { git_dir: git_dir.into(), quarantine: None, lent: None, shallow_file: false }
    }
}

/// The repository's folders, found and checked.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Where HEAD is.
    pub(super) git_dir: PathBuf,
    /// Where refs, objects and the configuration are; other than `git_dir` in a worktree.
    pub(super) common_dir: PathBuf,
    /// The repository's own object folder.
    pub(super) objects: PathBuf,
    /// The push's object folder.
    pub(super) quarantine: Option<PathBuf>,
    /// Object folders that `objects` borrows from, by its `info/alternates`.
    pub(super) borrowed: Vec<PathBuf>,
    /// Object folders that the environment names. What lies there can be read, but does not count
    /// as having been here: whoever reaches the environment must not make it so.
    pub(super) lent: Vec<PathBuf>,
    /// How objects are named.
    pub(super) format: ObjectFormat,
    /// How refs are kept.
    pub(super) ref_format: RefFormat,
    /// The setting that makes it a partial clone, if it is one.
    pub(super) partial: Option<String>,
}

/// What the configuration says of how the repository is to be read.
struct Formats {
    objects: ObjectFormat,
    refs: RefFormat,
    partial: Option<String>,
}

/// Opens a repository for reading.
///
/// # Errors
/// `NotARepository`, `UnsupportedFormat`, `Grafts`, `Shallow`, `ShallowPush` for what must not be
/// read; `File`, `Config`, `Database` for what could not be.
pub fn open(at: &OpenAt) -> Result<GitStore, StoreError> {
    if at.shallow_file {
        return Err(StoreError::ShallowPush);
    }
    let common_dir = common_dir(&at.git_dir)?;
    let objects = common_dir.join("objects");
    // Git's own test (is_git_directory): without these three it is something else.
    require(&at.git_dir, at.git_dir.join("HEAD"), "HEAD")?;
    require(&at.git_dir, common_dir.join("refs"), "refs")?;
    require(&at.git_dir, objects.clone(), "objects")?;
    let (settings, formats) = config(&at.git_dir, &common_dir)?;
    refuse_false_history(&common_dir)?;
    let layout = Layout {
        git_dir: at.git_dir.clone(),
        borrowed: borrowed(&objects)?,
        lent: match &at.lent {
            Some((value, directory)) => lent(value, directory)?,
            None => Vec::new(),
        },
        quarantine: at.quarantine.clone(),
        common_dir,
        objects,
        format: formats.objects,
        ref_format: formats.refs,
        partial: formats.partial,
    };
    Ok(GitStore::new(layout, settings))
}

/// Where what all worktrees share is kept (gitrepository-layout(5), `commondir`).
fn common_dir(git_dir: &Path) -> Result<PathBuf, StoreError> {
    let path = git_dir.join("commondir");
    match fs::read(&path) {
        Ok(bytes) => {
            let text = bytes.trim_ascii_end();
            Ok(git_dir.join(path_from(text)))
        }
        Err(source) if is_absent(&source) => Ok(git_dir.to_path_buf()),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

/// The path that these bytes name.
pub(super) fn path_from(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// Whether a file is not there, as opposed to unreadable.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn require(git_dir: &Path, path: PathBuf, lacks: &'static str) -> Result<(), StoreError> {
    match fs::symlink_metadata(&path) {
        Ok(_) => Ok(()),
        Err(source) if is_absent(&source) => {
            Err(StoreError::NotARepository { path: git_dir.to_path_buf(), lacks })
        }
        Err(source) => Err(StoreError::File { path, source }),
    }
}

fn refuse_false_history(common_dir: &Path) -> Result<(), StoreError> {
    let grafts = common_dir.join("info").join("grafts");
    if is_there(&grafts)? {
        return Err(StoreError::Grafts { path: grafts });
    }
    let shallow = common_dir.join("shallow");
    // Git leaves an empty file behind when a repository stops being shallow.
    if is_there(&shallow)? {
        return Err(StoreError::Shallow { path: shallow });
    }
    Ok(())
}

/// Whether a file is there and holds anything.
fn is_there(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(source) if is_absent(&source) => Ok(false),
        Err(source) => Err(StoreError::File { path: path.to_path_buf(), source }),
    }
}

/// Reads the repository's own configuration and the formats in it.
fn config(git_dir: &Path, common_dir: &Path) -> Result<(Settings, Formats), StoreError> {
    let path = common_dir.join("config");
    // libgit2 takes a file that it may not read for one that is not there.
    match fs::File::open(&path) {
        Ok(_) => {}
        Err(source) if is_absent(&source) => {}
        Err(source) => return Err(StoreError::File { path, source }),
    }
    let mut config = Config::open(&path).map_err(StoreError::Config)?;
    let settings = Settings::read(&config)?;
    let formats = check_formats(&config, &settings)?;
    if flag(&config, "extensions.worktreeconfig")? {
        let path = git_dir.join("config.worktree");
        config.add_file(&path, ConfigLevel::Worktree, false).map_err(StoreError::Config)?;
        return Ok((Settings::read(&config)?, formats));
    }
    Ok((settings, formats))
}

/// Refuses what gitrepository-layout(5) and git-config(1), `extensions.*`, allow and we cannot
/// read.
fn check_formats(config: &Config, settings: &Settings) -> Result<Formats, StoreError> {
    let version = match config.get_i64("core.repositoryformatversion") {
        Ok(version) => version,
        Err(error) if error.code() == git2::ErrorCode::NotFound => 0,
        Err(error) => return Err(StoreError::Config(error)),
    };
    if !(0..=1).contains(&version) {
        return Err(unsupported("core.repositoryformatversion", version.to_string().as_bytes()));
    }
    let mut formats =
        Formats { objects: ObjectFormat::Sha1, refs: RefFormat::Files, partial: None };
    for (name, value) in settings.below("extensions.") {
        let name = String::from_utf8_lossy(name).into_owned();
        let extension = name.strip_prefix("extensions.").unwrap_or(&name);
        let value_lower = value.to_ascii_lowercase();
        match (extension, value_lower.as_slice()) {
            // Git heeds these in every version.
            ("noop" | "preciousobjects" | "worktreeconfig", _) => {}
            ("partialclone", _) => formats.partial = Some(name),
            // An unknown one in version 0 means nothing to Git.
            ("noop-v1" | "relativeworktrees", _) if version == 1 => {}
            ("objectformat", b"sha1") if version == 1 => formats.objects = ObjectFormat::Sha1,
            ("objectformat", b"sha256") if version == 1 => formats.objects = ObjectFormat::Sha256,
            ("refstorage", b"files") if version == 1 => formats.refs = RefFormat::Files,
            ("refstorage", b"reftable") if version == 1 => formats.refs = RefFormat::Reftable,
            // Objects have a second name then, which nothing here asks for.
            ("compatobjectformat", b"sha1" | b"sha256") if version == 1 => {}
            ("objectformat" | "refstorage" | "compatobjectformat", _) => {
                return Err(unsupported(&name, value));
            }
            (_, _) if version == 0 => {}
            (_, _) => return Err(unsupported(&name, value)),
        }
    }
    for (name, value) in settings.below("remote.") {
        if name.ends_with(b".promisor") && is_true(value) {
            formats.partial = Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    Ok(formats)
}

fn unsupported(name: &str, value: &[u8]) -> StoreError {
    StoreError::UnsupportedFormat { what: format!("{name} = {}", escape(value)) }
}

fn flag(config: &Config, name: &str) -> Result<bool, StoreError> {
    match config.get_bool(name) {
        Ok(value) => Ok(value),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
        Err(error) => Err(StoreError::Config(error)),
    }
}

/// A key without a value is true (git-config(1)); what is no boolean is taken for true as well:
/// it changes nothing but the words about a missing object.
fn is_true(value: &[u8]) -> bool {
    !matches!(value.to_ascii_lowercase().as_slice(), b"false" | b"no" | b"off" | b"0")
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
