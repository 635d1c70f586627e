//! What is answered: findings for each ref update, and the verdict that follows from them.
//!
//! Made by `judge`, read by `log`, `message` and `hook`. A refusal is a value here, never an error.

pub mod exempted;
pub mod finding;
pub mod glass;
pub mod line;
pub mod merged;

use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::push::update::{Change, RefUpdate};
use crate::verdict::exempted::Exempted;
use crate::verdict::finding::{Finding, Level, RuleOutcome};
use crate::verdict::glass::Glass;
use crate::verdict::merged::MergedByGit;

/// The answer to a push, or to one ref update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a verdict that nobody reads lets everything through"]
pub enum Verdict {
    /// Yes.
    Accept,
    /// No.
    Refuse,
}

/// What was found about one ref update.
#[derive(Clone, Debug)]
pub struct RefJudgement {
    /// The update as it was asked for.
    pub update: RefUpdate,
    /// What it does to the ref's real value.
    pub change: Change,
    /// Every objection, always-on ones first, then in the order of the policy.
    pub findings: Vec<Finding>,
    /// Every rule that was asked, satisfied or not, in the order of the policy.
    pub rules: Vec<RuleOutcome>,
    /// The rules that would have objected and were silent for an exemption.
    pub exempted: Vec<Exempted>,
    /// Whether a rule at level refuse names this ref.
    pub protected: bool,
    /// The commits among its steps that go back to an earlier state with all that is asked for.
    pub rolled_back: Vec<Oid>,
    /// Where a rule is satisfied only by what Git merged.
    pub merged: Vec<MergedByGit>,
}

impl RefJudgement {
    /// Refuse when any finding at level refuse stands.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(|f| f.level == Level::Refuse) {
            Verdict::Refuse
        } else {
            Verdict::Accept
        }
    }
}

/// All that was found about a push.
#[derive(Clone, Debug)]
#[must_use = "a judgement that nobody reads lets everything through"]
pub struct Judgement {
    /// One for each ref update, in Git's order.
    pub refs: Vec<RefJudgement>,
    /// Objections to the push as a whole (who pushes, how many refs).
    pub findings: Vec<Finding>,
    /// When it was judged.
    pub moment: Moment,
    /// Shown in every refusal: where to ask (policy key `help`).
    pub help: Option<String>,
    /// What is said about breaking the glass.
    pub glass: Glass,
}

impl Judgement {
    /// Refuse when the push as a whole is refused or any ref update is.
    pub fn verdict(&self) -> Verdict {
        let whole = self.findings.iter().any(|f| f.level == Level::Refuse);
        if whole || self.refs.iter().any(|r| r.verdict() == Verdict::Refuse) {
            Verdict::Refuse
        } else {
            Verdict::Accept
        }
    }
}
