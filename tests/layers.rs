//! Imports go down: the floors of `ARCHITECTURE.md`, kept.
//!
//! Reads every path that begins with `crate::` in `src`, test code left out, and names each line
//! that climbs, that reaches over to a room on the same floor, or that lets a child import its own
//! roof. A few rules of the house that a compiler does not know are kept here too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test reads the sources")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A room imports only rooms on lower floors.
const FLOORS: &[&[&str]] = &[
    &["names", "source"],
    &[
        "push",
        "pattern",
        "ssh",
        "openpgp",
        "statement",
        "infra",
        "answer",
        "tlog",
        "codeowners",
        "gittuf",
    ],
    &["roster", "secret", "verdict"],
    &["facts", "identity"],
    &["store"],
    &["rules", "gather", "log", "message"],
    &["policy"],
    &["judge"],
    &["hook", "replay", "trial"],
    &["cli"],
    &["main"],
];

/// The rooms that compute: they open no file, ask no clock, start no process and print nothing.
const THINKING: &[&str] = &[
    "names",
    "source",
    "push",
    "pattern",
    "roster",
    "secret",
    "ssh",
    "openpgp",
    "statement",
    "infra",
    "answer",
    "tlog",
    "codeowners",
    "gittuf",
    "facts",
    "verdict",
    "identity",
    "rules",
    "message",
    "policy",
    "judge",
    "trial",
];

/// What only a touching room may say.
const TOUCHES: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "File::open",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "println!",
    "print!(",
    "git2::",
];

/// How long a file may be, without its tests.
const LINES_MAX: usize = 400;

/// How long a function may be, from its name to its last brace.
const FUNCTION_LINES_MAX: usize = 60;

/// Files that may be longer, and how long. Each is a debt; the list gets shorter.
const LONGER: &[(&str, usize)] = &[];

/// One file of `src`.
struct Source {
    /// The path below `src`, such as `rules/merge.rs`.
    name: String,
    /// The module path, such as `["rules", "merge"]`; of `mod.rs` that of its folder.
    module: Vec<String>,
    /// Each line without comments, up to the tests.
    lines: Vec<String>,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                sources.push(source(&root, &path));
            }
        }
    }
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    sources
}

fn source(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let below: PathBuf = path.strip_prefix(root).unwrap().to_owned();
    let mut module: Vec<String> = below
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_str().unwrap().to_owned())
        .collect();
    if module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    let is_test = module.last().is_some_and(|name| name.ends_with("tests"));
    let lines = if is_test { Vec::new() } else { code(&text) };
    Source { name: below.to_str().unwrap().to_owned(), module, lines, text }
}

/// The lines without comments, up to the module of the tests.
fn code(text: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(|line| line.split("//").next().unwrap_or_default().to_owned())
        .collect()
}

/// The crate's paths in a line, without `crate`: `rules::merge::KIND` as its parts.
fn paths(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "portcullis::"] {
        for (at, _) in line.match_indices(root) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|sign| sign.is_alphanumeric() || sign == '_' || sign == ':') {
                continue;
            }
            let end = line[at..]
                .find(|sign: char| !(sign.is_alphanumeric() || sign == '_' || sign == ':'))
                .map_or(line.len(), |length| at + length);
            let parts = line[at + root.len()..end].split("::");
            let path: Vec<String> =
                parts.filter(|part| !part.is_empty()).map(str::to_owned).collect();
            // What stands in braces on the same line is as many paths.
            match line[end..].strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                Some((names, _)) => found.extend(names.split(',').map(|name| {
                    let mut path = path.clone();
                    path.push(name.trim().to_owned());
                    path
                })),
                None => found.push(path),
            }
        }
    }
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "{} to mend:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn imports_go_down() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| file.name != "lib.rs") {
        let room = &file.module[0];
        let Some(own) = floor(room) else {
            broken
                .push(format!("src/{}: room `{room}` has no floor in tests/layers.rs", file.name));
            continue;
        };
        for (number, line) in file.lines.iter().enumerate() {
            for path in paths(line) {
                let Some(target) = path.first() else { continue };
                let climbs = target != room && floor(target).is_none_or(|floor| floor >= own);
                if climbs {
                    broken.push(format!(
                        "src/{}:{}: `{room}` is not above `{target}`: {}",
                        file.name,
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn no_child_imports_its_roof() {
    let sources = sources();
    let modules: BTreeSet<&[String]> = sources.iter().map(|file| &file.module[..]).collect();
    // A roof is whatever has something below it: `a/mod.rs`, or `a.rs` beside `a/`.
    let has_below = |roof: &[String]| {
        modules.iter().any(|module| module.starts_with(roof) && module.len() > roof.len())
    };
    let mut broken = Vec::new();
    for file in &sources {
        for (number, line) in file.lines.iter().enumerate() {
            for path in paths(line) {
                // The module that the path reaches is its longest beginning that is a module.
                let reached = (1..=path.len())
                    .rev()
                    .map(|length| &path[..length])
                    .find(|beginning| modules.contains(beginning));
                let Some(reached) = reached else { continue };
                let is_below =
                    file.module.starts_with(reached) && file.module.len() > reached.len();
                if has_below(reached) && is_below {
                    broken.push(format!("src/{}:{}: {}", file.name, number + 1, line.trim()));
                }
            }
            if line.contains("super::") {
                broken.push(format!("src/{}:{}: {}", file.name, number + 1, line.trim()));
            }
        }
    }
    report(&broken);
}

#[test]
fn imports_are_whole_paths() {
    let mut broken = Vec::new();
    for file in sources() {
        for (number, line) in file.lines.iter().enumerate() {
            let line = line.trim();
            let is_use = line.starts_with("use ") || line.starts_with("pub");
            let reexports = line.starts_with("pub use ")
                || line.starts_with("pub(crate) use ")
                || line.starts_with("pub(super) use ");
            let is_glob = is_use && (line.ends_with("::*;") || line.contains("::{*"));
            let is_nested = line.starts_with("use crate::{");
            if reexports || is_glob || is_nested {
                broken.push(format!("src/{}:{}: {line}", file.name, number + 1));
            }
        }
    }
    report(&broken);
}

#[test]
fn thinking_rooms_touch_nothing() {
    let mut broken = Vec::new();
    for file in sources().iter().filter(|file| THINKING.contains(&file.module[0].as_str())) {
        for (number, line) in file.lines.iter().enumerate() {
            if let Some(word) = TOUCHES.iter().find(|word| line.contains(**word)) {
                broken.push(format!("src/{}:{}: `{word}`: {}", file.name, number + 1, line.trim()));
            }
        }
    }
    report(&broken);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut broken = Vec::new();
    for file in sources() {
        if !file.text.starts_with("//!") {
            broken.push(format!("src/{}: does not begin with what it is for", file.name));
        }
        let limit = LONGER
            .iter()
            .find(|(name, _)| *name == file.name)
            .map_or(LINES_MAX, |(_, longer)| *longer);
        if file.lines.len() > limit {
            broken.push(format!("src/{}: {} lines, at most {limit}", file.name, file.lines.len()));
        }
    }
    for (name, _) in LONGER {
        let is_there =
            sources().iter().any(|file| file.name == *name && file.lines.len() > LINES_MAX);
        if !is_there {
            broken.push(format!("src/{name}: is not longer any more, take it off the list"));
        }
    }
    report(&broken);
}

/// A function's name, the line it begins in (from 0), and how many lines it has. By the look that
/// rustfmt gives them: it ends with a brace as far in as it begins.
fn functions(lines: &[String]) -> Vec<(&str, usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut open, mut found) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let before = line.split('(').next().unwrap_or_default();
        let name = before.split_once("fn ").map(|(_, name)| name.split('<').next().unwrap());
        let starts = |word: &str| ["fn", "pub", "const"].iter().any(|it| word.starts_with(it));
        if let Some(name) = name.filter(|_| starts(line.trim_start()) && !line.ends_with(';')) {
            open.push((indent(line), name, at));
        }
        if line.trim() == "}" && open.last().is_some_and(|(by, ..)| *by == indent(line)) {
            let (_, name, from) = open.pop().unwrap();
            found.push((name, from, at + 1 - from));
        }
    }
    found
}

#[test]
fn functions_are_short() {
    let (mut broken, mut all) = (Vec::new(), 0);
    for file in sources().iter().filter(|file| !file.name.contains("tests")) {
        for (name, at, lines) in functions(&file.lines) {
            all += 1;
            if lines > FUNCTION_LINES_MAX {
                let place = format!("src/{}:{}", file.name, at + 1);
                broken.push(format!(
                    "{place}: `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    assert!(all > 2000, "{all} functions were found");
    report(&broken);
}

#[test]
fn words_of_the_house() {
    let mut broken = Vec::new();
    for file in sources() {
        for (number, line) in file.text.lines().enumerate() {
            let low = line.to_lowercase();
            for word in ["whitelist", "blacklist", "sanity", "illegal", "simply"] {
                if low.contains(word) {
                    broken.push(format!("src/{}:{}: `{word}`", file.name, number + 1));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn the_page_on_architecture_has_the_same_floors() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    for (number, rooms) in FLOORS.iter().enumerate() {
        let names: Vec<String> = rooms.iter().map(|room| format!("`{room}`")).collect();
        let row = format!("| {} | {} |", number + 1, names.join(" "));
        assert!(page.contains(&row), "ARCHITECTURE.md lacks the row {row}");
    }
}
