//! What was decided and what became of it, when something dies in between or goes round us.

use std::time::{Duration, Instant};

use crate::support::entries::chain;
use crate::support::ground::run;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

/// A site with one hook more, and Alice with a commit.
fn with_hook(name: &str, script: &str) -> (Site, crate::support::person::Person) {
    let site = Site::gated();
    site.write_hook(name, script);
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    (site, alice)
}

/// The states that the log's outcomes give a ref, oldest first.
fn states(site: &Site, name: &str) -> Vec<String> {
    let log = site.log();
    log.of("outcome")
        .flat_map(|entry| entry["refs"].as_array().unwrap())
        .filter(|item| item["ref"] == name)
        .map(|item| item["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn h03_killed_between_the_yes_and_the_ref_is_not_applied() {
    // Git runs this where it is about to move the ref.
    let (site, alice) = with_hook(
        "reference-transaction",
        "#!/bin/sh\n[ \"$1\" = prepared ] && [ ! -e spent ] && touch spent && kill -9 $PPID\nexit 0\n",
    );
    assert!(!alice.push(&["HEAD:refs/heads/mine"]).is_accepted());
    assert_eq!(site.value("refs/heads/mine"), None);
    let lock = site.path().join("refs/heads/mine.lock");
    drop(std::fs::remove_file(lock));
    assert_eq!(site.log().last("decision")["verdict"], "accept");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    assert_eq!(states(&site, "refs/heads/mine").last().unwrap(), "applied");
    assert_eq!(site.log().count("drift"), 0);
    site.log_and_refs_agree();
}

#[test]
fn h04_killed_after_the_ref_moved_is_applied() {
    let (site, alice) = with_hook(
        "reference-transaction",
        "#!/bin/sh\n[ \"$1\" = committed ] && [ ! -e spent ] && touch spent && kill -9 $PPID\nexit 0\n",
    );
    alice.push(&["HEAD:refs/heads/mine"]);
    assert!(site.value("refs/heads/mine").is_some());
    assert_eq!(states(&site, "refs/heads/mine"), [""; 0]);
    let doctor = || String::from_utf8(site.verb(&["doctor"]).stdout).unwrap();
    assert!(doctor().contains("the end of 1 accepted push is not written down"), "{}", doctor());
    alice.commit("app/x", "newer\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    assert_eq!(states(&site, "refs/heads/mine"), ["applied", "applied"]);
    assert_eq!(site.log().count("drift"), 0);
    assert!(!doctor().contains("open-ends"), "{}", doctor());
    site.log_and_refs_agree();
}

#[test]
fn h08_a_killed_hook_is_a_no() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let hook = std::fs::read_to_string(site.hook_file("pre-receive")).unwrap();
    site.write_hook("pre-receive", "#!/bin/sh\nkill -9 $$\n");
    assert!(!alice.push(&["HEAD:refs/heads/mine"]).is_accepted());
    assert_eq!(site.value("refs/heads/mine"), None);
    site.write_hook("pre-receive", &hook);
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn g01_g02_g11_who_goes_round_the_hooks_is_found_by_the_next_push() {
    let site = Site::gated();
    let alice = site.person("alice");
    // Only who has a shell on the server can do this, or whose variables it takes; and another
    // program than Git runs no hooks at all.
    let by_git = |receive_pack: &str, tip: &str| {
        let mut git = alice.git(&["push", &format!("--receive-pack={receive_pack}")]);
        let push = Pushed::of(&run(git.arg(site.path()).arg(format!("{tip}:refs/heads/main"))));
        assert!(push.is_accepted(), "{}", push.whole());
    };
    for way in 0..3 {
        alice.begin("main");
        let round = alice.commit("infra/prod/network.tf", &format!("port {way}\n"));
        match way {
            0 => by_git("git -c core.hooksPath=/dev/null receive-pack", &round),
            1 => by_git(
                "env GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath \
                 GIT_CONFIG_VALUE_0=/dev/null git receive-pack",
                &round,
            ),
            _ => {
                let clone = git2::Repository::open(alice.clone_path()).unwrap();
                let mut remote = clone.remote_anonymous(site.path().to_str().unwrap()).unwrap();
                remote.push(&[format!("+{round}:refs/heads/main")], None).unwrap();
            }
        }
        assert_eq!(site.main(), round);
        let name = format!("words-{way}");
        let tip = alice.topic(&name, &[("app/words", &format!("hello {way}\n"))]);
        alice.land(&tip).accepted();
        let log = site.log();
        assert_eq!(log.count("drift"), way + 1);
        assert_eq!(log.last("drift")["found"], round.as_str());
    }
    site.log_and_refs_agree();
}

#[test]
fn with_refuse_ref_only_the_refs_at_fault_are_refused() {
    let policy = policy::gated(1) + "\n[push]\nrefuse = \"ref\"\n";
    let site = Site::new(policy);
    let alice = site.person("alice");
    alice.begin("main");
    alice.commit("app/x", "new\n");
    let before = site.main();
    let push = alice.push(&["HEAD:refs/heads/mine", "HEAD:refs/heads/main"]);
    push.refused_by("main-takes-merges");
    assert!(site.value("refs/heads/mine").is_some());
    assert_eq!(site.main(), before);
    site.log_and_refs_agree();
}

#[test]
fn an_atomic_push_is_refused_whole() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("main");
    alice.commit("app/x", "new\n");
    let before = site.refs();
    alice.push(&["--atomic", "HEAD:refs/heads/mine", "HEAD:refs/heads/main"]).refused();
    assert_eq!(site.refs(), before);
}

/// How long anything may take, however large it claims to be.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_tree_of_ten_thousand_million_paths_is_answered_soon() {
    let site = Plan::new(policy::gated(1)).build();
    let alice = site.person("alice");
    alice.begin("bomb");
    let mut tree = alice.oid("origin/main^{tree}");
    for _ in 0..10 {
        let entries: String = (0..10).map(|at| format!("040000 tree {tree}\td{at}\n")).collect();
        let output = crate::support::ground::feed(&mut alice.git(&["mktree"]), entries.as_bytes());
        tree = String::from_utf8(output.stdout).unwrap().trim_end().to_owned();
    }
    let commit = alice.run(&["commit-tree", &tree, "-p", "origin/main", "-m", "bomb"]);
    let before = site.main();
    let begin = Instant::now();
    alice.push(&[&format!("{commit}:refs/heads/main")]).refused();
    alice.push(&[&format!("{commit}:refs/heads/bomb")]);
    assert!(begin.elapsed() < SOON, "took {:?}", begin.elapsed());
    assert_eq!(site.main(), before);
    chain(&site.log_dir());
}

#[test]
fn a_folder_in_a_folder_in_a_folder_is_answered_without_a_crash() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("deep");
    let mut tree = alice.oid("origin/main^{tree}");
    for _ in 0..600 {
        let entry = format!("040000 tree {tree}\td\n");
        let output = crate::support::ground::feed(&mut alice.git(&["mktree"]), entry.as_bytes());
        tree = String::from_utf8(output.stdout).unwrap().trim_end().to_owned();
    }
    let commit = alice.run(&["commit-tree", &tree, "-p", "origin/main", "-m", "deep"]);
    let before = site.main();
    let begin = Instant::now();
    alice.push(&[&format!("{commit}:refs/heads/main")]).refused();
    assert!(begin.elapsed() < SOON, "took {:?}", begin.elapsed());
    assert_eq!(site.main(), before);
    chain(&site.log_dir());
}

#[test]
fn what_is_too_large_or_too_strange_to_be_read_counts_as_infrastructure() {
    let site = Site::gated();
    let alice = site.person("alice");
    let large = "words: many\n".repeat(400_000);
    let wide: String = "\u{feff}kind: Deployment\napiVersion: v1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .map(char::from)
        .collect();
    for (branch, content) in [("large", large), ("wide", wide)] {
        alice.begin(branch);
        let file = alice.clone_path().join("things").join(format!("{branch}.yaml"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let bytes: Vec<u8> = content.chars().map(|sign| u8::try_from(sign).unwrap()).collect();
        std::fs::write(file, bytes).unwrap();
        let tip = alice.commit_tree_as_it_is(branch);
        alice.push(&[&format!("HEAD:refs/heads/{branch}")]).accepted();
        alice.land(&tip).refused_by("infra-review").says("things/");
    }
    let plain = alice.topic("plain", &[("things/plain.yaml", "words: few\n")]);
    alice.land(&plain).accepted();
}
