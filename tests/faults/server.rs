//! A server with the gate installed, a client with commits to push, and what must always hold.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");

/// `main` takes merges only, and a rule about paths has every change listed; who pushes is said by
/// a variable, as a forced command would.
const POLICY: &str = "version = 1\n[identity]\nlocal = \"PORTCULLIS_TEST_USER\"\n\
    [people.alice]\nkeys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUiKUF2FqDMrNwAfryJkQzNMRxS7mwPShx9zPh0bUD3\"]\n\
    [people.bob]\nkeys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID3MuUV2kOq6AOYLx5cujQTyMQoKbvlfOa9ZVEUaGyiy\"]\n\
    [rule.main-takes-merges]\nkind = \"merge\"\nrefs = [\"@default\"]\nmethods = [\"merge\"]\n\
    [rule.secrets]\nkind = \"approval\"\nrefs = [\"refs/heads/**\"]\npaths = [\"secret/**\"]\napprovals = 1\nfrom = [\"bob\"]\n";

/// Settings that every Git of these tests has, and no others.
const GIT_CONFIG: &str = "[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
    [receive]\n\tautogc = false\n[core]\n\tfsync = none\n[user]\n\tname = Alice\n\temail = alice@example.org\n";

/// A folder with a server that has seen one push, and a clone with commits.
#[derive(Debug)]
pub(crate) struct Server {
    folder: TempDir,
}

/// A repository behind the gate.
#[derive(Clone, Debug)]
pub(crate) struct Repository(pub(crate) PathBuf);

/// What a push came to.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    /// Did Git take it?
    pub(crate) ok: bool,
    /// Everything that the pusher read.
    pub(crate) said: String,
}

/// The promise that a pusher read: an entry's number and the first digits of its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) entry: u64,
    pub(crate) head: String,
}

impl Server {
    /// The server has `main` and `refs/heads/x` at `first`. The clone has `second` and `wide`, which
    /// follow `first`, the latter with many files, and `third`, which merges the two.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("portcullis-faults-").tempdir().unwrap();
        let server = Self { folder };
        fs::write(server.at("gitconfig"), GIT_CONFIG).unwrap();
        fs::create_dir(server.at("tmp")).unwrap();
        fs::write(server.at("policy.toml"), POLICY).unwrap();
        let bare = server.template().0;
        server.git(&["init", "-q", "--bare", "--template=", path(&bare)]);
        fs::create_dir_all(bare.join("hooks")).unwrap();
        server.git(&["init", "-q", "--template=", path(&server.work())]);
        server.commit("begin", "main", &[("app", "0\n")]);
        server.in_work(&["push", "-q", path(&bare), "main"]);
        let policy = server.at("policy.toml");
        let mut install = server.command(PORTCULLIS);
        done(install.args(["install", "--policy", path(&policy), path(&bare)]));
        for (name, from) in [("first", "main"), ("second", "first")] {
            server.commit(name, from, &[("app", &format!("{name}\n"))]);
        }
        let names: Vec<String> = (0..150).map(|n| format!("folder/file-{n:03}")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "wide\n")).collect();
        server.commit("wide", "first", &files);
        server.in_work(&["checkout", "-q", "-B", "third", "second"]);
        server.in_work(&["merge", "-q", "--no-edit", "wide"]);
        assert!(server.push(&server.template(), &["first:refs/heads/x"]).ok);
        server
    }

    fn commit(&self, branch: &str, from: &str, files: &[(&str, &str)]) {
        if branch != "begin" {
            self.in_work(&["checkout", "-q", "-B", branch, from]);
        }
        for (name, text) in files {
            let file = self.work().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        self.in_work(&["add", "."]);
        self.in_work(&["commit", "-q", "-m", branch]);
    }

    /// A path in the folder.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The client's clone.
    pub(crate) fn work(&self) -> PathBuf {
        self.at("work")
    }

    /// The repository as it was made.
    pub(crate) fn template(&self) -> Repository {
        Repository(self.at("template.git"))
    }

    /// A child that sees nothing of this machine.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.at("tmp"))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.at("gitconfig"))
            .env("GIT_AUTHOR_DATE", "1767225600 +0000")
            .env("GIT_COMMITTER_DATE", "1767225600 +0000")
            .env("PORTCULLIS_TEST_USER", "alice")
            .stdin(Stdio::null());
        command
    }

    fn git(&self, args: &[&str]) -> String {
        done(self.command("git").args(args))
    }

    /// `git` in the clone; it has to succeed.
    pub(crate) fn in_work(&self, args: &[&str]) -> String {
        done(self.command("git").arg("-C").arg(self.work()).args(args))
    }

    /// `git` on the server; it has to succeed.
    pub(crate) fn on(&self, repository: &Repository, args: &[&str]) -> String {
        done(self.command("git").arg("-C").arg(&repository.0).args(args))
    }

    /// A fresh copy of a repository, in place of what stood there.
    pub(crate) fn copy(&self, from: &Repository, name: &str) -> Repository {
        let to = self.at(name);
        let _ = fs::remove_dir_all(&to);
        done(self.command("cp").arg("-a").arg(&from.0).arg(&to));
        Repository(to)
    }

    /// The client pushes.
    pub(crate) fn push(&self, to: &Repository, refspecs: &[&str]) -> Pushed {
        let mut git = self.command("git");
        git.arg("-C").arg(self.work()).arg("push").arg(&to.0).args(refspecs);
        Pushed::of(&git.output().unwrap())
    }

    /// `log verify --json`: whether it holds together, and the report.
    pub(crate) fn verify(&self, repository: &Repository) -> Result<Value, String> {
        let mut verify = self.command(PORTCULLIS);
        let output = verify.args(["log", "verify", "--json"]).arg(&repository.0).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(format!(
                "the log does not verify ({}): {out}{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let value: Value = serde_json::from_str(&out).map_err(|fault| fault.to_string())?;
        Ok(value["logs"][0].clone())
    }

    /// Every ref of the server.
    pub(crate) fn refs(&self, repository: &Repository) -> BTreeMap<String, String> {
        let all = self.on(repository, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        all.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
            .collect()
    }

    /// The log is whole, with nothing in doubt, and gives every ref the value it has.
    pub(crate) fn is_settled(&self, repository: &Repository) -> Result<(), String> {
        let report = self.verify(repository)?;
        if report["torn"] != Value::Null || report["in_doubt"] != false {
            return Err(format!("something is left open: {report}"));
        }
        let (log, refs) = (repository.implied(), self.refs(repository));
        if log == refs {
            return Ok(());
        }
        Err(format!("log and refs differ\n  log:  {log:?}\n  refs: {refs:?}"))
    }
}

impl Repository {
    /// The folder of the log.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("portcullis/log")
    }

    /// The files with the entries, oldest first.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let names = fs::read_dir(self.log()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            names.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
        files.sort();
        files
    }

    /// Every byte of the log.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.segments().iter().flat_map(|file| fs::read(file).unwrap()).collect()
    }

    /// The entries, oldest first; lines that are no JSON (dead ones) are left out.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let bytes = self.bytes();
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// The value that the log gives each ref: genesis, then outcomes and drift.
    pub(crate) fn implied(&self) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        let mut set = |name: &Value, oid: &Value| {
            let (name, oid) = (name.as_str().unwrap(), oid.as_str().unwrap());
            match oid.bytes().all(|byte| byte == b'0') {
                true => drop(values.remove(name)),
                false => drop(values.insert(name.to_owned(), oid.to_owned())),
            }
        };
        for entry in self.entries() {
            match entry["type"].as_str().unwrap() {
                "genesis" => {
                    let name = entry["refs"]["att"].as_str().unwrap();
                    let refs = fs::read_to_string(self.log().join("att").join(name)).unwrap();
                    for (oid, name) in refs.lines().filter_map(|line| line.split_once('\t')) {
                        set(&name.into(), &oid.into());
                    }
                }
                "outcome" => {
                    for one in entry["refs"].as_array().unwrap() {
                        match one["state"].as_str().unwrap() {
                            "applied" => set(&one["ref"], &one["new"]),
                            "lost" => set(&one["ref"], &one["old"]),
                            _ => {}
                        }
                    }
                }
                "drift" => set(&entry["ref"], &entry["found"]),
                _ => {}
            }
        }
        values
    }

    /// Whether an entry has this number and a hash that begins like this.
    pub(crate) fn keeps(&self, promise: &Promise) -> bool {
        self.entries().iter().any(|entry| {
            entry["seq"] == promise.entry
                && entry["hash"].as_str().is_some_and(|hash| hash.starts_with(&promise.head))
        })
    }

    /// Puts a script in a hook's place, executable.
    pub(crate) fn write_hook(&self, name: &str, script: &str) {
        let file = self.0.join("hooks").join(name);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Pushed {
    /// Reads what `git push` printed.
    pub(crate) fn of(output: &Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { ok: output.status.success(), said }
    }

    /// What the pusher was promised, even if Git refused the push afterwards.
    pub(crate) fn promise(&self) -> Option<Promise> {
        let (_, rest) = self.said.split_once(" accepted as entry ")?;
        let (entry, rest) = rest.split_once(", head ")?;
        let head: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        Some(Promise { entry: entry.parse().ok()?, head })
    }
}

/// A path of these tests as text.
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a child that has to succeed, and returns its stdout.
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
