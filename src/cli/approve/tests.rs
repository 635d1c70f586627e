//! Real git, real keys, a real push. The server is a bare repository whose hook is a script that
//! knows nothing of this crate: `git`, `ssh-keygen` and `sha256sum` say what is right.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::answer::Answer;
use crate::cli::io::Console;
use crate::cli::review;
use crate::cli::surroundings::Surroundings;
use crate::names::moment::Moment;
use crate::push::env::Env;
use crate::statement::read::Statement;

const HOOK: &str = r#"#!/bin/sh
set -eu
top=$(cat "$HOME/top")
while read -r old new ref; do
  case $ref in
  refs/portcullis/ask/*)
    target=refs/${ref#refs/portcullis/ask/}
    if value=$(git rev-parse --verify -q "$target"); then
      base=$(git merge-base "$target" "$new"); from=$base
    else
      base=$old; from=$(git mktree < /dev/null)
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
    if [ "$count" -ge 1 ]; then ok=true; else ok=false; fi
    echo "talk for people"
    echo "portcullis-answer: {\"v\":1,\"you\":$(cat "$top/you"),\"repository\":\"infra-5f0c91ab\",\
\"ref\":\"$target\",\"value\":\"$value\",\"base\":\"$base\",\"commit\":\"$new\",\
\"delta\":\"sha256:$(cat "$top/digest" 2>/dev/null || echo "$digest")\",\"key\":\"$key\",\
\"now\":\"$(cat "$top/now")\",\"delta_lines\":1,\"approvals\":[$said],\
\"rules\":[{\"rule\":\"infra-review\",\"kind\":\"approval\",\"level\":\"refuse\",\
\"place\":\"policy.toml:9\",\"satisfied\":$ok,\"what\":\"$count of 1 approvals\",\
\"missing\":{\"approvals\":1,\"from\":[\"bob\"]}}]}"
    exit 1 ;;
  refs/approvals/*)
    git cat-file blob "$new" > "$top/blob"
    sed '/^$/q' "$top/blob" > "$top/text"
    sed '1,/^$/d' "$top/blob" > "$top/armor"
    person=$(sed -n 's/^person //p' "$top/text")
    ssh-keygen -q -Y verify -f "$top/allowed" -I "$person" -n approval@portcullis \
      -s "$top/armor" < "$top/text" || { echo "error: not signed by $person"; exit 1; }
    echo "accepted as entry 7, you are $person" ;;
  esac
done
"#;

static VERBS: [&Verb; 4] = [&APPROVE, &REJECT, &REVOKE, &review::VERB];

/// A server, bob's clone of it, and bob's key.
struct World {
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

struct Outcome {
    exit: Exit,
    data: String,
    talk: String,
}

impl World {
    fn new() -> Self {
        Self::of_format("sha1")
    }

    fn of_format(format: &str) -> Self {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
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
    fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script, "");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{talk}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn try_sh(&self, script: &str, folder: &str) -> Output {
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
    fn portcullis(&self, words: &[&str]) -> Outcome {
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
    fn statement(&self) -> Statement {
        let blob = self.sh("git -C srv.git cat-file blob $(git -C srv.git for-each-ref \
            --format='%(objectname)' refs/approvals)");
        Statement::parse(format!("{blob}\n").as_bytes()).unwrap()
    }
}

#[test]
fn an_approval_is_shown_signed_pushed_and_counted() {
    let world = World::new();
    let before = world.portcullis(&["review", "--for", "main"]);
    assert_eq!(before.exit, Exit::No, "{}", before.talk);
    assert!(before.data.contains("error: rule `infra-review` is not satisfied"), "{}", before.data);
    assert!(before.data.contains("missing: 1 approval, from bob"), "{}", before.data);
    let outcome = world.portcullis(&["approve", "HEAD", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert_eq!(outcome.data, "");
    for line in [
        "\"open port 8443\"",
        "author   Alice <alice@example.com>",
        "on       refs/heads/main of infra-5f0c91ab",
        "  M a\n",
        "  A b (executable)\n",
        "accepted as entry 7, you are bob\n",
        "success: nothing is missing",
    ] {
        assert!(outcome.talk.contains(line), "{line}\n{}", outcome.talk);
    }
    let statement = world.statement();
    let fields = statement.fields();
    assert_eq!(fields.date.rfc3339_seconds(), "2026-11-22T21:00:00Z");
    assert_eq!(fields.expires.rfc3339_seconds(), "2026-12-06T21:00:00Z");
    assert_eq!(fields.commit.hex(), world.sh("git -C clone rev-parse topic"));
    let digest = world.sh("git -C clone diff-tree -r -z --no-renames --no-abbrev --raw \
        --ignore-submodules=none main topic | sha256sum | cut -c1-64");
    assert_eq!(fields.delta.hex(), digest);
    let names = world.sh("git -C srv.git for-each-ref --format='%(refname)' refs/approvals");
    assert_eq!(names, statement.place().as_text());
    let after = world.portcullis(&["review"]);
    assert_eq!(after.exit, Exit::Yes, "{}", after.talk);
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 0);
}

#[test]
fn the_plain_commands_do_the_same_without_us() {
    let world = World::new();
    let printed = world.portcullis(&["approve", "topic", "--print"]);
    assert_eq!(printed.exit, Exit::Yes, "{}", printed.talk);
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/approvals"), "");
    let output = world.try_sh(&printed.data, "clone");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{talk}", printed.data);
    assert!(talk.contains("accepted as entry 7, you are bob"), "{talk}");
    assert_eq!(world.statement().fields().person.as_str(), "bob");
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 0);
    let again = world.portcullis(&["revoke", "topic", "--print"]);
    assert!(again.data.contains("\"+$blob:refs/approvals/"), "{}", again.data);
    assert!(world.try_sh(&again.data, "clone").status.success());
    let saying = Saying::Approval { verdict: ApprovalVerdict::Revoke };
    assert_eq!(world.statement().fields().saying, saying);
}

#[test]
fn a_sha256_repository_works_as_well() {
    let world = World::of_format("sha256");
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert_eq!(world.statement().fields().commit.hex().len(), 64);
}

#[test]
fn what_would_make_a_branch_is_approved_from_nothing() {
    let world = World::new();
    let outcome = world.portcullis(&["approve", "topic", "--for", "production", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert!(outcome.talk.contains("delta    from nothing"), "{}", outcome.talk);
    assert!(outcome.talk.contains("  A a\n"), "{}", outcome.talk);
    let statement = world.statement();
    assert!(statement.fields().base.is_zero());
    assert_eq!(statement.fields().refname.as_bytes(), b"refs/heads/production");
}

#[test]
fn a_later_word_is_dated_later_and_replaces_the_earlier() {
    let world = World::new();
    assert_eq!(world.portcullis(&["approve", "topic", "--yes"]).exit, Exit::Yes);
    let outcome = world.portcullis(&["reject", "topic", "--yes", "--expires", "1h"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert!(outcome.talk.contains("instead of your approve of 2026-11-22T21:00:00Z"));
    let statement = world.statement();
    let fields = statement.fields();
    assert_eq!(fields.date.rfc3339_seconds(), "2026-11-22T21:00:01Z");
    assert_eq!(fields.expires.rfc3339_seconds(), "2026-11-22T22:00:01Z");
    assert_eq!(fields.saying, Saying::Approval { verdict: ApprovalVerdict::Reject });
}

#[test]
fn a_key_in_an_agent_signs() {
    let world = World::new();
    let script = "eval \"$(ssh-agent -s)\" > /dev/null; trap 'kill $SSH_AGENT_PID' EXIT
        ssh-add -q ../bob && mv ../bob ../bob.away";
    let literal = format!("key::{}", fs::read_to_string(world.path("bob.pub")).unwrap().trim());
    world.sh(&format!("git -C clone config user.signingkey '{literal}'"));
    let printed = world.portcullis(&["approve", "topic", "--print"]);
    assert!(printed.data.contains(" -U \"$folder/statement\""), "{}", printed.data);
    // Two traps in one shell would replace each other.
    let output = world.try_sh(&format!("{script}\nsh <<'END'\n{}END", printed.data), "clone");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.statement().fields().person.as_str(), "bob");
}

#[test]
fn nobody_is_asked_without_a_terminal_and_nothing_is_signed() {
    let world = World::new();
    // Under a test runner standard input may be a terminal; then there is nothing to see here.
    if io::IsTerminal::is_terminal(&io::stdin()) {
        return;
    }
    let outcome = world.portcullis(&["approve", "topic"]);
    assert_eq!(outcome.exit, Exit::Mistyped);
    assert!(outcome.talk.contains("hint: look at it with --print, then say --yes"));
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/approvals"), "");
}

#[test]
fn another_digest_than_the_servers_is_never_signed() {
    let world = World::new();
    world.write("digest", &"0".repeat(64));
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(
        outcome.talk.contains("the server and this clone disagree about the digest of the delta"),
        "{}",
        outcome.talk
    );
}

#[test]
fn a_refusal_of_the_server_is_passed_on() {
    let world = World::new();
    world.sh("ssh-keygen -q -t ed25519 -N '' -C eve -f eve");
    let key = world.path("eve");
    let outcome = world.portcullis(&["approve", "topic", "--yes", "--key", key.to_str().unwrap()]);
    assert_eq!(outcome.exit, Exit::No);
    assert!(outcome.talk.contains("error: not signed by bob"), "{}", outcome.talk);
    assert!(!outcome.talk.contains("success"), "{}", outcome.talk);
}

#[test]
fn a_key_that_never_counts_is_known_before_anything_is_pushed() {
    let world = World::new();
    world.sh("ssh-keygen -q -t rsa -b 1024 -N '' -C old -f old");
    let key = world.path("old");
    let outcome = world.portcullis(&["approve", "topic", "--yes", "--key", key.to_str().unwrap()]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(outcome.talk.contains("RSA keys of 1024 bits"), "{}", outcome.talk);
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/approvals"), "");
}

#[test]
fn someone_unlisted_says_whose_key_it_is() {
    let world = World::new();
    world.write("you", r#"{"name":null,"kind":"unlisted","login":"git\u001b[2J"}"#);
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(outcome.talk.contains("knows you as \"git\\x1b[2J\""), "{}", outcome.talk);
    let outcome = world.portcullis(&["approve", "topic", "--yes", "--as", "bob"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    world.write("you", r#"{"name":"plan-bot","kind":"machine","login":"bot"}"#);
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert!(outcome.talk.contains("machines never approve"), "{}", outcome.talk);
}

#[test]
fn what_changes_nothing_or_was_never_said_needs_no_word() {
    let world = World::new();
    let outcome = world.portcullis(&["approve", "main", "--yes"]);
    assert_eq!(outcome.exit, Exit::No);
    assert!(outcome.talk.contains("nothing to approve"), "{}", outcome.talk);
    let outcome = world.portcullis(&["revoke", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::No);
    assert!(outcome.talk.contains("nothing to revoke"), "{}", outcome.talk);
}

#[test]
fn a_server_without_a_gate_and_a_missing_commit_are_named() {
    let world = World::new();
    fs::remove_file(world.path("srv.git/hooks/pre-receive")).unwrap();
    let outcome = world.portcullis(&["review"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(outcome.talk.contains("this server has no gate"), "{}", outcome.talk);
    assert!(outcome.talk.contains("git push origin :refs/portcullis/ask/heads/main"));
    world.sh("git -C srv.git config receive.advertisePushOptions false");
    let outcome = world.portcullis(&["review"]);
    assert!(outcome.talk.contains("receive.advertisePushOptions true"), "{}", outcome.talk);
    let outcome = world.portcullis(&["review", "nonsense"]);
    assert!(outcome.talk.contains("this clone has no commit \"nonsense\""), "{}", outcome.talk);
    let outcome = world.portcullis(&["review", "topic", "--remote", "nowhere"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
}

#[test]
fn the_answer_is_printed_as_json_for_scripts() {
    let world = World::new();
    let outcome = world.portcullis(&["review", "--json"]);
    let answer: Answer = serde_json::from_str(&outcome.data).unwrap();
    assert_eq!(answer.refname, "refs/heads/main");
    assert_eq!(answer.rules[0].missing.as_ref().unwrap().from, ["bob"]);
    assert_eq!(outcome.exit, Exit::No);
}

#[test]
fn a_hook_of_the_clone_and_tags_do_not_come_along() {
    let world = World::new();
    world.write("clone/.git/hooks/pre-push", "#!/bin/sh\nexit 1\n");
    let hook = world.path("clone/.git/hooks/pre-push");
    fs::set_permissions(hook, Permissions::from_mode(0o755)).unwrap();
    world.sh("cd clone && git config push.followTags true && git tag -a -m t t");
    assert_eq!(world.portcullis(&["approve", "topic", "--yes"]).exit, Exit::Yes);
    assert_eq!(world.sh("git -C srv.git tag"), "");
}

#[test]
fn spans_have_a_unit_and_bounds() {
    for (text, seconds) in
        [("1h", 3600), ("14d", 1_209_600), ("2w", 1_209_600), ("366d", 31_622_400)]
    {
        assert_eq!(span(text), Ok(seconds));
    }
    for text in ["", "d", "14", "0d", "-1d", "+1d", "367d", "1y", "9999999999999999999d", "1é"] {
        assert!(span(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_as_a_span_never_panics(text in "\\PC{0,6}") {
        let _ = span(&text);
    }
}
