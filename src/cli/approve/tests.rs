//! Approving, rejecting and revoking at a server that is a script (`client::testing`).

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::answer::Answer;
use crate::cli::client::testing::World;

#[test]
fn an_approval_is_shown_signed_pushed_and_counted() {
    let world = World::new();
    let before = world.portcullis(&["review", "--for", "main"]);
    assert_eq!(before.exit, Exit::No, "{}", before.talk);
    assert!(before.data.contains("error: rule `infra-review` is not satisfied"), "{}", before.data);
    assert!(
        before.data.contains("hint: 1 approval is missing, you can give it:\n  portcullis approve"),
        "{}",
        before.data
    );
    let outcome = world.portcullis(&["approve", "HEAD", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert_eq!(outcome.data, "");
    for line in [
        "\"open port 8443\"",
        "author   Alice <alice@example.com>",
        "on       refs/heads/main of infra-5f0c91ab",
        "delta    2 entries from ",
        "  M a  +1 -1\n",
        "  A b  +1, executable\n",
        "accepted as entry 7, you are bob\n",
        "success: nothing is missing",
        "  git merge --no-ff topic\n",
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
    assert!(outcome.talk.contains("delta    2 entries from nothing"), "{}", outcome.talk);
    assert!(outcome.talk.contains("  A a  +1\n"), "{}", outcome.talk);
    let command = "  git push origin ";
    assert!(outcome.talk.contains(command), "{}", outcome.talk);
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
    assert!(outcome.talk.contains("instead  of your approve of 2026-11-22T21:00:00Z"));
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
fn a_word_that_would_not_count_is_told_before_it_is_signed() {
    let world = World::new();
    world.write("you", r#"{"name":"carol","kind":"person","login":"carol"}"#);
    world.write("more", r#""on_server":true,"#);
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert!(
        outcome.talk.contains("no rule for refs/heads/main asks for anybody's approval"),
        "{}",
        outcome.talk
    );
    world.write("more", r#""on_server":false,"#);
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::No);
    assert!(outcome.talk.contains("is not on the server yet"), "{}", outcome.talk);
    assert!(outcome.talk.contains("hint: push it first: git push origin topic"));
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/approvals"), "");
}

#[test]
fn a_key_that_the_policy_does_not_have_is_known_before_anything_is_signed() {
    let world = World::new();
    let known = "SHA256:1111111111111111111111111111111111111111111";
    let you =
        |key: &str| format!(r#"{{"name":"bob","kind":"person","login":"bob","keys":["{key}"]}}"#);
    world.write("you", &you(known));
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(outcome.talk.contains("is no key of bob in the policy"), "{}", outcome.talk);
    assert!(outcome.talk.contains(known), "{}", outcome.talk);
    let own = world.sh("ssh-keygen -l -f bob.pub | cut -d' ' -f2");
    world.write("you", &you(&own));
    // Among several in ~/.ssh it is the one that the policy has.
    world.sh("git -C clone config --unset user.signingkey; mkdir home/.ssh
         ssh-keygen -q -t ed25519 -N '' -f home/.ssh/id_ed25519
         cp bob home/.ssh/work; cp bob.pub home/.ssh/work.pub");
    let outcome = world.portcullis(&["approve", "topic", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert!(outcome.talk.contains(&format!("signed with {own}")), "{}", outcome.talk);
}

#[test]
fn what_is_pointed_to_is_said_not_to_be_signed() {
    let world = World::new();
    world.sh("cd clone && git checkout -q -b pointers main
         printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' > m.bin
         ln -s /etc/passwd l && git add m.bin l
         git update-index --add --cacheinfo 160000,$(git rev-parse main),sub
         git commit -qm pointers && git push -q origin pointers");
    let outcome = world.portcullis(&["approve", "pointers", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    for line in [
        "  A l  symlink -> /etc/passwd\n",
        "  A m.bin  +3, Git LFS, pointer only\n",
        "pointer only\nhint: to read it all: git diff --text ",
        "warning: some of these are pointers only: what they point to is not shown here",
    ] {
        assert!(outcome.talk.contains(line), "{line}\n{}", outcome.talk);
    }
}

#[test]
fn a_commit_that_only_the_server_has_is_fetched() {
    let world = World::new();
    world.sh("git clone -q srv.git other && cd other && git checkout -q -b theirs origin/main
         echo three > c && git add c && git commit -qm theirs && git push -q origin theirs");
    let tip = world.sh("git -C other rev-parse HEAD");
    let outcome = world.portcullis(&["approve", "theirs", "--yes"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert_eq!(world.statement().fields().commit.hex(), tip);
}

#[test]
fn what_was_given_is_printed_as_json() {
    let world = World::new();
    let outcome = world.portcullis(&["approve", "topic", "--yes", "--json"]);
    let given: serde_json::Value = serde_json::from_str(&outcome.data).unwrap();
    let statement = world.statement();
    assert_eq!(given["accepted"], true);
    assert_eq!(given["place"], statement.place().as_text());
    assert_eq!(given["statement"], statement.id().hex());
    assert_eq!(given["now"]["rules"][0]["satisfied"], true);
}
