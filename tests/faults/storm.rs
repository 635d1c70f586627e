//! Many people push at once, and at random moments somebody dies.
//!
//! Each client pushes to refs of its own and to refs that all share. For most pushes a victim is
//! chosen before it begins: the client, `receive-pack` or one of the hooks, and how long it may
//! live. Processes are found as children of the push that this test has started, and killed through
//! a descriptor, so that no other process can ever be meant. Afterwards the log verifies, one more
//! push settles what is open, log and refs agree, nothing counts as drift, every entry that a
//! client was promised is there, and what Git called done has not become undone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use crate::server::{Promise, Pushed, Repository, Server, done};
use crate::{is_whole, say};

/// How many people push at the same time.
const CLIENTS: usize = 6;

/// How many refs everybody pushes to.
const SHARED: u64 = 3;

/// How many pushes there are, with the other tests and in the whole.
const PUSHES: (usize, usize) = (90, 2_000);

/// The seed, when a run is to be made again. What is random here is the choosing; the machine adds
/// its own.
const SEED: &str = "PORTCULLIS_FAULTS_SEED";

/// How long a push may take, whoever dies in it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who dies in a push, and how long after being seen first.
#[derive(Clone, Copy, Debug)]
struct Plan {
    victim: Victim,
    after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Nobody,
    Client,
    ReceivePack,
    Hook(&'static str),
}

/// A push that Git called done.
#[derive(Clone, Debug)]
struct Done {
    refname: String,
    new: String,
}

/// What all clients have seen.
#[derive(Debug, Default)]
struct Seen {
    promises: Vec<Promise>,
    done: Vec<Done>,
    killed: BTreeMap<Victim, usize>,
    refused: usize,
}

/// A random number from a seed: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// The times are those of a push on a machine that has nothing else to do, and some more.
    fn plan(&mut self) -> Plan {
        let (victim, micros) = match self.below(10) {
            0..=2 => (Victim::Nobody, 1),
            3..=4 => (Victim::Client, 90_000),
            5..=6 => (Victim::ReceivePack, 70_000),
            7 => (Victim::Hook("pre-receive"), 25_000),
            8 => (Victim::Hook("update"), 15_000),
            _ => (Victim::Hook("post-receive"), 25_000),
        };
        Plan { victim, after: Duration::from_micros(self.below(micros)) }
    }
}

/// The whole of it: the server, and what the clients share.
struct Storm<'a> {
    server: &'a Server,
    repository: Repository,
    next: AtomicUsize,
    end: usize,
    /// Held by whoever pushes; taken alone by whoever clears up.
    quiet: RwLock<()>,
    has_locks: AtomicBool,
    seen: Mutex<Seen>,
}

#[test]
fn in_a_storm_of_kills_no_promise_is_lost_and_the_log_ends_right() {
    let seed = match std::env::var(SEED) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()),
    };
    let server = Server::new();
    let end = if is_whole() { PUSHES.1 } else { PUSHES.0 };
    say(&format!("storm of {end} pushes, {SEED}={seed}"));
    let storm = Storm {
        server: &server,
        repository: server.copy(&server.template(), "storm.git"),
        next: AtomicUsize::new(0),
        end,
        quiet: RwLock::new(()),
        has_locks: AtomicBool::new(false),
        seen: Mutex::default(),
    };
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let storm = &storm;
            scope.spawn(move || storm.client(client, Random(seed ^ (client as u64) << 32)));
        }
    });
    storm.clear();
    let report = server.verify(&storm.repository).unwrap();
    say(&format!("after the storm: {report}"));
    storm.push_once_more();
    let seen = storm.seen.lock().unwrap();
    say(&format!(
        "{} promises, {} pushes done, {} not, killed: {:?}",
        seen.promises.len(),
        seen.done.len(),
        seen.refused,
        seen.killed
    ));
    assert!(seen.promises.len() > end / 10, "hardly anything was accepted");
    assert!(seen.killed.values().sum::<usize>() > end / 5, "hardly anybody died: {seen:?}");
    let hooks = seen.killed.iter().filter(|(victim, _)| matches!(victim, Victim::Hook(_)));
    assert!(hooks.map(|(_, times)| times).sum::<usize>() > end / 50, "no hook died: {seen:?}");
    storm.holds(&seen);
}

impl Storm<'_> {
    /// Pushes until all pushes of the storm are made.
    fn client(&self, number: usize, mut random: Random) {
        let clone = self.server.at(&format!("client-{number}"));
        done(self.server.command("cp").arg("-a").arg(self.server.work()).arg(&clone));
        while self.next.fetch_add(1, Ordering::Relaxed) < self.end {
            if self.has_locks.swap(false, Ordering::Relaxed) {
                self.clear();
            }
            let _pushing = self.quiet.read().unwrap();
            let refname = match random.below(2) {
                0 => format!("refs/heads/shared-{}", random.below(SHARED)),
                _ => format!("refs/heads/own-{number}-{}", random.below(4)),
            };
            let new = self.commit(&clone, &refname, random.next());
            let plan = random.plan();
            let (pushed, met) = self.push(&clone, &[format!("{new}:{refname}")], plan);
            self.note(plan.victim, met, &pushed, refname, new);
        }
    }

    /// A commit on what the ref is on the server now, in the client's clone.
    fn commit(&self, clone: &Path, refname: &str, number: u64) -> String {
        let mut fetch = self.server.command("git");
        fetch.arg("-C").arg(clone).args(["fetch", "-q"]).arg(&self.repository.0);
        // There may be no such ref, and it may be locked; then this is a first or a stale push.
        let found = fetch.arg(format!("+{refname}:refs/seen/{number}")).output().unwrap();
        let parent =
            if found.status.success() { format!("refs/seen/{number}") } else { "first".to_owned() };
        let mut git = self.server.command("git");
        git.arg("-C").arg(clone).args(["commit-tree", "first^{tree}", "-p", &parent]);
        done(git.args(["-m", &number.to_string()])).trim().to_owned()
    }

    /// One push, in which somebody dies; and whether he was met alive.
    fn push(&self, clone: &Path, refspecs: &[String], plan: Plan) -> (Pushed, bool) {
        let mut git = self.server.command("git");
        git.arg("-C").arg(clone).arg("push").arg(&self.repository.0).args(refspecs);
        // receive-pack has the other end too: this is read to its end when both are gone.
        let mut child = git.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let met = strike(&mut child, plan);
        (Pushed::of(&child.wait_with_output().unwrap()), met)
    }

    fn note(&self, victim: Victim, met: bool, pushed: &Pushed, refname: String, new: String) {
        if pushed.said.contains(".lock'") {
            // Somebody died holding it. An operator takes it away.
            self.has_locks.store(true, Ordering::Relaxed);
        }
        let mut seen = self.seen.lock().unwrap();
        seen.promises.extend(pushed.promise());
        *seen.killed.entry(victim).or_default() += usize::from(met);
        match pushed.ok {
            true => seen.done.push(Done { refname, new }),
            false => seen.refused += 1,
        }
    }

    /// Waits until nobody pushes and no hook of a dead push runs, and takes away Git's locks.
    fn clear(&self) {
        let _alone = self.quiet.write().unwrap();
        let begin = Instant::now();
        while is_busy(&self.repository.0) {
            assert!(begin.elapsed() < PATIENCE, "a hook does not end");
            // Nobody tells about the end of a process that is not a child of ours.
            thread::sleep(Duration::from_millis(2));
        }
        let found = self
            .server
            .command("find")
            .arg(&self.repository.0)
            .args(["-name", "*.lock"])
            .arg("-delete")
            .output();
        assert!(found.unwrap().status.success());
    }

    /// Nobody dies: every ref moves, and with that everything open is settled.
    fn push_once_more(&self) {
        let work = self.server.work();
        let refs = self.server.refs(&self.repository);
        let mut refspecs = Vec::new();
        for name in refs.keys().filter(|name| name.as_str() != "refs/heads/main") {
            refspecs.push(format!("{}:{name}", self.commit(&work, name, 0)));
        }
        let plan = Plan { victim: Victim::Nobody, after: Duration::ZERO };
        let (pushed, _) = self.push(&work, &refspecs, plan);
        assert!(pushed.ok, "{}", pushed.said);
    }

    fn holds(&self, seen: &Seen) {
        self.server.is_settled(&self.repository).unwrap();
        let entries = self.repository.entries();
        let hash = |entry: &Value| entry["hash"].as_str().unwrap_or_default().to_owned();
        let hashes: BTreeMap<u64, String> =
            entries.iter().filter_map(|it| Some((it["seq"].as_u64()?, hash(it)))).collect();
        for promise in &seen.promises {
            let kept = hashes.get(&promise.entry).is_some_and(|it| it.starts_with(&promise.head));
            assert!(kept, "{promise:?} is not in the log");
        }
        let drift: Vec<&Value> = entries.iter().filter(|it| it["type"] == "drift").collect();
        assert!(drift.is_empty(), "nobody went round the hooks: {drift:?}");
        let had = had(&entries);
        for Done { refname, new } in &seen.done {
            let is_had = had.contains(&(refname.clone(), new.clone()));
            assert!(is_had, "Git took {new} to {refname}, and the log does not say so");
        }
    }
}

/// The values that refs have had by the log: of the last outcome of each decision and ref.
fn had(entries: &[Value]) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut fates = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry["type"] == "outcome") {
        for one in entry["refs"].as_array().unwrap() {
            let (refname, new) = (text(&one["ref"]), text(&one["new"]));
            fates.insert((entry["of"].as_u64(), refname, new), text(&one["state"]));
        }
    }
    let had = fates.into_iter().filter(|(_, state)| state == "applied" || state == "superseded");
    had.map(|((_, refname, new), _)| (refname, new)).collect()
}

/// Waits for the victim, lets it live as long as planned, and kills it. Whether it was alive.
fn strike(child: &mut Child, plan: Plan) -> bool {
    if plan.victim == Victim::Nobody {
        return false;
    }
    let begin = Instant::now();
    let pid = loop {
        // Not waited for here: its id stays its own until then.
        if has_ended(child.id()) || begin.elapsed() > PATIENCE {
            return false;
        }
        match find(child.id(), plan.victim) {
            Some(pid) => break pid,
            None => thread::sleep(Duration::from_micros(200)),
        }
    };
    let Some(handle) = Pid::from_raw(i32::try_from(pid).unwrap()) else { return false };
    let Ok(handle) = pidfd_open(handle, PidfdFlags::empty()) else { return false };
    // The descriptor is of whatever had the id when it was made: it still has to be our victim.
    if find(child.id(), plan.victim) != Some(pid) {
        return false;
    }
    thread::sleep(plan.after);
    pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

/// The victim among the processes of a push.
fn find(push: u32, victim: Victim) -> Option<u32> {
    if victim == Victim::Client {
        return Some(push);
    }
    let mut below = children(push);
    while let Some(pid) = below.pop() {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let is_it = match victim {
            // As the hook's own file starts it, and as the one of all repositories does.
            Victim::Hook(name) => {
                command.contains(&format!(" hook={name} "))
                    || command.contains(&format!(" hook {name} "))
            }
            Victim::ReceivePack => {
                command.starts_with("git-receive-pack") || command.starts_with("git receive-pack")
            }
            Victim::Nobody | Victim::Client => false,
        };
        if is_it {
            return Some(pid);
        }
        below.extend(children(pid));
    }
    None
}

/// The processes whose parent this is.
fn children(pid: u32) -> Vec<u32> {
    let told = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    if let Ok(text) = told {
        return text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    }
    // Not every kernel tells.
    processes().filter(|child| stat(*child).is_some_and(|(_, parent)| parent == pid)).collect()
}

/// The state of a process, and its parent.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Whether a child of ours is gone, though nobody has waited for it.
fn has_ended(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| state == "Z")
}

fn processes() -> impl Iterator<Item = u32> {
    let all = fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Whether a process runs in this repository: hooks do, and outlive a receive-pack that was killed.
fn is_busy(repository: &Path) -> bool {
    processes()
        .any(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|it| it == *repository))
}
