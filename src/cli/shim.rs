//! The hook files that `install` writes: what stands in them, and whether a file is one of them.
//!
//! Used by `install`, `uninstall` and `doctor`. Pure: bytes in, bytes out. The texts are the files
//! under `hooks/`, compiled in; what is filled in is the program's absolute path, and, where the
//! kernel can read it there, the program as the file's interpreter. Without an interpreter of that
//! name Git cannot run the file, and the push fails; where the kernel does not know its format, Git
//! has a shell read the file (run-command.c, ENOEXEC), and the body says so.
//!
//! Invariant: what `render` writes, `read` recognises, whatever bytes the path holds.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::quote::quoted_bytes;

/// What makes a file one of ours, whatever version wrote it.
const MARK: &[u8] = b"portcullis-hook-v";

/// Where the program's path goes.
const PLACEHOLDER: &[u8] = b"@BINARY@";

/// How the line begins that holds the program's path.
const BINARY_LINE: &[u8] = b"\ngate=";

/// How the line after it begins. A path may hold line feeds, so this is what ends it.
const AFTER_BINARY: &[u8] = b"\nif [ -f ";

/// The first line of a file that a shell reads.
const SHELL_LINE: &[u8] = b"#!/bin/sh\n";

/// What comes before the hook's name in the word that the interpreter is given.
const CALLED: &str = "hook=";

/// How long the first line may be, in bytes with its line feed: what every Linux reads
/// (BINPRM_BUF_SIZE before 5.1).
const FIRST_LINE_MAX: usize = 127;

/// How much of a hook file is read to find out what it is, in bytes. Ours are well below.
pub const HOOK_BYTES_MAX: usize = 64 * 1024;

/// A hook of Git that Portcullis can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hook {
    /// Once for the whole push, before anything is kept. Decides.
    PreReceive,
    /// Once for each ref. Checks the decision, or decides where it is the only hook.
    Update,
    /// Once after the refs moved. Records what became of them.
    PostReceive,
}

impl Hook {
    /// All of them, in the order Git runs them.
    pub const ALL: [Self; 3] = [Self::PreReceive, Self::Update, Self::PostReceive];

    /// The name of the hook's file (githooks(5)).
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
            Self::PostReceive => "post-receive",
        }
    }

    /// The hook of this name; `None` for hooks that Portcullis is not.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// The hook whose file calls its interpreter with this word.
    pub fn called(word: &OsStr) -> Option<Self> {
        Self::named(word.to_str()?.strip_prefix(CALLED)?)
    }

    const fn template(self) -> &'static [u8] {
        match self {
            Self::PreReceive => include_bytes!("../../hooks/pre-receive"),
            Self::Update => include_bytes!("../../hooks/update"),
            Self::PostReceive => include_bytes!("../../hooks/post-receive"),
        }
    }
}

/// What a hook's file turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shim {
    /// Byte for byte what this version writes.
    Current {
        /// The program it calls.
        binary: PathBuf,
    },
    /// Ours by its mark, but edited, or written by another version.
    Altered,
    /// Somebody else's.
    Foreign,
}

/// The bytes of a hook's file that calls this program.
pub fn render(hook: Hook, binary: &Path) -> Vec<u8> {
    let template = hook.template();
    let Some(at) = find(template, PLACEHOLDER) else { return template.to_vec() };
    let mut bytes = first_line(hook, binary);
    bytes.extend(template[..at].strip_prefix(SHELL_LINE).unwrap_or(&template[..at]));
    bytes.extend(quoted_bytes(binary.as_os_str().as_bytes()));
    bytes.extend(&template[at + PLACEHOLDER.len()..]);
    bytes
}

/// The program as interpreter, or a shell where its path is none that the kernel reads whole.
fn first_line(hook: Hook, binary: &Path) -> Vec<u8> {
    let path = binary.as_os_str().as_bytes();
    let line = [b"#!", path, b" ", CALLED.as_bytes(), hook.name().as_bytes(), b"\n"].concat();
    let plain = path.iter().all(|byte| byte.is_ascii_graphic());
    let read = plain && path.starts_with(b"/") && line.len() <= FIRST_LINE_MAX;
    if read { line } else { SHELL_LINE.to_vec() }
}

/// What these bytes are, found in the file of this hook.
pub fn read(hook: Hook, bytes: &[u8]) -> Shim {
    if let Some(binary) = binary_of(bytes)
        && render(hook, &binary) == bytes
    {
        return Shim::Current { binary };
    }
    // Only where we put it: another hook may well mention us further down.
    let head: Vec<u8> = bytes.split_inclusive(|&b| b == b'\n').take(3).flatten().copied().collect();
    if find(&head, MARK).is_some() { Shim::Altered } else { Shim::Foreign }
}

fn binary_of(bytes: &[u8]) -> Option<PathBuf> {
    let from = find(bytes, BINARY_LINE)? + BINARY_LINE.len();
    let rest = &bytes[from..];
    let quoted = &rest[..find(rest, AFTER_BINARY)?];
    unquoted(quoted).map(|path| PathBuf::from(OsStr::from_bytes(&path)))
}

/// Undoes `quoted_bytes`. `None` for anything it would not have written.
fn unquoted(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut inside = quoted.strip_prefix(b"'")?.strip_suffix(b"'")?;
    let mut out = Vec::with_capacity(inside.len());
    while let Some((&first, rest)) = inside.split_first() {
        if first == b'\'' {
            inside = rest.strip_prefix(br"\''")?;
        } else {
            inside = rest;
        }
        out.push(first);
    }
    Some(out)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn a_template_is_ours_but_not_current() {
        for hook in Hook::ALL {
            assert_eq!(read(hook, hook.template()), Shim::Altered);
        }
    }

    #[test]
    fn a_hook_that_only_mentions_us_is_foreign() {
        let bytes = b"#!/bin/sh\nset -e\n./check\n# see portcullis-hook-v1\n";
        assert_eq!(read(Hook::Update, bytes), Shim::Foreign);
        assert_eq!(read(Hook::Update, b""), Shim::Foreign);
    }

    #[test]
    fn one_hook_in_the_place_of_another_is_altered() {
        let bytes = render(Hook::Update, Path::new("/usr/bin/portcullis"));
        assert_eq!(read(Hook::PreReceive, &bytes), Shim::Altered);
    }

    #[test]
    fn the_program_is_the_interpreter_where_the_kernel_can_read_that() {
        let first = |binary: &str| {
            let bytes = render(Hook::PreReceive, Path::new(binary));
            String::from_utf8(bytes.split(|&b| b == b'\n').next().unwrap().to_vec()).unwrap()
        };
        assert_eq!(first("/usr/bin/portcullis"), "#!/usr/bin/portcullis hook=pre-receive");
        let longest = format!("/{}", "a".repeat(106));
        assert_eq!(first(&longest).len(), FIRST_LINE_MAX - 1);
        for other in [&format!("{longest}a"), "/a b/portcullis", "/a\tb", "/é/portcullis", "bin/it"]
        {
            assert_eq!(first(other), "#!/bin/sh", "{other}");
        }
    }

    #[test]
    fn the_word_names_its_hook() {
        for hook in Hook::ALL {
            let word = format!("{CALLED}{}", hook.name());
            assert_eq!(Hook::called(OsStr::new(&word)), Some(hook));
        }
        for other in ["hook", "hook=", "hook=pre-push", "hook=update --at x", "pre-receive"] {
            assert_eq!(Hook::called(OsStr::new(other)), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_recognised(path in proptest::collection::vec(any::<u8>(), 0..40)) {
            let binary = PathBuf::from(OsStr::from_bytes(&path));
            for hook in Hook::ALL {
                let bytes = render(hook, &binary);
                prop_assert_eq!(read(hook, &bytes), Shim::Current { binary: binary.clone() });
            }
        }
    }
}
