//! What an auditor does with standard tools, run against a log of ours.

use std::process::Command;

use crate::log::tests::support::{Bench, append, applies, decides, moves, oid, zero};

/// The chain and every entry's own hash, with coreutils and bash.
const CHAIN: &str = r#"
p=$(printf '0%.0s' $(seq 64)); n=0
while IFS= read -r l; do b=${l%,\"hash\":\"*}; h=${l#"$b",\"hash\":\"}; h=${h%\"\}}
  [ "$(printf %s "$b" | sha256sum | cut -c1-64)" = "$h" ] || { echo "record $n: self-hash"; exit 1; }
  case $b in *"\"prev\":\"$p\""*) ;; *) echo "record $n: chain"; exit 1;; esac
  p=$h; n=$((n+1)); done < "$1"; echo "ok $n, head $p"
"#;

fn audit(bench: &Bench) -> String {
    let out = Command::new("bash")
        .args(["-c", CHAIN, "audit"])
        .arg(bench.segment())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_chain_is_checked_with_bash_and_sha256sum_alone() {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let mut odd = moves("refs/heads/x", zero(), oid(3));
    odd.refname = crate::log::wire::Text(b"refs/heads/caf\xe9\\\"".to_vec());
    let _ = append(&mut log, decides("bob", vec![odd]), 2);
    assert_eq!(audit(&bench), format!("ok 4, head {}", log.head().hash));
}

#[test]
fn a_changed_letter_is_found_with_bash_and_sha256sum_alone() {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let text = String::from_utf8(bench.bytes()).unwrap();
    std::fs::write(bench.segment(), text.replace("\"login\":\"alice\"", "\"login\":\"carol\""))
        .unwrap();
    assert_eq!(audit(&bench), "record 1: self-hash");
}
