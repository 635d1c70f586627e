//! Beginnings of logs that somebody took away, with a word of it or without.

use std::fs;
use std::path::Path;

use crate::log::book::Log;
use crate::log::disk::Folder;
use crate::log::error::LogError;
use crate::log::packed::{Packed, pack};
use crate::log::prune::finish;
use crate::log::scan::BreakKind;
use crate::log::summary::Named;
use crate::log::tape::list;
use crate::log::tests::pruned::{Small, broken, pruned, some, whole};
use crate::log::tests::segments::copy_segments;
use crate::log::verify::verify;
use crate::tlog::tree::leaf_hash;

#[test]
fn a_beginning_that_anybody_else_took_away_is_a_break() {
    let (bench, told) = some();
    let dir = &bench.dir;
    let oldest = |dir: &Path| list(dir).unwrap()[0].first;
    let remove = |dir: &Path, first: u64| {
        fs::remove_file(dir.join(format!("{first:020}.jsonl"))).unwrap();
    };
    let copy = |name: &str| {
        let to = dir.with_extension(name);
        copy_segments(dir, &to);
        to
    };
    // Without a word of it.
    let cut = copy("cut");
    remove(&cut, 0);
    let cut_off =
        |dir: &Path| matches!(broken(dir), BreakKind::Beginning(why) if why.contains("cut off"));
    assert!(cut_off(&cut));
    assert!(matches!(Log::open(&cut), Err(LogError::NoGenesis { .. })));
    // With a summary, and no record.
    let plan = pruned(dir, 11, &told).unwrap();
    let silent = copy("silent");
    let segments = list(&silent).unwrap();
    let newest = segments.last().unwrap().first;
    let path = silent.join(format!("{newest:020}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"type\":\"pruned\""), "the record is in the newest file");
    let lines: Vec<&str> = text.lines().take_while(|it| !it.contains("\"pruned\"")).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    assert!(matches!(broken(&silent), BreakKind::Beginning(why) if why.contains("no entry says")));
    assert!(finish(&Folder::existing(&silent).unwrap(), &Small).is_ok(), "nothing is left over");
    // More than the record says.
    let more = copy("more");
    remove(&more, oldest(&more));
    assert!(cut_off(&more));
    // A summary that says something else: whichever byte of it is another.
    let file = dir.join(plan.to.file_name());
    let good = fs::read(&file).unwrap();
    let packed = Packed::open(&file).unwrap();
    let mut bytes = vec![0; usize::try_from(packed.length()).unwrap()];
    assert_eq!(packed.read_at(&mut bytes, 0).unwrap(), bytes.len());
    for at in (0..bytes.len()).step_by(bytes.len() / 64) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&file, pack(&changed).unwrap()).unwrap();
        // That of the entry before the first line is told where that line does not follow it.
        let what = broken(dir);
        assert!(matches!(what, BreakKind::Beginning(_) | BreakKind::Chain), "byte {at}: {what}");
    }
    // One that keeps less, whole as a file.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let line = text.lines().nth(1).unwrap();
    let leaf = leaf_hash(line.as_bytes());
    let less =
        text.replacen(line, &format!("{{\"type\":\"gone\",\"seq\":1,\"leaf\":\"{leaf}\"}}"), 1);
    fs::write(&file, pack(less.as_bytes()).unwrap()).unwrap();
    assert!(matches!(broken(dir), BreakKind::Beginning(why) if why.contains("another summary")));
    fs::write(&file, &good).unwrap();
    whole(dir);
    fs::remove_file(&file).unwrap();
    assert!(cut_off(dir));
    assert!(matches!(Log::open(dir), Err(LogError::NoGenesis { .. })));
}

#[test]
fn a_summary_that_cannot_be_unpacked_is_a_break_and_one_that_cannot_be_read_a_fault() {
    let (bench, told) = some();
    let dir = &bench.dir;
    let plan = pruned(dir, 11, &told).unwrap();
    let file = dir.join(plan.to.file_name());
    let good = fs::read(&file).unwrap();
    let report = whole(dir);
    assert!(report.pruned.is_some_and(|(_, kept)| kept > 1), "{report:?}");
    let unreadable =
        |dir: &Path| matches!(broken(dir), BreakKind::Beginning(why) if why.contains("be read"));
    // Not packed at all, cut, and with a byte changed within a block.
    let mut changed = good.clone();
    changed[good.len() / 3] ^= 1;
    for bytes in [&b"{}"[..], &good[..good.len() - 5], &changed] {
        fs::write(&file, bytes).unwrap();
        assert!(unreadable(dir));
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(verify(dir, &mut |_, _| {}), Err(LogError::Io { .. })));
}

#[test]
fn names_of_summaries_go_both_ways() {
    let it = Named { first: 4096, offset: 1_234_567 };
    let text = "00000000000000004096-00000000000001234567.jsonl.gz";
    assert_eq!(it.file_name(), text);
    assert_eq!(Named::read(text.as_bytes()), Some(it));
    for other in ["4096-1.jsonl.gz", "00000000000000004096.jsonl.gz", "-.jsonl.gz", ""] {
        assert_eq!(Named::read(other.as_bytes()), None, "{other}");
    }
}
