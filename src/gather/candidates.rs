//! Statements that speak for a step's change: where they are found and whether they may count.
//!
//! Names are probed, never listed: candidate keys times the people a rule can count. A statement
//! that does not count is kept with its reason, because the reason is what its signer must read.

use std::collections::BTreeSet;

use crate::facts::change::{Delta, PathChange};
use crate::facts::evidence::{Candidate, NearMiss, Standing};
use crate::facts::landing::CleanMerge;
use crate::facts::makers::Makers;
use crate::facts::past::StatementState;
use crate::gather::error::GatherError;
use crate::gather::held;
use crate::gather::makers::makers_of;
use crate::gather::merged;
use crate::gather::scene::{Asked, Scene};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::roster::heard::Heard;
use crate::statement::fields::{ApprovalVerdict, Saying};
use crate::statement::place::{ApprovalKey, Place};
use crate::statement::problem::STATEMENT_BYTES_MAX;
use crate::statement::read::Statement;
use crate::verdict::line::Line;

/// How far a statement's date may be ahead of the server's clock, in seconds.
pub const AHEAD_SECONDS_MAX: i64 = 300;
/// In how many commits of a change earlier approvals are looked for, newest first.
pub const NEAR_COMMITS_MAX: usize = 200;
/// How many approvals of earlier forms of a change are told.
pub const NEAR_MAX: usize = 8;

/// A step, as far as statements for it are looked for.
pub struct Draft<'d> {
    /// The ref it lands on.
    pub name: &'d Refname,
    /// The step's first parent.
    pub from: Option<Oid>,
    /// The step's result.
    pub to: Oid,
    /// The step's net delta.
    pub delta: &'d Delta,
    /// Digests whose statements are candidates.
    pub digests: &'d [Digest],
    /// The commits of the change.
    pub change: &'d [Oid],
    /// What of it Git merged line by line.
    pub clean: Option<&'d CleanMerge>,
}

/// What was found: approvals or checks.
pub struct Found<N> {
    /// Statements for exactly this change.
    pub candidates: Vec<Candidate>,
    /// What is told of statements for an earlier form of it.
    pub near: Vec<N>,
    /// The makers of what the candidates speak of.
    pub makers: Makers,
}

/// Finds the approvals of a step, and words against it. `used` holds the digests whose statements
/// earlier steps have used up; all that are about this step's are used by it, needed or not.
pub fn find(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    asked: &Asked,
    used: &BTreeSet<Digest>,
) -> Result<Found<NearMiss>, GatherError> {
    let by = |key| move |person: &PrincipalName| Place::Approval { key, person: person.clone() };
    let places = |key| asked.reviewers.iter().map(by(key)).collect();
    look(scene, draft, used, places, near)
}

/// Looks at these places of each digest of the step, by its key, and for what is `near`. Nothing is
/// found where the repository has no name that statements could be for.
pub(crate) fn look<N>(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    used: &BTreeSet<Digest>,
    places: impl Fn(ApprovalKey) -> Vec<Place>,
    near: impl FnOnce(&mut Scene<'_>, &Draft<'_>) -> Result<Vec<N>, GatherError>,
) -> Result<Found<N>, GatherError> {
    let (candidates, makers) = (Vec::new(), Makers::default());
    let mut found = Found { candidates, near: Vec::new(), makers };
    if scene.repository.is_none() {
        return Ok(found);
    }
    for digest in draft.digests {
        for place in places(ApprovalKey::of(draft.name, digest)) {
            let candidate = probe(scene, draft, (digest, &place), used, &mut found.makers)?;
            found.candidates.extend(candidate);
        }
    }
    found.near = near(scene, draft)?;
    Ok(found)
}

/// Looks for a statement about this digest at one place. The makers of what it speaks of are added,
/// where it may count.
fn probe(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    (digest, place): (&Digest, &Place),
    used: &BTreeSet<Digest>,
    makers: &mut Makers,
) -> Result<Option<Candidate>, GatherError> {
    let name = place.refname();
    let Some((statement, held)) = at_place(scene, &name)? else { return Ok(None) };
    let probe = Probe { digest, place, statement: &statement, held };
    let (standing, delta) = standing(scene, draft, &probe, used)?;
    let says = statement.fields().clone();
    if !matches!(standing, Standing::Not(_)) {
        let base = says.base_commit();
        let exclude: Vec<Oid> = base.into_iter().chain(draft.from).collect();
        let range = scene.reader.arriving(&[says.commit], &exclude)?;
        let commits: Vec<Oid> = range.iter().map(|(oid, _)| *oid).collect();
        makers_of(scene, &commits, makers)?;
    }
    Ok(Some(Candidate { id: statement.id(), place: name, says, standing, delta }))
}

/// Where a statement was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// This push carries it.
    Push,
    /// Its ref holds it.
    Ref,
    /// Its ref is gone; the log alone knows it. It does not count, and the log says why.
    Log,
}

/// The statement at a place: the one this push carries, else the one the ref holds, else the last
/// one that did.
fn at_place(scene: &Scene<'_>, place: &Refname) -> Result<Option<(Statement, Held)>, GatherError> {
    if let Some((_, push)) = scene.carried.iter().find(|(name, _)| name == place) {
        return Ok(Some((push.statement.clone(), Held::Push)));
    }
    let Some(oid) = scene.reader.direct_ref(place)? else {
        let latest = scene.past.latest_at(place)?;
        let statement = latest.and_then(|seen| Statement::parse(&seen.text).ok());
        return Ok(statement.map(|statement| (statement, Held::Log)));
    };
    let read = held::read(&scene.reader, &oid, STATEMENT_BYTES_MAX)?;
    Ok(read.and_then(Result::ok).map(|statement| (statement, Held::Ref)))
}

/// A statement at the place that was probed for it.
struct Probe<'p> {
    digest: &'p Digest,
    place: &'p Place,
    statement: &'p Statement,
    held: Held,
}

impl Probe<'_> {
    /// What its signer did, to follow their name.
    fn did(&self) -> &'static str {
        match &self.statement.fields().saying {
            Saying::Approval { verdict: ApprovalVerdict::Reject } => "rejected",
            Saying::Approval { .. } => "approved",
            Saying::Check { verdict, .. } => verdict.past(),
        }
    }

    /// The same with more words.
    fn said(&self, rest: &'static str) -> Line {
        Line::new(self.did()).text(rest)
    }
}

fn standing(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    probe: &Probe<'_>,
    used: &BTreeSet<Digest>,
) -> Result<(Standing, Delta), GatherError> {
    let empty = Delta::new(draft.to.format(), Vec::new());
    let doubt = match doubt_of_words(scene, draft, probe) {
        Some(line) => Some(line),
        None => doubt_of_past(scene, draft, probe, used)?,
    };
    if let Some(line) = doubt {
        return Ok((Standing::Not(line), empty));
    }
    let fields = probe.statement.fields();
    let base = fields.base_commit();
    if !scene.reader.is_commit(&fields.commit)? {
        return Ok((not("names a commit that is not on the server"), empty));
    }
    if !base_fits(scene, base, draft.from)? {
        return Ok((not("names a base that the branch does not build on"), empty));
    }
    let delta = scene.reader.delta(base, Some(fields.commit))?;
    if delta.digest() != *probe.digest {
        return Ok((not("states a digest that is not its own delta's"), empty));
    }
    for change in delta.changes() {
        if !arrives(scene, draft, change)? {
            let line = probe.said(" ").path(&change.path).text(", which does not land as ");
            let line = line.text(probe.did());
            return Ok(match speaks_of_merged(draft, probe) {
                true => (Standing::ByMerge(line), delta),
                false => (Standing::Not(line), empty),
            });
        }
    }
    Ok((Standing::Good, delta))
}

/// What the statement itself says against it.
fn doubt_of_words(scene: &Scene<'_>, draft: &Draft<'_>, probe: &Probe<'_>) -> Option<Line> {
    let fields = probe.statement.fields();
    match (probe.place, &fields.saying) {
        (Place::Approval { .. }, Saying::Approval { .. })
        | (Place::Check { .. }, Saying::Check { .. }) => {}
        (Place::Approval { .. }, Saying::Check { .. }) => {
            return Some(Line::new("left a check where an approval belongs"));
        }
        (Place::Check { .. }, Saying::Approval { .. }) => {
            return Some(Line::new("left an approval where a check belongs"));
        }
    }
    let repository = fields.repository.as_str();
    if Some(repository) != scene.repository {
        return Some(probe.said(" it for repository ").quoted(repository.as_bytes()));
    }
    if fields.refname != *draft.name {
        return Some(probe.said(" it for ").refname(&fields.refname));
    }
    if fields.delta != *probe.digest || fields.place() != *probe.place {
        return Some(Line::new("is named at a place that is not the statement's own"));
    }
    let signer = probe.place.signer();
    match scene.roster.heard_saying(probe.statement, scene.moment) {
        Heard::By { name, .. } if name == signer => {}
        Heard::NotNow { name, why, .. } if name == signer => {
            return Some(Line::new("has a statement signed by a key that ").text(why));
        }
        Heard::By { fingerprint, .. }
        | Heard::NotNow { fingerprint, .. }
        | Heard::Nobody { fingerprint } => {
            let line = Line::new("has a statement signed by ").text(fingerprint);
            return Some(line.text(", which is not a key of theirs"));
        }
        Heard::Not(check) => {
            let line = Line::new("has a statement whose signature does not count: ");
            return Some(line.text(check.to_string()));
        }
    }
    if fields.saying == (Saying::Approval { verdict: ApprovalVerdict::Revoke }) {
        return Some(Line::new("revoked their approval"));
    }
    if fields.expires.seconds() <= scene.moment.seconds() {
        let line = probe.said(" it until ").text(fields.expires.rfc3339_seconds());
        return Some(line.text(", which is over"));
    }
    if fields.date.seconds() > scene.moment.seconds() + AHEAD_SECONDS_MAX {
        return Some(Line::new("dated their statement more than 5 minutes ahead of the server"));
    }
    None
}

/// What the log says against it.
fn doubt_of_past(
    scene: &Scene<'_>,
    draft: &Draft<'_>,
    probe: &Probe<'_>,
    used: &BTreeSet<Digest>,
) -> Result<Option<Line>, GatherError> {
    let (id, fields) = (probe.statement.id(), probe.statement.fields());
    if used.contains(probe.digest) {
        return Ok(Some(probe.said(" it once, which an earlier step of this push has used")));
    }
    if fields.date.seconds() < scene.past.genesis()?.at.seconds() {
        return Ok(Some(probe.said(" it before the log began")));
    }
    let with_entry = |words: Line, entry: u64| Ok(Some(words.text(format!(", in entry {entry}"))));
    let seen = match scene.past.statement(&id)? {
        StatementState::Unseen if probe.held == Held::Push => None,
        StatementState::Unseen => {
            return Ok(Some(Line::new("has a statement that did not come through the gate")));
        }
        StatementState::Seen { entry, .. } => Some(entry),
        StatementState::Replaced { entry } => {
            return with_entry(Line::new("replaced that statement"), entry);
        }
        StatementState::Revoked { entry } => {
            return with_entry(Line::new("revoked their approval"), entry);
        }
        StatementState::Used { entry } => {
            return with_entry(probe.said(" it once, which was used"), entry);
        }
    };
    match scene.past.delta_landed(draft.name, &fields.delta)? {
        // Whatever its date says: what stood in its place by then was used.
        Some(landed) if seen.is_some_and(|entry| entry <= landed.entry) => {
            return with_entry(probe.said(" it once, which was used"), landed.entry);
        }
        Some(landed) if fields.date.seconds() <= landed.at.seconds() => {
            let words = probe.said(" it before the same change last landed");
            return with_entry(words, landed.entry);
        }
        Some(_) | None => {}
    }
    if probe.held == Held::Log {
        return Ok(Some(Line::new("has a statement that was taken out of the refs since")));
    }
    Ok(None)
}

/// The base is an ancestor of the step's first parent, or nothing where the step starts at nothing.
fn base_fits(
    scene: &mut Scene<'_>,
    base: Option<Oid>,
    from: Option<Oid>,
) -> Result<bool, GatherError> {
    match (base, from) {
        (None, None) => Ok(true),
        (Some(base), Some(from)) => {
            Ok(scene.reader.is_commit(&base)? && scene.reader.is_ancestor(&base, &from)?)
        }
        (None, Some(_)) | (Some(_), None) => Ok(false),
    }
}

/// Whether an approval is of a change that Git merged. Nothing but an approval is: a machine looked
/// at what it looked at.
fn speaks_of_merged(draft: &Draft<'_>, probe: &Probe<'_>) -> bool {
    matches!(probe.place, Place::Approval { .. })
        && draft.clean.is_some_and(|clean| clean.digest == *probe.digest)
}

/// Whether an approved entry stands in the step's result as it was approved.
fn arrives(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    change: &PathChange,
) -> Result<bool, GatherError> {
    merged::arrives(scene, (&draft.to, draft.delta), change)
}

/// Approvals of earlier forms of this change, or for another ref, found by the commits they name.
fn near(scene: &mut Scene<'_>, draft: &Draft<'_>) -> Result<Vec<NearMiss>, GatherError> {
    let mut near: Vec<NearMiss> = Vec::new();
    let mut elsewhere = Vec::new();
    for commit in draft.change.iter().take(NEAR_COMMITS_MAX) {
        for seen in scene.past.statements_on(commit)? {
            let here = seen.for_ref == *draft.name;
            let known = (here && draft.digests.contains(&seen.delta)) || near.len() == NEAR_MAX;
            if known || seen.verdict != "approve" || near.iter().any(|n| n.person == seen.person) {
                continue;
            }
            let Ok(statement) = Statement::parse(&seen.text) else { continue };
            let base = statement.fields().base_commit();
            let approved = scene.reader.delta(base, Some(*commit))?;
            let miss = miss(seen.person, *commit, &approved, draft.delta);
            if here { near.push(miss) } else { elsewhere.push((seen.for_ref, miss)) }
        }
    }
    for (name, miss) in elsewhere.into_iter().take(NEAR_MAX - near.len()) {
        if near.iter().all(|n| n.person != miss.person) {
            near.push(NearMiss { other_ref: Some(name), ..miss });
        }
    }
    Ok(near)
}

/// How what was seen differs from what lands.
pub(crate) fn miss(person: PrincipalName, commit: Oid, approved: &Delta, step: &Delta) -> NearMiss {
    let twin = |change: &&PathChange| {
        let at = approved.changes().binary_search_by(|c| c.path.cmp(&change.path));
        at.ok().map(|at| &approved.changes()[at])
    };
    let new = step.changes().iter().find(|c| twin(c).is_none_or(|t| t.new != c.new));
    let moved =
        step.changes().iter().find(|c| twin(c).is_some_and(|t| t.new == c.new && t.old != c.old));
    NearMiss {
        person,
        commit,
        other_ref: None,
        entries: approved.changes().len(),
        step_entries: step.changes().len(),
        first_new: new.or(moved).map(|c| c.path.clone()),
        moved: new.is_none() && moved.is_some(),
    }
}

fn not(words: &'static str) -> Standing {
    Standing::Not(Line::new(words))
}
