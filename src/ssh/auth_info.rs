//! What `sshd` says about how somebody logged in: the file that `$SSH_USER_AUTH` names
//! (sshd_config(5), `ExposeAuthInfo`).
//!
//! Used by `identity` for the source `ssh-auth-info`. Each line is a method and what belongs to it:
//! `publickey ssh-ed25519 AAAA...`, `password`. The file is written by `sshd`, not by whoever logs
//! in; who reads it makes sure of that, not this parser.

use crate::ssh::key::SshKey;

/// How long such a file may be, in bytes. `sshd` writes one line a method.
pub const AUTH_INFO_BYTES_MAX: usize = 64 * 1024;

/// What the file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthInfo {
    /// The keys that the login proved possession of, in order.
    pub keys: Vec<SshKey>,
    /// Why a `publickey` line gave no key: sentences.
    pub unread: Vec<String>,
    /// The other methods that were passed, such as `password`.
    pub other_methods: Vec<String>,
}

/// Reads the file's text.
pub fn parse(text: &str) -> AuthInfo {
    let mut info = AuthInfo::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.split_once(' ') {
            Some(("publickey", key)) => match SshKey::parse(key) {
                Ok(key) => info.keys.push(key),
                Err(why) => info.unread.push(why.to_string()),
            },
            Some((method, _)) => info.other_methods.push(method.to_owned()),
            None => info.other_methods.push(line.to_owned()),
        }
    }
    info
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    #[test]
    fn keys_and_other_methods_are_told_apart() {
        let info = parse(&format!("publickey {KEY}\npassword\nkeyboard-interactive/pam x\n"));
        assert_eq!(info.keys, SshKey::parse(KEY).into_iter().collect::<Vec<_>>());
        assert_eq!(info.other_methods, ["password", "keyboard-interactive/pam"]);
        assert!(info.unread.is_empty());
    }

    #[test]
    fn a_key_that_cannot_be_read_is_said_and_does_not_count() {
        let info = parse("publickey ssh-ed25519 AAAA\npublickey\n");
        assert!(info.keys.is_empty());
        assert_eq!(info.unread.len(), 1);
        assert_eq!(info.other_methods, ["publickey"]);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
