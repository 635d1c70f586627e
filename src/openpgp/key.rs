//! One public key of OpenPGP (RFC 9580, section 5.5.2): a primary key or a subkey, version 4.
//!
//! Says whether the key made a signature over a digest, and nothing about whose it is or whether it
//! still counts.

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use crate::openpgp::bytes::Reader;
use crate::openpgp::hash::Hash;

/// How long the modulus of an RSA key has to be, and may be, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The curves, by their object identifiers (section 9.2).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// How long each of the two numbers of a signature is on these curves, in bytes.
const P256_BYTES: usize = 32;
const P384_BYTES: usize = 48;
const P521_BYTES: usize = 66;
const ED25519_BYTES: usize = 32;

/// A public key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// When it was made, in seconds since 1970, as it says itself.
    pub(super) created: u32,
    /// Its fingerprint (section 5.5.4), by which nothing is believed: the keyring says whose it is.
    pub(super) fingerprint: [u8; 20],
    /// What signatures over the key are over.
    pub(super) hashed: Vec<u8>,
    algorithm: u8,
    /// `None`: of a kind that signs nothing here.
    material: Option<Material>,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa(Box<RsaPublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    /// Its type cannot be printed, so the point is kept.
    P521(Vec<u8>),
    /// With the numbers of the signature as such, or in the newer form of raw bytes.
    Ed25519(Box<Ed25519Key>),
}

impl Key {
    /// Reads the body of a packet. `None`: it is no key of version 4.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        if reader.byte()? != 4 {
            return None;
        }
        let created = reader.number()?;
        let algorithm = reader.byte()?;
        let length = u16::try_from(body.len()).ok()?;
        let hashed = [&[0x99][..], &length.to_be_bytes(), body].concat();
        let fingerprint = Sha1::digest(&hashed).into();
        let material = material(algorithm, reader);
        Some(Self { created, fingerprint, hashed, algorithm, material })
    }

    /// The last eight bytes of the fingerprint, by which signatures name a key.
    pub(super) fn id(&self) -> u64 {
        let mut id = [0; 8];
        id.copy_from_slice(&self.fingerprint[12..]);
        u64::from_be_bytes(id)
    }

    /// The fingerprint as `gpg` prints it.
    pub(super) fn fingerprint(&self) -> String {
        hex(&self.fingerprint)
    }

    /// Whether it is of a kind that can sign here.
    pub(super) fn can_sign(&self) -> bool {
        self.material.is_some()
    }

    /// Whether the key made this signature over this digest.
    pub(super) fn made(&self, algorithm: u8, hash: Hash, digest: &[u8], numbers: &[u8]) -> bool {
        // RSA has a number for signing alone, which says the same.
        let plain = |algorithm: u8| if algorithm == 3 { 1 } else { algorithm };
        if plain(algorithm) != plain(self.algorithm) {
            return false;
        }
        self.material
            .as_ref()
            .is_some_and(|material| material.made(algorithm == 27, hash, digest, numbers).is_some())
    }
}

/// Upper-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    crate::names::oid::hex_of(bytes).to_ascii_uppercase()
}

/// The numbers of a key, nothing left over. `None`: of a kind that signs nothing here.
fn material(algorithm: u8, mut reader: Reader<'_>) -> Option<Material> {
    let material = match algorithm {
        1 | 3 => {
            let (n, e) = (reader.big_number()?, reader.big_number()?);
            let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
            if !RSA_BITS.contains(&n.bits()) {
                return None;
            }
            let key = RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).ok()?;
            Material::Rsa(Box::new(key))
        }
        19 | 22 => {
            let length = usize::from(reader.byte()?);
            let curve = reader.take(length)?;
            let point = reader.big_number()?;
            match (algorithm, curve) {
                (19, P256) => Material::P256(Box::new(
                    p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?,
                )),
                (19, P384) => Material::P384(Box::new(
                    p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?,
                )),
                (19, P521) => {
                    p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    Material::P521(point.to_vec())
                }
                (22, ED25519) => ed25519(point.strip_prefix(&[0x40])?)?,
                _ => return None,
            }
        }
        27 => ed25519(reader.take(ED25519_BYTES)?)?,
        _ => return None,
    };
    reader.is_at_end().then_some(material)
}

fn ed25519(point: &[u8]) -> Option<Material> {
    Some(Material::Ed25519(Box::new(Ed25519Key::from_bytes(point.try_into().ok()?).ok()?)))
}

impl Material {
    /// Some, if it made this signature.
    fn made(&self, raw: bool, hash: Hash, digest: &[u8], numbers: &[u8]) -> Option<()> {
        let mut reader = Reader::new(numbers);
        match self {
            Self::Rsa(key) => {
                use rsa::traits::PublicKeyParts as _;
                let signature = padded(reader.big_number()?, key.size())?;
                reader.is_at_end().then_some(())?;
                let scheme = match hash {
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(scheme, digest, &signature).ok()
            }
            Self::P256(key) => {
                let signature = pair(reader, P256_BYTES)?;
                let signature = p256::ecdsa::Signature::from_slice(&signature).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Self::P384(key) => {
                let signature = pair(reader, P384_BYTES)?;
                let signature = p384::ecdsa::Signature::from_slice(&signature).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Self::P521(point) => {
                let signature = pair(reader, P521_BYTES)?;
                let signature = p521::ecdsa::Signature::from_slice(&signature).ok()?;
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Self::Ed25519(key) => {
                let signature = if raw { numbers.to_vec() } else { pair(reader, ED25519_BYTES)? };
                let signature = Ed25519Signature::from_slice(&signature).ok()?;
                key.verify_strict(digest, &signature).ok()
            }
        }
    }
}

/// Two numbers of so many bytes each, and nothing behind them.
fn pair(mut reader: Reader<'_>, length: usize) -> Option<Vec<u8>> {
    let first = padded(reader.big_number()?, length)?;
    let second = padded(reader.big_number()?, length)?;
    reader.is_at_end().then(|| [first, second].concat())
}

/// A number with zeros in front, so many bytes long.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length.checked_sub(number.len())?];
    bytes.extend_from_slice(number);
    Some(bytes)
}
