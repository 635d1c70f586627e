//! Each change that arrives, against what files may be.

use std::collections::BTreeSet;

use crate::facts::change::{FileMode, Side};
use crate::facts::intake::{Blob, Inside, Intake, Taken};
use crate::names::escape::is_deceptive;
use crate::names::path::RepoPath;
use crate::pattern::paths::{EntryShape, PathPatterns};
use crate::rules::files::{Files, Trait};
use crate::rules::view::View;
use crate::rules::words::{leave_out, listed};
use crate::source::size;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::Line;

/// Judges one ref update.
pub(crate) fn judge(rule: &Files, view: &View<'_>) -> Ruling {
    let Some(intake) = view.intake else { return Ruling::default() };
    let mut faults: Vec<Line> = Vec::new();
    let mut seen: BTreeSet<(&RepoPath, String)> = BTreeSet::new();
    for taken in &intake.taken {
        let Some(new) = taken.change.new else { continue };
        let path = &taken.change.path;
        if !rule.covers(path, shape(new)) {
            continue;
        }
        for why in whys(rule, intake, taken, new) {
            if seen.insert((path, why.show())) {
                let line = Line::new("").path(path).text(" ").line(&why);
                faults.push(line.text(", in ").oid(taken.commit));
            }
        }
    }
    if faults.is_empty() {
        return Ruling::default();
    }
    let objections = vec![objection(intake, faults)];
    Ruling { objections, notes: Vec::new() }
}

const fn shape(side: Side) -> EntryShape {
    match side.mode {
        FileMode::File | FileMode::Executable => EntryShape::File,
        FileMode::Symlink | FileMode::Gitlink => EntryShape::Link,
    }
}

fn objection(intake: &Intake, faults: Vec<Line>) -> Objection {
    listed(faults).hint(leave_out(intake, "make the commits anew without that"))
}

/// Everything that is wrong with what arrives at a path, each in words that follow the path.
fn whys(rule: &Files, intake: &Intake, taken: &Taken, new: Side) -> Vec<Line> {
    let mut whys = Vec::new();
    let path = &taken.change.path;
    if taken.change.old.is_none() {
        whys.extend(of_name(rule, path));
    }
    let file = matches!(new.mode, FileMode::File | FileMode::Executable);
    if file && arrives(taken.change.old, new) {
        whys.extend(of_content(rule, intake.blob(&new)));
    }
    for one in &rule.forbid {
        whys.extend(of_trait(*one, intake, taken, new));
    }
    whys
}

/// Whether content comes: what was a link until now has been read as none.
fn arrives(old: Option<Side>, new: Side) -> bool {
    old.is_none_or(|old| old.oid != new.oid || !old.mode.same_type(new.mode))
}

fn of_name(rule: &Files, path: &RepoPath) -> Vec<Line> {
    let mut whys = Vec::new();
    let length = path.as_bytes().len() as u64;
    if let Some(most) = rule.max_path.filter(|most| length > *most) {
        whys.push(Line::new(format!("is a path of {length} bytes, {most} are the most")));
    }
    let picks = |list: &PathPatterns| list.picks(path, EntryShape::Link, false);
    if rule.forbid_names.as_ref().is_some_and(picks) {
        whys.push(Line::new("has a name that is forbidden here"));
    }
    if let Some(pattern) = rule.forbid_match.iter().find(|p| p.matches(path.as_bytes())) {
        whys.push(Line::new("has a name that matches ").text(pattern.written().to_owned()));
    }
    if let Some(only) = rule.only_names.as_ref().filter(|only| !only.holds(path)) {
        let names = only.written().join(", ");
        whys.push(Line::new("has none of the names allowed here: ").text(names));
    }
    whys
}

fn of_content(rule: &Files, blob: Option<&Blob>) -> Vec<Line> {
    let mut whys = Vec::new();
    let Some(blob) = blob else { return whys };
    if let Some(most) = rule.max_size.filter(|most| blob.size > *most) {
        whys.push(too_large(blob.size, most));
    }
    if let Some(most) = rule.max_binary_size.filter(|most| blob.size > *most)
        && holds(blob, |inside| inside.binary)
    {
        whys.push(too_large(blob.size, most).text(" for what is not text"));
    }
    whys
}

fn too_large(bytes: u64, most: u64) -> Line {
    Line::new(format!("is {}, {} is the most", size::shown(bytes), size::shown(most)))
}

/// Whether a file is something by its content; where nobody has looked, it may be.
fn holds(blob: &Blob, is: impl Fn(&Inside) -> bool) -> bool {
    blob.inside.as_ref().is_none_or(is)
}

fn of_trait(one: Trait, intake: &Intake, taken: &Taken, new: Side) -> Option<Line> {
    let (old, path) = (taken.change.old, &taken.change.path);
    let is_file = matches!(new.mode, FileMode::File | FileMode::Executable);
    let becomes = |mode: FileMode| new.mode == mode && old.is_none_or(|old| old.mode != mode);
    let arrives = arrives(old, new);
    let blob = intake.blob(&new).filter(|_| is_file && arrives);
    let content = |is: fn(&Inside) -> bool, what: &'static str| {
        let blob = blob.filter(|blob| holds(blob, is))?;
        let line = Line::new(what);
        Some(match blob.unread {
            Some((limit, most)) => {
                let why = format!(" as far as we know: {limit} = {most} is all we look into");
                line.text(why)
            }
            None => line,
        })
    };
    match one {
        Trait::Executable => becomes(FileMode::Executable).then(|| Line::new("is executable")),
        Trait::NotExecutable => becomes(FileMode::File).then(|| Line::new("is not executable")),
        Trait::Symlink => becomes(FileMode::Symlink).then(|| Line::new("is a symbolic link")),
        Trait::Submodule => becomes(FileMode::Gitlink).then(|| Line::new("is a submodule")),
        Trait::OutsideSymlink => {
            let target = intake.links.get(&new.oid).filter(|_| new.mode == FileMode::Symlink)?;
            let out = arrives && leads_outside(path, target);
            out.then(|| Line::new("is a symbolic link that leads out: ").quoted(target))
        }
        Trait::Binary => content(|inside| inside.binary, "is not text"),
        Trait::LfsPointer => content(|inside| inside.lfs_pointer, "is a pointer of Git LFS"),
        Trait::NotLfsPointer => {
            // No pointer is so large that nobody looks into it.
            content(|inside| !inside.lfs_pointer, "is not kept in Git LFS")
        }
        Trait::Generated => content(|inside| inside.generated, "was written by a program"),
        Trait::Empty => blob.filter(|b| b.size == 0).map(|_| Line::new("is empty")),
        Trait::Collision => {
            let under = |at: &RepoPath| {
                let rest = path.as_bytes().strip_prefix(at.as_bytes());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            };
            let clash = intake.clashes.iter().filter(|_| old.is_none());
            let clash = clash.filter(|c| c.commit == taken.commit).find(|c| under(&c.path))?;
            Some(Line::new("looks the same as ").path(&clash.other).text(" to some file systems"))
        }
        Trait::UnportableName => {
            let why = old.is_none().then(|| unportable(path)).flatten()?;
            Some(Line::new("has a name that ").text(why))
        }
    }
}

/// Whether the target of a link leads out of the tree, as far as its own text says: what it names
/// may be a link again, which answers for itself.
fn leads_outside(path: &RepoPath, target: &[u8]) -> bool {
    if target.is_empty() || matches!(target.first(), Some(b'/' | b'\\')) || target.contains(&b':') {
        return true;
    }
    let mut depth = path.as_bytes().iter().filter(|&&b| b == b'/').count();
    for part in target.split(|&b| b == b'/' || b == b'\\') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Names that Windows keeps for devices (Naming Files, Paths, and Namespaces).
const DEVICES: [&[u8]; 4] = [b"con", b"prn", b"aux", b"nul"];

/// Why some system cannot have a path, to follow "a name that".
fn unportable(path: &RepoPath) -> Option<&'static str> {
    let bytes = path.as_bytes();
    let Ok(text) = std::str::from_utf8(bytes) else { return Some("is not UTF-8") };
    if text.chars().any(|c| c.is_control() || is_deceptive(c)) {
        return Some("holds letters that cannot be seen");
    }
    if bytes.iter().any(|b| b"<>:\"|?*\\".contains(b)) {
        return Some("Windows cannot have: it holds one of < > : \" | ? * \\");
    }
    for part in bytes.split(|&b| b == b'/') {
        if part.ends_with(b".") || part.ends_with(b" ") {
            return Some("Windows cannot have: it ends with a dot or a blank");
        }
        let stem = part.split(|&b| b == b'.').next().unwrap_or_default().to_ascii_lowercase();
        let port = |begin: &[u8]| matches!(stem.strip_prefix(begin), Some([b'1'..=b'9']));
        if DEVICES.contains(&stem.as_slice()) || port(b"com") || port(b"lpt") {
            return Some("Windows keeps for a device");
        }
        if part.len() > 255 {
            return Some("is longer than 255 bytes between two slashes");
        }
    }
    None
}
