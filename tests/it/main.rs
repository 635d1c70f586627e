//! Real pushes by a real Git into real repositories with our hooks installed.
//!
//! One crate, so that it links once. Each file is one part of what the README promises; what they
//! stand on is in `support`. Every child process runs in a scrubbed environment and a folder that
//! vanishes; no test needs the network, root, or another test.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files, clock, children")]

mod support;
mod tags;

mod agent;
mod approvals;
mod attest;
mod audit;
mod bounds;
mod bundle;
mod cases;
mod certificates;
mod checks;
mod clients;
mod crashes;
mod docs;
mod doors;
mod drift;
mod ends;
mod example_policies;
mod examples;
mod exceptions;
mod floods;
mod formats;
mod gitolite;
mod gittuf;
mod glass;
mod hostile;
mod journal;
mod json;
mod landings;
mod lies;
mod log;
mod manual;
mod methods;
mod objects;
mod openpgp;
mod operations;
mod outside;
mod owners;
mod pages;
mod people;
mod policies;
mod policyrepo;
mod privacy;
mod pruned;
mod reference;
mod refs;
mod report;
mod rollback;
mod runs;
mod seals;
mod segments;
mod shapes;
mod signatures;
mod signers;
mod soft_start;
mod sshd;
mod state;
mod steps;
mod terminals;
mod tidy;
mod told;
mod trials;
mod verbs;
mod witness;
