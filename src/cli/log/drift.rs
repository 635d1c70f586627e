//! `portcullis log drift`: every ref and HEAD held against the log, and what an operator says to it.
//!
//! The finding and the writing are the hooks' room's and the log's; from here come the words. One
//! repository that cannot be read does not keep the others from being looked at: this is for a timer.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault};
use crate::cli::git::Git;
use crate::cli::inventory;
use crate::cli::log::place::{self, Below};
use crate::cli::log::truth;
use crate::cli::log::words;
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::cli::verb::Call;
use crate::facts::past::OpenDecision;
use crate::hook::fault::Stop;
use crate::hook::host;
use crate::hook::notify;
use crate::hook::sweep::{Doing, sweep};
use crate::hook::world::World;
use crate::log::accepted::Acceptance;
use crate::log::book::Log;
use crate::log::config::Noticed;
use crate::log::drifts::{Drifted, Taken};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::wire::Text;
use crate::names::escape::escape;

/// Hold every ref and HEAD against the log, and list what was moved past the gate
///
/// A ref that has a value which no accepted push explains is a drift: a command on the server, an
/// edited file, a restored backup, a push past the hooks. Each is written down when it is found, with
/// what speaks about it, and listed until an operator has accepted it, with a reason. Also written:
/// what became of pushes whose end nobody heard of, and hooks or settings that are others than before.
/// The exit code is 1 while there is a drift that nobody has accepted. For a timer, and for after every
/// work on the server by hand.
#[derive(Args, Debug)]
pub struct Drift {
    /// Accept the drifts, for this reason: it is written down with the account that says so. Nothing is
    /// undone by it
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "recursive")]
    accept: Option<String>,

    /// Accept only those of this ref, or of HEAD; its full name, or what follows refs/heads/ or
    /// refs/tags/
    #[arg(long = "ref", value_name = "REF", requires = "accept")]
    refs: Vec<String>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories; the one here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// How long a reason may be, in bytes.
const REASON_BYTES_MAX: usize = 1000;

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(format!("it has to be one line of text, at most {REASON_BYTES_MAX} bytes"));
    }
    Ok(text.to_owned())
}

/// What was found in one repository.
struct Found {
    refs: usize,
    written: usize,
    waiting: Vec<OpenDecision>,
    drifts: Vec<Drifted>,
    /// The entry of the acceptance that was written now.
    accepted: Option<u64>,
    /// The changes of hooks and settings that were noticed now.
    changes: Vec<String>,
}

impl Found {
    fn open(&self) -> impl Iterator<Item = &Drifted> {
        self.drifts.iter().filter(|one| one.accepted.is_none())
    }
}

impl Drift {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let git = Git::find(call.around)?;
        let (places, mut exit) = place::gather_repositories(call, &self.places, &self.below)?;
        let mut all: Vec<Value> = Vec::new();
        for place in &places {
            match self.look(call, &git, place) {
                Ok(found) => {
                    if exit == Exit::Yes && found.open().next().is_some() {
                        exit = Exit::No;
                    }
                    match self.json {
                        true => all.push(as_json(place, &found)),
                        false => self.tell(call, place, &found)?,
                    }
                }
                Err(fault) => {
                    exit = Exit::CouldNot;
                    call.console.flush()?;
                    let _ = fault.show(call.console);
                    all.push(json!({ "place": shown(place), "fault": fault.sentence() }));
                }
            }
        }
        if self.json {
            let clean = exit == Exit::Yes;
            call.console.json(&json!({ "clean": clean, "repositories": all }))?;
        }
        Ok(exit)
    }

    fn look(&self, call: &Call<'_>, git: &Git, place: &Path) -> Result<Found, Fault> {
        let fault = |stop: Stop| place::stopped(place, &stop);
        let past = |error| fault(Stop::from(error));
        let site = Site::find(call.around, git, place)?;
        let world = World::at_rest(&site.git_dir).map_err(fault)?;
        let mut log = world.log().map_err(fault)?;
        let ctx = host::own_ctx(&host::ctx(call.around.now));
        let swept = sweep(&world, &mut log, Doing::Write, &ctx).map_err(fault)?;
        let noticed = inventory::note(&site, &mut log, Noticed::LogDrift, &ctx)?;
        let mut found = Found {
            refs: swept.refs,
            written: swept.records.len(),
            waiting: swept.waiting,
            drifts: log.drifts().map_err(past)?,
            accepted: None,
            changes: noticed.map(|config| truth::configured(&config)).unwrap_or_default(),
        };
        if let Some(reason) = &self.accept {
            found.accepted = self.accept(&mut log, &found, reason, &ctx).map_err(fault)?;
            found.drifts = log.drifts().map_err(past)?;
        }
        notify::start(call.around.executable.as_deref(), &site.git_dir);
        Ok(found)
    }

    /// Writes who accepts what and why; the entry, where there was anything to accept.
    fn accept(
        &self,
        log: &mut Log,
        found: &Found,
        reason: &str,
        ctx: &Ctx,
    ) -> Result<Option<u64>, Stop> {
        let wanted: Vec<&Drifted> = found.open().filter(|one| self.names(one)).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let mut refs: Vec<Text> = wanted.iter().map(|one| one.drift.refname.clone()).collect();
        refs.sort();
        refs.dedup();
        let record = Record::Accepted(Acceptance {
            of: wanted.iter().map(|one| one.entry).collect(),
            refs,
            reason: Text::from(reason),
            by: Text::from(host::account()),
        });
        match log.append(&[record], ctx, None)? {
            Appended::Written(receipt) => Ok(Some(receipt.seq())),
            // Nothing was expected to stand still, and this is no refusal that could be held.
            Appended::Held | Appended::Moved(_) => Err(LogError::Restless.into()),
        }
    }

    /// Whether a drift is of a ref that was named; all are when none was.
    fn names(&self, one: &Drifted) -> bool {
        let name = &one.drift.refname.0[..];
        let short = name.strip_prefix(b"refs/heads/").or(name.strip_prefix(b"refs/tags/"));
        self.refs.is_empty()
            || self.refs.iter().any(|it| it.as_bytes() == name || Some(it.as_bytes()) == short)
    }

    fn tell(&self, call: &mut Call<'_>, place: &Path, found: &Found) -> Result<(), Fault> {
        let name = shown(place);
        for one in &found.drifts {
            for line in lines(one) {
                call.console.data_line(&line)?;
            }
        }
        for one in &found.waiting {
            let line = format!(
                "entry {}: {} may still move to {}, process {} runs",
                one.entry,
                one.refname,
                one.new.short(),
                one.session.pid
            );
            call.console.data_line(&line)?;
        }
        for change in &found.changes {
            call.console.data_line(&format!("changed: {change}"))?;
        }
        if self.accept.is_some() && found.accepted.is_none() {
            call.console.talk("nothing to accept")?;
        }
        let refs = words::counted(found.refs as u64, "ref");
        let open = found.open().count();
        if open == 0 {
            return call.console.data_line(&format!("{name}: {refs}, all explained or accepted"));
        }
        let drifts = words::counted(open as u64, "drift");
        call.console.data_line(&format!("{name}: {refs}, {drifts} not accepted"))?;
        call.console.talk(&format!(
            "hint: look at each, mend what has to be mended, then: \
             portcullis log drift --accept 'REASON' {}",
            shell(place)
        ))
    }
}

/// A drift in words: where and what, what speaks about it, and who took it on.
fn lines(one: &Drifted) -> Vec<String> {
    let at = one.at.rfc3339_seconds();
    let mut lines = vec![format!("entry {}: {}, {at}", one.entry, truth::drifted(&one.drift))];
    for trace in &one.drift.evidence {
        lines.push(format!("  {}: {}", words::plain(&trace.kind), escape(&trace.text.0)));
    }
    lines.push(match &one.accepted {
        Some(Taken { entry, acceptance, .. }) => {
            let (by, reason) = (escape(&acceptance.by.0), escape(&acceptance.reason.0));
            format!("  accepted by {by}, entry {entry}: \"{reason}\"")
        }
        None => "  not accepted".to_owned(),
    });
    lines
}

/// A repository's answer, for machines.
fn as_json(place: &Path, found: &Found) -> Value {
    json!({
        "place": shown(place),
        "refs": found.refs,
        "written": found.written,
        "waiting": found.waiting.iter().map(waits).collect::<Vec<_>>(),
        "drifts": found.drifts.iter().map(drift).collect::<Vec<_>>(),
        "open": found.open().count(),
        "accepted_by": found.accepted,
        "changed": found.changes,
    })
}

/// A move of which nobody knows yet what becomes of it.
pub fn waits(one: &OpenDecision) -> Value {
    json!({
        "entry": one.entry,
        "ref": one.refname.to_string(),
        "old": one.old.hex(),
        "new": one.new.hex(),
        "process": one.session.pid,
    })
}

fn drift(one: &Drifted) -> Value {
    let accepted = one.accepted.as_ref().map(|taken| {
        json!({
            "entry": taken.entry,
            "time": taken.at.rfc3339_millis(),
            "by": escape(&taken.acceptance.by.0),
            "reason": escape(&taken.acceptance.reason.0),
        })
    });
    let mut value = told(&one.drift);
    value["entry"] = json!(one.entry);
    value["time"] = json!(one.at.rfc3339_millis());
    value["accepted"] = json!(accepted);
    value
}

/// What a drift says, for machines.
pub fn told(drift: &crate::log::entry::Drift) -> Value {
    let text = |text: &Text| escape(&text.0);
    let (logged, found) = match &drift.head {
        Some(head) => (head.logged.as_ref().map(text), head.found.as_ref().map(text)),
        None => {
            let value = |oid: crate::names::oid::Oid| (!oid.is_zero()).then(|| oid.hex());
            (value(drift.logged.0), value(drift.found.0))
        }
    };
    let traces = drift.evidence.iter();
    let traces = traces.map(|it| json!({ "kind": words::plain(&it.kind), "text": text(&it.text) }));
    json!({
        "ref": words::refname(&drift.refname),
        "logged": logged,
        "found": found,
        "evidence": traces.collect::<Vec<_>>(),
    })
}
