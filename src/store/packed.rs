//! `packed-refs`, looked into without being read whole.
//!
//! Used by `reffiles`. Git writes the file sorted, says so in its first line, and finds its own refs
//! by halving (packed-backend.c); so do we, that a push to a repository of many refs costs what it
//! costs in one of few.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::names::oid::{ObjectFormat, Oid};

/// Below this a file is read whole.
pub(super) const HALVED_BYTES_MIN: u64 = 64 * 1024;

/// How much is read at a time: some dozen lines.
const WINDOW_BYTES: u64 = 4096;

/// What came of looking for a ref.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// It names this object.
    Value(Oid),
    /// There is no such ref.
    Absent,
    /// The file is not known to be sorted, or a line is not what it should be: read it whole.
    Unsure,
}

/// A line, as far as it counts here: where it begins, where the next one does, and what it says.
struct Line {
    begin: u64,
    end: u64,
    name: Vec<u8>,
    oid: Oid,
}

/// Looks for one ref.
pub(super) fn find(file: &File, format: ObjectFormat, name: &[u8]) -> io::Result<Found> {
    let length = file.metadata()?.len();
    let head = range(file, 0, WINDOW_BYTES.min(length))?;
    let Some(header) = head.split_inclusive(|&b| b == b'\n').next() else {
        return Ok(Found::Unsure);
    };
    if !is_sorted(header) {
        return Ok(Found::Unsure);
    }
    let (mut low, mut high) = (header.len() as u64, length);
    while high - low > WINDOW_BYTES {
        let middle = low + (high - low) / 2;
        let window = range(file, middle - 1, (middle - 1 + WINDOW_BYTES).min(high))?;
        let Some(line) = first_line(format, &window, middle - 1) else { return Ok(Found::Unsure) };
        match line.name.as_slice().cmp(name) {
            Ordering::Equal => return Ok(Found::Value(line.oid)),
            Ordering::Less => low = line.end,
            Ordering::Greater => high = line.begin,
        }
    }
    let rest = range(file, low, high)?;
    for text in rest.split_inclusive(|&b| b == b'\n') {
        if text.starts_with(b"^") {
            continue;
        }
        match read(format, text) {
            Some((found, oid)) if found == name => return Ok(Found::Value(oid)),
            Some(_) => {}
            None => return Ok(Found::Unsure),
        }
    }
    Ok(Found::Absent)
}

/// Whether this is a first line that promises order: `# pack-refs with: peeled ... sorted`.
fn is_sorted(header: &[u8]) -> bool {
    let Some(traits) = header.strip_prefix(b"# pack-refs with:") else { return false };
    let Some(traits) = traits.strip_suffix(b"\n") else { return false };
    traits.split(|&b| b == b' ').any(|word| word == b"sorted")
}

/// The first whole line of a ref that begins behind the first byte of a window. What a tag peels to
/// stands in a line of its own and belongs to the one before.
fn first_line(format: ObjectFormat, window: &[u8], at: u64) -> Option<Line> {
    let mut begin = window.iter().position(|&b| b == b'\n')? + 1;
    loop {
        let rest = window.get(begin..)?;
        let length = rest.iter().position(|&b| b == b'\n')? + 1;
        if !rest.starts_with(b"^") {
            let (name, oid) = read(format, &rest[..length])?;
            let begin = at + begin as u64;
            return Some(Line { begin, end: begin + length as u64, name: name.to_vec(), oid });
        }
        begin += length;
    }
}

/// `OID SP NAME LF`.
fn read(format: ObjectFormat, line: &[u8]) -> Option<(&[u8], Oid)> {
    let (hex, rest) = line.strip_suffix(b"\n")?.split_at_checked(format.len_hex())?;
    Some((rest.strip_prefix(b" ")?, Oid::from_hex(hex)?))
}

fn range(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    const SORTED: &str = "# pack-refs with: peeled fully-peeled sorted \n";

    fn oid(number: usize) -> String {
        format!("{number:040x}")
    }

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn look(file: &File, name: &str) -> Found {
        find(file, ObjectFormat::Sha1, name.as_bytes()).unwrap()
    }

    fn value(number: usize) -> Found {
        Found::Value(Oid::from_hex(oid(number).as_bytes()).unwrap())
    }

    #[test]
    fn every_ref_is_found_and_no_other() {
        let mut text = SORTED.to_owned();
        for number in 1..3000 {
            text.push_str(&format!("{} refs/heads/{number:05}\n", oid(number)));
            if number % 3 == 0 {
                text.push_str(&format!("^{}\n", oid(number + 7)));
            }
        }
        let file = file(&text);
        for number in 1..3000 {
            assert_eq!(look(&file, &format!("refs/heads/{number:05}")), value(number));
            assert_eq!(look(&file, &format!("refs/heads/{number:05}x")), Found::Absent);
        }
        for other in ["refs/heads/0", "refs/heads/9", "refs/tags/a", "a", ""] {
            assert_eq!(look(&file, other), Found::Absent, "{other}");
        }
    }

    #[test]
    fn what_is_not_known_to_be_in_order_is_read_whole() {
        let line = format!("{} refs/heads/a\n", oid(1));
        for text in [
            line.clone(),
            format!("# pack-refs with: peeled fully-peeled \n{line}"),
            format!("# pack-refs with: unsorted\n{line}"),
            format!("{SORTED}nonsense\n{line}"),
            format!("{SORTED}{}", line.trim_end()),
            String::new(),
        ] {
            assert_eq!(look(&file(&text), "refs/heads/a"), Found::Unsure, "{text:?}");
        }
        // A line that no window holds.
        let long = format!("{} refs/heads/{}\n", oid(2), "b".repeat(20_000));
        assert_eq!(look(&file(&format!("{SORTED}{line}{long}")), "refs/heads/a"), Found::Unsure);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_finds_what_reading_all_finds(
            names in prop::collection::btree_set("refs/(heads|tags)/[a-c/]{1,60}", 1..400),
            asked in "refs/(heads|tags)/[a-c/]{1,4}",
        ) {
            let mut text = SORTED.to_owned();
            for (at, name) in names.iter().enumerate() {
                text.push_str(&format!("{} {name}\n", oid(at + 1)));
            }
            let file = file(&text);
            for (at, name) in names.iter().enumerate() {
                prop_assert_eq!(look(&file, name), value(at + 1));
            }
            prop_assert_eq!(look(&file, &asked) == Found::Absent, !names.contains(&asked));
        }
    }
}
