//! `ssh-keygen -Y verify` decides what the right answer is. Two differences are kept: an empty option
//! (`,namespaces=...`) and a key that we never accept make a line that does not count.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::fs;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Signs once, then asks whether a file lets this signature pass for this principal.
struct Oracle {
    folder: TempDir,
    key: String,
}

const VERIFIED_AT: &str = "20261122120000Z";

impl Oracle {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let run = |arguments: &[&str]| {
            let status = Command::new("ssh-keygen")
                .args(arguments)
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(status.unwrap().success());
        };
        run(&["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "key"]);
        fs::write(folder.path().join("message"), "hello\n").unwrap();
        run(&["-q", "-Y", "sign", "-n", "file", "-f", "key", "message"]);
        let key = fs::read_to_string(folder.path().join("key.pub")).unwrap().trim().to_owned();
        Self { folder, key }
    }

    fn accepts(&self, file: &str, principal: &str) -> bool {
        fs::write(self.folder.path().join("allowed"), file).unwrap();
        Command::new("ssh-keygen")
            .args(["-q", "-Y", "verify", "-n", "file", "-f", "allowed", "-s", "message.sig"])
            .args(["-O", &format!("verify-time={VERIFIED_AT}"), "-I", principal])
            .current_dir(self.folder.path())
            .env("TZ", "UTC")
            .stdin(fs::File::open(self.folder.path().join("message")).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    fn we_accept(&self, file: &str, principal: &str) -> bool {
        let now = Moment::parse_seconds("2026-11-22T12:00:00Z").unwrap();
        let key = SshKey::parse(&self.key).unwrap();
        parse(file).signers.iter().any(|signer| {
            !signer.is_authority
                && signer.key == key
                && signer.names(principal)
                && signer.signs_in("file")
                && signer.is_valid_at(now)
        })
    }
}

#[test]
fn files_are_read_as_ssh_keygen_reads_them() {
    let oracle = Oracle::new();
    let key = &oracle.key;
    let lines = [
        format!("alice {key}"),
        format!("alice,bob {key}"),
        format!("* {key}"),
        format!("a*e {key}"),
        format!("al?ce {key}"),
        format!("al??ce {key}"),
        format!("*,!alice {key}"),
        format!("!alice,* {key}"),
        format!("!alice {key}"),
        format!("Alice {key}"),
        format!("\"alice\" {key}"),
        format!("\"bob smith,alice\" {key}"),
        format!("\"alice {key}"),
        format!("\"alice\"{key}"),
        format!("  \talice\t {key} comment here"),
        format!("alice {key}\r"),
        format!("#alice {key}"),
        format!("alice namespaces=\"file\" {key}"),
        format!("alice NameSpaces=\"git,f*\" {key}"),
        format!("alice namespaces=\"*,!file\" {key}"),
        format!("alice namespaces=\"git\" {key}"),
        format!("alice namespaces=\"\" {key}"),
        format!("alice namespaces=file {key}"),
        format!("alice namespaces=\"a\",namespaces=\"file\" {key}"),
        format!("alice cert-authority {key}"),
        format!("alice cert-authority=\"x\" {key}"),
        format!("alice no-touch-required {key}"),
        format!("alice valid-after=\"20260101\" {key}"),
        format!("alice valid-after=\"20260101Z\" {key}"),
        format!("alice valid-after=\"20270101\" {key}"),
        format!("alice valid-before=\"20270101000000Z\" {key}"),
        format!("alice valid-before=\"202611221159Z\" {key}"),
        format!("alice valid-before=\"20261122120000Z\" {key}"),
        format!("alice valid-after=\"20261122120000Z\" {key}"),
        format!("alice valid-after=\"20270101\",valid-before=\"20260101\" {key}"),
        format!("alice valid-after=\"2026\" {key}"),
        format!("alice valid-after=\"20261301\" {key}"),
        format!("alice valid-after=\"20260101\",namespaces=\"file\" {key}"),
        format!("alice namespaces=\"file\", {key}"),
        format!("alice namespaces=\"file\"x {key}"),
        "alice".to_owned(),
        "alice ssh-ed25519".to_owned(),
        "alice ssh-ed25519 AAAA".to_owned(),
        String::new(),
        format!("alice unknown {key}\nalice {key}"),
        format!("bob {key}\nalice,!bob {key}"),
    ];
    for file in &lines {
        for principal in ["alice", "bob", "bob smith"] {
            assert_eq!(
                oracle.we_accept(file, principal),
                oracle.accepts(file, principal),
                "{principal}: {file}\n{:?}",
                parse(file)
            );
        }
    }
}

#[test]
fn a_line_that_does_not_count_is_reported_with_its_number_and_reason() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let file = parse(&format!("# people\nalice no-touch-required {key}\nbob {key} bob@laptop\n"));
    assert_eq!(
        file.ignored,
        [IgnoredLine {
            line: 2,
            why: "the option \"no-touch-required\" is not known here".to_owned()
        }]
    );
    assert_eq!(file.signers.len(), 1);
    assert_eq!(file.signers[0].line, 3);
    assert_eq!(file.signers[0].comment, "bob@laptop");
    assert_eq!(file.signers[0].only_principal(), Some("bob"));
}

#[test]
fn an_option_stands_once_and_a_time_is_whole() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let why = |options: &str| {
        let mut ignored = parse(&format!("a {options} {key}\n")).ignored;
        ignored.pop().map(|line| line.why).unwrap_or_default()
    };
    let (after, before) = ("valid-after=\"20260101\"", "valid-before=\"20270101\"");
    assert_eq!(why(&format!("{after},{before}")), "");
    for (twice, name) in [(after, "valid-after"), (before, "valid-before")] {
        assert_eq!(why(&format!("{twice},{twice}")), format!("the option {name} stands twice"));
    }
    for odd in ["202601011", "2026010", "2026010a", "20260101T00Z", ""] {
        let said = why(&format!("valid-after=\"{odd}\""));
        assert_eq!(said, "valid-after is not YYYYMMDD[HHMM[SS]][Z]", "{odd}");
    }
}

#[test]
fn a_line_takes_out_whom_it_negates() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let file = parse(&format!("ada,*@x.example,!eve@* {key}\n"));
    let line = &file.signers[0];
    assert!(line.names("ada") && line.names("ben@x.example") && !line.names("eve@x.example"));
    assert!(line.excludes("eve@x.example"));
    assert!(!line.excludes("ada") && !line.excludes("ben@x.example"));
}

#[test]
fn a_time_without_a_zone_says_so() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let file =
        parse(&format!("a valid-after=\"20260101\",valid-before=\"202701010000UTC\" {key}\n"));
    assert_eq!(file.signers[0].valid_after.map(|after| after.is_utc), Some(false));
    assert_eq!(file.signers[0].valid_before.map(|before| before.is_utc), Some(true));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn patterns_match_as_their_expansion_does(text in "[ab]{0,8}", pattern in "[ab?*]{0,8}") {
        let slow = slow_match(text.as_bytes(), pattern.as_bytes());
        prop_assert_eq!(matches_pattern(text.as_bytes(), pattern.as_bytes()), slow);
    }
}

/// The definition, in the slow way.
fn slow_match(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|at| slow_match(&text[at..], rest)),
        (Some((b'?', rest)), Some((_, behind))) => slow_match(behind, rest),
        (Some((byte, rest)), Some((found, behind))) => byte == found && slow_match(behind, rest),
        (Some(_), None) => false,
    }
}
