//! Whose word a signature is: the key that made it, held against everybody's keys.
//!
//! Everything signed is heard here: statements, commits, tags, push certificates. Who asks says for
//! which purpose (the namespace) and at which moment.

use std::fmt;

use crate::names::principal::PrincipalName;
use crate::openpgp::check::Unsigned;
use crate::ssh::signature::SignatureCheck;

/// Whose word a signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'r> {
    /// Theirs.
    By {
        /// Who.
        name: &'r PrincipalName,
        /// The fingerprint of the key.
        fingerprint: String,
    },
    /// The signature is good and the key is theirs; it does not count for this purpose, or not now.
    NotNow {
        /// Whose key it is.
        name: &'r PrincipalName,
        /// The fingerprint of the key.
        fingerprint: String,
        /// Why, to follow "a key that".
        why: String,
    },
    /// The signature is good and the key is nobody's.
    Nobody {
        /// The fingerprint of the key.
        fingerprint: String,
    },
    /// The signature is not good.
    Not(Unheard),
}

/// Why a signature is nobody's word. Words that follow "it is".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// One of SSH, or of nothing that is known here.
    Ssh(SignatureCheck),
    /// One of OpenPGP.
    OpenPgp(Unsigned),
}

impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssh(check) => check.fmt(f),
            Self::OpenPgp(check) => check.fmt(f),
        }
    }
}

impl Heard<'_> {
    /// Whose key made a good signature, whether it counts or not.
    pub fn key_of(&self) -> Option<&PrincipalName> {
        match self {
            Self::By { name, .. } | Self::NotNow { name, .. } => Some(*name),
            Self::Nobody { .. } | Self::Not(_) => None,
        }
    }

    /// The fingerprint of the key that made a good signature.
    pub fn fingerprint(&self) -> Option<&str> {
        match self {
            Self::By { fingerprint, .. }
            | Self::NotNow { fingerprint, .. }
            | Self::Nobody { fingerprint } => Some(fingerprint),
            Self::Not(_) => None,
        }
    }
}
