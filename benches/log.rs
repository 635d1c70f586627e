//! What the log costs, against what the same bytes cost without it, in one run.
//!
//! `cargo bench --bench log` prints ratios, which hold on any machine, and the goal of each.
//! `docs/performance.md` has the figures of one machine and tells what they mean.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a benchmark is the outside: files, clock, children, a table on the terminal"
)]

mod logged;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis::facts::limits::Limits;
use portcullis::log::book::Log;
use portcullis::log::disk::Modes;
use portcullis::log::entry::{Genesis, Record, Session};
use portcullis::log::file::{Appended, Ctx};
use portcullis::log::verify::verify;
use portcullis::log::wire::Listed;
use portcullis::names::moment::Moment;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

use crate::logged::{decision, outcome};

const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");

/// How many appends are timed, in pairs with a bare write.
const APPENDS: usize = 400;

/// How many processes append at once, and how often each.
const PROCESSES: usize = 16;
const APPENDS_EACH: usize = 50;

/// How many entries are verified.
const ENTRIES: u64 = 200_000;

/// How many entries are written at a time where only their number counts.
const BATCH: u64 = 500;

/// How many refs a repository or a push has.
const REFS: usize = 50_000;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [_, "append", dir] => child(&mut appender(Path::new(dir))),
        [_, "bare", file, length] => {
            child(&mut bare(Path::new(file), length.parse().unwrap()));
        }
        _ => all(),
    }
}

fn all() {
    append();
    at_once();
    verified();
    memory();
}

/// One line of the table.
fn row(what: &str, found: &str, goal: &str, is_met: bool) {
    let word = if is_met { "met" } else { "MISSED" };
    println!("{what:<58} {found:>12}   goal {goal:<14} {word}");
}

/// A folder on the disk that the build is on: the system's own may be in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn create(dir: &Path) -> Log {
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
    let origin = "git.example.com/infra-5f0c91ab";
    let _ = Log::create(dir, origin, genesis, &ctx(0), Modes::PRIVATE).unwrap();
    Log::open(dir).unwrap()
}

fn ctx(seconds: i64) -> Ctx {
    Ctx {
        moment: Moment::from_seconds(1_795_000_000 + seconds),
        boot: "4c1ff5be-0b5c-4c7f-8f0a-5d1a7b1f0a11".into(),
        mono_us: 1_000_000,
        host: "git1".into(),
        push: [7; 16],
        session: Session { pid: u64::from(std::process::id()), start: 99 },
    }
}

/// Something that is done again and again.
type Act = dyn FnMut(u64);

/// Appends to the log, brought to the disk.
fn appender(dir: &Path) -> Box<Act> {
    let mut log = Log::open(dir).unwrap();
    Box::new(move |number| {
        let done = log.append(&[decision(number)], &ctx(1), None).unwrap();
        assert!(matches!(done, Appended::Written(_)));
    })
}

/// Appends so many bytes to a file, brought to the disk.
fn bare(path: &Path, length: usize) -> Box<Act> {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    let bytes = vec![b'x'; length];
    Box::new(move |_| {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    })
}

fn timed(act: &mut Act, number: u64) -> Duration {
    let begin = Instant::now();
    act(number);
    begin.elapsed()
}

/// The time that so many of a hundred did not exceed.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// How long a decision's line is.
fn line_length(dir: &Path) -> usize {
    let before = log_bytes(dir);
    appender(dir)(0);
    usize::try_from(log_bytes(dir) - before).unwrap()
}

fn log_bytes(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let of_entries = files.filter(|file| file.file_name().to_string_lossy().ends_with(".jsonl"));
    of_entries.map(|file| file.metadata().unwrap().len()).sum()
}

/// One process: an append with its sync, in turn with the same bytes without a log.
fn append() {
    let folder = folder();
    let dir = folder.path().join("log");
    drop(create(&dir));
    let length = line_length(&dir);
    let mut with = appender(&dir);
    let mut without = bare(&folder.path().join("bare"), length);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..APPENDS as u64 {
        theirs.push(timed(without.as_mut(), number));
        ours.push(timed(with.as_mut(), number));
    }
    let (ours, theirs) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    let found = ratio(ours, theirs);
    row(
        &format!("append of {length} bytes, synced ({ours:.0?} of {theirs:.0?} bare)"),
        &format!("{found:.2} x"),
        "<= 1.25 x",
        found <= 1.25,
    );
}

/// A child: does it again and again, and prints how long each took, in nanoseconds.
fn child(act: &mut Act) {
    // All begin together: when the parent has started the last one.
    io::stdin().read_line(&mut String::new()).unwrap();
    let times: Vec<String> =
        (0..APPENDS_EACH as u64).map(|number| timed(act, number).as_nanos().to_string()).collect();
    println!("{}", times.join("\n"));
}

/// Many processes of one kind at once.
fn crowd(words: &[&str]) -> Vec<Duration> {
    let program = std::env::current_exe().unwrap();
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut command = Command::new(&program);
            command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut times = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        times.extend(text.lines().map(|line| Duration::from_nanos(line.parse().unwrap())));
    }
    assert_eq!(times.len(), PROCESSES * APPENDS_EACH);
    times
}

/// Many processes append to one log, and the same with bare writes to one file.
fn at_once() {
    let folder = folder();
    let dir = folder.path().join("log");
    drop(create(&dir));
    let length = line_length(&dir).to_string();
    let file = folder.path().join("bare");
    let (dir_text, file) = (dir.to_str().unwrap(), file.to_str().unwrap());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        theirs.extend(crowd(&["bare", file, &length]));
        ours.extend(crowd(&["append", dir_text]));
    }
    let (half, half_bare) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    let (most, most_bare) = (percentile(&mut ours, 99), percentile(&mut theirs, 99));
    let found = ratio(most, most_bare);
    row(
        &format!("{PROCESSES} at once, p99 ({most:.0?} of {most_bare:.0?} bare)"),
        &format!("{found:.2} x"),
        "<= 5 x",
        found <= 5.0,
    );
    println!("  the median of them: {half:.0?} of {half_bare:.0?} bare");
    let report = verify(&dir, &mut |_, _| {}).unwrap();
    let due = (3 * PROCESSES * APPENDS_EACH + 2) as u64;
    let is_dense = report.broken.is_none() && report.head.size == due && report.recovered == 0;
    row("  one chain, dense", &format!("{} entries", report.head.size), &due.to_string(), is_dense);
}

/// The processor time of this process.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap())
}

fn verified() {
    let folder = folder();
    let dir = folder.path().join("log");
    let mut log = create(&dir);
    for batch in 0..ENTRIES / BATCH {
        let first = log.head().size;
        let records: Vec<Record> = (0..BATCH / 2)
            .flat_map(|n| {
                let number = batch * BATCH / 2 + n;
                [decision(number), outcome(first + 2 * n, number)]
            })
            .collect();
        assert_eq!(log.note(&records, &ctx(1), None).unwrap(), None);
    }
    drop(log);
    let bytes = log_bytes(&dir);
    let begin = processor_time();
    let report = verify(&dir, &mut |_, _| {}).unwrap();
    let took = processor_time() - begin;
    assert!(report.broken.is_none() && report.head.size > ENTRIES, "{report:?}");
    // Every file but the first has an entry of its own.
    let found = report.head.size as f64 / took.as_secs_f64();
    row(
        &format!("verify, lines of {} bytes, entries a second and core", bytes / report.head.size),
        &format!("{found:.0}"),
        ">= 300000",
        found >= 300_000.0,
    );
}

/// The most memory that a hook had, while a push of so many refs into so many was judged.
fn memory() {
    let usual = (Limits::default().refs, "accepted");
    for (in_repository, in_push, (limit, answer)) in [
        (REFS, 1, usual),
        (1, usual.0, usual),
        (1, REFS, (usual.0, "refused")),
        (1, REFS, (REFS, "accepted")),
    ] {
        let folder = folder();
        let (peak, took, accepted) = hook(folder.path(), in_repository, in_push, limit);
        assert_eq!(if accepted { "accepted" } else { "refused" }, answer);
        let mib = peak as f64 / 1024.0;
        row(
            &format!(
                "hook memory, {in_push} refs pushed to {in_repository}, {answer} ({took:.0?})"
            ),
            &format!("{mib:.1} MiB"),
            "<= 32 MiB",
            mib <= 32.0,
        );
    }
}

/// Runs the hook as Git does, without the objects: every ref goes to a commit that is there. The most
/// memory it had in KiB, how long it took, and whether it said yes.
fn hook(at: &Path, in_repository: usize, in_push: usize, limit: usize) -> (u64, Duration, bool) {
    let repository = at.join("infra.git");
    fs::write(
        at.join("policy.toml"),
        format!(
            "version = 1\n[identity]\nlocal = \"WHO\"\n[limits]\nrefs = {limit}\nstdin-bytes = 100000000\n\
             [rule.main-takes-merges]\nkind = \"merge\"\nrefs = [\"@default\"]\nmethods = [\"merge\"]\n"
        ),
    )
    .unwrap();
    let command = |program: &str| {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", at);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("WHO", "alice").current_dir(at);
        command
    };
    let git = |words: &[&str], input: &str| -> String {
        let mut child = command("git");
        let child =
            child.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q", "--bare", "--template=", "-b", "main", "infra.git"], "");
    let commit = "commit refs/heads/main\ncommitter A <a@example.org> 1764547200 +0000\ndata 1\na\n\
        M 100644 inline a\ndata 1\na\n\n";
    git(&["-C", "infra.git", "fast-import", "--quiet"], commit);
    let oid = git(&["-C", "infra.git", "rev-parse", "main"], "").trim().to_owned();
    let mut packed = File::create(repository.join("packed-refs")).unwrap();
    packed.write_all(b"# pack-refs with: peeled fully-peeled sorted \n").unwrap();
    for number in 0..in_repository {
        packed.write_all(format!("{oid} refs/heads/old-{number:06}\n").as_bytes()).unwrap();
    }
    drop(packed);
    let mut install = command(PORTCULLIS);
    let install =
        install.args(["install", "--policy", "policy.toml", "infra.git"]).output().unwrap();
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let zeros = "0".repeat(40);
    let input: String =
        (0..in_push).map(|number| format!("{zeros} {oid} refs/heads/new-{number:06}\n")).collect();
    let begin = Instant::now();
    let mut hook = command(PORTCULLIS);
    let hook = hook.args(["hook", "pre-receive"]).current_dir(&repository).env("GIT_DIR", ".");
    let mut child = hook.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let mut peak = 0;
    let status = format!("/proc/{}/status", child.id());
    while child.try_wait().unwrap().is_none() {
        // The kernel keeps the most there was; the last look before the end has it.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = kib.unwrap_or(peak);
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = begin.elapsed();
    let output = child.wait_with_output().unwrap();
    (peak, took, output.status.success())
}
