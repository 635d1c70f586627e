//! Steps against a merge rule: no direct commits, nothing of a step's own, nothing unseen.

use crate::facts::evidence::{Candidate, Standing};
use crate::facts::landing::{Landing, MergeFact, Segment, Step, StepKind};
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::roster::party::Party;
use crate::rules::merge::{Merge, Method};
use crate::rules::merge_words as words;
use crate::rules::rollback;
use crate::rules::view::View;
use crate::rules::words::first_with_rest;
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::Line;

/// How many steps are told of one by one, beside the merges.
const NOTES_MAX: usize = 8;

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &Merge, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let bench = Bench { rule, name: &view.update.update.name, landing, view };
    let mut told = Vec::new();
    let mut objections = Vec::new();
    for segment in &landing.segments {
        match bench.segment(segment) {
            Ok(ways) => told.extend(ways),
            Err(objection) => objections.push(*objection),
        }
    }
    if objections.is_empty() {
        return Ruling { objections, notes: notes(&told) };
    }
    if let Some(whole) = landing.whole.as_deref().filter(|whole| bench.moves_to(whole)) {
        return Ruling { objections: Vec::new(), notes: notes(&[Way::Forward(whole.to)]) };
    }
    Ruling { objections: first_with_rest(objections), notes: Vec::new() }
}

/// How a step came in.
enum Way<'s> {
    /// By a merge that adds nothing of its own.
    Merge,
    /// By a merge that somebody let stand.
    Resolved(Oid, &'s PrincipalName),
    /// By moving the branch to what was on the server before.
    Forward(Oid),
    /// By commits with the content of this one.
    Copy(&'s Step, Oid),
    /// By going back to a state that was judged.
    Back(Line),
}

fn notes(ways: &[Way<'_>]) -> Vec<Line> {
    let merges = ways.iter().filter(|way| matches!(way, Way::Merge)).count();
    let merged = match merges {
        0 => None,
        1 => Some(Line::new("the merge adds nothing of its own")),
        n => Some(Line::new(format!("{n} merges add nothing of their own"))),
    };
    let others = ways.iter().filter_map(|way| match way {
        Way::Merge => None,
        Way::Resolved(merge, person) => {
            Some(Line::new("").name(person).text(" approved merge ").oid(*merge).text(" as it is"))
        }
        Way::Forward(to) => {
            Some(Line::new("").oid(*to).text(" was on the server before this push"))
        }
        Way::Copy(step, of) => Some(words::copy_of(step, *of)),
        Way::Back(line) => Some(line.clone()),
    });
    merged.into_iter().chain(others.take(NOTES_MAX)).collect()
}

/// What a step is judged with besides its own facts.
struct Bench<'b> {
    rule: &'b Merge,
    name: &'b Refname,
    landing: &'b Landing,
    view: &'b View<'b>,
}

type Judged<T> = Result<T, Box<Objection>>;

impl<'b> Bench<'b> {
    /// A segment as one step, else commit by commit.
    fn segment(&self, segment: &'b Segment) -> Judged<Vec<Way<'b>>> {
        let whole = match self.step(&segment.whole) {
            Ok(way) => return Ok(vec![way]),
            Err(objection) => objection,
        };
        let each: Vec<Judged<Way<'_>>> = segment.each.iter().map(|step| self.step(step)).collect();
        if each.iter().all(Result::is_err) {
            return Err(whole);
        }
        // Where some of the commits came in properly, the first that did not is what matters.
        each.into_iter().collect()
    }

    /// One step; a rollback with all that is asked for came in properly.
    fn step(&self, step: &'b Step) -> Judged<Way<'b>> {
        if let Some(line) = rollback::granted(self.view, step) {
            return Ok(Way::Back(line));
        }
        let own = self.ordinary(step);
        own.map_err(|objection| Box::new(rollback::objection(self.view, step, *objection)))
    }

    fn ordinary(&self, step: &'b Step) -> Judged<Way<'b>> {
        match (step.kind, &step.merge) {
            (StepKind::Jump, _) => Err(words::jump(self.name, self.landing, step)),
            (StepKind::Run, _) => self.run(step),
            (StepKind::Merge, _) if !self.rule.takes(Method::Merge) => {
                Err(words::no_merges(self.rule, self.name, step))
            }
            (StepKind::Merge, Some(MergeFact::Equal)) => match words::unseen(step) {
                Some(objection) => Err(objection),
                None => Ok(Way::Merge),
            },
            (
                StepKind::Merge,
                fact @ (Some(MergeFact::Differs(_) | MergeFact::Conflict(_)) | None),
            ) => self.resolved(step, fact.as_ref()),
        }
    }

    fn run(&self, step: &'b Step) -> Judged<Way<'b>> {
        // A rebase of what is on top of the branch already leaves it as it is.
        let may_move = self.rule.takes(Method::FastForward) || self.rule.takes(Method::Rebase);
        if may_move && step.itself_before && step.not_before.is_empty() {
            return Ok(Way::Forward(step.to));
        }
        let may_copy = self.rule.takes(Method::Rebase)
            || (self.rule.takes(Method::Squash) && step.commits == 1);
        match step.copied.of.first() {
            Some(of) if may_copy => Ok(Way::Copy(step, *of)),
            Some(_) | None => Err(words::direct(self.rule, self.name, step)),
        }
    }

    /// The whole move, to a value that was on the server before.
    fn moves_to(&self, whole: &Step) -> bool {
        self.rule.takes(Method::FastForward) && whole.itself_before && whole.not_before.is_empty()
    }

    /// A merge that holds something of its own stands where somebody who may say so says so.
    fn resolved(&self, step: &'b Step, fact: Option<&MergeFact>) -> Judged<Way<'b>> {
        let Some(party) = &self.rule.resolved_by else {
            return Err(words::not_equal(self.name, step, fact));
        };
        let approvers = approvers(party, step);
        let asked = 1 + usize::from(step.makers.unknown.is_some());
        match approvers.first() {
            Some(person)
                if approvers.len() >= asked && step.itself_before && step.not_before.is_empty() =>
            {
                Ok(Way::Resolved(step.to, person))
            }
            Some(_) | None => {
                let lack = words::Lack { party, approvers: &approvers, asked };
                Err(words::not_resolved(self.name, step, fact, &lack))
            }
        }
    }
}

/// Who of these people approved a merge as it is, from its first parent, and is no maker of it.
fn approvers<'s>(party: &Party, step: &'s Step) -> Vec<&'s PrincipalName> {
    let counts = |candidate: &&Candidate| {
        let says = &candidate.says;
        candidate.standing == Standing::Good
            && candidate.verdict() == Some(ApprovalVerdict::Approve)
            && says.commit == step.to
            && Some(says.base) == step.from
            && party.contains(&says.person)
            && !step.makers.known.contains_key(&says.person)
    };
    let mut people: Vec<&PrincipalName> = Vec::new();
    for candidate in step.candidates.iter().filter(counts) {
        if !people.contains(&&candidate.says.person) {
            people.push(&candidate.says.person);
        }
    }
    people
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
