//! Policy and Facts in, Judgement out. Pure; it cannot fail and cannot wait.
//!
//! Every push goes through here and nowhere else: the hooks, `replay` and the tests.

pub mod always;
pub mod asks;
pub mod debts;
pub mod exempt;
pub mod glass;

use crate::facts::landing::{Landing, Step};
use crate::facts::needs::{Needs, RefNeeds, RollbackNeeds, RuleNeeds};
use crate::facts::{Facts, Motion, UpdateFacts};
use crate::judge::asks::view;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::policy::settings::OnDrift;
use crate::rules::rollback::granted;
use crate::rules::rule::RunAsk;
use crate::rules::view::View;
use crate::verdict::finding::{Finding, RuleOutcome, RuleRef};
use crate::verdict::glass::Glass;
use crate::verdict::merged::MergedByGit;
use crate::verdict::{Judgement, RefJudgement};

/// What the policy will ask of one ref, so that no more is gathered.
pub fn needs(
    policy: &Policy,
    name: &Refname,
    default: Option<&Refname>,
    moment: Moment,
) -> RefNeeds {
    let naming = |rule: &&(usize, &CompiledRule)| rule.1.refs.matches(name, default);
    let rules = policy.rules.iter().enumerate().collect::<Vec<_>>();
    let rules = rules.iter().filter(naming).map(|(index, rule)| RuleNeeds {
        index: *index,
        needs: match rule.body.sleeps_at(moment) {
            true => Needs::default(),
            false => glass::needs(policy, rule),
        },
        starts: rule.starts().clone(),
    });
    let protected = policy.protects(name, default, moment);
    RefNeeds {
        protected,
        drift: protected && policy.log.on_drift == OnDrift::Refuse,
        rules: rules.collect(),
        rollback: policy.rollback.as_ref().map(|terms| RollbackNeeds {
            reviewers: terms.by.names.clone(),
            within_seconds: terms.within_seconds,
        }),
    }
}

/// Judges a push.
pub fn judge(policy: &Policy, facts: &Facts) -> Judgement {
    let refs = facts.updates.iter().map(|update| judge_ref(policy, facts, update)).collect();
    let judgement = Judgement {
        refs,
        findings: always::of_push(policy, facts),
        moment: facts.push.push.moment,
        help: policy.help.clone(),
        glass: Glass::default(),
    };
    glass::weigh(policy, facts, judgement)
}

/// The commands that are to be run before the push is judged. For one that is refused whatever they
/// say about who pushes or what it is, nothing is run.
pub fn runs<'f>(policy: &'f Policy, facts: &'f Facts) -> Vec<RunOrder<'f>> {
    let mut orders = Vec::new();
    let default = facts.push.default_branch.as_ref();
    if !always::of_push(policy, facts).is_empty() {
        return orders;
    }
    for (at, update) in facts.updates.iter().enumerate() {
        let (name, moment) = (&update.update.name, facts.push.push.moment);
        let protected = policy.protects(name, default, moment);
        let always = always::of_ref(policy, facts, update, protected);
        for (index, rule) in policy.rules.iter().enumerate() {
            if always::hides_the_rest(&always)
                || !rule.refs.matches(name, default)
                || !asked(facts, update, rule)
            {
                continue;
            }
            let view = view(policy, facts, update, index);
            if rule.exempt.iter().any(|exemption| exemption.holds(&view)) {
                continue;
            }
            let ask = rule.body.runs(&view);
            orders.extend(ask.map(|ask| RunOrder {
                at,
                update,
                rule: index,
                name: &rule.name,
                ask,
            }));
        }
    }
    orders
}

/// A command that is to be run, and what it is for.
#[derive(Clone, Debug)]
pub struct RunOrder<'f> {
    /// The index of the ref update.
    pub at: usize,
    /// The ref update.
    pub update: &'f UpdateFacts,
    /// The rule's index in the policy.
    pub rule: usize,
    /// The rule's name.
    pub name: &'f str,
    /// The command.
    pub ask: RunAsk,
}

fn judge_ref(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> RefJudgement {
    let (name, moment) = (&update.update.name, facts.push.push.moment);
    let default = facts.push.default_branch.as_ref();
    let protected = policy.protects(name, default, moment);
    let mut findings = always::of_ref(policy, facts, update, protected);
    let (mut rules, mut exempted, mut merged) = (Vec::new(), Vec::new(), Vec::new());
    // What cannot be told apart from an attack is not argued with: its own finding is enough.
    let judgeable = findings.is_empty() || !always::hides_the_rest(&findings);
    for (index, rule) in policy.rules.iter().enumerate() {
        if !judgeable || !rule.refs.matches(name, default) || !asked(facts, update, rule) {
            continue;
        }
        let view = view(policy, facts, update, index);
        let (reference, level) = (reference(rule), rule.level_at(moment));
        let ruling = match exempt::of(rule, &reference, &view) {
            Some((silent, held)) => {
                exempted.push(held);
                silent
            }
            None => rule.body.judge(&view),
        };
        merged.extend(by_merge(rule, &view));
        findings.extend(ruling.objections.iter().cloned().map(|objection| Finding {
            rule: reference.clone(),
            level,
            objection,
        }));
        rules.push(RuleOutcome { rule: reference, level, ruling });
    }
    if judgeable && protected {
        findings.extend(unguarded(policy, facts, update));
    }
    if judgeable {
        findings.extend(debts::overdue(policy, update, moment));
    }
    RefJudgement {
        update: update.update.clone(),
        change: update.change,
        findings,
        rules,
        exempted,
        merged,
        protected,
        rolled_back: rolled_back(policy, facts, update),
    }
}

/// The steps for which a rule is satisfied only by what Git merged.
fn by_merge(rule: &CompiledRule, view: &View<'_>) -> Vec<MergedByGit> {
    let tell = |step: &Step| {
        let clean = step.clean.as_ref()?;
        let (commit, of, paths) = (step.to, clean.of, clean.paths.clone());
        Some(MergedByGit { rule: reference(rule), commit, of, paths })
    };
    rule.body.by_merge(view).into_iter().filter_map(tell).collect()
}

/// The steps that are rollbacks with all that is asked for.
fn rolled_back(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> Vec<Oid> {
    let rollback = policy.rollback.as_ref();
    let push = &facts.push;
    let view = View {
        update,
        landing: None,
        signatures: None,
        owners: None,
        intake: None,
        arrivals: None,
        run: None,
        push,
        rollback,
    };
    let steps = update.landings.iter().flat_map(Landing::steps);
    steps.filter(|step| granted(&view, step).is_some()).map(|step| step.to).collect()
}

/// The push that makes the repository needs only `access` for the protected branches it creates.
fn asked(facts: &Facts, update: &UpdateFacts, rule: &CompiledRule) -> bool {
    !(facts.push.birth && update.is_born()) || rule.kind == "access"
}

/// A protected ref is neither rewound nor deleted unless an access rule names who.
fn unguarded(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> Option<Finding> {
    let motion = update.motion.as_ref()?;
    if !matches!(motion, Motion::Rewind { .. } | Motion::Delete) {
        return None;
    }
    let default = facts.push.default_branch.as_ref();
    let mut access = policy.rules.iter().filter(|rule| {
        rule.refs.matches(&update.update.name, default) && rule.body.speaks_of(motion)
    });
    // Where a rule speaks of it, that rule has answered already.
    if access.next().is_some() {
        return None;
    }
    Some(always::unguarded(update, motion))
}

/// A rule, as a finding names it.
pub fn reference(rule: &CompiledRule) -> RuleRef {
    RuleRef::Policy {
        name: rule.name.clone(),
        kind: rule.kind,
        file: rule.place.file.to_string(),
        line: rule.place.line,
        why: rule.why.clone(),
        until: rule.until,
    }
}
