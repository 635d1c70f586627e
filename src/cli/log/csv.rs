//! Entries as a table: RFC 4180, one line a ref.
//!
//! Pure. Every cell is in quotes. A cell that a spreadsheet would take for a formula gets an
//! apostrophe in front, as OWASP has it: names of refs and reasons are other people's text.

use crate::cli::log::change::{Change, Does, changes};
use crate::cli::log::words;
use crate::log::about;
use crate::log::decision::Decision;
use crate::log::entry::Record;
use crate::log::line::Entry;
use crate::names::escape::escape;

/// The first line.
pub const HEADER: &str = "\"log\",\"entry\",\"time\",\"type\",\"who\",\"login\",\"door\",\"key\",\"ref\",\"does\",\"old\",\"new\",\"answer\",\"state\",\"rules\",\"reason\",\"policy\",\"push\",\"hash\"\r\n";

/// The lines of one entry. `record` is its record, whole.
pub fn lines(entry: &Entry, record: &Record) -> String {
    let common = &entry.common;
    let actor = about::actor(record);
    let policy = match record {
        Record::Decision(it) => policy(it),
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Refusal(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Tidy(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Config(_)
        | Record::Accepted(_) => String::new(),
    };
    let name = actor.and_then(|actor| actor.name.as_ref());
    let mut text = String::new();
    for change in changes(record) {
        let Change { refname, old, new, does, answer, state, rules, reason } = change;
        let cells = [
            words::plain(&common.log),
            common.seq.to_string(),
            common.ts.0.rfc3339_millis(),
            common.kind.name().to_owned(),
            name.map(|name| words::plain(name.0.as_str())).unwrap_or_default(),
            actor.map(|actor| escape(&actor.login.0)).unwrap_or_default(),
            actor.map(|actor| words::plain(&actor.door)).unwrap_or_default(),
            actor.and_then(|actor| actor.key.as_deref()).map(words::plain).unwrap_or_default(),
            refname.unwrap_or_default(),
            does.map_or("", Does::word).to_owned(),
            old.unwrap_or_default(),
            new.unwrap_or_default(),
            answer.to_owned(),
            state.to_owned(),
            rules,
            reason,
            policy.clone(),
            words::plain(&common.push),
            entry.hash.hex(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn policy(it: &Decision) -> String {
    it.policy.sha256.0.hex()
}

/// A cell in quotes, and no formula.
pub fn quoted(cell: &str) -> String {
    let defused = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{defused}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        assert_eq!(quoted("refs/heads/main"), "\"refs/heads/main\"");
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for begin in ["+1", "-1", "@x", "="] {
            assert!(quoted(begin).starts_with("\"'"), "{begin}");
        }
        assert_eq!(quoted("a=b"), "\"a=b\"");
    }
}
