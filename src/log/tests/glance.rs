//! A glance at a line, and the walk over its keys, are as strict as readers that take longer.

use proptest::prelude::prop;
use proptest::{prop_assert_eq, proptest};

use crate::log::decision::Hook;
use crate::log::entry::{Record, Refusal, State};
use crate::log::file;
use crate::log::glance::{Glance, glance};
use crate::log::keys::keys_of;
use crate::log::line::{LineError, body, read, write};
use crate::log::segment::{Closed, Segment};
use crate::log::tests::support::{ctx, decides, decision_of, moves, oid, outcome};
use crate::log::wire::{AsText, Short, Text};
use crate::names::digest::Digest;

/// Pieces of JSON, and of what is nearly JSON.
const TOKENS: [&str; 29] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\\n\"",
    "\"\\u00e9\"",
    "\"\\x\"",
    "\"\t\"",
    " ",
    "\t",
    "0",
    "-1",
    "01",
    "1.5",
    "1.",
    "-",
    "2e7",
    "2E-",
    "true",
    "nul",
    "null",
    "{\"a\":1}",
    "{\"a\":",
    "[1,",
    "+1",
    "\u{e9}",
];

proptest! {
    #[test]
    fn keys_are_found_in_json_and_in_nothing_else(
        tokens in prop::collection::vec(prop::sample::select(TOKENS.to_vec()), 0..9),
    ) {
        let json = format!("[{}]", tokens.concat());
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok();
        prop_assert_eq!(keys_of(json.as_bytes()).is_some(), is_json, "{}", json);
    }
}

/// One record of each kind that is passed by and one that is read, and one with hostile text.
fn records() -> Vec<Record> {
    let hostile = Text::from(r#"x","sess":{"pid":1},"held":[,"short":{"prev":"\"#);
    let mut odd = decision_of("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    odd.actor.login = hostile.clone();
    let refused = Refusal {
        hook: Hook::Update,
        actor: None,
        of: None,
        refs: Vec::new(),
        reason: hostile,
        fault: true,
    };
    vec![
        decides("alice", vec![moves("refs/heads/main", oid(1), oid(2))]),
        Record::Decision(Box::new(odd)),
        Record::Refusal(refused),
        outcome(1, "refs/heads/main", oid(1), oid(2), State::Applied),
        Record::Segment(Segment { first: 7, offset: 4096, why: Closed::Day }),
    ]
}

#[test]
fn a_glance_says_the_same_as_reading_and_passes_by_what_is_no_part_of_the_shape() {
    for record in records() {
        for before_prev in [false, true] {
            let mut common = file::common("git1/infra", &ctx(1), record.kind(), 7);
            common.ts_before_prev = before_prev;
            let fields = body(&record, None).unwrap();
            let (line, _) = write(&common, &fields, &Digest::of(b"before")).unwrap();
            let line = line.trim_end().as_bytes();
            let whole = Glance::from(read(line).unwrap());
            let quick = glance(line).unwrap();
            let is_shape = matches!(record, Record::Segment(_));
            assert_eq!(quick.record, whole.record.clone().filter(|_| is_shape));
            assert_eq!(quick, Glance { record: quick.record.clone(), ..whole });
            for at in 0..line.len() {
                let mut changed = line.to_vec();
                changed[at] ^= 1;
                let fault = glance(&changed).unwrap_err();
                assert!(matches!(fault, LineError::SelfHash | LineError::NotWhole), "{at}");
            }
        }
    }
}

#[test]
fn a_record_that_was_cut_says_so_at_a_glance_too() {
    let whole = Some(AsText(Digest::of(b"all of it")));
    let cut = Short { refs: 1, statements: 0, whole };
    for record in records() {
        let common = file::common("git1/infra", &ctx(1), record.kind(), 7);
        let fields = body(&record, Some(&cut)).unwrap();
        let (line, _) = write(&common, &fields, &Digest::of(b"before")).unwrap();
        assert_eq!(glance(line.trim_end().as_bytes()).unwrap().short, Some(cut.clone()));
    }
}

/// A line with the right hash, whatever it says.
fn sealed(text: &str) -> Vec<u8> {
    let zeros = "0".repeat(64);
    let open = format!("{text},\"prev\":\"{zeros}\"");
    format!("{open},\"hash\":\"{}\"}}", Digest::of(open.as_bytes())).into_bytes()
}

#[test]
fn what_every_entry_says_is_held_to_its_one_form_at_a_glance_too() {
    let (line, _) = {
        let record = outcome(1, "refs/heads/main", oid(1), oid(2), State::Applied);
        let common = file::common("git1/infra", &ctx(1), record.kind(), 7);
        write(&common, &body(&record, None).unwrap(), &Digest::from_bytes([0; 32])).unwrap()
    };
    let text = line.split(",\"prev\":").next().unwrap().to_owned();
    assert!(glance(&sealed(&text)).is_ok());
    let year = text.split("\"ts\":\"").nth(1).unwrap()[..4].to_owned();
    for (from, to, fault) in [
        ("\"v\":1,", "\"v\":2,", LineError::Version(2)),
        ("\"type\":\"outcome\"", "\"type\":\"omen\"", LineError::Kind),
        ("\"seq\":7", "\"seq\":07", LineError::Fields),
        ("\"seq\":7", "\"seq\":-7", LineError::Fields),
        ("\"seq\":7,", "", LineError::Fields),
        (&format!("\"ts\":\"{year}"), "\"ts\":\"20x6", LineError::Fields),
        ("\"pid\":", "\"pid\":\"1\",\"x\":", LineError::Fields),
        ("git1/infra", "git1/\u{1}infra", LineError::Fields),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let line = sealed(&changed);
        assert_eq!(glance(&line), Err(fault), "{to}");
        assert_eq!(read(&line).map(|_| ()), Err(fault), "{to}");
    }
    // Another order, or another spelling, is read, only not as quickly.
    let name = "\"log\":\"git1/infra\"";
    for (from, to) in [
        (format!("\"v\":1,{name}"), format!("{name},\"v\":1")),
        (name.to_owned(), "\"log\":\"git1\\/infra\"".to_owned()),
    ] {
        let turned = text.replacen(&from, &to, 1);
        assert_ne!(turned, text);
        let (quick, whole) = (glance(&sealed(&turned)).unwrap(), read(&sealed(&turned)).unwrap());
        assert_eq!(quick, Glance::from(whole));
    }
}
