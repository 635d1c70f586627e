//! What Git hands to a hook, read into values. Pure: bytes in, ref updates out.
//!
//! Every line was written by the client (`git help githooks`): a refname may hold a forged line, an
//! oid may name nothing. Whatever is not exactly `OLD SP NEW SP REF LF` refuses the whole push.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::facts::limits::Limits;
use crate::names::escape::escape_short;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::pattern::fold::folded;
use crate::push::Seen;
use crate::push::env::Env;
use crate::push::update::RefUpdate;

/// What is wrong with what Git handed over.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// Git runs pre-receive only when there is something to update.
    #[error("no ref update was handed to the hook")]
    Empty,
    /// A line that is not `OLD NEW REF`.
    #[error(
        "line {line} of the hook's input is not an old oid, a new oid and a refname: \"{shown}\""
    )]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The line, escaped and cut.
        shown: String,
    },
    /// An oid of another length than this repository's.
    #[error("line {line} names objects with {found} digits, this repository uses {wanted}")]
    OidLength {
        /// The line's number, from 1.
        line: usize,
        /// Digits found.
        found: usize,
        /// Digits of this repository's object format.
        wanted: usize,
    },
    /// Git's own rules refuse the name, but only after pre-receive has run.
    #[error("\"{shown}\" is no valid refname")]
    Refname {
        /// The name, escaped and cut.
        shown: String,
    },
    /// Both oids are zero: Git would delete the ref without looking (receive-pack).
    #[error("{name} is to go from nothing to nothing, which Git would run as a deletion")]
    ZeroToZero {
        /// The ref.
        name: Refname,
    },
    /// One ref twice in a push.
    #[error("{name} is named twice in one push, spellings aside")]
    Twice {
        /// The ref.
        name: Refname,
    },
    /// More than a limit.
    #[error("the push goes past the limit `{name}` = {limit}")]
    Limit {
        /// The limit's key in `[limits]`.
        name: &'static str,
        /// Its value.
        limit: usize,
    },
    /// The update hook was not called with three arguments.
    #[error("the update hook was called with {found} arguments, Git gives it 3")]
    Arguments {
        /// How many there were.
        found: usize,
    },
    /// Git sets a number of push options and as many variables.
    #[error("the push options that Git handed to the hook are not as many as it says")]
    Options,
}

/// Reads the input of pre-receive.
pub fn updates(
    stdin: &[u8],
    format: ObjectFormat,
    refs_max: usize,
) -> Result<Vec<RefUpdate>, WireError> {
    let body = stdin.strip_suffix(b"\n").unwrap_or(stdin);
    if body.is_empty() {
        return Err(WireError::Empty);
    }
    let mut updates = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, line) in body.split(|&b| b == b'\n').enumerate() {
        if updates.len() == refs_max {
            return Err(WireError::Limit { name: "refs", limit: refs_max });
        }
        let update = update(line, at + 1, format)?;
        // Two names that differ in case or composition alone are one file on some systems
        // (threats A08).
        if !seen.insert(folded(update.name.as_bytes()).letters) {
            return Err(WireError::Twice { name: update.name });
        }
        updates.push(update);
    }
    Ok(updates)
}

/// Reads the arguments of the update hook: refname, old oid, new oid.
pub fn argument_update(args: &[Vec<u8>], format: ObjectFormat) -> Result<RefUpdate, WireError> {
    let [name, old, new] = args else {
        return Err(WireError::Arguments { found: args.len() });
    };
    let line = [old.as_slice(), b" ", new, b" ", name].concat();
    update(&line, 1, format)
}

fn update(line: &[u8], number: usize, format: ObjectFormat) -> Result<RefUpdate, WireError> {
    let bad = || WireError::Line { line: number, shown: escape_short(line) };
    let mut parts = line.splitn(3, |&b| b == b' ');
    let (Some(old), Some(new), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(bad());
    };
    let claimed_old = oid(old, number, format).ok_or_else(bad)??;
    let new = oid(new, number, format).ok_or_else(bad)??;
    let Some(name) = Refname::parse(name) else {
        return Err(WireError::Refname { shown: escape_short(name) });
    };
    if claimed_old.is_zero() && new.is_zero() {
        return Err(WireError::ZeroToZero { name });
    }
    Ok(RefUpdate { name, claimed_old, new })
}

/// `None` for what is no oid at all, an error for one of the other format.
fn oid(hex: &[u8], line: usize, format: ObjectFormat) -> Option<Result<Oid, WireError>> {
    let oid = Oid::from_hex(hex)?;
    if oid.format() == format {
        return Some(Ok(oid));
    }
    Some(Err(WireError::OidLength { line, found: hex.len(), wanted: format.len_hex() }))
}

/// Reads the push options of pre-receive and post-receive by number, as bytes
/// (`GIT_PUSH_OPTION_COUNT`, `GIT_PUSH_OPTION_<n>`). Git sets the count even when there are none.
pub fn options(env: &Env, limits: &Limits) -> Result<Seen<Vec<Vec<u8>>>, WireError> {
    let Some(count) = env.text("GIT_PUSH_OPTION_COUNT") else {
        return Ok(Seen::All(Vec::new()));
    };
    let count: usize = count.parse().map_err(|_| WireError::Options)?;
    if count > limits.push_options {
        return Err(WireError::Limit { name: "push-options", limit: limits.push_options });
    }
    let mut options = Vec::with_capacity(count);
    for n in 0..count {
        let option = env.bytes(&format!("GIT_PUSH_OPTION_{n}")).ok_or(WireError::Options)?;
        if option.len() > limits.push_option_bytes {
            let limit = limits.push_option_bytes;
            return Err(WireError::Limit { name: "push-option-bytes", limit });
        }
        options.push(option.to_vec());
    }
    Ok(Seen::All(options))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{WireError, argument_update, updates};
    use crate::names::oid::ObjectFormat;

    const A: &str = "1111111111111111111111111111111111111111";
    const Z: &str = "0000000000000000000000000000000000000000";

    fn read(text: &str) -> Result<usize, WireError> {
        updates(text.as_bytes(), ObjectFormat::Sha1, 3).map(|u| u.len())
    }

    #[test]
    fn well_formed_lines_are_read_in_order() {
        assert_eq!(read(&format!("{Z} {A} refs/heads/a\n{A} {Z} refs/heads/b\n")), Ok(2));
    }

    #[test]
    fn nothing_to_update_is_no_push() {
        assert_eq!(read(""), Err(WireError::Empty));
        assert_eq!(read("\n"), Err(WireError::Empty));
    }

    #[test]
    fn a_blank_line_between_updates_is_no_update() {
        let text = format!("{Z} {A} refs/heads/a\n\n{Z} {A} refs/heads/b\n");
        assert!(matches!(read(&text), Err(WireError::Line { line: 2, .. })));
    }

    #[test]
    fn a_line_without_a_ref_is_refused() {
        assert!(matches!(read(&format!("{Z} {A}\n")), Err(WireError::Line { .. })));
        assert!(matches!(read(&format!("{Z} {A} \n")), Err(WireError::Refname { .. })));
    }

    #[test]
    fn a_refname_with_a_forged_line_in_it_is_read_as_two_and_both_must_hold() {
        let text = format!("{Z} {A} refs/heads/ok\n{A} 123 refs/heads/main\n");
        assert!(matches!(read(&text), Err(WireError::Line { line: 2, .. })));
    }

    #[test]
    fn oids_of_the_other_format_are_told_apart_from_noise() {
        let long = "1".repeat(64);
        let text = format!("{long} {long} refs/heads/a\n");
        assert!(matches!(read(&text), Err(WireError::OidLength { found: 64, wanted: 40, .. })));
    }

    #[test]
    fn zero_to_zero_and_doubles_and_floods_are_refused() {
        assert!(matches!(
            read(&format!("{Z} {Z} refs/heads/a\n")),
            Err(WireError::ZeroToZero { .. })
        ));
        let line = format!("{Z} {A} refs/heads/a\n");
        assert!(matches!(read(&line.repeat(2)), Err(WireError::Twice { .. })));
        // One is composed, the other is not; one of the two letters is large.
        for (one, other) in [("a\u{e9}", "ae\u{301}"), ("b", "B")] {
            let text = format!("{Z} {A} refs/heads/{one}\n{Z} {A} refs/heads/{other}\n");
            assert!(matches!(read(&text), Err(WireError::Twice { .. })), "{one} {other}");
        }
        let many: String = (0..4).map(|n| format!("{Z} {A} refs/heads/{n}\n")).collect();
        assert_eq!(read(&many), Err(WireError::Limit { name: "refs", limit: 3 }));
    }

    #[test]
    fn arguments_of_update_come_in_another_order() {
        let args = ["refs/heads/a", Z, A].map(|s| s.as_bytes().to_vec());
        assert!(argument_update(&args, ObjectFormat::Sha1).is_ok());
        let two = argument_update(&args[..2], ObjectFormat::Sha1);
        assert_eq!(two, Err(WireError::Arguments { found: 2 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            let _ = updates(&bytes, ObjectFormat::Sha256, 5);
        }

        #[test]
        fn what_was_printed_is_read_back(names in proptest::collection::btree_set("[a-z]{1,8}", 1..3)) {
            let text: String = names.iter().map(|n| format!("{Z} {A} refs/heads/{n}\n")).collect();
            let read = updates(text.as_bytes(), ObjectFormat::Sha1, 3);
            assert_eq!(read.map(|u| u.len()), Ok(names.len()));
        }
    }
}
