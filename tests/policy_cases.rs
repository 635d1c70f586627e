//! Policies in, problems out, as text files that read like a specification.
//!
//! Each file of `tests/cases/policy` begins with a sentence. Then come the policy's files, each
//! under `-- NAME.toml`, and under `-- problems` what compiling them says; `none` for a policy that
//! can be used as it is. `{alice}` stands for Alice's public key in `tests/keys`.
//! `UPDATE=1 cargo test --test policy_cases` rewrites what is expected; the diff is the review.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "the cases and examples are files")]

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::facts::limits::{LIMITS, Limits};
use portcullis::names::moment::Moment;
use portcullis::names::refname::Refname;
use portcullis::policy::compiled::COMMON_KEYS;
use portcullis::policy::glass::GLASS_KEYS;
use portcullis::policy::notify::NOTIFY_KEYS;
use portcullis::policy::settings::{Identity, LogSettings, RefuseMode};
use portcullis::policy::{Policy, PolicyFile, compile, compile_with, key_files_named};
use portcullis::rules::KINDS;
use portcullis::rules::rule::EXPLAIN_COLUMNS;
use portcullis::verdict::finding::Level;
use proptest::prelude::*;

/// What stands above the expected problems.
const EXPECTED: &str = "-- problems\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Puts test keys in place of `{name}`.
fn with_keys(text: &str) -> String {
    let mut text = text.to_owned();
    for entry in fs::read_dir(root().join("tests/keys")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pub") {
            let name = format!("{{{}}}", path.file_stem().unwrap().to_str().unwrap());
            text = text.replace(&name, fs::read_to_string(&path).unwrap().trim());
        }
    }
    for name in ["ring.asc", "rupert.asc", "judy.key"] {
        let keys = fs::read_to_string(root().join("tests/keys/openpgp").join(name)).unwrap();
        text = text.replace(&format!("{{{name}}}"), keys.trim());
    }
    text
}

/// The files of one case, and its text up to what is expected.
fn read(case: &str) -> (Vec<PolicyFile>, &str) {
    let (given, _) = case.split_once(EXPECTED).unwrap();
    let mut files: Vec<PolicyFile> = Vec::new();
    for line in given.lines() {
        if let Some(name) = line.strip_prefix("-- ") {
            files.push(PolicyFile { label: name.to_owned(), bytes: Vec::new() });
        } else if let Some(file) = files.last_mut() {
            file.bytes.extend_from_slice(with_keys(line).as_bytes());
            file.bytes.push(b'\n');
        }
    }
    (files, given)
}

fn said(files: &[PolicyFile]) -> String {
    let keys = files.first().map_or(0, |site| key_files_named(site).len());
    let (policies, keys) = files.split_at(files.len().saturating_sub(keys).max(1));
    match compile_with(policies, keys) {
        Err(problems) => problems.to_string(),
        Ok(policy) if policy.warnings.is_empty() => "none\n".to_owned(),
        Ok(policy) => policy.warnings.to_string(),
    }
}

#[test]
fn policies_have_the_problems_their_cases_say() {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join("tests/cases/policy"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() > 10, "the cases are there");
    let mut differing = Vec::new();
    for path in &paths {
        let case = fs::read_to_string(path).unwrap();
        let (files, given) = read(&case);
        let now = format!("{given}{EXPECTED}{}", said(&files));
        if now != case {
            if std::env::var_os("UPDATE").is_some() {
                fs::write(path, now).unwrap();
            } else {
                differing.push(format!("{}\n{now}", path.display()));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_explanation_holds_a_policy_that_can_be_used() {
    for kind in KINDS {
        let example: String = kind
            .explain
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(example.contains(&format!("\"{}\"", kind.name)), "{}: {example}", kind.name);
        let bytes = format!("version = 1\n{example}").into_bytes();
        let policy = compile(&[PolicyFile { label: kind.name.to_owned(), bytes }]);
        let policy = policy.unwrap_or_else(|problems| panic!("{problems}"));
        assert!(policy.warnings.is_empty(), "{}", policy.warnings);
        assert!(policy.rules.iter().any(|rule| rule.kind == kind.name));
        let explanation = kind.explanation();
        for key in kind.keys {
            assert!(explanation.contains(&format!("\n  {} ", key.name)), "{}", key.name);
        }
        for line in explanation.lines().filter(|line| !line.contains("ssh-")) {
            assert!(line.len() <= EXPLAIN_COLUMNS, "{line}");
        }
    }
}

#[test]
fn the_pages_about_rules_name_every_key() {
    page_names("docs/push-rules.md", &["message", "author", "size", "freeze", "run"]);
    page_names("docs/path-rules.md", &["restrict-paths", "files", "secrets", "names"]);
}

fn page_names(page: &str, kinds: &[&str]) {
    let page = fs::read_to_string(root().join(page)).unwrap();
    for &kind in kinds {
        let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
        assert!(page.contains(&format!("kind = \"{}\"", kind.name)), "{}", kind.name);
        for key in kind.keys {
            let named = [format!("`{}`", key.name), format!("`{} ", key.name)];
            assert!(named.iter().any(|text| page.contains(text)), "{}: {}", kind.name, key.name);
        }
    }
}

fn policies_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(policies_below(&path));
        } else if path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_policy_in_config_can_be_used_and_all_kinds_are_shown() {
    let paths = policies_below(&root().join("config"));
    let mut shown = String::new();
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        shown.push_str(&String::from_utf8(bytes.clone()).unwrap());
        let label = path.file_name().unwrap().to_str().unwrap().to_owned();
        let policy = compile(&[PolicyFile { label, bytes }]);
        let policy = policy.unwrap_or_else(|problems| panic!("{problems}"));
        assert!(policy.warnings.is_empty(), "{}", policy.warnings);
    }
    for kind in KINDS {
        assert!(shown.contains(&format!("\"{}\"", kind.name)), "{} is shown", kind.name);
    }
}

/// What a file below `config` compiles to.
fn compiled(names: &[&str]) -> Policy {
    let files: Vec<PolicyFile> = names
        .iter()
        .map(|name| {
            let bytes = fs::read(root().join("config").join(name)).unwrap();
            PolicyFile { label: (*name).to_owned(), bytes }
        })
        .collect();
    compile(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_starter_shows_every_key_with_the_value_it_has_without_a_word() {
    let text = fs::read_to_string(root().join("config/policy.toml")).unwrap();
    let shows = |key: &str| {
        let bare = text.lines().map(|line| line.trim_start_matches("# "));
        bare.filter_map(|line| line.split_once('=')).any(|(name, _)| name.trim() == key)
    };
    let mut keys: Vec<&str> = COMMON_KEYS.to_vec();
    keys.extend(["version", "help", "logins", "emails", "keys", "machine", "shared"]);
    keys.extend([
        "ssh",
        "http",
        "local",
        "platform",
        "unlisted",
        "allowed-signers",
        "keyring",
        "dir",
        "on-drift",
        "key",
        "seal-every",
        "redact",
        "refuse",
    ]);
    keys.extend(GLASS_KEYS);
    keys.extend(NOTIFY_KEYS);
    keys.extend(LIMITS.iter().map(|row| row.key));
    keys.extend(KINDS.iter().flat_map(|kind| kind.key_names()));
    for key in keys {
        assert!(shows(key), "{key}");
    }
    for kind in KINDS {
        for key in kind.keys {
            let Some(default) = key.default else { continue };
            let line = text.lines().find(|line| line.starts_with(&format!("{} ", key.name)));
            let value = line.and_then(|line| line.split_once('=')).unwrap().1;
            assert!(value.trim_start().starts_with(default), "{}: {value}", key.name);
        }
    }
    let policy = compiled(&["policy.toml"]);
    assert_eq!(policy.limits, Limits::default());
    assert_eq!(policy.identity, Identity::default());
    assert_eq!(policy.log, LogSettings::default());
    assert_eq!(policy.refuse, RefuseMode::default());
}

#[test]
fn the_site_s_file_and_a_team_s_make_one_policy() {
    let both = compiled(&["examples/site.toml", "examples/team.toml"]);
    let names: Vec<&str> = both.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["default-takes-merges", "pipelines", "tags-are-forever", "ledger-review"]);
    assert_eq!(both.rules[3].place.to_string(), "examples/team.toml:15");
    assert_eq!(both.roster.people().count(), 4);
    let turned = compiled(&["examples/team.toml"]);
    assert_ne!(both.digest, turned.digest);
    assert_eq!(both.digest, compiled(&["examples/site.toml", "examples/team.toml"]).digest);
}

#[test]
fn a_warning_refuses_from_its_day_on() {
    let policy = compiled(&["examples/try-before-it-bites.toml"]);
    let main = Refname::parse(b"refs/heads/main").unwrap();
    let day = Moment::parse_day("2027-02-01").unwrap();
    let before = day.plus_seconds(-1);
    let (merges, tags) = (&policy.rules[0], &policy.rules[2]);
    assert_eq!((merges.level_at(before), merges.level_at(day)), (Level::Warn, Level::Refuse));
    assert_eq!((tags.level_at(before), tags.until), (Level::Refuse, None));
    assert!(!policy.protects(&main, Some(&main), before));
    assert!(policy.protects(&main, Some(&main), day));
    assert!(!policy.protects(&main, None, day));
}

#[test]
fn digests_tell_texts_apart_and_not_names() {
    let of = |files: &[(&str, &str)]| {
        let files: Vec<PolicyFile> = files
            .iter()
            .map(|(label, text)| PolicyFile {
                label: (*label).to_owned(),
                bytes: text.as_bytes().to_vec(),
            })
            .collect();
        compile(&files).unwrap_or_else(|problems| panic!("{problems}")).digest
    };
    let rule = "version = 1\n[rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n";
    let people = "version = 1\n[people.alice]\n";
    let one = of(&[("a", rule)]);
    // Written into every log entry: another value means that old entries are no longer understood.
    let pinned = "c5857bfe00a417f919874dc3487bcff86d2dfd675f85be5ff775b2f976555221";
    assert_eq!(one.hex(), pinned);
    assert_eq!(one, of(&[("b", rule)]));
    assert_ne!(one, of(&[("a", &format!("{rule}\n"))]));
    assert_ne!(of(&[("a", rule), ("b", people)]), of(&[("a", people), ("b", rule)]));
}

#[test]
fn keys_of_another_file_are_part_of_the_policy() {
    let file = |label: &str, text: &str| PolicyFile {
        label: label.to_owned(),
        bytes: with_keys(text).into_bytes(),
    };
    let text = "version = 1\n[identity]\nallowed-signers = [\"keys\"]\n[people.alice]\n\
                [rule.a]\nkind = \"signature\"\nrefs = [\"main\"]\n";
    let site = [file("a", text)];
    assert_eq!(key_files_named(&site[0]), ["keys"]);
    let of = |keys: &str| compile_with(&site, &[file("keys", keys)]);
    let one = of("alice {alice}\n").unwrap_or_else(|problems| panic!("{problems}"));
    let same = of("alice {alice}\n").unwrap_or_else(|problems| panic!("{problems}"));
    let other = of("alice {alice}\n\n").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(one.digest, same.digest);
    assert_ne!(one.digest, other.digest);
    // Without the file, or with a file too many, nothing is guessed.
    assert!(compile(&site).is_err());
    assert!(compile_with(&site, &[file("k", "alice {alice}"), file("l", "alice {bob}")]).is_err());
    assert!(of("").is_err());
}

proptest! {
    #[test]
    fn no_bytes_break_the_reading_of_a_policy(bytes: Vec<u8>) {
        let _ = compile(&[PolicyFile { label: "policy.toml".to_owned(), bytes }]);
    }

    #[test]
    fn no_slip_of_the_hand_breaks_the_reading_of_a_policy(
        cut in 0usize..6000,
        length in 0usize..40,
        insert in "[a-z\"\\[\\]{}=\n. !*@/\\\\é\u{0}-\u{1f}]{0,8}",
    ) {
        let mut text = fs::read_to_string(root().join("config/policy.toml")).unwrap();
        // The starter is ASCII, so every offset is a boundary.
        let (from, to) = (cut.min(text.len()), (cut + length).min(text.len()));
        text.replace_range(from..to, &insert);
        if let Err(problems) = compile(&[PolicyFile { label: "p".to_owned(), bytes: text.into_bytes() }]) {
            prop_assert!(problems.errors() > 0);
            prop_assert!(!problems.to_string().is_empty());
        }
    }
}

/// The page for people has every key, its value without a word, its bound and its words; and every
/// fixed bound that it names is there.
#[test]
fn the_page_of_limits_is_in_step_with_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let number = |value: u64| {
        let digits = value.to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push('_');
            }
            text.push(digit);
        }
        text
    };
    let rows: Vec<String> = LIMITS
        .iter()
        .map(|row| {
            let (default, max) = (number(row.default), number(row.max));
            format!("| `{}` | {default} | {max} | {} |", row.key, row.doc)
        })
        .collect();
    let told: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(told, rows);
    let fixed =
        page.lines().filter_map(|line| line.split('`').nth(1).filter(|_| line.starts_with("| ")));
    let mut source = String::new();
    sources(&root.join("src"), &mut source);
    let mut count = 0;
    for name in fixed.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
        assert!(source.contains(&format!("const {name}: ")), "{name}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false => all.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())),
        }
    }
}
