//! A folder that vanishes, with a program and repositories in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A valid key that belongs to nobody.
pub(crate) const KEY_A: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUiKUF2FqDMrNwAfryJkQzNMRxS7mwPShx9zPh0bUD3";
/// Another.
pub(crate) const KEY_B: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID3MuUV2kOq6AOYLx5cujQTyMQoKbvlfOa9ZVEUaGyiy";

/// A policy that can be used.
pub(crate) const POLICY: &str = "version = 1\n[rule.merges]\nkind = \"merge\"\nrefs = [\"main\"]\n";

/// The folder of a test.
pub(crate) struct Ground {
    folder: TempDir,
}

/// What a program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no {text:?} in\n{self:#?}");
        self
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(ground.path("home")).unwrap();
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn clean(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Alice")
            .env("GIT_AUTHOR_EMAIL", "alice@example.com")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_NAME", "Alice")
            .env("GIT_COMMITTER_EMAIL", "alice@example.com")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// The program, as Cargo built it.
    pub(crate) fn command(&self) -> Command {
        self.clean(env!("CARGO_BIN_EXE_portcullis"))
    }

    pub(crate) fn portcullis<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Answer {
        Answer::of(self.command().args(arguments).output().unwrap())
    }

    /// Runs a copy of the program that a test may take away.
    pub(crate) fn run_copy<S: AsRef<OsStr>>(&self, copy: &Path, arguments: &[S]) -> Answer {
        Answer::of(self.clean(copy).args(arguments).output().unwrap())
    }

    /// A copy of the program.
    pub(crate) fn copy_program(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let built = env!("CARGO_BIN_EXE_portcullis");
        if fs::hard_link(built, &path).is_err() {
            fs::copy(built, &path).unwrap();
        }
        path
    }

    pub(crate) fn try_git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Answer {
        Answer::of(self.clean("git").args(arguments).output().unwrap())
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments).expect(0).out
    }

    /// A bare repository with one commit on `main`.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let dir = path.to_str().unwrap();
        self.git(&["init", "-q", "--bare", "-b", "main", dir]);
        let tree = self.git(&["-C", dir, "hash-object", "-w", "-t", "tree", "/dev/null"]);
        let commit = self.git(&["-C", dir, "commit-tree", "-m", "begin", tree.trim()]);
        self.git(&["-C", dir, "update-ref", "refs/heads/main", commit.trim()]);
        for sample in fs::read_dir(path.join("hooks")).unwrap() {
            fs::remove_file(sample.unwrap().path()).unwrap();
        }
        path
    }

    /// A bare repository with two reviewers, installed.
    pub(crate) fn installed(&self, name: &str) -> PathBuf {
        let repo = self.repository(name);
        self.install(&repo, &[]).expect(0);
        repo
    }

    pub(crate) fn install(&self, repo: &Path, more: &[&str]) -> Answer {
        let people = self.write("people", &format!("{KEY_A} alice\n{KEY_B} bob\n"));
        let mut arguments = vec!["install", "--people", people.to_str().unwrap()];
        arguments.extend(more);
        arguments.push(repo.to_str().unwrap());
        self.portcullis(&arguments)
    }

    /// The value of a key in a repository's own configuration.
    pub(crate) fn key(&self, repo: &Path, key: &str) -> String {
        let dir = repo.to_str().unwrap();
        let answer = self.try_git(&["-C", dir, "config", "--local", "--get-all", key]);
        answer.out.trim_end().to_owned()
    }
}

/// Every file and link below a folder: name, kind and mode, content.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if meta.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.push((path, meta.permissions().mode(), bytes));
        }
    }
    found.sort();
    found
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(crate) fn write_hook(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    chmod(path, mode);
}
