//! Makes any record fit in a line: long lists move to attachments, the rest is cut.
//!
//! Pure. Used by `append` before it takes the lock. An accepted push keeps everything: what the
//! line has no room for is in the attachment `short.whole`. A refused push keeps what fits, so
//! that a flood of refusals cannot fill the disk.

use crate::log::cut::{cut_findings, cut_string, cut_text};
use crate::log::decision::{Actor, Decision, Paths, RefDecision};
use crate::log::entry::{LINE_BYTES_MAX, Policy, REFUSED_LINE_BYTES_MAX, Record, Refusal};
use crate::log::glass::BreakGlass;
use crate::log::line::{Body, JsonError, OF_BYTES, SEAL_BYTES, body, record_json};
use crate::log::listed::{lines_bytes, refs_bytes};
use crate::log::rate::HELD_BYTES_MAX;
use crate::log::wire::{AsText, LISTED_INLINE_MAX, Short, Text};
use crate::names::digest::Digest;

/// A record, ready for its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The record's part of the line.
    pub body: Body,
    /// What must be on disk before the line is written.
    pub attachments: Vec<Vec<u8>>,
    /// Who is refused, when this is a refusal of any kind.
    pub refused: Option<Text>,
}

/// How much of a record's lists and texts is kept.
#[derive(Clone, Copy)]
struct Keep {
    refs: usize,
    listed: usize,
    statements: usize,
    others: usize,
    text_bytes: usize,
}

/// From little cutting to much; the first that fits is taken.
const KEEPS: [Keep; 6] = [
    Keep { refs: 256, listed: 16, statements: 32, others: 16, text_bytes: 200 },
    Keep { refs: 64, listed: 8, statements: 8, others: 8, text_bytes: 200 },
    Keep { refs: 16, listed: 4, statements: 4, others: 4, text_bytes: 120 },
    Keep { refs: 4, listed: 4, statements: 1, others: 2, text_bytes: 120 },
    Keep { refs: 1, listed: 1, statements: 0, others: 1, text_bytes: 80 },
    Keep { refs: 0, listed: 0, statements: 0, others: 0, text_bytes: 40 },
];

/// Prepares a record for a line whose common fields take `common_bytes`, `held` not counted.
/// `None` when it does not fit however much is cut.
pub fn prepare(record: &Record, common_bytes: usize) -> Result<Option<Prepared>, JsonError> {
    let refused = refused_actor(record);
    let line_max = if refused.is_some() { REFUSED_LINE_BYTES_MAX } else { LINE_BYTES_MAX };
    let taken = common_bytes + 1 + OF_BYTES + SEAL_BYTES + HELD_BYTES_MAX;
    let room = line_max.saturating_sub(taken);
    let mut attachments = Vec::new();
    let mut spilled = record.clone();
    digest_paths(&mut spilled);
    if refused.is_none() {
        spill(&mut spilled, &mut attachments);
    }
    let plain = body(&spilled, None)?;
    if plain.fields.len() <= room && fits_inline(&spilled) {
        return Ok(Some(Prepared { body: plain, attachments, refused }));
    }
    let mut short = counts(&spilled);
    if refused.is_none() {
        let json = record_json(&spilled)?.into_bytes();
        short.whole = Some(AsText(Digest::of(&json)));
        attachments.push(json);
    }
    // Each keeps no more than the one before, so what is cut once is not looked at again.
    for keep in KEEPS {
        shorten(&mut spilled, keep);
        let body = body(&spilled, Some(&short))?;
        if body.fields.len() <= room {
            return Ok(Some(Prepared { body, attachments, refused }));
        }
    }
    Ok(None)
}

/// Whom this record refuses, for counting.
fn refused_actor(record: &Record) -> Option<Text> {
    match record {
        Record::Decision(it) => (!it.verdict.is_yes()).then(|| who(&it.actor)),
        Record::Refusal(it) => Some(it.actor.as_ref().map_or_else(|| Text::from("?"), who)),
        Record::Asked(it) => Some(who(&it.actor)),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => None,
    }
}

fn who(actor: &Actor) -> Text {
    let mut who =
        actor.name.as_ref().map_or_else(|| actor.login.clone(), |name| name.0.as_str().into());
    cut_text(&mut who, KEEPS[5].text_bytes);
    who
}

/// Whether no list is longer than a line may hold, though the bytes would fit.
fn fits_inline(record: &Record) -> bool {
    match record {
        Record::Decision(it) => {
            let mut statements = it.statements.iter();
            it.refs.iter().all(|one| {
                one.paths.list.len() <= LISTED_INLINE_MAX
                    && one.brought.list.len() <= LISTED_INLINE_MAX
            }) && statements.all(|one| one.entries.list.len() <= LISTED_INLINE_MAX)
        }
        Record::BreakGlass(it) => it.paths.list.len() <= LISTED_INLINE_MAX,
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => true,
    }
}

fn counts(record: &Record) -> Short {
    let (refs, statements) = match record {
        Record::Decision(it) => (it.refs.len(), it.statements.len()),
        Record::Birth(it) => (it.refs.len(), 0),
        Record::Refusal(it) => (it.refs.len(), 0),
        Record::Outcome(it) => (it.refs.len(), 0),
        Record::Tidy(it) => (it.refs.len(), 0),
        Record::Accepted(it) => (it.refs.len(), 0),
        Record::Genesis(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_) => (0, 0),
    };
    Short { refs: refs as u64, statements: statements as u64, whole: None }
}

/// The attachment's bytes of a list of paths: each followed by a NUL byte.
pub fn paths_bytes(paths: &[Text]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(paths.iter().map(|path| path.0.len() + 1).sum());
    for path in paths {
        bytes.extend_from_slice(&path.0);
        bytes.push(0);
    }
    bytes
}

fn digest_paths(record: &mut Record) {
    let digest = |paths: &mut Paths| {
        if paths.n > 0 && paths.sha256.is_none() {
            paths.sha256 = Some(AsText(Digest::of(&paths_bytes(&paths.list))));
        }
    };
    match record {
        Record::Decision(it) => it.refs.iter_mut().for_each(|one| digest(&mut one.paths)),
        Record::BreakGlass(it) => digest(&mut it.paths),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => {}
    }
}

/// Moves long lists to attachments.
fn spill(record: &mut Record, attachments: &mut Vec<Vec<u8>>) {
    let mut attach = |bytes: Vec<u8>| {
        let name = Digest::of(&bytes);
        attachments.push(bytes);
        Some(AsText(name))
    };
    match record {
        Record::Genesis(it) => {
            it.refs.list.sort_by(|a, b| a.refname.cmp(&b.refname));
            let refs = it.refs.list.iter().map(|one| (one.refname.0.as_slice(), one.oid.0));
            it.refs.att = attach(refs_bytes(refs));
            it.refs.list.clear();
        }
        Record::Decision(it) => {
            for one in &mut it.refs {
                if one.paths.list.len() > LISTED_INLINE_MAX {
                    one.paths.att = attach(paths_bytes(&one.paths.list));
                    one.paths.list.truncate(LISTED_INLINE_MAX);
                }
                if one.brought.list.len() > LISTED_INLINE_MAX {
                    one.brought.att = attach(lines_bytes(&one.brought.list));
                    one.brought.list.truncate(LISTED_INLINE_MAX);
                }
            }
            for one in &mut it.statements {
                if one.entries.list.len() > LISTED_INLINE_MAX {
                    one.entries.att = attach(lines_bytes(&one.entries.list));
                    one.entries.list.truncate(LISTED_INLINE_MAX);
                }
            }
        }
        Record::BreakGlass(it) => {
            if it.paths.list.len() > LISTED_INLINE_MAX {
                it.paths.att = attach(paths_bytes(&it.paths.list));
                it.paths.list.truncate(LISTED_INLINE_MAX);
            }
        }
        Record::Policy(Policy { files, .. }) => {
            for file in files {
                file.att = AsText(Digest::of(&file.text));
                attach(std::mem::take(&mut file.text));
            }
        }
        Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => {}
    }
}

fn shorten(record: &mut Record, keep: Keep) {
    match record {
        Record::Decision(it) => shorten_decision(it, keep),
        Record::Refusal(it) => shorten_refusal(it, keep),
        Record::Birth(it) => it.refs.truncate(keep.refs),
        Record::Outcome(it) => it.refs.truncate(keep.refs),
        Record::Tidy(it) => it.refs.truncate(keep.refs),
        Record::Config(it) => it.shorten(keep.refs, keep.text_bytes),
        Record::Accepted(it) => it.shorten(keep.refs, keep.text_bytes),
        Record::Asked(it) => {
            shorten_actor(&mut it.actor, keep);
            cut_text(&mut it.refname, keep.text_bytes);
        }
        Record::Policy(it) => {
            it.files.truncate(keep.others);
            cut_text(&mut it.who, keep.text_bytes);
        }
        Record::Drift(it) => {
            it.evidence.truncate(keep.others);
            for evidence in &mut it.evidence {
                cut_text(&mut evidence.text, keep.text_bytes);
            }
        }
        Record::Genesis(it) => cut_text(&mut it.path, keep.text_bytes),
        Record::BreakGlass(it) => shorten_glass(it, keep),
        Record::Settled(it) => {
            it.by.truncate(keep.others);
            it.uses.truncate(keep.others);
        }
        Record::Recovered(_) | Record::Seal(_) | Record::Segment(_) | Record::Pruned(_) => {}
    }
}

fn shorten_glass(glass: &mut BreakGlass, keep: Keep) {
    shorten_actor(&mut glass.actor, keep);
    cut_text(&mut glass.reason, keep.text_bytes);
    cut_text(&mut glass.refname, keep.text_bytes);
    cut_findings(&mut glass.overridden, keep.others, keep.text_bytes);
    glass.landed.truncate(keep.others);
    shorten_paths(&mut glass.paths, keep);
    glass.makers.truncate(keep.others);
    glass.asks.truncate(keep.others);
    for ask in &mut glass.asks {
        cut_string(&mut ask.rule, keep.text_bytes);
        ask.from.truncate(keep.others);
    }
}

fn shorten_paths(paths: &mut Paths, keep: Keep) {
    paths.list.truncate(keep.listed);
    for path in &mut paths.list {
        cut_text(path, keep.text_bytes);
    }
}

fn shorten_decision(decision: &mut Decision, keep: Keep) {
    cut_string(&mut decision.repo, keep.text_bytes);
    if let Some(git) = &mut decision.git {
        cut_string(git, keep.text_bytes);
    }
    shorten_actor(&mut decision.actor, keep);
    if let Some(cert) = &mut decision.cert {
        // Half a certificate proves nothing.
        cert.text.take_if(|text| text.0.len() > keep.text_bytes);
        cert.why.iter_mut().for_each(|why| cut_text(why, keep.text_bytes));
    }
    decision.opts.truncate(keep.others);
    for opt in &mut decision.opts {
        cut_text(opt, keep.text_bytes);
    }
    decision.refs.truncate(keep.refs);
    for one in &mut decision.refs {
        shorten_ref(one, keep);
    }
    decision.statements.truncate(keep.statements);
    for statement in &mut decision.statements {
        statement.entries.list.truncate(keep.listed);
        cut_text(&mut statement.text, keep.text_bytes);
        cut_text(&mut statement.place, keep.text_bytes);
        cut_text(&mut statement.for_ref, keep.text_bytes);
    }
}

fn shorten_ref(one: &mut RefDecision, keep: Keep) {
    cut_text(&mut one.refname, keep.text_bytes);
    if let Some(target) = &mut one.target {
        cut_text(target, keep.text_bytes);
    }
    shorten_paths(&mut one.paths, keep);
    one.brought.list.truncate(keep.listed);
    cut_findings(&mut one.findings, keep.others, keep.text_bytes);
    one.uses.truncate(keep.others);
    one.landed.truncate(keep.others);
    one.exempt.truncate(keep.others);
    for exempt in &mut one.exempt {
        cut_string(&mut exempt.rule, keep.text_bytes);
        cut_string(&mut exempt.who, keep.text_bytes);
        cut_texts(&mut exempt.paths, keep);
    }
    one.rollback.truncate(keep.others);
    for rollback in &mut one.rollback {
        cut_texts(&mut rollback.paths, keep);
    }
    if let Some(gittuf) = &mut one.gittuf {
        gittuf.text.take_if(|text| text.0.len() > keep.text_bytes);
        gittuf.by.truncate(keep.others);
    }
    one.clean_merge.truncate(keep.others);
    for merged in &mut one.clean_merge {
        cut_string(&mut merged.rule, keep.text_bytes);
        cut_texts(&mut merged.paths, keep);
    }
}

fn cut_texts(texts: &mut Vec<Text>, keep: Keep) {
    texts.truncate(keep.listed);
    texts.iter_mut().for_each(|text| cut_text(text, keep.text_bytes));
}

fn shorten_refusal(refusal: &mut Refusal, keep: Keep) {
    if let Some(actor) = &mut refusal.actor {
        shorten_actor(actor, keep);
    }
    refusal.refs.truncate(keep.refs);
    for one in &mut refusal.refs {
        cut_text(&mut one.refname, keep.text_bytes);
        cut_text(&mut one.old, keep.text_bytes);
        cut_text(&mut one.new, keep.text_bytes);
    }
    cut_text(&mut refusal.reason, keep.text_bytes.max(KEEPS[3].text_bytes));
}

fn shorten_actor(actor: &mut Actor, keep: Keep) {
    cut_text(&mut actor.login, keep.text_bytes);
    cut_string(&mut actor.door, keep.text_bytes);
    cut_string(&mut actor.source, keep.text_bytes);
    if let Some(key) = &mut actor.key {
        cut_string(key, keep.text_bytes);
    }
}
