//! A small server for tests of `gather`: a scratch repository, a past made of maps, a roster.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::facts::evidence::StatementPush;
use crate::facts::landing::Landing;
use crate::facts::limits::Limits;
use crate::facts::makers::Makers;
use crate::facts::past::{Brought, GenesisSeen, Maker};
use crate::facts::remembered::Remembered;
use crate::gather::landing::landing;
use crate::gather::reader::Reader;
use crate::gather::scene::{Asked, Scene, Sources};
use crate::names::moment::Moment;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::push::{Door, Push, Seen};
use crate::roster::Roster;
use crate::roster::read::Draft;
use crate::source::problem::Problems;
use crate::source::table::{Table, parse};
use crate::source::text::SourceText;
use crate::statement::fields::{ApprovalVerdict, Fields, RepositoryId, Saying};
use crate::statement::place::{ApprovalKey, Place};
use crate::statement::read::Statement;
use crate::store::objects::ObjectKind;
use crate::store::testing::{Scratch, oid};

/// When the log began, and when everything in these tests is judged.
const BEGAN: i64 = 1_000_000;
pub(super) const NOW: i64 = 2_000_000;

const REPOSITORY: &str = "infra-5f0c91ab";

pub(super) type Files<'f> = &'f [(&'f str, &'f str)];

/// A server with one commit on `main`, from before genesis.
pub(super) struct Town {
    pub(super) scratch: Scratch,
    pub(super) past: Remembered,
    pub(super) base: Oid,
    roster: Roster,
    limits: Limits,
    carried: Vec<(Refname, StatementPush)>,
    clock: std::cell::Cell<u64>,
}

pub(super) fn name(text: &str) -> PrincipalName {
    PrincipalName::parse(text).unwrap()
}

pub(super) fn branch(text: &str) -> Refname {
    Refname::parse(format!("refs/heads/{text}").as_bytes()).unwrap()
}

/// The key of a reviewer: made here, never written anywhere.
pub(super) fn key(person: &str) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[person.as_bytes()[0]; 32]))
}

fn roster() -> Roster {
    let mut text = String::new();
    for person in ["alice", "bob", "carol"] {
        let key = key(person).public_key().to_openssh().unwrap();
        text.push_str(&format!(
            "[people.{person}]\nemails = [\"{person}@example.org\"]\nkeys = [\"{key}\"]\n"
        ));
    }
    text.push_str("[people.bot]\nmachine = true\n");
    let mut problems = Problems::new();
    let text = SourceText::read(0, "policy.toml", text.as_bytes(), 100_000).unwrap();
    let parsed = parse(&text, &mut problems).unwrap();
    let mut table = Table::new(&text, text.whole(), parsed.get_ref());
    let mut draft = Draft::default();
    draft.people(table.table("people", &mut problems).unwrap(), &mut problems);
    let roster = Roster::build(draft, &mut problems);
    assert!(problems.is_empty(), "{problems}");
    roster
}

impl Town {
    pub(super) fn new(format: ObjectFormat, files: Files<'_>) -> Self {
        let scratch = Scratch::new(format);
        let genesis = GenesisSeen {
            at: Moment::from_seconds(BEGAN),
            repository: REPOSITORY.to_owned(),
            head: Some(branch("main")),
            refs: Vec::new(),
        };
        let mut town = Self {
            scratch,
            past: Remembered::since(genesis.clone()),
            base: Oid::zero(format),
            roster: roster(),
            limits: Limits::default(),
            carried: Vec::new(),
            clock: std::cell::Cell::new(1_000),
        };
        town.base = town.commit("nobody", files, &[], "beginning");
        let refs = vec![(branch("main"), town.base)];
        town.past = Remembered::since(GenesisSeen { refs, ..genesis });
        town
    }

    /// A commit with exactly these files, authored and committed by a person; the message begins
    /// with its title.
    pub(super) fn commit(
        &self,
        person: &str,
        files: Files<'_>,
        parents: &[Oid],
        text: &str,
    ) -> Oid {
        let scratch = &self.scratch;
        let mut input = Vec::new();
        for (path, text) in files {
            let line = format!("100644 {} 0\t{path}\n", scratch.blob(text));
            input.extend_from_slice(line.as_bytes());
        }
        let _ = std::fs::remove_file(scratch.dir().join("index"));
        scratch.git_with(&["update-index", "--add", "--index-info"], &input);
        let tree = oid(&scratch.git(&["write-tree"]));
        let parents: String = parents.iter().map(|oid| format!("parent {oid}\n")).collect();
        self.clock.set(self.clock.get() + 1);
        let who = format!("{person} <{person}@example.org> {} +0000", self.clock.get());
        let raw = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{text}\n");
        scratch.write(ObjectKind::Commit, raw.as_bytes())
    }

    /// The log says that this person brought these commits.
    pub(super) fn brought(&mut self, person: &str, commits: &[Oid]) {
        for commit in commits {
            let by = Maker { name: Some(name(person)), login: Vec::new(), unknown: false };
            let brought =
                Brought::Applied { entry: 7, at: Moment::from_seconds(0), by, earlier: Vec::new() };
            self.past.brought.insert(*commit, brought);
        }
    }

    /// A topic: one commit on the base, made and brought by a person.
    pub(super) fn topic(&mut self, person: &str, files: Files<'_>) -> Oid {
        let tip = self.commit(person, files, &[self.base], "topic");
        self.brought(person, &[tip]);
        tip
    }

    /// This push carries a person's approval of `base..commit` for `main`.
    pub(super) fn approves(&mut self, person: &str, base: Oid, commit: Oid) {
        let store = self.scratch.store();
        let delta = Reader::new(&store, &self.limits).delta(Some(base), Some(commit)).unwrap();
        let fields = Fields {
            repository: RepositoryId::parse(REPOSITORY).unwrap(),
            refname: branch("main"),
            base,
            commit,
            delta: delta.digest(),
            person: name(person),
            date: Moment::from_seconds(NOW - 60),
            expires: Moment::from_seconds(NOW + 60),
            saying: Saying::Approval { verdict: ApprovalVerdict::Approve },
        };
        let text = fields.text();
        let signature = key(person).sign(fields.namespace(), HashAlg::Sha512, &text).unwrap();
        let whole = [text, signature.to_pem(LineEnding::LF).unwrap().into_bytes()].concat();
        let statement = Statement::parse(&whole).unwrap();
        let key = ApprovalKey::of(&branch("main"), &fields.delta);
        let place = Place::Approval { key, person: name(person) }.refname();
        let push = StatementPush {
            id: statement.id(),
            statement,
            enters: true,
            rejected: Vec::new(),
            replaces: None,
        };
        self.carried.push((place, push));
    }

    /// Does something with the scene of a push by this person.
    pub(super) fn scene<T>(&self, pusher: &str, act: impl FnOnce(&mut Scene<'_>) -> T) -> T {
        let store = self.scratch.store();
        let pusher = Pusher {
            who: Who::Listed { name: name(pusher), machine: false, shared: false },
            login: pusher.to_owned(),
            source: "test".to_owned(),
            door: "local",
            key: None,
        };
        let push = Push {
            // There is no quarantine: what the log does not know is fresh.
            door: Door::Update,
            pusher,
            updates: Vec::new(),
            options: Seen::NotHere,
            certificate: Seen::All(None),
            namespace: None,
            moment: Moment::from_seconds(NOW),
        };
        let sources = Sources {
            objects: &store,
            past: &self.past,
            roster: &self.roster,
            limits: &self.limits,
            repository: Some(REPOSITORY),
            checkers: &BTreeSet::new(),
        };
        let mut scene = Scene::new(&sources, &push, Some(branch("main")));
        scene.carried = self.carried.clone();
        act(&mut scene)
    }

    /// The landing of a commit on `main`, from the base.
    pub(super) fn land(&self, pusher: &str, end: Oid) -> Landing {
        self.land_from(pusher, Some(self.base), end)
    }

    /// The landing of a commit on `main`, from a start.
    pub(super) fn land_from(&self, pusher: &str, start: Option<Oid>, end: Oid) -> Landing {
        let reviewers = ["alice", "bob", "carol"].map(name).into_iter().collect();
        let asked = Asked { reviewers, ..Asked::default() };
        let mut used = BTreeSet::new();
        self.scene(pusher, |scene| {
            landing(scene, &branch("main"), start, end, &asked, &mut used).unwrap()
        })
    }
}

/// Everybody in a set of makers, in order.
pub(super) fn known(makers: &Makers) -> Vec<&str> {
    makers.known.keys().map(PrincipalName::as_str).collect()
}
