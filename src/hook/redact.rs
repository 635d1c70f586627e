//! What `[log] redact` keeps out of the log: in its place stands a keyed hash, so that equal things
//! are still seen to be equal by whoever has the log, and guessed by nobody who lacks the key.
//!
//! Only what people type: logins and push options. No decision, ref, oid, digest, rule or name of the
//! policy can be kept out. The entry is chained and hashed as it is written, so every check of a log
//! holds as for any other.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::hook::fault::Stop;
use crate::log::decision::{Actor, Decision};
use crate::log::entry::Record;
use crate::log::wire::Text;
use crate::policy::settings::Redact;

/// The file with the key, in the folder of the log.
pub const KEY_FILE: &str = "redact.key";

/// How long the key is, in bytes: a block of SHA-256 holds it.
const KEY_BYTES: usize = 32;

/// The block that HMAC (RFC 2104) works with.
const BLOCK_BYTES: usize = 64;

/// Keeps out of new records what a policy wants kept out.
///
/// # Errors
/// A key that cannot be read or made: then nothing is written at all.
pub fn records(records: &mut [Record], what: Redact, log: &Path) -> Result<(), Stop> {
    if what == Redact::default() {
        return Ok(());
    }
    let told = "the key for what the log does not say could not be read or made";
    let key = key(&log.join(KEY_FILE)).map_err(|error| Stop::fault(told, &error))?;
    let redactor = Redactor { what, key };
    records.iter_mut().for_each(|record| redactor.record(record));
    Ok(())
}

/// What takes the place of something.
struct Redactor {
    what: Redact,
    key: [u8; KEY_BYTES],
}

impl Redactor {
    /// Keeps out of a record what is to be kept out.
    fn record(&self, record: &mut Record) {
        match record {
            Record::Decision(decision) => self.decision(decision),
            Record::BreakGlass(glass) => self.actor(&mut glass.actor),
            Record::Asked(asked) => self.actor(&mut asked.actor),
            Record::Refusal(refusal) => refusal.actor.iter_mut().for_each(|it| self.actor(it)),
            Record::Genesis(_)
            | Record::Birth(_)
            | Record::Outcome(_)
            | Record::Drift(_)
            | Record::Policy(_)
            | Record::Recovered(_)
            | Record::Settled(_)
            | Record::Seal(_)
            | Record::Segment(_)
            | Record::Pruned(_)
            | Record::Tidy(_)
            | Record::Config(_)
            | Record::Accepted(_) => {}
        }
    }

    fn decision(&self, decision: &mut Decision) {
        self.actor(&mut decision.actor);
        if self.what.options {
            decision.opts.iter_mut().for_each(|option| self.hide(option));
        }
        // It holds both: who pushed, by their own words, and every push option.
        if let Some(certificate) = &mut decision.cert {
            certificate.text = None;
        }
    }

    fn actor(&self, actor: &mut Actor) {
        if self.what.logins {
            self.hide(&mut actor.login);
        }
    }

    fn hide(&self, text: &mut Text) {
        if !text.0.is_empty() {
            *text = Text(format!("hmac-sha256:{}", hmac(&self.key, &text.0)).into_bytes());
        }
    }
}

/// HMAC-SHA-256, in hexadecimal.
fn hmac(key: &[u8; KEY_BYTES], message: &[u8]) -> String {
    let pad = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte ^= of_key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        found => found,
    }
}

fn read(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let bytes = fs::read(path)?;
    <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
        .map_err(|_| io::Error::other(format!("{} is no key of 32 bytes", path.display())))
}

/// Makes the key under another name first: two pushes at once end up with one.
fn make(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    let new = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::hmac;

    #[test]
    fn the_hash_is_hmac() {
        // RFC 4231, test case 1, whose key is shorter and filled up with zeros.
        let mut key = [0; super::KEY_BYTES];
        key[..20].fill(0x0b);
        let found = hmac(&key, b"Hi There");
        assert_eq!(found, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }
}
