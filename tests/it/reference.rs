//! `docs/policy.md` is what the tables say, and the tables are what reads a policy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portcullis::policy::keys::{RULE, SECTIONS, Section, TOP};
use portcullis::policy::{Policy, PolicyFile, compile};
use portcullis::rules::rule::KeyDoc;

use crate::support::ground::{Ground, text};

/// People and one rule, without which nothing is a policy.
const FOUNDATION: &str = "[people.alice]\nkeys = [\"ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu alice\"]\n\
    [people.bob]\nkeys = [\"ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIMR+sI82Xp5tnRCmfwG/OLmzPk/xZ8R/F5FUgZfH9tNx bob\"]\n\
    [rule.stays]\nkind = \"merge\"\nrefs = [\"main\"]\n";

/// What a table cannot be without.
fn needed(header: &str) -> &'static str {
    match header {
        "[break-glass]" | "[rollback]" => "by = [\"alice\", \"bob\"]\n",
        "[notify]" => "command = [\"true\"]\n",
        _ => "",
    }
}

fn read(policy: &str) -> Result<Policy, String> {
    let bytes = policy.as_bytes().to_vec();
    let file = PolicyFile { label: "policy.toml".to_owned(), bytes };
    compile(&[file]).map_err(|problems| problems.to_string())
}

fn policy_with(header: &str, keys: &str) -> Result<Policy, String> {
    let header = header.replace("NAME", "carol");
    read(&format!("version = 1\n{header}\n{}{keys}{FOUNDATION}", needed(&header)))
}

/// The keys that whoever reads this table names when it meets one that it does not know.
fn known(header: &str) -> BTreeSet<String> {
    let said = policy_with(header, "zzzzzz = 1\n").unwrap_err();
    let (_, names) = said.split_once("known keys here: ").unwrap_or_else(|| panic!("{said}"));
    names.lines().next().unwrap().split(", ").map(str::to_owned).collect()
}

fn named(rows: &[KeyDoc]) -> BTreeSet<String> {
    rows.iter().map(|row| row.name.to_owned()).collect()
}

#[test]
fn the_reference_is_the_one_that_the_program_makes() {
    let ground = Ground::new();
    let made = text(ground.portcullis().args(["explain", "--markdown"])) + "\n";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(page, made).unwrap();
        return;
    }
    assert!(made == fs::read_to_string(page).unwrap(), "UPDATE=1 writes docs/policy.md anew");
}

#[test]
fn every_key_that_is_read_is_told_of() {
    for Section { header, keys, .. } in SECTIONS {
        assert_eq!(named(keys), known(header), "{header}");
    }
    let top: BTreeSet<String> = known("")
        .into_iter()
        .filter(|key| !SECTIONS.iter().any(|s| s.header.starts_with(&format!("[{key}"))))
        .filter(|key| !["groups", "limits", "rule"].contains(&key.as_str()))
        .collect();
    assert_eq!(named(TOP), top);
    let rule = known("[rule.other]\nkind = \"landed\"\nrefs = [\"x\"]\nin = [\"main\"]");
    let rule: BTreeSet<String> = rule.into_iter().filter(|key| key != "in").collect();
    assert_eq!(named(RULE), rule);
}

#[test]
fn what_is_told_to_hold_without_a_key_is_what_holds() {
    for Section { header, keys, .. } in SECTIONS {
        let told: String = keys
            .iter()
            .filter_map(|row| Some(format!("{} = {}\n", row.name, row.default?)))
            .collect();
        let (with, without) = (policy_with(header, &told), policy_with(header, ""));
        let shown = |policy: Result<Policy, String>| {
            let policy = policy.unwrap_or_else(|problems| panic!("{header}\n{told}\n{problems}"));
            let Policy { identity, log, refuse, notify, rollback, roster, glass, .. } = &policy;
            let glass = glass.as_ref().map(|it| (it.settle_within, it.debt));
            format!(
                "{identity:#?} {log:#?} {refuse:#?} {notify:#?} {rollback:#?} {roster:#?} {glass:#?}"
            )
        };
        // Places of what was written are no part of what it says.
        let same = without_places(&shown(with)) == without_places(&shown(without));
        assert!(same, "{header} with these is not what it is without:\n{told}");
    }
}

/// Lines that tell where something stands.
fn without_places(shown: &str) -> String {
    let places = ["line:", "column:", "start:", "end:", "file:"];
    let stays = |line: &&str| !places.iter().any(|place| line.trim_start().starts_with(place));
    let mut lines: Vec<&str> = shown.lines().filter(stays).collect();
    // Who is who stands in maps that have no order.
    lines.sort_unstable();
    lines.join("\n")
}
