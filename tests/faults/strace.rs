//! `strace`, as these tests use it: which calls a hook made, and how to make one of them fail.
//!
//! Only the hook's own thread is traced: it alone touches the log, and what the others do would
//! make the counting unsure.

use std::process::Command;

use crate::say;

/// Set by `.ci/run`: there, what a test needs is installed, and to skip is to fail.
const NO_SKIP: &str = "PORTCULLIS_TEST_NO_SKIP";

/// Every call with a path or a descriptor.
pub(crate) const CALLS: &str = "%file,%desc";

/// How a call may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It does nothing and says this.
    Error(&'static str),
    /// It claims to have written three bytes and has written none.
    Short,
    /// The process dies where it would make the call.
    Kill,
}

/// Every way.
pub(crate) const FAILURES: [Failure; 7] = [
    Failure::Error("EIO"),
    Failure::Kill,
    Failure::Error("ENOSPC"),
    Failure::Error("EINTR"),
    Failure::Error("EACCES"),
    Failure::Error("EMFILE"),
    Failure::Short,
];

/// A call that touches the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The system call.
    pub(crate) name: String,
    /// Which call of that name it is, from 1.
    pub(crate) when: usize,
    /// The path below the log's folder, without numbers.
    pub(crate) place: String,
}

impl Call {
    /// What `strace` is told.
    pub(crate) fn inject(&self, failure: Failure) -> String {
        let how = match failure {
            Failure::Error(errno) => format!("error={errno}"),
            Failure::Short => "retval=3".to_owned(),
            Failure::Kill => "signal=KILL".to_owned(),
        };
        format!("inject={}:{how}:when={}", self.name, self.when)
    }

    /// Whether it can fail in this way.
    pub(crate) fn can(&self, failure: Failure) -> bool {
        match failure {
            Failure::Short => matches!(self.name.as_str(), "write" | "pwrite64"),
            Failure::Error("EMFILE") => matches!(self.name.as_str(), "openat" | "fcntl"),
            Failure::Error(_) | Failure::Kill => true,
        }
    }
}

/// A script that runs this hook of the program under `strace`.
pub(crate) fn script(program: &str, hook: &str, trace: &str, more: &[String]) -> String {
    let more: String = more.iter().map(|word| format!(" -e {word}")).collect();
    format!(
        "#!/bin/sh\nexec strace -y -o '{trace}' -e trace={CALLS}{more} '{program}' hook {hook} \"$@\"\n"
    )
}

/// The calls of a trace, in order, each with its line.
pub(crate) fn calls<'a>(trace: &'a str, log: &str) -> Vec<(Call, &'a str)> {
    let mut counts = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for line in trace.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            continue;
        }
        let when = counts.entry(name).or_insert(0);
        *when += 1;
        let Some((_, place)) = rest.split_once(log) else { continue };
        let end = place.find(['"', '>']).unwrap_or(place.len());
        let place = without_numbers(&place[..end]);
        found.push((Call { name: name.to_owned(), when: *when, place }, line));
    }
    found
}

/// Process ids stand in names.
fn without_numbers(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_ascii_digit()).collect()
}

/// Whether everything that was written to the log by calls that worked was brought to the disk.
/// The notes of the writer and the index may be lost.
pub(crate) fn is_durable(trace: &str, log: &str) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    for (call, line) in calls(trace, log) {
        let counts = call.place.ends_with(".jsonl") || call.place.starts_with("/att/");
        if !counts || line.contains("(INJECTED)") || line.contains(" = -1 ") {
            continue;
        }
        match call.name.as_str() {
            "write" | "pwrite64" => open.push(call.place),
            "fdatasync" | "fsync" => open.retain(|place| *place != call.place),
            _ => {}
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("not brought to the disk: {open:?}")) }
}

/// Whether calls can be made to fail here. Where `strace` is missing and may not be, this panics;
/// a kernel that forbids tracing is no fault of whoever runs the tests.
pub(crate) fn works() -> bool {
    let tried =
        Command::new("strace").args(["-o", "/dev/null", "-e", "trace=none", "true"]).output();
    match tried {
        Err(_) => {
            assert!(std::env::var_os(NO_SKIP).is_none(), "strace is not installed");
            say("skipped: strace is not installed");
            false
        }
        Ok(output) if !output.status.success() => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            say(&format!("skipped: this kernel does not let us trace: {}", why.trim()));
            false
        }
        Ok(_) => true,
    }
}
