//! What an entry is about, as people ask for it: refs, somebody, rules, answers, paths.
//!
//! Pure. `read` asks it of each entry that it looks at, `posting` files entries under it; both ask
//! here, so that what the index finds is what a walk would find.

use crate::log::decision::{Actor, Decision, Paths, Verdict};
use crate::log::entry::Record;
use crate::log::posting::{ACCEPTED, Key, is_yes, place};
use crate::names::oid::Oid;

/// How many keys the paths of one ref may take in the index. A push beyond that is looked at
/// whatever path is asked for.
const PATH_KEYS_MAX: usize = 96;

/// How many refs a push may have so that the paths of each are filed.
const SINGLE_REFS_MAX: usize = 256;

/// Who an entry is about.
pub fn actor(record: &Record) -> Option<&Actor> {
    match record {
        Record::Decision(it) => Some(&it.actor),
        Record::Asked(it) => Some(&it.actor),
        Record::Refusal(it) => it.actor.as_ref(),
        Record::BreakGlass(it) => Some(&it.actor),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_)
        | Record::Accepted(_) => None,
    }
}

/// The refs an entry is about.
pub fn refs(record: &Record) -> Vec<&[u8]> {
    match record {
        Record::Decision(it) => it.refs.iter().map(|one| &one.refname.0[..]).collect(),
        Record::Birth(it) => it.refs.iter().map(|one| &one.refname.0[..]).collect(),
        Record::Refusal(it) => it.refs.iter().map(|one| &one.refname.0[..]).collect(),
        Record::Outcome(it) => it.refs.iter().map(|one| &one.refname.0[..]).collect(),
        Record::Tidy(it) => it.refs.iter().map(|one| &one.refname.0[..]).collect(),
        Record::Drift(it) => vec![&it.refname.0],
        Record::Accepted(it) => it.refs.iter().map(|name| &name.0[..]).collect(),
        Record::Asked(it) => vec![&it.refname.0],
        Record::BreakGlass(it) => vec![&it.refname.0],
        Record::Settled(it) => vec![&it.refname.0],
        Record::Genesis(_)
        | Record::Policy(_)
        | Record::Recovered(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_) => Vec::new(),
    }
}

/// The one answer of an entry that is no decision.
pub fn said(record: &Record) -> Option<Verdict> {
    match record {
        Record::Asked(asked) => Some(asked.verdict),
        Record::Refusal(_) => Some(Verdict::Refuse),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Decision(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_)
        | Record::Accepted(_) => None,
    }
}

/// A path and every folder it is in.
fn with_folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.map(|at| &path[..at]).chain(std::iter::once(path))
}

/// The keys under which people find an entry. `record` is whole.
pub fn keys(record: &Record, file: &mut dyn FnMut(Key<'_>, u32)) {
    for name in refs(record) {
        file(Key::About(name), 0);
    }
    if let Some(actor) = actor(record) {
        file(Key::By(&actor.login.0), 0);
        if let Some(name) = &actor.name {
            file(Key::By(name.0.as_str().as_bytes()), 0);
        }
    }
    if let Some(verdict) = said(record) {
        answered(verdict, file);
    }
    match record {
        Record::Decision(it) => decision(it, file),
        Record::BreakGlass(it) => {
            it.overridden.iter().for_each(|finding| file(Key::Rule(&finding.rule), 0));
        }
        Record::Drift(it) => tip(&it.found.0, 0, file),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_)
        | Record::Accepted(_) => {}
    }
}

fn answered(verdict: Verdict, file: &mut dyn FnMut(Key<'_>, u32)) {
    match verdict {
        Verdict::Accept => {}
        Verdict::Warn | Verdict::Refuse => file(Key::Verdict(verdict), 0),
    }
}

fn tip(oid: &Oid, aux: u32, file: &mut dyn FnMut(Key<'_>, u32)) {
    if !oid.is_zero() {
        file(Key::Tip(oid), aux);
        file(Key::digits(oid), 0);
    }
}

fn decision(it: &Decision, file: &mut dyn FnMut(Key<'_>, u32)) {
    answered(it.verdict, file);
    let single_paths = it.refs.len() <= SINGLE_REFS_MAX;
    if !single_paths {
        file(Key::ManyPaths, 0);
    }
    for (index, one) in it.refs.iter().enumerate() {
        answered(one.verdict, file);
        for commit in &one.brought.list {
            file(Key::digits(&commit.0), 0);
        }
        // A value that the update brings is found as a commit.
        if one.brought.list.last() != Some(&one.new) && !one.brought.list.contains(&one.new) {
            let flag = if is_yes(it, one) { ACCEPTED } else { 0 };
            tip(&one.new.0, place(index) | flag, file);
        }
        one.findings.iter().for_each(|finding| file(Key::Rule(&finding.rule), 0));
        one.exempt.iter().for_each(|exempt| file(Key::Rule(&exempt.rule), 0));
        if single_paths {
            paths(&one.paths, file);
        }
    }
}

fn paths(paths: &Paths, file: &mut dyn FnMut(Key<'_>, u32)) {
    let mut keys: Vec<&[u8]> = Vec::new();
    if paths.att.is_some() || paths.list.len() > PATH_KEYS_MAX {
        return file(Key::ManyPaths, 0);
    }
    keys.extend(paths.list.iter().flat_map(|path| with_folders(&path.0)));
    keys.sort_unstable();
    keys.dedup();
    if keys.len() > PATH_KEYS_MAX {
        return file(Key::ManyPaths, 0);
    }
    keys.into_iter().for_each(|path| file(Key::Path(path), 0));
}
