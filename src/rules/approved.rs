//! Who approved a step: which statements count, whose reject stops it, and what people can do who
//! lack an approval. What `approval` and `code-owners` share.

use crate::facts::change::PathChange;
use crate::facts::evidence::{Candidate, NearMiss, Reject, Standing};
use crate::facts::landing::{CleanMerge, Landing, Segment, Step};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::rules::age;
use crate::rules::rule::{KeyDoc, Shape};
use crate::rules::words::{by_a_maker, first_with_rest, meet, no_approval, no_yes};
use crate::statement::fields::ApprovalVerdict;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many people a hint names.
pub(crate) const NAMES_TOLD_MAX: usize = 8;

/// How many statements a message tells of.
pub(crate) const TOLD_MAX: usize = 4;

/// The key `fresh`, where a rule is about approvals.
pub(crate) const FRESH: KeyDoc = KeyDoc {
    name: "fresh",
    shape: Shape::Flag,
    default: Some("false"),
    required: false,
    doc: "the approval must have been given on the branch as it stands now",
};

/// How an approval has to be to count, whoever gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How old it may be.
    pub(crate) max_age_seconds: Option<i64>,
    /// Whether it must have been given on the step's first parent.
    pub(crate) fresh: bool,
    /// Whether a reject stops the step.
    pub(crate) veto: bool,
    /// Whether it holds for what Git made of the change where the branch has moved in the same file.
    pub(crate) clean_merge: bool,
}

/// What approvals are held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'b> {
    pub(crate) terms: Terms,
    pub(crate) name: &'b Refname,
    pub(crate) moment: Moment,
}

/// Why a candidate does not count for this rule, or that it does.
pub(crate) enum Word {
    Counts,
    Not(Line),
}

/// A step's candidates, and whether each counts.
pub(crate) type Words<'c> = Vec<(&'c Candidate, Word)>;

/// Judges a landing step by step: each run whole, else commit by commit; or the whole move as one.
pub(crate) fn judge(
    landing: &Landing,
    step: &dyn Fn(&Step) -> Result<Vec<Line>, Objection>,
) -> Ruling {
    let mut notes = Vec::new();
    let mut objections = Vec::new();
    for it in &landing.segments {
        match segment(it, step) {
            Ok(told) => notes.extend(told),
            Err(objection) => objections.push(objection),
        }
    }
    if objections.is_empty() {
        return Ruling { objections, notes };
    }
    if let Some(Ok(notes)) = landing.whole.as_deref().map(step) {
        return Ruling { objections: Vec::new(), notes };
    }
    Ruling { objections: first_with_rest(objections), notes }
}

/// A segment as one step, else commit by commit.
fn segment(
    segment: &Segment,
    step: &dyn Fn(&Step) -> Result<Vec<Line>, Objection>,
) -> Result<Vec<Line>, Objection> {
    let whole = step(&segment.whole);
    if whole.is_ok() || segment.each.is_empty() {
        return whole;
    }
    let each: Result<Vec<Vec<Line>>, Objection> = segment.each.iter().map(step).collect();
    each.map(|lines| lines.concat()).or(whole)
}

impl Held<'_> {
    /// Which of a step's candidates count. `outside` says why somebody's does not whom the rule does
    /// not ask.
    pub(crate) fn words<'c>(
        &self,
        step: &'c Step,
        outside: &dyn Fn(&PrincipalName) -> Option<&'static str>,
    ) -> Words<'c> {
        step.candidates.iter().map(|c| (c, self.word(step, c, outside))).collect()
    }

    fn word(
        &self,
        step: &Step,
        candidate: &Candidate,
        outside: &dyn Fn(&PrincipalName) -> Option<&'static str>,
    ) -> Word {
        let no = match &candidate.standing {
            Standing::ByMerge(_) if self.clean(step, candidate).is_some() => no_yes(candidate),
            Standing::Good | Standing::Not(_) | Standing::ByMerge(_) => no_approval(candidate),
        };
        let no = no.or_else(|| by_a_maker(step, candidate));
        if let Some(why) = no {
            return Word::Not(why);
        }
        let says = &candidate.says;
        let person = Line::new("").name(&says.person).text(" ");
        if let Some(why) = outside(&says.person) {
            return Word::Not(person.text(why));
        }
        if let Some(seconds) = self.terms.max_age_seconds
            && age::is_older(says.date, seconds, self.moment)
        {
            let line = person.text("approved it on ").text(says.date.rfc3339_seconds());
            return Word::Not(line.text(", longer ago than `max-age`"));
        }
        if self.terms.fresh && Some(says.base) != step.from {
            let line = person.text("approved it from ").oid(says.base);
            return Word::Not(line.text(", the branch has moved since (`fresh`)"));
        }
        Word::Counts
    }

    /// A reject, maker's or not, by somebody whom the rule asks about an entry stops the step.
    pub(crate) fn rejected(
        &self,
        step: &Step,
        asks: &dyn Fn(&PrincipalName, &PathChange) -> bool,
    ) -> Option<Objection> {
        if !self.terms.veto {
            return None;
        }
        let stopped = |reject: &Reject| Some((reject.clone(), self.stops(step, reject, asks)?));
        // What Git merged was rejected as it was before.
        let merged = step.clean.iter().filter(|_| self.terms.clean_merge);
        let mut rejects = step.rejects.iter().chain(merged.flat_map(|clean| &clean.rejects));
        let (reject, change) = rejects.find_map(stopped)?;
        let what = Line::new("").name(&reject.person).text(" rejected ").path(&change.path);
        let what = what.text(" as in ").oid(reject.commit);
        let when = Line::new("on ").text(reject.date.rfc3339_seconds());
        let when = when.text("; it stands until they say otherwise, or until ");
        let when = when.text(reject.expires.rfc3339_seconds());
        let talk = Line::new("settle it with ").name(&reject.person).text(", who can then run");
        let approve = self.command("portcullis approve ", approvable(step));
        let back = self.command("portcullis revoke ", reject.commit);
        let objection = Objection::new(what).detail(when).hint(Hint::run(talk, approve));
        Some(objection.hint(Hint::run(Line::new("or only take the reject back"), back)))
    }

    /// The first entry of the step that a reject stops: the rule asks its signer about it, and they
    /// have not approved it since.
    fn stops<'s>(
        &self,
        step: &'s Step,
        reject: &Reject,
        asks: &dyn Fn(&PrincipalName, &PathChange) -> bool,
    ) -> Option<&'s PathChange> {
        let may_count = |c: &Candidate| match &c.standing {
            Standing::Good => true,
            Standing::ByMerge(_) => self.clean(step, c).is_some(),
            Standing::Not(_) => false,
        };
        let approved_since = |change: &PathChange| {
            step.candidates.iter().any(|c| {
                may_count(c)
                    && c.verdict() == Some(ApprovalVerdict::Approve)
                    && c.says.person == reject.person
                    && c.says.date > reject.date
                    && self.holds(step, c, change)
            })
        };
        let rejected = reject.entries.iter().filter_map(|at| step.delta.changes().get(*at));
        let mut asked = rejected.filter(|change| asks(&reject.person, change));
        asked.find(|change| !approved_since(change))
    }

    /// What Git merged of the change that a statement is about, where that counts.
    fn clean<'s>(&self, step: &'s Step, candidate: &Candidate) -> Option<&'s CleanMerge> {
        let clean = step.clean.as_ref().filter(|_| self.terms.clean_merge)?;
        (candidate.says.delta == clean.digest).then_some(clean)
    }

    /// Whether a statement speaks of an entry of the step: of exactly that, or of what Git merged
    /// into it.
    fn holds(&self, step: &Step, candidate: &Candidate, change: &PathChange) -> bool {
        let merged = |clean: &CleanMerge| clean.paths.binary_search(&change.path).is_ok();
        holds(candidate, change) || self.clean(step, candidate).is_some_and(merged)
    }

    /// The people whose counting statements speak of this entry, each once.
    pub(crate) fn holders<'c>(
        &self,
        step: &Step,
        words: &[(&'c Candidate, Word)],
        change: &PathChange,
    ) -> Vec<&'c PrincipalName> {
        people_of(words, |candidate| self.holds(step, candidate, change))
    }

    /// The command by which somebody says something about a commit.
    pub(crate) fn command(&self, verb: &'static str, commit: Oid) -> Line {
        Line::new(verb).oid(commit).text(" --for ").piece(Piece::ShortRef(self.name.clone()))
    }

    /// What speaks for a step without being enough, and what is peculiar about it.
    pub(crate) fn evidence(
        &self,
        mut objection: Objection,
        step: &Step,
        words: &[(&Candidate, Word)],
        change: &PathChange,
    ) -> Objection {
        for (candidate, word) in words.iter().take(TOLD_MAX) {
            let line = match word {
                Word::Not(line) => line.clone(),
                Word::Counts if self.holds(step, candidate, change) => approved(candidate),
                Word::Counts => approved(candidate).text(" without ").path(&change.path),
            };
            objection = objection.detail(line);
        }
        for near in step.near.iter().take(TOLD_MAX) {
            objection = objection.detail(near_line(near, self.name));
        }
        objection
    }

    /// What has to be done before anybody is asked.
    pub(crate) fn first_steps(&self, mut objection: Objection, step: &Step) -> Objection {
        if step.near.iter().any(|near| near.moved) {
            let line = Line::new("merge ").short_ref(self.name).text(" into the topic, push it, ");
            objection = objection.hint(Hint::new(line.text("and have that approved")));
        }
        let commit = approvable(step);
        if step.not_before.contains(&commit) {
            let push = Line::new("git push origin ").oid(commit).text(":refs/heads/TOPIC");
            objection =
                objection.hint(Hint::run(Line::new("push the work to a branch first"), push));
        }
        objection
    }

    /// Whom to ask, and what they have to run; never for nobody.
    pub(crate) fn ask(&self, step: &Step, from: &[PrincipalName], missing: usize) -> Hint {
        let count = if missing == 1 { "one".to_owned() } else { missing.to_string() };
        let ask = match from.len() {
            1 => Line::new("ask "),
            _ => Line::new(format!("ask {count} of ")),
        };
        let ask = ask.names(from.iter().take(NAMES_TOLD_MAX)).text(" to run");
        Hint::run(ask, self.command("portcullis approve ", approvable(step)))
    }

    /// What can be done where no approval of the topic as it is would count.
    pub(crate) fn overtaken(
        &self,
        objection: Objection,
        path: &RepoPath,
        from: &[PrincipalName],
        nobody: &'static str,
    ) -> Objection {
        let moved = Line::new("").short_ref(self.name).text(" has moved in ").path(path);
        let moved = moved.text(" since the topic left it");
        let ask = match from {
            [] => Line::new("ask the operators for a reviewer: ").text(nobody),
            [one] => Line::new("then ask ").names([one]).text(" to approve that"),
            _ => {
                let ask = Line::new("then ask one of ").names(from.iter().take(NAMES_TOLD_MAX));
                ask.text(" to approve that")
            }
        };
        objection.detail(moved).hint(meet(self.name, "and have that approved")).hint(Hint::new(ask))
    }
}

/// A path that came and went: nobody can have approved that.
pub(crate) fn hidden(path: &RepoPath) -> Objection {
    let what = Line::new("").path(path).text(" changes and changes back within this push");
    let detail = Line::new("judged as one change nobody can have approved that");
    let hint = Line::new("squash the commits, or leave the two out that undo each other");
    Objection::new(what).detail(detail).hint(Hint::new(hint))
}

/// The commit that a reviewer should name.
pub(crate) fn approvable(step: &Step) -> Oid {
    step.source.first().copied().unwrap_or(step.to)
}

/// The people whose counting statements hold exactly this entry, each once.
pub(crate) fn holders<'c>(
    words: &[(&'c Candidate, Word)],
    change: &PathChange,
) -> Vec<&'c PrincipalName> {
    people_of(words, |candidate| holds(candidate, change))
}

fn people_of<'c>(
    words: &[(&'c Candidate, Word)],
    holds: impl Fn(&Candidate) -> bool,
) -> Vec<&'c PrincipalName> {
    let mut people: Vec<&PrincipalName> = Vec::new();
    for (candidate, word) in words {
        let person = &candidate.says.person;
        if matches!(word, Word::Counts) && holds(candidate) && !people.contains(&person) {
            people.push(person);
        }
    }
    people
}

/// Whether a statement's delta has exactly this entry.
pub(crate) fn holds(candidate: &Candidate, change: &PathChange) -> bool {
    let changes = candidate.delta.changes();
    changes.binary_search_by(|c| c.path.cmp(&change.path)).is_ok_and(|at| changes[at] == *change)
}

/// What each statement came to, the first few.
pub(crate) fn told(words: &[(&Candidate, Word)]) -> Vec<Line> {
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

/// `approval` or `approvals`.
pub(crate) fn plural(n: usize) -> &'static str {
    if n == 1 { "approval" } else { "approvals" }
}
