//! Policy files read and compiled, and what is wrong with them in words.
//!
//! Used by `lint`, `install` and `doctor`, so that all three call the same policy good.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::policy::{POLICY_BYTES_MAX, Policy, PolicyFile, compile_with, signers_named};
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

/// Reads the files of one repository's policy, in their order, and those it takes keys from.
pub fn read(files: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, Fault> {
    let one = |path: &PathBuf| Ok((path.clone(), read_one(path)?));
    let mut texts: Vec<(PathBuf, Vec<u8>)> = files.iter().map(one).collect::<Result<_, _>>()?;
    for path in texts.first().map(signers_of).unwrap_or_default() {
        texts.push(one(&path)?);
    }
    Ok(texts)
}

/// The files that the site's policy takes keys from.
pub fn signers(site: &Path) -> Vec<PathBuf> {
    read_one(site).map(|bytes| signers_of(&(site.to_owned(), bytes))).unwrap_or_default()
}

fn signers_of((path, bytes): &(PathBuf, Vec<u8>)) -> Vec<PathBuf> {
    let beside = path.parent().unwrap_or(path);
    let file = PolicyFile { label: shown(path), bytes: bytes.clone() };
    signers_named(&file).into_iter().map(|named| beside.join(named)).collect()
}

fn read_one(path: &Path) -> Result<Vec<u8>, Fault> {
    files::read_whole(path, POLICY_BYTES_MAX)
        .or_fault(|| format!("could not read the policy {}", shown(path)))
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
    let file = |(path, bytes): &(PathBuf, Vec<u8>)| {
        let name = path.file_name().map_or(path.as_path(), Path::new);
        PolicyFile { label: shown(name), bytes: bytes.clone() }
    };
    let files: Vec<PolicyFile> = texts.iter().map(file).collect();
    compiled_files(&files)
}

fn compiled_files(files: &[PolicyFile]) -> Result<Policy, Problems> {
    let named = files.first().map_or(0, |site| signers_named(site).len());
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
