//! OpenSSH's formats: files that list keys, and signatures.

use portcullis::names::moment::Moment;
use portcullis::ssh::armor::decode;
use portcullis::ssh::key::SshKey;
use portcullis::ssh::signature::{SignatureCheck, verify};
use portcullis::ssh::{allowed_signers, auth_info, authorized_keys};

use super::{Target, choice, is_plain, outcome, shape};

/// Files of keys: `allowed_signers`, `authorized_keys`, and what sshd says of a login.
pub const SIGNERS: Target = Target {
    name: "signers",
    run: signers,
    words: &[
        b"ssh-ed25519 ",
        b"ssh-rsa ",
        b"ecdsa-sha2-nistp256 ",
        b"sk-ssh-ed25519@openssh.com ",
        b"AAAAC3NzaC1lZDI1NTE5AAAAI",
        b"namespaces=\"",
        b"valid-after=\"20260101Z\"",
        b"valid-before=",
        b"cert-authority",
        b"*@example.com,!",
        b"\"",
        b"publickey ",
        b"environment=\"",
    ],
};

fn whole_key(key: &SshKey) {
    assert_eq!(SshKey::parse(&key.line()).as_ref(), Ok(key));
    is_plain(&key.fingerprint());
}

fn signers(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    let Ok(text) = std::str::from_utf8(bytes) else { return 0 };
    let lines = text.split('\n').count();
    match first % 3 {
        0 => {
            let file = allowed_signers::parse(text);
            assert!(file.signers.len() + file.ignored.len() <= lines);
            let now = Moment::parse_seconds("2026-01-01T00:00:00Z").expect("a time");
            for signer in &file.signers {
                whole_key(&signer.key);
                assert!(!(signer.names("alice") && signer.excludes("alice")));
                let _ = (signer.signs_in("git"), signer.is_valid_at(now));
            }
            file.ignored
                .iter()
                .fold(shape(&[file.signers.len()]), |sum, one| sum ^ outcome(&one.why))
        }
        1 => {
            let file = authorized_keys::parse(text);
            assert!(file.keys.len() + file.ignored.len() <= lines);
            file.keys.iter().for_each(|one| whole_key(&one.key));
            shape(&[file.keys.len(), file.ignored.len(), 3])
        }
        _ => {
            let info = auth_info::parse(text);
            info.keys.iter().for_each(whole_key);
            outcome(&info)
        }
    }
}

/// Signatures in their armour, over one message.
pub const SIGNATURE: Target = Target {
    name: "signature",
    run: signature,
    words: &[
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"-----END SSH SIGNATURE-----\n",
        b"U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg",
        b"AAAA",
        b"=",
        b"\n",
    ],
};

/// What `fuzz/corpus/signature/good` signs, and for what.
const SIGNED: (&str, &[u8]) = ("git", b"portcullis\n");

/// That signature.
const GOOD: &[u8] = include_bytes!("../corpus/signature/good");

fn signature(data: &[u8]) -> u64 {
    let check = verify(SIGNED.0, SIGNED.1, data);
    is_plain(&check.to_string());
    assert!(check.to_string().len() < 400);
    if matches!(check, SignatureCheck::Good { .. }) {
        // Nobody but the key's owner makes one, and none can be made of another.
        assert_eq!(decode(data).ok(), decode(GOOD).ok());
    }
    outcome(&check)
}
