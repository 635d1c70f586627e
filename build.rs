//! Tells the program what it was built from: commit, target, profile, compiler.
//!
//! The commit is, in this order: `PORTCULLIS_COMMIT`, which `packaging/release` and other packagers
//! set; what `git archive` wrote into `packaging/commit`; HEAD of the repository that this folder is
//! the top of, in a release build only. A debug build is of a tree that changes under it, and a
//! commit that is asked for anew after each `git commit` would build everything again each time.
//! Nothing here fails: what cannot be learnt is empty.
#![expect(clippy::disallowed_methods, reason = "a build script runs programs and reads variables")]
#![expect(clippy::disallowed_macros, reason = "that is how a build script talks to Cargo")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Digits of a commit that are told.
const DIGITS: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PORTCULLIS_COMMIT");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let linked = match variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|f| f == "crt-static") {
        true => "static",
        false => "dynamic",
    };
    tell("COMMIT", &commit(&root));
    tell("TARGET", &variable("TARGET"));
    tell("PROFILE", &variable("PROFILE"));
    tell("LINKED", linked);
    tell("RUSTC", &said(Command::new(variable("RUSTC")).arg("--version")));
}

fn commit(root: &Path) -> String {
    let given = variable("PORTCULLIS_COMMIT");
    if !given.is_empty() {
        return given;
    }
    let archived = root.join("packaging/commit");
    if archived.exists() {
        println!("cargo:rerun-if-changed={}", archived.display());
    }
    let archived = fs::read_to_string(archived).unwrap_or_default();
    if archived.trim().len() >= 40 && archived.trim().bytes().all(|c| c.is_ascii_hexdigit()) {
        return archived.chars().take(DIGITS).collect();
    }
    // Unpacked inside somebody else's repository, their commit says nothing.
    if variable("PROFILE") != "release" || !root.join(".git").exists() {
        return String::new();
    }
    for name in ["HEAD", "logs/HEAD", "packed-refs", "reftable/tables.list"] {
        let file = root.join(git(root, &["rev-parse", "--git-path", name]));
        // A file that is not there would have this script run at every call of Cargo.
        if file.is_file() {
            println!("cargo:rerun-if-changed={}", file.display());
        }
    }
    git(root, &["rev-parse", &format!("--short={DIGITS}"), "--verify", "HEAD"])
}

fn git(root: &Path, words: &[&str]) -> String {
    // A hook or an alias that runs Cargo must not send us to another repository.
    let clean = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"];
    let mut git = Command::new("git");
    for name in clean {
        git.env_remove(name);
    }
    said(git.arg("-C").arg(root).args(words))
}

/// The first line that a program says, nothing where it fails.
fn said(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn tell(name: &str, value: &str) {
    println!("cargo:rustc-env=PORTCULLIS_BUILT_{name}={value}");
}
