//! `portcullis log verify --repo`: the refs and HEAD of a repository held against its log.
//!
//! Used by `verify`. Writes nothing; `log drift` does.

use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::log::drift::{told, waits};
use crate::cli::log::truth;
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::facts::past::OpenDecision;
use crate::hook::fault::Stop;
use crate::hook::host;
use crate::hook::sweep::{Doing, Swept, sweep};
use crate::hook::world::World;
use crate::log::entry::{Drift, Outcome, Record};
use crate::names::moment::Moment;

/// What the refs say of the log.
pub struct Agreement {
    refs: usize,
    explained: Vec<Outcome>,
    waiting: Vec<OpenDecision>,
    new: Vec<Drift>,
    open: usize,
}

/// Holds the refs and HEAD of this repository against its log.
pub fn look(site: &Site, now: Moment) -> Result<Agreement, Fault> {
    let fault = |stop: Stop| Fault::new(format!("{}: {}", shown(&site.git_dir), stop.reason));
    let world = World::at_rest(&site.git_dir).map_err(fault)?;
    let mut log = world.log_to_read().map_err(fault)?;
    let Swept { refs, records, waiting } =
        sweep(&world, &mut log, Doing::Look, &host::ctx(now)).map_err(fault)?;
    let drifts = log.drifts().map_err(|error| fault(error.into()))?;
    let (mut explained, mut new) = (Vec::new(), Vec::new());
    for record in records {
        if let Record::Outcome(outcome) = record {
            explained.push(outcome);
        } else if let Record::Drift(drift) = record {
            new.push(drift);
        }
    }
    let open = drifts.iter().filter(|one| one.accepted.is_none()).count();
    Ok(Agreement { refs, explained, waiting, new, open })
}

impl Agreement {
    /// Whether every ref is as the log says or explains, and nobody has to accept anything.
    pub fn holds(&self) -> bool {
        self.new.is_empty() && self.open == 0
    }

    /// In words.
    pub fn lines(&self) -> Vec<String> {
        let refs = words::counted(self.refs as u64, "ref");
        let mut lines = vec![match self.new.len() {
            0 => format!("{refs} and HEAD are as the log says"),
            n => format!("{refs} and HEAD: {} that the log does not know", counted(n)),
        }];
        for drift in &self.new {
            lines.push(format!("drift {}", truth::drifted(drift)));
        }
        for outcome in &self.explained {
            for one in &outcome.refs {
                let (name, state) = (words::refname(&one.refname), words::state(one.state));
                lines.push(format!(
                    "entry {}: {name} {state}, which nobody has written yet",
                    outcome.of
                ));
            }
        }
        for one in &self.waiting {
            lines.push(format!("entry {}: {} waits, its push still runs", one.entry, one.refname));
        }
        if self.open > 0 {
            lines.push(format!("{} in the log, not accepted", counted(self.open)));
        }
        if !self.holds() {
            lines
                .push("to write them down, to see and to accept them: portcullis log drift".into());
        }
        lines
    }

    /// For machines.
    pub fn as_json(&self) -> Value {
        let outcome = |outcome: &Outcome| {
            let refs = outcome.refs.iter();
            let refs = refs.map(|one| {
                json!({ "ref": words::refname(&one.refname), "state": words::state(one.state) })
            });
            json!({ "of": outcome.of, "refs": refs.collect::<Vec<_>>() })
        };
        json!({
            "holds": self.holds(),
            "refs": self.refs,
            "explained": self.explained.iter().map(outcome).collect::<Vec<_>>(),
            "waiting": self.waiting.iter().map(waits).collect::<Vec<_>>(),
            "drifts": self.new.iter().map(told).collect::<Vec<_>>(),
            "not_accepted": self.open,
        })
    }
}

fn counted(n: usize) -> String {
    words::counted(n as u64, "drift")
}
