//! Each policy of `config/examples`, with real pushes that it takes and refuses: the stories of
//! `tests/cases/examples`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::support::acts::act_out;
use crate::support::ground::Ground;
use crate::support::person::{WHO, test_key};
use crate::support::policy::laid_over;
use crate::support::standin::with_stand_ins;
use crate::support::story::read;

/// Examples that have a test elsewhere, with the file that holds it.
const ELSEWHERE: &[(&str, &str)] = &[
    ("checks-by-command", "tests/it/runs.rs"),
    ("flux-image-automation", "tests/it/exceptions.rs"),
    ("team", "tests/cases/examples/README.md"),
];

/// A file of the sources.
fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The example as these tests can push through it: with their people's keys and addresses, a log
/// in the repository, and the variable that names the pusher in place of what the example says.
fn as_the_tests_have_it(example: &str) -> String {
    let mut lines = Vec::new();
    let mut table = String::new();
    for line in example.lines() {
        if line.starts_with('[') {
            if table.is_empty() && line != "[identity]" {
                lines.push(format!("[identity]\nlocal = \"{WHO}\"\n"));
            }
            line.clone_into(&mut table);
        }
        let person = table.strip_prefix("[people.").map(|rest| rest.trim_end_matches(']'));
        match (table.as_str(), person) {
            ("[identity]", _) if line == "[identity]" => {
                lines.push(format!("{line}\nlocal = \"{WHO}\""));
            }
            ("[identity]", _) if !line.starts_with("unlisted") => lines.push(String::new()),
            ("[log]", _) if line.starts_with("dir") => {}
            (_, Some(name)) if line.starts_with("keys") => {
                let key = if test_key(name).exists() { name } else { "mallory" };
                lines.push(format!("keys = [\"{{{key}}}\"]"));
            }
            _ => lines.push(line.replace("@example.com", "@example.org")),
        }
    }
    lines.join("\n")
}

/// Acts out the cases of one example.
fn pushed_through(name: &str) {
    let ground = Ground::new();
    let policy = as_the_tests_have_it(&source(&format!("config/examples/{name}.toml")));
    let mut policy = with_stand_ins(&ground, &policy);
    if name == "site" {
        let team = as_the_tests_have_it(&source("config/examples/team.toml"));
        let tables = team.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', 'v']));
        let tables: Vec<String> = tables.map(str::to_owned).collect();
        policy = laid_over(&policy, &tables).unwrap();
    }
    let file = format!("tests/cases/examples/{name}.txt");
    let story = read(&source(&file)).unwrap_or_else(|problem| panic!("{file}:{problem}"));
    let mut otherwise = Vec::new();
    for case in &story.cases {
        let line = Cell::new(case.line);
        let ran = catch_unwind(AssertUnwindSafe(|| act_out(case, &policy, "sha256", &line)));
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => otherwise.push(format!("{file}:{problem}")),
            Err(_) => otherwise.push(format!("{file}:{}: see above", line.get())),
        }
    }
    assert!(otherwise.is_empty(), "\n{}", otherwise.join("\n\n"));
}

macro_rules! examples {
    ($($name:ident = $file:literal),* $(,)?) => {
        /// The examples that have stories.
        const TOLD: &[&str] = &[$($file),*];

        $(#[test]
        fn $name() {
            pushed_through($file);
        })*
    };
}

examples! {
    ansible = "ansible",
    chef = "chef",
    cloudformation = "cloudformation",
    from_gitlab = "from-gitlab",
    from_gitolite = "from-gitolite",
    gitops_environments = "gitops-environments",
    kubernetes_argocd = "kubernetes-argocd",
    open_source = "open-source",
    puppet = "puppet",
    regulated = "regulated",
    serverless = "serverless",
    site_and_team = "site",
    small_team = "small-team",
    terraform_and_kubernetes = "terraform-and-kubernetes",
    terraform_monorepo = "terraform-monorepo",
    try_before_it_bites = "try-before-it-bites",
}

#[test]
fn no_example_is_without_pushes_and_each_has_a_line_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples");
    let there: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    for (name, file) in ELSEWHERE {
        assert!(source(file).contains(&format!("{name}.toml")), "{file} has no {name}.toml");
    }
    let elsewhere = ELSEWHERE.iter().map(|(name, _)| *name);
    let pushed: BTreeSet<String> =
        TOLD.iter().copied().chain(elsewhere).map(str::to_owned).collect();
    assert_eq!(there, pushed);
    let list = source("config/examples/README.md");
    for name in there {
        assert!(list.contains(&format!("({name}.toml)")), "no line for {name}.toml");
    }
}
