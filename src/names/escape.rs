//! Text from outside, made safe to show on a terminal.
//!
//! Control characters, bytes that are not UTF-8, bidirectional and invisible characters become
//! visible escapes (CVE-2021-42574 and its kin), so that what a pusher wrote cannot move a cursor,
//! forge a line or hide a letter.

use std::fmt::Write as _;

/// How many columns of outside text a message shows.
pub const SHOWN_COLUMNS_MAX: usize = 40;

/// The text with everything that is not plainly visible escaped as `\xNN` or `\u{NNNN}`.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c);
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// As `escape`, cut to `SHOWN_COLUMNS_MAX` characters with `...` where something is missing.
pub fn escape_short(bytes: &[u8]) -> String {
    let whole = escape(bytes);
    if whole.chars().count() <= SHOWN_COLUMNS_MAX {
        return whole;
    }
    let mut cut: String = whole.chars().take(SHOWN_COLUMNS_MAX - 3).collect();
    cut.push_str("...");
    cut
}

fn push_escaped(out: &mut String, c: char) {
    let result = match c {
        '\\' => write!(out, "\\\\"),
        '\n' => write!(out, "\\n"),
        '\t' => write!(out, "\\t"),
        '\r' => write!(out, "\\r"),
        c if u32::from(c) < 0x20 || c == '\x7f' => write!(out, "\\x{:02x}", u32::from(c)),
        c if is_deceptive(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
        c => write!(out, "{c}"),
    };
    // Writing to a String cannot fail.
    let _ = result;
}

/// Whether a character is invisible, changes direction, or is no character at all.
pub fn is_deceptive(c: char) -> bool {
    matches!(u32::from(c),
        0x80..=0x9f | 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff
        | 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff)
}
