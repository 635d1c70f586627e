//! The hook files: with their program gone, no push goes through, wherever the repository is.
//!
//! The kernel calls the program as their interpreter, and Git says what it could not run; where its
//! path has a blank, a shell reads them, and tells in our words.

use std::fs;
use std::path::PathBuf;

use crate::ground::{Answer, Ground, chmod};

/// A repository at this place, guarded by a copy of the program at that one.
fn guarded(ground: &Ground, repo: &str, program: &str) -> (PathBuf, PathBuf) {
    let program = ground.copy_program(program);
    let repo = ground.repository(repo);
    let people = ground.write("people", "");
    drop(people);
    let answer = ground.run_copy(&program, &["install", repo.to_str().unwrap()]);
    answer.expect(0);
    (repo, program)
}

fn push(ground: &Ground, repo: &std::path::Path) -> Answer {
    let url = repo.to_str().unwrap();
    if !ground.path("work").exists() {
        ground.git(&["clone", "-q", url, "work"]);
    }
    ground.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "change"]);
    ground.try_git(&["-C", "work", "push", url, "HEAD:refs/heads/topic"])
}

#[test]
fn a_push_is_refused_when_the_program_is_gone() {
    let ground = Ground::new();
    let (repo, program) = guarded(&ground, "infra.git", "a bin/portcullis");
    fs::remove_file(program).unwrap();
    let answer = push(&ground, &repo).expect(1);
    let answer = answer.says("error: this push could not be judged, so it is refused");
    let answer = answer.says("hint: pushing again will not help").says("operators of this server");
    assert!(!answer.err.contains(ground.path("a bin").to_str().unwrap()), "a server path is shown");
    let is_there = ["-C", repo.to_str().unwrap(), "rev-parse", "-q", "--verify", "topic"];
    ground.try_git(&is_there).expect(1);
}

#[test]
fn a_push_is_refused_when_the_program_may_not_be_run_or_is_a_folder() {
    for place in ["bin/portcullis", "a bin/portcullis"] {
        let ground = Ground::new();
        let (repo, program) = guarded(&ground, "infra.git", place);
        // A file of its own: the other name of a hard link must stay as it is.
        fs::remove_file(&program).unwrap();
        fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
        chmod(&program, 0o644);
        push(&ground, &repo).expect(1).says("hook declined");
        fs::remove_file(&program).unwrap();
        fs::create_dir(&program).unwrap();
        push(&ground, &repo).expect(1).says("hook declined");
        fs::remove_dir(&program).unwrap();
        // Not a program that this machine can run.
        fs::write(&program, [0x7f, b'E', b'L', b'F', 0, 0, 0, 0]).unwrap();
        chmod(&program, 0o755);
        push(&ground, &repo).expect(1).says("hook declined");
    }
}

#[test]
fn each_hook_refuses_by_itself() {
    let ground = Ground::new();
    for (hook, place, says) in [
        ("pre-receive", "bin/portcullis", "pre-receive hook declined"),
        ("update", "bin/portcullis", "hook declined"),
        ("pre-receive", "a bin/portcullis", "could not be judged"),
        ("update", "a bin/portcullis", "could not be judged"),
    ] {
        let name = format!("{hook} {place}.git").replace('/', "-");
        let (repo, program) = guarded(&ground, &name, place);
        fs::remove_file(&program).unwrap();
        for other in ["pre-receive", "update", "post-receive"] {
            if other != hook {
                fs::remove_file(repo.join("hooks").join(other)).unwrap();
            }
        }
        push(&ground, &repo).expect(1).says(says);
    }
}

#[test]
fn after_the_fact_the_pusher_hears_that_the_log_was_not_told() {
    for (place, says) in [
        ("bin/portcullis", "hooks/post-receive"),
        ("a bin/portcullis", "applied, but the log was not told"),
    ] {
        let ground = Ground::new();
        let (repo, program) = guarded(&ground, "infra.git", place);
        fs::remove_file(program).unwrap();
        fs::remove_file(repo.join("hooks/pre-receive")).unwrap();
        fs::remove_file(repo.join("hooks/update")).unwrap();
        push(&ground, &repo).expect(0).says(says);
    }
}

#[test]
fn paths_may_hold_blanks_quotes_colons_and_other_letters() {
    let ground = Ground::new();
    for (number, name) in
        ["with blank", "it's \"quoted\"", "a:b", "größe-日本", "$HOME`id`", "line\nfeed"]
            .into_iter()
            .enumerate()
    {
        let program = format!("bin {number}/{name}/portcullis");
        let (repo, program) = guarded(&ground, &format!("{name}.git"), &program);
        let shim = fs::read(repo.join("hooks/pre-receive")).unwrap();
        ground.portcullis(&["doctor", repo.to_str().unwrap()]).expect(0);
        assert!(shim.windows(11).any(|window| window == b"/portcullis"), "{name:?}");
        // The copy answers by itself that it was reached.
        fs::remove_file(&program).unwrap();
        fs::write(&program, "#!/bin/sh\necho \"reached as $4\" >&2\nexit 1\n").unwrap();
        chmod(&program, 0o755);
        ground.git(&["clone", "-q", repo.to_str().unwrap(), &format!("work-{number}")]);
        let work = format!("work-{number}");
        ground.git(&["-C", &work, "commit", "-q", "--allow-empty", "-m", "change"]);
        let answer = ground.try_git(&["-C", &work, "push", "origin", "HEAD:refs/heads/topic"]);
        answer.expect(1).says("reached as pre-receive");
    }
}
