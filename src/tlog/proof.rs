//! Proof files: one entry is in a checkpointed tree, told without the log (C2SP tlog-proof).

use thiserror::Error;

use crate::names::digest::Digest;
use crate::tlog::checkpoint::{Checkpoint, CheckpointError, base64, decimal, digest};
use crate::tlog::note::Note;
use crate::tlog::tree::includes;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// How many hashes a path may have: a tree of 2^64 leaves needs no more.
pub const PATH_MAX: usize = 64;

/// Why a text is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// Not this format.
    #[error("it does not begin with the line {HEADER}")]
    Header,
    /// No index.
    #[error("it has no line `index N`")]
    Index,
    /// A line that is no hash, or too many of them.
    #[error("it has a line that is no hash, or more than {PATH_MAX}")]
    Path,
    /// What follows is no checkpoint.
    #[error("its checkpoint cannot be read: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// That an entry is in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry's number, from 0.
    pub index: u64,
    /// From the entry's sibling up to the root's child.
    pub path: Vec<Digest>,
    /// The tree.
    pub checkpoint: Checkpoint,
    /// The tree, signed.
    pub note: Note,
}

impl Proof {
    /// Reads a proof, nothing of it checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Header)?;
        let (head, note) = text.split_once("\n\n").ok_or(ProofError::Path)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Header);
        }
        let mut next = lines.next().ok_or(ProofError::Index)?;
        if next.starts_with("extra ") {
            next = lines.next().ok_or(ProofError::Index)?;
        }
        let index = next.strip_prefix("index ").and_then(decimal).ok_or(ProofError::Index)?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == PATH_MAX {
                return Err(ProofError::Path);
            }
            path.push(digest(line).ok_or(ProofError::Path)?);
        }
        let (checkpoint, note) = Checkpoint::of_note(note.as_bytes())?;
        Ok(Self { index, path, checkpoint, note })
    }

    /// Whether it proves that the entry with this leaf hash is in the tree. Who signed the tree is
    /// another question.
    pub fn proves(&self, leaf: &Digest) -> bool {
        let Checkpoint { size, root, .. } = &self.checkpoint;
        includes(root, *size, self.index, leaf, &self.path)
    }
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Proof, ProofError};
    use crate::tlog::checkpoint::Checkpoint;
    use crate::tlog::key::SignerKey;
    use crate::tlog::tree::{Whole, inclusion, leaf_hash};

    fn proof(index: u64, size: u64) -> Proof {
        let mut tree = Whole::default();
        (0..size).for_each(|n| tree.push(leaf_hash(&n.to_be_bytes())));
        let checkpoint = Checkpoint { origin: "a.example/log".to_owned(), size, root: tree.root() };
        let note = checkpoint.sign(&SignerKey::of_log("a.example/log", &[7; 32]).unwrap()).unwrap();
        Proof { index, path: inclusion(&tree, index, size).unwrap(), checkpoint, note }
    }

    #[test]
    fn what_was_written_is_read_and_proves() {
        for (index, size) in [(0, 1), (5, 11), (10, 11), (255, 256)] {
            let written = proof(index, size);
            let read = Proof::parse(written.to_string().as_bytes()).unwrap();
            assert_eq!(read, written);
            assert!(read.proves(&leaf_hash(&index.to_be_bytes())));
            assert!(!read.proves(&leaf_hash(b"another")));
        }
        let lines = proof(5, 11).to_string();
        assert!(lines.starts_with("c2sp.org/tlog-proof@v1\nindex 5\n"));
        let extra = lines.replace("\nindex", "\nextra AAAA\nindex");
        assert_eq!(Proof::parse(extra.as_bytes()), Ok(proof(5, 11)));
    }

    #[test]
    fn what_is_no_proof_is_said_to_be_none() {
        let wrong = |from: &str, to: &str| {
            Proof::parse(proof(5, 11).to_string().replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert_eq!(wrong("@v1", "@v2"), ProofError::Header);
        assert_eq!(wrong("index 5", "index 05"), ProofError::Index);
        assert_eq!(wrong("index 5\n", "index 5\nshort\n"), ProofError::Path);
        assert!(matches!(wrong("\n11\n", "\neleven\n"), ProofError::Checkpoint(_)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
            let _ = Proof::parse(&bytes);
        }
    }
}
