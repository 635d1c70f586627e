//! One rule's objection to one ref update: what, why, and what to do now.

use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::verdict::line::{Hint, Line};

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Stops the push.
    Refuse,
    /// Is shown and logged, and stops nothing.
    Warn,
}

/// Where a finding comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleRef {
    /// A rule of the policy.
    Policy {
        /// The rule's name: `infra-review` of `[rule.infra-review]`.
        name: String,
        /// The rule's kind.
        kind: &'static str,
        /// The policy file's own name, without its folder.
        file: String,
        /// The line its table begins at, from 1.
        line: u32,
        /// The policy's own words on why the rule is there.
        why: Option<String>,
        /// The day from which a warning refuses.
        until: Option<Moment>,
    },
    /// What Portcullis asks of every push, without a rule.
    Always {
        /// A short name that can be searched for: `symbolic-ref`.
        name: &'static str,
    },
}

impl RuleRef {
    /// The rule's name as shown and logged.
    pub fn name(&self) -> &str {
        match self {
            Self::Policy { name, .. } => name,
            Self::Always { name } => name,
        }
    }

    /// The rule's kind; always-on rules are of kind `always`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Policy { kind, .. } => kind,
            Self::Always { .. } => "always",
        }
    }
}

/// What a rule objects to, in words whose outside parts are typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objection {
    /// What was found, one line.
    pub what: Line,
    /// What spoke for it and why that was not enough; at most a handful of lines.
    pub details: Vec<Line>,
    /// What to do, one step each.
    pub hints: Vec<Hint>,
    /// Approvals that would satisfy the rule, when that is what is missing.
    pub missing: Option<Missing>,
}

/// Approvals that are missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// How many more.
    pub approvals: usize,
    /// Who could give them: in the rule's `from`, no maker, not counted yet.
    pub from: Vec<PrincipalName>,
}

impl Objection {
    /// An objection that has only its first line so far.
    pub fn new(what: Line) -> Self {
        Self { what, details: Vec::new(), hints: Vec::new(), missing: None }
    }

    /// The same, with one more line of what was looked at.
    #[must_use]
    pub fn detail(mut self, line: Line) -> Self {
        self.details.push(line);
        self
    }

    /// The same, with one more thing to do.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hints.push(hint);
        self
    }
}

/// An objection, with the rule that makes it and its weight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Whose objection it is.
    pub rule: RuleRef,
    /// How much it weighs now.
    pub level: Level,
    /// The objection.
    pub objection: Objection,
}

/// What a rule answers about one ref update.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ruling {
    /// What it objects to; empty: satisfied.
    pub objections: Vec<Objection>,
    /// What speaks for the update, shown when somebody asks: `bob approved 3f2a9c1`.
    pub notes: Vec<Line>,
}

/// A rule that was asked about one ref update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: RuleRef,
    /// Its weight now.
    pub level: Level,
    /// What it said.
    pub ruling: Ruling,
}
