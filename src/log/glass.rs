//! The records of a broken glass and of what it owes.
//!
//! `break-glass` stands before the decision it belongs to and is written with it in one append, one
//! for each ref. It makes a debt only if the decision does stand there and was not found to be not
//! applied. Field names and their order are part of the format, as those of a decision are.

use serde::{Deserialize, Serialize};

use crate::log::decision::{Actor, FindingRecord, Paths};
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;

/// `break-glass`: somebody entitled overrode the refusals of one ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    /// The decision's number, filled in under the lock: nobody knows it before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<u64>,
    /// Who broke it.
    pub actor: Actor,
    /// Why, in their words.
    pub reason: Text,
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// Its value when the push was judged; zeros when there was none.
    pub old: AsText<Oid>,
    /// The value it was to get.
    pub new: AsText<Oid>,
    /// The findings that would have refused it.
    pub overridden: Vec<FindingRecord>,
    /// Where what landed begins; zeros: at nothing.
    pub base: AsText<Oid>,
    /// Where it ends.
    pub commit: AsText<Oid>,
    /// The digest of what landed, from `base` to `commit`: what is owed is an approval of it.
    pub delta: AsText<Digest>,
    /// The digests of its single steps, as the decision has them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub landed: Vec<AsText<Digest>>,
    /// The paths of what landed.
    pub paths: Paths,
    /// The approvals that the overridden rules ask for. Empty: one of anybody who can approve.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub asks: Vec<AskRecord>,
    /// Who made what landed; they never settle it.
    pub makers: Vec<AsText<PrincipalName>>,
    /// Somebody unknown is among the makers: every ask is for one more.
    #[serde(skip_serializing_if = "is_false", default)]
    pub unknown_maker: bool,
    /// Until when it is to be settled.
    pub settle_by: AsText<Moment>,
}

/// Approvals that one rule asks for, of some people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRecord {
    /// The rule.
    pub rule: String,
    /// How many.
    pub approvals: u64,
    /// Of whom.
    pub from: Vec<AsText<PrincipalName>>,
}

/// `settled`: what a broken glass owed is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The decision that owed it.
    pub of: u64,
    /// The ref it owed it for.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// In which way.
    pub how: How,
    /// Who approved.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub by: Vec<AsText<PrincipalName>>,
    /// Their statements, which are used up by it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub uses: Vec<AsText<Digest>>,
    /// The ref's value when that was found.
    pub value: AsText<Oid>,
}

/// How a debt is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// What landed was approved.
    Approved,
    /// None of it stands on the ref any more.
    Reverted,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
