//! Facts and judgement, as the log keeps them. Pure; the types of the log's lines are its own, and
//! everything is converted by hand, so that a renamed field here never changes the format.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::facts::authorized::{Authorized, Authorizer};
use crate::facts::evidence::{Candidate, Standing as Counts};
use crate::facts::landing::{Landing, Step};
use crate::facts::rollback::Rollback;
use crate::facts::{Facts, Motion, UpdateFacts};
use crate::gittuf::ATTESTATIONS;
use crate::log::decision::{
    Actor, ActorKind, CertRecord, CleanMergeRecord, Decision, ExemptRecord, FindingRecord,
    GittufRecord, GittufSigner, Hook, Paths, PolicyRef, RefDecision, RollbackRecord,
    StatementRecord, UpdateKind, Verdict as Word,
};
use crate::log::entry::{Birth, GenesisRef};
use crate::log::entry::{Policy as PolicyRecord, PolicyFile as PolicyText};
use crate::log::touched::JudgedAt;
use crate::log::wire::{AsText, Listed, Text};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::policy::PolicyFile;
use crate::push::certificate::{Certified, Standing};
use crate::push::pusher::{Pusher, Who};
use crate::push::update::Change;
use crate::push::{Door, Push, Seen};
use crate::statement::fields::{ApprovalVerdict, CheckVerdict, Saying};
use crate::statement::place::{ApprovalKey, Place};
use crate::verdict::exempted::Exempted;
use crate::verdict::finding::{Finding, Level, RuleRef};
use crate::verdict::merged::MergedByGit;
use crate::verdict::{Judgement, RefJudgement, Verdict};

/// What a decision is made of besides facts and judgement.
pub struct Frame<'f> {
    /// The digest of the policy in force.
    pub policy: Digest,
    /// Microseconds that judging took.
    pub took_us: u64,
    /// The verdict on the push as Git will hear it.
    pub verdict: Verdict,
    /// The version of Git, where the environment tells.
    pub git: Option<&'f str>,
}

/// The record of one decision.
pub fn decision(facts: &Facts, judgement: &Judgement, frame: &Frame<'_>) -> Decision {
    let push = &facts.push.push;
    let warned = judgement.refs.iter().flat_map(|r| &r.findings).any(|f| f.level == Level::Warn);
    let verdict = match frame.verdict {
        Verdict::Refuse => Word::Refuse,
        Verdict::Accept if warned => Word::Warn,
        Verdict::Accept => Word::Accept,
    };
    let pairs = facts.updates.iter().zip(&judgement.refs);
    let mut refs: Vec<RefDecision> = pairs.map(|(u, j)| ref_decision(u, j)).collect();
    if brings_nothing(push) {
        refs.iter_mut().for_each(|one| one.brought = Listed::default());
    }
    if let Some(first) = refs.first_mut() {
        let whole = judgement.findings.iter().map(finding);
        first.findings.splice(0..0, whole);
    }
    Decision {
        repo: facts.push.repository.clone().unwrap_or_default(),
        actor: actor(&push.pusher),
        hook: hook(push.door),
        git: frame.git.map(str::to_owned),
        opts: match &push.options {
            Seen::All(options) => options.iter().map(|o| Text(o.clone())).collect(),
            Seen::NotHere => Vec::new(),
        },
        cert: match &push.certificate {
            Seen::All(certified) => certified.as_ref().map(certificate),
            Seen::NotHere => None,
        },
        policy: PolicyRef { sha256: AsText(frame.policy) },
        judged_at: facts.push.log_size,
        refs,
        statements: facts
            .updates
            .iter()
            .zip(&judgement.refs)
            .filter(|(_, judged)| judged.verdict() == Verdict::Accept)
            .filter_map(|(update, _)| statement(update))
            .collect(),
        verdict,
        dur_us: frame.took_us,
    }
}

/// A push by nobody who can be named is refused, and its objects go with the quarantine. Nobody is
/// on record as having brought them, and whoever signs and pushes them again brings them then.
fn brings_nothing(push: &Push) -> bool {
    push.door == Door::PreReceive && matches!(push.pusher.who, Who::Unnamed { .. })
}

/// The record of the push that first makes protected branches.
pub fn birth(facts: &Facts, judgement: &Judgement) -> Option<Birth> {
    let refs: Vec<GenesisRef> = judgement
        .refs
        .iter()
        .filter(|r| r.protected && r.update.name.branch().is_some())
        .filter_map(|r| match r.change {
            Change::Create { new } => {
                Some(GenesisRef { refname: text(&r.update.name), oid: AsText(new) })
            }
            Change::Move { .. } | Change::Delete { .. } | Change::Nothing => None,
        })
        .collect();
    (facts.push.birth && !refs.is_empty()).then_some(Birth { refs })
}

/// The policy as it is first seen, whole.
pub fn policy(sha256: Digest, files: &[(PathBuf, PolicyFile)], who: &str) -> PolicyRecord {
    use std::os::unix::ffi::OsStrExt as _;
    let files = files.iter().map(|(path, file)| {
        PolicyText::new(Text(path.as_os_str().as_bytes().to_vec()), file.bytes.clone())
    });
    PolicyRecord {
        sha256: AsText(sha256),
        files: files.collect(),
        who: Text(who.as_bytes().to_vec()),
    }
}

/// Who pushes, as the log keeps it.
pub fn actor(pusher: &Pusher) -> Actor {
    let kind = match &pusher.who {
        Who::Listed { shared: true, .. } => ActorKind::Shared,
        Who::Listed { machine: true, .. } => ActorKind::Machine,
        Who::Listed { .. } => ActorKind::Person,
        Who::Unlisted => ActorKind::Unlisted,
        Who::Unnamed { .. } => ActorKind::Unknown,
    };
    Actor {
        name: pusher.name().cloned().map(AsText),
        kind,
        door: pusher.door.to_owned(),
        source: pusher.source.clone(),
        login: Text(pusher.login.clone().into_bytes()),
        key: pusher.key.clone(),
    }
}

/// A push certificate, as the log keeps it.
fn certificate(certified: &Certified) -> CertRecord {
    CertRecord {
        id: AsText(certified.id),
        good: certified.signer().is_some(),
        by: certified.signer().cloned().map(AsText),
        key: certified.fingerprint.clone(),
        why: match &certified.standing {
            Standing::Good(_) => None,
            Standing::Not(why) => Some(Text(why.clone().into_bytes())),
        },
        text: Some(Text(certified.text.clone())),
    }
}

/// A hook, as the log names it.
pub const fn hook(door: Door) -> Hook {
    match door {
        Door::PreReceive => Hook::PreReceive,
        Door::Update => Hook::Update,
    }
}

/// Everything a judging rested on, so that the log can tell when it has moved. Values that other
/// refs have *had* (rule `landed`, starts of creations) are not among it: nothing takes them away.
pub fn rests_on(facts: &Facts) -> JudgedAt {
    let mut judged = JudgedAt { size: facts.push.log_size, ..JudgedAt::default() };
    for update in &facts.updates {
        judged.refs.insert(update.update.name.clone());
        if !update.landings.is_empty() {
            judged.vetoes.insert(update.update.name.clone());
        }
        for step in update.landings.iter().flat_map(Landing::steps) {
            judged.refs.extend(step.statements().map(|c| c.place.clone()));
            judged.statements.extend(step.statements().map(|c| c.id));
        }
        let authorized = update.landings.iter().filter(|it| it.authorized.is_some());
        judged.refs.extend(authorized.flat_map(|it| words_on(&update.update.name, it)));
    }
    judged
}

/// What could change what an authorization of gittuf's counts for: the ref it was found by, and the
/// places where those who signed it take their word back.
fn words_on(name: &Refname, landing: &Landing) -> Vec<Refname> {
    let by = landing.authorized.iter().flat_map(|it| &it.by);
    let digests: BTreeSet<Digest> = landing.steps().flat_map(|it| it.digests.clone()).collect();
    let place = |signed: &Authorizer| {
        let person = &signed.person;
        digests
            .iter()
            .map(|digest| {
                let key = ApprovalKey::of(name, digest);
                Place::Approval { key, person: person.clone() }.refname()
            })
            .collect::<Vec<_>>()
    };
    Refname::parse(ATTESTATIONS).into_iter().chain(by.flat_map(place)).collect()
}

fn ref_decision(update: &UpdateFacts, judgement: &RefJudgement) -> RefDecision {
    let zero = Oid::zero(update.update.new.format());
    let real = update.real.unwrap_or(zero);
    let claimed = update.update.claimed_old;
    let verdict = match judgement.verdict() {
        Verdict::Refuse => Word::Refuse,
        Verdict::Accept if judgement.findings.is_empty() => Word::Accept,
        Verdict::Accept => Word::Warn,
    };
    let steps: Vec<&Step> = update.landings.iter().flat_map(Landing::steps).collect();
    let uses: BTreeSet<Digest> = steps
        .iter()
        .flat_map(|s| s.statements())
        .filter(|c| !matches!(c.standing, Counts::Not(_)) && is_used(c))
        .map(|c| c.id)
        .collect();
    RefDecision {
        refname: text(&update.update.name),
        target: update.alias_of.clone().map(Text),
        old: AsText(real),
        new: AsText(update.update.new),
        claimed_old: (claimed != real).then_some(AsText(claimed)),
        kind: match update.change {
            Change::Create { .. } => UpdateKind::Create,
            Change::Move { .. } => UpdateKind::Move,
            Change::Delete { .. } | Change::Nothing => UpdateKind::Delete,
        },
        ff: update.motion.as_ref().map(|motion| *motion == Motion::FastForward),
        commits: commits(update),
        paths: Paths::of(paths(update)),
        brought: Listed::of(update.brought.iter().map(|oid| AsText(*oid)).collect()),
        verdict,
        findings: judgement.findings.iter().map(finding).collect(),
        uses: uses.into_iter().map(AsText).collect(),
        landed: landed(update).into_iter().map(AsText).collect(),
        exempt: judgement.exempted.iter().map(exempt).collect(),
        rollback: rollbacks(update, judgement),
        clean_merge: judgement.merged.iter().map(clean_merge).collect(),
        gittuf: update.landings.iter().find_map(|it| gittuf(it.authorized.as_ref()?)),
    }
}

fn exempt(held: &Exempted) -> ExemptRecord {
    ExemptRecord {
        rule: held.rule.name().to_owned(),
        who: held.who.clone(),
        paths: held.paths.iter().map(|path| Text(path.clone().into_bytes())).collect(),
    }
}

/// What gittuf had, with whose word that was.
fn gittuf(authorized: &Authorized) -> Option<GittufRecord> {
    let file = authorized.file.as_ref()?;
    let signer =
        |it: &Authorizer| GittufSigner { person: AsText(it.person.clone()), key: it.key.clone() };
    Some(GittufRecord {
        id: AsText(file.id),
        by: authorized.by.iter().map(signer).collect(),
        text: Some(Text(file.bytes.clone())),
    })
}

/// How many files of one clean merge are listed.
const CLEAN_PATHS_MAX: usize = 16;

fn clean_merge(it: &MergedByGit) -> CleanMergeRecord {
    let listed = it.paths.iter().take(CLEAN_PATHS_MAX);
    CleanMergeRecord {
        rule: it.rule.name().to_owned(),
        commit: AsText(it.commit),
        of: AsText(it.of),
        paths: listed.map(|path| Text(path.as_bytes().to_vec())).collect(),
        n: (it.paths.len() > CLEAN_PATHS_MAX).then_some(it.paths.len() as u64),
    }
}

/// The rollbacks among the steps, in their order: those with all that is asked for, as no other may
/// say that it has left a state. The same landing may be read from two starts.
fn rollbacks(update: &UpdateFacts, judgement: &RefJudgement) -> Vec<RollbackRecord> {
    let mut found: Vec<RollbackRecord> = Vec::new();
    for step in update.landings.iter().flat_map(Landing::steps) {
        let Some(Rollback::To(back)) = &step.rollback else { continue };
        let known = found.iter().any(|one| one.commit.0 == back.commit);
        if known || !judgement.rolled_back.contains(&back.commit) {
            continue;
        }
        found.push(RollbackRecord {
            commit: AsText(back.commit),
            to: AsText(back.state),
            of: back.entry,
            left: AsText(back.left),
            paths: back.paths.iter().map(|path| Text(path.clone().into_bytes())).collect(),
        });
    }
    found
}

/// A reject goes on speaking after the step has landed; everything else is used by it.
fn is_used(candidate: &Candidate) -> bool {
    match &candidate.says.saying {
        Saying::Approval { verdict } => *verdict == ApprovalVerdict::Approve,
        Saying::Check { .. } => true,
    }
}

/// The digests of what lands: every statement with one of them is used up, looked at or not.
pub fn landed(update: &UpdateFacts) -> Vec<Digest> {
    let steps = update.landings.iter().flat_map(Landing::steps);
    let digests = steps.flat_map(|step| step.digests.iter().copied());
    let born = update.born.iter().flat_map(|born| born.digests.iter().copied());
    digests.chain(born).collect::<BTreeSet<Digest>>().into_iter().collect()
}

/// How many commits the ref gains.
fn commits(update: &UpdateFacts) -> u64 {
    let steps = update.landings.iter().flat_map(Landing::steps).map(|step| step.commits);
    let born = update.born.iter().map(|born| born.commits);
    steps.chain(born).max().unwrap_or(0) as u64
}

fn paths(update: &UpdateFacts) -> Vec<Text> {
    let steps = update.landings.iter().flat_map(Landing::steps);
    let changes = steps.flat_map(|step| step.delta.changes());
    let born = update.born.iter().flat_map(|born| &born.paths);
    let paths: BTreeSet<&[u8]> =
        changes.map(|c| &c.path).chain(born).map(RepoPath::as_bytes).collect();
    paths.into_iter().map(|path| Text(path.to_vec())).collect()
}

/// One objection, as the log keeps it.
pub fn finding(finding: &Finding) -> FindingRecord {
    let objection = &finding.objection;
    let lines = std::iter::once(&objection.what).chain(&objection.details);
    let text: Vec<String> = lines.map(crate::verdict::line::Line::show).collect();
    FindingRecord {
        rule: finding.rule.name().to_owned(),
        kind: finding.rule.kind().to_owned(),
        level: match finding.level {
            Level::Refuse => "refuse".to_owned(),
            Level::Warn => "warn".to_owned(),
        },
        place: match &finding.rule {
            RuleRef::Policy { file, line, .. } => Some(Text(format!("{file}:{line}").into_bytes())),
            RuleRef::Always { .. } => None,
        },
        text: Text(text.join("; ").into_bytes()),
    }
}

fn statement(update: &UpdateFacts) -> Option<StatementRecord> {
    let push = update.statement.as_ref().filter(|push| push.enters)?;
    let fields = push.statement.fields();
    let (kind, check, verdict) = match &fields.saying {
        Saying::Approval { verdict } => ("approval", None, verdict.as_str()),
        Saying::Check { check, verdict, .. } => {
            let verdict: &CheckVerdict = verdict;
            ("check", Some(check.to_string()), verdict.as_str())
        }
    };
    Some(StatementRecord {
        place: text(&update.update.name),
        id: AsText(push.id),
        kind: kind.to_owned(),
        person: AsText(fields.person.clone()),
        check,
        verdict: verdict.to_owned(),
        for_ref: text(&fields.refname),
        delta: AsText(fields.delta),
        base: AsText(fields.base),
        commit: AsText(fields.commit),
        entries: Listed::of(push.rejected.iter().copied().map(AsText).collect()),
        date: AsText(fields.date),
        expires: AsText(fields.expires),
        text: Text(push.statement.to_bytes()),
    })
}

fn text(name: &Refname) -> Text {
    Text(name.as_bytes().to_vec())
}
