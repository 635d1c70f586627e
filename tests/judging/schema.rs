//! `config/policy.schema.json`: the file is what the tables say, and the examples are what it says.
#![expect(clippy::disallowed_methods, reason = "the schema and the examples are files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use portcullis::policy::schema;
use regex_automata::meta::Regex;
use serde_json::{Map, Value, json};

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

static SCHEMA: LazyLock<Value> = LazyLock::new(schema::schema);

/// What is wrong with a value, by as much of draft 7 as the schema uses; any other word is an error.
fn flaws(schema: &Value, value: &Value, at: &str, flaws_found: &mut Vec<String>) {
    let mut here = Vec::new();
    let mut wrong = |what: String| here.push(format!("{at}: {what}"));
    for (word, asked) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "title" | "description" | "default" | "additionalProperties" => {}
            "definitions" => {}
            "$ref" => {
                let name = asked.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
                flaws(&SCHEMA["definitions"][name], value, at, flaws_found);
                continue;
            }
            "type" => {
                let is = match asked.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("{other}"),
                };
                if !is {
                    wrong(format!("{value} is no {asked}"));
                }
            }
            "const" if value != asked => wrong(format!("{value} is not {asked}")),
            "enum" if !asked.as_array().unwrap().contains(value) => {
                wrong(format!("{value} is none of {asked}"));
            }
            "minimum" if value.as_i64() < asked.as_i64() => wrong(format!("{value} is too little")),
            "maximum" if value.as_i64() > asked.as_i64() => wrong(format!("{value} is too much")),
            "const" | "enum" | "minimum" | "maximum" => {}
            "pattern" => {
                let regex = Regex::new(asked.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !regex.is_match(text)) {
                    wrong(format!("{value} does not match {asked}"));
                }
            }
            "required" => {
                for key in asked.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        wrong(format!("{key} is missing"));
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let all = asked.as_array().unwrap();
                let fits = all.iter().filter(|one| is_valid(one, value)).count();
                if fits == 0 || word == "oneOf" && fits > 1 {
                    wrong(format!("fits {fits} of {}", all.len()));
                }
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    flaws(asked, item, &format!("{at}[{number}]"), flaws_found);
                }
                continue;
            }
            "properties" | "propertyNames" => {}
            other => panic!("{other}"),
        }
    }
    flaws_found.append(&mut here);
    for (key, item) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        if let Some(names) = schema.get("propertyNames") {
            flaws(names, &json!(key), &at, flaws_found);
        }
        match (
            schema.get("properties").and_then(|all| all.get(key)),
            schema.get("additionalProperties"),
        ) {
            (Some(known), _) => flaws(known, item, &at, flaws_found),
            (None, Some(Value::Bool(false))) => flaws_found.push(format!("{at}: is not known")),
            (None, Some(other)) => flaws(other, item, &at, flaws_found),
            (None, None) => {}
        }
    }
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    flaws(schema, value, "", &mut found);
    found.is_empty()
}

/// TOML as an editor sees it: a date is a text.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => Value::Object(
            table.into_iter().map(|(key, it)| (key, as_json(it))).collect::<Map<_, _>>(),
        ),
    }
}

fn policy(text: &str) -> Value {
    as_json(toml::Value::Table(text.parse::<toml::Table>().unwrap()))
}

#[test]
fn the_file_is_what_the_tables_say() {
    let file = config().join("policy.schema.json");
    let now = schema::text();
    if fs::read_to_string(&file).unwrap_or_default() == now {
        return;
    }
    assert!(std::env::var_os("UPDATE").is_some(), "UPDATE=1 writes config/policy.schema.json anew");
    fs::write(file, now).unwrap();
}

#[test]
fn every_policy_of_config_fits() {
    let schema = &*SCHEMA;
    let mut files = vec![config().join("policy.toml")];
    files.extend(fs::read_dir(config().join("examples")).unwrap().map(|one| one.unwrap().path()));
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    assert!(files.len() > 5);
    for file in files {
        let mut found = Vec::new();
        let value = policy(&fs::read_to_string(&file).unwrap());
        flaws(schema, &value, "", &mut found);
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
        // Each rule as its own kind has it, so that a slip is told where it is.
        for (name, rule) in value["rule"].as_object().unwrap() {
            let kinds = schema["properties"]["rule"]["additionalProperties"]["oneOf"].as_array();
            let own = |one: &&Value| one["properties"]["kind"]["const"] == rule["kind"];
            let kind = kinds.unwrap().iter().find(own).unwrap();
            flaws(kind, rule, name, &mut found);
            assert!(found.is_empty(), "{}: {found:#?}", file.display());
        }
    }
}

#[test]
fn what_lint_refuses_by_its_shape_does_not_fit() {
    let schema = &*SCHEMA;
    let good = "version = 1\n[rule.x]\nkind = \"approval\"\nrefs = [\"main\"]\ninfra = \"all\"\n\
        approvals = 1\nfrom = [\"@sre\"]\n";
    assert!(is_valid(schema, &policy(good)));
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("version = 1\n", ""),
        ("version = 1", "version = 1\nhepl = \"x\""),
        ("version = 1", "version = 1\nlevel = \"loud\""),
        ("version = 1", "version = 1\n[limits]\nrefs = 0"),
        ("version = 1", "version = 1\n[people.Alice]\nkeys = []"),
        ("version = 1", "version = 1\n[break-glass]\ndebt = \"report\""),
        ("[rule.x]", "[rule.X]"),
        ("\"approval\"", "\"aproval\""),
        ("refs = [\"main\"]\n", ""),
        ("refs = [\"main\"]", "refs = \"main\""),
        ("infra = \"all\"", "infra = \"cobol\""),
        ("approvals = 1", "approvals = \"one\""),
        ("approvals = 1", "aprovals = 1"),
        ("approvals = 1", "approvals = 1\nmax-age = \"two days\""),
        ("approvals = 1", "approvals = 1\nmethods = [\"merge\"]"),
        ("from = [\"@sre\"]\n", ""),
        ("from = [\"@sre\"]", "from = [\"The SREs\"]"),
    ] {
        let wrong = good.replace(from, to);
        assert_ne!(wrong, good);
        assert!(!is_valid(schema, &policy(&wrong)), "{wrong}");
    }
}
