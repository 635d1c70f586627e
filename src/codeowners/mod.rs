//! A CODEOWNERS file -> who it says owns a path, in each of the three dialects.
//!
//! Pure and total: any bytes are a file, and what of it cannot be read is kept as such. The dialects
//! look alike and differ in what a line means; each has a file of its own that says how and where
//! its forge documents it. Who a name stands for is for `roster` to say.
//!
//! Invariant: a line that cannot be read is never left out. It may have been meant for any path, so
//! it claims every path, for nobody.

pub mod book;
pub mod dialect;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod glob;
pub mod owner;

use crate::codeowners::book::{Book, Unfit};
use crate::codeowners::dialect::Dialect;

/// How large a file may be, in bytes: where GitHub stops reading it.
pub const FILE_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Reads a file of this dialect.
///
/// # Errors
/// The file as a whole is too large, or has too many lines.
pub fn read(dialect: Dialect, bytes: &[u8]) -> Result<Book, Unfit> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unfit::TooLarge);
    }
    // An editor's mark in front of the first line is no part of its pattern.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.trim_ascii());
    let lines =
        (1_u32..).zip(lines).filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"));
    match dialect {
        Dialect::Github => github::read(lines),
        Dialect::Gitlab => gitlab::read(lines),
        Dialect::Gitea => gitea::read(lines),
    }
}

#[cfg(test)]
mod tests;
