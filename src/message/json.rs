//! A judgement for machines: one object, no line breaks.
//!
//! Used by the verbs' `--json`. The shape is written down here and nowhere else, so that renaming a
//! field of a domain type cannot change it. Bytes that are not UTF-8 are shown escaped, as the
//! pusher sees them; who needs them raw reads the log.

use serde::Serialize;

use crate::message::closing::Closing;
use crate::names::oid::Oid;
use crate::push::update::Change;
use crate::verdict::exempted::Exempted;
use crate::verdict::finding::{Finding, Level, RuleOutcome, RuleRef};
use crate::verdict::line::{Hint, Line};
use crate::verdict::{Judgement, RefJudgement, Verdict};

/// The version of the shape. Fields may be added to a version, never taken away.
pub const VERSION: u32 = 1;

/// The judgement as one line of JSON.
pub fn judged(judgement: &Judgement, closing: &Closing<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&JudgementJson {
        v: VERSION,
        verdict: verdict(judgement.verdict()),
        moment: judgement.moment.rfc3339_millis(),
        entry: closing.entry,
        head: closing.head,
        findings: judgement.findings.iter().map(finding).collect(),
        refs: judgement.refs.iter().map(one_ref).collect(),
        help: judgement.help.as_deref(),
    })
}

#[derive(Serialize)]
struct JudgementJson<'a> {
    v: u32,
    verdict: &'static str,
    moment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a str>,
    findings: Vec<FindingJson<'a>>,
    refs: Vec<RefJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct RefJson<'a> {
    #[serde(rename = "ref")]
    name: String,
    verdict: &'static str,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    protected: bool,
    findings: Vec<FindingJson<'a>>,
    rules: Vec<OutcomeJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exempt: Vec<ExemptJson<'a>>,
}

#[derive(Serialize)]
struct ExemptJson<'a> {
    rule: &'a str,
    who: &'a str,
    paths: &'a [String],
}

#[derive(Serialize)]
struct RuleJson<'a> {
    name: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: RuleJson<'a>,
    level: &'static str,
    what: String,
    details: Vec<String>,
    hints: Vec<HintJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<MissingJson<'a>>,
}

#[derive(Serialize)]
struct HintJson {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

#[derive(Serialize)]
struct MissingJson<'a> {
    approvals: usize,
    from: Vec<&'a str>,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    rule: &'a str,
    level: &'static str,
    satisfied: bool,
    notes: Vec<String>,
}

fn one_ref(one: &RefJudgement) -> RefJson<'_> {
    let (old, new) = values(one.change);
    RefJson {
        name: one.update.name.to_string(),
        verdict: verdict(one.verdict()),
        change: one.change.word(),
        old: old.map(|oid| oid.hex()),
        new: new.map(|oid| oid.hex()),
        protected: one.protected,
        findings: one.findings.iter().map(finding).collect(),
        rules: one.rules.iter().map(outcome).collect(),
        exempt: one.exempted.iter().map(exempt).collect(),
    }
}

const fn values(change: Change) -> (Option<Oid>, Option<Oid>) {
    match change {
        Change::Create { new } => (None, Some(new)),
        Change::Move { old, new } => (Some(old), Some(new)),
        Change::Delete { old } => (Some(old), None),
        Change::Nothing => (None, None),
    }
}

fn finding(finding: &Finding) -> FindingJson<'_> {
    let objection = &finding.objection;
    FindingJson {
        rule: rule(&finding.rule),
        level: level(finding.level),
        what: objection.what.show(),
        details: objection.details.iter().map(Line::show).collect(),
        hints: objection.hints.iter().map(hint).collect(),
        missing: objection.missing.as_ref().map(|missing| MissingJson {
            approvals: missing.approvals,
            from: missing.from.iter().map(|name| name.as_str()).collect(),
        }),
    }
}

fn rule(rule: &RuleRef) -> RuleJson<'_> {
    let (name, kind) = (rule.name(), rule.kind());
    match rule {
        RuleRef::Policy { file, line, why, until, .. } => RuleJson {
            name,
            kind,
            file: Some(file),
            line: Some(*line),
            why: why.as_deref(),
            until: until.map(|day| day.day()),
        },
        RuleRef::Always { .. } => {
            RuleJson { name, kind, file: None, line: None, why: None, until: None }
        }
    }
}

fn exempt(held: &Exempted) -> ExemptJson<'_> {
    ExemptJson { rule: held.rule.name(), who: &held.who, paths: &held.paths }
}

fn outcome(outcome: &RuleOutcome) -> OutcomeJson<'_> {
    OutcomeJson {
        rule: outcome.rule.name(),
        level: level(outcome.level),
        satisfied: outcome.ruling.objections.is_empty(),
        notes: outcome.ruling.notes.iter().map(Line::show).collect(),
    }
}

fn hint(hint: &Hint) -> HintJson {
    HintJson { text: hint.text.show(), command: hint.command.as_ref().map(Line::show) }
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "accept",
        Verdict::Refuse => "refuse",
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Refuse => "refuse",
        Level::Warn => "warn",
    }
}
