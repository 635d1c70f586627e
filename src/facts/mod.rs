//! Everything a rule may know about a push, as plain data.
//!
//! Made by `gather`, read by `rules` and `judge`. Nothing here opens a repository, reads a clock or
//! knows a policy, so a push can be judged again years later from the same facts.
//!
//! Invariant: a list that was cut short says so in its type; no rule can take a part for the whole.

pub mod arrival;
pub mod authorized;
pub mod born;
pub mod change;
pub mod debt;
pub mod evidence;
pub mod intake;
pub mod landing;
pub mod limits;
pub mod makers;
pub mod needs;
pub mod owners;
pub mod past;
pub mod remembered;
pub mod rollback;
pub mod run;
pub mod signature;

use std::sync::Arc;

use crate::facts::arrival::Arrivals;
use crate::facts::born::Born;
use crate::facts::debt::DebtFacts;
use crate::facts::evidence::StatementPush;
use crate::facts::intake::Intake;
use crate::facts::landing::Landing;
use crate::facts::owners::OwnersFile;
use crate::facts::past::DriftSeen;
use crate::facts::run::RunSeen;
use crate::facts::signature::Signatures;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::push::Push;
use crate::push::update::{Change, RefUpdate};
use crate::verdict::finding::Objection;

/// All that is so about one push.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What every ref update has in common.
    pub push: PushFacts,
    /// One for each ref update, in Git's order.
    pub updates: Vec<UpdateFacts>,
    /// Commits that Git was asked about and that are from before genesis: worth remembering.
    pub before_genesis: Vec<Oid>,
}

/// What every ref update of a push has in common.
#[derive(Clone, Debug)]
pub struct PushFacts {
    /// What Git asked for.
    pub push: Push,
    /// The repository's id; without one no statement counts.
    pub repository: Option<String>,
    /// The branch that HEAD names, whether it exists or not.
    pub default_branch: Option<Refname>,
    /// How many entries the log had when the facts were gathered.
    pub log_size: u64,
    /// No protected branch has ever had a value: this push makes the repository.
    pub birth: bool,
}

/// All that is so about one ref update.
#[derive(Clone, Debug)]
pub struct UpdateFacts {
    /// The update as it was asked for.
    pub update: RefUpdate,
    /// The value the ref really has, read by us.
    pub real: Option<Oid>,
    /// What it does to that value.
    pub change: Change,
    /// What the name is an alias for, when it is symbolic on the server.
    pub alias_of: Option<Vec<u8>>,
    /// For a tag or a branch that is made: whether the server has the other one of the same short
    /// name.
    pub has_namesake: bool,
    /// Whether the server's file system would take the name for that of another ref.
    pub has_twin: bool,
    /// What the new value is.
    pub target: Target,
    /// How the ref moves; `None` when no rule asked.
    pub motion: Option<Motion>,
    /// The steps of the landing by start, oldest reading first; rules find theirs by
    /// [`UpdateFacts::landing`]. Empty when no rule asked or nothing lands.
    pub landings: Vec<Landing>,
    /// Which landing each asking rule reads: pairs of the rule's index in the policy and an index
    /// into `landings`.
    pub landing_of_rule: Vec<(usize, usize)>,
    /// What lands by a birth, in place of `landings`: no rule reads it.
    pub born: Option<Born>,
    /// Who signed what arrives, by what it is counted from; rules find theirs by
    /// [`UpdateFacts::signatures`]. Empty when no rule asked or nothing arrives.
    pub signatures: Vec<Signatures>,
    /// Which of them each asking rule reads, as `landing_of_rule`.
    pub signatures_of_rule: Vec<(usize, usize)>,
    /// The CODEOWNERS file that each asking rule reads, by the rule's index in the policy.
    pub owners_of_rule: Vec<(usize, Arc<OwnersFile>)>,
    /// What is taken in, by what it is counted from; rules find theirs by [`UpdateFacts::intake`].
    /// Empty when no rule asked or nothing arrives.
    pub intakes: Vec<Intake>,
    /// Which of them each asking rule reads, as `landing_of_rule`.
    pub intake_of_rule: Vec<(usize, usize)>,
    /// The commits that arrive, by what they are counted from; rules find theirs by
    /// [`UpdateFacts::arrivals`]. Empty when no rule asked or nothing arrives.
    pub arrivals: Vec<Arrivals>,
    /// Which of them each asking rule reads, as `landing_of_rule`.
    pub arrivals_of_rule: Vec<(usize, usize)>,
    /// What became of the commands that rules have run, each with the rule's index.
    pub runs: Vec<(usize, RunSeen)>,
    /// Refs that have had the new value, peeled to a commit, by an applied entry or genesis.
    pub had_by: Vec<Refname>,
    /// The commits it brings: reachable from the new value, named as brought by no earlier applied
    /// entry, and either new to the store or named by a decision that was not applied.
    pub brought: Vec<Oid>,
    /// What is wrong with the update whatever the policy says, found while gathering.
    pub structure: Vec<Structural>,
    /// How it was moved past the gate, where no operator has accepted that. Absent when nobody asked.
    pub drift: Option<DriftSeen>,
    /// What broken glasses on this ref owe, held against the new value. Empty when no rule asked.
    pub debts: Vec<DebtFacts>,
    /// The statement that a push to `refs/approvals/**` or `refs/checks/**` carries.
    pub statement: Option<StatementPush>,
}

impl UpdateFacts {
    /// What an update is before anybody has asked anything about it.
    pub fn unasked(update: RefUpdate, real: Option<Oid>, target: Target) -> Self {
        Self {
            change: update.change(real),
            update,
            real,
            alias_of: None,
            has_namesake: false,
            has_twin: false,
            target,
            motion: None,
            landings: Vec::new(),
            landing_of_rule: Vec::new(),
            born: None,
            signatures: Vec::new(),
            signatures_of_rule: Vec::new(),
            owners_of_rule: Vec::new(),
            intakes: Vec::new(),
            intake_of_rule: Vec::new(),
            arrivals: Vec::new(),
            arrivals_of_rule: Vec::new(),
            runs: Vec::new(),
            had_by: Vec::new(),
            brought: Vec::new(),
            structure: Vec::new(),
            debts: Vec::new(),
            drift: None,
            statement: None,
        }
    }

    /// Whether a birth makes this ref: then no rule but `access` judges it.
    pub fn is_born(&self) -> bool {
        matches!(self.change, Change::Create { .. }) && self.update.name.branch().is_some()
    }

    /// The landing that the rule with this index reads.
    pub fn landing(&self, rule: usize) -> Option<&Landing> {
        let (_, at) = self.landing_of_rule.iter().find(|(index, _)| *index == rule)?;
        self.landings.get(*at)
    }

    /// The CODEOWNERS file that the rule with this index reads.
    pub fn owners(&self, rule: usize) -> Option<&OwnersFile> {
        self.owners_of_rule.iter().find(|(index, _)| *index == rule).map(|(_, file)| &**file)
    }

    /// The signatures that the rule with this index reads.
    pub fn signatures(&self, rule: usize) -> Option<&Signatures> {
        let (_, at) = self.signatures_of_rule.iter().find(|(index, _)| *index == rule)?;
        self.signatures.get(*at)
    }

    /// The intake that the rule with this index reads.
    pub fn intake(&self, rule: usize) -> Option<&Intake> {
        let (_, at) = self.intake_of_rule.iter().find(|(index, _)| *index == rule)?;
        self.intakes.get(*at)
    }

    /// What became of the command of the rule with this index.
    pub fn run(&self, rule: usize) -> Option<&RunSeen> {
        self.runs.iter().find(|(index, _)| *index == rule).map(|(_, run)| run)
    }

    /// The arriving commits that the rule with this index reads.
    pub fn arrivals(&self, rule: usize) -> Option<&Arrivals> {
        let (_, at) = self.arrivals_of_rule.iter().find(|(index, _)| *index == rule)?;
        self.arrivals.get(*at)
    }
}

/// What a new value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// A commit.
    Commit(Oid),
    /// An annotated tag that leads to a commit.
    Tag {
        /// The commit it leads to.
        commit: Oid,
    },
    /// A tree or a blob, or a tag that leads to one.
    Other,
    /// The ref is deleted.
    Nothing,
    /// The object is not on the server and not in the push.
    Missing,
}

impl Target {
    /// The commit the new value stands for.
    pub const fn commit(self) -> Option<Oid> {
        match self {
            Self::Commit(oid) | Self::Tag { commit: oid } => Some(oid),
            Self::Other | Self::Nothing | Self::Missing => None,
        }
    }
}

/// How a ref moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Motion {
    /// It comes into being.
    Create,
    /// The new value builds on the old one.
    FastForward,
    /// The new value does not build on the old one.
    Rewind {
        /// How many commits would no longer be reachable from the ref.
        lost: usize,
        /// The newest of them and its subject.
        newest: Option<(Oid, Vec<u8>)>,
        /// Whether the log gives this ref the new value at some time.
        known_value: bool,
    },
    /// It goes away.
    Delete,
}

/// Something that is wrong with an update whatever the policy says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Structural {
    /// A short name that can be searched for.
    pub name: &'static str,
    /// In words.
    pub objection: Objection,
}
