//! Whether an OpenPGP signature is good, and by which key of a file of keys.
//!
//! Used for commits, tags and push certificates. Only a detached signature over the very bytes
//! counts: one over text leaves the ends of lines open, and one with its text inside says nothing
//! about the bytes beside it.

use std::fmt;

use crate::names::moment::Moment;
use crate::openpgp::armor::{self, ArmorError};
use crate::openpgp::bytes::Reader;
use crate::openpgp::keyring::Keyring;
use crate::openpgp::signature::{BINARY, NoSignature, Signature, TEXT};

/// What a signature turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a signature that is not looked at protects nothing"]
pub enum Check {
    /// A key made it over exactly this message.
    Made {
        /// Whose: the place in the file of keys.
        holder: usize,
        /// The fingerprint of the key that signed.
        fingerprint: String,
        /// Why it does not count all the same, to follow "a key that".
        doubt: Option<String>,
    },
    /// No signature that counts.
    Not(Unsigned),
}

/// Why a signature is none that counts. Words that follow "it is".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unsigned {
    /// There are no keys to look for.
    NoKeyring,
    /// By a key that is not there, so that nobody can say whether it is good.
    UnknownKey {
        /// What it says of the key: its fingerprint, else the end of that.
        key: String,
    },
    /// It does not fit the message, or not the key it names.
    Bad {
        /// The fingerprint of the key it names.
        fingerprint: String,
    },
    /// Well-formed, and of a kind that never counts.
    Unsupported {
        /// What kind, as a sentence.
        what: String,
    },
    /// No OpenPGP signature at all.
    Malformed {
        /// What is wrong with it, as a sentence.
        why: String,
    },
}

/// As much of a key's name as `gpg` shows, in bytes.
const KEY_SHOWN: usize = 16;

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeyring => f.write_str("of OpenPGP, and the policy names no `keyring`"),
            Self::UnknownKey { key } => {
                let shown = key.get(key.len().saturating_sub(KEY_SHOWN)..).unwrap_or(key);
                write!(f, "by the key {shown}, which is not in the keyring")
            }
            Self::Bad { fingerprint } => {
                write!(f, "not over these bytes by {fingerprint}, the key it names")
            }
            Self::Unsupported { what } => write!(f, "of a kind that does not count: {what}"),
            Self::Malformed { why } => write!(f, "no OpenPGP signature: {why}"),
        }
    }
}

/// Verifies an armoured signature over a message, by the keys of a file, at this moment. `theirs`:
/// whether an e-mail belongs to whom the holder at this place is.
pub fn verify(
    ring: &Keyring,
    message: &[u8],
    armoured: &[u8],
    theirs: &dyn Fn(usize, &str) -> bool,
    now: Moment,
) -> Check {
    match look(ring, message, armoured, theirs, now) {
        Ok(made) => made,
        Err(why) => Check::Not(why),
    }
}

fn look(
    ring: &Keyring,
    message: &[u8],
    armoured: &[u8],
    theirs: &dyn Fn(usize, &str) -> bool,
    now: Moment,
) -> Result<Check, Unsigned> {
    let signature = read(armoured)?;
    let named = signature.claimed_key();
    let named = named.ok_or_else(|| malformed("it names no key".to_owned()))?;
    let id = signature.issuer.or_else(|| {
        let whole = signature.issuer_fingerprint?;
        Some(u64::from_be_bytes(whole[12..].try_into().ok()?))
    });
    let unknown = || Unsigned::UnknownKey { key: named };
    let Some((at, which)) = id.and_then(|id| ring.by_id.get(&id).copied()) else {
        return Err(unknown());
    };
    let Some(holder) = ring.holders.get(at) else { return Err(unknown()) };
    let key = holder.bundle.keys().find(|(it, _)| *it == which).map(|(_, key)| key);
    let Some(key) = key.filter(|key| signature.may_be_by(key)) else { return Err(unknown()) };
    let fingerprint = key.fingerprint();
    if !key.can_sign() {
        return Err(unsupported(format!("keys of the kind of {fingerprint}")));
    }
    if !signature.is_by(key, &[message]) {
        return Err(Unsigned::Bad { fingerprint });
    }
    let theirs = |email: &str| theirs(at, email);
    let doubt = holder.standing().doubt(&holder.bundle, which, &signature, &theirs, now);
    Ok(Check::Made { holder: at, fingerprint, doubt })
}

/// The key that a signature says made it, in as many hexadecimal digits as it gives. Nothing is
/// verified: for what was verified when it came.
pub fn claimed_key(armoured: &[u8]) -> Option<String> {
    read(armoured).ok()?.claimed_key()
}

/// Takes armour and frame off.
fn read(armoured: &[u8]) -> Result<Signature, Unsigned> {
    let bytes = armor::signature(armoured).map_err(|why: ArmorError| malformed(why.to_string()))?;
    let mut reader = Reader::new(&bytes);
    let packet = reader.packet().filter(|packet| packet.kind == 2);
    let packet = packet.ok_or_else(|| malformed("the armour holds something else".to_owned()))?;
    if !reader.is_at_end() {
        return Err(malformed("the armour holds more than one signature".to_owned()));
    }
    let signature = Signature::read(packet.body).map_err(|why| match why {
        NoSignature::Version(version) => unsupported(format!("signatures of version {version}")),
        NoSignature::Damaged => malformed("its own bytes are damaged".to_owned()),
        NoSignature::NotUnderstood(why) => malformed(format!("it {why}")),
    })?;
    match (signature.kind, &signature.hash) {
        (BINARY, Ok(_)) => Ok(signature),
        (BINARY, Err(name)) => Err(unsupported(format!("signatures over the digest {name}"))),
        (TEXT, _) => {
            Err(unsupported("signatures of texts, which leave ends of lines open,".to_owned()))
        }
        (kind, _) => Err(unsupported(format!("signatures of type 0x{kind:02x}"))),
    }
}

fn malformed(why: String) -> Unsigned {
    Unsigned::Malformed { why }
}

fn unsupported(what: String) -> Unsigned {
    Unsigned::Unsupported { what: format!("{what} are not supported") }
}
