//! The answer to a question: what the landing that is asked about would meet.
//!
//! Used by `ask` for a push that asks, and by `portcullis review` on the server. Judges and reads;
//! writes nothing, and settles nothing: whoever may write does that before.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Answer as Wire, MakerAnswer, Missing, RuleAnswer, VERSION, You};
use crate::facts::Facts;
use crate::facts::evidence::Candidate;
use crate::facts::landing::{Landing, Step};
use crate::gather::reader::Reader;
use crate::hook::answer::HEAD_DIGITS;
use crate::hook::asked::{Asked, Form, Question};
use crate::hook::bench::{Bench, gather_with, gathered};
use crate::hook::fault::Stop;
use crate::hook::overlay::Overlay;
use crate::hook::owed;
use crate::hook::said::{approvals, checks, landings};
use crate::hook::world::World;
use crate::judge::asks::asked_of;
use crate::names::escape::escape;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::policy::Policy;
use crate::push::pusher::{Pusher, Who};
use crate::push::update::RefUpdate;
use crate::push::{Push, Seen};
use crate::statement::place::ApprovalKey;
use crate::store::objects::Objects;
use crate::verdict::Judgement;
use crate::verdict::finding::{Finding, Level, RuleOutcome, RuleRef, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many commits that nobody brought are named.
const NOT_BROUGHT_TOLD: usize = 50;

/// How many people a rule's list may have to be told whole.
const REVIEWERS_TOLD_MAX: usize = 100;

/// Judges the landing that is asked about, and says everything about it.
pub fn judged(
    world: &World,
    bench: &Bench,
    pusher: &Pusher,
    question: &Question,
) -> Result<Wire, Stop> {
    let asked = Asked::look(world, bench, &question.name, question.commit)?;
    let store = &world.store;
    let (landing, made) = match &asked.form {
        Form::Itself(oid) => (Some(*oid), None),
        Form::Made(made) => (Some(made.0), Some(made.clone())),
        Form::Landed | Form::Conflict(_) => (None, None),
    };
    let overlay = Overlay::new(store, made);
    let reader = Reader::new(&overlay, &bench.policy.limits);
    let mut wire = about(world, bench, pusher, question, &asked)?;
    let mut base = asked.base;
    let mut steps: Vec<Step> = Vec::new();
    match (landing, &asked.form) {
        (Some(new), _) => {
            let (judgement, facts) = judge(&overlay, world, bench, pusher, question, &asked, new)?;
            let reviewers = reviewers(&bench.policy, &facts);
            wire.rules = Words { new, commit: asked.commit, reviewers }.rules(&judgement);
            let found: Vec<Landing> =
                facts.updates.into_iter().flat_map(|update| update.landings).collect();
            // A ref that is made is judged from a value that is known, where there is one.
            let start = found.iter().find_map(|landing| landing.start);
            base = base.or(start.filter(|_| asked.value.is_none()));
            let from = asked.tip.or(base);
            let brings = reader.delta(from, Some(new)).map_err(gathered)?;
            wire.landing_lines = Some(brings.changes().len() as u64);
            steps = found.iter().flat_map(Landing::steps).cloned().collect();
        }
        (None, Form::Landed) => wire.landing_lines = Some(0),
        (None, Form::Itself(_) | Form::Made(_) | Form::Conflict(_)) => {}
    }
    let delta = reader.delta(base, Some(asked.commit)).map_err(gathered)?;
    let digest = delta.digest();
    wire.base = base.unwrap_or(Oid::zero(store.format())).hex();
    wire.delta = format!("sha256:{digest}");
    wire.key = ApprovalKey::of(&question.name, &digest).hex();
    wire.delta_lines = delta.changes().len() as u64;
    tell_of(&steps, landing, &mut wire);
    let candidates: Vec<&Candidate> = steps.iter().flat_map(|s| &s.candidates).collect();
    wire.approvals = approvals(bench, question, &digest, &candidates)?;
    wire.approvals.extend(checks(bench, question, &digest, asked.commit)?);
    owed::tell(world, bench, question, wire)
}

/// Judges the move of the ref to `new`, and hands back the facts that were looked at.
fn judge(
    overlay: &Overlay<'_>,
    world: &World,
    bench: &Bench,
    pusher: &Pusher,
    question: &Question,
    asked: &Asked,
    new: Oid,
) -> Result<(Judgement, Facts), Stop> {
    let push = Push {
        door: bench.door,
        pusher: pusher.clone(),
        updates: vec![RefUpdate {
            name: question.name.clone(),
            claimed_old: asked.value.unwrap_or(Oid::zero(world.store.format())),
            new,
        }],
        // What goes with a question breaks no glass.
        options: Seen::All(Vec::new()),
        // Whoever signs a question would sign the landing.
        certificate: bench.certificate.clone(),
        namespace: None,
        moment: bench.ctx.moment,
    };
    let mut facts = gather_with(overlay, world, bench, push)?;
    if new != asked.commit {
        // Whoever lands it will make this commit, and sign it or not.
        let signatures = facts.updates.iter_mut().flat_map(|update| &mut update.signatures);
        signatures.for_each(|signatures| signatures.leave_out(&new));
        let arrivals = facts.updates.iter_mut().flat_map(|update| &mut update.arrivals);
        arrivals.for_each(|arrivals| arrivals.leave_out(&new));
    }
    let judgement = crate::judge::judge(&bench.policy, &facts);
    Ok((judgement, facts))
}

/// What is so whatever the rules say.
fn about(
    world: &World,
    bench: &Bench,
    pusher: &Pusher,
    question: &Question,
    asked: &Asked,
) -> Result<Wire, Stop> {
    let store = &world.store;
    let head = bench.log.head();
    let mut wire = Wire {
        v: VERSION,
        you: you(pusher, &bench.policy),
        repository: world.repository.clone().unwrap_or_default(),
        refname: question.name.to_string(),
        value: asked.value.map(|oid| oid.hex()),
        commit: asked.commit.hex(),
        now: bench.ctx.moment.rfc3339_seconds(),
        on_server: Some(store.was_here(&asked.commit).map_err(|error| gathered(error.into()))?),
        methods: asked.methods.iter().map(|&method| method.to_owned()).collect(),
        landings: landings(bench, question)?,
        entry: head.size.checked_sub(1),
        head: head.hash.hex().get(..HEAD_DIGITS).unwrap_or_default().to_owned(),
        ..Wire::default()
    };
    if let Form::Conflict(paths) = &asked.form {
        wire.conflicts = paths.iter().map(ToString::to_string).collect();
        wire.rules = vec![conflict(&wire.conflicts, asked.commit)];
    }
    Ok(wire)
}

/// Makers, and commits that nobody brought.
fn tell_of(steps: &[Step], landing: Option<Oid>, wire: &mut Wire) {
    let mut makers: BTreeMap<&str, MakerAnswer> = BTreeMap::new();
    let mut unseen: BTreeSet<Oid> = BTreeSet::new();
    for step in steps {
        for (name, (by, commit)) in &step.makers.known {
            let why = format!("{} {}", by.words(), commit.short());
            let person = name.to_string();
            makers.entry(name.as_str()).or_insert(MakerAnswer { person, why });
        }
        if let Some((commit, why)) = &step.makers.unknown {
            wire.unknown_maker.get_or_insert(format!("{} {why}", commit.short()));
        }
        unseen.extend(step.not_before.iter().filter(|oid| Some(**oid) != landing));
    }
    wire.makers = makers.into_values().collect();
    wire.nobody_brought_more = unseen.len().saturating_sub(NOT_BROUGHT_TOLD) as u64;
    wire.nobody_brought = unseen.iter().take(NOT_BROUGHT_TOLD).map(Oid::hex).collect();
}

fn you(pusher: &Pusher, policy: &Policy) -> You {
    let kind = match &pusher.who {
        Who::Listed { machine: true, .. } => "machine",
        Who::Listed { shared: true, .. } => "shared",
        Who::Listed { .. } => "person",
        Who::Unlisted => "unlisted",
        Who::Unnamed { .. } => "unknown",
    };
    let principal = pusher.name().and_then(|name| policy.roster.get(name));
    let keys = principal.map(|p| p.keys.iter().map(|key| key.fingerprint()).collect());
    You {
        name: pusher.name().map(ToString::to_string),
        kind: kind.to_owned(),
        login: escape(pusher.login.as_bytes()),
        keys: keys.unwrap_or_default(),
    }
}

/// The one answer where nothing else can be judged.
fn conflict(paths: &[String], commit: Oid) -> RuleAnswer {
    let more = paths.len().saturating_sub(CONFLICTS_TOLD);
    let mut named = paths.iter().take(CONFLICTS_TOLD).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 {
        named.push_str(&format!(" and {more} more"));
    }
    let place = if named.is_empty() { String::new() } else { format!(", both changed {named}") };
    let ask = "merge the branch into the topic, resolve there, push the topic, and ask again";
    RuleAnswer {
        rule: "clean-merge".to_owned(),
        kind: "always".to_owned(),
        level: "refuse".to_owned(),
        what: format!("{} does not merge into it by itself{place}", commit.short()),
        lines: vec!["the other rules are not asked: what is resolved is another change".to_owned()],
        hints: vec![ask.to_owned()],
        ..RuleAnswer::default()
    }
}

/// How many paths in conflict are named.
const CONFLICTS_TOLD: usize = 3;

/// Turns what was judged into words about what was asked: the landing itself exists nowhere, so
/// its name is nobody's business.
struct Words<'w> {
    new: Oid,
    commit: Oid,
    /// Whose word each rule can count, by the rule's name.
    reviewers: BTreeMap<&'w str, BTreeSet<PrincipalName>>,
}

/// Whose word each rule can count here.
fn reviewers<'p>(policy: &'p Policy, facts: &Facts) -> BTreeMap<&'p str, BTreeSet<PrincipalName>> {
    let mut reviewers: BTreeMap<&str, BTreeSet<PrincipalName>> = BTreeMap::new();
    for (rule, seats) in facts.updates.iter().flat_map(|update| asked_of(policy, facts, update)) {
        let people = reviewers.entry(rule.name.as_str()).or_default();
        people.extend(rule.body.needs().reviewers);
        people.extend(seats.into_iter().flat_map(|seat| seat.from.names));
    }
    reviewers
}

impl Words<'_> {
    /// Every rule that was asked, and the always-on objections as rules that are not satisfied.
    fn rules(&self, judgement: &Judgement) -> Vec<RuleAnswer> {
        let mut answers = Vec::new();
        for one in &judgement.refs {
            let always = |f: &&Finding| matches!(f.rule, RuleRef::Always { .. });
            answers.extend(one.findings.iter().filter(always).map(|f| self.finding(f)));
            answers.extend(one.rules.iter().map(|outcome| self.rule(outcome)));
        }
        answers.extend(judgement.findings.iter().map(|f| self.finding(f)));
        answers
    }

    fn finding(&self, finding: &Finding) -> RuleAnswer {
        self.rule(&RuleOutcome {
            rule: finding.rule.clone(),
            level: finding.level,
            ruling: Ruling { objections: vec![finding.objection.clone()], notes: Vec::new() },
        })
    }

    fn rule(&self, outcome: &RuleOutcome) -> RuleAnswer {
        let first = outcome.ruling.objections.first();
        let lines = match first {
            Some(objection) => &objection.details,
            None => &outcome.ruling.notes,
        };
        let (place, why) = match &outcome.rule {
            RuleRef::Policy { file, line, why, .. } => (format!("{file}:{line}"), why.clone()),
            RuleRef::Always { .. } => (String::new(), None),
        };
        RuleAnswer {
            rule: outcome.rule.name().to_owned(),
            kind: outcome.rule.kind().to_owned(),
            level: match outcome.level {
                Level::Refuse => "refuse".to_owned(),
                Level::Warn => "warn".to_owned(),
            },
            place,
            satisfied: first.is_none(),
            what: first.map(|objection| self.show(&objection.what)).unwrap_or_default(),
            lines: lines.iter().filter(|l| !self.is_of_landing(l)).map(Line::show).collect(),
            hints: first
                .map(|o| o.hints.iter().map(|h| self.hint(h)).collect())
                .unwrap_or_default(),
            missing: first.and_then(|o| o.missing.as_ref()).map(|missing| Missing {
                approvals: missing.approvals as u64,
                from: missing.from.iter().map(ToString::to_string).collect(),
            }),
            reviewers: self.reviewers(outcome),
            why,
        }
    }

    /// Whose word the rule can count, where that is not too long a list.
    fn reviewers(&self, outcome: &RuleOutcome) -> Vec<String> {
        let people = match &outcome.rule {
            RuleRef::Policy { name, .. } => self.reviewers.get(name.as_str()),
            RuleRef::Always { .. } => None,
        };
        let people = people.filter(|people| people.len() <= REVIEWERS_TOLD_MAX);
        people.into_iter().flatten().map(ToString::to_string).collect()
    }

    fn hint(&self, hint: &Hint) -> String {
        match &hint.command {
            Some(command) => format!("{}: {}", self.show(&hint.text), self.show(command)),
            None => self.show(&hint.text),
        }
    }

    /// The line, with the commit that was asked about in the landing's place.
    fn show(&self, line: &Line) -> String {
        let real = |piece: &Piece| {
            let mut piece = piece.clone();
            if let Piece::Oid(oid) | Piece::WholeOid(oid) = &mut piece
                && *oid == self.new
            {
                *oid = self.commit;
            }
            piece
        };
        line.pieces().iter().map(real).fold(Line::default(), Line::piece).show()
    }

    /// Whether a line tells only of the landing that was made in memory.
    fn is_of_landing(&self, line: &Line) -> bool {
        self.new != self.commit
            && line
                .pieces()
                .iter()
                .any(|piece| matches!(piece, Piece::Oid(oid) if *oid == self.new))
    }
}
