//! What a case says of the files that arrive: its lines `takes:` and `speaks:`, as facts.
//!
//! `takes:` is one change, its path with `+`, `~` or `-` in front and what is so about it behind
//! commas; `speaks:` the kind of secret in what a commit says. The words are in [`Took::word`].

use portcullis::facts::change::{FileMode, PathChange, Side};
use portcullis::facts::intake::{Blob, Clash, Inside, Intake, Said, Taken};
use portcullis::infra::set::InfraKinds;
use portcullis::names::digest::Digest;
use portcullis::names::oid::Oid;
use portcullis::names::path::RepoPath;
use portcullis::secret::kinds::KINDS;
use portcullis::secret::scan::Found;

use crate::made::oid;
use crate::written::bytes;

/// How much is looked into here, in bytes.
const BLOB_BYTES: u64 = 1000;

/// A commit that arrives, by its number.
fn commit(number: u32) -> Oid {
    oid(0xc0_0000 + number)
}

fn found(kind: &str, line: usize) -> Found {
    let kind = KINDS.iter().find(|known| known.name == kind);
    let kind = kind.unwrap_or_else(|| panic!("there is no such secret"));
    Found { kind, line, mark: Digest::of(kind.name.as_bytes()) }
}

/// One line, half read.
struct Took {
    taken: Taken,
    old: Blob,
    new: Blob,
    target: Option<Vec<u8>>,
    beside: Option<RepoPath>,
    infra: InfraKinds,
}

impl Took {
    fn new(sign: &str, path: &str, number: u32) -> Self {
        let side = |of| Some(Side { mode: FileMode::File, oid: oid(0xb10_0000 + 3 * number + of) });
        let change = PathChange {
            path: RepoPath::new(bytes(path)),
            old: side(0).filter(|_| sign != "+"),
            new: side(1).filter(|_| sign != "-"),
        };
        let blob = || Blob { size: 10, inside: Some(Inside::default()), unread: None };
        Self {
            taken: Taken { commit: commit(0), change, others: Vec::new() },
            old: blob(),
            new: blob(),
            target: None,
            beside: None,
            infra: InfraKinds::NONE,
        }
    }

    fn becomes(&mut self, mode: FileMode) {
        self.taken.change.new.as_mut().unwrap().mode = mode;
    }

    fn was(&mut self, mode: FileMode) {
        self.taken.change.old.as_mut().unwrap().mode = mode;
    }

    fn inside(&mut self) -> &mut Inside {
        self.new.inside.as_mut().unwrap()
    }

    /// Takes in one word of the line.
    fn word(&mut self, word: &str) {
        let (first, rest) = word.split_once(' ').unwrap_or((word, ""));
        match (first, rest) {
            ("in", number) => self.taken.commit = commit(number.parse().unwrap()),
            ("executable", "") => self.becomes(FileMode::Executable),
            ("submodule", "") => self.becomes(FileMode::Gitlink),
            ("leads", target) => {
                self.becomes(FileMode::Symlink);
                let target = target.strip_prefix("to").unwrap().trim_start();
                self.target = Some(bytes(target));
            }
            ("was", "executable") => self.was(FileMode::Executable),
            ("was", "link") => self.was(FileMode::Symlink),
            ("was", "submodule") => self.was(FileMode::Gitlink),
            ("same", "content") => {
                let change = &mut self.taken.change;
                change.new.as_mut().unwrap().oid = change.old.unwrap().oid;
            }
            ("bytes", count) => self.new.size = count.parse().unwrap(),
            ("binary", "") => self.inside().binary = true,
            ("pointer", "") => self.inside().lfs_pointer = true,
            ("generated", "") => self.inside().generated = true,
            ("public", "") => self.inside().public_pem = true,
            ("unread", "") => {
                self.new.inside = None;
                self.new.unread = Some(("blob-bytes", BLOB_BYTES));
            }
            ("holds", kind) => self.inside().secrets.push(found(kind, 3)),
            ("held", kind) => self.old.inside.as_mut().unwrap().secrets.push(found(kind, 9)),
            ("beside", other) => self.beside = Some(RepoPath::new(other)),
            ("moved", "") => {
                // What stood elsewhere, with what `held` says.
                let old = self.taken.change.old.take().unwrap();
                self.taken.others.push(old);
            }
            ("is", kind) => self.infra = InfraKinds::parse(&[kind]).unwrap(),
            _ => panic!("what is {word}?"),
        }
    }
}

/// What is taken in by these lines.
pub(crate) fn intake(takes: &[String], speaks: &[String]) -> Intake {
    let mut intake = Intake { base: Some(oid(1)), commits: 1, ..Intake::default() };
    for (number, line) in takes.iter().enumerate() {
        let mut words = line.split(", ");
        let (sign, path) = words.next().unwrap().split_at(1);
        let mut took = Took::new(sign, path, u32::try_from(number).unwrap());
        words.for_each(|word| took.word(word));
        let Took { taken, old, new, target, beside, infra } = took;
        intake.blobs.extend(taken.before().map(|side| (side.oid, old.clone())));
        intake.blobs.extend(taken.change.new.map(|side| (side.oid, new)));
        intake.links.extend(target.map(|target| (taken.change.new.unwrap().oid, target)));
        let (commit, path) = (taken.commit, taken.change.path.clone());
        intake.clashes.extend(beside.map(|other| Clash { commit, path: path.clone(), other }));
        intake.infra.push((path, infra));
        intake.commits = intake.commits.max(if commit == self::commit(0) { 1 } else { 2 });
        intake.taken.push(taken);
    }
    let said = speaks.iter().map(|kind| Said { object: commit(7), secrets: vec![found(kind, 2)] });
    intake.said = said.collect();
    intake
}
