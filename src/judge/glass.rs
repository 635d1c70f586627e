//! Breaking the glass: a person the policy names lets in what some rules refuse, for a reason, and
//! owes a review (product contract, section 4, `[break-glass]`).
//!
//! All refused refs of a push pass, or none does: half a broken glass would be told as neither.
//! What was overridden stays a finding, at level warn, and the debt has its own record.

use std::collections::BTreeSet;

use crate::facts::debt::{Ask, Debt, DebtFacts};
use crate::facts::landing::Landing;
use crate::facts::needs::Needs;
use crate::facts::past::Maker;
use crate::facts::{Facts, Motion, UpdateFacts};
use crate::judge::asks::asked_of;
use crate::judge::debts::{approve_command, lacks, typed};
use crate::names::digest::Digest;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::policy::glass::{BreakGlass, OVERRIDABLE};
use crate::push::Seen;
use crate::push::pusher::{Pusher, Who};
use crate::rules::within::{Bounds, first_outside, makers};
use crate::verdict::finding::{Finding, Level, Objection, RuleRef};
use crate::verdict::glass::{Broken, Offer};
use crate::verdict::line::{Hint, Line};
use crate::verdict::{Judgement, RefJudgement, Verdict};

/// The push option that breaks the glass.
pub const OPTION: &str = "break-glass";

/// How long a reason may be, in bytes.
pub const REASON_BYTES_MAX: usize = 1000;

/// What a rule asks of a ref update, where the glass may have to be broken.
pub(super) fn needs(policy: &Policy, rule: &CompiledRule) -> Needs {
    let needs = rule.needs();
    let breakable = policy.glass.is_some() && OVERRIDABLE.contains(&rule.kind);
    Needs { landing: needs.landing || breakable, ..needs }
}

/// What the push says about the glass.
enum Request<'p> {
    /// Nothing.
    None,
    /// This hook is not shown.
    NotHere,
    /// To break it, for this.
    Reason(&'p [u8]),
    /// To break it, twice.
    Twice,
}

/// Weighs refusals against the glass: it is broken, could be, or was broken for nothing.
pub(super) fn weigh(policy: &Policy, facts: &Facts, mut judgement: Judgement) -> Judgement {
    let request = request(&facts.push.push.options);
    if judgement.verdict() == Verdict::Accept {
        judgement.glass.unused = matches!(request, Request::Reason(_) | Request::Twice);
        return judgement;
    }
    match request {
        Request::None => judgement.glass.offer = offer(policy, facts, &judgement),
        Request::NotHere => {
            let offer = offer(policy, facts, &judgement);
            judgement.glass.offer = offer.map(|_| Offer::NotHere);
        }
        Request::Twice => {
            let what = "the reason for breaking the glass is given more than once";
            let hint = Hint::new(Line::new("give one: -o break-glass='INC-42: why'"));
            judgement.findings.push(finding(Objection::new(Line::new(what)).hint(hint)));
        }
        Request::Reason(reason) => match asked(policy, facts, reason) {
            Ok((glass, reason)) => broken(policy, glass, facts, reason, &mut judgement),
            Err(objection) => {
                judgement.glass.offer = offer(policy, facts, &judgement);
                judgement.findings.push(finding(objection));
            }
        },
    }
    judgement
}

fn request(options: &Seen<Vec<Vec<u8>>>) -> Request<'_> {
    let Seen::All(options) = options else { return Request::NotHere };
    let reason = |option: &&Vec<u8>| option.starts_with(OPTION.as_bytes());
    let reasons = options.iter().filter(reason).filter_map(|option| {
        let rest = &option[OPTION.len()..];
        rest.strip_prefix(b"=").or(rest.is_empty().then_some(rest))
    });
    let mut reasons = reasons.peekable();
    match (reasons.next(), reasons.peek()) {
        (None, _) => Request::None,
        (Some(reason), None) => Request::Reason(reason),
        (Some(_), Some(_)) => Request::Twice,
    }
}

/// Whether the pusher may ask, and asks as they should.
fn asked<'a>(
    policy: &'a Policy,
    facts: &Facts,
    reason: &'a [u8],
) -> Result<(&'a BreakGlass, &'a str), Objection> {
    let Some(glass) = &policy.glass else {
        let what = "there is no glass to break: the policy has no [break-glass]";
        let hint = Hint::new(Line::new("push without the option and do what is asked for"));
        return Err(Objection::new(Line::new(what)).hint(hint));
    };
    let pusher = &facts.push.push.pusher;
    if !entitled(glass, pusher) {
        let what = Line::new("you may not break the glass, ").text(glass.by.written.join(", "));
        let objection = Objection::new(what.text(" may"));
        let ask = Line::new("ask one of ").names(glass.by.names.iter().take(8)).text(" to push it");
        return Err(objection.hint(Hint::new(ask)));
    }
    let text = std::str::from_utf8(reason).ok().map(str::trim);
    let text = text.filter(|text| text.len() <= REASON_BYTES_MAX);
    let Some(text) = text.filter(|text| !text.chars().any(char::is_control)) else {
        let what = "the reason for breaking the glass is no line of text of at most 1000 bytes";
        return Err(unfit(what, glass));
    };
    if text.is_empty() {
        return Err(unfit("the glass is not broken without a reason", glass));
    }
    if glass.reason.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
        return Err(unfit("the reason for breaking the glass is not as the policy asks", glass));
    }
    Ok((glass, text))
}

fn unfit(what: &'static str, glass: &BreakGlass) -> Objection {
    let objection = Objection::new(Line::new(what));
    match &glass.reason {
        Some(pattern) => {
            let line = Line::new("it has to match: ").text(pattern.written().to_owned());
            objection.detail(line)
        }
        None => objection,
    }
}

/// A person whom the policy names, by a login of their own.
fn entitled(glass: &BreakGlass, pusher: &Pusher) -> bool {
    match &pusher.who {
        Who::Listed { name, machine: false, shared: false } => glass.by.contains(name),
        Who::Listed { .. } | Who::Unlisted | Who::Unnamed { .. } => false,
    }
}

/// Breaks the glass for all refused refs, or says how far it does not reach.
fn broken(
    policy: &Policy,
    glass: &BreakGlass,
    facts: &Facts,
    reason: &str,
    judgement: &mut Judgement,
) {
    if judgement.findings.iter().any(|finding| finding.level == Level::Refuse) {
        return;
    }
    let mut all = Vec::new();
    let mut short = false;
    for (update, one) in facts.updates.iter().zip(&mut judgement.refs) {
        if one.verdict() == Verdict::Accept {
            continue;
        }
        match reach(glass, facts, update, one) {
            Ok(landing) => {
                all.push(debt(policy, glass, facts, &Case { update, landing, one, reason }))
            }
            Err(objection) => {
                short = true;
                one.findings.push(finding(objection));
            }
        }
    }
    if short {
        return;
    }
    for one in &mut judgement.refs {
        one.findings.iter_mut().for_each(|finding| finding.level = Level::Warn);
    }
    judgement.glass.broken = all;
}

/// What lands, where the glass reaches all of it; else why it does not.
fn reach<'f>(
    glass: &BreakGlass,
    facts: &Facts,
    update: &'f UpdateFacts,
    one: &RefJudgement,
) -> Result<&'f Landing, Objection> {
    let name = &update.update.name;
    if !glass.names(name, facts.push.default_branch.as_ref()) {
        let what = Line::new("the glass does not reach ").refname(name);
        let refs = glass.refs.as_ref().map_or(String::new(), |refs| refs.written().join(", "));
        return Err(Objection::new(what).detail(Line::new("it reaches ").text(refs)));
    }
    let refused = one.findings.iter().filter(|finding| finding.level == Level::Refuse);
    let mut solid = refused.filter(|finding| match &finding.rule {
        RuleRef::Policy { kind, .. } => !OVERRIDABLE.contains(kind),
        RuleRef::Always { .. } => true,
    });
    if let Some(finding) = solid.next() {
        let what = format!("no broken glass lifts `{}`", finding.rule.name());
        let detail = format!("it lifts only rules of the kinds {}", OVERRIDABLE.join(", "));
        return Err(Objection::new(Line::new(what)).detail(Line::new(detail)));
    }
    let grows = matches!(update.motion, Some(Motion::Create | Motion::FastForward));
    let Some(landing) = update.landings.first().filter(|_| grows) else {
        let what = "the glass is for what lands, and here something is taken away";
        return Err(Objection::new(Line::new(what)));
    };
    let bounds = Bounds { paths: glass.paths.as_ref(), operations: None };
    let outside = update.landings.iter().find_map(|landing| first_outside(landing, bounds));
    match (outside, &glass.paths) {
        (Some(path), Some(paths)) => {
            let what = Line::new("the glass does not reach ").path(path);
            let reaches = Line::new("it reaches ").text(paths.written().join(", "));
            Err(Objection::new(what).detail(reaches))
        }
        (Some(_), None) | (None, _) => Ok(landing),
    }
}

/// One ref for which the glass is being broken.
struct Case<'c> {
    update: &'c UpdateFacts,
    landing: &'c Landing,
    one: &'c RefJudgement,
    reason: &'c str,
}

fn debt(policy: &Policy, glass: &BreakGlass, facts: &Facts, case: &Case<'_>) -> Broken {
    let Case { update, landing, one, reason } = case;
    let refused = one.findings.iter().filter(|finding| finding.level == Level::Refuse);
    let overridden: Vec<Finding> = refused.cloned().collect();
    let names: BTreeSet<&str> = overridden.iter().map(|finding| finding.rule.name()).collect();
    let rules = asked_of(policy, facts, update).into_iter();
    let asks: Vec<_> = rules
        .filter(|(rule, _)| names.contains(rule.name.as_str()))
        .flat_map(|(rule, seats)| seats.into_iter().map(move |seat| (rule, seat)))
        .map(|(rule, seat)| (rule.name.clone(), seat.approvals, seat.from.names))
        .collect();
    let makers = makers(landing);
    let settle_by = facts.push.push.moment.plus_seconds(glass.settle_within);
    let mut broken = Broken {
        refname: update.update.name.clone(),
        reason: (*reason).to_owned(),
        overridden,
        base: landing.start,
        commit: landing.end,
        asks,
        makers: makers.known.into_keys().collect(),
        unknown_maker: makers.unknown.is_some(),
        owed: Vec::new(),
        settle_by,
    };
    let owed = lacks(policy, &as_debt(&broken, facts));
    broken.owed =
        owed.iter().map(|lack| approve_command(&broken.refname, broken.commit, lack)).collect();
    broken
}

/// The debt that is being made, with nothing that speaks for it yet.
fn as_debt(broken: &Broken, facts: &Facts) -> DebtFacts {
    let pusher = &facts.push.push.pusher;
    let by = Maker {
        name: pusher.name().cloned(),
        login: pusher.login.clone().into_bytes(),
        unknown: false,
    };
    let asks = broken.asks.iter().map(|(rule, approvals, from)| Ask {
        rule: rule.clone(),
        approvals: *approvals,
        from: from.clone(),
    });
    let debt = Debt {
        entry: 0,
        at: facts.push.push.moment,
        by,
        reason: broken.reason.clone().into_bytes(),
        refname: broken.refname.clone(),
        new: broken.commit,
        base: broken.base,
        commit: broken.commit,
        delta: Digest::of(b""),
        entries: 0,
        asks: asks.collect(),
        makers: broken.makers.clone(),
        unknown_maker: broken.unknown_maker,
        settle_by: broken.settle_by,
        applied: false,
    };
    DebtFacts { debt, approved: Vec::new(), restored: false }
}

/// The command for somebody entitled whose refused refs the glass would reach, all of them.
fn offer(policy: &Policy, facts: &Facts, judgement: &Judgement) -> Option<Offer> {
    let glass = policy.glass.as_ref()?;
    let whole = judgement.findings.iter().any(|finding| finding.level == Level::Refuse);
    if whole || !entitled(glass, &facts.push.push.pusher) {
        return None;
    }
    let mut command = Line::new("git push -o break-glass='INC-42: why' origin");
    for (update, one) in facts.updates.iter().zip(&judgement.refs) {
        if one.verdict() == Verdict::Refuse {
            reach(glass, facts, update, one).ok()?;
        }
        command = command.text(" ").word(typed(&update.update.name));
    }
    let pattern = glass.reason.as_ref().map(|pattern| pattern.written().to_owned());
    Some(Offer::Command { command, pattern })
}

fn finding(objection: Objection) -> Finding {
    Finding { rule: RuleRef::Always { name: OPTION }, level: Level::Refuse, objection }
}
