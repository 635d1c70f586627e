//! One signature of OpenPGP (RFC 9580, section 5.2), version 4, taken apart.
//!
//! Whatever is not understood and must be makes it no signature. What counts stands in the part that
//! is signed; from the other one only what proves itself is taken: which key to try, and the
//! signature of a subkey.

use crate::openpgp::bytes::Reader;
use crate::openpgp::hash::Hash;
use crate::openpgp::key::{Key, hex};

/// Types of signatures (section 5.2.1).
pub(super) const BINARY: u8 = 0x00;
pub(super) const TEXT: u8 = 0x01;
pub(super) const CERTIFIES: std::ops::RangeInclusive<u8> = 0x10..=0x13;
pub(super) const BINDS_SUBKEY: u8 = 0x18;
pub(super) const BINDS_PRIMARY: u8 = 0x19;
pub(super) const DIRECT: u8 = 0x1f;
pub(super) const REVOKES_KEY: u8 = 0x20;
pub(super) const REVOKES_SUBKEY: u8 = 0x28;
pub(super) const REVOKES_CERTIFICATION: u8 = 0x30;

/// The bit of the key flags that says: signs data (section 5.2.3.29).
const SIGNS_DATA: u8 = 0x02;

/// How many signatures of subkeys one signature may hold.
const EMBEDDED_MAX: usize = 2;

/// A signature.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    /// What it is for.
    pub(super) kind: u8,
    /// When it was made, in seconds since 1970, as it says itself.
    pub(super) created: u32,
    /// How long it holds, in seconds; `None`: for ever.
    pub(super) expires_after: Option<u32>,
    /// How long the key holds from when that was made, in seconds; `None`: for ever.
    pub(super) key_expires_after: Option<u32>,
    /// Whether the key may sign data; `None`: it is not said what the key is for.
    pub(super) may_sign: Option<bool>,
    /// Why a key was revoked (section 5.2.3.31); `None`: it is not said.
    pub(super) reason: Option<u8>,
    /// By which key it says that it was made, by the last bytes of the fingerprint.
    pub(super) issuer: Option<u64>,
    /// The same by the whole fingerprint.
    pub(super) issuer_fingerprint: Option<[u8; 20]>,
    /// Signatures within it, as their packets' bodies.
    pub(super) embedded: Vec<Vec<u8>>,
    /// Over which digest; else the name of one that does not count.
    pub(super) hash: Result<Hash, String>,
    algorithm: u8,
    /// What of it is signed.
    hashed: Vec<u8>,
    /// The first two bytes of the digest.
    left: [u8; 2],
    numbers: Vec<u8>,
}

/// Why bytes are no signature that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoSignature {
    /// Well-formed or not, it is of another version.
    Version(u8),
    /// Damaged.
    Damaged,
    /// It contradicts itself or holds what has to be understood and is not.
    NotUnderstood(&'static str),
}

impl Signature {
    /// Reads the body of a packet, nothing left over.
    pub(super) fn read(body: &[u8]) -> Result<Self, NoSignature> {
        let mut reader = Reader::new(body);
        match reader.byte() {
            Some(4) => Self::parts(body, reader).ok_or(NoSignature::Damaged)?,
            Some(version) => Err(NoSignature::Version(version)),
            None => Err(NoSignature::Damaged),
        }
    }

    /// What kind of signature a body of any version is, for all that can be told.
    pub(super) fn kind_of(body: &[u8]) -> Option<u8> {
        match body {
            [2 | 3, _, kind, ..] | [_, kind, ..] => Some(*kind),
            _ => None,
        }
    }

    /// `None`: damaged.
    fn parts(body: &[u8], mut reader: Reader<'_>) -> Option<Result<Self, NoSignature>> {
        let (kind, algorithm, hash) = (reader.byte()?, reader.byte()?, reader.byte()?);
        let length = reader.short()?;
        let area = reader.take(length)?;
        let hashed = body.get(..body.len() - reader.rest().len())?.to_vec();
        let length = reader.short()?;
        let loose = reader.take(length)?;
        let left = reader.take(2)?.try_into().ok()?;
        let numbers = reader.rest().to_vec();
        let hash = Hash::of(hash);
        let mut signature = Self {
            kind,
            created: 0,
            expires_after: None,
            key_expires_after: None,
            may_sign: None,
            reason: None,
            issuer: None,
            issuer_fingerprint: None,
            embedded: Vec::new(),
            hash,
            algorithm,
            hashed,
            left,
            numbers,
        };
        Some(signature.areas(area, loose)?.map(|()| signature))
    }

    /// Takes the parts in: those that are signed, and of the others what proves itself.
    fn areas(&mut self, area: &[u8], loose: &[u8]) -> Option<Result<(), NoSignature>> {
        let not = |why| Some(Err(NoSignature::NotUnderstood(why)));
        let mut seen = Seen::default();
        let mut reader = Reader::new(area);
        while !reader.is_at_end() {
            let (written, value) = reader.subpacket()?;
            let (kind, must) = (written & 0x7f, written & 0x80 != 0);
            if !seen.add(kind) {
                return not("says the same thing twice");
            }
            if !self.take(kind, value)? && must {
                return not("holds what has to be understood and is not");
            }
        }
        if !seen.has(2) {
            return not("does not say when it was made");
        }
        let mut reader = Reader::new(loose);
        while !reader.is_at_end() {
            let (written, value) = reader.subpacket()?;
            match written & 0x7f {
                // What is signed goes before what is not.
                kind @ (16 | 33) if seen.has(kind) => {}
                kind @ (16 | 32 | 33) => {
                    self.take(kind, value)?;
                }
                _ if written & 0x80 != 0 => {
                    return not("asks to be understood where nothing is signed");
                }
                _ => {}
            }
        }
        match (self.issuer, self.issuer_fingerprint) {
            (Some(id), Some(whole)) if whole[12..] != id.to_be_bytes() => {
                not("names two keys as its own")
            }
            _ => Some(Ok(())),
        }
    }

    /// Takes one part in. False: it means nothing to us. `None`: it is damaged.
    fn take(&mut self, kind: u8, value: &[u8]) -> Option<bool> {
        let seconds = |value: &[u8]| value.try_into().ok().map(u32::from_be_bytes);
        // Zero: for ever.
        let span = |value: &[u8]| seconds(value).map(|span| (span != 0).then_some(span));
        match kind {
            2 => self.created = seconds(value)?,
            3 => self.expires_after = span(value)?,
            9 => self.key_expires_after = span(value)?,
            16 => self.issuer = Some(u64::from_be_bytes(value.try_into().ok()?)),
            27 => self.may_sign = Some(value.first().is_some_and(|it| it & SIGNS_DATA != 0)),
            29 => self.reason = Some(*value.first()?),
            32 if self.embedded.len() < EMBEDDED_MAX => self.embedded.push(value.to_vec()),
            33 => match value {
                [4, whole @ ..] => self.issuer_fingerprint = Some(whole.try_into().ok()?),
                _ => return Some(false),
            },
            // Preferences, names and who may revoke: they take nothing away from what is said. (Whoever
            // revokes, it counts.)
            4 | 7 | 11 | 12 | 21..=26 | 28 | 30 | 34 | 39 => {}
            _ => return Some(false),
        }
        Some(true)
    }

    /// Whether this key made it over these bytes.
    pub(super) fn is_by(&self, key: &Key, signed: &[&[u8]]) -> bool {
        let Ok(hash) = self.hash else { return false };
        let Ok(length) = u32::try_from(self.hashed.len()) else { return false };
        let trailer = [&[0x04, 0xff][..], &length.to_be_bytes()].concat();
        let mut parts = signed.to_vec();
        parts.extend([self.hashed.as_slice(), &trailer]);
        let digest = hash.digest(&parts);
        digest.starts_with(&self.left) && key.made(self.algorithm, hash, &digest, &self.numbers)
    }

    /// Whether it says that this key made it, or does not say otherwise.
    pub(super) fn may_be_by(&self, key: &Key) -> bool {
        self.issuer.is_none_or(|id| id == key.id())
            && self.issuer_fingerprint.is_none_or(|whole| whole == key.fingerprint)
    }

    /// Which key it says that made it, in as many hexadecimal digits as it gives.
    pub(super) fn claimed_key(&self) -> Option<String> {
        let whole = self.issuer_fingerprint.map(|whole| hex(&whole));
        whole.or_else(|| self.issuer.map(|id| hex(&id.to_be_bytes())))
    }

    /// Until when it holds, in seconds since 1970.
    pub(super) fn expires(&self) -> Option<i64> {
        self.expires_after.map(|span| i64::from(self.created) + i64::from(span))
    }
}

/// Which kinds of parts were there.
#[derive(Default)]
struct Seen(u128);

impl Seen {
    /// False: it was there before, where one is all there may be.
    fn add(&mut self, kind: u8) -> bool {
        let bit = 1 << (kind & 0x7f);
        let twice = self.0 & bit != 0;
        self.0 |= bit;
        // Notes, revokers, preferred keys and signatures within may stand there several times.
        !twice || matches!(kind, 12 | 20 | 24 | 26 | 32 | 35)
    }

    fn has(&self, kind: u8) -> bool {
        self.0 & (1 << (kind & 0x7f)) != 0
    }
}
