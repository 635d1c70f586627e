//! Paths and words, written so that a shell reads them back as they are.
//!
//! Used wherever a command is shown that somebody will copy, and by the hook files.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::names::escape::{escape, is_deceptive};

/// The bytes in single quotes, for `sh`. Any bytes but NUL survive.
pub fn quoted_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'\'');
    for &byte in bytes {
        match byte {
            b'\'' => out.extend_from_slice(br"'\''"),
            other => out.push(other),
        }
    }
    out.push(b'\'');
    out
}

/// A path as part of a command that a person copies: bare where that is safe, else quoted, and in
/// the `$'...'` form of newer shells where it holds what a terminal should not be shown.
pub fn shell(path: &Path) -> String {
    shell_word(path.as_os_str().as_bytes())
}

/// As `shell`, for any word.
pub fn shell_word(bytes: &[u8]) -> String {
    let is_bare = |b: &u8| b.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(b);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(is_bare) => text.into(),
        Ok(text) if !text.chars().any(|c| c.is_control() || is_deceptive(c)) => {
            String::from_utf8_lossy(&quoted_bytes(text.as_bytes())).into_owned()
        }
        Ok(_) | Err(_) => dollar_quoted(bytes),
    }
}

/// A path inside a sentence, made safe to show.
pub fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

fn dollar_quoted(bytes: &[u8]) -> String {
    let mut out = String::from("$'");
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x20..=0x7e => out.push(char::from(byte)),
            other => out.push_str(&format!("\\{other:03o}")),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_they_must_be() {
        assert_eq!(shell_word(b"/srv/git/infra.git"), "/srv/git/infra.git");
        assert_eq!(shell_word(b"/srv/my repo's.git"), r"'/srv/my repo'\''s.git'");
        assert_eq!(shell_word("/srv/größe".as_bytes()), "'/srv/größe'");
        assert_eq!(shell_word(b"a\x1b[2Jb\xff"), r"$'a\033[2Jb\377'");
        assert_eq!(shell_word(b""), "''");
    }
}
