//! One step against an approval rule: which entries need approval, who gave it, what is missing.

use crate::facts::change::PathChange;
use crate::facts::evidence::Candidate;
use crate::facts::landing::{Step, StepKind};
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::rules::approval::Approval;
use crate::rules::approved::{self, Held, Terms, Word, hidden, plural, told};
use crate::rules::authorized::Authority;
use crate::rules::links;
use crate::rules::rollback;
use crate::rules::seats::seat_people;
use crate::rules::view::View;
use crate::verdict::finding::{Missing, Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &Approval, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let bench = Bench::new(rule, view, rule.clean_merge);
    approved::judge(landing, &|step| bench.step(step))
}

/// The steps that satisfy the rule only because Git's own merge counts for it.
pub(crate) fn by_merge<'f>(rule: &Approval, view: &View<'f>) -> Vec<&'f Step> {
    let (Some(landing), true) = (view.landing, rule.clean_merge) else { return Vec::new() };
    let (with, without) = (Bench::new(rule, view, true), Bench::new(rule, view, false));
    let rests = |step: &&Step| {
        step.clean.is_some() && with.step(step).is_ok() && without.step(step).is_err()
    };
    landing.steps().filter(rests).collect()
}

/// What a step is judged with besides its own facts.
struct Bench<'b> {
    rule: &'b Approval,
    held: Held<'b>,
    view: &'b View<'b>,
}

impl<'b> Bench<'b> {
    fn new(rule: &'b Approval, view: &'b View<'b>, clean_merge: bool) -> Self {
        let Approval { max_age_seconds, fresh, veto, .. } = *rule;
        let terms = Terms { max_age_seconds, fresh, veto, clean_merge };
        let held = Held { terms, name: &view.update.update.name, moment: view.push.push.moment };
        Self { rule, held, view }
    }
}

impl Bench<'_> {
    /// `Ok` with what spoke for the step, or the objection to it.
    fn step(&self, step: &Step) -> Result<Vec<Line>, Objection> {
        let matching: Vec<&PathChange> =
            step.delta.changes().iter().filter(|c| covers(self.rule, c, step)).collect();
        if let Some(path) = step.hidden.iter().find(|p| self.rule.scope.covers_path(p)) {
            return Err(hidden(path));
        }
        let Some(first) = matching.first() else { return Ok(Vec::new()) };
        if let Some(objection) = links::leads_out(&self.rule.scope, step, &matching) {
            return Err(objection);
        }
        let outside = |name: &PrincipalName| {
            (!self.asks(name)).then_some("approved it, and is not in `from`")
        };
        let words = self.held.words(step, &outside);
        let authority = self.authority(step);
        let asks = |name: &PrincipalName, change: &PathChange| {
            outside(name).is_none() && covers(self.rule, change, step)
        };
        if let Some(objection) = self.held.rejected(step, &asks) {
            return Err(objection);
        }
        if let Some(note) = rollback::granted(self.view, step) {
            return Ok(vec![note]);
        }
        let extra = usize::from(step.makers.unknown.is_some());
        let chairs: usize = self.rule.seats.iter().map(|s| s.approvals + extra).sum();
        let mut worst: Option<(Vec<&PrincipalName>, usize, &PathChange)> = None;
        for change in matching.iter().copied() {
            let mut people = self.held.holders(step, &words, change);
            // It is of the whole step, so of every entry.
            for name in &authority.people {
                if !people.contains(name) {
                    people.push(name);
                }
            }
            let seated: Vec<&PrincipalName> =
                seat_people(&self.rule.seats, extra, &people).into_iter().flatten().collect();
            if worst.as_ref().is_none_or(|(_, least, _)| seated.len() < *least) {
                worst = Some((people, seated.len(), change));
            }
        }
        match worst {
            Some((people, have, change)) if have < chairs => {
                let lack = Lack { first: &first.path, all: matching.len(), have, chairs, change };
                let own = self.lack(step, &words, (&authority, &people), &lack);
                Err(rollback::objection(self.view, step, own))
            }
            _ => {
                let told = told(&words).into_iter().chain(authority.told());
                Ok(told.chain(self.merged(step, &matching)).collect())
            }
        }
    }

    /// Whether this is somebody of `from`.
    fn asks(&self, name: &PrincipalName) -> bool {
        self.rule.seats.iter().any(|seat| seat.from.contains(name))
    }

    /// What gittuf has about a step, where the rule takes that.
    fn authority<'s>(&'s self, step: &'s Step) -> Authority<'s> {
        let landing = self.view.landing.filter(|_| self.rule.gittuf);
        let outside = |name: &PrincipalName| (!self.asks(name)).then_some("is not in `from`");
        landing.map(|landing| Authority::of(landing, step, &outside)).unwrap_or_default()
    }

    /// That Git merged files which the rule asks about.
    fn merged(&self, step: &Step, matching: &[&PathChange]) -> Option<Line> {
        let clean = step.clean.as_ref().filter(|_| self.held.terms.clean_merge)?;
        let asked = |path: &&RepoPath| matching.iter().any(|change| change.path == **path);
        let mut paths = clean.paths.iter().filter(asked);
        let line = Line::new("Git merged ").path(paths.next()?);
        let line = match paths.count() {
            0 => line,
            more => line.text(format!(" and {more} more")),
        };
        Some(line.text(" with what ").short_ref(self.held.name).text(" has there"))
    }

    fn lack(
        &self,
        step: &Step,
        words: &[(&Candidate, Word)],
        (authority, people): (&Authority<'_>, &[&PrincipalName]),
        lack: &Lack<'_>,
    ) -> Objection {
        let what = match lack.all {
            1 => Line::new("").path(lack.first).text(" changed, "),
            n => Line::new("").path(lack.first).text(format!(" and {} more changed, ", n - 1)),
        };
        let what = what.text(format!("{} of {} ", lack.have, lack.chairs));
        let mut objection = Objection::new(what.text(plural(lack.chairs)));
        if step.kind == StepKind::Merge {
            let line = Line::new("by merge ").oid(step.to).text(" ").quoted(&step.subject);
            objection = objection.detail(line);
        }
        if let Some((commit, why)) = &step.makers.unknown {
            let line = Line::new("").oid(*commit).text(" ").text(*why);
            let seats = if self.rule.seats.len() > 1 { " in every seat" } else { "" };
            objection = objection.detail(line.text(": one approval more is asked").text(seats));
        }
        objection = self.held.evidence(objection, step, words, lack.change);
        objection = authority.evidence(objection, self.view);
        // Last, for what is cut is cut from the end, and the hint names people anyway.
        objection = objection.detail(self.reviewers_line());
        let objection = self.with_remedy(objection, step, people, lack.chairs - lack.have);
        authority.remedy(objection, step, self.held.name)
    }

    /// Who can give what is missing, and the commands.
    fn with_remedy(
        &self,
        mut objection: Objection,
        step: &Step,
        people: &[&PrincipalName],
        missing: usize,
    ) -> Objection {
        let can = |name: &&PrincipalName| {
            !step.makers.known.contains_key(*name) && !people.contains(name)
        };
        let mut from: Vec<PrincipalName> =
            self.rule.seats.iter().flat_map(|s| &s.from.names).filter(can).cloned().collect();
        from.sort();
        from.dedup();
        let nobody = "everyone in `from` is a maker of this";
        if let Some(path) = step.overtaken.as_ref().filter(|_| !self.takes_merge(step)) {
            return self.held.overtaken(objection, path, &from, nobody);
        }
        objection = self.held.first_steps(objection, step);
        let hint = match from.is_empty() {
            true => Hint::new(Line::new(nobody).text(": ask the operators for a reviewer")),
            false => self.held.ask(step, &from, missing),
        };
        objection = objection.hint(hint);
        objection.missing = Some(Missing { approvals: missing, from });
        objection
    }

    /// Whether an approval of the topic as it is holds for what Git merged.
    fn takes_merge(&self, step: &Step) -> bool {
        self.held.terms.clean_merge && step.clean.is_some()
    }

    fn reviewers_line(&self) -> Line {
        let mut line = Line::new("approvals count from ");
        for (i, seat) in self.rule.seats.iter().enumerate() {
            let words = seat.from.written.join(", ");
            line = line.text(if i == 0 {
                words
            } else {
                format!(", and {} from {words}", seat.approvals)
            });
        }
        line
    }
}

/// Whether the rule asks approval for a changed entry: by what it is, and by what happens to it.
fn covers(rule: &Approval, change: &PathChange, step: &Step) -> bool {
    rule.operations.touch(change) && rule.scope.covers(change, step)
}

struct Lack<'l> {
    first: &'l RepoPath,
    all: usize,
    have: usize,
    chairs: usize,
    change: &'l PathChange,
}
