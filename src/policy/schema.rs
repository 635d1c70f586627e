//! The policy's language as a JSON Schema (draft 7), for editors that complete and check TOML by one.
//!
//! Made of the tables that tell of a policy: the rule kinds and their keys, the limits, the sections
//! around them. An editor sees shapes; who is who, what patterns match and what is out of reach, `lint` says.

use serde_json::{Map, Value, json};

use crate::facts::limits::LIMITS;
use crate::policy::keys::{RULE, SECTIONS, TOP};
use crate::policy::raw::VERSION;
use crate::rules::KINDS;
use crate::rules::operations;
use crate::rules::rule::{KeyDoc, Kind, Shape};

/// The names of people, groups and rules.
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";

/// A person or a `@group`.
const PARTY: &str = "^@?[a-z0-9][a-z0-9._-]{0,63}$";

/// A length of time.
const DURATION: &str = "^[0-9]+[smhdw]$";

/// A size.
const SIZE: &str = "^[0-9]+ ?(B|KiB|MiB|GiB|kB|MB|GB)$";

/// A day, 00:00 UTC.
const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// The keys of a table, each with what it takes.
type Keys = Vec<(&'static str, Value)>;

/// The whole schema.
pub fn schema() -> Value {
    let mut top = object(top(), &["version"]);
    let mut whole = Map::new();
    whole.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    whole.insert("title".into(), json!("Portcullis policy"));
    if let Value::Object(top) = &mut top {
        whole.append(top);
    }
    let shared = told(RULE).into_iter().filter(|(name, _)| *name != "kind");
    let shared = shared.map(|(name, value)| (name.to_owned(), value));
    whole.insert("definitions".into(), Value::Object(shared.collect()));
    Value::Object(whole)
}

/// The schema as a file has it.
pub fn text() -> String {
    // A value of plain keys and values always becomes text.
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}

fn top() -> Keys {
    let rules: Vec<Value> = KINDS.iter().map(|kind| rule(kind)).collect();
    let rule = json!({ "type": "object", "propertyNames": { "pattern": NAME },
        "additionalProperties": { "oneOf": rules } });
    let sections = SECTIONS.iter().map(|section| {
        let name = section.header.trim_matches(['[', ']']);
        let table = about(table(section.keys), section.about);
        match name.split_once('.') {
            Some((all, _)) => (all, named(table)),
            None => (name, table),
        }
    });
    let other = [("limits", limits()), ("groups", named(parties())), ("rule", rule)];
    told(TOP).into_iter().chain(sections).chain(other).collect()
}

fn exemption() -> Value {
    let keys = vec![
        ("who", about(pattern(PARTY), "whose work it has to be, all of it")),
        ("paths", about(list(text_of()), "where every entry has to lie")),
        ("operations", about(list(words(&operations::words())), "what alone is done to them")),
    ];
    object(keys, &["who", "paths"])
}

/// Keys with what each takes.
fn told(keys: &'static [KeyDoc]) -> Keys {
    keys.iter().map(|key| (key.name, of_key(key))).collect()
}

/// A table of these keys.
fn table(keys: &'static [KeyDoc]) -> Value {
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    object(told(keys), &required)
}

fn rule(kind: &Kind) -> Value {
    // Told once, under `definitions`; which kind it is tells the kinds apart.
    let shared = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    let common = RULE.iter().map(|key| match key.name {
        "kind" => ("kind", about(json!({ "const": kind.name }), kind.summary)),
        name => (name, shared(name)),
    });
    let keys: Keys = common.chain(told(kind.keys)).collect();
    let needed = RULE.iter().chain(kind.keys).filter(|key| key.required);
    let required: Vec<&str> = needed.map(|key| key.name).collect();
    let mut rule = object(keys, &required);
    rule["title"] = json!(kind.name);
    rule
}

fn of_key(key: &KeyDoc) -> Value {
    let value = match key.shape {
        Shape::Flag => flag(),
        Shape::Count => count(),
        Shape::CountOrNone => json!({ "type": "integer", "minimum": 0 }),
        Shape::Duration => pattern(DURATION),
        // The built-in kinds of infrastructure may stand alone: "all".
        Shape::Words(all) if key.name == "infra" => one_or_more(words(&all())),
        Shape::Words(all) => list(words(&all())),
        Shape::Word(all) => words(&all()),
        Shape::Names | Shape::Paths | Shape::Refs | Shape::Texts | Shape::Keys => list(text_of()),
        Shape::Party => parties(),
        Shape::Seats => list(object(vec![("approvals", count()), ("from", parties())], &["from"])),
        Shape::Path | Shape::Text | Shape::Regex | Shape::Said(_) => text_of(),
        Shape::Parties => json!({ "type": "object", "additionalProperties": pattern(PARTY) }),
        Shape::Size => pattern(SIZE),
        Shape::Since => json!({ "anyOf": [day(), list(text_of())] }),
        Shape::Regexes | Shape::Files => one_or_more(text_of()),
        Shape::Tables => list(json!({ "type": "object" })),
        Shape::Version => json!({ "const": VERSION }),
        Shape::Day => day(),
        Shape::Exemptions => list(exemption()),
    };
    let doc = match key.default {
        Some(default) => format!("{}; without it {default}", key.doc),
        None => key.doc.to_owned(),
    };
    about(value, &doc)
}

fn limits() -> Value {
    let rows = LIMITS.iter().map(|row| {
        let value = json!({ "type": "integer", "minimum": 1, "maximum": row.max,
            "default": row.default });
        (row.key, about(value, row.doc))
    });
    object(rows.collect(), &[])
}

fn object(keys: Keys, required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        keys.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut object =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// Tables or lists under names that the policy's writer chooses.
fn named(value: Value) -> Value {
    json!({ "type": "object", "propertyNames": { "pattern": NAME },
        "additionalProperties": value })
}

fn about(mut value: Value, doc: &str) -> Value {
    value["description"] = json!(doc);
    value
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn text_of() -> Value {
    json!({ "type": "string" })
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn day() -> Value {
    pattern(DAY)
}

fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn parties() -> Value {
    list(pattern(PARTY))
}

fn one_or_more(value: Value) -> Value {
    json!({ "anyOf": [value.clone(), list(value)] })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::compiled::COMMON_KEYS;
    use crate::policy::exempt::EXEMPT_KEYS;
    use crate::policy::glass::GLASS_KEYS;
    use crate::policy::notify::NOTIFY_KEYS;
    use crate::policy::raw::TOP_KEYS;
    use crate::policy::rollback::ROLLBACK_KEYS;
    use crate::policy::settings::{IDENTITY_KEYS, LOG_KEYS, PUSH_KEYS};
    use crate::roster::read::PERSON_KEYS;

    fn keys_of(table: &Value) -> BTreeSet<&str> {
        table["properties"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn every_section_has_the_keys_that_are_read_and_no_others() {
        let schema = schema();
        let section = |name: &str| &schema["properties"][name];
        let common: Vec<&str> = COMMON_KEYS.into_iter().filter(|name| *name != "kind").collect();
        for (table, known) in [
            (&schema, TOP_KEYS.known),
            (section("identity"), &IDENTITY_KEYS[..]),
            (section("log"), &LOG_KEYS),
            (section("push"), &PUSH_KEYS),
            (&section("people")["additionalProperties"], PERSON_KEYS.known),
            (section("break-glass"), &GLASS_KEYS),
            (section("rollback"), &ROLLBACK_KEYS),
            (section("notify"), &NOTIFY_KEYS),
            (&exemption(), &EXEMPT_KEYS),
            (&json!({ "properties": schema["definitions"] }), &common),
        ] {
            assert_eq!(keys_of(table), known.iter().copied().collect(), "{known:?}");
        }
    }

    #[test]
    fn an_approval_by_nobody_but_the_pusher_is_a_rollback_that_editors_know() {
        let rollback = &schema()["properties"]["rollback"]["properties"]["approvals"];
        assert_eq!(rollback["minimum"], 0);
    }

    #[test]
    fn every_kind_and_every_limit_is_told() {
        let schema = schema();
        let kinds = schema["properties"]["rule"]["additionalProperties"]["oneOf"].as_array();
        let kinds: Vec<&Value> = kinds.into_iter().flatten().collect();
        assert_eq!(kinds.len(), KINDS.len());
        for (kind, told) in KINDS.iter().zip(kinds) {
            assert_eq!(told["properties"]["kind"]["const"], kind.name);
            for key in kind.keys {
                assert!(told["properties"][key.name].is_object(), "{}: {}", kind.name, key.name);
            }
        }
        for row in LIMITS {
            assert!(
                schema["properties"]["limits"]["properties"][row.key].is_object(),
                "{}",
                row.key
            );
        }
    }
}
