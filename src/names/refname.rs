//! Full names of refs, by Git's own rules.

use std::fmt;
use std::sync::Arc;

use crate::names::escape::escape;

/// How long a refname may be, in bytes: what a file system allows for a path, roughly.
pub const REFNAME_BYTES_MAX: usize = 4000;

/// The full name of a ref: it begins with `refs/` and keeps the rules of
/// `git check-ref-format`. Any other bytes, valid UTF-8 or not.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refname(Arc<[u8]>);

impl Refname {
    /// Reads a full refname. `None` when Git would call it a funny refname.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let fits = bytes.starts_with(b"refs/") && bytes.len() <= REFNAME_BYTES_MAX;
        (fits && bytes.split(|&b| b == b'/').all(is_component) && !bytes.ends_with(b"."))
            .then(|| Self(bytes.into()))
    }

    /// The bytes, `refs/` and all.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What follows `refs/heads/`, when this is a branch.
    pub fn branch(&self) -> Option<&[u8]> {
        self.0.strip_prefix(b"refs/heads/")
    }

    /// What follows `refs/tags/`, when this is a tag.
    pub fn tag(&self) -> Option<&[u8]> {
        self.0.strip_prefix(b"refs/tags/")
    }

    /// The name as a person types it: a branch or a tag without its prefix, else whole. Escaped.
    pub fn short(&self) -> String {
        escape(self.branch().or(self.tag()).unwrap_or(&self.0))
    }
}

/// The rules of git-check-ref-format(1) for what stands between slashes.
fn is_component(part: &[u8]) -> bool {
    !part.is_empty()
        && !part.starts_with(b".")
        && !part.ends_with(b".lock")
        && !part.windows(2).any(|pair| pair == b".." || pair == b"@{")
        && !part.iter().any(|&b| {
            b < 0x20 || matches!(b, 0x7f | b' ' | b'~' | b'^' | b':' | b'?' | b'*' | b'[' | b'\\')
        })
}

impl fmt::Display for Refname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0))
    }
}

impl fmt::Debug for Refname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0))
    }
}
