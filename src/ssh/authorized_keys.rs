//! The `authorized_keys` file (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
//!
//! Used by `install --people`, which takes its keys, and by nothing that decides about access. A
//! line that `sshd` would pass over is reported with its number and a reason.

use crate::ssh::key::SshKey;
use crate::ssh::options::{self, KeyOption};

/// A whole file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthorizedKeys {
    /// The keys, in order.
    pub keys: Vec<AuthorizedKey>,
    /// The lines that could not be read: number from 1, and why.
    pub ignored: Vec<(usize, String)>,
}

/// One key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizedKey {
    /// Its line's number, from 1.
    pub line: usize,
    /// What stands before it.
    pub options: Vec<KeyOption>,
    /// The key.
    pub key: SshKey,
    /// What follows it: `alice@laptop`, say, or nothing.
    pub comment: String,
}

impl AuthorizedKey {
    /// Whether this key only signs other keys and is nobody's own.
    pub fn is_authority(&self) -> bool {
        self.options.iter().any(|option| option.name == "cert-authority")
    }

    /// The value of `environment="NAME=VALUE"` for this name.
    pub fn environment(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .filter(|option| option.name == "environment")
            .filter_map(|option| option.value.as_deref()?.split_once('='))
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

/// Reads a whole file.
pub fn parse(text: &str) -> AuthorizedKeys {
    let mut file = AuthorizedKeys::default();
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_line(number, line) {
            Ok(key) => file.keys.push(key),
            Err(why) => file.ignored.push((number, why)),
        }
    }
    file
}

fn parse_line(line: usize, text: &str) -> Result<AuthorizedKey, String> {
    // As sshd does it: a key first; options only where that fails.
    let first = match SshKey::parse_with_comment(text) {
        Ok((key, comment)) => {
            return Ok(AuthorizedKey {
                line,
                options: Vec::new(),
                key,
                comment: comment.to_owned(),
            });
        }
        Err(why) => why,
    };
    let (options, rest) = options::split(text).map_err(|why| why.to_string())?;
    let (key, comment) = SshKey::parse_with_comment(rest)
        .map_err(|why| if rest.contains([' ', '\t']) { why } else { first }.to_string())?;
    let options = options::parse(options).map_err(|why| why.to_string())?;
    Ok(AuthorizedKey { line, options, key, comment: comment.to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    #[test]
    fn options_key_and_comment_are_told_apart() {
        let file = parse(&format!(
            "# people\n\n{KEY} alice@laptop\r\n\
             restrict,command=\"serve \\\"a b\\\"\",environment=\"WHO=bob\" {KEY} bob smith\n"
        ));
        assert_eq!(file.ignored, []);
        assert_eq!(file.keys[0].line, 3);
        assert_eq!(file.keys[0].comment, "alice@laptop");
        assert_eq!(file.keys[1].comment, "bob smith");
        assert_eq!(file.keys[1].options[1].value.as_deref(), Some("serve \"a b\""));
        assert_eq!(file.keys[1].environment("WHO"), Some("bob"));
        assert_eq!(file.keys[1].environment("who"), None);
        assert_eq!(file.keys[0].key, file.keys[1].key);
    }

    #[test]
    fn lines_that_hold_no_usable_key_are_reported_with_their_number() {
        let file = parse(&format!("nonsense\nssh-ed25519 AAAA broken\ncert-authority {KEY} ca\n"));
        let lines: Vec<usize> = file.ignored.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2]);
        assert!(file.keys.first().unwrap().is_authority());
        let plain = parse(&format!("restrict {KEY} ca\n{KEY} ca\n"));
        assert!(plain.keys.len() == 2 && plain.keys.iter().all(|key| !key.is_authority()));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
