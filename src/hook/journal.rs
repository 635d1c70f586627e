//! The server's journal, told what happens: for whoever runs the server, never for the pusher.
//!
//! Only where the policy's `[log] journal` asks for it. It hears every answer in one event with
//! fields, and what goes wrong besides. What it is told is what stands in the log anyway and is no
//! secret there: never a push option, a credential or the content of a file. It decides nothing and
//! is never waited for: where nobody listens, or too slowly, the event is lost.

use std::fmt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::hook::answer::head;
use crate::hook::fault::{Road, Stop};
use crate::hook::world::World;
use crate::log::file::Receipt;
use crate::names::escape::escape;
use crate::policy::journal::{Form, Journal};
use crate::push::pusher::Pusher;
use crate::verdict::finding::{self, Finding};
use crate::verdict::{Judgement, Verdict};

/// How long a value may be, in bytes.
const VALUE_BYTES_MAX: usize = 800;

/// How many refs and rules an event names.
const NAMED_MAX: usize = 8;

/// What stands for `daemon` in a priority: RFC 3164, 4.1.1.
const FACILITY_DAEMON: u8 = 3;

/// Tells this journal all that follows. Somebody who listens already goes on listening.
pub fn listen(journal: Option<&Journal>, world: &World) {
    let Some(journal) = journal else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    if socket.set_nonblocking(true).is_err() {
        return;
    }
    // Git may call the folder "/srv/git/infra.git/.".
    let folder: PathBuf = world.git_dir.components().collect();
    let repository = escape(folder.as_os_str().as_encoded_bytes());
    let teller = Teller { journal: journal.clone(), socket, repository };
    let _ = tracing::subscriber::set_global_default(teller);
}

/// The same, for who has not read the policy: only where there is something to tell.
pub fn listen_late(world: &World) {
    if let Ok((policy, _)) = world.policy() {
        listen(policy.log.journal.as_ref(), world);
    }
}

/// Tells of a push that was judged.
pub fn judged(judgement: &Judgement, receipt: &Receipt, you: &Pusher) {
    let verdict = match (judgement.verdict(), judgement.glass.broken.is_empty()) {
        (Verdict::Refuse, _) => "refused",
        (Verdict::Accept, false) => "broken glass",
        (Verdict::Accept, true) if warned(judgement) => "warned",
        (Verdict::Accept, true) => "accepted",
    };
    let pusher = you.name().map_or("unlisted", |name| name.as_str());
    let refs = named(judgement.refs.iter().map(|it| escape(it.update.name.as_bytes())));
    let broken = judgement.glass.broken.iter().flat_map(|it| &it.overridden);
    let rules = named(findings(judgement).chain(broken).map(|it| it.rule.name().to_owned()));
    let (entry, head, door) = (receipt.seq(), head(receipt), you.door);
    match judgement.glass.broken.is_empty() {
        true => tracing::info!(verdict, entry, head, pusher, door, refs, rules, "push {verdict}"),
        false => tracing::warn!(verdict, entry, head, pusher, door, refs, rules, "push {verdict}"),
    }
}

/// What was found about the push and each of its refs.
fn findings(judgement: &Judgement) -> impl Iterator<Item = &Finding> {
    judgement.refs.iter().flat_map(|it| &it.findings).chain(&judgement.findings)
}

/// Tells of a push that was answered without a judgement.
pub fn stopped(stop: &Stop, receipt: Option<&Receipt>) {
    let entry = receipt.map(Receipt::seq);
    let reason = stop.reason.as_str();
    match stop.road {
        Road::Fault => {
            tracing::error!(verdict = "fault", entry, reason, "a push could not be judged");
        }
        Road::Refused | Road::Busy => {
            tracing::info!(verdict = "refused", entry, reason, "push refused")
        }
    }
}

fn warned(judgement: &Judgement) -> bool {
    findings(judgement).any(|found| found.level == finding::Level::Warn)
}

/// Names, each once, as many as an event holds.
fn named(names: impl Iterator<Item = String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut more = 0_usize;
    for name in names {
        match seen.len() < NAMED_MAX {
            _ if seen.contains(&name) => {}
            true => seen.push(name),
            false => more += 1,
        }
    }
    if more > 0 {
        seen.push(format!("and {more} more"));
    }
    seen.join(", ")
}

/// What sends events to the journal.
struct Teller {
    journal: Journal,
    socket: UnixDatagram,
    repository: String,
}

impl Subscriber for Teller {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Spans are no part of what is told.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told { message: String::new(), fields: Vec::new() };
        event.record(&mut told);
        told.fields.push(("path", self.repository.clone()));
        let severity = severity(*event.metadata().level());
        let line = match self.journal.form {
            Form::Syslog => told.syslog(severity),
            Form::Journald => told.journald(severity),
        };
        // Nobody waits for a journal, and nobody could be told that it is gone.
        let _ = self.socket.send_to(line.as_bytes(), &self.journal.socket);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The number that syslog has for it: RFC 5424, 6.2.1.
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        _ => 6,
    }
}

/// What an event says, all of it plainly visible.
struct Told {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Told {
    fn put(&mut self, name: &'static str, value: &str) {
        // Names of refs come escaped: they hold no backslash of their own (git-check-ref-format).
        let mut shown = escape(value.as_bytes());
        let cut = (0..=VALUE_BYTES_MAX).rev().find(|at| shown.is_char_boundary(*at));
        shown.truncate(cut.unwrap_or_default());
        match name {
            "message" => self.message = shown,
            _ => self.fields.push((name, shown)),
        }
    }

    /// `<PRI>portcullis[PID]: what key=value key="two words"`.
    fn syslog(&self, severity: u8) -> String {
        let priority = FACILITY_DAEMON * 8 + severity;
        let mut line = format!("<{priority}>portcullis[{}]: {}", std::process::id(), self.message);
        for (name, value) in &self.fields {
            let plain = !value.is_empty() && !value.contains([' ', '"', '=']);
            match plain {
                true => line.push_str(&format!(" {name}={value}")),
                false => line.push_str(&format!(" {name}=\"{}\"", value.replace('"', "'"))),
            }
        }
        line
    }

    /// `KEY=value` a line; no value holds a line feed.
    fn journald(&self, severity: u8) -> String {
        let mut text = format!(
            "MESSAGE={}\nPRIORITY={severity}\nSYSLOG_IDENTIFIER=portcullis\nSYSLOG_FACILITY={FACILITY_DAEMON}\n",
            self.message
        );
        for (name, value) in &self.fields {
            text.push_str(&format!("PORTCULLIS_{}={value}\n", name.to_uppercase()));
        }
        text
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), &format!("{value:?}"));
    }
}
