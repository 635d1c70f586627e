//! `ssh-keygen` is the oracle: what it signs we read, and what it refuses we refuse.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::ssh::key::{SshKey, UnsupportedKey};

const NAMESPACE: &str = "approval@portcullis";
const MESSAGE: &[u8] = b"approval v1\nverdict approve\n\n";

/// A key pair in a folder of its own.
pub(super) struct Keygen {
    folder: TempDir,
}

impl Keygen {
    pub(super) fn new(arguments: &[&str]) -> Self {
        let keygen = Self { folder: TempDir::new().unwrap() };
        let status = Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", "test"])
            .args(arguments)
            .arg("-f")
            .arg(keygen.path("key"))
            .status();
        assert!(status.unwrap().success());
        keygen
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn public_line(&self) -> String {
        fs::read_to_string(self.path("key.pub")).unwrap()
    }

    pub(super) fn public_key(&self) -> SshKey {
        SshKey::parse(&self.public_line()).unwrap()
    }

    fn sign(&self, key_file: &str, options: &[&str]) -> Vec<u8> {
        fs::write(self.path("message"), MESSAGE).unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE])
            .args(options)
            .arg("-f")
            .arg(self.path(key_file))
            .stdin(fs::File::open(self.path("message")).unwrap())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    }

    /// What `ssh-keygen -Y verify` says.
    fn accepts(&self, namespace: &str, message: &[u8], armoured: &[u8]) -> bool {
        fs::write(self.path("allowed"), format!("someone {}", self.public_line())).unwrap();
        fs::write(self.path("message"), message).unwrap();
        fs::write(self.path("signature"), armoured).unwrap();
        Command::new("ssh-keygen")
            .args(["-q", "-Y", "verify", "-I", "someone", "-n", namespace])
            .arg("-f")
            .arg(self.path("allowed"))
            .arg("-s")
            .arg(self.path("signature"))
            .stdin(fs::File::open(self.path("message")).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }
}

fn is_good(check: &SignatureCheck) -> bool {
    matches!(check, SignatureCheck::Good { .. })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The same signature in lines of this width.
fn rewrapped(armoured: &[u8], width: usize) -> String {
    let body: String = text(armoured).lines().filter(|line| !line.starts_with('-')).collect();
    let lines: Vec<&str> =
        body.as_bytes().chunks(width).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

#[test]
fn every_kind_of_key_that_ssh_keygen_makes_is_verified() {
    let kinds: [&[&str]; 6] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "3072"],
    ];
    for kind in kinds {
        let keygen = Keygen::new(kind);
        let key = keygen.public_key();
        for digest in ["hashalg=sha256", "hashalg=sha512"] {
            let armoured = keygen.sign("key", &["-O", digest]);
            assert_eq!(
                verify(NAMESPACE, MESSAGE, &armoured),
                SignatureCheck::Good { key: key.bytes().clone(), fingerprint: key.fingerprint() },
                "{kind:?} {digest}"
            );
            let other = verify(NAMESPACE, b"approval v1\nverdict reject\n\n", &armoured);
            assert_eq!(other, SignatureCheck::Bad { fingerprint: key.fingerprint() }, "{kind:?}");
        }
    }
}

#[test]
fn the_fingerprint_is_the_one_that_ssh_keygen_prints() {
    let keygen = Keygen::new(&["-t", "ed25519"]);
    let output =
        Command::new("ssh-keygen").args(["-l", "-f"]).arg(keygen.path("key.pub")).output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(printed.split(' ').nth(1), Some(keygen.public_key().fingerprint().as_str()));
}

#[test]
fn a_signature_made_for_another_purpose_says_which() {
    let keygen = Keygen::new(&["-t", "ed25519"]);
    let armoured = keygen.sign("key", &[]);
    assert_eq!(
        verify("git", MESSAGE, &armoured),
        SignatureCheck::WrongNamespace { found: NAMESPACE.to_owned() }
    );
    assert!(!keygen.accepts("git", MESSAGE, &armoured));
}

#[test]
fn armour_is_taken_exactly_as_ssh_keygen_takes_it() {
    let keygen = Keygen::new(&["-t", "ed25519"]);
    let armoured = keygen.sign("key", &[]);
    let plain = text(&armoured);
    let cases = [
        plain.clone(),
        rewrapped(&armoured, 64),
        rewrapped(&armoured, 76),
        rewrapped(&armoured, 1),
        rewrapped(&armoured, 10_000),
        format!("{plain}text behind\n"),
        plain.trim_end().to_owned(),
        format!("\n{plain}"),
        format!("text before\n{plain}"),
        plain.replacen("-----\n", "----- \n", 1),
        plain.replace("-----END", " -----END"),
        plain.replace("SSH", "PGP"),
        plain.replacen('U', "V", 1),
        plain.replace("=", ""),
        plain.replace("\n-----END", "\n\n\t \n-----END"),
        String::new(),
    ];
    for case in &cases {
        let check = verify(NAMESPACE, MESSAGE, case.as_bytes());
        let accepted = keygen.accepts(NAMESPACE, MESSAGE, case.as_bytes());
        assert_eq!(is_good(&check), accepted, "{case}\n{check:?}");
    }
}

#[test]
fn a_begin_line_that_ends_in_crlf_is_refused_whatever_ssh_keygen_says() {
    let keygen = Keygen::new(&["-t", "ed25519"]);
    let crlf = text(&keygen.sign("key", &[])).replace('\n', "\r\n");
    assert!(matches!(
        verify(NAMESPACE, MESSAGE, crlf.as_bytes()),
        SignatureCheck::Malformed { .. }
    ));
}

#[test]
fn keys_that_never_count_are_named() {
    let short = Keygen::new(&["-t", "rsa", "-b", "1024"]);
    let check = verify(NAMESPACE, MESSAGE, &short.sign("key", &[]));
    assert_eq!(
        check,
        SignatureCheck::Unsupported {
            what: "RSA keys of 1024 bits are not accepted (2048 to 4096 are)".to_owned()
        }
    );
    assert!(SshKey::parse(&short.public_line()).is_err());
}

#[test]
fn an_rsa_key_counts_from_its_first_bit_to_its_last() {
    // No two primes make these numbers; nobody can tell from how long they are.
    let read = |number: &[u8]| {
        SshKey::from_wire(&[string(b"ssh-rsa"), string(&[1, 0, 1]), string(number)].concat())
    };
    let refused = |bits| Some(UnsupportedKey::RsaSize { bits }.into());
    assert_eq!(read(&[&[0x7f; 1][..], &[0xff; 255]].concat()).err(), refused(2047));
    assert_eq!(read(&[&[0, 0x80][..], &[0xff; 255]].concat()).err(), None);
    assert_eq!(read(&[&[0][..], &[0xff; 512]].concat()).err(), None);
    assert_eq!(read(&[&[1][..], &[0xff; 512]].concat()).err(), refused(4097));
}

#[test]
fn a_key_is_written_as_it_stood_in_its_file() {
    let keygen = Keygen::new(&["-t", "ed25519"]);
    let line = keygen.public_line();
    assert_eq!(line.strip_suffix(" test\n"), Some(keygen.public_key().line().as_str()));
}

#[test]
fn a_certified_key_is_told_from_the_key_itself() {
    let authority = Keygen::new(&["-t", "ed25519"]);
    let signer = Keygen::new(&["-t", "ed25519"]);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", "someone", "-s"])
        .arg(authority.path("key"))
        .arg(signer.path("key.pub"))
        .status();
    assert!(status.unwrap().success());
    let armoured = signer.sign("key-cert.pub", &[]);
    let key = SshKey::parse(&signer.public_line()).unwrap();
    let SignatureCheck::Certified { certificate, fingerprint } =
        verify(NAMESPACE, MESSAGE, &armoured)
    else {
        panic!("a certified key, and the roster asks for whom");
    };
    assert_eq!(fingerprint, key.fingerprint());
    assert!(certificate.names("someone") && !certificate.names("some*"));
    assert_eq!(certificate.authority, *SshKey::parse(&authority.public_line()).unwrap().bytes());
    assert!(matches!(verify(NAMESPACE, b"another message", &armoured), SignatureCheck::Bad { .. }));
}

/// A string as the wire has it.
pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn token_pair() -> ssh_key::private::Ed25519Keypair {
    ssh_key::private::Ed25519Keypair::from_seed(&[7; 32])
}

/// The key of a token whose seed is in hand, on the wire.
pub(super) fn token() -> Vec<u8> {
    let public = token_pair().public;
    [string(b"sk-ssh-ed25519@openssh.com"), string(public.as_ref()), string(b"ssh:")].concat()
}

/// What the token signs, with these flags, on the wire.
pub(super) fn token_signs(flags: u8, message: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};

    let trailer = [flags, 0, 0, 0, 9];
    let asked = [&Sha256::digest(b"ssh:")[..], &trailer, &Sha256::digest(message)].concat();
    let signed = sign(&ssh_key::PrivateKey::from(token_pair()), &asked);
    [string(b"sk-ssh-ed25519@openssh.com"), string(&signed), trailer.to_vec()].concat()
}

/// A signature as a hardware key gives it, made with the key's seed in hand.
fn hardware_signature(flags: u8) -> (SshKey, Vec<u8>) {
    use base64ct::{Base64, Encoding as _};
    use sha2::{Digest as _, Sha512};

    let key = token();
    let to_sign = [
        MAGIC.to_vec(),
        string(NAMESPACE.as_bytes()),
        string(b""),
        string(b"sha512"),
        string(&Sha512::digest(MESSAGE)),
    ]
    .concat();
    let whole = [
        MAGIC.to_vec(),
        VERSION.to_be_bytes().to_vec(),
        string(&key),
        string(NAMESPACE.as_bytes()),
        string(b""),
        string(b"sha512"),
        string(&token_signs(flags, &to_sign)),
    ]
    .concat();
    let armoured = format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        Base64::encode_string(&whole)
    );
    (SshKey::from_wire(&key).unwrap(), armoured.into_bytes())
}

/// The trait that signs belongs to a crate we do not name; `SigningKey` has it as its parent.
fn sign<K: ssh_key::SigningKey>(key: &K, message: &[u8]) -> Vec<u8> {
    key.try_sign(message).unwrap().as_bytes().to_vec()
}

#[test]
fn a_hardware_key_counts_when_somebody_touched_it() {
    let (key, armoured) = hardware_signature(USER_PRESENT);
    let (bytes, fingerprint) = (key.bytes().clone(), key.fingerprint());
    assert_eq!(
        verify(NAMESPACE, MESSAGE, &armoured),
        SignatureCheck::Good { key: bytes.clone(), fingerprint: fingerprint.clone() }
    );
    let (_, untouched) = hardware_signature(0);
    assert_eq!(
        verify(NAMESPACE, MESSAGE, &untouched),
        SignatureCheck::Untouched { key: bytes, fingerprint }
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_in_good_armour_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use base64ct::{Base64, Encoding as _};
        let body = Base64::encode_string(&[MAGIC, &[0, 0, 0, 1], &bytes].concat());
        let armoured = format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----");
        prop_assert!(!is_good(&verify(NAMESPACE, MESSAGE, armoured.as_bytes())));
    }

    #[test]
    fn a_changed_byte_of_the_message_never_verifies(at in 0..MESSAGE.len(), flip in 1u8..) {
        let (_, armoured) = hardware_signature(USER_PRESENT);
        let mut message = MESSAGE.to_vec();
        message[at] ^= flip;
        prop_assert!(!is_good(&verify(NAMESPACE, &message, &armoured)));
    }
}
