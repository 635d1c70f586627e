//! What an auditor does with standard tools, run against a log of ours. `tests/audit` has more.

use std::path::Path;
use std::process::Command;

use crate::log::tests::support::{Bench, append, applies, decides, moves, oid, zero};

/// The first line that `config/audit/verify.sh` says.
fn audit(bench: &Bench) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/audit/verify.sh");
    let out = Command::new("sh")
        .arg(script)
        .arg(&bench.dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn a_log_is_checked_with_a_shell_and_standard_tools_alone() {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let mut odd = moves("refs/heads/x", zero(), oid(3));
    odd.refname = crate::log::wire::Text(b"refs/heads/caf\xe9\\\"".to_vec());
    let _ = append(&mut log, decides("bob", vec![odd]), 2);
    let head = log.head().hash;
    let origin = crate::log::tests::support::ORIGIN;
    assert_eq!(audit(&bench), format!("whole, 4 entries of {origin}, head {head}"));
}

#[test]
fn a_changed_letter_is_found_with_a_shell_and_standard_tools_alone() {
    let bench = Bench::new();
    let mut log = bench.open();
    applies(&mut log, "alice", moves("refs/heads/main", oid(1), oid(2)), 1);
    let text = String::from_utf8(bench.bytes()).unwrap();
    std::fs::write(bench.segment(), text.replace("\"login\":\"alice\"", "\"login\":\"carol\""))
        .unwrap();
    assert!(audit(&bench).starts_with("broken at entry 1, line 2, "), "{}", audit(&bench));
}
