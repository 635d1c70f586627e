//! What a policy will ask of a ref update, so that no more is gathered.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::codeowners::dialect::Dialect;
use crate::infra::set::InfraKinds;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::pattern::refs::RefPatterns;
use crate::roster::directory::Directory;

/// What one rule asks.
#[derive(Clone, Default, Debug)]
pub struct Needs {
    /// The steps of the landing, their deltas and their makers.
    pub landing: bool,
    /// Whose statements it can count; their names are probed, nobody else's.
    pub reviewers: BTreeSet<PrincipalName>,
    /// Whether a reject can stop what lands.
    pub veto: bool,
    /// Whose checks it can count; the same holds for them.
    pub checkers: BTreeSet<Checker>,
    /// Kinds of infrastructure that must be told by content where the path says nothing.
    pub content: InfraKinds,
    /// Where the symbolic links that arrive lead to.
    pub links: bool,
    /// Whether what Git merged cleanly counts as approved where the branch has moved in the same file.
    pub clean_merge: bool,
    /// Whether what gittuf has about the move counts as approval.
    pub gittuf: bool,
    /// Which of these refs have had the new value.
    pub had_by: Option<RefPatterns>,
    /// Whose signatures are looked at.
    pub signatures: SignaturesOf,
    /// Which CODEOWNERS file is read, and whom it may name. Its people are reviewers too, each where
    /// a path of theirs changes.
    pub owners: Option<OwnersNeeds>,
    /// What it reads of the changes that arriving commits make. `None`: nothing.
    pub intake: Option<IntakeOf>,
    /// What of the arriving commits it reads.
    pub arrivals: ArrivalsOf,
    /// Which arriving commits it passes over.
    pub since: Since,
}

/// Which CODEOWNERS file a rule reads.
#[derive(Clone, Debug)]
pub struct OwnersNeeds {
    /// How it is read.
    pub dialect: Dialect,
    /// Where it is; `None`: in the first of the dialect's own places that has one.
    pub file: Option<RepoPath>,
    /// Whom its names stand for.
    pub directory: Arc<Directory>,
}

/// What a rule reads of the changes that arriving commits make, besides the changes themselves.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct IntakeOf {
    /// How large files are.
    pub sizes: bool,
    /// What files hold: text, binary, a pointer.
    pub inside: bool,
    /// Secrets in them, and in messages.
    pub secrets: bool,
    /// Names that collide.
    pub clashes: bool,
}

impl IntakeOf {
    /// What either asks.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            sizes: self.sizes || other.sizes,
            inside: self.inside || other.inside,
            secrets: self.secrets || other.secrets,
            clashes: self.clashes || other.clashes,
        }
    }
}

/// What a rule reads of the commits that arrive.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ArrivalsOf {
    /// Nothing.
    #[default]
    Nothing,
    /// How many they are, and what they say.
    Claims,
    /// And who brought them.
    Bringers,
}

/// From when on a rule judges commits: what was there before is passed over. Never by a date that
/// stands in a commit, which whoever makes it can choose.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Since {
    /// These commits and what they reach.
    pub commits: Vec<Oid>,
    /// What was on the server before this moment, by the log.
    pub moment: Option<Moment>,
}

impl Since {
    /// Whether nothing is passed over.
    pub fn is_always(&self) -> bool {
        self.commits.is_empty() && self.moment.is_none()
    }
}

/// Whose signatures a rule looks at.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum SignaturesOf {
    /// Nobody's.
    #[default]
    Nothing,
    /// Those of annotated tags.
    Tags,
    /// Those of annotated tags, and of the commits that arrive on what is no tag.
    TagsAndCommits,
}

/// What `[rollback]` asks of a commit that claims to go back to a state.
#[derive(Clone, Debug)]
pub struct RollbackNeeds {
    /// Whose approvals it can count.
    pub reviewers: BTreeSet<PrincipalName>,
    /// How old a state may be, in seconds.
    pub within_seconds: i64,
}

/// A machine, and a check that it may give.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Checker {
    /// The name of the check.
    pub check: PrincipalName,
    /// The machine.
    pub machine: PrincipalName,
}

/// What all rules ask of one ref update.
#[derive(Clone, Default, Debug)]
pub struct RefNeeds {
    /// A rule at level refuse names the ref.
    pub protected: bool,
    /// Each rule that names the ref: its index in the policy, what it asks, and from which refs'
    /// values a creation may start.
    pub rules: Vec<RuleNeeds>,
    /// Whether a move past the gate refuses it.
    pub drift: bool,
    /// What `[rollback]` asks. `None`: there is none, and nobody looks for one.
    pub rollback: Option<RollbackNeeds>,
}

/// What one rule asks of one ref update.
#[derive(Clone, Debug)]
pub struct RuleNeeds {
    /// The rule's index in the policy.
    pub index: usize,
    /// What it asks.
    pub needs: Needs,
    /// Refs whose past values a creation may be judged from.
    pub starts: RefPatterns,
}
