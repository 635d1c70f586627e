//! `status --prometheus`: the same in the text format that Prometheus reads.
//!
//! Pure. Version 0.0.4 of the format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//! Every series of a repository has its path and its id; two repositories may have one id, no two have
//! one path. Moments are given as such and ages are left to the reader, whose clock goes on when this
//! does not run any more.

use std::fmt::Write as _;

use crate::cli::doctor::finding::Level;
use crate::cli::quote::shown;
use crate::cli::status::told::{State, Told, in_state};
use crate::names::moment::Moment;

/// One metric: its name without the prefix, what it is, and its series of a repository.
struct Metric {
    name: &'static str,
    help: &'static str,
    series: fn(&Told) -> Vec<Series>,
}

/// The labels besides path and id, and the value.
type Series = (Vec<(&'static str, String)>, i64);

/// What every name begins with.
const PREFIX: &str = "portcullis_";

const METRICS: [Metric; 17] = [
    metric("up", "1: the repository could be looked at.", |told| {
        plain(i64::from(told.state != State::Unseen))
    }),
    metric("installed", "1: install has put hooks there.", |told| {
        plain(i64::from(told.state == State::Gated))
    }),
    metric("judging", "1: the hooks run, and policy and log can be used.", |told| {
        gated(told, Some(i64::from(told.is_judging())))
    }),
    metric("hook_runs", "1: Git will run this hook.", |told| {
        let one = |hook: &crate::cli::status::told::HookTold| {
            (vec![("hook", hook.name.clone())], i64::from(hook.runs))
        };
        told.hooks.iter().map(one).collect()
    }),
    metric("program_info", "1, with the program that the hooks run and its version.", |told| {
        let one = |program: &crate::cli::status::told::Program| {
            let version = program.version.clone().unwrap_or_default();
            (vec![("program", shown(&program.path)), ("version", version)], 1)
        };
        told.programs.iter().map(one).collect()
    }),
    metric("policy_usable", "1: the policy can be used.", |told| {
        gated(told, Some(i64::from(told.policy.is_some())))
    }),
    metric("policy_info", "1, with the policy's digest and what it does.", |told| {
        let one = |policy: &crate::cli::status::told::PolicyTold| {
            let stance = policy.stance.word().to_owned();
            (vec![("sha256", policy.digest.clone()), ("stance", stance)], 1)
        };
        told.policy.iter().map(one).collect()
    }),
    metric("log_entries", "How many entries the log has.", |told| {
        gated(told, told.last.as_ref().map(|last| signed(last.entry.saturating_add(1))))
    }),
    metric("last_entry_timestamp_seconds", "When the log's last entry was written.", |told| {
        gated(told, told.last.as_ref().map(|last| last.at.seconds()))
    }),
    metric("last_seal_timestamp_seconds", "When the log was sealed last.", |told| {
        gated(told, told.seal.and_then(|seal| seal.at).map(Moment::seconds))
    }),
    metric("seal_interval_seconds", "How often the policy wants a seal.", |told| {
        gated(told, told.seal.and_then(|seal| seal.every))
    }),
    metric("seal_overdue", "1: a seal is late by as long as it may take.", |told| {
        gated(told, told.seal.map(|seal| i64::from(seal.is_overdue)))
    }),
    metric("log_free_bytes", "What is free on the log's disk.", |told| {
        gated(told, told.free_bytes.map(signed))
    }),
    metric("drifts_open", "Refs moved past the gate that nobody has accepted.", |told| {
        gated(told, told.last.as_ref().map(|_| length(told.drifts.len())))
    }),
    metric("debts", "Debts of broken glasses.", |told| {
        if told.last.is_none() {
            return Vec::new();
        }
        let overdue = told.debts.iter().filter(|debt| debt.told.overdue).count();
        let label = |is: &str| vec![("overdue", is.to_owned())];
        vec![
            (label("no"), length(told.debts.len().saturating_sub(overdue))),
            (label("yes"), length(overdue)),
        ]
    }),
    metric("statements_waiting", "Statements that wait to be used.", |told| {
        gated(told, told.last.as_ref().map(|_| length(told.waiting)))
    }),
    metric("findings", "What status found there.", |told| {
        let one =
            |level: Level| (vec![("level", level.word().to_owned())], length(told.count(level)));
        [Level::Error, Level::Warning].map(one).into()
    }),
];

const fn metric(
    name: &'static str,
    help: &'static str,
    series: fn(&Told) -> Vec<Series>,
) -> Metric {
    Metric { name, help, series }
}

fn plain(value: i64) -> Vec<Series> {
    vec![(Vec::new(), value)]
}

/// A value that only a repository with our hooks has.
fn gated(told: &Told, value: Option<i64>) -> Vec<Series> {
    match (told.state, value) {
        (State::Gated, Some(value)) => plain(value),
        (State::Gated | State::Open | State::Mirror | State::Unseen, _) => Vec::new(),
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The whole file.
pub fn whole(all: &[Told], now: Moment) -> String {
    let mut out = String::new();
    head(&mut out, "status_timestamp_seconds", "When status looked.");
    line(&mut out, "status_timestamp_seconds", &[], now.seconds());
    head(&mut out, "status_info", "1, with the version of the program that looked.");
    let version = [("version", env!("CARGO_PKG_VERSION").to_owned())];
    line(&mut out, "status_info", &version, 1);
    head(&mut out, "repositories", "How many repositories there are, by what they are to us.");
    for state in State::ALL {
        let label = [("state", state.word().to_owned())];
        line(&mut out, "repositories", &label, length(in_state(all, state)));
    }
    for metric in &METRICS {
        let mut has_head = false;
        for told in all {
            for (labels, value) in (metric.series)(told) {
                if !std::mem::replace(&mut has_head, true) {
                    head(&mut out, metric.name, metric.help);
                }
                let own = [("path", shown(&told.path)), ("repository", told.repository.clone())];
                let labels: Vec<_> = own.into_iter().chain(labels).collect();
                line(&mut out, metric.name, &labels, value);
            }
        }
    }
    out
}

fn head(out: &mut String, name: &str, help: &str) {
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "# HELP {PREFIX}{name} {help}");
    let _ = writeln!(out, "# TYPE {PREFIX}{name} gauge");
}

fn line(out: &mut String, name: &str, labels: &[(&'static str, String)], value: i64) {
    let pairs = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
    let pairs: Vec<String> = pairs.collect();
    let labels = match pairs.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", pairs.join(",")),
    };
    let _ = writeln!(out, "{PREFIX}{name}{labels} {value}");
}

/// A label's value: backslash, double quote and line feed are escaped, all else stands as it is.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn labels_are_escaped_and_every_metric_is_described_once() {
        let mut told = Told::nothing(PathBuf::from("/srv/a\"b\\c\nd"), String::new(), State::Gated);
        told.repository = "x\"y\nz\\".to_owned();
        let open = Told::nothing(PathBuf::from("/srv/o"), String::new(), State::Open);
        let text = whole(&[told, open], Moment::from_seconds(1_800_000_000));
        // The path is shown escaped already, and its escapes are escaped.
        let labels = r#"{path="/srv/a\"b\\\\c\\nd",repository="x\"y\nz\\"}"#;
        assert!(text.contains(&format!("portcullis_up{labels} 1\n")), "{text}");
        assert!(text.contains("portcullis_up{path=\"/srv/o\",repository=\"\"} 1\n"), "{text}");
        assert!(text.contains("portcullis_status_timestamp_seconds 1800000000\n"));
        assert!(text.contains("portcullis_repositories{state=\"open\"} 1\n"));
        assert!(text.ends_with('\n'));
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let once: std::collections::BTreeSet<&str> = heads.iter().copied().collect();
        assert_eq!(heads.len(), once.len());
        for line in text.lines() {
            let is_series = line.starts_with("portcullis_") && line.rsplit_once(' ').is_some();
            assert!(line.starts_with("# ") || is_series, "{line}");
        }
    }
}
