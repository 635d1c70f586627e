//! Checkpoints: what a log says its tree is at a size (C2SP tlog-checkpoint).

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

use crate::names::digest::Digest;
use crate::tlog::key::SignerKey;
use crate::tlog::note::{Note, NoteError};

/// Why a note is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// Not even a note.
    #[error("it is no signed note: {0}")]
    Note(#[from] NoteError),
    /// Less than origin, size and root.
    #[error("it does not begin with an origin, a size and a root, a line each")]
    Lines,
    /// The size is no decimal number.
    #[error("its second line is no size")]
    Size,
    /// The root is no SHA-256 in base64.
    #[error("its third line is no root")]
    Root,
}

/// Origin, size and root of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries the tree has.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads the text of a note. Lines behind the third are left alone, as the format asks.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if origin.is_empty() {
            return Err(CheckpointError::Lines);
        }
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = digest(root).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads a signed checkpoint, nothing of it checked.
    pub fn of_note(bytes: &[u8]) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok((Self::parse(note.text())?, note))
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64(&self.root))
    }

    /// Signs it.
    pub fn sign(&self, key: &SignerKey) -> Result<Note, NoteError> {
        let mut note = Note::new(&self.text())?;
        note.sign(key);
        Ok(note)
    }
}

/// A number as the formats of C2SP write it: no sign, no leading zero.
pub fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// A digest in base64.
pub fn base64(digest: &Digest) -> String {
    Base64::encode_string(digest.as_bytes())
}

/// Reads a digest in base64.
pub fn digest(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = Base64::decode_vec(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::{Checkpoint, CheckpointError, decimal};

    /// The example of C2SP tlog-checkpoint.
    const TEXT: &str = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_is_read_and_written() {
        let read = Checkpoint::parse(TEXT).unwrap();
        assert_eq!((read.origin.as_str(), read.size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(read.text(), TEXT);
        assert_eq!(Checkpoint::parse(&format!("{TEXT}more\n")), Ok(read));
    }

    #[test]
    fn what_is_none_is_said_to_be_none() {
        let wrong = |from: &str, to: &str| Checkpoint::parse(&TEXT.replace(from, to)).unwrap_err();
        assert_eq!(wrong("20852163", "020852163"), CheckpointError::Size);
        assert_eq!(wrong("20852163", "+20852163"), CheckpointError::Size);
        assert_eq!(wrong("20852163", "99999999999999999999"), CheckpointError::Size);
        assert_eq!(wrong("CsUY", "Cs"), CheckpointError::Root);
        assert_eq!(wrong("CsUYapGGPo4d", ""), CheckpointError::Root);
        assert_eq!(Checkpoint::parse("a\n1\n"), Err(CheckpointError::Lines));
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal(""), None);
    }
}
