//! What auditors and their machines get from a log: the story of a commit, other systems' forms, what
//! comes as it comes, and all logs below a folder.

use std::io::{BufRead as _, BufReader};

use super::*;

/// Hands text to a Python program and gives back what it prints.
fn python(ground: &Ground, program: &str, input: &str) -> String {
    let mut command = ground.command("python3");
    // Where pyenv keeps its shims, it looks for its versions in the real home.
    command.env("HOME", std::env::var_os("HOME").unwrap());
    command.args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn who_tells_the_story_of_a_commit() {
    let ground = Ground::eventful();
    let commit = oid(0x20).hex();
    let expected = "\
commit 2020202020202020202020202020202020202020
  pushed by alice, and no such push is known to have landed

entry 2, 2026-11-22T21:02:00Z: alice tried to bring it, with refs/heads/main, and was refused
  by         alice (person), through ssh as \"alice\" by ssh-auth-info, key SHA256:0123456789
  push       refs/heads/main 0101010..2020202, refused
  became     nothing: the ref did not move
  refused by `infra-review`: infra/0.tf and 19 more changed, 0 of ...
  policy     POLICY

entry 5, 2026-11-22T21:05:00Z: carol landed on refs/heads/main what was said about it
  by         carol (person), through ssh as \"carol\" by ssh-auth-info, key SHA256:0123456789
  push       refs/heads/main 0101010..4040404, accepted
  became     applied, entry 6
  used       approve by bob of 2020202 for refs/heads/main, entry 3
             signed by a key that cannot be told from it, on 2026-11-22T21:00:00Z, good until 2026-11-22T22:00:00Z
  used       LOST, which no entry here holds
  exempt     from `owners` as carol
  policy     POLICY
";
    let digest = |of: &[u8]| Digest::of(of).hex();
    let expected = expected.replace("POLICY", &digest(b"policy")[..12]);
    let expected = expected.replace("LOST", &digest(b"lost"));
    for (asked, place) in [(&commit[..], "log"), (&commit[..4], "log")] {
        assert_eq!(ground.log(&["who", asked, place]).expect(0).out, expected);
    }
    // A copy of the folder is enough, with an index or without.
    copy(&ground.dir(), &ground.folder.path().join("copy"));
    fs::remove_dir_all(ground.folder.path().join("copy/index")).unwrap_or(());
    assert_eq!(ground.log(&["who", &commit, "copy"]).expect(0).out, expected);
    ground.log(&["who", &oid(1).hex(), "log"]).expect(0).says("refs/heads/main was at it");
    ground.log(&["who", &oid(0x66).hex(), "log"]).expect(0).says("no push that the log knows");
    ground.log(&["who", &oid(0x40).hex(), "log"]).expect(0).says("carol brought it to this server");
}

#[test]
fn who_in_json_has_what_a_script_needs() {
    let ground = Ground::eventful();
    let answer = ground.log(&["who", "--json", &oid(0x20).hex(), "log"]).expect(0);
    let value: Value = serde_json::from_str(&answer.out).unwrap();
    let known = &value["logs"][0]["known"];
    assert_eq!(known["commit"], oid(0x20).hex());
    assert_eq!(known["brought"]["earlier"][0], "alice");
    let pushes: Vec<_> = known["pushes"].as_array().unwrap().iter().map(|it| &it["why"]).collect();
    assert_eq!(pushes, ["brought", "used"]);
    let landed = &known["pushes"][1];
    assert_eq!(landed["outcome"], serde_json::json!({ "entry": 6, "state": "applied" }));
    assert_eq!(
        (&landed["used"][0]["person"], &landed["used"][0]["entry"]),
        (&"bob".into(), &3.into())
    );
}

#[test]
fn who_says_what_to_do_about_a_commit_it_does_not_know() {
    let ground = Ground::eventful();
    let answer = ground.log(&["who", "abcdef", "log"]).expect(1);
    assert!(answer.out.is_empty());
    assert!(answer.err.contains("the log here does not know the commit abcdef"), "{}", answer.err);
    assert!(answer.err.contains("hint: it was pushed to another repository"), "{}", answer.err);
    ground.log(&["who", "abc", "log"]).expect(2).says("write at least four");
    ground.log(&["who", "main", "log"]).expect(2).says("no name of a commit");
    let json = ground.log(&["who", "--json", "abcdef", "log"]).expect(1).out;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["logs"], serde_json::json!([]));
}

#[test]
fn who_lists_what_an_abbreviation_may_mean() {
    let mut ground = Ground::new();
    let mut one = moved("refs/heads/main", Verdict::Accept, 0x20, &[]);
    let mut twin = [0x20; 20];
    twin[19] = 0x21;
    one.brought = Listed::of(vec![AsText(oid(0x20)), AsText(Oid::from_bytes(&twin).unwrap())]);
    ground.add(Record::Decision(Box::new(decision("alice", Verdict::Accept, vec![one]))));
    let answer = ground.log(&["who", "202020", "log"]).expect(1);
    let listed: Vec<&str> = answer.err.lines().filter(|line| line.starts_with("  ")).collect();
    let names = [
        "  2020202020202020202020202020202020202020",
        "  2020202020202020202020202020202020202021",
    ];
    assert_eq!(listed, names);
    let json = ground.log(&["who", "--json", "202020", "log"]).expect(1).out;
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["logs"][0]["candidates"][1], names[1].trim());
}

/// The first cells of some rows, whole as text.
const CSV: &str = "\
\"git.example.com/infra-5f0c91ab\",\"8\",\"2026-11-22T21:08:00.000Z\",\"refusal\",\"alice\",\"alice\",\"ssh\",\"SHA256:0123456789\",\"refs/heads/main\",\"\",\"\",\"\",\"refused\",\"\",\"\",\"the policy has 2 problems\",\"\",";

#[test]
fn a_table_is_one_line_a_ref_and_python_reads_it() {
    let mut ground = Ground::eventful();
    let mut evil = warned();
    evil.actor.login = "=cmd|'/c calc'!A1\r\n\"x\"".into();
    ground.add(Record::Decision(Box::new(evil)));
    let table = ground.log(&["export", "--format", "csv", "log"]).expect(0).out;
    assert!(table.contains(CSV), "{table}");
    assert!(table.lines().count() == 13 && table.matches("\r\n").count() == 13, "{table}");
    let read = python(
        &ground,
        "import csv, io, json, sys; sys.stdin.reconfigure(newline='')\n\
         rows = list(csv.DictReader(io.StringIO(sys.stdin.read(), newline='')))\n\
         print(json.dumps([[r['entry'], r['ref'], r['answer'], r['login']] for r in rows]))",
        &table,
    );
    let rows: Vec<[String; 4]> = serde_json::from_str(&read).unwrap();
    assert_eq!(rows[2], ["2", "refs/heads/main", "refused", "alice"]);
    assert_eq!(rows[11][3], "'=cmd|'/c calc'!A1\\r\\n\"x\"");
}

#[test]
fn cloud_events_hold_the_line_as_it_is_stored() {
    let ground = Ground::eventful();
    let events = ground.log(&["export", "--format", "cloudevents", "log"]).expect(0).out;
    let stored = fs::read_to_string(ground.segment()).unwrap();
    let pairs: Vec<(&str, &str)> = events.lines().zip(stored.lines()).collect();
    assert_eq!((pairs.len(), events.lines().count()), (11, 11));
    for (number, (event, line)) in pairs.iter().enumerate() {
        let data = format!(",\"data\":{line}}}");
        assert!(event.ends_with(&data), "{event}");
        let kind: Value = serde_json::from_str(line).unwrap();
        let kind = kind["type"].as_str().unwrap();
        let (subject, minute) = match number {
            0 | 1 => ("infra-5f0c91ab".to_owned(), number),
            3 | 4 => ("infra-5f0c91ab@refs/approvals/0/bob".to_owned(), number),
            7 => ("infra-5f0c91ab@refs/heads/dev".to_owned(), number),
            _ => ("infra-5f0c91ab@refs/heads/main".to_owned(), number),
        };
        let expected = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{number}\",\
             \"source\":\"//git.example.com/infra-5f0c91ab\",\
             \"type\":\"net.portcullis.log.{kind}.v1\",\"subject\":\"{subject}\",\
             \"time\":\"2026-11-22T21:{minute:02}:00.000Z\",\
             \"datacontenttype\":\"application/json\",\
             \"dataschema\":\"urn:portcullis:log:v1\""
        );
        assert_eq!(event.strip_suffix(&data), Some(expected.as_str()));
    }
    let read = python(
        &ground,
        "import hashlib, json, sys\n\
         for line in sys.stdin:\n\
         \x20 event = json.loads(line)\n\
         \x20 assert all(isinstance(v, str) and v.isprintable() for k, v in event.items() if k != 'data')\n\
         \x20 print(event['id'], event['data']['hash'])",
        &events,
    );
    assert_eq!(read.lines().count(), 11);
}

#[test]
fn ocsf_has_an_event_a_ref_with_all_that_the_class_requires() {
    let ground = Ground::eventful();
    let events = ground.log(&["export", "--format", "ocsf", "log"]).expect(0).out;
    let read = python(
        &ground,
        "import json, sys\n\
         for line in sys.stdin:\n\
         \x20 e = json.loads(line)\n\
         \x20 for key in ('activity_id','category_uid','class_uid','type_uid','severity_id','time','metadata','entity'):\n\
         \x20   assert key in e, key\n\
         \x20 assert e['class_uid'] == 3004 and e['category_uid'] == 3\n\
         \x20 assert e['type_uid'] == 300400 + e['activity_id'] and isinstance(e['time'], int)\n\
         \x20 assert e['metadata']['version'] and e['metadata']['product']['name']\n\
         \x20 assert 'actor' not in e or e['actor']['user']['name']\n\
         \x20 print(e['metadata']['sequence'], e['activity_id'], e['severity_id'], e['status_id'], e['entity']['name'])",
        &events,
    );
    let expected = "\
1 3 2 1 policy
2 3 3 2 refs/heads/main
3 1 1 1 refs/approvals/0/bob
4 3 1 1 refs/approvals/0/bob
5 3 1 1 refs/heads/main
6 3 1 1 refs/heads/main
7 3 2 1 refs/heads/dev
8 3 3 2 refs/heads/main
9 3 4 1 refs/heads/main
";
    assert_eq!(read, expected);
    let refused: Value = serde_json::from_str(events.lines().nth(1).unwrap()).unwrap();
    let sum = refused["unmapped"]["hash"].clone();
    let expected = serde_json::json!({
        "activity_id": 3, "activity_name": "Update",
        "category_uid": 3, "category_name": "Identity & Access Management",
        "class_uid": 3004, "class_name": "Entity Management",
        "type_uid": 300_403, "type_name": "Entity Management: Update",
        "severity_id": 3, "severity": "Medium", "status_id": 2, "status": "Failure",
        "time": 1_795_381_320_000_u64,
        "message": "entry 2: decision of refs/heads/main, refused",
        "metadata": {
            "version": "1.3.0",
            "product": { "name": "Portcullis", "vendor_name": "Portcullis", "version": env!("CARGO_PKG_VERSION") },
            "uid": "git.example.com/infra-5f0c91ab/2/0", "sequence": 2,
            "log_name": "git.example.com/infra-5f0c91ab", "log_version": "1",
            "event_code": "decision", "correlation_uid": "07070707070707070707070707070707",
            "original_time": "2026-11-22T21:02:00.000Z",
        },
        "entity": { "type": "Git reference", "name": "refs/heads/main",
            "uid": "git.example.com/infra-5f0c91ab@refs/heads/main", "version": oid(1).hex() },
        "unmapped": { "hash": sum, "rules": "infra-review" },
        "status_detail": "refused",
        "entity_result": { "type": "Git reference", "name": "refs/heads/main",
            "uid": "git.example.com/infra-5f0c91ab@refs/heads/main", "version": oid(0x20).hex() },
        "comment": "infra/0.tf and 19 more changed, 0 of 2 approvals",
        "actor": { "user": { "type_id": 1, "type": "User", "name": "alice", "uid": "alice",
            "credential_uid": "SHA256:0123456789" } },
    });
    assert_eq!(refused, expected);
}

#[test]
fn an_export_keeps_lines_as_they_are_and_takes_filters() {
    let ground = Ground::eventful();
    let all = ground.log(&["export", "--format", "jsonl", "log"]).expect(0).out;
    assert_eq!(all, fs::read_to_string(ground.segment()).unwrap());
    let some = ground.log(&["export", "--format", "jsonl", "--by", "bob", "log"]).expect(0).out;
    assert_eq!(some.lines().count(), 2);
    ground.log(&["export", "log"]).expect(2);
}

#[test]
fn every_log_below_a_folder_is_found_and_a_broken_one_stops_no_other() {
    let ground = Ground::eventful();
    let all = ground.folder.path().join("all");
    copy(&ground.repository(), &all.join("b/infra.git"));
    fs::remove_dir_all(ground.folder.path().join("infra.git")).unwrap();
    copy(&ground.dir(), &all.join("a/copy"));
    copy(&ground.dir(), &all.join("c/broken"));
    let segment = all.join("c/broken").join(FIRST_SEGMENT);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[10] ^= 1;
    fs::write(&segment, bytes).unwrap();
    std::os::unix::fs::symlink(ground.dir(), all.join("link")).unwrap();
    ground.git(&["init", "-q", "--bare", all.join("none.git").to_str().unwrap()]);

    let answer = ground.log(&["verify", "--recursive", "all"]).expect(1);
    let heads: Vec<&str> = answer.out.lines().filter(|line| !line.starts_with(' ')).collect();
    let whole = |line: &str, name: &str| line.starts_with(&format!("{name}: whole, 11 entries"));
    assert_eq!(heads.len(), 3, "{}", answer.out);
    assert!(whole(heads[0], "all/a/copy") && whole(heads[1], "all/b/infra.git"), "{heads:?}");
    assert!(heads[2].starts_with("all/c/broken: broken"), "{heads:?}");
    assert!(answer.err.contains("note: 3 logs"), "{}", answer.err);

    let tail = ground.log(&["tail", "-n", "1", "--recursive", "all/a", "--recursive", "all/b"]);
    assert_eq!(tail.expect(0).numbers(), [10, 10]);
    let who = ground.log(&["who", &oid(0x40).hex(), "--recursive", "all/b"]).expect(0);
    assert!(who.out.contains("carol brought it"), "{}", who.out);
    let policy = all.join("b/infra.git/portcullis/policy.toml");
    fs::create_dir_all(policy.parent().unwrap()).unwrap();
    fs::write(policy, include_str!("../../config/policy.toml")).unwrap();
    let sealed = ground.log(&["seal", "--recursive", "all/b"]).expect(0);
    assert!(
        sealed.out.starts_with("all/b/infra.git: 11 entries sealed by entry 11"),
        "{}",
        sealed.out
    );
    ground.log(&["show", "--recursive", "nowhere"]).expect(3).says("there is no folder nowhere");
}

#[test]
fn what_is_followed_comes_as_it_comes_and_ends_when_nobody_reads() {
    let mut ground = Ground::eventful();
    let mut command = ground.command(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["log", "tail", "--follow", "-n", "1", "--json", "log"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["seq"].as_u64().unwrap()
    };
    assert_eq!(next(), 10);
    for number in 11..14 {
        ground.add(Record::Drift(drift()));
        assert_eq!(next(), number);
    }
    drop(lines);
    // Nothing is appended any more: it ends because nobody reads.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
