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
pub mod author;
mod author_judge;
mod authorized;
pub mod check;
mod check_judge;
pub mod code_owners;
mod code_owners_asked;
mod code_owners_judge;
mod code_owners_lint;
mod commits;
pub mod files;
mod files_judge;
pub mod freeze;
mod freeze_judge;
pub mod immutable;
pub mod landed;
mod links;
pub mod merge;
mod merge_judge;
mod merge_words;
pub mod message;
mod message_judge;
pub mod names;
pub mod operations;
pub mod remark;
pub mod restrict_paths;
mod restrict_paths_judge;
pub mod rollback;
pub mod rule;
pub mod run;
mod scope;
pub mod seats;
pub mod secrets;
mod secrets_judge;
pub mod signature;
pub mod signed_push;
pub mod signing;
mod since;
pub mod size;
#[cfg(test)]
mod testing;
pub mod view;
mod window;
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
    &restrict_paths::KIND,
    &files::KIND,
    &secrets::KIND,
    &names::KIND,
    &message::KIND,
    &author::KIND,
    &size::KIND,
    &freeze::KIND,
    &run::KIND,
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}
