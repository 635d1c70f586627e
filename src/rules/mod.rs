//! The rule kinds, one file each: what a policy may ask of a push.
//!
//! A kind brings its name, its keys, its words and its judging. Rules are pure: they read facts and
//! answer with values. They know neither each other nor the policy they stand in.

pub mod access;
mod access_judge;
mod age;
pub mod approval;
mod approval_step;
mod approved;
pub mod check;
mod check_judge;
pub mod code_owners;
mod code_owners_asked;
mod code_owners_judge;
mod code_owners_lint;
pub mod immutable;
pub mod landed;
mod links;
pub mod merge;
mod merge_judge;
mod merge_words;
pub mod operations;
pub mod remark;
pub mod rollback;
pub mod rule;
mod scope;
pub mod seats;
pub mod signature;
pub mod signed_push;
pub mod signing;
#[cfg(test)]
mod testing;
pub mod view;
pub mod within;
pub mod words;

use crate::rules::rule::Kind;

/// Every rule kind. A new one is a file beside this and its row here.
pub static KINDS: &[&Kind] = &[
    &merge::KIND,
    &approval::KIND,
    &landed::KIND,
    &access::KIND,
    &immutable::KIND,
    &check::KIND,
    &signature::KIND,
    &signed_push::KIND,
    &code_owners::KIND,
];

/// Kinds that the product has and this version does not: a policy that names one asks for a
/// protection it would not get.
pub const KINDS_LATER: &[&str] =
    &["restrict-paths", "message", "author", "files", "secrets", "names", "size", "freeze", "run"];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}
