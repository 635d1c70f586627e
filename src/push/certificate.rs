//! Push certificates (gitprotocol-pack(5), "Push Certificate"): what somebody signed when they
//! pushed.
//!
//! `Certificate` reads one, pure: bytes in, parts out. Whether it is good is `identity`'s to say,
//! and comes back as a `Certified`. Git hands the whole text over as a blob (`GIT_PUSH_CERT` of
//! git-receive-pack(1)) and makes the hook's input of it, yet nothing here is believed of that.

use thiserror::Error;

use crate::names::digest::Digest;
use crate::names::principal::PrincipalName;

/// How much longer than the hook's input a certificate may be, in bytes: its header, its push
/// options and its signature.
pub const CERTIFICATE_EXTRA_BYTES_MAX: usize = 512 * 1024;

/// The first line of every certificate.
const VERSION: &[u8] = b"certificate version 0.1";

/// How the line begins that begins a signature of any kind (gpg-interface.c).
const ARMOR: &[u8] = b"-----BEGIN ";

/// What somebody signed when they pushed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate<'a> {
    /// Who they say they are: an e-mail, or the fingerprint of a key, and a time. A claim.
    pub pusher: &'a [u8],
    /// The URL they pushed to, as they typed it, without a login in it.
    pub pushee: Option<&'a [u8]>,
    /// The server's nonce, as they were given it.
    pub nonce: Option<&'a [u8]>,
    /// Their push options, in order.
    pub options: Vec<&'a [u8]>,
    /// Their ref updates: `OLD SP NEW SP REF`.
    pub commands: Vec<&'a [u8]>,
    /// Everything that is signed.
    pub signed: &'a [u8],
    /// The signature in its armour.
    pub armor: &'a [u8],
}

/// Why bytes are no certificate. Words that follow "the certificate".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CertificateProblem {
    /// Its first line is another one.
    #[error("is of a version that is not known here")]
    Version,
    /// A line of its header is missing, or out of its place.
    #[error("has no `{0}` where one belongs")]
    Header(&'static str),
    /// It asks for nothing.
    #[error("names no ref update")]
    NoCommands,
    /// It ends without a signature.
    #[error("is not signed")]
    NotSigned,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate, nothing left over.
    pub fn parse(text: &'a [u8]) -> Result<Self, CertificateProblem> {
        let at = signature_at(text).ok_or(CertificateProblem::NotSigned)?;
        let (signed, armor) = text.split_at(at);
        let mut lines = signed.split_inclusive(|&b| b == b'\n').map(without_end).peekable();
        let mut next = |key: &'static str| {
            let value = lines.next_if(|line| line.starts_with(key.as_bytes()))?;
            value.get(key.len()..)
        };
        if next("certificate ") != VERSION.strip_prefix(b"certificate ") {
            return Err(CertificateProblem::Version);
        }
        let pusher = next("pusher ").ok_or(CertificateProblem::Header("pusher"))?;
        let pushee = next("pushee ");
        let nonce = next("nonce ");
        let options = std::iter::from_fn(|| next("push-option ")).collect();
        if lines.next().is_none_or(|line| !line.is_empty()) {
            return Err(CertificateProblem::Header("empty line"));
        }
        let commands: Vec<&[u8]> = lines.collect();
        if commands.is_empty() {
            return Err(CertificateProblem::NoCommands);
        }
        Ok(Self { pusher, pushee, nonce, options, commands, signed, armor })
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Where the first line stands that begins a signature. No other line can begin so: a ref update
/// begins with an oid, and every line of the header with its key.
fn signature_at(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive(|&b| b == b'\n') {
        if line.starts_with(ARMOR) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// The certificate of a push, looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified {
    /// The SHA-256 of what is signed, or of all of it where that cannot be told. Its signature is
    /// malleable and no part of its name.
    pub id: Digest,
    /// The whole text.
    pub text: Vec<u8>,
    /// The fingerprint of the key that made a signature which fits. `None`: none fits.
    pub fingerprint: Option<String>,
    /// What it is worth.
    pub standing: Standing,
}

/// What a certificate is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// This principal signed exactly this push to this server, now.
    Good(PrincipalName),
    /// It does not count. Words that follow "the certificate": `is not signed`.
    Not(String),
}

impl Certified {
    /// Who pushed, when it is good.
    pub fn signer(&self) -> Option<&PrincipalName> {
        match &self.standing {
            Standing::Good(name) => Some(name),
            Standing::Not(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::{Certificate, CertificateProblem};

    const REAL: &str = "certificate version 0.1\n\
        pusher SHA256:Bx7+itf+cIXeWX3gmCKdWmu85ZFf2KNX0fFY4PTIYY4  1795397580 +0000\n\
        pushee /srv/infra.git\nnonce 1795397580-7a85ee615f7f55c49ff8c72a34960a0fc8ab78a8\n\
        push-option a b\npush-option push-option\n\n\
        0000000000000000000000000000000000000000 3bc88450fffc74cb9e2c93c6ee61d91cb071cb2c refs/heads/main\n\
        0000000000000000000000000000000000000000 3bc88450fffc74cb9e2c93c6ee61d91cb071cb2c refs/heads/two\n\
        -----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n";

    #[test]
    fn a_certificate_is_read_whole() {
        let read = Certificate::parse(REAL.as_bytes()).unwrap();
        assert_eq!(read.pushee, Some(&b"/srv/infra.git"[..]));
        assert!(read.nonce.unwrap().starts_with(b"1795397580-"));
        assert_eq!(read.options, [&b"a b"[..], b"push-option"]);
        assert_eq!(read.commands.len(), 2);
        assert!(read.commands[1].ends_with(b" refs/heads/two"));
        assert!(read.signed.ends_with(b"refs/heads/two\n"));
        assert!(read.armor.starts_with(b"-----BEGIN SSH"));
    }

    #[test]
    fn what_may_be_missing_may_and_the_rest_may_not() {
        let without = |start: &str| {
            let lines = REAL.split_inclusive('\n').filter(|line| !line.starts_with(start));
            lines.collect::<String>()
        };
        for start in ["pushee", "nonce", "push-option"] {
            assert!(Certificate::parse(without(start).as_bytes()).is_ok(), "{start}");
        }
        let problem = |text: String| Certificate::parse(text.as_bytes()).err();
        assert_eq!(problem(without("certificate")), Some(CertificateProblem::Version));
        assert_eq!(problem(without("pusher")), Some(CertificateProblem::Header("pusher")));
        assert_eq!(problem(without("\n")), Some(CertificateProblem::Header("empty line")));
        assert_eq!(problem(without("0000")), Some(CertificateProblem::NoCommands));
        assert_eq!(problem(without("-----BEGIN")), Some(CertificateProblem::NotSigned));
        let turned = REAL.replace("nonce ", "once ");
        assert_eq!(problem(turned), Some(CertificateProblem::Header("empty line")));
        let other = REAL.replace("version 0.1", "version 0.2");
        assert_eq!(problem(other), Some(CertificateProblem::Version));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Certificate::parse(&bytes);
        }

        #[test]
        fn parts_of_a_real_one_never_panic(from in 0..REAL.len(), to in 0..REAL.len(), byte: u8) {
            let mut text = REAL.as_bytes()[from.min(to)..from.max(to)].to_vec();
            if let Some(at) = text.get_mut(from % 7) {
                *at = byte;
            }
            if let Ok(read) = Certificate::parse(&text) {
                prop_assert_eq!([read.signed, read.armor].concat(), text);
            }
        }
    }
}
