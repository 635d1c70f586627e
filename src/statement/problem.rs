//! What can be wrong with the bytes of a statement, said so that its writer can mend it.
//!
//! Made by `statement::read`. Outside text is escaped here, when the problem is made.

use thiserror::Error;

/// How long a statement may be, signature and all, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// Why bytes are no statement. Lines count from 1.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StatementProblem {
    /// Longer than `STATEMENT_BYTES_MAX`.
    #[error("it has {bytes} bytes, {STATEMENT_BYTES_MAX} are allowed")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// A byte that is no UTF-8 (RFC 3629).
    #[error("it is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Where, from 0.
        at: usize,
    },
    /// A carriage return: written on another system, or by an editor.
    #[error("line {line} holds a carriage return, lines end in LF only")]
    CarriageReturn {
        /// Where.
        line: usize,
    },
    /// The first line is neither `approval v1` nor `check v1`.
    #[error("it begins with \"{found}\", not with \"approval v1\" or \"check v1\"")]
    FirstLine {
        /// What stands there, escaped.
        found: String,
    },
    /// A line is missing, stands elsewhere, stands twice, or is of no use here.
    #[error("line {line} should begin with \"{expected} \", it is \"{found}\"")]
    WrongLine {
        /// Where.
        line: usize,
        /// The key that belongs there; empty for the empty line.
        expected: &'static str,
        /// What stands there, escaped.
        found: String,
    },
    /// Lines go on where the empty line belongs.
    #[error("line {line} should be empty, it is \"{found}\"")]
    NoEmptyLine {
        /// Where.
        line: usize,
        /// What stands there, escaped.
        found: String,
    },
    /// A value of the wrong form.
    #[error("the {key} in line {line} is \"{found}\", {wanted} was expected")]
    BadValue {
        /// Where.
        line: usize,
        /// Which.
        key: &'static str,
        /// What stands there, escaped.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// One oid of 40 digits and one of 64.
    #[error("base and commit are of two kinds of repositories, SHA-1 and SHA-256")]
    TwoFormats,
    /// It would never count.
    #[error("it expires at {expires}, not later than its date {date}")]
    ExpiresTooEarly {
        /// Its date.
        date: String,
        /// Its end.
        expires: String,
    },
    /// A check in a tag: only approvals come as tags.
    #[error("it is a check in a tag, and only an approval may be a tag")]
    CheckInTag,
    /// A tag whose name does not say what it is.
    #[error("the tag is called \"{found}\", and has to be called \"{wanted}\"")]
    TagName {
        /// What it is called, escaped.
        found: String,
        /// What it has to be called.
        wanted: String,
    },
    /// A tag of another commit than the one it speaks of.
    #[error("the tag names {found}, which is not the commit that it speaks of")]
    TagObject {
        /// What it names.
        found: String,
    },
    /// What follows the empty line is not one armoured SSH signature and nothing else.
    #[error("behind its lines stands no SSH signature, or more than that")]
    NoSignature,
    /// The same of a tag, which may be signed in two ways.
    #[error("behind its lines stands no SSH or OpenPGP signature, or more than that")]
    NoTagSignature,
}
