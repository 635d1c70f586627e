//! What patterns pick, by example and against a second matcher written for clarity alone.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use proptest::prelude::*;

use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::pattern::glob::{PATTERN_BYTES_MAX, PATTERNS_MAX};
use crate::pattern::paths::{Base, EntryShape, PathPatterns};
use crate::pattern::refs::RefPatterns;
use crate::source::problem::Problems;
use crate::source::text::{Located, SourceText};

fn located(list: &[&str]) -> Located<Vec<Located<String>>> {
    let text = SourceText::read(0, "policy.toml", b"x", 9).unwrap();
    let at = |value: &str| Located { value: value.to_owned(), spot: text.whole() };
    Located { value: list.iter().map(|w| at(w)).collect(), spot: text.whole() }
}

fn paths(list: &[&str]) -> PathPatterns {
    let mut problems = Problems::new();
    let read = PathPatterns::read(&located(list).value, Base::Nothing, &mut problems);
    assert!(problems.is_empty(), "{problems}");
    read.unwrap()
}

fn refs(list: &[&str]) -> RefPatterns {
    let mut problems = Problems::new();
    let read = RefPatterns::read(&located(list), &mut problems);
    assert!(problems.is_empty(), "{problems}");
    read.unwrap()
}

fn picks(list: &[&str], path: &str) -> bool {
    paths(list).picks(&RepoPath::new(path), EntryShape::File, false)
}

fn holds(list: &[&str], path: &str) -> bool {
    paths(list).holds(&RepoPath::new(path))
}

#[test]
fn what_is_granted_is_granted_to_exact_bytes_and_taken_away_from_look_alikes() {
    let tags = ["clusters/**/tags.yaml"];
    assert!(holds(&tags, "clusters/prod/tags.yaml"));
    for other in
        ["Clusters/prod/tags.yaml", "clusters/prod/tags.yaml ", "clusters", "infra/tags.yaml"]
    {
        assert!(!holds(&tags, other), "{other}");
    }
    let most = ["**", "!infra/**", "infra/README"];
    assert!(holds(&most, "app/x"));
    assert!(holds(&most, "infra/README"));
    for other in
        ["infra/a.tf", "INFRA/a.tf", "infra", "Infra ", "in\u{200b}fra/a.tf", "INFRA/README"]
    {
        assert!(!holds(&most, other), "{other}");
    }
}

fn refname(name: &str) -> Refname {
    Refname::parse(name.as_bytes()).unwrap()
}

fn path_problem(list: &[&str]) -> Option<String> {
    let mut problems = Problems::new();
    let read = PathPatterns::read(&located(list).value, Base::Nothing, &mut problems);
    assert_eq!(read.is_some(), problems.is_empty());
    problems.sorted().first().map(|p| p.what.clone())
}

fn ref_problem(list: &[&str]) -> Option<String> {
    let mut problems = Problems::new();
    let read = RefPatterns::read(&located(list), &mut problems);
    assert_eq!(read.is_some(), problems.is_empty());
    problems.sorted().first().map(|p| p.what.clone())
}

#[test]
fn one_star_stops_at_a_slash_and_two_do_not() {
    assert!(picks(&["infra/*.tf"], "infra/a.tf"));
    assert!(!picks(&["infra/*.tf"], "infra/a/b.tf"));
    assert!(picks(&["infra/**/*.tf"], "infra/b.tf"));
    assert!(picks(&["infra/**/*.tf"], "infra/a/b.tf"));
    assert!(!picks(&["infra/?.tf"], "infra//.tf"));
    assert!(picks(&["**"], "any/thing"));
    assert!(!picks(&["*"], "any/thing"));
}

#[test]
fn a_folder_is_covered_with_all_that_is_in_it() {
    for path in ["infra", "infra/a", "infra/a/b"] {
        assert!(picks(&["infra/**"], path), "{path}");
    }
    assert!(!picks(&["infra/**"], "infrared"));
    assert!(picks(&["envs/*/**"], "envs/prod"));
}

#[test]
fn an_entry_that_takes_the_place_of_a_folder_is_a_change_of_what_was_in_it() {
    assert!(picks(&["infra/a/*.tf"], "infra"));
    assert!(picks(&["infra/a/*.tf"], "infra/a"));
    assert!(picks(&["infra/prod.tf"], "INFRA"));
    assert!(!picks(&["infra/a/*.tf"], "infra/b"));
    assert!(!picks(&["**/*.tf"], "docs"));
    let envs = paths(&["envs/*/main.tf"]);
    let prod = RepoPath::new("envs/prod");
    assert!(envs.picks(&prod, EntryShape::Link, false));
    assert!(envs.picks(&RepoPath::new("Envs/Prod"), EntryShape::Link, false));
    assert!(!envs.picks(&prod, EntryShape::File, false));
    assert!(paths(&["a/**/b"]).picks(&RepoPath::new("a/x/y"), EntryShape::Link, false));
    assert!(!paths(&["**/*.tf"]).picks(&prod, EntryShape::Link, false));
}

#[test]
fn a_look_alike_is_protected_and_never_taken_away() {
    let list = ["infra/**", "!infra/examples/**"];
    for alike in ["INFRA/x", "Infra./x", "infra \\x", "inf\u{200d}ra/x", "infra/Examples/x"] {
        assert!(picks(&list, alike), "{alike}");
    }
    assert!(!picks(&list, "infra/examples/x"));
    assert!(picks(&["caf\u{e9}/*"], "CAFE\u{301}/x"));
    // What is written with a dot that Windows drops.
    assert!(picks(&["infra./**"], "infra/x") && picks(&["infra./**"], "INFRA./x"));
    assert!(picks(&["[A-C]*/x"], "A1/x") && picks(&["[A-C]*/x"], "a1/x"));
}

#[test]
fn bytes_that_are_not_utf_8_match_like_any_others() {
    let path = RepoPath::new(&b"infra/\xff\xfe.tf"[..]);
    assert!(paths(&["infra/*.tf"]).picks(&path, EntryShape::File, false));
    assert!(paths(&["INFRA/*.tf"]).picks(&path, EntryShape::File, false));
}

#[test]
fn the_last_pattern_that_matches_decides() {
    let list = ["infra/**", "!infra/examples/**", "infra/examples/prod/**"];
    assert!(picks(&list, "infra/examples/prod/x"));
    assert!(!picks(&list, "infra/examples/x"));
}

#[test]
fn exclusions_take_away_from_what_others_have_picked() {
    let mut problems = Problems::new();
    let list = located(&["!**/examples/**"]).value;
    let read = PathPatterns::read(&list, Base::Other, &mut problems).unwrap();
    let picks = |path: &str, other| read.picks(&RepoPath::new(path), EntryShape::File, other);
    assert!(picks("main.tf", true));
    assert!(!picks("main.tf", false));
    assert!(!picks("a/examples/main.tf", true));
    assert!(picks("a/EXAMPLES/main.tf", true), "exclusions go by exact bytes");
}

#[test]
fn path_patterns_that_pick_nothing_are_problems() {
    for list in [
        &[""][..],
        &["/infra/**"],
        &["infra/"],
        &["./infra"],
        &["../infra"],
        &["a//b"],
        &["a/.git/config"],
        &["!infra/**"],
        &["!infra/examples/**", "infra/**"],
        &["infra/**", "!**"],
        &["infra/a/*.tf", "!infra/**"],
        &["infra/*.tf", "docs/**", "!infra/*"],
        &["infra/x", "!infra/x"],
        &["v[[:digit:]]/**"],
    ] {
        assert!(path_problem(list).is_some(), "{list:?}");
    }
    for list in [
        &["infra/**", "!infra/*"][..],
        &["infra/**", "!infra/**/*.md"],
        &["infra/**", "!infra/?*"],
        &["infra/**", "!infra/a/**", "infra/a/x"],
        &["**", "!**/examples/**"],
    ] {
        assert_eq!(path_problem(list), None, "{list:?}");
    }
}

#[test]
fn a_pattern_without_refs_in_front_names_branches() {
    let main = refname("refs/heads/main");
    let list = refs(&["@default", "release/**", "!release/sandbox/**", "refs/tags/v*"]);
    let picks = |name: &str| list.matches(&refname(name), Some(&main));
    for name in ["refs/heads/main", "refs/heads/release/1.0", "refs/heads/release", "refs/tags/v1"]
    {
        assert!(picks(name), "{name}");
    }
    for name in ["refs/heads/x", "refs/heads/release/sandbox/a", "refs/tags/w", "refs/tags/main"] {
        assert!(!picks(name), "{name}");
    }
    assert!(!list.matches(&main, None));
}

#[test]
fn no_pattern_reaches_the_gates_own_refs() {
    let list = refs(&["refs/**"]);
    assert!(list.matches(&refname("refs/notes/x"), None));
    for own in ["refs/approvals/k/bob", "refs/checks/k/plan/bot", "refs/portcullis/ask/heads/x"] {
        assert!(!list.matches(&refname(own), None), "{own}");
    }
}

#[test]
fn a_name_that_folds_onto_a_protected_one_is_found() {
    let main = refname("refs/heads/main");
    let list = refs(&["@default", "release/**", "!release/sandbox/**"]);
    let alike = |name: &str| list.folds_onto(&refname(name), Some(&main));
    for name in ["refs/heads/Main", "refs/heads/MAIN", "refs/heads/Release/1", "refs/Heads/main"] {
        assert!(alike(name), "{name}");
    }
    assert!(alike("refs/heads/ma\u{200b}in"));
    assert!(alike("refs/heads/Release/sandbox/x"), "what takes away goes by exact bytes");
    for name in ["refs/heads/main", "refs/heads/release/1", "refs/heads/release/sandbox/x"] {
        assert!(!alike(name), "{name}");
    }
    assert!(!alike("refs/heads/feature"));
    // A dot at the end of a folder's name is none to Windows, also on the way to the default branch.
    let trunk = refname("refs/heads/trunk/main");
    for name in ["refs/heads/trunk./main", "refs/heads/Trunk/main"] {
        assert!(refs(&["@default"]).folds_onto(&refname(name), Some(&trunk)), "{name}");
    }
}

#[test]
fn a_name_where_a_protected_pattern_needs_a_folder_is_found() {
    let list = refs(&["release/*", "refs/tags/prod/v*", "@default"]);
    let default = refname("refs/heads/trunk/main");
    let blocks = |name: &str| list.blocks_folder(&refname(name), Some(&default));
    for name in ["refs/heads/release", "refs/heads/Release", "refs/tags/prod", "refs/heads/trunk"] {
        assert!(blocks(name), "{name}");
    }
    for name in ["refs/heads/release/1", "refs/heads/rel", "refs/heads/trunk/main", "refs/tags/v1"]
    {
        assert!(!blocks(name), "{name}");
    }
    assert!(!refs(&["release/**"]).blocks_folder(&refname("refs/heads/release"), None));
    assert!(refs(&["release/**"]).matches(&refname("refs/heads/release"), None));
    for (pattern, name) in [("Prod/eu/x", "prod"), ("prod/EU/x", "Prod./eu")] {
        let name = refname(&format!("refs/heads/{name}"));
        assert!(refs(&[pattern]).blocks_folder(&name, None), "{pattern}");
    }
}

#[test]
fn ref_patterns_that_pick_nothing_are_problems() {
    for list in [
        &[][..],
        &["!main"],
        &["main", "!main"],
        &["@default", "!@default"],
        &["release/*", "!**"],
        &["!x", "main"],
        &["@defualt"],
        &["HEAD"],
        &["heads/main"],
        &["tags/v*"],
        &["main/"],
        &["a..b"],
        &["a b"],
        &["x.lock"],
        &["*.lock"],
        &[".hidden/*"],
        &[".*"],
        &["a..*"],
        &["a@{*"],
        &["a *"],
        &["a~*"],
        &["a^*"],
        &["a:*"],
        &["refs/heads"],
        &["refs/approvals/**"],
    ] {
        assert!(ref_problem(list).is_some(), "{list:?}");
    }
    for list in [
        &["**"][..],
        &["**", "!@default"],
        &["@default", "main", "refs/tags/**"],
        &["release/1.0", "a@b", "v1.*", "a.lock.*"],
    ] {
        assert_eq!(ref_problem(list), None, "{list:?}");
    }
}

#[test]
fn a_list_has_its_longest_and_so_has_a_pattern() {
    let names: Vec<String> = (0..=PATTERNS_MAX + 1).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (most, more) = (&names[..PATTERNS_MAX], &names[..=PATTERNS_MAX]);
    assert_eq!((path_problem(most), ref_problem(most)), (None, None));
    for many in [more, &names] {
        let told = Some(format!("more than {PATTERNS_MAX} patterns in one list"));
        assert_eq!((path_problem(many), ref_problem(many)), (told.clone(), told));
    }
    let long = |bytes: usize| "p".repeat(bytes);
    assert_eq!(path_problem(&[&long(PATTERN_BYTES_MAX)]), None);
    for more in [1, 2] {
        assert!(path_problem(&[&long(PATTERN_BYTES_MAX + more)]).is_some());
    }
}

/// The plainest matcher that could be right: components by trial, letters by trial.
fn plainly_matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    let bare = match pattern.as_slice() {
        [bare @ .., "**"] if !bare.is_empty() => by_component(bare, &path),
        _ => false,
    };
    bare || by_component(&pattern, &path)
}

fn by_component(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**"] => !path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|skip| by_component(rest, &path[skip..])),
        [first, rest @ ..] => match path {
            [name, below @ ..] => {
                by_letter(first.as_bytes(), name.as_bytes()) && by_component(rest, below)
            }
            [] => false,
        },
    }
}

fn by_letter(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|skip| by_letter(rest, &name[skip..])),
        [b'?', rest @ ..] => !name.is_empty() && by_letter(rest, &name[1..]),
        [letter, rest @ ..] => name.first() == Some(letter) && by_letter(rest, &name[1..]),
    }
}

/// Patterns over few letters, so that they often match.
fn pattern_text() -> impl Strategy<Value = String> {
    let component = prop_oneof![3 => "[ab*?]{1,3}", 1 => Just("**".to_owned())];
    let several = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    several
        .prop_filter("`**` stands alone", |p| p.split('/').all(|c| c == "**" || !c.contains("**")))
}

#[test]
fn what_is_plain_may_stand_in_a_refname() {
    for byte in (0..=127_u8).filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        for name in [vec![byte], vec![byte, byte]] {
            let full = [b"refs/heads/", name.as_slice()].concat();
            assert!(Refname::parse(&full).is_some(), "{}", full.escape_ascii());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn branches_match_as_the_plain_matcher_says(
        pattern in pattern_text(),
        name in "[ab]{1,3}(/[ab]{1,3}){0,3}",
    ) {
        let list = refs(&[&pattern]);
        let full = Refname::parse(format!("refs/heads/{name}").as_bytes()).unwrap();
        let expected = plainly_matches(&format!("refs/heads/{pattern}"), &format!("refs/heads/{name}"));
        prop_assert_eq!(list.matches(&full, None), expected, "{} {}", pattern, name);
    }

    #[test]
    fn paths_match_wherever_the_plain_matcher_does_and_else_only_as_parents(
        pattern in pattern_text(),
        name in "[ab]{1,3}(/[ab]{1,3}){0,3}",
    ) {
        let list = paths(&[&pattern]);
        let picked = list.picks(&RepoPath::new(name.as_bytes()), EntryShape::File, false);
        let is_parent = pattern.starts_with(&format!("{name}/"));
        prop_assert_eq!(picked, plainly_matches(&pattern, &name) || is_parent, "{} {}", pattern, name);
        let upper = RepoPath::new(name.to_uppercase().into_bytes());
        prop_assert_eq!(list.picks(&upper, EntryShape::File, false), picked);
    }

    #[test]
    fn no_text_breaks_the_reading_of_patterns(pattern: String, path: Vec<u8>) {
        let mut problems = Problems::new();
        if let Some(list) = PathPatterns::read(&located(&[&pattern]).value, Base::Other, &mut problems) {
            list.picks(&RepoPath::new(path), EntryShape::Link, false);
        }
        let _ = RefPatterns::read(&located(&[&pattern]), &mut problems);
    }
}
