//! Lines of `name  value` below headings: the paper that blocks are written on.
//!
//! Pure. Long lists are cut to their first few and a count, unless all is asked for; lines are folded
//! where a terminal is narrower.

use crate::cli::io::folded;

/// How many elements of a list are shown.
pub const LISTED_MAX: usize = 8;

/// The width of the column of names.
const NAME_COLUMNS: usize = 10;

/// Lines, one below the other.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    lines: Vec<Line>,
    is_full: bool,
}

/// A line, and in which column it goes on where it is folded.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    hang: usize,
}

impl Sheet {
    /// An empty one; `is_full`: no list is cut.
    pub const fn new(is_full: bool) -> Self {
        Self { lines: Vec::new(), is_full }
    }

    /// A line as it stands.
    pub fn line(&mut self, depth: usize, text: &str) {
        self.hanging(depth, text, 0);
    }

    fn hanging(&mut self, depth: usize, text: &str, name_columns: usize) {
        let hang = 2 * depth + name_columns + 2;
        self.lines.push(Line { text: format!("{}{text}", "  ".repeat(depth)), hang });
    }

    /// A name and its value.
    pub fn field(&mut self, depth: usize, name: &str, value: &str) {
        self.hanging(depth, &format!("{name:NAME_COLUMNS$} {value}"), NAME_COLUMNS + 1);
    }

    /// A name and many values below each other: those there are of `n`.
    pub fn list(&mut self, depth: usize, name: &str, n: u64, values: &[String]) {
        let shown = if self.is_full { values.len() } else { values.len().min(LISTED_MAX) };
        for (at, value) in values[..shown].iter().enumerate() {
            self.field(depth, if at == 0 { name } else { "" }, value);
        }
        let rest = n.saturating_sub(shown as u64);
        let name = if shown == 0 { name } else { "" };
        if rest == 0 {
            return;
        }
        let more = match (shown < values.len(), shown) {
            (true, _) => format!("and {rest} more, see --full"),
            (false, 0) => format!("{rest}, which the log did not keep"),
            (false, _) => format!("and {rest} more, see --full if the log kept them"),
        };
        self.field(depth, name, &more);
    }

    /// What was written, for so many columns.
    pub fn into_lines(self, columns: Option<usize>) -> Vec<String> {
        let shown = |line: &Line| match columns {
            Some(columns) => folded(line.text.trim_end(), columns, line.hang),
            None => line.text.trim_end().to_owned(),
        };
        self.lines.iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_below_itself() {
        let mut sheet = Sheet::new(true);
        sheet.field(1, "not held", "contents of files, and what was said of them");
        sheet.field(1, "hash", "0123456789abcdef0123456789abcdef");
        sheet.line(0, "one two three four five six seven eight");
        let folded = "  not held   contents of files,\n               and what was said\n               \
                      of them";
        let hash = "  hash       0123456789abcdef0123456789abcdef";
        let line = "one two three four five six\n  seven eight";
        assert_eq!(sheet.clone().into_lines(Some(32)), [folded, hash, line]);
        assert!(sheet.into_lines(None).iter().all(|line| !line.contains('\n')));
    }
}
