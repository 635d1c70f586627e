//! Logs to look at: written by the log room itself, in folders that vanish.

use std::fs;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use portcullis::log::book::Log;
use portcullis::log::decision::{
    Actor, ActorKind, Decision, Hook, Paths, PolicyRef, RefDecision, UpdateKind, Verdict,
};
use portcullis::log::disk::{Disk, FIRST_SEGMENT, Medium, Modes};
use portcullis::log::entry::{
    Drift, Genesis, GenesisRef, Outcome, Policy, PolicyFile, Record, RefOutcome, Session, State,
    Via,
};
use portcullis::log::file::{Appended, Ctx};
use portcullis::log::keeper;
use portcullis::log::signer::LostKey;
use portcullis::log::wire::{AsText, Listed, Text};
use portcullis::names::digest::Digest;
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::tlog::holder::KeyPlace;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A disk that nobody waits for.
#[derive(Debug)]
struct Quick;

impl Medium for Quick {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        Disk.append(file, bytes)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// A log in a folder that vanishes.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) seconds: i64,
}

impl Bench {
    /// A log with its genesis and nothing else.
    pub(crate) fn new() -> Self {
        Self::of("git.example.com/infra-5f0c91ab")
    }

    pub(crate) fn of(origin: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = GenesisRef { refname: "refs/heads/main".into(), oid: AsText(oid(1)) };
        let genesis = Genesis {
            repo: "infra-5f0c91ab".into(),
            path: "/srv/git/infra.git".into(),
            format: "sha1".into(),
            backend: "files".into(),
            policy: None,
            head: Some("refs/heads/main".into()),
            refs: Listed::of(vec![first]),
            previous: None,
        };
        let dir = folder.path().join("log");
        let made = Log::create_on(&Quick, &dir, origin, genesis, &ctx(0), Modes::PRIVATE);
        assert_eq!(made.unwrap().seq(), 0);
        Self { folder, seconds: 0 }
    }

    /// Genesis and four small entries, with an attachment of their own and letters of other scripts.
    pub(crate) fn small() -> Self {
        let mut bench = Self::new();
        let files = vec![PolicyFile::new("/etc/policy.toml".into(), b"version = 1\n".into())];
        let who = "\u{401}\u{436}\u{438}\u{43a} \"x\\".into();
        bench.add(Record::Policy(Policy { sha256: AsText(Digest::of(b"policy")), files, who }));
        bench.add(drift("refs/heads/main"));
        bench.add(drift("refs/heads/caf\u{e9}"));
        bench.add(applied(1, "refs/heads/main"));
        bench
    }

    /// Something of everything: long lists, a record that did not fit, damage of every kind, seals.
    pub(crate) fn eventful() -> Self {
        let mut bench = Self::small();
        bench.add(decision(1, 900));
        bench.add(decision(200, 90));
        bench.write_on(b"{\"v\":1,\"log\":\"git.exa\0\0\x07\xff");
        bench.add(drift("refs/heads/after-torn"));
        bench.write_on(b"\0\0\0\0\n\0\0 two lines of nothing\n");
        bench.add(drift("refs/heads/after-two-lines"));
        let mut bytes = bench.bytes();
        assert_eq!(bytes.pop(), Some(b'\n'));
        fs::write(bench.segment(), bytes).unwrap();
        bench.add(drift("refs/heads/after-unended"));
        bench.seal();
        let lines = bench.lines();
        let last: usize = lines.last().unwrap().len();
        let all: usize = lines.iter().map(Vec::len).sum();
        fs::write(bench.dir().join("suspect"), format!("{} {last}\n", all - last)).unwrap();
        bench.add(drift("refs/heads/after-doubt"));
        bench.seconds -= 1000;
        bench.add(drift("refs/heads/by-a-clock-set-back"));
        bench.seal();
        bench
    }

    pub(crate) fn add(&mut self, record: Record) {
        self.add_all(&[record]);
    }

    pub(crate) fn add_all(&mut self, records: &[Record]) {
        self.seconds += 1;
        let mut log = Log::open_on(Box::new(Quick), &self.dir()).unwrap();
        match log.append(records, &ctx(self.seconds), None).unwrap() {
            Appended::Written(_) => {}
            other @ (Appended::Moved(_) | Appended::Held) => panic!("not written: {other:?}"),
        }
    }

    /// As `add`, on a machine that was started again.
    pub(crate) fn add_after_restart(&mut self, record: Record) {
        self.seconds += 1;
        let boot = "99999999-2222-3333-4444-555555555555".to_owned();
        let mut log = Log::open_on(Box::new(Quick), &self.dir()).unwrap();
        let done = log.append(&[record], &Ctx { boot, ..ctx(self.seconds) }, None).unwrap();
        assert!(matches!(done, Appended::Written(_)), "{done:?}");
    }

    pub(crate) fn seal(&mut self) {
        self.seal_with(LostKey::Refuse);
    }

    pub(crate) fn seal_with(&mut self, lost: LostKey) {
        self.seconds += 1;
        keeper::seal(
            &self.dir(),
            Digest::of(b"refs"),
            &KeyPlace::InTheLog,
            lost,
            &ctx(self.seconds),
        )
        .unwrap();
    }

    /// Signs a checkpoint, and keeps it elsewhere too. Returns that file.
    pub(crate) fn checkpoint(&self, name: &str) -> PathBuf {
        let note = keeper::checkpoint(&self.dir(), &KeyPlace::InTheLog, LostKey::Refuse).unwrap();
        let file = self.at(name);
        fs::write(&file, note.to_string()).unwrap();
        file
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.at("log")
    }

    pub(crate) fn segment(&self) -> PathBuf {
        self.dir().join(FIRST_SEGMENT)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.segment()).unwrap()
    }

    /// Its lines, each with its line feed.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        self.bytes().split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect()
    }

    pub(crate) fn put(&self, lines: &[Vec<u8>]) {
        fs::write(self.segment(), lines.concat()).unwrap();
    }

    fn write_on(&self, bytes: &[u8]) {
        fs::write(self.segment(), [self.bytes(), bytes.to_vec()].concat()).unwrap();
    }
}

/// Changes a line and makes its hash right again, as who owns the server can.
pub(crate) fn forged(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(line.to_vec()).unwrap();
    assert!(text.contains(from), "no {from} in {text}");
    hashed(&text.replacen(from, to, 1))
}

fn hashed(line: &str) -> Vec<u8> {
    let (body, _) = line.rsplit_once(",\"hash\":\"").unwrap();
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{body},\"hash\":\"{hash}\"}}\n").into_bytes()
}

/// Makes numbers and links right again from this line on.
pub(crate) fn relinked(lines: &mut [Vec<u8>], from: usize) {
    for at in from..lines.len() {
        let prev = match at.checked_sub(1) {
            Some(before) => String::from_utf8(lines[before].clone()).unwrap(),
            None => format!(",\"hash\":\"{}\"}}\n", "0".repeat(64)),
        };
        let prev = prev.rsplit_once(",\"hash\":\"").unwrap().1[..64].to_owned();
        let line = String::from_utf8(lines[at].clone()).unwrap();
        let (fields, _) = line.rsplit_once(",\"prev\":\"").unwrap();
        let (head, rest) = fields.split_once(",\"seq\":").unwrap();
        let (_, rest) = rest.split_once(',').unwrap();
        lines[at] = hashed(&format!("{head},\"seq\":{at},{rest},\"prev\":\"{prev}\",\"hash\":\""));
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

pub(crate) fn ctx(seconds: i64) -> Ctx {
    Ctx {
        moment: Moment::from_seconds(1_795_000_000 + seconds),
        boot: "4c1ff5be-0b5c-4c7f-8f0a-5d1a7b1f0a11".into(),
        mono_us: 1_000_000_000,
        host: "git1".into(),
        push: [7; 16],
        session: Session { pid: 4711, start: 99 },
    }
}

fn oid(n: u8) -> Oid {
    Oid::from_bytes(&[n; 20]).unwrap()
}

pub(crate) fn drift(name: &str) -> Record {
    let (logged, found) = (AsText(oid(1)), AsText(oid(2)));
    Record::Drift(Drift { refname: name.into(), logged, found, head: None, evidence: Vec::new() })
}

fn applied(of: u64, name: &str) -> Record {
    let (old, new, state) = (AsText(oid(1)), AsText(oid(2)), State::Applied);
    let one = RefOutcome { refname: name.into(), old, new, state, one_of: Vec::new() };
    Record::Outcome(Outcome { of, via: Via::PostReceive, refs: vec![one] })
}

/// A push of so many refs, each of which changes so many paths.
pub(crate) fn decision(refs: u8, paths: u16) -> Record {
    let one = |n: u8| RefDecision {
        refname: Text::from(format!("refs/heads/{}{n}", "a-long-name/".repeat(10))),
        target: None,
        old: AsText(oid(1)),
        new: AsText(oid(n.max(2))),
        claimed_old: None,
        kind: UpdateKind::Move,
        ff: Some(true),
        commits: 2,
        paths: Paths::of((0..paths).map(|n| format!("infra/{n}.tf").into()).collect()),
        brought: Listed::of(vec![AsText(oid(n.max(2)))]),
        verdict: Verdict::Accept,
        findings: Vec::new(),
        uses: Vec::new(),
        landed: Vec::new(),
        exempt: Vec::new(),
        rollback: Vec::new(),
        clean_merge: Vec::new(),
        gittuf: None,
    };
    Record::Decision(Box::new(Decision {
        repo: "infra-5f0c91ab".into(),
        actor: Actor {
            name: None,
            kind: ActorKind::Person,
            door: "ssh".into(),
            source: "ssh-auth-info".into(),
            login: "alice".into(),
            key: None,
        },
        hook: Hook::PreReceive,
        git: None,
        opts: Vec::new(),
        cert: None,
        policy: PolicyRef { sha256: AsText(Digest::of(b"policy")) },
        judged_at: 2,
        refs: (0..refs).map(one).collect(),
        statements: Vec::new(),
        verdict: Verdict::Accept,
        dur_us: 12_345,
    }))
}
