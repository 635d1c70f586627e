//! A key that an ssh-agent holds (draft-miller-ssh-agent): asked for, and asked to sign.
//!
//! Ed25519 alone. Every answer is bounded, and all of it together by a deadline: an agent that asks
//! a person to touch a token is given that long.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ssh_key::{HashAlg, PublicKey};

use crate::log::error::LogError;
use crate::tlog::holder::AgentKey;
use crate::tlog::key::VerifierKey;

/// How long an agent may take for one question.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long an answer may be, in bytes (OpenSSH's own bound).
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How many keys of an agent are looked at.
const KEYS_MAX: u32 = 2048;

/// What the messages are called (draft-miller-ssh-agent, section 5.1).
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// What Ed25519 is called.
const ED25519: &[u8] = b"ssh-ed25519";

/// A key of an agent, found.
#[derive(Clone, Debug)]
pub struct Held {
    socket: PathBuf,
    blob: Vec<u8>,
    key: VerifierKey,
}

impl Held {
    /// Finds the key, to sign under this name.
    ///
    /// # Errors
    /// When no agent answers, it does not hold the key, or that is no Ed25519 key.
    pub fn find(place: &AgentKey, name: &str) -> Result<Self, LogError> {
        let Some(socket) = &place.socket else { return Err(LogError::NoAgent) };
        let fault = |source| LogError::Agent { socket: socket.clone(), source };
        let answer = ask(socket, &[REQUEST_IDENTITIES]).map_err(fault)?;
        let blobs = identities(&answer).ok_or_else(|| fault(unlike()))?;
        for blob in blobs {
            let Ok(public) = PublicKey::from_bytes(&blob) else { continue };
            if public.fingerprint(HashAlg::Sha256).to_string() != place.fingerprint {
                continue;
            }
            let Some(bytes) = public.key_data().ed25519() else {
                return Err(LogError::AgentKeyKind { key: place.fingerprint.clone() });
            };
            let key = VerifierKey::of_log(name, &bytes.0)
                .map_err(|_| LogError::NoKeyName { origin: name.to_owned() })?;
            return Ok(Self { socket: socket.clone(), blob, key });
        }
        Err(LogError::AgentLacks { key: place.fingerprint.clone(), socket: socket.clone() })
    }

    /// The public half.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Asks the agent to sign. What comes back is checked.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], LogError> {
        let fault = |source| LogError::Agent { socket: self.socket.clone(), source };
        let asked = sign_request(&self.blob, message).ok_or_else(|| fault(unlike()))?;
        let answer = ask(&self.socket, &asked).map_err(fault)?;
        let signature = signature(&answer)
            .ok_or_else(|| fault(io::Error::other("the agent would not sign with this key")))?;
        let made = self.key.signed(message, &signature);
        made.then_some(signature).ok_or_else(|| fault(unlike()))
    }
}

fn unlike() -> io::Error {
    io::Error::other("it answered what no agent should")
}

/// The blobs of the keys in an answer.
fn identities(answer: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (&IDENTITIES_ANSWER, rest) = answer.split_first()? else { return None };
    let (count, mut rest) = number(rest)?;
    if count > KEYS_MAX {
        return None;
    }
    let mut blobs = Vec::new();
    for _ in 0..count {
        let (blob, behind) = string(rest)?;
        let (_comment, behind) = string(behind)?;
        blobs.push(blob.to_vec());
        rest = behind;
    }
    rest.is_empty().then_some(blobs)
}

fn sign_request(blob: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut asked = vec![SIGN_REQUEST];
    for part in [blob, message] {
        asked.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        asked.extend(part);
    }
    // No flags: those are for RSA.
    asked.extend([0; 4]);
    Some(asked)
}

/// The signature in an answer, when it is one by Ed25519.
fn signature(answer: &[u8]) -> Option<[u8; 64]> {
    let (&SIGN_RESPONSE, rest) = answer.split_first()? else { return None };
    let (whole, behind) = string(rest)?;
    let (kind, inner) = string(whole)?;
    let (bytes, rest) = string(inner)?;
    let alone = behind.is_empty() && rest.is_empty() && kind == ED25519;
    if alone { bytes.try_into().ok() } else { None }
}

/// A number of four bytes (RFC 4251, section 5), and what is behind it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// A string with its length before it (RFC 4251, section 5), and what is behind it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// One question, one answer, on a connection of their own.
fn ask(socket: &Path, asked: &[u8]) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = u32::try_from(asked.len()).map_err(io::Error::other)?;
    stream.write_all(&[length.to_be_bytes().as_slice(), asked].concat())?;
    let mut length = [0; 4];
    fill(&mut stream, &mut length, deadline)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > ANSWER_BYTES_MAX {
        return Err(io::Error::other("its answer is too long"));
    }
    let mut answer = vec![0; length];
    fill(&mut stream, &mut answer, deadline)?;
    Ok(answer)
}

fn fill(stream: &mut UnixStream, into: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(rest) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{identities, sign_request, signature};

    #[test]
    fn the_messages_are_those_of_the_draft() {
        // Two keys with comments.
        let answer = b"\x0c\0\0\0\x02\0\0\0\x01a\0\0\0\0\0\0\0\x02bc\0\0\0\x01x";
        assert_eq!(identities(answer), Some(vec![b"a".to_vec(), b"bc".to_vec()]));
        let asked = sign_request(b"key", b"text");
        assert_eq!(asked.as_deref(), Some(&b"\x0d\0\0\0\x03key\0\0\0\x04text\0\0\0\0"[..]));
        let mut signed = b"\x0e\0\0\0\x53\0\0\0\x0bssh-ed25519\0\0\0\x40".to_vec();
        signed.extend([7; 64]);
        assert_eq!(signature(&signed), Some([7; 64]));
        // A failure, more than a signature, and one by another kind of key.
        assert_eq!(signature(b"\x05"), None);
        assert_eq!(signature(&[signed.as_slice(), b"x"].concat()), None);
        let kind = signed.iter().position(|b| *b == b'2').unwrap_or_default();
        signed[kind] = b'0';
        assert_eq!(signature(&signed), None);
        assert_eq!(identities(b"\x0c\xff\xff\xff\xff"), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_answered(answer in any::<Vec<u8>>()) {
            let _ = (identities(&answer), signature(&answer));
        }
    }
}
