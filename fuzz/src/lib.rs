//! What is thrown at the parsers: for each a function that takes any bytes and holds what comes of
//! them against what must always be so.
//!
//! No panic is the least of it. A text that is read has one reading and is printed as it stood, two
//! readers of one text agree, what is shown to a person is fit to be shown, and no output outgrows its
//! input. Two drivers run them: cargo-fuzz (`fuzz_targets`) where there is a nightly toolchain, and
//! `tests/fuzz.rs` under any.

pub mod gittuf;
pub mod keys;
pub mod logs;
pub mod objects;
pub mod openpgp;
pub mod texts;

use std::fmt::Debug;

use portcullis::names::escape::is_deceptive;

/// A parser and what it is held to.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Takes any bytes. Returns what became of them as a number: inputs with different numbers were
    /// treated differently, which is what a driver that sees no further goes by.
    pub run: fn(&[u8]) -> u64,
    /// Words of the format, for mutations that would take long to find them.
    pub words: &'static [&'static [u8]],
}

/// Every target.
pub const TARGETS: [Target; 24] = [
    objects::STDIN,
    objects::OPTIONS,
    objects::CERTIFICATE,
    objects::COMMIT,
    objects::TREE,
    objects::TAG,
    objects::TABLE,
    texts::PATTERNS,
    texts::POLICY,
    texts::CASES,
    texts::STATEMENT,
    texts::INFRA,
    texts::OWNERS,
    texts::ANSWER,
    keys::SIGNERS,
    keys::SIGNATURE,
    openpgp::OPENPGP,
    gittuf::GITTUF,
    logs::LINE,
    logs::NOTE,
    logs::PROOF,
    logs::TRUST,
    logs::PACKED,
    logs::MANIFEST,
];

/// The target of this name.
///
/// # Panics
/// Where there is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no target {name}"))
}

/// The number of an outcome: what it looks like, digits and most of its length left out.
pub fn outcome(of: &impl Debug) -> u64 {
    let text = format!("{of:?}");
    let letters = text.bytes().take(60).filter(|byte| byte.is_ascii_alphabetic());
    letters.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The number of something that was read, of this shape.
pub fn shape(parts: &[usize]) -> u64 {
    parts.iter().fold(1, |sum, part| {
        sum.wrapping_mul(31).wrapping_add(u64::from(usize::BITS - part.leading_zeros()))
    })
}

/// What a person is shown moves no cursor and hides no letter, but for ends of lines.
///
/// # Panics
/// Where it is not so.
pub fn is_plain(shown: &str) {
    let odd = shown.chars().find(|&c| (c.is_control() && c != '\n') || is_deceptive(c));
    assert_eq!(odd, None, "{}", shown.escape_debug());
}

/// The first byte as a choice, and the rest.
pub fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}
