//! Some principals that a rule names.

use std::collections::BTreeSet;

use crate::names::principal::PrincipalName;

/// The people and machines that a list such as `from` stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Everybody, groups taken apart.
    pub names: BTreeSet<PrincipalName>,
    /// The list as it was written, for messages: `@platform`.
    pub written: Vec<String>,
}

impl Party {
    /// Whether this principal is meant.
    pub fn contains(&self, name: &PrincipalName) -> bool {
        self.names.contains(name)
    }
}
