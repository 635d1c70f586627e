//! `portcullis demo`, run as somebody runs it who has just built it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder for one run, with a home and a place for temporary files.
struct Ground {
    folder: TempDir,
}

#[derive(Debug)]
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Answer {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says_in_order(&self, words: &[&str]) {
        let mut rest = self.out.as_str();
        for words in words {
            let at = rest.find(words).unwrap_or_else(|| panic!("no {words:?} in\n{rest}"));
            rest = &rest[at + words.len()..];
        }
    }
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["home", "tmp", "bin"] {
            fs::create_dir(ground.at(name)).unwrap();
        }
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn path(&self) -> String {
        std::env::var("PATH").unwrap()
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &[&str], more: &[(&str, &str)]) -> Answer {
        let output = Command::new(program.as_ref())
            .env_clear()
            .env("PATH", self.path())
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .envs(more.iter().copied())
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Answer {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn demo(&self, arguments: &[&str], more: &[(&str, &str)]) -> Answer {
        let arguments = [&["demo"], arguments].concat();
        self.run(env!("CARGO_BIN_EXE_portcullis"), &arguments, more)
    }

    #[track_caller]
    fn is_clean(&self) {
        let left: Vec<_> = fs::read_dir(self.at("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let left: Vec<_> = fs::read_dir(self.at("home")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// A `git` that stands before the real one.
    fn fake_git(&self, script: &str) -> String {
        let real = self.path();
        let real =
            std::env::split_paths(&real).map(|dir| dir.join("git")).find(|git| git.is_file());
        let script = script.replace("REAL", real.unwrap().to_str().unwrap());
        fs::write(self.at("bin/git"), script).unwrap();
        fs::set_permissions(self.at("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:{}", self.at("bin").display(), self.path())
    }
}

const STORY: [&str; 12] = [
    "server$ portcullis install --policy policy.toml infra.git",
    "remote: error: refs/heads/main refused by rule `main-takes-merges`",
    "remote: success: 1 ref accepted as entry",
    "remote: error: refs/heads/main refused by rule `infra-review`",
    "bob$ portcullis approve --yes --for main origin/open-8443",
    "success: nothing is missing",
    "remote: success: 1 ref accepted as entry",
    "main -> main",
    "server$ portcullis log show infra.git",
    "whole, ",
    "broken at entry ",
    "All of it went as it should",
];

#[test]
fn the_story_is_told_and_nothing_is_left_behind() {
    let ground = Ground::new();
    let answer = ground.demo(&[], &[]).expect(0);
    answer.says_in_order(&STORY);
    assert_eq!(answer.err, "");
    assert!(!answer.out.contains('\x1b'));
    ground.is_clean();
}

#[test]
fn the_callers_settings_and_environment_are_not_the_demos() {
    let ground = Ground::new();
    let hostile = ground.at("hostile");
    fs::write(&hostile, "[core]\n\thooksPath = /nonexistent\n[push]\n\tdefault = nothing\n")
        .unwrap();
    let more = [
        ("GIT_CONFIG_GLOBAL", hostile.to_str().unwrap()),
        ("GIT_DIR", "/nonexistent"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "receive.denyCurrentBranch"),
        ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"),
        ("SSH_AUTH_SOCK", "/nonexistent"),
        ("PORTCULLIS_DEMO_USER", "mallory"),
    ];
    ground.demo(&[], &more).expect(0).says_in_order(&STORY);
    ground.is_clean();
}

#[test]
fn a_kept_demo_can_be_played_with() {
    let ground = Ground::new();
    let kept = ground.at("it's kept");
    let answer = ground.demo(&["--keep", kept.to_str().unwrap()], &[]).expect(0);
    answer.says_in_order(&STORY);
    answer.says_in_order(&["It is all still there", "as-alice", "as-bob", "as-server", "rm -r "]);
    let script = "git switch --quiet -c more && echo x >more && git add . && git commit -qm more && \
                  git push origin more";
    let pushed = ground.run(kept.join("as-alice"), &["sh", "-c", script], &[]).expect(0);
    assert!(pushed.err.contains("you are alice"), "{pushed:?}");
    let log =
        ground.run(kept.join("as-server"), &["portcullis", "log", "verify", "infra.git"], &[]);
    assert!(log.expect(0).out.starts_with("whole, "));
    let again = ground.demo(&["--keep", kept.to_str().unwrap()], &[]).expect(3);
    assert!(again.err.contains("is not empty"), "{again:?}");
    ground.is_clean();
}

#[test]
fn a_demo_that_goes_otherwise_is_a_fault() {
    // A server without hooks, a push that says nothing, no git at all.
    let cases = [
        (
            "#!/bin/sh\n[ \"$1\" = push ] && set -- -c core.hooksPath=/dev/null \"$@\"\nexport GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null\nexec REAL \"$@\"\n",
            "the demo went wrong",
        ),
        (
            "#!/bin/sh\n[ \"$1\" = push ] && [ \"$2\" = origin ] && exit 0\nexec REAL \"$@\"\n",
            "instead of 1",
        ),
    ];
    for (script, words) in cases {
        let ground = Ground::new();
        let path = ground.fake_git(script);
        let answer = ground.demo(&[], &[("PATH", &path)]).expect(3);
        assert!(answer.err.contains(words), "{answer:?}");
        assert!(!answer.out.contains("went as it should"), "{answer:?}");
        ground.is_clean();
    }
    let ground = Ground::new();
    let bin = ground.at("bin");
    let answer = ground.demo(&[], &[("PATH", bin.to_str().unwrap())]).expect(3);
    assert!(answer.err.contains("git is not in PATH"), "{answer:?}");
    ground.is_clean();
}
