//! The dialect of GitLab.
//!
//! <https://docs.gitlab.com/user/project/codeowners/reference/>: `[Name]` begins a section, `^[Name]`
//! one that only suggests, `[Name][2]` one that asks for two approvals, `[Name] @a` one with owners
//! for its lines that name none. Sections of one name are one, in whatever case. Each asks by
//! itself, by its last line that matches; `!pattern` takes a path out of its section for good.
//! Patterns are those of Ruby's `File.fnmatch` with `FNM_PATHNAME | FNM_DOTMATCH`: one that does not
//! begin with `/` matches at any depth, a folder is written with `/` behind it, `**` crosses folders
//! only in `**/`. Comments have a line to themselves.
//!
//! GitLab takes a line none of whose owners is known for approved, and an optional section for asked
//! of a direct push. Here the first refuses, and the second never asks.

use std::collections::HashMap;

use crate::codeowners::book::{
    APPROVALS_MAX, Book, ENTRIES_MAX, Entry, Flaw, Pattern, Section, Unfit,
};
use crate::codeowners::github::split;
use crate::codeowners::glob::{Brackets, Glob, OpenClass, Segment, tokens};
use crate::codeowners::owner::{Owner, Roles, owners};
use crate::names::escape::escape;

/// What is known while reading.
struct Reading {
    sections: Vec<Section>,
    flaws: Vec<Flaw>,
    /// The section that lines now belong to.
    at: usize,
    /// The owners of lines there that name none.
    defaults: Vec<Owner>,
    /// Sections by their names in lower case.
    by_name: HashMap<String, usize>,
    /// Lines by section and pattern.
    by_pattern: HashMap<(usize, Vec<u8>), usize>,
}

/// Reads the lines that are neither empty nor a comment.
pub(crate) fn read<'l>(lines: impl Iterator<Item = (u32, &'l [u8])>) -> Result<Book, Unfit> {
    let mut reading = Reading {
        sections: vec![Section { approvals: 1, ..Section::default() }],
        flaws: Vec::new(),
        at: 0,
        defaults: Vec::new(),
        by_name: HashMap::new(),
        by_pattern: HashMap::new(),
    };
    for (many, (line, text)) in lines.enumerate() {
        if many == ENTRIES_MAX {
            return Err(Unfit::TooManyLines(ENTRIES_MAX));
        }
        match header(text) {
            Some(header) => reading.begin(line, header),
            None => reading.entry(line, text),
        }
    }
    let Reading { sections, flaws, .. } = reading;
    Ok(Book { sections, flaws, every_line_asks: false })
}

/// What a header says.
struct Header<'h> {
    optional: bool,
    name: &'h [u8],
    approvals: Option<usize>,
    owners: &'h [u8],
    /// Something stands there that is not read.
    garbled: bool,
}

/// A line that begins a section: `^` or not, a name in brackets, a number in brackets or not, and
/// behind a blank the owners of its lines.
fn header(text: &[u8]) -> Option<Header<'_>> {
    let (optional, rest) = match text.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (name, rest) = bracketed(rest)?;
    let number = bracketed(rest).filter(|(digits, _)| digits.iter().all(u8::is_ascii_digit));
    let (approvals, rest) = match number {
        Some((digits, rest)) => {
            let number = std::str::from_utf8(digits).ok().and_then(|it| it.parse().ok());
            // More digits than a number has are a large number.
            let number = if digits.len() > 9 { Some(APPROVALS_MAX) } else { number };
            (number, rest)
        }
        None => (None, rest),
    };
    let blank = rest.first().is_none_or(u8::is_ascii_whitespace);
    let garbled = !blank || approvals == Some(0);
    let owners = if blank { rest } else { &[] };
    Some(Header { optional, name: name.trim_ascii(), approvals, owners, garbled })
}

/// What stands in the brackets that a text begins with, and what is behind them.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"[")?;
    let end = rest.iter().position(|byte| *byte == b']')?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

impl Reading {
    fn flaw(&mut self, line: u32, what: impl Into<String>) {
        self.flaws.push(Flaw { line, what: what.into() });
    }

    /// A section begins, or goes on.
    fn begin(&mut self, line: u32, header: Header<'_>) {
        let name = escape(header.name);
        if header.name.is_empty() {
            self.flaw(line, "a section without a name");
        }
        if header.garbled {
            let what = format!("the header of the section `{name}` holds what is not read");
            self.flaw(line, what);
        }
        if header.optional && header.approvals.is_some_and(|number| number > 1) {
            self.flaw(
                line,
                format!("the section `{name}` is optional, so its number says nothing"),
            );
        }
        self.defaults = owners(header.owners, Roles::Known);
        let malformed = malformed(&self.defaults);
        malformed.into_iter().for_each(|what| self.flaw(line, what));
        let approvals = header.approvals.unwrap_or(1).clamp(1, APPROVALS_MAX);
        let known = self.by_name.get(&name.to_lowercase()).copied();
        self.at = known.unwrap_or(self.sections.len());
        match self.sections.get_mut(self.at) {
            Some(section) => {
                section.optional &= header.optional;
                section.approvals = section.approvals.max(approvals);
            }
            None => {
                self.by_name.insert(name.to_lowercase(), self.at);
                let (name, optional) = (Some(name), header.optional);
                self.sections.push(Section {
                    name,
                    line,
                    approvals,
                    optional,
                    ..Section::default()
                });
            }
        }
    }

    fn entry(&mut self, line: u32, text: &[u8]) {
        let (written, rest) = split(text);
        let (excluded, bare) = match written.strip_prefix(b"!") {
            Some(bare) => (true, bare),
            None => (false, written),
        };
        let pattern = pattern(bare);
        if let Pattern::Unreadable(why) = pattern {
            self.flaw(line, why);
        }
        let own = owners(rest, Roles::Known);
        let words = malformed(&own);
        let at = self.at;
        let owners = if own.is_empty() { self.defaults.clone() } else { own };
        if !excluded {
            words.into_iter().for_each(|what| self.flaw(line, what));
            if owners.is_empty() {
                self.flaw(line, "names no owner; `!` takes a path out of a section");
            }
        }
        let Some(section) = self.sections.get_mut(at) else { return };
        if excluded {
            // What cannot be read takes nothing away.
            match pattern {
                Pattern::Unreadable(_) => {}
                pattern @ (Pattern::Glob(_) | Pattern::Regex { .. } | Pattern::Nothing) => {
                    section.exclusions.push((line, pattern));
                }
            }
            return;
        }
        let entry =
            Entry { line, written: written.to_vec(), pattern, owners, may_name_nobody: false };
        // A pattern that comes again keeps its place in the order, with the later owners.
        let key = (at, normal(bare));
        match self.by_pattern.get(&key).and_then(|place| section.entries.get_mut(*place)) {
            Some(earlier) => *earlier = entry,
            None => {
                self.by_pattern.insert(key, section.entries.len());
                section.entries.push(entry);
            }
        }
    }
}

fn malformed(owners: &[Owner]) -> Vec<String> {
    let words = owners.iter().filter_map(|owner| match owner {
        Owner::Malformed(word) if word == "#" => {
            Some("a comment needs a line of its own, so its words are read as owners".to_owned())
        }
        Owner::Malformed(word) => Some(format!("`{word}` is no owner: @name, @@role or e-mail")),
        Owner::Account(_) | Owner::Team(_) | Owner::Email(_) | Owner::Role(_) => None,
    });
    words.take(1).collect()
}

/// The pattern as GitLab writes it before it matches.
fn normal(written: &[u8]) -> Vec<u8> {
    if written == b"*" {
        return b"/**/*".to_vec();
    }
    let front: &[u8] = if written.starts_with(b"/") { b"" } else { b"/**/" };
    let back: &[u8] = if written.ends_with(b"/") { b"**/*" } else { b"" };
    [front, written, back].concat()
}

fn pattern(written: &[u8]) -> Pattern {
    let normal = normal(written);
    let text = normal.strip_prefix(b"/").unwrap_or(&normal);
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'/').collect();
    let last = parts.len() - 1;
    let segment = |(at, part): (usize, &&[u8])| match *part {
        b"**" if at < last => Ok(Segment::Any),
        part => tokens(part, Brackets::Class).map(Segment::One),
    };
    let segments: Result<Vec<Segment>, OpenClass> = parts.iter().enumerate().map(segment).collect();
    match segments {
        Ok(segments) if segments.contains(&Segment::One(Vec::new())) => Pattern::Nothing,
        Ok(segments) => Pattern::Glob(Glob::new(segments)),
        Err(OpenClass) => Pattern::Unreadable("a `[` without its `]`"),
    }
}
