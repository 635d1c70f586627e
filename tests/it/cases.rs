//! The rows of what may land and what may not, each a case file: `tests/cases/landing`.
//!
//! Every case is acted out with real pushes, in SHA-1 and in SHA-256, in a repository of its own.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::support::acts::act_out;
use crate::support::story::read;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/landing")
}

/// Acts out every case of a file; what comes otherwise than it says is told with file and line.
fn told(file: &str, format: &'static str) {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    let story = read(&text).unwrap_or_else(|problem| panic!("{file}:{problem}"));
    let policy = fs::read_to_string(folder().join("policy.toml")).unwrap();
    let mut otherwise = Vec::new();
    for case in &story.cases {
        let line = Cell::new(case.line);
        let ran = catch_unwind(AssertUnwindSafe(|| act_out(case, &policy, format, &line)));
        let problem = match ran {
            Ok(Ok(())) => continue,
            Ok(Err(problem)) => problem,
            Err(_) => format!("{}: this does not work, see above", line.get()),
        };
        otherwise.push(format!("{file}:{problem}\n  in the case \"{}\" ({format})", case.title));
    }
    assert!(otherwise.is_empty(), "\n{}", otherwise.join("\n\n"));
}

macro_rules! stories {
    ($($name:ident),*; once: $($once:ident),* $(,)?) => {
        /// The files that are run: each in both object formats, but those that know no object's name.
        const STORIES: &[&str] = &[$(stringify!($name),)* $(stringify!($once)),*];

        $(mod $name {
            #[test]
            fn sha1() {
                super::told(concat!(stringify!($name), ".txt"), "sha1");
            }

            #[test]
            fn sha256() {
                super::told(concat!(stringify!($name), ".txt"), "sha256");
            }
        })*

        $(mod $once {
            #[test]
            fn sha256() {
                super::told(concat!(stringify!($once), ".txt"), "sha256");
            }
        })*
    };
}

stories! {
    added_after_the_approval,
    approved_merge,
    broken_glass,
    change_and_revert,
    checks,
    crooked_merges,
    half_a_change,
    inside_and_back,
    made_branches,
    makers,
    methods,
    moved_in_the_same_file,
    new_files,
    new_names,
    new_secrets,
    once,
    other_content,
    pushes,
    refs,
    resolved_merges,
    restrict_paths,
    robots,
    rollbacks,
    runs,
    same_push,
    signed,
    three_merges_in_one_push,
    topic_brings_main_in,
    what_does_not_count;
    once: code_owners, own_branches,
}

#[test]
fn no_case_file_is_left_out() {
    let named: BTreeSet<String> = STORIES.iter().map(|name| format!("{name}.txt")).collect();
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".txt"))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn what_the_readme_counts_as_evidence_has_its_cases() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, table) = readme.split_once("### What counts as evidence").unwrap();
    let rows: Vec<&str> =
        table.lines().skip_while(|line| !line.starts_with("|---")).skip(1).collect();
    let rows = rows.iter().take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_end_matches(['|', ' ']).rsplit_once('|').unwrap().1);
    let names: Vec<&str> =
        cells.flat_map(|cell| cell.split_whitespace().map(|name| name.trim_matches('`'))).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(STORIES.contains(&name), "{name}");
    }
}

#[test]
fn a_mistake_in_a_case_file_is_told_with_its_line() {
    for (text, problem) in [
        ("words\n", "1: no case"),
        ("== a\nalice: lands x\n", "1: a case that expects nothing"),
        ("== a\nalice: lands x\nalice: lands y\n=> accepted\n", "2: what comes of this push?"),
        ("== a\nalice$ git push origin x\nalice: lands y\n=> accepted\n", "2: what comes of this"),
        ("== a\nalice$ true\n  git -C . push x\nalice: lands y\n=> accepted\n", "2: what comes of"),
        ("== a\nalice: flies x\n=> accepted\n", "2: nobody knows how to do `flies`"),
        ("== a\nalice: lands x today\n=> accepted\n", "2: nobody understands `today`"),
        ("== a\nalice: lands x\n=> acepted\n", "3: `accepted`, `refused` or `stopped`"),
        ("== a\nalice: lands x\n=> refused\n", "3: here stands `by`"),
        ("== a\nalice: lands x\n=> refused by r, says no\n", "3: here stands what is said"),
        ("== a\nalice: lands x\n=> accepted\n=> accepted\n", "4: the line above is no push"),
        ("== a\nalice: begins x\n=> accepted\n", "3: the line above is no push"),
        ("== a\n=> accepted\n", "2: nothing was done"),
        ("== a\nlands x\n=> accepted\n", "2: who does this?"),
        ("== a\n  alice: lands x\n", "2: what does this line belong to?"),
        ("== a\nalice: topic x: a = \"b\n=> accepted\n", "2: a quote that does not end"),
        ("== a\nalice: lands x\n=> accepted\npolicy:\n  [a]\n", "4: a policy stands once"),
    ] {
        let told = read(text).map(|_| ()).unwrap_err();
        assert!(told.starts_with(problem), "{text}{told}");
    }
}
