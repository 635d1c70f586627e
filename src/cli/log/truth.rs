//! A look at hooks and settings, and the acceptance of drifts, in words.
//!
//! Used by `row` and `block`. Pure.

use crate::cli::log::sheet::Sheet;
use crate::cli::log::words;
use crate::log::accepted::Acceptance;
use crate::log::config::{Change, Config, What};
use crate::log::entry::{Drift, HeadMoved};
use crate::log::wire::Text;
use crate::names::escape::{escape, escape_short};

/// The lines of a row about hooks and settings: what has changed, or how many there are.
pub fn configured(it: &Config) -> Vec<String> {
    if it.changes.is_empty() {
        let hooks = words::counted(it.hooks.len() as u64, "hook");
        let settings = words::counted(it.settings.len() as u64, "setting");
        return vec![format!("{hooks}, {settings}")];
    }
    let one = |change: &Change| format!("{}: {}", escape_short(&change.name.0), changed(change));
    it.changes.iter().map(one).collect()
}

fn changed(change: &Change) -> String {
    match (change.before.is_empty(), change.now.is_empty()) {
        (true, _) => format!("now {}", values(&change.now)),
        (false, true) => format!("gone, was {}", values(&change.before)),
        (false, false) => format!("{}, was {}", values(&change.now), values(&change.before)),
    }
}

fn values(texts: &[Text]) -> String {
    let shown: Vec<String> = texts.iter().map(|text| format!("\"{}\"", escape(&text.0))).collect();
    shown.join(" and ")
}

/// The fields of a look at hooks and settings.
pub fn config(sheet: &mut Sheet, it: &Config) {
    let by = it.by.as_ref().map(|by| format!(", run by {}", escape(&by.0)));
    sheet.field(1, "seen by", &format!("{}{}", words::plain(&it.via), by.unwrap_or_default()));
    for change in &it.changes {
        let what = match change.what {
            What::Hook => "hook",
            What::Setting => "setting",
        };
        sheet.field(1, "changed", &format!("{what} {}", escape(&change.name.0)));
        sheet.field(2, "before", &values(&change.before));
        sheet.field(2, "now", &values(&change.now));
    }
    let hook = |path: &Text, told: &Text| format!("{} {}", escape(&path.0), escape(&told.0));
    let hooks: Vec<String> = it.hooks.iter().map(|one| hook(&one.path, &one.told())).collect();
    sheet.list(1, "hooks", hooks.len() as u64, &hooks);
    let settings: Vec<String> = it
        .settings
        .iter()
        .map(|one| format!("{} = {}", escape(&one.key.0), escape(&one.told().0)))
        .collect();
    sheet.list(1, "settings", settings.len() as u64, &settings);
    sheet.field(1, "sha256", &it.sha256.0.hex());
}

/// The lines of a row about accepted drifts.
pub fn accepts(it: &Acceptance) -> Vec<String> {
    vec![format!("{}: \"{}\"", drifts(it), escape_short(&it.reason.0))]
}

fn drifts(it: &Acceptance) -> String {
    let numbers: Vec<String> = it.of.iter().map(u64::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("drift of entry {one}"),
        _ => format!("drifts of entries {}", numbers.join(", ")),
    }
}

/// The fields of an acceptance.
pub fn accepted(sheet: &mut Sheet, it: &Acceptance) {
    sheet.field(1, "by", &escape(&it.by.0));
    sheet.field(1, "because", &format!("\"{}\"", escape(&it.reason.0)));
    sheet.field(1, "of", &drifts(it));
    let refs: Vec<String> = it.refs.iter().map(words::refname).collect();
    sheet.list(1, "refs", refs.len() as u64, &refs);
}

/// What a drift says, in a row.
pub fn drifted(it: &Drift) -> String {
    let name = words::refname(&it.refname);
    let (logged, found) = match &it.head {
        Some(head) => (named(head.logged.as_ref()), named(head.found.as_ref())),
        None => (words::short(&it.logged.0), words::short(&it.found.0)),
    };
    format!("{name}: {logged} by the log, found {found}")
}

/// What HEAD names.
fn named(target: Option<&Text>) -> String {
    target.map_or_else(|| "nothing".into(), words::refname)
}

/// The fields of a drift.
pub fn drift(sheet: &mut Sheet, it: &Drift) {
    sheet.field(1, "ref", &words::refname(&it.refname));
    let (logged, found) = match &it.head {
        Some(HeadMoved { logged, found }) => (named(logged.as_ref()), named(found.as_ref())),
        None => (it.logged.0.hex(), it.found.0.hex()),
    };
    sheet.field(1, "by the log", &logged);
    sheet.field(1, "found", &found);
    for one in &it.evidence {
        sheet.field(1, &words::plain(&one.kind), &escape(&one.text.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::config::{HookFile, HookKind, Noticed};
    use crate::log::wire::AsText;
    use crate::names::oid::{ObjectFormat, Oid};

    fn config(changes: Vec<Change>) -> Config {
        let hook = HookFile {
            path: Text::from("hooks/update"),
            kind: HookKind::None,
            mode: None,
            sha256: None,
        };
        let made =
            Config::of(Noticed::LogDrift, Some(Text::from("root")), vec![hook], vec![], None);
        Config { changes, ..made.unwrap_or_else(|_| unreachable!("plain values become JSON")) }
    }

    #[test]
    fn a_row_tells_what_has_changed() {
        assert_eq!(configured(&config(Vec::new())), ["1 hook, 0 settings"]);
        let change = |before: &[&str], now: &[&str]| Change {
            what: What::Setting,
            name: Text::from("transfer.hiderefs"),
            before: before.iter().map(|text| Text::from(*text)).collect(),
            now: now.iter().map(|text| Text::from(*text)).collect(),
        };
        let all = vec![change(&[], &["a", "b"]), change(&["a"], &[]), change(&["a"], &["\x1b["])];
        assert_eq!(
            configured(&config(all)),
            [
                "transfer.hiderefs: now \"a\" and \"b\"",
                "transfer.hiderefs: gone, was \"a\"",
                "transfer.hiderefs: \"\\x1b[\", was \"a\"",
            ]
        );
    }

    #[test]
    fn a_block_tells_who_noticed_and_who_accepted() {
        let mut sheet = Sheet::new(false);
        super::config(&mut sheet, &config(Vec::new()));
        let lines = sheet.into_lines(None).join("\n");
        assert!(lines.contains("seen by    log-drift, run by root"), "{lines}");
        assert!(lines.contains("hooks      hooks/update none"), "{lines}");
        let acceptance = Acceptance {
            of: vec![7, 9],
            refs: vec![Text::from("refs/heads/main")],
            reason: Text::from("restored\x07"),
            by: Text::from("root"),
        };
        assert_eq!(accepts(&acceptance), ["drifts of entries 7, 9: \"restored\\x07\""]);
        let mut sheet = Sheet::new(false);
        accepted(&mut sheet, &acceptance);
        let lines = sheet.into_lines(None).join("\n");
        assert!(lines.contains("by         root"), "{lines}");
        assert!(lines.contains("refs       refs/heads/main"), "{lines}");
    }

    #[test]
    fn head_is_told_by_what_it_names() {
        let zero = AsText(Oid::zero(ObjectFormat::Sha1));
        let head = HeadMoved { logged: Some(Text::from("refs/heads/main")), found: None };
        let refname = Text::from("HEAD");
        let drift =
            Drift { refname, logged: zero, found: zero, head: Some(head), evidence: Vec::new() };
        assert_eq!(drifted(&drift), "HEAD: refs/heads/main by the log, found nothing");
    }
}
