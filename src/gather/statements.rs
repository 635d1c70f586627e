//! Pushes to `refs/approvals/**` and `refs/checks/**`: what a statement must be to enter its place
//! (product contract, section 4, "Always on", and section 5, rule 1).

use crate::facts::evidence::StatementPush;
use crate::facts::needs::Checker;
use crate::facts::past::StatementState;
use crate::facts::{Structural, UpdateFacts};
use crate::gather::candidates::AHEAD_SECONDS_MAX;
use crate::gather::error::GatherError;
use crate::gather::held;
use crate::gather::scene::Scene;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::push::update::Change;
use crate::roster::heard::Heard;
use crate::roster::principal::Principal;
use crate::statement::fields::{ApprovalVerdict, CheckVerdict, Fields, Saying};
use crate::statement::place::Place;
use crate::statement::read::Statement;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// Looks at the statement that an update carries. What keeps it out is added to `structure`.
pub fn look(scene: &mut Scene<'_>, facts: &mut UpdateFacts) -> Result<(), GatherError> {
    let name = facts.update.name.clone();
    let oid = match facts.change {
        Change::Create { new } | Change::Move { new, .. } => new,
        Change::Delete { .. } | Change::Nothing => {
            let line = Line::new("statements are never deleted by a push");
            let hint = instead(Place::parse(&name).as_ref());
            facts.structure.push(structural(Objection::new(line).hint(hint)));
            return Ok(());
        }
    };
    let statement = match read(scene, &oid)? {
        Ok(statement) => statement,
        Err(line) => {
            let hint = anew(fill(Place::parse(&name).as_ref()));
            facts.structure.push(structural(objection(line, hint)));
            return Ok(());
        }
    };
    let doubt = match doubt_of_words(scene, &name, &statement) {
        Some(line) => Some(line),
        None => match doubt_of_past(scene, &name, &statement)? {
            Some(line) => Some(line),
            None => doubt_of_delta(scene, &statement)?,
        },
    };
    let doubt = doubt.map(|line| (line, remedy(scene, statement.fields())));
    let doubt = match doubt {
        Some(doubt) => Some(doubt),
        None => one_too_many(scene, statement.fields())?,
    };
    if doubt.is_none() {
        *scene.signed.entry(statement.fields().person.clone()).or_default() += 1;
    }
    let latest = scene.past.latest_at(&name)?;
    let rejected = match (&doubt, &statement.fields().saying) {
        (None, Saying::Approval { verdict: ApprovalVerdict::Reject }) => {
            let fields = statement.fields();
            let base = fields.base_commit();
            scene.reader.delta(base, Some(fields.commit))?.entry_digests()
        }
        (_, Saying::Approval { .. } | Saying::Check { .. }) => Vec::new(),
    };
    let push = StatementPush {
        rejected,
        id: statement.id(),
        enters: doubt.is_none(),
        replaces: latest.map(|l| l.date),
        statement,
    };
    if let Some((line, hint)) = doubt {
        facts.structure.push(structural(objection(line, hint)));
    }
    facts.statement = Some(push);
    Ok(())
}

/// The statement that an object is; else what the object is instead.
fn read(scene: &Scene<'_>, oid: &Oid) -> Result<Result<Statement, Line>, GatherError> {
    let most = scene.reader.limits.statement_bytes;
    Ok(match held::read(&scene.reader, oid, most)? {
        None => Err(Line::new(format!(
            "is no file or tag of at most {most} bytes, the limit `statement-bytes`"
        ))),
        Some(read) => {
            read.map_err(|problem| Line::new("is not well-formed: ").text(problem.to_string()))
        }
    })
}

fn doubt_of_words(scene: &Scene<'_>, name: &Refname, statement: &Statement) -> Option<Line> {
    let fields = statement.fields();
    let place = statement.place().refname();
    if place != *name {
        return Some(Line::new("belongs at another place: ").refname(&place));
    }
    let Some(repository) = scene.repository else {
        return Some(Line::new("cannot count: the server's repository has no id"));
    };
    if repository != fields.repository.as_str() {
        let line = Line::new("is for repository ").quoted(fields.repository.as_str().as_bytes());
        return Some(line.text(", this is ").text(repository.to_owned()));
    }
    match scene.roster.get(&fields.person) {
        None => {
            return Some(Line::new("is by ").name(&fields.person).text(", who is in no policy"));
        }
        Some(principal) => {
            if let Some(line) = doubt_of_signer(scene, principal, &fields.saying) {
                return Some(line);
            }
        }
    }
    match scene.roster.heard_saying(statement, scene.moment) {
        Heard::By { name, .. } if *name == fields.person => {}
        Heard::NotNow { name, why, .. } if *name == fields.person => {
            return Some(Line::new("is signed by a key that ").text(why));
        }
        Heard::By { fingerprint, .. }
        | Heard::NotNow { fingerprint, .. }
        | Heard::Nobody { fingerprint } => {
            let line = Line::new("is signed by ").text(fingerprint).text(", which is no key of ");
            return Some(line.name(&fields.person));
        }
        Heard::Not(check) => {
            let line = Line::new("has a signature that does not count: ");
            return Some(line.text(check.to_string()));
        }
    }
    let now = scene.moment.seconds();
    if statement.fields().date.seconds() > now + AHEAD_SECONDS_MAX {
        let line = Line::new("is dated ").text(statement.fields().date.rfc3339_seconds());
        let line = line.text(", more than 5 minutes ahead of the server's clock, ");
        return Some(line.text(scene.moment.rfc3339_seconds()));
    }
    if statement.fields().expires.seconds() <= now {
        return Some(Line::new("expired at ").text(statement.fields().expires.rfc3339_seconds()));
    }
    None
}

/// Machines never approve, people never check, and a machine checks only what a rule asks it for.
fn doubt_of_signer(scene: &Scene<'_>, by: &Principal, saying: &Saying) -> Option<Line> {
    let line = Line::new("is by ").name(&by.name);
    match saying {
        Saying::Approval { .. } => by.machine.then(|| line.text(", a machine")),
        Saying::Check { .. } if !by.machine => {
            Some(line.text(", who is no machine, and people never check"))
        }
        Saying::Check { check, .. } => {
            let checker = Checker { check: check.clone(), machine: by.name.clone() };
            let named = scene.checkers.contains(&checker);
            (!named).then(|| {
                line.text(", and no rule of this policy takes ").name(check).text(" from it")
            })
        }
    }
}

fn doubt_of_past(
    scene: &Scene<'_>,
    name: &Refname,
    statement: &Statement,
) -> Result<Option<Line>, GatherError> {
    if statement.fields().date.seconds() < scene.past.genesis()?.at.seconds() {
        return Ok(Some(Line::new("is dated before the change log began")));
    }
    let known = |words: &'static str, entry: u64| {
        Ok(Some(Line::new(words).text(format!(" entry {entry} and never counts again"))))
    };
    match scene.past.statement(&statement.id())? {
        StatementState::Unseen => {}
        StatementState::Seen { entry, .. } => {
            return Ok(Some(Line::new(format!("is known already, from entry {entry}"))));
        }
        StatementState::Replaced { entry } => return known("was replaced by the one of", entry),
        StatementState::Revoked { entry } => return known("was revoked in", entry),
        StatementState::Used { entry } => return known("was used by the landing of", entry),
    }
    match scene.past.latest_at(name)? {
        Some(latest) if statement.fields().date.seconds() <= latest.date.seconds() => {
            let line = Line::new("is dated ").text(statement.fields().date.rfc3339_seconds());
            let line = line.text(", not later than the last one here, of entry ");
            Ok(Some(line.text(latest.entry.to_string())))
        }
        Some(_) | None => Ok(None),
    }
}

fn doubt_of_delta(
    scene: &mut Scene<'_>,
    statement: &Statement,
) -> Result<Option<Line>, GatherError> {
    if !scene.reader.is_commit(&statement.fields().commit)? {
        return Ok(Some(Line::new("names a commit that is not on the server")));
    }
    let base = statement.fields().base_commit();
    if let Some(base) = base
        && !scene.reader.is_commit(&base)?
    {
        return Ok(Some(Line::new("names a base that is not on the server")));
    }
    let delta = scene.reader.delta(base, Some(statement.fields().commit))?;
    if delta.digest() != statement.fields().delta {
        return Ok(Some(Line::new("states a digest that is not its own delta's")));
    }
    Ok(None)
}

/// A statement is kept for ever, so nobody fills the log and the refs with them. What says no may
/// come twice as often: whoever has approved too much must still be able to take it back.
fn one_too_many(scene: &Scene<'_>, fields: &Fields) -> Result<Option<(Line, Hint)>, GatherError> {
    let limit = scene.reader.limits.statements_a_day;
    let most = if says_no(&fields.saying) { limit.saturating_mul(2) } else { limit };
    let with = scene.signed.get(&fields.person).copied().unwrap_or_default();
    let ask = "ask for a higher `statements-a-day` in [limits]";
    let hint = match most.checked_sub(with + 1) {
        None => Hint::new(Line::new("push fewer at once, or ").text(ask)),
        Some(newer) => {
            let oldest = scene.past.signed_at(&fields.person, newer)?;
            let again = oldest.map(|at| at.plus_seconds(DAY_SECONDS));
            let Some(again) = again.filter(|again| *again > scene.moment) else { return Ok(None) };
            let wait = Line::new("wait until ").text(again.rfc3339_seconds());
            Hint::new(wait.text(", or ").text(ask))
        }
    };
    let line = Line::new(format!("is one more than {most} of "));
    let line = line.name(&fields.person).text(" within a day, the limit `statements-a-day`");
    Ok(Some((line, hint)))
}

const DAY_SECONDS: i64 = 86_400;

const fn says_no(saying: &Saying) -> bool {
    match saying {
        Saying::Approval { verdict } => match verdict {
            ApprovalVerdict::Approve => false,
            ApprovalVerdict::Reject | ApprovalVerdict::Revoke => true,
        },
        Saying::Check { verdict, .. } => match verdict {
            CheckVerdict::Pass => false,
            CheckVerdict::Fail => true,
        },
    }
}

fn objection(doubt: Line, hint: Hint) -> Objection {
    let what = Line::new("this statement ").line(&doubt);
    Objection::new(what).hint(hint)
}

/// What its signer can do instead.
fn remedy(scene: &Scene<'_>, fields: &Fields) -> Hint {
    let by = scene.roster.get(&fields.person);
    match &fields.saying {
        Saying::Approval { .. } if by.is_some_and(|by| by.machine) => {
            let command = Line::new("portcullis attest CHECK pass COMMIT");
            Hint::run(Line::new("a machine's word is a check"), command)
        }
        Saying::Approval { .. } => anew(Line::new("portcullis approve COMMIT")),
        Saying::Check { .. } if by.is_some_and(|by| !by.machine) => {
            let command = Line::new("portcullis approve COMMIT");
            Hint::run(Line::new("a person's word is an approval"), command)
        }
        Saying::Check { check, verdict, .. } => {
            let checker = Checker { check: check.clone(), machine: fields.person.clone() };
            if scene.checkers.contains(&checker) {
                return anew(attest(check, *verdict));
            }
            let line = Line::new("ask the operators to name ").name(check).text(" and ");
            Hint::new(line.name(&fields.person).text(" in a rule of kind `check`"))
        }
    }
}

fn anew(command: Line) -> Hint {
    Hint::run(Line::new("make it anew"), command)
}

/// The command that fills a place.
fn fill(place: Option<&Place>) -> Line {
    match place {
        Some(Place::Check { check, .. }) => attest(check, CheckVerdict::Pass),
        Some(Place::Approval { .. }) | None => Line::new("portcullis approve COMMIT"),
    }
}

/// How a statement is taken back, since it cannot be deleted.
fn instead(place: Option<&Place>) -> Hint {
    let (ask, command) = match place {
        Some(Place::Check { check, .. }) => {
            ("to take a pass back let the machine run", attest(check, CheckVerdict::Fail))
        }
        Some(Place::Approval { .. }) | None => {
            ("to take an approval back run", Line::new("portcullis revoke COMMIT"))
        }
    };
    Hint::run(Line::new(ask), command)
}

fn attest(check: &PrincipalName, verdict: CheckVerdict) -> Line {
    let line = Line::new("portcullis attest ").name(check).text(" ");
    line.text(verdict.as_str()).text(" COMMIT")
}

fn structural(objection: Objection) -> Structural {
    Structural { name: "statement", objection }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::facts::past::StatementSeen;
    use crate::gather::testing::{NOW, Town, branch, name};
    use crate::names::digest::Digest;
    use crate::names::moment::Moment;
    use crate::names::oid::ObjectFormat;
    use crate::statement::fields::RepositoryId;

    fn fields(town: &Town, person: &str, verdict: ApprovalVerdict) -> Fields {
        Fields {
            repository: RepositoryId::parse("infra-5f0c91ab").unwrap(),
            refname: branch("main"),
            base: town.base,
            commit: town.base,
            delta: Digest::of(b""),
            person: name(person),
            date: Moment::from_seconds(NOW),
            expires: Moment::from_seconds(NOW + 60),
            saying: Saying::Approval { verdict },
        }
    }

    fn seen(town: &Town, person: &str, at: i64) -> StatementSeen {
        StatementSeen {
            id: Digest::of(&at.to_be_bytes()),
            entry: 7,
            place: branch("place"),
            person: name(person),
            verdict: "approve".to_owned(),
            for_ref: branch("main"),
            delta: Digest::of(b""),
            commit: town.base,
            date: Moment::from_seconds(at),
            expires: Moment::from_seconds(NOW + 60),
            text: Vec::new(),
        }
    }

    #[test]
    fn so_many_statements_a_day_and_twice_as_many_that_say_no() {
        let mut town = Town::new(ObjectFormat::Sha1, &[("a", "1\n")]);
        let limit =
            i64::try_from(crate::facts::limits::Limits::default().statements_a_day).unwrap();
        let told = |town: &Town, person: &str, verdict, with: usize| {
            let fields = fields(town, person, verdict);
            town.scene(person, |scene| {
                scene.signed.insert(name(person), with);
                let found = one_too_many(scene, &fields).unwrap();
                found.map(|(line, hint)| format!("{}; {}", line.show(), hint.text.show()))
            })
        };
        let yes = ApprovalVerdict::Approve;
        // The first of them is a day old to the second, the next one is not.
        let first = NOW - DAY_SECONDS;
        town.past.statements = (0..limit).map(|at| seen(&town, "bob", first + at)).collect();
        assert_eq!(told(&town, "bob", yes, 0), None);
        let second = told(&town, "bob", yes, 1).unwrap();
        assert!(second.contains("one more than 1000 of bob within a day"), "{second}");
        let again = Moment::from_seconds(NOW + 1).rfc3339_seconds();
        assert!(second.contains(&format!("wait until {again}, or ask")), "{second}");
        assert_eq!(told(&town, "bob", ApprovalVerdict::Revoke, 1), None);
        assert_eq!(told(&town, "bob", ApprovalVerdict::Reject, 1_000), None);
        assert!(told(&town, "bob", ApprovalVerdict::Reject, 1_001).is_some());
        assert_eq!(told(&town, "carol", yes, 999), None);
        let at_once = told(&town, "carol", yes, 1_000).unwrap();
        assert!(at_once.contains("push fewer at once"), "{at_once}");
        // A clock that was set back gives nobody more.
        town.past.statements = (0..limit).map(|at| seen(&town, "bob", NOW + 5 + at)).collect();
        assert!(told(&town, "bob", yes, 0).is_some());
    }
}
