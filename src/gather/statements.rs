//! Pushes to `refs/approvals/**` and `refs/checks/**`: what a statement must be to enter its place
//! (product contract, section 4, "Always on", and section 5, rule 1).

use crate::facts::evidence::StatementPush;
use crate::facts::past::StatementState;
use crate::facts::{Structural, UpdateFacts};
use crate::gather::candidates::AHEAD_SECONDS_MAX;
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::names::refname::Refname;
use crate::push::update::Change;
use crate::ssh::signature::{SignatureCheck, verify};
use crate::statement::fields::{APPROVAL_NAMESPACE, ApprovalVerdict, Saying};
use crate::statement::problem::STATEMENT_BYTES_MAX;
use crate::statement::read::Statement;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line, Piece};

/// Looks at the statement that an update carries. What keeps it out is added to `structure`.
pub fn look(scene: &mut Scene<'_>, facts: &mut UpdateFacts) -> Result<(), GatherError> {
    let name = facts.update.name.clone();
    let oid = match facts.change {
        Change::Create { new } | Change::Move { new, .. } => new,
        Change::Delete { .. } | Change::Nothing => {
            let line = Line::new("statements are never deleted by a push");
            let hint =
                Hint::new(Line::new("to take an approval back run: portcullis revoke COMMIT"));
            facts.structure.push(structural(Objection::new(line).hint(hint)));
            return Ok(());
        }
    };
    let parsed = match scene.reader.small_blob(&oid, STATEMENT_BYTES_MAX)? {
        None => Err(Line::new("is no file of at most 16 KiB")),
        Some(text) => Statement::parse(&text)
            .map_err(|problem| Line::new("is not well-formed: ").text(problem.to_string())),
    };
    let statement = match parsed {
        Ok(statement) => statement,
        Err(line) => {
            facts.structure.push(structural(objection(line)));
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
    let latest = scene.past.latest_at(&name)?;
    let rejected = match (&doubt, &statement.fields().saying) {
        (None, Saying::Approval { verdict: ApprovalVerdict::Reject }) => {
            let fields = statement.fields();
            let base = (!fields.base.is_zero()).then_some(fields.base);
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
    if let Some(line) = doubt {
        facts.structure.push(structural(anew(line, &push.statement)));
    }
    facts.statement = Some(push);
    Ok(())
}

fn doubt_of_words(scene: &Scene<'_>, name: &Refname, statement: &Statement) -> Option<Line> {
    let fields = statement.fields();
    if matches!(fields.saying, Saying::Check { .. }) {
        return Some(Line::new("is a check, and no rule of this policy names its machine"));
    }
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
        Some(principal) if principal.machine => {
            return Some(Line::new("is by ").name(&fields.person).text(", a machine"));
        }
        Some(_) => {}
    }
    match verify(APPROVAL_NAMESPACE, statement.signed_bytes(), statement.armor()) {
        SignatureCheck::Good { key, .. } if scene.roster.by_key(&key) == Some(&fields.person) => {}
        SignatureCheck::Good { fingerprint, .. } => {
            let line = Line::new("is signed by ").text(fingerprint).text(", which is no key of ");
            return Some(line.name(&fields.person));
        }
        other @ (SignatureCheck::Untouched { .. }
        | SignatureCheck::Bad { .. }
        | SignatureCheck::WrongNamespace { .. }
        | SignatureCheck::Unsupported { .. }
        | SignatureCheck::Malformed { .. }) => {
            return Some(
                Line::new("has a signature that does not count: ").text(other.to_string()),
            );
        }
    }
    let now = scene.moment.seconds();
    if statement.fields().date.seconds() > now + AHEAD_SECONDS_MAX {
        let line = Line::new("is dated ").text(statement.fields().date.rfc3339_seconds());
        let line = line.text(", more than 5 minutes ahead of this server's clock, ");
        return Some(line.text(scene.moment.rfc3339_seconds()));
    }
    if statement.fields().expires.seconds() <= now {
        return Some(Line::new("expired at ").text(statement.fields().expires.rfc3339_seconds()));
    }
    None
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
    let base = (!statement.fields().base.is_zero()).then_some(statement.fields().base);
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

fn objection(doubt: Line) -> Objection {
    let what = doubt.pieces().iter().cloned().fold(Line::new("this statement "), Line::piece);
    let hint = Hint::new(Line::new("make it anew: portcullis approve COMMIT"));
    Objection::new(what).hint(hint)
}

/// As `objection`, of a statement that could be read: its own words are what to say anew.
fn anew(doubt: Line, statement: &Statement) -> Objection {
    let fields = statement.fields();
    let Saying::Approval { verdict } = &fields.saying else { return objection(doubt) };
    let command = Line::new(format!("portcullis {} ", verdict.as_str())).oid(fields.commit);
    let command = command.text(" --for ").piece(Piece::ShortRef(fields.refname.clone()));
    let hint = Hint::run(Line::new("make it anew"), command);
    Objection { hints: vec![hint], ..objection(doubt) }
}

fn structural(objection: Objection) -> Structural {
    Structural { name: "statement", objection }
}
