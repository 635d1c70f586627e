//! A judgement told again from the log alone: by which rules, path by path, on what evidence.
//!
//! For `log show --full`, below the block of a decision. Nothing is judged anew: the verdicts are those
//! of the entry; the rules are those of the policy that it names, from the attachments; and what the
//! log does not hold is said.

use crate::cli::io::Screen;
use crate::cli::log::gittuf;
use crate::cli::log::lore::Lore;
use crate::cli::log::sheet::Sheet;
use crate::cli::log::stood::stood;
use crate::cli::log::story::key_of;
use crate::cli::log::words;
use crate::log::decision::{Decision, RefDecision, StatementRecord};
use crate::log::disk::Folder;
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::verdict::finding::Level;

/// What a log never holds, and what follows from that.
const NOT_HELD: [&str; 2] = [
    "contents of files: whether a rule is about a path by what stands in the file is not told here",
    "approvals and checks that were looked at and did not count, but for what a finding says of them",
];

/// The lines of one decision, judged at this moment.
pub fn lines(
    folder: &Folder,
    at: Moment,
    decision: &Decision,
    lore: &Lore,
    screen: Screen,
) -> Vec<String> {
    let mut sheet = Sheet::new(true);
    let policy = policy(&mut sheet, folder, decision, lore);
    for one in &decision.refs {
        sheet.line(1, &format!("{}, again", words::refname(&one.refname)));
        if let Some(policy) = &policy {
            judged(&mut sheet, policy, at, one, lore);
        }
        evidence(&mut sheet, one, lore);
    }
    for line in NOT_HELD {
        sheet.field(1, if line == NOT_HELD[0] { "not held" } else { "" }, line);
    }
    sheet.into_lines(screen.columns)
}

/// The policy that it was judged by, as it stood.
fn policy(sheet: &mut Sheet, folder: &Folder, decision: &Decision, lore: &Lore) -> Option<Policy> {
    let sha256 = decision.policy.sha256.0;
    let Some((entry, record)) = lore.policy(&sha256) else {
        sheet.field(
            1,
            "judged by",
            &format!("a policy that no entry here holds, {}", sha256.hex()),
        );
        return None;
    };
    let stood = match stood(folder, record) {
        Ok(stood) => stood,
        Err(error) => {
            let text = format!("the policy of entry {entry}, whose text cannot be read: {error}");
            sheet.field(1, "judged by", &text);
            return None;
        }
    };
    let places: Vec<String> = stood.files.iter().map(|(place, _)| escape(&place.0)).collect();
    let text = format!("the policy of entry {entry}: {}", places.join(", "));
    sheet.field(1, "judged by", &text);
    if stood.policy.is_err() {
        sheet.field(1, "", "which this version reads no more; its text is in the attachments");
    }
    stood.policy.ok()
}

/// Every rule about a ref, what it said, and which paths it is about.
fn judged(sheet: &mut Sheet, policy: &Policy, at: Moment, one: &RefDecision, lore: &Lore) {
    let name = one.target.as_ref().unwrap_or(&one.refname);
    let Some(name) = Refname::parse(&name.0) else {
        sheet.field(2, "rules", "none: this is no name of a ref");
        return;
    };
    let default = lore.head().and_then(|head| Refname::parse(&head.0));
    let all = policy.rules.iter();
    let rules: Vec<&CompiledRule> =
        all.filter(|rule| rule.refs.matches(&name, default.as_ref())).collect();
    if rules.is_empty() {
        sheet.field(2, "rules", "none is about this ref");
    }
    for (index, rule) in rules.iter().enumerate() {
        let level = match rule.level_at(at) {
            Level::Refuse => "refuse",
            Level::Warn => "warn",
        };
        let said = said(one, &rule.name);
        let told = format!("`{}` ({}, {level}, {}): {said}", rule.name, rule.kind, rule.place);
        sheet.field(2, if index == 0 { "rules" } else { "" }, &told);
    }
    for (index, path) in one.paths.list.iter().enumerate() {
        let about = RepoPath::new(path.0.clone());
        let names = rules.iter().filter(|rule| rule.body.about(&about) == Some(true));
        let names: Vec<String> = names.map(|rule| format!("`{}`", rule.name)).collect();
        let by = if names.is_empty() { "no rule by its path".to_owned() } else { names.join(", ") };
        let told = format!("{}: {by}", escape(&path.0));
        sheet.field(2, if index == 0 { "path by" } else { "" }, &told);
    }
    let more = one.paths.n.saturating_sub(one.paths.list.len() as u64);
    if more > 0 {
        sheet.field(2, "", &format!("and {more} more, which the log did not keep"));
    }
}

/// What one rule said of a ref, by the entry.
fn said(one: &RefDecision, rule: &str) -> String {
    let found = one.findings.iter().filter(|finding| finding.rule == rule);
    let found: Vec<String> = found
        .map(|finding| {
            let first = finding.text.0.split(|byte| *byte == b'\n').next().unwrap_or_default();
            escape(first)
        })
        .collect();
    let exempt = one.exempt.iter().find(|exempt| exempt.rule == rule);
    match (found.is_empty(), exempt) {
        (false, _) => found.join("; "),
        (true, Some(exempt)) => format!("silent, {} is exempt", words::plain(&exempt.who)),
        (true, None) => "no objection".to_owned(),
    }
}

/// Every statement that the push used, with what can be told of it without anybody's word.
fn evidence(sheet: &mut Sheet, one: &RefDecision, lore: &Lore) {
    if one.uses.is_empty() && one.gittuf.is_none() {
        sheet.field(2, "evidence", "no approval and no check was used");
    }
    for (index, id) in one.uses.iter().enumerate() {
        let name = if index == 0 { "evidence" } else { "" };
        match (lore.whole_statement(&id.0), lore.statement(&id.0)) {
            (Some(statement), Some(known)) => told(sheet, name, statement, known.entry),
            (Some(_), None) | (None, Some(_)) | (None, None) => {
                let text = format!("{}, which no entry here holds", id.0.hex());
                sheet.field(2, name, &text);
            }
        }
    }
    gittuf::evidence(sheet, one);
}

fn told(sheet: &mut Sheet, name: &str, it: &StatementRecord, entry: u64) {
    let check = it.check.as_ref().map(|check| format!("{} ", words::plain(check)));
    let (check, verdict) = (check.unwrap_or_default(), words::plain(&it.verdict));
    let person = words::plain(it.person.0.as_str());
    let (commit, base) = (it.commit.0.hex(), it.base.0.hex());
    sheet.field(2, name, &format!("{check}{verdict} by {person}, entry {entry}"));
    sheet.field(2, "", &format!("of {commit} for {}", words::refname(&it.for_ref)));
    sheet.field(2, "", &format!("since {base}, delta {}", it.delta.0.hex()));
    let key = key_of(it).map(|key| format!("its signature fits, by the key {key}"));
    let key = key.unwrap_or_else(|| "its signature does not fit".to_owned());
    sheet.field(2, "", &key);
    let (from, to) = (it.date.0.rfc3339_seconds(), it.expires.0.rfc3339_seconds());
    sheet.field(2, "", &format!("made {from}, good until {to}"));
}
