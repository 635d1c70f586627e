//! Texts, and places in them.
//!
//! Made by `policy` from the bytes of a file; read by `problem`, which shows places, and by every
//! compiled rule, which remembers its own. Reading the file is somebody else's work.
//!
//! Invariant: a `Span` handed out here lies within its text, on character boundaries.

use std::fmt;
use std::sync::Arc;

use crate::source::problem::Problem;

/// A whole text: UTF-8, with the name by which a person knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    number: usize,
    label: String,
    text: String,
    /// Where its line feeds are. Every rule asks for its line, and a policy may have many.
    feeds: Vec<usize>,
}

/// A stretch of a text, in bytes: from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Where something stands: a text and a stretch of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The text.
    pub text: Arc<SourceText>,
    /// The stretch.
    pub span: Span,
}

/// A line of a file, as a message shows it: `policy.toml:9`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The label of the text.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A line and a column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Something read from a text, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// Where it stood.
    pub spot: Spot,
}

impl SourceText {
    /// Takes the bytes of a file. `number` is its place among the files that are read together,
    /// which orders their problems.
    ///
    /// # Errors
    ///
    /// A problem with a place when the text is longer than `bytes_max`, not UTF-8, or blank.
    pub fn read(
        number: usize,
        label: &str,
        bytes: &[u8],
        bytes_max: usize,
    ) -> Result<Arc<Self>, Problem> {
        let keep = |text: String| {
            let feeds = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
            Arc::new(Self { number, label: label.into(), text, feeds })
        };
        if bytes.len() > bytes_max {
            let text = keep(String::new());
            return Err(Problem::error(format!("`{label}` is larger than {bytes_max} bytes"))
                .at(&text.whole())
                .hint("no policy needs that much: is this the right file?"));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => keep(text.to_owned()),
            Err(fault) => {
                let start = fault.valid_up_to();
                // The valid part stays as it was, so the offset holds in the repaired text too.
                let text = keep(String::from_utf8_lossy(bytes).into_owned());
                let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
                return Err(Problem::error("the text is not UTF-8")
                    .at(&text.spot(Span { start, end }))
                    .label(format!("byte 0x{:02x}", bytes[start]))
                    .hint("save the file as UTF-8"));
            }
        };
        if text.text.trim_start_matches('\u{feff}').trim().is_empty() {
            return Err(Problem::error(format!("`{label}` is empty")).at(&text.whole()).hint(
                "is this the right file? `portcullis install` writes a policy to start from",
            ));
        }
        Ok(text)
    }

    /// A file that is no text: only what is wrong with the whole of it can have a place.
    pub fn unread(number: usize, label: &str) -> Arc<Self> {
        Arc::new(Self { number, label: label.into(), text: String::new(), feeds: Vec::new() })
    }

    /// Its place among the files that are read together.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The name by which a person knows it, such as `policy.toml`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The start of the text, for what is wrong with the whole of it.
    pub fn whole(self: &Arc<Self>) -> Spot {
        self.spot(Span { start: 0, end: 0 })
    }

    /// A stretch of this text, brought within its bounds.
    pub fn spot(self: &Arc<Self>, span: Span) -> Spot {
        let start = floor_boundary(&self.text, span.start);
        let end = floor_boundary(&self.text, span.end).max(start);
        Spot { text: Arc::clone(self), span: Span { start, end } }
    }

    /// The line and column of a byte.
    pub fn position(&self, offset: usize) -> Position {
        let at = floor_boundary(&self.text, offset);
        let before = self.feeds.partition_point(|feed| *feed < at);
        let line_start = self.feeds[..before].last().map_or(0, |feed| feed + 1);
        Position { line: before + 1, column: self.text[line_start..at].chars().count() + 1 }
    }
}

impl Spot {
    /// The file and line, for what is shown long after the text is gone.
    pub fn place(&self) -> Place {
        // A text is far shorter than 4 GiB, so this never saturates.
        let line = u32::try_from(self.position().line).unwrap_or(u32::MAX);
        Place { file: self.text.label.clone(), line }
    }

    /// The line and column where it begins.
    pub fn position(&self) -> Position {
        self.text.position(self.span.start)
    }
}

impl<T> Located<T> {
    /// Another value for the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), spot: self.spot }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The nearest character boundary at or before `offset`, and not past the end.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = SourceText::read(0, "p", "a\nbé = 1\n".as_bytes(), 100).unwrap();
        assert_eq!(text.position(0), Position { line: 1, column: 1 });
        assert_eq!(text.position(5), Position { line: 2, column: 3 });
        // In the middle of the two bytes of the letter, and past the end.
        assert_eq!(text.position(4), Position { line: 2, column: 2 });
        assert_eq!(text.position(1000), Position { line: 3, column: 1 });
    }

    #[test]
    fn bytes_that_are_not_utf_8_have_a_place() {
        let problem = SourceText::read(0, "p", b"ok = 1\nbad = \"\xff\"\n", 100).unwrap_err();
        let spot = problem.spot.unwrap();
        assert_eq!(spot.position(), Position { line: 2, column: 8 });
        assert_eq!(problem.label.unwrap(), "byte 0xff");
    }

    #[test]
    fn a_text_that_is_blank_or_too_large_is_a_problem() {
        for (bytes, what) in [(&b" \n\t"[..], "`p` is empty"), (b"", "`p` is empty")] {
            assert_eq!(SourceText::read(0, "p", bytes, 100).unwrap_err().what, what);
        }
        let problem = SourceText::read(0, "p", &[b'#'; 11], 10).unwrap_err();
        assert_eq!(problem.what, "`p` is larger than 10 bytes");
    }
}
