//! A log to test with, and records made short.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::log::book::Log;
use crate::log::decision::{
    Actor, ActorKind, Decision, Hook, Paths, PolicyRef, RefDecision, StatementRecord, UpdateKind,
    Verdict,
};
use crate::log::disk::{Disk, Medium, Modes};
use crate::log::entry::{Genesis, GenesisRef, Outcome, Record, RefOutcome, Session, State, Via};
use crate::log::file::{Appended, Ctx, Receipt};
use crate::log::glass::{AskRecord, BreakGlass};
use crate::log::wire::{AsText, Listed, Text};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

pub(super) const ORIGIN: &str = "git.example.com/infra-5f0c91ab";
pub(super) const BOOT: &str = "11111111-2222-3333-4444-555555555555";

/// An oid that ends in this number.
pub(super) fn oid(number: u64) -> Oid {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[19] = u8::from(number != 0);
    Oid::from_bytes(&bytes).unwrap()
}

pub(super) fn zero() -> Oid {
    Oid::zero(ObjectFormat::Sha1)
}

pub(super) fn name(text: &str) -> Refname {
    Refname::parse(text.as_bytes()).unwrap()
}

pub(super) fn person(text: &str) -> PrincipalName {
    PrincipalName::parse(text).unwrap()
}

/// Such a moment after the log began.
pub(super) fn at(seconds: i64) -> Moment {
    Moment::from_seconds(1_795_000_000 + seconds)
}

/// A run by this receive-pack, at that second.
pub(super) fn ctx_of(pid: u64, seconds: i64) -> Ctx {
    Ctx {
        moment: at(seconds),
        boot: BOOT.to_owned(),
        mono_us: 1_000_000 * u64::try_from(seconds.max(0)).unwrap(),
        host: "git1".to_owned(),
        push: u128::from(pid).to_be_bytes(),
        session: Session { pid, start: 7 },
    }
}

pub(super) fn ctx(seconds: i64) -> Ctx {
    ctx_of(4711, seconds)
}

pub(super) fn genesis(refs: &[(&str, Oid)]) -> Genesis {
    let one =
        |(name, oid): &(&str, Oid)| GenesisRef { refname: Text::from(*name), oid: AsText(*oid) };
    Genesis {
        repo: "infra-5f0c91ab".to_owned(),
        path: Text::from("/srv/git/infra.git"),
        format: "sha1".to_owned(),
        backend: "files".to_owned(),
        policy: None,
        head: Some(Text::from("refs/heads/main")),
        refs: Listed::of(refs.iter().map(one).collect()),
        previous: None,
    }
}

/// A disk that nobody waits for, so that thousands of logs can be written.
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
pub(super) struct Bench {
    pub(super) dir: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(super) fn with(refs: &[(&str, Oid)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("log");
        let genesis = genesis(refs);
        let made = Log::create_on(&Quick, &dir, ORIGIN, genesis, &ctx(0), Modes::PRIVATE);
        assert_eq!(made.unwrap().seq(), 0);
        Self { dir, _folder: folder }
    }

    /// With `refs/heads/main` at `oid(1)`.
    pub(super) fn new() -> Self {
        Self::with(&[("refs/heads/main", oid(1))])
    }

    pub(super) fn open(&self) -> Log {
        Log::open_on(Box::new(Quick), &self.dir).unwrap()
    }

    pub(super) fn segment(&self) -> PathBuf {
        segment(&self.dir)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.segment()).unwrap()
    }
}

pub(super) fn segment(dir: &Path) -> PathBuf {
    dir.join("00000000000000000000.jsonl")
}

pub(super) fn actor(who: &str) -> Actor {
    Actor {
        name: Some(AsText(person(who))),
        kind: ActorKind::Person,
        door: "ssh".to_owned(),
        source: "ssh-auth-info".to_owned(),
        login: Text::from(who),
        key: None,
    }
}

/// An accepted move of a ref.
pub(super) fn moves(refname: &str, old: Oid, new: Oid) -> RefDecision {
    let kind = match (old.is_zero(), new.is_zero()) {
        (true, _) => UpdateKind::Create,
        (false, true) => UpdateKind::Delete,
        (false, false) => UpdateKind::Move,
    };
    RefDecision {
        refname: Text::from(refname),
        target: None,
        old: AsText(old),
        new: AsText(new),
        claimed_old: None,
        kind,
        ff: Some(true),
        commits: 1,
        paths: Paths::of(vec![Text::from("infra/main.tf")]),
        brought: Listed::of(if new.is_zero() { Vec::new() } else { vec![AsText(new)] }),
        verdict: Verdict::Accept,
        findings: Vec::new(),
        uses: Vec::new(),
        landed: Vec::new(),
        exempt: Vec::new(),
        rollback: Vec::new(),
        clean_merge: Vec::new(),
        gittuf: None,
    }
}

pub(super) fn decision_of(who: &str, refs: Vec<RefDecision>) -> Decision {
    Decision {
        repo: "infra-5f0c91ab".to_owned(),
        actor: actor(who),
        hook: Hook::PreReceive,
        git: Some("2.47.3".to_owned()),
        opts: Vec::new(),
        cert: None,
        policy: PolicyRef { sha256: AsText(Digest::of(b"policy")) },
        judged_at: 1,
        refs,
        statements: Vec::new(),
        verdict: Verdict::Accept,
        dur_us: 1200,
    }
}

pub(super) fn decides(who: &str, refs: Vec<RefDecision>) -> Record {
    Record::Decision(Box::new(decision_of(who, refs)))
}

pub(super) fn refuses(who: &str, refs: Vec<RefDecision>) -> Record {
    let mut decision = decision_of(who, refs);
    decision.verdict = Verdict::Refuse;
    for one in &mut decision.refs {
        one.verdict = Verdict::Refuse;
    }
    Record::Decision(Box::new(decision))
}

pub(super) fn outcome(of: u64, refname: &str, old: Oid, new: Oid, state: State) -> Record {
    let one = RefOutcome {
        refname: Text::from(refname),
        old: AsText(old),
        new: AsText(new),
        state,
        one_of: Vec::new(),
    };
    Record::Outcome(Outcome { of, via: Via::PostReceive, refs: vec![one] })
}

/// A statement by `who` about main, in its own place.
pub(super) fn statement(
    who: &str,
    verdict: &str,
    delta: u64,
    commit: Oid,
    seconds: i64,
) -> StatementRecord {
    let text = format!("approval by {who}, {verdict}, delta {delta}, at {seconds}");
    StatementRecord {
        place: Text::from(place(who, delta)),
        id: AsText(Digest::of(text.as_bytes())),
        kind: "approval".to_owned(),
        person: AsText(person(who)),
        check: None,
        verdict: verdict.to_owned(),
        for_ref: Text::from("refs/heads/main"),
        delta: AsText(digest(delta)),
        base: AsText(oid(1)),
        commit: AsText(commit),
        entries: match verdict {
            "reject" => Listed::of(vec![AsText(digest(delta)), AsText(digest(delta + 1000))]),
            _ => Listed::default(),
        },
        date: AsText(at(seconds)),
        expires: AsText(at(seconds + 1_000_000)),
        text: Text::from(text),
    }
}

pub(super) fn place(who: &str, delta: u64) -> String {
    format!("refs/approvals/{}/{who}", &digest(delta).hex()[..40])
}

pub(super) fn digest(number: u64) -> Digest {
    Digest::of(&number.to_be_bytes())
}

/// The push of one statement.
pub(super) fn pushes_statement(who: &str, statement: &StatementRecord) -> Record {
    let place = std::str::from_utf8(&statement.place.0).unwrap();
    let mut decision = decision_of(who, vec![moves(place, zero(), oid(900))]);
    decision.refs[0].brought = Listed::default();
    decision.statements.push(statement.clone());
    Record::Decision(Box::new(decision))
}

pub(super) fn append(log: &mut Log, record: Record, seconds: i64) -> Receipt {
    match log.append(&[record], &ctx(seconds), None).unwrap() {
        Appended::Written(receipt) => receipt,
        other @ (Appended::Moved(_) | Appended::Held) => panic!("not written: {other:?}"),
    }
}

/// Appends a decision and that it was applied; returns its number.
pub(super) fn applies(log: &mut Log, who: &str, one: RefDecision, seconds: i64) -> u64 {
    let (old, new) = (one.old.0, one.new.0);
    let refname = String::from_utf8(one.refname.0.clone()).unwrap();
    let of = append(log, decides(who, vec![one]), seconds).seq();
    let _ = append(log, outcome(of, &refname, old, new, State::Applied), seconds);
    of
}

/// A broken glass for a move of a ref, which owes one approval of Bob's.
pub(super) fn glass(refname: &str, old: Oid, new: Oid) -> BreakGlass {
    BreakGlass {
        of: None,
        actor: actor("alice"),
        reason: Text::from("INC-42: down"),
        refname: Text::from(refname),
        old: AsText(old),
        new: AsText(new),
        overridden: Vec::new(),
        base: AsText(old),
        commit: AsText(new),
        delta: AsText(digest(1)),
        landed: Vec::new(),
        paths: Paths::of(vec![Text::from("infra/a.tf")]),
        asks: vec![AskRecord {
            rule: "infra-review".to_owned(),
            approvals: 1,
            from: vec![AsText(person("bob"))],
        }],
        makers: vec![AsText(person("alice"))],
        unknown_maker: false,
        settle_by: AsText(at(100)),
    }
}
