//! What a command is given on standard input: the facts of one ref update, as JSON.

use serde::Serialize;

use crate::facts::change::{PathChange, Side};
use crate::facts::landing::Step;
use crate::facts::{Facts, UpdateFacts};
use crate::judge::RunOrder;
use crate::log::wire::Text;

#[derive(Serialize)]
struct Given<'f> {
    version: u32,
    rule: &'f str,
    repository: Option<&'f str>,
    #[serde(rename = "ref")]
    refname: Text,
    old: Option<String>,
    new: String,
    start: Option<String>,
    pusher: Pusher<'f>,
    paths: Vec<Text>,
    steps: Vec<StepGiven>,
}

#[derive(Serialize)]
struct Pusher<'f> {
    name: Option<String>,
    login: Text,
    door: &'f str,
}

#[derive(Serialize)]
struct StepGiven {
    from: Option<String>,
    to: String,
    subject: Text,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    path: Text,
    operations: Vec<&'static str>,
    old: Option<SideGiven>,
    new: Option<SideGiven>,
}

#[derive(Serialize)]
struct SideGiven {
    mode: &'static str,
    oid: String,
}

/// The object, with a line feed at its end.
pub(super) fn facts(facts: &Facts, order: &RunOrder<'_>) -> Vec<u8> {
    let update: &UpdateFacts = order.update;
    let pusher = &facts.push.push.pusher;
    let landing = update.landing(order.rule);
    let segments = landing.into_iter().flat_map(|landing| &landing.segments);
    let given = Given {
        version: 1,
        rule: order.name,
        repository: facts.push.repository.as_deref(),
        refname: Text(update.update.name.as_bytes().to_vec()),
        old: update.real.map(|oid| oid.hex()),
        new: update.update.new.hex(),
        start: landing.and_then(|landing| landing.start).map(|oid| oid.hex()),
        pusher: Pusher {
            name: pusher.name().map(ToString::to_string),
            login: Text(pusher.login.clone().into_bytes()),
            door: pusher.door,
        },
        paths: order.ask.paths.iter().map(|path| Text(path.as_bytes().to_vec())).collect(),
        steps: segments.map(|segment| step(&segment.whole)).collect(),
    };
    // Maps and texts of our own: nothing here can fail to be written.
    let mut bytes = serde_json::to_vec(&given).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn step(step: &Step) -> StepGiven {
    StepGiven {
        from: step.from.map(|oid| oid.hex()),
        to: step.to.hex(),
        subject: Text(step.subject.clone()),
        changes: step.delta.changes().iter().map(change).collect(),
    }
}

fn change(change: &PathChange) -> Change {
    let side = |side: Side| SideGiven { mode: side.mode.octal(), oid: side.oid.hex() };
    Change {
        path: Text(change.path.as_bytes().to_vec()),
        operations: change.operations().iter().map(|operation| operation.word()).collect(),
        old: change.old.map(side),
        new: change.new.map(side),
    }
}
