//! What stands behind a pattern: the names of owners, told apart by their form.

use std::fmt;

use crate::names::escape::{escape, escape_short};

/// An owner as a file names one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// `@alice`; on GitLab a group may be written the same way.
    Account(String),
    /// `@org/team`, without the `@`.
    Team(String),
    /// `alice@example.com`.
    Email(String),
    /// `@@maintainer`, without the `@@` and in the singular; GitLab only.
    Role(String),
    /// None of these: nobody. Escaped, to be shown.
    Malformed(String),
}

/// Whether `@@role` is an owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Roles {
    /// It is.
    Known,
    /// It is nobody.
    Unknown,
}

/// The roles that GitLab knows.
const ROLES: [&str; 3] = ["developer", "maintainer", "owner"];

/// The words behind a pattern as owners.
pub(crate) fn owners(text: &[u8], roles: Roles) -> Vec<Owner> {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(|word| owner(word, roles)).collect()
}

/// One word as an owner.
pub(crate) fn owner(word: &[u8], roles: Roles) -> Owner {
    let malformed = || Owner::Malformed(escape_short(word));
    let Ok(text) = std::str::from_utf8(word) else { return malformed() };
    // What has to be escaped to be shown is no name of anybody.
    if escape(word) != text {
        return malformed();
    }
    if let Some(role) = text.strip_prefix("@@") {
        let role = role.to_ascii_lowercase();
        let singular = role.strip_suffix('s').unwrap_or(&role);
        let known = roles == Roles::Known && ROLES.contains(&singular);
        return if known { Owner::Role(singular.to_owned()) } else { malformed() };
    }
    let named = |name: &str| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        !name.is_empty() && name.chars().all(plain) && !name.split('/').any(str::is_empty)
    };
    match text.split_once('@') {
        Some(("", name)) if named(name) && name.contains('/') => Owner::Team(name.to_owned()),
        Some(("", name)) if named(name) => Owner::Account(name.to_owned()),
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
            match domain.contains('@') {
                true => malformed(),
                false => Owner::Email(text.to_owned()),
            }
        }
        Some(_) | None => malformed(),
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) | Self::Team(name) => write!(f, "@{name}"),
            Self::Role(role) => write!(f, "@@{role}"),
            Self::Email(text) | Self::Malformed(text) => f.write_str(text),
        }
    }
}
