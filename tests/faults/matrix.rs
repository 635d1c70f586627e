//! Every call of a hook that touches the log, failing in every way.
//!
//! A push is made once with the hook under `strace`; then again for each call and failure, on a
//! fresh copy of the repository, with exactly that call failing. After each: the log verifies,
//! nothing was promised that is not there or not on the disk, nothing that stood in the log is
//! gone, a further push works, and log and refs agree.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use portcullis::log::book::Log;
use portcullis::log::decision::{Actor, ActorKind, Verdict};
use portcullis::log::entry::{Asked, Record};
use portcullis::log::file::Ctx;
use portcullis::log::segment::Limits;

use crate::server::{PORTCULLIS, Pushed, Repository, Server, path};
use crate::strace::{self, Call, FAILURES, Failure, calls, is_durable, script};
use crate::{is_whole, say};

/// A state of a server, and a push whose hook is made to fail.
struct Scenario {
    name: &'static str,
    /// What is done to a fresh copy first.
    prepare: fn(&Server, &Repository),
    /// The hook that fails.
    hook: &'static str,
    /// What is pushed.
    refspec: &'static str,
    /// Whether the policy wants it.
    is_wanted: bool,
    /// How many calls go by for each that fails in the bounded run.
    step: usize,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a usual push",
        prepare: |_, _| {},
        hook: "pre-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 2,
    },
    Scenario {
        name: "the update hook",
        prepare: |_, _| {},
        hook: "update",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 8,
    },
    Scenario {
        name: "the hook afterwards",
        prepare: |_, _| {},
        hook: "post-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 6,
    },
    Scenario {
        name: "an entry with attachments",
        prepare: |_, _| {},
        hook: "pre-receive",
        refspec: "wide:refs/heads/x",
        is_wanted: true,
        step: 6,
    },
    Scenario {
        name: "a refused push",
        prepare: |_, _| {},
        hook: "pre-receive",
        refspec: "second:refs/heads/main",
        is_wanted: false,
        step: 6,
    },
    Scenario {
        name: "after a torn line",
        prepare: torn,
        hook: "pre-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 6,
    },
    Scenario {
        name: "after a disk that failed",
        prepare: doubtful,
        hook: "pre-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 6,
    },
    Scenario {
        name: "where the index is written",
        prepare: many,
        hook: "post-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 8,
    },
    Scenario {
        name: "where a new file begins",
        prepare: full,
        hook: "pre-receive",
        refspec: "second:refs/heads/x",
        is_wanted: true,
        step: 6,
    },
];

/// So many entries that the next one begins a new file.
fn full(_: &Server, repository: &Repository) {
    let mut log = Log::open(&repository.log()).unwrap();
    let last = log.entry_by_number(log.head().size - 1).unwrap();
    let Record::Outcome(outcome) = &last.record else { panic!("{last:?}") };
    let asked = Record::Asked(Asked {
        actor: Actor {
            name: None,
            kind: ActorKind::Unknown,
            door: "local".into(),
            source: "os-user".into(),
            login: "alice".into(),
            key: None,
        },
        refname: outcome.refs[0].refname.clone(),
        commit: outcome.refs[0].new,
        verdict: Verdict::Accept,
        dur_us: 1,
    });
    let missing = Limits::USUAL.entries - log.head().size;
    let ctx = Ctx {
        moment: last.common.ts.0,
        boot: last.common.boot.clone(),
        mono_us: last.common.mono_us,
        host: last.common.host.clone(),
        push: [7; 16],
        session: last.common.sess,
    };
    let records = vec![asked; usize::try_from(missing).unwrap()];
    assert_eq!(log.note(&records, &ctx, None).unwrap(), None);
    log.refresh().unwrap();
    assert_eq!(repository.segments().len(), 1);
}

/// The last append did not end.
fn torn(_: &Server, repository: &Repository) {
    let file = repository.segments().pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"{\"v\":1,\"log\":\"");
    fs::write(file, bytes).unwrap();
}

/// The last line could not be brought to the disk.
fn doubtful(_: &Server, repository: &Repository) {
    let bytes = repository.bytes();
    let from = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(repository.log().join("suspect"), format!("{from} {}\n", bytes.len() - from))
        .unwrap();
}

/// So many entries that the next ones are put into the index's files.
fn many(server: &Server, repository: &Repository) {
    for n in 0..30 {
        assert!(server.push(repository, &[&format!("first:refs/heads/many-{n}")]).ok);
    }
}

/// One run: this call fails in this way.
struct Case<'a> {
    scenario: &'a Scenario,
    ground: &'a Repository,
    call: Call,
    failure: Failure,
}

impl Case<'_> {
    /// What was wrong, and where; said at once.
    fn told(&self, wrong: &str) -> String {
        let Self { scenario, call, failure, .. } = self;
        let Call { name, when, place } = call;
        let told = format!("{}, {name} {when} on {place}: {failure:?}\n{wrong}", scenario.name);
        say(&told);
        told
    }
}

#[test]
fn whatever_call_of_a_hook_fails_the_log_and_the_refs_stay_true() {
    if !strace::works() {
        return;
    }
    let server = Server::new();
    let mut grounds = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let ground = server.copy(&server.template(), &format!("ground-{number}.git"));
        (scenario.prepare)(&server, &ground);
        grounds.push(ground);
    }
    let mut cases = Vec::new();
    for (number, (scenario, ground)) in SCENARIOS.iter().zip(&grounds).enumerate() {
        let calls = recorded(&server, scenario, ground);
        assert!(calls.len() > 10, "{}: the hook hardly touched the log", scenario.name);
        let before = cases.len();
        for (at, call) in calls.iter().enumerate() {
            let all = FAILURES.iter().filter(|failure| call.can(**failure));
            let failures: Vec<Failure> = match is_whole() {
                true => all.copied().collect(),
                false if at % scenario.step != 0 => continue,
                // Another one for each call, all of them in turn.
                false => all.copied().cycle().skip(at / scenario.step + number).take(1).collect(),
            };
            for failure in failures {
                cases.push(Case { scenario, ground, call: call.clone(), failure });
            }
        }
        let more = cases.len() - before;
        say(&format!("{}: {} calls touch the log, {more} runs", scenario.name, calls.len()));
    }
    let (faults, missed) = run_all(&server, &cases);
    say(&format!("{} runs, {missed} without the call, {} wrong", cases.len(), faults.len()));
    assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n\n"));
    assert!(
        missed * MISSED_ONE_IN <= cases.len(),
        "{missed} of {} runs failed nowhere",
        cases.len()
    );
}

/// The index holds process ids, so that a look-up may take a read more or less from run to run, and
/// the last calls of a recorded run may be missing in another. They may be so many of all.
const MISSED_ONE_IN: usize = 20;

/// Runs the cases, several at a time; returns what was wrong, and how often the call was not made.
fn run_all(server: &Server, cases: &[Case<'_>]) -> (Vec<String>, usize) {
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let faults = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let (next, missed, faults) = (&next, &missed, &faults);
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(server, case, worker) {
                        Ok(true) => {}
                        Ok(false) => drop(missed.fetch_add(1, Ordering::Relaxed)),
                        Err(wrong) => faults.lock().unwrap().push(case.told(&wrong)),
                    }
                }
            });
        }
    });
    (faults.into_inner().unwrap(), missed.into_inner())
}

/// The calls of the hook that touch the log, when nothing fails.
fn recorded(server: &Server, scenario: &Scenario, ground: &Repository) -> Vec<Call> {
    let repository = server.copy(ground, "recorded.git");
    let trace = server.at("recorded.trace");
    let script = script(PORTCULLIS, scenario.hook, path(&trace), &[]);
    repository.write_hook(scenario.hook, &script);
    let pushed = server.push(&repository, &[scenario.refspec]);
    assert_eq!(pushed.ok, scenario.is_wanted, "{}: {}", scenario.name, pushed.said);
    let text = fs::read_to_string(&trace).unwrap();
    calls(&text, path(&repository.log())).into_iter().map(|(call, _)| call).collect()
}

/// Whether the failure met a call; or what was wrong afterwards.
fn run(server: &Server, case: &Case<'_>, worker: usize) -> Result<bool, String> {
    let Case { scenario, ground, call, failure } = case;
    let repository = server.copy(ground, &format!("worker-{worker}.git"));
    let trace = server.at(&format!("worker-{worker}.trace"));
    let _ = fs::remove_file(&trace);
    let hook = repository.0.join("hooks").join(scenario.hook);
    let installed = fs::read_to_string(&hook).unwrap();
    let more = [call.inject(*failure)];
    repository.write_hook(scenario.hook, &script(PORTCULLIS, scenario.hook, path(&trace), &more));
    let before = (server.refs(&repository), repository.bytes());
    let pushed = server.push(&repository, &[scenario.refspec]);
    let trace = fs::read_to_string(&trace).map_err(|fault| format!("no trace: {fault}"))?;
    answered(scenario, &repository, &pushed, &trace)?;
    let refs = server.refs(&repository);
    if !pushed.ok && refs != before.0 {
        return Err(format!("refused, and refs moved\n{}", pushed.said));
    }
    let bytes = repository.bytes();
    if !bytes.starts_with(&before.1) {
        return Err("what stood in the log is gone".to_owned());
    }
    server.verify(&repository)?;
    repository.write_hook(scenario.hook, &installed);
    let again = server.push(&repository, &["third:refs/heads/x"]);
    if !again.ok {
        return Err(format!("the next push does not work\n{}", again.said));
    }
    if !repository.bytes().starts_with(&bytes) {
        return Err("the next push took away what stood in the log".to_owned());
    }
    for promise in [pushed.promise(), again.promise()].into_iter().flatten() {
        if !repository.keeps(&promise) {
            return Err(format!("{promise:?} is not in the log"));
        }
    }
    server.is_settled(&repository)?;
    Ok(match failure {
        Failure::Kill => trace.contains("+++ killed by SIGKILL"),
        Failure::Error(_) | Failure::Short => trace.contains("(INJECTED)"),
    })
}

/// A yes only where the policy wants it, the entry is there, and it is on the disk.
fn answered(
    scenario: &Scenario,
    repository: &Repository,
    pushed: &Pushed,
    trace: &str,
) -> Result<(), String> {
    let said_yes = trace.contains("+++ exited with 0 +++") || pushed.promise().is_some();
    if pushed.ok && !scenario.is_wanted {
        return Err(format!("accepted against the policy\n{}", pushed.said));
    }
    if pushed.ok && pushed.promise().is_none() {
        return Err(format!("accepted without a word\n{}", pushed.said));
    }
    if scenario.hook == "pre-receive" && said_yes {
        is_durable(trace, path(&repository.log()))?;
    }
    match pushed.promise() {
        Some(promise) if !repository.keeps(&promise) => {
            Err(format!("{promise:?} is not in the log"))
        }
        Some(_) | None => Ok(()),
    }
}
