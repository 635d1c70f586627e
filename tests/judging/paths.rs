//! What rules about paths say of a path alone, and of the paths of a tree.

use portcullis::names::path::RepoPath;
use portcullis::policy::Policy;
use portcullis::rules::remark::Seen;

use crate::made::{branch, policy};

const RULES: &str = "[rule.restricted]\nkind = \"restrict-paths\"\nrefs = [\"main\"]\n\
    paths = [\"prod/**\", \"gone/**\", \"!prod/docs/**\"]\ninfra = [\"terraform\"]\nby = []\n\
    [rule.files]\nkind = \"files\"\nrefs = [\"main\"]\npaths = [\"app/**\", \"old/**\"]\nmax-path = 9\n\
    [rule.all-but-tests]\nkind = \"files\"\nrefs = [\"main\"]\npaths = [\"!tests/**\"]\nmax-path = 99\n\
    [rule.every-file]\nkind = \"files\"\nrefs = [\"main\"]\nmax-path = 99\n\
    [rule.secrets]\nkind = \"secrets\"\nrefs = [\"main\"]\nallow = [\"app/keys/**\", \"old/keys/**\"]\n\
    [rule.command]\nkind = \"run\"\nrefs = [\"main\"]\ncommand = [\"true\"]\npaths = [\"prod/**\", \"lost/**\"]\n\
    [rule.owned]\nkind = \"code-owners\"\nrefs = [\"main\"]\ndialect = \"github\"\n\
    [rule.half-owned]\nkind = \"code-owners\"\nrefs = [\"main\"]\ndialect = \"github\"\nunowned = \"accept\"\n\
    [rule.named]\nkind = \"names\"\nrefs = [\"main\"]\nmax-length = 99\n";

fn about(policy: &Policy, rule: &str, path: &str) -> Option<bool> {
    let rule = policy.rules.iter().find(|one| one.name == rule).unwrap();
    rule.body.about(&RepoPath::new(path))
}

#[test]
fn a_rule_says_whether_it_is_about_a_path() {
    let policy = policy(RULES);
    for (rule, path, expected) in [
        ("restricted", "prod/x", Some(true)),
        ("restricted", "PROD/x", Some(true)),
        ("restricted", "a/main.tf", Some(true)),
        ("restricted", "prod/docs/x", Some(false)),
        ("restricted", "app/x", Some(false)),
        ("files", "app/x", Some(true)),
        ("files", "prod/x", Some(false)),
        ("every-file", "prod/x", Some(true)),
        ("all-but-tests", "prod/x", Some(true)),
        ("all-but-tests", "tests/x", Some(false)),
        ("secrets", "app/x", Some(true)),
        ("secrets", "app/keys/x", Some(false)),
        // What looks like an allowed name is looked into.
        ("secrets", "App/keys/x", Some(true)),
        ("command", "prod/x", Some(true)),
        ("command", "app/x", Some(false)),
        ("owned", "app/x", Some(true)),
        ("half-owned", "app/x", None),
        ("named", "app/x", None),
    ] {
        assert_eq!(about(&policy, rule, path), expected, "{rule} {path}");
    }
}

#[test]
fn patterns_that_match_nothing_in_a_tree_are_named() {
    let policy = policy(RULES);
    let paths = ["app/x", "app/keys/a", "prod/y", "prod/docs/z"].map(RepoPath::new);
    let seen = Seen { refname: &branch("main"), paths: &paths, owners: None };
    let said = |rule: &str| -> Vec<String> {
        let rule = policy.rules.iter().find(|one| one.name == rule).unwrap();
        let remarks = rule.body.against(&seen);
        assert!(remarks.iter().all(|remark| !remark.serious));
        remarks.into_iter().map(|remark| remark.what).collect()
    };
    let dead = |pattern: &str| vec![format!("`{pattern}` matches nothing on refs/heads/main")];
    assert_eq!(said("restricted"), dead("gone/**"));
    assert_eq!(said("files"), dead("old/**"));
    assert_eq!(said("secrets"), dead("old/keys/**"));
    assert_eq!(said("command"), dead("lost/**"));
    assert!(said("every-file").is_empty() && said("named").is_empty());
}
