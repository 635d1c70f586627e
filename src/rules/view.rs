//! What a rule is shown of a push.

use crate::facts::arrival::Arrivals;
use crate::facts::intake::Intake;
use crate::facts::landing::Landing;
use crate::facts::owners::OwnersFile;
use crate::facts::run::RunSeen;
use crate::facts::signature::Signatures;
use crate::facts::{PushFacts, UpdateFacts};
use crate::rules::rollback::Terms;

/// One ref update, as one rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'f> {
    /// What is so about the update.
    pub update: &'f UpdateFacts,
    /// The landing this rule reads, when it asked for one and something lands.
    pub landing: Option<&'f Landing>,
    /// The signatures this rule reads, when it asked for them and something arrives.
    pub signatures: Option<&'f Signatures>,
    /// The CODEOWNERS file this rule reads, when it asked for one and something lands.
    pub owners: Option<&'f OwnersFile>,
    /// What is taken in, when this rule asked for it and something arrives.
    pub intake: Option<&'f Intake>,
    /// The arriving commits this rule reads, when it asked for them and something arrives.
    pub arrivals: Option<&'f Arrivals>,
    /// What became of the command this rule has run.
    pub run: Option<&'f RunSeen>,
    /// What every update of the push has in common.
    pub push: &'f PushFacts,
    /// What `[rollback]` asks of a step that goes back to a state; `None`: there is none.
    pub rollback: Option<&'f Terms>,
}
