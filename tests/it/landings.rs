//! What may land on a branch that takes merges and whose infrastructure is reviewed.

use crate::support::policy;
use crate::support::site::{Plan, Site};
use crate::support::statement::Draft;

const NETWORK: &str = "infra/prod/network.tf";
const DNS: &str = "infra/prod/dns.tf";

#[test]
fn a_direct_commit_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("main");
    alice.commit("app/x", "new\n");
    site.main_refuses(&alice, "HEAD")
        .refused_by("main-takes-merges")
        .not_by("infra-review")
        .says("hint:");
    site.log_and_refs_agree();
}

#[test]
fn c02_an_unreviewed_infrastructure_merge_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge)
        .refused_by("infra-review")
        .not_by("main-takes-merges")
        .says(NETWORK)
        .says("0 of 1 approval")
        .says("@platform")
        .says("policy: ")
        .says("hint:")
        .says("#platform, ext. 1234");
    site.log_and_refs_agree();
}

#[test]
fn every_finding_stands_in_one_answer() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("main");
    alice.commit(NETWORK, "port 8443\n");
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges").refused_by("infra-review");
}

#[test]
fn an_approved_merge_is_accepted() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let merge = alice.merge(&tip);
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted().says("success:");
    assert_eq!(site.main(), merge);
    site.log_and_refs_agree();
}

#[test]
fn an_approval_may_come_in_the_same_push_as_the_merge() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    // Bob lands it himself, and says with the same push that he has read it.
    bob.fetch();
    let approval = site.draft(&bob, &tip).sign(&bob);
    let merge = bob.merge(&tip);
    bob.push(&[&approval.refspec(), &format!("{merge}:refs/heads/main")]).accepted();
    assert_eq!(site.main(), merge);
    site.log_and_refs_agree();
}

#[test]
fn two_approvals_are_two_people() {
    let site = Site::new(policy::gated(2));
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).refused_by("infra-review").says("1 of 2 approvals");
    site.approve(&carol, &tip).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn files_outside_every_rule_need_no_approval() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn an_approval_holds_after_main_has_moved_in_other_files() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let other = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&other).accepted();
    bob.fetch();
    site.approve(&bob, &tip).accepted();
    let third = alice.topic("more-words", &[("app/more", "hello\n")]);
    alice.land(&third).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn an_approval_does_not_hold_after_main_has_moved_in_the_same_file() {
    let site = Plan::new(policy::gated(1)).build();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let long: String = (1..40).map(|line| format!("line {line}\n")).collect();
    let file = "infra/prod/long.tf";
    let first = alice.topic("long", &[(file, &long)]);
    site.approve(&bob, &first).accepted();
    alice.land(&first).accepted();

    let tip = alice.topic("end", &[(file, &format!("{long}at the end\n"))]);
    let other = alice.topic("start", &[(file, &format!("at the start\n{long}"))]);
    site.approve(&bob, &tip).accepted();
    site.approve(&bob, &other).accepted();
    alice.land(&other).accepted();
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("infra-review").says(file).says("hint:");
    site.log_and_refs_agree();
}

#[test]
fn a_clean_merge_of_main_into_the_topic_leaves_its_approval_good() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let other = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&other).accepted();
    // The reviewer brings main into it: that makes him no maker.
    bob.begin_at("open-port", &tip);
    bob.run(&["merge", "--quiet", "--no-ff", "--no-edit", "origin/main"]);
    bob.push(&["HEAD:refs/heads/open-port"]).accepted();
    let tip = bob.oid("HEAD");
    alice.fetch();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn f06_what_was_added_after_the_approval_is_named() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let more = alice.commit(DNS, "a name\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    let merge = alice.merge(&more);
    site.main_refuses(&alice, &merge).refused_by("infra-review").says("bob").says(DNS);
    site.log_and_refs_agree();
}

#[test]
fn half_of_an_approved_change_is_no_approved_change() {
    let (site, alice, bob) = Site::alice_and_bob();
    let half = alice.topic("both", &[(NETWORK, "port 8443\n")]);
    let whole = alice.commit(DNS, "a name\n");
    alice.push(&["HEAD:refs/heads/both"]).accepted();
    site.approve(&bob, &whole).accepted();
    let merge = alice.merge(&half);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
}

#[test]
fn two_halves_of_two_approved_changes_are_no_approved_change() {
    let (site, alice, bob) = Site::alice_and_bob();
    let one = alice.topic("one", &[(NETWORK, "port 8443\n"), ("infra/prod/a.tf", "a\n")]);
    let two = alice.topic("two", &[(DNS, "a name\n"), ("infra/prod/b.tf", "b\n")]);
    site.approve(&bob, &one).accepted();
    site.approve(&bob, &two).accepted();
    let mixed = alice.topic("mixed", &[(NETWORK, "port 8443\n"), (DNS, "a name\n")]);
    let merge = alice.merge(&mixed);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
}

#[test]
fn an_approval_of_one_indentation_is_not_one_of_another() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("yaml", &[("infra/x.yaml", "a:\n  b: 1\n  c: 2\n")]);
    site.approve(&bob, &tip).accepted();
    let changed = alice.topic("yaml-again", &[("infra/x.yaml", "a:\n  b: 1\nc: 2\n")]);
    let merge = alice.merge(&changed);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
}

#[test]
fn d01_d02_a_mode_flip_a_symlink_and_a_rename_out_are_changes() {
    let site = Site::gated();
    let alice = site.person("alice");
    let in_clone = |script: &str| {
        alice.begin("topic");
        let mut shell = alice.command("sh");
        let output = shell.args(["-euc", script]).current_dir(alice.clone_path()).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        let tip = alice.commit_tree_as_it_is("topic");
        alice.push(&["--force", "HEAD:refs/heads/topic"]).accepted();
        alice.merge(&tip)
    };
    for script in [
        "chmod +x infra/prod/network.tf",
        "git mv infra/prod/network.tf app/network.txt",
        "git rm -q infra/prod/network.tf",
    ] {
        let merge = in_clone(script);
        site.main_refuses(&alice, &merge).refused_by("infra-review");
    }
    // Symlinks and submodules on a protected branch may be refused by what is always on.
    for script in [
        "ln -sf ../../app/x infra/prod/network.tf",
        "rm -r infra; ln -s app infra",
        "mkdir infra/sub; git update-index --add --cacheinfo \
         160000,1111111111111111111111111111111111111111,infra/sub",
        "rm -r infra; git add -A; git update-index --add --cacheinfo \
         160000,1111111111111111111111111111111111111111,infra; mkdir infra",
    ] {
        let merge = in_clone(script);
        site.main_refuses(&alice, &merge);
    }
    site.log_and_refs_agree();
}

#[test]
fn f06_one_approval_lands_a_delta_once() {
    let (site, alice, bob) = Site::alice_and_bob();
    let carol = site.person("carol");
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    // A spare one: the rule asks for one, two are given.
    site.approve(&bob, &tip).accepted();
    site.approve(&carol, &tip).accepted();
    alice.land(&tip).accepted();
    let back = alice.topic("close-port", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("open-port-again", &[(NETWORK, "port 8443\n")]);
    let merge = alice.merge(&again);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn one_approval_serves_one_step_of_a_push() {
    let (site, alice, bob) = Site::alice_and_bob();
    let there = alice.topic("there", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &there).accepted();
    alice.begin("landing");
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &there]);
    let first = alice.oid("HEAD");
    alice.begin_at("back", &first);
    let back = alice.commit(NETWORK, "port 443\n");
    alice.push(&["HEAD:refs/heads/back"]).accepted();
    bob.fetch();
    Draft::new(&bob, &site.id(), "refs/heads/main", &first, &back).push(&bob).accepted();
    alice.begin_at("landing", &first);
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &back]);
    let second = alice.oid("HEAD");
    alice.begin_at("there-again", &second);
    let again = alice.commit(NETWORK, "port 8443\n");
    alice.push(&["HEAD:refs/heads/there-again"]).accepted();
    alice.begin_at("landing", &second);
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &again]);
    site.main_refuses(&alice, "HEAD").refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn c16_a_maker_is_who_brought_it_and_not_who_the_author_field_names() {
    let (site, alice, bob) = Site::alice_and_bob();
    // Bob makes it, writes Alice into the commit, pushes it, and approves it.
    bob.begin("disguise");
    bob.commit(NETWORK, "port 8443\n");
    bob.run(&["commit", "--amend", "--quiet", "--no-edit", "--reset-author"]);
    let mut amend = bob.git(&["commit", "--amend", "--quiet", "--no-edit", "--reset-author"]);
    amend
        .env("GIT_AUTHOR_NAME", "alice")
        .env("GIT_AUTHOR_EMAIL", "alice@example.org")
        .env("GIT_COMMITTER_NAME", "alice")
        .env("GIT_COMMITTER_EMAIL", "alice@example.org");
    assert!(amend.output().unwrap().status.success());
    bob.push(&["HEAD:refs/heads/disguise"]).accepted();
    let tip = bob.oid("HEAD");
    site.approve(&bob, &tip).accepted();
    alice.fetch();
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("infra-review").says("bob");
}

#[test]
fn somebody_else_who_pushes_the_branch_again_is_no_maker() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    bob.fetch();
    bob.push(&[&format!("{tip}:refs/heads/open-port-too")]).accepted();
    site.approve(&bob, &tip).accepted();
    bob.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_back_merge_of_a_release_branch_needs_the_approval_of_what_it_brings() {
    let (site, alice, bob) = Site::alice_and_bob();
    alice.begin("release/1");
    alice.commit(NETWORK, "port 8443\n");
    alice.push(&["HEAD:refs/heads/release/1"]).accepted();
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&words).accepted();
    alice.fetch();
    let tip = alice.oid("origin/release/1");
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
}
