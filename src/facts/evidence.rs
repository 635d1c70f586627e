//! Who says what about which change, and whether it may count.

use crate::facts::change::Delta;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::statement::fields::{ApprovalVerdict, CheckVerdict, Fields, Saying};
use crate::statement::read::Statement;
use crate::verdict::line::Line;

/// A statement found for a step's change.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// SHA-256 of its signed bytes.
    pub id: Digest,
    /// Where it was found.
    pub place: Refname,
    /// What it says.
    pub says: Fields,
    /// Whether it may count at all, rules aside.
    pub standing: Standing,
    /// The delta from its base to its commit; empty when it does not stand.
    pub delta: Delta,
}

impl Candidate {
    /// The name of the check and a machine's word about it; `None` for a person's.
    pub fn checked(&self) -> Option<(&PrincipalName, CheckVerdict)> {
        match &self.says.saying {
            Saying::Approval { .. } => None,
            Saying::Check { check, verdict, .. } => Some((check, *verdict)),
        }
    }

    /// A person's word; `None` for a machine's.
    pub fn verdict(&self) -> Option<ApprovalVerdict> {
        match self.says.saying {
            Saying::Approval { verdict } => Some(verdict),
            Saying::Check { .. } => None,
        }
    }
}

/// Whether a statement may count, rules aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It may.
    Good,
    /// It may not, in words that follow the person's name: `approved it until 2026-11-20`.
    Not(Line),
    /// It may where Git's own merge of what it speaks of may land (`moved = "clean-merge"`). For
    /// whoever does not take that it may not, in these words.
    ByMerge(Line),
}

/// A statement for an earlier form of a step's change, or for another ref.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NearMiss {
    /// Who said so.
    pub person: PrincipalName,
    /// The commit they spoke of.
    pub commit: Oid,
    /// The ref they spoke of, where that is another one.
    pub other_ref: Option<Refname>,
    /// How many entries they saw.
    pub entries: usize,
    /// How many entries the step brings.
    pub step_entries: usize,
    /// An entry of the step that their statement lacks or has otherwise.
    pub first_new: Option<RepoPath>,
    /// The branch moved in this file since, so that the entry's old side differs.
    pub moved: bool,
}

/// A reject that stands, of something in a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// Who rejected.
    pub person: PrincipalName,
    /// The commit they rejected.
    pub commit: Oid,
    /// When.
    pub date: Moment,
    /// Until when it stands.
    pub expires: Moment,
    /// What of the step they rejected: places in its delta, ascending.
    pub entries: Vec<usize>,
}

/// A check that was passed by an earlier form of a step's change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NearCheck {
    /// The name of the check.
    pub check: PrincipalName,
    /// Which machine passed what, and how that differs.
    pub miss: NearMiss,
}

/// A statement that the push itself carries.
#[derive(Clone, Debug)]
pub struct StatementPush {
    /// SHA-256 of its signed bytes.
    pub id: Digest,
    /// What it says.
    pub statement: Statement,
    /// Whether it may enter its place. Where it may not, `structure` says why.
    pub enters: bool,
    /// The entries of its delta, by their digests, where it rejects them.
    pub rejected: Vec<Digest>,
    /// The date of the statement it replaces, when there is one.
    pub replaces: Option<Moment>,
}
