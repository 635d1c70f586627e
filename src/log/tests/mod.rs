//! Tests of the log, as a whole and on a real disk.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod append;
mod auditor;
mod beginnings;
mod crash;
mod dead;
mod faults;
mod format;
mod glance;
mod glass;
mod holes;
mod known;
mod past;
mod proof;
mod property;
mod pruned;
mod reconcile;
mod segments;
mod states;
mod support;
mod tamper;
mod truth;
