//! The dialect of GitHub.
//!
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>:
//! patterns as in .gitignore, but for `!`, `[ ]` and `\#`; of all lines that match a path the last
//! decides alone, and one without owners says that nobody has to approve. A `#` begins a comment
//! wherever it stands.
//!
//! GitHub passes over a line that it cannot read. Here it claims what no later line does, for
//! nobody: whose it was meant to be is not known.

use crate::codeowners::book::{Book, ENTRIES_MAX, Entry, Flaw, Pattern, Unfit};
use crate::codeowners::glob::{Brackets, Glob, Segment, Token, tokens};
use crate::codeowners::owner::{Owner, Roles, owners};

/// Reads the lines that are neither empty nor a comment.
pub(crate) fn read<'l>(lines: impl Iterator<Item = (u32, &'l [u8])>) -> Result<Book, Unfit> {
    let (mut entries, mut flaws) = (Vec::new(), Vec::new());
    for (line, text) in lines {
        if entries.len() == ENTRIES_MAX {
            return Err(Unfit::TooManyLines(ENTRIES_MAX));
        }
        let text = text.split(|byte| *byte == b'#').next().unwrap_or_default();
        let (written, rest) = split(text);
        let pattern = pattern(written);
        let owners = owners(rest, Roles::Unknown);
        if let Pattern::Unreadable(why) = pattern {
            flaws.push(Flaw { line, what: why.to_owned() });
        }
        flaws.extend(owners.iter().filter_map(|owner| match owner {
            Owner::Malformed(word) => {
                Some(Flaw { line, what: format!("`{word}` is no owner: @user, @org/team, e-mail") })
            }
            Owner::Account(_) | Owner::Team(_) | Owner::Email(_) | Owner::Role(_) => None,
        }));
        let written = written.to_vec();
        entries.push(Entry { line, written, pattern, owners, may_name_nobody: true });
    }
    Ok(Book::of_one(entries, flaws, false))
}

/// The pattern, up to a blank that no backslash stands in front of, and the rest.
pub(crate) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = line.iter().position(|byte| {
        let blank = byte.is_ascii_whitespace() && !escaped;
        escaped = *byte == b'\\' && !escaped;
        blank
    });
    line.split_at(end.unwrap_or(line.len()))
}

fn pattern(written: &[u8]) -> Pattern {
    if written.starts_with(b"!") {
        return Pattern::Unreadable("`!` takes nothing away in a file of GitHub's");
    }
    if written.windows(3).any(|three| three == b"***") {
        return Pattern::Unreadable("three asterisks in a row mean nothing");
    }
    if written.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1 {
        return Pattern::Unreadable("a backslash with nothing behind it; `#` cannot be escaped");
    }
    let (rooted, text) = match written.strip_prefix(b"/") {
        Some(rest) => (true, rest),
        None => (false, written),
    };
    let (folder, text) = match text.strip_suffix(b"/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if text.is_empty() {
        return Pattern::Nothing;
    }
    let mut parts: Vec<&[u8]> = text.split(|byte| *byte == b'/').collect();
    let several = parts.len() > 1;
    let last = parts.last().copied().unwrap_or_default();
    let mut segments = Vec::new();
    if !rooted && !several && last != b"**" {
        segments.push(Segment::Any);
    }
    // `**` at the end is what lies below, not the folder itself.
    let below = folder || last == b"**";
    if last == b"**" {
        parts.pop();
    }
    segments.extend(parts.into_iter().map(|part| match part {
        b"**" => Segment::Any,
        // Without classes there is nothing that could be left open.
        part => Segment::One(tokens(part, Brackets::Literal).unwrap_or_default()),
    }));
    if below {
        segments.extend([Segment::One(vec![Token::Star]), Segment::Any]);
    } else if last != b"*" || (!rooted && !several) {
        segments.push(Segment::Any);
    }
    Pattern::Glob(Glob::new(segments))
}
