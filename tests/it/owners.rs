//! What people are told who own something, before they push and while they approve, and what
//! `lint --against` finds in a file of owners.

use std::fs;
use std::process::Output;

use portcullis::cli::idle;
use portcullis::names::moment::Moment;
use portcullis::policy::{PolicyFile, compile};
use serde_json::Value;

use crate::support::ground::run;
use crate::support::person::Person;
use crate::support::policy;
use crate::support::site::Site;

const RULE: &str = "\n[rule.owners]\nkind = \"code-owners\"\nrefs = [\"@default\"]\n\
     dialect = \"github\"\nfrom = [\"carol\"]\n\
     \n[rule.plans]\nkind = \"approval\"\nrefs = [\"refs/tags/plan-*\"]\npaths = [\"plans/**\"]\n\
     from = [\"@platform\"]\n\
     \n[rule.charts]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"charts/**\", \"infra/**\", \"!**/x\"]\n\
     from = [\"@platform\"]\nlevel = \"warn\"\n\
     \n[rule.releases]\nkind = \"landed\"\nrefs = [\"refs/tags/v*\"]\nin = [\"trunk\"]\n";

const OWNERS: &str = "* @erin\n/gone/ @bob\n/app/ @ghost @bob\n/app/x @bob\n!y @bob\n/infra/ @ghost\n\
     /docs/\n/infra/prod/ @bob @carol\n";

fn told(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(text).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn owners_are_told_what_waits_for_them_and_lint_finds_lines_that_are_dead() {
    let site = Site::new(format!("{}{RULE}", policy::people()));
    let alice = site.person("alice");
    let against = |words: &[&str]| {
        let mut lint = vec!["lint", site.policy_file().to_str().unwrap(), "--against"];
        lint.push(site.path().to_str().unwrap());
        lint.extend(words);
        site.portcullis(&lint)
    };
    let output = against(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("error: there is no file of owners on refs/heads/main"));

    let tip = alice.topic("own", &[("CODEOWNERS", OWNERS)]);
    let carol = site.person("carol");
    site.approve(&carol, &tip).accepted();
    alice.land(&tip).accepted();
    let output = against(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    for part in [
        "error: CODEOWNERS:5: `!` takes nothing away in a file of GitHub's",
        "error: CODEOWNERS:6 names nobody who can approve: @ghost is nobody in the policy",
        "warning: CODEOWNERS:3: @ghost is nobody in the policy",
        "warning: CODEOWNERS:2: `/gone/` matches nothing on refs/heads/main",
        "warning: CODEOWNERS:3: `/app/` decides nothing",
        "warning: CODEOWNERS:7: `/docs/` matches nothing on refs/heads/main",
        "lines have no more owners than have to approve, such as CODEOWNERS:1",
        "warning: no ref of the repository is named by refs/tags/plan-*",
        "error: no ref is there that must have had it: trunk",
        "warning: `charts/**` matches nothing on refs/heads/main",
    ] {
        assert!(told(&output).contains(part), "{part}\n{}", told(&output));
    }
    assert!(!told(&output).contains("`infra/**`"), "{}", told(&output));
    let json: Value = serde_json::from_slice(&against(&["--json"]).stdout).unwrap();
    assert_eq!(json["usable"], true);
    let rows = json["against"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["severity"] == "error" && row["line"].is_u64()), "{json}");

    // Which rules was no push about, from the last one on? A younger log does not say.
    let file = PolicyFile {
        label: "policy.toml".to_owned(),
        bytes: fs::read(site.policy_file()).unwrap(),
    };
    let compiled = compile(&[file]).unwrap();
    let landed = site.log().last("decision")["ts"].as_str().unwrap().to_owned();
    let landed = Moment::parse_millis(&landed).unwrap();
    let idle = |days: i64| -> Vec<u32> {
        let now = landed.plus_seconds(days * 86_400);
        let problems = idle::look(&compiled, site.path(), now).unwrap();
        problems.iter().map(|problem| problem.place().unwrap().line).collect()
    };
    let lines = |names: &[&str]| -> Vec<u32> {
        let all = compiled.rules.iter().filter(|rule| names.contains(&rule.name.as_str()));
        all.map(|rule| rule.place.line).collect()
    };
    assert!(idle(364).is_empty());
    assert_eq!(idle(365), lines(&["plans", "charts", "releases"]));
    assert_eq!(idle(366), lines(&["owners", "plans", "charts", "releases"]));

    // What waits for whom, before anything is pushed to main.
    let open = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let (bob, dave) = (site.person("bob"), site.person("dave"));
    let review = |person: &Person, code: i32| {
        let output = run(&mut person.fetch().portcullis(&["review", &open, "--for", "main"]));
        assert_eq!(output.status.code(), Some(code), "{}", told(&output));
        told(&output)
    };
    let said = review(&bob, 1);
    assert!(
        said.contains("infra/prod/network.tf changed, 0 of 1 approval by its owners"),
        "{said}"
    );
    assert!(said.contains("owned by @bob, @carol, CODEOWNERS:8"), "{said}");
    assert!(said.contains("1 approval is missing, you can give one, and so can carol"), "{said}");
    let words = ["approve", open.as_str(), "--for", "main", "--yes"];
    let output = run(&mut dave.fetch().portcullis(&words));
    assert!(told(&output).contains("counts the word of dave"), "{}", told(&output));
    let output = run(&mut bob.fetch().portcullis(&words));
    assert!(output.status.success(), "{}", told(&output));
    review(&alice, 0);
    alice.land(&open).accepted();
    site.log_and_refs_agree();

    // A policy that is wrong is held against nothing.
    fs::write(site.policy_file(), "version = 2\n").unwrap();
    let output = against(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json.get("against").is_none(), "{json}");
}
