//! Matching a path against a pattern of GitHub or GitLab: components, `**`, `*`, `?` and, for
//! GitLab, classes.
//!
//! The patterns of a policy (`pattern`) are another language; these have to match as the forges
//! match, flaws included. No recursion: one place to go back to a level, so that a pattern costs at
//! most its length times the path's.

/// A pattern, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Segment {
    /// Any number of components, also none.
    Any,
    /// One component.
    One(Vec<Token>),
}

/// A part of a component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    /// These bytes.
    Literal(Vec<u8>),
    /// One character.
    One,
    /// Any number of characters.
    Star,
    /// One character out of these ranges, or out of all others.
    Class { negated: bool, ranges: Vec<(u32, u32)> },
}

/// What brackets are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Brackets {
    /// Letters that stand for themselves.
    Literal,
    /// Classes.
    Class,
}

/// A class without its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OpenClass;

impl Glob {
    pub(crate) const fn new(segments: Vec<Segment>) -> Self {
        Self { segments }
    }

    /// Whether a path matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        // Most lines begin with a folder's name, and most paths lie elsewhere.
        if let Some(Segment::One(tokens)) = self.segments.first()
            && let [Token::Literal(name)] = tokens.as_slice()
            && !path.starts_with(name)
        {
            return false;
        }
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let (mut at, mut part, mut back) = (0, 0, None);
        while part < parts.len() {
            match self.segments.get(at) {
                Some(Segment::Any) => {
                    at += 1;
                    back = Some((at, part));
                    continue;
                }
                Some(Segment::One(tokens)) if component(tokens, parts[part]) => {
                    at += 1;
                    part += 1;
                    continue;
                }
                Some(Segment::One(_)) | None => {}
            }
            let Some((behind, from)) = back else { return false };
            back = Some((behind, from + 1));
            at = behind;
            part = from + 1;
        }
        self.segments.iter().skip(at).all(|segment| *segment == Segment::Any)
    }

    /// Whether every path matches.
    pub fn is_everything(&self) -> bool {
        let any = self.segments.contains(&Segment::Any);
        let rest: Vec<_> = self.segments.iter().filter(|it| **it != Segment::Any).collect();
        match rest.as_slice() {
            [] => any,
            [Segment::One(tokens)] => any && tokens.as_slice() == [Token::Star],
            _ => false,
        }
    }
}

/// Takes one component of a pattern apart.
pub(crate) fn tokens(text: &[u8], brackets: Brackets) -> Result<Vec<Token>, OpenClass> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'*' if tokens.last() == Some(&Token::Star) => {}
            b'*' => tokens.push(Token::Star),
            b'?' => tokens.push(Token::One),
            b'[' if brackets == Brackets::Class => {
                let (class, behind) = class(text, at).ok_or(OpenClass)?;
                tokens.push(class);
                at = behind;
            }
            byte => {
                let escaped = if *byte == b'\\' { text.get(at) } else { None };
                at += usize::from(escaped.is_some());
                let byte = *escaped.unwrap_or(byte);
                match tokens.last_mut() {
                    Some(Token::Literal(bytes)) => bytes.push(byte),
                    Some(Token::One | Token::Star | Token::Class { .. }) | None => {
                        tokens.push(Token::Literal(vec![byte]));
                    }
                }
            }
        }
    }
    Ok(tokens)
}

/// A class as Ruby's `File.fnmatch` reads it, from behind its `[`; and where it ends.
fn class(text: &[u8], mut at: usize) -> Option<(Token, usize)> {
    let negated = matches!(text.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if text.get(at)? == &b']' {
            return Some((Token::Class { negated, ranges }, at + 1));
        }
        let (low, behind) = member(text, at)?;
        at = behind;
        let mut high = low;
        if text.get(at) == Some(&b'-') && text.get(at + 1).is_some_and(|byte| *byte != b']') {
            (high, at) = member(text, at + 1)?;
        }
        ranges.push((low, high));
    }
}

/// One character of a class, and where it ends.
fn member(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let at = at + usize::from(text.get(at) == Some(&b'\\') && at + 1 < text.len());
    let (c, length) = character(text.get(at..)?)?;
    Some((c, at + length))
}

/// The first character and its length in bytes. A byte that is no part of one stands for itself, as
/// a number that no character has.
fn character(text: &[u8]) -> Option<(u32, usize)> {
    let first = *text.first()?;
    let length = match first {
        0x00..=0x7f => return Some((u32::from(first), 1)),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        0x80..=0xc1 | 0xf5..=0xff => 1,
    };
    let whole = text.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    match whole.and_then(|text| text.chars().next()) {
        Some(c) => Some((u32::from(c), length)),
        None => Some((NO_CHARACTER + u32::from(first), 1)),
    }
}

/// Above all characters.
const NO_CHARACTER: u32 = 0x11_0000;

/// Whether one component matches.
fn component(tokens: &[Token], text: &[u8]) -> bool {
    let (mut at, mut from, mut back) = (0, 0, None);
    loop {
        let rest = text.get(from..).unwrap_or_default();
        let taken = match tokens.get(at) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Token::Star) => {
                at += 1;
                back = Some((at, from));
                continue;
            }
            Some(Token::Literal(bytes)) => rest.starts_with(bytes).then_some(bytes.len()),
            Some(Token::One) => character(rest).map(|(_, length)| length),
            Some(Token::Class { negated, ranges }) => character(rest).and_then(|(c, length)| {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                (within != *negated).then_some(length)
            }),
        };
        if let Some(length) = taken {
            at += 1;
            from += length;
            continue;
        }
        let Some((behind, start)) = back else { return false };
        let Some((_, length)) = text.get(start..).and_then(character) else { return false };
        back = Some((behind, start + length));
        at = behind;
        from = start + length;
    }
}
