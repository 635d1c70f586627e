//! The server's verbs, run as an operator runs them: the real program, real repositories, real pushes.
//!
//! Every test has a folder and an environment of its own; nothing of the machine's configuration,
//! keys or clock is seen.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where they cannot go on, and own the folders they touch"
)]

mod doctor;
mod forest;
mod ground;
mod install;
mod layouts;
mod newcomers;
mod shims;
mod status;
mod talk;
mod traps;
mod uninstall;
mod upgrade;
