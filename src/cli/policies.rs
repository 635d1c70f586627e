//! Policy files read and compiled, and what is wrong with them in words.
//!
//! Used by `lint`, `install` and `doctor`, so that all three call the same policy good.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::hook::committed::Committed;
use crate::policy::place::{GitPlace, beside, label};
use crate::policy::{POLICY_BYTES_MAX, Policy, PolicyFile, compile_with, key_files_named};
use crate::source::problem::{Colour, Problem, Problems, Severity};

/// Where push certificates are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certificates {
    /// Nowhere.
    Never,
    /// By a rule, on the refs it names.
    ByARule,
    /// On some way in, to know who pushes at all.
    ForAName,
}

/// What compiling said about a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Looked {
    problems: Problems,
}

impl Looked {
    /// The same with these as well.
    #[must_use]
    pub fn with(mut self, more: impl Iterator<Item = Problem>) -> Self {
        more.for_each(|problem| self.problems.push(problem));
        self
    }

    /// Whether pushes can be judged by it; warnings do not matter.
    pub fn is_usable(&self) -> bool {
        self.problems.errors() == 0
    }

    /// The problems as a person reads them; empty when there are none.
    pub fn render(&self, colour: bool) -> String {
        if self.problems.is_empty() {
            return String::new();
        }
        self.problems.render(if colour { Colour::On } else { Colour::Off })
    }

    /// The problems as a script reads them.
    pub fn as_json(&self) -> Value {
        let rows: Vec<Value> = self.problems.sorted().into_iter().map(problem_as_json).collect();
        json!({ "usable": self.is_usable(), "problems": rows })
    }
}

/// One problem as a script reads it.
pub fn problem_as_json(problem: &Problem) -> Value {
    let position = problem.spot.as_ref().map(|spot| spot.position());
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "what": problem.what,
        "file": problem.place().map(|place| place.file.to_string()),
        "line": position.map(|position| position.line),
        "column": position.map(|position| position.column),
        "label": problem.label,
        "hint": problem.hint,
    })
}

/// Places of policies as somebody typed them, seen from where they are: files, or
/// `git:REPO:REF:PATH`.
pub fn places(around: &Surroundings, typed: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let one = |path: &PathBuf| match GitPlace::parse(path) {
        Some(Ok(mut place)) => {
            place.repository = around.absolute(&place.repository)?;
            Ok(place.written())
        }
        Some(Err(flaw)) => Err(Fault::mistyped(format!("{} {flaw}", shown(path)))),
        None => around.absolute(path),
    };
    typed.iter().map(one).collect()
}

/// Reads the files of one repository's policy, in their order, and those it takes keys from.
pub fn read(files: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, Fault> {
    let mut committed = Committed::default();
    let mut texts = Vec::new();
    for path in files {
        texts.push((path.clone(), read_one(path, &mut committed)?));
    }
    for path in texts.first().map(signers_of).unwrap_or_default() {
        let bytes = read_one(&path, &mut committed)?;
        texts.push((path, bytes));
    }
    Ok(texts)
}

/// The files that the site's policy takes keys from.
pub fn signers(site: &Path) -> Vec<PathBuf> {
    let bytes = read_one(site, &mut Committed::default());
    bytes.map(|bytes| signers_of(&(site.to_owned(), bytes))).unwrap_or_default()
}

fn signers_of((path, bytes): &(PathBuf, Vec<u8>)) -> Vec<PathBuf> {
    let file = PolicyFile { label: shown(path), bytes: bytes.clone() };
    key_files_named(&file).into_iter().map(|named| beside(path, &named)).collect()
}

fn read_one(path: &Path, committed: &mut Committed) -> Result<Vec<u8>, Fault> {
    let could_not = || format!("could not read the policy {}", shown(path));
    match GitPlace::parse(path) {
        Some(Ok(place)) => committed.read(&place).or_fault(could_not),
        Some(Err(flaw)) => Err(Fault::new(could_not()).cause(format!("it {flaw}"))),
        None => files::read_whole(path, POLICY_BYTES_MAX).or_fault(could_not),
    }
}

/// Where a good policy wants its logs to be.
pub fn log_dir(texts: &[(PathBuf, Vec<u8>)]) -> Option<PathBuf> {
    compiled(texts).ok()?.log.dir
}

/// How often a good policy wants its logs to be sealed, in seconds.
pub fn seal_every(texts: &[(PathBuf, Vec<u8>)]) -> Option<i64> {
    compiled(texts).ok()?.log.seal_every
}

/// What a good policy asks of push certificates.
pub fn certificates(texts: &[(PathBuf, Vec<u8>)]) -> Certificates {
    match compiled(texts) {
        Ok(policy) if policy.identity.asks_certificates() => Certificates::ForAName,
        Ok(policy) if policy.asks_certificates() => Certificates::ByARule,
        Ok(_) | Err(_) => Certificates::Never,
    }
}

/// Compiles what `read` has read.
///
/// # Errors
/// What is wrong with the policy.
pub fn compiled(texts: &[(PathBuf, Vec<u8>)]) -> Result<Policy, Problems> {
    compiled_files(&policy_files(texts))
}

/// The same, with each file called by its name without its folder.
///
/// # Errors
/// What is wrong with the policy.
pub fn compiled_by_name(texts: &[(PathBuf, Vec<u8>)]) -> Result<Policy, Problems> {
    let file = |(path, bytes): &(PathBuf, Vec<u8>)| PolicyFile {
        label: shown(Path::new(&label(path))),
        bytes: bytes.clone(),
    };
    let files: Vec<PolicyFile> = texts.iter().map(file).collect();
    compiled_files(&files)
}

fn compiled_files(files: &[PolicyFile]) -> Result<Policy, Problems> {
    let named = files.first().map_or(0, |site| key_files_named(site).len());
    let (policies, signers) = files.split_at(files.len().saturating_sub(named));
    compile_with(policies, signers)
}

fn policy_files(texts: &[(PathBuf, Vec<u8>)]) -> Vec<PolicyFile> {
    let file = |(path, bytes): &(PathBuf, Vec<u8>)| PolicyFile {
        label: shown(path),
        bytes: bytes.clone(),
    };
    texts.iter().map(file).collect()
}

/// Compiles the files as one policy.
pub fn look(texts: &[(PathBuf, Vec<u8>)]) -> Looked {
    match compiled(texts) {
        Ok(policy) => Looked { problems: policy.warnings },
        Err(problems) => Looked { problems },
    }
}
