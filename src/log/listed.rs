//! Long lists as attachments hold them, and whole again.

use crate::log::wire::{AsText, Listed, Plain};
use crate::names::oid::Oid;

/// The attachment's bytes of a list of oids or digests: one a line.
pub fn lines_bytes<T: Plain>(list: &[AsText<T>]) -> Vec<u8> {
    let mut text = String::with_capacity(list.len() * 65);
    for one in list {
        text.push_str(&one.0.spell());
        text.push('\n');
    }
    text.into_bytes()
}

/// The list of a `Listed` of oids or digests from its attachment's bytes. `None` when they are not
/// that.
pub fn lines_of<T: Plain>(bytes: &[u8]) -> Option<Vec<AsText<T>>> {
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if lines.is_empty() {
        return Some(Vec::new());
    }
    let one = |line| T::read(std::str::from_utf8(line).ok()?).map(AsText);
    lines.split(|&byte| byte == b'\n').map(one).collect()
}

/// A list made whole again from its attachment's bytes. `None` when they are not that list.
pub fn refill<T: Plain>(list: &mut Listed<AsText<T>>, bytes: &[u8]) -> Option<()> {
    let all = lines_of(bytes)?;
    if all.len() as u64 != list.n {
        return None;
    }
    list.list = all;
    Some(())
}

/// Refs in the form of `git ls-remote --refs`: `<oid> TAB <refname> LF`, in the order given.
pub fn refs_bytes<'a>(refs: impl IntoIterator<Item = (&'a [u8], Oid)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, oid) in refs {
        bytes.extend_from_slice(oid.hex().as_bytes());
        bytes.push(b'\t');
        bytes.extend_from_slice(name);
        bytes.push(b'\n');
    }
    bytes
}
