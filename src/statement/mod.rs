//! Statements: signed approvals and checks, the evidence that people and machines give.
//!
//! Read by whoever gathers evidence, printed by the verbs that sign. Pure text: a statement that
//! parses is well-formed and nothing more; its signature is verified in `ssh`, and whether it
//! counts is decided by rules.

pub mod fields;
pub mod place;
pub mod problem;
pub mod read;
