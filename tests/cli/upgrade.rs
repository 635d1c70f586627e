//! While the program is replaced, every push is judged or refused.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use crate::ground::{Ground, POLICY};

/// How often the program is replaced.
const UPGRADES: usize = 4;

/// Pushes until it is told to stop, and says of each whether it got in.
fn pusher(ground: &Ground, repo: &Path, stop: &AtomicBool, say: &dyn Fn(bool)) {
    let url = repo.to_str().unwrap();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        ground.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", &number.to_string()]);
        let direct = ground.try_git(&["-C", "work", "push", "-q", url, "HEAD:refs/heads/main"]);
        assert_ne!(direct.code, 0, "nobody judged this: {direct:?}");
        let topic = format!("HEAD:refs/heads/topic-{number}");
        say(ground.try_git(&["-C", "work", "push", "-q", url, &topic]).code == 0);
    }
}

/// Waits until a whole push, begun after this moment, has ended; answers whether it got in.
fn next(hear: &Receiver<bool>) -> bool {
    while hear.try_recv().is_ok() {}
    // The first to come may have begun before.
    let _ = hear.recv().unwrap();
    hear.recv().unwrap()
}

#[test]
fn an_upgrade_leaves_no_moment_in_which_a_push_passes_unjudged() {
    let ground = Ground::new();
    let program = ground.copy_program("bin/portcullis");
    // Two files with the same program: the rename of one over the other is a real one.
    let versions = [ground.path("v1"), ground.path("v2")];
    fs::hard_link(&program, &versions[0]).unwrap();
    fs::copy(&program, &versions[1]).unwrap();
    let repo = ground.repository("infra.git");
    let dir = repo.to_str().unwrap();
    ground.write("policy.toml", POLICY);
    let words = ["install", "--policy", "policy.toml", dir];
    ground.run_copy(&program, &words).expect(0);
    ground.git(&["clone", "-q", dir, "work"]);
    let main = ground.git(&["-C", dir, "rev-parse", "main"]);
    let put = |version: &Path| {
        fs::hard_link(version, ground.path("bin/.new")).unwrap();
        fs::rename(ground.path("bin/.new"), &program).unwrap();
    };

    let stop = AtomicBool::new(false);
    let (say, hear) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| pusher(&ground, &repo, &stop, &|passed| say.send(passed).unwrap()));
        for round in 0..UPGRADES {
            put(&versions[(round + 1) % 2]);
            ground.run_copy(&program, &words).expect(0);
            assert!(next(&hear), "with the new program in place pushes get in");
        }
        // As a package manager may do it: away first, there again later.
        fs::remove_file(&program).unwrap();
        assert!(!next(&hear), "without a program nothing gets in");
        put(&versions[0]);
        assert!(next(&hear));
        stop.store(true, Ordering::SeqCst);
    });

    assert_eq!(ground.git(&["-C", dir, "rev-parse", "main"]), main);
    // Whatever got in stands in the log.
    let topics =
        ground.git(&["-C", dir, "for-each-ref", "--format=%(objectname)", "refs/heads/topic-*"]);
    let entries = ground.run_copy(&program, &["log", "show", "--json", dir]).expect(0).out;
    assert!(topics.lines().count() > UPGRADES, "{topics}");
    for topic in topics.lines() {
        assert!(entries.contains(topic), "{topic} got in and no entry says so");
    }
    ground.run_copy(&program, &["log", "verify", "--repo", dir, dir]).expect(0);
}
