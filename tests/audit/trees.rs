//! What stands on the lines: the tree, seals, checkpoints.

use std::fs;

use portcullis::log::keeper;
use portcullis::log::signer::LostKey;
use portcullis::log::survey::survey;
use portcullis::tlog::holder::KeyPlace;

use crate::bench::{Bench, drift, forged, relinked};
use crate::three::{Question, agreed, broken_at, ready, whole};

fn sealed() -> Bench {
    let mut bench = Bench::small();
    bench.seal();
    bench.add(drift("refs/heads/between"));
    bench.seal();
    bench
}

#[test]
fn roots_are_the_same_at_every_size() {
    if !ready() {
        return;
    }
    let mut bench = Bench::new();
    for size in 1..=17 {
        let root = survey(&bench.dir(), &[], &mut |_, _| {}).unwrap().checkpoint;
        let told =
            format!("root {} of {size} entries", portcullis::tlog::checkpoint::base64(&root.root));
        let question = Question::default();
        let python = crate::three::python(&bench.dir(), &question).said;
        assert!(python.contains(&told), "{told}\n{python}");
        if [1, 2, 3, 7, 8, 9, 17].contains(&size) {
            let shell = crate::three::shell(&bench.dir(), &question).said;
            assert!(shell.contains(&told), "{told}\n{shell}");
        }
        bench.add(drift("refs/heads/more"));
    }
}

#[test]
fn a_log_that_is_written_anew_is_not_the_one_that_was_sealed() {
    if !ready() {
        return;
    }
    let bench = sealed();
    let mut changed = bench.lines();
    changed[2] = forged(&changed[2], "\"host\":\"git1\"", "\"host\":\"git2\"");
    relinked(&mut changed, 2);
    bench.put(&changed);
    broken_at(&bench.dir(), 5);
}

#[test]
fn a_seal_that_was_changed_is_none() {
    if !ready() {
        return;
    }
    let bench = sealed();
    let lines = bench.lines();
    let last = lines.len() - 1;
    let line = String::from_utf8(lines[last].clone()).unwrap();
    let field = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let note = field("note");
    let (text, signature) = note.split_at(note.find("\u{2014}").unwrap());
    let signature = signature.trim_end_matches("\\n").to_owned();
    let mut other = signature.clone().into_bytes();
    let at = other.len() - 10;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    let changes = [
        ("\"size\":7".to_owned(), "\"size\":6".to_owned()),
        (format!("\"root\":\"{}\"", field("root")), format!("\"root\":\"{}\"", field("refs"))),
        (format!("\"next\":\"{}\"", field("next")), format!("\"next\":\"{}\"", field("key"))),
        (format!("\"key\":\"{}\"", field("key")), format!("\"key\":\"{}\"", field("next"))),
        (signature, other),
        (text.to_owned(), text.replacen("7\\n", "6\\n", 1)),
        ("\"note\":\"".to_owned(), "\"note\":\"x".to_owned()),
    ];
    for (from, to) in changes {
        let mut changed = lines.clone();
        changed[last] = forged(&lines[last], &from, &to);
        bench.put(&changed);
        let answer = broken_at(&bench.dir(), 7);
        assert!(answer.said.contains("\"wrong\":"), "{from} to {to}: {}", answer.said);
    }
}

#[test]
fn a_seal_by_a_key_that_nobody_named_shows() {
    if !ready() {
        return;
    }
    let mut bench = sealed();
    fs::remove_file(bench.dir().join("key")).unwrap();
    bench.add(drift("refs/heads/more"));
    bench.seal_with(LostKey::BeginAnew);
    broken_at(&bench.dir(), 9);
}

#[test]
fn a_cut_end_is_missed_by_who_kept_a_checkpoint() {
    if !ready() {
        return;
    }
    let bench = sealed();
    let kept = bench.checkpoint("kept");
    let since = Question { since: vec![&kept], key: None };
    whole(&bench.dir(), &since);
    let lines = bench.lines();
    // What the log itself has kept of it shows a cut too, unless that is cut away with it.
    bench.put(&lines[..lines.len() - 1]);
    for kept in ["checkpoint", "mark"] {
        assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1, "{kept}");
        fs::remove_file(bench.dir().join(kept)).unwrap();
    }
    fs::remove_dir_all(bench.dir().join("tile")).unwrap();
    for cut in [1, 2, 5] {
        bench.put(&lines[..lines.len() - cut]);
        whole(&bench.dir(), &Question::default());
        let answer = agreed(&bench.dir(), &since);
        assert_eq!((answer.code, answer.entry), (1, None), "{}", answer.said);
        assert!(answer.said.contains("its end was cut off"), "{}", answer.said);
    }
    // Without seals a log that was written anew is whole, and not the one that is known elsewhere.
    let mut changed = lines[..5].to_vec();
    changed[2] = forged(&changed[2], "\"host\":\"git1\"", "\"host\":\"git2\"");
    relinked(&mut changed, 2);
    bench.put(&changed);
    whole(&bench.dir(), &Question::default());
    assert_eq!(agreed(&bench.dir(), &since).code, 1);
}

#[test]
fn the_logs_own_checkpoint_is_held_against_it() {
    if !ready() {
        return;
    }
    let bench = sealed();
    bench.checkpoint("kept");
    let own = bench.dir().join("checkpoint");
    let note = fs::read_to_string(&own).unwrap();
    let lines = bench.lines();
    bench.put(&lines[..6]);
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1);
    bench.put(&lines);
    // Each byte of it: no checkpoint any more, or another one, or by somebody who is not known.
    for at in (0..note.len()).step_by(31) {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        fs::write(&own, &bytes).unwrap();
        agreed(&bench.dir(), &Question::default());
    }
    let size = note.replacen("\n8\n", "\n08\n", 1);
    fs::write(&own, size).unwrap();
    assert_eq!(agreed(&bench.dir(), &Question::default()).code, 3);
}

#[test]
fn who_has_to_have_signed_can_be_said() {
    if !ready() {
        return;
    }
    let bench = sealed();
    let kept = bench.checkpoint("kept");
    let key =
        keeper::public_key(&bench.dir(), &KeyPlace::InTheLog, LostKey::Refuse).unwrap().to_string();
    let stranger = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    for since in [vec![], vec![kept.as_path()]] {
        whole(&bench.dir(), &Question { since: since.clone(), key: Some(&key) });
        let answer = agreed(&bench.dir(), &Question { since: since.clone(), key: Some(stranger) });
        assert_eq!(answer.code, 1, "{}", answer.said);
        let answer = agreed(&bench.dir(), &Question { since, key: Some("no key") });
        assert_eq!(answer.code, 3, "{}", answer.said);
    }
    let note = fs::read_to_string(&kept).unwrap();
    let (text, line) = note.split_once("\n\n").unwrap();
    fs::write(&kept, format!("{text}more\n\n{line}")).unwrap();
    let forged = agreed(&bench.dir(), &Question { since: vec![&kept], key: Some(&key) });
    assert_ne!(forged.code, 0, "{}", forged.said);
    fs::write(&kept, format!("{text}\nmore\n\n{line}")).unwrap();
    let forged = agreed(&bench.dir(), &Question { since: vec![&kept], key: Some(&key) });
    assert_eq!(forged.code, 1, "{}", forged.said);
    fs::remove_file(bench.dir().join("checkpoint")).unwrap();
    let nothing = agreed(&bench.dir(), &Question { since: Vec::new(), key: Some(&key) });
    assert_eq!(nothing.code, 3, "{}", nothing.said);
}
