//! Machines that fail under a real push: every call that fails, every moment to die.
//!
//! `matrix` runs real pushes whose hook runs under `strace`, and makes each single system call of
//! it that touches the log fail in every way there is. `storm` lets many people push at once and
//! kills clients, `receive-pack` and hooks at random moments. Afterwards the log has to verify, the
//! next push has to work, log and refs have to agree, and nothing that anybody was promised may be
//! missing.
//!
//! What runs with the other tests is a bounded part. The whole, some twenty minutes:
//!
//! ```text
//! PORTCULLIS_FAULTS=all cargo test --release --test faults -- --nocapture
//! ```
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files, clock, children")]

mod matrix;
mod server;
mod storm;
mod strace;

/// Set to `all`: everything, not the bounded part that runs with the other tests.
const EXTENT: &str = "PORTCULLIS_FAULTS";

/// Whether everything is asked for.
fn is_whole() -> bool {
    std::env::var_os(EXTENT).is_some_and(|extent| extent == "all")
}

/// Says something about the run; the harness shows it with `--nocapture`.
#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
fn say(text: &str) {
    println!("{text}");
}
