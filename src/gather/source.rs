//! What a run of commits is a copy of (product contract, section 4, "`merge` in detail"): whether
//! a squash or a rebase brings in a change that was on the server before, and nothing else.
//!
//! Nothing is searched for. A trailer of the run's last commit names the source, or a statement
//! about exactly this change does; both are claims, and the content decides.

use crate::facts::evidence::Candidate;
use crate::facts::landing::{Copied, MergeFact, NotSource, StepKind, WhyNotSource};
use crate::gather::error::GatherError;
use crate::gather::provenance::Origin;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::store::commit::Commit;

/// The trailer that names the source.
pub const TRAILER: &str = "Source";

/// How many sources of one run are looked into: those of trailers first.
pub const SOURCES_MAX: usize = 8;

/// How many sources are looked into for one push. Past it none is found.
pub const SOURCES_PER_PUSH_MAX: usize = 64;

/// A run that was not on the server before.
pub struct Run<'r> {
    /// Its parent; `None`: it builds on nothing.
    pub from: Option<Oid>,
    /// Its last commit.
    pub to: Oid,
    /// What its last commit says.
    pub last: &'r Commit,
    /// Statements about exactly its change.
    pub candidates: Vec<&'r Candidate>,
}

/// What the trailers of a commit name: whole names of objects, and what is none.
pub fn of_trailers(commit: &Commit, format_of: &Oid) -> (Vec<Oid>, Vec<NotSource>) {
    let (mut oids, mut not_of) = (Vec::new(), Vec::new());
    for named in commit.trailer(TRAILER).into_iter().take(SOURCES_MAX) {
        let whole = |oid: &Oid| oid.format() == format_of.format() && !oid.is_zero();
        match Oid::from_hex(&named).filter(whole) {
            Some(oid) if oids.contains(&oid) => {}
            Some(oid) => oids.push(oid),
            None => not_of.push(NotSource { named, why: WhyNotSource::NoOid }),
        }
    }
    (oids, not_of)
}

/// The commits by whose names statements about an earlier form of a step are found: its change, and
/// what a run's last commit says it is a copy of.
pub fn told_of(
    scene: &Scene<'_>,
    run: Option<(&Commit, Oid)>,
    change: &[Oid],
) -> Result<Vec<Oid>, GatherError> {
    let mut told = Vec::new();
    for oid in run.map(|(last, to)| of_trailers(last, &to).0).unwrap_or_default() {
        if scene.reader.is_commit(&oid)? {
            told.push(oid);
        }
    }
    told.extend_from_slice(change);
    Ok(told)
}

/// Looks into what is named as the source of a run.
pub fn look(scene: &mut Scene<'_>, run: &Run<'_>) -> Result<Copied, GatherError> {
    let Some(from) = run.from else {
        // What builds on nothing has nothing that a source could be merged into.
        return Ok(Copied::default());
    };
    let (mut named, not_of) = of_trailers(run.last, &run.to);
    for candidate in &run.candidates {
        let oid = candidate.says.commit;
        if oid != run.to && !named.contains(&oid) {
            named.push(oid);
        }
    }
    named.truncate(SOURCES_MAX);
    let mut copied = Copied { of: Vec::new(), not_of };
    for oid in named {
        match why_not(scene, from, run.to, oid)? {
            None => copied.of.push(oid),
            Some(why) => copied.not_of.push(NotSource { named: oid.hex().into_bytes(), why }),
        }
    }
    Ok(copied)
}

/// `None`: it is the source.
fn why_not(
    scene: &mut Scene<'_>,
    from: Oid,
    to: Oid,
    oid: Oid,
) -> Result<Option<WhyNotSource>, GatherError> {
    if scene.sources_seen == SOURCES_PER_PUSH_MAX {
        return Ok(Some(WhyNotSource::TooFar));
    }
    scene.sources_seen += 1;
    if !scene.reader.is_commit(&oid)? {
        return Ok(Some(WhyNotSource::NotHere));
    }
    let range = match scene.reader.arriving_oids(&[oid], &[from]) {
        // A claim that costs too much to look into is no reason to judge nothing.
        Err(GatherError::Limit { .. }) => return Ok(Some(WhyNotSource::TooFar)),
        range => range?,
    };
    if range.is_empty() {
        return Ok(Some(WhyNotSource::Holds));
    }
    scene.provenance.learn(&scene.reader, range.iter().copied())?;
    let fresh = |commit: &Oid| !scene.provenance.origin(commit).was_before();
    let not_before: Vec<Oid> = range.into_iter().filter(fresh).collect();
    let nobodys = |commit: &&Oid| matches!(scene.provenance.origin(commit), Origin::Nobody);
    if let Some(commit) = not_before.iter().find(nobodys) {
        return Ok(Some(WhyNotSource::PastTheGate(*commit)));
    }
    if !not_before.is_empty() {
        return Ok(Some(WhyNotSource::NotBefore(not_before)));
    }
    Ok(match scene.reader.copy_fact(&from, &oid, &to)? {
        MergeFact::Equal => None,
        MergeFact::Differs(paths) => Some(WhyNotSource::Differs(paths)),
        MergeFact::Conflict(paths) => Some(WhyNotSource::Conflict(paths)),
    })
}

/// The commits that a source brings in.
pub fn change_of(
    scene: &Scene<'_>,
    from: Option<Oid>,
    source: Oid,
) -> Result<Vec<Oid>, GatherError> {
    let exclude: Vec<Oid> = from.into_iter().collect();
    scene.reader.arriving_oids(&[source], &exclude)
}

/// Where the change of a step comes from: a merge's other parents, what a run is a copy of, or its
/// own last commit.
pub fn of_step(kind: StepKind, to: Oid, others: Vec<Oid>, copied: &Copied) -> Vec<Oid> {
    match kind {
        StepKind::Merge => others,
        StepKind::Run if !copied.of.is_empty() => copied.of.clone(),
        StepKind::Run | StepKind::Jump => vec![to],
    }
}
