//! SSH signatures (OpenSSH's PROTOCOL.sshsig): whether one is good, and by which key.
//!
//! Used for statements, commits, tags and push certificates. Whose key it is, is the roster's
//! business. Agrees with `ssh-keygen -Y verify`, except that it is stricter: RSA below 2048 bits and
//! DSA do not count, a hardware key must say that it was touched, and a certificate must have no
//! critical options.
//!
//! A signature's bytes are malleable (armour, version, the S of an ECDSA signature); nobody may
//! take them for the name of anything.

use std::fmt;

use ssh_key::{Algorithm, HashAlg, Signature, SshSig};

use crate::names::escape::escape_short;
use crate::ssh::armor::{self, ArmorError};
use crate::ssh::certificate::{self, Certificate};
use crate::ssh::key::{KeyBytes, SshKey, UnsupportedKey, WireKeyError};
use crate::ssh::wire::Reader;

/// The namespace Git signs commits, tags and pushes in (`git help config`, gpg.format).
pub const GIT_NAMESPACE: &str = "git";

/// The version of the format that we read.
const VERSION: u32 = 1;

/// What the bytes of a signature begin with.
const MAGIC: &[u8] = b"SSHSIG";

/// The bit in a hardware key's answer that says somebody touched it (PROTOCOL.u2f).
const USER_PRESENT: u8 = 0x01;

/// What a signature turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a signature that is not looked at protects nothing"]
pub enum SignatureCheck {
    /// The key signed exactly this message in this namespace.
    Good {
        /// The key that signed, on the wire.
        key: KeyBytes,
        /// Its fingerprint, `SHA256:...`.
        fingerprint: String,
    },
    /// As `Good`, by a key that a certificate says whose it is. The key alone is nobody's.
    Certified {
        /// The certificate, which its authority has signed.
        certificate: Box<Certificate>,
        /// The fingerprint of the key that signed, `SHA256:...`.
        fingerprint: String,
    },
    /// As `Good`, but by a hardware key that nobody touched: a program alone can have made it, so
    /// it is no one's word. `sshd` refuses these too unless told `no-touch-required`.
    Untouched {
        /// The key that signed, on the wire.
        key: KeyBytes,
        /// Its fingerprint, `SHA256:...`.
        fingerprint: String,
    },
    /// The signature does not fit the message, or not the key it names.
    Bad {
        /// The fingerprint of the key it names.
        fingerprint: String,
    },
    /// It was made for another purpose, such as `git` for commits.
    WrongNamespace {
        /// The namespace it was made for.
        found: String,
    },
    /// Well-formed, and of a kind that never counts.
    Unsupported {
        /// What kind, as a sentence.
        what: String,
    },
    /// No SSH signature at all.
    Malformed {
        /// What is wrong with it, as a sentence.
        why: String,
    },
}

impl fmt::Display for SignatureCheck {
    /// What a sentence about somebody's signature says of it: "it is ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { fingerprint, .. } => write!(f, "good, by {fingerprint}"),
            Self::Certified { certificate, fingerprint } => {
                let id = escape_short(certificate.key_id.as_bytes());
                write!(f, "good, by {fingerprint} with the certificate \"{id}\"")
            }
            Self::Untouched { fingerprint, .. } => {
                write!(f, "made by the hardware key {fingerprint}, which nobody touched")
            }
            Self::Bad { fingerprint } => {
                write!(f, "not over these bytes by {fingerprint}, the key it names")
            }
            Self::WrongNamespace { found } => {
                write!(f, "made for another purpose, \"{}\"", escape_short(found.as_bytes()))
            }
            Self::Unsupported { what } => write!(f, "of a kind that does not count: {what}"),
            Self::Malformed { why } => write!(f, "no SSH signature: {why}"),
        }
    }
}

/// Verifies an armoured signature over a message, made for this namespace.
pub fn verify(namespace: &str, message: &[u8], armoured: &[u8]) -> SignatureCheck {
    match Parts::read(armoured) {
        Ok(parts) => parts.verify(namespace, message),
        Err(check) => check,
    }
}

/// A signature taken apart.
struct Parts {
    key: SshKey,
    certificate: Option<Certificate>,
    namespace: String,
    hash: HashAlg,
    signature: Signature,
}

impl Parts {
    /// Takes armour and frames off; what is wrong comes back as the check's outcome.
    fn read(armoured: &[u8]) -> Result<Self, SignatureCheck> {
        let bytes =
            armor::decode(armoured).map_err(|why: ArmorError| malformed(&why.to_string()))?;
        let frame = Frame::read(&bytes).ok_or_else(|| {
            malformed("what the armour holds is not an SSH signature (PROTOCOL.sshsig)")
        })?;
        if frame.version != VERSION {
            return Err(unsupported(format!("signatures of version {}", frame.version)));
        }
        if !frame.reserved.is_empty() {
            return Err(unsupported("signatures with a reserved part".to_owned()));
        }
        let hash = match frame.hash {
            "sha256" => HashAlg::Sha256,
            "sha512" => HashAlg::Sha512,
            other => {
                let name = escape_short(other.as_bytes());
                return Err(unsupported(format!("signatures over the digest \"{name}\"")));
            }
        };
        let (certificate, key) = read_key(frame.key)?;
        let signature = read_signature(frame.signature)?;
        Ok(Self { key, certificate, namespace: frame.namespace.to_owned(), hash, signature })
    }

    fn verify(self, namespace: &str, message: &[u8]) -> SignatureCheck {
        if self.namespace != namespace {
            return SignatureCheck::WrongNamespace { found: self.namespace };
        }
        let fingerprint = self.key.fingerprint();
        let touched = is_touched(&self.signature);
        let good = SshSig::new(
            self.key.public_key().key_data().clone(),
            self.namespace,
            self.hash,
            self.signature,
        )
        .and_then(|signature| self.key.public_key().verify(namespace, message, &signature));
        let key = self.key.bytes().clone();
        match (good, touched) {
            (Err(_), _) => SignatureCheck::Bad { fingerprint },
            (Ok(()), true) => match self.certificate {
                None => SignatureCheck::Good { key, fingerprint },
                Some(certificate) => {
                    SignatureCheck::Certified { certificate: Box::new(certificate), fingerprint }
                }
            },
            (Ok(()), false) => SignatureCheck::Untouched { key, fingerprint },
        }
    }
}

/// The frame of PROTOCOL.sshsig, nothing left over.
struct Frame<'a> {
    version: u32,
    key: &'a [u8],
    namespace: &'a str,
    reserved: &'a [u8],
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let frame = Self {
            version: reader.number()?,
            key: reader.string()?,
            namespace: reader.text()?,
            reserved: reader.string()?,
            hash: reader.text()?,
            signature: reader.string()?,
        };
        (reader.is_at_end() && !frame.namespace.is_empty()).then_some(frame)
    }
}

/// Reads the key of a signature, and the certificate where it stands in one.
fn read_key(wire: &[u8]) -> Result<(Option<Certificate>, SshKey), SignatureCheck> {
    if Reader::new(wire).text().is_some_and(certificate::is_type) {
        let read = certificate::read(wire);
        let (certificate, key) = read.map_err(|what| SignatureCheck::Unsupported { what })?;
        return Ok((Some(certificate), key));
    }
    let key = SshKey::from_wire(wire).map_err(|why| match why {
        WireKeyError::Unsupported(why) => unsupported_key(&why),
        WireKeyError::Damaged => malformed("the key inside the signature is damaged"),
    })?;
    Ok((None, key))
}

/// Reads the innermost part: an algorithm's name and its bytes, for hardware keys with the flags
/// and the counter behind.
pub(super) fn read_signature(bytes: &[u8]) -> Result<Signature, SignatureCheck> {
    let damaged = || malformed("the signature's own bytes are damaged");
    let mut reader = Reader::new(bytes);
    let name = reader.text().ok_or_else(damaged)?;
    let mut data = reader.string().ok_or_else(damaged)?.to_vec();
    if name == "ssh-rsa" {
        return Err(unsupported("RSA signatures over SHA-1".to_owned()));
    }
    let algorithm = match Algorithm::new(name) {
        Ok(Algorithm::Other(_)) | Err(_) => {
            return Err(unsupported(format!(
                "signatures of type \"{}\"",
                escape_short(name.as_bytes())
            )));
        }
        Ok(algorithm) => algorithm,
    };
    if matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        data.extend_from_slice(reader.take(SK_TRAILER_BYTES).ok_or_else(damaged)?);
    }
    if !reader.is_at_end() {
        return Err(damaged());
    }
    Signature::new(algorithm, data).map_err(|_| damaged())
}

/// The flags (1 byte) and the counter (4 bytes) of a hardware key's signature.
const SK_TRAILER_BYTES: usize = 5;

/// Whether somebody touched the key. Keys in files cannot be touched and count as if they were.
pub(super) fn is_touched(signature: &Signature) -> bool {
    let is_hardware =
        matches!(signature.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
    let bytes = signature.as_bytes();
    let flags = bytes.len().checked_sub(SK_TRAILER_BYTES).and_then(|at| bytes.get(at));
    !is_hardware || flags.is_some_and(|flags| flags & USER_PRESENT != 0)
}

fn malformed(why: &str) -> SignatureCheck {
    SignatureCheck::Malformed { why: why.to_owned() }
}

fn unsupported(what: String) -> SignatureCheck {
    SignatureCheck::Unsupported { what: format!("{what} are not supported") }
}

fn unsupported_key(why: &UnsupportedKey) -> SignatureCheck {
    SignatureCheck::Unsupported { what: why.to_string() }
}

#[cfg(test)]
mod certified_tests;
#[cfg(test)]
mod tests;
