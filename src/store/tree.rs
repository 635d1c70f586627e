//! Trees, read from their raw bytes. Pure.
//!
//! Entries come out as Git's own decode_tree_entry sees them, so that a delta equals Git's. What a
//! well-meaning client never writes is reported beside them: entries out of order or twice, which
//! make tools disagree about what a tree holds, and names and modes that do harm on checkout.
//! A server takes all of these by default (`receive.fsckObjects`). Whether they matter is for
//! rules to say; old history stays readable.

use memchr::memchr;

use crate::facts::change::FileMode;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::path::RepoPath;
use crate::store::gitname::is_git_directory;

/// How many problems of one tree are kept. One is enough to refuse; more help the reader.
pub const PROBLEMS_PER_TREE_MAX: usize = 16;

/// How long an entry is at least in most trees, in bytes: a mode, a short name, 20 bytes of oid.
const USUAL_ENTRY_BYTES: usize = 32;

/// What a tree entry is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryMode {
    /// A folder.
    Folder,
    /// Anything else.
    Leaf(FileMode),
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is, as Git's canon_mode reduces it.
    pub mode: EntryMode,
    /// What it holds.
    pub oid: Oid,
    /// Its name, as it stands.
    pub name: &'a [u8],
}

/// Where an entry stands. A push remembers many trees: what their bytes say is not said twice.
#[derive(Clone, Copy, Debug)]
struct Slot {
    mode: EntryMode,
    name_at: u32,
    name_len: u32,
}

/// A tree: its entries in the order in which they stand.
#[derive(Debug)]
pub struct Tree {
    format: ObjectFormat,
    raw: Box<[u8]>,
    slots: Vec<Slot>,
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
        let slots = Vec::with_capacity(raw.len() / USUAL_ENTRY_BYTES);
        let mut tree = Self { format, raw: raw.into(), slots, problems: Vec::new() };
        let mut at = 0;
        // Files whose name begins the names that follow: only these can stand again as a folder.
        let mut open_names: Vec<usize> = Vec::new();
        while at < tree.raw.len() {
            let (slot, octal, next) = decode(format, &tree.raw, at)?;
            let mut kinds = mode_problem(octal).into_iter().chain(name_problem(tree.name(slot)));
            let order = order_problem(&tree, &mut open_names, slot);
            let null = tree.oid_bytes(slot).iter().all(|&byte| byte == 0);
            let null = null.then_some(TreeProblemKind::NullOid);
            if let Some(kind) = kinds.next().or(order).or(null) {
                let name = tree.name(slot).to_vec();
                if tree.problems.len() < PROBLEMS_PER_TREE_MAX {
                    tree.problems.push((name, kind));
                }
            }
            tree.slots.push(slot);
            at = next;
        }
        Ok(tree)
    }

    /// The entries, in the order in which they stand.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|slot| self.read(*slot))
    }

    /// The entry with this number, from 0.
    pub fn entry_at(&self, at: usize) -> Option<Entry<'_>> {
        self.slots.get(at).map(|slot| self.read(*slot))
    }

    /// The entry with this name: the first, should there be several.
    pub fn entry(&self, name: &[u8]) -> Option<Entry<'_>> {
        self.slots.iter().find(|slot| self.name(**slot) == name).map(|slot| self.read(*slot))
    }

    /// How many entries from these numbers on are the same in both trees: mode, name and content.
    pub(super) fn same_from(&self, at: usize, other: &Self, other_at: usize) -> usize {
        let (Some(own), Some(others)) = (self.slots.get(at..), other.slots.get(other_at..)) else {
            return 0;
        };
        let pairs = own.iter().zip(others);
        let same = |(one, two): &(&Slot, &Slot)| {
            one.mode == two.mode && self.name_and_oid(**one) == other.name_and_oid(**two)
        };
        pairs.take_while(same).count()
    }

    fn read(&self, slot: Slot) -> Entry<'_> {
        // `parse` has seen that it is there.
        let oid = Oid::from_bytes(self.oid_bytes(slot)).unwrap_or(Oid::zero(self.format));
        Entry { mode: slot.mode, oid, name: self.name(slot) }
    }

    fn name(&self, slot: Slot) -> &[u8] {
        // u32 to usize is lossless where this runs (see `parse`).
        let start = slot.name_at as usize;
        self.raw.get(start..start + slot.name_len as usize).unwrap_or_default()
    }

    fn oid_bytes(&self, slot: Slot) -> &[u8] {
        let start = slot.name_at as usize + slot.name_len as usize + 1;
        self.raw.get(start..start + self.format.len_bytes()).unwrap_or_default()
    }

    /// The name, the NUL behind it, and the oid: they stand in one piece.
    fn name_and_oid(&self, slot: Slot) -> &[u8] {
        let start = slot.name_at as usize;
        let len = slot.name_len as usize + 1 + self.format.len_bytes();
        self.raw.get(start..start + len).unwrap_or_default()
    }

    /// Names of entries and what is wrong with them, at most `PROBLEMS_PER_TREE_MAX`.
    pub fn problems(&self) -> &[(Vec<u8>, TreeProblemKind)] {
        &self.problems
    }

    /// About how much memory this takes, in bytes.
    pub(super) fn weight_bytes(&self) -> usize {
        self.raw.len() + self.slots.capacity() * size_of::<Slot>()
    }
}

/// Reads the entry at this position. Returns it, its mode as it is written, and where the next one
/// begins.
fn decode(
    format: ObjectFormat,
    raw: &[u8],
    at: usize,
) -> Result<(Slot, &[u8], usize), &'static str> {
    let rest = &raw[at..];
    let space = rest.iter().position(|&b| b == b' ').ok_or("an entry has no mode")?;
    let octal = &rest[..space];
    let nul = memchr(0, &rest[space..]).ok_or("an entry's name does not end")?;
    let name_len = nul - 1;
    let oid_at = space + nul + 1;
    rest.get(oid_at..oid_at + format.len_bytes()).ok_or("it ends inside an entry")?;
    let mode = mode(octal).ok_or("an entry's mode is not octal")?;
    // Both fit: `parse` saw to it that the tree is smaller than 4 GiB.
    let (name_at, name_len) = ((at + space + 1) as u32, name_len as u32);
    Ok((Slot { mode, name_at, name_len }, octal, at + oid_at + format.len_bytes()))
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
fn order_problem(tree: &Tree, open_names: &mut Vec<usize>, slot: Slot) -> Option<TreeProblemKind> {
    let name = tree.name(slot);
    let is_folder = slot.mode == EntryMode::Folder;
    if let Some(last) = tree.slots.last() {
        if tree.name(*last) == name {
            return Some(TreeProblemKind::Duplicate);
        }
        if !sorts_before(tree.name(*last), last.mode, name, slot.mode) {
            return Some(TreeProblemKind::Unsorted);
        }
    }
    while let Some(open) = open_names.last().and_then(|&at| tree.slots.get(at)) {
        let open_name = tree.name(*open);
        if is_folder && open_name == name {
            return Some(TreeProblemKind::Duplicate);
        }
        if name.starts_with(open_name) {
            break;
        }
        open_names.pop();
    }
    if !is_folder {
        open_names.push(tree.slots.len());
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
