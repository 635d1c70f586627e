//! The digests that OpenPGP signatures are over. Weak ones are no digests here.

use sha2::{Sha256, Sha384, Sha512};

/// A digest that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The one of this number (RFC 9580, section 9.5), else its name.
    pub(super) fn of(number: u8) -> Result<Self, String> {
        Err(match number {
            8 => return Ok(Self::Sha256),
            9 => return Ok(Self::Sha384),
            10 => return Ok(Self::Sha512),
            1 => "MD5".to_owned(),
            2 => "SHA-1".to_owned(),
            3 => "RIPEMD-160".to_owned(),
            11 => "SHA-224".to_owned(),
            12 | 14 => "SHA-3".to_owned(),
            other => format!("number {other}"),
        })
    }

    /// The digest of these parts, one behind the other.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        fn all<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut state = D::new();
            parts.iter().for_each(|part| state.update(part));
            state.finalize().to_vec()
        }
        match self {
            Self::Sha256 => all::<Sha256>(parts),
            Self::Sha384 => all::<Sha384>(parts),
            Self::Sha512 => all::<Sha512>(parts),
        }
    }
}
