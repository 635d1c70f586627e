//! Entries as CloudEvents 1.0, structured mode: one event an entry, one a line.
//!
//! Pure. `data` is the entry's line byte by byte, so that whoever gets the event can still check its
//! hash. `source` and `id` together name an entry for ever: a consumer may drop what it has.

use crate::cli::log::change::changes;
use crate::log::entry::Record;
use crate::log::scan::Found;

/// What the events are of; `docs/log.md` describes it.
const DATA_SCHEMA: &str = "urn:portcullis:log:v1";

/// The event of an entry, with its line feed. `record` is its record, whole.
pub fn line(found: &Found, record: &Record) -> Vec<u8> {
    let common = &found.entry.common;
    let repository = common.log.rsplit('/').next().unwrap_or(&common.log);
    let changes = changes(record);
    let subject = match changes.as_slice() {
        [one] => one.refname.as_ref().map(|name| format!("{repository}@{name}")),
        [..] => None,
    };
    let attributes = [
        ("specversion", "1.0".to_owned()),
        ("id", common.seq.to_string()),
        ("source", format!("//{}", uri(&common.log))),
        ("type", format!("net.portcullis.log.{}.v1", common.kind.name())),
        ("subject", plain(&subject.unwrap_or_else(|| repository.to_owned()))),
        ("time", common.ts.0.rfc3339_millis()),
        ("datacontenttype", "application/json".to_owned()),
        ("dataschema", DATA_SCHEMA.to_owned()),
    ];
    let mut event = Vec::with_capacity(found.line.len() + 512);
    for (name, value) in attributes {
        event.push(if event.is_empty() { b'{' } else { b',' });
        let value = serde_json::Value::String(value);
        event.extend_from_slice(format!("\"{name}\":{value}").as_bytes());
    }
    event.extend_from_slice(b",\"data\":");
    event.extend_from_slice(&found.line);
    event.extend_from_slice(b"}\n");
    event
}

/// Without the control characters that an attribute may not hold; names of refs are escaped before.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Text as part of a URI: everything that may not stand there as `%XX`.
fn uri(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_a_uri_is_escaped() {
        assert_eq!(uri("git.example.com/infra-5f0c"), "git.example.com/infra-5f0c");
        assert_eq!(uri("a b\"\u{e4}%"), "a%20b%22%C3%A4%25");
    }
}
