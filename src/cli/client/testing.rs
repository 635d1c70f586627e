//! A server for the tests of the verbs in a clone: real git, real keys, a real push. It is a bare
//! repository whose hook is a script.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::cli::approve::{APPROVE, REJECT, REVOKE};
use crate::cli::attest;
use crate::cli::fault::Exit;
use crate::cli::io::Console;
use crate::cli::review;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::{Call, Verb};
use crate::names::moment::Moment;
use crate::push::env::Env;
use crate::statement::read::Statement;

/// Knows nothing of this crate: `git`, `ssh-keygen` and `sha256sum` say what is right.
const HOOK: &str = r#"#!/bin/sh
set -eu
top=$(cat "$HOME/top")
while read -r old new ref; do
  case $ref in
  refs/portcullis/ask/*)
    target=refs/${ref#refs/portcullis/ask/}
    if value=$(git rev-parse --verify -q "$target"); then
      quoted="\"$value\""; base=$(git merge-base "$target" "$new"); from=$base
    else
      quoted=null; base=$old; from=$(git mktree < /dev/null)
    fi
    digest=$(git diff-tree -r -z --no-renames --no-abbrev --raw --ignore-submodules=none \
      "$from" "$new" | sha256sum | cut -c1-64)
    key=$(printf '%s\n%s\n' "$target" "$digest" | sha256sum | cut -c1-40)
    said=; count=0; comma=
    for name in $(git for-each-ref --format='%(refname)' "refs/approvals/$key"); do
      date=$(git cat-file blob "$name" | sed -n 's/^date //p')
      word=$(git cat-file blob "$name" | sed -n 's/^verdict //p')
      said="$said$comma{\"person\":\"${name##*/}\",\"verdict\":\"$word\",\"date\":\"$date\",\"counts\":true}"
      comma=,
      if [ "$word" = approve ]; then count=$((count + 1)); fi
    done
    for name in $(git for-each-ref --format='%(refname)' "refs/checks/$key"); do
      date=$(git cat-file blob "$name" | sed -n 's/^date //p')
      word=$(git cat-file blob "$name" | sed -n 's/^verdict //p')
      check=$(git cat-file blob "$name" | sed -n '2,$s/^check //p')
      said="$said$comma{\"person\":\"${name##*/}\",\"verdict\":\"$word\",\"date\":\"$date\",\"counts\":true,\"check\":\"$check\"}"
      comma=,
    done
    if [ "$count" -ge 1 ]; then ok=true; else ok=false; fi
    echo "talk for people"
    echo "portcullis-answer: {\"v\":1,\"you\":$(cat "$top/you"),\"repository\":\"infra-5f0c91ab\",\
\"ref\":\"$target\",\"value\":$quoted,\"base\":\"$base\",\"commit\":\"$new\",\
\"delta\":\"sha256:$(cat "$top/digest" 2>/dev/null || echo "$digest")\",\"key\":\"$key\",\
\"now\":\"$(cat "$top/now")\",\"delta_lines\":1,\"approvals\":[$said],$(cat "$top/more" 2>/dev/null)\
\"rules\":[{\"rule\":\"infra-review\",\"kind\":\"approval\",\"level\":\"refuse\",\
\"place\":\"policy.toml:9\",\"satisfied\":$ok,\"what\":\"$count of 1 approvals\",\
\"missing\":{\"approvals\":1,\"from\":[\"bob\"]}}]}"
    exit 1 ;;
  refs/approvals/* | refs/checks/*)
    case $ref in refs/checks/*) space=check ;; *) space=approval ;; esac
    git cat-file blob "$new" > "$top/blob"
    sed '/^$/q' "$top/blob" > "$top/text"
    sed '1,/^$/d' "$top/blob" > "$top/armor"
    person=$(sed -n 's/^person //p' "$top/text")
    ssh-keygen -q -Y verify -f "$top/allowed" -I "$person" -n $space@portcullis \
      -s "$top/armor" < "$top/text" || { echo "error: not signed by $person"; exit 1; }
    echo "accepted as entry 7, you are $person" ;;
  esac
done
"#;

static VERBS: [&Verb; 5] = [&APPROVE, &REJECT, &REVOKE, &attest::VERB, &review::VERB];

/// A server, bob's clone of it, and bob's key.
pub(crate) struct World {
    folder: TempDir,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What a run of the program came to.
pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    pub(crate) data: String,
    pub(crate) talk: String,
}

impl World {
    /// With objects named by SHA-1.
    pub(crate) fn new() -> Self {
        Self::of_format("sha1")
    }

    /// With objects of this format.
    pub(crate) fn of_format(format: &str) -> Self {
        let world = Self { folder: TempDir::new().unwrap() };
        fs::create_dir(world.path("home")).unwrap();
        fs::create_dir(world.path("tmp")).unwrap();
        world.write("home/top", world.folder.path().to_str().unwrap());
        world.write("you", r#"{"name":"bob","kind":"person","login":"bob"}"#);
        world.write("now", "2026-11-22T21:00:00Z");
        world.sh(&format!(
            "git init -q --object-format={format} --bare -b main srv.git
             git -C srv.git config receive.advertisePushOptions true
             git init -q --object-format={format} -b main clone && cd clone
             git remote add origin ../srv.git
             echo one > a && git add a && git commit -qm first && git push -q origin main
             git checkout -q -b topic && echo two > a && printf x > b && chmod +x b
             git add a b && git commit -qm 'open port 8443' && git push -q origin topic
             ssh-keygen -q -t ed25519 -N '' -C bob -f ../bob
             echo \"bob $(cat ../bob.pub)\" > ../allowed
             git config gpg.format ssh && git config user.signingkey \"$PWD/../bob.pub\""
        ));
        world.write("srv.git/hooks/pre-receive", HOOK);
        let hook = world.path("srv.git/hooks/pre-receive");
        fs::set_permissions(hook, Permissions::from_mode(0o755)).unwrap();
        world
    }

    /// A path in the world's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file there.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = std::env::var_os("PATH").unwrap();
        let mut variables = vec![
            ("PATH".into(), path),
            ("HOME".into(), self.path("home").into()),
            ("TMPDIR".into(), self.path("tmp").into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("LC_ALL".into(), "C".into()),
        ];
        for who in ["AUTHOR", "COMMITTER"] {
            variables.push((format!("GIT_{who}_NAME").into(), "Alice".into()));
            variables.push((format!("GIT_{who}_EMAIL").into(), "alice@example.com".into()));
            variables.push((format!("GIT_{who}_DATE").into(), "2026-11-20T10:00:00Z".into()));
        }
        variables
    }

    /// Runs a script in the world's folder and returns what it printed.
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script, "");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{talk}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Runs a script in a folder of the world.
    pub(crate) fn try_sh(&self, script: &str, folder: &str) -> Output {
        Command::new("/bin/sh")
            .args(["-euc", script])
            .env_clear()
            .envs(self.environment())
            .current_dir(self.path(folder))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the program in the clone.
    pub(crate) fn portcullis(&self, words: &[&str]) -> Outcome {
        let (data, talk) = (Sink::default(), Sink::default());
        let mut console = Console::plain(Box::new(data.clone()), Box::new(talk.clone()));
        let around = Surroundings {
            arguments: Vec::new(),
            environment: Env::new(self.environment()),
            directory: Some(self.path("clone")),
            executable: None,
            now: Moment::from_seconds(0),
        };
        let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == words[0]).unwrap();
        let program = (verb.command)();
        let matches = program.clone().try_get_matches_from(words).unwrap();
        let mut call =
            Call { matches: &matches, program: &program, around: &around, console: &mut console };
        let exit = (verb.run)(&mut call).unwrap_or_else(|fault| fault.show(&mut console));
        Outcome { exit, data: data.text(), talk: talk.text() }
    }

    /// The statement that the server holds.
    pub(crate) fn statement(&self) -> Statement {
        let blob = self.sh("git -C srv.git cat-file blob $(git -C srv.git for-each-ref \
            --format='%(objectname)' refs/approvals refs/checks)");
        Statement::parse(format!("{blob}\n").as_bytes()).unwrap()
    }
}
