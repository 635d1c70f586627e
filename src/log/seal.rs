//! Seals: what came before, signed by a key that is thrown away afterwards.
//!
//! A chain of hashes shows that one line was changed; it does not show that the whole log was
//! written anew. A seal holds the root of everything before it, signed with the key of its epoch,
//! and names the key of the next: who steals the key of today cannot rewrite what a seal of
//! yesterday covers. (The ratchet of journald's forward secure sealing, for everybody to check.)
//!
//! The record, and what is wrong with one. Keys and files are `keeper`'s.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::log::wire::AsText;
use crate::names::digest::Digest;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::key::{KeyError, VerifierKey};
use crate::tlog::note::{Note, NoteError, Signed};

/// What the fourth line of a seal's note begins with.
const NEXT: &str = "next ";

/// `seal`: all that came before, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// How many entries it covers, from the first on.
    pub size: u64,
    /// The root of their tree (RFC 6962).
    pub root: AsText<Digest>,
    /// The SHA-256 of all refs of the repository, as `git ls-remote --refs` shows them.
    pub refs: AsText<Digest>,
    /// The key that signed, as C2SP signed-note writes it.
    pub key: String,
    /// The key that signs from here on.
    pub next: String,
    /// The checkpoint of `size` entries, signed by `key`; its fourth line names `next`.
    pub note: String,
}

impl SealError {
    /// Whether signing may go on after such a seal: nothing is wrong with it but that it began with
    /// a new key, because the one before was lost.
    pub const fn began_anew(&self) -> bool {
        match self {
            Self::OtherKey => true,
            Self::Root(_)
            | Self::Size(_)
            | Self::Fields
            | Self::Note(_)
            | Self::Key(_)
            | Self::Unsigned => false,
        }
    }
}

/// What is wrong with a seal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Its root is not that of the entries it covers.
    #[error("its root is not that of the {0} entries before it")]
    Root(u64),
    /// It covers entries that are not before it.
    #[error("it covers {0} entries, and fewer stand before it")]
    Size(u64),
    /// Its note says something else than its fields.
    #[error("its note says something else than its fields")]
    Fields,
    /// Its note cannot be read.
    #[error("its note cannot be read: {0}")]
    Note(#[from] NoteError),
    /// One of its keys cannot be read.
    #[error("one of its keys cannot be read: {0}")]
    Key(#[from] KeyError),
    /// Its key is not the one that the seal before it named.
    #[error("its key is not the one that the seal before it names")]
    OtherKey,
    /// Its key did not sign it.
    #[error("its key did not sign it")]
    Unsigned,
}

impl Seal {
    /// What is signed to seal a tree.
    pub fn message(checkpoint: &Checkpoint, next: &VerifierKey) -> String {
        format!("{}{NEXT}{next}\n", checkpoint.text())
    }

    /// The seal of a tree, with what `key` made of [`Seal::message`].
    pub fn new(
        checkpoint: &Checkpoint,
        refs: Digest,
        key: &VerifierKey,
        next: &VerifierKey,
        signature: &[u8; 64],
    ) -> Result<Self, NoteError> {
        let mut note = Note::new(&Self::message(checkpoint, next))?;
        note.add(key, signature.to_vec());
        Ok(Self {
            size: checkpoint.size,
            root: AsText(checkpoint.root),
            refs: AsText(refs),
            key: key.to_string(),
            next: next.to_string(),
            note: note.to_string(),
        })
    }

    /// Whether it is signed as it says. Its root, and whose word its key has, are looked at by
    /// [`Seal::follows`].
    fn is_signed(&self, origin: &str) -> Result<VerifierKey, SealError> {
        let (key, next) = (VerifierKey::parse(&self.key)?, VerifierKey::parse(&self.next)?);
        let note = Note::parse(self.note.as_bytes())?;
        let checkpoint =
            Checkpoint { origin: origin.to_owned(), size: self.size, root: self.root.0 };
        if note.text() != Self::message(&checkpoint, &next) {
            return Err(SealError::Fields);
        }
        match note.signed_by(&key) {
            Signed::Yes { .. } => Ok(next),
            Signed::No | Signed::Forged => Err(SealError::Unsigned),
        }
    }

    /// Checks it: that it is signed, that its key is the one that was `named` before (the first
    /// seal's is taken at its word), and that its root is that of the log, where it is known.
    /// Returns the key that it names.
    pub fn follows(
        &self,
        origin: &str,
        named: Option<&VerifierKey>,
        root: Option<&Digest>,
    ) -> Result<VerifierKey, SealError> {
        let next = self.is_signed(origin)?;
        match root {
            None => return Err(SealError::Size(self.size)),
            Some(root) if *root != self.root.0 => return Err(SealError::Root(self.size)),
            Some(_) => {}
        }
        // Last: this is all that is wrong with a seal that began with a new key.
        if named.is_some_and(|named| named.to_string() != self.key) {
            return Err(SealError::OtherKey);
        }
        Ok(next)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::{Seal, SealError};
    use crate::names::digest::Digest;
    use crate::tlog::checkpoint::Checkpoint;
    use crate::tlog::key::SignerKey;

    const ORIGIN: &str = "git.example/infra-5f0c91ab";

    fn key(n: u8) -> SignerKey {
        SignerKey::of_log(ORIGIN, &[n; 32]).unwrap()
    }

    fn sealed_by(key: &SignerKey, next: &SignerKey, root: Digest) -> Seal {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 7, root };
        let signature = key.sign(Seal::message(&checkpoint, &next.verifier()).as_bytes());
        Seal::new(&checkpoint, root, &key.verifier(), &next.verifier(), &signature).unwrap()
    }

    fn seal() -> (Seal, Digest) {
        let root = Digest::of(b"root");
        (sealed_by(&key(1), &key(2), root), root)
    }

    #[test]
    fn a_seal_holds_and_names_the_next_key() {
        let (seal, root) = seal();
        let next = seal.follows(ORIGIN, None, Some(&root));
        assert_eq!(next, Ok(key(2).verifier()));
        assert_eq!(seal.follows(ORIGIN, Some(&key(1).verifier()), Some(&root)), next);
    }

    #[test]
    fn nothing_of_a_seal_can_be_changed() {
        let (seal, root) = seal();
        let wrong = |change: &dyn Fn(&mut Seal)| {
            let mut changed = seal.clone();
            change(&mut changed);
            changed.follows(ORIGIN, Some(&key(1).verifier()), Some(&root)).unwrap_err()
        };
        assert_eq!(wrong(&|it| it.size = 8), SealError::Fields);
        assert_eq!(wrong(&|it| it.next = key(3).verifier().to_string()), SealError::Fields);
        assert_eq!(wrong(&|it| it.key = key(3).verifier().to_string()), SealError::Unsigned);
        assert_eq!(wrong(&|it| it.note = it.note.replace("7\n", "8\n")), SealError::Fields);
        let other = sealed_by(&key(3), &key(2), root);
        let named = key(1).verifier();
        assert_eq!(other.follows(ORIGIN, Some(&named), Some(&root)), Err(SealError::OtherKey));
        // With another root as well, the root is what is said: that nobody can have begun anew.
        let both = other.follows(ORIGIN, Some(&named), Some(&Digest::of(b"other")));
        assert_eq!(both, Err(SealError::Root(7)));
        let elsewhere = seal.follows(ORIGIN, Some(&named), Some(&Digest::of(b"other")));
        assert_eq!(elsewhere, Err(SealError::Root(7)));
        assert_eq!(seal.follows(ORIGIN, Some(&named), None), Err(SealError::Size(7)));
        assert_eq!(seal.follows("other", None, Some(&root)), Err(SealError::Fields));
    }
}
