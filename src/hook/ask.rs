//! Questions: a push to `refs/portcullis/ask/**` with push option `ask` is answered and never
//! accepted (product contract, section 2, "Asking").
//!
//! The commit is judged as if it landed by a merge now. That merge exists in memory only.

use std::collections::BTreeSet;

use crate::answer::{
    ASK_OPTION, ASK_REFS, Answer as Wire, ApprovalAnswer, JSON_OPTION, LandingAnswer, Missing,
    RuleAnswer, VERSION, You,
};
use crate::facts::evidence::{Candidate, Standing};
use crate::facts::landing::{Landing, Step};
use crate::facts::past::Past as _;
use crate::gather::reader::Reader;
use crate::hook::answer::{Answer, HEAD_DIGITS};
use crate::hook::bench::{Bench, Input, gather_with, gathered};
use crate::hook::fault::Stop;
use crate::hook::overlay::{Overlay, merge_of};
use crate::hook::world::World;
use crate::hook::{record, who};
use crate::log::entry::{Asked, Record};
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::push::update::RefUpdate;
use crate::push::{Push, Seen};
use crate::statement::place::{ApprovalKey, Place};
use crate::store::objects::Objects as _;
use crate::verdict::Judgement;
use crate::verdict::finding::{Finding, Level, RuleOutcome, RuleRef};
use crate::verdict::line::{Hint, Line};

/// How many of the ref's latest landings are told.
pub const LANDINGS_TOLD: usize = 5;

/// A question: may this commit land on this ref?
#[derive(Clone, Debug)]
pub struct Question {
    /// The ref that is asked about.
    pub name: Refname,
    /// The commit.
    pub commit: Oid,
    /// Whether the answer is for a program.
    pub json: bool,
}

/// The question that a push asks, when it is one: a single update of an asking ref, and the option.
pub fn question(updates: &[RefUpdate], options: &Seen<Vec<Vec<u8>>>) -> Option<Question> {
    let [update] = updates else { return None };
    let Seen::All(options) = options else { return None };
    let has = |word: &str| options.iter().any(|option| option == word.as_bytes());
    let rest = update.name.as_bytes().strip_prefix(ASK_REFS.as_bytes())?;
    if !has(ASK_OPTION) || update.new.is_zero() {
        return None;
    }
    let name = Refname::parse(&[b"refs/", rest].concat())?;
    Some(Question { name, commit: update.new, json: has(JSON_OPTION) })
}

/// Answers a question from a push.
pub fn answer(
    world: &World,
    bench: &mut Bench,
    input: &Input<'_>,
    question: Question,
) -> Result<Answer, Stop> {
    let pusher = who::pusher(input.env, &bench.policy, &bench.certificate);
    let wire = judged(world, bench, &pusher, &question)?;
    let verdict = if wire.rules.iter().all(|rule| rule.satisfied || rule.level == "warn") {
        crate::log::decision::Verdict::Accept
    } else {
        crate::log::decision::Verdict::Refuse
    };
    let asked = Record::Asked(Asked {
        actor: record::actor(&pusher),
        refname: Text(question.name.as_bytes().to_vec()),
        commit: AsText(question.commit),
        verdict,
        dur_us: u64::try_from(bench.began.elapsed().as_micros()).unwrap_or(u64::MAX),
    });
    bench.log.note(&[asked], &bench.ctx, None)?;
    let text = if question.json {
        wire.to_line().map_err(|error| Stop::fault("the answer could not be written", &error))?
    } else {
        plain(&wire)
    };
    Ok(Answer::asked(text.trim_end().to_owned() + "\n"))
}

/// Judges the landing that is asked about.
pub fn judged(
    world: &World,
    bench: &mut Bench,
    pusher: &Pusher,
    question: &Question,
) -> Result<Wire, Stop> {
    let names: BTreeSet<Refname> = std::iter::once(question.name.clone()).collect();
    bench.log.settle(world, &names, None, &bench.ctx)?;
    let store = &world.store;
    let commit = crate::store::tag::peel(store, &question.commit)
        .map_err(|error| gathered(error.into()))?
        .commit()
        .ok_or_else(|| {
            let told = Line::new("").oid(question.commit).text(" leads to no commit");
            Stop::refused(told)
        })?;
    let value = crate::log::settle::Site::value(world, &question.name)?;
    let value = (!value.is_zero()).then_some(value);
    let landing = match value {
        Some(value) if value != commit => merge_of(store, value, commit).map_err(gathered)?,
        Some(_) | None => None,
    };
    let conflict = landing.is_none() && value.is_some_and(|value| value != commit);
    let new = landing.as_ref().map_or(commit, |made| made.0);
    let overlay = Overlay::new(store, landing);
    let push = Push {
        door: bench.door,
        pusher: pusher.clone(),
        updates: vec![RefUpdate {
            name: question.name.clone(),
            claimed_old: value.unwrap_or(Oid::zero(store.format())),
            new,
        }],
        options: bench.options.clone(),
        certificate: bench.certificate.clone(),
        namespace: None,
        moment: bench.ctx.moment,
    };
    let mut facts = gather_with(&overlay, world, bench, push)?;
    if new != commit {
        // Whoever lands it will make this merge, and sign it or not.
        let signatures = facts.updates.iter_mut().flat_map(|update| &mut update.signatures);
        signatures.for_each(|signatures| signatures.leave_out(&new));
    }
    let judgement = crate::judge::judge(&bench.policy, &facts);
    let reader = Reader::new(&overlay, &bench.policy.limits);
    let base = match value {
        Some(value) => reader.merge_bases(&value, &commit).map_err(gathered)?.first().copied(),
        None => None,
    };
    let delta = reader.delta(base, Some(commit)).map_err(gathered)?;
    let digest = delta.digest();
    let steps: Vec<&Step> =
        facts.updates.iter().flat_map(|u| &u.landings).flat_map(Landing::steps).collect();
    let candidates: Vec<&Candidate> = steps.iter().flat_map(|s| &s.candidates).collect();
    let unseen: BTreeSet<Oid> = steps.iter().flat_map(|s| s.not_before.iter().copied()).collect();
    let head = bench.log.head();
    Ok(Wire {
        v: VERSION,
        you: you(pusher),
        repository: world.repository.clone().unwrap_or_default(),
        refname: question.name.to_string(),
        value: value.map(|oid| oid.hex()),
        base: base.unwrap_or(Oid::zero(store.format())).hex(),
        commit: commit.hex(),
        delta: format!("sha256:{digest}"),
        key: ApprovalKey::of(&question.name, &digest).hex(),
        now: bench.ctx.moment.rfc3339_seconds(),
        delta_lines: delta.changes().len() as u64,
        rules: rules(&judgement, conflict, question),
        approvals: approvals(bench, question, &digest, &candidates)?,
        landings: landings(bench, &question.name)?,
        nobody_brought: unseen.into_iter().filter(|oid| *oid != new).map(|oid| oid.hex()).collect(),
        entry: head.size.checked_sub(1),
        head: head.hash.hex().get(..HEAD_DIGITS).unwrap_or_default().to_owned(),
    })
}

fn you(pusher: &Pusher) -> You {
    let kind = match &pusher.who {
        Who::Listed { machine: true, .. } => "machine",
        Who::Listed { shared: true, .. } => "shared",
        Who::Listed { .. } => "person",
        Who::Unlisted => "unlisted",
        Who::Unnamed { .. } => "unknown",
    };
    You {
        name: pusher.name().map(ToString::to_string),
        kind: kind.to_owned(),
        login: crate::names::escape::escape(pusher.login.as_bytes()),
    }
}

/// Every rule that was asked, and the always-on objections as rules that are not satisfied.
fn rules(judgement: &Judgement, conflict: bool, question: &Question) -> Vec<RuleAnswer> {
    let mut answers = Vec::new();
    if conflict {
        let ask = "merge the branch into the topic, resolve there, push the topic, and ask again";
        answers.push(RuleAnswer {
            rule: "clean-merge".to_owned(),
            kind: "always".to_owned(),
            level: "refuse".to_owned(),
            place: String::new(),
            satisfied: false,
            what: format!("{} does not merge into it by itself", question.commit.short()),
            lines: Vec::new(),
            hints: vec![ask.to_owned()],
            missing: None,
        });
    }
    for one in &judgement.refs {
        let always = |f: &&Finding| matches!(f.rule, RuleRef::Always { .. });
        answers.extend(one.findings.iter().filter(always).map(of_finding));
        answers.extend(one.rules.iter().map(of_rule));
    }
    answers.extend(judgement.findings.iter().map(of_finding));
    answers
}

fn of_finding(finding: &Finding) -> RuleAnswer {
    let outcome = RuleOutcome {
        rule: finding.rule.clone(),
        level: finding.level,
        ruling: crate::verdict::finding::Ruling {
            objections: vec![finding.objection.clone()],
            notes: Vec::new(),
        },
    };
    of_rule(&outcome)
}

fn of_rule(outcome: &RuleOutcome) -> RuleAnswer {
    let first = outcome.ruling.objections.first();
    let lines = match first {
        Some(objection) => &objection.details,
        None => &outcome.ruling.notes,
    };
    RuleAnswer {
        rule: outcome.rule.name().to_owned(),
        kind: outcome.rule.kind().to_owned(),
        level: match outcome.level {
            Level::Refuse => "refuse".to_owned(),
            Level::Warn => "warn".to_owned(),
        },
        place: match &outcome.rule {
            RuleRef::Policy { file, line, .. } => format!("{file}:{line}"),
            RuleRef::Always { .. } => String::new(),
        },
        satisfied: first.is_none(),
        what: first.map(|objection| objection.what.show()).unwrap_or_default(),
        lines: lines.iter().map(Line::show).collect(),
        hints: first.map(|o| o.hints.iter().map(hint).collect()).unwrap_or_default(),
        missing: first.and_then(|o| o.missing.as_ref()).map(|missing| Missing {
            approvals: missing.approvals as u64,
            from: missing.from.iter().map(ToString::to_string).collect(),
        }),
    }
}

fn hint(hint: &Hint) -> String {
    match &hint.command {
        Some(command) => format!("{}: {}", hint.text.show(), command.show()),
        None => hint.text.show(),
    }
}

/// The latest word of everyone about exactly this change.
fn approvals(
    bench: &Bench,
    question: &Question,
    digest: &Digest,
    candidates: &[&Candidate],
) -> Result<Vec<ApprovalAnswer>, Stop> {
    let key = ApprovalKey::of(&question.name, digest);
    let mut answers = Vec::new();
    for principal in bench.policy.roster.people().filter(|p| !p.machine) {
        let place = Place::Approval { key, person: principal.name.clone() }.refname();
        let Some(latest) = bench.log.latest_at(&place)? else { continue };
        let found = candidates.iter().find(|candidate| candidate.id == latest.id);
        let why = match found.map(|candidate| &candidate.standing) {
            Some(Standing::Good) => String::new(),
            Some(Standing::Not(line)) => line.show(),
            None => "no rule counts it".to_owned(),
        };
        answers.push(ApprovalAnswer {
            person: principal.name.to_string(),
            verdict: latest.verdict,
            date: latest.date.rfc3339_seconds(),
            counts: found.is_some() && why.is_empty(),
            why,
        });
    }
    Ok(answers)
}

fn landings(bench: &Bench, name: &Refname) -> Result<Vec<LandingAnswer>, Stop> {
    let landings = bench.log.recent_landings(name, LANDINGS_TOLD)?;
    let tell = |landing: crate::facts::past::Landing| LandingAnswer {
        entry: landing.entry,
        commit: landing.new.hex(),
        by: match &landing.by.name {
            Some(name) => name.to_string(),
            None => crate::names::escape::escape(&landing.by.login),
        },
        at: landing.at.rfc3339_seconds(),
    };
    Ok(landings.into_iter().map(tell).collect())
}

/// The answer for a person's eyes.
fn plain(wire: &Wire) -> String {
    let name = wire.you.name.clone().unwrap_or_else(|| format!("\"{}\"", wire.you.login));
    let mut lines = vec![
        format!("you are {name} ({}) to this gate, repository {}", wire.you.kind, wire.repository),
        format!("{} for {}", wire.commit, wire.refname),
        format!("  base  {}", wire.base),
        format!("  delta {} ({} entries)", wire.delta, wire.delta_lines),
        format!("  key   {}", wire.key),
    ];
    if let Some(value) = &wire.value {
        lines.insert(2, format!("  it is at {value}"));
    }
    for rule in &wire.rules {
        let word = match (rule.satisfied, rule.level.as_str()) {
            (true, _) => "satisfied",
            (false, "warn") => "warning",
            (false, _) => "missing",
        };
        lines.push(format!("{word}: rule `{}` {}", rule.rule, rule.place).trim_end().to_owned());
        lines.extend((!rule.what.is_empty()).then(|| format!("  {}", rule.what)));
        lines.extend(rule.lines.iter().map(|line| format!("  {line}")));
        lines.extend(rule.hints.iter().map(|hint| format!("hint: {hint}")));
    }
    for landing in &wire.landings {
        lines.push(format!("landed: entry {} {} by {}", landing.entry, landing.commit, landing.by));
    }
    lines.push("this was a question, so nothing was stored".to_owned());
    lines.join("\n")
}
