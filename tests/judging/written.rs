//! What is told, held against a file: messages and the like, read as text.
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
