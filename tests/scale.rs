//! A long log: whoever asks reads what answers and little more, and a push waits no longer.
//!
//! What is counted is entries looked at and bytes of the index written, not time. The figures for a
//! million entries are printed by
//! `cargo test --release --test scale -- --ignored --nocapture`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::print_stderr,
    reason = "tests stop where they cannot go on, own the folders they touch, and measure"
)]

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use portcullis::facts::past::{Brought, Past as _};
use portcullis::log::book::Log;
use portcullis::log::decision::{
    Actor, ActorKind, Decision, FindingRecord, Hook, Paths, PolicyRef, RefDecision, UpdateKind,
    Verdict,
};
use portcullis::log::disk::{FIRST_SEGMENT, Folder, Modes};
use portcullis::log::entry::{Genesis, Outcome, Record, RefOutcome, Session, State, Via};
use portcullis::log::error::LogError;
use portcullis::log::file::{self, Ctx};
use portcullis::log::line::{self, Entry};
use portcullis::log::merge::Leisure;
use portcullis::log::read::{Entries, Filter, fits_entry};
use portcullis::log::search::Search;
use portcullis::log::trace::Meant;
use portcullis::log::wire::{AsText, Listed, Text};
use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::names::principal::PrincipalName;
use tempfile::TempDir;

/// How many entries the tests write.
const ENTRIES: u64 = 20_000;

/// How many where that is enough.
const SOME: u64 = 2_000;

/// How many seconds are between two pushes.
const PUSH_SECONDS: i64 = 60;

fn ctx(push: u64) -> Ctx {
    Ctx {
        moment: at(push),
        boot: "11111111-2222-3333-4444-555555555555".to_owned(),
        mono_us: push,
        host: "git1".to_owned(),
        push: u128::from(push).to_be_bytes(),
        session: Session { pid: 4711 + push, start: 7 },
    }
}

fn at(push: u64) -> Moment {
    Moment::from_seconds(1_795_000_000 + PUSH_SECONDS * i64::try_from(push).unwrap())
}

/// The commit that a push brings; names are spread as those of real commits are.
fn commit(push: u64) -> Oid {
    Oid::from_bytes(&Digest::of(&push.to_be_bytes()).as_bytes()[..20]).unwrap()
}

/// Every tenth push goes to main.
fn refname(push: u64) -> String {
    match push % 10 {
        0 => "refs/heads/main".to_owned(),
        _ => format!("refs/heads/topic-{}", push % 997),
    }
}

fn person(push: u64) -> String {
    format!("p{}", push % 50)
}

fn decision(push: u64) -> Decision {
    let verdict = if push % 100 == 7 { Verdict::Refuse } else { Verdict::Accept };
    let old = push.checked_sub(10).map_or(Oid::zero(ObjectFormat::Sha1), commit);
    let finding = FindingRecord {
        rule: "two-eyes".into(),
        kind: "approval".into(),
        level: "refuse".into(),
        place: Some("policy.toml:3".into()),
        text: "nobody has approved it".into(),
    };
    let one = RefDecision {
        refname: Text::from(refname(push).as_str()),
        target: None,
        old: AsText(old),
        new: AsText(commit(push)),
        claimed_old: None,
        kind: if old.is_zero() { UpdateKind::Create } else { UpdateKind::Move },
        ff: Some(true),
        commits: 1,
        paths: Paths::of(vec![format!("services/svc-{}/main.tf", push % 200).as_str().into()]),
        brought: Listed::of(vec![AsText(commit(push))]),
        verdict,
        findings: if verdict == Verdict::Refuse { vec![finding] } else { Vec::new() },
        uses: Vec::new(),
        landed: vec![AsText(Digest::of(&push.to_be_bytes()))],
        exempt: Vec::new(),
        rollback: Vec::new(),
        clean_merge: Vec::new(),
        gittuf: None,
    };
    Decision {
        repo: "infra-5f0c91ab".into(),
        actor: Actor {
            name: Some(AsText(PrincipalName::parse(&person(push)).unwrap())),
            kind: ActorKind::Person,
            door: "ssh".into(),
            source: "ssh-auth-info".into(),
            login: Text::from(person(push).as_str()),
            key: None,
        },
        hook: Hook::PreReceive,
        git: Some("2.47.3".into()),
        opts: Vec::new(),
        cert: None,
        policy: PolicyRef { sha256: AsText(Digest::of(b"policy")) },
        judged_at: 2 * push + 1,
        refs: vec![one],
        statements: Vec::new(),
        verdict,
        dur_us: 1200,
    }
}

/// What became of it; an even number of entries a push, so that numbers are easy to tell.
fn outcome(push: u64, of: u64) -> Outcome {
    let decision = decision(push);
    let one = &decision.refs[0];
    let state = if one.verdict == Verdict::Refuse { State::NotApplied } else { State::Applied };
    let one = RefOutcome {
        refname: one.refname.clone(),
        old: one.old,
        new: one.new,
        state,
        one_of: Vec::new(),
    };
    Outcome { of, via: Via::PostReceive, refs: vec![one] }
}

const ORIGIN: &str = "git.example.com/infra-5f0c91ab";

/// A log of so many entries: genesis, and then a decision and its outcome for each push. Written
/// by the line writer, which is what a push is written by, without waiting for the disk.
fn long_log(dir: &Path, entries: u64) {
    let genesis = Genesis {
        repo: "infra-5f0c91ab".into(),
        path: "/srv/git/infra.git".into(),
        format: "sha1".into(),
        backend: "files".into(),
        policy: None,
        head: Some("refs/heads/main".into()),
        refs: Listed::of(Vec::new()),
        previous: None,
    };
    let first = Log::create(dir, ORIGIN, genesis, &ctx(0), Modes::PRIVATE).unwrap();
    let mut prev = first.head().hash;
    let segment = OpenOptions::new().append(true).open(dir.join(FIRST_SEGMENT)).unwrap();
    let mut out = BufWriter::with_capacity(1 << 20, segment);
    for seq in 1..entries {
        let push = (seq - 1) / 2;
        let record = match seq % 2 {
            1 => Record::Decision(Box::new(decision(push))),
            _ => Record::Outcome(outcome(push, seq - 1)),
        };
        let common = file::common(ORIGIN, &ctx(push), record.kind(), seq);
        let body = line::body(&record, None).unwrap();
        let (text, hash) = line::write(&common, &body, &prev).unwrap();
        out.write_all(text.as_bytes()).unwrap();
        prev = hash;
    }
    out.flush().unwrap();
}

/// A log of so many entries, with its index.
fn indexed(entries: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    long_log(&dir.path().join("log"), entries);
    let mut log = Log::open(&dir.path().join("log")).unwrap();
    assert_eq!(log.head().size, entries);
    log.merge_index(Leisure::Timer);
    dir
}

/// The numbers of the entries a filter wants, and how many were read for it.
fn search(dir: &Path, filter: &Filter) -> (Vec<u64>, u64) {
    let mut search = Search::open(dir, filter.clone()).unwrap();
    let mut numbers = Vec::new();
    while let Some(found) = search.next_entry().unwrap() {
        numbers.push(found.entry.common.seq);
    }
    (numbers, search.looked())
}

/// Every entry.
fn all(dir: &Path) -> Vec<Entry> {
    let mut entries = Entries::open(dir, Filter::default()).unwrap();
    let mut all = Vec::new();
    while let Some(found) = entries.next_entry().unwrap() {
        all.push(found.entry);
    }
    all
}

fn filters() -> Vec<(&'static str, Filter)> {
    let refname = |name: &str| Filter { refname: Some(name.into()), ..Filter::default() };
    let late = Some(at(9_900));
    vec![
        ("a branch by its short name", refname("topic-13")),
        ("a ref by its full name", refname("refs/heads/topic-13")),
        ("a ref that is not there", refname("nothing")),
        ("main since", Filter { since: late, ..refname("main") }),
        ("until", Filter { until: Some(at(40)), ..Filter::default() }),
        (
            "since and until",
            Filter { since: Some(at(5_000)), until: Some(at(5_010)), ..Filter::default() },
        ),
        ("somebody on main", Filter { by: Some(b"p10".into()), ..refname("main") }),
        (
            "a rule since",
            Filter { rule: Some("two-eyes".into()), since: late, ..Filter::default() },
        ),
        ("a path", Filter { path: Some(b"services/svc-13/".into()), ..Filter::default() }),
        (
            "a path of a person",
            Filter {
                path: Some(b"services/svc-13".into()),
                by: Some(b"p13".into()),
                ..Filter::default()
            },
        ),
        ("refused", Filter { verdict: Some(Verdict::Refuse), ..Filter::default() }),
        (
            "accepted since",
            Filter { verdict: Some(Verdict::Accept), since: late, ..Filter::default() },
        ),
        ("warned", Filter { verdict: Some(Verdict::Warn), ..Filter::default() }),
    ]
}

#[test]
fn a_filter_reads_what_it_wants_and_finds_what_a_walk_finds() {
    let ground = indexed(ENTRIES);
    let dir = ground.path().join("log");
    let folder = Folder::existing(&dir).unwrap();
    let all = all(&dir);
    assert_eq!(all.len() as u64, ENTRIES);
    for (what, filter) in filters() {
        let (found, looked) = search(&dir, &filter);
        let fits = all.iter().filter(|it| fits_entry(&folder, &filter, it).unwrap());
        assert_eq!(found, fits.map(|it| it.common.seq).collect::<Vec<_>>(), "{what}");
        // Every second entry is an outcome, and no yes: where yes is asked for, it is read in vain.
        assert!(looked <= 2 * found.len() as u64 + 4, "{what}: {looked} for {}", found.len());
        for most in [1, 7] {
            let (last, looked) = Search::last(&dir, filter.clone(), most).unwrap();
            let last: Vec<u64> = last.iter().map(|it| it.entry.common.seq).collect();
            assert_eq!(last, found[found.len().saturating_sub(most)..], "the last {most}: {what}");
            assert!(looked <= 2 * most as u64 + 2, "the last {most}: {what}: {looked}");
        }
    }
    let (what, filter) = &filters()[3];
    let (found, _) = search(&dir, filter);
    fs::remove_dir_all(dir.join("index")).unwrap();
    assert_eq!(search(&dir, filter), (found, ENTRIES), "{what}, without an index");
    assert!(!dir.join("index").exists());
}

#[test]
fn without_an_index_the_answers_are_the_same_and_nothing_is_written() {
    let ground = indexed(SOME);
    let dir = ground.path().join("log");
    fs::remove_dir_all(dir.join("index")).unwrap();
    let filter = Filter { refname: Some(b"main".into()), ..Filter::default() };
    let (found, _) = search(&dir, &filter);
    assert_eq!(found.len(), 2 * 100);
    let log = Log::open_to_read(&dir).unwrap();
    assert!(matches!(log.brought(&commit(777)).unwrap(), Brought::Applied { entry: 1555, .. }));
    assert!(!dir.join("index").exists());
}

#[test]
fn where_the_clock_went_back_a_time_is_still_found() {
    let ground = tempfile::tempdir().unwrap();
    let dir = ground.path().join("log");
    long_log(&dir, 400);
    let mut log = Log::open(&dir).unwrap();
    for push in [10, 11, 12, 300, 301, 50] {
        let record = Record::Decision(Box::new(decision(push)));
        let _ = log.append(&[record], &ctx(push), None).unwrap();
    }
    let filter = Filter { since: Some(at(11)), until: Some(at(12)), ..Filter::default() };
    let (found, looked) = search(&dir, &filter);
    assert_eq!(found, [23, 24, 401]);
    assert!(looked < 10, "{looked}");
}

#[test]
fn a_damaged_line_is_told_and_not_passed_over() {
    let ground = indexed(SOME);
    let dir = ground.path().join("log");
    let filter = Filter { refname: Some(b"main".into()), ..Filter::default() };
    let (found, _) = search(&dir, &filter);
    let segment = dir.join(FIRST_SEGMENT);
    let mut bytes = fs::read(&segment).unwrap();
    let mark = format!("\"seq\":{},", found[3]);
    let at = bytes.windows(mark.len()).position(|it| it == mark.as_bytes()).unwrap();
    bytes[at + 7] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let mut search = Search::open(&dir, filter).unwrap();
    for number in &found[..3] {
        assert_eq!(search.next_entry().unwrap().unwrap().entry.common.seq, *number);
    }
    assert!(matches!(search.next_entry(), Err(LogError::Broken(_))));
}

#[test]
fn an_abbreviation_is_found_among_many() {
    let ground = indexed(SOME);
    let log = Log::open_to_read(&ground.path().join("log")).unwrap();
    let hex = commit(321).hex();
    let Meant::Commits(meant) = log.abbreviated(&hex[..12]).unwrap() else { panic!("too many") };
    assert_eq!(meant.into_iter().collect::<Vec<_>>(), [commit(321)]);
    let trace = log.trace(&commit(321)).unwrap();
    let entries: Vec<u64> = trace.steps.iter().map(|step| step.entry.common.seq).collect();
    assert_eq!(entries, [643]);
    assert_eq!(trace.steps[0].outcomes[0].common.seq, 644);
}

/// The lengths of the index's files.
fn runs(dir: &Path) -> Vec<u64> {
    let files = fs::read_dir(dir.join("index")).unwrap().map(|it| it.unwrap());
    let runs = files.filter(|it| it.file_name().to_str().unwrap().ends_with(".run"));
    let mut lengths: Vec<u64> = runs.map(|it| it.metadata().unwrap().len()).collect();
    lengths.sort_unstable();
    lengths
}

#[test]
fn no_push_writes_more_than_a_little_of_the_index() {
    let ground = indexed(ENTRIES);
    let dir = ground.path().join("log");
    let before = runs(&dir);
    let long: u64 = before.iter().sum();
    assert!(long > 4 << 20, "{long} bytes are no long index");
    for push in 10_000..10_200 {
        // As a hook does it: open, append, forget.
        let mut log = Log::open(&dir).unwrap();
        let record = Record::Decision(Box::new(decision(push)));
        let _ = log.append(&[record], &ctx(push), None).unwrap();
    }
    let after = runs(&dir);
    for old in before {
        assert!(after.contains(&old) || old < 2 << 20, "a run of {old} bytes was merged");
    }
    let grown = after.iter().sum::<u64>() - long;
    assert!(grown < 2 << 20, "{grown} bytes of index for 200 entries");
}

#[test]
fn merging_keeps_every_posting() {
    let ground = tempfile::tempdir().unwrap();
    let dir = ground.path().join("log");
    long_log(&dir, ENTRIES);
    drop(Log::open(&dir).unwrap());
    let filter = Filter { refname: Some(b"topic-13".into()), ..Filter::default() };
    let (before, pieces) = (search(&dir, &filter), runs(&dir).len());
    assert!(pieces > 2, "made in one piece");
    Log::open(&dir).unwrap().merge_index(Leisure::Timer);
    assert!(runs(&dir).len() < pieces);
    assert_eq!(search(&dir, &filter), before);
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> Duration {
    let begin = Instant::now();
    let _kept = work();
    let took = begin.elapsed();
    eprintln!("{what:<46} {took:>12.3?}");
    took
}

/// Runs a verb, its output thrown away.
fn verb(dir: &Path, what: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env_clear().arg("log").args(what).arg(dir).current_dir(dir);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{what:?}: {}", String::from_utf8_lossy(&done.stderr));
    assert!(!done.stdout.is_empty(), "{what:?} says nothing");
}

#[test]
#[ignore = "a gigabyte of log; prints figures"]
fn a_million_entries() {
    const MILLION: u64 = 1_000_000;
    const WELL_UNDER_A_SECOND: Duration = Duration::from_millis(300);
    let ground = tempfile::tempdir().unwrap();
    let dir = ground.path().join("log");
    timed("writing 1,000,000 entries", || long_log(&dir, MILLION));
    timed("making the index", || Log::open(&dir).unwrap());
    timed("merging its runs", || Log::open(&dir).unwrap().merge_index(Leisure::Timer));
    let bytes: u64 = runs(&dir).iter().sum();
    let log_bytes = fs::metadata(dir.join(FIRST_SEGMENT)).unwrap().len();
    eprintln!("{log_bytes} bytes of log, {bytes} of index in {} runs", runs(&dir).len());

    let since = at(MILLION / 2 - 1_000).rfc3339_seconds();
    let hex = commit(123_456).hex();
    let asked: [(&str, &[&str]); 9] = [
        ("log show --ref main --since", &["show", "--ref", "main", "--since", &since]),
        ("log show --since", &["show", "--since", &since]),
        ("log show --by p7 --ref topic-57", &["show", "--by", "p7", "--ref", "topic-57"]),
        ("log show --rule two-eyes --since", &["show", "--rule", "two-eyes", "--since", &since]),
        (
            "log show --path services/svc-13 --since",
            &["show", "--path", "services/svc-13", "--since", &since],
        ),
        ("log show 400001", &["show", "400001"]),
        ("log who, whole", &["who", &hex]),
        ("log who, abbreviated", &["who", &hex[..10]]),
        ("log tail", &["tail"]),
    ];
    for (what, words) in asked {
        let took = timed(what, || verb(&dir, words));
        assert!(took < WELL_UNDER_A_SECOND, "{what} took {took:?}");
    }
    let mut pushes = Vec::new();
    for push in MILLION / 2..MILLION / 2 + 200 {
        let begin = Instant::now();
        let mut log = Log::open(&dir).unwrap();
        let record = Record::Decision(Box::new(decision(push)));
        let _ = log.append(&[record], &ctx(push), None).unwrap();
        pushes.push(begin.elapsed());
    }
    pushes.sort_unstable();
    eprintln!("opening and appending: median {:.3?}, worst {:.3?}", pushes[100], pushes[199]);
    assert!(pushes[199] < WELL_UNDER_A_SECOND);
}
