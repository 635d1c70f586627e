//! Signing from where the last checkpoint ended: as right as from the first entry, and no dearer
//! than what came since.

use std::fs;
use std::path::{Path, PathBuf};

use crate::log::disk::Folder;
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::keeper::{Done, checkpoint, seal, seal_if_due, unsealed_since};
use crate::log::mark::{Mark, resume};
use crate::log::proving::Prover;
use crate::log::signer::LostKey;
use crate::log::survey::survey;
use crate::log::tests::support::{Bench, append, applies, at, ctx, decides, moves, oid, zero};
use crate::log::tilecheck::{TileCheck, TileReport};
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::holder::KeyPlace;
use crate::tlog::tile::tiles;

/// A log of so many pushes, two entries each.
fn grown(pushes: u64) -> Bench {
    let bench = Bench::new();
    more(&bench, 1, pushes);
    bench
}

fn more(bench: &Bench, from: u64, pushes: u64) {
    let mut log = bench.open();
    for n in from..from + pushes {
        let one = moves("refs/heads/main", oid(n), oid(n + 1));
        applies(&mut log, "alice", one, i64::try_from(n).unwrap());
    }
}

fn signs(dir: &Path) -> Result<Checkpoint, LogError> {
    let note = checkpoint(dir, &KeyPlace::InTheLog, LostKey::Refuse)?;
    Ok(Checkpoint::parse(note.text()).unwrap())
}

fn seals(dir: &Path, seconds: i64) -> Result<Done, LogError> {
    let refs = Digest::of(b"refs");
    seal(dir, refs, &KeyPlace::InTheLog, LostKey::Refuse, &ctx(seconds))
}

fn checks(dir: &Path) -> TileReport {
    let folder = Folder::existing(dir).unwrap();
    let (last, _) = crate::log::keeper::last_checkpoint(&folder).unwrap().unwrap();
    let mut check = TileCheck::new(&folder, last.size);
    survey(dir, &[], &mut |line, leaf| check.push(line, leaf)).unwrap();
    check.finish().unwrap()
}

fn whole(dir: &Path) -> Checkpoint {
    survey(dir, &[], &mut |_, _| {}).unwrap().checkpoint
}

/// Every file below the folder of tiles, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![dir.join("tile")], Vec::new());
    while let Some(folder) = folders.pop() {
        for each in fs::read_dir(folder).unwrap() {
            let path = each.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(dir).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_tiles_are_those_of_the_format_at_every_checkpoint() {
    let bench = grown(100);
    let mut next = 101;
    for pushes in [0, 1, 27, 100, 30] {
        more(&bench, next, pushes);
        next += pushes;
        let signed = signs(&bench.dir).unwrap();
        assert_eq!(signed, whole(&bench.dir));
        let report = checks(&bench.dir);
        assert_eq!((report.missing.0, report.wrong.0), (0, 0), "{} entries", signed.size);
        assert_eq!(report.tiles, tiles(signed.size).len() as u64);
    }
    // 517 entries: what was partial of the two full tiles is gone; the newest partial ones are
    // there, and of hashes those of earlier checkpoints, which somebody may hold.
    let names: Vec<String> = files(&bench.dir).iter().map(|it| it.display().to_string()).collect();
    assert!(
        !names.iter().any(|it| it.contains("/000.p/") && !it.starts_with("tile/1")),
        "{names:?}"
    );
    assert!(names.contains(&"tile/entries/002.p/5".to_owned()), "{names:?}");
    assert!(names.contains(&"tile/1/000.p/2".to_owned()), "{names:?}");
}

#[test]
fn signing_reads_only_what_came_since() {
    let bench = grown(150);
    signs(&bench.dir).unwrap();
    more(&bench, 151, 3);
    // An early line is damaged: whoever walks the log stumbles over it.
    let mut bytes = bench.bytes();
    bytes[2000] ^= 1;
    fs::write(bench.segment(), &bytes).unwrap();
    assert!(survey(&bench.dir, &[], &mut |_, _| {}).is_err());
    let signed = signs(&bench.dir).unwrap();
    assert_eq!(signed.size, 307);
    let folder = Folder::existing(&bench.dir).unwrap();
    let prover = Prover::new(&folder).unwrap();
    assert!(prover.inclusion(299, &signed).unwrap().is_ok());
    assert!(prover.consistency(301, &signed).unwrap().is_ok());
    let sealed = seals(&bench.dir, 900).unwrap();
    assert_eq!((sealed.entry, sealed.seal.size), (307, 307));
    // Without the mark it is walked, and refused.
    fs::remove_file(bench.dir.join("mark")).unwrap();
    assert!(matches!(signs(&bench.dir), Err(LogError::Broken(_))));
}

/// What is done to a log's folder.
type Harm = Box<dyn Fn(&Path)>;

#[test]
fn whatever_is_wrong_with_mark_or_tiles_costs_time_and_nothing_else() {
    let bench = grown(150);
    seals(&bench.dir, 200).unwrap();
    signs(&bench.dir).unwrap();
    let kept = bench.dir.join("kept");
    let harm: Vec<(&str, Harm)> = vec![
        ("no mark", Box::new(|dir| fs::remove_file(dir.join("mark")).unwrap())),
        ("a damaged mark", Box::new(|dir| flip(&dir.join("mark"), 60))),
        ("no tiles", Box::new(|dir| fs::remove_dir_all(dir.join("tile")).unwrap())),
        ("a changed hash", Box::new(|dir| flip(&last_file(dir, "tile/0/001.p"), 7))),
        ("a changed entry", Box::new(|dir| flip(&last_file(dir, "tile/entries/001.p"), 9))),
        ("a changed row above", Box::new(|dir| flip(&last_file(dir, "tile/1/000.p"), 3))),
        (
            "a short tile",
            Box::new(|dir| {
                let path = last_file(dir, "tile/0/001.p");
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[1..]).unwrap();
            }),
        ),
        (
            "a mark of an earlier day",
            Box::new({
                let kept = kept.clone();
                move |dir| assert!(fs::copy(&kept, dir.join("mark")).unwrap() > 0)
            }),
        ),
    ];
    for (n, (what, harm)) in (0..).zip(&harm) {
        fs::copy(bench.dir.join("mark"), &kept).unwrap();
        more(&bench, 151 + n, 1);
        let first = signs(&bench.dir).unwrap();
        let folder = Folder::existing(&bench.dir).unwrap();
        assert!(resume(&folder, &first).is_some());
        harm(&bench.dir);
        assert!(resume(&folder, &first).is_none(), "{what}");
        assert_eq!(signs(&bench.dir).unwrap(), whole(&bench.dir), "{what}");
        assert!(resume(&folder, &first).is_some(), "{what}");
        let report = checks(&bench.dir);
        assert_eq!((report.missing.0, report.wrong.0), (0, 0), "{what}");
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The widest of the partial tiles in a folder.
fn last_file(dir: &Path, folder: &str) -> PathBuf {
    let width =
        |path: &PathBuf| -> u64 { path.file_name().unwrap().to_str().unwrap().parse().unwrap() };
    let all = fs::read_dir(dir.join(folder)).unwrap().map(|each| each.unwrap().path());
    all.max_by_key(width).unwrap()
}

#[test]
fn a_wrong_tile_is_located() {
    let bench = grown(150);
    signs(&bench.dir).unwrap();
    flip(&bench.dir.join("tile/0/000"), 32 * 17 + 31);
    flip(&bench.dir.join("tile/entries/000"), 2);
    flip(&bench.dir.join("tile/1/000.p/1"), 0);
    let report = checks(&bench.dir);
    let told: Vec<(String, (u64, u64))> =
        report.wrong.1.iter().map(|it| (it.tile.to_string(), it.entries)).collect();
    let is = |tile: &str, entries| (tile.to_owned(), entries);
    let expected = [
        is("tile/entries/000", (0, 0)),
        is("tile/0/000", (17, 17)),
        is("tile/1/000.p/1", (0, 255)),
    ];
    assert_eq!(told, expected);
    // A proof does not come from a tile that is wrong.
    let signed = whole(&bench.dir);
    let folder = Folder::existing(&bench.dir).unwrap();
    let path = Prover::new(&folder).unwrap().inclusion(16, &signed).unwrap().unwrap();
    let mut tree = crate::tlog::tree::Whole::default();
    survey(&bench.dir, &[], &mut |_, leaf| tree.push(leaf)).unwrap();
    assert_eq!(Some(path), crate::tlog::tree::inclusion(&tree, 16, signed.size));
}

#[test]
fn a_log_that_was_changed_is_not_signed_from_a_mark() {
    let bench = grown(20);
    signs(&bench.dir).unwrap();
    let before = files(&bench.dir);
    let tile = last_file(&bench.dir, "tile/0/000.p");
    let hashes = fs::read(&tile).unwrap();
    // The end is written anew, as another story of the same length.
    let bytes = bench.bytes();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    fs::write(bench.segment(), lines[..39].concat()).unwrap();
    drop(fs::remove_dir_all(bench.dir.join("index")));
    applies(&mut bench.open(), "carol", moves("refs/heads/main", oid(20), oid(99)), 20);
    assert!(matches!(signs(&bench.dir), Err(LogError::OtherTree { size: 41 })));
    // And no tile of it has taken the place of a good one.
    assert_eq!(files(&bench.dir), before);
    assert_eq!(fs::read(&tile).unwrap(), hashes);
}

#[test]
fn a_push_seals_when_it_is_time() {
    let bench = grown(3);
    let mut log = bench.open();
    let place = KeyPlace::InTheLog;
    let mut asked = 0;
    let mut refs = || {
        asked += 1;
        Some(Digest::of(b"refs"))
    };
    let mut due = |seconds| {
        seal_if_due(&mut log, &place, 3600, &mut refs, &ctx(seconds)).unwrap().map(|it| it.entry)
    };
    // Never sealed: that is long ago.
    assert_eq!(due(100), Some(7));
    assert_eq!(due(101), None);
    assert_eq!(due(3699), None);
    assert_eq!(due(3700), Some(8));
    assert_eq!(due(3701), None);
    assert_eq!(asked, 2);
    assert_eq!(unsealed_since(&bench.dir).unwrap(), at(3700));
    // At a rotation it is due in any case.
    let rotated = seal_if_due(&mut log, &place, 0, &mut || Some(Digest::of(b"r")), &ctx(3702));
    assert_eq!(rotated.unwrap().map(|it| it.entry), Some(9));
    // Not with an agent: nobody waits for a person who has to touch a token.
    let agent = KeyPlace::parse(&format!("agent:SHA256:{}", "a".repeat(43))).unwrap();
    let mut never = || -> Option<Digest> { panic!("not asked") };
    assert!(seal_if_due(&mut log, &agent, 0, &mut never, &ctx(9000)).unwrap().is_none());
}

#[test]
fn a_push_never_waits_for_who_signs_nor_walks_far() {
    let bench = Bench::new();
    let asked = || decides("alice", vec![moves("refs/heads/x", zero(), oid(3))]);
    for _ in 0..42 {
        let many: Vec<Record> = (0..200).map(|_| asked()).collect();
        assert_eq!(bench.open().note(&many, &ctx(1), None).unwrap(), None);
    }
    let mut log = bench.open();
    let place = KeyPlace::InTheLog;
    let mut refs = || Some(Digest::of(b"refs"));
    // Over eight thousand entries and no mark: that is for `log seal`.
    assert!(seal_if_due(&mut log, &place, 60, &mut refs, &ctx(9000)).unwrap().is_none());
    seals(&bench.dir, 9000).unwrap();
    log.refresh().unwrap();
    assert!(Mark::read(&Folder::existing(&bench.dir).unwrap()).is_some());
    let lock = fs::OpenOptions::new().write(true).open(bench.dir.join("key.lock")).unwrap();
    lock.lock().unwrap();
    assert!(seal_if_due(&mut log, &place, 60, &mut refs, &ctx(9999)).unwrap().is_none());
    drop(lock);
    assert!(seal_if_due(&mut log, &place, 60, &mut refs, &ctx(9999)).unwrap().is_some());
}

#[test]
fn only_a_seal_that_began_anew_is_gone_on_from() {
    let bench = grown(3);
    seals(&bench.dir, 10).unwrap();
    fs::remove_file(bench.dir.join("key")).unwrap();
    assert!(matches!(seals(&bench.dir, 11), Err(LogError::KeyGone { .. })));
    let anew = LostKey::BeginAnew;
    seal(&bench.dir, Digest::of(b"refs"), &KeyPlace::InTheLog, anew, &ctx(12)).unwrap();
    seals(&bench.dir, 13).unwrap();
    fs::remove_file(bench.dir.join("mark")).unwrap();
    let good = seals(&bench.dir, 14).unwrap().seal;
    // A seal of another tree is no beginning, whoever holds which key.
    let mut wrong = good.clone();
    wrong.size -= 1;
    let mut log = bench.open();
    let _ = append(&mut log, Record::Seal(wrong), 15);
    assert!(matches!(seals(&bench.dir, 16), Err(LogError::Unsealed { entry: 11 })));
}
