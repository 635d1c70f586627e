//! Keys of signed notes: who signs, and with what (C2SP signed-note, "Verifier keys").
//!
//! Ed25519 alone, in two uses that never mix: a log signs its checkpoints (type 0x01), a witness
//! countersigns them (type 0x04, C2SP tlog-cosignature).

use std::fmt;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::names::digest::Digest;

/// How long the name of a key may be, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// What a key string begins with that holds a private key (golang.org/x/mod/sumdb/note).
const PRIVATE: &str = "PRIVATE+KEY+";

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// The checkpoints of its own log.
    Log,
    /// That it has seen a checkpoint of somebody's log, and when.
    Witness,
}

impl KeyUse {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not `NAME+ID+KEY`.
    #[error("it is not of the form NAME+ID+KEY")]
    Form,
    /// A name that could not stand in a signature line.
    #[error("its name is empty, too long, or holds a space or a plus sign")]
    Name,
    /// Some other kind of signature.
    #[error("it is no Ed25519 key of a log or a witness")]
    Kind,
    /// The bytes are no point of the curve, or one that anybody can sign for.
    #[error("its bytes are no usable Ed25519 key")]
    Bytes,
    /// The id is not that of this name and key.
    #[error("its id is not the one that follows from name and key")]
    Id,
}

/// A public key, and the name it signs under.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    used: KeyUse,
    id: [u8; 4],
    key: VerifyingKey,
}

/// A private key, and the name it signs under.
pub struct SignerKey {
    name: String,
    key: SigningKey,
}

/// Whether a name can stand in a signature line.
pub fn is_name(name: &str) -> bool {
    let fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX && name.chars().all(fine)
}

impl VerifierKey {
    fn new(name: &str, used: KeyUse, key: VerifyingKey) -> Self {
        let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[used.byte()], key.as_bytes()]);
        let mut id = [0; 4];
        id.copy_from_slice(&digest.as_bytes()[..4]);
        Self { name: name.to_owned(), used, id, key }
    }

    /// A log's key of 32 public bytes.
    pub fn of_log(name: &str, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Bytes)?;
        if key.is_weak() { Err(KeyError::Bytes) } else { Ok(Self::new(name, KeyUse::Log, key)) }
    }

    /// Reads `NAME+ID+KEY`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        // The last part is base64 and may hold a plus sign itself.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let bytes = Base64::decode_vec(key).map_err(|_| KeyError::Form)?;
        let (used, bytes) = match bytes.split_first() {
            Some((0x01, bytes)) => (KeyUse::Log, bytes),
            Some((0x04, bytes)) => (KeyUse::Witness, bytes),
            Some(_) | None => return Err(KeyError::Kind),
        };
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Bytes)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Bytes)?;
        if key.is_weak() {
            return Err(KeyError::Bytes);
        }
        let found = Self::new(name, used, key);
        if found.id_hex() == id { Ok(found) } else { Err(KeyError::Id) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub const fn used(&self) -> KeyUse {
        self.used
    }

    /// The first four bytes of the digest of name, use and key.
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the key (RFC 8032).
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this key made this signature over these bytes.
    pub fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    fn id_hex(&self) -> String {
        let [a, b, c, d] = self.id;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.used.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id_hex(), Base64::encode_string(&bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl SignerKey {
    /// A log's key of 32 secret bytes.
    pub fn of_log(name: &str, secret: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(secret) })
    }

    /// Reads `PRIVATE+KEY+NAME+ID+KEY`, a log's key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyError::Form)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let bytes = Base64::decode_vec(key).map_err(|_| KeyError::Form)?;
        let Some((0x01, secret)) = bytes.split_first() else { return Err(KeyError::Kind) };
        let secret: &[u8; 32] = secret.try_into().map_err(|_| KeyError::Bytes)?;
        let signer = Self::of_log(name, secret)?;
        if signer.verifier().id_hex() == id { Ok(signer) } else { Err(KeyError::Id) }
    }

    /// The text that [`SignerKey::parse`] reads. A secret: for a file that only its owner reads.
    pub fn secret_text(&self) -> String {
        let mut bytes = vec![KeyUse::Log.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        let (name, id) = (&self.name, self.verifier().id_hex());
        format!("{PRIVATE}{name}+{id}+{}", Base64::encode_string(&bytes))
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(&self.name, KeyUse::Log, self.key.verifying_key())
    }

    /// Signs (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verifier())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use super::{KeyError, SignerKey, VerifierKey};

    /// The example of golang.org/x/mod/sumdb/note, which others test against too.
    pub(crate) const PUBLIC: &str =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn keys_are_read_and_written_as_others_do() {
        let signer = SignerKey::parse(SECRET).unwrap();
        assert_eq!(signer.verifier().to_string(), PUBLIC);
        assert_eq!(signer.secret_text(), SECRET);
        assert_eq!(VerifierKey::parse(PUBLIC).unwrap(), signer.verifier());
        assert!(!format!("{signer:?}").contains("AYEK"));
    }

    #[test]
    fn no_part_of_a_key_and_no_changed_key_is_one() {
        for from in 0..PUBLIC.len() {
            for to in from + 1..=PUBLIC.len() {
                let whole = from == 0 && to == PUBLIC.len();
                assert_eq!(VerifierKey::parse(&PUBLIC[from..to]).is_ok(), whole);
            }
        }
        for at in 0..PUBLIC.len() {
            let mut bytes = PUBLIC.as_bytes().to_vec();
            bytes[at] += 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(VerifierKey::parse(&changed).is_err(), "{changed}");
        }
        assert_eq!(VerifierKey::of_log("a b", &[9; 32]), Err(KeyError::Name));
        assert_eq!(VerifierKey::of_log("a", &[0; 32]), Err(KeyError::Bytes));
        let key = SignerKey::of_log("a", &[9; 32]).unwrap().verifier();
        assert_eq!(VerifierKey::of_log("a", key.bytes()), Ok(key));
        let name = |bytes: usize| SignerKey::of_log(&"n".repeat(bytes), &[9; 32]);
        assert!(name(255).is_ok() && name(256).is_err() && name(0).is_err());
        assert_eq!(VerifierKey::parse("a b+00000000+AQ=="), Err(KeyError::Name));
        assert_eq!(VerifierKey::parse("ab+00000000+Ag=="), Err(KeyError::Kind));
    }
}
