//! Patterns of refs beside those of `git for-each-ref`, which are those of fnmatch(3) with
//! `FNM_PATHNAME` (git-for-each-ref, "<pattern>"): the two mean the same wherever both read them.

use std::collections::BTreeSet;
use std::fs;

use git2::ObjectType;
use portcullis::names::refname::Refname;
use portcullis::pattern::refs::RefPatterns;
use portcullis::source::problem::Problems;
use portcullis::source::text::{Located, SourceText};
use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};

use crate::{Repository, cases, git};

/// What the names of branches are made of.
const COMPONENTS: [&str; 8] = ["a", "b", "ab", "ba", "a.b", "-", "]", "\u{e9}"];

fn pattern() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        6 => prop::collection::vec(prop::sample::select(vec![
            "a", "b", ".", "-", "*", "?", "[ab]", "[!a]", "[a-c]", "[]a]", "[!]]", "[a-]", "\u{e9}",
        ]), 1..4).prop_map(|parts| parts.concat()),
        2 => Just("**".to_owned()),
    ];
    let several = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    several.prop_filter("`**` twice is `**`", |pattern| !pattern.contains("**/**"))
}

/// Names of up to three components, in the order that Git keeps them in.
fn names() -> BTreeSet<String> {
    let one = COMPONENTS.iter().map(|name| format!("refs/heads/{name}"));
    let longer = |names: &BTreeSet<String>| -> BTreeSet<String> {
        let joined = |name: &String| COMPONENTS.map(|last| format!("{name}/{last}"));
        names.iter().flat_map(joined).collect()
    };
    let one: BTreeSet<String> = one.collect();
    let two = longer(&one);
    let three = longer(&two);
    one.into_iter().chain(two).chain(three).collect()
}

fn ours(pattern: &str, names: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let text = SourceText::read(0, "pattern", pattern.as_bytes(), 1024).ok()?;
    let written = Located { value: pattern.to_owned(), spot: text.whole() };
    let list = Located { value: vec![written], spot: text.whole() };
    let list = RefPatterns::read(&list, &mut Problems::new())?;
    let about = |name: &&String| list.matches(&Refname::parse(name.as_bytes()).unwrap(), None);
    Some(names.iter().filter(about).cloned().collect())
}

proptest! {
    #![proptest_config(cases(2))]
    #[test]
    fn patterns_of_refs_mean_what_they_mean_to_fnmatch(
        patterns in prop::collection::vec(pattern(), 150),
    ) {
        let repository = Repository::new();
        let tree = repository.write(ObjectType::Tree, b"");
        let who = "a <a@example.org> 1 +0000";
        let raw = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n");
        let commit = repository.write(ObjectType::Commit, raw.as_bytes());
        // As loose files `a` and `a/b` could not be there together.
        let names = names();
        let lines: String = names.iter().map(|name| format!("{commit} {name}\n")).collect();
        let head = "# pack-refs with: peeled fully-peeled sorted \n";
        fs::write(repository.dir.join("packed-refs"), format!("{head}{lines}")).unwrap();
        let (mut read, mut found) = (0, 0);
        for pattern in &patterns {
            let Some(ours) = ours(pattern, &names) else { continue };
            let asked = format!("refs/heads/{pattern}");
            let said = git(&repository.dir, &["for-each-ref", "--format=%(refname)", &asked], b"");
            let mut theirs: BTreeSet<String> =
                String::from_utf8(said).unwrap().lines().map(str::to_owned).collect();
            // To Git a name without wildcards is all below it as well, and `dir/**` not `dir` itself.
            if !pattern.contains(['*', '?', '[']) {
                theirs.retain(|name| *name == asked);
            }
            if let Some(folder) = asked.strip_suffix("/**") {
                let said = git(&repository.dir, &["for-each-ref", "--format=%(refname)", folder], b"");
                let said = String::from_utf8(said).unwrap();
                let depth = folder.matches('/').count();
                let is_it = |name: &&str| folder.contains("**") || name.matches('/').count() == depth;
                theirs.extend(said.lines().filter(is_it).map(str::to_owned));
            }
            assert_eq!(ours, theirs, "we and Git, {pattern}");
            (read, found) = (read + 1, found + ours.len());
        }
        assert!(read > 50 && found > 500, "{read} patterns, {found} names");
    }
}
