//! Statements that speak for a step's change: where they are found and whether they may count.
//!
//! Names are probed, never listed: candidate keys times the people a rule can count. A statement
//! that does not count is kept with its reason, because the reason is what its signer must read.

use std::collections::BTreeSet;

use crate::facts::change::{Delta, PathChange};
use crate::facts::evidence::{Candidate, NearMiss, Standing};
use crate::facts::makers::Makers;
use crate::facts::past::StatementState;
use crate::gather::error::GatherError;
use crate::gather::makers::makers_of;
use crate::gather::merged;
use crate::gather::scene::{Asked, Scene};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::ssh::signature::{SignatureCheck, verify};
use crate::statement::fields::{ApprovalVerdict, Fields, Saying};
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
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Statements for exactly this change.
    pub candidates: Vec<Candidate>,
    /// Statements for an earlier form of it.
    pub near: Vec<NearMiss>,
    /// The makers of what the candidates approve.
    pub makers: Makers,
}

/// Finds the statements for a step. Those that may count are used by it, needed or not.
pub fn find(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    asked: &Asked,
    used: &mut BTreeSet<Digest>,
) -> Result<Found, GatherError> {
    let mut found = Found::default();
    if scene.repository.is_none() {
        return Ok(found);
    }
    for digest in draft.digests {
        let key = ApprovalKey::of(draft.name, digest);
        for person in &asked.reviewers {
            let place = Place::Approval { key, person: person.clone() };
            let candidate = probe(scene, draft, (digest, &place), used, &mut found.makers)?;
            found.candidates.extend(candidate);
        }
    }
    used.extend(found.candidates.iter().filter(|c| c.standing == Standing::Good).map(|c| c.id));
    found.near = near(scene, draft)?;
    Ok(found)
}

/// Looks for a statement about this digest at one place. The makers of what it speaks of are added,
/// where it may count.
pub(crate) fn probe(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    (digest, place): (&Digest, &Place),
    used: &BTreeSet<Digest>,
    makers: &mut Makers,
) -> Result<Option<Candidate>, GatherError> {
    let name = place.refname();
    let Some((statement, carried)) = at_place(scene, &name)? else { return Ok(None) };
    let probe = Probe { digest, place, statement: &statement, carried };
    let (standing, delta) = standing(scene, draft, &probe, used)?;
    let says = statement.fields().clone();
    if standing == Standing::Good {
        let base = Some(says.base).filter(|base| !base.is_zero());
        let exclude: Vec<Oid> = base.into_iter().chain(draft.from).collect();
        let range = scene.reader.arriving(&[says.commit], &exclude)?;
        let commits: Vec<Oid> = range.iter().map(|(oid, _)| *oid).collect();
        makers_of(scene, &commits, makers)?;
    }
    Ok(Some(Candidate { id: statement.id(), place: name, says, standing, delta }))
}

/// The statement at a place: the one this push carries, else the one the ref holds. The flag says
/// that the push carries it.
fn at_place(scene: &Scene<'_>, place: &Refname) -> Result<Option<(Statement, bool)>, GatherError> {
    if let Some((_, push)) = scene.carried.iter().find(|(name, _)| name == place) {
        return Ok(Some((push.statement.clone(), true)));
    }
    let Some(oid) = scene.reader.direct_ref(place)? else { return Ok(None) };
    let Some(text) = scene.reader.small_blob(&oid, STATEMENT_BYTES_MAX)? else { return Ok(None) };
    Ok(Statement::parse(&text).ok().map(|statement| (statement, false)))
}

/// A statement at the place that was probed for it.
struct Probe<'p> {
    digest: &'p Digest,
    place: &'p Place,
    statement: &'p Statement,
    carried: bool,
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
    let base = (!fields.base.is_zero()).then_some(fields.base);
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
            let did = did(fields);
            let line = Line::new(did).text(" ").path(&change.path);
            let line = line.text(", which does not land as ").text(did);
            return Ok((Standing::Not(line), empty));
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
        let line = Line::new(did(fields)).text(" it for repository ");
        return Some(line.quoted(repository.as_bytes()));
    }
    if fields.refname != *draft.name {
        return Some(Line::new(did(fields)).text(" it for ").refname(&fields.refname));
    }
    if fields.delta != *probe.digest || fields.place() != *probe.place {
        return Some(Line::new("is named at a place that is not the statement's own"));
    }
    let signer = probe.place.signer();
    let statement = probe.statement;
    match verify(statement.namespace(), statement.signed_bytes(), statement.armor()) {
        SignatureCheck::Good { key, .. } if scene.roster.by_key(&key) == Some(signer) => {}
        SignatureCheck::Good { fingerprint, .. } => {
            let line = Line::new("has a statement signed by ").text(fingerprint);
            return Some(line.text(", which is not a key of theirs"));
        }
        other @ (SignatureCheck::Untouched { .. }
        | SignatureCheck::Bad { .. }
        | SignatureCheck::WrongNamespace { .. }
        | SignatureCheck::Unsupported { .. }
        | SignatureCheck::Malformed { .. }) => {
            return Some(
                Line::new("has a statement whose signature does not count: ")
                    .text(other.to_string()),
            );
        }
    }
    if fields.saying == (Saying::Approval { verdict: ApprovalVerdict::Revoke }) {
        return Some(Line::new("revoked their approval"));
    }
    if fields.expires.seconds() <= scene.moment.seconds() {
        let line = Line::new(did(fields)).text(" it until ");
        let line = line.text(fields.expires.rfc3339_seconds());
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
    let did = did(fields);
    if used.contains(&id) {
        let line = Line::new(did).text(" it once, which an earlier step of this push has used");
        return Ok(Some(line));
    }
    if fields.date.seconds() < scene.past.genesis()?.at.seconds() {
        return Ok(Some(Line::new(did).text(" it before the log began")));
    }
    let with_entry = |words: &str, entry: u64| {
        Ok(Some(Line::new(words.to_owned()).text(format!(", in entry {entry}"))))
    };
    match scene.past.statement(&id)? {
        StatementState::Unseen if probe.carried => {}
        StatementState::Unseen => {
            return Ok(Some(Line::new("has a statement that did not come through the gate")));
        }
        StatementState::Seen { .. } => {}
        StatementState::Replaced { entry } => return with_entry("replaced that statement", entry),
        StatementState::Revoked { entry } => return with_entry("revoked their approval", entry),
        StatementState::Used { entry } => {
            return with_entry(&format!("{did} it once, which was used"), entry);
        }
    }
    match scene.past.delta_landed(draft.name, &fields.delta)? {
        Some(landed) if fields.date.seconds() <= landed.at.seconds() => {
            let words = format!("{did} it before the same change last landed");
            with_entry(&words, landed.entry)
        }
        _ => Ok(None),
    }
}

/// What a statement's signer did, to follow their name.
fn did(fields: &Fields) -> &'static str {
    match &fields.saying {
        Saying::Approval { .. } => "approved",
        Saying::Check { verdict, .. } => verdict.past(),
    }
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

/// Whether an approved entry stands in the step's result as it was approved.
fn arrives(
    scene: &mut Scene<'_>,
    draft: &Draft<'_>,
    change: &PathChange,
) -> Result<bool, GatherError> {
    merged::arrives(scene, (&draft.to, draft.delta), change)
}

/// Approvals of earlier forms of this change, found by the commits they name.
fn near(scene: &mut Scene<'_>, draft: &Draft<'_>) -> Result<Vec<NearMiss>, GatherError> {
    let mut near: Vec<NearMiss> = Vec::new();
    for commit in draft.change.iter().take(NEAR_COMMITS_MAX) {
        for seen in scene.past.statements_on(draft.name, commit)? {
            let known = draft.digests.contains(&seen.delta) || near.len() == NEAR_MAX;
            if known || seen.verdict != "approve" || near.iter().any(|n| n.person == seen.person) {
                continue;
            }
            let Ok(statement) = Statement::parse(&seen.text) else { continue };
            let base = Some(statement.fields().base).filter(|base| !base.is_zero());
            let approved = scene.reader.delta(base, Some(*commit))?;
            near.push(miss(seen.person, *commit, &approved, draft.delta));
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
        entries: approved.changes().len(),
        step_entries: step.changes().len(),
        first_new: new.or(moved).map(|c| c.path.clone()),
        moved: new.is_none() && moved.is_some(),
    }
}

fn not(words: &'static str) -> Standing {
    Standing::Not(Line::new(words))
}
