//! A client that lies: `git receive-pack` spoken to in pkt-lines, byte by byte.
//!
//! What a decent Git would never send - forged lines, any byte in a name, one ref twice, old
//! values that are not true - is one [`Request`] here (gitprotocol-pack(5), "Pushing Data").

use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::support::ground::feed;

/// The SHA-1 of the header of a pack without objects.
const EMPTY_PACK_SHA1: [u8; 20] = [
    0x02, 0x9d, 0x08, 0x82, 0x3b, 0xd8, 0xa8, 0xea, 0xb5, 0x10, 0xad, 0x6a, 0xc7, 0x5c, 0x82, 0x3c,
    0xfd, 0x3e, 0xd3, 0x1e,
];

/// One push, as bytes.
#[derive(Debug)]
pub(crate) struct Request {
    commands: Vec<Vec<u8>>,
    capabilities: &'static str,
    options: Vec<Vec<u8>>,
    pack: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status lines: `unpack ok`, `ok REF`, `ng REF reason`.
    pub(crate) status: Vec<String>,
    /// What the hooks said.
    pub(crate) said: String,
}

impl Request {
    /// A push in a repository of this object format, with a pack that holds nothing.
    pub(crate) fn new(format: &str) -> Self {
        let capabilities = if format == "sha256" {
            "report-status push-options object-format=sha256"
        } else {
            "report-status push-options"
        };
        Self { commands: Vec::new(), capabilities, options: Vec::new(), pack: empty_pack(format) }
    }

    /// One more command; whatever bytes.
    pub(crate) fn command(mut self, old: &str, new: &str, name: impl AsRef<[u8]>) -> Self {
        let mut line = format!("{old} {new} ").into_bytes();
        line.extend_from_slice(name.as_ref());
        self.commands.push(line);
        self
    }

    /// One more push option; whatever bytes.
    pub(crate) fn option(mut self, option: impl AsRef<[u8]>) -> Self {
        self.options.push(option.as_ref().to_vec());
        self
    }

    /// Another pack than the empty one.
    pub(crate) fn pack(mut self, pack: Vec<u8>) -> Self {
        self.pack = pack;
        self
    }

    /// Saying that it can do this and nothing else.
    pub(crate) fn able(mut self, capabilities: &'static str) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The bytes of the request.
    pub(crate) fn bytes(&self, with_options: bool) -> Vec<u8> {
        let mut all = Vec::new();
        for (index, command) in self.commands.iter().enumerate() {
            let mut line = command.clone();
            if index == 0 {
                line.push(0);
                line.extend_from_slice(self.capabilities.as_bytes());
            }
            packet(&mut all, &line);
        }
        all.extend_from_slice(b"0000");
        if with_options {
            for option in &self.options {
                packet(&mut all, option);
            }
            all.extend_from_slice(b"0000");
        }
        // No pack follows a push that only deletes.
        if self.commands.iter().any(|command| !deletes(command)) {
            all.extend_from_slice(&self.pack);
        }
        all
    }

    /// Sends it to `git receive-pack REPO`, run as the command says (who pushes is in its
    /// environment).
    pub(crate) fn send(&self, mut receive_pack: Command, repository: &Path) -> Reply {
        // Options are read only where the server has offered them; `install` sees to that.
        let output = feed(receive_pack.arg("receive-pack").arg(repository), &self.bytes(true));
        Reply {
            status: status(&output.stdout),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Reply {
    /// Git must have taken nothing at all.
    #[track_caller]
    pub(crate) fn took_nothing(&self) -> &Self {
        let taken = self.status.iter().find(|line| line.starts_with("ok "));
        assert_eq!(taken, None, "nothing was to be taken\n{}", self.said);
        self
    }
}

/// A pack without objects.
pub(crate) fn empty_pack(format: &str) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    if format == "sha256" {
        let sum = Sha256::digest(&pack);
        pack.extend_from_slice(&sum);
    } else {
        pack.extend_from_slice(&EMPTY_PACK_SHA1);
    }
    pack
}

fn packet(all: &mut Vec<u8>, line: &[u8]) {
    all.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
    all.extend_from_slice(line);
}

fn deletes(command: &[u8]) -> bool {
    let new = command.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    new.iter().all(|byte| *byte == b'0')
}

/// The lines after the advertisement, which ends with a flush.
fn status(stdout: &[u8]) -> Vec<String> {
    let mut rest = stdout;
    let mut flushes = 0;
    let mut lines = Vec::new();
    while rest.len() >= 4 {
        let length = std::str::from_utf8(&rest[..4])
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .unwrap_or(0);
        if length < 4 || length > rest.len() {
            flushes += 1;
            rest = &rest[4..];
            continue;
        }
        if flushes > 0 {
            lines.push(String::from_utf8_lossy(&rest[4..length]).trim_end().to_owned());
        }
        rest = &rest[length..];
    }
    lines
}
