//! What a push adds to one ref, cut into steps (product contract, section 1, "Landing").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::change::Delta;
use crate::facts::evidence::{NearCheck, NearMiss, Reject};
use crate::facts::landing::{CleanMerge, Copied, Landing, MergeFact, Segment, Step, StepKind};
use crate::facts::makers::Makers;
use crate::facts::rollback::Rollback;
use crate::gather::candidates::{self, Draft, Found};
use crate::gather::chain::{Arriving, chain, look_over_beside};
use crate::gather::checks;
use crate::gather::clean;
use crate::gather::content;
use crate::gather::error::GatherError;
use crate::gather::links;
use crate::gather::makers::{makers_named_by, makers_of};
use crate::gather::merged::Merged;
use crate::gather::rejects;
use crate::gather::rollback;
use crate::gather::scene::{Asked, Scene};
use crate::gather::source;
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::store::commit::Commit;
use crate::verdict::line::Line;

/// The landing of `end` on a ref, judged from `start`.
///
/// `used` holds the digests whose statements earlier steps of this push have used up; the steps
/// found here add theirs.
pub fn landing(
    scene: &mut Scene<'_>,
    name: &Refname,
    start: Option<Oid>,
    end: Oid,
    asked: &Asked,
    used: &mut BTreeSet<Digest>,
) -> Result<Landing, GatherError> {
    let exclude: Vec<Oid> = start.into_iter().collect();
    let arriving: Arriving = scene.reader.arriving(&[end], &exclude)?.into_iter().collect();
    scene.provenance.learn(&scene.reader, arriving.keys().copied().chain([end]))?;
    let (chain, off_chain) = chain(start, end, &arriving);
    look_over_beside(scene, &chain, &arriving)?;
    let claims = BTreeMap::new();
    let mut builder = Builder { scene, name, asked, used, arriving: &arriving, claims };
    if off_chain {
        let jump = builder.jump(start, end)?;
        let segments = vec![Segment { whole: jump, each: Vec::new() }];
        return Ok(Landing { start, end, off_chain, segments, whole: None, authorized: None });
    }
    let was_before = builder.scene.provenance.origin(&end).was_before();
    let before = builder.used.clone();
    let segments = builder.segments(&chain)?;
    let several = segments.len() > 1 || segments.iter().any(|s| s.whole.kind == StepKind::Merge);
    let mut whole = None;
    if was_before && several {
        let after = std::mem::replace(builder.used, before);
        whole = Some(Box::new(builder.jump(start, end)?));
        builder.used.extend(after);
    }
    Ok(Landing { start, end, off_chain, segments, whole, authorized: None })
}

struct Builder<'b, 'a> {
    scene: &'b mut Scene<'a>,
    name: &'b Refname,
    asked: &'b Asked,
    used: &'b mut BTreeSet<Digest>,
    arriving: &'b Arriving,
    claims: BTreeMap<Oid, Rollback>,
}

impl Builder<'_, '_> {
    fn segments(&mut self, chain: &[Oid]) -> Result<Vec<Segment>, GatherError> {
        self.claims = self.claims(chain)?;
        let mut segments = Vec::new();
        let mut run: Vec<Oid> = Vec::new();
        for &oid in chain {
            let is_merge = self.commit(&oid)?.parents.len() >= 2;
            // A rollback stands by itself: what is pushed with it has to answer for itself too.
            let is_rollback = matches!(self.claims.get(&oid), Some(Rollback::To(_)));
            if !is_merge && !is_rollback {
                run.push(oid);
                continue;
            }
            if !run.is_empty() {
                segments.push(self.run(&std::mem::take(&mut run))?);
            }
            segments.push(match is_merge {
                true => Segment { whole: self.merge(oid)?, each: Vec::new() },
                false => self.run(&[oid])?,
            });
        }
        if !run.is_empty() {
            segments.push(self.run(&run)?);
        }
        Ok(segments)
    }

    /// What the trailers of this chain's commits claim, and what the claims come to.
    fn claims(&self, chain: &[Oid]) -> Result<BTreeMap<Oid, Rollback>, GatherError> {
        let mut claims = BTreeMap::new();
        let Some(asked) = &self.asked.rollback else { return Ok(claims) };
        for oid in chain {
            let commit = self.commit(oid)?;
            if commit.parents.len() > 1 || !rollback::is_claimed(&commit) {
                continue;
            }
            let most = rollback::CLAIMS_MAX;
            let found = match claims.len() < most {
                true => rollback::look(self.scene, self.name, asked.within_seconds, oid)?,
                false => {
                    let line = format!("one push has more than {most} claims of a rollback");
                    Some(Rollback::Not(Line::new(line)))
                }
            };
            claims.extend(found.map(|found| (*oid, found)));
        }
        Ok(claims)
    }

    /// A run of single-parent commits: judged whole, else commit by commit. Each reading may use
    /// the same statements; what either uses is used afterwards.
    fn run(&mut self, commits: &[Oid]) -> Result<Segment, GatherError> {
        let before = self.used.clone();
        let mut whole = self.step(StepKind::Run, commits, Vec::new())?;
        let mut each = Vec::new();
        if commits.len() > 1 {
            let after = std::mem::replace(self.used, before);
            for commit in commits {
                each.push(self.step(StepKind::Run, std::slice::from_ref(commit), Vec::new())?);
            }
            self.used.extend(after);
            let touched = each.iter().flat_map(|s| s.delta.changes().iter());
            whole.hidden = paths_beside(touched.map(|c| c.path.clone()), &whole);
        }
        let makers = self.makers_of_run(commits, &whole, &each)?;
        for step in each.iter_mut().chain([&mut whole]) {
            step.makers = makers.clone();
        }
        Ok(Segment { whole, each })
    }

    /// The makers of a run, by either reading. A commit that only lands what was on the server
    /// before, by itself or as a part of the run, makes nobody a maker by having been made.
    fn makers_of_run(
        &mut self,
        commits: &[Oid],
        whole: &Step,
        each: &[Step],
    ) -> Result<Makers, GatherError> {
        let readings = || std::iter::once(whole).chain(each);
        let copy = |oid: &Oid| {
            let mut copies = readings().filter(|step| !step.copied.of.is_empty());
            copies.any(|step| step.commits == commits.len() || step.to == *oid)
        };
        let lands = |oid: &Oid| copy(oid) && !self.scene.provenance.origin(oid).was_before();
        let (landing, own): (Vec<Oid>, Vec<Oid>) = commits.iter().partition(|oid| lands(oid));
        let mut makers = Makers::default();
        makers_of(self.scene, &own, &mut makers)?;
        for step in readings() {
            makers.merge(&step.makers);
        }
        makers_named_by(self.scene, &landing, &mut makers)?;
        Ok(makers)
    }

    fn merge(&mut self, oid: Oid) -> Result<Step, GatherError> {
        let commit = self.commit(&oid)?;
        let others: Vec<Oid> = commit.parents.iter().skip(1).copied().collect();
        self.step(StepKind::Merge, &[oid], others)
    }

    /// The whole move as one step, whatever it is made of.
    fn jump(&mut self, start: Option<Oid>, end: Oid) -> Result<Step, GatherError> {
        let all: Vec<Oid> = self.arriving.keys().copied().collect();
        let draft =
            Shape { kind: StepKind::Jump, from: start, to: end, own: &all, others: vec![end] };
        let mut step = self.build(draft)?;
        step.commits = all.len();
        let mut touched = Vec::new();
        for oid in &all {
            if self.commit(oid)?.parents.len() < 2 {
                let first = self.commit(oid)?.parents.first().copied();
                let walk = self.scene.reader.delta(first, Some(*oid))?;
                touched.extend(walk.changes().iter().map(|c| c.path.clone()));
            }
        }
        step.hidden = paths_beside(touched.into_iter(), &step);
        Ok(step)
    }

    fn step(&mut self, kind: StepKind, own: &[Oid], others: Vec<Oid>) -> Result<Step, GatherError> {
        let (first, last) = (own.first(), own.last());
        let (Some(first), Some(&to)) = (first, last) else {
            // A step is built from one commit or more; no commit is no history to read.
            return Err(GatherError::NoCommit);
        };
        let from = self.commit(first)?.parents.first().copied();
        self.build(Shape { kind, from, to, own, others })
    }

    fn build(&mut self, shape: Shape<'_>) -> Result<Step, GatherError> {
        let Shape { kind, from, to, own, others } = shape;
        let delta = self.scene.reader.delta(from, Some(to))?;
        let change = self.change(kind, from, own, &others)?;
        let Brought { merge, overtaken, clean, digests } =
            self.brought((kind, from, to), &others, &delta)?;
        let mut makers = self.makers_of_change(kind, &change, merge.as_ref(), to)?;
        let last = self.commit(&to)?;
        let is_run = kind == StepKind::Run;
        let rollback = own.iter().filter(|_| is_run).find_map(|oid| self.claims.get(oid)).cloned();
        let told_of = source::told_of(self.scene, is_run.then_some((&*last, to)), &change)?;
        let draft = Draft {
            name: self.name,
            from,
            to,
            delta: &delta,
            digests: &digests,
            change: &told_of,
            clean: clean.as_ref(),
        };
        let Said { found, checked, rejects } = self.said(&draft, rollback.as_ref(), &mut makers)?;
        let was_before = |oid: &Oid| self.scene.provenance.origin(oid).was_before();
        let itself_before = was_before(&to);
        let not_before: Vec<Oid> = change.iter().filter(|oid| !was_before(oid)).copied().collect();
        let mut copied = Copied::default();
        if is_run && !itself_before {
            let candidates = found.candidates.iter().chain(&checked.candidates).collect();
            let run = source::Run { from, to, last: &last, candidates };
            copied = self.copied(&run, &mut makers)?;
        }
        let infra = content::marks(self.scene, delta.changes(), self.asked.content)?;
        let links = links::asked(self.scene, &delta, self.asked)?;
        Ok(Step {
            kind,
            from,
            to,
            subject: last.subject(),
            commits: own.len(),
            delta,
            hidden: Vec::new(),
            merge,
            overtaken,
            clean,
            change_commits: change.len(),
            not_before,
            itself_before,
            source: source::of_step(kind, to, others, &copied),
            copied,
            makers,
            digests,
            candidates: found.candidates,
            rejects,
            near: found.near,
            checks: checked.candidates,
            near_checks: checked.near,
            infra,
            links,
            rollback,
        })
    }

    /// How a step brings in what its other parents have.
    fn brought(
        &mut self,
        (kind, from, to): (StepKind, Option<Oid>, Oid),
        others: &[Oid],
        delta: &Delta,
    ) -> Result<Brought, GatherError> {
        let is_merge = kind == StepKind::Merge;
        let merge = is_merge.then(|| self.scene.reader.merge_fact(&to)).transpose()?;
        let merged = Merged::look(self.scene, kind, from, others)?;
        let overtaken = merged.overtaken(self.scene, (&to, delta), merge.as_ref())?;
        let landed = clean::Landed { name: self.name, from, to, delta, fact: merge.as_ref() };
        let clean = clean::look(self.scene, &landed, &merged, self.asked)?;
        Ok(Brought { digests: merged.digests(delta), merge, overtaken, clean })
    }

    /// What people and machines have said of a step. It is used up by being looked at.
    fn said(
        &mut self,
        draft: &Draft<'_>,
        rollback: Option<&Rollback>,
        makers: &mut Makers,
    ) -> Result<Said, GatherError> {
        let asked = match rollback {
            Some(Rollback::To(_)) => &self.asked.of_rollback(),
            Some(Rollback::Not(_)) | None => self.asked,
        };
        let asked = &*asked.of_owners(draft.delta);
        let found = candidates::find(self.scene, draft, asked, self.used)?;
        let checked = checks::find(self.scene, draft, self.asked, self.used)?;
        let rejects = rejects::of(self.scene, self.name, draft.delta, asked)?;
        self.used.extend(draft.digests);
        makers.merge(&found.makers);
        makers.merge(&checked.makers);
        Ok(Said { found, checked, rejects })
    }

    /// The commits a step brings in: from elsewhere for a merge, else its own.
    fn change(
        &self,
        kind: StepKind,
        from: Option<Oid>,
        own: &[Oid],
        others: &[Oid],
    ) -> Result<Vec<Oid>, GatherError> {
        match kind {
            StepKind::Merge => {
                let exclude: Vec<Oid> = from.into_iter().collect();
                let range = self.scene.reader.arriving(others, &exclude)?;
                Ok(range.into_iter().map(|(oid, _)| oid).collect())
            }
            StepKind::Run | StepKind::Jump => Ok(own.to_vec()),
        }
    }

    /// What a run is a copy of. Whoever made that made the run.
    fn copied(
        &mut self,
        run: &source::Run<'_>,
        makers: &mut Makers,
    ) -> Result<Copied, GatherError> {
        let copied = source::look(self.scene, run)?;
        for source in &copied.of {
            let change = source::change_of(self.scene, run.from, *source)?;
            makers_of(self.scene, &change, makers)?;
        }
        Ok(copied)
    }

    /// The makers of a step's own commits. Those of a run are known only when both readings are.
    fn makers_of_change(
        &mut self,
        kind: StepKind,
        change: &[Oid],
        merge: Option<&MergeFact>,
        to: Oid,
    ) -> Result<Makers, GatherError> {
        let mut makers = Makers::default();
        match kind {
            StepKind::Run => return Ok(makers),
            StepKind::Merge | StepKind::Jump => makers_of(self.scene, change, &mut makers)?,
        }
        if merge.is_some_and(|fact| *fact != MergeFact::Equal) {
            makers_of(self.scene, &[to], &mut makers)?;
        }
        Ok(makers)
    }

    fn commit(&self, oid: &Oid) -> Result<Arc<Commit>, GatherError> {
        match self.arriving.get(oid) {
            Some(commit) => Ok(Arc::clone(commit)),
            None => self.scene.reader.commit(oid),
        }
    }
}

/// How a step compares with the parents it merges.
struct Brought {
    merge: Option<MergeFact>,
    overtaken: Option<RepoPath>,
    clean: Option<CleanMerge>,
    digests: Vec<Digest>,
}

/// Statements about a step: approvals, checks, and words against it.
struct Said {
    found: Found<NearMiss>,
    checked: Found<NearCheck>,
    rejects: Vec<Reject>,
}

struct Shape<'s> {
    kind: StepKind,
    from: Option<Oid>,
    to: Oid,
    own: &'s [Oid],
    others: Vec<Oid>,
}

/// The touched paths that the step's net delta does not have, each once, sorted.
fn paths_beside(touched: impl Iterator<Item = RepoPath>, step: &Step) -> Vec<RepoPath> {
    let net: BTreeSet<&RepoPath> = step.delta.changes().iter().map(|c| &c.path).collect();
    let beside: BTreeSet<RepoPath> = touched.filter(|path| !net.contains(path)).collect();
    beside.into_iter().collect()
}

#[cfg(test)]
#[path = "landing_tests.rs"]
mod tests;
