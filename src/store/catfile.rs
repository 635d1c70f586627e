//! One `git cat-file` that is asked for objects, one after another.
//!
//! Used by `view` for what libgit2 does not find or cannot read: forms that only git knows, and
//! objects of which one copy is bad and another is not.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::names::escape::escape_short;
use crate::names::oid::Oid;
use crate::store::error::StoreError;
use crate::store::objects::ObjectKind;
use crate::store::plumbing::{GIT_SECONDS_MAX, command};

const VERB: &str = "cat-file";

/// How long the line in front of an object may be, in bytes.
const LINE_BYTES_MAX: usize = 256;

/// How large an object may be, in bytes.
const OBJECT_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// What it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// The object.
    Whole,
    /// Its kind and size alone.
    Header,
}

/// A running `git cat-file`; ended with this value.
pub(super) struct CatFile {
    part: Part,
    child: Child,
    questions: ChildStdin,
    answers: ChildStdout,
    /// What was read and not used.
    read: Vec<u8>,
}

impl Drop for CatFile {
    fn drop(&mut self) {
        // It changes nothing that could be left half done.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An object: its kind, its size, and its bytes where they were asked for.
pub(super) type Object = (ObjectKind, u64, Vec<u8>);

impl CatFile {
    pub(super) fn start(folder: &Path, part: Part) -> Result<Self, StoreError> {
        let started = || {
            let mut command = command(folder, VERB);
            command.arg(match part {
                Part::Whole => "--batch",
                Part::Header => "--batch-check",
            });
            // What git complains about bad copies is of no use where it finds a good one.
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn()?;
            match (child.stdin.take(), child.stdout.take()) {
                (Some(questions), Some(answers)) => {
                    Ok(Self { part, child, questions, answers, read: Vec::new() })
                }
                _ => Err(io::Error::other("a pipe is missing")),
            }
        };
        started().map_err(|source| StoreError::Spawn { verb: VERB, source })
    }

    /// Asks for an object. `None`: git has none. After an error this value is of no use.
    pub(super) fn ask(&mut self, oid: &Oid) -> Result<Option<Object>, StoreError> {
        let spoken = |source| StoreError::Spawn { verb: VERB, source };
        self.questions.write_all(format!("{oid}\n").as_bytes()).map_err(spoken)?;
        let until = Instant::now() + Duration::from_secs(GIT_SECONDS_MAX);
        let line = loop {
            if let Some(at) = self.read.iter().position(|&b| b == b'\n') {
                break self.take(at + 1);
            }
            if self.read.len() > LINE_BYTES_MAX {
                return Err(spoken(io::Error::other("it printed too much")));
            }
            self.more(until).map_err(spoken)?;
        };
        let (kind, size) = match parse_head(oid, &line) {
            Some(Head::Missing) => return Ok(None),
            Some(Head::Object(kind, size)) => (kind, size),
            None => return Err(StoreError::Git { verb: VERB, stderr: escape_short(&line) }),
        };
        let len = match self.part {
            Part::Header => return Ok(Some((kind, size, Vec::new()))),
            Part::Whole => usize::try_from(size).ok().filter(|len| *len <= OBJECT_BYTES_MAX),
        };
        let limit = StoreError::Limit { what: "bytes of one object", limit: OBJECT_BYTES_MAX };
        let len = len.ok_or(limit)?;
        while self.read.len() <= len {
            self.more(until).map_err(spoken)?;
        }
        let mut bytes = self.take(len + 1);
        match bytes.pop() {
            Some(b'\n') => Ok(Some((kind, size, bytes))),
            _ => Err(spoken(io::Error::other("an object does not end where it should"))),
        }
    }

    /// The first bytes of what was read.
    fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.read.split_off(len);
        std::mem::replace(&mut self.read, rest)
    }

    fn more(&mut self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut wait = [PollFd::new(&self.answers, PollFlags::IN)];
        if poll(&mut wait, Some(&left))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long"));
        }
        let mut bytes = vec![0; 65536];
        let count = self.answers.read(&mut bytes)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended"));
        }
        self.read.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(())
    }
}

/// The line in front of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    Missing,
    Object(ObjectKind, u64),
}

/// Reads the line in front of the object that was asked for (git-cat-file(1), BATCH OUTPUT).
/// `None`: it is none, or of another object.
fn parse_head(asked: &Oid, line: &[u8]) -> Option<Head> {
    let line = line.strip_suffix(b"\n")?;
    let rest = line.strip_prefix(asked.hex().as_bytes())?.strip_prefix(b" ")?;
    if rest == b"missing" {
        return Some(Head::Missing);
    }
    let at = rest.iter().position(|&b| b == b' ')?;
    let (kind, size) = (ObjectKind::from_name(&rest[..at])?, &rest[at + 1..]);
    // No sign and no leading zeros: git prints none.
    let plain = size == b"0" || size.first().is_some_and(|b| (b'1'..=b'9').contains(b));
    let size = std::str::from_utf8(size).ok().filter(|_| plain)?.parse().ok()?;
    Some(Head::Object(kind, size))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use proptest::prelude::*;

    use super::{CatFile, Head, Part, parse_head};
    use crate::names::oid::{ObjectFormat, Oid};
    use crate::store::objects::{ObjectKind, Objects as _};
    use crate::store::testing::Scratch;

    proptest! {
        #[test]
        fn only_the_line_of_what_was_asked_for_is_read(
            rest in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                "(blob|tree|missing| |-|\\+|[0-9]{1,25})*\n?".prop_map(String::into_bytes),
            ],
            size in any::<u64>(),
            other in any::<u8>(),
        ) {
            let asked = Oid::from_bytes(&[7; 20]).unwrap();
            let line = [asked.hex().as_bytes(), b" ", &rest].concat();
            match parse_head(&asked, &line) {
                Some(Head::Missing) => prop_assert_eq!(&rest, b"missing\n"),
                Some(Head::Object(kind, size)) => {
                    prop_assert_eq!(rest, format!("{} {size}\n", kind.name()).into_bytes());
                }
                None => {}
            }
            let line = format!("{asked} tag {size}\n").into_bytes();
            prop_assert_eq!(parse_head(&asked, &line), Some(Head::Object(ObjectKind::Tag, size)));
            prop_assert_eq!(parse_head(&asked, &line[..line.len() - 1]), None);
            let other = Oid::from_bytes(&[other; 20]).unwrap();
            prop_assert_eq!(parse_head(&other, &line).is_some(), other == asked);
        }
    }

    #[test]
    fn objects_come_whole_one_after_another() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let scratch = Scratch::new(format);
            let gone = Oid::from_bytes(&vec![9; format.len_bytes()]).unwrap();
            let texts = ["", "\n", "x missing\n", &"long ".repeat(40_000)];
            let mut whole = CatFile::start(scratch.dir(), Part::Whole).unwrap();
            let mut header = CatFile::start(scratch.dir(), Part::Header).unwrap();
            for text in texts.iter().chain(&texts) {
                let oid = scratch.blob(text);
                let size = text.len() as u64;
                let expected = (ObjectKind::Blob, size, text.as_bytes().to_vec());
                assert_eq!(whole.ask(&oid).unwrap(), Some(expected));
                assert_eq!(header.ask(&oid).unwrap(), Some((ObjectKind::Blob, size, vec![])));
                assert_eq!(whole.ask(&gone).unwrap(), None);
            }
        }
    }

    /// libgit2 stops at the first copy that it finds; git looks for a better one.
    #[test]
    fn an_object_with_one_bad_copy_is_read() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let text = "words that are stored twice\n".repeat(20);
        let blob = scratch.blob(&text);
        let tree = scratch.raw_tree(&[("100644", b"f", blob)]);
        let tip = scratch.commit(tree, &[], 1);
        scratch.git(&["update-ref", "refs/heads/main", &tip.hex()]);
        scratch.git(&["repack", "-q", "-a"]);
        let packs = fs::read_dir(scratch.dir().join("objects/pack")).unwrap().flatten();
        let pack = packs.map(|it| it.path()).find(|it| it.extension() == Some("pack".as_ref()));
        let pack = pack.unwrap();
        let mut bytes = fs::read(&pack).unwrap();
        // Behind its header, up to its checksum: no object can be read from this one.
        let end = bytes.len() - 20;
        bytes[12..end].fill(0xff);
        fs::set_permissions(&pack, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        fs::write(&pack, bytes).unwrap();
        let by_libgit2 = git2::Repository::open_bare(scratch.dir()).unwrap();
        let raw = git2::Oid::from_bytes(blob.as_bytes()).unwrap();
        assert!(by_libgit2.odb().unwrap().read(raw).is_err(), "libgit2 reads it by itself now");
        let store = scratch.store();
        let read = store.read(&blob).unwrap();
        assert_eq!(read, Some((ObjectKind::Blob, text.clone().into_bytes())));
        assert_eq!(store.header(&tip).unwrap().unwrap().0, ObjectKind::Commit);
        let gone = Oid::from_bytes(&[9; 20]).unwrap();
        assert_eq!(store.read(&gone).unwrap(), None);
        assert_eq!(store.header(&gone).unwrap(), None);
        // With no good copy left it is a fault.
        let hex = blob.hex();
        fs::remove_file(scratch.dir().join("objects").join(&hex[..2]).join(&hex[2..])).unwrap();
        assert!(scratch.store().read(&blob).is_err());
    }
}
