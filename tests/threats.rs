//! `docs/threats.md` tells the truth: every entry of the catalogue has one row, every row names the
//! tests that show its answer, and those tests are there.
//!
//! A test whose name begins with identifiers (`a04_a05_...`) stands in the row of each of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test reads the sources")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every identifier of the catalogue, one a line.
const IDS: &str = include_str!("data/threats.txt");

/// Sections that need not be whole yet.
const OPEN: &[&str] = &[];

/// One row: what answers an entry, and the tests that show it, as file and function.
struct Row {
    answer: String,
    tests: Vec<(String, String)>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below these folders.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The names of the test functions of a file.
fn tests_of(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        marked |= line == "#[test]";
        if let Some(rest) = line.strip_prefix("fn ")
            && std::mem::take(&mut marked)
        {
            names.extend(rest.split('(').next().map(str::to_owned));
        }
    }
    names
}

/// The identifiers that a test's name begins with.
fn ids_of(name: &str) -> Vec<String> {
    let is_id = |word: &&str| {
        word.len() == 3
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word[1..].chars().all(|digit| digit.is_ascii_digit())
    };
    name.split('_').take_while(is_id).map(str::to_uppercase).collect()
}

/// The rows of the page, each below the heading of its section: `## A. ...`.
fn rows(page: &str) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    let mut section = "";
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.split_once(". ").map_or("", |(letter, _)| letter);
        }
        let cells: Vec<&str> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim_matches([' ', '|'])).collect();
        let [id, _, answer, shown] = cells[..] else { continue };
        if ids_of(&id.to_lowercase()).is_empty() {
            continue;
        }
        assert!(id.starts_with(section), "{id} stands below the heading of {section}");
        let mut file = "";
        let mut tests = Vec::new();
        for word in shown.split('`').skip(1).step_by(2) {
            match word.ends_with(".rs") {
                true => file = word,
                false => tests.push((file.to_owned(), word.to_owned())),
            }
        }
        let row = Row { answer: answer.to_owned(), tests };
        assert!(rows.insert(id.to_owned(), row).is_none(), "{id} has two rows");
    }
    rows
}

#[test]
fn every_entry_of_the_catalogue_has_its_row_and_every_row_its_tests() {
    let rows = rows(&fs::read_to_string(root().join("docs/threats.md")).unwrap());
    let known: BTreeSet<&str> = IDS.lines().collect();
    let missing: Vec<&&str> = known
        .iter()
        .filter(|id| !rows.contains_key(**id) && !OPEN.iter().any(|open| id.starts_with(open)))
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    let mut problems = Vec::new();
    for (id, row) in &rows {
        if !known.contains(id.as_str()) {
            problems.push(format!("{id} is no entry of the catalogue"));
        }
        if row.answer.is_empty() || row.tests.is_empty() {
            problems.push(format!("{id} needs an answer and a test"));
        }
        for (file, name) in &row.tests {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            if !tests_of(&text).contains(name) {
                problems.push(format!("{id}: no test {name} in {file:?}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_test_that_is_named_after_an_entry_stands_in_its_row() {
    let rows = rows(&fs::read_to_string(root().join("docs/threats.md")).unwrap());
    let mut problems = Vec::new();
    for path in sources(&["src", "tests"]) {
        let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        for name in tests_of(&fs::read_to_string(&path).unwrap()) {
            for id in ids_of(&name) {
                let named = (file.clone(), name.clone());
                if !rows.get(&id).is_some_and(|row| row.tests.contains(&named)) {
                    problems.push(format!("the row of {id} does not name {file} {name}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
