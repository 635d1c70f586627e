//! Where statements stand: `refs/approvals/<key>/<person>` and
//! `refs/checks/<key>/<check>/<machine>`, exactly this deep.
//!
//! Used by whoever judges a push to one of these refs and by whoever looks evidence up, always by
//! exact name. A place is computed from a statement; it is never a source of what it says.

use std::fmt;

use crate::names::digest::Digest;
use crate::names::oid::nibble;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// The folder of approvals.
pub const APPROVALS: &[u8] = b"refs/approvals";

/// The folder of checks.
pub const CHECKS: &[u8] = b"refs/checks";

/// The key of a ref and a delta: the first 20 bytes of the SHA-256 of
/// `REF LF DELTA-IN-64-HEX LF`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApprovalKey([u8; KEY_BYTES]);

/// The length of a key in bytes; twice as many hexadecimal digits.
pub const KEY_BYTES: usize = 20;

impl ApprovalKey {
    /// The key of statements that say something about this delta on this ref.
    pub fn of(refname: &Refname, delta: &Digest) -> Self {
        let digest = Digest::of_parts(&[refname.as_bytes(), b"\n", delta.hex().as_bytes(), b"\n"]);
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&digest.as_bytes()[..KEY_BYTES]);
        Self(key)
    }

    /// Reads 40 lower-case hexadecimal digits. `None` for anything else.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        if hex.len() != 2 * KEY_BYTES {
            return None;
        }
        let mut key = [0; KEY_BYTES];
        for (byte, pair) in key.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(key))
    }

    /// All 40 digits, lower case.
    pub fn hex(&self) -> String {
        format!("{self}")
    }
}

impl fmt::Display for ApprovalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ApprovalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The ref that one statement may stand at.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Place {
    /// `refs/approvals/<key>/<person>`
    Approval {
        /// The ref and the delta.
        key: ApprovalKey,
        /// Who may stand here.
        person: PrincipalName,
    },
    /// `refs/checks/<key>/<check>/<machine>`
    Check {
        /// The ref and the delta.
        key: ApprovalKey,
        /// The name of the check.
        check: PrincipalName,
        /// Who may stand here.
        machine: PrincipalName,
    },
}

impl Place {
    /// Reads a place from a refname. `None` for every other ref, also one inside these folders that
    /// is too deep, too shallow, or has a part of the wrong form.
    pub fn parse(refname: &Refname) -> Option<Self> {
        let text = std::str::from_utf8(refname.as_bytes()).ok()?;
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["refs", "approvals", key, person] => Some(Self::Approval {
                key: ApprovalKey::from_hex(key.as_bytes())?,
                person: PrincipalName::parse(person)?,
            }),
            ["refs", "checks", key, check, machine] => Some(Self::Check {
                key: ApprovalKey::from_hex(key.as_bytes())?,
                check: PrincipalName::parse(check)?,
                machine: PrincipalName::parse(machine)?,
            }),
            _ => None,
        }
    }

    /// Whether only statements may stand at this ref: it is one of the two folders or lies in one.
    pub fn is_reserved(refname: &Refname) -> bool {
        [APPROVALS, CHECKS].iter().any(|folder| {
            refname
                .as_bytes()
                .strip_prefix(*folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }

    /// Its full refname as text.
    pub fn as_text(&self) -> String {
        match self {
            Self::Approval { key, person } => format!("refs/approvals/{key}/{person}"),
            Self::Check { key, check, machine } => format!("refs/checks/{key}/{check}/{machine}"),
        }
    }

    /// Its full refname.
    #[expect(clippy::expect_used, reason = "principals' names are valid components by their form")]
    pub fn refname(&self) -> Refname {
        Refname::parse(self.as_text().as_bytes()).expect("every part is a valid component")
    }

    /// The ref and the delta.
    pub fn key(&self) -> ApprovalKey {
        match self {
            Self::Approval { key, .. } | Self::Check { key, .. } => *key,
        }
    }

    /// Who may stand here: the person, or the machine.
    pub fn signer(&self) -> &PrincipalName {
        match self {
            Self::Approval { person, .. } => person,
            Self::Check { machine, .. } => machine,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}
