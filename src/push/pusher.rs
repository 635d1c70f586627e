//! Who pushes, as the server tells it. Never what a commit claims.

use crate::names::principal::PrincipalName;

/// The source that knows people by the push certificate, as the policy names it.
pub const BY_CERTIFICATE: &str = "push-certificate";

/// The pusher, and where that knowledge comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pusher {
    /// Who it is to the roster.
    pub who: Who,
    /// What the source called them, UTF-8; empty when it said nothing.
    pub login: String,
    /// The source that was asked, as the policy names it: `ssh-auth-info`, a variable, `os-user`.
    pub source: String,
    /// How they came: `ssh`, `http` or `local`.
    pub door: &'static str,
    /// The fingerprint of the key they came with, where the source shows one.
    pub key: Option<String>,
}

/// A pusher's standing in the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// In the roster.
    Listed {
        /// Under this name.
        name: PrincipalName,
        /// A machine never counts as a reviewer.
        machine: bool,
        /// A login used by several people makes unknown makers.
        shared: bool,
    },
    /// Named by the source, but in nobody's table: a person in no group.
    Unlisted,
    /// The source does not say. Always refused.
    Unnamed {
        /// Why not, as a sentence without its subject: `SSH_USER_AUTH is not set`.
        why: String,
    },
}

impl Pusher {
    /// The name in the roster, if there is one.
    pub fn name(&self) -> Option<&PrincipalName> {
        match &self.who {
            Who::Listed { name, .. } => Some(name),
            Who::Unlisted | Who::Unnamed { .. } => None,
        }
    }

    /// Whether commits brought by this pusher have a known maker.
    pub fn is_known_maker(&self) -> bool {
        matches!(&self.who, Who::Listed { shared: false, .. })
    }
}
