//! Public keys: read from a line, named by a fingerprint, compared by their bytes.
//!
//! Made from policies, key files and signatures; `roster` looks people up by `KeyBytes`. A key that
//! could never verify a signature here is refused when it is read, not when somebody needs it.

use ssh_key::{Algorithm, HashAlg, PublicKey};
use thiserror::Error;

use crate::names::escape::escape_short;
use crate::ssh::armor::base64;
use crate::ssh::wire::Reader;

/// A public key as SSH writes it on the wire, without a comment: what the base64 of a key line
/// holds, and what `ssh_key::PublicKey::to_bytes` returns. Equal keys have equal bytes.
pub type KeyBytes = Vec<u8>;

/// The smallest RSA modulus that counts, in bits.
pub const RSA_BITS_MIN: usize = 2048;

/// The largest RSA modulus that the verifying library takes, in bits.
pub const RSA_BITS_MAX: usize = 4096;

/// A public key that signatures can be verified with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshKey {
    key: PublicKey,
    bytes: KeyBytes,
}

/// Why something is no key we can use.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeyError {
    /// It is not `TYPE BASE64 [COMMENT]`.
    #[error("not a public key: expected TYPE BASE64, as in a .pub file")]
    NotAKeyLine,
    /// It begins like a private key.
    #[error("this is a private key; only the line from the .pub file belongs here")]
    Private,
    /// The base64 does not hold a key, or another type of key than the line says.
    #[error("not a public key: the base64 does not hold a {named} key")]
    Damaged {
        /// The type that the line names, escaped.
        named: String,
    },
    /// A key that is well-formed and of a kind that we do not accept.
    #[error("{0}")]
    Unsupported(#[from] UnsupportedKey),
}

/// A kind of key that never counts.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UnsupportedKey {
    /// DSA is broken by its size (OpenSSH 10 no longer has it).
    #[error("DSA keys are not accepted")]
    Dsa,
    /// An RSA key outside `RSA_BITS_MIN..=RSA_BITS_MAX`.
    #[error("RSA keys of {bits} bits are not accepted ({RSA_BITS_MIN} to {RSA_BITS_MAX} are)")]
    RsaSize {
        /// The size of its modulus.
        bits: usize,
    },
    /// An OpenSSH certificate (PROTOCOL.certkeys).
    #[error("OpenSSH certificates are not supported")]
    Certificate,
    /// Anything else, by the name it gives itself, escaped.
    #[error("keys of type \"{0}\" are not supported")]
    Type(String),
}

impl SshKey {
    /// Reads `TYPE BASE64 [COMMENT]`, one line of a `.pub` file. Blanks around it do not matter.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        Self::parse_with_comment(line).map(|(key, _)| key)
    }

    /// As `parse`, with the comment that follows (empty when there is none).
    pub fn parse_with_comment(line: &str) -> Result<(Self, &str), KeyError> {
        let line = line.trim_ascii();
        if line.starts_with("-----BEGIN") {
            return Err(KeyError::Private);
        }
        let (named, rest) = split_blank(line);
        let (encoded, comment) = split_blank(rest);
        if encoded.is_empty() {
            return Err(KeyError::NotAKeyLine);
        }
        let bytes = base64(encoded.as_bytes()).ok_or(KeyError::NotAKeyLine)?;
        let damaged = || KeyError::Damaged { named: escape_short(named.as_bytes()) };
        if Reader::new(&bytes).text() != Some(named) {
            return Err(damaged());
        }
        let key = Self::from_wire(&bytes).map_err(|why| match why {
            WireKeyError::Unsupported(why) => KeyError::Unsupported(why),
            WireKeyError::Damaged => damaged(),
        })?;
        Ok((key, comment))
    }

    /// Reads a key as it stands on the wire.
    pub(super) fn from_wire(bytes: &[u8]) -> Result<Self, WireKeyError> {
        let name = Reader::new(bytes).text().ok_or(WireKeyError::Damaged)?;
        let algorithm = Algorithm::new(name).map_err(|_| unsupported_type(name))?;
        if algorithm == Algorithm::Dsa {
            return Err(UnsupportedKey::Dsa.into());
        }
        let is_known = matches!(
            algorithm,
            Algorithm::Ecdsa { .. }
                | Algorithm::Ed25519
                | Algorithm::Rsa { hash: None }
                | Algorithm::SkEcdsaSha2NistP256
                | Algorithm::SkEd25519
        );
        if !is_known {
            return Err(unsupported_type(name));
        }
        let key = PublicKey::from_bytes(bytes).map_err(|_| WireKeyError::Damaged)?;
        // One key, one spelling: the roster compares bytes.
        if key.to_bytes().ok().as_deref() != Some(bytes) {
            return Err(WireKeyError::Damaged);
        }
        if let Some(rsa) = key.key_data().rsa() {
            let modulus = rsa.n.as_positive_bytes().ok_or(WireKeyError::Damaged)?;
            let bits = modulus_bits(modulus);
            if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
                return Err(UnsupportedKey::RsaSize { bits }.into());
            }
        }
        Ok(Self { key, bytes: bytes.to_vec() })
    }

    /// The key on the wire.
    pub fn bytes(&self) -> &KeyBytes {
        &self.bytes
    }

    /// `SHA256:...`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// `TYPE BASE64`, as it stands in a `.pub` file, without a comment.
    pub fn line(&self) -> String {
        // A key that was read can be written; if the library ever disagrees, the fingerprint at
        // least says which key it was.
        self.key.to_openssh().unwrap_or_else(|_| self.fingerprint())
    }

    /// The library's view of it.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.key
    }
}

/// As much of a fingerprint as tells one's own keys apart: `SHA256:` and eight characters more; of
/// one of OpenPGP the end, as `gpg` does.
pub fn short_fingerprint(fingerprint: &str) -> &str {
    if fingerprint.contains(':') {
        return fingerprint.get(..FINGERPRINT_SHOWN).unwrap_or(fingerprint);
    }
    let at = fingerprint.len().saturating_sub(KEY_ID_SHOWN);
    fingerprint.get(at..).unwrap_or(fingerprint)
}

/// How much of one of OpenPGP is shown, in bytes.
const KEY_ID_SHOWN: usize = 16;

/// How much that is, in bytes.
const FINGERPRINT_SHOWN: usize = 15;

/// Why bytes on the wire are no key we can use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WireKeyError {
    Damaged,
    Unsupported(UnsupportedKey),
}

impl From<UnsupportedKey> for WireKeyError {
    fn from(why: UnsupportedKey) -> Self {
        Self::Unsupported(why)
    }
}

fn unsupported_type(name: &str) -> WireKeyError {
    WireKeyError::Unsupported(if name.ends_with("-cert-v01@openssh.com") {
        UnsupportedKey::Certificate
    } else {
        UnsupportedKey::Type(escape_short(name.as_bytes()))
    })
}

/// The bits of a big-endian number without leading zero bytes.
fn modulus_bits(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(first) => bytes.len() * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// What stands before the first blanks, and what after them.
fn split_blank(text: &str) -> (&str, &str) {
    match text.find([' ', '\t']) {
        Some(at) => (&text[..at], text[at..].trim_start_matches([' ', '\t'])),
        None => (text, ""),
    }
}
