//! Attesting at a server that is a script (`client::testing`).

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::fs;

use super::*;
use crate::cli::client::testing::World;

const MACHINE: &str = r#"{"name":"plan-bot","kind":"machine","login":"bot"}"#;

/// A world in which the machine has bob's key.
fn world() -> World {
    let world = World::new();
    world.write("you", MACHINE);
    world.sh("echo \"plan-bot $(cat bob.pub)\" > allowed");
    world
}

#[test]
fn a_check_is_signed_pushed_and_replaced() {
    let world = world();
    let url = "https://ci.example.org/7";
    let words = ["attest", "terraform-plan", "fail", "topic", "--url", url];
    let outcome = world.portcullis(&words);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    assert_eq!(outcome.data, "");
    for line in
        ["terraform-plan fail", "url      https://ci.example.org/7", "success: check by plan-bot"]
    {
        assert!(outcome.talk.contains(line), "{line}\n{}", outcome.talk);
    }
    let statement = world.statement();
    let text = String::from_utf8(statement.fields().text()).unwrap();
    assert!(text.starts_with("check v1\nrepository infra-5f0c91ab\n"), "{text}");
    assert!(text.ends_with("verdict fail\nurl https://ci.example.org/7\n\n"), "{text}");
    let names = world.sh("git -C srv.git for-each-ref --format='%(refname)' refs/checks");
    assert_eq!(names, statement.place().as_text());
    assert!(names.ends_with("/terraform-plan/plan-bot"), "{names}");
    let outcome = world.portcullis(&["attest", "terraform-plan", "pass", "topic", "--json"]);
    assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
    let given: serde_json::Value = serde_json::from_str(&outcome.data).unwrap();
    assert_eq!(
        (given["check"].as_str(), given["verdict"].as_str()),
        (Some("terraform-plan"), Some("pass"))
    );
    // Later than the machine's own last, though the server's clock stands still.
    assert_eq!(world.statement().fields().date.rfc3339_seconds(), "2026-11-22T21:00:01Z");
}

#[test]
fn another_check_of_the_same_machine_does_not_touch_the_first() {
    let world = world();
    for check in ["terraform-plan", "tfsec"] {
        let outcome = world.portcullis(&["attest", check, "pass", "topic"]);
        assert_eq!(outcome.exit, Exit::Yes, "{}", outcome.talk);
        assert!(!outcome.talk.contains("instead"), "{}", outcome.talk);
    }
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/checks | wc -l"), "2");
}

#[test]
fn the_plain_commands_do_the_same_without_us() {
    let world = world();
    let printed = world.portcullis(&["attest", "terraform-plan", "pass", "topic", "--print"]);
    assert!(printed.data.contains("-n check@portcullis"), "{}", printed.data);
    let output = world.try_sh(&printed.data, "clone");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.statement().fields().person.as_str(), "plan-bot");
}

#[test]
fn a_person_does_not_attest_unless_they_say_whose_key_it_is() {
    let world = world();
    world.write("you", r#"{"name":"bob","kind":"person","login":"bob"}"#);
    let outcome = world.portcullis(&["attest", "terraform-plan", "pass", "topic"]);
    assert_eq!(outcome.exit, Exit::CouldNot);
    assert!(outcome.talk.contains("only machines attest"), "{}", outcome.talk);
    let words = ["attest", "terraform-plan", "pass", "topic", "--as", "plan-bot"];
    assert_eq!(world.portcullis(&words).exit, Exit::Yes);
}

#[test]
fn a_key_file_that_others_may_read_and_a_missing_one_are_no_success() {
    let world = world();
    world.sh("ssh-keygen -q -t ed25519 -N '' -f eve");
    let eve = world.path("eve");
    let words = ["attest", "terraform-plan", "pass", "topic", "--key", eve.to_str().unwrap()];
    let outcome = world.portcullis(&words);
    assert_eq!(outcome.exit, Exit::No, "{}", outcome.talk);
    assert!(outcome.talk.contains("not signed by plan-bot"), "{}", outcome.talk);
    fs::remove_file(&eve).unwrap();
    assert_eq!(world.portcullis(&words).exit, Exit::Mistyped);
    assert_eq!(world.sh("git -C srv.git for-each-ref refs/checks"), "");
}

#[test]
fn what_changes_nothing_needs_no_check() {
    let world = world();
    let outcome = world.portcullis(&["attest", "terraform-plan", "pass", "main"]);
    assert_eq!(outcome.exit, Exit::No);
    assert!(outcome.talk.contains("nothing to check"), "{}", outcome.talk);
}

#[test]
fn an_address_is_one() {
    assert!(url("https://ci.example.org/1").is_ok());
    for text in ["", "ci.example.org", "https://", "https://a b", "javascript:1"] {
        assert!(url(text).is_err(), "{text}");
    }
}
