//! The tree of a log, and the seals that stand in it, in one walk from the first entry, or from
//! where an earlier walk ended.
//!
//! Used by whoever signs or proves. The leaves are the entries' lines as they are stored, without
//! the line feed: the same bytes that the chain hashes.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use crate::log::disk::{Folder, io_fault};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::glance::Glance;
use crate::log::index::scan_fault;
use crate::log::line::read;
use crate::log::scan::{Found, Position, Scanner};
use crate::log::seal::{Seal, SealError};
use crate::log::summary::{self, Line};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::key::VerifierKey;
use crate::tlog::tree::{Frontier, Whole, leaf_hash};

/// What a walk has found.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What the log says it is now.
    pub checkpoint: Checkpoint,
    /// Its seals, oldest first, each with its entry and what is wrong with it.
    pub seals: Vec<Sealed>,
    /// The roots it had at the sizes that were asked for, where it has been that long.
    pub roots: BTreeMap<u64, Digest>,
    /// The key that the last seal names.
    pub next: Option<VerifierKey>,
    /// Right before the last entry.
    pub last: Position,
    /// Right before the last seal.
    pub last_seal: Option<Position>,
    /// When the last seal was written.
    pub sealed_at: Option<Moment>,
}

/// Where a walk begins, with all that it needs to know of what was before.
#[derive(Clone, Debug)]
pub struct Start {
    /// Behind the last entry that was walked.
    pub position: Position,
    /// The tree of what was walked.
    pub tree: Frontier,
    /// The log's name; empty before the first entry.
    pub origin: String,
    /// The key that the last seal names.
    pub next: Option<VerifierKey>,
    /// Right before the last entry.
    pub last: Position,
    /// Right before the last seal, and when that was written.
    pub last_seal: Option<(Position, Moment)>,
}

impl Start {
    /// The beginning of a log.
    pub fn of_log() -> Self {
        Self {
            position: Position::START,
            tree: Frontier::default(),
            origin: String::new(),
            next: None,
            last: Position::START,
            last_seal: None,
        }
    }
}

/// A seal in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The entry.
    pub entry: u64,
    /// What it says.
    pub seal: Seal,
    /// What is wrong with it.
    pub wrong: Option<SealError>,
}

impl Survey {
    /// Every key that the seals name, first to last, each once.
    pub fn keys(&self) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = Vec::new();
        for sealed in &self.seals {
            let named = [&sealed.seal.key, &sealed.seal.next];
            for key in named.into_iter().filter_map(|text| VerifierKey::parse(text).ok()) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }
}

/// Walks through a log. `sizes`: at which lengths its root is asked for. `leaf` is told each
/// entry's line and its hash in the tree; of an entry that was taken away the hash alone.
///
/// # Errors
/// When the log cannot be read or does not hold together.
pub fn survey(
    dir: &Path,
    sizes: &[u64],
    leaf: &mut dyn FnMut(Option<&[u8]>, Digest),
) -> Result<Survey, LogError> {
    survey_from(dir, Start::of_log(), sizes, leaf)
}

/// As `survey`, from where an earlier walk ended: of the seals only those behind it are told.
pub fn survey_from(
    dir: &Path,
    start: Start,
    sizes: &[u64],
    leaf: &mut dyn FnMut(Option<&[u8]>, Digest),
) -> Result<Survey, LogError> {
    let folder = Folder::existing(dir)?;
    let tape = folder.tape()?;
    let fault = |source| io_fault("read", &folder.segment(), source);
    let (position, mut walk) = Walk::from(start, sizes);
    let position = match position {
        Position::START => {
            summary::walk(&folder, &tape, &mut |number, line| {
                let hash = match line {
                    Line::Kept(found) => {
                        let Found { entry, line, offset } = *found;
                        let head = Head { size: number, hash: entry.prev };
                        walk.see(Glance::from(entry), Position { offset, head });
                        leaf_hash(&line)
                    }
                    Line::Gone(hash) => hash,
                    Line::Last(_) => return Ok(()),
                };
                leaf(None, hash);
                walk.push(hash);
                Ok(())
            })?;
            Position::start_of(&tape).map_err(fault)?
        }
        later => later,
    };
    let mut scanner = Scanner::from(&tape, position, named(&walk.origin)).map_err(fault)?;
    loop {
        let before = scanner.position().clone();
        let found = scanner.next_glance().map_err(|it| scan_fault(&folder, it))?;
        let Some(found) = found else { break };
        walk.see(found.entry, before);
        let hash = leaf_hash(&found.line);
        leaf(Some(&found.line), hash);
        walk.push(hash);
    }
    walk.ended().ok_or_else(|| LogError::NoGenesis { dir: dir.to_owned() })
}

/// A walk under way.
struct Walk<'a> {
    sizes: &'a [u64],
    origin: String,
    next: Option<VerifierKey>,
    seals: Vec<Sealed>,
    roots: BTreeMap<u64, Digest>,
    last: Position,
    last_seal: Option<Position>,
    sealed_at: Option<Moment>,
    lately: Lately,
}

impl<'a> Walk<'a> {
    fn from(start: Start, sizes: &'a [u64]) -> (Position, Self) {
        let Start { position, tree, origin, next, last, last_seal } = start;
        let (last_seal, sealed_at) = last_seal.unzip();
        let lately = Lately { before: tree, leaves: VecDeque::new() };
        let (seals, roots) = (Vec::new(), BTreeMap::new());
        let mut walk =
            Self { sizes, origin, next, seals, roots, last, last_seal, sealed_at, lately };
        walk.root();
        (position, walk)
    }

    /// The next entry, and where it stands.
    fn see(&mut self, entry: Glance, before: Position) {
        let Glance { seq, log, times, record, .. } = entry;
        if self.origin.is_empty() {
            self.origin = log;
        }
        if let Some(Record::Seal(seal)) = record {
            let root = self.lately.root_at(seal.size);
            let wrong = seal.follows(&self.origin, self.next.as_ref(), root.as_ref()).err();
            self.next = VerifierKey::parse(&seal.next).ok();
            self.seals.push(Sealed { entry: seq, seal, wrong });
            (self.last_seal, self.sealed_at) = (Some(before.clone()), Some(times.ts));
        }
        self.last = before;
    }

    /// The hash of it in the tree.
    fn push(&mut self, hash: Digest) {
        self.lately.push(hash);
        self.root();
    }

    fn root(&mut self) {
        let size = self.lately.size();
        if self.sizes.contains(&size) {
            self.roots.insert(size, self.lately.root());
        }
    }

    /// What was found. `None` where there was no entry.
    fn ended(self) -> Option<Survey> {
        let (size, root) = (self.lately.size(), self.lately.root());
        let Self { origin, next, seals, roots, last, last_seal, sealed_at, .. } = self;
        let checkpoint = Checkpoint { origin, size, root };
        (size > 0).then_some(Survey { checkpoint, seals, roots, next, last, last_seal, sealed_at })
    }
}

/// The one entry at a position, and the position behind it. `None` when there is none that fits.
pub fn entry_at(folder: &Folder, position: Position, origin: &str) -> Option<(Found, Position)> {
    let tape = folder.tape().ok()?;
    if position.offset < tape.begin() {
        let offset = position.offset;
        let line = tape.read_line(offset).ok()?;
        let entry = read(&line).ok()?;
        let is_it = entry.common.seq == position.head.size && entry.prev == position.head.hash;
        let after = Position {
            offset: offset + line.len() as u64 + 1,
            head: Head { size: position.head.size + 1, hash: entry.hash },
        };
        return is_it.then_some((Found { entry, line, offset }, after));
    }
    let mut scanner = Scanner::from(&tape, position, named(origin)).ok()?;
    let found = scanner.next_entry().ok()??;
    Some((found, scanner.position().clone()))
}

fn named(origin: &str) -> Option<String> {
    (!origin.is_empty()).then(|| origin.to_owned())
}

/// How many entries may come between what a seal covers and the seal itself, because pushes were
/// judged while it was made.
const SEAL_DISTANCE_MAX: usize = 4096;

/// The tree as it was a while ago, and the leaves since: enough to tell its root at any size
/// shortly before now, which is what a seal names.
struct Lately {
    before: Frontier,
    leaves: VecDeque<Digest>,
}

impl Lately {
    fn push(&mut self, leaf: Digest) {
        self.leaves.push_back(leaf);
        if self.leaves.len() > SEAL_DISTANCE_MAX
            && let Some(oldest) = self.leaves.pop_front()
        {
            self.before.push(oldest, &mut |_, _, _| {});
        }
    }

    fn size(&self) -> u64 {
        self.before.size() + self.leaves.len() as u64
    }

    fn root(&self) -> Digest {
        self.root_of(self.leaves.len())
    }

    fn root_at(&self, size: u64) -> Option<Digest> {
        let more = usize::try_from(size.checked_sub(self.before.size())?).ok()?;
        (more <= self.leaves.len()).then(|| self.root_of(more))
    }

    /// The root with so many of the leaves.
    fn root_of(&self, leaves: usize) -> Digest {
        let mut tree = self.before.clone();
        self.leaves.iter().take(leaves).for_each(|leaf| tree.push(*leaf, &mut |_, _, _| {}));
        tree.root()
    }
}

/// The whole tree of a log, for proofs: 64 bytes an entry.
pub fn tree(dir: &Path) -> Result<(Survey, Whole), LogError> {
    let mut whole = Whole::default();
    let survey = survey(dir, &[], &mut |_, hash| whole.push(hash))?;
    Ok((survey, whole))
}
