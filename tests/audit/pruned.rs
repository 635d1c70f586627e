//! Logs whose old entries were taken away.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use portcullis::log::book::Log;
use portcullis::log::disk::{Disk, Folder, Medium};
use portcullis::log::entry::Record;
use portcullis::log::file::Appended;
use portcullis::log::packed::pack;
use portcullis::log::prune::{plan, prune};
use portcullis::log::segment::Limits;
use portcullis::names::moment::Moment;
use portcullis::tlog::checkpoint::Checkpoint;

use crate::bench::{Bench, copy, ctx, decision, drift, forged};
use crate::three::{Question, agreed, broken_at, ready, whole};

/// A disk whose segments hold eight entries.
#[derive(Debug)]
struct Small;

impl Medium for Small {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        Disk.append(file, bytes)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn limits(&self) -> Limits {
        Limits { entries: 8, ..Limits::USUAL }
    }
}

fn add(bench: &Bench, record: Record, seconds: i64) {
    let mut log = Log::open_on(Box::new(Small), &bench.dir()).unwrap();
    let done = log.append(&[record], &ctx(seconds), None).unwrap();
    assert!(matches!(done, Appended::Written(_)), "{done:?}");
}

/// A log of some thirty entries in files of eight, sealed, whose first sixteen or more are gone, and a
/// checkpoint from before.
fn pruned() -> (Bench, PathBuf) {
    let mut bench = Bench::small();
    for n in 5..16 {
        let record = if n % 2 == 0 { decision(1, 90) } else { drift("refs/heads/main") };
        add(&bench, record, n);
    }
    bench.seconds = 20;
    bench.seal();
    for n in 30..42 {
        add(&bench, drift("refs/heads/topic"), n);
    }
    bench.seconds = 50;
    bench.seal();
    let file = bench.checkpoint("published");
    let (told, _) = Checkpoint::of_note(&fs::read(&file).unwrap()).unwrap();
    let folder = Folder::existing(&bench.dir()).unwrap();
    let before = Moment::from_seconds(1_795_000_000 + 36);
    let plan = plan(&folder, told.size, before).unwrap().unwrap();
    assert!(plan.to.first >= 16 && plan.files.len() >= 2, "{plan:?}");
    prune(&folder, &Disk, &plan, &told, "root", &ctx(60)).unwrap();
    bench.seconds = 70;
    (bench, file)
}

fn summary(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut found = files.filter(|file| file.to_string_lossy().contains("-0000000"));
    found.next().unwrap()
}

fn lines_of(dir: &Path) -> Vec<String> {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(summary(dir)).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn put(dir: &Path, lines: &[String]) {
    fs::write(summary(dir), pack((lines.join("\n") + "\n").as_bytes()).unwrap()).unwrap();
}

#[test]
fn what_was_taken_away_with_a_word_leaves_a_whole_log_and_nothing_else_does() {
    if !ready() {
        return;
    }
    let (mut bench, file) = pruned();
    let said = whole(&bench.dir(), &Question::default()).said;
    assert!(said.contains("\"pruned\": {"), "{said}");
    let since = Question { since: vec![file.as_path()], ..Question::default() };
    whole(&bench.dir(), &since);
    bench.seal();
    bench.add(drift("refs/heads/after"));
    whole(&bench.dir(), &since);

    let dir = bench.dir();
    let lines = lines_of(&dir);
    let gone = lines.iter().position(|line| line.starts_with("{\"type\":\"gone\"")).unwrap();
    let kept = lines.iter().position(|line| line.contains("\"type\":\"drift\"")).unwrap();
    let other = |name: &str, change: &dyn Fn(&mut Vec<String>)| {
        let to = bench.at(name);
        copy(&dir, &to);
        let mut lines = lines.clone();
        change(&mut lines);
        put(&to, &lines);
        broken_at(&to, 0);
        fs::remove_dir_all(&to).unwrap();
    };
    other("hash", &|it| {
        it[gone] = it[gone].replace("\"leaf\":\"", "\"leaf\":\"0").replace("0\"}", "\"}")
    });
    other("forged", &|it| {
        let line = forged(format!("{}\n", it[kept]).as_bytes(), "refs/heads", "refs/headz");
        it[kept] = String::from_utf8(line).unwrap().trim_end().to_owned();
    });
    other("short", &|it| drop(it.remove(kept)));
    other("moved", &|it| it.swap(kept, kept + 1));
    other("last", &|it| {
        let last = it.last_mut().unwrap();
        *last = last.replacen("\"size\":", "\"size\":1", 1);
    });
    let to = bench.at("unnamed");
    copy(&dir, &to);
    let newest = fs::read_dir(&to).unwrap().map(|file| file.unwrap().path());
    let newest = newest.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).max();
    let newest = newest.unwrap();
    let text = fs::read_to_string(&newest).unwrap();
    let before: Vec<&str> = text.lines().take_while(|it| !it.contains("\"pruned\"")).collect();
    fs::write(&newest, before.join("\n") + "\n").unwrap();
    fs::remove_file(to.join("checkpoint")).unwrap();
    fs::remove_file(to.join("mark")).unwrap();
    broken_at(&to, 0);
    // A beginning that goes without any word.
    fs::remove_file(summary(&to)).unwrap();
    broken_at(&to, 0);
    // Nothing at all is another matter.
    for file in fs::read_dir(&to).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|it| it == "jsonl" || it == "gz") {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(agreed(&to, &Question::default()).code, 3);
}
