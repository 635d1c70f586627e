//! A landing against a check rule: what each step's machines said of it, and what is missing.

use crate::facts::change::PathChange;
use crate::facts::evidence::{Candidate, NearMiss, Standing};
use crate::facts::landing::{Landing, Segment, Step, StepKind};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::rules::age;
use crate::rules::check::Check;
use crate::rules::rollback;
use crate::rules::view::View;
use crate::rules::words::{first_with_rest, meet};
use crate::statement::fields::{CheckVerdict, Saying, Url};
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many machines a hint names.
const NAMES_TOLD_MAX: usize = 8;

/// How many checks that did not pass a message tells of.
const TOLD_MAX: usize = 4;

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &Check, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let (name, moment) = (&view.update.update.name, view.push.push.moment);
    let bench = Bench { rule, name, moment, view };
    bench.landing(landing)
}

/// What a step is judged with besides its own facts.
struct Bench<'b> {
    rule: &'b Check,
    name: &'b Refname,
    moment: Moment,
    view: &'b View<'b>,
}

/// Why a reading does not satisfy the rule.
enum No {
    /// A machine says so. No finer reading undoes that.
    Failed(Objection),
    /// A word is missing.
    Missing(Objection),
}

impl No {
    /// The same reason, in other words.
    fn told(self, tell: impl FnOnce(Objection) -> Objection) -> Self {
        match self {
            Self::Failed(objection) => Self::Failed(tell(objection)),
            Self::Missing(objection) => Self::Missing(tell(objection)),
        }
    }

    fn objection(self) -> Objection {
        match self {
            Self::Failed(objection) | Self::Missing(objection) => objection,
        }
    }
}

/// What machines say of one check of one step.
struct Heard<'s> {
    check: &'s PrincipalName,
    /// Passes that count.
    passed: Vec<&'s Candidate>,
    /// Fails that count.
    failed: Vec<&'s Candidate>,
    /// Words that do not count, with the reason.
    not: Vec<Line>,
    /// An entry that no pass holds, once that was looked for.
    lacks: Option<&'s PathChange>,
}

/// What became of one check.
enum State<'s> {
    Passed,
    Failed(Heard<'s>),
    Missing(Heard<'s>),
}

impl Bench<'_> {
    /// The whole move first, then its steps. What was said of the whole, for or against, holds; a
    /// fail of a part says nothing of a whole that passed.
    fn landing(&self, landing: &Landing) -> Ruling {
        match landing.whole.as_deref().map(|step| self.step(step)) {
            Some(Ok(notes)) => return Ruling { objections: Vec::new(), notes },
            Some(Err(No::Failed(objection))) => {
                return Ruling { objections: vec![objection], notes: Vec::new() };
            }
            Some(Err(No::Missing(_))) | None => {}
        }
        let mut notes = Vec::new();
        let mut objections = Vec::new();
        for segment in &landing.segments {
            match self.segment(segment) {
                Ok(told) => notes.extend(told),
                Err(no) => objections.push(no.objection()),
            }
        }
        Ruling { objections: first_with_rest(objections), notes }
    }

    /// A segment as one step, else commit by commit.
    fn segment(&self, segment: &Segment) -> Result<Vec<Line>, No> {
        let missing = match self.step(&segment.whole) {
            Err(No::Missing(objection)) if !segment.each.is_empty() => No::Missing(objection),
            told => return told,
        };
        let each: Result<Vec<Vec<Line>>, No> =
            segment.each.iter().map(|step| self.step(step)).collect();
        each.map(|lines| lines.concat()).map_err(|_| missing)
    }

    /// One step; a rollback with all that is asked for needs no check.
    fn step(&self, step: &Step) -> Result<Vec<Line>, No> {
        if let Some(note) = rollback::granted(self.view, step) {
            return Ok(vec![note]);
        }
        let own = self.ordinary(step);
        own.map_err(|no| no.told(|objection| rollback::objection(self.view, step, objection)))
    }

    /// `Ok` with what spoke for the step, or the objection to it.
    fn ordinary(&self, step: &Step) -> Result<Vec<Line>, No> {
        if let Some(path) = step.hidden.iter().find(|p| self.rule.scope.covers_path(p)) {
            let what = Line::new("").path(path).text(" changes and changes back within this push");
            let detail = Line::new("judged as one change nothing can have checked that");
            let hint = Line::new("squash the commits, or leave the two out that undo each other");
            return Err(No::Missing(Objection::new(what).detail(detail).hint(Hint::new(hint))));
        }
        let changes = step.delta.changes().iter();
        let matching: Vec<&PathChange> =
            changes.filter(|c| self.rule.scope.covers(c, step)).collect();
        if matching.is_empty() {
            return Ok(Vec::new());
        }
        let mut notes = Vec::new();
        let (mut failed, mut missing) = (Vec::new(), Vec::new());
        for check in &self.rule.checks {
            let heard = self.hear(step, check);
            notes.extend(heard.passed.iter().map(|c| said(c)));
            match state(heard, &matching) {
                State::Passed => {}
                State::Failed(heard) => failed.push(heard),
                State::Missing(heard) => missing.push(heard),
            }
        }
        match (failed.is_empty(), missing.is_empty()) {
            (true, true) => Ok(notes),
            (true, false) => Err(No::Missing(self.objection(step, &matching, &[], &missing))),
            (false, _) => Err(No::Failed(self.objection(step, &matching, &failed, &missing))),
        }
    }

    /// What counts of all that was said about one check of a step, and why the rest does not.
    fn hear<'s>(&self, step: &'s Step, check: &'s PrincipalName) -> Heard<'s> {
        let (passed, failed, not) = (Vec::new(), Vec::new(), Vec::new());
        let mut heard = Heard { check, passed, failed, not, lacks: None };
        for candidate in &step.checks {
            let Some((_, verdict)) = candidate.checked().filter(|(name, _)| *name == check) else {
                continue;
            };
            if let Some(doubt) = self.doubt(candidate, verdict) {
                heard.not.push(doubt);
                continue;
            }
            let changes = candidate.delta.changes();
            match verdict {
                CheckVerdict::Pass => heard.passed.push(candidate),
                CheckVerdict::Fail if changes.iter().any(|c| self.rule.scope.covers(c, step)) => {
                    heard.failed.push(candidate);
                }
                CheckVerdict::Fail => {}
            }
        }
        heard
    }

    /// Why a check does not count for this rule, if it does not.
    fn doubt(&self, candidate: &Candidate, verdict: CheckVerdict) -> Option<Line> {
        let says = &candidate.says;
        let machine = Line::new("").name(&says.person).text(" ");
        if let Standing::Not(why) | Standing::ByMerge(why) = &candidate.standing {
            return Some(machine.line(why));
        }
        if !self.rule.from.contains(&says.person) {
            return Some(machine.text(verdict.past()).text(" it, and is not in `from`"));
        }
        // A fail is never too old: to ask for fresh passes must not let more through.
        let seconds = self.rule.max_age_seconds.filter(|_| verdict == CheckVerdict::Pass)?;
        age::is_older(says.date, seconds, self.moment).then(|| {
            let line = machine.text("passed it on ").text(says.date.rfc3339_seconds());
            line.text(", longer ago than `max-age`")
        })
    }

    fn objection(
        &self,
        step: &Step,
        matching: &[&PathChange],
        failed: &[Heard<'_>],
        missing: &[Heard<'_>],
    ) -> Objection {
        let mut objection = Objection::new(self.what(matching, failed, missing));
        if step.kind == StepKind::Merge {
            let line = Line::new("by merge ").oid(step.to).text(" ").quoted(&step.subject);
            objection = objection.detail(line);
        }
        for heard in failed.iter().chain(missing).take(TOLD_MAX) {
            let of = || Line::new("").name(heard.check).text(": ");
            let told = heard.failed.iter().map(|c| word(of(), c));
            objection.details.extend(told);
            if let Some(change) = heard.lacks {
                let passed = heard.passed.iter().map(|c| word(of(), c).text(" without "));
                objection.details.extend(passed.map(|line| line.path(&change.path)));
            }
            objection.details.extend(heard.not.iter().map(|line| of().line(line)));
            let near = step.near_checks.iter().filter(|near| near.check == *heard.check);
            objection.details.extend(near.map(|near| self.near(of(), &near.miss)));
        }
        self.with_remedy(objection, step, failed, missing)
    }

    /// The first line: which change, and which check of it.
    fn what(&self, matching: &[&PathChange], failed: &[Heard<'_>], missing: &[Heard<'_>]) -> Line {
        let line = match matching {
            [] => Line::new("this"),
            [one] => Line::new("").path(&one.path),
            [first, rest @ ..] => {
                Line::new("").path(&first.path).text(format!(" and {} more", rest.len()))
            }
        };
        let line = line.text(" changed, ");
        match (failed, missing) {
            ([heard], []) => line.text("check ").name(heard.check).text(" failed"),
            ([], [heard]) => line.text("check ").name(heard.check).text(" has not passed"),
            _ => {
                let (bad, all) = (failed.len() + missing.len(), self.rule.checks.len());
                line.text(format!("{bad} of {all} checks have not passed"))
            }
        }
    }

    /// What to do about it.
    fn with_remedy(
        &self,
        mut objection: Objection,
        step: &Step,
        failed: &[Heard<'_>],
        missing: &[Heard<'_>],
    ) -> Objection {
        let fails: Vec<&Candidate> = failed.iter().flat_map(|h| &h.failed).copied().collect();
        for url in fails.iter().filter_map(|c| url_of(c)).take(TOLD_MAX) {
            let look = Line::new("see what it found");
            objection =
                objection.hint(Hint::run(look, Line::new("").word(url.as_str().as_bytes())));
        }
        if !fails.is_empty() {
            let mend = "mend it, push the topic, and have that checked";
            objection = objection.hint(Hint::new(Line::new(mend)));
        }
        for candidate in fails.iter().take(TOLD_MAX) {
            let machine = &candidate.says.person;
            let ask = Line::new("if it passes after all, ").name(machine).text(" can run");
            if let Some((check, _)) = candidate.checked() {
                let command = self.command(check, candidate.says.commit);
                objection = objection.hint(Hint::run(ask, command));
            }
        }
        let near = |heard: &Heard<'_>| {
            step.near_checks.iter().any(|near| near.check == *heard.check && near.miss.moved)
        };
        if let (Some(_), [_, ..]) = (&step.overtaken, missing) {
            return objection.hint(meet(self.name, "and have that checked"));
        }
        if missing.iter().any(near) {
            let line = Line::new("merge ").short_ref(self.name).text(" into the topic, push it, ");
            objection = objection.hint(Hint::new(line.text("and have that checked")));
        }
        for heard in missing.iter().take(TOLD_MAX) {
            let commit = unchecked(step, heard);
            if step.not_before.contains(&commit) {
                let push = Line::new("git push origin ").oid(commit).text(":refs/heads/TOPIC");
                let ask = Line::new("push the work to a branch first");
                objection = objection.hint(Hint::run(ask, push));
            }
            let ask = Hint::run(self.ask(), self.command(heard.check, commit));
            objection = objection.hint(ask);
        }
        objection
    }

    /// Whose word is asked for.
    fn ask(&self) -> Line {
        let names = &self.rule.from.names;
        match names.len() {
            1 => Line::new("have ").names(names),
            2..=NAMES_TOLD_MAX => Line::new("have one of ").names(names),
            _ => Line::new("have one of ").text(self.rule.from.written.join(", ")),
        }
        .text(" run")
    }

    fn command(&self, check: &PrincipalName, commit: Oid) -> Line {
        let command = Line::new("portcullis attest ").name(check).text(" pass ").oid(commit);
        command.text(" --for ").piece(Piece::ShortRef(self.name.clone()))
    }

    fn near(&self, line: Line, near: &NearMiss) -> Line {
        let line = line.name(&near.person).text(" passed ").oid(near.commit);
        let Some(path) = &near.first_new else {
            return line.text(", this push brings less");
        };
        if near.moved {
            let line = line.text(", but ").short_ref(self.name).text(" moved in ");
            return line.path(path).text(" since");
        }
        line.text(", in this push ").path(path).text(" is new or other")
    }
}

/// The commit that a machine should look at: of several that were merged, one that has no pass.
fn unchecked(step: &Step, heard: &Heard<'_>) -> Oid {
    let passed = |commit: &Oid| heard.passed.iter().any(|c| c.says.commit == *commit);
    step.source.iter().find(|commit| !passed(commit)).copied().unwrap_or(step.to)
}

/// What all words about one check come to: a fail refuses, else passes must hold every entry.
fn state<'s>(heard: Heard<'s>, matching: &[&'s PathChange]) -> State<'s> {
    if !heard.failed.is_empty() {
        return State::Failed(heard);
    }
    let held = |change: &PathChange| heard.passed.iter().any(|c| holds(c, change));
    match matching.iter().copied().find(|change| !held(change)) {
        None => State::Passed,
        lacks => State::Missing(Heard { lacks, ..heard }),
    }
}

fn holds(candidate: &Candidate, change: &PathChange) -> bool {
    let changes = candidate.delta.changes();
    changes.binary_search_by(|c| c.path.cmp(&change.path)).is_ok_and(|at| changes[at] == *change)
}

/// `plan-bot passed terraform-plan of 3f2a9c1`.
fn said(candidate: &Candidate) -> Line {
    let line = Line::new("").name(&candidate.says.person);
    match candidate.checked() {
        Some((check, verdict)) => {
            let line = line.text(" ").text(verdict.past()).text(" ").name(check);
            line.text(" of ").oid(candidate.says.commit)
        }
        None => line.text(" said something else"),
    }
}

/// `plan-bot failed 3f2a9c1 on 2026-11-22T21:00:00Z`, behind what is given.
fn word(line: Line, candidate: &Candidate) -> Line {
    let says = &candidate.says;
    let did = candidate.checked().map_or("spoke of", |(_, verdict)| verdict.past());
    let line = line.name(&says.person).text(" ").text(did).text(" ").oid(says.commit);
    line.text(" on ").text(says.date.rfc3339_seconds())
}

fn url_of(candidate: &Candidate) -> Option<&Url> {
    match &candidate.says.saying {
        Saying::Check { url, .. } => url.as_ref(),
        Saying::Approval { .. } => None,
    }
}
