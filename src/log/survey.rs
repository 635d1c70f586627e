//! The tree of a log, and the seals that stand in it, in one walk from the first entry.
//!
//! Used by whoever signs or proves. The leaves are the entries' lines as they are stored, without
//! the line feed: the same bytes that the chain hashes.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use crate::log::disk::{Folder, io_fault};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::index::scan_fault;
use crate::log::scan::{Position, Scanner};
use crate::log::seal::{Seal, SealError};
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::key::VerifierKey;
use crate::tlog::tree::{Frontier, Whole, empty_root, leaf_hash};

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
/// entry's hash in the tree.
///
/// # Errors
/// When the log cannot be read or does not hold together.
pub fn survey(dir: &Path, sizes: &[u64], leaf: &mut dyn FnMut(Digest)) -> Result<Survey, LogError> {
    let folder = Folder::existing(dir)?;
    let tape = folder.tape()?;
    let fault = |source| io_fault("read", &folder.segment(), source);
    let mut scanner = Scanner::from(&tape, Position::START, None).map_err(fault)?;
    let (mut origin, mut next) = (String::new(), None);
    let (mut seals, mut roots) = (Vec::new(), BTreeMap::new());
    let mut lately = Lately::default();
    if sizes.contains(&0) {
        roots.insert(0, empty_root());
    }
    while let Some(found) = scanner.next_entry().map_err(|it| scan_fault(&folder, it))? {
        let common = &found.entry.common;
        if origin.is_empty() {
            origin.clone_from(&common.log);
        }
        if let Record::Seal(seal) = &found.entry.record {
            let wrong =
                match seal.follows(&origin, next.as_ref(), lately.root_at(seal.size).as_ref()) {
                    Ok(named) => {
                        next = Some(named);
                        None
                    }
                    Err(wrong) => {
                        next = VerifierKey::parse(&seal.next).ok();
                        Some(wrong)
                    }
                };
            seals.push(Sealed { entry: common.seq, seal: seal.clone(), wrong });
        }
        let hash = leaf_hash(&found.line);
        leaf(hash);
        lately.push(hash);
        if sizes.contains(&lately.size()) {
            roots.insert(lately.size(), lately.root());
        }
    }
    let (size, root) = (lately.size(), lately.root());
    if size == 0 {
        return Err(LogError::NoGenesis { dir: dir.to_owned() });
    }
    Ok(Survey { checkpoint: Checkpoint { origin, size, root }, seals, roots, next })
}

/// How many entries may come between what a seal covers and the seal itself, because pushes were
/// judged while it was made.
const SEAL_DISTANCE_MAX: usize = 4096;

/// The tree as it was a while ago, and the leaves since: enough to tell its root at any size
/// shortly before now, which is what a seal names.
#[derive(Default)]
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
    let survey = survey(dir, &[], &mut |hash| whole.push(hash))?;
    Ok((survey, whole))
}
