//! Who has authorized a landing by gittuf: a file about exactly this move, and who signed it.

use crate::names::digest::Digest;
use crate::names::principal::PrincipalName;
use crate::verdict::line::Line;

/// What gittuf has about a landing, from the value the ref has to the content it will have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authorized {
    /// The file, where there is one about exactly this move that may count.
    pub file: Option<AuthorizedFile>,
    /// The people who signed it with keys that count now, each once, rules aside.
    pub by: Vec<Authorizer>,
    /// What else was found and does not count, each with the reason, in whole sentences.
    pub doubts: Vec<Line>,
}

/// A file of gittuf's, as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizedFile {
    /// The SHA-256 of what its signatures are over.
    pub id: Digest,
    /// All of it: the envelope with its signatures.
    pub bytes: Vec<u8>,
}

/// Somebody who signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authorizer {
    /// Who.
    pub person: PrincipalName,
    /// The fingerprint of their key.
    pub key: String,
}
