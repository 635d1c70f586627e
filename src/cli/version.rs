//! What this program is: its version, the commit it was built from, and what is linked into it.
//!
//! `build.rs` learns most of it when the program is built; libgit2 is asked.

use std::sync::LazyLock;

const NUMBER: &str = env!("CARGO_PKG_VERSION");
const COMMIT: &str = env!("PORTCULLIS_BUILT_COMMIT");
const PROFILE: &str = env!("PORTCULLIS_BUILT_PROFILE");

/// The version alone, such as `0.1.0`: for manual pages, which are the same for every build of it.
pub const VERSION: &str = NUMBER;

/// One line for `-V`: the version, and the commit in brackets.
pub static SHORT: LazyLock<String> = LazyLock::new(|| format!("{NUMBER} ({})", commit()));

/// What `--version` tells: a line of `-V`, then one a line what a report of a fault needs.
pub static LONG: LazyLock<String> = LazyLock::new(|| {
    let (major, minor, patch) = git2::Version::get().libgit2_version();
    let lines = [
        SHORT.clone(),
        format!("commit:  {}", commit()),
        format!("libgit2: {major}.{minor}.{patch}, built in"),
        format!("built:   {PROFILE}, by {}", known(env!("PORTCULLIS_BUILT_RUSTC"))),
        format!("target:  {}", known(env!("PORTCULLIS_BUILT_TARGET"))),
        format!("linked:  {}", env!("PORTCULLIS_BUILT_LINKED")),
    ];
    lines.join("\n")
});

fn commit() -> &'static str {
    match (COMMIT.is_empty(), PROFILE) {
        (false, _) => COMMIT,
        (true, "debug") => "debug build",
        (true, _) => "unknown",
    }
}

fn known(learnt: &'static str) -> &'static str {
    if learnt.is_empty() { "unknown" } else { learnt }
}
