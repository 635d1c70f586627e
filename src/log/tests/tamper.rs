//! Hands in the log: flip, drop, double, swap, insert, cut; each found, and the first break named.

use crate::log::clock::ClockError;
use crate::log::entry::Record;
use crate::log::line;
use crate::log::scan::{Break, BreakKind};
use crate::log::tests::support::{Bench, append, decides, moves, oid, zero};
use crate::log::verify::verify;
use crate::names::digest::Digest;

fn bench() -> Bench {
    let bench = Bench::new();
    let mut log = bench.open();
    for n in 0..5 {
        let refname = format!("refs/heads/topic{n}");
        let _ = append(&mut log, decides("alice", vec![moves(&refname, zero(), oid(n + 2))]), 1);
    }
    bench
}

fn lines(bench: &Bench) -> Vec<Vec<u8>> {
    bench.bytes().split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect()
}

fn broken(bench: &Bench, lines: &[Vec<u8>]) -> Break {
    std::fs::write(bench.segment(), lines.concat()).unwrap();
    verify(&bench.dir, &mut |_, _| {}).unwrap().broken.unwrap()
}

#[test]
fn any_bit_that_flips_is_found_in_its_entry() {
    let bench = bench();
    let whole = lines(&bench);
    for (number, line) in whole.iter().enumerate() {
        for at in (0..line.len() - 1).step_by(7) {
            let mut changed = whole.clone();
            changed[number][at] ^= 1;
            let broken = broken(&bench, &changed);
            assert_eq!(
                (broken.entry, broken.line),
                (number as u64, number as u64 + 1),
                "byte {at}"
            );
        }
    }
}

#[test]
fn a_dropped_entry_is_found() {
    let bench = bench();
    let whole = lines(&bench);
    for number in 1..whole.len() - 1 {
        let mut changed = whole.clone();
        changed.remove(number);
        let broken = broken(&bench, &changed);
        assert_eq!(broken.entry, number as u64);
        assert_eq!(broken.what, BreakKind::Number(number as u64 + 1));
    }
    assert_eq!(broken(&bench, &whole[1..]).what, BreakKind::Number(1));
}

#[test]
fn a_doubled_entry_is_found() {
    let bench = bench();
    let whole = lines(&bench);
    for number in 0..whole.len() {
        let mut changed = whole.clone();
        changed.insert(number, whole[number].clone());
        assert_eq!(broken(&bench, &changed).entry, number as u64 + 1);
    }
}

#[test]
fn swapped_entries_are_found() {
    let bench = bench();
    let whole = lines(&bench);
    for number in 1..whole.len() - 1 {
        let mut changed = whole.clone();
        changed.swap(number, number + 1);
        assert_eq!(broken(&bench, &changed).entry, number as u64);
    }
}

#[test]
fn an_inserted_entry_is_found_even_with_its_own_hash_right() {
    let bench = bench();
    let whole = lines(&bench);
    let forged = line::read(whole[2].strip_suffix(b"\n").unwrap()).unwrap();
    let body = line::body(&forged.record, None).unwrap();
    let mut common = forged.common;
    common.seq = 3;
    let (text, _) = line::write(&common, &body, &forged.hash).unwrap();
    let mut changed = whole.clone();
    changed.insert(3, text.into_bytes());
    let broken = broken(&bench, &changed);
    // The forged entry continues entry 2; the one that follows it cannot.
    assert_eq!((broken.entry, broken.what), (4, BreakKind::Number(3)));
}

#[test]
fn an_entry_that_is_changed_and_sealed_anew_breaks_the_one_after_it() {
    let bench = bench();
    let mut changed = lines(&bench);
    let mut entry = line::read(changed[3].strip_suffix(b"\n").unwrap()).unwrap();
    let Record::Decision(decision) = &mut entry.record else { panic!("{entry:?}") };
    decision.actor.login = crate::log::wire::Text::from("carol");
    let body = line::body(&entry.record, None).unwrap();
    changed[3] = line::write(&entry.common, &body, &entry.prev).unwrap().0.into_bytes();
    let broken = broken(&bench, &changed);
    assert_eq!((broken.entry, broken.what), (4, BreakKind::Chain));
}

#[test]
fn time_that_goes_back_without_a_word_is_found() {
    let bench = bench();
    let whole = lines(&bench);
    let last = whole.len() - 1;
    let told = |seconds: i64, said: bool| {
        let mut entry = line::read(whole[last].strip_suffix(b"\n").unwrap()).unwrap();
        entry.common.ts.0 = entry.common.ts.0.plus_seconds(seconds);
        entry.common.ts_before_prev = said;
        let body = line::body(&entry.record, None).unwrap();
        let mut changed = whole.clone();
        changed[last] = line::write(&entry.common, &body, &entry.prev).unwrap().0.into_bytes();
        std::fs::write(bench.segment(), changed.concat()).unwrap();
        verify(&bench.dir, &mut |_, _| {}).unwrap()
    };
    let what = |seconds, said| told(seconds, said).broken.map(|it| (it.entry, it.what));
    let last = last as u64;
    assert_eq!(what(-1, false), Some((last, BreakKind::Clock(ClockError::Unsaid))));
    assert_eq!(what(1, true), Some((last, BreakKind::Clock(ClockError::Unfounded))));
    assert_eq!((what(-1, true), what(0, false)), (None, None));
    let set_back = told(-3600, true).clock.set_back;
    assert_eq!((set_back[0].entry, set_back[0].minutes()), (last, 60));
    assert_eq!(told(-3600, true).head.size, last + 1);
}

#[test]
fn a_key_that_stands_twice_is_found() {
    let bench = bench();
    let mut changed = lines(&bench);
    let text = String::from_utf8(changed[5].clone()).unwrap();
    let (told, _) = text.rsplit_once(",\"hash\":").unwrap();
    let told = told.replacen("\"ff\":true", "\"odd\":1,\"odd\":2,\"ff\":true", 1);
    changed[5] = format!("{told},\"hash\":\"{}\"}}\n", Digest::of(told.as_bytes())).into_bytes();
    let broken = broken(&bench, &changed);
    assert_eq!((broken.entry, broken.what), (5, BreakKind::DoubleKey("odd".to_owned())));
}

#[test]
fn an_attachment_that_is_missing_or_changed_is_found() {
    let bench = bench();
    let file = std::fs::read_dir(bench.dir.join("att")).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"other").unwrap();
    let what = |bench: &Bench| verify(&bench.dir, &mut |_, _| {}).unwrap().broken.unwrap().what;
    assert_eq!(what(&bench), BreakKind::AttachmentChanged(Digest::of(&bytes)));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(what(&bench), BreakKind::AttachmentMissing(Digest::of(&bytes)));
}

#[test]
fn damage_declared_where_there_is_none_is_found() {
    let bench = bench();
    let whole = lines(&bench);
    std::fs::write(bench.segment(), [whole.concat(), b"{\"v\":1,".to_vec()].concat()).unwrap();
    let mut log = bench.open();
    let _ = append(&mut log, decides("bob", vec![moves("refs/heads/y", zero(), oid(4))]), 2);
    assert_eq!(verify(&bench.dir, &mut |_, _| {}).unwrap().broken, None);
    // The dead bytes are taken away.
    let mut changed = lines(&bench);
    changed.remove(6);
    assert_eq!(broken(&bench, &changed).what, BreakKind::Declared);
}

#[test]
fn a_push_is_not_judged_on_a_log_whose_newest_entries_were_changed() {
    let bench = bench();
    let mut changed = lines(&bench);
    let text = String::from_utf8(changed[4].clone()).unwrap();
    changed[4] = text.replace("alice", "carol").into_bytes();
    std::fs::write(bench.segment(), changed.concat()).unwrap();
    assert!(crate::log::book::Log::open(&bench.dir).is_err());
}
