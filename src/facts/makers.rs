//! Whose work a change is. A maker never counts as a reviewer (product contract, section 5, rule 3).

use std::collections::BTreeMap;

use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;

/// How somebody is known to have made a commit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MakerBy {
    /// The log says they brought it: a fact.
    Brought,
    /// They signed it: a fact.
    Signed,
    /// The commit names them as author: a claim, which can only exclude.
    Author,
    /// The commit names them as committer.
    Committer,
    /// The commit names them in a Co-authored-by trailer.
    CoAuthor,
}

impl MakerBy {
    /// In words, to follow a person's name.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Brought => "pushed",
            Self::Signed => "signed",
            Self::Author => "is the author of",
            Self::Committer => "is the committer of",
            Self::CoAuthor => "is a co-author of",
        }
    }
}

/// What is said of a commit that came past the gate.
pub const BY_NOBODY: &str = "was brought by nobody on record";

/// The makers of a step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Makers {
    /// Who, and by which commit they are known.
    pub known: BTreeMap<PrincipalName, (MakerBy, Oid)>,
    /// A commit that nobody on record brought, or somebody who is not one known person.
    pub unknown: Option<(Oid, &'static str)>,
}

impl Makers {
    /// Adds a maker; the first way they are known is kept.
    pub fn add(&mut self, name: &PrincipalName, by: MakerBy, commit: Oid) {
        self.known.entry(name.clone()).or_insert((by, commit));
    }

    /// Adds everyone of the other set.
    pub fn merge(&mut self, other: &Self) {
        for (name, (by, commit)) in &other.known {
            self.add(name, *by, *commit);
        }
        self.unknown = self.unknown.or(other.unknown);
    }
}
