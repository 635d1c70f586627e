//! `lint --cases FILE...`: the unit tests of a policy, run.
//!
//! The files are read here; what they say is `trial`'s.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::policies::problem_as_json;
use crate::cli::quote::shown;
use crate::policy::Policy;
use crate::source::problem::{Colour, Problem, Problems};
use crate::source::text::SourceText;
use crate::trial::outcome::Outcome;
use crate::trial::read::CASES_BYTES_MAX;
use crate::trial::tried;

/// How many files a folder of cases may hold.
const FILES_MAX: usize = 1_000;

/// How a file of cases in a folder ends.
const EXTENSION: &str = "txt";

/// What came of the cases of all files.
#[derive(Debug, Default)]
pub struct Ran {
    /// The pushes that were judged, in order.
    outcomes: Vec<Outcome>,
    /// What is wrong with the files.
    problems: Vec<Problem>,
}

/// Tries the policy with the cases of these files, and of the `.txt` files of these folders.
pub fn run(policy: &Policy, paths: &[PathBuf]) -> Result<Ran, Fault> {
    let mut ran = Ran::default();
    for (number, path) in files_of(paths)?.iter().enumerate() {
        let bytes = files::read_whole(path, CASES_BYTES_MAX)
            .or_fault(|| format!("could not read the cases {}", shown(path)))?;
        let label = shown(path);
        if bytes.trim_ascii().is_empty() {
            let what = format!("there is no case in {label}");
            ran.problems.push(Problem::error(what).hint("a case begins with `== TITLE`"));
            continue;
        }
        let tried = SourceText::read(number, &label, &bytes, CASES_BYTES_MAX)
            .map_err(|problem| {
                let mut problems = Problems::new();
                problems.push(problem);
                problems
            })
            .and_then(|text| tried(policy, &text));
        match tried {
            Ok(outcomes) => ran.outcomes.extend(outcomes),
            Err(problems) => ran.problems.extend(problems.sorted().into_iter().cloned()),
        }
    }
    Ok(ran)
}

/// Every file, folders by what is in them, in the order of their names.
fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut within = listed(path).or_fault(|| format!("could not read {}", shown(path)))?;
        if within.is_empty() {
            let fault = Fault::new(format!("no file of cases is in {}", shown(path)));
            return Err(fault.hint("their names end in .txt"));
        }
        within.sort();
        found.extend(within);
    }
    if found.len() > FILES_MAX {
        return Err(Fault::new(format!("more than {FILES_MAX} files of cases")));
    }
    Ok(found)
}

fn listed(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == EXTENSION) {
            found.push(path);
        }
    }
    Ok(found)
}

impl Ran {
    /// Whether every case holds, and there is one.
    pub fn holds(&self) -> bool {
        self.problems.is_empty() && self.outcomes.iter().all(Outcome::holds)
    }

    /// What came otherwise, and how many cases there were.
    pub fn render(&self, colour: Colour) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            text.push_str(&problem.render(colour));
            text.push('\n');
        }
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.holds()) {
            for what in &outcome.otherwise {
                let problem = Problem::error(format!("{}: {what}", outcome.case));
                text.push_str(&problem.at(&outcome.spot).render(colour));
            }
            text.push_str("what the pusher would read:\n");
            for line in outcome.message.lines() {
                text.push_str(&format!("    {line}\n"));
            }
            text.push('\n');
        }
        let failed = self.outcomes.iter().filter(|outcome| !outcome.holds()).count();
        let count = match self.outcomes.len() {
            1 => "1 push".to_owned(),
            n => format!("{n} pushes"),
        };
        let sum = match (self.problems.len(), failed) {
            (0, 0) => format!("{count} judged, all as the cases have it\n"),
            (0, failed) => format!("{count} judged, {failed} not as the cases have it\n"),
            (_, _) => format!("{count} judged, and not every file of cases can be read\n"),
        };
        text + &sum
    }

    /// The same as a script reads it.
    pub fn as_json(&self) -> Value {
        let rows: Vec<Value> = self.outcomes.iter().map(row).collect();
        let problems: Vec<Value> = self.problems.iter().map(problem_as_json).collect();
        json!({ "hold": self.holds(), "pushes": rows, "problems": problems })
    }
}

fn row(outcome: &Outcome) -> Value {
    let place = outcome.spot.place();
    json!({
        "case": outcome.case,
        "file": place.file,
        "line": place.line,
        "expected": outcome.expected,
        "got": outcome.got,
        "holds": outcome.holds(),
        "otherwise": outcome.otherwise,
        "message": outcome.message,
    })
}
