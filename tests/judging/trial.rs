//! Unit tests of policies (`portcullis lint --cases`): what their language takes and refuses, and
//! the cases that lie beside the starter policy.
#![expect(clippy::disallowed_methods, reason = "the policy and its cases are files")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use portcullis::policy::{Policy, PolicyFile, compile};
use portcullis::source::problem::Problems;
use portcullis::source::text::SourceText;
use portcullis::trial::outcome::Outcome;
use portcullis::trial::tried;

use crate::made::policy_with_emails;

fn text(cases: &str) -> Arc<SourceText> {
    SourceText::read(0, "cases.txt", cases.as_bytes(), 1 << 20).unwrap()
}

fn outcomes(policy: &Policy, cases: &str) -> Vec<Outcome> {
    tried(policy, &text(cases)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What is otherwise than these pushes, each with its expectation, have it.
fn otherwise(rules: &str, pushes: &str) -> Vec<String> {
    let policy = policy_with_emails(rules);
    let found = outcomes(&policy, &format!("== a case\n{pushes}"));
    found.into_iter().flat_map(|outcome| outcome.otherwise).collect()
}

#[track_caller]
fn holds(rules: &str, pushes: &str) {
    let otherwise = otherwise(rules, pushes);
    assert!(otherwise.is_empty(), "{otherwise:#?}");
}

const MERGE: &str = "[rule.merges]\nkind = \"merge\"\nrefs = [\"main\"]\n";

#[test]
fn the_cases_beside_the_starter_policy_hold() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let bytes = fs::read(config.join("policy.toml")).unwrap();
    let file = PolicyFile { label: "policy.toml".to_owned(), bytes };
    let policy = compile(&[file]).unwrap_or_else(|problems| panic!("{problems}"));
    let cases = fs::read_to_string(config.join("policy.cases.txt")).unwrap();
    let outcomes = outcomes(&policy, &cases);
    assert!(outcomes.len() > 25);
    for outcome in outcomes {
        let (line, case) = (outcome.spot.position().line, &outcome.case);
        assert!(outcome.holds(), "{line}: {case}: {:#?}\n{}", outcome.otherwise, outcome.message);
    }
}

#[test]
fn the_page_says_what_a_case_may_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy-cases.md");
    let page = fs::read_to_string(page).unwrap();
    for word in portcullis::trial::LINES.iter().chain(portcullis::trial::VERBS.iter()) {
        assert!(page.contains(&format!("`{word}")), "docs/policy-cases.md lacks `{word}`");
    }
    // Its own example is a case that holds.
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (rules, rest) = rest.split_once("```").unwrap();
    let (_, rest) = rest.split_once("```text\n").unwrap();
    let (cases, _) = rest.split_once("```").unwrap();
    let policy = policy_with_emails(rules);
    let outcomes = outcomes(&policy, cases);
    assert!(outcomes.len() > 2 && outcomes.iter().all(Outcome::holds), "{outcomes:#?}");
}

#[test]
fn what_comes_otherwise_is_told_with_both() {
    let policy = policy_with_emails(MERGE);
    let cases = "== direct\n# a remark\neve commits to main\n  modifies a\n=> accepted\n";
    let found = outcomes(&policy, cases);
    let [outcome] = &found[..] else { panic!("{found:?}") };
    assert!(!outcome.holds());
    assert_eq!(outcome.spot.position().line, 5);
    assert_eq!((outcome.case.as_str(), outcome.expected.as_str()), ("direct", "accepted"));
    assert_eq!(outcome.got, "refused by merges");
    assert_eq!(outcome.otherwise, ["expected accepted, got refused by merges"]);
    assert!(outcome.message.starts_with("error: refs/heads/main refused by rule `merges`"));
}

#[test]
fn every_expectation_can_fail() {
    let warn = format!("{MERGE}level = \"warn\"\n");
    for (rules, pushes, what) in [
        (MERGE, "eve merges into main\n  modifies a\n=> refused by merges\n", "got accepted"),
        (
            MERGE,
            "eve commits to main\n  modifies a\n=> refused by other\n",
            "got refused by merges",
        ),
        (MERGE, "eve commits to main\n  modifies a\n=> refused by merges and x\n", "expected"),
        (
            MERGE,
            "eve commits to main\n  modifies a\n=> refused by merges, says \"it may\"\n",
            "is not",
        ),
        (
            MERGE,
            "eve commits to main\n  modifies a\n=> refused by merges, silent about \"main\"\n",
            "and is",
        ),
        (
            &warn,
            "eve commits to main\n  modifies a\n=> accepted, warned by nothing\n",
            "warned by merges",
        ),
        (
            &warn,
            "eve merges into main\n  modifies a\n=> accepted, warned by merges\n",
            "got accepted",
        ),
    ] {
        let told = otherwise(rules, pushes);
        assert!(told.iter().any(|line| line.contains(what)), "{pushes}{told:?}");
    }
    holds(&warn, "eve commits to main\n  modifies a\n=> accepted, warned by merges\n");
    holds(&warn, "eve commits to main\n  modifies a\n=> accepted\n");
}

#[test]
fn a_line_that_nobody_understands_is_a_problem_with_its_place() {
    let policy = policy_with_emails(MERGE);
    let told = |cases: &str| -> Problems { tried(&policy, &text(cases)).map(drop).unwrap_err() };
    for (cases, line, what) in [
        ("words\n", 1, "there is no case"),
        ("== a\n", 1, "nothing is pushed in this case"),
        ("== a\neve merges into main\n", 2, "what comes of this push?"),
        ("== a\neve merges into main\n== b\n=> accepted\n", 2, "what comes of this push?"),
        ("== a\n=> accepted\n", 2, "no push stands above this"),
        ("== a\n  modifies x\n", 2, "what does this line belong to?"),
        ("== a\neve flies to main\n=> accepted\n", 2, "nobody knows how to do `flies`"),
        ("== a\neve merges main\n=> accepted\n", 2, "here stands `into`"),
        ("== a\neve merges into a..b\n=> accepted\n", 2, "that is no name for a ref"),
        ("== a\neve merges into main today\n=> accepted\n", 2, "nobody understands `today`"),
        ("== a\neve merges into main\n  paints x\n=> accepted\n", 3, "nobody understands `paints`"),
        (
            "== a\neve merges into main\n  adds x = \"y\n=> accepted\n",
            3,
            "a quote that does not end",
        ),
        ("== a\neve merges into main\n  adds x = \"\\y\"\n=> accepted\n", 3, "behind `\\` stands"),
        ("== a\neve merges into main\n  adds x of 5\n=> accepted\n", 3, "a size is written 5MiB"),
        ("== a\neve merges into main\n  adds x, x\n=> accepted\n", 3, "this path is told of twice"),
        ("== a\neve merges into main\n  at noon\n=> accepted\n", 3, "a moment is written"),
        (
            "== a\neve merges into main\n  approved by ada yesterday\n=> accepted\n",
            3,
            "how long ago",
        ),
        ("== a\neve merges into main\n=> acepted\n", 3, "not `acepted`"),
        ("== a\neve merges into main\n=> refused\n", 3, "here stands `by`"),
        ("== a\neve merges into main\n=> accepted, says x\n", 3, "in quotes"),
        ("== a\nevi merges into main\n=> accepted\n", 2, "the policy knows no `evi`"),
        ("== a\nstranger eve merges into main\n=> accepted\n", 2, "`eve` is no stranger"),
        (
            "== a\neve merges into main\n  made by evi\n=> accepted\n",
            2,
            "the policy knows no `evi`",
        ),
        ("== a\neve merges into main\n  approved by plan-bot\n=> accepted\n", 2, "never approve"),
        ("== a\neve merges into main\n  passed x by eve\n=> accepted\n", 2, "never give a check"),
        (
            "== a\neve merges into main\n  run merges passes\n=> accepted\n",
            2,
            "no rule of kind `run`",
        ),
        ("== a\neve commits to main\n  edited\n=> accepted\n", 2, "only a merge"),
        ("== a\neve deletes main\n  adds x\n=> accepted\n", 2, "a deletion brings no files"),
        ("== a\neve creates main\n  annotated\n=> accepted\n", 2, "only a tag"),
        ("== a\neve merges into refs/tags/v1\n=> accepted\n", 2, "a tag is created"),
    ] {
        let problems = told(cases);
        let first = problems.sorted()[0].clone();
        assert!(first.what.contains(what), "{cases}{}", first.what);
        assert_eq!(first.place().unwrap().line, line, "{cases}");
    }
}

#[test]
fn methods_of_merge_rules() {
    let all = "[rule.merges]\nkind = \"merge\"\nrefs = [\"main\"]\nmethods = [\"squash\", \"fast-forward\"]\n";
    holds(
        all,
        "eve squashes into main\n  modifies a\n=> accepted\n\
         eve squashes into main\n  unseen\n  modifies a\n=> refused by merges\n\
         eve fast-forwards main\n  modifies a\n=> accepted\n\
         eve fast-forwards main\n  unseen\n  modifies a\n=> refused by merges\n\
         eve rebases onto main\n  commits 3\n  modifies a\n=> refused by merges\n\
         eve commits to main\n  modifies a\n=> refused by merges\n\
         eve merges into main\n  modifies a\n=> refused by merges\n",
    );
    let resolved = format!("{MERGE}resolved-by = [\"ada\"]\n");
    holds(
        &resolved,
        "eve merges into main\n  edited\n  modifies a\n=> refused by merges\n\
         eve merges into main\n  edited\n  modifies a\n  approved by ada\n=> accepted\n\
         eve merges into main\n  edited\n  modifies a\n  approved by ben\n=> refused by merges\n",
    );
}

#[test]
fn approvals_have_an_age_and_makers_do_not_count() {
    let rule = "[rule.two]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
        approvals = 2\nfrom = [\"ada\", \"ben\", \"cora\"]\nmax-age = \"3d\"\n";
    holds(
        rule,
        "eve merges into main\n  modifies infra/x\n  approved by ada, ben 2d ago\n=> accepted\n\
         eve merges into main\n  modifies infra/x\n  approved by ada, ben 4d ago\n=> refused by two\n\
         eve merges into main\n  made by ada\n  modifies infra/x\n  approved by ada, ben\n=> refused by two\n\
         eve merges into main\n  made by nobody\n  modifies infra/x\n  approved by ada, ben\n=> refused by two\n\
         eve merges into main\n  made by nobody\n  modifies infra/x\n  approved by ada, ben, cora\n=> accepted\n\
         eve merges into main\n  modifies infra/x\n  approved by dov, ben\n=> refused by two\n\
         eve merges into main\n  modifies app/x\n=> accepted\n\
         eve deletes main\n=> refused by protected\n",
    );
}

#[test]
fn rules_about_files_see_what_is_told_of_them() {
    let rules = "[rule.mine]\nkind = \"restrict-paths\"\nrefs = [\"main\"]\npaths = [\"prod/**\"]\nby = [\"ada\"]\n\
        [rule.files]\nkind = \"files\"\nrefs = [\"main\"]\nmax-size = \"1MiB\"\nforbid = [\"outside-symlink\"]\n\
        [rule.secrets]\nkind = \"secrets\"\nrefs = [\"main\"]\n";
    holds(
        rules,
        "eve commits to main\n  modifies prod/x\n=> refused by mine\n\
         ada commits to main\n  makes prod/x executable\n  deletes prod/y\n=> accepted\n\
         eve commits to main\n  adds big of 2MiB\n=> refused by files\n\
         eve commits to main\n  adds big of 1MiB, small = \"words\\n\"\n=> accepted\n\
         eve commits to main\n  links here to /etc/passwd\n=> refused by files\n\
         eve commits to main\n  links here to there\n=> accepted\n\
         eve commits to main\n  adds id_ed25519 = \"-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\\n-----END OPENSSH PRIVATE KEY-----\\n\"\n=> refused by secrets\n",
    );
}

#[test]
fn a_rule_about_some_files_is_about_no_others() {
    let rule = "[rule.pictures]\nkind = \"files\"\nrefs = [\"main\"]\npaths = [\"**/*.png\", \"!docs/**\"]\n\
        forbid = [\"not-lfs-pointer\"]\n";
    holds(
        rule,
        "eve commits to main\n  adds a.png = \"x\"\n=> refused by pictures\n\
         eve commits to main\n  adds a.txt = \"x\"\n=> accepted\n\
         eve commits to main\n  adds docs/a.png = \"x\"\n=> accepted\n",
    );
}

#[test]
fn rules_about_commits_see_what_is_told_of_them() {
    let rules = "[rule.words]\nkind = \"message\"\nrefs = [\"main\"]\nmatch = \"OPS-[0-9]+\"\nmerges = \"pass\"\n\
        [rule.own]\nkind = \"author\"\nrefs = [\"main\"]\nauthor = \"pusher\"\n\
        [rule.few]\nkind = \"size\"\nrefs = [\"main\"]\ncommits-max = 3\nrefs-max = 2\n\
        [rule.signed]\nkind = \"signature\"\nrefs = [\"main\"]\n\
        [rule.certified]\nkind = \"signed-push\"\nrefs = [\"main\"]\n";
    let push = |more: &str, outcome: &str| {
        format!("eve commits to main\n  modifies a\n  signed push\n{more}=> {outcome}\n")
    };
    let message = "  message \"OPS-1 a port\\n\"\n  signed by eve\n";
    holds(
        rules,
        &[
            push(message, "accepted"),
            push("  message \"a port\"\n  signed by eve\n", "refused by words"),
            push(&format!("{message}  author \"Ben <ben@example.org>\"\n"), "refused by own"),
            push(&format!("{message}  commits 4\n"), "refused by few"),
            push(&format!("{message}  beside 2 others\n"), "refused by few"),
            push("  message \"OPS-1\"\n", "refused by signed"),
            format!("eve commits to main\n  modifies a\n{message}=> refused by certified\n"),
        ]
        .concat(),
    );
}

#[test]
fn commands_and_owners_are_told_of_or_missed() {
    let rules = "[rule.plan]\nkind = \"run\"\nrefs = [\"main\"]\ncommand = [\"/bin/true\"]\npaths = [\"infra/**\"]\n\
        [rule.owned]\nkind = \"code-owners\"\nrefs = [\"side\"]\ndialect = \"github\"\n";
    holds(
        rules,
        "eve commits to main\n  modifies infra/x\n  run plan passes\n=> accepted\n\
         eve commits to main\n  modifies infra/x\n  run plan fails\n=> refused by plan\n\
         eve commits to main\n  modifies app/x\n=> accepted\n\
         eve commits to side\n  modifies app/x\n  owners \"* @ada\\n\"\n=> refused by owned\n\
         eve commits to side\n  modifies app/x\n  owners \"* @ada\\n\"\n  approved by ada\n=> accepted\n",
    );
    let told = otherwise(rules, "eve commits to main\n  modifies infra/x\n=> accepted\n");
    assert!(
        told.iter().any(|line| line.contains("`run plan passes` or `run plan fails`")),
        "{told:?}"
    );
}
