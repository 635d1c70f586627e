//! Commits, read from their raw bytes. Pure.
//!
//! Two readers. `links_of` reads what Git itself needs to walk history and forgives the rest, so
//! that old history can be walked whatever is in it. `Commit::parse` is as strict as
//! git-fsck(1) and stricter: no NUL anywhere, no header twice, lower-case oids of the right width.
//! A server takes malformed commits by default; on protected refs the difference between what one
//! tool and another makes of them would be a way round the rules.
//!
//! Signatures are cut out here, with the bytes they cover, and verified elsewhere.

use std::ops::Range;

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::ident::{Ident, IdentProblem};
use crate::store::trailer;

/// What Git follows: enough to walk history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Links {
    /// The tree.
    pub tree: Oid,
    /// The parents, in order.
    pub parents: Vec<Oid>,
    /// The committer's date in seconds since 1970, 0 when it cannot be read, as Git has it. A
    /// claim: it may lie, and only orders walks.
    pub when_seconds: u64,
}

/// A signature and what it signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitSignature {
    /// The armored signature, as it stands between its BEGIN and END lines, both included.
    pub armor: Vec<u8>,
    /// The bytes that were signed: the object without the headers of signatures.
    pub payload: Vec<u8>,
}

/// A well-formed commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The tree.
    pub tree: Oid,
    /// The parents, in order.
    pub parents: Vec<Oid>,
    /// Who claims to have written it.
    pub author: Ident,
    /// Who claims to have committed it.
    pub committer: Ident,
    raw: Box<[u8]>,
    signatures: SignatureHeaders,
    message: Range<usize>,
}

/// Why a commit is malformed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitProblem {
    /// It does not begin with `tree`.
    #[error("it does not begin with a tree")]
    NoTree,
    /// An oid is of the wrong width or not lower-case hexadecimal.
    #[error("the oid after `{0}` is not one of this repository")]
    BadOid(&'static str),
    /// The author is missing or not where it belongs.
    #[error("it has no author where one belongs")]
    NoAuthor,
    /// The committer is missing or not where it belongs.
    #[error("it has no committer where one belongs")]
    NoCommitter,
    /// Who and when, in this line, is malformed.
    #[error("the {1} {0}")]
    Ident(IdentProblem, &'static str),
    /// A header stands twice, or where it does not belong.
    #[error("the header `{0}` stands twice or in the wrong place")]
    Twice(&'static str),
    /// A header has no name or no value.
    #[error("a header line has no name")]
    BadHeader,
    /// The headers do not end.
    #[error("its headers do not end")]
    Unterminated,
    /// A NUL among the headers: tools disagree about what follows.
    #[error("there is a NUL in its headers")]
    NulInHeader,
    /// A NUL in the message: tools disagree about what follows.
    #[error("there is a NUL in its message")]
    NulInMessage,
}

/// The header that holds the signature over this repository's form of the object; the other one
/// signs a form that is not here (hash-function-transition(7)).
fn signature_header(format: ObjectFormat) -> &'static [u8] {
    match format {
        ObjectFormat::Sha1 => b"gpgsig",
        ObjectFormat::Sha256 => b"gpgsig-sha256",
    }
}

/// Reads what is needed to walk history, as Git's parse_commit_buffer does. The error says why not
/// even Git can read it.
pub fn links_of(format: ObjectFormat, raw: &[u8]) -> Result<Links, &'static str> {
    let (tree, mut rest) =
        oid_line(format, raw, b"tree ").ok_or("it does not begin with a tree")?;
    let mut parents = Vec::new();
    while let Some((parent, after)) = oid_line(format, rest, b"parent ") {
        parents.push(parent);
        rest = after;
    }
    if rest.starts_with(b"parent ") {
        return Err("one of its parents is not an oid");
    }
    if rest.is_empty() {
        return Err("it ends with its tree and its parents");
    }
    Ok(Links { tree, parents, when_seconds: lenient_date(rest) })
}

fn oid_line<'a>(format: ObjectFormat, raw: &'a [u8], key: &[u8]) -> Option<(Oid, &'a [u8])> {
    let (hex, rest) = raw.strip_prefix(key)?.split_at_checked(format.len_hex())?;
    let rest = rest.strip_prefix(b"\n")?;
    // Git reads upper case as well.
    Some((Oid::from_hex(&hex.to_ascii_lowercase())?, rest))
}

/// The committer's date as Git's parse_commit_date reads it: the number behind the line's last `>`,
/// by strtoumax(3), which takes a sign and stops at the largest there is.
fn lenient_date(rest: &[u8]) -> u64 {
    let mut lines = rest.split_inclusive(|&b| b == b'\n');
    let author = lines.next().is_some_and(|line| line.starts_with(b"author"));
    let committer = lines.next().filter(|line| author && line.starts_with(b"committer"));
    let Some(line) = committer.and_then(|line| line.strip_suffix(b"\n")) else { return 0 };
    let Some(at) = line.iter().rposition(|&b| b == b'>') else { return 0 };
    let after = &line[at + 1..];
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
    let number = &after[after.iter().take_while(|b| blank(b)).count()..];
    let (digits, negative) = match number.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (number, false),
    };
    let digits = digits.iter().take_while(|b| b.is_ascii_digit());
    let seconds = digits
        .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    if negative && seconds < u64::MAX { seconds.wrapping_neg() } else { seconds }
}

impl Commit {
    /// Reads a commit strictly.
    pub fn parse(format: ObjectFormat, raw: &[u8]) -> Result<Self, CommitProblem> {
        let headers_end = headers_end(raw)?;
        let mut lines = HeaderLines { raw, at: 0, end: headers_end };
        let tree = match lines.take(b"tree ") {
            Some(hex) => strict_oid(format, hex, "tree")?,
            None => return Err(CommitProblem::NoTree),
        };
        let mut parents = Vec::new();
        while let Some(hex) = lines.take(b"parent ") {
            parents.push(strict_oid(format, hex, "parent")?);
        }
        let author = lines.take(b"author ").ok_or(CommitProblem::NoAuthor)?;
        let author = ident(author, "author")?;
        let committer = lines.take(b"committer ").ok_or(CommitProblem::NoCommitter)?;
        let committer = ident(committer, "committer")?;
        let signatures = other_headers(&mut lines, signature_header(format))?;
        let message = (headers_end + 1).min(raw.len())..raw.len();
        if raw[message.clone()].contains(&0) {
            return Err(CommitProblem::NulInMessage);
        }
        Ok(Self { tree, parents, author, committer, raw: raw.into(), signatures, message })
    }

    /// The message, as it stands.
    pub fn message(&self) -> &[u8] {
        &self.raw[self.message.clone()]
    }

    /// The message's first paragraph on one line, as Git shows it (`%s`).
    pub fn subject(&self) -> Vec<u8> {
        subject(self.message())
    }

    /// The signature over this object. `None`: it is not signed, or only in a form for the other
    /// hash.
    pub fn signature(&self) -> Option<CommitSignature> {
        let lines = &self.raw[self.signatures.ours.clone()?];
        let mut payload = Vec::with_capacity(self.raw.len());
        let mut at = 0;
        for header in &self.signatures.all {
            payload.extend_from_slice(&self.raw[at..header.start]);
            at = header.end;
        }
        payload.extend_from_slice(&self.raw[at..]);
        let value_at = lines.iter().position(|&b| b == b' ')? + 1;
        Some(CommitSignature { armor: unfolded(&lines[value_at..]), payload })
    }

    /// The values of a trailer (git-interpret-trailers(1)), in order; names are compared without
    /// case.
    pub fn trailer(&self, name: &str) -> Vec<Vec<u8>> {
        trailer::values(self.message(), name)
    }

    /// Every trailer, name and value, in order.
    pub fn trailers(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        trailer::all(self.message())
    }

    /// What the header `encoding` says the message is written in. `None`: nothing, so UTF-8.
    pub fn encoding(&self) -> Option<Vec<u8>> {
        let headers = &self.raw[..self.message.start];
        let mut lines = headers.split(|&b| b == b'\n');
        lines.find_map(|line| line.strip_prefix(b"encoding ")).map(<[u8]>::to_vec)
    }

    /// Who the trailers `Co-authored-by` name: name and e-mail address of those that have both.
    pub fn co_authors(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.trailer("Co-authored-by").iter().filter_map(|value| person(value)).collect()
    }
}

/// Splits `name <email>`, forgiving what stands after it.
fn person(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let open = value.iter().position(|&b| b == b'<')?;
    let close = open + value[open..].iter().position(|&b| b == b'>')?;
    let name = value[..open].trim_ascii();
    Some((name.to_vec(), value[open + 1..close].trim_ascii().to_vec()))
}

/// The first paragraph of a message on one line.
pub(super) fn subject(message: &[u8]) -> Vec<u8> {
    let mut lines = message.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let mut subject = first.to_vec();
    for line in lines.take_while(|line| !line.is_empty()) {
        subject.push(b' ');
        subject.extend_from_slice(line);
    }
    subject
}

/// Where the headers end: the position of the empty line, or the end of an object without message.
pub(super) fn headers_end(raw: &[u8]) -> Result<usize, CommitProblem> {
    let end = match raw.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => at + 1,
        // No message at all is no crime, but the last header has to end.
        None if raw.ends_with(b"\n") => raw.len(),
        None => return Err(CommitProblem::Unterminated),
    };
    if raw[..end].contains(&0) {
        return Err(CommitProblem::NulInHeader);
    }
    Ok(end)
}

/// Reads headers line by line.
pub(super) struct HeaderLines<'a> {
    pub(super) raw: &'a [u8],
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'a> HeaderLines<'a> {
    /// The value of the next line, if it begins like this.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        let line = self.peek()?;
        let value = line.strip_prefix(key)?;
        self.at += line.len() + 1;
        Some(value)
    }

    /// The next header with its continuation lines, and where it stands.
    fn next_folded(&mut self) -> Option<(&'a [u8], Range<usize>)> {
        let start = self.at;
        let first = self.peek()?;
        self.at += first.len() + 1;
        while let Some(line) = self.peek().filter(|line| line.starts_with(b" ")) {
            self.at += line.len() + 1;
        }
        Some((first, start..self.at))
    }

    fn peek(&self) -> Option<&'a [u8]> {
        let rest = &self.raw[self.at..self.end];
        // Every header line ends in a line feed: `headers_end` saw to it.
        rest.iter().position(|&b| b == b'\n').map(|len| &rest[..len])
    }
}

/// Where the headers of signatures stand in an object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct SignatureHeaders {
    /// The one for this repository's hash.
    ours: Option<Range<usize>>,
    /// All of them, in order. None is part of what is signed (parse_buffer_signed_by_header in
    /// Git's commit.c).
    all: Vec<Range<usize>>,
}

/// Reads what follows the committer.
fn other_headers(
    lines: &mut HeaderLines<'_>,
    signature_header: &[u8],
) -> Result<SignatureHeaders, CommitProblem> {
    let mut signatures = SignatureHeaders::default();
    let mut seen = Vec::new();
    while let Some((first, range)) = lines.next_folded() {
        let name = first.split(|&b| b == b' ').next().unwrap_or_default();
        if name.is_empty() {
            return Err(CommitProblem::BadHeader);
        }
        if let Some(once) = ONCE.iter().find(|once| once.as_bytes() == name) {
            let standard = ["tree", "parent", "author", "committer"].contains(once);
            if standard || seen.contains(&name) {
                return Err(CommitProblem::Twice(once));
            }
            seen.push(name);
        }
        if name == signature_header {
            signatures.ours = Some(range.clone());
        }
        if name.starts_with(b"gpgsig") {
            signatures.all.push(range);
        }
    }
    Ok(signatures)
}

/// Headers that may stand once only. `mergetag` and unknown ones may stand several times.
const ONCE: [&str; 7] =
    ["tree", "parent", "author", "committer", "encoding", "gpgsig", "gpgsig-sha256"];

/// A folded header's value: each continuation line loses the blank it begins with.
fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (at, line) in value.split_inclusive(|&b| b == b'\n').enumerate() {
        out.extend_from_slice(if at == 0 { line } else { line.strip_prefix(b" ").unwrap_or(line) });
    }
    out
}

/// Who and when, from the line of `whose`.
pub(super) fn ident(line: &[u8], whose: &'static str) -> Result<Ident, CommitProblem> {
    Ident::parse(line).map_err(|problem| CommitProblem::Ident(problem, whose))
}

fn strict_oid(format: ObjectFormat, hex: &[u8], place: &'static str) -> Result<Oid, CommitProblem> {
    Oid::from_hex(hex)
        .filter(|oid| oid.format() == format && !oid.is_zero())
        .ok_or(CommitProblem::BadOid(place))
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
