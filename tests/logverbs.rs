//! `portcullis log`, run as an operator and as an auditor run it: the real program on logs that the
//! log room wrote. Folders and times are the tests' own; nothing of the machine is seen.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where they cannot go on, and own the folders they touch"
)]

#[path = "logverbs/usage.rs"]
mod usage;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis::log::book::Log;
use portcullis::log::decision::{
    Actor, ActorKind, Decision, ExemptRecord, FindingRecord, Hook, Paths, PolicyRef, RefDecision,
    StatementRecord, UpdateKind, Verdict,
};
use portcullis::log::disk::{FIRST_SEGMENT, Modes};
use portcullis::log::entry::{
    Asked, Asking, Drift, Evidence, Genesis, GenesisRef, Outcome, Record, RefOutcome, Refusal,
    Session, State, Via,
};
use portcullis::log::entry::{Policy, PolicyFile};
use portcullis::log::file::Ctx;
use portcullis::log::wire::{AsText, Listed, Text};
use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::names::principal::PrincipalName;
use serde_json::Value;
use tempfile::TempDir;

/// The moment of the first entry; each next one is a minute later.
const BEGIN: &str = "2026-11-22T21:00:00Z";

/// What the program answered.
#[derive(Debug)]
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// The numbers at the beginning of rows.
    fn numbers(&self) -> Vec<u64> {
        let first = |line: &str| line.split_whitespace().next()?.parse().ok();
        self.out.lines().filter(|line| !line.starts_with("     ")).filter_map(first).collect()
    }
}

/// A folder with a log in it.
struct Ground {
    folder: TempDir,
    log: Log,
    minutes: i64,
}

impl Ground {
    /// A log with its genesis and nothing else.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let dir = folder.path().join("log");
        let refs = [("refs/heads/main", 1), ("refs/tags/v1", 2)];
        let genesis = Genesis {
            repo: "infra-5f0c91ab".into(),
            path: "/srv/git/infra.git".into(),
            format: "sha1".into(),
            backend: "files".into(),
            policy: None,
            head: Some("refs/heads/main".into()),
            refs: Listed::of(refs.map(|(name, n)| first_ref(name, n)).to_vec()),
            previous: None,
        };
        let origin = "git.example.com/infra-5f0c91ab";
        let _ = Log::create(&dir, origin, genesis, &ctx(0), Modes::PRIVATE).unwrap();
        Self { log: Log::open(&dir).unwrap(), folder, minutes: 0 }
    }

    /// A log in which something of every kind has happened.
    fn eventful() -> Self {
        let mut ground = Self::new();
        let mut refused = decision("alice", Verdict::Refuse, vec![direct_push()]);
        refused.opts = vec![Text::from("ask\u{1b}[2J")];
        ground.add(Record::Policy(policy()));
        ground.add(Record::Decision(Box::new(refused)));
        ground.add(Record::Decision(Box::new(approval())));
        ground.add(applied(3, "refs/approvals/0/bob"));
        ground.add(Record::Decision(Box::new(landing())));
        ground.add(applied(5, "refs/heads/main"));
        ground.add(Record::Decision(Box::new(warned())));
        ground.add(Record::Refusal(fault()));
        ground.add(Record::Drift(drift()));
        ground.add(Record::Asked(asked()));
        ground
    }

    fn add(&mut self, record: Record) {
        self.minutes += 1;
        let _ = self.log.append(&[record], &ctx(self.minutes), None).unwrap();
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn segment(&self) -> PathBuf {
        self.dir().join(FIRST_SEGMENT)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path().join("home"))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // Nobody watches, so no pager may run.
            .env("GIT_PAGER", "false")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn log(&self, arguments: &[&str]) -> Answer {
        let mut command = self.command(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.arg("log").args(arguments).output().unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn git(&self, arguments: &[&str]) {
        assert!(self.command("git").args(arguments).status().unwrap().success(), "{arguments:?}");
    }

    /// A bare repository with this log in its place.
    fn repository(&self) -> PathBuf {
        let repo = self.folder.path().join("infra.git");
        self.git(&["init", "-q", "--bare", "-b", "main", repo.to_str().unwrap()]);
        fs::create_dir(repo.join("portcullis")).unwrap();
        copy(&self.dir(), &repo.join("portcullis/log"));
        repo
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn ctx(minutes: i64) -> Ctx {
    Ctx {
        moment: Moment::parse(BEGIN).unwrap().plus_seconds(60 * minutes),
        boot: "4c1ff5be-0b5c-4c7f-8f0a-5d1a7b1f0a11".into(),
        mono_us: 1_000_000,
        host: "git1".into(),
        push: [7; 16],
        session: Session { pid: 4711, start: 99 },
    }
}

fn oid(n: u8) -> Oid {
    Oid::from_bytes(&[n; 20]).unwrap()
}

fn first_ref(name: &str, n: u8) -> GenesisRef {
    GenesisRef { refname: name.into(), oid: AsText(oid(n)) }
}

fn person(name: &str) -> Actor {
    Actor {
        name: Some(AsText(PrincipalName::parse(name).unwrap())),
        kind: ActorKind::Person,
        door: "ssh".into(),
        source: "ssh-auth-info".into(),
        login: name.into(),
        key: Some("SHA256:0123456789".into()),
    }
}

fn decision(who: &str, verdict: Verdict, refs: Vec<RefDecision>) -> Decision {
    Decision {
        repo: "infra-5f0c91ab".into(),
        actor: person(who),
        hook: Hook::PreReceive,
        git: Some("2.47.3".into()),
        opts: Vec::new(),
        cert: None,
        policy: PolicyRef { sha256: AsText(Digest::of(b"policy")) },
        judged_at: 2,
        refs,
        statements: Vec::new(),
        verdict,
        dur_us: 12_345,
    }
}

fn moved(name: &str, verdict: Verdict, new: u8, paths: &[&[u8]]) -> RefDecision {
    RefDecision {
        refname: name.into(),
        target: None,
        old: AsText(oid(1)),
        new: AsText(oid(new)),
        claimed_old: None,
        kind: UpdateKind::Move,
        ff: Some(true),
        commits: 2,
        paths: Paths::of(paths.iter().map(|path| Text::from(*path)).collect()),
        brought: Listed::of(vec![AsText(oid(new)), AsText(oid(new + 1))]),
        verdict,
        findings: Vec::new(),
        uses: Vec::new(),
        landed: Vec::new(),
        exempt: Vec::new(),
        rollback: Vec::new(),
        clean_merge: Vec::new(),
        gittuf: None,
    }
}

fn finding(rule: &str, level: &str, text: &str) -> FindingRecord {
    FindingRecord {
        rule: rule.into(),
        kind: "approval".into(),
        level: level.into(),
        place: Some("policy.toml:14".into()),
        text: text.into(),
    }
}

/// Two refs, one at fault, with names that a terminal must not be shown as they are.
fn direct_push() -> RefDecision {
    let paths: Vec<Vec<u8>> = (0..20).map(|n| format!("infra/{n}.tf").into_bytes()).collect();
    let mut paths: Vec<&[u8]> = paths.iter().map(Vec::as_slice).collect();
    paths.push(b"evil\x1b[31m\xff");
    let mut one = moved("refs/heads/main", Verdict::Refuse, 0x20, &paths);
    one.findings =
        vec![finding("infra-review", "refuse", "infra/0.tf and 19 more changed, 0 of 2 approvals")];
    one
}

fn approval() -> Decision {
    let place = "refs/approvals/0/bob";
    let mut one = moved(place, Verdict::Accept, 0x30, &[]);
    one.kind = UpdateKind::Create;
    one.old = AsText(Oid::zero(oid(1).format()));
    let mut decision = decision("bob", Verdict::Accept, vec![one]);
    decision.statements = vec![StatementRecord {
        place: place.into(),
        id: AsText(Digest::of(b"statement")),
        kind: "approval".into(),
        person: AsText(PrincipalName::parse("bob").unwrap()),
        check: None,
        verdict: "approve".into(),
        for_ref: "refs/heads/main".into(),
        delta: AsText(Digest::of(b"delta")),
        base: AsText(oid(1)),
        commit: AsText(oid(0x20)),
        entries: Listed::default(),
        date: AsText(Moment::parse(BEGIN).unwrap()),
        expires: AsText(Moment::parse(BEGIN).unwrap().plus_seconds(3600)),
        text: "approval v1\nrepository infra-5f0c91ab\n".into(),
    }];
    decision
}

fn landing() -> Decision {
    let mut one = moved("refs/heads/main", Verdict::Accept, 0x40, &[b"infra/0.tf"]);
    one.uses = vec![AsText(Digest::of(b"statement")), AsText(Digest::of(b"lost"))];
    one.exempt = vec![ExemptRecord {
        rule: "owners".into(),
        who: "carol".into(),
        paths: vec!["infra/**".into()],
    }];
    decision("carol", Verdict::Accept, vec![one])
}

fn warned() -> Decision {
    let mut one = moved("refs/heads/dev", Verdict::Warn, 0x50, &[b"docs/a.md"]);
    one.ff = Some(false);
    one.findings = vec![finding("small-changes", "warn", "41 files changed")];
    let mut decision = decision("carol", Verdict::Warn, vec![one]);
    decision.actor.name = None;
    decision.actor.kind = ActorKind::Unlisted;
    decision.actor.login = "mallory\u{202e}".into();
    decision
}

fn policy() -> Policy {
    Policy {
        sha256: AsText(Digest::of(b"policy")),
        files: vec![PolicyFile::new("/etc/portcullis/policy.toml".into(), b"version = 1\n".into())],
        who: "alice".into(),
    }
}

fn applied(of: u64, name: &str) -> Record {
    Record::Outcome(Outcome {
        of,
        via: Via::PostReceive,
        refs: vec![RefOutcome {
            refname: name.into(),
            old: AsText(oid(1)),
            new: AsText(oid(0x40)),
            state: State::Applied,
            one_of: Vec::new(),
        }],
    })
}

fn fault() -> Refusal {
    Refusal {
        hook: Hook::PreReceive,
        actor: Some(person("alice")),
        of: None,
        refs: vec![Asking {
            refname: "refs/heads/main".into(),
            old: Text::from(&b"no oid\n"[..]),
            new: "also none".into(),
        }],
        reason: "the policy has 2 problems".into(),
        fault: true,
    }
}

fn drift() -> Drift {
    Drift {
        refname: "refs/heads/main".into(),
        logged: AsText(oid(0x40)),
        found: AsText(oid(0x66)),
        head: None,
        evidence: vec![Evidence { kind: "reflog".into(), text: "root: update-ref".into() }],
    }
}

fn asked() -> Asked {
    Asked {
        actor: person("bob"),
        refname: "refs/heads/main".into(),
        commit: AsText(oid(0x41)),
        verdict: Verdict::Refuse,
        dur_us: 900,
    }
}

#[test]
fn every_entry_has_its_row_oldest_first() {
    let ground = Ground::eventful();
    let answer = ground.log(&["show", "log"]).expect(0);
    assert_eq!(answer.numbers(), (0..=10).collect::<Vec<u64>>());
    let rows: Vec<&str> = answer.out.lines().collect();
    let expected = [
        " 0  2026-11-22T21:00:00Z  -           genesis      infra-5f0c91ab, sha1, 2 refs",
        " 2  2026-11-22T21:02:00Z  alice       refused      refs/heads/main 0101010..2020202, \
         2 commits  refused by infra-review",
        " 3  2026-11-22T21:03:00Z  bob         accepted     approve of 2020202 for \
         refs/heads/main",
        " 4  2026-11-22T21:04:00Z  -           applied      entry 3: refs/approvals/0/bob",
        " 5  2026-11-22T21:05:00Z  carol       accepted     refs/heads/main 0101010..4040404, \
         2 commits  exempt from owners",
        " 9  2026-11-22T21:09:00Z  -           drift        refs/heads/main: 4040404 by the log, \
         found 6666666",
        "10  2026-11-22T21:10:00Z  bob         asked        refs/heads/main: 4141414 would be \
         refused",
    ];
    for row in expected {
        assert!(rows.contains(&row), "no {row:?} in\n{}", answer.out);
    }
    assert!(answer.out.contains("fault: the policy has 2 problems"));
    assert!(answer.out.contains("0101010...5050505 (forced), 2 commits  warned by small-changes"));
    assert!(answer.err.is_empty());
}

#[test]
fn what_a_pusher_wrote_reaches_no_terminal_as_it_is() {
    let ground = Ground::eventful();
    for arguments in [&["show", "log"][..], &["show", "--full", "log"], &["show", "2", "7", "log"]]
    {
        let answer = ground.log(arguments).expect(0);
        let raw = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!answer.out.contains(raw), "{}", answer.out);
        assert!(answer.out.contains("\"mallory\\u{202e}\""), "{}", answer.out);
        if arguments.len() == 2 {
            continue;
        }
        assert!(answer.out.contains("\"ask\\x1b[2J\""), "{}", answer.out);
    }
    ground.log(&["show", "--full", "log"]).says("evil\\x1b[31m\\xff");
}

#[test]
fn an_entry_with_a_number_is_told_whole() {
    let ground = Ground::eventful();
    let refused = ground.log(&["show", "2", "log"]).expect(0);
    for told in [
        "entry 2: refused",
        "alice (person), through ssh as \"alice\" by ssh-auth-info, key SHA256:0123456789",
        "pre-receive, git 2.47.3, took 12 ms",
        "error      `infra-review` (approval, policy.toml:14)",
        "infra/0.tf and 19 more changed, 0 of 2 approvals",
        "and 13 more, see --full",
        &oid(0x20).hex(),
    ] {
        assert!(refused.out.contains(told), "no {told:?} in\n{}", refused.out);
    }
    assert!(!refused.out.contains("infra/19.tf"));
    ground.log(&["show", "--full", "2", "log"]).expect(0).says("infra/19.tf");
    ground
        .log(&["show", "5", "log"])
        .expect(0)
        .says("uses       approve by bob, entry 3")
        .says(&format!("{}, which no entry here holds", Digest::of(b"lost").hex()))
        .says("outcome    applied, entry 6")
        .says("exempt     from `owners` as carol, infra/**");
    ground.log(&["show", "7", "log"]).expect(0).says("outcome    not known so far");
    ground.log(&["show", "0", "log"]).expect(0).says(&format!("{} refs/tags/v1", oid(2).hex()));
    ground.log(&["show", "3", "log"]).expect(0).says("text       approval v1");
    ground.log(&["show", "9", "log"]).expect(0).says("reflog     root: update-ref");
    let missing = ground.log(&["show", "412", "log"]).expect(3).says("there is no entry 412");
    missing.says("has entries 0 to 10");
}

#[test]
fn json_is_the_lines_as_they_are_stored() {
    let ground = Ground::eventful();
    let stored = fs::read_to_string(ground.segment()).unwrap();
    assert_eq!(ground.log(&["show", "--json", "log"]).expect(0).out, stored);
    let last: String = stored.split_inclusive('\n').skip(9).collect();
    assert_eq!(ground.log(&["tail", "-n", "2", "--json", "log"]).expect(0).out, last);
    let second = stored.lines().nth(2).unwrap();
    assert_eq!(ground.log(&["show", "2", "--json", "log"]).expect(0).out.trim_end(), second);
    ground.log(&["show", "--json", "--full", "log"]).expect(2);
}

#[test]
fn filters_find_what_they_name() {
    let ground = Ground::eventful();
    let numbers = |filters: &[&str]| {
        let mut arguments = vec!["show"];
        arguments.extend(filters);
        arguments.push("log");
        ground.log(&arguments).expect(0).numbers()
    };
    assert_eq!(numbers(&["--verdict", "warned"]), [7]);
    assert_eq!(numbers(&["--by", "carol"]), [5]);
    assert_eq!(numbers(&["--rule", "infra-review"]), [2]);
    assert_eq!(numbers(&["--rule", "owners"]), [5]);
    assert_eq!(numbers(&["--path", "infra"]), [2, 5]);
    assert_eq!(numbers(&["--path", "infra/", "--by", "alice"]), [2]);
    assert!(numbers(&["--path", "infr"]).is_empty());
    assert_eq!(numbers(&["--ref", "dev"]), [7]);
    assert_eq!(numbers(&["--ref", "refs/heads/dev"]), [7]);
    assert_eq!(numbers(&["--since", "2026-11-22T21:09:00Z"]), [9, 10]);
    assert_eq!(numbers(&["--until", "2026-11-22T21:01:00Z"]), [0, 1]);
    assert_eq!(numbers(&["--since", "2026-11-22", "--until", "2026-11-22"]).len(), 11);
    assert!(numbers(&["--since", "2026-11-23"]).is_empty());
    assert_eq!(ground.log(&["tail", "-n1", "--by", "alice", "log"]).expect(0).numbers(), [8]);
    ground.log(&["show", "--since", "soon", "log"]).expect(2).says("\"soon\" is no time");
    ground.log(&["show", "3", "--by", "alice", "log"]).expect(2);
}

#[test]
fn the_newest_entries_are_the_tail() {
    let ground = Ground::eventful();
    assert_eq!(ground.log(&["tail", "-n", "3", "log"]).expect(0).numbers(), [8, 9, 10]);
    assert_eq!(ground.log(&["tail", "log"]).expect(0).numbers().len(), 10);
    assert!(ground.log(&["tail", "-n0", "log"]).expect(0).out.is_empty());
}

#[test]
fn a_log_is_named_by_its_repository_or_its_folder() {
    let ground = Ground::eventful();
    let repo = ground.repository();
    let clone = ground.folder.path().join("work");
    fs::create_dir(&clone).unwrap();
    fs::write(clone.join(".git"), "gitdir: ../infra.git\n").unwrap();
    fs::write(ground.folder.path().join("7"), "a file with a number for a name\n").unwrap();
    let direct = ground.log(&["show", "log"]).expect(0).out;
    for name in ["infra.git", "infra", "infra.git/portcullis/log", "work"] {
        assert_eq!(ground.log(&["show", name]).expect(0).out, direct, "{name}");
    }
    let mut here = ground.command(env!("CARGO_BIN_EXE_portcullis"));
    let here = here.args(["log", "show"]).current_dir(&repo).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&here.stdout), direct);
    // A number that is a path is a place, and this one is no repository.
    ground.log(&["show", "7"]).expect(3).says("is not a Git repository");
    let two = ground.log(&["tail", "-n1", "log", "infra.git"]).expect(0).out;
    assert!(two.starts_with("log:\n") && two.contains("\n\ninfra.git:\n"), "{two}");
}

#[test]
fn a_log_that_is_not_there_is_a_fault_with_a_hint() {
    let ground = Ground::new();
    ground.git(&["init", "-q", "--bare", "empty.git"]);
    for verb in ["show", "tail", "verify"] {
        let answer = ground.log(&[verb, "empty.git"]).expect(3);
        let answer = answer.says("there is no change log at ").says("hint: ");
        assert!(answer.says("portcullis install").out.is_empty());
        ground.log(&[verb, "nowhere"]).expect(3).says("nowhere").says("hint: ");
    }
    ground.log(&[]).expect(2);
    ground.log(&["who", "log"]).expect(2);
}

#[test]
fn a_whole_log_is_verified_with_its_head() {
    let ground = Ground::eventful();
    let head = ground.log.head();
    let answer = ground.log(&["verify", "log"]).expect(0);
    assert!(answer.out.starts_with(&format!("whole, 11 entries, head {}\n", head.hash)));
    let answer = answer.says("from 2026-11-22T21:00:00Z to 2026-11-22T21:10:00Z");
    assert!(answer.says("2 attachments checked").err.is_empty());
    let json = ground.log(&["verify", "--json", "log"]).expect(0).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["whole"], true);
    assert_eq!(json["logs"][0]["entries"], 11);
    assert_eq!(json["logs"][0]["head"], head.hash.hex());
    assert_eq!(json["logs"][0]["log"], "git.example.com/infra-5f0c91ab");
}

#[test]
fn a_changed_line_is_named_and_what_is_before_it_is_still_shown() {
    let ground = Ground::eventful();
    let stored = fs::read_to_string(ground.segment()).unwrap();
    fs::write(ground.segment(), stored.replacen("12345", "54321", 2)).unwrap();
    let answer = ground.log(&["verify", "log"]).expect(1);
    assert!(answer.out.starts_with("broken at entry 2\n  line 3, byte "), "{}", answer.out);
    let answer = answer.says("its hash is not that of its bytes");
    answer.says("what holds together: entries 0 to 1 before it");
    let json = ground.log(&["verify", "--json", "log"]).expect(1).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["whole"], &json["logs"][0]["broken"]["entry"]), (&false.into(), &2.into()));
    let shown = ground.log(&["show", "log"]).expect(1).says("the change log is broken at line 3");
    assert_eq!(shown.numbers(), [0, 1]);
    ground.log(&["show", "1", "log"]).expect(1).says("entry 1: policy");
    ground.log(&["show", "8", "log"]).expect(1).says("broken at line 3");
    // The end of the log stands, and can be looked at.
    assert_eq!(ground.log(&["tail", "-n1", "log"]).expect(0).numbers(), [10]);
}

#[test]
fn a_line_that_was_taken_out_is_missed() {
    let ground = Ground::eventful();
    let stored = fs::read_to_string(ground.segment()).unwrap();
    let fifth = stored.lines().nth(5).unwrap();
    fs::write(ground.segment(), stored.replace(&format!("{fifth}\n"), "")).unwrap();
    ground.log(&["verify", "log"]).expect(1).says("broken at entry 5").says("this is entry 6");
}

#[test]
fn an_attachment_that_was_changed_is_named() {
    let ground = Ground::eventful();
    let name = Digest::of(b"version = 1\n").hex();
    let file = ground.dir().join("att").join(&name);
    fs::write(&file, "version = 2\n").unwrap();
    ground.log(&["verify", "log"]).expect(1).says("broken at entry 1").says(&name);
    fs::remove_file(&file).unwrap();
    ground.log(&["verify", "log"]).expect(1).says("is missing");
}

#[test]
fn an_append_that_has_not_ended_is_no_break() {
    let ground = Ground::eventful();
    let mut file = fs::OpenOptions::new().append(true).open(ground.segment()).unwrap();
    file.write_all(b"{\"v\":1,\"log\":\"git.exa").unwrap();
    ground.log(&["verify", "log"]).expect(0).says("has not ended");
    assert_eq!(ground.log(&["show", "log"]).expect(0).numbers().len(), 11);
    assert_eq!(ground.log(&["tail", "-n1", "log"]).expect(0).numbers(), [10]);
}

#[test]
fn several_logs_are_verified_and_one_broken_is_a_no() {
    let ground = Ground::eventful();
    ground.repository();
    fs::write(ground.segment(), "no log\n").unwrap();
    let answer = ground.log(&["verify", "infra.git", "log"]).expect(1);
    answer.says("infra.git: whole, 11 entries").says("log: broken at entry 0");
}

/// Runs the program on a terminal of its own, by script(1). `None` where there is no such program.
fn on_a_terminal(ground: &Ground, pager: &str, arguments: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_portcullis");
    let mut command = ground.command("script");
    command.args(["-qec", &format!("'{program}' log {arguments}"), "/dev/null"]);
    let output = command.env("TERM", "xterm").env("GIT_PAGER", pager).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

#[test]
fn a_terminal_gets_a_pager_and_colours() {
    let ground = Ground::eventful();
    let Some(paged) = on_a_terminal(&ground, "sed 's/^/> /'", "show log") else {
        // No script(1) here, so nothing to hold a terminal.
        return;
    };
    assert!(paged.lines().all(|line| line.starts_with("> ")), "{paged}");
    assert_eq!(paged.lines().count(), 12, "{paged}");
    assert!(paged.contains("\u{1b}[31mrefused    \u{1b}[0m"), "{paged}");
    let plain = on_a_terminal(&ground, "cat", "show log").unwrap();
    assert_eq!(plain, paged.replace("> ", ""));
    // Whoever has read enough closes the pager before the end.
    let first = on_a_terminal(&ground, "head -n1", "show log").unwrap();
    assert!(first.contains("genesis") && !first.contains("error"), "{first}");
    let stored = on_a_terminal(&ground, "sed 's/^/> /'", "show --json log").unwrap();
    assert_eq!(stored, fs::read_to_string(ground.segment()).unwrap());
}

#[test]
fn nothing_is_written_by_looking() {
    let ground = Ground::eventful();
    let before = list(&ground.dir());
    for arguments in
        [&["show", "log"][..], &["show", "3", "log"], &["tail", "log"], &["verify", "log"]]
    {
        ground.log(arguments).expect(0);
    }
    assert_eq!(list(&ground.dir()), before);
}

fn list(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The commands of a kind in the page for auditors, in their order.
fn commands_of_the_page(kind: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/log.md");
    let page = fs::read_to_string(page).unwrap();
    let opening = format!("\n```{kind}\n");
    let blocks = page.split(&opening).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let ours = |block: &&str| block.contains("portcullis ") || block.contains("cargo ");
    blocks.filter(|block| !ours(block)).map(String::from).collect()
}

/// What checks everything: `config/audit/verify.py`. `tests/audit` has more about it.
fn whole_check() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/audit/verify.py");
    fs::read_to_string(file).unwrap()
}

/// Runs a command of the page in the log's folder, as an auditor would.
fn audited(ground: &Ground, program: &str, text: &str) -> Answer {
    let file = ground.folder.path().join("command");
    fs::write(&file, text).unwrap();
    let mut command = ground.command(program);
    command.arg(&file).arg(".").current_dir(ground.dir());
    if let Some(home) = std::env::var_os("HOME") {
        // Some machines keep their Python below the home folder.
        command.env("HOME", home);
    }
    let output = command.output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn an_auditor_needs_nothing_of_ours() {
    let ground = Ground::eventful();
    let (shell, python) = (commands_of_the_page("sh"), commands_of_the_page("python"));
    // The others are about following and checkpoints: `tests/it` runs them.
    assert_eq!((shell.len(), python.len()), (3, 3));
    let head = ground.log.head().hash;
    let told = audited(&ground, "sh", &shell[0]).expect(0);
    assert_eq!(told.out, format!("11 entries, head {head}\n"));
    audited(&ground, "sh", &shell[1]).expect(0);
    let told = audited(&ground, "python3", &whole_check()).expect(0);
    let origin = "git.example.com/infra-5f0c91ab";
    assert!(told.out.starts_with(&format!("whole, 11 entries of {origin}, head {head}\n")));
    let refs = audited(&ground, "python3", &python[0]).expect(0).out;
    let (main, approval) = (oid(0x66), oid(0x40));
    let tag = oid(2);
    assert_eq!(
        refs,
        format!(
            "{}\trefs/approvals/0/bob\n{}\trefs/heads/main\n{}\trefs/tags/v1\n",
            approval.hex(),
            main.hex(),
            tag.hex()
        )
    );
    let used = audited(&ground, "python3", &python[1]).expect(0);
    used.says(&format!("5  refs/heads/main  {}  approve by bob, entry 3", oid(0x40).hex()));
}

#[test]
fn an_auditor_finds_what_was_changed() {
    let python = &whole_check();
    let shell = commands_of_the_page("sh");
    let stored = |ground: &Ground| fs::read_to_string(ground.segment()).unwrap();
    let changed = Ground::eventful();
    fs::write(changed.segment(), stored(&changed).replacen("12345", "54321", 2)).unwrap();
    audited(&changed, "sh", &shell[0]).expect(1).says("line 3: its hash is another");
    audited(&changed, "python3", python).expect(1).says("broken at entry 2, line 3");
    let less = Ground::eventful();
    let fifth = stored(&less).lines().nth(5).unwrap().to_owned();
    fs::write(less.segment(), stored(&less).replace(&format!("{fifth}\n"), "")).unwrap();
    audited(&less, "sh", &shell[0]).expect(1).says("line 6: it continues another line");
    audited(&less, "python3", python).expect(1).says("broken at entry 5, line 6");
    let attached = Ground::eventful();
    let name = Digest::of(b"version = 1\n").hex();
    fs::write(attached.dir().join("att").join(&name), "version = 2\n").unwrap();
    audited(&attached, "sh", &shell[1]).expect(1).says(&name);
    audited(&attached, "python3", python).expect(1).says(&name);
}

#[test]
fn an_auditor_and_the_program_agree_on_declared_damage() {
    let python = &whole_check();
    let mut ground = Ground::eventful();
    let append = |ground: &Ground, bytes: &[u8]| {
        let mut file = fs::OpenOptions::new().append(true).open(ground.segment()).unwrap();
        file.write_all(bytes).unwrap();
    };
    append(&ground, b"{\"v\":1,\"log\":\"git.exa");
    audited(&ground, "python3", python).expect(0).says("that has not ended");
    ground.add(Record::Asked(asked()));
    audited(&ground, "python3", python).expect(0).says("whole, 13 entries");
    ground.log(&["verify", "log"]).expect(0).says("whole, 13 entries").says("damage in 1 place,");
    ground.log(&["show", "11", "log"]).expect(0).says("a writer was stopped in the middle");
    // A whole line whose line feed is missing counts.
    let stored = fs::read(ground.segment()).unwrap();
    fs::write(ground.segment(), &stored[..stored.len() - 1]).unwrap();
    ground.log = Log::open(&ground.dir()).unwrap();
    ground.add(Record::Asked(asked()));
    audited(&ground, "python3", python).expect(0).says("whole, 15 entries");
    ground.log(&["verify", "log"]).expect(0).says("whole, 15 entries");
    append(&ground, b"no entry\n");
    audited(&ground, "python3", python).expect(1).says("no entry after it declares it");
    ground.log(&["verify", "log"]).expect(1).says("broken at entry 15");
}

#[test]
fn the_page_for_auditors_names_every_key() {
    let ground = Ground::eventful();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/log.md");
    let page = fs::read_to_string(page).unwrap();
    let mut values: Vec<Value> = fs::read_to_string(ground.segment())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut keys = std::collections::BTreeSet::new();
    while let Some(value) = values.pop() {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    keys.insert(key);
                    values.push(inner);
                }
            }
            Value::Array(list) => values.extend(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    for key in keys {
        let named = page.contains(&format!("`{key}`")) || page.contains(&format!("\"{key}\""));
        assert!(named, "docs/log.md does not say what `{key}` is");
    }
}

#[test]
fn real_pushes_are_told() {
    let ground = Ground::new();
    let policy = "version = 1\n[people.alice]\nlogins = [\"alice\"]\n\
                  [identity]\nlocal = \"WHO\"\n\
                  [rule.merges-only]\nkind = \"merge\"\nrefs = [\"main\"]\n";
    fs::write(ground.folder.path().join("policy.toml"), policy).unwrap();
    ground.git(&["init", "-q", "--bare", "-b", "main", "real.git"]);
    let mut install = ground.command(env!("CARGO_BIN_EXE_portcullis"));
    let install = install.args(["install", "--policy", "policy.toml", "real.git"]).output();
    assert!(install.unwrap().status.success());
    ground.git(&["init", "-q", "-b", "main", "work"]);
    let commit = |text: &str| {
        fs::write(ground.folder.path().join("work/file"), text).unwrap();
        ground.git(&["-C", "work", "add", "file"]);
        let who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"];
        ground.git(&[&["-C", "work"], &who[..], &["commit", "-qm", text]].concat());
    };
    let push = |to: &str| {
        let mut git = ground.command("git");
        let git = git.env("WHO", "alice").args(["-C", "work", "push", "-q", "../real.git", to]);
        git.stderr(Stdio::null()).status().unwrap().success()
    };
    commit("first");
    assert!(push("HEAD:refs/heads/main"));
    commit("second");
    assert!(push("HEAD:refs/heads/topic"));
    assert!(!push("HEAD:refs/heads/main"));
    let refused = ground.log(&["show", "--verdict", "refused", "real.git"]).expect(0);
    let [number] = refused.numbers()[..] else { panic!("{refused:?}") };
    assert!(refused.out.contains("  alice  "), "{refused:?}");
    assert!(refused.out.contains("1 commit  refused by merges-only"), "{refused:?}");
    let told = ground.log(&["show", &number.to_string(), "real.git"]).expect(0);
    told.says("`merges-only` (merge, policy.toml:").says("paths      file");
    let shown = ground.log(&["show", "--ref", "topic", "real.git"]).expect(0);
    shown.says("accepted     refs/heads/topic ").says("applied      entry ");
    ground.log(&["verify", "real.git"]).expect(0).says("whole, ");
    let mut audit = ground.command("python3");
    audit.current_dir(ground.folder.path().join("real.git/portcullis/log"));
    audit.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    let script = &commands_of_the_page("python")[0];
    let refs = audit.args(["-c", script, "."]).output().unwrap().stdout;
    let mut ask = ground.command("git");
    let real = ask.args(["-C", "real.git", "for-each-ref", "--format=%(objectname)%09%(refname)"]);
    assert_eq!(refs, real.output().unwrap().stdout);
}
