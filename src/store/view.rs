//! The git program, for what it does better than we can: merges, reachability, and objects that
//! libgit2 does not find or cannot read.
//!
//! It sees the repository's objects through a folder of its own: a bare repository in the system's
//! temporary folder that borrows every object folder and has nothing else, no refs, no
//! configuration, no attributes, no grafts. What git computes is written there and goes with it.
//! Nothing that a pusher chose is ever an argument; oids go in by stdin or as plain hexadecimal.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;
use crate::store::catfile::{CatFile, Object, Part};
use crate::store::error::StoreError;
use crate::store::objects::{CONFLICTS_MAX, Merged};
use crate::store::plumbing::{self, Answer, failed};

/// A folder through which git sees a repository's objects and nothing else of it.
pub(super) struct View {
    /// Before the folder, so that they are ended when it goes.
    whole: RefCell<Option<CatFile>>,
    headers: RefCell<Option<CatFile>>,
    folder: TempDir,
    format: ObjectFormat,
}

impl View {
    /// Makes the folder.
    pub(super) fn new(format: ObjectFormat, object_dirs: &[PathBuf]) -> Result<Self, StoreError> {
        let folder = tempfile::Builder::new().prefix("portcullis-view-").tempdir();
        let folder = folder
            .map_err(|source| StoreError::File { path: "a temporary folder".into(), source })?;
        let made = furnish(folder.path(), format, object_dirs);
        made.map_err(|source| StoreError::File { path: folder.path().into(), source })?;
        Ok(Self { whole: RefCell::default(), headers: RefCell::default(), folder, format })
    }

    /// An object, or its kind and size alone. `None`: git has none.
    pub(super) fn object(&self, oid: &Oid, part: Part) -> Result<Option<Object>, StoreError> {
        let kept = match part {
            Part::Whole => &self.whole,
            Part::Header => &self.headers,
        };
        let mut kept = kept.borrow_mut();
        // One that failed is not asked again.
        let mut running = match kept.take() {
            Some(running) => running,
            None => CatFile::start(self.folder.path(), part)?,
        };
        let object = running.ask(oid)?;
        *kept = Some(running);
        Ok(object)
    }

    /// The merge of two commits as git makes it. `None`: this git cannot say.
    pub(super) fn merge(&self, ours: &Oid, theirs: &Oid) -> Result<Option<Merged>, StoreError> {
        let verb = "merge-tree";
        let (ours, theirs) = (ours.hex(), theirs.hex());
        let args = ["--write-tree", "--allow-unrelated-histories", "--no-messages", "--name-only"];
        let answer = self.ask(verb, &[&args[..], &["-z", &ours, &theirs]].concat(), b"")?;
        let mut parts = answer.stdout.split(|&b| b == 0);
        let tree = parts.next().and_then(Oid::from_hex);
        match (answer.code, tree) {
            (Some(0), Some(tree)) if tree.format() == self.format => Ok(Some(Merged::Clean(tree))),
            (Some(1), Some(_)) => {
                let paths = parts.filter(|path| !path.is_empty()).take(CONFLICTS_MAX);
                Ok(Some(Merged::Conflict(paths.map(RepoPath::new).collect())))
            }
            // Before 2.38 git has no such option and says how it is used.
            (Some(129), _) => Ok(None),
            _ => Err(failed(verb, &answer)),
        }
    }

    /// The best common ancestors of two commits.
    pub(super) fn merge_bases(&self, one: &Oid, other: &Oid) -> Result<Vec<Oid>, StoreError> {
        let verb = "merge-base";
        let answer = self.ask(verb, &["--all", &one.hex(), &other.hex()], b"")?;
        match answer.code {
            Some(0) => oids(verb, &answer),
            // None: the histories are unrelated.
            Some(1) if answer.stdout.is_empty() && answer.stderr.is_empty() => Ok(Vec::new()),
            Some(_) | None => Err(failed(verb, &answer)),
        }
    }

    /// What is reachable from these commits and from none of those tips.
    pub(super) fn reachable_only(
        &self,
        commits: &[Oid],
        tips: &[Oid],
    ) -> Result<Vec<Oid>, StoreError> {
        let verb = "rev-list";
        let mut stdin = String::new();
        for oid in commits {
            stdin.push_str(&format!("{oid}\n"));
        }
        for oid in tips {
            stdin.push_str(&format!("^{oid}\n"));
        }
        let answer = self.ask(verb, &["--stdin"], stdin.as_bytes())?;
        if answer.code != Some(0) {
            return Err(failed(verb, &answer));
        }
        oids(verb, &answer)
    }

    fn ask(&self, verb: &'static str, args: &[&str], stdin: &[u8]) -> Result<Answer, StoreError> {
        plumbing::ask(self.folder.path(), verb, args, stdin)
    }
}

/// The oids that an answer consists of, one a line.
fn oids(verb: &'static str, answer: &Answer) -> Result<Vec<Oid>, StoreError> {
    let lines = answer.stdout.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Oid::from_hex(line).ok_or_else(|| failed(verb, answer))).collect()
}

/// Lays out a bare repository that borrows these folders (gitrepository-layout(5)).
fn furnish(dir: &Path, format: ObjectFormat, object_dirs: &[PathBuf]) -> io::Result<()> {
    fs::create_dir(dir.join("refs"))?;
    fs::create_dir_all(dir.join("objects/info"))?;
    fs::write(dir.join("HEAD"), "ref: refs/heads/none\n")?;
    let config = match format {
        ObjectFormat::Sha1 => "[core]\nrepositoryformatversion = 0\nbare = true\n",
        ObjectFormat::Sha256 => {
            "[core]\nrepositoryformatversion = 1\nbare = true\n[extensions]\nobjectformat = sha256\n"
        }
    };
    fs::write(dir.join("config"), config)?;
    // By links, since the list itself cannot hold every name that a folder can have.
    let mut alternates = String::new();
    for (at, folder) in object_dirs.iter().enumerate() {
        std::os::unix::fs::symlink(fs::canonicalize(folder)?, dir.join(format!("borrowed-{at}")))?;
        alternates.push_str(&format!("../borrowed-{at}\n"));
    }
    fs::write(dir.join("objects/info/alternates"), alternates)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::View;
    use crate::names::oid::{ObjectFormat, Oid};
    use crate::store::error::StoreError;
    use crate::store::objects::{Merged, Objects};
    use crate::store::testing::Scratch;

    fn line(scratch: &Scratch, count: u64) -> Vec<Oid> {
        let tree = scratch.raw_tree(&[]);
        let mut line: Vec<Oid> = Vec::new();
        for at in 0..count {
            let parents: Vec<Oid> = line.last().copied().into_iter().collect();
            line.push(scratch.commit(tree, &parents, 1000 + at));
        }
        line
    }

    #[test]
    fn what_no_tip_reaches_is_found() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let scratch = Scratch::named(format, OsStr::from_bytes(b"we:ird \"\xff"));
            let line = line(&scratch, 6);
            let store = scratch.store();
            let gone = Oid::from_bytes(&vec![9; format.len_bytes()]).unwrap();
            let blob = scratch.blob("x");
            let tips = [line[2], gone, blob];
            let found = store.not_reachable_from(&tips, &[line[1], line[5], line[2], line[3]]);
            assert_eq!(found.unwrap(), [line[5], line[3]]);
            assert_eq!(store.not_reachable_from(&[], &[line[0]]).unwrap(), [line[0]]);
            assert_eq!(store.not_reachable_from(&tips, &[]).unwrap(), []);
        }
    }

    #[test]
    fn a_missing_commit_is_a_fault() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let gone = Oid::from_bytes(&[9; 20]).unwrap();
        let found = scratch.store().not_reachable_from(&[], &[gone]);
        assert!(matches!(found, Err(StoreError::Git { verb: "rev-list", .. })), "{found:?}");
    }

    #[test]
    fn settings_and_attributes_of_the_repository_do_not_change_a_merge() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        std::fs::write(scratch.dir().join("info/attributes"), "* merge=union\n").unwrap();
        let side = |text| scratch.raw_tree(&[("100644", b"f", scratch.blob(text))]);
        let base = scratch.commit(side("1\n"), &[], 1);
        let ours = scratch.commit(side("2\n"), &[base], 2);
        let theirs = scratch.commit(side("3\n"), &[base], 3);
        let store = scratch.store();
        let by_git = store.merged_tree_by_git(&ours, &theirs).unwrap();
        assert!(matches!(by_git, Some(Merged::Conflict(paths)) if paths[0].as_bytes() == b"f"));
        assert!(matches!(store.merged_tree(&[ours, theirs], true).unwrap(), Merged::Conflict(_)));
    }

    #[test]
    fn the_folder_goes_with_its_value() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let view = View::new(ObjectFormat::Sha1, &[scratch.dir().join("objects")]).unwrap();
        let folder = view.folder.path().to_path_buf();
        assert!(folder.is_dir());
        drop(view);
        assert!(!folder.exists());
    }
}
