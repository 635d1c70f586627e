//! The change log of one repository: append-only, chained, and readable by anybody.
//!
//! - The format: `entry`, `decision`, `glass`, `tidy`, `seal`, `config`, `accepted`, `pruned`, `damage`
//!   and `wire` are the records of each `kind`, `line` is one line and `glance` a quick look at one,
//!   `fit` makes room, `listed` holds long lists.
//! - Writing: `book` is the open log, `name` what it is called; `file` appends and syncs a `batch`
//!   under the `lock`, in the folder of `disk`, behind the `tail`; `rotate` begins a new `segment`,
//!   `pack` makes old ones small, `tape` reads them all as one, `pread` a range of it; `restart` mends
//!   what a crash left, `suspect` tells of failed syncs, `rate` of floods, `space` of a full disk,
//!   `touched` of two pushes at once.
//! - Asking: `past` answers, `dead` tells which statements may go, `debts` what broken glasses owe
//!   and `states` what a rollback may go back to; `look` finds entries by the `index` with its
//!   `manifest`, its `run`s and their `posting`s, which `merge` keeps few; `whole` brings in
//!   attachments.
//! - Proof: `survey` walks a log for its tree and its seals, `tiles` keeps the tree as files and
//!   `mark` where it ended, `tilecheck` compares them; `keeper` seals and signs with the `signer`'s
//!   key or the `agent`'s, and `proving` proves.
//! - Truth: `reconcile` and `settle` hold the log against refs, `known` says what it says of all of
//!   them, `drifts` what nobody explained and who accepted it; `scan`, `keys`, `clock` and `verify`
//!   hold it against itself.
//! - For people: `read` walks, `search` finds by a filter with `find` and by what an entry is
//!   `about`, `trace` follows a commit, `follow` waits for what comes.
//!
//! Nothing here knows a policy or judges; who has facts converts them into records.

pub mod about;
pub mod accepted;
pub mod agent;
pub mod append_only;
pub mod batch;
pub mod book;
pub mod cells;
pub mod clock;
pub mod config;
mod cut;
pub mod damage;
pub mod dead;
pub mod debts;
pub mod decision;
pub mod disk;
pub mod drifts;
pub mod entry;
pub mod error;
pub mod file;
pub mod find;
pub mod fit;
pub mod follow;
pub mod glance;
pub mod glass;
pub mod index;
pub mod keeper;
pub mod keys;
pub mod kind;
pub mod known;
pub mod line;
pub mod listed;
pub mod lock;
pub mod look;
pub mod manifest;
pub mod mark;
pub mod merge;
pub mod name;
pub mod opening;
pub mod pack;
pub mod packed;
pub mod past;
pub mod policies;
pub mod posting;
pub mod pread;
pub mod proving;
pub mod prune;
pub mod pruned;
pub mod rate;
pub mod read;
pub mod reconcile;
pub mod remote;
pub mod restart;
pub mod rotate;
pub mod run;
pub mod scan;
pub mod seal;
pub mod search;
pub mod segment;
pub mod settle;
pub mod signer;
pub mod space;
pub mod states;
pub mod summary;
pub mod survey;
pub mod suspect;
pub mod tail;
pub mod tape;
pub mod tidy;
pub mod tilecheck;
pub mod tiles;
pub mod touched;
pub mod trace;
pub mod verify;
pub mod whole;
pub mod wire;

#[cfg(test)]
mod tests;
