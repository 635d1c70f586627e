//! One step against a `code-owners` rule: what each path needs, who gave it, what is missing.
//!
//! Each demand stands by itself: one person's approval serves every line that names them, as it does
//! on the forges.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::change::PathChange;
use crate::facts::landing::{Landing, Step, StepKind};
use crate::facts::owners::OwnersFile;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::roster::party::Party;
use crate::rules::approved::{self, Held, TOLD_MAX, Words, hidden, holders, plural, told};
use crate::rules::code_owners::CodeOwners;
use crate::rules::code_owners_asked::{Dead, Demand, Source, nobodies};
use crate::rules::rollback;
use crate::rules::seats::Seat;
use crate::rules::view::View;
use crate::verdict::finding::{Missing, Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// How many demands a broken glass keeps.
const ASKS_MAX: usize = 50;

/// Judges one ref update. Deletions are not this rule's business.
pub(crate) fn judge(rule: &CodeOwners, view: &View<'_>) -> Ruling {
    let Some(landing) = view.landing else { return Ruling::default() };
    let Some(file) = view.owners else {
        let what = "the file that says who owns what was not looked for";
        return Ruling { objections: vec![Objection::new(Line::new(what))], notes: Vec::new() };
    };
    let name = &view.update.update.name;
    let held = Held { terms: rule.terms, name, moment: view.push.push.moment };
    let bench = Bench { rule, file, held, view };
    approved::judge(landing, &|step| bench.step(step))
}

/// What the rule asks for of this update, demand by demand: those that the others do not include.
pub(crate) fn asks(rule: &CodeOwners, view: &View<'_>) -> Vec<Seat> {
    let (Some(landing), Some(file)) = (view.landing, view.owners) else { return Vec::new() };
    let mut asked: BTreeMap<BTreeSet<PrincipalName>, usize> = BTreeMap::new();
    for change in Landing::steps(landing).flat_map(|step| step.delta.changes()) {
        for demand in rule.asked(file, &change.path).unwrap_or_default() {
            let most = asked.entry(demand.from.into_owned()).or_default();
            *most = demand.approvals.max(*most);
        }
    }
    let all: Vec<(BTreeSet<PrincipalName>, usize)> = asked.into_iter().collect();
    let alone = outermost(&all).into_iter().take(ASKS_MAX);
    alone.map(|(names, approvals)| seat(names.clone(), *approvals)).collect()
}

fn seat(names: BTreeSet<PrincipalName>, approvals: usize) -> Seat {
    Seat { approvals, from: Party { names, written: Vec::new() } }
}

/// Of several demands those that no other includes: as many approvals or more, of some of the same
/// people.
fn outermost(all: &[(BTreeSet<PrincipalName>, usize)]) -> Vec<&(BTreeSet<PrincipalName>, usize)> {
    let included = |at: usize, (names, approvals): &(BTreeSet<PrincipalName>, usize)| {
        all.iter().enumerate().any(|(other, (fewer, more))| {
            let same = fewer == names && more == approvals;
            at != other && fewer.is_subset(names) && more >= approvals && (!same || other < at)
        })
    };
    all.iter().enumerate().filter(|(at, it)| !included(*at, it)).map(|(_, it)| it).collect()
}

/// What a step is judged with besides its own facts.
struct Bench<'b> {
    rule: &'b CodeOwners,
    file: &'b OwnersFile,
    held: Held<'b>,
    view: &'b View<'b>,
}

/// A demand that is not met.
struct Lack<'l> {
    demand: Demand<'l>,
    /// The first path that lacks most, and how many lack something.
    change: &'l PathChange,
    paths: usize,
    have: usize,
    /// Who gave what was given.
    gave: Vec<&'l PrincipalName>,
}

impl Lack<'_> {
    fn missing(&self, extra: usize) -> usize {
        (self.demand.approvals + extra).saturating_sub(self.have)
    }

    /// Who can give what is missing.
    fn can(&self, step: &Step) -> Vec<PrincipalName> {
        let names = self.demand.from.iter();
        let can = names.filter(|name| !step.makers.known.contains_key(*name));
        can.filter(|name| !self.gave.contains(name)).cloned().collect()
    }
}

impl Bench<'_> {
    /// `Ok` with what spoke for the step, or the objection to it.
    fn step(&self, step: &Step) -> Result<Vec<Line>, Objection> {
        let (rule, file) = (self.rule, self.file);
        let free = |path: &RepoPath| rule.asked(file, path).is_ok_and(|demands| demands.is_empty());
        if let Some(path) = step.hidden.iter().find(|path| !free(path)) {
            return Err(hidden(path));
        }
        let changes = step.delta.changes();
        let asked: Vec<_> = changes.iter().map(|it| (it, rule.asked(file, &it.path))).collect();
        let owners: BTreeSet<&PrincipalName> = asked
            .iter()
            .flat_map(|(_, demands)| demands.iter().flatten())
            .flat_map(|demand| demand.from.iter())
            .collect();
        let outside = |name: &PrincipalName| {
            (!owners.contains(name)).then_some("approved it, and owns nothing of it")
        };
        let words = self.held.words(step, &outside);
        let asks = |name: &PrincipalName, change: &PathChange| {
            let demands = rule.asked(file, &change.path).unwrap_or_default();
            demands.iter().any(|demand| demand.from.contains(name))
        };
        if let Some(objection) = self.held.rejected(step, &asks) {
            return Err(objection);
        }
        if let Some(note) = rollback::granted(self.view, step) {
            return Ok(vec![note]);
        }
        let dead: Vec<_> =
            asked.iter().filter_map(|(it, asked)| Some((*it, asked.as_ref().err()?))).collect();
        let objection = match dead.first() {
            Some((change, why)) => self.dead(change, why, &dead),
            None => {
                let asked = asked.into_iter().map(|(it, asked)| (it, asked.unwrap_or_default()));
                let lacks = lacks(step, &words, asked);
                match lacks.is_empty() {
                    true => return Ok(told(&words)),
                    false => self.lack(step, &words, &lacks),
                }
            }
        };
        Err(rollback::objection(self.view, step, objection))
    }

    fn dead(&self, change: &PathChange, why: &Dead, all: &[(&PathChange, &Dead)]) -> Objection {
        let same = all.iter().filter(|(_, other)| *other == why).count();
        self.rule.dead(self.file, why, changed(&change.path, same))
    }

    fn lack(&self, step: &Step, words: &Words<'_>, lacks: &[Lack<'_>]) -> Objection {
        let extra = usize::from(step.makers.unknown.is_some());
        let Some(first) = lacks.first() else { return Objection::new(Line::default()) };
        let chairs = first.demand.approvals + extra;
        let what = changed(&first.change.path, first.paths);
        let what = what.text(format!(", {} of {chairs} {}", first.have, plural(chairs)));
        let by = if first.demand.of == Source::From { " for it" } else { " by its owners" };
        let mut objection = Objection::new(what.text(by));
        objection = objection.detail(self.rule.because(self.file, first.demand.of));
        for lack in lacks.iter().skip(1).take(TOLD_MAX) {
            let line = changed(&lack.change.path, lack.paths).text(format!(
                ", {} of {}: ",
                lack.have,
                lack.demand.approvals + extra
            ));
            let because = self.rule.because(self.file, lack.demand.of);
            objection = objection.detail(line.line(&because));
        }
        if let Some(more @ 1..) = lacks.len().checked_sub(TOLD_MAX + 1) {
            let line = Line::new("and ").count(more, "demand more", "demands more");
            objection = objection.detail(line.text(" of the file"));
        }
        if step.kind == StepKind::Merge {
            let line = Line::new("by merge ").oid(step.to).text(" ").quoted(&step.subject);
            objection = objection.detail(line);
        }
        if let Some((commit, why)) = &step.makers.unknown {
            let line = Line::new("").oid(*commit).text(" ").text(*why);
            objection = objection.detail(line.text(": one approval more is asked"));
        }
        objection = self.held.evidence(objection, step, words, first.change);
        if let Some(owners) = self.file.owners() {
            objection.details.extend(nobodies(owners, first.demand.of));
        }
        self.with_remedy(objection, step, lacks, extra)
    }

    /// Who can give what is missing, and the commands.
    fn with_remedy(
        &self,
        mut objection: Objection,
        step: &Step,
        lacks: &[Lack<'_>],
        extra: usize,
    ) -> Objection {
        let open: Vec<(BTreeSet<PrincipalName>, usize)> = lacks
            .iter()
            .map(|lack| (lack.can(step).into_iter().collect(), lack.missing(extra)))
            .collect();
        let from: BTreeSet<&PrincipalName> = open.iter().flat_map(|(names, _)| names).collect();
        let from: Vec<PrincipalName> = from.into_iter().cloned().collect();
        let nobody = "everyone who owns it is a maker of this";
        if let Some(path) = &step.overtaken {
            return self.held.overtaken(objection, path, &from, nobody);
        }
        objection = self.held.first_steps(objection, step);
        let alone = outermost(&open);
        for (names, missing) in alone.iter().take(TOLD_MAX) {
            let names: Vec<PrincipalName> = names.iter().cloned().collect();
            objection = objection.hint(match names.len() {
                0 => Hint::new(Line::new(nobody).text(": ask the operators for another owner")),
                able if able < *missing => {
                    let line = Line::new(format!("{missing} are asked for, and only "));
                    let line = line.names(&names).text(if able == 1 { " is" } else { " are" });
                    Hint::new(line.text(" left who can give one: ask for another owner"))
                }
                _ => self.held.ask(step, &names, *missing),
            });
        }
        let approvals = alone.iter().map(|(_, missing)| missing).sum();
        objection.missing = Some(Missing { approvals, from });
        objection
    }
}

/// The demands that are not met, each once, in the order of their first paths.
fn lacks<'l>(
    step: &'l Step,
    words: &Words<'l>,
    asked: impl Iterator<Item = (&'l PathChange, Vec<Demand<'l>>)>,
) -> Vec<Lack<'l>> {
    let extra = usize::from(step.makers.unknown.is_some());
    let mut lacks: Vec<Lack<'l>> = Vec::new();
    let mut known: BTreeMap<Source, usize> = BTreeMap::new();
    for (change, demands) in asked {
        let people = if demands.is_empty() { Vec::new() } else { holders(words, change) };
        for demand in demands {
            let gave: Vec<_> =
                people.iter().copied().filter(|name| demand.from.contains(*name)).collect();
            let have = gave.len();
            if have >= demand.approvals + extra {
                continue;
            }
            match known.get(&demand.of).and_then(|at| lacks.get_mut(*at)) {
                Some(lack) => {
                    lack.paths += 1;
                    if have < lack.have {
                        (lack.change, lack.have, lack.gave) = (change, have, gave);
                    }
                }
                None => {
                    known.insert(demand.of, lacks.len());
                    lacks.push(Lack { demand, change, paths: 1, have, gave });
                }
            }
        }
    }
    lacks
}

/// `app/x changed`, `app/x and 3 more changed`.
fn changed(path: &RepoPath, paths: usize) -> Line {
    match paths.saturating_sub(1) {
        0 => Line::new("").path(path).text(" changed"),
        more => Line::new("").path(path).text(format!(" and {more} more changed")),
    }
}
