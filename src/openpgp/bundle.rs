//! A primary key with what belongs to it (RFC 9580, section 10.1): its own signatures, names, and
//! subkeys.
//!
//! Read without looking at a single signature, so that a policy with many keys costs a push nothing;
//! `standing` looks, once for each key that is met. Signatures by others are left out, but for those
//! that revoke: whoever made them, a key that may be revoked is.

use crate::openpgp::bytes::Packet;
use crate::openpgp::key::Key;
use crate::openpgp::signature::{
    BINDS_SUBKEY, CERTIFIES, DIRECT, NoSignature, REVOKES_CERTIFICATION, REVOKES_KEY,
    REVOKES_SUBKEY, Signature,
};

/// How many names a key may have, and how many subkeys.
pub(super) const PARTS_MAX: usize = 64;

/// How many signatures of its own a key, a name or a subkey may carry.
pub(super) const SIGNATURES_MAX: usize = 64;

/// A primary key with what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) primary: Key,
    pub(super) own: Signed,
    pub(super) names: Vec<Name>,
    pub(super) subkeys: Vec<Subkey>,
}

/// A name, mostly `Alice <alice@example.org>`.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) bytes: Vec<u8>,
    pub(super) signed: Signed,
    /// A picture or the like, which names nobody here.
    pub(super) is_picture: bool,
}

/// A subkey.
#[derive(Clone, Debug)]
pub(super) struct Subkey {
    pub(super) key: Key,
    pub(super) signed: Signed,
}

/// What the primary key has signed about something, unproven.
#[derive(Clone, Debug, Default)]
pub(super) struct Signed {
    pub(super) for_it: Vec<Signature>,
    pub(super) against_it: Vec<Signature>,
    /// Something may revoke it that cannot be read.
    pub(super) is_doubtful: bool,
}

/// Why packets are no key that could ever count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoBundle {
    /// Of another version than 4, or damaged.
    Version,
    /// More than the bounds allow.
    TooMuch,
    /// A subkey that is no key.
    Subkey,
}

impl Bundle {
    /// Reads the packets from a primary key to the next one.
    pub(super) fn read(first: &[u8], rest: &[Packet<'_>]) -> Result<Self, NoBundle> {
        let primary = Key::read(first).ok_or(NoBundle::Version)?;
        let mut bundle =
            Self { primary, own: Signed::default(), names: Vec::new(), subkeys: Vec::new() };
        for packet in rest {
            match packet.kind {
                2 => bundle.sign(packet.body)?,
                13 | 17 => bundle.names.push(Name {
                    bytes: packet.body.to_vec(),
                    signed: Signed::default(),
                    is_picture: packet.kind == 17,
                }),
                14 => {
                    let key = Key::read(packet.body).ok_or(NoBundle::Subkey)?;
                    bundle.subkeys.push(Subkey { key, signed: Signed::default() });
                }
                // What programs note for themselves.
                _ => {}
            }
            if bundle.names.len() > PARTS_MAX || bundle.subkeys.len() > PARTS_MAX {
                return Err(NoBundle::TooMuch);
            }
        }
        Ok(bundle)
    }

    /// Puts a signature to what stands in front of it.
    fn sign(&mut self, body: &[u8]) -> Result<(), NoBundle> {
        let primary = &self.primary;
        let (to, is_name) = match (self.subkeys.last_mut(), self.names.last_mut()) {
            (Some(subkey), _) => (&mut subkey.signed, false),
            (None, Some(name)) => (&mut name.signed, true),
            (None, None) => (&mut self.own, false),
        };
        match Signature::read(body) {
            Ok(signature) => match signature.kind {
                // Wherever it stands: it is about the whole.
                REVOKES_KEY => self.own.against_it.push(signature),
                REVOKES_SUBKEY => to.against_it.push(signature),
                REVOKES_CERTIFICATION if signature.may_be_by(primary) => {
                    to.against_it.push(signature);
                }
                kind if signature.may_be_by(primary)
                    && (kind == DIRECT || kind == BINDS_SUBKEY || CERTIFIES.contains(&kind)) =>
                {
                    to.for_it.push(signature);
                }
                _ => {}
            },
            // Others sign names in forms of their own day; of the key's own it is a revocation, for
            // all we know.
            Err(NoSignature::Version(_) | NoSignature::Damaged | NoSignature::NotUnderstood(_)) => {
                let kinds = [REVOKES_KEY, REVOKES_SUBKEY, REVOKES_CERTIFICATION];
                let revokes = |kind| kinds.contains(&kind);
                to.is_doubtful |= !is_name || Signature::kind_of(body).is_none_or(revokes);
            }
        }
        let too_many =
            |signed: &Signed| signed.for_it.len().max(signed.against_it.len()) > SIGNATURES_MAX;
        let last =
            (self.subkeys.last().map(|it| &it.signed), self.names.last().map(|it| &it.signed));
        let is_too_much =
            too_many(&self.own) || [last.0, last.1].into_iter().flatten().any(too_many);
        if is_too_much { Err(NoBundle::TooMuch) } else { Ok(()) }
    }

    /// The keys that can sign: the primary one, and subkeys by their place.
    pub(super) fn keys(&self) -> impl Iterator<Item = (Which, &Key)> {
        let subkeys = self.subkeys.iter().enumerate();
        let subkeys = subkeys.map(|(at, subkey)| (Which::Subkey(at), &subkey.key));
        std::iter::once((Which::Primary, &self.primary)).chain(subkeys)
    }

    /// Whether one of its keys may ever sign, for all that it says.
    pub(super) fn may_sign(&self) -> bool {
        let says = |signed: &Signed| signed.for_it.iter().any(|it| it.may_sign == Some(true));
        let primary = says(&self.own) || self.names.iter().any(|name| says(&name.signed));
        (primary && self.primary.can_sign())
            || self.subkeys.iter().any(|it| it.key.can_sign() && says(&it.signed))
    }
}

/// One of the keys of a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    Primary,
    Subkey(usize),
}

impl Name {
    /// The e-mail, if that is what it says: between `<` and `>` at the end, or nothing else.
    pub(super) fn email(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok().filter(|_| !self.is_picture)?;
        let email = match text.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>')?,
            None => text,
        };
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | '"');
        (email.contains('@') && !email.contains(odd)).then_some(email)
    }

    /// Whether the key stands by it, for all that it says: signed, and not taken back since.
    pub(super) fn stands(&self) -> bool {
        self.stands_by(&self.signed.for_it)
    }

    /// The same, where these are the signatures for it that count.
    pub(super) fn stands_by(&self, for_it: &[Signature]) -> bool {
        let newest = |list: &[Signature]| list.iter().map(|it| it.created).max();
        let revoked = newest(&self.signed.against_it);
        newest(for_it).is_some_and(|made| revoked.is_none_or(|at| made > at))
            && !self.signed.is_doubtful
            && !self.signed.against_it.iter().any(is_hard_for_a_name)
    }
}

/// Whether a name was taken back for good: for another reason than that it holds no more.
fn is_hard_for_a_name(revocation: &Signature) -> bool {
    revocation.reason != Some(32)
}

#[cfg(test)]
mod tests {
    use crate::openpgp::bundle::{Name, Signed};

    #[test]
    fn a_name_has_one_e_mail_or_none() {
        let email = |text: &str, is_picture: bool| {
            let name = Name { bytes: text.into(), signed: Signed::default(), is_picture };
            name.email().map(str::to_owned)
        };
        for text in ["ada@x.example", "<ada@x.example>", "Ada \"A\" L, x <ada@x.example>"] {
            assert_eq!(email(text, false).as_deref(), Some("ada@x.example"), "{text}");
        }
        for text in [
            "ada",
            "Ada <ada>",
            "Ada <ada@x.example> (work)",
            "Ada <ada@x.example",
            "Ada <a da@x.example>",
            "Ada <a\u{1}da@x.example>",
            "Ada <<ada@x.example>",
            "Ada <ada@x.example>>",
            "Ada <ada@x.example,eve@x.example>",
            "Ada <\"ada\"@x.example>",
        ] {
            assert_eq!(email(text, false), None, "{text}");
        }
        assert_eq!(email("ada@x.example", true), None);
    }
}
