//! `docs/rules.md` tells the truth: every capability of the list has one row, the lines of a policy
//! in it compile, the tests it names are there, and no kind or key of the rule table is without a row.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test reads the sources")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use portcullis::cli::VERBS;
use portcullis::policy::compiled::COMMON_KEYS;
use portcullis::policy::glass::GLASS_KEYS;
use portcullis::policy::notify::NOTIFY_KEYS;
use portcullis::policy::{PolicyFile, compile};
use portcullis::rules::{KINDS, kind};

/// Every capability, one a line, sorted.
const CAPABILITIES: &str = include_str!("data/peers.txt");

/// What the lines of the page may be about besides rules: tables of a policy, and its top.
const TABLES: [&str; 9] = [
    "[break-glass]",
    "[rollback]",
    "[identity]",
    "[log]",
    "[limits]",
    "[push]",
    "[notify]",
    "[groups]",
    "[people.somebody]",
];

/// What a rule needs besides the lines that are shown, so that it can be used.
const NEEDED: [(&str, &[&str], &str); 10] = [
    ("approval", &["from"], "from = [\"@platform\"]"),
    ("approval", &["paths", "infra"], "paths = [\"**\"]"),
    ("check", &["from"], "from = [\"plan-bot\"]"),
    ("check", &["checks"], "checks = [\"plan\"]"),
    ("code-owners", &["dialect"], "dialect = \"github\""),
    ("freeze", &["closed", "open"], "closed = [{ from = \"12-20\", to = \"01-03\" }]"),
    ("message", KEYS_OF_MESSAGE, "no-leftovers = true"),
    ("restrict-paths", &["by", "not-by"], "by = [\"@sre\"]"),
    ("restrict-paths", &["paths", "infra"], "paths = [\"conf/**\"]"),
    ("files", &["max-size", "forbid", "only-names"], "max-size = \"1MiB\""),
];

/// The keys of which a rule of kind `message` has at least one.
const KEYS_OF_MESSAGE: &[&str] = &["subject-max", "trailers", "signed-off-by"];

/// One row of the page.
struct Row<'p> {
    here: &'p str,
    shown: &'p str,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/rules.md")).unwrap()
}

/// The rows by their capability.
fn rows(page: &str) -> BTreeMap<&str, Row<'_>> {
    let mut rows = BTreeMap::new();
    let (capabilities, _) = page.split_once("## Coming from gitolite").unwrap();
    for line in capabilities.lines() {
        let Some(line) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            continue;
        };
        let cells: Vec<&str> = line.split(" | ").collect();
        let [capability, _, here, shown] = cells[..] else { panic!("four cells: {line}") };
        if capability != "capability" {
            let twice = rows.insert(capability, Row { here, shown });
            assert!(twice.is_none(), "{capability} has two rows");
        }
    }
    rows
}

/// What stands between backticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The lines of a policy that a piece of code shows: the kind or table, and the lines.
fn lines(code: &str) -> Option<(&str, Vec<&str>)> {
    let (about, lines) = match code.starts_with('[') {
        true => code.split_once("] ").map(|(table, lines)| (&code[..=table.len()], lines))?,
        false => code.split_once(": ")?,
    };
    let is_known = kind(about).is_some() || TABLES.contains(&about) || about == "policy";
    is_known.then(|| (about, lines.split("; ").collect()))
}

/// The key of `KEY = VALUE`.
fn key<'l>(line: &&'l str) -> &'l str {
    line.split_once(" = ").map_or("", |(key, _)| key)
}

/// A policy that holds these lines where they belong, and people for them to name.
fn policy(about: &str, lines: &[&str]) -> String {
    let public = |name: &str| {
        fs::read_to_string(root().join("tests/keys").join(format!("{name}.pub"))).unwrap()
    };
    let mut text = String::from("version = 1\n");
    if about == "policy" {
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }
    for name in ["alice", "bob", "carol", "dave"] {
        let key = public(name);
        let _ = write!(text, "[people.{name}]\nemails = [\"{name}@example.org\"]\n");
        let _ = writeln!(text, "keys = [\"{}\"]", key.trim());
    }
    let bot = public("plan-bot");
    let _ = write!(text, "[people.plan-bot]\nmachine = true\nkeys = [\"{}\"]\n", bot.trim());
    text.push_str(
        "[groups]\nsre = [\"alice\", \"bob\", \"carol\"]\nplatform = [\"@sre\", \"dave\"]\n\
         security = [\"carol\", \"dave\"]\njuniors = [\"dave\"]\n",
    );
    match about {
        "policy" => {}
        "[groups]" => text.push_str(&lines.join("\n")),
        _ if about.starts_with('[') => {
            let _ = write!(text, "{about}\n{}\n", lines.join("\n"));
        }
        _ => {
            let _ = write!(text, "[rule.shown]\nkind = \"{about}\"\n{}\n", lines.join("\n"));
            let has = |key: &str| lines.iter().any(|line| self::key(line) == key);
            for (_, keys, line) in NEEDED.iter().filter(|(kind, ..)| *kind == about) {
                if !keys.iter().any(|key| has(key)) {
                    let _ = writeln!(text, "{line}");
                }
            }
            if !has("refs") {
                text.push_str("refs = [\"@default\"]\n");
            }
        }
    }
    text + "\n[rule.always]\nkind = \"merge\"\nrefs = [\"@default\"]\n"
}

#[test]
fn every_capability_has_its_row_and_every_row_is_one() {
    let page = page();
    let rows: BTreeSet<&str> = rows(&page).into_keys().collect();
    let known: BTreeSet<&str> = CAPABILITIES.lines().collect();
    assert_eq!(rows, known);
}

#[test]
fn the_lines_of_a_policy_can_be_used_as_they_stand() {
    let page = page();
    let mut problems = Vec::new();
    for (capability, row) in rows(&page) {
        for (about, lines) in code(row.here).filter_map(lines) {
            let text = policy(about, &lines);
            let file = PolicyFile { label: "shown.toml".to_owned(), bytes: text.into_bytes() };
            if let Err(found) = compile(&[file]) {
                problems.push(format!("{capability}: {about}: {}\n{found}", lines.join("; ")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_kind_and_key_stands_in_some_row() {
    let page = page();
    let mut missing: BTreeSet<(String, String)> = BTreeSet::new();
    for kind in KINDS {
        let keys = kind.key_names().into_iter();
        missing.extend(keys.map(|key| (kind.name.to_owned(), key.to_owned())));
        missing.insert((kind.name.to_owned(), String::new()));
    }
    for (table, keys) in [("[break-glass]", &GLASS_KEYS[..]), ("[notify]", &NOTIFY_KEYS[..])] {
        missing.extend(keys.iter().map(|key| (table.to_owned(), (*key).to_owned())));
    }
    let mut common: BTreeSet<&str> = COMMON_KEYS.into_iter().filter(|key| *key != "kind").collect();
    for (_, row) in rows(&page) {
        for (about, lines) in code(row.here).filter_map(lines) {
            missing.remove(&(about.to_owned(), String::new()));
            for key in lines.iter().map(key) {
                common.remove(key);
                missing.remove(&(about.to_owned(), key.to_owned()));
            }
        }
    }
    assert!(missing.is_empty() && common.is_empty(), "in no row: {missing:?} {common:?}");
}

#[test]
fn every_test_and_verb_that_a_row_names_is_there() {
    let page = page();
    let mut problems = Vec::new();
    for (capability, row) in rows(&page) {
        let (mut file, mut text) = ("", String::new());
        for word in code(row.shown) {
            if word.contains('/') {
                file = word;
                text = fs::read_to_string(root().join(word)).unwrap_or_default();
            }
            let is_there = match word == file {
                true => !text.is_empty() && (file.ends_with(".txt") || text.contains("#[test]")),
                false => ["", "    "]
                    .iter()
                    .any(|indent| text.contains(&format!("{indent}#[test]\n{indent}fn {word}("))),
            };
            if !is_there {
                problems.push(format!("{capability}: no {word} in {file}"));
            }
        }
        if file.is_empty() {
            problems.push(format!("{capability}: nothing shows it"));
        }
        for verb in code(row.here).filter_map(|code| code.strip_prefix("portcullis ")) {
            if !VERBS.iter().any(|known| (known.command)().get_name() == verb) {
                problems.push(format!("{capability}: no verb {verb}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
