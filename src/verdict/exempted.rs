//! A rule that would have objected, and was silent for an exemption.

use crate::verdict::finding::RuleRef;

/// An exemption that held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exempted {
    /// The rule that was silent.
    pub rule: RuleRef,
    /// Whom the policy exempts, as it is written there.
    pub who: String,
    /// Within which paths, as they are written there.
    pub paths: Vec<String>,
}
