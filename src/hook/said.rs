//! What is on record about a change that somebody asks about: who said what, what landed last.
//!
//! Used by `reply`. Whether a word counts for a rule is for the rules to say; here it only may.

use std::collections::BTreeSet;

use crate::answer::{ApprovalAnswer, LandingAnswer};
use crate::facts::evidence::{Candidate, Standing};
use crate::facts::past::{Landing, Past as _, StatementSeen, StatementState};
use crate::hook::asked::Question;
use crate::hook::back;
use crate::hook::bench::Bench;
use crate::hook::fault::Stop;
use crate::names::digest::Digest;
use crate::names::escape::escape;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::statement::fields::Saying;
use crate::statement::place::{ApprovalKey, Place};
use crate::statement::read::Statement;

/// How many of the ref's latest landings are told.
pub const LANDINGS_TOLD: usize = 16;

/// The latest word of everyone about exactly this change.
pub fn approvals(
    bench: &Bench,
    question: &Question,
    digest: &Digest,
    candidates: &[&Candidate],
) -> Result<Vec<ApprovalAnswer>, Stop> {
    let mut answers = Vec::new();
    for latest in words_of_people(bench, &question.name, digest)? {
        let found = candidates.iter().find(|candidate| candidate.id == latest.id);
        let why = match found.map(|candidate| &candidate.standing) {
            Some(Standing::Good) => String::new(),
            Some(Standing::Not(line) | Standing::ByMerge(line)) => line.show(),
            None => "no rule counts it".to_owned(),
        };
        answers.push(ApprovalAnswer {
            person: latest.person.to_string(),
            verdict: latest.verdict,
            date: latest.date.rfc3339_seconds(),
            counts: found.is_some() && why.is_empty(),
            why,
            expires: found.map(|candidate| candidate.says.expires.rfc3339_seconds()),
            ..ApprovalAnswer::default()
        });
    }
    Ok(answers)
}

/// The latest statement of every person about this delta on a ref, in the order of the roster.
pub(super) fn words_of_people(
    bench: &Bench,
    name: &Refname,
    delta: &Digest,
) -> Result<Vec<StatementSeen>, Stop> {
    let key = ApprovalKey::of(name, delta);
    let people = bench.policy.roster.people().filter(|principal| !principal.machine);
    let mut words = Vec::new();
    for principal in people {
        let place = Place::Approval { key, person: principal.name.clone() }.refname();
        words.extend(bench.log.latest_at(&place)?);
    }
    Ok(words)
}

/// The latest word of every machine about exactly this change, as it was said of this commit.
pub fn checks(
    bench: &Bench,
    question: &Question,
    digest: &Digest,
    commit: Oid,
) -> Result<Vec<ApprovalAnswer>, Stop> {
    let key = ApprovalKey::of(&question.name, digest);
    let mut answers = Vec::new();
    let mut told: BTreeSet<Refname> = BTreeSet::new();
    for seen in bench.log.statements_on(&commit)? {
        let Some(Place::Check { key: of, check, machine }) = Place::parse(&seen.place) else {
            continue;
        };
        let latest = bench.log.latest_at(&seen.place)?;
        let is_latest = latest.is_some_and(|latest| latest.id == seen.id);
        if of != key || !is_latest || !told.insert(seen.place.clone()) {
            continue;
        }
        let why = match bench.log.statement(&seen.id)? {
            StatementState::Seen { .. } if seen.expires > bench.ctx.moment => String::new(),
            StatementState::Seen { .. } => "it has expired".to_owned(),
            StatementState::Used { entry } => format!("it was used, in entry {entry}"),
            StatementState::Unseen
            | StatementState::Replaced { .. }
            | StatementState::Revoked { .. } => "it no longer stands".to_owned(),
        };
        answers.push(ApprovalAnswer {
            person: machine.to_string(),
            verdict: seen.verdict,
            date: seen.date.rfc3339_seconds(),
            counts: why.is_empty(),
            why,
            expires: Some(seen.expires.rfc3339_seconds()),
            check: Some(check.to_string()),
            url: url_of(&seen.text),
        });
    }
    Ok(answers)
}

/// Where the details of a check are, by its own text.
fn url_of(text: &[u8]) -> Option<String> {
    let statement = Statement::parse(text).ok()?;
    match &statement.fields().saying {
        Saying::Check { url, .. } => url.as_ref().map(|url| url.as_str().to_owned()),
        Saying::Approval { .. } => None,
    }
}

/// The newest landings on the ref.
pub fn landings(bench: &Bench, question: &Question) -> Result<Vec<LandingAnswer>, Stop> {
    let landings = bench.log.recent_landings(&question.name, LANDINGS_TOLD)?;
    let tell = |landing: Landing| {
        let (state, state_why) = back::state(bench, &question.name, &landing.new)?;
        Ok(LandingAnswer {
            entry: landing.entry,
            commit: landing.new.hex(),
            by: match &landing.by.name {
                Some(name) => name.to_string(),
                None => escape(&landing.by.login),
            },
            at: landing.at.rfc3339_seconds(),
            state,
            state_why,
        })
    };
    landings.into_iter().map(tell).collect()
}
