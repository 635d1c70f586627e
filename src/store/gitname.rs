//! Names that are, or become, `.git`. Pure.
//!
//! A folder of that name in a tree writes into the repository when it is checked out
//! (CVE-2014-9390, CVE-2019-1352). HFS+ ignores invisible characters and case; NTFS ignores
//! trailing dots and blanks, has streams (`.git::$INDEX_ALLOCATION`) and short names (`git~1`).
//! These are Git's is_hfs_dotgit and is_ntfs_dotgit, applied whatever the server runs on: the
//! harm is done elsewhere.

/// Whether this component of a path is `.git` on some file system.
pub(super) fn is_git_directory(name: &[u8]) -> bool {
    // Nearly every name is told apart by its first byte.
    let may_be = matches!(name.first(), Some(b'.' | b'g' | b'G' | 0xe2 | 0xef));
    (may_be && (is_hfs(name) || is_ntfs(name)))
        // NTFS takes a backslash for a slash.
        || (name.contains(&b'\\') && name.split(|&b| b == b'\\').any(is_ntfs))
}

fn is_hfs(name: &[u8]) -> bool {
    let mut letters = name
        .utf8_chunks()
        // Git stops reading where the name is no UTF-8.
        .take(1)
        .flat_map(|chunk| chunk.valid().chars())
        .filter(|&c| !is_ignored_by_hfs(c));
    let begins = ['.', 'g', 'i', 't']
        .iter()
        .all(|expected| letters.next().is_some_and(|c| c.eq_ignore_ascii_case(expected)));
    begins && letters.next().is_none()
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(u32::from(c), 0x200c..=0x200f | 0x202a..=0x202e | 0x206a..=0x206f | 0xfeff)
}

fn is_ntfs(name: &[u8]) -> bool {
    let prefixed = |prefix: &[u8]| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    let Some(rest) = prefixed(b".git").or_else(|| prefixed(b"git~1")) else { return false };
    let end = rest.iter().position(|b| matches!(b, b'\\' | b'/' | b':')).unwrap_or(rest.len());
    rest[..end].iter().all(|b| matches!(b, b'.' | b' '))
}

#[cfg(test)]
mod tests {
    use super::is_git_directory;
    use crate::names::oid::ObjectFormat;
    use crate::store::testing::Scratch;

    /// Whether git would put such a path into an index.
    fn git_takes(scratch: &Scratch, name: &[u8]) -> bool {
        let line = [b"100644 ", scratch.blob("x").hex().as_bytes(), b" 0\t", name, b"\0"].concat();
        let _ = std::fs::remove_file(scratch.dir().join("index"));
        scratch.git_with(&["config", "core.protectHFS", "true"], b"");
        scratch.git_with(&["config", "core.protectNTFS", "true"], b"");
        scratch.git_with(&["update-index", "--add", "-z", "--index-info"], &line);
        !scratch.git(&["ls-files", "-z"]).is_empty()
    }

    #[test]
    fn d12_look_alikes_of_dot_git_are_found() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let found = [
            &b".git"[..],
            b".GIT",
            b".gIt",
            b"git~1",
            b"GIT~1",
            b".git.",
            b".git ",
            b".git. . ",
            b".git::$INDEX_ALLOCATION",
            b".git ::$INDEX_ALLOCATION",
            b"git~1:x",
            b".git\\hooks",
            b"x\\.git",
            b"x\\git~1 \\y",
            "\u{200c}.git".as_bytes(),
            ".g\u{200c}it".as_bytes(),
            ".git\u{feff}".as_bytes(),
            ".\u{206f}GIT\u{202a}".as_bytes(),
            b".git\xff",
        ];
        for name in found {
            assert!(is_git_directory(name), "{:?}", String::from_utf8_lossy(name));
            assert!(!git_takes(&scratch, name), "{:?}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn other_names_are_left_alone() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let fine = [
            &b".gitignore"[..],
            b".gitmodules",
            b".github",
            b"git",
            b"git~2",
            b"git~10",
            b".gi",
            b"x.git",
            b".git-x",
            b"a\\b",
            ".g\u{e9}t".as_bytes(),
        ];
        for name in fine {
            assert!(!is_git_directory(name), "{:?}", String::from_utf8_lossy(name));
            assert!(git_takes(&scratch, name), "{:?}", String::from_utf8_lossy(name));
        }
    }
}
