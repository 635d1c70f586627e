//! DSSE envelopes: bytes that several people may have signed.

use base64ct::{Base64, Base64Url, Encoding as _};
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::gittuf::json::{Object, place};
use crate::names::digest::Digest;

/// How many signatures one envelope may have.
pub const SIGNATURES_MAX: usize = 16;

/// What an envelope may say its payload is: what gittuf writes, and what in-toto asks for.
const PAYLOAD_TYPES: [&str; 2] = ["application/vnd.gittuf+json", "application/vnd.in-toto+json"];

/// An envelope, taken apart. Whether a signature is good is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signed>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// An armoured one, as `ssh-keygen` and `gpg` make it.
    Armor(Vec<u8>),
    /// One that is verified by asking somebody else (sigstore), which is not done.
    Elsewhere,
}

/// Why bytes are no envelope. Words that follow "the authorization".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeProblem {
    /// Not JSON, or not of this form: a key too many, too few or twice, or bytes behind it.
    #[error("is no DSSE envelope, at {at}")]
    Json {
        /// Where reading stopped.
        at: String,
    },
    /// The payload is said to be something else.
    #[error("has a payload that is of another type")]
    PayloadType,
    /// Payload or signatures are not in base64.
    #[error("is not in base64 where a DSSE envelope is")]
    Base64,
    /// So many that nobody reads them.
    #[error("has {found} signatures, more than {SIGNATURES_MAX}")]
    Signatures {
        /// How many it has.
        found: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeDoc {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Object<SignatureDoc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureDoc {
    /// A hint that nobody signed: whose signature it is says the signature.
    #[serde(default, rename = "keyid")]
    _keyid: String,
    sig: String,
    extension: Option<IgnoredAny>,
}

impl Envelope {
    /// Reads the bytes of an envelope.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeProblem> {
        let doc: Object<EnvelopeDoc> = serde_json::from_slice(bytes)
            .map_err(|error| EnvelopeProblem::Json { at: place(&error) })?;
        let EnvelopeDoc { payload_type, payload, signatures } = doc.0;
        if !PAYLOAD_TYPES.contains(&payload_type.as_str()) {
            return Err(EnvelopeProblem::PayloadType);
        }
        if signatures.len() > SIGNATURES_MAX {
            return Err(EnvelopeProblem::Signatures { found: signatures.len() });
        }
        let signed = |Object(one): &Object<SignatureDoc>| match one.extension {
            Some(_) => Ok(Signed::Elsewhere),
            None => unbase64(&one.sig).map(Signed::Armor),
        };
        let signatures = signatures.iter().map(signed).collect::<Result<Vec<Signed>, _>>()?;
        Ok(Self { payload: unbase64(&payload)?, payload_type, signatures })
    }

    /// What it is about.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Its signatures, in their order; at most [`SIGNATURES_MAX`].
    pub fn signatures(&self) -> &[Signed] {
        &self.signatures
    }

    /// The bytes that each of them is over (the protocol's PAE): type and payload, each behind its
    /// length.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let (of_type, of_payload) = (self.payload_type.len(), self.payload.len());
        let mut out = format!("DSSEv1 {of_type} {} {of_payload} ", self.payload_type).into_bytes();
        out.extend_from_slice(&self.payload);
        out
    }

    /// What it is known by: the SHA-256 of the signed bytes, whoever signed them.
    pub fn id(&self) -> Digest {
        Digest::of(&self.signed_bytes())
    }
}

/// The protocol allows both alphabets.
fn unbase64(text: &str) -> Result<Vec<u8>, EnvelopeProblem> {
    let plain = Base64::decode_vec(text);
    plain.or_else(|_| Base64Url::decode_vec(text)).map_err(|_| EnvelopeProblem::Base64)
}
