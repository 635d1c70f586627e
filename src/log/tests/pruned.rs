//! Logs whose old entries were taken away: they answer as before, they prove as before, and nobody
//! else takes a beginning away unseen.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use proptest::prelude::{ProptestConfig, Strategy, prop};
use proptest::{prop_assert_eq, proptest};

use crate::facts::past::Past as _;
use crate::log::accepted::Acceptance;
use crate::log::book::Log;
use crate::log::decision::{RollbackRecord, Verdict};
use crate::log::disk::{Disk, Folder, Medium};
use crate::log::entry::{Asked, Drift, Policy, Record, State};
use crate::log::error::LogError;
use crate::log::glass::{How, Settled};
use crate::log::keeper;
use crate::log::known::Keep;
use crate::log::packed::{Packed, pack};
use crate::log::proving::Prover;
use crate::log::prune::{Plan, finish, is_of_archive, plan, prune};
use crate::log::scan::BreakKind;
use crate::log::segment::Limits;
use crate::log::signer::LostKey;
use crate::log::summary::Named;
use crate::log::survey::survey;
use crate::log::tape::list;
use crate::log::tests::support::{
    Bench, actor, append, at, ctx, decision_of, digest, glass, moves, name, oid, outcome, place,
    refuses, statement, zero,
};
use crate::log::tilecheck::TileCheck;
use crate::log::verify::{Report, verify};
use crate::log::wire::{AsText, Text};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::holder::KeyPlace;

const REFS: [&str; 3] = ["refs/heads/main", "refs/heads/topic", "refs/tags/v1"];
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// A disk whose segments hold five entries, and on which a removal may be the last thing that is done.
#[derive(Clone, Debug)]
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
        Limits { entries: 5, ..Limits::USUAL }
    }
}

fn open(dir: &Path) -> Log {
    Log::open_on(Box::new(Small), dir).unwrap()
}

/// What happens: a kind, and numbers for whatever it needs.
type Event = (u8, usize, u64, u64, u64);

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0..11_u8, 0..3_usize, 0..4_u64, 1..5_u64, 0..4_u64), 20..60)
}

fn value(number: u64) -> Oid {
    if number == 0 { zero() } else { oid(number) }
}

fn record((kind, which, old, new, other): Event, seq: u64) -> Record {
    let (refname, who) = (REFS[which], PEOPLE[which]);
    let of = seq.saturating_sub(other + 1);
    let mut one = moves(refname, value(old), value(new));
    match kind {
        0 | 1 => {
            one.uses = vec![AsText(statement("bob", "approve", other, oid(new), 1).id.0)];
            one.landed = vec![AsText(digest(other))];
            if other == 3 {
                let (commit, to, left) = (AsText(oid(new)), AsText(oid(1)), AsText(value(old)));
                one.rollback = vec![RollbackRecord { commit, to, of, left, paths: Vec::new() }];
            }
            let mut decision = decision_of(who, vec![one]);
            if new == 4 {
                let words = ["approve", "reject", "revoke", "approve"];
                let verdict = words[usize::try_from(other).unwrap()];
                let said = statement("bob", verdict, old, oid(new), i64::try_from(seq).unwrap());
                decision.refs.push(moves(&place("bob", old), zero(), oid(900)));
                decision.statements.push(said);
            }
            Record::Decision(Box::new(decision))
        }
        2 => refuses(who, vec![one]),
        3 | 4 => {
            let states = [State::Applied, State::Applied, State::NotApplied, State::Lost];
            let state = states[usize::try_from(other).unwrap()];
            outcome(of, refname, value(old), value(new), state)
        }
        5 => Record::Asked(Asked {
            actor: actor(who),
            refname: Text::from(refname),
            commit: AsText(oid(new)),
            verdict: Verdict::Refuse,
            dur_us: 1,
        }),
        6 => {
            let (logged, found) = (AsText(value(old)), AsText(value(new)));
            let refname = Text::from(refname);
            Record::Drift(Drift { refname, logged, found, head: None, evidence: Vec::new() })
        }
        7 => Record::Accepted(Acceptance {
            of: vec![of],
            refs: vec![Text::from(refname)],
            reason: Text::from("seen"),
            by: Text::from(who),
        }),
        8 => {
            let mut broken = glass(refname, value(old), value(new));
            broken.of = Some(seq + other);
            Record::BreakGlass(Box::new(broken))
        }
        9 => Record::Settled(Settled {
            of,
            refname: Text::from(refname),
            how: if other == 0 { How::Approved } else { How::Reverted },
            by: Vec::new(),
            uses: vec![AsText(digest(other))],
            value: AsText(oid(new)),
        }),
        _ => Record::Policy(Policy {
            sha256: AsText(digest(new)),
            files: Vec::new(),
            who: Text::from(who),
        }),
    }
}

/// A log of such events, sealed in the middle and at its end.
fn played(events: &[Event]) -> Bench {
    let bench = Bench::with(&[("refs/heads/main", oid(1)), ("refs/heads/old", oid(2))]);
    let mut log = open(&bench.dir);
    for (number, event) in events.iter().enumerate() {
        let record = record(*event, log.size());
        assert_eq!(log.note(&[record], &ctx(i64::try_from(number).unwrap()), None).unwrap(), None);
        if number == events.len() / 2 {
            seal(&bench.dir, 500);
            log.refresh().unwrap();
        }
    }
    seal(&bench.dir, 1000);
    bench
}

fn seal(dir: &Path, seconds: i64) {
    let refs = Digest::of(b"refs");
    keeper::seal(dir, refs, &KeyPlace::InTheLog, LostKey::Refuse, &ctx(seconds)).unwrap();
}

fn published(dir: &Path) -> Checkpoint {
    let note = keeper::checkpoint(dir, &KeyPlace::InTheLog, LostKey::Refuse).unwrap();
    Checkpoint::parse(note.text()).unwrap()
}

/// All that can be asked of a log by those who judge, settle and tidy, in words. Entries up to
/// `size` are looked at.
fn answers(log: &Log, size: u64) -> String {
    let mut all = String::new();
    let mut say = |what: &dyn std::fmt::Debug| writeln!(all, "{what:?}").unwrap();
    say(&log.genesis().ok());
    say(&log.last_policy().ok());
    say(&log.all_debts().ok());
    say(&log.drifts().ok());
    for refname in REFS.map(name).into_iter().chain([name("refs/heads/old")]) {
        say(&log.value(&refname).ok());
        say(&log.open_on(&refname).ok());
        say(&log.recent_landings(&refname, 64).ok());
        say(&log.debts(&refname).ok());
        say(&log.drift(&refname).ok());
        say(&log.any_reject(&refname).ok());
        let entries = [0, 1, 2, 3, 1000, 1001].map(digest);
        say(&log.rejects(&refname, &entries).ok());
        for number in 0..5 {
            say(&log.had(&refname, &value(number)).ok());
            say(&log.state_of(&refname, &value(number)).ok());
            say(&log.delta_landed(&refname, &digest(number)).ok());
        }
        for entry in 0..size {
            say(&log.fate(entry, refname.as_bytes()).ok());
            say(&log.value_at(&refname, entry).ok());
        }
        say(&log.any_branch_ever(&|it| *it == refname).ok());
    }
    for number in 0..5 {
        say(&log.brought(&value(number)).ok());
        say(&log.open_bringing(&value(number)).ok());
        say(&log.statements_on(&value(number)).ok());
        say(&log.statement(&digest(number)).ok());
        say(&log.latest_at(&name(&place("bob", number))).ok());
        say(&log.trace(&value(number)).ok().map(|it| it.is_empty()));
    }
    for record in (0..size).filter_map(|number| log.entry_by_number(number).ok()) {
        let Record::Decision(decision) = &record.record else { continue };
        for said in &decision.statements {
            let id = said.id.0;
            say(&log.statement(&id).ok());
            let seen = log.statement_seen(&id).ok().flatten();
            say(&seen.map(|seen| log.dead(&seen, at(2000)).ok()));
            say(&log.open_with(&id).ok());
        }
    }
    let known = log.known_refs(Keep::Nothing).unwrap();
    say(&(known.refs, known.open));
    all
}

/// The log's answers of which nothing hangs on entries that came after this length.
fn answers_of(dir: &Path, size: u64) -> String {
    answers(&open(dir), size)
}

fn whole(dir: &Path) -> Report {
    let report = verify(dir, &mut |_, _| {}).unwrap();
    assert!(report.broken.is_none(), "{report:?}");
    report
}

fn broken(dir: &Path) -> BreakKind {
    verify(dir, &mut |_, _| {}).unwrap().broken.unwrap().what
}

fn pruned(dir: &Path, size: u64, published: &Checkpoint) -> Option<Plan> {
    let folder = Folder::existing(dir).unwrap();
    let plan = plan(&folder, size, at(5000)).unwrap()?;
    prune(&folder, &Small, &plan, published, "root", &ctx(2000)).unwrap();
    Some(plan)
}

/// The tree, by the entries and by the tiles, is the one it was.
fn proves(dir: &Path, before: &Checkpoint) {
    let folder = Folder::existing(dir).unwrap();
    let mut tiles = TileCheck::new(&folder, before.size);
    let found = survey(dir, &[before.size], &mut |line, leaf| tiles.push(line, leaf)).unwrap();
    assert_eq!(found.roots.get(&before.size), Some(&before.root));
    assert!(found.seals.iter().all(|seal| seal.wrong.is_none()), "{:?}", found.seals);
    assert_eq!(tiles.finish().unwrap().wrong.0, 0);
    let prover = Prover::new(&folder).unwrap();
    for entry in 0..before.size {
        assert!(prover.inclusion(entry, before).unwrap().is_ok(), "entry {entry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn every_question_has_the_answer_it_had(events in events(), cut in 6..40_u64) {
        let bench = played(&events);
        let dir = &bench.dir;
        let told = published(dir);
        let before = answers_of(dir, told.size);
        let archive = bench.dir.with_extension("archive");
        super::segments::copy_segments(dir, &archive);
        let first = pruned(dir, cut.min(told.size), &told);
        prop_assert_eq!(&answers_of(dir, told.size), &before);
        // Again, and further: a summary is made of a summary.
        let second = pruned(dir, told.size, &told);
        assert!(second.is_some() || first.is_some());
        prop_assert_eq!(&answers_of(dir, told.size), &before);
        let _ = fs::remove_dir_all(dir.join("index"));
        prop_assert_eq!(&answers_of(dir, told.size), &before);
        let report = whole(dir);
        assert!(report.pruned.is_some());
        proves(dir, &told);
        assert_eq!(is_of_archive(&Folder::existing(dir).unwrap(), &archive).unwrap(), Some(true));
        // It goes on: pushes, seals, and what is derived anew.
        let mut log = open(dir);
        let more = record((0, 0, 1, 2, 0), log.size());
        let _ = append(&mut log, more, 3000);
        fs::remove_dir_all(dir.join("tile")).unwrap();
        fs::remove_file(dir.join("mark")).unwrap();
        seal(dir, 3001);
        proves(dir, &published(dir));
        whole(dir);
    }
}

/// A log of some thirty entries, and its published checkpoint.
fn some() -> (Bench, Checkpoint) {
    let events: Vec<Event> = (0..30)
        .map(|n: u64| {
            let (kind, which) = ([0, 3, 5, 2][(n % 4) as usize], (n % 3) as usize);
            (kind, which, n % 4, 1 + n % 4, n % 3)
        })
        .collect();
    let bench = played(&events);
    let told = published(&bench.dir);
    (bench, told)
}

#[test]
fn a_run_that_was_stopped_anywhere_is_taken_up_again() {
    let (bench, told) = some();
    let dir = &bench.dir;
    let before = answers_of(dir, told.size);
    let folder = Folder::existing(dir).unwrap();
    let there = plan(&folder, 21, at(5000)).unwrap().unwrap();
    let (plan, asked) = (there, plan);
    assert!(plan.files.len() >= 3, "{plan:?}");
    let full = dir.with_extension("full");
    super::segments::copy_segments(dir, &full);
    prune(&folder, &Small, &plan, &told, "root", &ctx(2000)).unwrap();
    for left in 0..plan.files.len() {
        // As if only the oldest had gone so far.
        for (path, _) in plan.files.iter().skip(left) {
            fs::copy(full.join(path.file_name().unwrap()), path).unwrap();
        }
        let _ = fs::remove_dir_all(dir.join("index"));
        assert_eq!(answers_of(dir, told.size), before, "{left} gone");
        whole(dir);
        let is_begun = left > 0;
        let finished = finish(&folder, &Small).unwrap();
        assert_eq!(finished, if is_begun { (plan.files.len() - left) as u64 } else { 0 });
        if !is_begun {
            let again = asked(&folder, 21, at(5000)).unwrap().unwrap();
            let size = open(dir).size();
            prune(&folder, &Small, &again, &told, "root", &ctx(2001)).unwrap();
            assert_eq!(open(dir).size(), size, "the same record does not stand twice");
        }
        assert_eq!(list(dir).unwrap()[0].first, plan.to.first);
        assert_eq!(whole(dir).pruned.map(|it| it.0), Some(plan.to.first));
    }
    // Before the first file is gone the summary is there already, and so may be the record.
    assert_eq!(finish(&folder, &Small).unwrap(), 0);
}

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
        super::segments::copy_segments(dir, &to);
        to
    };
    // Without a word of it.
    let cut = copy("cut");
    remove(&cut, 0);
    assert!(matches!(verify(&cut, &mut |_, _| {}), Err(LogError::NoGenesis { .. })));
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
    assert!(matches!(verify(&more, &mut |_, _| {}), Err(LogError::NoGenesis { .. })));
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
    let leaf = crate::tlog::tree::leaf_hash(line.as_bytes());
    let less =
        text.replacen(line, &format!("{{\"type\":\"gone\",\"seq\":1,\"leaf\":\"{leaf}\"}}"), 1);
    fs::write(&file, pack(less.as_bytes()).unwrap()).unwrap();
    assert!(matches!(broken(dir), BreakKind::Beginning(why) if why.contains("another summary")));
    fs::write(&file, &good).unwrap();
    whole(dir);
    fs::remove_file(&file).unwrap();
    assert!(matches!(Folder::existing(dir), Err(LogError::NoGenesis { .. })));
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
