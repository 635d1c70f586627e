//! OpenSSH certificates (PROTOCOL.certkeys): a key with somebody's word for whose it is.
//!
//! Read without slack from inside a signature, and its authority's own signature verified. Whether
//! the authority is one that the roster has, whom the certificate names and whether it counts now,
//! is the roster's business. A certificate of a host, or one signed over SHA-1, is none here.

use ed25519_dalek::Verifier as _;

use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::ssh::key::{KeyBytes, SshKey, WireKeyError};
use crate::ssh::signature::{is_touched, read_signature};
use crate::ssh::wire::Reader;

/// What the name of a certificate's type ends with, in place of a key's own ending.
const SUFFIX: &str = "-cert-v01@openssh.com";

/// The type of certificates of users; 2 is that of hosts.
const OF_A_USER: u32 = 1;

/// How many principals a certificate may name (SSHKEY_CERT_MAX_PRINCIPALS of OpenSSH).
pub const PRINCIPALS_MAX: usize = 256;

/// A key of a user, certified. The authority's signature is good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The authority's key, on the wire.
    pub authority: KeyBytes,
    /// What the authority calls it; any text.
    pub key_id: String,
    /// Whom it names. Never empty: one that names nobody would name everybody.
    pub principals: Vec<String>,
    /// From when on it counts, in seconds since 1970.
    pub valid_after: u64,
    /// The first second in which it no longer counts; `u64::MAX` is never.
    pub valid_before: u64,
    /// The names of its critical options: whoever does not know one must refuse it.
    pub critical: Vec<String>,
}

impl Certificate {
    /// Whether it names this principal, to the letter.
    pub fn names(&self, principal: &str) -> bool {
        self.principals.iter().any(|name| name == principal)
    }

    /// Why it does not count at this moment, to follow "a key that". `None`: it does.
    pub fn doubt(&self, now: Moment) -> Option<String> {
        if let Some(option) = self.critical.first() {
            let option = escape_short(option.as_bytes());
            return Some(format!(
                "is certified under the condition \"{option}\", which cannot be met here"
            ));
        }
        let now = u64::try_from(now.seconds()).unwrap_or(0);
        if now < self.valid_after {
            return Some("is not certified yet".to_owned());
        }
        if now >= self.valid_before {
            let end = i64::try_from(self.valid_before).unwrap_or(i64::MAX);
            let end = Moment::from_seconds(end).rfc3339_seconds();
            return Some(format!("was certified until {end}"));
        }
        None
    }
}

/// Why something is no certificate that counts, as a sentence.
pub(super) type Why = String;

/// Whether this is the name of a certificate's type.
pub(super) fn is_type(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// Reads a certificate as it stands on the wire: itself, and the key that it certifies.
pub(super) fn read(bytes: &[u8]) -> Result<(Certificate, SshKey), Why> {
    let damaged = || "the certificate inside the signature is damaged".to_owned();
    let mut reader = Reader::new(bytes);
    let named = reader.text().ok_or_else(damaged)?;
    let (name, parts) = plain_type(named).ok_or_else(|| {
        format!("certificates of type \"{}\" are not supported", escape_short(named.as_bytes()))
    })?;
    let _nonce = reader.string().ok_or_else(damaged)?;
    let mut plain = string(name.as_bytes());
    for _ in 0..parts {
        plain.extend(string(reader.string().ok_or_else(damaged)?));
    }
    let fields = Fields::read(&mut reader).ok_or_else(damaged)?;
    let key = key(&plain)?;
    if fields.of != OF_A_USER {
        return Err("it is made with the certificate of a host".to_owned());
    }
    let authority = key_of(fields.authority, "the authority's key")?;
    // All but the signature, which is the last string.
    let signed = bytes.len().checked_sub(4 + fields.signature.len());
    let signed = signed.and_then(|end| bytes.get(..end)).ok_or_else(damaged)?;
    let signature = read_signature(fields.signature).map_err(|check| check.to_string())?;
    let vouches = authority.public_key().key_data().verify(signed, &signature);
    if !is_touched(&signature) || vouches.is_err() {
        return Err("the certificate is not signed by the authority it names".to_owned());
    }
    let principals = texts(fields.principals).ok_or_else(damaged)?;
    if principals.is_empty() {
        return Err("the certificate names nobody".to_owned());
    }
    if principals.len() > PRINCIPALS_MAX {
        return Err(format!("the certificate names more than {PRINCIPALS_MAX} principals"));
    }
    let certificate = Certificate {
        authority: authority.bytes().clone(),
        key_id: fields.key_id.to_owned(),
        principals,
        valid_after: fields.valid_after,
        valid_before: fields.valid_before,
        critical: option_names(fields.critical).ok_or_else(damaged)?,
    };
    Ok((certificate, key))
}

/// What follows the key.
struct Fields<'a> {
    of: u32,
    key_id: &'a str,
    principals: &'a [u8],
    valid_after: u64,
    valid_before: u64,
    critical: &'a [u8],
    authority: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let _serial = reader.long_number()?;
        let of = reader.number()?;
        let key_id = reader.text()?;
        let principals = reader.string()?;
        let (valid_after, valid_before) = (reader.long_number()?, reader.long_number()?);
        let critical = reader.string()?;
        // Extensions only add rights that have no meaning here.
        option_names(reader.string()?)?;
        let _reserved = reader.string()?;
        let (authority, signature) = (reader.string()?, reader.string()?);
        let fields = Self {
            of,
            key_id,
            principals,
            valid_after,
            valid_before,
            critical,
            authority,
            signature,
        };
        reader.is_at_end().then_some(fields)
    }
}

/// The type of the certified key, and of how many strings it is made.
fn plain_type(named: &str) -> Option<(&'static str, usize)> {
    Some(match named.strip_suffix(SUFFIX)? {
        "ssh-ed25519" => ("ssh-ed25519", 1),
        "ssh-rsa" => ("ssh-rsa", 2),
        "ecdsa-sha2-nistp256" => ("ecdsa-sha2-nistp256", 2),
        "ecdsa-sha2-nistp384" => ("ecdsa-sha2-nistp384", 2),
        "ecdsa-sha2-nistp521" => ("ecdsa-sha2-nistp521", 2),
        "sk-ssh-ed25519" => ("sk-ssh-ed25519@openssh.com", 2),
        "sk-ecdsa-sha2-nistp256" => ("sk-ecdsa-sha2-nistp256@openssh.com", 3),
        _ => return None,
    })
}

fn key(plain: &[u8]) -> Result<SshKey, Why> {
    key_of(plain, "the key in the certificate")
}

fn key_of(wire: &[u8], what: &str) -> Result<SshKey, Why> {
    SshKey::from_wire(wire).map_err(|why| match why {
        WireKeyError::Unsupported(why) => format!("{what} does not count: {why}"),
        WireKeyError::Damaged => format!("{what} is damaged"),
    })
}

/// A row of strings that are text.
fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(bytes);
    let mut texts = Vec::new();
    while !reader.is_at_end() {
        texts.push(reader.text()?.to_owned());
    }
    Some(texts)
}

/// The names of options: a row of names and values.
fn option_names(bytes: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(bytes);
    let mut names = Vec::new();
    while !reader.is_at_end() {
        names.push(reader.text()?.to_owned());
        reader.string()?;
    }
    Some(names)
}

/// A string as the wire has it.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}
