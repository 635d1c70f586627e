//! What a broken glass owes: the delta that landed, approved after the fact, or gone again.

use std::collections::BTreeSet;

use crate::facts::past::Maker;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// A debt that is not settled on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Debt {
    /// The decision that let it in.
    pub entry: u64,
    /// When.
    pub at: Moment,
    /// Who broke the glass.
    pub by: Maker,
    /// Why, in their words.
    pub reason: Vec<u8>,
    /// The ref.
    pub refname: Refname,
    /// The ref's value after it.
    pub new: Oid,
    /// Where what landed begins; `None`: at nothing.
    pub base: Option<Oid>,
    /// Where it ends.
    pub commit: Oid,
    /// The digest of what landed.
    pub delta: Digest,
    /// How many entries it has.
    pub entries: u64,
    /// The approvals that are owed. Empty: one of anybody who can approve.
    pub asks: Vec<Ask>,
    /// Who made what landed.
    pub makers: BTreeSet<PrincipalName>,
    /// Somebody unknown is among the makers.
    pub unknown_maker: bool,
    /// Until when it is to be settled.
    pub settle_by: Moment,
    /// The log knows that the ref had the value; else the push is still open.
    pub applied: bool,
}

/// Approvals that one rule asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The rule.
    pub rule: String,
    /// How many.
    pub approvals: usize,
    /// Of whom.
    pub from: BTreeSet<PrincipalName>,
}

/// A debt, and what speaks for its being settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DebtFacts {
    /// The debt.
    pub debt: Debt,
    /// Who approves exactly what landed, by a statement that holds, makers or not; and which.
    pub approved: Vec<(PrincipalName, Digest)>,
    /// Nothing of it stands in the tree that was looked at: each entry is back at what it was
    /// before, or its path is gone.
    pub restored: bool,
}
