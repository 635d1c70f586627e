//! The change log of one repository: append-only, chained, and readable by anybody.
//!
//! - The format: `entry`, `decision`, `glass`, `tidy`, `seal`, `damage` and `wire` are the records of
//!   each `kind`, `line` is one line, `fit` makes room, `listed` holds long lists.
//! - Writing: `book` is the open log; `file` locks, appends and syncs in the folder of `disk`,
//!   behind the `tail`; `suspect` tells of failed syncs, `rate` of floods, `touched` of two pushes
//!   at once.
//! - Asking: `past` answers, `dead` tells which statements may go, `debts` what broken glasses owe
//!   and `states` what a rollback may go back to; `look` finds entries by the `index` with its
//!   `manifest`, its `run`s and their `posting`s, which `merge` keeps few; `whole` brings in
//!   attachments.
//! - Proof: `survey` walks a log for its tree and its seals, `keeper` holds the key and signs.
//! - Truth: `reconcile` and `settle` hold the log against refs, `scan`, `keys` and `verify` against
//!   itself.
//! - For people: `read` walks, `search` finds by a filter with `find` and by what an entry is
//!   `about`, `trace` follows a commit, `follow` waits for what comes.
//!
//! Nothing here knows a policy or judges; who has facts converts them into records.

pub mod about;
pub mod book;
mod cut;
pub mod damage;
pub mod dead;
pub mod debts;
pub mod decision;
pub mod disk;
pub mod entry;
pub mod error;
pub mod file;
pub mod find;
pub mod fit;
pub mod follow;
pub mod glass;
pub mod index;
pub mod keeper;
pub mod keys;
pub mod kind;
pub mod line;
pub mod listed;
pub mod look;
pub mod manifest;
pub mod merge;
pub mod past;
pub mod posting;
pub mod rate;
pub mod read;
pub mod reconcile;
pub mod run;
pub mod scan;
pub mod seal;
pub mod search;
pub mod settle;
pub mod states;
pub mod survey;
pub mod suspect;
pub mod tail;
pub mod tidy;
pub mod touched;
pub mod trace;
pub mod verify;
pub mod whole;
pub mod wire;

#[cfg(test)]
mod tests;
