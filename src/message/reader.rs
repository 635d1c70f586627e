//! Who reads an answer, and the words that go into a command for them.
//!
//! Used by `review` and `landing`, and made by whoever shows an answer.

use crate::answer::Answer;
use crate::message::layout::hint_lines;
use crate::names::escape::escape_short;
use crate::names::oid::Oid;
use crate::verdict::line::{Hint, Line};

/// Who looks at the answer, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Their name in the policy, if they look as somebody.
    pub name: Option<&'a str>,
    /// The first line of the commit's message; empty: not known here.
    pub asked: &'a str,
    /// The branch of their own that the commit is the tip of; never the one it should land on.
    pub topic: Option<&'a str>,
    /// What they call the server.
    pub remote: &'a str,
    /// Their own branch of the name that it should land on.
    pub own_branch: OwnBranch,
}

/// A clone's branch, against the server's of the same name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnBranch {
    /// It is not there, or has nothing that the server's has not, as far as is known.
    Follows,
    /// It has commits of its own, so that nothing can be landed from it as it stands.
    Differs,
}

impl<'a> Reader<'a> {
    /// Somebody of whom nothing is known but what they call the server.
    pub const fn of_remote(remote: &'a str) -> Self {
        Self { name: None, asked: "", topic: None, remote, own_branch: OwnBranch::Follows }
    }
}

/// A hint with a command, on lines of its own where it does not fit on one.
pub(crate) fn command_lines(text: &str, command: &str) -> Vec<String> {
    hint_lines(&Hint::run(Line::new(text.to_owned()), Line::new(command.to_owned())))
}

/// What a person types after `--for`, quoted for a shell.
pub(crate) fn typed(answer: &Answer) -> String {
    word(answer.refname.strip_prefix("refs/heads/").unwrap_or(&answer.refname))
}

/// A word of a command, quoted for a shell.
pub(crate) fn word(text: &str) -> String {
    Line::default().word(text.as_bytes()).show()
}

/// An oid as people are shown it; whatever else stands there, cut.
pub(crate) fn short(hex: &str) -> String {
    Oid::from_hex(hex.as_bytes()).map_or_else(|| escape_short(hex.as_bytes()), |oid| oid.short())
}
