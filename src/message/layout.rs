//! Lines that fit a pusher's terminal.
//!
//! Git puts `remote: ` before every line and a hook cannot see how wide the terminal is, so 72
//! columns are ours. Only a command stands on a line of its own however long it is, so that it can
//! be copied; one that nobody would copy is left out.

use crate::names::escape::is_deceptive;
use crate::verdict::finding::Finding;
use crate::verdict::line::{Hint, Line};

/// Columns of a line, without what Git puts before it.
pub(crate) const WIDTH: usize = 72;

/// How many rows one line of a finding may take before it is cut.
const ROWS_MAX: usize = 3;

/// How many rows tell what was found and what was looked at.
const DETAILS_MAX: usize = 5;

/// How many further objections of the same rule to the same ref are told, one row each.
const FURTHER_MAX: usize = 3;

/// How many hints one finding gives.
const HINTS_MAX: usize = 6;

/// How long a command may be, in characters.
const COMMAND_MAX: usize = 1000;

/// A finding as it will be shown; a rule's further objections to the same ref join its first.
pub(crate) struct Block<'a> {
    /// The first line, which stands alone and can be searched for.
    pub(crate) heading: String,
    /// Findings of one rule about one ref.
    pub(crate) findings: Vec<&'a Finding>,
    /// Where the rule stands and why.
    pub(crate) place: Vec<String>,
}

impl Block<'_> {
    /// The lines, without line ends.
    pub(crate) fn lines(&self, entry: Option<u64>) -> Vec<String> {
        let mut lines = wrap("", &self.heading);
        let mut objections = self.findings.iter().map(|finding| &finding.objection);
        let Some(first) = objections.next() else { return lines };

        let said = std::iter::once(&first.what).chain(&first.details);
        let rows: Vec<Vec<String>> = said.map(indented).collect();
        let shown = fitting(&rows, DETAILS_MAX);
        lines.extend(rows[..shown].iter().flatten().cloned());
        if shown < rows.len() {
            lines.extend(wrap("  ", &rest(rows.len() - shown, "line", "lines", entry)));
        }
        let further: Vec<&Line> = objections.map(|objection| &objection.what).collect();
        let told = further.iter().take(FURTHER_MAX);
        lines.extend(told.filter_map(|what| indented(what).into_iter().next()));
        if further.len() > FURTHER_MAX {
            let more = rest(further.len() - FURTHER_MAX, "objection", "objections", entry);
            lines.extend(wrap("  ", &more));
        }
        lines.extend(self.place.iter().flat_map(|text| wrap("  ", text)));
        lines.extend(self.hints(entry));
        lines
    }

    fn hints(&self, entry: Option<u64>) -> Vec<String> {
        let mut hints: Vec<&Hint> = Vec::new();
        for hint in self.findings.iter().flat_map(|finding| &finding.objection.hints) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        let more = hints.len().saturating_sub(HINTS_MAX);
        let told = hints.into_iter().take(HINTS_MAX).flat_map(hint_lines);
        let more = (more > 0).then(|| format!("hint: {}", rest(more, "hint", "hints", entry)));
        told.chain(more).collect()
    }
}

/// `and 3 lines more, see entry 412`.
pub(crate) fn rest(count: usize, one: &str, many: &str, entry: Option<u64>) -> String {
    let things = if count == 1 { one } else { many };
    match entry {
        Some(entry) => format!("and {count} {things} more, see entry {entry}"),
        None => format!("and {count} {things} more"),
    }
}

/// How many lines, each of some rows, fit into so many rows. The first always does.
fn fitting(lines: &[Vec<String>], rows_max: usize) -> usize {
    let mut rows = 0;
    let fit = lines.iter().take_while(|line| {
        rows += line.len();
        rows <= rows_max
    });
    fit.count().max(1).min(lines.len())
}

fn indented(line: &Line) -> Vec<String> {
    wrap("  ", &line.show())
}

/// A hint, its command on the same line where both fit.
pub(crate) fn hint_lines(hint: &Hint) -> Vec<String> {
    let text = visible(&format!("hint: {}", hint.text.show()));
    let Some(command) = &hint.command else { return wrap("", &text) };
    let command = visible(&command.show());
    let together = format!("{text}: {command}");
    if columns(&together) <= WIDTH {
        return vec![together];
    }
    if columns(&command) > COMMAND_MAX {
        return wrap("", &format!("{text} (the command is too long to be shown)"));
    }
    let mut lines = wrap("", &format!("{text}:"));
    lines.push(format!("  {command}"));
    lines
}

/// Breaks a text at blanks into rows of `WIDTH` columns. The first begins with `indent`, the others
/// with two columns more; a word that fits no row is broken, and what takes too many rows is cut.
pub(crate) fn wrap(indent: &str, text: &str) -> Vec<String> {
    let hanging = format!("{indent}  ");
    let mut rows = vec![indent.to_owned()];
    let mut bare = true;
    for word in pieces(&visible(text), WIDTH - hanging.len()) {
        let row = rows.last_mut().map_or(0, |row| columns(row));
        if !bare && row + 1 + columns(&word) > WIDTH {
            rows.push(hanging.clone());
            bare = true;
        }
        if let Some(row) = rows.last_mut() {
            if !bare {
                row.push(' ');
            }
            row.push_str(&word);
        }
        bare = false;
    }
    if rows.len() > ROWS_MAX {
        rows.truncate(ROWS_MAX);
        if let Some(row) = rows.last_mut() {
            let keep = columns(row).min(WIDTH - 3);
            *row = row.chars().take(keep).collect();
            row.push_str("...");
        }
    }
    rows
}

/// The words of a text, those that are too long in pieces.
fn pieces(text: &str, columns_max: usize) -> Vec<String> {
    let mut all = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut chars = word.chars().peekable();
        while chars.peek().is_some() {
            all.push(chars.by_ref().take(columns_max).collect());
        }
    }
    all
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The text with nothing left in it that could move a cursor. What comes from outside was escaped
/// where it entered; this is for words of our own and of the policy.
pub(crate) fn visible(text: &str) -> String {
    let hidden = |c: char| c.is_control() || is_deceptive(c);
    if !text.contains(hidden) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if hidden(c) { c.escape_default().to_string() } else { c.into() })
        .collect()
}
