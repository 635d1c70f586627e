//! Words that several rules and the always-on checks share.

use crate::facts::evidence::{Candidate, Standing};
use crate::facts::intake::Intake;
use crate::facts::landing::Step;
use crate::facts::{Motion, UpdateFacts};
use crate::names::escape::escape_short;
use crate::names::refname::Refname;
use crate::push::Door;
use crate::push::pusher::Pusher;
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line, Piece};

/// The pusher, as messages name them.
pub fn told(pusher: &Pusher) -> String {
    match pusher.name() {
        Some(name) => name.to_string(),
        None => escape_short(pusher.login.as_bytes()),
    }
}

/// How many faults of what arrives are told one by one.
const TOLD_MAX: usize = 8;

/// Everything that is wrong with what arrives, as far as somebody wants to read it.
pub fn listed(faults: Vec<Line>) -> Objection {
    let more = faults.len().saturating_sub(TOLD_MAX + 1);
    let mut faults = faults.into_iter();
    let mut objection = Objection::new(faults.next().unwrap_or_default());
    for fault in faults.take(TOLD_MAX) {
        objection = objection.detail(fault);
    }
    if more > 0 {
        objection = objection.detail(Line::new("and ").count(more, "more", "more"));
    }
    objection
}

/// How commits that arrive are made anew, for this reason.
pub fn leave_out(intake: &Intake, why: &'static str) -> Hint {
    match intake.base {
        Some(base) if intake.commits > 1 => {
            Hint::run(Line::new(why), Line::new("git rebase -i ").oid(base))
        }
        Some(_) => Hint::run(Line::new(why), Line::new("git commit --amend")),
        None => Hint::new(Line::new(why)),
    }
}

/// What a rewind would take away.
pub fn rewound(update: &UpdateFacts, motion: &Motion) -> Objection {
    let real = update.real.unwrap_or(update.update.claimed_old);
    let what = Line::new("the ref stands at ").oid(real).text(" and ").oid(update.update.new);
    let objection = Objection::new(what.text(" does not build on it"));
    match motion {
        Motion::Rewind { lost, newest: Some((oid, subject)), .. } => {
            let line = Line::new("").count(*lost, "commit", "commits");
            let line = line.text(" would be lost, the newest is ").oid(*oid);
            objection.detail(line.text(" ").quoted(subject))
        }
        Motion::Rewind { newest: None, .. }
        | Motion::Create
        | Motion::FastForward
        | Motion::Delete => objection,
    }
}

/// What somebody whose push would lose commits can do.
pub fn take_in_first(name: &Refname) -> Hint {
    let command = Line::new("git pull --rebase origin ").piece(Piece::ShortRef(name.clone()));
    Hint::run(Line::new("take them in first, then push without --force"), command)
}

/// How a topic meets a branch that has moved in the same file.
pub fn meet(name: &Refname, then: &'static str) -> Hint {
    let text = Line::new("merge ").short_ref(name).text(" into the topic, push it, ").text(then);
    let command = Line::new("git switch TOPIC && git pull --no-rebase origin ");
    let command = command.piece(Piece::ShortRef(name.clone()));
    Hint::run(text, command.text(" && git push origin TOPIC"))
}

/// What somebody whose push is not signed, or not well, can do.
pub fn sign_the_push(door: Door) -> Vec<Hint> {
    if door == Door::Update {
        let hint = "ask the operators to install the pre-receive hook as well";
        return vec![Hint::new(Line::new(hint))];
    }
    vec![
        Hint::run(Line::new("sign the push"), Line::new("git push --signed")),
        Hint::run(Line::new("for good"), Line::new("git config push.gpgSign if-asked")),
        Hint::new(Line::new(
            "where git says that the receiving end does not support it, the operators have to set \
             receive.certNonceSeed",
        )),
    ]
}

/// One objection a rule and ref: the first, and how many steps more are at odds.
pub fn first_with_rest(mut objections: Vec<Objection>) -> Vec<Objection> {
    let more = objections.len().saturating_sub(1);
    objections.truncate(1);
    if let (Some(first), 1..) = (objections.first_mut(), more) {
        let line = Line::new("").count(more, "later step", "later steps");
        first.details.push(line.text(if more == 1 {
            " is at odds too"
        } else {
            " are at odds too"
        }));
    }
    objections
}

/// Why a statement is no approval that may count, rules aside. `None`: it is one.
pub fn no_approval(candidate: &Candidate) -> Option<Line> {
    match &candidate.standing {
        Standing::Not(why) | Standing::ByMerge(why) => {
            Some(Line::new("").name(&candidate.says.person).text(" ").line(why))
        }
        Standing::Good => no_yes(candidate),
    }
}

/// That a statement says something else than yes. `None`: it says yes.
pub fn no_yes(candidate: &Candidate) -> Option<Line> {
    let is_yes = candidate.verdict() == Some(ApprovalVerdict::Approve);
    (!is_yes).then(|| Line::new("").name(&candidate.says.person).text(" rejected it"))
}

/// Why whoever approved a step does not count for it: they made some of it. `None`: they did not.
pub fn by_a_maker(step: &Step, candidate: &Candidate) -> Option<Line> {
    let person = &candidate.says.person;
    let (by, commit) = step.makers.known.get(person)?;
    let line = Line::new("").name(person).text(" approved it, but ").text(by.words());
    Some(line.text(" ").oid(*commit).text(": makers do not count"))
}
