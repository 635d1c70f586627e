//! Which version a program is that hooks call, asked once each.
//!
//! A hook names a program, and whoever wrote the hook may have named anything: only one that nobody
//! but root and this account could have put there is run, with `--version` and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How long the answer may be that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// The versions that are known.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The program that runs now.
    own: Option<PathBuf>,
    known: BTreeMap<PathBuf, Option<String>>,
}

impl Programs {
    /// None are known yet; `own` is the program that runs now.
    pub fn new(own: Option<PathBuf>) -> Self {
        Self { own, known: BTreeMap::new() }
    }

    /// The version of this program. `None`: it is not there, did not say, or was not asked.
    pub fn version(&mut self, path: &Path) -> Option<String> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let is_own = self.own.as_deref().is_some_and(|own| is_same(own, path));
        let version = match is_own {
            true => Some(env!("CARGO_PKG_VERSION").to_owned()),
            false => is_trusted(path).then(|| ask(path)).flatten(),
        };
        self.known.insert(path.to_owned(), version.clone());
        version
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Whether the file and every folder above it belong to root or to this account, and nobody else may
/// change them. A folder like /tmp, where only owners may take away, does.
fn is_trusted(path: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    let Ok(path) = fs::canonicalize(path) else { return false };
    let own = rustix::process::geteuid().as_raw();
    path.ancestors().all(|part| {
        fs::symlink_metadata(part).is_ok_and(|meta| {
            let may_change =
                meta.mode() & 0o022 != 0 && (meta.is_file() || meta.mode() & STICKY == 0);
            (meta.uid() == 0 || meta.uid() == own) && !may_change
        })
    })
}

/// What it says of itself: `portcullis VERSION`, and whatever follows.
fn ask(path: &Path) -> Option<String> {
    let output = Command::new(path)
        .env_clear()
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    version_in(output.stdout.get(..ANSWER_BYTES_MAX).unwrap_or(&output.stdout))
}

fn version_in(answer: &[u8]) -> Option<String> {
    let first = answer.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(first).ok()?.split_whitespace();
    let is_ours = words.next()? == "portcullis";
    let version = words.next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
    (is_ours && version.bytes().all(plain)).then(|| version.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_version_is_the_second_word_of_the_first_line() {
        assert_eq!(version_in(b"portcullis 1.2.3\n").as_deref(), Some("1.2.3"));
        assert_eq!(
            version_in(b"portcullis 1.2.3-rc.1 (0a1b2c3)\nlibgit2 1.9\n").as_deref(),
            Some("1.2.3-rc.1")
        );
        for other in
            [&b""[..], b"portcullis", b"git version 2.47\n", b"portcullis \x1b[2J\n", b"\xff\n"]
        {
            assert_eq!(version_in(other), None);
        }
    }

    #[test]
    fn what_others_may_change_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("portcullis");
        fs::write(&program, "#!/bin/sh\necho portcullis 9.9.9\n").unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(&program, 0o755);
        // Where the folder of this test is kept is not ours to say.
        let asked = || Programs::new(None).version(&program);
        if is_trusted(folder.path()) {
            assert_eq!(asked().as_deref(), Some("9.9.9"));
        }
        mode(&program, 0o775);
        assert_eq!(asked(), None);
        mode(&program, 0o755);
        mode(folder.path(), 0o777);
        assert_eq!(asked(), None);
        assert_eq!(
            Programs::new(Some(program.clone())).version(&program).as_deref(),
            Some(env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(Programs::new(None).version(&folder.path().join("none")), None);
    }
}
