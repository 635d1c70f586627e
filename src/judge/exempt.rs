//! A rule that an exemption silences: what it would have said is not said, and that is told.

use crate::policy::compiled::CompiledRule;
use crate::rules::view::View;
use crate::verdict::exempted::Exempted;
use crate::verdict::finding::{RuleRef, Ruling};
use crate::verdict::line::Line;

/// The ruling of a rule that would have objected, and the exemption that holds. `None`: the rule
/// speaks for itself.
pub fn of(rule: &CompiledRule, reference: &RuleRef, view: &View<'_>) -> Option<(Ruling, Exempted)> {
    if rule.exempt.is_empty() || rule.body.judge(view).objections.is_empty() {
        return None;
    }
    let held = rule.exempt.iter().find(|exemption| exemption.holds(view))?;
    let exempted = Exempted {
        rule: reference.clone(),
        who: held.who.written.join(", "),
        paths: held.paths.written().to_vec(),
    };
    let note = Line::new(format!("{} is exempt within ", exempted.who));
    let note = note.text(exempted.paths.join(", "));
    Some((Ruling { objections: Vec::new(), notes: vec![note] }, exempted))
}
