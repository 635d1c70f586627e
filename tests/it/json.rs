//! `docs/json.md` names every field that the verbs answer with, and no field that none has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::docs::blocks;
use crate::operations::Server;

/// The sections whose commands are run here and whose tables are compared.
const COMPARED: [&str; 10] = [
    "`lint`",
    "`replay`",
    "`doctor`",
    "`review`",
    "`approve`, `reject`, `revoke`, `attest`",
    "`log verify`",
    "`log drift`",
    "`log seal`",
    "`log tidy`",
    "`log who`",
];

/// The sections whose verbs need what other tests have: an old log, witnesses, a state to go back to.
const ELSEWHERE: [&str; 3] = ["`log prune`", "`log witness`", "`rollback`"];

/// The first JSON value among what was printed.
#[track_caller]
fn answer(printed: &str) -> Value {
    let at = printed.find("{\n").unwrap_or_else(|| panic!("no JSON in {printed}"));
    let mut values = serde_json::Deserializer::from_str(&printed[at..]).into_iter::<Value>();
    values.next().unwrap().unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// The names of all fields with a value, and of those that hold nothing: null, `[]`, `{}`.
fn fields(value: &Value, name: &str, full: &mut BTreeSet<String>, empty: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                fields(value, &name, full, empty);
            }
        }
        Value::Array(list) if list.iter().any(|it| it.is_object()) => {
            list.iter().for_each(|value| fields(value, &format!("{name}[]"), full, empty));
        }
        Value::Array(list) if list.is_empty() => drop(empty.insert(name.to_owned())),
        Value::Null | Value::Object(_) => drop(empty.insert(name.to_owned())),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            full.insert(name.to_owned());
        }
    }
}

/// The fields that the table of a section names: as they are found, and whether they may be missing.
fn told(section: &str) -> BTreeSet<(String, bool)> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split(", "));
    names
        .map(|name| {
            let name = name.trim_matches('`').trim_end_matches(" |");
            let bare = name.trim_end_matches('?');
            (bare.trim_end_matches("[]").to_owned(), bare != name)
        })
        .collect()
}

/// Whether a field lies below another, or is it.
fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn compare(heading: &str, section: &str, printed: &str) {
    let told = told(section);
    let (mut full, mut empty) = (BTreeSet::new(), BTreeSet::new());
    fields(&answer(printed), "", &mut full, &mut empty);
    for name in &full {
        // What stands below a field that is told of as one is told there in words.
        let known = told.iter().any(|(it, _)| is_below(name, it));
        assert!(known, "{heading}: nobody tells of {name}");
    }
    for name in &empty {
        let known = told.iter().any(|(it, _)| is_below(it, name) || is_below(name, it));
        assert!(known, "{heading}: nobody tells of {name}");
    }
    for (name, may_miss) in &told {
        let there = full.iter().any(|it| is_below(it, name));
        let nothing = empty.iter().any(|it| is_below(name, it) || is_below(it, name));
        assert!(there || nothing || *may_miss, "{heading}: there is no {name} in {printed}");
    }
}

/// Holds what a verb answered against its section, where another test has what the verb needs.
#[track_caller]
pub(crate) fn is_told_of(heading: &str, printed: &str) {
    assert!(ELSEWHERE.contains(&heading), "{heading}");
    let page = page();
    let section = page
        .split("\n## ")
        .find_map(|section| section.strip_prefix(heading).filter(|rest| rest.starts_with('\n')));
    compare(heading, section.unwrap_or_else(|| panic!("no section {heading}")), printed);
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap()
}

#[test]
fn every_field_is_told_of() {
    let page = page();
    let mut server = Server::new();
    let (mut compared, mut elsewhere) = (Vec::new(), Vec::new());
    for section in page.split("\n## ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        if blocks(text).is_empty() {
            elsewhere.push(heading);
        }
        for block in blocks(text) {
            let printed = server.ran(&block, 0);
            if block.language == "sh" {
                compare(heading, text, &printed);
                compared.push(heading);
            }
        }
    }
    assert_eq!(compared, COMPARED);
    assert_eq!(elsewhere, ELSEWHERE);
}
