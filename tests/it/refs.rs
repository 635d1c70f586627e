//! Which names may be pushed to, made, moved and deleted.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::policy;
use crate::support::site::{Plan, Site};

fn releases() -> String {
    policy::gated(1) + policy::RELEASES
}

#[test]
fn b01_a_push_through_a_symbolic_ref_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    site.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    alice.begin("main");
    alice.commit("app/x", "new\n");
    let before = site.refs();
    alice.push(&["HEAD:refs/heads/alias"]).refused().says("refs/heads/main");
    alice.push(&[":refs/heads/alias"]).refused();
    assert_eq!(site.refs(), before);
}

#[test]
fn b01_a_symbolic_ref_to_nothing_protected_is_refused_too() {
    let site = Site::gated();
    let alice = site.person("alice");
    site.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/not-there"]);
    alice.begin("main");
    alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/alias"]).refused();
    assert_eq!(site.value("refs/heads/not-there"), None);
}

#[test]
fn c08_c09_a_protected_branch_is_neither_deleted_nor_rewound() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    let old = site.main();
    alice.land(&tip).accepted();
    let before = site.refs();
    alice.push(&[":refs/heads/main"]).refused();
    alice.push(&["--force", &format!("{old}:refs/heads/main")]).refused();
    alice.push(&["--force", &format!("{tip}:refs/heads/main")]).refused();
    assert_eq!(site.refs(), before);
    site.log_and_refs_agree();
}

#[test]
fn whom_access_names_may_rewind_and_delete() {
    let policy = policy::people()
        + "\n[rule.keepers]\nkind = \"access\"\nrefs = [\"release/**\"]\n\
           create = [\"@sre\"]\nmove = [\"@sre\"]\nrewind = [\"alice\"]\ndelete = [\"alice\"]\n";
    let site = Site::new(policy);
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    carol.push(&["origin/main:refs/heads/release/1"]).refused_by("keepers").says("@sre");
    bob.push(&["origin/main:refs/heads/release/1"]).accepted();
    bob.begin("on");
    bob.commit("app/x", "new\n");
    carol.push(&["origin/main:refs/heads/release/1"]);
    bob.push(&["HEAD:refs/heads/release/1"]).accepted();
    bob.push(&["--force", "origin/main:refs/heads/release/1"]).refused_by("keepers");
    bob.push(&[":refs/heads/release/1"]).refused_by("keepers");
    alice.push(&["--force", "origin/main:refs/heads/release/1"]).accepted();
    alice.push(&[":refs/heads/release/1"]).accepted();
    assert_eq!(site.value("refs/heads/release/1"), None);
    site.log_and_refs_agree();
}

#[test]
fn an_unprotected_branch_is_everybodys() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    let one = alice.commit("app/x", "one\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    alice.commit("app/x", "two\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    alice.push(&["--force", &format!("{one}:refs/heads/mine")]).accepted();
    alice.push(&[":refs/heads/mine"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_tag_once_made_stays() {
    let site = Site::new(releases());
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&tip).accepted();
    alice.fetch();
    alice.push(&["origin/main:refs/tags/v1"]).accepted();
    let before = site.refs();
    alice.push(&["--force", "origin/main~1:refs/tags/v1"]).refused_by("tags-stay");
    alice.push(&[":refs/tags/v1"]).refused_by("tags-stay");
    assert_eq!(site.refs(), before);
    site.log_and_refs_agree();
}

#[test]
fn a_release_tag_stands_on_a_value_that_main_has_had() {
    let site = Site::new(releases());
    let alice = site.person("alice");
    let first = site.main();
    alice.begin("words");
    let middle = alice.commit("app/words", "one\n");
    let tip = alice.commit("app/words", "two\n");
    alice.push(&["HEAD:refs/heads/words"]).accepted();
    alice.push(&[&format!("{tip}:refs/tags/v0")]).refused_by("releases-come-from-main");
    alice.land(&tip).accepted();
    // The side history of a merge was never a value of `main`.
    for side in [&tip, &middle] {
        alice.push(&[&format!("{side}:refs/tags/v0")]).refused_by("releases-come-from-main");
    }
    alice
        .push(&[&format!("{first}:refs/tags/v1"), &format!("{}:refs/tags/v2", site.main())])
        .accepted();
    // An annotated tag is peeled.
    alice.fetch();
    alice.run(&["tag", "-a", "-m", "release", "v3", "origin/main"]);
    alice.push(&["refs/tags/v3"]).accepted();
    alice.run(&["tag", "-a", "-m", "release", "v4", &middle]);
    alice.push(&["refs/tags/v4"]).refused_by("releases-come-from-main");
    alice.push(&[&format!("{first}:refs/heads/production")]).accepted();
    alice.push(&[&format!("{tip}:refs/heads/production")]).refused_by("releases-come-from-main");
    site.log_and_refs_agree();
}

#[test]
fn a_landing_and_its_tag_are_two_pushes() {
    let site = Site::new(releases());
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    let merge = alice.merge(&tip);
    alice
        .push(&[&format!("{merge}:refs/heads/main"), &format!("{merge}:refs/tags/v1")])
        .refused_by("releases-come-from-main");
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    alice.push(&[&format!("{merge}:refs/tags/v1")]).accepted();
}

#[test]
fn b15_a_new_protected_branch_begins_where_a_protected_one_has_been() {
    let policy = policy::people()
        + "\n[rule.branches-take-merges]\nkind = \"merge\"\nrefs = [\"main\", \"release/**\"]\n\
           \n[rule.infra-review]\nkind = \"approval\"\nrefs = [\"main\", \"release/**\"]\n\
           paths = [\"infra/**\"]\napprovals = 1\nfrom = [\"@platform\"]\n";
    let site = Site::new(policy);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("open-port");
    let middle = alice.commit("infra/prod/network.tf", "port 8443\n");
    let tip = alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    for unapproved in [&middle, &tip] {
        alice.push(&[&format!("{unapproved}:refs/heads/release/1")]).refused();
    }
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    for side in [&middle, &tip] {
        alice.push(&[&format!("{side}:refs/heads/release/1")]).refused();
    }
    alice.push(&[&format!("{}:refs/heads/release/1", site.main())]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn b05_where_the_file_system_ignores_case_a_twin_of_a_ref_is_not_made() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    alice.push(&["HEAD:refs/heads/Other"]).accepted();
    // Here case matters, and both are branches; what Git says of a disk where it does not:
    site.git(&["config", "core.ignoreCase", "true"]);
    alice
        .push(&["HEAD:refs/heads/TOPIC"])
        .refused_by("look-alike")
        .says("reads like a ref that is there");
    alice.push(&["HEAD:refs/heads/one", "HEAD:refs/heads/ONE"]).refused().says("named twice");
    alice.push(&["HEAD:refs/heads/one", "HEAD:refs/tags/ONE"]).accepted();
    alice.commit("app/x", "newer\n");
    alice.push(&["HEAD:refs/heads/topic", "HEAD:refs/heads/third"]).accepted();
    site.git(&["config", "core.ignoreCase", "false"]);
    alice.push(&["HEAD:refs/heads/TOPIC"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn the_first_pushes_of_a_new_repository_are_taken() {
    let site = Plan::new(policy::gated(1)).empty().build();
    let alice = site.person("alice");
    alice.run(&["checkout", "--quiet", "--orphan", "main"]);
    alice.commit("infra/prod/network.tf", "port 443\n");
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    let log = site.log();
    assert_eq!(log.count("birth"), 1);
    // Judged by nobody but `access`, and in the log as any other.
    let born = &log.last("decision")["refs"][0];
    assert_eq!(born["commits"], 1);
    assert_eq!(born["paths"]["list"], serde_json::json!(["infra/prod/network.tf"]));
    assert_eq!(born["landed"].as_array().map(Vec::len), Some(1));
    alice.commit("infra/prod/network.tf", "port 8443\n");
    alice.push(&["HEAD:refs/heads/main"]).refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn b09_refs_of_git_and_of_ours_are_not_pushed() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    let commit = alice.commit("app/x", "new\n");
    let before = site.refs();
    for name in [
        format!("refs/replace/{commit}"),
        "refs/portcullis/anything".to_owned(),
        "refs/portcullis/ask/heads/main".to_owned(),
        "refs/approvals/x".to_owned(),
        "refs/checks/x/y/z".to_owned(),
    ] {
        alice.push(&[&format!("{commit}:{name}")]).refused();
    }
    assert_eq!(site.refs(), before);
    site.log_and_refs_agree();
}

#[test]
fn b02_b03_b05_names_that_look_like_a_protected_one_are_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let before = site.refs();
    for name in [
        "refs/heads/MAIN",
        "refs/heads/Main",
        "refs/tags/main",
        "refs/heads/HEAD",
        "refs/heads/-x",
        "refs/heads/refs/heads/main",
        "refs/heads/main/x",
    ] {
        alice.push(&[&format!("HEAD:{name}")]).refused();
    }
    assert_eq!(site.refs(), before);
}

#[test]
fn b08_odd_but_honest_names_go_through() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    for name in ["refs/heads/$(id)", "refs/heads/;x", "refs/heads/ü/ä", "refs/heads/a@b"] {
        alice.push(&[&format!("HEAD:{name}")]).accepted();
        assert!(site.value(name).is_some(), "{name}");
    }
    site.log_and_refs_agree();
}

#[test]
fn a_namespace_that_the_policy_does_not_name_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let before = site.refs();
    let mut git = alice.git(&["push", "--receive-pack=env GIT_NAMESPACE=ten git-receive-pack"]);
    let push = crate::support::push::Pushed::of(
        &git.arg(site.path()).arg("HEAD:refs/heads/main").output().unwrap(),
    );
    push.refused();
    assert_eq!(site.refs(), before);
}

#[test]
fn c11_a_shallow_push_is_refused() {
    let site = Plan::new(policy::gated(1)).setting("receive.shallowUpdate", "true").build();
    let alice = site.person("alice");
    // A history that the server lacks, cut off below its newest commit.
    let source = alice.home().join("source");
    let shallow = alice.home().join("shallow");
    alice.run(&["init", "--quiet", source.to_str().unwrap()]);
    for round in ["one", "two"] {
        let mut commit = alice.command("git");
        commit.arg("-C").arg(&source).args(["commit", "--quiet", "--allow-empty", "-m", round]);
        assert!(commit.output().unwrap().status.success());
    }
    let mut clone = alice.command("git");
    clone.args(["clone", "--quiet", "--depth", "1"]).arg(format!("file://{}", source.display()));
    assert!(clone.arg(&shallow).output().unwrap().status.success());
    let mut push = alice.command("git");
    push.arg("-C").arg(&shallow).arg("push").arg(site.path()).arg("HEAD:refs/heads/cut");
    crate::support::push::Pushed::of(&push.output().unwrap()).refused();
    assert_eq!(site.value("refs/heads/cut"), None);
}

#[test]
fn where_only_update_runs_it_judges_alone() {
    let site =
        Plan::new(policy::gated(1)).install("--hooks").install("update,post-receive").build();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    assert!(!site.hook_file("pre-receive").exists());
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    alice.land(&tip).refused_by("infra-review");
    alice.begin("main");
    alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn update_refuses_what_pre_receive_did_not_see() {
    for harm in ["not executable", "gone", "dangling"] {
        let site = Site::gated();
        let alice = site.person("alice");
        let hook = site.hook_file("pre-receive");
        match harm {
            "not executable" => {
                fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap()
            }
            "gone" => fs::remove_file(&hook).unwrap(),
            _ => {
                fs::remove_file(&hook).unwrap();
                std::os::unix::fs::symlink("/not-there", &hook).unwrap();
            }
        }
        alice.begin("main");
        alice.commit("app/x", "new\n");
        let before = site.refs();
        let push = alice.push(&["HEAD:refs/heads/main"]);
        assert!(!push.is_accepted(), "{harm}");
        push.says_one_of(&["pre-receive"]);
        alice.push(&["HEAD:refs/heads/mine"]).refused();
        assert_eq!(site.refs(), before, "{harm}");
        assert_eq!(site.log().count("refusal"), 2, "{harm}");
    }
}

#[test]
fn update_hears_from_a_slip_what_was_accepted_and_else_from_the_log() {
    let slip = "\"$GIT_DIR/portcullis/decided\"";
    // Without that setting, whoever has no slip would judge by itself.
    let unset = "git config --file \"$GIT_DIR/config\" --unset portcullis.hooks";
    for (between, decisions) in [
        (format!("test -f {slip}"), 1),
        (format!("test -f {slip} && {unset}"), 1),
        (format!("rm {slip}"), 1),
        (format!("printf 'portcullis decided 1 a b c\\n' >{slip}"), 1),
        (format!("rm {slip} && {unset}"), 3),
    ] {
        let site = Site::gated();
        // Runs when ours has said yes, before the first update.
        site.write_hook("pre-receive.before-portcullis", &format!("#!/bin/sh\n{between}\n"));
        let alice = site.person("alice");
        alice.begin("mine");
        alice.commit("app/x", "new\n");
        alice.push(&["HEAD:refs/heads/mine", "HEAD:refs/heads/other"]).accepted();
        assert_eq!(site.log().count("decision"), decisions, "{between}");
    }
}

#[test]
fn a12_refs_that_a_proc_receive_hook_would_turn_into_others_are_refused() {
    // Also where a rule names them: what that hook moves was never judged.
    let named =
        "\n[rule.drafts]\nkind = \"access\"\nrefs = [\"refs/for/**\"]\ncreate = [\"alice\"]\n";
    for policy in [policy::gated(1), policy::gated(1) + named] {
        let site = Plan::new(policy).setting("receive.procReceiveRefs", "refs/for").build();
        let proc_receive = "#!/bin/sh\n: >ran\nexit 1\n";
        site.write_hook("proc-receive", proc_receive);
        let alice = site.person("alice");
        alice.begin("mine");
        alice.commit("app/x", "new\n");
        alice.push(&["HEAD:refs/for/main"]).refused().says("handed to a hook").says("hint:");
        assert!(!site.path().join("ran").exists());
        assert_eq!(site.log().count("refusal"), 1);
        alice.push(&["HEAD:refs/heads/mine"]).accepted();
        site.log_and_refs_agree();
    }
}
