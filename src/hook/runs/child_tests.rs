//! Commands that behave, and commands that do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use super::{HOME, Limits, TREE, run};
use crate::facts::run::{Ended, RunSeen};

const LIMITS: Limits =
    Limits { time: Duration::from_secs(20), memory_mib: 1024, output_bytes: 4096 };

fn shell(script: &str, input: &[u8], limits: Limits) -> RunSeen {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(TREE)).unwrap();
    std::fs::create_dir(folder.path().join(HOME)).unwrap();
    let words = ["sh", "-c", script].map(str::to_owned);
    run(&words, folder.path(), input, &limits)
}

fn text(seen: &RunSeen) -> String {
    String::from_utf8_lossy(&seen.output).into_owned()
}

#[test]
fn a_command_gets_its_input_and_nothing_of_ours() {
    let seen =
        shell("cat; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo no >&2", b"{}\n", LIMITS);
    assert_eq!(seen.ended, Ended::Exited(0));
    let told = text(&seen);
    assert!(told.starts_with("{}\n/"), "{told}");
    assert!(told.contains("/tree\n"), "{told}");
    assert!(told.contains("HOME LANG"), "{told}");
    assert!(!told.contains("CARGO") && !told.contains("GIT_"), "{told}");
    assert!(told.ends_with("no\n"), "{told}");
}

#[test]
fn a_command_that_reads_nothing_or_writes_for_ever_is_bounded() {
    let large = vec![b'x'; 4 * 1024 * 1024];
    assert_eq!(shell("exit 3", &large, LIMITS).ended, Ended::Exited(3));
    // What it says is kept to the bound, and it is not held up by our not keeping more.
    let seen = shell("head -c 3000000 /dev/zero; exit 5", &large, LIMITS);
    assert_eq!((seen.ended, seen.output.len(), seen.cut), (Ended::Exited(5), 4096, true));
    let quick = Limits { time: Duration::from_millis(700), ..LIMITS };
    let began = Instant::now();
    let seen = shell("yes", b"", quick);
    assert_eq!((seen.ended, seen.cut), (Ended::TimedOut(0), true));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn whatever_a_command_starts_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let began = Instant::now();
    // The one in the background holds the pipe open and would do so for a minute.
    let script = format!("sleep 60 >'{0}' 2>&1 & cat '{0}' >/dev/null & exit 0", fifo.display());
    let seen = shell(&script, b"", LIMITS);
    assert_eq!(seen.ended, Ended::Exited(0));
    assert!(began.elapsed() < Duration::from_secs(10));
    let quick = Limits { time: Duration::from_millis(300), ..LIMITS };
    assert_eq!(shell("trap '' TERM; sleep 60", b"", quick).ended, Ended::TimedOut(0));
}

#[test]
fn every_other_end_is_told() {
    assert_eq!(shell("kill -9 $$", b"", LIMITS).ended, Ended::Signalled(9));
    let seen = shell("exec /nowhere/at-all", b"", LIMITS);
    assert_eq!(seen.ended, Ended::Exited(127));
    // More memory than it may have: dd cannot get its buffer.
    let small = Limits { memory_mib: 64, ..LIMITS };
    let seen = shell("dd if=/dev/zero of=/dev/null bs=200M count=1", b"", small);
    assert!(matches!(seen.ended, Ended::Exited(code) if code != 0), "{seen:?}");
}
