//! Commits that claim to go back to an earlier state of their ref (product contract, section 4,
//! `[rollback]`): the trailers name the state and the paths, the log says whether it is one, and
//! the content decides.
//!
//! Only single-parent commits on the ref's own first-parent chain are looked at. One that goes back
//! by way of a merge is a change like any other.

use crate::facts::past::StateSeen;
use crate::facts::rollback::{BackTo, Rollback};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::pattern::exact::ExactPaths;
use crate::store::commit::Commit;
use crate::verdict::line::Line;

/// The trailer that names the state.
pub const TO: &str = "Rollback-To";

/// The trailer that names paths, one pattern each.
pub const PATHS: &str = "Rollback-Paths";

/// How many claims of one landing are looked into.
pub const CLAIMS_MAX: usize = 16;

/// Whether a commit's trailers claim a rollback.
pub fn is_claimed(commit: &Commit) -> bool {
    !commit.trailer(TO).is_empty()
}

/// What a claim comes to. `None`: the commit claims nothing.
pub fn look(
    scene: &Scene<'_>,
    name: &Refname,
    within_seconds: i64,
    oid: &Oid,
) -> Result<Option<Rollback>, GatherError> {
    let commit = scene.reader.commit(oid)?;
    if !is_claimed(&commit) {
        return Ok(None);
    }
    let Some(parent) = commit.parents.first().copied() else {
        return Ok(Some(Rollback::Not(Line::new("it has no parent to go back from"))));
    };
    let claim = match Claim::read(&commit, oid) {
        Ok(claim) => claim,
        Err(line) => return Ok(Some(Rollback::Not(line))),
    };
    let entry = match entry_of(scene, name, within_seconds, &claim.state)? {
        Ok(entry) => entry,
        Err(line) => return Ok(Some(Rollback::Not(line))),
    };
    if let Some(line) = differs(scene, &claim, &parent, oid)? {
        return Ok(Some(Rollback::Not(line)));
    }
    let Claim { state, paths, .. } = claim;
    Ok(Some(Rollback::To(BackTo { commit: *oid, state, entry, left: parent, paths })))
}

/// What the trailers say.
struct Claim {
    state: Oid,
    paths: Vec<String>,
    within: Option<ExactPaths>,
}

impl Claim {
    fn read(commit: &Commit, oid: &Oid) -> Result<Self, Line> {
        let named = commit.trailer(TO);
        let [named] = named.as_slice() else {
            return Err(Line::new("it has more than one trailer ").text(TO));
        };
        let whole = |oid: &Oid, of: &Oid| oid.format() == of.format() && !oid.is_zero();
        let Some(state) = Oid::from_hex(named).filter(|state| whole(state, oid)) else {
            return Err(Line::new(TO).text(" names no whole object: ").quoted(named));
        };
        let mut paths = Vec::new();
        for pattern in commit.trailer(PATHS) {
            match String::from_utf8(pattern) {
                Ok(text) => paths.push(text),
                Err(error) => {
                    return Err(Line::new(PATHS).text(" is no UTF-8: ").quoted(error.as_bytes()));
                }
            }
        }
        let within = match paths.is_empty() {
            true => None,
            false => Some(
                ExactPaths::read(paths.iter().map(String::as_str))
                    .map_err(|why| Line::new(PATHS).text(": ").text(why))?,
            ),
        };
        Ok(Self { state, paths, within })
    }

    /// Whether a path is to be as the state has it.
    fn covers(&self, path: &RepoPath) -> bool {
        self.within.as_ref().is_none_or(|within| within.pick(path.as_bytes()))
    }
}

/// The entry that gave the ref the state, or why the value is none.
fn entry_of(
    scene: &Scene<'_>,
    name: &Refname,
    within_seconds: i64,
    state: &Oid,
) -> Result<Result<u64, Line>, GatherError> {
    let of = |words: &'static str, entry: u64| Err(Line::new(words).text(format!(" {entry}")));
    Ok(match scene.past.state_of(name, state)? {
        StateSeen::State { entry, at } => {
            match at.plus_seconds(within_seconds).seconds() < scene.moment.seconds() {
                false => Ok(entry),
                true => Err(Line::new("").oid(*state).text(" of entry ").text(format!(
                    "{entry} landed on {}, longer ago than `within`",
                    at.rfc3339_seconds()
                ))),
            }
        }
        StateSeen::Never => {
            let line = Line::new("").oid(*state).text(" is no value that a push left on ");
            Err(line.short_ref(name))
        }
        StateSeen::Genesis => {
            Err(Line::new("").oid(*state).text(" was there when the log began, nobody judged it"))
        }
        StateSeen::Birth(entry) => {
            of("no rule judged the push that made the repository, entry", entry)
        }
        StateSeen::Left(entry) => {
            let line = Line::new("").oid(*state).text(" was left by a rollback before, in entry ");
            Err(line.text(entry.to_string()))
        }
    })
}

/// Where the content is other than claimed. Within the paths the new tree has to equal the state's,
/// outside them the old one's.
fn differs(
    scene: &Scene<'_>,
    claim: &Claim,
    parent: &Oid,
    commit: &Oid,
) -> Result<Option<Line>, GatherError> {
    if !scene.reader.is_commit(&claim.state)? {
        return Ok(Some(Line::new("").oid(claim.state).text(" is not on the server any more")));
    }
    let from_state = match scene.reader.delta(Some(claim.state), Some(*commit)) {
        // Too much to compare is no reason to refuse what no rollback is needed for.
        Err(GatherError::Limit { name, limit }) => {
            let line = Line::new("it differs too much from ").oid(claim.state);
            return Ok(Some(line.text(format!(", past the limit `{name}` = {limit}"))));
        }
        delta => delta?,
    };
    if let Some(change) = from_state.changes().iter().find(|c| claim.covers(&c.path)) {
        let line = Line::new("").path(&change.path).text(" is not as in ");
        return Ok(Some(line.oid(claim.state)));
    }
    let own = scene.reader.delta(Some(*parent), Some(*commit))?;
    let outside = own.changes().iter().find(|c| !claim.covers(&c.path));
    Ok(outside.map(|change| {
        Line::new("").path(&change.path).text(" changed, and no ").text(PATHS).text(" names it")
    }))
}
