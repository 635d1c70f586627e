//! A file of public keys, as `gpg --export` writes it, with or without `--armor`.
//!
//! Read whole or not at all: what is no key file says so. A key in it that could never count is
//! named, and so is why.

use std::collections::HashMap;
use std::sync::OnceLock;

use thiserror::Error;

use crate::names::moment::Moment;
use crate::openpgp::armor::{self, ArmorError};
use crate::openpgp::bundle::{Bundle, NoBundle, PARTS_MAX, SIGNATURES_MAX, Which};
use crate::openpgp::bytes::{Packet, Reader};
use crate::openpgp::key::Key;
use crate::openpgp::standing::Standing;

/// How many primary keys a file may hold.
pub const KEYS_MAX: usize = 1000;

/// The keys of a file.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    pub(super) holders: Vec<Holder>,
    /// Which key has this identifier: a holder, and one of its keys.
    pub(super) by_id: HashMap<u64, (usize, Which)>,
}

/// A primary key with all that belongs to it: what one person has.
#[derive(Clone, Debug)]
pub struct Holder {
    pub(super) bundle: Bundle,
    /// Its signatures, looked at when somebody has signed with it.
    standing: OnceLock<Standing>,
}

/// What is wrong with one key of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// The key, for all that is known of it.
    pub key: String,
    /// What is wrong, to follow that.
    pub what: String,
}

/// Why a file is no file of public keys. Words that follow its name.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeyringError {
    /// It is text, and no armour of keys.
    #[error("{0}")]
    Armor(#[from] ArmorError),
    /// It is no sequence of packets.
    #[error("it is no file of OpenPGP keys, or a damaged one, from byte {at} on")]
    Damaged {
        /// Where in the keys, from 0.
        at: usize,
    },
    /// Packets that are no public keys.
    #[error("it holds something else than public keys, an OpenPGP packet of type {kind}")]
    Stray {
        /// Their type.
        kind: u8,
    },
    /// Nothing in it.
    #[error("no key is in it")]
    Empty,
    /// More than `KEYS_MAX`.
    #[error("more than {KEYS_MAX} keys are in it")]
    TooMany,
    /// Two keys that signatures cannot tell apart.
    #[error("the key {fingerprint} is in it twice")]
    Twice {
        /// Which.
        fingerprint: String,
    },
}

impl Keyring {
    /// Reads a file, and says which of its keys are left out.
    ///
    /// # Errors
    /// When it is no file of public keys, or one that cannot be meant.
    pub fn read(file: &[u8]) -> Result<(Self, Vec<Flaw>), KeyringError> {
        let decoded;
        let bytes = match file.first() {
            Some(first) if first & 0x80 != 0 => file,
            Some(_) => {
                let text = std::str::from_utf8(file);
                decoded = armor::keys(text.map_err(|why| damaged(why.valid_up_to()))?)?;
                &decoded
            }
            None => return Err(KeyringError::Empty),
        };
        let mut ring = Self::default();
        let mut flaws = Vec::new();
        for (first, rest) in blocks(bytes)? {
            match Bundle::read(first, &rest) {
                Ok(bundle) => ring.add(bundle)?,
                Err(why) => flaws.push(flaw(first, why)),
            }
            if ring.holders.len() > KEYS_MAX {
                return Err(KeyringError::TooMany);
            }
        }
        Ok((ring, flaws))
    }

    fn add(&mut self, bundle: Bundle) -> Result<(), KeyringError> {
        let at = self.holders.len();
        for (which, key) in bundle.keys() {
            let usual = matches!(which, Which::Primary) || key.can_sign();
            if usual && self.by_id.insert(key.id(), (at, which)).is_some() {
                return Err(KeyringError::Twice { fingerprint: key.fingerprint() });
            }
        }
        self.holders.push(Holder { bundle, standing: OnceLock::new() });
        Ok(())
    }

    /// The keys, by their place.
    pub fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter()
    }
}

impl Holder {
    /// The primary key's fingerprint, as `gpg` prints it.
    pub fn fingerprint(&self) -> String {
        self.bundle.primary.fingerprint()
    }

    /// The e-mails of the names that it stands by.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.bundle.names.iter().filter(|name| name.stands()).filter_map(|name| name.email())
    }

    /// Whether it may ever sign, for all that it says.
    pub fn may_sign(&self) -> bool {
        self.bundle.may_sign()
    }

    /// Why no key of it signs at this moment, to follow "it". `None`: one does. `theirs`: whether an
    /// e-mail is that of whom it belongs to.
    pub fn silence(&self, theirs: &dyn Fn(&str) -> bool, now: Moment) -> Option<String> {
        self.standing().silence(&self.bundle, theirs, now)
    }

    /// What its signatures prove.
    pub(super) fn standing(&self) -> &Standing {
        self.standing.get_or_init(|| Standing::of(&self.bundle))
    }
}

/// The body of each primary key, and the packets up to the next one.
type Block<'a> = (&'a [u8], Vec<Packet<'a>>);

fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, KeyringError> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let at = bytes.len() - reader.rest().len();
        let packet = reader.packet().ok_or_else(|| damaged(at))?;
        match (packet.kind, blocks.last_mut()) {
            (6, _) => blocks.push((packet.body, Vec::new())),
            (5 | 7, _) => return Err(ArmorError::Secret.into()),
            // Markers, trust and padding mean nothing, wherever they are.
            (10 | 12 | 21, _) => {}
            (2 | 13 | 14 | 17, Some((_, rest))) => rest.push(packet),
            (kind, _) => return Err(KeyringError::Stray { kind }),
        }
    }
    if blocks.is_empty() { Err(KeyringError::Empty) } else { Ok(blocks) }
}

fn damaged(at: usize) -> KeyringError {
    KeyringError::Damaged { at }
}

fn flaw(first: &[u8], why: NoBundle) -> Flaw {
    let key = match Key::read(first) {
        Some(key) => format!("the key {}", key.fingerprint()),
        None => "a key".to_owned(),
    };
    let what = match why {
        NoBundle::Version => "is of another version than 4, or damaged".to_owned(),
        NoBundle::TooMuch => format!(
            "has more than {PARTS_MAX} names or subkeys, or more than {SIGNATURES_MAX} signatures on one"
        ),
        NoBundle::Subkey => "has a subkey of another version than 4, or a damaged one".to_owned(),
    };
    Flaw { key, what }
}
