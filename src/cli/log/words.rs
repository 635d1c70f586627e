//! The words and numbers that rows and blocks of entries share.
//!
//! Pure. Everything that stands in a log was once outside text: it leaves here escaped.

use crate::log::damage::Cause;
use crate::log::decision::{Actor, Decision, RefDecision, UpdateKind, Verdict};
use crate::log::entry::State;
use crate::log::glass::How;
use crate::log::segment::Closed;
use crate::log::tidy::{TidyRef, Why};
use crate::log::wire::Text;
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;

/// How many digits of a digest are shown where it is not needed whole.
const DIGEST_DIGITS: usize = 12;

/// Why a segment was closed.
pub const fn closed(why: Closed) -> &'static str {
    match why {
        Closed::Entries => "the one before holds as many entries as one may",
        Closed::Bytes => "the one before is as long as one may be",
        Closed::Day => "the day of the one before is over",
        Closed::NotSynced => "the disk refused to keep lines of the one before",
    }
}

/// Who somebody is to the log: a name of the roster, or a login in quotes.
pub fn who(actor: &Actor) -> String {
    match &actor.name {
        Some(name) => escape_short(name.0.as_str().as_bytes()),
        None if actor.login.0.is_empty() => "?".into(),
        None => format!("\"{}\"", escape_short(&actor.login.0)),
    }
}

/// The answer to a push.
pub fn verdict(decision: &Decision) -> &'static str {
    let some = |verdict| decision.refs.iter().any(|one| one.verdict == verdict);
    match decision.verdict {
        Verdict::Refuse => "refused",
        Verdict::Accept | Verdict::Warn if some(Verdict::Refuse) => "partly",
        Verdict::Accept | Verdict::Warn if some(Verdict::Warn) => "warned",
        Verdict::Accept => "accepted",
        Verdict::Warn => "warned",
    }
}

/// The answer for one ref.
pub const fn answer(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "accepted",
        Verdict::Warn => "warned",
        Verdict::Refuse => "refused",
    }
}

/// What became of a ref.
pub const fn state(state: State) -> &'static str {
    match state {
        State::Applied => "applied",
        State::NotApplied => "not applied",
        State::Superseded => "superseded",
        State::Lost => "lost",
    }
}

/// How a debt was settled.
pub fn settled(how: How, by: &[&str]) -> String {
    match how {
        How::Approved => format!("approved by {}", escape(by.join(", ").as_bytes())),
        How::Reverted => "nothing of it stands any more".into(),
    }
}

/// What is wrong with a stretch of bytes.
pub const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Torn => "no whole entry: a writer was stopped in the middle",
        Cause::Unended => "a whole entry without its line feed, which was added",
        Cause::NotSynced => "whole entries that the system failed to bring to the disk",
    }
}

/// Why a statement left the refs.
pub fn dead(one: &TidyRef) -> String {
    let by = one.entry.map(|entry| format!(" entry {entry}")).unwrap_or_default();
    match one.why {
        Why::Used => format!("used by{by}"),
        Why::Expired => "expired".to_owned(),
        Why::Revoked => format!("revoked in{by}"),
        Why::Landed => format!("its change landed in{by}"),
    }
}

/// From where to where a ref goes, as `git fetch` shows it: three dots lose something.
pub fn range(one: &RefDecision) -> String {
    let (old, new) = (one.old.0.short(), one.new.0.short());
    match one.kind {
        UpdateKind::Create => format!("{new} (new)"),
        UpdateKind::Delete => format!("{old} (deleted)"),
        UpdateKind::Move if one.ff == Some(false) => format!("{old}...{new} (forced)"),
        UpdateKind::Move => format!("{old}..{new}"),
    }
}

/// An object, or that there is none.
pub fn short(oid: &Oid) -> String {
    if oid.is_zero() { "nothing".into() } else { oid.short() }
}

/// A ref, whole and escaped.
pub fn refname(name: &Text) -> String {
    escape(&name.0)
}

/// A text of the log's own format: it should be plain, and a changed log may hold anything.
pub fn plain(text: &str) -> String {
    escape(text.as_bytes())
}

/// The first digits of a digest.
pub fn digest(hex: &str) -> &str {
    hex.get(..DIGEST_DIGITS).unwrap_or(hex)
}

/// `1 commit`, `4 commits`.
pub fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `1 entry`, `3 entries`.
pub fn entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

/// The names without repetition, in the order they first stand.
pub fn each_once<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut seen: Vec<&String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
}

/// Microseconds, for people.
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..10_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}
