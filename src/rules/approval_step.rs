//! One step against an approval rule: which entries need approval, who gave it, what is missing.

use crate::facts::change::PathChange;
use crate::facts::evidence::{Candidate, NearMiss, Reject, Standing};
use crate::facts::landing::{Segment, Step, StepKind};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::rules::age;
use crate::rules::approval::Approval;
use crate::rules::links;
use crate::rules::rollback;
use crate::rules::seats::seat_people;
use crate::rules::view::View;
use crate::rules::words::{by_a_maker, first_with_rest, meet, no_approval};
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::{Missing, Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many people a hint names.
const NAMES_TOLD_MAX: usize = 8;

/// How many statements a message tells of.
const TOLD_MAX: usize = 4;

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &Approval, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let name = &view.update.update.name;
    let bench = Bench { rule, name, moment: view.push.push.moment, view };
    let mut notes = Vec::new();
    let mut objections = Vec::new();
    for segment in &landing.segments {
        match bench.segment(segment) {
            Ok(told) => notes.extend(told),
            Err(objection) => objections.push(objection),
        }
    }
    if objections.is_empty() {
        return Ruling { objections, notes };
    }
    if let Some(Ok(notes)) = landing.whole.as_deref().map(|step| bench.step(step)) {
        return Ruling { objections: Vec::new(), notes };
    }
    Ruling { objections: first_with_rest(objections), notes }
}

/// What a step is judged with besides its own facts.
pub(crate) struct Bench<'b> {
    pub(crate) rule: &'b Approval,
    pub(crate) name: &'b Refname,
    pub(crate) moment: Moment,
    pub(crate) view: &'b View<'b>,
}

/// Why a candidate does not count for this rule, or that it does.
enum Word {
    Counts,
    Not(Line),
}

impl Bench<'_> {
    /// A segment as one step, else commit by commit.
    fn segment(&self, segment: &Segment) -> Result<Vec<Line>, Objection> {
        let whole = self.step(&segment.whole);
        if whole.is_ok() || segment.each.is_empty() {
            return whole;
        }
        let each: Result<Vec<Vec<Line>>, Objection> =
            segment.each.iter().map(|step| self.step(step)).collect();
        each.map(|lines| lines.concat()).or(whole)
    }

    /// `Ok` with what spoke for the step, or the objection to it.
    pub(crate) fn step(&self, step: &Step) -> Result<Vec<Line>, Objection> {
        let matching: Vec<&PathChange> =
            step.delta.changes().iter().filter(|c| covers(self.rule, c, step)).collect();
        if let Some(path) = step.hidden.iter().find(|p| self.rule.scope.covers_path(p)) {
            let what = Line::new("").path(path).text(" changes and changes back within this push");
            let detail = Line::new("judged as one change nobody can have approved that");
            let hint = Line::new("squash the commits, or leave the two out that undo each other");
            return Err(Objection::new(what).detail(detail).hint(Hint::new(hint)));
        }
        let Some(first) = matching.first() else { return Ok(Vec::new()) };
        if let Some(objection) = links::leads_out(&self.rule.scope, step, &matching) {
            return Err(objection);
        }
        let words: Vec<(&Candidate, Word)> =
            step.candidates.iter().map(|c| (c, self.word(step, c))).collect();
        if let Some(objection) = self.rejected(step) {
            return Err(objection);
        }
        if let Some(note) = rollback::granted(self.view, step) {
            return Ok(vec![note]);
        }
        let extra = usize::from(step.makers.unknown.is_some());
        let chairs: usize = self.rule.seats.iter().map(|s| s.approvals + extra).sum();
        let mut worst: Option<(Vec<&PrincipalName>, usize, &PathChange)> = None;
        for change in matching.iter().copied() {
            let people = holders(&words, change);
            let seated: Vec<&PrincipalName> =
                seat_people(&self.rule.seats, extra, &people).into_iter().flatten().collect();
            if worst.as_ref().is_none_or(|(_, least, _)| seated.len() < *least) {
                worst = Some((people, seated.len(), change));
            }
        }
        match worst {
            Some((people, have, change)) if have < chairs => {
                let lack = Lack { first: &first.path, all: matching.len(), have, chairs, change };
                let own = self.lack(step, &words, &people, &lack);
                Err(rollback::objection(self.view, step, own))
            }
            _ => Ok(told(&words)),
        }
    }

    /// Whether one candidate counts for this rule.
    fn word(&self, step: &Step, candidate: &Candidate) -> Word {
        let no = no_approval(candidate).or_else(|| by_a_maker(step, candidate));
        if let Some(why) = no {
            return Word::Not(why);
        }
        let says = &candidate.says;
        let person = Line::new("").name(&says.person).text(" ");
        if !self.rule.seats.iter().any(|seat| seat.from.contains(&says.person)) {
            return Word::Not(person.text("approved it, and is not in `from`"));
        }
        if let Some(seconds) = self.rule.max_age_seconds
            && age::is_older(says.date, seconds, self.moment)
        {
            let line = person.text("approved it on ").text(says.date.rfc3339_seconds());
            return Word::Not(line.text(", longer ago than `max-age`"));
        }
        if self.rule.fresh && Some(says.base) != step.from {
            let line = person.text("approved it from ").oid(says.base);
            return Word::Not(line.text(", the branch has moved since (`fresh`)"));
        }
        Word::Counts
    }

    /// A reject by anyone in `from`, maker or not, stops the step.
    fn rejected(&self, step: &Step) -> Option<Objection> {
        if !self.rule.veto {
            return None;
        }
        let asked =
            |reject: &&Reject| self.rule.seats.iter().any(|s| s.from.contains(&reject.person));
        let stopped = |reject: &Reject| Some((reject.clone(), self.stops(step, reject)?));
        let (reject, change) = step.rejects.iter().filter(asked).find_map(stopped)?;
        let what = Line::new("").name(&reject.person).text(" rejected ").path(&change.path);
        let what = what.text(" as in ").oid(reject.commit);
        let when = Line::new("on ").text(reject.date.rfc3339_seconds());
        let when = when.text("; it stands until they say otherwise, or until ");
        let when = when.text(reject.expires.rfc3339_seconds());
        let verb = |verb: &'static str, commit: Oid| {
            let command = Line::new(verb).oid(commit).text(" --for ");
            command.piece(short(self.name))
        };
        let talk = Line::new("settle it with ").name(&reject.person).text(", who can then run");
        let approve = verb("portcullis approve ", self.approvable(step));
        let back = verb("portcullis revoke ", reject.commit);
        let objection = Objection::new(what).detail(when).hint(Hint::run(talk, approve));
        Some(objection.hint(Hint::run(Line::new("or only take the reject back"), back)))
    }

    /// The first entry of the step that a reject stops: the rule covers it, and its signer has not
    /// approved it since.
    fn stops<'s>(&self, step: &'s Step, reject: &Reject) -> Option<&'s PathChange> {
        let approved_since = |change: &PathChange| {
            step.candidates.iter().any(|c| {
                c.standing == Standing::Good
                    && c.verdict() == Some(ApprovalVerdict::Approve)
                    && c.says.person == reject.person
                    && c.says.date > reject.date
                    && holds(c, change)
            })
        };
        let rejected = reject.entries.iter().filter_map(|at| step.delta.changes().get(*at));
        let mut covered = rejected.filter(|change| covers(self.rule, change, step));
        covered.find(|change| !approved_since(change))
    }

    fn lack(
        &self,
        step: &Step,
        words: &[(&Candidate, Word)],
        people: &[&PrincipalName],
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
        for (candidate, word) in words.iter().take(TOLD_MAX) {
            let line = match word {
                Word::Not(line) => line.clone(),
                Word::Counts if holds(candidate, lack.change) => approved(candidate),
                Word::Counts => approved(candidate).text(" without ").path(&lack.change.path),
            };
            objection = objection.detail(line);
        }
        for near in step.near.iter().take(TOLD_MAX) {
            objection = objection.detail(near_line(near, self.name));
        }
        // Last, for what is cut is cut from the end, and the hint names people anyway.
        objection = objection.detail(self.reviewers_line());
        self.with_remedy(objection, step, people, lack.chairs - lack.have)
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
        if let Some(path) = &step.overtaken {
            return overtaken(objection, path, self.name, &from);
        }
        if step.near.iter().any(|near| near.moved) {
            let line = Line::new("merge ").short_ref(self.name).text(" into the topic, push it, ");
            objection = objection.hint(Hint::new(line.text("and have that approved")));
        }
        let commit = self.approvable(step);
        if step.not_before.contains(&commit) {
            let push = Line::new("git push origin ").oid(commit).text(":refs/heads/TOPIC");
            objection =
                objection.hint(Hint::run(Line::new("push the work to a branch first"), push));
        }
        let command = Line::new("portcullis approve ").oid(commit).text(" --for ");
        let command = command.piece(short(self.name));
        let ask = if from.is_empty() {
            Line::new("everyone in `from` is a maker of this: ask the operators for a reviewer")
        } else {
            let count = if missing == 1 { "one".to_owned() } else { missing.to_string() };
            let ask = match from.len() {
                1 => Line::new("ask "),
                _ => Line::new(format!("ask {count} of ")),
            };
            ask.names(from.iter().take(NAMES_TOLD_MAX)).text(" to run")
        };
        let hint = if from.is_empty() { Hint::new(ask) } else { Hint::run(ask, command) };
        objection = objection.hint(hint);
        objection.missing = Some(Missing { approvals: missing, from });
        objection
    }

    /// The commit that a reviewer should name.
    fn approvable(&self, step: &Step) -> Oid {
        step.source.first().copied().unwrap_or(step.to)
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

/// What can be done where no approval of the topic as it is would count.
fn overtaken(
    objection: Objection,
    path: &RepoPath,
    name: &Refname,
    from: &[PrincipalName],
) -> Objection {
    let moved = Line::new("").short_ref(name).text(" has moved in ").path(path);
    let moved = moved.text(" since the topic left it");
    let ask = match from {
        [] => Line::new("ask the operators for a reviewer: everyone in `from` is a maker of this"),
        [one] => Line::new("then ask ").names([one]).text(" to approve that"),
        _ => {
            let ask = Line::new("then ask one of ").names(from.iter().take(NAMES_TOLD_MAX));
            ask.text(" to approve that")
        }
    };
    objection.detail(moved).hint(meet(name, "and have that approved")).hint(Hint::new(ask))
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

/// The people whose counting statements hold exactly this entry, each once.
fn holders<'c>(words: &[(&'c Candidate, Word)], change: &PathChange) -> Vec<&'c PrincipalName> {
    let mut people: Vec<&PrincipalName> = Vec::new();
    for (candidate, word) in words {
        let person = &candidate.says.person;
        if matches!(word, Word::Counts) && holds(candidate, change) && !people.contains(&person) {
            people.push(person);
        }
    }
    people
}

fn holds(candidate: &Candidate, change: &PathChange) -> bool {
    let changes = candidate.delta.changes();
    changes.binary_search_by(|c| c.path.cmp(&change.path)).is_ok_and(|at| changes[at] == *change)
}

fn told(words: &[(&Candidate, Word)]) -> Vec<Line> {
    let tell = |(candidate, word): &(&Candidate, Word)| match word {
        Word::Counts => approved(candidate),
        Word::Not(line) => line.clone(),
    };
    words.iter().take(TOLD_MAX).map(tell).collect()
}

fn approved(candidate: &Candidate) -> Line {
    Line::new("").name(&candidate.says.person).text(" approved ").oid(candidate.says.commit)
}

fn near_line(near: &NearMiss, name: &Refname) -> Line {
    let line = Line::new("").name(&near.person).text(" approved ");
    if let Some(other) = &near.other_ref {
        return line.oid(near.commit).text(" for ").refname(other).text(", which is another ref");
    }
    let line = line.count(near.entries, "entry", "entries").text(" of ").oid(near.commit);
    let Some(path) = &near.first_new else {
        return line.text(", this push brings less");
    };
    if near.moved {
        return line.text(", but ").short_ref(name).text(" moved in ").path(path).text(" since");
    }
    let line = line.text(", this push brings ").text(near.step_entries.to_string()).text(": ");
    line.path(path).text(" is new or other")
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "approval" } else { "approvals" }
}

fn short(name: &Refname) -> Piece {
    Piece::ShortRef(name.clone())
}
