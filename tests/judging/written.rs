//! What is told, held against a file: messages and the like, read as text. And bytes that a text
//! cannot hold, as a case writes them.
#![expect(clippy::disallowed_methods, reason = "what is expected is a file")]

use std::path::Path;

/// Holds what was told against a file of `tests/cases`, its parts one by one so that a difference is
/// short. `UPDATE=1` writes the file.
pub(crate) fn as_written(name: &str, told: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, told).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap();
    for (told, expected) in told.split("== ").zip(expected.split("== ")) {
        assert_eq!(told, expected);
    }
    assert_eq!(told.len(), expected.len());
}

/// `\xNN` and `\u{NNNN}` taken as what they stand for.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let taken = if let Some(hex) = rest.strip_prefix("\\x") {
            out.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            4
        } else if let Some(hex) = rest.strip_prefix("\\u{") {
            let end = hex.find('}').unwrap();
            let c = char::from_u32(u32::from_str_radix(&hex[..end], 16).unwrap()).unwrap();
            out.extend_from_slice(c.to_string().as_bytes());
            end + 4
        } else {
            panic!("what is {rest}?")
        };
        rest = &rest[taken..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}
