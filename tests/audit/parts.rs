//! Logs of several files, packed ones among them, and tiles beside the log.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use portcullis::log::kind::Kind;
use portcullis::tlog::tile::{TILE_WIDTH, Tile, TileKind, add_entry, tiles};
use portcullis::tlog::tree::{Frontier, leaf_hash};

use crate::bench::{Bench, drift, relinked};
use crate::three::{Answer, Question, agreed, python, ready, shell};

/// The two scripts have to say the same; returns what it is.
#[track_caller]
fn scripts(bench: &Bench) -> Answer {
    let question = Question::default();
    let (python, shell) = (python(&bench.dir(), &question), shell(&bench.dir(), &question));
    let same = |one: &Answer| (one.code, one.entry, one.byte);
    assert_eq!(same(&python), same(&shell), "{}\n--- verify.sh\n{}", python.said, shell.said);
    python
}

/// All three, where the program writes logs of several files.
#[track_caller]
fn all(bench: &Bench) -> Answer {
    let knows = Kind::ALL.iter().any(|kind| kind.name() == "segment");
    if knows { agreed(&bench.dir(), &Question::default()) } else { scripts(bench) }
}

fn file(bench: &Bench, first: usize) -> PathBuf {
    bench.dir().join(format!("{first:020}.jsonl"))
}

/// What stands before an entry's kind, and between that and its own fields.
fn common_of(line: &[u8]) -> (String, String) {
    let line = String::from_utf8(line.to_vec()).unwrap();
    let (head, rest) = line.split_once("\"type\":\"").unwrap();
    let (_, rest) = rest.split_once("\",").unwrap();
    let end = "\"start\":99}";
    (head.to_owned(), rest[..rest.find(end).unwrap() + end.len()].to_owned())
}

/// Eight entries in three files: 0 to 2, 3 to 5, 6 and 7.
fn in_files() -> (Bench, Vec<Vec<u8>>) {
    let bench = Bench::small();
    let mut lines = bench.lines();
    lines.push(lines[4].clone());
    for at in [3, 6] {
        let offset: usize = lines[..at].iter().map(Vec::len).sum();
        let (head, common) = common_of(&lines[at - 1]);
        let own = format!("\"first\":{at},\"offset\":{offset},\"why\":\"entries\"");
        let link = ",\"prev\":\"\",\"hash\":\"\"}\n";
        lines.insert(at, format!("{head}\"type\":\"segment\",{common},{own}{link}").into_bytes());
        relinked(&mut lines, at);
    }
    put(&bench, &lines, &[0, 3, 6]);
    (bench, lines)
}

/// Puts lines into files that begin at these.
fn put(bench: &Bench, lines: &[Vec<u8>], begins: &[usize]) {
    for entry in fs::read_dir(bench.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".jsonl") {
            fs::remove_file(path).unwrap();
        }
    }
    for (at, &begin) in begins.iter().enumerate() {
        let end = begins.get(at + 1).copied().unwrap_or(lines.len());
        fs::write(file(bench, begin), lines[begin..end].concat()).unwrap();
    }
}

fn pack(bench: &Bench, first: usize) -> PathBuf {
    let plain = file(bench, first);
    assert!(Command::new("gzip").arg("-n").arg(&plain).status().unwrap().success());
    plain.with_extension("jsonl.gz")
}

#[test]
fn files_are_read_as_one_and_each_says_where_it_begins() {
    if !ready() {
        return;
    }
    let (bench, lines) = in_files();
    let answer = all(&bench);
    assert_eq!(answer.code, 0, "{}", answer.said);
    let broken = |lines: &[Vec<u8>], begins: &[usize], entry: u64| {
        put(&bench, lines, begins);
        let answer = all(&bench);
        assert_eq!((answer.code, answer.entry), (1, Some(entry)), "{begins:?} {}", answer.said);
    };
    broken(&lines, &[0], 3);
    broken(&lines, &[0, 2, 3, 6], 2);
    broken(&lines, &[0, 3], 6);
    // A file that is missing, or called as another.
    put(&bench, &lines, &[0, 3, 6]);
    fs::remove_file(file(&bench, 3)).unwrap();
    assert_eq!(all(&bench).code, 1);
    put(&bench, &lines, &[0, 3, 6]);
    fs::rename(file(&bench, 3), file(&bench, 4)).unwrap();
    assert_eq!(all(&bench).entry, Some(3));
    put(&bench, &lines, &[0, 3, 6]);
    fs::remove_file(file(&bench, 0)).unwrap();
    assert_eq!(all(&bench).code, 1);
    // An offset that is another's.
    let mut changed = lines.clone();
    let line = String::from_utf8(lines[6].clone()).unwrap();
    changed[6] = line.replacen("\"offset\":", "\"offset\":1", 1).into_bytes();
    relinked(&mut changed, 6);
    broken(&changed, &[0, 3, 6], 6);
}

#[test]
fn dead_bytes_before_a_new_file_are_declared_behind_its_first_line() {
    if !ready() {
        return;
    }
    let (bench, mut lines) = in_files();
    let dead = b"torn\0\n".to_vec();
    let sum = portcullis::names::digest::Digest::of(&dead[..5]).hex();
    let offset: usize = lines[..6].iter().map(Vec::len).sum();
    let line = String::from_utf8(lines[6].clone()).unwrap();
    lines[6] = line
        .replacen(&format!("\"offset\":{offset}"), &format!("\"offset\":{}", offset + 6), 1)
        .into();
    let (head, common) = common_of(line.as_bytes());
    let own = format!("\"offset\":{offset},\"length\":5,\"sha256\":\"{sum}\",\"cause\":\"torn\"");
    let link = ",\"prev\":\"\",\"hash\":\"\"}\n";
    lines.insert(7, format!("{head}\"type\":\"recovered\",{common},{own}{link}").into_bytes());
    relinked(&mut lines, 6);
    put(&bench, &lines, &[0, 3, 6]);
    let before = fs::read(file(&bench, 3)).unwrap();
    fs::write(file(&bench, 3), [before.as_slice(), &dead].concat()).unwrap();
    let answer = all(&bench);
    assert_eq!(answer.code, 0, "{}", answer.said);
    fs::write(file(&bench, 3), [before.as_slice(), b"tarn\0\n"].concat()).unwrap();
    let answer = all(&bench);
    assert_eq!((answer.code, answer.entry), (1, Some(7)), "{}", answer.said);
}

#[test]
fn packed_files_are_read_and_a_changed_one_is_found() {
    if !ready() {
        return;
    }
    let (bench, _) = in_files();
    let first = pack(&bench, 0);
    let second = pack(&bench, 3);
    assert_eq!(scripts(&bench).code, 0, "{}", scripts(&bench).said);
    // Where the plain file stands too, it is the one that is read.
    let plain = Command::new("gzip").arg("-dc").arg(&second).output().unwrap().stdout;
    fs::write(file(&bench, 3), plain).unwrap();
    fs::write(&second, b"nothing").unwrap();
    assert_eq!(scripts(&bench).code, 0, "{}", scripts(&bench).said);
    let whole = fs::read(&first).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 6] {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        fs::write(&first, &changed).unwrap();
        let answer = scripts(&bench);
        assert_eq!((answer.code, answer.entry), (1, Some(0)), "byte {at}: {}", answer.said);
    }
    fs::write(&first, &whole[..whole.len() - 9]).unwrap();
    assert_eq!(scripts(&bench).code, 1);
}

/// Writes the tiles of a log, as C2SP tlog-tiles has them.
fn publish(bench: &Bench) -> Vec<PathBuf> {
    let lines: Vec<Vec<u8>> =
        bench.lines().iter().map(|line| line.strip_suffix(b"\n").unwrap().to_vec()).collect();
    let mut tree = Frontier::default();
    let mut hashes = std::collections::BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let leaf = leaf_hash(line);
        hashes.insert((0, at as u64), leaf);
        tree.push(leaf, &mut |level, index, hash| {
            hashes.insert((level, index), hash);
        });
    }
    let content = |tile: &Tile| {
        let from = tile.index * TILE_WIDTH;
        let mut bytes = Vec::new();
        for at in from..from + tile.width {
            match tile.kind {
                TileKind::Hashes(level) => bytes.extend(hashes[&(8 * level, at)].as_bytes()),
                TileKind::Entries => {
                    assert!(add_entry(&mut bytes, &lines[usize::try_from(at).unwrap()]));
                }
            }
        }
        bytes
    };
    tiles(lines.len() as u64)
        .iter()
        .map(|tile| {
            let path = bench.dir().join(tile.to_string());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content(tile)).unwrap();
            path
        })
        .collect()
}

#[test]
fn tiles_are_held_against_the_lines() {
    if !ready() {
        return;
    }
    let mut bench = Bench::small();
    bench.add_all(&vec![drift("refs/heads/more"); 255]);
    let paths = publish(&bench);
    // Two full ones, two for the four that are left, and the level above.
    assert_eq!(paths.len(), 5, "{paths:?}");
    let answer = scripts(&bench);
    assert!(answer.code == 0 && answer.said.contains("checked: 5 tiles"), "{}", answer.said);
    for path in &paths {
        let whole = fs::read(path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for changed in [flipped, whole[1..].to_vec(), [whole.as_slice(), b"x"].concat()] {
            fs::write(path, changed).unwrap();
            let answer = python(&bench.dir(), &Question::default());
            assert_eq!(answer.code, 1, "{}: {}", path.display(), answer.said);
            assert!(answer.said.contains("not what the lines make"), "{}", answer.said);
        }
        if path == &paths[0] || path == &paths[4] {
            // The shell takes seconds for each.
            assert_eq!(scripts(&bench).code, 1, "{}", path.display());
        }
        fs::write(path, whole).unwrap();
    }
    // One that covers more than there is, and a file that is no tile.
    let more = bench.dir().join("tile/0/001.p/5");
    fs::write(&more, [0; 160]).unwrap();
    assert!(scripts(&bench).said.contains("it holds more than the log"));
    fs::remove_file(more).unwrap();
    fs::write(bench.dir().join("tile/0/001.tmp"), b"half").unwrap();
    let answer = scripts(&bench);
    assert!(answer.said.contains("not checked: 1 files among the tiles"), "{}", answer.said);
}
