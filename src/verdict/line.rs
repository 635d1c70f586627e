//! Words with typed parts. Outside bytes can only enter a line as a piece that knows how to show
//! itself, so no message, log line or report can be made to hold a raw byte of a pusher.

use std::borrow::Cow;

use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// A part of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Our own words.
    Text(Cow<'static, str>),
    /// An object, shown by its first digits.
    Oid(Oid),
    /// An object, shown whole.
    WholeOid(Oid),
    /// A ref by its full name.
    Ref(Refname),
    /// A ref as a person types it.
    ShortRef(Refname),
    /// A path in a tree.
    Path(RepoPath),
    /// Somebody in the roster.
    Name(PrincipalName),
    /// Text from outside: escaped, cut, in quotes.
    Quoted(Vec<u8>),
    /// A word of a command: escaped, and quoted for a shell where it needs to be.
    Word(Vec<u8>),
}

/// One line of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line(Vec<Piece>);

impl Line {
    /// A line that begins with our own words.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// The parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The same line, and one more part.
    #[must_use]
    pub fn piece(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    /// And all of another line.
    #[must_use]
    pub fn line(self, other: &Self) -> Self {
        other.0.iter().cloned().fold(self, Self::piece)
    }

    /// And our own words.
    #[must_use]
    pub fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.piece(Piece::Text(text.into()))
    }

    /// And an object's first digits.
    #[must_use]
    pub fn oid(self, oid: Oid) -> Self {
        self.piece(Piece::Oid(oid))
    }

    /// And a ref's full name.
    #[must_use]
    pub fn refname(self, name: &Refname) -> Self {
        self.piece(Piece::Ref(name.clone()))
    }

    /// And a ref as a person types it.
    #[must_use]
    pub fn short_ref(self, name: &Refname) -> Self {
        self.piece(Piece::ShortRef(name.clone()))
    }

    /// And a path.
    #[must_use]
    pub fn path(self, path: &RepoPath) -> Self {
        self.piece(Piece::Path(path.clone()))
    }

    /// And somebody of the roster.
    #[must_use]
    pub fn name(self, name: &PrincipalName) -> Self {
        self.piece(Piece::Name(name.clone()))
    }

    /// And text from outside, in quotes.
    #[must_use]
    pub fn quoted(self, bytes: &[u8]) -> Self {
        self.piece(Piece::Quoted(bytes.to_vec()))
    }

    /// And a word of a command, from outside.
    #[must_use]
    pub fn word(self, bytes: &[u8]) -> Self {
        self.piece(Piece::Word(bytes.to_vec()))
    }

    /// And a number of things, singular and plural right: `1 commit`, `3 commits`.
    #[must_use]
    pub fn count(self, n: usize, one: &'static str, many: &'static str) -> Self {
        self.text(format!("{n} {}", if n == 1 { one } else { many }))
    }

    /// And names in a row: `alice, bob`.
    #[must_use]
    pub fn names<'a>(mut self, names: impl IntoIterator<Item = &'a PrincipalName>) -> Self {
        for (i, name) in names.into_iter().enumerate() {
            if i > 0 {
                self = self.text(", ");
            }
            self = self.name(name);
        }
        self
    }

    /// The line as shown: escaped throughout, no line break, no control character.
    pub fn show(&self) -> String {
        self.0.iter().map(show_piece).collect()
    }
}

fn show_piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Oid(oid) => oid.short(),
        Piece::WholeOid(oid) => oid.hex(),
        Piece::Ref(name) => name.to_string(),
        Piece::ShortRef(name) => name.short(),
        Piece::Path(path) => path.to_string(),
        Piece::Name(name) => name.to_string(),
        Piece::Quoted(bytes) => format!("\"{}\"", escape_short(bytes)),
        Piece::Word(bytes) => shell_word(bytes),
    }
}

/// A word for a POSIX shell: bare where every byte is harmless, else in single quotes; bytes that
/// cannot be shown are escaped, which makes the command useless but never harmful.
fn shell_word(bytes: &[u8]) -> String {
    let harmless = |b: &u8| b.is_ascii_alphanumeric() || b"_-./@%+=:,".contains(b);
    if !bytes.is_empty() && bytes.iter().all(harmless) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    format!("'{}'", escape(bytes).replace('\'', "'\\''"))
}

/// Something to do, and the command that does it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// What to do; ends without punctuation.
    pub text: Line,
    /// The command, shown on the same line where it fits, else on its own, never broken.
    pub command: Option<Line>,
}

impl Hint {
    /// Something to do that needs no command.
    pub fn new(text: Line) -> Self {
        Self { text, command: None }
    }

    /// Something to do, by this command.
    pub fn run(text: Line, command: Line) -> Self {
        Self { text, command: Some(command) }
    }
}
