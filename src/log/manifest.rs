//! The index's table of contents: which runs there are, and which part of the log they cover.
//!
//! A small text file, replaced whole. It ends with the digest of what stands before, so that a
//! damaged one is noticed; it is then as if there were none.

use std::fmt::Write as _;

use crate::log::file::Head;
use crate::log::scan::Position;
use crate::names::digest::Digest;

/// The first line; another one means another way of indexing, and the index is made anew.
const TITLE: &str = "portcullis-index 7";

/// What the index covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The log's origin.
    pub origin: String,
    /// The first entry that stood in a segment; postings of those before it lead to the summary.
    pub first: u64,
    /// How far the runs go.
    pub position: Position,
    /// Names and lengths (in postings) of the runs, the largest first.
    pub runs: Vec<(String, u64)>,
}

impl Manifest {
    /// Before anything was indexed.
    pub const fn empty(origin: String) -> Self {
        Self { origin, first: 0, position: Position::START, runs: Vec::new() }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let Position { offset, head } = &self.position;
        let mut text = format!(
            "{TITLE}\nlog {}\nfirst {}\nsize {}\noffset {offset}\nhash {}\n",
            self.origin, self.first, head.size, head.hash
        );
        for (name, postings) in &self.runs {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "run {postings} {name}");
        }
        let sum = Digest::of(text.as_bytes());
        let _ = writeln!(text, "sum {sum}");
        text
    }

    /// Reads the text. `None` when it is damaged or of another kind.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (told, sum) = text.split_at_checked(text.len().checked_sub(69)?)?;
        let sum = sum.strip_prefix("sum ")?.strip_suffix('\n')?;
        if Digest::from_hex(sum.as_bytes())? != Digest::of(told.as_bytes()) {
            return None;
        }
        let mut lines = told.strip_suffix('\n')?.split('\n');
        if lines.next()? != TITLE {
            return None;
        }
        let origin = lines.next()?.strip_prefix("log ")?.to_owned();
        let first = lines.next()?.strip_prefix("first ")?.parse().ok()?;
        let size = lines.next()?.strip_prefix("size ")?.parse().ok()?;
        let offset = lines.next()?.strip_prefix("offset ")?.parse().ok()?;
        let hash = Digest::from_hex(lines.next()?.strip_prefix("hash ")?.as_bytes())?;
        let runs = lines
            .map(|line| {
                let (postings, name) = line.strip_prefix("run ")?.split_once(' ')?;
                Some((name.to_owned(), postings.parse().ok()?))
            })
            .collect::<Option<Vec<_>>>()?;
        let head = Head { size, hash };
        Some(Self { origin, first, position: Position { offset, head }, runs })
    }
}
