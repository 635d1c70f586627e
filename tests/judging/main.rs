//! Judging over facts that no repository stands behind: what one rule says of them in words, and
//! what must hold of any.
//!
//! A policy is compiled from its text as the hooks do it; only the facts are made up.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod always;
mod any;
mod approvals;
mod cases;
mod certified;
mod checks;
mod clean;
mod debts;
mod drift;
mod exempt;
mod gittuf;
mod glass;
mod kinds;
mod made;
mod order;
mod owners;
mod paths;
mod refs;
mod rollbacks;
mod roster;
mod runs;
mod schema;
mod settings;
mod signatures;
mod takes;
mod trial;
mod weight;
mod written;
