//! Commits that claim to go back to an earlier state of their ref (product contract, section 4,
//! `[rollback]`): the trailers name the state and the paths, the log says whether it is one, and
//! the content decides.
//!
//! Only single-parent commits on the ref's own first-parent chain are looked at. One that goes back
//! by way of a merge is a change like any other.

use crate::facts::past::{Past, PastError, StateSeen};
use crate::facts::rollback::{BackTo, Rollback};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::moment::Moment;
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
    let of = State { name, within_seconds, moment: scene.moment };
    let entry = match of.entry(scene.past, &claim.state)? {
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

/// What makes a value a state of a ref now.
#[derive(Clone, Copy, Debug)]
pub struct State<'s> {
    /// The ref.
    pub name: &'s Refname,
    /// How old it may be, in seconds.
    pub within_seconds: i64,
    /// The time of judging.
    pub moment: Moment,
}

impl State<'_> {
    /// The entry that gave the ref this value, or why a rollback may not go back to it.
    pub fn entry(&self, past: &dyn Past, oid: &Oid) -> Result<Result<u64, Line>, PastError> {
        let value = Line::new("").oid(*oid);
        Ok(match past.state_of(self.name, oid)? {
            StateSeen::State { entry, at } => {
                match at.plus_seconds(self.within_seconds).seconds() < self.moment.seconds() {
                    false => Ok(entry),
                    true => {
                        let when = at.rfc3339_seconds();
                        let day = when.split_once('T').map_or(when.as_str(), |(day, _)| day);
                        let line = value.text(format!(" of entry {entry}, {day}, is older"));
                        Err(line.text(" than `within`"))
                    }
                }
            }
            StateSeen::Never => {
                Err(value.text(" is no value that a push left on ").short_ref(self.name))
            }
            StateSeen::Genesis => {
                Err(value.text(" stood there when the log began, nobody judged it"))
            }
            StateSeen::Birth(entry) => {
                let line = value.text(" came with the push that made the repository, entry ");
                Err(line.text(format!("{entry}, which no rule judged")))
            }
            StateSeen::Owed(entry) => {
                let line = value.text(" came past the rules, in entry ");
                Err(line.text(format!("{entry}, and nobody has approved it since")))
            }
            StateSeen::Left(entry) => {
                let line = value.text(" was left by a rollback before, in entry ");
                Err(line.text(entry.to_string()))
            }
        })
    }
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
        return Ok(Some(Line::new("").oid(claim.state).text(" leads to no commit on this server")));
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
    if own.is_empty() {
        return Ok(Some(Line::new("it changes nothing")));
    }
    let outside = own.changes().iter().find(|c| !claim.covers(&c.path));
    Ok(outside.map(|change| {
        Line::new("").path(&change.path).text(" changed, and no ").text(PATHS).text(" names it")
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]
mod tests {
    use super::State;
    use crate::facts::past::{GenesisSeen, StateSeen};
    use crate::facts::remembered::Remembered;
    use crate::names::moment::Moment;
    use crate::names::oid::Oid;
    use crate::names::refname::Refname;

    fn said(seen: StateSeen, seconds: i64) -> Result<u64, String> {
        let begin = Moment::parse("2026-11-22T21:00:00Z").unwrap();
        let genesis = GenesisSeen {
            at: begin,
            repository: "infra-5f0c91ab".to_owned(),
            head: None,
            refs: Vec::new(),
        };
        let name = Refname::parse(b"refs/heads/main").unwrap();
        let oid = Oid::from_bytes(&[0xab; 20]).unwrap();
        let mut past = Remembered::since(genesis);
        past.back_to.insert((name.clone(), oid), seen);
        let moment = begin.plus_seconds(seconds);
        let state = State { name: &name, within_seconds: 3_600, moment };
        state.entry(&past, &oid).unwrap().map_err(|line| line.show())
    }

    #[test]
    fn a_state_is_one_up_to_the_last_second_of_its_time() {
        let at = Moment::parse("2026-11-22T21:00:00Z").unwrap();
        let seen = StateSeen::State { entry: 12, at };
        assert_eq!(said(seen, 0), Ok(12));
        assert_eq!(said(seen, 3_600), Ok(12));
        let old = "abababa of entry 12, 2026-11-22, is older than `within`";
        assert_eq!(said(seen, 3_601), Err(old.to_owned()));
    }

    #[test]
    fn every_other_value_is_told_apart() {
        let cases = [
            (StateSeen::Never, "abababa is no value that a push left on main"),
            (StateSeen::Genesis, "abababa stood there when the log began, nobody judged it"),
            (
                StateSeen::Birth(3),
                "abababa came with the push that made the repository, entry 3, which no rule judged",
            ),
            (
                StateSeen::Owed(4),
                "abababa came past the rules, in entry 4, and nobody has approved it since",
            ),
            (StateSeen::Left(9), "abababa was left by a rollback before, in entry 9"),
        ];
        for (seen, words) in cases {
            assert_eq!(said(seen, 0), Err(words.to_owned()));
        }
    }
}
