//! What the records of hooks, settings and accepted drifts look like, for ever.

use crate::log::accepted::Acceptance;
use crate::log::config::{Change, Config, HookFile, HookKind, Noticed, SettingRecord, What};
use crate::log::entry::{Drift, HeadMoved, LINE_BYTES_MAX, Record};
use crate::log::line::{read_record, record_json};
use crate::log::posting::Key;
use crate::log::tests::support::{Bench, append, zero};
use crate::log::verify::verify;
use crate::log::whole;
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;

fn hook(path: &str, bytes: &[u8]) -> HookFile {
    HookFile {
        path: Text::from(path),
        kind: HookKind::Ours,
        mode: Some("0755".to_owned()),
        sha256: Some(AsText(Digest::of(bytes))),
    }
}

fn setting(key: &str, scope: &str, value: Option<&str>) -> SettingRecord {
    SettingRecord {
        key: Text::from(key),
        scope: scope.to_owned(),
        value: value.map(Text::from),
        withheld: false,
    }
}

fn first() -> Config {
    let hooks = vec![
        hook("hooks/update", b"u"),
        HookFile {
            kind: HookKind::None,
            mode: None,
            sha256: None,
            ..hook("hooks/pre-receive", b"")
        },
    ];
    let nonce = SettingRecord { withheld: true, ..setting("receive.certnonceseed", "local", None) };
    let settings = vec![setting("receive.fsckobjects", "system", Some("true")), nonce];
    Config::of(Noticed::Install, Some(Text::from("root")), hooks, settings, None).unwrap()
}

#[test]
fn a_look_at_hooks_and_settings_has_these_keys_in_this_order() {
    let sum = Digest::of(b"u");
    let both = format!(
        "\"hooks\":[{{\"path\":\"hooks/pre-receive\",\"kind\":\"none\"}},\
         {{\"path\":\"hooks/update\",\"kind\":\"ours\",\"mode\":\"0755\",\"sha256\":\"{sum}\"}}],\
         \"settings\":[{{\"key\":\"receive.fsckobjects\",\"scope\":\"system\",\"value\":\"true\"}},\
         {{\"key\":\"receive.certnonceseed\",\"scope\":\"local\",\"withheld\":true}}]"
    );
    let digest = Digest::of(format!("{{{both}}}").as_bytes());
    let record = Record::Config(Box::new(first()));
    let json = record_json(&record).unwrap();
    let expected =
        format!("{{\"via\":\"install\",\"by\":\"root\",\"sha256\":\"{digest}\",{both}}}");
    assert_eq!(json, expected);
    assert_eq!(read_record(record.kind(), json.as_bytes()).unwrap(), record);
}

#[test]
fn what_has_changed_is_told_hook_by_hook_and_key_by_key() {
    let before = first();
    let hooks = vec![hook("hooks/update", b"other"), hook("hooks/pre-receive", b"p")];
    let settings = vec![
        setting("receive.fsckobjects", "system", Some("true")),
        setting("transfer.hiderefs", "local", Some("refs/a")),
        setting("transfer.hiderefs", "local", Some("refs/b")),
    ];
    let now = Config::of(Noticed::LogDrift, None, hooks, settings, Some(&before)).unwrap();
    let change = |what, name: &str, before: &[&str], now: &[&str]| Change {
        what,
        name: Text::from(name),
        before: before.iter().map(|text| Text::from(*text)).collect(),
        now: now.iter().map(|text| Text::from(*text)).collect(),
    };
    let ours = |bytes: &[u8]| format!("ours 0755 {}", Digest::of(bytes));
    assert_eq!(
        now.changes,
        [
            change(What::Hook, "hooks/pre-receive", &["none"], &[&ours(b"p")]),
            change(What::Hook, "hooks/update", &[&ours(b"u")], &[&ours(b"other")]),
            change(What::Setting, "receive.certnonceseed", &["a secret"], &[]),
            change(What::Setting, "transfer.hiderefs", &[], &["refs/a", "refs/b"]),
        ]
    );
    let (hooks, settings) = (now.hooks.clone(), now.settings.clone());
    let again = Config::of(Noticed::LogDrift, None, hooks, settings, Some(&now)).unwrap();
    assert_eq!((again.sha256, again.changes), (now.sha256, Vec::new()));
}

#[test]
fn thousands_of_settings_fit_and_are_kept() {
    let bench = Bench::new();
    let mut log = bench.open();
    let settings = (0..5000)
        .map(|n| setting(&format!("transfer.x{n}"), "local", Some("a value of some length")))
        .collect();
    let config = Config::of(Noticed::LogDrift, None, Vec::new(), settings, Some(&first())).unwrap();
    let record = Record::Config(Box::new(config));
    let seq = append(&mut log, record.clone(), 1).seq();
    assert!(bench.bytes().split(|&b| b == b'\n').all(|line| line.len() < LINE_BYTES_MAX));
    let entry = log.entry_by_number(seq).unwrap();
    assert_eq!(whole::record(&log.folder, &entry).unwrap(), record);
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}

#[test]
fn an_acceptance_and_a_drift_of_head_have_these_keys_in_this_order() {
    let accepted = Record::Accepted(Acceptance {
        of: vec![7, 9],
        refs: vec![Text::from("refs/heads/main")],
        reason: Text::from("restored after INC-42"),
        by: Text::from("root"),
    });
    let json = record_json(&accepted).unwrap();
    assert_eq!(
        json,
        r#"{"of":[7,9],"refs":["refs/heads/main"],"reason":"restored after INC-42","by":"root"}"#
    );
    assert_eq!(read_record(accepted.kind(), json.as_bytes()).unwrap(), accepted);
    let drift = Record::Drift(Drift {
        refname: Text::from("HEAD"),
        logged: AsText(zero()),
        found: AsText(zero()),
        head: Some(HeadMoved {
            logged: Some(Text::from("refs/heads/main")),
            found: Some(Text::from("refs/heads/evil")),
        }),
        evidence: Vec::new(),
    });
    let json = record_json(&drift).unwrap();
    let zeros = "0".repeat(40);
    assert_eq!(
        json,
        format!(
            "{{\"ref\":\"HEAD\",\"logged\":\"{zeros}\",\"found\":\"{zeros}\",\
             \"head\":{{\"logged\":\"refs/heads/main\",\"found\":\"refs/heads/evil\"}}}}"
        )
    );
    assert_eq!(read_record(drift.kind(), json.as_bytes()).unwrap(), drift);
}

#[test]
fn drifts_and_what_accepts_them_are_found_by_the_index() {
    let bench = Bench::new();
    let mut log = bench.open();
    let drift = Drift {
        refname: Text::from("refs/heads/main"),
        logged: AsText(zero()),
        found: AsText(zero()),
        head: None,
        evidence: Vec::new(),
    };
    let seq = append(&mut log, Record::Drift(drift), 1).seq();
    let all = |log: &crate::log::book::Log, key: Key<'_>| -> Vec<u64> {
        log.postings(key, 10).unwrap().iter().map(|posting| posting.seq).collect()
    };
    assert_eq!(all(&log, Key::Drifts), [seq]);
    assert_eq!(all(&log, Key::Drift(b"refs/heads/main")), [seq]);
    assert_eq!(all(&log, Key::Accepted(seq)), [0; 0]);
    let accepted = Acceptance {
        of: vec![seq],
        refs: vec![Text::from("refs/heads/main")],
        reason: Text::from("restored"),
        by: Text::from("root"),
    };
    let by = append(&mut log, Record::Accepted(accepted), 2).seq();
    assert_eq!(all(&log, Key::Accepted(seq)), [by]);
    let config = append(&mut log, Record::Config(Box::new(first())), 3).seq();
    assert_eq!(all(&bench.open(), Key::Config), [config]);
}

#[test]
fn the_page_for_auditors_names_every_key() {
    let page = include_str!("../../../docs/log.md");
    let keys = [
        "via", "by", "sha256", "hooks", "path", "kind", "mode", "settings", "key", "scope",
        "value", "withheld", "changes", "what", "name", "before", "now", "of", "refs", "reason",
        "head", "logged", "found",
    ];
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "docs/log.md does not say what `{key}` is");
    }
}
