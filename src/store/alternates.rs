//! The object folders that an object folder borrows from (gitrepository-layout(5),
//! `objects/info/alternates`).
//!
//! Used by `open`. Read here since libgit2 knows no quoted paths, and since git looks only so many
//! folders deep: the view of `view` adds a step, so what it borrows from is handed to it flat.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;
use crate::store::open::{is_absent, path_from};

/// How deep git follows alternates of alternates (link_alt_odb_entries in its object-file.c).
const DEPTH_MAX: usize = 5;

/// How many folders may be borrowed from.
const FOLDERS_MAX: usize = 1000;

/// How long one list may be, in bytes.
const LIST_BYTES_MAX: u64 = 1024 * 1024;

/// The folders that this one borrows from, over however many steps, each once. One that is not
/// there is left out, as git leaves it out: what it held is missing then.
pub(super) fn borrowed(objects: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut known = vec![fs::canonicalize(objects).unwrap_or_else(|_| objects.to_path_buf())];
    let mut waiting = vec![(objects.to_path_buf(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let base = fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
        for entry in parse(&list(&folder)?, b'\n') {
            let place = base.join(path_from(&entry));
            // By its true path, so that none is taken twice.
            let place = match fs::canonicalize(&place) {
                Ok(place) => place,
                Err(source) if is_absent(&source) => continue,
                Err(source) => return Err(StoreError::File { path: place, source }),
            };
            if known.contains(&place) {
                continue;
            }
            if known.len() > FOLDERS_MAX {
                let what = "object folders that are borrowed from";
                return Err(StoreError::Limit { what, limit: FOLDERS_MAX });
            }
            known.push(place.clone());
            if depth < DEPTH_MAX {
                waiting.push((place, depth + 1));
            }
        }
    }
    known.remove(0);
    Ok(known)
}

/// The folders that `GIT_ALTERNATE_OBJECT_DIRECTORIES` names (git(1)), and those they borrow from.
pub(super) fn lent(value: &[u8], directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for entry in parse(value, b':') {
        let Ok(folder) = fs::canonicalize(directory.join(path_from(&entry))) else { continue };
        let behind = borrowed(&folder)?;
        for folder in std::iter::once(folder).chain(behind) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    Ok(folders)
}

fn list(folder: &Path) -> Result<Vec<u8>, StoreError> {
    let path = folder.join("info").join("alternates");
    let mut bytes = Vec::new();
    let read = fs::File::open(&path)
        .and_then(|file| file.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 <= LIST_BYTES_MAX => Ok(bytes),
        Ok(_) => Err(StoreError::File { path, source: io::Error::other("it is too long") }),
        Err(source) if is_absent(&source) => Ok(Vec::new()),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

/// The paths in a list, as git's parse_alt_odb_entry reads them: `#` begins a comment, and a path in quotes is written as in C; with a quote that does not close it is taken as it is.
fn parse(list: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let line_len = rest.iter().position(|&b| b == separator).unwrap_or(rest.len());
        let (line, after_line) = rest.split_at(line_len);
        let (path, after) = match unquoted(rest) {
            Some((path, after)) => (path, after),
            None if line.starts_with(b"#") => (Vec::new(), after_line),
            None => (line.to_vec(), after_line),
        };
        if !path.is_empty() && !path.contains(&0) {
            paths.push(path);
        }
        // The separator, or whatever stands behind a closing quote.
        rest = after.get(1..).unwrap_or_default();
    }
    paths
}

/// What stands in quotes at the start of a text, and the text behind (unquote_c_style in git's
/// quote.c). `None`: no quotes, or none that close.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut path = Vec::new();
    loop {
        let (&first, after) = rest.split_first()?;
        rest = after;
        match first {
            b'"' => return Some((path, rest)),
            b'\\' => {
                let (&sign, after) = rest.split_first()?;
                rest = after;
                path.push(match sign {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 0x0b,
                    b'\\' | b'"' => sign,
                    b'0'..=b'3' => {
                        let (digits, after) = rest.split_at_checked(2)?;
                        rest = after;
                        let digit = |b: u8| (b'0'..=b'7').contains(&b).then(|| b - b'0');
                        let [second, third] = digits else { return None };
                        (sign - b'0') << 6 | digit(*second)? << 3 | digit(*third)?
                    }
                    _ => return None,
                });
            }
            other => path.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use proptest::prelude::*;

    use super::{borrowed, lent, parse, unquoted};

    #[test]
    fn a_list_reads_as_git_reads_it() {
        let list = b"# comment\n/a\n\n\"/b \\\"q\\\" \\303\\274\"\n../c/objects\n\"broken\n/d";
        let read = parse(list, b'\n');
        let expected: [&[u8]; 5] =
            [b"/a", "/b \"q\" \u{fc}".as_bytes(), b"../c/objects", b"\"broken", b"/d"];
        assert_eq!(read, expected);
        assert_eq!(unquoted(b"\"\\400\""), None);
        assert_eq!(unquoted(b"\"\\3"), None);
        assert_eq!(parse(b"", b':'), Vec::<Vec<u8>>::new());
    }

    proptest! {
        #[test]
        fn any_list_is_read_to_its_end(list in prop::collection::vec(any::<u8>(), 0..200)) {
            for path in parse(&list, b'\n') {
                prop_assert!(!path.is_empty() && !path.contains(&0));
            }
        }

        #[test]
        fn what_is_quoted_comes_back(path in prop::collection::vec(1..=255_u8, 1..40)) {
            let mut quoted = b"\"".to_vec();
            for byte in &path {
                quoted.extend(format!("\\{byte:03o}").bytes());
            }
            quoted.extend(b"\"\n/next\n");
            prop_assert_eq!(parse(&quoted, b'\n'), vec![path, b"/next".to_vec()]);
        }
    }

    #[test]
    fn what_the_server_lends_is_found_with_what_stands_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b:c", "d"] {
            fs::create_dir_all(folder.path().join(name).join("info")).unwrap();
        }
        fs::write(folder.path().join("a/info/alternates"), "../d\n").unwrap();
        let absolute = folder.path().join("d").display().to_string();
        let value = format!("a:\"b:c\":gone:{absolute}:");
        let found = lent(value.as_bytes(), folder.path()).unwrap();
        let real = |name: &str| fs::canonicalize(folder.path().join(name)).unwrap();
        assert_eq!(found, [real("a"), real("d"), real("b:c")]);
    }

    #[test]
    fn circles_and_folders_that_are_gone_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, lends) in [("a", "../b\n"), ("b", "../a\n../gone\n../c\n"), ("c", "../b\n")] {
            fs::create_dir_all(at(name).join("info")).unwrap();
            fs::write(at(name).join("info/alternates"), lends).unwrap();
        }
        let found = borrowed(&at("a")).unwrap();
        let real = |name: &str| fs::canonicalize(at(name)).unwrap();
        assert_eq!(found, [real("b"), real("c")]);
    }

    #[test]
    fn a_chain_is_followed_as_deep_as_git_does() {
        let folder = tempfile::tempdir().unwrap();
        for at in 0..9 {
            let info = folder.path().join(format!("{at}/info"));
            fs::create_dir_all(&info).unwrap();
            fs::write(info.join("alternates"), format!("../{}\n", at + 1)).unwrap();
        }
        assert_eq!(borrowed(&folder.path().join("0")).unwrap().len(), 6);
    }
}
