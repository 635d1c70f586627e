//! Trees, read from their raw bytes. Pure.
//!
//! Entries come out as Git's own decode_tree_entry sees them, so that a delta equals Git's. What a
//! well-meaning client never writes is reported beside them: entries out of order or twice, which
//! make tools disagree about what a tree holds, and names and modes that do harm on checkout.
//! A server takes all of these by default (`receive.fsckObjects`). Whether they matter is for
//! rules to say; old history stays readable.

use crate::facts::change::FileMode;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;
use crate::store::gitname::is_git_directory;

/// How many problems of one tree are kept. One is enough to refuse; more help the reader.
pub const PROBLEMS_PER_TREE_MAX: usize = 16;

/// What a tree entry is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryMode {
    /// A folder.
    Folder,
    /// Anything else.
    Leaf(FileMode),
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is, as Git's canon_mode reduces it.
    pub mode: EntryMode,
    /// What it holds.
    pub oid: Oid,
    name_at: u32,
    name_len: u32,
}

/// A tree: its entries in the order in which they stand.
#[derive(Debug)]
pub struct Tree {
    raw: Box<[u8]>,
    entries: Vec<Entry>,
    problems: Vec<(Vec<u8>, TreeProblemKind)>,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum TreeProblemKind {
    /// It stands before one that sorts lower.
    Unsorted,
    /// The same name stands twice, be it once as a file and once as a folder.
    Duplicate,
    /// It has no name.
    EmptyName,
    /// Its name holds a slash, so that two trees can have one path.
    SlashInName,
    /// Its name is `.` or `..`.
    DotName,
    /// Its name is `.git`, or becomes that on a file system that folds names (HFS+, NTFS).
    GitDirectory,
    /// Its mode begins with a zero: the same content under another tree's name.
    ZeroPaddedMode,
    /// Its mode is none that Git writes.
    UnknownMode,
    /// It holds the zero oid.
    NullOid,
}

impl TreeProblemKind {
    /// Whether tools may disagree about what the tree holds at all, so that no delta of it means
    /// anything. The others are read alike by everyone but do harm elsewhere.
    pub const fn is_structural(self) -> bool {
        match self {
            Self::Unsorted | Self::Duplicate | Self::EmptyName | Self::SlashInName => true,
            Self::DotName
            | Self::GitDirectory
            | Self::ZeroPaddedMode
            | Self::UnknownMode
            | Self::NullOid => false,
        }
    }

    /// What is wrong, to follow "the entry".
    pub const fn what(self) -> &'static str {
        match self {
            Self::Unsorted => "is out of order",
            Self::Duplicate => "stands twice",
            Self::EmptyName => "has no name",
            Self::SlashInName => "has a slash in its name",
            Self::DotName => "is named `.` or `..`",
            Self::GitDirectory => "is named .git or becomes so on some file systems",
            Self::ZeroPaddedMode => "has a mode that begins with 0",
            Self::UnknownMode => "has a mode that Git does not write",
            Self::NullOid => "names no object",
        }
    }
}

/// Something wrong with a tree that a delta came across.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeProblem {
    /// The path of the entry.
    pub path: RepoPath,
    /// What is wrong with it.
    pub kind: TreeProblemKind,
    /// Whether it is so on the new side; else it only was so on the old one.
    pub on_new_side: bool,
}

impl Tree {
    /// Reads a tree. The error says why not even Git can read it.
    pub fn parse(format: ObjectFormat, raw: Vec<u8>) -> Result<Self, &'static str> {
        if u32::try_from(raw.len()).is_err() {
            return Err("it is larger than 4 GiB");
        }
        let mut tree = Self { raw: raw.into(), entries: Vec::new(), problems: Vec::new() };
        let mut at = 0;
        // Files whose name begins the names that follow: only these can stand again as a folder.
        let mut open_names: Vec<usize> = Vec::new();
        while at < tree.raw.len() {
            let (entry, octal, next) = decode(format, &tree.raw, at)?;
            let mut kinds = mode_problem(octal).into_iter().chain(name_problem(tree.name(&entry)));
            let order = order_problem(&tree, &mut open_names, &entry);
            let null = entry.oid.is_zero().then_some(TreeProblemKind::NullOid);
            if let Some(kind) = kinds.next().or(order).or(null) {
                let name = tree.name(&entry).to_vec();
                if tree.problems.len() < PROBLEMS_PER_TREE_MAX {
                    tree.problems.push((name, kind));
                }
            }
            tree.entries.push(entry);
            at = next;
        }
        Ok(tree)
    }

    /// The entries, in the order in which they stand.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The name of one of this tree's entries.
    pub fn name(&self, entry: &Entry) -> &[u8] {
        // u32 to usize is lossless where this runs (see `parse`).
        let start = entry.name_at as usize;
        self.raw.get(start..start + entry.name_len as usize).unwrap_or_default()
    }

    /// The entry with this name: the first, should there be several.
    pub fn entry(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|entry| self.name(entry) == name)
    }

    /// Names of entries and what is wrong with them, at most `PROBLEMS_PER_TREE_MAX`.
    pub fn problems(&self) -> &[(Vec<u8>, TreeProblemKind)] {
        &self.problems
    }

    /// About how much memory this takes, in bytes.
    pub(super) fn weight_bytes(&self) -> usize {
        self.raw.len() + self.entries.len() * size_of::<Entry>()
    }
}

/// Reads the entry at this position. Returns it, its mode as it is written, and where the next one
/// begins.
fn decode(
    format: ObjectFormat,
    raw: &[u8],
    at: usize,
) -> Result<(Entry, &[u8], usize), &'static str> {
    let rest = &raw[at..];
    let space = rest.iter().position(|&b| b == b' ').ok_or("an entry has no mode")?;
    let octal = &rest[..space];
    let nul = rest[space..].iter().position(|&b| b == 0).ok_or("an entry's name does not end")?;
    let name_len = nul - 1;
    let oid_at = space + nul + 1;
    let oid = rest.get(oid_at..oid_at + format.len_bytes()).ok_or("it ends inside an entry")?;
    let mode = mode(octal).ok_or("an entry's mode is not octal")?;
    // Both fit: `parse` saw to it that the tree is smaller than 4 GiB.
    let (name_at, name_len) = ((at + space + 1) as u32, name_len as u32);
    let oid = Oid::from_bytes(oid).ok_or("an entry's oid is not one")?;
    Ok((Entry { mode, oid, name_at, name_len }, octal, at + oid_at + format.len_bytes()))
}

/// Git's get_mode and canon_mode: whatever is no file, link or folder is a submodule.
fn mode(octal: &[u8]) -> Option<EntryMode> {
    if octal.is_empty() || !octal.iter().all(|b| matches!(b, b'0'..=b'7')) {
        return None;
    }
    let bits = octal.iter().fold(0_u32, |bits, digit| bits << 3 | u32::from(digit - b'0'));
    Some(match bits & 0o170_000 {
        0o100_000 if bits & 0o100 != 0 => EntryMode::Leaf(FileMode::Executable),
        0o100_000 => EntryMode::Leaf(FileMode::File),
        0o120_000 => EntryMode::Leaf(FileMode::Symlink),
        0o040_000 => EntryMode::Folder,
        _ => EntryMode::Leaf(FileMode::Gitlink),
    })
}

fn mode_problem(octal: &[u8]) -> Option<TreeProblemKind> {
    match octal {
        // 100664 was written by Git before 2005-04-17 or so; git-fsck(1) tolerates it.
        b"40000" | b"100644" | b"100755" | b"120000" | b"160000" | b"100664" => None,
        [b'0', ..] => Some(TreeProblemKind::ZeroPaddedMode),
        _ => Some(TreeProblemKind::UnknownMode),
    }
}

fn name_problem(name: &[u8]) -> Option<TreeProblemKind> {
    if name.is_empty() {
        Some(TreeProblemKind::EmptyName)
    } else if name.contains(&b'/') {
        Some(TreeProblemKind::SlashInName)
    } else if name == b"." || name == b".." {
        Some(TreeProblemKind::DotName)
    } else {
        is_git_directory(name).then_some(TreeProblemKind::GitDirectory)
    }
}

/// Whether the entry that comes next breaks the order or stands there already.
fn order_problem(
    tree: &Tree,
    open_names: &mut Vec<usize>,
    entry: &Entry,
) -> Option<TreeProblemKind> {
    let name = tree.name(entry);
    let is_folder = entry.mode == EntryMode::Folder;
    if let Some(last) = tree.entries.last() {
        if tree.name(last) == name {
            return Some(TreeProblemKind::Duplicate);
        }
        if !sorts_before(tree.name(last), last.mode, name, entry.mode) {
            return Some(TreeProblemKind::Unsorted);
        }
    }
    while let Some(open) = open_names.last().and_then(|&at| tree.entries.get(at)) {
        let open_name = tree.name(open);
        if is_folder && open_name == name {
            return Some(TreeProblemKind::Duplicate);
        }
        if name.starts_with(open_name) {
            break;
        }
        open_names.pop();
    }
    if !is_folder {
        open_names.push(tree.entries.len());
    }
    None
}

/// Git's order of entries: by bytes, a folder as if its name ended in a slash
/// (base_name_compare).
pub(super) fn sorts_before(a: &[u8], a_mode: EntryMode, b: &[u8], b_mode: EntryMode) -> bool {
    compare(a, a_mode, b, b_mode).is_lt()
}

/// See `sorts_before`. A file and a folder of the same name are not equal.
pub(super) fn compare(
    a: &[u8],
    a_mode: EntryMode,
    b: &[u8],
    b_mode: EntryMode,
) -> std::cmp::Ordering {
    let common = a.len().min(b.len());
    let tail = |name: &[u8], mode: EntryMode| match (name.get(common), mode) {
        (Some(&byte), _) => byte,
        (None, EntryMode::Folder) => b'/',
        (None, EntryMode::Leaf(_)) => 0,
    };
    a[..common].cmp(&b[..common]).then_with(|| tail(a, a_mode).cmp(&tail(b, b_mode)))
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
