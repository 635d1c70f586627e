//! A scratch repository for tests, written by libgit2 and questioned with git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{HeadValue, Merged, ObjectKind, Objects, RefValue};
use crate::store::open::{OpenAt, open};

/// A bare repository that vanishes with this value.
pub(crate) struct Scratch {
    _folder: TempDir,
    dir: PathBuf,
    writer: git2::Repository,
}

impl Scratch {
    pub(crate) fn new(format: ObjectFormat) -> Self {
        Self::named(format, "repo.git")
    }

    pub(crate) fn named(format: ObjectFormat, name: impl AsRef<Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        let format = format!("--object-format={}", format.name());
        git(&dir, &["init", "--quiet", "--bare", "--initial-branch=main", &format], b"");
        let writer = git2::Repository::open_bare(&dir).unwrap();
        Self { _folder: folder, dir, writer }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn store(&self) -> GitStore {
        open(&OpenAt::at_rest(&self.dir)).unwrap()
    }

    pub(crate) fn git(&self, args: &[&str]) -> Vec<u8> {
        git(&self.dir, args, b"")
    }

    pub(crate) fn git_with(&self, args: &[&str], stdin: &[u8]) -> Vec<u8> {
        git(&self.dir, args, stdin)
    }

    pub(crate) fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Oid {
        let kind = git2::ObjectType::from_str(kind.name()).unwrap();
        let oid = self.writer.odb().unwrap().write(kind, bytes).unwrap();
        Oid::from_bytes(oid.as_bytes()).unwrap()
    }

    pub(crate) fn blob(&self, text: &str) -> Oid {
        self.write(ObjectKind::Blob, text.as_bytes())
    }

    /// Writes a tree of exactly these entries, in this order.
    pub(crate) fn raw_tree(&self, entries: &[(&str, &[u8], Oid)]) -> Oid {
        let mut raw = Vec::new();
        for (octal, name, oid) in entries {
            raw.extend_from_slice(octal.as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(name);
            raw.push(0);
            raw.extend_from_slice(oid.as_bytes());
        }
        self.write(ObjectKind::Tree, &raw)
    }

    /// Writes a commit whose dates are these seconds.
    pub(crate) fn commit(&self, tree: Oid, parents: &[Oid], seconds: u64) -> Oid {
        let parents: String = parents.iter().map(|oid| format!("parent {oid}\n")).collect();
        let ident = format!("A <a@example.com> {seconds} +0000");
        let raw = format!("tree {tree}\n{parents}author {ident}\ncommitter {ident}\n\nx\n");
        self.write(ObjectKind::Commit, raw.as_bytes())
    }
}

/// Runs git in a folder with nothing of the surroundings and returns what it printed.
pub(crate) fn git(dir: &Path, args: &[&str], stdin: &[u8]) -> Vec<u8> {
    // By its path, a child is started without copying this process first.
    let path = std::env::var_os("PATH").unwrap();
    let at = std::env::split_paths(&path).map(|folder| folder.join("git"));
    let mut child = Command::new(at.into_iter().find(|file| file.is_file()).unwrap())
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_AUTHOR_DATE", "1112911993 +0000")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_DATE", "1112911993 +0000")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
    output.stdout
}

/// The one oid that git printed.
pub(crate) fn oid(printed: &[u8]) -> Oid {
    Oid::from_hex(printed.trim_ascii()).unwrap()
}

/// Commits in memory, for walks over histories that would take long to write. Counts how many are
/// read.
#[derive(Default)]
pub(crate) struct Memory {
    commits: HashMap<Oid, Vec<u8>>,
    pub(crate) reads: Cell<usize>,
}

impl Memory {
    /// Takes a commit in under a name made of this number.
    pub(crate) fn commit(&mut self, number: u32, parents: &[u32], seconds: u64) {
        let tree = ObjectFormat::Sha1.empty_tree();
        let parents: String =
            parents.iter().map(|&parent| format!("parent {}\n", Self::oid(parent))).collect();
        let ident = format!("A <a@example.com> {seconds} +0000");
        let raw = format!("tree {tree}\n{parents}author {ident}\ncommitter {ident}\n\nx\n");
        self.commits.insert(Self::oid(number), raw.into_bytes());
    }

    pub(crate) fn oid(number: u32) -> Oid {
        let mut bytes = [1; 20];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Oid::from_bytes(&bytes).unwrap()
    }
}

impl Objects for Memory {
    fn format(&self) -> ObjectFormat {
        ObjectFormat::Sha1
    }

    fn read(&self, oid: &Oid) -> Result<Option<(ObjectKind, Vec<u8>)>, StoreError> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.commits.get(oid).map(|raw| (ObjectKind::Commit, raw.clone())))
    }

    fn header(&self, oid: &Oid) -> Result<Option<(ObjectKind, u64)>, StoreError> {
        Ok(self.commits.get(oid).map(|raw| (ObjectKind::Commit, raw.len() as u64)))
    }

    fn was_here(&self, oid: &Oid) -> Result<bool, StoreError> {
        Ok(self.commits.contains_key(oid))
    }

    fn read_ref(&self, _: &Refname) -> Result<RefValue, StoreError> {
        Ok(RefValue::Absent)
    }

    fn head(&self) -> Result<HeadValue, StoreError> {
        Ok(HeadValue::Unreadable)
    }

    fn refs_under(&self, _: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError> {
        Ok(Vec::new())
    }

    fn merge_bases(&self, _: &Oid, _: &Oid) -> Result<Vec<Oid>, StoreError> {
        Ok(Vec::new())
    }

    fn merged_tree(&self, _: &[Oid], _: bool) -> Result<Merged, StoreError> {
        Ok(Merged::Conflict(Vec::new()))
    }

    fn merged_tree_by_git(&self, _: &Oid, _: &Oid) -> Result<Option<Merged>, StoreError> {
        Ok(None)
    }

    fn not_reachable_from(&self, _: &[Oid], commits: &[Oid]) -> Result<Vec<Oid>, StoreError> {
        Ok(commits.to_vec())
    }

    fn merged_blob(&self, _: &Oid, _: &Oid, _: &Oid) -> Result<Option<Oid>, StoreError> {
        Ok(None)
    }

    fn config_values(&self, _: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(Vec::new())
    }
}
