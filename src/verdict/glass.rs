//! A glass that was broken, or could be.

use std::collections::BTreeSet;

use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::verdict::finding::Finding;
use crate::verdict::line::{Hint, Line};

/// What a judgement says about breaking the glass.
#[derive(Clone, Debug, Default)]
pub struct Glass {
    /// The refs that pass only because it was broken. Where one is here, none is refused.
    pub broken: Vec<Broken>,
    /// What somebody entitled can do about the refusals.
    pub offer: Option<Offer>,
    /// It was asked for, and nothing would have been refused.
    pub unused: bool,
}

/// A ref that passes because the glass was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The ref.
    pub refname: Refname,
    /// Why, in the pusher's words.
    pub reason: String,
    /// What would have refused it.
    pub overridden: Vec<Finding>,
    /// Where what lands begins; `None`: at nothing.
    pub base: Option<Oid>,
    /// Where it ends.
    pub commit: Oid,
    /// The approvals that the overridden rules ask for: rule, how many, of whom.
    pub asks: Vec<(String, usize, BTreeSet<PrincipalName>)>,
    /// Who made it.
    pub makers: BTreeSet<PrincipalName>,
    /// Somebody unknown is among the makers.
    pub unknown_maker: bool,
    /// What has to be done about it afterwards.
    pub owed: Vec<Hint>,
    /// Until when.
    pub settle_by: Moment,
}

/// What somebody entitled can do about refusals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offer {
    /// Push again with this command.
    Command {
        /// The command.
        command: Line,
        /// What the reason has to match, as the policy has it.
        pattern: Option<String>,
    },
    /// Nothing here: the hook that runs is not shown push options.
    NotHere,
}
