//! A repository's own configuration file, changed as a whole.
//!
//! Used by `git` and by `newborn`. Changes are made to a copy that is also Git's lock on the file
//! (git's lockfile.h) and then takes its place: readers see the old file or the new one. What stood
//! there before the first `install` is kept, so that `uninstall` can put it back byte for byte.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::files::{self, Durable};
use crate::cli::quote::shell_word;
use crate::names::digest::Digest;

/// How long a configuration file may be, in bytes.
const CONFIG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A key of a repository's configuration and the values it is to have from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The key.
    pub key: &'static str,
    /// All its values, in order; none: the key goes.
    pub values: Vec<OsString>,
}

/// A configuration file, locked; the lock is the copy that will take its place.
#[derive(Debug)]
pub struct Locked {
    config: PathBuf,
    lock: PathBuf,
    is_placed: bool,
}

impl Change {
    /// The change as commands that would make it.
    pub fn describe(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for value in &self.values {
            let add = if lines.is_empty() { "" } else { "--add " };
            let value = shell_word(value.as_bytes());
            lines.push(format!("git config {add}{} {value}", self.key));
        }
        if lines.is_empty() {
            lines.push(format!("git config --unset-all {}", self.key));
        }
        lines
    }
}

impl Locked {
    /// Where the lock of this repository's configuration is.
    pub fn path(git_dir: &Path) -> PathBuf {
        lock_of(&real(git_dir))
    }

    /// Locks the configuration of this repository. The lock begins as a copy.
    ///
    /// # Errors
    /// Somebody else holds it (`AlreadyExists`), or there is no file that could be copied.
    pub fn take(git_dir: &Path) -> io::Result<Self> {
        let config = real(git_dir);
        let lock = lock_of(&config);
        let meta = fs::metadata(&config)?;
        OpenOptions::new().write(true).create_new(true).open(&lock)?;
        let locked = Self { config, lock, is_placed: false };
        fs::copy(&locked.config, &locked.lock)?;
        fs::set_permissions(&locked.lock, meta.permissions())?;
        Ok(locked)
    }

    /// The copy, to be changed.
    pub fn copy(&self) -> &Path {
        &self.lock
    }

    /// Adds keys that are not there yet, at the end. Answers whether the file then says so; where it
    /// does not, the copy is what it was.
    pub fn append(&self, changes: &[Change]) -> io::Result<bool> {
        let before = files::read_whole(&self.lock, CONFIG_BYTES_MAX)?;
        let mut bytes = before.clone();
        if bytes.last().is_some_and(|&last| last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend(section_text(changes));
        fs::write(&self.lock, bytes)?;
        if changes.iter().all(|change| says(&self.lock, change)) {
            return Ok(true);
        }
        // Its last line goes on into ours, say.
        fs::write(&self.lock, before)?;
        Ok(false)
    }

    /// Puts the copy in the file's place. `keep`: where the bytes that stood there before us are
    /// kept, and whether these are they.
    pub fn place(mut self, keep: Option<(&Path, Keep)>, durable: Durable) -> io::Result<()> {
        File::open(&self.lock)?.sync_all()?;
        if let Some((kept, keep)) = keep {
            let old = files::read_whole(&self.config, CONFIG_BYTES_MAX)?;
            let new = files::read_whole(&self.lock, CONFIG_BYTES_MAX)?;
            let original = match keep {
                Keep::First => Some(old),
                // Changed by somebody since we wrote it: then it is not put back as a whole.
                Keep::Later => {
                    read_kept(kept).filter(|it| it.left == Digest::of(&old)).map(|it| it.original)
                }
            };
            if let Some(original) = original {
                let mut bytes = format!("{}\n", Digest::of(&new).hex()).into_bytes();
                bytes.extend(original);
                files::write_whole_by(kept, &bytes, 0o600, durable)?;
            }
        }
        files::rename_by(&self.lock, &self.config, durable)?;
        self.is_placed = true;
        Ok(())
    }

    /// Puts back the bytes that stood there before the first `install`, where nobody but us has
    /// changed the file since. Answers whether it could.
    pub fn restore(self, kept: &Path) -> io::Result<bool> {
        let now = files::read_whole(&self.config, CONFIG_BYTES_MAX)?;
        let Some(found) = read_kept(kept).filter(|it| it.left == Digest::of(&now)) else {
            return Ok(false);
        };
        fs::write(&self.lock, found.original)?;
        self.place(None, Durable::AtOnce).map(|()| true)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if !self.is_placed {
            // A lock that stays is told by the next who wants it.
            let _ = fs::remove_file(&self.lock);
        }
    }
}

/// Whether the bytes that are replaced are those from before us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// They are.
    First,
    /// They hold our keys already.
    Later,
}

struct Kept {
    left: Digest,
    original: Vec<u8>,
}

/// What was kept: the digest of what we left in its place, a line feed, the bytes.
fn read_kept(path: &Path) -> Option<Kept> {
    let bytes = files::read_whole(path, CONFIG_BYTES_MAX).ok()?;
    let at = bytes.iter().position(|&b| b == b'\n')?;
    let left = Digest::from_hex(bytes.get(..at)?)?;
    Some(Kept { left, original: bytes.get(at + 1..)?.to_vec() })
}

/// The file itself: a configuration behind a symbolic link is changed where it is, as Git does.
fn real(git_dir: &Path) -> PathBuf {
    let config = git_dir.join("config");
    fs::canonicalize(&config).unwrap_or(config)
}

fn lock_of(config: &Path) -> PathBuf {
    let mut lock = config.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

/// Whether a file has this key at all. What cannot be read has it, as far as anybody knows.
pub fn has(file: &Path, key: &str) -> bool {
    values(file, key).is_none_or(|values| !values.is_empty())
}

fn says(file: &Path, change: &Change) -> bool {
    let wanted: Vec<&[u8]> = change.values.iter().map(|value| value.as_bytes()).collect();
    values(file, change.key).is_some_and(|values| values == wanted)
}

fn values(file: &Path, key: &str) -> Option<Vec<Vec<u8>>> {
    let config = git2::Config::open(file).ok()?;
    let mut entries = config.multivar(key, None).ok()?;
    let mut values = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.ok()?;
        values.push(if entry.has_value() { entry.value_bytes().to_vec() } else { Vec::new() });
    }
    Some(values)
}

/// Changes in the order in which they are appended: keys of one section stand together.
pub fn in_order(changes: &[Change]) -> Vec<Change> {
    let mut changes = changes.to_vec();
    changes.sort_by_key(|change| change.key.split('.').next() != Some("portcullis"));
    changes
}

/// These keys as a piece of a configuration file (git-config(1), "Syntax").
pub fn section_text(changes: &[Change]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut open = "";
    for change in changes {
        let Some((section, name)) = change.key.split_once('.') else { continue };
        if section != open {
            text.extend(format!("[{section}]\n").into_bytes());
            open = section;
        }
        for value in &change.values {
            text.extend(format!("\t{name} = ").into_bytes());
            text.extend(quoted(value.as_bytes()));
            text.push(b'\n');
        }
    }
    text
}

fn quoted(value: &[u8]) -> Vec<u8> {
    let is_bare = |b: &u8| b.is_ascii_alphanumeric() || b"/._-:@+,=".contains(b);
    if !value.is_empty() && value.iter().all(is_bare) {
        return value.to_vec();
    }
    let mut out = vec![b'"'];
    for &byte in value {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            other => out.push(other),
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::ffi::OsStr;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    fn change(key: &'static str, value: &[u8]) -> Change {
        Change { key, values: vec![OsStr::from_bytes(value).to_owned()] }
    }

    fn repository(config: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), config).unwrap();
        folder
    }

    #[test]
    fn what_is_appended_stands_behind_what_is_there() {
        let folder = repository(b"[core]\n\tbare = true # is it");
        let locked = Locked::take(folder.path()).unwrap();
        let changes =
            [change("portcullis.policy", b"/etc/a b"), change("portcullis.hooks", b"update")];
        assert!(locked.append(&changes).unwrap());
        locked.place(None, Durable::AtOnce).unwrap();
        let text = fs::read_to_string(folder.path().join("config")).unwrap();
        let ours = "[portcullis]\n\tpolicy = \"/etc/a b\"\n\thooks = update\n";
        assert_eq!(text, format!("[core]\n\tbare = true # is it\n{ours}"));
        assert!(!Locked::path(folder.path()).exists());
    }

    #[test]
    fn a_last_line_that_goes_on_is_seen_and_nothing_is_lost() {
        let text = b"[core]\n\tbare = true\\";
        let folder = repository(text);
        let locked = Locked::take(folder.path()).unwrap();
        assert!(!locked.append(&[change("portcullis.policy", b"/etc/a")]).unwrap());
        assert_eq!(fs::read(locked.copy()).unwrap(), text);
        assert!(Locked::take(folder.path()).is_err(), "it is locked");
        drop(locked);
        assert_eq!(fs::read(folder.path().join("config")).unwrap(), text);
        assert!(Locked::take(folder.path()).is_ok());
    }

    #[test]
    fn the_original_comes_back_unless_somebody_else_wrote_since() {
        let original = b"# ours\n[receive]\n\tadvertisePushOptions = no ; not yet\n\n";
        let folder = repository(original);
        let kept = folder.path().join("kept");
        let configure = |value: &[u8], keep| {
            let locked = Locked::take(folder.path()).unwrap();
            fs::write(locked.copy(), value).unwrap();
            locked.place(Some((&kept, keep)), Durable::WithAll).unwrap();
        };
        configure(b"[a]\n\tb = 1\n", Keep::First);
        configure(b"[a]\n\tb = 2\n", Keep::Later);
        assert!(Locked::take(folder.path()).unwrap().restore(&kept).unwrap());
        assert_eq!(fs::read(folder.path().join("config")).unwrap(), original);

        configure(b"[a]\n\tb = 1\n", Keep::First);
        fs::write(folder.path().join("config"), b"[a]\n\tb = 1\n[gc]\n\tauto = 0\n").unwrap();
        configure(b"[a]\n\tb = 3\n", Keep::Later);
        assert!(!Locked::take(folder.path()).unwrap().restore(&kept).unwrap());
        assert_eq!(fs::read(folder.path().join("config")).unwrap(), b"[a]\n\tb = 3\n");
    }

    proptest! {
        #[test]
        fn any_value_is_read_back(value in proptest::collection::vec(1..=255u8, 0..40)) {
            let folder = repository(b"[core]\n");
            let wanted = change("portcullis.logdir", &value);
            let locked = Locked::take(folder.path()).unwrap();
            prop_assert_eq!(locked.append(std::slice::from_ref(&wanted)).unwrap(), true);
            prop_assert_eq!(has(locked.copy(), wanted.key), true);
        }
    }
}
