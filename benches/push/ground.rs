//! A folder with people, repositories that are made here, and what Git gives a hook.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

/// The program that is measured: another build of it where `PORTCULLIS_BENCH_PROGRAM` names one,
/// such as the static one that is released.
pub(crate) fn portcullis() -> &'static OsStr {
    static PROGRAM: LazyLock<OsString> = LazyLock::new(|| {
        std::env::var_os("PORTCULLIS_BENCH_PROGRAM")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_portcullis").into())
    });
    &PROGRAM
}

/// Who signs.
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// The plumbing that has to look at the same data: what arrives, and each commit's files, merges
/// held against their first parent.
pub(crate) const FLOOR: &str = "while read -r o n r; do
  case $n in *[!0]*) echo \"$n\";; esac
  case $o in *[!0]*) echo \"^$o\";; *) [ ! -e packed-refs ] || echo ^refs/heads/main;; esac
done | git rev-list --stdin | git diff-tree --stdin -r --name-only --no-commit-id --root --diff-merges=first-parent
exit 0
";

/// A folder of our own, on the disk that the build is on.
pub(crate) struct Ground {
    root: TempDir,
}

/// A push, as Git hands it to `pre-receive`.
pub(crate) struct Captured {
    pub(crate) repository: PathBuf,
    pub(crate) stdin: PathBuf,
    quarantine: PathBuf,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let ground = Self { root: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap() };
        for name in PEOPLE {
            let key = ground.at(name);
            let mut made = ground.command("ssh-keygen");
            made.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key);
            assert!(made.status().unwrap().success());
        }
        fs::write(ground.at("floor"), FLOOR).unwrap();
        fs::write(ground.at("policy.toml"), ground.policy(0)).unwrap();
        ground
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A command with nothing of ours around it; whoever pushes is alice.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.root.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        command.env("REMOTE_USER", "alice").current_dir(self.root.path());
        for (role, at) in [("AUTHOR", 1), ("COMMITTER", 2)] {
            command.env(format!("GIT_{role}_NAME"), "alice");
            command.env(format!("GIT_{role}_EMAIL"), "alice@example.com");
            command.env(format!("GIT_{role}_DATE"), format!("{} +0000", 1_790_000_000 + at));
        }
        command
    }

    /// Runs git in a repository and returns what it says, without the last line's end.
    pub(crate) fn git(&self, repository: &Path, words: &[&str]) -> String {
        self.git_with(repository, words, b"")
    }

    pub(crate) fn git_with(&self, repository: &Path, words: &[&str], input: &[u8]) -> String {
        let mut command = self.command("git");
        command.arg("-C").arg(repository).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input).unwrap());
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "git {words:?}");
            String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
        })
    }

    /// A real policy for the branch that HEAD names and for releases, and so many rules more.
    pub(crate) fn policy(&self, more: usize) -> String {
        let mut text = String::from(
            "version = 1\nhelp = \"#platform\"\n[identity]\nlocal = \"REMOTE_USER\"\n[limits]\n\
             refs = 100_000\nstdin-bytes = 100_000_000\ncommits = 2_000_000\ndeadline-seconds = 600\n",
        );
        for name in PEOPLE {
            let key = fs::read_to_string(self.at(&format!("{name}.pub"))).unwrap();
            let key = key.trim_end();
            let _ = write!(
                text,
                "[people.{name}]\nemails = [\"{name}@example.com\"]\nkeys = [\"{key}\"]\n"
            );
        }
        text.push_str(
            "[groups]\nplatform = [\"alice\", \"bob\", \"carol\"]\n\
             [rule.main-takes-merges]\nkind = \"merge\"\nrefs = [\"@default\"]\n\
             [rule.infra-review]\nkind = \"approval\"\nrefs = [\"@default\"]\n\
             infra = [\"terraform\", \"kubernetes\"]\npaths = [\"infra/**\", \"!**/examples/**\"]\n\
             approvals = 2\nfrom = [\"@platform\"]\n\
             [rule.who]\nkind = \"access\"\nrefs = [\"@default\"]\nmove = [\"@platform\"]\n\
             [rule.signed]\nkind = \"signature\"\nrefs = [\"@default\", \"release/**\"]\n\
             [rule.releases]\nkind = \"landed\"\nrefs = [\"release/**\"]\nin = [\"@default\"]\n",
        );
        for number in 0..more {
            let _ = write!(
                text,
                "[rule.team-{number}]\nkind = \"approval\"\nrefs = [\"team-{number}/main\"]\n\
                 paths = [\"teams/{number}/**\", \"!**/*.md\"]\napprovals = 1\nfrom = [\"@platform\"]\n"
            );
        }
        text
    }

    /// A bare repository with a history of so many commits, on a tree of so many files.
    pub(crate) fn repository(&self, name: &str, commits: usize, files: usize) -> PathBuf {
        let at = self.at(name);
        self.git(self.root.path(), &["init", "-q", "--bare", "--template=", "-b", "main", name]);
        for (key, value) in [("receive.autogc", "false"), ("gc.auto", "0")] {
            self.git(&at, &["config", key, value]);
        }
        let mut stream = Stream::default();
        let first: Vec<String> = (0..files).map(path).collect();
        stream.commit("refs/heads/main", None, &first, None);
        for number in 1..commits {
            stream.commit("refs/heads/main", None, &[path(number % files)], None);
        }
        self.git_with(&at, &["fast-import", "--quiet"], &stream.bytes);
        self.git(&at, &["update-ref", "refs/heads/feature", "main"]);
        self.git(&at, &["pack-refs", "--all"]);
        at
    }

    /// A repository to push from, which borrows what the server has, with these commits besides.
    pub(crate) fn client(&self, name: &str, server: &Path, stream: &Stream) -> PathBuf {
        let at = self.at(name);
        self.git(self.root.path(), &["init", "-q", "--bare", "--template=", name]);
        let lender = format!("{}\n", server.join("objects").display());
        fs::create_dir_all(at.join("objects/info")).unwrap();
        fs::write(at.join("objects/info/alternates"), lender).unwrap();
        self.git_with(&at, &["fast-import", "--quiet"], &stream.bytes);
        at
    }

    pub(crate) fn install(&self, repository: &Path) {
        self.install_with(repository, &self.at("policy.toml"));
    }

    pub(crate) fn install_with(&self, repository: &Path, policy: &Path) {
        let mut install = self.command(portcullis());
        let output = install.args(["install", "--policy"]).arg(policy).arg(repository).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Has Git receive a push up to its hook, and keeps what the hook was given. Nothing moves.
    pub(crate) fn capture(&self, client: &Path, server: &Path, refspecs: &[&str]) -> Captured {
        let kept = server.join("captured");
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir(&kept).unwrap();
        let hook = server.join("hooks/pre-receive");
        let before = fs::read(&hook).ok();
        fs::create_dir_all(server.join("hooks")).unwrap();
        let quarantine = server.join("objects/tmp_objdir-incoming-bench");
        let _ = fs::remove_dir_all(&quarantine);
        let text = "#!/bin/sh\ncat >captured/stdin\ncp -r \"$GIT_QUARANTINE_PATH\" captured/quarantine\nexit 1\n";
        put_hook(&hook, text.as_bytes());
        let mut push = self.command("git");
        push.current_dir(client).args(["push", "-q"]).arg(server).args(refspecs);
        assert!(!push.stderr(Stdio::null()).status().unwrap().success());
        fs::remove_file(&hook).unwrap();
        if let Some(before) = before {
            put_hook(&hook, &before);
        }
        fs::rename(kept.join("quarantine"), &quarantine).unwrap();
        Captured { repository: server.to_owned(), stdin: kept.join("stdin"), quarantine }
    }

    /// What Git has around a hook.
    pub(crate) fn in_hook(&self, captured: &Captured, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command(program);
        command.current_dir(&captured.repository).env("GIT_DIR", ".");
        command.env("GIT_QUARANTINE_PATH", &captured.quarantine);
        command.env("GIT_OBJECT_DIRECTORY", &captured.quarantine);
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", captured.repository.join("objects"));
        command
    }

    /// Our hook, as its file has it called.
    pub(crate) fn ours(&self, captured: &Captured) -> Command {
        let mut command = self.in_hook(captured, portcullis());
        command.args(["hook=pre-receive", "hooks/pre-receive"]);
        command
    }

    pub(crate) fn floor(&self, captured: &Captured) -> Command {
        let mut command = self.in_hook(captured, "/bin/sh");
        command.arg(self.at("floor"));
        command
    }

    /// Has the log's index written, as any push before would have: one that is refused.
    pub(crate) fn warm(&self, captured: &Captured) {
        let stdin = self.at("refused");
        let given = fs::read_to_string(&captured.stdin).unwrap();
        let new = given.split(' ').nth(1).unwrap();
        let line = format!("{} {new} refs/portcullis/none\n", "0".repeat(40));
        fs::write(&stdin, line).unwrap();
        let mut hook = self.ours(captured);
        hook.stdin(File::open(stdin).unwrap()).stderr(Stdio::null());
        assert_eq!(hook.status().unwrap().code(), Some(1));
    }

    /// A copy of a whole folder.
    pub(crate) fn copy(&self, from: &Path, to: &Path) {
        let _ = fs::remove_dir_all(to);
        let copied = self.command("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    }
}

/// Writes a hook as Git runs it.
pub(crate) fn put_hook(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The name of one of many files, a hundred to a folder, some of them infrastructure.
pub(crate) fn path(number: usize) -> String {
    let (folder, ending) = (number / 100, ["md", "tf", "rs", "yaml"][number % 4]);
    format!("part/{folder:04}/file-{number:06}.{ending}")
}

/// Commits for `git fast-import`.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    made: usize,
}

impl Stream {
    /// One commit on a ref, from another commit where one is named; the files get contents that no
    /// other commit gives them. Its mark.
    pub(crate) fn commit(
        &mut self,
        refname: &str,
        from: Option<&str>,
        files: &[String],
        merge: Option<&str>,
    ) -> String {
        self.made += 1;
        let (mark, when) = (self.made, 1_780_000_000 + 60 * self.made);
        let mut text = format!(
            "commit {refname}\nmark :{mark}\ncommitter alice <alice@example.com> {when} +0000\n\
             data 7\nchange\n"
        );
        for (word, of) in [("from", from), ("merge", merge)] {
            if let Some(of) = of {
                let _ = write!(text, "\n{word} {of}");
            }
        }
        for file in files {
            let body = format!("# {file} {mark} in {}\nkind: ConfigMap\n", self.made);
            let _ = write!(text, "\nM 100644 inline {file}\ndata {}\n{body}", body.len());
        }
        text.push_str("\n\n");
        self.bytes.extend_from_slice(text.as_bytes());
        format!(":{mark}")
    }
}

/// What stands in a log's folder, so that it can be put back.
pub(crate) struct Kept {
    folder: PathBuf,
    files: Vec<(PathBuf, u64, Option<Vec<u8>>)>,
}

/// Files above this are only ever appended to, and are cut back.
const WHOLE_BYTES_MAX: u64 = 256 * 1024;

impl Kept {
    pub(crate) fn of(repository: &Path) -> Self {
        let folder = repository.join("portcullis/log");
        let mut files = Vec::new();
        for path in files_below(&folder) {
            let length = fs::metadata(&path).unwrap().len();
            let whole = (length <= WHOLE_BYTES_MAX).then(|| fs::read(&path).unwrap());
            files.push((path, length, whole));
        }
        Self { folder, files }
    }

    /// Takes away what was written since.
    pub(crate) fn put_back(&self) {
        for path in files_below(&self.folder) {
            if !self.files.iter().any(|(known, _, _)| *known == path) {
                fs::remove_file(path).unwrap();
            }
        }
        for (path, length, whole) in &self.files {
            match whole {
                Some(bytes) if fs::read(path).ok().as_ref() == Some(bytes) => {}
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => File::options().write(true).open(path).unwrap().set_len(*length).unwrap(),
            }
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files
}
