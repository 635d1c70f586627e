//! Hands in the log: what each line says, and which lines there are.

use std::fs;

use crate::bench::{Bench, drift, forged, relinked};
use crate::three::{Question, agreed, broken_at, ready, whole, with_only};

/// What `verify.sh` may call, beside the shell itself.
const STANDARD: &[&str] = &[
    "awk",
    "base64",
    "cat",
    "cmp",
    "cut",
    "find",
    "grep",
    "gzip",
    "head",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "od",
    "paste",
    "rm",
    "sed",
    "sha256sum",
    "sort",
    "split",
    "tail",
    "tr",
    "wc",
];

#[test]
fn a_whole_log_with_everything_in_it_is_whole_to_all() {
    if !ready() {
        return;
    }
    let bench = Bench::eventful();
    let kept = bench.checkpoint("kept");
    let answer = whole(&bench.dir(), &Question { since: vec![&kept], key: None });
    let json: serde_json::Value = serde_json::from_str(&answer.said).unwrap();
    let told = &json["logs"][0];
    assert_eq!((&told["recovered"], &told["tree"]["holds"]), (&4.into(), &true.into()));
    assert_eq!(told["checked"], serde_json::json!(["lines", "tree", "end"]));
    assert_eq!(told["not_checked"], serde_json::json!(["witnesses", "refs"]));
    assert_eq!(told["clock_set_back"][0]["seconds"], 999);
    let python = crate::three::python(&bench.dir(), &Question::default()).said;
    assert!(python.contains("the clock went back 16 minutes at entry "), "{python}");
    assert!(python.contains("damage in 4 places"), "{python}");
    assert!(python.contains("not checked: whether its end was cut off"), "{python}");
    let only: Vec<&str> = STANDARD.iter().chain(&["openssl"]).copied().collect();
    let shell = with_only(&only, &bench.at("programs"), &bench.dir(), "verify.sh");
    assert_eq!(shell.code, 0, "{}", shell.said);
    assert!(!shell.said.contains("not found"), "{}", shell.said);
    assert!(shell.said.contains("damage in 4 places"), "{}", shell.said);
}

#[test]
fn without_openssl_signatures_are_said_to_be_not_checked() {
    if !ready() {
        return;
    }
    let mut bench = Bench::small();
    bench.seal();
    for (file, programs) in [("verify.py", &[][..]), ("verify.sh", STANDARD)] {
        let answer = with_only(programs, &bench.at(file), &bench.dir(), file);
        assert_eq!(answer.code, 0, "{}", answer.said);
        assert!(answer.said.contains("not checked: signatures, for want of openssl"), "{file}");
        assert!(answer.said.contains("checked: 1 seals"), "{}", answer.said);
    }
}

#[test]
fn a_line_that_is_dropped_doubled_swapped_or_cut_is_found() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let lines = bench.lines();
    let with = |entry: u64, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        bench.put(&changed);
        broken_at(&bench.dir(), entry)
    };
    with(2, &|it| drop(it.remove(2)));
    with(0, &|it| drop(it.remove(0)));
    with(3, &|it| it.insert(2, lines[2].clone()));
    with(2, &|it| it.swap(2, 3));
    with(2, &|it| it[2].drain(100..200).for_each(drop));
    with(2, &|it| it[2].truncate(200));
    with(2, &|it| it.insert(2, b"nothing\n".to_vec()));
    with(5, &|it| it.push(b"nothing\n".to_vec()));
    with(3, &|it| it.insert(3, b"\n".to_vec()));
    with(1, &|it| it.insert(1, vec![b'x'; 70_000]));
    // The end is what nobody can see without having kept something.
    bench.put(&lines[..3]);
    whole(&bench.dir(), &Question::default());
}

#[test]
fn a_line_that_is_forged_with_its_hash_right_is_found_at_the_one_after_it() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let lines = bench.lines();
    let mut changed = lines.clone();
    changed[2] = forged(&lines[2], "\"host\":\"git1\"", "\"host\":\"git2\"");
    bench.put(&changed);
    broken_at(&bench.dir(), 3);
    let mut inserted = lines.clone();
    inserted.insert(3, forged(&lines[2], "\"seq\":2", "\"seq\":3"));
    bench.put(&inserted);
    broken_at(&bench.dir(), 3);
}

#[test]
fn a_log_written_anew_still_has_to_make_sense() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let lines = bench.lines();
    let with = |at: usize, from: &str, to: &str| {
        let mut changed = lines.clone();
        changed[at] = forged(&lines[at], from, to);
        relinked(&mut changed, at);
        bench.put(&changed);
        agreed(&bench.dir(), &Question::default())
    };
    let time = |at: usize| {
        let line = String::from_utf8(lines[at].clone()).unwrap();
        let (_, rest) = line.split_once("\"ts\":\"").unwrap();
        rest[..24].to_owned()
    };
    let broken = |at: usize, from: &str, to: &str| {
        let answer = with(at, from, to);
        let entry = u64::try_from(at).unwrap();
        assert_eq!((answer.code, answer.entry), (1, Some(entry)), "{}", answer.said);
        answer.said
    };
    // Time that goes back, and a word about it without reason.
    let earlier = time(2).replacen("2026", "2025", 1);
    assert!(broken(2, &time(2), &earlier).contains("it does not say so"));
    let said = format!("{}\",\"ts_before_prev\":true", time(3));
    assert!(broken(3, &format!("{}\"", time(3)), &said).contains("it is not"));
    // A second genesis, a log that begins with something else, a line of another log.
    broken(2, "\"log\":\"git.example.com/infra-5f0c91ab\"", "\"log\":\"git.example.com/other\"");
    let mut second = lines.clone();
    second.insert(3, lines[0].clone());
    relinked(&mut second, 3);
    bench.put(&second);
    broken_at(&bench.dir(), 3);
    let mut other = lines.clone();
    other[3] = Bench::of("git.example.com/other-1").lines()[0].clone();
    relinked(&mut other, 3);
    bench.put(&other);
    broken_at(&bench.dir(), 3);
    // A program that knows more wrote these; nobody here can say whether they are right.
    for (from, to) in [("\"v\":1", "\"v\":2"), ("\"type\":\"drift\"", "\"type\":\"draft\"")] {
        let answer = with(2, from, to);
        assert_eq!(answer.code, 3, "{}", answer.said);
    }
}

#[test]
fn numbers_that_go_back_are_found() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let lines = bench.lines();
    let mut changed = lines.clone();
    changed[3] = forged(&lines[3], "\"seq\":3", "\"seq\":2");
    bench.put(&changed);
    broken_at(&bench.dir(), 3);
}

#[test]
fn damage_is_declared_where_it_is_and_nowhere_else() {
    if !ready() {
        return;
    }
    let bench = Bench::eventful();
    let lines = bench.lines();
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let torn = lines.iter().position(|it| text(it).contains("\"cause\":\"torn\"")).unwrap();
    // The dead bytes are taken away, or others stand there, or more of them.
    let mut changed = lines.clone();
    changed.remove(torn - 1);
    bench.put(&changed);
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1);
    for more in [&b"x"[..], b"\n", b"more\n"] {
        let mut changed = lines.clone();
        changed[torn - 1] = [more, changed[torn - 1].as_slice()].concat();
        bench.put(&changed);
        assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1);
    }
    // The declaration is taken away.
    let mut changed = lines.clone();
    changed.remove(torn);
    bench.put(&changed);
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1);
}

#[test]
fn entries_behind_a_hole_count_only_where_they_are_declared_not_to() {
    if !ready() {
        return;
    }
    let mut bench = Bench::small();
    for name in ["refs/heads/lost", "refs/heads/behind", "refs/heads/behind-too"] {
        bench.add(drift(name));
    }
    let mut lines = bench.lines();
    let hole = lines.len() - 3;
    lines[hole].fill(0);
    bench.put(&lines);
    let answer = agreed(&bench.dir(), &Question::default());
    assert_eq!((answer.code, answer.entry), (1, Some(hole as u64)), "{}", answer.said);
    bench.add_after_restart(drift("refs/heads/after"));
    let answer = agreed(&bench.dir(), &Question::default());
    assert_eq!(answer.code, 0, "{}", answer.said);
    assert!(answer.said.contains(&format!("\"entries\": {},", hole + 2)), "{}", answer.said);
    // What was declared is not to be changed either.
    let mut changed = bench.lines();
    let behind = changed.len() - 3;
    assert!(String::from_utf8_lossy(&changed[behind]).contains("behind-too"));
    changed.remove(behind);
    bench.put(&changed);
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1);
}

#[test]
fn attachments_are_missed_and_known_by_their_names() {
    if !ready() {
        return;
    }
    let bench = Bench::eventful();
    let att = bench.dir().join("att");
    let mut names: Vec<_> = fs::read_dir(&att).unwrap().map(|it| it.unwrap().path()).collect();
    names.sort();
    // Among them is a record that did not fit, and a list that only that record names.
    assert!(names.len() > 3);
    for name in names {
        let bytes = fs::read(&name).unwrap();
        fs::write(&name, [b"x", bytes.as_slice()].concat()).unwrap();
        let changed = agreed(&bench.dir(), &Question::default());
        assert_eq!(changed.code, 1, "{}: {}", name.display(), changed.said);
        fs::remove_file(&name).unwrap();
        let missing = agreed(&bench.dir(), &Question::default());
        assert_eq!((missing.code, missing.entry), (1, changed.entry), "{}", missing.said);
        assert!(missing.said.contains("is missing"), "{}", missing.said);
        fs::write(&name, bytes).unwrap();
    }
    whole(&bench.dir(), &Question::default());
}

#[test]
fn a_key_that_stands_twice_is_for_those_who_read_json() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let mut changed = bench.lines();
    changed[2] = forged(&changed[2], "\"logged\":", "\"odd\":1,\"odd\":2,\"logged\":");
    relinked(&mut changed, 2);
    bench.put(&changed);
    let question = Question::default();
    for answer in
        [crate::three::ours(&bench.dir(), &question), crate::three::python(&bench.dir(), &question)]
    {
        assert_eq!((answer.code, answer.entry), (1, Some(2)), "{}", answer.said);
        assert!(answer.said.contains("odd"), "{}", answer.said);
    }
    let shell = crate::three::shell(&bench.dir(), &question);
    assert_eq!(shell.code, 0, "{}", shell.said);
    assert!(shell.said.contains("not checked: keys that stand twice"), "{}", shell.said);
}

#[test]
fn half_a_surrogate_pair_is_nothing_to_those_who_read_json() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let lines = bench.lines();
    for (text, code) in [(r"\uD83D\uDE00", 0), (r"\ud83d", 1), (r"\ude00\ud83d", 1)] {
        let mut changed = lines.clone();
        changed[2] = forged(&changed[2], "\"logged\":", &format!("\"odd\":\"{text}\",\"logged\":"));
        relinked(&mut changed, 2);
        bench.put(&changed);
        let question = Question::default();
        let ours = crate::three::ours(&bench.dir(), &question);
        assert_eq!(ours.code, code, "{text}: {}", ours.said);
        let python = crate::three::python(&bench.dir(), &question);
        assert_eq!(python.code == 0, code == 0, "{text}: {}", python.said);
    }
}

#[test]
fn an_append_that_has_not_ended_is_said() {
    if !ready() {
        return;
    }
    let mut bench = Bench::small();
    let bytes = bench.bytes();
    for end in [&b"{\"v\":1,"[..], b"\0"] {
        fs::write(bench.segment(), [bytes.as_slice(), end].concat()).unwrap();
        whole(&bench.dir(), &Question::default());
    }
    fs::write(bench.segment(), &bytes[..bytes.len() - 1]).unwrap();
    whole(&bench.dir(), &Question::default());
    bench.add(drift("refs/heads/next"));
    whole(&bench.dir(), &Question::default());
}

#[test]
fn what_is_no_log_is_no_yes() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    fs::write(bench.segment(), b"").unwrap();
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 3);
    fs::write(bench.segment(), b"no log\n").unwrap();
    broken_at(&bench.dir(), 0);
    fs::remove_file(bench.segment()).unwrap();
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 3);
    assert_eq!(agreed(&bench.at("nowhere"), &Question::default()).code, 3);
}
