//! The three who check, and what they answer.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What somebody says about a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) code: i32,
    /// The first entry that is not as it was written, where there is one.
    pub(crate) entry: Option<u64>,
    /// The byte at which its line begins, where it is not about the tree.
    pub(crate) byte: Option<u64>,
    /// All that was said.
    pub(crate) said: String,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question<'a> {
    pub(crate) since: Vec<&'a Path>,
    pub(crate) key: Option<&'a str>,
}

fn child(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", "C");
    if let Some(home) = std::env::var_os("HOME") {
        // Some machines keep their Python below the home folder.
        command.env("HOME", home);
    }
    command.stdin(Stdio::null());
    command
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/audit").join(name)
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// `portcullis log verify --root`.
pub(crate) fn ours(log: &Path, question: &Question<'_>) -> Answer {
    let mut command = child(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["log", "verify", "--root", "--json"]);
    for file in &question.since {
        command.arg("--since").arg(file);
    }
    let trust = log.with_extension("trust");
    if let Some(key) = question.key {
        std::fs::write(&trust, format!("log {key}\nquorum none\n")).unwrap();
        command.arg("--trust").arg(&trust);
    }
    let output = command.arg(log).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let told = &value["logs"][0];
    let seals = told["tree"]["seals"].as_array().cloned().unwrap_or_default();
    let seal = seals.iter().find(|seal| !seal["wrong"].is_null()).map(|seal| &seal["entry"]);
    let entry = told["broken"]["entry"].as_u64().or(seal.and_then(Value::as_u64));
    let byte = told["broken"]["offset"].as_u64();
    Answer { code: output.status.code().unwrap(), entry, byte, said: text(&output) }
}

fn theirs(mut command: Command, log: &Path, question: &Question<'_>) -> Answer {
    for file in &question.since {
        command.arg("--since").arg(file);
    }
    if let Some(key) = question.key {
        command.args(["--key", key]);
    }
    let output = command.arg(log).output().unwrap();
    let said = text(&output);
    Answer {
        code: output.status.code().unwrap(),
        entry: number_after(&said, "entry "),
        byte: number_after(&said, "byte "),
        said,
    }
}

/// The number in the words `broken at entry 3, line 4, byte 1234: why`.
fn number_after(said: &str, word: &str) -> Option<u64> {
    let (place, _) = said.lines().next()?.strip_prefix("broken at ")?.split_once(": ")?;
    let (_, rest) = place.split_once(word)?;
    rest.split(',').next()?.parse().ok()
}

/// `verify.py`.
pub(crate) fn python(log: &Path, question: &Question<'_>) -> Answer {
    let mut command = child(interpreter());
    command.arg(script("verify.py"));
    theirs(command, log, question)
}

/// `verify.sh`.
pub(crate) fn shell(log: &Path, question: &Question<'_>) -> Answer {
    let mut command = child("sh");
    command.arg(script("verify.sh"));
    theirs(command, log, question)
}

/// Either script where only these programs can be found.
pub(crate) fn with_only(programs: &[&str], folder: &Path, log: &Path, file: &str) -> Answer {
    std::fs::create_dir_all(folder).unwrap();
    for program in programs {
        let there = folder.join(program);
        if !there.exists() {
            symlink(found(program).unwrap(), there).unwrap();
        }
    }
    let shell = found("sh").unwrap();
    let mut command = child(if file.ends_with(".py") { interpreter() } else { &shell });
    command.env("PATH", folder).arg(script(file));
    theirs(command, log, &Question::default())
}

/// Python itself; what is called `python3` may be a script that looks for it.
pub(crate) fn interpreter() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let output = child("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        PathBuf::from(String::from_utf8(output.unwrap().stdout).unwrap().trim())
    })
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

/// Whether everything that the scripts need is here; where it is not, the test says so.
#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
pub(crate) fn ready() -> bool {
    let absent = ["python3", "openssl", "gzip"].into_iter().find(|it| found(it).is_none());
    let Some(absent) = absent else { return true };
    let why = format!("{absent} is not installed");
    assert!(std::env::var_os("PORTCULLIS_TEST_NO_SKIP").is_none(), "{why}");
    println!("skipped: {why}");
    false
}

/// All three have to say the same; returns what it is.
#[track_caller]
pub(crate) fn agreed(log: &Path, question: &Question<'_>) -> Answer {
    let (ours, python, shell) = (ours(log, question), python(log, question), shell(log, question));
    let same = |one: &Answer| (one.code, one.entry, one.byte);
    assert_eq!(same(&ours), same(&python), "{}\n--- verify.py\n{}", ours.said, python.said);
    assert_eq!(same(&ours), same(&shell), "{}\n--- verify.sh\n{}", ours.said, shell.said);
    ours
}

/// All three have to call it whole.
#[track_caller]
pub(crate) fn whole(log: &Path, question: &Question<'_>) -> Answer {
    let answer = agreed(log, question);
    assert_eq!((answer.code, answer.entry), (0, None), "{}", answer.said);
    answer
}

/// All three have to find the first break at this entry.
#[track_caller]
pub(crate) fn broken_at(log: &Path, entry: u64) -> Answer {
    let answer = agreed(log, &Question::default());
    assert_eq!((answer.code, answer.entry), (1, Some(entry)), "{}", answer.said);
    answer
}
