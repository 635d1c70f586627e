//! What each rule is shown of an update, and whose approvals it asks for there.

use crate::facts::{Facts, UpdateFacts};
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::rules::seats::Seat;
use crate::rules::view::View;

/// What the rule with this index is shown of an update.
pub(super) fn view<'f>(
    policy: &'f Policy,
    facts: &'f Facts,
    update: &'f UpdateFacts,
    index: usize,
) -> View<'f> {
    View {
        update,
        landing: update.landing(index),
        signatures: update.signatures(index),
        intake: update.intake(index),
        arrivals: update.arrivals(index),
        run: update.run(index),
        owners: update.owners(index),
        push: &facts.push,
        rollback: policy.rollback.as_ref(),
    }
}

/// The approvals that a rule asks for here, whether they are given or not; of those that name a ref.
pub fn asked_of<'p>(
    policy: &'p Policy,
    facts: &Facts,
    update: &UpdateFacts,
) -> Vec<(&'p CompiledRule, Vec<Seat>)> {
    let (name, default) = (&update.update.name, facts.push.default_branch.as_ref());
    let rules = policy.rules.iter().enumerate();
    let naming = rules.filter(|(_, rule)| rule.refs.matches(name, default));
    naming.map(|(at, rule)| (rule, rule.body.asks(&view(policy, facts, update, at)))).collect()
}
