//! Entries as OCSF events of class Entity Management (3004): one a ref, one a line.
//!
//! Pure. The entity is the ref; what a push was refused is a failure, what it was allowed a
//! success; a drift is a change that nobody is known to have made. What is about no ref and no
//! policy is no event of this class and is left out.

use serde_json::{Value, json};

use crate::cli::log::change::{Change, Does, changes};
use crate::cli::log::words;
use crate::log::about;
use crate::log::decision::{Actor, ActorKind};
use crate::log::entry::Record;
use crate::log::line::Entry;
use crate::names::escape::escape;

/// The version of the schema.
const SCHEMA: &str = "1.3.0";

/// Category Identity & Access Management.
const CATEGORY: u64 = 3;

/// Class Entity Management.
const CLASS: u64 = 3004;

/// The events of an entry, none for some kinds. `record` is its record, whole.
pub fn events(entry: &Entry, record: &Record) -> Vec<Value> {
    let (severity, is_policy) = match record {
        Record::Decision(_) | Record::Outcome(_) | Record::Birth(_) | Record::Tidy(_) => (1, false),
        Record::Refusal(_) | Record::Config(_) => (3, false),
        Record::Accepted(_) | Record::Pruned(_) => (2, false),
        Record::Drift(_) | Record::BreakGlass(_) => (4, false),
        Record::Policy(_) => (2, true),
        Record::Genesis(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_) => return Vec::new(),
    };
    let changes = changes(record);
    let one =
        |(at, change): (usize, &Change)| event(entry, record, (at, change), severity, is_policy);
    changes.iter().enumerate().map(one).collect()
}

fn event(
    entry: &Entry,
    record: &Record,
    (at, change): (usize, &Change),
    severity: u64,
    is_policy: bool,
) -> Value {
    let common = &entry.common;
    let (activity, activity_name) = activity(change);
    let (severity, severity_name) = weight(severity, change);
    let (status, status_name) = status(change);
    let mut event = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS,
        "class_name": "Entity Management",
        "type_uid": CLASS * 100 + activity,
        "type_name": format!("Entity Management: {activity_name}"),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "time": common.ts.0.millis(),
        "message": message(common.seq, common.kind.name(), change),
        "metadata": {
            "version": SCHEMA,
            "product": {
                "name": "Portcullis",
                "vendor_name": "Portcullis",
                "version": words::plain(common.tool.rsplit(' ').next().unwrap_or_default()),
            },
            "uid": format!("{}/{}/{at}", words::plain(&common.log), common.seq),
            "sequence": common.seq,
            "log_name": words::plain(&common.log),
            "log_version": common.v.to_string(),
            "event_code": common.kind.name(),
            "correlation_uid": words::plain(&common.push),
            "original_time": common.ts.0.rfc3339_millis(),
        },
        "entity": entity(entry, change, change.old.as_deref(), is_policy),
        "unmapped": { "hash": entry.hash.hex(), "rules": change.rules },
    });
    if let Some(detail) = [change.answer, change.state].into_iter().find(|it| !it.is_empty()) {
        event["status_detail"] = detail.into();
    }
    if change.new.is_some() {
        event["entity_result"] = entity(entry, change, change.new.as_deref(), is_policy);
    }
    if !change.reason.is_empty() {
        event["comment"] = change.reason.as_str().into();
    }
    if let Some(actor) = about::actor(record) {
        event["actor"] = json!({ "user": user(actor) });
    }
    event
}

/// `activity_id` of the class, and its name.
const fn activity(change: &Change) -> (u64, &'static str) {
    match change.does {
        Some(Does::Create) => (1, "Create"),
        Some(Does::Move) | None => (3, "Update"),
        Some(Does::Delete) => (4, "Delete"),
    }
}

/// `status_id`, and its name.
fn status(change: &Change) -> (u64, &'static str) {
    match (change.answer, change.state) {
        ("refused", _) | (_, "not applied" | "lost") => (2, "Failure"),
        _ => (1, "Success"),
    }
}

/// `severity_id`, and its name: that of the record, where the change itself says nothing.
fn weight(severity: u64, change: &Change) -> (u64, &'static str) {
    match (change.answer, change.state) {
        ("refused", _) => (3, "Medium"),
        ("warned", _) => (2, "Low"),
        (_, "lost") => (4, "High"),
        _ => match severity {
            4 => (4, "High"),
            3 => (3, "Medium"),
            2 => (2, "Low"),
            _ => (1, "Informational"),
        },
    }
}

/// A ref, or the policy, at one value.
fn entity(entry: &Entry, change: &Change, value: Option<&str>, is_policy: bool) -> Value {
    let log = words::plain(&entry.common.log);
    let name = change.refname.as_deref();
    let (kind, uid) = match name {
        Some(name) => ("Git reference", format!("{log}@{name}")),
        None if is_policy => ("Policy", format!("{log}#policy")),
        None => ("Git repository", log),
    };
    let name = name.unwrap_or(if is_policy { "policy" } else { "repository" });
    let mut entity = json!({ "type": kind, "name": name, "uid": uid });
    if let Some(value) = value {
        entity["version"] = value.into();
    }
    entity
}

fn user(actor: &Actor) -> Value {
    let (kind, kind_name) = match actor.kind {
        ActorKind::Person => (1, "User"),
        ActorKind::Machine => (4, "Service"),
        ActorKind::Unlisted | ActorKind::Shared | ActorKind::Unknown => (0, "Unknown"),
    };
    let mut user = json!({
        "type_id": kind,
        "type": kind_name,
        "name": words::who(actor),
        "uid": escape(&actor.login.0),
    });
    if let Some(key) = &actor.key {
        user["credential_uid"] = words::plain(key).into();
    }
    user
}

fn message(number: u64, kind: &str, change: &Change) -> String {
    let name = change.refname.as_deref().unwrap_or("no ref");
    let said = [change.answer, change.state].into_iter().find(|it| !it.is_empty());
    let said = said.map(|said| format!(", {said}")).unwrap_or_default();
    format!("entry {number}: {kind} of {name}{said}")
}
