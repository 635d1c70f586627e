//! Every command block of every page is run by a test, or named here with the reason why not.
//!
//! A block with a remark above it is run by the test that follows its page; the remarks are told in
//! `docs.rs` and `operations.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::docs::blocks;
use crate::operations::{Server, follow};

/// The pages whose blocks say who runs them, and where they are followed.
const FOLLOWED: [(&str, &str); 14] = [
    ("docs/audit.md", "tests/it/operations.rs an_audit_can_be_followed"),
    ("docs/bridge.md", "tests/it/pages.rs the_bridge_can_be_followed"),
    ("docs/code-owners.md", "tests/it/pages.rs looking_at_code_owners_can_be_followed"),
    ("docs/doctor.md", "tests/it/pages.rs doctor_can_be_followed"),
    ("docs/install.md", "tests/it/pages.rs installing_can_be_followed"),
    ("docs/journal.md", "tests/it/pages.rs the_journal_can_be_followed"),
    ("docs/json.md", "tests/it/json.rs every_field_is_told_of"),
    ("docs/limits.md", "tests/it/pages.rs a_policy_with_limits_can_be_followed"),
    ("docs/log.md", "tests/it/pages.rs a_log_that_keeps_things_to_itself_can_be_followed"),
    ("docs/operations.md", "tests/it/operations.rs every_section_is_followed_by_a_test"),
    ("docs/review.md", "tests/it/docs.rs review_can_be_followed_by_copying"),
    ("docs/servers.md", "tests/servers/page.rs fn block"),
    ("docs/status.md", "tests/it/pages.rs status_can_be_followed"),
    ("docs/tutorial.md", "tests/it/pages.rs the_tutorial_can_be_followed"),
];

/// Blocks that a test takes from their page by their words: page, first line, where.
const TAKEN: &[(&str, &str, &str)] = &[
    ("README.md", "version = 1", "tests/it/examples.rs every_policy_of_the_readme_is_a_good_one"),
    (
        "README.md",
        "git push origin HEAD:refs/heads/open-port           # the change first comes as a branch",
        "tests/it/examples.rs the_commands_of_the_readme_land_a_change",
    ),
    ("README.md", "REF=refs/heads/main", "tests/it/examples.rs the_commands_of_the_readme_approve"),
    (
        "README.md",
        "prev=$(printf '0%.0s' $(seq 64)); n=0",
        "tests/it/examples.rs an_auditor_checks_the_chain_with_a_shell",
    ),
    (
        "docs/policy-cases.md",
        "[rule.main-takes-merges]",
        "tests/judging/trial.rs the_page_says_what_a_case_may_say",
    ),
    (
        "docs/rules.md",
        "portcullis import gitolite conf/gitolite.conf --repo infra --keydir keydir >infra.toml",
        "tests/it/gitolite.rs the_commands_of_the_page_make_a_policy",
    ),
    ("docs/log.md", "gzip -cdf [0-9]*.jsonl* | {", LOG_PAGE),
    ("docs/log.md", "(cd att && sha256sum *) | while read -r sum name; do", LOG_PAGE),
    ("docs/log.md", "import glob, gzip, itertools, json, os, sys", LOG_PAGE),
    ("docs/log.md", "import glob, gzip, itertools, json, os, sys", LOG_PAGE),
    ("docs/log.md", "import base64, glob, gzip, hashlib, itertools, os, sys", LAST_OF_LOG_PAGE),
    ("docs/log.md", "public=${KEY#*+}; public=${public#*+}", LAST_OF_LOG_PAGE),
];

const LOG_PAGE: &str = "tests/logverbs.rs commands_of_the_page";
const LAST_OF_LOG_PAGE: &str = "tests/it/seals.rs last_block";

/// Blocks that nothing runs: page, first line, why.
const NOT_RUN: &[(&str, &str, &str)] = &[
    ("README.md", "cargo run --release -- demo", "builds; tests/demo.rs runs the demo"),
    (
        "README.md",
        "cargo build --release && install -m 0755 target/release/portcullis /usr/local/bin/",
        "builds; the tutorial installs and asks doctor",
    ),
    (
        "README.md",
        "packaging/release --out dist        # the static binary, a .deb and a .tar.gz around it, SHA256SUMS",
        "builds, and needs root; tests/packaging.rs packs, unpacks and pushes",
    ),
    (
        "README.md",
        "systemctl enable --now portcullis-seal@git.timer portcullis-tidy@git.timer portcullis-drift@git.timer",
        "needs systemd; tests/packaging.rs looks at the units",
    ),
    (
        "README.md",
        "portcullis log show --ref main --since 7d /srv/git/infra.git",
        "names a commit of nobody's, and `tail --follow` has no end; each verb is run elsewhere",
    ),
    (
        "CONTRIBUTING.md",
        "cargo build            # Rust 1.89 or newer and a C compiler, for libgit2; nothing else",
        BUILDS,
    ),
    ("CONTRIBUTING.md", "cargo test --lib rules::            # one room's unit tests", BUILDS),
    (
        "CONTRIBUTING.md",
        "PORTCULLIS_FAULTS=all cargo test --test faults -- --nocapture  # every system call of a push, failing",
        BUILDS,
    ),
    (
        "CONTRIBUTING.md",
        "cargo +nightly fuzz run --sanitizer none commit                # for ever, or -- -runs=10000000",
        BUILDS,
    ),
    (
        "CONTRIBUTING.md",
        "PORTCULLIS_FUZZ_SECONDS=86400 PORTCULLIS_FUZZ_EXECUTIONS=10000000 cargo test --release --test fuzz -- --nocapture",
        BUILDS,
    ),
    (
        "CONTRIBUTING.md",
        "fuzz/mutants FOLDER src/judge/ src/rules/                      # beginnings of files' names; needs cargo-mutants",
        BUILDS,
    ),
    ("docs/log.md", "cargo test --release --test scale -- --ignored --nocapture", BUILDS),
    (
        "docs/log.md",
        "portcullis log checkpoint --out infra.checkpoint REPO         # and publish it: mail, another host, witnesses",
        "takes a log of more than a year; tests/it/pruned.rs has one",
    ),
    ("docs/performance.md", "cargo bench --bench log", BUILDS),
    ("docs/performance.md", "cargo bench --bench push", BUILDS),
    (
        "docs/policy-cases.md",
        "portcullis lint policy.toml --cases policy.cases.txt     # files, or a folder: every .txt in it",
        "needs a policy; tests/cli/talk.rs lint_tries_a_policy_with_its_cases has one",
    ),
    (
        "docs/policy-editor.md",
        "#:schema /usr/share/portcullis/config/policy.schema.json",
        "a remark that an editor reads",
    ),
    (
        "docs/policy-editor.md",
        "portcullis lint --schema > policy.schema.json",
        "tests/judging/schema.rs compares what is printed with the file",
    ),
    (
        "docs/policy-git.md",
        "portcullis lint git:/srv/git/policies.git:main:policy.toml",
        POLICY_REPOSITORY,
    ),
    ("docs/policy-git.md", "git init --bare /srv/git/policies.git", POLICY_REPOSITORY),
];

const BUILDS: &str = "builds and tests the sources, which is what runs this";

const POLICY_REPOSITORY: &str =
    "needs a repository with a policy in it; tests/it/policyrepo.rs makes both and runs each verb";

/// Pages that are made: their blocks are tested where they come from.
const MADE: [(&str, &str); 2] = [
    ("docs/policy.md", "tests/policy_cases.rs every_explanation_holds_a_policy_that_can_be_used"),
    ("THIRD-PARTY.md", "tests/packaging.rs"),
];

/// Languages of a block that somebody may copy into a shell, a policy or a program.
const COMMANDS: [&str; 6] = ["sh", "toml", "python", "bash", "console", ""];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page for people, from the root of the sources.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "docs"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                pages.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

#[test]
fn every_block_is_run_or_named() {
    let followed: BTreeSet<&str> = FOLLOWED.iter().map(|(page, _)| *page).collect();
    let mut silent = Vec::new();
    for page in pages().into_iter().filter(|page| !MADE.iter().any(|(made, _)| made == page)) {
        for block in blocks(&read(&page)) {
            let command = COMMANDS.contains(&block.language.as_str());
            if command && block.remark.is_empty() {
                silent
                    .push((page.clone(), block.text.lines().next().unwrap_or_default().to_owned()));
            } else if command || block.language == "happens" {
                assert!(followed.contains(page.as_str()), "{page}:{}: who follows?", block.line);
            }
        }
    }
    let named = TAKEN.iter().chain(NOT_RUN);
    let mut named: Vec<_> =
        named.map(|(page, line, _)| ((*page).to_owned(), (*line).to_owned())).collect();
    named.sort();
    silent.sort();
    assert_eq!(silent, named, "left: blocks that say nothing; right: those named here");
    let tests = FOLLOWED.iter().chain(&MADE).map(|(_, test)| test);
    for test in tests.chain(TAKEN.iter().map(|(.., test)| test)) {
        let (file, name) = test.split_once(' ').unwrap_or((test, ""));
        assert!(read(file).contains(name), "{test} is not there");
    }
}

#[test]
fn every_page_is_in_the_index_and_every_link_leads_somewhere() {
    let index = read("docs/README.md");
    for page in pages() {
        if let Some(name) = page.strip_prefix("docs/").filter(|name| *name != "README.md") {
            assert!(index.contains(&format!("({name})")), "docs/README.md does not lead to {name}");
        }
        if MADE.iter().any(|(made, _)| *made == page) && !page.starts_with("docs/") {
            // The licences of others lead where they led there.
            continue;
        }
        let text = read(&page);
        let folder = Path::new(&page).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || file.contains(char::is_whitespace) {
                continue;
            }
            assert!(root().join(folder).join(file).exists(), "{page} leads to {link}");
        }
    }
}

#[track_caller]
fn followed(page: &str, mut server: Server) {
    follow(&mut server, &read(page), 0);
}

#[test]
fn the_tutorial_can_be_followed() {
    followed("docs/tutorial.md", Server::bare());
}

#[test]
fn the_bridge_can_be_followed() {
    followed("docs/bridge.md", Server::new());
}

#[test]
fn looking_at_code_owners_can_be_followed() {
    followed("docs/code-owners.md", Server::new());
}

#[test]
fn doctor_can_be_followed() {
    followed("docs/doctor.md", Server::new());
}

#[test]
fn installing_can_be_followed() {
    followed("docs/install.md", Server::new());
}

#[test]
fn status_can_be_followed() {
    followed("docs/status.md", Server::new());
}

#[test]
fn a_policy_with_limits_can_be_followed() {
    followed("docs/limits.md", Server::new());
}

#[test]
fn a_log_that_keeps_things_to_itself_can_be_followed() {
    followed("docs/log.md", Server::new());
}

#[test]
fn the_journal_can_be_followed() {
    followed("docs/journal.md", Server::new());
}
