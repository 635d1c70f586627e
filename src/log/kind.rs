//! The kinds of record, by their words in the line. A kind is added, never renamed or taken away.

use serde::{Deserialize, Serialize};

/// The kinds of record of version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The first entry.
    Genesis,
    /// The push that first made protected branches.
    Birth,
    /// One push and its answer.
    Decision,
    /// A no without a judgement.
    Refusal,
    /// What became of an accepted push.
    Outcome,
    /// A ref moved without the gate.
    Drift,
    /// A policy came into force.
    Policy,
    /// A question was answered.
    Asked,
    /// Damage was found and declared.
    Recovered,
    /// A refusal was overridden, and a debt made.
    BreakGlass,
    /// A debt was settled.
    Settled,
    /// What came before was sealed.
    Seal,
    /// Dead statements leave the refs.
    Tidy,
    /// A new file begins.
    Segment,
    /// Hooks and settings are others than before.
    Config,
    /// An operator accepts drifts.
    Accepted,
    /// Old entries were taken away.
    Pruned,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Genesis,
        Self::Birth,
        Self::Decision,
        Self::Refusal,
        Self::Outcome,
        Self::Drift,
        Self::Policy,
        Self::Asked,
        Self::Recovered,
        Self::BreakGlass,
        Self::Settled,
        Self::Seal,
        Self::Tidy,
        Self::Segment,
        Self::Config,
        Self::Accepted,
        Self::Pruned,
    ];

    /// The kind of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// The word in the line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Birth => "birth",
            Self::Decision => "decision",
            Self::Refusal => "refusal",
            Self::Outcome => "outcome",
            Self::Drift => "drift",
            Self::Policy => "policy",
            Self::Asked => "asked",
            Self::Recovered => "recovered",
            Self::BreakGlass => "break-glass",
            Self::Settled => "settled",
            Self::Seal => "seal",
            Self::Tidy => "tidy",
            Self::Segment => "segment",
            Self::Config => "config",
            Self::Accepted => "accepted",
            Self::Pruned => "pruned",
        }
    }
}
