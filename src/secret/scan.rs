//! Bytes in, secrets out: one pass for all beginnings, a bounded look around each.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::names::digest::Digest;
use crate::secret::documents;
use crate::secret::forms::{Form, Letters, ROWS, Row};
use crate::secret::kinds::{JWT, MANY, SecretKind};

/// How many secrets of one file are told apart. With more, the file is one by itself.
pub const FOUND_MAX: usize = 1000;

/// How far behind a beginning is looked, in bytes.
const AHEAD_MAX: usize = 512;

/// The same for a part of a signed token, which holds claims.
const JWT_PART_MAX: usize = 8192;

/// How far behind a PEM header its block may begin, and how far before its end it may.
const PEM_AHEAD_MAX: usize = 1024;
const PEM_BEFORE_MAX: usize = 64;

/// How long a word of a PEM block is at least. Whatever writes one breaks it after 64 or more.
const PEM_WORD_MIN: usize = 32;

/// How many different letters a token has at least: what has fewer stands in for one.
const DIFFERENT_MIN: usize = 5;

/// A secret: what kind, and where. Nothing of the secret itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// What kind it is.
    pub kind: &'static SecretKind,
    /// The line it begins in, from 1.
    pub line: usize,
    /// A digest of it, to know it again on the other side of a change. Never shown or stored.
    pub mark: Digest,
}

/// A place of some bytes.
struct Hit {
    kind: &'static SecretKind,
    from: usize,
    to: usize,
}

/// The secrets in some bytes, by what they look like, in their order. Text of two bytes a letter
/// is read too: its zeros are left out.
pub fn scan(bytes: &[u8]) -> Vec<Found> {
    let mut found = scan_text(bytes);
    if bytes.contains(&0) {
        let without: Vec<u8> = bytes.iter().copied().filter(|&b| b != 0).collect();
        for more in scan_text(&without) {
            if !found.iter().any(|one| one.mark == more.mark) {
                found.push(more);
            }
        }
    }
    capped(found, bytes)
}

/// No list is cut without a word: what holds too many is one more, which nothing is like.
pub fn capped(mut found: Vec<Found>, bytes: &[u8]) -> Vec<Found> {
    if found.len() > FOUND_MAX {
        found.truncate(FOUND_MAX);
        found.push(Found { kind: &MANY, line: 1, mark: Digest::of(bytes) });
    }
    found
}

fn scan_text(bytes: &[u8]) -> Vec<Found> {
    let Some(finder) = finder() else {
        // The rows are ours and a test builds them; if they ever did not compile, nothing could be
        // said of any bytes.
        return vec![Found { kind: &MANY, line: 1, mark: Digest::of(bytes) }];
    };
    let mut hits: Vec<Hit> = Vec::new();
    for one in finder.find_overlapping_iter(bytes) {
        let Some(row) = ROWS.get(one.pattern().as_usize()) else { continue };
        let exact = bytes.get(one.range()) == Some(row.begins.as_bytes());
        if !exact && !matches!(row.form, Form::Assigned(..)) {
            continue;
        }
        // A token within a signed token is a part of it.
        let within = hits.last().is_some_and(|last| last.kind == &JWT && one.start() < last.to);
        if within || hits.len() > FOUND_MAX {
            continue;
        }
        if let Some((from, to)) = extent(row, bytes, one.start(), one.end()) {
            hits.push(Hit { kind: row.kind, from, to });
        }
    }
    let documents = documents::look(bytes).into_iter();
    hits.extend(documents.map(|(kind, from, to)| Hit { kind, from, to }));
    hits.sort_by_key(|hit| hit.from);
    told(bytes, &hits)
}

/// Puts lines to places, which are in their order.
fn told(bytes: &[u8], hits: &[Hit]) -> Vec<Found> {
    let (mut line, mut at) = (1, 0);
    let mut found: Vec<Found> = Vec::new();
    for hit in hits {
        line += memchr::memchr_iter(b'\n', bytes.get(at..hit.from).unwrap_or_default()).count();
        at = at.max(hit.from);
        let mark = Digest::of(bytes.get(hit.from..hit.to).unwrap_or_default());
        if !found.iter().rev().take(8).any(|one| one.mark == mark && one.line == line) {
            found.push(Found { kind: hit.kind, line, mark });
        }
    }
    found
}

fn finder() -> Option<&'static AhoCorasick> {
    static FINDER: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let build = || {
        let rows = ROWS.iter().map(|row| row.begins);
        AhoCorasick::builder().ascii_case_insensitive(true).build(rows).ok()
    };
    FINDER.get_or_init(build).as_ref()
}

/// Where the secret begins and ends whose beginning stands at `start..end`. `None`: it is none.
fn extent(row: &Row, bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let token = |letters: Letters, least: usize| {
        let length = run(bytes, end, letters, AHEAD_MAX);
        let body = bytes.get(end..end + length)?;
        (length >= least && is_varied(body, least)).then_some((start, end + length))
    };
    match row.form {
        Form::Token(letters, least) => token(letters, least),
        Form::Word(letters, least) => token(letters, least).filter(|_| begins_word(bytes, start)),
        Form::Exactly(letters, exactly) => {
            let (from, to) = token(letters, exactly).filter(|_| begins_word(bytes, start))?;
            let ends = bytes.get(to).is_none_or(|b| !b.is_ascii_alphanumeric());
            let example = bytes.get(from..to)?.ends_with(b"EXAMPLE");
            (to - end == exactly && ends && !example).then_some((from, to))
        }
        Form::Assigned(letters, least) => {
            let (at, to) = assigned(bytes, end, letters)?;
            let value = bytes.get(at..to)?;
            let example = value.windows(7).any(|part| part == b"EXAMPLE");
            (value.len() >= least && is_varied(value, least) && !example).then_some((at, to))
        }
        Form::Pem => pem(bytes, start, end),
        Form::Jwt => jwt(bytes, start),
        Form::SendGrid => {
            let key = end + run(bytes, end, Letters::Url, AHEAD_MAX);
            let secret = run(bytes, key + 1, Letters::Url, AHEAD_MAX);
            let dot = bytes.get(key) == Some(&b'.');
            (key - end >= 16 && dot && secret >= 32 && begins_word(bytes, start))
                .then_some((start, key + 1 + secret))
        }
        Form::Telegram => {
            let digits = before(bytes, start, |b| b.is_ascii_digit());
            let (_, to) = token(Letters::Url, 32)?;
            (8..=10).contains(&digits).then_some((start - digits, to))
        }
        Form::AtlasV1 => {
            let letters = before(bytes, start, |b| b.is_ascii_alphanumeric());
            let (_, to) = token(Letters::Url, 60)?;
            (letters >= 14).then_some((start - letters, to))
        }
        Form::Url => url(bytes, start, end),
    }
}

/// How many bytes from here on are of these letters, at most so many.
fn run(bytes: &[u8], from: usize, letters: Letters, most: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().take(most).take_while(|&&b| letters.has(b)).count()
}

fn before(bytes: &[u8], to: usize, is: impl Fn(&u8) -> bool) -> usize {
    let head = bytes.get(..to).unwrap_or_default();
    head.iter().rev().take(AHEAD_MAX).take_while(|b| is(b)).count()
}

/// Whether no word runs into this place; the letter of an escape such as `\n` is none.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    let head = bytes.get(..at).unwrap_or_default();
    match head {
        [.., b'\\', b'n' | b't' | b'r'] => true,
        [.., last] => !last.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Whether this is more than letters that hold a place: `xxxxxxxx`.
fn is_varied(body: &[u8], least: usize) -> bool {
    let mut seen = [false; 256];
    body.iter().for_each(|&b| seen[usize::from(b)] = true);
    seen.iter().filter(|seen| **seen).count() >= DIFFERENT_MIN.min(least)
}

/// The value behind a key: `= "value"`, `: value`, `=value`, `>value<`.
fn assigned(bytes: &[u8], end: usize, letters: Letters) -> Option<(usize, usize)> {
    let rest = bytes.get(end..)?;
    let between =
        |b: &u8| matches!(b, b'=' | b':' | b'"' | b'\'' | b' ' | b'\t' | b'>' | b'\\' | b',');
    let skipped = rest.iter().take(32).take_while(|b| between(b)).count();
    let at = end + skipped;
    (skipped > 0).then(|| (at, at + run(bytes, at, letters, AHEAD_MAX)))
}

fn pem(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let head = bytes.get(start.saturating_sub(PEM_BEFORE_MAX)..start)?;
    let begin = head.windows(10).rposition(|part| part == b"-----BEGIN")?;
    let from = start.saturating_sub(PEM_BEFORE_MAX) + begin;
    let mut at = end;
    while at < bytes.len().min(end + PEM_AHEAD_MAX) {
        let length = run(bytes, at, Letters::Base64, AHEAD_MAX);
        let word = bytes.get(at..at + length)?;
        if length >= PEM_WORD_MIN && is_varied(word, DIFFERENT_MIN) {
            return Some((from, at + length));
        }
        at += length + 1;
    }
    None
}

fn jwt(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    if !begins_word(bytes, start) {
        return None;
    }
    let head = start + run(bytes, start, Letters::Url, JWT_PART_MAX);
    let claims = head + 1;
    let dot = |at: usize| bytes.get(at) == Some(&b'.');
    if !dot(head) || !bytes.get(claims..)?.starts_with(b"eyJ") {
        return None;
    }
    let body = claims + run(bytes, claims, Letters::Url, JWT_PART_MAX);
    let signature = run(bytes, body + 1, Letters::Url, AHEAD_MAX);
    (dot(body) && head - start >= 10 && body - claims >= 10 && signature >= 20)
        .then_some((start, body + 1 + signature))
}

/// What stands for a password where people write about one.
const PLACEHOLDERS: [&[u8]; 12] = [
    b"password",
    b"passwd",
    b"pass",
    b"pwd",
    b"secret",
    b"changeme",
    b"example",
    b"token",
    b"user",
    b"username",
    b"xxxx",
    b"test",
];

fn url(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    if before(bytes, start, u8::is_ascii_alphanumeric) == 0 {
        return None;
    }
    let ahead = bytes.get(end..)?;
    let ahead = &ahead[..ahead.len().min(AHEAD_MAX)];
    let part = |b: &u8| {
        !b.is_ascii_whitespace() && !matches!(b, b'/' | b'@' | b'"' | b'\'' | b'`' | b'<' | b'>')
    };
    let authority = ahead.iter().take_while(|b| part(b)).count();
    if ahead.get(authority) != Some(&b'@') {
        return None;
    }
    let login = &ahead[..authority];
    let colon = login.iter().position(|&b| b == b':')?;
    let (user, password) = (&login[..colon], &login[colon + 1..]);
    let lower = password.to_ascii_lowercase();
    // What a template fills in, and what a text leaves out.
    let filled = password.contains(&b'{')
        || matches!(password.first(), Some(b'$' | b'%' | b'['))
        || password.windows(3).any(|part| part == b"***");
    let stands_in =
        filled || PLACEHOLDERS.contains(&lower.as_slice()) || password.eq_ignore_ascii_case(user);
    (password.len() >= 4 && !stands_in).then_some((end + colon + 1, end + authority))
}
