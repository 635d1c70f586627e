//! Repositories that are made after `install`: from a template, or under a shared folder of hooks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ground::{Answer, Ground, POLICY, contents, mode};

fn template(ground: &Ground, more: &[&str]) -> String {
    ground.write("policy.toml", POLICY);
    let words = [&["install", "--template", "template", "--policy", "policy.toml"], more].concat();
    ground.portcullis(&words).expect(0).says("init.templateDir");
    format!("--template={}", ground.path("template").display())
}

/// A clone with one commit on `main`.
fn work(ground: &Ground) -> PathBuf {
    ground.git(&["init", "-q", "-b", "main", "work"]);
    commit(ground);
    ground.path("work")
}

fn commit(ground: &Ground) {
    ground.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "change"]);
}

fn push(ground: &Ground, repo: &Path, to: &str) -> Answer {
    ground.try_git(&["-C", "work", "push", repo.to_str().unwrap(), &format!("HEAD:{to}")])
}

#[test]
fn a_repository_from_a_template_sets_itself_up_at_its_first_push() {
    let ground = Ground::new();
    let option = template(&ground, &["--enforce"]);
    work(&ground);
    let repo = ground.path("infra.git");
    let dir = repo.to_str().unwrap();
    ground.git(&["init", "-q", "--bare", "-b", "main", &option, dir]);
    assert_eq!(ground.key(&repo, "portcullis.repository"), "");
    push(&ground, &repo, "refs/heads/main").expect(0).says("accepted");
    let id = ground.key(&repo, "portcullis.repository");
    assert!(id.starts_with("infra-"), "{id}");
    assert_eq!(mode(&repo.join("portcullis")), 0o700);
    assert!(!repo.join("portcullis/new").exists());
    ground.portcullis(&["log", "verify", dir]).expect(0);
    ground.portcullis(&["doctor", dir]).expect(0);

    commit(&ground);
    push(&ground, &repo, "refs/heads/main").expect(1).says("refused by rule `merges`");
    assert_eq!(ground.key(&repo, "portcullis.repository"), id);
    ground.portcullis(&["install", dir]).expect(0).says("nothing to do");

    // The mark alone, in a repository that has lost its log, is no way to a new one.
    fs::write(repo.join("portcullis/new"), "").unwrap();
    fs::rename(repo.join("portcullis/log"), repo.join("portcullis/old")).unwrap();
    push(&ground, &repo, "refs/heads/topic").expect(1).says("could not be set up");
    assert!(!repo.join("portcullis/log").exists());
}

#[test]
fn a_repository_that_comes_with_branches_waits_for_an_operator() {
    let ground = Ground::new();
    let option = template(&ground, &[]);
    let work = work(&ground);
    let dir = ground.path("copy.git");
    let copy = dir.to_str().unwrap();
    ground.git(&["clone", "-q", "--bare", &option, work.to_str().unwrap(), copy]);
    commit(&ground);
    let answer = push(&ground, &dir, "refs/heads/topic").expect(1);
    answer.says("the gate of this new repository could not be set up");
    assert_eq!(ground.key(&dir, "portcullis.repository"), "");
    ground.portcullis(&["install", copy]).expect(0);
    assert!(!dir.join("portcullis/new").exists());
    assert_eq!(mode(&dir.join("portcullis")), 0o700);
    // Of the template without `--enforce`.
    push(&ground, &dir, "refs/heads/main").expect(0).says("at odds with rule `merges`");
    ground.portcullis(&["install", "--enforce", copy]).expect(0);
    commit(&ground);
    push(&ground, &dir, "refs/heads/main").expect(1).says("refused by rule `merges`");
}

#[test]
fn a_template_keeps_what_is_in_it_and_gives_it_back() {
    let ground = Ground::new();
    ground.write("template/description", "ours\n");
    ground.write("template/config", "[gc]\n\tauto = 0\n");
    ground.write("template/hooks/pre-receive", "#!/bin/sh\ncat >/dev/null\n");
    let before = contents(&ground.path("template"));
    template(&ground, &[]);
    template(&ground, &["--enforce"]);
    let text = fs::read_to_string(ground.path("template/config")).unwrap();
    assert!(text.contains("auto = 0") && !text.contains("level"), "{text}");
    ground.portcullis(&["uninstall", "--shared", "template"]).expect(0);
    let mut after = contents(&ground.path("template"));
    after.retain(|(path, _, _)| !path.ends_with("portcullis"));
    assert_eq!(after, before);
    let gitea = ["install", "--template", "t", "--policy", "policy.toml", "--platform", "gitea"];
    ground.portcullis(&gitea).expect(2).says("--recursive");
    ground.portcullis(&["install", "--template", "t"]).expect(2).says("--policy");
}

#[test]
fn under_a_shared_folder_of_hooks_nothing_goes_unjudged() {
    let ground = Ground::new();
    ground.write("policy.toml", POLICY);
    let (repo, other) = (ground.repository("infra.git"), ground.repository("other.git"));
    let dir = repo.to_str().unwrap();
    ground.portcullis(&["install", "--global", "shared"]).expect(0).says("core.hooksPath");
    let shared = ground.path("shared");
    ground.git(&["config", "--global", "core.hooksPath", shared.to_str().unwrap()]);
    work(&ground);
    push(&ground, &other, "refs/heads/topic").expect(1).says("could not be judged");

    ground.portcullis(&["install", "--policy", "policy.toml", dir]).expect(0);
    assert!(!repo.join("hooks/pre-receive").exists());
    push(&ground, &repo, "refs/heads/topic").expect(0);
    push(&ground, &repo, "+HEAD:refs/heads/main".trim_start_matches("+HEAD:")).expect(1);
    let before = contents(&shared);
    ground.portcullis(&["uninstall", dir]).expect(0).says("were left there");
    assert_eq!(contents(&shared), before);
    push(&ground, &repo, "refs/heads/topic2").expect(1).says("could not be judged");
    ground.portcullis(&["uninstall", "--shared", "shared"]).expect(0);
    assert!(contents(&shared).is_empty());
}
