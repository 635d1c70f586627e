//! What is asked of every push, without a rule (product contract, section 4, "Always on").

use crate::facts::{Facts, Motion, Target, UpdateFacts};
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::policy::settings::OnDrift;
use crate::push::pusher::{BY_CERTIFICATE, Who};
use crate::push::update::Change;
use crate::rules::words::{rewound, sign_the_push, take_in_first};
use crate::verdict::finding::{Finding, Level, Objection, RuleRef};
use crate::verdict::line::{Hint, Line, Piece};

/// Where refs may stand without a rule that names them.
const OPEN_SPACES: [&[u8]; 4] =
    [b"refs/heads/", b"refs/tags/", b"refs/approvals/", b"refs/checks/"];

/// Findings after which judging the content of an update would only mislead.
const HIDING: [&str; 5] = ["symbolic-ref", "moved", "missing-object", "object-kind", "nothing"];

/// Whether one of these findings makes the rules' answers meaningless.
pub fn hides_the_rest(findings: &[Finding]) -> bool {
    findings.iter().any(|f| HIDING.contains(&f.rule.name()))
}

/// What is wrong with the push as a whole.
pub fn of_push(policy: &Policy, facts: &Facts) -> Vec<Finding> {
    let push = &facts.push.push;
    let mut findings = Vec::new();
    match &push.pusher.who {
        Who::Listed { .. } => {}
        Who::Unlisted if policy.identity.refuses_unlisted() => {
            let what = Line::new("nobody in the policy has the login ");
            let objection = Objection::new(what.quoted(push.pusher.login.as_bytes()));
            let hint = "ask the operators to put you into [people] of the policy";
            findings.push(always("identity", objection.hint(Hint::new(Line::new(hint)))));
        }
        Who::Unlisted => {}
        Who::Unnamed { why } if push.pusher.source == BY_CERTIFICATE => {
            let objection =
                Objection::new(Line::new("the push has to be signed, ").text(why.clone()));
            let objection = sign_the_push(push.door).into_iter().fold(objection, Objection::hint);
            findings.push(always("identity", objection));
        }
        Who::Unnamed { why } => {
            let what = Line::new("this server cannot tell who is pushing");
            let source = Line::new("asked: ").text(push.pusher.source.clone()).text(", ");
            let objection = Objection::new(what).detail(source.quoted(why.as_bytes()));
            let hint = "tell the operators of this server: [identity] and the way in do not agree";
            findings.push(always("identity", objection.hint(Hint::new(Line::new(hint)))));
        }
    }
    if let Some(namespace) = &push.namespace {
        let what = Line::new("the push goes to namespace ").quoted(namespace);
        let objection = Objection::new(what.text(", which the policy does not name"));
        let hint = "push to the repository itself";
        findings.push(always("namespace", objection.hint(Hint::new(Line::new(hint)))));
    }
    findings
}

/// What is wrong with one ref update.
pub fn of_ref(
    policy: &Policy,
    facts: &Facts,
    update: &UpdateFacts,
    protected: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let checks = [symbolic, reserved, name_trick, moved, missing, object_kind, nothing];
    findings.extend(checks.iter().filter_map(|check| check(update)));
    findings.extend(drifted(policy, update, protected));
    findings.extend(outside(policy, facts, update));
    findings.extend(look_alike(policy, facts, update));
    let structural = update.structure.iter().filter(|s| protected || s.name == "statement");
    findings.extend(structural.map(|s| always(s.name, s.objection.clone())));
    findings
}

fn symbolic(update: &UpdateFacts) -> Option<Finding> {
    let target = update.alias_of.as_ref()?;
    let name = &update.update.name;
    let what = Line::new("").refname(name).text(" is another name for ").quoted(target);
    let detail = Line::new("a push to it would move that ref past its rules");
    let push = Line::new("git push origin ").oid(update.update.new).text(":").word(target);
    let hint = Hint::run(Line::new("push to the ref itself"), push);
    Some(always("symbolic-ref", Objection::new(what).detail(detail).hint(hint)))
}

fn reserved(update: &UpdateFacts) -> Option<Finding> {
    let bytes = update.update.name.as_bytes();
    let (space, why) = if bytes.starts_with(b"refs/replace/") {
        ("refs/replace", "it would show other objects in place of those that were reviewed")
    } else if bytes.starts_with(b"refs/portcullis/") {
        ("refs/portcullis", "these names are for questions: git push -o ask")
    } else {
        return None;
    };
    let what = Line::new("nothing is stored under ").text(space);
    let hint = Hint::new(Line::new("leave this ref out of the push"));
    Some(always("reserved-name", Objection::new(what).detail(Line::new(why)).hint(hint)))
}

/// Names that mislead whoever types them (threats B03).
fn name_trick(update: &UpdateFacts) -> Option<Finding> {
    if matches!(update.change, Change::Delete { .. }) {
        return None;
    }
    let name = &update.update.name;
    let short = name.branch().or(name.tag())?;
    let trick =
        short == b"HEAD" || short == b"@" || short.starts_with(b"-") || short.starts_with(b"refs/");
    if !trick {
        return None;
    }
    let what = Line::new("").refname(name).text(" reads as something else on a command line");
    let hint = Hint::new(Line::new("choose a name that is no option, no HEAD and no full refname"));
    Some(always("misleading-name", Objection::new(what).hint(hint)))
}

fn moved(update: &UpdateFacts) -> Option<Finding> {
    let claimed = update.update.claimed_old;
    let real = update.real.unwrap_or(Oid::zero(claimed.format()));
    if claimed == real || update.alias_of.is_some() {
        return None;
    }
    let show = |line: Line, oid: Oid| match oid.is_zero() {
        true => line.text("not there"),
        false => line.text("at ").oid(oid),
    };
    let what = show(Line::new("the ref is "), real).text(", the push says it is ");
    let objection = Objection::new(show(what, claimed));
    let hint =
        Hint::run(Line::new("look at it anew and push again"), Line::new("git fetch origin"));
    Some(always("moved", objection.hint(hint)))
}

fn missing(update: &UpdateFacts) -> Option<Finding> {
    if update.target != Target::Missing {
        return None;
    }
    let what = Line::new("object ").oid(update.update.new);
    let what = what.text(" is neither on the server nor in the push");
    let hint = Hint::run(Line::new("check your own repository"), Line::new("git fsck"));
    Some(always("missing-object", Objection::new(what).hint(hint)))
}

fn object_kind(update: &UpdateFacts) -> Option<Finding> {
    let branch = update.update.name.branch().is_some();
    let tag = update.update.name.tag().is_some();
    let what = match update.target {
        Target::Tag { .. } if branch => "a branch names a commit, this is an annotated tag",
        Target::Other if branch => "a branch names a commit, this is another kind of object",
        Target::Other if tag => "a tag leads to a commit here, this one does not",
        Target::Commit(_)
        | Target::Tag { .. }
        | Target::Other
        | Target::Nothing
        | Target::Missing => {
            return None;
        }
    };
    let hint = Hint::new(Line::new("push the commit itself"));
    Some(always("object-kind", Objection::new(Line::new(what)).hint(hint)))
}

fn nothing(update: &UpdateFacts) -> Option<Finding> {
    if update.change != Change::Nothing || update.alias_of.is_some() {
        return None;
    }
    let what =
        Line::new("").refname(&update.update.name).text(" is to be deleted and does not exist");
    let hint =
        Hint::run(Line::new("forget the ref you remember"), Line::new("git fetch --prune origin"));
    Some(always("nothing", Objection::new(what).hint(hint)))
}

/// A protected ref that somebody moved past the gate, where the policy asks an operator first.
fn drifted(policy: &Policy, update: &UpdateFacts, protected: bool) -> Option<Finding> {
    let drift = update.drift.filter(|_| protected && policy.log.on_drift == OnDrift::Refuse)?;
    let name = &update.update.name;
    let show = |line: Line, oid: Oid| match oid.is_zero() {
        true => line.text("nothing"),
        false => line.oid(oid),
    };
    let what = Line::new("").refname(name).text(" was moved on the server past these rules");
    let detail = show(Line::new("by the log it was at "), drift.logged);
    let detail = show(detail.text(", found was "), drift.found);
    let detail = detail.text(format!(" (entry {})", drift.entry));
    let ask = "ask the operators: one of them has to look at it and accept it";
    let run = Line::new("portcullis log drift --accept 'REASON' --ref ").word(name.as_bytes());
    let hint = Hint::run(Line::new(ask), run.text(" REPO"));
    Some(always("drift", Objection::new(what).detail(detail).hint(hint)))
}

/// Refs outside the open spaces need a rule that names them (threats B10, B12).
fn outside(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> Option<Finding> {
    let name = &update.update.name;
    let default = facts.push.default_branch.as_ref();
    let open = OPEN_SPACES.iter().any(|space| name.as_bytes().starts_with(space));
    let named = policy.rules.iter().any(|rule| rule.refs.matches(name, default));
    if open || named || reserved(update).is_some() {
        return None;
    }
    let what = Line::new("no rule names ").refname(name);
    let detail = Line::new("without one, refs stand under refs/heads and refs/tags only");
    let hint = Hint::new(Line::new("push a branch, or ask the operators for an `access` rule"));
    Some(always("outside", Objection::new(what).detail(detail).hint(hint)))
}

/// Names that look like a protected one, stand in its way, or shadow it (threats B02, B05).
fn look_alike(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> Option<Finding> {
    if update.has_twin {
        return Some(twin(update));
    }
    if !matches!(update.change, Change::Create { .. }) {
        return None;
    }
    let (name, moment) = (&update.update.name, facts.push.push.moment);
    let default = facts.push.default_branch.as_ref();
    let guarding = policy.rules.iter().filter(|rule| rule.level_at(moment) == Level::Refuse);
    for rule in guarding {
        let why = if rule.refs.matches(name, default) {
            continue;
        } else if rule.refs.folds_onto(name, default) {
            "reads like a name that this rule protects"
        } else if rule.refs.blocks_folder(name, default) {
            "would stand where names that this rule protects need a folder"
        } else {
            continue;
        };
        let what = Line::new("").refname(name).text(" ").text(why);
        let detail = Line::new("the rule is `").text(rule.name.clone()).text("`");
        let hint = Hint::new(Line::new("choose another name"));
        return Some(always("look-alike", Objection::new(what).detail(detail).hint(hint)));
    }
    shadow(policy, facts, update)
}

/// A name that the server's file system takes for that of another ref. Which one is not said: the
/// pusher may not be shown it.
fn twin(update: &UpdateFacts) -> Finding {
    let what = Line::new("").refname(&update.update.name).text(" reads like a ref that is there");
    let detail = Line::new("this server keeps its refs where upper and lower case are the same");
    let hint =
        Hint::new(Line::new("choose another name, or the one that is there, letter by letter"));
    always("look-alike", Objection::new(what).detail(detail).hint(hint))
}

/// A tag and a branch of one name, where a rule protects the branch: Git takes the tag.
fn shadow(policy: &Policy, facts: &Facts, update: &UpdateFacts) -> Option<Finding> {
    let name = &update.update.name;
    let (branch, tag, hint) = match (name.tag(), name.branch()) {
        (Some(short), _) => {
            let branch = Refname::parse(&[b"refs/heads/", short].concat())?;
            (branch, name.clone(), "choose another name for the tag")
        }
        (None, Some(short)) if update.has_namesake => {
            let tag = Refname::parse(&[b"refs/tags/", short].concat())?;
            (name.clone(), tag, "choose another name for the branch, or have the tag deleted")
        }
        (None, _) => return None,
    };
    let (moment, default) = (facts.push.push.moment, facts.push.default_branch.as_ref());
    let is_made = |u: &UpdateFacts| u.update.name == branch && !u.update.new.is_zero();
    let is_there = update.has_namesake || facts.updates.iter().any(is_made);
    // Where a rule is about every name there is, each tag has the name of some branch that may be
    // made one day; then it counts which there are.
    let is_meant = |rule: &CompiledRule| {
        rule.level_at(moment) == Level::Refuse
            && rule.refs.matches(&branch, default)
            && (is_there || default == Some(&branch) || !rule.refs.pick_any_branch())
    };
    if !policy.rules.iter().any(is_meant) {
        return None;
    }
    let what = Line::new("git would take ").refname(&tag).text(" for ").refname(&branch);
    let detail =
        Line::new("for ").piece(Piece::ShortRef(branch)).text(" Git prefers a tag to a branch");
    let hint = Hint::new(Line::new(hint));
    Some(always("look-alike", Objection::new(what).detail(detail).hint(hint)))
}

/// A rewind or deletion of a protected ref that no access rule speaks of.
pub fn unguarded(update: &UpdateFacts, motion: &Motion) -> Finding {
    let name = &update.update.name;
    let (what, hint) = match motion {
        Motion::Delete => {
            let what = Line::new("").refname(name).text(" is protected and is not deleted");
            (Objection::new(what), Hint::new(Line::new("leave the deletion out of the push")))
        }
        Motion::Create | Motion::FastForward | Motion::Rewind { .. } => {
            (rewound(update, motion), take_in_first(name))
        }
    };
    let detail = Line::new("no `access` rule names who may");
    always("protected", what.detail(detail).hint(hint))
}

fn always(name: &'static str, objection: Objection) -> Finding {
    Finding { rule: RuleRef::Always { name }, level: Level::Refuse, objection }
}
