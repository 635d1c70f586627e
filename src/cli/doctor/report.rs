//! What `doctor` has found, for people and for scripts.
//!
//! Used by `doctor` and, for its last words, by `install`.

use serde_json::{Value, json};

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Console;
use crate::cli::quote::shown;
use crate::cli::trees::Asked;

/// What became of one repository.
#[derive(Debug)]
pub struct Report {
    /// The repository.
    pub asked: Asked,
    /// Whether it was looked at.
    pub outcome: Outcome,
}

/// What was found in a repository.
#[derive(Debug)]
pub enum Outcome {
    /// These.
    Findings(Vec<Finding>),
    /// A mirror without our hooks: nobody pushes to it.
    Mirror,
    /// It could not be looked at.
    Fault(Fault),
}

impl Report {
    /// What it means for the exit code.
    pub fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Findings(findings) if is_healthy(findings) => Exit::Yes,
            Outcome::Findings(_) => Exit::No,
            Outcome::Mirror => Exit::Yes,
            Outcome::Fault(fault) => fault.exit(),
        }
    }

    fn as_json(&self) -> Value {
        let mut value = match &self.outcome {
            Outcome::Findings(findings) => json!({
                "healthy": is_healthy(findings),
                "findings": findings.iter().map(finding).collect::<Vec<_>>(),
            }),
            Outcome::Mirror => json!({ "healthy": true, "mirror": true, "findings": [] }),
            Outcome::Fault(fault) => json!({
                "healthy": false, "fault": fault.to_string(), "findings": [],
            }),
        };
        value["repository"] = json!(shown(&self.asked.path));
        value
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "level": finding.level.word(),
        "what": finding.what,
        "why": finding.why,
        "mend": finding.mend,
        "fixable": finding.fix.is_some(),
    })
}

/// Whether pushes are judged as they should be.
pub fn is_healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Error)
}

/// All of it for scripts.
pub fn as_json(reports: &[Report]) -> Value {
    let count = |is: fn(&Report) -> bool| reports.iter().filter(|report| is(report)).count();
    json!({
        "repositories": reports.iter().map(Report::as_json).collect::<Vec<_>>(),
        "summary": {
            "repositories": reports.len(),
            "healthy": count(|report| report.exit() == Exit::Yes),
            "with_errors": count(|report| report.exit() == Exit::No),
            "mirrors": count(|report| matches!(report.outcome, Outcome::Mirror)),
            "not_looked_at": count(|report| matches!(report.outcome, Outcome::Fault(_))),
        },
    })
}

/// All of it for people. Where there are several, notes are counted and not told.
pub fn print(console: &mut Console, reports: &[Report]) -> Result<(), Fault> {
    let is_one = reports.len() == 1;
    for report in reports {
        let path = shown(&report.asked.path);
        match &report.outcome {
            Outcome::Findings(findings) if is_one => show(console, findings)?,
            Outcome::Findings(findings) => {
                console.data_line(&format!("{path}:"))?;
                findings
                    .iter()
                    .filter(|finding| finding.level != Level::Note)
                    .try_for_each(|finding| show_one(console, finding))?;
                console.data_line(&sum(findings))?;
            }
            Outcome::Mirror => {
                console.data_line(&format!("{path}: a mirror without hooks, passed over"))?;
            }
            Outcome::Fault(fault) => {
                console.flush()?;
                let _ = fault.show(console);
            }
        }
    }
    if is_one {
        return Ok(());
    }
    let count = |is: fn(&Report) -> bool| reports.iter().filter(|report| is(report)).count();
    let bad = count(|report| report.exit() == Exit::No);
    let unseen = count(|report| matches!(report.outcome, Outcome::Fault(_)));
    let unseen = if unseen == 0 { String::new() } else { format!(", {unseen} not looked at") };
    console.data_line(&format!(
        "{} repositories: {bad} with errors{unseen}, {} without",
        reports.len(),
        count(|report| report.exit() == Exit::Yes)
    ))
}

/// Prints the findings of one repository for a person.
pub fn show(console: &mut Console, findings: &[Finding]) -> Result<(), Fault> {
    findings.iter().try_for_each(|finding| show_one(console, finding))?;
    console.data_line(&sum(findings))
}

fn show_one(console: &mut Console, finding: &Finding) -> Result<(), Fault> {
    let what = finding.what.replace('\n', "\n  ");
    let word = finding.level.word();
    let told = format!("{word}: {what} [{}]", finding.check);
    told.split('\n').try_for_each(|line| console.data_words(line))?;
    console.data_words(&format!("  {}", finding.why))?;
    finding.mend.iter().try_for_each(|command| console.data_line(&format!("  mend: {command}")))
}

/// How many there are of each level.
fn sum(findings: &[Finding]) -> String {
    let sum = [Level::Error, Level::Warning, Level::Note]
        .map(|level| {
            (findings.iter().filter(|finding| finding.level == level).count(), level.word())
        })
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect::<Vec<_>>();
    if sum.is_empty() { "nothing is wrong".to_owned() } else { sum.join(", ") }
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
