//! What a line looks like. These tests hold the format for ever: mend the code, not the test.

use crate::facts::past::{Brought, Past as _};
use crate::log::decision::{CertRecord, FindingRecord, Hook, Verdict};
use crate::log::entry::{
    Asking, Birth, GenesisRef, LINE_BYTES_MAX, REFUSED_LINE_BYTES_MAX, Record, Refusal,
};
use crate::log::entry::{Policy, PolicyFile};
use crate::log::file;
use crate::log::keys::keys_of;
use crate::log::line::{
    LineError, body, read, read_as_written, read_whole, record_json, self_hash, write,
};
use crate::log::read::{Entries, Filter};
use crate::log::tests::support::{
    Bench, actor, append, applies, ctx, decides, decision_of, moves, name, oid, refuses, statement,
    zero,
};
use crate::log::verify::verify;
use crate::log::wire::{AsText, Listed, Text};
use crate::names::digest::Digest;
use crate::names::oid::Oid;

#[test]
fn a_decision_has_these_keys_in_this_order() {
    let record = decides("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    let common = file::common("git.example.com/x", &ctx(1), record.kind(), 7);
    let (line, hash) =
        write(&common, &body(&record, None).unwrap(), &Digest::of(b"before")).unwrap();
    let expected = concat!(
        r#"{"v":1,"log":"git.example.com/x","seq":7,"type":"decision","ts":"2026-11-18T11:06:41.000Z","#,
        r#""boot":"11111111-2222-3333-4444-555555555555","mono_us":1000000,"host":"git1","#,
        r#""tool":"portcullis 0.1.0","push":"00000000000000000000000000001267","#,
        r#""sess":{"pid":4711,"start":7},"repo":"infra-5f0c91ab","#,
        r#""actor":{"name":"alice","kind":"person","door":"ssh","source":"ssh-auth-info","login":"alice"},"#,
        r#""hook":"pre-receive","git":"2.47.3","#,
        r#""policy":{"sha256":"3e4cb7d4e4cd96b1ad2ad8d5f5d4d7e3d9d9b8f9e1c5b8b6f3c2a1908f7e6d5c"},"judged_at":1,"#,
        r#""refs":[{"ref":"refs/heads/main","old":"0000000000000001000000000000000000000001","#,
        r#""new":"0000000000000002000000000000000000000001","kind":"move","ff":true,"commits":1,"#,
        r#""paths":{"n":1,"list":["infra/main.tf"]},"#,
        r#""brought":{"n":1,"list":["0000000000000002000000000000000000000001"]},"verdict":"accept"}],"#,
        r#""verdict":"accept","dur_us":1200,"prev":""#,
    );
    let policy = Digest::of(b"policy").hex();
    let expected = expected
        .replace("3e4cb7d4e4cd96b1ad2ad8d5f5d4d7e3d9d9b8f9e1c5b8b6f3c2a1908f7e6d5c", &policy);
    let expected = format!("{expected}{}\",\"hash\":\"{hash}\"}}\n", Digest::of(b"before"));
    assert_eq!(line, expected);
}

#[test]
fn a_line_that_is_read_says_what_was_written() {
    let record = decides("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    let common = file::common("x", &ctx(1), record.kind(), 7);
    let (line, hash) = write(&common, &body(&record, None).unwrap(), &Digest::of(b"")).unwrap();
    let entry = read(line.trim_end().as_bytes()).unwrap();
    assert_eq!((entry.common, entry.record, entry.hash), (common, record, hash));
}

#[test]
fn a_line_of_another_version_or_kind_is_told_from_a_damaged_one() {
    let seal = |told: &str| {
        let sealed = format!("{told},\"prev\":\"{}\"", Digest::of(b""));
        format!("{sealed},\"hash\":\"{}\"}}", Digest::of(sealed.as_bytes()))
    };
    let of = |told: &str| read(seal(told).as_bytes()).unwrap_err();
    assert_eq!(of(r#"{"v":2,"type":"decision""#), LineError::Version(2));
    assert_eq!(of(r#"{"v":1,"type":"prophecy""#), LineError::Kind);
    assert_eq!(of(r#"{"v":1,"type":"decision""#), LineError::Fields);
    assert_eq!(self_hash(b"{}"), Err(LineError::NotWhole));
}

#[test]
fn bytes_that_are_no_clean_text_come_back_as_they_were() {
    for bytes in [&b"caf\xe9"[..], "\u{202e}evil".as_bytes(), b"tab\there", b"", b"\xff\x00"] {
        let text = Text(bytes.to_vec());
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text, "{json}");
    }
    let json = serde_json::to_string(&Text(b"caf\xe9".to_vec())).unwrap();
    assert_eq!(json, r#"{"b64":"Y2Fm6Q==","show":"caf\\xe9"}"#);
}

#[test]
fn a_long_list_moves_to_an_attachment_and_still_answers() {
    let bench = Bench::new();
    let mut log = bench.open();
    let mut one = moves("refs/heads/topic", zero(), oid(2));
    let commits: Vec<AsText<Oid>> = (100..300).map(|n| AsText(oid(n))).collect();
    one.brought = Listed::of(commits);
    one.paths.list = (0..100).map(|n| Text::from(format!("dir/file{n}"))).collect();
    one.paths.n = 100;
    applies(&mut log, "alice", one, 1);
    for n in [100, 163, 164, 299] {
        let brought = bench.open().brought(&oid(n)).unwrap();
        assert!(matches!(brought, Brought::Applied { entry: 1, .. }), "{n}: {brought:?}");
    }
    let filter = Filter { path: Some(b"dir/file99".to_vec()), ..Filter::default() };
    let found = Entries::open(&bench.dir, filter).unwrap().next_entry().unwrap().unwrap();
    assert_eq!(found.entry.common.seq, 1);
    let report = verify(&bench.dir, &mut |_, _| {}).unwrap();
    // The list of refs at genesis, the commits, the paths.
    assert_eq!((report.broken, report.attachments), (None, 3));
}

#[test]
fn an_accepted_push_of_thousands_of_refs_fits_and_keeps_everything() {
    let bench = Bench::new();
    let mut log = bench.open();
    let refs = (0..3000)
        .map(|n| {
            let refname = format!("refs/heads/topic/{n}");
            let mut one = moves(&refname, zero(), oid(1000 + n));
            one.findings.push(FindingRecord {
                rule: "names".to_owned(),
                kind: "names".to_owned(),
                level: "warn".to_owned(),
                place: Some(Text::from("policy.toml:3")),
                text: Text::from("a long sentence about a name"),
            });
            one
        })
        .collect();
    let mut decision = decision_of("alice", refs);
    decision.statements.push(statement("bob", "approve", 1, oid(5), 1));
    decision.statements[0].text = Text::from("x".repeat(16_000));
    let seq = append(&mut log, Record::Decision(Box::new(decision)), 1).seq();
    assert!(bench.bytes().split(|&b| b == b'\n').all(|line| line.len() < LINE_BYTES_MAX));
    let log = bench.open();
    let open = log.open_on(&name("refs/heads/topic/2999")).unwrap();
    assert_eq!(open.iter().map(|one| one.entry).collect::<Vec<_>>(), [seq]);
    let seen = log.statements_on(&oid(5)).unwrap();
    assert_eq!(seen[0].text.len(), 16_000);
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}

#[test]
fn a_push_certificate_is_kept_whole_and_found_again() {
    let bench = Bench::new();
    let mut log = bench.open();
    let cert = |text: &str| CertRecord {
        id: AsText(Digest::of(text.as_bytes())),
        good: false,
        by: None,
        key: Some("SHA256:abc".to_owned()),
        why: Some(Text::from("is not signed")),
        text: Some(Text::from(text)),
    };
    let small = Digest::of(b"small");
    let mut decision = decision_of("alice", vec![moves("refs/heads/a", zero(), oid(7))]);
    decision.cert = Some(cert("small"));
    let json = record_json(&Record::Decision(Box::new(decision.clone()))).unwrap();
    let kept = format!(
        "\"cert\":{{\"id\":\"{small}\",\"good\":false,\"key\":\"SHA256:abc\",\
         \"why\":\"is not signed\",\"text\":\"small\"}},\"policy\""
    );
    assert!(json.contains(&kept), "{json}");
    assert_eq!(log.certificate(&small).unwrap(), None);
    let seq = append(&mut log, Record::Decision(Box::new(decision.clone())), 1).seq();
    // A large one moves to the attachment with everything, a refused one leaves its text behind.
    let large = "x".repeat(100_000);
    decision.cert = Some(cert(&large));
    let second = append(&mut log, Record::Decision(Box::new(decision.clone())), 2).seq();
    decision.verdict = Verdict::Refuse;
    let refused = append(&mut log, Record::Decision(Box::new(decision)), 3).seq();
    let log = bench.open();
    assert_eq!(log.certificate(&small).unwrap(), Some(seq));
    assert_eq!(log.certificate(&Digest::of(large.as_bytes())).unwrap(), Some(refused));
    let text = |seq: u64| {
        let entry = log.entry_by_number(seq).unwrap();
        let Record::Decision(it) = &entry.record else { panic!("{entry:?}") };
        it.cert.as_ref().and_then(|cert| cert.text.clone())
    };
    assert_eq!(text(second).map(|text| text.0.len()), Some(100_000));
    assert_eq!(text(refused), None);
    assert!(bench.bytes().split(|&b| b == b'\n').all(|line| line.len() < LINE_BYTES_MAX));
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}

#[test]
fn a_refused_push_writes_at_most_four_kibibytes_and_no_attachment() {
    let bench = Bench::new();
    let mut log = bench.open();
    let before = (bench.bytes().len(), std::fs::read_dir(bench.dir.join("att")).unwrap().count());
    let refs = (0..200)
        .map(|n| {
            let mut refname = format!("refs/heads/{n}/").into_bytes();
            refname.extend_from_slice(&[0xfe; 300]);
            let mut one = moves("refs/heads/x", oid(1), oid(1000 + n));
            one.refname = Text(refname);
            one.paths.list = (0..200).map(|n| Text::from(format!("dir/file{n}"))).collect();
            one
        })
        .collect();
    assert!(matches!(
        log.append(&[refuses("alice", refs)], &ctx(1), None).unwrap(),
        file::Appended::Written(_)
    ));
    assert!(bench.bytes().len() - before.0 <= REFUSED_LINE_BYTES_MAX);
    assert_eq!(std::fs::read_dir(bench.dir.join("att")).unwrap().count(), before.1);
    let refusal = Record::Refusal(Refusal {
        hook: Hook::PreReceive,
        actor: Some(actor("alice")),
        of: None,
        refs: vec![
            Asking {
                refname: Text(vec![b'\n'; 70_000]),
                old: Text(vec![0xff; 70_000]),
                new: Text::from("x"),
            };
            100
        ],
        reason: Text::from("y".repeat(100_000)),
        fault: true,
    });
    let length = bench.bytes().len();
    let _ = append(&mut log, refusal, 2);
    assert!(bench.bytes().len() - length <= REFUSED_LINE_BYTES_MAX);
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
}

#[test]
fn a_policy_keeps_its_text_beside_the_line() {
    let bench = Bench::new();
    let mut log = bench.open();
    let files = vec![PolicyFile::new(Text::from("policy.toml"), b"version = 1\n".to_vec())];
    let policy = Policy { sha256: AsText(Digest::of(b"p")), files, who: Text::from("alice") };
    assert!(!record_json(&Record::Policy(policy.clone())).unwrap().contains("version = 1"));
    assert_eq!(log.last_policy().unwrap(), None);
    let _ = append(&mut log, Record::Policy(policy), 1);
    let att = bench.dir.join("att").join(Digest::of(b"version = 1\n").hex());
    assert_eq!(std::fs::read(att).unwrap(), b"version = 1\n");
    assert_eq!(log.last_policy().unwrap(), Some(Digest::of(b"p")));
}

#[test]
fn time_that_runs_backwards_is_kept_and_marked() {
    let bench = Bench::new();
    let mut log = bench.open();
    let birth = Record::Birth(Birth {
        refs: vec![GenesisRef { refname: Text::from("refs/heads/main"), oid: AsText(oid(1)) }],
    });
    for (seconds, marked) in [(10, false), (5, true), (6, false)] {
        let seq = append(&mut log, birth.clone(), seconds).seq();
        let entry = log.entry_by_number(seq).unwrap();
        assert_eq!((entry.common.ts_before_prev, entry.common.ts.0), (marked, ctx(seconds).moment));
    }
}

#[test]
fn a_line_as_we_write_it_says_the_same_when_it_is_read_in_pieces_and_whole() {
    let hostile = r#"x,"sess":{"pid":1},"held":[,"prev":"\\"#;
    let mut decision = decision_of("alice", vec![moves("refs/heads/main", oid(1), oid(2))]);
    decision.actor.login = Text::from(hostile);
    decision.opts = vec![Text::from(hostile)];
    let refused = Record::Refusal(Refusal {
        hook: Hook::Update,
        actor: None,
        of: None,
        refs: Vec::new(),
        reason: Text::from(hostile),
        fault: true,
    });
    for record in [Record::Decision(Box::new(decision)), refused] {
        for back in [false, true] {
            let mut common = file::common("x", &ctx(1), record.kind(), 7);
            common.ts_before_prev = back;
            let body = body(&record, None).unwrap();
            let (line, hash) = write(&common, &body, &Digest::of(b"")).unwrap();
            let line = line.trim_end().as_bytes();
            let pieces = read_as_written(line, hash).unwrap();
            assert_eq!(Ok(pieces), read_whole(line, hash));
        }
    }
}

#[test]
fn keys_that_stand_twice_are_found_at_any_depth_and_in_any_spelling() {
    let double = |json: &str| keys_of(json.as_bytes()).unwrap().double;
    assert_eq!(double(r#"{"a":{"b":1,"c":[{"d":2}]},"d":{"b":"a"},"b":[]}"#), None);
    assert_eq!(double(r#"{"a":[1,{"b":"c","x":{"b":1},"b":2}]}"#).as_deref(), Some("b"));
    assert_eq!(double(r#"{"a":1,"\u0061":2}"#).as_deref(), Some("a"));
    assert_eq!(double(r#"{"a":"\",\"a\":1"}"#), None);
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let json = format!(r#"{{"att":"{one}","b":["att","{two}"],"c":{{"whole":"{two}","att":7}}}}"#);
    assert_eq!(keys_of(json.as_bytes()).unwrap().attachments, [one, two]);
    for broken in ["", "1", "{", "}", "[}", "{\"a\"", "{\"a\\", "{\"a\":[}", "{}}"] {
        assert_eq!(keys_of(broken.as_bytes()), None, "{broken}");
    }
    for half in [r#"{"a":"\ud8ad"}"#, r#"{"a":"\uDC00\ud800"}"#, r#"{"\ud8ad":1}"#] {
        assert_eq!(keys_of(half.as_bytes()), None, "{half} is no text");
    }
    assert_eq!(double(r#"{"a":"\ud83d\ude00"}"#), None);
}
