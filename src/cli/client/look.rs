//! What is in a delta, entry by entry: how much changed, what kind of infrastructure it is, and
//! where a reviewer sees a pointer and not the thing itself.
//!
//! Used by `show`. Sizes and contents come from the person's own clone.

use std::collections::HashMap;

use crate::cli::client::delta::{DIFF_TREE, Entry, LocalDelta};
use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::infra::content::{BLOB_BYTES_MAX, by_content, wants_content};
use crate::infra::paths::by_path;
use crate::infra::set::InfraKinds;
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;

/// How many entries a person is shown before the rest is counted.
pub const ENTRIES_SHOWN_MAX: usize = 40;

/// How many bytes of blobs are read for one look.
const LOOK_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How far into a blob a NUL is looked for, as Git does to tell binary files.
const BINARY_PROBE_BYTES: usize = 8000;

/// How large a Git LFS pointer may be, in bytes (its specification says 1024).
const LFS_POINTER_BYTES_MAX: usize = 1024;

/// How a Git LFS pointer begins.
const LFS_POINTER_BEGIN: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// How many kinds of infrastructure are named behind a path.
const KINDS_NAMED_MAX: usize = 2;

/// A delta, looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// The lines added and taken away, text files only.
    pub lines: (u64, u64),
    /// One for each entry, in the delta's order.
    pub rows: Vec<Row>,
}

/// One entry, looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The letter and the path.
    pub what: String,
    /// What is to be said of it.
    pub notes: Vec<String>,
    /// Whether it is infrastructure of any kind.
    pub is_infra: bool,
    /// Whether only a pointer is signed.
    pub is_pointer: bool,
}

impl Row {
    /// One line.
    pub fn line(&self) -> String {
        match self.notes.as_slice() {
            [] => self.what.clone(),
            notes => format!("{}  {}", self.what, notes.join(", ")),
        }
    }
}

impl Look {
    /// Looks at every entry of the delta from `base` to `commit`.
    pub fn at(git: &CloneGit, delta: &LocalDelta, base: &Oid, commit: &Oid) -> Result<Self, Fault> {
        let counted = numstat(git, base, commit)?;
        let blobs = Blobs::read(git, &delta.entries)?;
        let rows = delta.entries.iter().map(|entry| row(entry, &counted, &blobs)).collect();
        let texts = delta.entries.iter().filter(|entry| !entry.is_submodule());
        let counts = texts.filter(|entry| blobs.are_text(entry));
        let (mut added, mut gone) = (0u64, 0u64);
        for (plus, minus) in counts.filter_map(|entry| counted.get(&entry.path)) {
            added = added.saturating_add(*plus);
            gone = gone.saturating_add(*minus);
        }
        Ok(Self { lines: (added, gone), rows })
    }

    /// The lines to show and how many are left out. Where not all fit, infrastructure and pointers
    /// go first: nobody hides one behind forty others.
    pub fn shown(&self) -> (Vec<String>, usize) {
        let weighs = |row: &Row| row.is_infra || row.is_pointer;
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|&at| !weighs(&self.rows[at]));
        order.truncate(ENTRIES_SHOWN_MAX);
        order.sort_unstable();
        let left_out = self.rows.len() - order.len();
        (order.into_iter().map(|at| self.rows[at].line()).collect(), left_out)
    }

    /// How many entries are pointers only.
    pub fn pointers(&self) -> usize {
        self.rows.iter().filter(|row| row.is_pointer).count()
    }
}

fn row(entry: &Entry, counted: &HashMap<Vec<u8>, (u64, u64)>, blobs: &Blobs) -> Row {
    let (old, new) = entry.blobs();
    let mut notes = Vec::new();
    let is_lfs = new.is_some_and(|new| !entry.is_link() && blobs.is_lfs_pointer(&new));
    if entry.is_link() {
        let target = new.and_then(|new| blobs.content(&new));
        let target =
            target.map_or_else(String::new, |bytes| format!(" -> {}", escape_short(bytes)));
        let begins = if entry.status == 'T' { "becomes a symlink" } else { "symlink" };
        notes.push(format!("{begins}{target}"));
    } else if !entry.is_submodule() {
        notes.extend(size(entry, counted, blobs));
    }
    notes.extend(entry.marks());
    let kinds = kinds(entry, old, new, blobs);
    notes.extend(kinds.iter().take(KINDS_NAMED_MAX).map(|kind| kind.name.to_owned()));
    if is_lfs {
        notes.push("Git LFS".to_owned());
    }
    let is_pointer = is_lfs || entry.is_submodule();
    if is_pointer {
        notes.push("pointer only".to_owned());
    }
    let what = format!("{} {}", entry.status, escape(&entry.path));
    Row { what, notes, is_infra: !kinds.is_empty(), is_pointer }
}

/// How much changed: lines of text, bytes of anything else.
fn size(entry: &Entry, counted: &HashMap<Vec<u8>, (u64, u64)>, blobs: &Blobs) -> Option<String> {
    let (old, new) = entry.blobs();
    if old == new {
        return None;
    }
    if blobs.are_text(entry) {
        let (plus, minus) = counted.get(&entry.path)?;
        return Some(match (plus, minus) {
            (0, 0) => "empty".to_owned(),
            (plus, 0) => format!("+{plus}"),
            (0, minus) => format!("-{minus}"),
            (plus, minus) => format!("+{plus} -{minus}"),
        });
    }
    let bytes = |oid: Option<Oid>| oid.and_then(|oid| blobs.sizes.get(&oid)).map(|n| amount(*n));
    Some(match (bytes(old), bytes(new)) {
        (Some(old), Some(new)) => format!("binary, {old} -> {new}"),
        (_, Some(new)) => format!("binary, {new}"),
        (Some(old), None) => format!("binary, was {old}"),
        (None, None) => "binary".to_owned(),
    })
}

/// `812 bytes`, `12 KiB`, `3 MiB`.
fn amount(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1024 * 1024)),
    }
}

/// What kinds of infrastructure it is, by path or by the content of either side.
fn kinds(entry: &Entry, old: Option<Oid>, new: Option<Oid>, blobs: &Blobs) -> InfraKinds {
    let mut found = by_path(InfraKinds::EVERY, &entry.path);
    if wants_content(InfraKinds::EVERY, &entry.path) {
        for content in [old, new].into_iter().flatten().filter_map(|oid| blobs.content(&oid)) {
            found = found.union(by_content(InfraKinds::EVERY, &entry.path, content));
        }
    }
    found
}

/// The blobs of a delta, as far as they are not too large to be read.
#[derive(Default)]
struct Blobs {
    sizes: HashMap<Oid, usize>,
    contents: HashMap<Oid, Vec<u8>>,
}

impl Blobs {
    fn read(git: &CloneGit, entries: &[Entry]) -> Result<Self, Fault> {
        let sides = entries.iter().flat_map(|entry| <[_; 2]>::from(entry.blobs()));
        let mut oids: Vec<Oid> = sides.flatten().collect();
        oids.sort_unstable();
        oids.dedup();
        if oids.is_empty() {
            return Ok(Self::default());
        }
        let listing = git.bytes(&["cat-file", "--batch-check"], &one_a_line(&oids))?;
        let sizes = sizes(&listing);
        let mut budget = LOOK_BYTES_MAX;
        let small: Vec<Oid> = oids
            .into_iter()
            .filter(|oid| {
                let size = sizes.get(oid).copied().unwrap_or(usize::MAX);
                let fits = size <= BLOB_BYTES_MAX && size <= budget;
                budget -= if fits { size } else { 0 };
                fits
            })
            .collect();
        if small.is_empty() {
            return Ok(Self { sizes, contents: HashMap::new() });
        }
        let read = git.bytes(&["cat-file", "--batch"], &one_a_line(&small))?;
        let contents = contents(&read)
            .ok_or_else(|| Fault::new("could not read what git cat-file printed"))?;
        Ok(Self { sizes, contents })
    }

    fn content(&self, oid: &Oid) -> Option<&[u8]> {
        self.contents.get(oid).map(Vec::as_slice)
    }

    fn is_lfs_pointer(&self, oid: &Oid) -> bool {
        self.content(oid).is_some_and(|bytes| {
            bytes.len() <= LFS_POINTER_BYTES_MAX && bytes.starts_with(LFS_POINTER_BEGIN)
        })
    }

    /// Whether both sides are known to be text. What was not read is not.
    fn are_text(&self, entry: &Entry) -> bool {
        let is_text = |oid: Oid| {
            self.content(&oid)
                .is_some_and(|bytes| !bytes.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0))
        };
        <[_; 2]>::from(entry.blobs()).into_iter().flatten().all(is_text)
    }
}

fn one_a_line(oids: &[Oid]) -> Vec<u8> {
    oids.iter().map(|oid| format!("{oid}\n")).collect::<String>().into_bytes()
}

/// The blobs in `OID TYPE SIZE` lines. What is missing in this clone is in none.
fn sizes(listing: &[u8]) -> HashMap<Oid, usize> {
    let read = |line: &[u8]| {
        let words: Vec<&str> = std::str::from_utf8(line).ok()?.split(' ').collect();
        let [oid, "blob", size] = words.as_slice() else { return None };
        Some((Oid::from_hex(oid.as_bytes())?, size.parse().ok()?))
    };
    listing.split(|byte| *byte == b'\n').filter_map(read).collect()
}

/// Reads `OID TYPE SIZE LF CONTENT LF` blocks (git-cat-file(1), BATCH OUTPUT).
fn contents(read: &[u8]) -> Option<HashMap<Oid, Vec<u8>>> {
    let mut found = HashMap::new();
    let mut rest = read;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let words: Vec<&str> = std::str::from_utf8(&rest[..end]).ok()?.split(' ').collect();
        let [oid, _, size] = words.as_slice() else { return None };
        let size: usize = size.parse().ok()?;
        let after = rest.get(end + 1..)?;
        found.insert(Oid::from_hex(oid.as_bytes())?, after.get(..size)?.to_vec());
        rest = after.get(size.checked_add(1)?..)?;
    }
    Some(found)
}

/// The lines added and taken away, by path. Attributes of the clone do not make a text binary here.
fn numstat(
    git: &CloneGit,
    base: &Oid,
    commit: &Oid,
) -> Result<HashMap<Vec<u8>, (u64, u64)>, Fault> {
    let from = if base.is_zero() { base.format().empty_tree() } else { *base };
    let (from, to) = (from.hex(), commit.hex());
    let options = DIFF_TREE.into_iter().filter(|option| *option != "--raw");
    let mut arguments: Vec<&str> = options.collect();
    arguments.extend(["--numstat", "--text", &from, &to]);
    Ok(counts(&git.bytes(&arguments, b"")?))
}

/// Reads `ADDED TAB DELETED TAB PATH NUL` (git-diff-tree(1), OTHER DIFF FORMATS).
fn counts(listing: &[u8]) -> HashMap<Vec<u8>, (u64, u64)> {
    let read = |record: &[u8]| {
        let mut fields = record.splitn(3, |byte| *byte == b'\t');
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u64>().ok();
        let (plus, minus) = (number()?, number()?);
        Some((fields.next()?.to_vec(), (plus, minus)))
    };
    listing.split(|byte| *byte == 0).filter_map(read).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn oid(digit: char) -> Oid {
        Oid::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn entry(old_mode: &str, new_mode: &str, status: char, path: &str) -> Entry {
        Entry {
            old_mode: old_mode.into(),
            new_mode: new_mode.into(),
            old: oid('1'),
            new: oid('2'),
            status,
            path: path.into(),
        }
    }

    fn line(entry: &Entry, old: &[u8], new: &[u8]) -> String {
        let mut blobs = Blobs::default();
        for (oid, bytes) in [(oid('1'), old), (oid('2'), new)] {
            blobs.sizes.insert(oid, bytes.len());
            blobs.contents.insert(oid, bytes.to_vec());
        }
        let counted = HashMap::from([(entry.path.clone(), (3, 1))]);
        row(entry, &counted, &blobs).line()
    }

    #[test]
    fn a_line_says_what_happened_how_much_and_what_it_is() {
        let modified = entry("100644", "100644", 'M', "infra/net.tf");
        assert_eq!(line(&modified, b"a\n", b"b\n"), "M infra/net.tf  +3 -1, terraform");
        let flipped = entry("100644", "100755", 'M', "run");
        assert_eq!(line(&flipped, b"a\n", b"b\n"), "M run  +3 -1, mode 100644 -> 100755");
        let binary = entry("100644", "100644", 'M', "a.bin");
        assert_eq!(line(&binary, b"\0", &[0; 3000]), "M a.bin  binary, 1 bytes -> 3 KiB");
        let made = entry("000000", "100644", 'A', "\x1b[2J.txt");
        assert_eq!(line(&made, b"", b"x\n"), "A \\x1b[2J.txt  +3 -1");
        let link = entry("100644", "120000", 'T', "l");
        assert_eq!(line(&link, b"a", b"../secret"), "T l  becomes a symlink -> ../secret");
        let by_content = entry("100644", "100644", 'M', "x.yaml");
        let object = b"apiVersion: v1\nkind: Pod\n";
        assert_eq!(line(&by_content, b"a: 1\n", object), "M x.yaml  +3 -1, kubernetes");
    }

    #[test]
    fn pointers_say_that_they_are_only_that() {
        let module = entry("160000", "160000", 'M', "sub");
        assert_eq!(line(&module, b"", b""), "M sub  submodule 1111111 -> 2222222, pointer only");
        let model = entry("100644", "100644", 'M', "m.bin");
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
        assert_eq!(line(&model, b"a", pointer), "M m.bin  +3 -1, Git LFS, pointer only");
        let long = [pointer.as_slice(), &[b'x'; 1024]].concat();
        assert_eq!(line(&model, b"a", &long), "M m.bin  +3 -1");
    }

    #[test]
    fn infrastructure_is_not_hidden_behind_other_files() {
        let row = |name: String, is_infra: bool| Row {
            what: name,
            notes: vec![],
            is_infra,
            is_pointer: false,
        };
        let mut rows: Vec<Row> = (0..50).map(|n| row(format!("M {n:02}"), false)).collect();
        rows.push(row("M zz.tf".into(), true));
        let (shown, left_out) = Look { lines: (0, 0), rows }.shown();
        assert_eq!((shown.len(), left_out), (ENTRIES_SHOWN_MAX, 11));
        assert_eq!(shown.last().unwrap(), "M zz.tf");
    }

    proptest! {
        #[test]
        fn arbitrary_output_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = counts(&bytes);
            let _ = contents(&bytes);
            let _ = sizes(&bytes);
        }
    }
}
