//! The dialects against `tests/cases/codeowners`, and against Git where they mean the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::process::Command;

use proptest::prelude::*;

use crate::codeowners::book::{Book, Unfit};
use crate::codeowners::dialect::Dialect;
use crate::codeowners::owner::Owner;
use crate::codeowners::{FILE_BYTES_MAX, read};

/// A file of cases: `== TITLE`, a file of owners, then `> PATH = WHO` for each path that is asked
/// about and `flaw LINE: WHAT` for each flaw, in their order. WHO is the line and its owners.
fn cases(dialect: Dialect, text: &str) {
    let mut wrong = String::new();
    let mut many = 0;
    for case in text.split("\n== ").skip(1) {
        many += 1;
        let (title, rest) = case.split_once('\n').unwrap();
        let expected = |line: &&str| line.starts_with("> ") || line.starts_with("flaw ");
        let file: Vec<&str> = rest.lines().take_while(|line| !expected(line)).collect();
        let said: Vec<&str> = rest.lines().skip(file.len()).filter(|it| !it.is_empty()).collect();
        let book = read(dialect, file.join("\n").as_bytes()).unwrap();
        let mut now: Vec<String> = Vec::new();
        for line in said.iter().filter_map(|line| line.strip_prefix("> ")) {
            let path = line.rsplit_once(" = ").unwrap().0;
            now.push(format!("> {path} = {}", whose(&book, path)));
        }
        now.extend(book.flaws.iter().map(|flaw| format!("flaw {}: {}", flaw.line, flaw.what)));
        if now != said {
            write!(wrong, "== {title}\n{}\n\nand not\n{}\n\n", now.join("\n"), said.join("\n"))
                .unwrap();
        }
    }
    assert!(many > 5, "the cases are there");
    assert!(wrong.is_empty(), "{wrong}");
}

fn whose(book: &Book, path: &str) -> String {
    let claims = book.claims(path.as_bytes());
    let one = |claim| {
        let (section, entry) = book.at(claim).unwrap();
        let mut text = entry.line.to_string();
        entry.owners.iter().for_each(|owner| write!(text, " {owner}").unwrap());
        section.name.iter().for_each(|name| write!(text, " [{name}]").unwrap());
        if section.approvals > 1 {
            write!(text, " x{}", section.approvals).unwrap();
        }
        text + if section.optional { " optional" } else { "" }
    };
    match claims.is_empty() {
        true => "nobody".to_owned(),
        false => claims.into_iter().map(one).collect::<Vec<_>>().join(" & "),
    }
}

#[test]
fn github() {
    cases(Dialect::Github, include_str!("../../tests/cases/codeowners/github.txt"));
}

#[test]
fn gitlab() {
    cases(Dialect::Gitlab, include_str!("../../tests/cases/codeowners/gitlab.txt"));
}

#[test]
fn gitea() {
    cases(Dialect::Gitea, include_str!("../../tests/cases/codeowners/gitea.txt"));
}

#[test]
fn what_would_paint_a_terminal_is_no_owner() {
    for dialect in Dialect::ALL {
        let book = read(dialect, b"x \x1b[31m@evil.example.com a\x07@example.com").unwrap();
        let (_, entry) = book.at(book.claims(b"x")[0]).unwrap();
        assert!(entry.owners.iter().all(|owner| matches!(owner, Owner::Malformed(_))), "{book:?}");
        let said: String = book.flaws.iter().map(|flaw| flaw.what.as_str()).collect();
        assert!(!said.is_empty() && !said.contains(char::is_control), "{said:?}");
    }
}

#[test]
fn a_file_has_bounds() {
    for (dialect, most) in
        [(Dialect::Github, 10_000), (Dialect::Gitlab, 10_000), (Dialect::Gitea, 1_000)]
    {
        let file = "a @x\n".repeat(most);
        assert!(read(dialect, file.as_bytes()).unwrap().entries() > 0);
        let more = read(dialect, (file + "a @x\n").as_bytes()).unwrap_err();
        assert_eq!(more, Unfit::TooManyLines(most), "{dialect:?}");
        let large = vec![b'#'; FILE_BYTES_MAX + 1];
        assert_eq!(read(dialect, &large).unwrap_err(), Unfit::TooLarge);
        assert!(read(dialect, &large[1..]).is_ok());
    }
    // Each by itself is small enough, all of them are not.
    let greedy = |times: usize| "\\\\w".repeat(times) + " @x\n";
    let complex = |times| {
        let book = read(Dialect::Gitea, greedy(times).repeat(1000).as_bytes());
        book.is_err_and(|why| why == Unfit::TooComplex)
    };
    assert!([3, 2, 1].into_iter().any(complex));
}

#[test]
fn matching_costs_no_more_than_pattern_times_path() {
    let star = format!("{}b", "*a".repeat(400));
    let any = format!("/{}b", "**/a/".repeat(400));
    let book = read(Dialect::Github, format!("{star} @x\n{any} @x\n").as_bytes()).unwrap();
    let path = format!("{}c", "a/".repeat(2000));
    let began = std::time::Instant::now();
    assert!(book.claims("a".repeat(4000).as_bytes()).is_empty());
    assert!(book.claims(path.as_bytes()).is_empty());
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

/// What `git check-ignore` says of these paths, with this line in `.gitignore`.
fn ignored(folder: &std::path::Path, pattern: &str, paths: &[String]) -> Vec<bool> {
    std::fs::write(folder.join(".gitignore"), format!("{pattern}\n")).unwrap();
    let mut git = Command::new("git");
    git.args(["check-ignore", "--no-index", "--verbose", "--non-matching"]).args(paths);
    git.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let output = git.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let matched: Vec<bool> = text.lines().map(|line| !line.starts_with("::")).collect();
    assert_eq!(matched.len(), paths.len(), "{pattern}: {text}");
    matched
}

/// GitHub says that its patterns are those of .gitignore but for what its page lists. Two more
/// differ, and are left out: `docs/*` on GitHub does not reach what lies deeper, while in .gitignore
/// the folders that it matches take their files with them; and `**/` at the end is more than folders.
#[test]
fn github_matches_as_gitignore_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut init = Command::new("git");
    init.args(["init", "-q"]).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    assert!(init.env("PATH", std::env::var_os("PATH").unwrap()).status().unwrap().success());
    let names = ["foo", "bar", "foo.tf", ".foo", "a b", "f*o"];
    let mut paths: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    for folder in ["foo", "bar", "a b"] {
        paths.extend(names.iter().map(|name| format!("{folder}/{name}")));
        paths.extend(names.iter().map(|name| format!("bar/{folder}/{name}")));
    }
    let patterns = [
        "foo",
        "/foo",
        "foo/",
        "/foo/",
        "foo/bar",
        "/foo/bar",
        "f*",
        "*.tf",
        "/*.tf",
        "**/foo",
        "/**/foo",
        "**/foo/bar",
        "foo/**/bar",
        "foo/**",
        "*",
        "**",
        "f?o",
        "/f?o",
        "f\\*o",
        "a\\ b",
        "a\\ b/foo",
        ".foo",
        "b?r/f*",
        "foo**",
        "bar/**/foo.tf",
        "nowhere",
        "bar/foo/bar",
    ];
    for pattern in patterns {
        let book = read(Dialect::Github, format!("{pattern} @x").as_bytes()).unwrap();
        let ours: Vec<bool> =
            paths.iter().map(|path| !book.claims(path.as_bytes()).is_empty()).collect();
        let gits = ignored(folder.path(), pattern, &paths);
        for ((path, ours), gits) in paths.iter().zip(ours).zip(gits) {
            assert_eq!(ours, gits, "{pattern} {path}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_file(bytes in prop::collection::vec(any::<u8>(), 0..300), path in any::<Vec<u8>>()) {
        for dialect in Dialect::ALL {
            let _ = read(dialect, &bytes).map(|book| book.claims(&path));
        }
    }

    #[test]
    fn anything_that_looks_like_a_file_is_one(
        text in "([!^]?[\\[\\]*?/a-c.\\\\#\\^{}()|+&~:-]{0,12}[ \t]?(@{0,2}[a-c/.@]{0,6} ?){0,2}\n){0,6}",
        path in "[a-c/.\\[*]{0,8}",
    ) {
        for dialect in Dialect::ALL {
            let book = read(dialect, text.as_bytes()).unwrap();
            for claim in book.claims(path.as_bytes()) {
                prop_assert!(book.at(claim).is_some());
            }
        }
    }
}
