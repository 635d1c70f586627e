//! Steps that go back to an earlier state: what `[rollback]` asks of them, and what a rule says of
//! one that lacks it.
//!
//! No rule kind of its own. The kinds that a rollback satisfies ask here, step by step; every other
//! kind judges a rollback like any step. Pure.

use crate::facts::evidence::{Candidate, Reject, Standing};
use crate::facts::landing::Step;
use crate::facts::makers::Makers;
use crate::facts::rollback::{BackTo, Rollback};
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::roster::party::Party;
use crate::rules::view::View;
use crate::rules::words::{by_a_maker, no_approval};
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::{Missing, Objection};
use crate::verdict::line::{Hint, Line};

/// The rule kinds that a rollback satisfies.
pub const SATISFIED: [&str; 4] = ["merge", "approval", "check", "freeze"];

/// How many people a hint names.
const NAMES_TOLD_MAX: usize = 8;

/// How many statements a message tells of.
const TOLD_MAX: usize = 3;

/// What `[rollback]` asks, compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Whose approvals count; where none is asked for, who may push one.
    pub by: Party,
    /// How many distinct people, makers excluded. 0: the pusher has to be one of `by`.
    pub approvals: usize,
    /// How old a state may be, in seconds.
    pub within_seconds: i64,
}

/// What a step is to a rule that a rollback satisfies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Nobody claims a rollback: the rule judges it as ever.
    Ordinary,
    /// A rollback with all that is asked for: the rule is satisfied, and says this.
    Granted(Line),
    /// A rollback that lacks something.
    Lacks(Objection),
    /// It claims a rollback and is none, in words that follow `no rollback: `.
    NoRollback(Line),
}

/// What a step is, to a rule that a rollback satisfies.
pub fn word(view: &View<'_>, step: &Step) -> Word {
    let Some(terms) = view.rollback else { return Word::Ordinary };
    match &step.rollback {
        None => Word::Ordinary,
        Some(Rollback::Not(why)) => Word::NoRollback(why.clone()),
        Some(Rollback::To(back)) => terms.judge(view, step, back),
    }
}

/// What speaks for a step that is a rollback with all that is asked for; `None` for every other.
pub fn granted(view: &View<'_>, step: &Step) -> Option<Line> {
    match word(view, step) {
        Word::Granted(line) => Some(line),
        Word::Ordinary | Word::Lacks(_) | Word::NoRollback(_) => None,
    }
}

/// A rule's objection to a step, with what its claim of a rollback has to do with it.
pub fn objection(view: &View<'_>, step: &Step, own: Objection) -> Objection {
    match word(view, step) {
        Word::Ordinary | Word::Granted(_) => own,
        Word::Lacks(lacks) => lacks,
        Word::NoRollback(why) => own.detail(Line::new("no rollback: ").line(&why)).hint(anew(view)),
    }
}

/// How a rollback is made that is one.
fn anew(view: &View<'_>) -> Hint {
    let name = &view.update.update.name;
    let command = Line::new("portcullis rollback ").short_ref(name).text(" --to COMMIT");
    Hint::run(Line::new("make the rollback anew, on the branch as it is now"), command)
}

impl Terms {
    fn judge(&self, view: &View<'_>, step: &Step, back: &BackTo) -> Word {
        let name = &view.update.update.name;
        if let Some(rejected) = self.rejected(step, name) {
            return Word::Lacks(rejected);
        }
        let chairs = self.approvals + usize::from(step.makers.unknown.is_some());
        let people = self.approvers(step);
        if people.len() < chairs {
            return Word::Lacks(self.lacks(step, back, name, &people, chairs));
        }
        let pusher = &view.push.push.pusher;
        let own = pusher.name().filter(|name| pusher.is_known_maker() && self.by.contains(name));
        if self.approvals == 0 && own.is_none() {
            return Word::Lacks(self.not_theirs(back));
        }
        let line = goes_back(back);
        Word::Granted(match people.as_slice() {
            [] => line.text(", pushed by one of ").text(self.written()),
            some => line.text(", approved by ").names(some.iter().copied()),
        })
    }

    /// Everybody of `by` whose approval of exactly this delta counts, each once.
    fn approvers<'s>(&self, step: &'s Step) -> Vec<&'s PrincipalName> {
        let mut people: Vec<&PrincipalName> = Vec::new();
        for candidate in &step.candidates {
            let person = &candidate.says.person;
            if self.doubt(step, candidate).is_none() && !people.contains(&person) {
                people.push(person);
            }
        }
        people
    }

    /// Why a statement does not count; `None`: it does.
    fn doubt(&self, step: &Step, candidate: &Candidate) -> Option<Line> {
        let person = Line::new("").name(&candidate.says.person);
        let other = || {
            let is_other = candidate.delta != step.delta;
            is_other.then(|| person.clone().text(" approved another change"))
        };
        let stranger = || {
            let is_one = !self.by.contains(&candidate.says.person);
            is_one.then(|| person.clone().text(" approved it, and is not in `by` of [rollback]"))
        };
        no_approval(candidate)
            .or_else(other)
            .or_else(|| by_a_maker(step, candidate))
            .or_else(stranger)
    }

    /// A reject by anyone in `by`, maker or not, stops a rollback as it stops any change, until its
    /// signer approves exactly this.
    fn rejected(&self, step: &Step, name: &Refname) -> Option<Objection> {
        let approved_since = |reject: &Reject| {
            step.candidates.iter().any(|c| {
                c.standing == Standing::Good
                    && c.verdict() == Some(ApprovalVerdict::Approve)
                    && c.delta == step.delta
                    && c.says.person == reject.person
                    && c.says.date > reject.date
            })
        };
        let stands = |reject: &&Reject| {
            self.by.contains(&reject.person)
                && !reject.entries.is_empty()
                && !approved_since(reject)
        };
        let reject = step.rejects.iter().find(stands)?;
        let what = Line::new("").name(&reject.person).text(" rejected this rollback, as in ");
        let what = what.oid(reject.commit).text(" on ").text(reject.date.rfc3339_seconds());
        let command = Line::new("portcullis approve ").oid(step.to).text(" --for ");
        let ask = Line::new("settle it with ").name(&reject.person).text(", who can then run");
        Some(Objection::new(what).hint(Hint::run(ask, command.short_ref(name))))
    }

    /// Too few approvals: who gave one, who still can, and how.
    fn lacks(
        &self,
        step: &Step,
        back: &BackTo,
        name: &Refname,
        people: &[&PrincipalName],
        chairs: usize,
    ) -> Objection {
        let what = format!(
            "{} of {chairs} {} for a rollback to entry {}",
            people.len(),
            if chairs == 1 { "approval" } else { "approvals" },
            back.entry
        );
        let counts = Line::new("approvals of a rollback count from ").text(self.written());
        let mut objection = Objection::new(Line::new(what)).detail(goes_back(back)).detail(counts);
        if let Some((commit, why)) = &step.makers.unknown {
            let line = Line::new("").oid(*commit).text(" ").text(*why);
            objection = objection.detail(line.text(": one approval more is asked"));
        }
        for candidate in step.candidates.iter().take(TOLD_MAX) {
            let approved = || {
                let line = Line::new("").name(&candidate.says.person).text(" approved ");
                line.oid(candidate.says.commit)
            };
            objection = objection.detail(self.doubt(step, candidate).unwrap_or_else(approved));
        }
        if step.not_before.contains(&step.to) {
            let push = Line::new("git push origin ").oid(step.to).text(":refs/heads/rollback-");
            let first = Line::new("push it where reviewers can get it");
            objection = objection.hint(Hint::run(first, push.oid(step.to)));
        }
        let missing = chairs - people.len();
        let from = self.can_give(&step.makers, people);
        let (hint, missing) = ask(step, name, missing, from);
        objection = objection.hint(hint);
        objection.missing = Some(missing);
        objection
    }

    /// Everybody whose approval would count and has not been given.
    fn can_give(&self, makers: &Makers, people: &[&PrincipalName]) -> Vec<PrincipalName> {
        let can =
            |name: &&PrincipalName| !makers.known.contains_key(*name) && !people.contains(name);
        self.by.names.iter().filter(can).cloned().collect()
    }

    /// No approval is asked for, so it matters who pushes.
    fn not_theirs(&self, back: &BackTo) -> Objection {
        let what = Line::new(format!("a rollback to entry {} is pushed by one of ", back.entry));
        let objection = Objection::new(what.text(self.written())).detail(goes_back(back));
        let from: Vec<&PrincipalName> = self.by.names.iter().take(NAMES_TOLD_MAX).collect();
        objection.hint(Hint::new(Line::new("ask one of them to push it: ").names(from)))
    }

    /// The list as the policy has it.
    fn written(&self) -> String {
        self.by.written.join(", ")
    }
}

/// Who is asked, and by what command.
fn ask(step: &Step, name: &Refname, approvals: usize, from: Vec<PrincipalName>) -> (Hint, Missing) {
    let hint = match from.as_slice() {
        [] => Hint::new(Line::new("everyone in `by` made this: ask another to make the rollback")),
        some => {
            let line = match (some.len(), approvals) {
                (1, _) => Line::new("ask "),
                (_, 1) => Line::new("ask one of "),
                (_, n) => Line::new(format!("ask {n} of ")),
            };
            let command = Line::new("portcullis approve ").oid(step.to).text(" --for ");
            let line = line.names(some.iter().take(NAMES_TOLD_MAX)).text(" to run");
            Hint::run(line, command.short_ref(name))
        }
    };
    (hint, Missing { approvals, from })
}

/// Where a rollback goes, in words.
fn goes_back(back: &BackTo) -> Line {
    let line = Line::new("").oid(back.commit).text(" goes back to ").oid(back.state);
    let line = line.text(format!(" of entry {}", back.entry));
    match back.paths.as_slice() {
        [] => line,
        [only] => line.text(" in ").quoted(only.as_bytes()),
        [first, rest @ ..] => {
            let line = line.text(" in ").quoted(first.as_bytes()).text(" and ");
            line.count(rest.len(), "pattern more", "patterns more")
        }
    }
}

#[cfg(test)]
#[path = "rollback_tests.rs"]
mod tests;
