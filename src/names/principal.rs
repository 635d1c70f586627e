//! Names of people, machines, groups, checks and rules.

use std::fmt;
use std::sync::Arc;

/// How long such a name may be, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A name from the policy: `[a-z0-9][a-z0-9._-]{0,63}`, no `..`, not ending in `.` or `.lock`, so
/// that it is always a valid component of a refname.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalName(Arc<str>);

impl PrincipalName {
    /// Reads a name. `None` when it does not have the form above.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let first = *bytes.first()?;
        let fits = bytes.len() <= NAME_BYTES_MAX
            && (first.is_ascii_lowercase() || first.is_ascii_digit())
            && bytes.iter().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
            })
            && !text.contains("..")
            && !text.ends_with('.')
            && !text.ends_with(".lock");
        fits.then(|| Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
