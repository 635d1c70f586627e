//! A terminal for a child: how wide it is, what it is answered, what it showed.
//!
//! Python's `pty` does it, as this crate allows no unsafe code.

use std::path::Path;
use std::process::Command;

use crate::support::ground::{missing, run};

/// What a terminal showed, and the child's exit code.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Shown {
    /// The lines without what colours them.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut plain = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            let end =
                after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |at| at + 1);
            rest = &after[end..];
        }
        plain.push_str(rest);
        // Of a line that was written over, what stands there in the end.
        let last = |line: &str| line.trim_end_matches('\r').rsplit('\r').next().map(str::to_owned);
        plain.lines().filter_map(last).collect()
    }

    /// Whether anything is coloured.
    pub(crate) fn is_coloured(&self) -> bool {
        self.text.contains("\u{1b}[")
    }
}

/// Whether there is something that makes terminals.
pub(crate) fn have_terminals() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if !there {
        missing("python3 is not installed");
    }
    there
}

/// Runs a child on a terminal of so many columns. `reply`: what is typed once a text was shown.
pub(crate) fn on_terminal(child: &Command, columns: u16, reply: Option<(&str, &str)>) -> Shown {
    let (question, answer) = reply.unwrap_or_default();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/terminal.py");
    let mut python = Command::new("python3");
    python.env_clear().arg(script).arg(columns.to_string()).args([question, answer]);
    python.arg(child.get_program()).args(child.get_args());
    python.env("TERM", "xterm");
    for (name, value) in child.get_envs() {
        value.map(|value| python.env(name, value));
    }
    child.get_current_dir().map(|folder| python.current_dir(folder));
    let output = run(&mut python);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Shown { code: output.status.code(), text: String::from_utf8_lossy(&output.stdout).into_owned() }
}
