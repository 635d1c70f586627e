//! A policy that is kept in a repository with a gate of its own, and judges another one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::entries::{Entries, shown};
use crate::support::ground::{PORTCULLIS, run, text};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::site::{Plan, Site};

/// A repository with a policy in it that judges both that repository and another one.
struct Two {
    /// The policy's own repository.
    policies: Site,
    /// The other one.
    infra: PathBuf,
    /// Where the policy is, as `install` was told.
    place: String,
}

/// The example of `config/examples` with the people of these tests and the program under test.
fn rules() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("config/examples/policy-repository.toml");
    let example = fs::read_to_string(example).unwrap();
    let (_, rules) = example.split_once("# Whoever").unwrap();
    let rules = rules.replace("/usr/bin/portcullis", PORTCULLIS);
    assert!(rules.contains(PORTCULLIS));
    format!("{}\n# Whoever{rules}", policy::people())
}

const CASES: &str = "== nobody commits to main\nalice commits to main\n  modifies app/x\n\
    => refused by main-takes-merges\n";

fn two() -> Two {
    let rules = rules();
    let file =
        |name: &str, text: &str| format!("M 100644 inline {name}\ndata {}\n{text}\n", text.len());
    let history = format!(
        "commit refs/heads/main\nmark :1\ncommitter Founder <founder@example.org> 1764547200 +0000\n\
         data 10\nbeginning\n{}{}",
        file("policy.toml", &rules),
        file("policy.cases.txt", CASES)
    );
    let plan = Plan::new(&rules).folder("server/policies.git").history(history.into_bytes());
    let policies = plan.build();
    let infra = policies.ground().at("server/infra.git");
    let mut init = policies.ground().command("git");
    text(init.args(["init", "--quiet", "--bare", "--template="]).arg(&infra));
    let place = format!("git:{}:main:policy.toml", policies.path().display());
    let two = Two { policies, infra, place };
    for repository in [two.policies.path(), &two.infra] {
        let words = ["install", "--policy", &two.place];
        text(two.policies.ground().portcullis().args(words).arg(repository));
    }
    two
}

impl Two {
    fn git(&self, args: &[&str]) -> String {
        self.policies.git(args)
    }

    /// Changes the policy by a reviewed merge.
    fn change(&self, alice: &Person, bob: &Person, branch: &str, files: &[(&str, &str)]) {
        let tip = alice.topic(branch, files);
        self.policies.approve(bob, &tip).accepted();
        alice.land(&tip).accepted();
    }
}

#[test]
fn a_policy_is_changed_by_a_reviewed_merge_and_holds_from_the_next_push_on() {
    let two = two();
    let (alice, bob) = (two.policies.person("alice"), two.policies.person("bob"));
    let carol = Person::new(two.policies.ground(), "carol", &two.infra);
    carol.run(&["checkout", "--quiet", "--orphan", "main"]);
    carol.commit("app/x", "one\n");
    carol.push(&["HEAD:refs/heads/frozen/a"]).accepted();
    // One's own push is judged by the policy before it: nobody lets oneself in.
    let good = rules();
    let frozen = "\n[rule.frozen]\nkind = \"access\"\nrefs = [\"frozen/**\"]\ncreate = []\n";
    let changed = format!("{good}{frozen}");
    let tip = alice.topic("weaker", &[("policy.toml", &changed)]);
    let main = two.policies.main();
    alice.push(&[&format!("{tip}:refs/heads/main")]).refused_by("main-takes-merges");
    alice.land(&tip).refused_by("policy-review").says("0 of 1 approval");
    assert_eq!(two.policies.main(), main);
    carol.push(&["HEAD:refs/heads/frozen/b"]).accepted();
    two.policies.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    carol.push(&["HEAD:refs/heads/frozen/c"]).refused_by("frozen").says("policy.toml:");
    two.policies.log_and_refs_agree();
    // The log has both texts, and where they were.
    let log = Entries::read(&two.infra.join("portcullis/log"));
    let policies: Vec<_> = log.of("policy").collect();
    let place = format!("git:{}:refs/heads/main:policy.toml", two.policies.path().display());
    let last = policies.last().unwrap();
    assert_eq!(shown(&last["files"][0]["place"]), place);
    assert_ne!(last["sha256"], policies[policies.len() - 2]["sha256"]);
    assert_eq!(log.last("decision")["policy"]["sha256"], last["sha256"]);
}

#[test]
fn a_broken_policy_is_stopped_at_its_own_gate() {
    let two = two();
    let (alice, bob) = (two.policies.person("alice"), two.policies.person("bob"));
    let main = two.policies.main();
    let approved = |branch: &str, files: &[(&str, &str)]| {
        let tip = alice.topic(branch, files);
        two.policies.approve(&bob, &tip).accepted();
        alice.land(&tip)
    };
    let broken = rules().replace("kind = \"merge\"", "kind = \"marge\"");
    approved("broken", &[("policy.toml", &broken)])
        .refused_by("policy-holds")
        .says("no such rule kind")
        .says("policy.toml:");
    // What can be used, and does not what its tests say.
    let loose = rules().replace(
        "methods = [\"merge\"]",
        "methods = [\"merge\", \"fast-forward\", \"rebase\"]\nlevel = \"warn\"",
    );
    approved("loose", &[("policy.toml", &loose)])
        .refused_by("policy-holds")
        .says("nobody commits to main: expected refused by")
        .says("main-takes-merges, got accepted");
    assert_eq!(two.policies.main(), main);
}

#[test]
fn g17_a_policy_that_cannot_be_read_from_its_repository_refuses_every_push() {
    let two = two();
    let carol = Person::new(two.policies.ground(), "carol", &two.infra);
    carol.run(&["checkout", "--quiet", "--orphan", "main"]);
    carol.commit("app/x", "one\n");
    let main = two.policies.main();
    let refs = two.policies.path().join("refs");
    let object = |kind: &str, text: &str| {
        let file = two.policies.ground().at("object");
        fs::write(&file, text).unwrap();
        two.git(&["hash-object", "-w", "-t", kind, "--literally", file.to_str().unwrap()])
    };
    let commit_of = |mode: &str, blob: &str| {
        let index = two.policies.ground().at("index");
        let _ = fs::remove_file(&index);
        let git = || {
            let mut git = two.policies.ground().git(two.policies.path());
            git.env("GIT_INDEX_FILE", &index);
            git
        };
        let entry = format!("{mode},{blob},policy.toml");
        text(git().args(["update-index", "--add", "--cacheinfo", &entry]));
        let tree = text(git().args(["write-tree"]));
        two.git(&["commit-tree", "-m", "x", &tree])
    };
    let good = two.git(&["rev-parse", "main:policy.toml"]);
    let open = |mode: u32| fs::set_permissions(&refs, fs::Permissions::from_mode(mode)).unwrap();
    let values = [
        commit_of("120000", &object("blob", "../policy.toml")),
        commit_of("100644", &object("blob", "version = 1\n[rule.x\n")),
        commit_of("100644", &object("blob", "")),
        two.git(&["commit-tree", "-m", "x", &two.git(&["hash-object", "-t", "tree", "/dev/null"])]),
        two.git(&["rev-parse", "main^{tree}"]),
    ];
    let refused = |what: &str| {
        let log = || Entries::read(&two.infra.join("portcullis/log")).len();
        let before = log();
        carol
            .push(&[&format!("HEAD:refs/heads/mine-{before}")])
            .refused()
            .says("the policy on this server")
            .is_silent_about("/server/");
        assert!(log() > before, "{what}: a refusal is written down");
    };
    for value in &values {
        two.git(&["update-ref", "--no-deref", "refs/heads/main", &main]);
        fs::write(refs.join("heads/main"), format!("{value}\n")).unwrap();
        refused(value);
    }
    fs::remove_file(refs.join("heads/main")).unwrap();
    refused("no ref");
    fs::write(refs.join("heads/main"), "ref: refs/heads/other\n").unwrap();
    fs::write(refs.join("heads/other"), format!("{main}\n")).unwrap();
    refused("another name");
    fs::write(refs.join("heads/main"), format!("{main}\n")).unwrap();
    for mode in [0o775, 0o757] {
        open(mode);
        refused("others may write it");
    }
    open(0o755);
    two.git(&["config", "core.bare", "false"]);
    refused("not bare");
    two.git(&["config", "core.bare", "true"]);
    // An executable file is a file; and all is well again.
    let executable = commit_of("100755", &good);
    fs::write(refs.join("heads/main"), format!("{executable}\n")).unwrap();
    carol.push(&["HEAD:refs/heads/mine"]).accepted();
    let moved = two.policies.ground().at("server/away.git");
    fs::rename(two.policies.path(), &moved).unwrap();
    refused("the repository is gone");
}

#[test]
fn the_verbs_know_a_policy_that_is_kept_in_a_repository() {
    let two = two();
    let (alice, bob) = (two.policies.person("alice"), two.policies.person("bob"));
    let verb = |words: &[&str]| run(two.policies.ground().portcullis().args(words));
    let out = |words: &[&str], code: i32| {
        let output = verb(words);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{said}");
        said
    };
    let (place, infra) = (two.place.as_str(), two.infra.to_str().unwrap());
    let policies = two.policies.path().to_str().unwrap();
    out(&["lint", place], 0);
    let broken = alice.topic("broken", &[("policy.toml", "version = 1\n[rule.x\n")]);
    assert!(!broken.is_empty());
    let on_topic = place.replace(":main:", ":broken:");
    assert!(out(&["lint", &on_topic], 1).contains("policy.toml:2"));
    assert!(out(&["lint", &place.replace(":main:", ":none:")], 3).contains("is not there"));
    out(&["lint", "git:/nowhere"], 2);
    assert!(out(&["install", "--policy", &on_topic, infra], 1).contains("policy.toml:2"));
    let replayed = out(&["replay", "--policy", place, policies], 0);
    assert!(replayed.contains("`policy-review` (approval, policy.toml:"), "{replayed}");
    assert!(out(&["explain", "policy"], 0).contains("git:REPO:REF:PATH"));
    assert!(out(&["status", infra], 0).contains("enforc"));
    assert!(!out(&["doctor", infra], 0).contains("policy-"), "the ref is guarded");
    // Where nobody judges pushes to the policy, whoever pushes there decides.
    let warned = rules().replace("\nkind", "\nlevel = \"warn\"\nkind");
    let cases = CASES.replace("refused by", "accepted, warned by");
    let files = [("policy.toml", warned.as_str()), ("policy.cases.txt", &cases)];
    two.change(&alice, &bob, "warned", &files);
    let open = out(&["doctor", infra], 1);
    assert!(open.contains("no rule that refuses names that ref"), "{open}");
    out(&["uninstall", policies], 0);
    let open = out(&["doctor", infra], 1);
    assert!(open.contains("no push to that repository is judged"), "{open}");
}
