//! The policy's language as a JSON Schema (draft 7), for editors that complete and check TOML by one.
//!
//! Made of the tables that policies are read with: the rule kinds and their keys, the limits. The
//! sections around them are told here, and a test holds them against the keys that are read. An
//! editor sees shapes; who is who, what patterns match and what is out of reach, `lint` says.

use serde_json::{Map, Value, json};

use crate::facts::limits::LIMITS;
use crate::policy::notify::EVENTS;
use crate::policy::raw::{LEVELS, VERSION};
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
type Section = Vec<(&'static str, Value)>;

/// The whole schema.
pub fn schema() -> Value {
    let mut top = object(top(), &["version"]);
    let mut whole = Map::new();
    whole.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    whole.insert("title".into(), json!("Portcullis policy"));
    if let Value::Object(top) = &mut top {
        whole.append(top);
    }
    let shared = common().into_iter().filter(|(name, _)| *name != "kind");
    let shared = shared.map(|(name, value)| (name.to_owned(), value));
    whole.insert("definitions".into(), Value::Object(shared.collect()));
    Value::Object(whole)
}

/// The schema as a file has it.
pub fn text() -> String {
    // A value of plain keys and values always becomes text.
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}

fn top() -> Section {
    let rules: Vec<Value> = KINDS.iter().map(|kind| rule(kind)).collect();
    let rule = json!({ "type": "object", "propertyNames": { "pattern": NAME },
        "additionalProperties": { "oneOf": rules } });
    vec![
        ("version", about(json!({ "const": VERSION }), "the language of this file")),
        ("help", about(text_of(), "shown in every refusal: whom to ask")),
        (
            "level",
            about(
                words(&level_words()),
                "what every rule of this file does that does not say otherwise",
            ),
        ),
        ("until", about(day(), "the day from which every \"warn\" of this file refuses")),
        ("identity", object(identity(), &[])),
        ("log", object(log(), &[])),
        ("limits", limits()),
        ("push", object(push(), &[])),
        ("people", named(object(person(), &[]))),
        ("groups", named(parties())),
        ("break-glass", object(glass(), &["by"])),
        ("rollback", object(rollback(), &["by"])),
        ("notify", object(notify(), &["command"])),
        ("rule", rule),
    ]
}

fn identity() -> Section {
    let door =
        "who pushes: ssh-auth-info, push-certificate, os-user, or a variable that the server sets";
    vec![
        ("ssh", about(text_of(), door)),
        ("http", about(text_of(), door)),
        ("local", about(text_of(), door)),
        ("platform", about(text_of(), "in place of the three: whose server it is, such as gitea")),
        (
            "unlisted",
            about(words(&["login", "refuse"]), "somebody we can name who is not in [people]"),
        ),
        ("allowed-signers", about(one_or_more(text_of()), "files of more keys for [people]")),
        ("keyring", about(text_of(), "a file of OpenPGP keys, as gpg --export writes it")),
    ]
}

fn log() -> Section {
    vec![
        ("dir", about(text_of(), "a folder for the logs of all repositories")),
        ("on-drift", about(words(&["record", "refuse"]), "a ref was moved without the gate")),
        ("when-full", about(words(&["refuse", "use-up"]), "the log's disk is nearly full")),
        ("key", about(text_of(), "what signs seals: a file, a folder, or a key of an ssh-agent")),
        (
            "seal-every",
            about(pattern(DURATION), "a push seals the log when its newest seal is older"),
        ),
        (
            "redact",
            about(list(words(&["logins", "options"])), "what the log has only as a keyed hash"),
        ),
        ("journal", about(text_of(), "who else is told what happens: syslog or journald")),
    ]
}

fn push() -> Section {
    vec![("refuse", about(words(&["push", "ref"]), "what a refused ref takes with it"))]
}

fn person() -> Section {
    vec![
        ("logins", about(list(text_of()), "what the source of [identity] calls them")),
        ("emails", about(list(text_of()), "what their commits say")),
        ("keys", about(list(text_of()), "public keys, as in authorized_keys")),
        ("machine", about(flag(), "never approves, but may give checks")),
        ("shared", about(flag(), "several people use this login, so it never approves either")),
    ]
}

fn glass() -> Section {
    vec![
        ("by", about(parties(), "who may push past rules in an emergency")),
        ("refs", about(list(text_of()), "where; on every ref without it")),
        ("paths", about(list(text_of()), "within what; within everything without it")),
        ("reason-match", about(text_of(), "a regular expression for the reason")),
        (
            "settle-within",
            about(pattern(DURATION), "how soon what landed is to be approved or reverted"),
        ),
        (
            "debt",
            about(words(&["report", "block"]), "what is overdue is shown, or lands nothing else"),
        ),
    ]
}

fn rollback() -> Section {
    vec![
        ("by", about(parties(), "who may approve going back to an earlier state")),
        ("approvals", about(count(), "how many of them")),
        ("within", about(pattern(DURATION), "how old a state may be")),
    ]
}

fn notify() -> Section {
    let events: Vec<&str> = EVENTS.iter().map(|(word, _)| *word).collect();
    vec![
        ("command", about(list(text_of()), "what is told of what has happened; no shell")),
        ("on", about(list(words(&events)), "of what; of all without it")),
        ("timeout", about(pattern(DURATION), "how long it may take for one event")),
    ]
}

fn exemption() -> Section {
    vec![
        ("who", about(pattern(PARTY), "whose work it has to be, all of it")),
        ("paths", about(list(text_of()), "where every entry has to lie")),
        ("operations", about(list(words(&operations::words())), "what alone is done to them")),
    ]
}

/// What every rule may have, whatever its kind.
fn common() -> Section {
    let exempt = list(object(exemption(), &["who", "paths"]));
    let kind = "what the rule asks for; portcullis explain KIND tells of each";
    vec![
        ("kind", about(text_of(), kind)),
        (
            "refs",
            about(list(text_of()), "branches; refs/... is a whole name, @default what HEAD names"),
        ),
        ("starts", about(list(text_of()), "a new ref is judged from a value these had")),
        ("level", about(words(&level_words()), "\"warn\" says so, logs it and lets it through")),
        ("until", about(day(), "beside \"warn\": the day from which it refuses")),
        ("why", about(text_of(), "shown to the pusher")),
        ("exempt", about(exempt, "who may land something without this rule's say")),
    ]
}

fn rule(kind: &Kind) -> Value {
    // Told once, under `definitions`; which kind it is tells the kinds apart.
    let shared = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    let mut keys: Section = common().into_iter().map(|(name, _)| (name, shared(name))).collect();
    keys.retain(|(name, _)| *name != "kind");
    keys.insert(0, ("kind", about(json!({ "const": kind.name }), kind.summary)));
    keys.extend(kind.keys.iter().map(|key| (key.name, of_key(key))));
    let needed = kind.keys.iter().filter(|key| key.required).map(|key| key.name);
    let required: Vec<&str> = ["kind", "refs"].into_iter().chain(needed).collect();
    let mut rule = object(keys, &required);
    rule["title"] = json!(kind.name);
    rule
}

fn of_key(key: &KeyDoc) -> Value {
    let value = match key.shape {
        Shape::Flag => flag(),
        Shape::Count => count(),
        Shape::Duration => pattern(DURATION),
        // The built-in kinds of infrastructure may stand alone: "all".
        Shape::Words(all) if key.name == "infra" => one_or_more(words(&all())),
        Shape::Words(all) => list(words(&all())),
        Shape::Word(all) => words(&all()),
        Shape::Names | Shape::Paths | Shape::Refs => list(text_of()),
        Shape::Party => parties(),
        Shape::Seats => list(object(vec![("approvals", count()), ("from", parties())], &["from"])),
        Shape::Path | Shape::Text => text_of(),
        Shape::Parties => json!({ "type": "object", "additionalProperties": pattern(PARTY) }),
        Shape::Size => pattern(SIZE),
        Shape::Since => json!({ "anyOf": [day(), list(text_of())] }),
        Shape::Regexes => one_or_more(text_of()),
        Shape::Tables => list(json!({ "type": "object" })),
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

fn level_words() -> Vec<&'static str> {
    LEVELS.iter().map(|(word, _)| *word).collect()
}

fn object(keys: Section, required: &[&str]) -> Value {
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

    #[test]
    fn every_section_has_the_keys_that_are_read_and_no_others() {
        for (section, known) in [
            (top(), TOP_KEYS.known),
            (identity(), &IDENTITY_KEYS),
            (log(), &LOG_KEYS),
            (push(), &PUSH_KEYS),
            (person(), PERSON_KEYS.known),
            (glass(), &GLASS_KEYS),
            (rollback(), &ROLLBACK_KEYS),
            (notify(), &NOTIFY_KEYS),
            (exemption(), &EXEMPT_KEYS),
            (common(), &COMMON_KEYS),
        ] {
            let told: BTreeSet<&str> = section.iter().map(|(name, _)| *name).collect();
            assert_eq!(told, known.iter().copied().collect(), "{known:?}");
            assert_eq!(told.len(), section.len());
        }
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
