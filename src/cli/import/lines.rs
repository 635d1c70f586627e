//! The lines of a gitolite configuration, with those of the files it includes, as gitolite cleans
//! them before it reads them.
//!
//! What is known of gitolite's language here and beside this file was read in gitolite 3.6.13.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::pattern::exact::ExactPaths;

/// How long a configuration file may be.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many files a configuration may include.
const FILES_MAX: usize = 1000;

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands: `gitolite.conf:12`.
    pub(super) at: String,
    /// What it says: no comment, one blank where there were several, blanks around the first `=`.
    pub(super) text: String,
}

/// Reads a file and what it includes, each at most once, in the order in which gitolite does.
pub(super) fn read(file: &Path) -> Result<Vec<Line>, Fault> {
    let mut seen = BTreeSet::new();
    // Files that are being read, the innermost last, each with the lines that are left of it.
    let mut open = vec![begun(file, &mut seen)?];
    let mut lines = Vec::new();
    while let Some(left) = open.last_mut() {
        let Some(line) = left.next() else {
            open.pop();
            continue;
        };
        let Some(pattern) = included(&line.text) else {
            lines.push(line);
            continue;
        };
        let found = matching(file, &pattern)?;
        if found.is_empty() {
            lines.push(line);
        }
        // The first is read first, so it is opened last.
        for path in found.into_iter().rev() {
            if !seen.contains(&path) {
                open.push(begun(&path, &mut seen)?);
            }
        }
        if seen.len() > FILES_MAX {
            return Err(Fault::new(format!("more than {FILES_MAX} files are included")));
        }
    }
    Ok(without_blocks(lines))
}

/// The lines of one file.
fn begun(path: &Path, seen: &mut BTreeSet<PathBuf>) -> Result<std::vec::IntoIter<Line>, Fault> {
    let could_not = || format!("could not read {}", shown(path));
    seen.insert(path.to_owned());
    let bytes = files::read_whole(path, FILE_BYTES_MAX).or_fault(could_not)?;
    let text = String::from_utf8(bytes).or_fault(could_not)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| Line { at: format!("{name}:{}", index + 1), text: cleaned(line) });
    Ok(lines.filter(|line| !line.text.is_empty()).collect::<Vec<_>>().into_iter())
}

/// What a line says: what follows a `#` that is in no string is none of it.
fn cleaned(line: &str) -> String {
    let mut quoted = false;
    let end = line.char_indices().find_map(|(at, letter)| match letter {
        '"' => {
            quoted = !quoted && line[at + 1..].contains('"');
            None
        }
        '#' if !quoted => Some(at),
        _ => None,
    });
    let line = line[..end.unwrap_or(line.len())].replacen('=', " = ", 1);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace(char::is_control, "?")
}

/// What `include "..."` includes.
fn included(line: &str) -> Option<String> {
    let rest = line.strip_prefix("include ")?;
    let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first))?;
    rest[1..].strip_suffix(quote).map(str::to_owned)
}

/// The files that a pattern names; gitolite looks from the folder of its first file. Wildcards may
/// stand in the last part. None: there is no such file, or the pattern is not understood.
fn matching(first: &Path, pattern: &str) -> Result<Vec<PathBuf>, Fault> {
    let path = first.parent().unwrap_or(Path::new("")).join(pattern);
    if path.is_file() {
        return Ok(vec![path]);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(Vec::new());
    };
    let (Ok(names), true) = (ExactPaths::read([name]), folder.is_dir()) else {
        return Ok(Vec::new());
    };
    let could_not = || format!("could not read {}", shown(folder));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).or_fault(could_not)? {
        let entry = entry.or_fault(could_not)?;
        let is_picked = entry.file_name().to_str().is_some_and(|name| names.pick(name.as_bytes()));
        if is_picked && entry.path().is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The lines without those that gitolite keeps for its own tests and templates.
fn without_blocks(lines: Vec<Line>) -> Vec<Line> {
    let mut within = false;
    let mut kept = Vec::new();
    for line in lines {
        within |= ["= begin testconf", "= begin template-data"].contains(&line.text.as_str());
        match within {
            true => within = line.text != "= end",
            false => kept.push(line),
        }
    }
    kept
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cleaned_as_gitolite_cleans_them() {
        for (line, clean) in [
            ("   RW+   master=alice   bob # all", "RW+ master = alice bob"),
            ("# nothing", ""),
            ("repo foo\t", "repo foo"),
            ("desc = \"a # in it\" # and a word", "desc = \"a # in it\""),
            ("option x = \"not closed # so a comment", "option x = \"not closed"),
        ] {
            assert_eq!(cleaned(line), clean);
        }
    }

    #[test]
    fn what_is_included_stands_in_its_place_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
        };
        put("gitolite.conf", "a\ninclude \"*.inc\"\ninclude \"one.inc\"\ninclude 'gone'\nz\n");
        put("one.inc", "1\ninclude \"gitolite.conf\"\n= begin testconf\nno\n= end\n");
        put("two.inc", "2 # two\n");
        let lines = read(&folder.path().join("gitolite.conf")).unwrap();
        let told: Vec<String> =
            lines.iter().map(|line| format!("{} {}", line.at, line.text)).collect();
        assert_eq!(
            told,
            [
                "gitolite.conf:1 a",
                "one.inc:1 1",
                "two.inc:1 2",
                "gitolite.conf:4 include 'gone'",
                "gitolite.conf:5 z"
            ]
        );
    }
}
