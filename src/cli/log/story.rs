//! What the log knows of a commit, told for somebody who has to act on it now.
//!
//! Pure. Oldest first: who brought it, where it came, who had said yes, what became of it.

use serde_json::{Value, json};

use crate::cli::io::Screen;
use crate::cli::log::block::person;
use crate::cli::log::gittuf;
use crate::cli::log::sheet::Sheet;
use crate::cli::log::words;
use crate::facts::past::{Brought, Maker};
use crate::log::decision::{Decision, RefDecision, StatementRecord};
use crate::log::entry::{Outcome, Record};
use crate::log::line::Entry;
use crate::log::posting::is_yes;
use crate::log::trace::{Given, Step, Trace, Why};
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;
use crate::openpgp::armor::BEGIN_ANY;
use crate::openpgp::check::claimed_key;
use crate::ssh::signature::{SignatureCheck, verify};
use crate::statement::read::Statement;

/// The story of one commit in one log.
#[derive(Debug)]
pub struct Story<'a> {
    /// The commit.
    pub commit: &'a Oid,
    /// Who made it, as the log counts that.
    pub brought: &'a Brought,
    /// What the log knows.
    pub trace: &'a Trace,
}

impl Story<'_> {
    /// The lines of the story.
    pub fn lines(&self, screen: Screen) -> Vec<String> {
        let mut sheet = Sheet::new(true);
        sheet.line(0, &format!("commit {}", self.commit.hex()));
        sheet.line(0, &format!("  {}", self.maker()));
        for name in &self.trace.at_genesis {
            let name = words::refname(name);
            sheet.line(0, "");
            sheet.line(0, &format!("entry 0: {name} was at it when the log began"));
        }
        for step in &self.trace.steps {
            sheet.line(0, "");
            self.step(&mut sheet, step);
        }
        for entry in &self.trace.drifts {
            let Record::Drift(drift) = &entry.record else { continue };
            sheet.line(0, "");
            let (name, at) = (words::refname(&drift.refname), time(entry));
            sheet.line(0, &format!("entry {}, {at}: {name} was found at it", entry.common.seq));
            sheet.field(1, "drift", "no push that the log knows put it there");
        }
        let used = |given: &&Given| !self.uses(given);
        for given in self.trace.given.iter().filter(used) {
            sheet.line(0, "");
            let number = given.entry.common.seq;
            sheet.line(0, &format!("entry {number}, {}: {}", time(&given.entry), said(given)));
            sheet.field(1, "signed by", &signer(given));
            sheet.field(1, "used", "by no push that the log knows");
        }
        if self.trace.more {
            sheet.line(0, "");
            sheet.line(0, "and more entries; see `portcullis log show --ref REF`");
        }
        sheet.into_lines(screen.columns)
    }

    fn uses(&self, given: &Given) -> bool {
        let id = given.statement.id.0;
        self.trace.steps.iter().any(|step| step.uses.iter().any(|(used, _)| *used == id))
    }

    /// Who made it: for the log that is whoever brought it.
    fn maker(&self) -> String {
        let names = |makers: &[Maker]| {
            let names: Vec<String> = makers.iter().map(maker).collect();
            names.join(", ")
        };
        match self.brought {
            Brought::Applied { entry, by, earlier, .. } if earlier.is_empty() => {
                format!("{} brought it to this server, entry {entry}", maker(by))
            }
            Brought::Applied { entry, by, earlier, .. } => format!(
                "{} brought it to this server, entry {entry}; pushed before, without landing, by {}",
                maker(by),
                names(earlier)
            ),
            Brought::Claimed(makers) => {
                format!("pushed by {}, and no such push is known to have landed", names(makers))
            }
            Brought::BeforeGenesis => "it was here before the log began".to_owned(),
            Brought::Nobody => "the log does not know who brought it".to_owned(),
        }
    }

    fn step(&self, sheet: &mut Sheet, step: &Step) {
        let Record::Decision(decision) = &step.entry.record else { return };
        let (number, at) = (step.entry.common.seq, time(&step.entry));
        sheet.line(0, &format!("entry {number}, {at}: {}", self.what(decision, step)));
        sheet.field(1, "by", &person(&decision.actor));
        let one = &step.one;
        let answer = words::verdict(decision);
        sheet.field(
            1,
            "push",
            &format!("{} {}, {answer}", words::refname(&one.refname), words::range(one)),
        );
        sheet.field(1, "became", &became(decision, step));
        for (id, given) in &step.uses {
            match given {
                Some(given) => {
                    let entry = given.entry.common.seq;
                    sheet.field(1, "used", &format!("{}, entry {entry}", said(given)));
                    sheet.field(1, "", &format!("signed by {}", signer(given)));
                }
                None => sheet.field(1, "used", &format!("{}, which no entry here holds", id.hex())),
            }
        }
        gittuf::tell(sheet, 1, one);
        rules(sheet, one);
        sheet.field(1, "policy", words::digest(&decision.policy.sha256.0.hex()));
        glass(sheet, step);
        for back in &one.rollback {
            let (to, of) = (back.to.0.short(), back.of);
            sheet.field(
                1,
                "rollback",
                &format!("goes back to {to}, which entry {of} had put there"),
            );
        }
        for left in &step.left_by {
            sheet.field(1, "left", &format!("by a rollback, entry {left}"));
        }
    }

    /// What a push had to do with the commit.
    fn what(&self, decision: &Decision, step: &Step) -> String {
        let who = words::who(&decision.actor);
        let (name, yes) = (words::refname(&step.one.refname), is_yes(decision, &step.one));
        let as_what = |value: &Oid| {
            if value == self.commit {
                "it".to_owned()
            } else {
                format!("{}, which it came with", value.short())
            }
        };
        match (step.why, yes) {
            (Why::Brought, true) => format!("{who} brought it, with {name}"),
            (Why::Brought, false) => {
                format!("{who} tried to bring it, with {name}, and was refused")
            }
            (Why::Value(value), true) => format!("{who} put {name} at {}", as_what(&value)),
            (Why::Value(value), false) => {
                format!("{who} tried to put {name} at {}, and was refused", as_what(&value))
            }
            (Why::Used(value), _) => {
                format!("{who} landed on {name} what was said about {}", as_what(&value))
            }
        }
    }

    /// The story for scripts.
    pub fn json(&self) -> Value {
        let made_by = match self.brought {
            Brought::Applied { entry, by, earlier, .. } => json!({
                "entry": entry, "by": maker(by), "applied": true,
                "earlier": earlier.iter().map(maker).collect::<Vec<_>>(),
            }),
            Brought::Claimed(makers) => json!({
                "by": Value::Null, "applied": false,
                "earlier": makers.iter().map(maker).collect::<Vec<_>>(),
            }),
            Brought::BeforeGenesis | Brought::Nobody => Value::Null,
        };
        json!({
            "commit": self.commit.hex(),
            "brought": made_by,
            "before_genesis": self.trace.before_genesis || !self.trace.at_genesis.is_empty(),
            "at_genesis": self.trace.at_genesis.iter().map(words::refname).collect::<Vec<_>>(),
            "pushes": self.trace.steps.iter().filter_map(step_json).collect::<Vec<_>>(),
            "drifts": self.trace.drifts.iter().map(|it| it.common.seq).collect::<Vec<_>>(),
            "statements": self.trace.given.iter().map(given_json).collect::<Vec<_>>(),
            "more": self.trace.more,
        })
    }
}

fn step_json(step: &Step) -> Option<Value> {
    let Record::Decision(decision) = &step.entry.record else { return None };
    let one = &step.one;
    let (why, about) = match step.why {
        Why::Brought => ("brought", None),
        Why::Value(value) => ("value", Some(value.hex())),
        Why::Used(value) => ("used", Some(value.hex())),
    };
    let state = last_word(step).map(|(entry, state)| json!({ "entry": entry, "state": state }));
    let findings: Vec<Value> = one
        .findings
        .iter()
        .map(|it| json!({ "rule": words::plain(&it.rule), "level": words::plain(&it.level) }))
        .collect();
    let exempt: Vec<String> = one.exempt.iter().map(|it| words::plain(&it.rule)).collect();
    Some(json!({
        "entry": step.entry.common.seq,
        "time": step.entry.common.ts.0.rfc3339_millis(),
        "why": why,
        "about": about,
        "by": words::who(&decision.actor),
        "login": escape(&decision.actor.login.0),
        "key": decision.actor.key.as_deref().map(words::plain),
        "ref": words::refname(&one.refname),
        "old": one.old.0.hex(),
        "new": one.new.0.hex(),
        "verdict": words::verdict(decision),
        "allowed": is_yes(decision, one),
        "outcome": state,
        "findings": findings,
        "exempt": exempt,
        "policy": decision.policy.sha256.0.hex(),
        "used": step.uses.iter().map(|(id, given)| match given {
            Some(given) => given_json(given),
            None => json!({ "id": id.hex() }),
        }).collect::<Vec<_>>(),
        "break_glass": step.glass.as_ref().map(|it| it.common.seq),
        "settled": step.settled.as_ref().map(|it| it.common.seq),
        "rollback_of": one.rollback.iter().map(|it| it.of).collect::<Vec<_>>(),
        "left_by": step.left_by,
        "gittuf": gittuf::names(one),
        "clean_merge": one.clean_merge.iter().map(|it| it.of.0.hex()).collect::<Vec<_>>(),
    }))
}

fn given_json(given: &Given) -> Value {
    let it = &given.statement;
    json!({
        "entry": given.entry.common.seq,
        "id": it.id.0.hex(),
        "verdict": words::plain(&it.verdict),
        "person": words::plain(it.person.0.as_str()),
        "check": it.check.as_deref().map(words::plain),
        "key": key_of(it),
        "ref": words::refname(&it.for_ref),
        "commit": it.commit.0.hex(),
        "date": it.date.0.rfc3339_seconds(),
        "expires": it.expires.0.rfc3339_seconds(),
    })
}

fn maker(maker: &Maker) -> String {
    match &maker.name {
        Some(name) => escape(name.as_str().as_bytes()),
        None if maker.login.is_empty() => "somebody nobody could name".to_owned(),
        None => format!("\"{}\"", escape_short(&maker.login)),
    }
}

fn time(entry: &Entry) -> String {
    entry.common.ts.0.rfc3339_seconds()
}

/// Who said what of which commit.
fn said(given: &Given) -> String {
    let it = &given.statement;
    let check = it.check.as_ref().map(|name| format!("{} ", words::plain(name)));
    format!(
        "{}{} by {} of {} for {}",
        check.unwrap_or_default(),
        words::plain(&it.verdict),
        words::plain(it.person.0.as_str()),
        it.commit.0.short(),
        words::refname(&it.for_ref)
    )
}

/// The fingerprint of the key that signed, where its signature fits.
pub fn key_of(statement: &StatementRecord) -> Option<String> {
    let statement = Statement::parse(&statement.text.0).ok()?;
    key_behind(statement.namespace(), statement.signed_bytes(), statement.armor())
}

/// The fingerprint of the key that signed these bytes, where the signature fits them.
pub fn key_behind(namespace: &str, signed: &[u8], armor: &[u8]) -> Option<String> {
    if armor.starts_with(BEGIN_ANY) {
        // The keys of that day verified it then, at the door and where it was used.
        return claimed_key(armor);
    }
    match verify(namespace, signed, armor) {
        SignatureCheck::Good { fingerprint, .. }
        | SignatureCheck::Certified { fingerprint, .. }
        | SignatureCheck::Untouched { fingerprint, .. } => Some(fingerprint),
        SignatureCheck::Bad { .. }
        | SignatureCheck::WrongNamespace { .. }
        | SignatureCheck::Unsupported { .. }
        | SignatureCheck::Malformed { .. } => None,
    }
}

fn signer(given: &Given) -> String {
    let it = &given.statement;
    let key = key_of(it).unwrap_or_else(|| "a key that cannot be told from it".to_owned());
    let (from, to) = (it.date.0.rfc3339_seconds(), it.expires.0.rfc3339_seconds());
    format!("{key}, on {from}, good until {to}")
}

/// The last word on what became of a push's ref, and the entry that says it.
fn last_word(step: &Step) -> Option<(u64, &'static str)> {
    step.outcomes.iter().find_map(|entry| {
        let Record::Outcome(Outcome { refs, .. }) = &entry.record else { return None };
        let of = refs.iter().find(|it| it.refname == step.one.refname)?;
        Some((entry.common.seq, words::state(of.state)))
    })
}

fn became(decision: &Decision, step: &Step) -> String {
    if !is_yes(decision, &step.one) {
        return "nothing: the ref did not move".to_owned();
    }
    match last_word(step) {
        Some((entry, state)) => format!("{state}, entry {entry}"),
        None => "not known so far".to_owned(),
    }
}

fn rules(sheet: &mut Sheet, one: &RefDecision) {
    for finding in &one.findings {
        let name = if finding.level == "warn" { "warned by" } else { "refused by" };
        let text = escape_short(&finding.text.0);
        sheet.field(1, name, &format!("`{}`: {text}", words::plain(&finding.rule)));
    }
    for exempt in &one.exempt {
        let (rule, who) = (words::plain(&exempt.rule), words::plain(&exempt.who));
        sheet.field(1, "exempt", &format!("from `{rule}` as {who}"));
    }
    for merged in &one.clean_merge {
        let (rule, of) = (words::plain(&merged.rule), merged.of.0.short());
        sheet.field(1, "merged", &format!("`{rule}` takes what Git made of {of}"));
    }
}

fn glass(sheet: &mut Sheet, step: &Step) {
    if let Some(broken) = &step.glass
        && let Record::BreakGlass(it) = &broken.record
    {
        let rules = words::each_once(it.overridden.iter().map(|finding| &finding.rule));
        let reason = escape_short(&it.reason.0);
        let number = broken.common.seq;
        sheet.field(1, "glass", &format!("broken past {rules}: \"{reason}\", entry {number}"));
        let due = it.settle_by.0.rfc3339_seconds();
        let debt = match &step.settled {
            Some(settled) => format!("settled, entry {}", settled.common.seq),
            None => format!("open, to be settled by {due}"),
        };
        sheet.field(1, "debt", &debt);
    }
}
