//! Refs as files: loose ones, `packed-refs`, HEAD (gitrepository-layout(5)).
//!
//! Used by `gitstore`, and for one ref without it. Read here rather than by libgit2 because libgit2's way to refs leads
//! through the whole repository and its user's configuration; see `open`.
//!
//! A loose file wins over a packed line, and is read first: Git writes the packed line before it
//! takes the loose file away, so no ref is missed between the two.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::objects::{HeadValue, RefValue};
use crate::store::open::{Layout, is_absent, path_from};
use crate::store::packed::{self, Found};
use crate::store::refs::{OWN_PREFIXES, Refs};

/// How many bytes of a loose ref's file are read: more than any refname has.
const LOOSE_BYTES_MAX: u64 = 8192;

/// How deep folders of refs may be nested; a refname of 4,000 bytes has at most 2,000 parts.
const FOLDER_DEPTH_MAX: usize = 2048;

/// The files that hold a repository's refs.
pub(super) struct RefFiles {
    git_dir: PathBuf,
    common_dir: PathBuf,
    format: ObjectFormat,
    packed: Option<Packed>,
}

/// Loose refs by name; no value where what stands there is none.
type Loose = Vec<(Vec<u8>, Option<RefValue>)>;

/// What `packed-refs` held when it had this stamp.
struct Packed {
    stamp: Option<Stamp>,
    refs: BTreeMap<Vec<u8>, Oid>,
}

/// Tells one state of a file from another: Git replaces the file whole, by rename.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
}

impl RefFiles {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            git_dir: layout.git_dir.clone(),
            common_dir: layout.common_dir.clone(),
            format: layout.format,
            packed: None,
        }
    }

    fn packed_under(&mut self, prefix: &[u8]) -> Result<BTreeMap<Vec<u8>, RefValue>, StoreError> {
        let packed = self.packed()?.range(prefix.to_vec()..);
        let under = packed.take_while(|(name, _)| name.starts_with(prefix));
        Ok(under.map(|(name, oid)| (name.clone(), RefValue::Direct(*oid))).collect())
    }

    /// The folder that holds a ref.
    fn base(&self, name: &[u8]) -> &Path {
        if OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return &self.git_dir;
        }
        &self.common_dir
    }

    fn loose(&self, path: &Path, name: &[u8]) -> Result<RefValue, StoreError> {
        let failed = |source| StoreError::File { path: path.to_path_buf(), source };
        // Long ago symbolic refs were symbolic links, and Git still reads them.
        if let Ok(target) = fs::read_link(path) {
            let target = target.as_os_str().as_bytes().to_vec();
            if target.starts_with(b"refs/") {
                return Ok(RefValue::Symbolic(target));
            }
        }
        let bytes = match read_start(path) {
            Ok(bytes) => bytes,
            // A folder has the place: `refs/heads/a` beside `refs/heads/a/b`, or an empty one.
            Err(source) if is_absent(&source) || is_folder(&source) => {
                return Ok(RefValue::Absent);
            }
            Err(source) => return Err(failed(source)),
        };
        parse_loose(self.format, &bytes).ok_or_else(|| StoreError::BrokenRef { name: name.into() })
    }

    /// Every loose ref below the last folder that the prefix names; no value where it is broken.
    fn loose_under(&self, prefix: &[u8]) -> Result<Loose, StoreError> {
        let folder_len = prefix.iter().rposition(|&b| b == b'/').unwrap_or(0);
        let mut folders = vec![(prefix[..folder_len].to_vec(), 0)];
        if folder_len == 0 {
            folders = vec![(b"refs".to_vec(), 0)];
        }
        let mut found = Vec::new();
        while let Some((folder, depth)) = folders.pop() {
            if depth > FOLDER_DEPTH_MAX {
                let what = "nested folders of refs";
                return Err(StoreError::Limit { what, limit: FOLDER_DEPTH_MAX });
            }
            for (name, is_folder) in self.children(&folder)? {
                let leads_there = name.starts_with(prefix) || prefix.starts_with(&name);
                if !leads_there {
                    continue;
                }
                if is_folder {
                    folders.push((name, depth + 1));
                } else if Refname::parse(&name).is_some() {
                    let path = self.base(&name).join(path_from(&name));
                    let value = match self.loose(&path, &name) {
                        Ok(value) => Some(value),
                        Err(StoreError::BrokenRef { .. }) => None,
                        Err(error) => return Err(error),
                    };
                    found.push((name, value));
                }
            }
        }
        found.retain(|(name, _)| name.starts_with(prefix));
        Ok(found)
    }

    /// The full names of what stands in a folder of refs, and whether each is a folder.
    fn children(&self, folder: &[u8]) -> Result<Vec<(Vec<u8>, bool)>, StoreError> {
        let mut slashed = folder.to_vec();
        slashed.push(b'/');
        let path = self.base(&slashed).join(path_from(folder));
        let failed = |source| StoreError::File { path: path.clone(), source };
        let listing = match fs::read_dir(&path) {
            Ok(listing) => listing,
            Err(source) if is_absent(&source) => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut children = Vec::new();
        for child in listing {
            let child = child.map_err(failed)?;
            let mut name = slashed.clone();
            name.extend_from_slice(child.file_name().as_bytes());
            children.push((name, child.file_type().map_err(failed)?.is_dir()));
        }
        Ok(children)
    }

    /// What `packed-refs` has for one ref. A large file is not read for that.
    fn packed_value(&mut self, name: &[u8]) -> Result<Option<Oid>, StoreError> {
        let path = self.common_dir.join("packed-refs");
        let stamp = stamp_of(&path)?;
        let large = stamp.is_some_and(|stamp| stamp.size_bytes >= packed::HALVED_BYTES_MIN);
        let known = self.packed.as_ref().is_some_and(|packed| packed.stamp == stamp);
        if large && !known {
            let found = fs::File::open(&path).and_then(|it| packed::find(&it, self.format, name));
            match found.map_err(|source| StoreError::File { path, source })? {
                Found::Value(oid) => return Ok(Some(oid)),
                Found::Absent => return Ok(None),
                Found::Unsure => {}
            }
        }
        Ok(self.packed()?.get(name).copied())
    }

    /// What `packed-refs` holds now.
    fn packed(&mut self) -> Result<&BTreeMap<Vec<u8>, Oid>, StoreError> {
        let path = self.common_dir.join("packed-refs");
        let stamp = stamp_of(&path)?;
        let current = self.packed.take().filter(|packed| packed.stamp == stamp);
        let packed = match (current, stamp) {
            (Some(packed), _) => packed,
            (None, None) => Packed { stamp, refs: BTreeMap::new() },
            (None, Some(_)) => {
                let bytes = fs::read(&path)
                    .map_err(|source| StoreError::File { path: path.clone(), source })?;
                let refs = parse_packed(self.format, &bytes)
                    .map_err(|line| StoreError::BrokenPackedRefs { path, line })?;
                Packed { stamp, refs }
            }
        };
        Ok(&self.packed.insert(packed).refs)
    }
}

/// What a ref holds, one step far, in a repository that keeps its refs as files and has one worktree
/// only, without opening it.
///
/// # Errors
/// As for a repository that is open.
pub fn value_in(
    git_dir: &Path,
    format: ObjectFormat,
    name: &Refname,
) -> Result<RefValue, StoreError> {
    let (git_dir, common_dir) = (git_dir.to_owned(), git_dir.to_owned());
    RefFiles { git_dir, common_dir, format, packed: None }.read(name)
}

impl Refs for RefFiles {
    fn read(&mut self, name: &Refname) -> Result<RefValue, StoreError> {
        let bytes = name.as_bytes();
        match self.loose(&self.base(bytes).join(path_from(bytes)), bytes)? {
            RefValue::Absent => {}
            value @ (RefValue::Direct(_) | RefValue::Symbolic(_)) => return Ok(value),
        }
        let oid = self.packed_value(bytes)?;
        Ok(oid.map_or(RefValue::Absent, RefValue::Direct))
    }

    fn head(&mut self) -> Result<HeadValue, StoreError> {
        match self.loose(&self.common_dir.join("HEAD"), b"HEAD") {
            Ok(RefValue::Direct(oid)) => Ok(HeadValue::Detached(oid)),
            Ok(RefValue::Symbolic(name)) => {
                Ok(Refname::parse(&name).map_or(HeadValue::Unreadable, HeadValue::Branch))
            }
            Ok(RefValue::Absent) | Err(StoreError::BrokenRef { .. }) => Ok(HeadValue::Unreadable),
            Err(error) => Err(error),
        }
    }

    fn under(&mut self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError> {
        let loose = self.loose_under(prefix)?;
        let mut found = self.packed_under(prefix)?;
        for (name, value) in loose {
            let value = value.ok_or_else(|| StoreError::BrokenRef { name: name.clone() })?;
            found.insert(name, value);
        }
        let direct = found.into_iter().filter_map(|(name, value)| match value {
            RefValue::Direct(oid) => Some((Refname::parse(&name)?, oid)),
            RefValue::Absent | RefValue::Symbolic(_) => None,
        });
        Ok(direct.collect())
    }

    fn all(&mut self) -> Result<Vec<(Refname, Oid)>, StoreError> {
        let zero = Oid::zero(self.format);
        let loose = self.loose_under(b"refs/")?;
        let mut found = self.packed_under(b"refs/")?;
        found.extend(
            loose.into_iter().map(|(name, value)| (name, value.unwrap_or(RefValue::Direct(zero)))),
        );
        let values = found.into_iter().filter_map(|(name, value)| {
            let value = match value {
                RefValue::Direct(oid) => oid,
                RefValue::Absent | RefValue::Symbolic(_) => zero,
            };
            Some((Refname::parse(&name)?, value))
        });
        Ok(values.collect())
    }
}

fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LOOSE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::IsADirectory
}

fn stamp_of(path: &Path) -> Result<Option<Stamp>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stamp {
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })),
        Err(source) if is_absent(&source) => Ok(None),
        Err(source) => Err(StoreError::File { path: path.to_path_buf(), source }),
    }
}

/// Reads the content of a loose ref as Git's parse_loose_ref_contents does.
fn parse_loose(format: ObjectFormat, bytes: &[u8]) -> Option<RefValue> {
    if let Some(target) = bytes.strip_prefix(b"ref:") {
        return Some(RefValue::Symbolic(target.trim_ascii().to_vec()));
    }
    let (hex, rest) = bytes.split_at_checked(format.len_hex())?;
    if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return None;
    }
    Oid::from_hex(&hex.to_ascii_lowercase()).map(RefValue::Direct)
}

/// Reads `packed-refs`. The error is the number of the line that is wrong.
fn parse_packed(format: ObjectFormat, bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Oid>, usize> {
    let mut refs = Vec::new();
    for (at, line) in bytes.split(|&b| b == b'\n').enumerate() {
        // A header, what the tag in the line before peels to, or the end of the file.
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"^") {
            continue;
        }
        let (hex, rest) = line.split_at_checked(format.len_hex()).ok_or(at + 1)?;
        let name = rest.strip_prefix(b" ").ok_or(at + 1)?;
        refs.push((name.to_vec(), Oid::from_hex(hex).ok_or(at + 1)?));
    }
    // Sorted as it nearly always is, this is linear.
    Ok(refs.into_iter().collect())
}
