//! Three who check a log: `portcullis log verify --root`, and the two scripts of `config/audit` that
//! need nothing of ours. They are asked about the same folders, whole and tampered with in every
//! way, and have to give the same answer: the exit code, and the first entry that is not as it was.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files and children")]

mod bench;
mod files;
mod flips;
mod parts;
mod pruned;
mod tamper;
mod three;
mod trees;
