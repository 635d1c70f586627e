//! Policy files read and compiled, and what is wrong with them in words.
//!
//! Used by `lint`, `install` and `doctor`, so that all three call the same policy good.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::policy::{POLICY_BYTES_MAX, PolicyFile, compile};
use crate::source::problem::{Colour, Problems, Severity};

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
        let rows: Vec<Value> = self
            .problems
            .sorted()
            .iter()
            .map(|problem| {
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
            })
            .collect();
        json!({ "usable": self.is_usable(), "problems": rows })
    }
}

/// Reads the files of one repository's policy, in their order.
pub fn read(files: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, Fault> {
    files.iter().map(|path| Ok((path.clone(), read_one(path)?))).collect()
}

fn read_one(path: &Path) -> Result<Vec<u8>, Fault> {
    files::read_whole(path, POLICY_BYTES_MAX)
        .or_fault(|| format!("could not read the policy {}", shown(path)))
}

/// Where a good policy wants its logs to be.
pub fn log_dir(texts: &[(PathBuf, Vec<u8>)]) -> Option<PathBuf> {
    compile(&policy_files(texts)).ok()?.log.dir
}

/// What a good policy asks of push certificates.
pub fn certificates(texts: &[(PathBuf, Vec<u8>)]) -> Certificates {
    match compile(&policy_files(texts)) {
        Ok(policy) if policy.identity.asks_certificates() => Certificates::ForAName,
        Ok(policy) if policy.asks_certificates() => Certificates::ByARule,
        Ok(_) | Err(_) => Certificates::Never,
    }
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
    let files = policy_files(texts);
    match compile(&files) {
        Ok(policy) => Looked { problems: policy.warnings },
        Err(problems) => Looked { problems },
    }
}
