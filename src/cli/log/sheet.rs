//! Lines of `name  value` below headings: the paper that blocks are written on.
//!
//! Pure. Long lists are cut to their first few and a count, unless all is asked for.

/// How many elements of a list are shown.
pub const LISTED_MAX: usize = 8;

/// The width of the column of names.
const NAME_COLUMNS: usize = 10;

/// Lines, one below the other.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    lines: Vec<String>,
    is_full: bool,
}

impl Sheet {
    /// An empty one; `is_full`: no list is cut.
    pub const fn new(is_full: bool) -> Self {
        Self { lines: Vec::new(), is_full }
    }

    /// A line as it stands.
    pub fn line(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(depth)));
    }

    /// A name and its value.
    pub fn field(&mut self, depth: usize, name: &str, value: &str) {
        self.line(depth, &format!("{name:NAME_COLUMNS$} {value}"));
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

    /// What was written.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
