//! One principal: a person or a machine.

use crate::names::principal::PrincipalName;
use crate::ssh::key::SshKey;

/// A person or a machine that the policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name of the table, `alice` of `[people.alice]`.
    pub name: PrincipalName,
    /// What the identity source calls them; never empty.
    pub logins: Vec<String>,
    /// The e-mails that commits name them by.
    pub emails: Vec<String>,
    /// The keys they sign with, and come with where the source shows keys.
    pub keys: Vec<SshKey>,
    /// A machine never approves.
    pub machine: bool,
    /// Several people use this login, so that who brought a commit with it is unknown.
    pub shared: bool,
}
