//! `status` of one repository for people: everything that is known of it.
//!
//! Pure.

use crate::answer::DebtAnswer;
use crate::cli::log::words::counted;
use crate::cli::quote::shown;
use crate::cli::status::table;
use crate::cli::status::told::{Owed, Program, State, Told};
use crate::names::escape::escape;
use crate::names::moment::Moment;

/// How many digits of the log's head and of a digest are shown.
const DIGITS: usize = 12;

/// The length of a day in seconds.
const DAY_SECONDS: i64 = 86_400;

/// What is told of one repository.
pub fn lines(told: &Told, now: Moment) -> Vec<String> {
    let heading = format!("{}: {}", shown(&told.path), escape(told.repository.as_bytes()));
    // What is not gated has no id.
    let mut lines = vec![heading.trim_end().to_owned()];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:8} {text}"));
    match told.state {
        State::Gated => {
            line("hooks", table::hooks(told).replace(',', ", "));
            for program in &told.programs {
                line("program", program_line(program));
            }
            line("policy", policy(told));
            line("log", log(told));
            line("sealed", sealed(told));
            line("drift", drift(told));
            line("waiting", counted(told.waiting as u64, "statement"));
            if told.debts.is_empty() {
                line("debts", "none".to_owned());
            }
        }
        State::Open => line("hooks", "none".to_owned()),
        State::Mirror => line("hooks", "none: it is a mirror, which nobody pushes to".to_owned()),
        State::Unseen => line("hooks", "it could not be looked at".to_owned()),
    }
    lines.extend(debts(&told.debts, now));
    for finding in &told.findings {
        let what = finding.what.trim_end().replace('\n', "\n    ");
        lines.push(format!("  {}: {what}", finding.level.word()));
        lines.extend(finding.mend.iter().map(|command| format!("    mend: {command}")));
    }
    lines
}

fn program_line(program: &Program) -> String {
    let path = shown(&program.path);
    match &program.version {
        Some(version) => format!("{path}, version {}", escape(version.as_bytes())),
        None => format!("{path}, of an unknown version"),
    }
}

fn policy(told: &Told) -> String {
    match &told.policy {
        Some(policy) => {
            let digest = policy.digest.get(..DIGITS).unwrap_or(&policy.digest);
            format!("{digest}, {}", policy.stance.word())
        }
        None => "cannot be used".to_owned(),
    }
}

fn log(told: &Told) -> String {
    match &told.last {
        Some(last) => {
            let (at, head) = (last.at.rfc3339_seconds(), &last.head);
            let head = head.get(..DIGITS).unwrap_or(head);
            format!("entry {} of {at}, head {head}", last.entry)
        }
        None if told.is_new => "begins with the first push".to_owned(),
        None => "cannot be used".to_owned(),
    }
}

fn sealed(told: &Told) -> String {
    let Some(seal) = &told.seal else { return "not known".to_owned() };
    match seal.at {
        Some(at) => at.rfc3339_seconds(),
        None => format!("never, the log begins {}", seal.since.rfc3339_seconds()),
    }
}

fn drift(told: &Told) -> String {
    match told.drifts.len() {
        0 => "none that is written down and not accepted".to_owned(),
        many => format!("{many} not accepted"),
    }
}

/// What is owed, by whom and to whom.
pub fn debts(debts: &[Owed], now: Moment) -> Vec<String> {
    let mut lines = Vec::new();
    for debt in debts {
        let DebtAnswer { entry, by, due, reason, missing, commit, .. } = &debt.told;
        let age = age(debt.at, now);
        lines.push(format!(
            "  debts    entry {entry} on {} by {by}, {age}, due {due}",
            debt.refname
        ));
        lines.push(format!("           \"{reason}\""));
        for lack in missing {
            let commit = commit.get(..DIGITS).unwrap_or(commit);
            lines.push(format!(
                "           {commit} lacks {}, from {}",
                counted(lack.approvals, "approval"),
                lack.from.join(", ")
            ));
        }
    }
    lines
}

/// How old something is, in whole days.
fn age(at: Moment, now: Moment) -> String {
    let days = now.seconds().saturating_sub(at.seconds()).max(0) / DAY_SECONDS;
    match days {
        0 => "since today".to_owned(),
        1 => "1 day old".to_owned(),
        many => format!("{many} days old"),
    }
}
