//! An entry told whole: who asked for what, what was said to it and why, and what became of it.
//!
//! Pure: whoever calls has read the attachments. Nothing is judged anew; this is what the entry
//! says, and what later entries say of it.

use crate::cli::io::Screen;
use crate::cli::log::gittuf;
use crate::cli::log::glass;
use crate::cli::log::lore::Lore;
use crate::cli::log::row;
use crate::cli::log::sheet::Sheet;
use crate::cli::log::truth;
use crate::cli::log::words;
use crate::log::decision::{
    Actor, ActorKind, CertRecord, Decision, FindingRecord, Hook, RefDecision, StatementRecord,
    Verdict,
};
use crate::log::entry::{Asked, Genesis, GenesisRef, Outcome, Policy, Record, Refusal, Via};
use crate::log::line::Entry;
use crate::log::pruned::Pruned;
use crate::log::segment::{PLAIN, file_name};
use crate::log::tidy::Tidy;
use crate::log::wire::Text;
use crate::names::digest::Digest;
use crate::names::escape::escape;

/// How a block is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether no list is cut.
    pub is_full: bool,
    /// What shows it.
    pub screen: Screen,
}

/// The lines of one entry. `record` is its record, whole.
pub fn lines(entry: &Entry, record: &Record, lore: &Lore, layout: Layout) -> Vec<String> {
    let common = &entry.common;
    let mut sheet = Sheet::new(layout.is_full);
    let word = match record {
        Record::Decision(decision) => words::verdict(decision),
        Record::Refusal(_) => "refused",
        Record::Genesis(_)
        | Record::Birth(_)
        | Record::Outcome(_)
        | Record::Drift(_)
        | Record::Policy(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::BreakGlass(_)
        | Record::Settled(_)
        | Record::Seal(_)
        | Record::Segment(_)
        | Record::Pruned(_)
        | Record::Tidy(_)
        | Record::Config(_)
        | Record::Accepted(_) => common.kind.name(),
    };
    let shown = if layout.screen.colour { row::coloured(word, word) } else { word.to_owned() };
    sheet.line(0, &format!("entry {}: {shown}", common.seq));
    let back = if common.ts_before_prev { ", by a clock that was set back" } else { "" };
    sheet.field(1, "time", &format!("{}{back}", common.ts.0.rfc3339_millis()));
    told(&mut sheet, common.seq, record, lore);
    for held in &common.held {
        sheet.field(1, "besides", &row::held(held));
    }
    if let Some(short) = entry.short.as_ref().filter(|short| short.whole.is_none()) {
        let n = short.refs;
        sheet.field(1, "cut", &format!("the log kept this entry in short, it had {n} refs"));
    }
    sheet.field(
        1,
        "written by",
        &format!(
            "{} on {}, process {}",
            words::plain(&common.tool),
            words::plain(&common.host),
            common.sess.pid
        ),
    );
    sheet.field(1, "log", &words::plain(&common.log));
    sheet.field(1, "hash", &entry.hash.hex());
    sheet.into_lines(layout.screen.columns)
}

fn told(sheet: &mut Sheet, number: u64, record: &Record, lore: &Lore) {
    match record {
        Record::Genesis(it) => genesis(sheet, it),
        Record::Birth(it) => {
            for one in &it.refs {
                sheet.field(1, "ref", &words::refname(&one.refname));
                sheet.field(1, "value", &one.oid.0.hex());
            }
        }
        Record::Decision(it) => decision(sheet, number, it, lore),
        Record::Refusal(it) => refusal(sheet, it),
        Record::Outcome(it) => outcome(sheet, it),
        Record::Drift(it) => truth::drift(sheet, it),
        Record::Config(it) => truth::config(sheet, it),
        Record::Accepted(it) => truth::accepted(sheet, it),
        Record::Policy(it) => policy(sheet, it),
        Record::Asked(it) => asked(sheet, it),
        Record::Recovered(it) => {
            sheet.field(1, "what", words::cause(it.cause));
            sheet.field(1, "where", &format!("byte {}, {} bytes", it.offset, it.length));
            sheet.field(1, "sha256", &it.sha256.0.hex());
        }
        Record::Tidy(it) => tidied(sheet, number, it, lore),
        Record::BreakGlass(it) => glass::broken(sheet, &person(&it.actor), it),
        Record::Settled(it) => glass::settled(sheet, it),
        Record::Pruned(it) => pruned(sheet, it),
        Record::Segment(it) => {
            sheet.field(1, "file", &file_name(it.first, PLAIN));
            sheet.field(1, "why", words::closed(it.why));
        }
        Record::Seal(it) => {
            sheet.field(1, "covers", &words::entries(it.size));
            sheet.field(1, "root", &it.root.0.hex());
            sheet.field(1, "refs", &it.refs.0.hex());
            sheet.field(1, "signed by", &words::plain(&it.key));
            sheet.field(1, "next key", &words::plain(&it.next));
        }
    }
}

fn genesis(sheet: &mut Sheet, it: &Genesis) {
    sheet.field(1, "repository", &format!("{} at {}", words::plain(&it.repo), escape(&it.path.0)));
    let kept = format!("{}, refs as {}", words::plain(&it.format), words::plain(&it.backend));
    sheet.field(1, "objects", &kept);
    if let Some(head) = &it.head {
        sheet.field(1, "HEAD", &words::refname(head));
    }
    if let Some(policy) = &it.policy {
        sheet.field(1, "policy", &policy.0.hex());
    }
    let values = |one: &GenesisRef| format!("{} {}", one.oid.0.hex(), words::refname(&one.refname));
    let refs: Vec<String> = it.refs.list.iter().map(values).collect();
    sheet.list(1, "refs", it.refs.n, &refs);
    if let Some(previous) = &it.previous {
        let log = words::plain(&previous.log);
        sheet.field(
            1,
            "continues",
            &format!("{log}, {} entries, {}", previous.size, previous.hash.0),
        );
    }
}

fn decision(sheet: &mut Sheet, number: u64, it: &Decision, lore: &Lore) {
    sheet.field(1, "by", &person(&it.actor));
    let git = it.git.as_ref().map(|git| format!(", git {}", words::plain(git)));
    let took = words::duration(it.dur_us);
    let gate = format!("{}{}, took {took}", hook(it.hook), git.unwrap_or_default());
    sheet.field(1, "judged in", &gate);
    sheet.field(1, "policy", &it.policy.sha256.0.hex());
    sheet.field(1, "evidence", &format!("from the log below entry {}", it.judged_at));
    let options: Vec<String> =
        it.opts.iter().map(|option| format!("\"{}\"", escape(&option.0))).collect();
    sheet.list(1, "options", options.len() as u64, &options);
    if let Some(cert) = &it.cert {
        sheet.field(1, "certificate", &certificate(cert));
    }
    for one in &it.refs {
        moved(sheet, one);
        became(sheet, number, it, one, lore);
        used(sheet, one, lore);
    }
    for one in &it.statements {
        statement(sheet, one);
    }
}

/// What the push certificate was worth.
fn certificate(cert: &CertRecord) -> String {
    let key = cert.key.as_ref().map(|key| format!(", key {}", words::plain(key)));
    let worth = match (&cert.by, &cert.why) {
        (Some(name), _) => format!("good, signed by {}", name.0),
        (None, Some(why)) => format!("does not count: it {}", escape(&why.0)),
        (None, None) => "does not count".to_owned(),
    };
    format!("{worth}{}", key.unwrap_or_default())
}

/// Who, and how that is known.
pub fn person(actor: &Actor) -> String {
    let kind = match actor.kind {
        ActorKind::Person => "person",
        ActorKind::Machine => "machine",
        ActorKind::Unlisted => "not listed",
        ActorKind::Shared => "a shared login",
        ActorKind::Unknown => "nobody could say who",
    };
    let (door, source) = (words::plain(&actor.door), words::plain(&actor.source));
    let key = actor.key.as_ref().map(|key| format!(", key {}", words::plain(key)));
    format!(
        "{} ({kind}), through {door} as \"{}\" by {source}{}",
        words::who(actor),
        escape(&actor.login.0),
        key.unwrap_or_default()
    )
}

const fn hook(hook: Hook) -> &'static str {
    match hook {
        Hook::PreReceive => "pre-receive",
        Hook::Update => "update",
        Hook::PostReceive => "post-receive",
    }
}

fn moved(sheet: &mut Sheet, one: &RefDecision) {
    let answer = words::answer(one.verdict);
    sheet.line(1, &format!("{} {}: {answer}", words::refname(&one.refname), words::range(one)));
    if let Some(target) = &one.target {
        sheet.field(2, "really", &words::refname(target));
    }
    sheet.field(2, "old", &one.old.0.hex());
    sheet.field(2, "new", &one.new.0.hex());
    if let Some(claimed) = &one.claimed_old {
        sheet.field(2, "claimed", &format!("{} as the old value", claimed.0.hex()));
    }
    let brought: Vec<String> = one.brought.list.iter().map(|oid| oid.0.hex()).collect();
    sheet.field(2, "gains", &words::counted(one.commits, "commit"));
    sheet.list(2, "brought", one.brought.n, &brought);
    let paths: Vec<String> = one.paths.list.iter().map(|path| escape(&path.0)).collect();
    sheet.list(2, "paths", one.paths.n, &paths);
    for finding in &one.findings {
        found(sheet, finding);
    }
    gittuf::tell(sheet, 2, one);
    for exempt in &one.exempt {
        let paths: Vec<String> = exempt.paths.iter().map(|path| escape(&path.0)).collect();
        let (rule, who) = (words::plain(&exempt.rule), words::plain(&exempt.who));
        sheet.field(2, "exempt", &format!("from `{rule}` as {who}, {}", paths.join(" ")));
    }
    for merged in &one.clean_merge {
        let paths: Vec<String> = merged.paths.iter().map(|path| escape(&path.0)).collect();
        let more = if merged.n.is_some() { " and more" } else { "" };
        let (rule, of) = (words::plain(&merged.rule), merged.of.0.short());
        let words = format!("`{rule}` takes what Git made of {of}: {}{more}", paths.join(" "));
        sheet.field(2, "merged", &words);
    }
    for back in &one.rollback {
        let paths: Vec<String> = back.paths.iter().map(|path| escape(&path.0)).collect();
        let within =
            if paths.is_empty() { String::new() } else { format!(" in {}", paths.join(" ")) };
        let (to, left) = (back.to.0.hex(), back.left.0.short());
        sheet.field(
            2,
            "goes back",
            &format!("to {to} of entry {}{within}, leaving {left}", back.of),
        );
    }
}

fn found(sheet: &mut Sheet, finding: &FindingRecord) {
    let name = if finding.level == "warn" { "warning" } else { "error" };
    let place = finding.place.as_ref().map(|place| format!(", {}", escape(&place.0)));
    let (rule, kind) = (words::plain(&finding.rule), words::plain(&finding.kind));
    sheet.field(2, name, &format!("`{rule}` ({kind}{})", place.unwrap_or_default()));
    for line in finding.text.0.split(|byte| *byte == b'\n') {
        sheet.field(2, "", &escape(line));
    }
}

fn used(sheet: &mut Sheet, one: &RefDecision, lore: &Lore) {
    let used: Vec<String> = one.uses.iter().map(|id| said(&id.0, lore)).collect();
    sheet.list(2, "uses", used.len() as u64, &used);
}

/// A statement by its SHA-256: who said what, and where it stands.
fn said(id: &Digest, lore: &Lore) -> String {
    match lore.statement(id) {
        Some(it) => {
            let (verdict, person) = (words::plain(&it.verdict), words::plain(&it.person));
            let check = it.check.as_ref().map(|name| format!("{} ", words::plain(name)));
            format!("{}{verdict} by {person}, entry {}", check.unwrap_or_default(), it.entry)
        }
        None => format!("{}, which no entry here holds", id.hex()),
    }
}

/// What became of one ref of a push, by the last entry that speaks of it.
fn became(sheet: &mut Sheet, number: u64, it: &Decision, one: &RefDecision, lore: &Lore) {
    if it.verdict == Verdict::Refuse || one.verdict == Verdict::Refuse {
        return;
    }
    ended(sheet, number, &one.refname, lore);
}

fn ended(sheet: &mut Sheet, number: u64, refname: &Text, lore: &Lore) {
    let last = lore.outcomes(number).iter().rev().find_map(|became| {
        let of = became.refs.iter().find(|it| it.refname == *refname)?;
        Some((became.entry, of))
    });
    let Some((entry, of)) = last else {
        sheet.field(2, "outcome", "not known so far");
        return;
    };
    let mut text = format!("{}, entry {entry}", words::state(of.state));
    if !of.one_of.is_empty() {
        let others: Vec<String> = of.one_of.iter().map(u64::to_string).collect();
        text.push_str(&format!(", by this push or that of entry {}", others.join(" or ")));
    }
    sheet.field(2, "outcome", &text);
}

fn statement(sheet: &mut Sheet, it: &StatementRecord) {
    let check = it.check.as_ref().map(|name| format!(" {}", words::plain(name)));
    let (kind, verdict) = (words::plain(&it.kind), words::plain(&it.verdict));
    let person = words::plain(it.person.0.as_str());
    sheet.line(1, &format!("{kind}{}: {verdict} by {person}", check.unwrap_or_default()));
    sheet.field(2, "for", &words::refname(&it.for_ref));
    sheet.field(2, "commit", &it.commit.0.hex());
    sheet.field(2, "base", &it.base.0.hex());
    sheet.field(2, "delta", &it.delta.0.hex());
    sheet.field(2, "dated", &it.date.0.rfc3339_seconds());
    sheet.field(2, "expires", &it.expires.0.rfc3339_seconds());
    sheet.field(2, "sha256", &it.id.0.hex());
    let text: Vec<String> = it.text.0.split(|byte| *byte == b'\n').map(escape).collect();
    let text: Vec<String> = text.into_iter().filter(|line| !line.is_empty()).collect();
    sheet.list(2, "text", text.len() as u64, &text);
}

fn refusal(sheet: &mut Sheet, it: &Refusal) {
    if let Some(actor) = &it.actor {
        sheet.field(1, "by", &person(actor));
    }
    let fault = if it.fault { ", an operator must mend something" } else { "" };
    sheet.field(1, "refused in", &format!("{}{fault}", hook(it.hook)));
    sheet.field(1, "because", &escape(&it.reason.0));
    if let Some(of) = it.of {
        sheet.field(1, "against", &format!("the decision in entry {of}"));
    }
    let refs: Vec<String> = it
        .refs
        .iter()
        .map(|one| {
            let (old, new) = (escape(&one.old.0), escape(&one.new.0));
            format!("{} {old} {new}", words::refname(&one.refname))
        })
        .collect();
    sheet.list(1, "refs", refs.len() as u64, &refs);
}

fn outcome(sheet: &mut Sheet, it: &Outcome) {
    sheet.field(1, "of", &format!("entry {}", it.of));
    let via = match it.via {
        Via::PostReceive => "post-receive, as Git told it",
        Via::Reconcile => "comparing refs with the log, later",
    };
    sheet.field(1, "known by", via);
    for one in &it.refs {
        let state = words::state(one.state);
        sheet.line(1, &format!("{}: {state}", words::refname(&one.refname)));
        sheet.field(2, "old", &one.old.0.hex());
        sheet.field(2, "new", &one.new.0.hex());
        let others: Vec<String> = one.one_of.iter().map(|entry| format!("entry {entry}")).collect();
        sheet.list(2, "or by", others.len() as u64, &others);
    }
}

fn policy(sheet: &mut Sheet, it: &Policy) {
    sheet.field(1, "sha256", &it.sha256.0.hex());
    sheet.field(1, "found by", &escape(&it.who.0));
    for file in &it.files {
        sheet.field(1, "file", &escape(&file.place.0));
        sheet.field(1, "text", &format!("att/{}", file.att.0.hex()));
    }
}

fn pruned(sheet: &mut Sheet, it: &Pruned) {
    sheet.field(1, "taken away", &format!("entries 0 to {}", it.first.saturating_sub(1)));
    sheet.field(1, "kept whole", &words::entries(it.kept));
    sheet.field(1, "summary", &it.summary.0.hex());
    let covers = format!("{}, root {}", words::entries(it.size), it.root.0.hex());
    sheet.field(1, "published", &covers);
    sheet.field(1, "by", &escape(&it.by.0));
}

fn tidied(sheet: &mut Sheet, number: u64, it: &Tidy, lore: &Lore) {
    sheet.field(1, "by", &escape(&it.by.0));
    for one in &it.refs {
        sheet.line(1, &format!("{}: {}", words::refname(&one.refname), words::dead(one)));
        sheet.field(2, "old", &one.old.0.hex());
        sheet.field(2, "statement", &said(&one.id.0, lore));
        ended(sheet, number, &one.refname, lore);
    }
}

fn asked(sheet: &mut Sheet, it: &Asked) {
    sheet.field(1, "by", &person(&it.actor));
    sheet.field(1, "about", &words::refname(&it.refname));
    sheet.field(1, "commit", &it.commit.0.hex());
    let answer = words::answer(it.verdict);
    sheet.field(1, "answer", &format!("would be {answer}, took {}", words::duration(it.dur_us)));
}
