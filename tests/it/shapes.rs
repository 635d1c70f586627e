//! Shapes of history: merges that are none, many at once, and commits that are there unbrought.

use crate::support::policy;
use crate::support::site::{Plan, Site};

const NETWORK: &str = "infra/prod/network.tf";

#[test]
fn squash_rebase_and_fast_forward_are_no_merges() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    // Fast-forward: the tip itself.
    site.main_refuses(&alice, &tip).refused_by("main-takes-merges").not_by("infra-review");
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&words).accepted();
    // Rebase: the same change on another parent.
    alice.begin_at("again", &tip);
    alice.run(&["rebase", "--quiet", "origin/main"]);
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges");
    // Squash: one commit that is the whole of it.
    alice.begin("squashed");
    alice.run(&["merge", "--quiet", "--squash", &tip]);
    alice.commit_tree_as_it_is("open port, squashed");
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges").says("merge");
    site.log_and_refs_agree();
}

#[test]
fn c01_an_evil_merge_is_refused() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    alice.begin("landing");
    alice.run(&["merge", "--quiet", "--no-ff", "--no-commit", &tip]);
    alice.commit("app/x", "evil\n");
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges");
}

#[test]
fn a_merge_that_keeps_only_our_side_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    let other = alice.topic("other", &[("app/other", "hello\n")]);
    alice.land(&other).accepted();
    // Parent order right, but what the topic brought is dropped.
    alice.begin("landing");
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", "-s", "ours", &tip]);
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges");
}

#[test]
fn c06_a_foxtrot_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    let other = alice.topic("other", &[("app/other", "hello\n")]);
    alice.land(&other).accepted();
    alice.begin_at("words", &tip);
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", "origin/main"]);
    alice.push(&["HEAD:refs/heads/words"]).accepted();
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges");
}

#[test]
fn an_octopus_of_approved_branches_is_accepted_and_with_one_unapproved_refused() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tips: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| alice.topic(name, &[(&format!("infra/{name}.tf"), "content\n")]))
        .collect();
    for tip in &tips[..2] {
        site.approve(&bob, tip).accepted();
    }
    alice.begin("landing");
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &tips[0], &tips[1], &tips[2]]);
    let octopus = alice.oid("HEAD");
    site.main_refuses(&alice, &octopus).refused_by("infra-review").says("infra/c.tf");
    site.approve(&bob, &tips[2]).accepted();
    alice.push(&[&format!("{octopus}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn three_merges_in_one_push_are_judged_one_by_one() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tips: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| alice.topic(name, &[(&format!("infra/{name}.tf"), "content\n")]))
        .collect();
    alice.begin("landing");
    for tip in &tips {
        alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", tip]);
    }
    let last = alice.oid("HEAD");
    site.approve(&bob, &tips[0]).accepted();
    site.approve(&bob, &tips[2]).accepted();
    site.main_refuses(&alice, &last)
        .refused_by("infra-review")
        .says("infra/b.tf")
        .is_silent_about("infra/a.tf");
    site.approve(&bob, &tips[1]).accepted();
    alice.push(&[&format!("{last}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn c04_a_change_and_its_revert_are_refused_as_direct_commits_and_land_as_nothing_behind_a_merge() {
    let site = Site::gated();
    let alice = site.person("alice");
    let change = alice.topic("there", &[(NETWORK, "port 8443\n")]);
    alice.run(&["revert", "--no-edit", "HEAD"]);
    alice.push(&["HEAD:refs/heads/there"]).accepted();
    let tip = alice.oid("HEAD");
    site.main_refuses(&alice, &tip).refused_by("infra-review");
    alice.land(&tip).accepted();
    // And no protected ref is ever made at the commit in between.
    site.main_refuses(&alice, &change).refused_by("main-takes-merges");
    site.log_and_refs_agree();
}

#[test]
fn a_merge_in_one_push_with_its_own_branch_brings_nothing_that_was_there_before() {
    // The change has to be on the server before; a topic first pushed with its own merge is not.
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("words");
    let tip = alice.commit("app/words", "hello\n");
    let merge = alice.merge(&tip);
    let before = site.main();
    alice
        .push(&[&format!("{tip}:refs/heads/words"), &format!("{merge}:refs/heads/main")])
        .refused_by("main-takes-merges")
        .says("hint:");
    assert_eq!(site.main(), before);
    assert_eq!(site.value("refs/heads/words"), None, "pre-receive refuses the whole push");
}

#[test]
fn a_resolved_conflict_without_resolved_by_is_refused_with_the_remedy() {
    let (site, alice, bob) = Site::alice_and_bob();
    let one = alice.topic("one", &[(NETWORK, "port 1\n")]);
    let two = alice.topic("two", &[(NETWORK, "port 2\n")]);
    site.approve(&bob, &one).accepted();
    alice.land(&one).accepted();
    alice.begin("resolved");
    let merge = alice.git(&["merge", "--quiet", "--no-ff", "--no-edit", &two]).output().unwrap();
    assert!(!merge.status.success(), "the two were to conflict");
    alice.commit(NETWORK, "port 3\n");
    alice.push(&["HEAD:refs/heads/resolved"]).accepted();
    site.main_refuses(&alice, "HEAD").refused_by("main-takes-merges").says("hint:");
}

#[test]
fn c13_commits_that_lie_on_the_server_and_were_never_brought_do_not_land() {
    let (site, alice, _) = Site::alice_and_bob();
    alice.begin("words");
    let tip = alice.commit("app/words", "hello\n");
    // They are there: fetched by an operator, borrowed from an alternate, left by a refused push.
    site.git(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &tip]);
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("main-takes-merges");

    let borrowing = Site::gated();
    let bob = borrowing.person("bob");
    bob.begin("words");
    let tip = bob.commit("app/words", "hello\n");
    let alternates = borrowing.path().join("objects/info/alternates");
    std::fs::create_dir_all(alternates.parent().unwrap()).unwrap();
    let objects = bob.clone_path().join(".git/objects");
    std::fs::write(alternates, format!("{}\n", objects.display())).unwrap();
    let merge = bob.merge(&tip);
    borrowing.main_refuses(&bob, &merge).refused_by("main-takes-merges");
    // Who brings the same words as a commit that was not there lands them.
    bob.begin_at("words", &tip);
    bob.run(&["commit", "--quiet", "--amend", "-m", "words, brought"]);
    std::fs::remove_file(borrowing.path().join("objects/info/alternates")).unwrap();
    bob.push(&["HEAD:refs/heads/words"]).accepted();
    bob.land("words").accepted();
    borrowing.log_and_refs_agree();
}

#[test]
fn c03_who_pushed_a_commit_that_update_refused_is_a_maker_of_it() {
    let site = Plan::new(policy::gated(1))
        .earlier_hook("update", "#!/bin/sh\ncase $1 in refs/heads/bad) exit 1;; esac\n")
        .build();
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    // Bob's words under Alice's name; his push leaves the objects there and no ref.
    alice.begin("theirs");
    let tip = alice.commit(NETWORK, "port 8443\n");
    bob.run(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &tip]);
    assert!(!bob.push(&[&format!("{tip}:refs/heads/bad")]).is_accepted());
    carol.run(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &tip]);
    carol.push(&[&format!("{tip}:refs/heads/good")]).accepted();
    alice.fetch();
    site.approve(&bob, &tip).accepted();
    site.approve(&carol, &tip).accepted();
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("infra-review").says("0 of 1 approval");
    let erin = site.person("erin");
    site.approve(&erin, &tip).accepted();
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn d03_a_submodule_that_moves_is_seen_whatever_gitmodules_says() {
    let (site, alice, bob) = Site::alice_and_bob();
    let oid = |digit: &str| digit.repeat(40);
    let link = |digit: &str| {
        alice.begin("sub");
        let modules = alice.clone_path().join(".gitmodules");
        std::fs::write(
            &modules,
            "[submodule \"m\"]\n\tpath = infra/m\n\turl = ../m\n\tignore = all\n",
        )
        .unwrap();
        std::fs::create_dir_all(alice.clone_path().join("infra/m")).unwrap();
        alice.run(&["add", ".gitmodules"]);
        let entry = format!("160000,{},infra/m", oid(digit));
        alice.run(&["update-index", "--add", "--cacheinfo", &entry]);
        alice.run(&["commit", "--quiet", "-m", "submodule"]);
        let tip = alice.oid("HEAD");
        alice.push(&["--force", "HEAD:refs/heads/sub"]).accepted();
        tip
    };
    let first = link("1");
    site.approve(&bob, &first).accepted();
    alice.land(&first).accepted();
    let second = link("2");
    let merge = alice.merge(&second);
    site.main_refuses(&alice, &merge).refused_by("infra-review").says("infra/m");
}

#[test]
fn b14_a_release_branch_comes_back_where_it_was_and_not_where_it_once_was() {
    let policy = policy::people()
        + "\n[rule.release-review]\nkind = \"approval\"\nrefs = [\"release/**\"]\n\
           paths = [\"**\"]\napprovals = 1\nfrom = [\"@platform\"]\nstarts = [\"main\"]\n\
           \n[rule.keepers]\nkind = \"access\"\nrefs = [\"release/**\"]\ndelete = [\"alice\"]\n";
    let site = Site::new(policy);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let release = "refs/heads/release/1";
    let first = site.main();
    alice.push(&[&format!("{first}:{release}")]).accepted();
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    site.draft_for(&bob, release, &tip).push(&bob).accepted();
    let merge = alice.merge_into("release/1", &tip);
    alice.push(&[&format!("{merge}:{release}")]).accepted();
    alice.push(&[&format!(":{release}")]).accepted();
    // Unreviewed on top of it, and nothing on top of it.
    alice.begin_at("more", &merge);
    let more = alice.commit("app/more", "hello\n");
    alice.push(&[&format!("{more}:{release}")]).refused_by("release-review");
    alice.push(&[&format!("{first}:{release}")]).refused();
    alice.push(&[&format!("{merge}:{release}")]).accepted();
    site.log_and_refs_agree();
}
