//! Where a log's private key is held: in a file, or with an ssh-agent.
//!
//! What a policy's `[log] key` says, as a value. Whoever signs opens it.

use std::path::PathBuf;

use thiserror::Error;

/// What the place of an agent's key begins with.
const AGENT: &str = "agent:";

/// What a fingerprint begins with, as `ssh-keygen -l` prints it.
const SHA256: &str = "SHA256:";

/// How long a fingerprint is behind that: 32 bytes in base64 without padding.
const FINGERPRINT_CHARS: usize = 43;

/// Where a log's key is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum KeyPlace {
    /// In the log's own folder.
    #[default]
    InTheLog,
    /// In this file; where it is a folder, in a file of it with the repository's id and `.key`.
    File(PathBuf),
    /// With an ssh-agent.
    Agent(AgentKey),
}

/// A key that an ssh-agent holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKey {
    /// The agent's socket. `None`: the one that `SSH_AUTH_SOCK` names.
    pub socket: Option<PathBuf>,
    /// `SHA256:` and the digest of the public key.
    pub fingerprint: String,
}

/// Why a text is no place of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyPlaceError {
    /// A path from nowhere: hooks run in many folders.
    #[error("a file of a key is named by its full path")]
    Path,
    /// Not `agent:SHA256:...` nor `agent:/SOCKET#SHA256:...`.
    #[error(
        "a key of an agent is named agent:SHA256:FINGERPRINT or agent:/SOCKET#SHA256:FINGERPRINT"
    )]
    Agent,
}

impl KeyPlace {
    /// Reads what a policy says.
    pub fn parse(text: &str) -> Result<Self, KeyPlaceError> {
        let Some(rest) = text.strip_prefix(AGENT) else {
            let path = PathBuf::from(text);
            let fine = path.is_absolute() && !text.contains('\0');
            return if fine { Ok(Self::File(path)) } else { Err(KeyPlaceError::Path) };
        };
        let (socket, fingerprint) = match rest.rsplit_once('#') {
            Some((socket, fingerprint)) => (Some(PathBuf::from(socket)), fingerprint),
            None => (None, rest),
        };
        let digits = fingerprint.strip_prefix(SHA256).ok_or(KeyPlaceError::Agent)?;
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        let fine = digits.len() == FINGERPRINT_CHARS && digits.bytes().all(base64);
        if !fine || socket.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(KeyPlaceError::Agent);
        }
        Ok(Self::Agent(AgentKey { socket, fingerprint: fingerprint.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{AgentKey, KeyPlace, KeyPlaceError};

    #[test]
    fn a_place_is_a_file_or_an_agent() {
        let print = format!("SHA256:{}", "a/+Z9".repeat(9).split_off(2));
        let file = KeyPlace::parse("/srv/keys/log");
        assert_eq!(file, Ok(KeyPlace::File(PathBuf::from("/srv/keys/log"))));
        let agent = |socket: Option<&str>| {
            let socket = socket.map(PathBuf::from);
            Ok(KeyPlace::Agent(AgentKey { socket, fingerprint: print.clone() }))
        };
        assert_eq!(KeyPlace::parse(&format!("agent:{print}")), agent(None));
        let with = KeyPlace::parse(&format!("agent:/run/agent#1#{print}"));
        assert_eq!(with, agent(Some("/run/agent#1")));
        for wrong in ["key", "", "keys/log", "/a\0b"] {
            assert_eq!(KeyPlace::parse(wrong), Err(KeyPlaceError::Path), "{wrong}");
        }
        let short = format!("agent:{}", &print[..49]);
        let relative = format!("agent:run/agent#{print}");
        for wrong in ["agent:", "agent:MD5:00", &short, &relative] {
            assert_eq!(KeyPlace::parse(wrong), Err(KeyPlaceError::Agent), "{wrong}");
        }
    }
}
