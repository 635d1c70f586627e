//! Breaking the glass: who may, how far it reaches, what it owes, and how that is paid.

use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::Draft;

const NETWORK: &str = "infra/prod/network.tf";

/// The usual policy, with a glass that Alice may break.
fn with_glass(keys: &str) -> String {
    format!("{}\n[break-glass]\nby = [\"alice\"]\n{keys}", policy::gated(1))
}

/// A server with that policy, Alice, and Bob who reviews.
fn glass(keys: &str) -> (Site, Person, Person) {
    let site = Site::new(with_glass(keys));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    (site, alice, bob)
}

/// One commit straight to `main`, with a word about the glass or without.
fn direct(person: &Person, option: Option<&str>, files: &[(&str, &str)]) -> Pushed {
    person.begin("main");
    person.commit_all(files);
    let option = option.map(|option| format!("-o{option}"));
    let mut args = vec!["main"];
    args.extend(option.as_deref());
    person.push(&args)
}

const REASON: Option<&str> = Some("break-glass=INC-42: the edge is down");

#[test]
fn the_refusal_of_somebody_entitled_ends_with_the_command_and_the_command_works() {
    let (site, alice, bob) = glass("");
    let push = direct(&alice, None, &[(NETWORK, "port 8443\n")]);
    push.refused_by("infra-review").refused_by("main-takes-merges");
    let said = push.said();
    let command = said.lines().last().unwrap().trim();
    assert_eq!(command, "git push -o break-glass='INC-42: why' origin main");
    // Who is not named is told nothing of it.
    direct(&bob, None, &[(NETWORK, "port 1\n")]).refused().is_silent_about("break-glass");

    let mut shell = alice.command("sh");
    shell.args(["-c", command]).current_dir(alice.clone_path());
    let push = Pushed::of(&crate::support::ground::run(&mut shell));
    push.accepted()
        .says("warning: ================")
        .says("the glass is broken for refs/heads/main")
        .says("\"INC-42: why\"")
        .says("`main-takes-merges`, `infra-review`")
        .says("portcullis approve")
        .says("warning: refs/heads/main is at odds with rule `infra-review`")
        .says("success: 1 ref accepted as entry")
        .well_formed();
    assert_eq!(site.main(), alice.oid("main"));
    let log = site.log();
    let (decision, broken) = (log.last("decision"), log.last("break-glass"));
    assert_eq!(decision["verdict"], "warn");
    assert_eq!(broken["of"], decision["seq"]);
    assert_eq!(broken["push"], decision["push"]);
    assert_eq!(broken["seq"].as_u64().unwrap() + 1, decision["seq"].as_u64().unwrap());
    assert_eq!(broken["actor"]["name"], "alice");
    assert_eq!(broken["reason"], "INC-42: why");
    assert_eq!(broken["ref"], "refs/heads/main");
    assert_eq!(broken["new"], site.main().as_str());
    assert_eq!(broken["old"], broken["base"]);
    let rules: Vec<&str> = broken["overridden"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["main-takes-merges", "infra-review"]);
    assert_eq!(broken["overridden"][0]["level"], "refuse");
    assert_eq!(broken["paths"]["list"][0], NETWORK);
    assert_eq!(broken["makers"][0], "alice");
    assert_eq!(broken["asks"][0]["rule"], "infra-review");
    assert_eq!(broken["delta"], crate::support::statement::delta(&alice, "main^", "main").as_str());
    assert!(broken["settle_by"].as_str().unwrap() > broken["ts"].as_str().unwrap());
    assert_eq!(log.count("settled"), 0);
    site.log_and_refs_agree();
}

/// The person's approval of what a broken glass let in.
fn debt_approval(site: &Site, person: &Person) -> Draft {
    let log = site.log();
    let broken = log.last("break-glass");
    let (base, commit) = (broken["base"].as_str().unwrap(), broken["commit"].as_str().unwrap());
    person.fetch();
    Draft::new(person, &site.id(), broken["ref"].as_str().unwrap(), base, commit)
}

#[test]
fn an_approval_after_the_fact_settles_the_debt_and_is_used_up_by_it() {
    let (site, alice, bob) = glass("");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    // Nobody settles what they made or broke.
    debt_approval(&site, &alice).push(&alice).accepted();
    assert_eq!(site.log().count("settled"), 0);
    let approval = debt_approval(&site, &bob).later(1).sign(&bob);
    approval.push(&bob).accepted();
    let log = site.log();
    let settled = log.last("settled");
    assert_eq!(settled["how"], "approved");
    assert_eq!(settled["by"][0], "bob");
    assert_eq!(settled["of"], log.last("break-glass")["of"]);
    assert_eq!(settled["uses"].as_array().unwrap().len(), 1);
    // The approval that paid serves no landing of the same change later.
    let back = alice.topic("back", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("again", &[(NETWORK, "port 8443\n")]);
    site.does_not_land(&alice, &again).says("bob").says("was used");
    assert_eq!(site.log().count("settled"), 1);
    site.log_and_refs_agree();
}

#[test]
fn the_approve_verb_pays_and_review_shows_the_debt() {
    let (site, alice, bob) = glass("");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    bob.fetch();
    let commit = bob.oid("origin/main");
    let review =
        crate::support::ground::run(&mut bob.portcullis(&["review", &commit, "--for", "main"]));
    let told = String::from_utf8(review.stdout).unwrap();
    assert_eq!(review.status.code(), Some(1), "{told}");
    assert!(told.contains("INC-42: the edge is down"), "{told}");
    assert!(told.contains("you can give one"), "{told}");
    let approve = crate::support::ground::run(
        &mut bob.portcullis(&["approve", "--yes", &commit, "--for", "main"]),
    );
    assert!(approve.status.success(), "{}", String::from_utf8_lossy(&approve.stderr));
    assert_eq!(site.log().last("settled")["by"][0], "bob");
    let review =
        crate::support::ground::run(&mut bob.portcullis(&["review", &commit, "--for", "main"]));
    assert!(!String::from_utf8(review.stdout).unwrap().contains("INC-42"));
}

#[test]
fn what_is_reverted_owes_nothing() {
    let (site, alice, bob) = glass("");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n"), ("infra/prod/new.tf", "x\n")]).accepted();
    // Another content in its place is no repayment, approved as it may be.
    let other = alice.topic("other", &[(NETWORK, "port 8443 \n")]);
    site.approve(&bob, &other).accepted();
    alice.land(&other).accepted();
    assert_eq!(site.log().count("settled"), 0);
    alice.begin("back");
    alice.run(&["rm", "--quiet", "infra/prod/new.tf"]);
    let back = alice.commit(NETWORK, "port 443\n");
    alice.push(&["HEAD:refs/heads/back"]).accepted();
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let log = site.log();
    assert_eq!(log.last("settled")["how"], "reverted");
    assert_eq!(log.last("settled")["value"], site.main().as_str());
    site.log_and_refs_agree();
}

/// The push must be refused, and nothing may be broken.
#[track_caller]
fn whole(site: &Site, push: &Pushed) {
    push.refused().is_silent_about("the glass is broken");
    assert_eq!(site.log().count("break-glass"), 0);
    site.log_and_refs_agree();
}

#[test]
fn only_people_the_policy_names_break_the_glass() {
    let bots = "\n[people.robot]\nmachine = true\n[people.desk]\nshared = true\n";
    let by = "by = [\"alice\", \"robot\", \"desk\"]";
    let site = Site::new(with_glass("").replace("by = [\"alice\"]", by) + bots);
    for name in ["bob", "robot", "desk", "mallory"] {
        let person = site.person(name);
        let push = direct(&person, REASON, &[(NETWORK, "port 1\n")]);
        push.refused_by("break-glass").says("you may not break the glass");
        push.is_silent_about("git push -o break-glass");
        whole(&site, &push);
    }
}

#[test]
fn a_reason_is_asked_for_and_has_to_be_one() {
    let (site, alice, _) = glass("reason-match = '^INC-\\d+: ..'\n");
    let refused = |option: &str, says: &str| {
        let push = direct(&alice, Some(option), &[(NETWORK, "port 1\n")]);
        push.refused_by("break-glass").says(says).says("^INC-\\d+: ..");
        assert!(push.said().ends_with("git push -o break-glass='INC-42: why' origin main"));
        whole(&site, &push);
    };
    refused("break-glass", "without a reason");
    refused("break-glass=", "without a reason");
    refused("break-glass=   ", "without a reason");
    refused("break-glass=please", "not as the policy asks");
    refused("break-glass=INC-42: ", "not as the policy asks");
    refused("break-glass=INC-42: \u{1b}[2J", "no line of text");
    refused(&format!("break-glass=INC-42: {}", "x".repeat(1000)), "no line of text");
    direct(&alice, Some("break-glass=INC-42: down"), &[(NETWORK, "port 1\n")]).accepted();
}

#[test]
fn two_reasons_are_none() {
    let (site, alice, _) = glass("");
    alice.begin("main");
    alice.commit(NETWORK, "port 1\n");
    let push = alice.push(&["-obreak-glass=a", "-obreak-glass=b", "main"]);
    push.refused_by("break-glass").says("more than once");
    whole(&site, &push);
}

#[test]
fn a_glass_that_is_not_needed_stays_whole() {
    let (site, alice, bob) = glass("");
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let merge = alice.merge(&tip);
    let push =
        alice.push(&[&format!("-o{}", REASON.unwrap()), &format!("{merge}:refs/heads/main")]);
    push.accepted().says("the glass was not needed: it is whole");
    assert_eq!(site.log().count("break-glass"), 0);
    assert_eq!(site.log().last("decision")["verdict"], "accept");
}

#[test]
fn the_glass_reaches_no_further_than_its_refs_and_paths() {
    let rules = "\n[rule.more]\nkind = \"merge\"\nrefs = [\"release/**\"]\n";
    let keys = "refs = [\"main\"]\npaths = [\"infra/**\", \"!infra/vault/**\"]\n";
    let site = Site::new(with_glass(keys) + rules);
    let alice = site.person("alice");
    for files in [
        &[("app/x", "c\n")][..],
        &[(NETWORK, "port 1\n"), ("app/x", "c\n")],
        &[("infra/vault/key.tf", "x\n")],
        &[("infra/Vault/key.tf", "x\n")],
        &[("Infra/prod/network.tf", "x\n")],
    ] {
        let push = direct(&alice, REASON, files);
        push.refused_by("break-glass").says("the glass does not reach").says("infra/**");
        push.refused_by("main-takes-merges");
        whole(&site, &push);
        // Nor is it offered where it would not reach.
        direct(&alice, None, files).refused().is_silent_about("break-glass");
    }
    // What came and went on the way lies outside as well.
    alice.begin("main");
    alice.commit("app/x", "evil\n");
    alice.commit("app/x", "b\n");
    alice.commit(NETWORK, "port 1\n");
    let push = alice.push(&["-obreak-glass=INC-1: x", "main"]);
    push.refused_by("break-glass").says("app/x");
    whole(&site, &push);
    // Another ref than the glass is about: made as it is, moved by one commit more.
    alice.begin("main");
    let main = site.main();
    alice.push(&[&format!("{main}:refs/heads/release/1")]);
    alice.commit(NETWORK, "port 1\n");
    let push = alice.push(&["-obreak-glass=INC-1: x", "main", "HEAD:refs/heads/release/1"]);
    push.refused_by("break-glass").says("the glass does not reach refs/heads/release/1");
    whole(&site, &push);
    direct(&alice, REASON, &[(NETWORK, "port 1\n")]).accepted().says("the glass is broken");
}

#[test]
fn some_things_no_glass_lifts() {
    let access = "\n[rule.who]\nkind = \"access\"\nrefs = [\"main\"]\nmove = [\"bob\"]\n";
    let site = Site::new(with_glass("") + access);
    let alice = site.person("alice");
    let push = direct(&alice, REASON, &[(NETWORK, "port 1\n")]);
    push.refused_by("break-glass").says("no broken glass lifts `who`").refused_by("who");
    whole(&site, &push);
    direct(&alice, None, &[(NETWORK, "port 1\n")]).refused().is_silent_about("break-glass");
    // What is always on: a rewind, a deletion, a ref beside the open spaces.
    alice.begin("main");
    alice.run(&["commit", "--amend", "--quiet", "--allow-empty", "-m", "other"]);
    for refspec in ["+main", ":refs/heads/main", "main:refs/replace/x"] {
        let push = alice.push(&["-obreak-glass=INC-1: x", refspec]);
        whole(&site, &push);
    }
}

#[test]
fn a_push_that_was_not_applied_owes_nothing() {
    let keys = "debt = \"block\"\nsettle-within = \"1s\"\n";
    let site =
        Plan::new(with_glass(keys)).earlier_hook("pre-receive", "#!/bin/sh\nexit 1\n").build();
    let alice = site.person("alice");
    direct(&alice, REASON, &[(NETWORK, "port 1\n")]).says("another hook of this server refused");
    assert_eq!(site.log().count("break-glass"), 1);
    site.write_hook("pre-receive.before-portcullis", "#!/bin/sh\nexit 0\n");
    wait_until_overdue(&site);
    direct(&alice, REASON, &[("app/x", "c\n")]).accepted();
    let log = site.log();
    assert!(log.of("outcome").any(|it| it["refs"][0]["state"] == "not-applied"));
    assert_eq!(log.count("settled"), 0);
    site.log_and_refs_agree();
}

/// Lets the newest debt become overdue: at most as long as `settle-within`.
fn wait_until_overdue(site: &Site) {
    let log = site.log();
    let due: jiff::Timestamp =
        log.last("break-glass")["settle_by"].as_str().unwrap().parse().unwrap();
    while jiff::Timestamp::now() <= due {
        site.refs();
    }
}

#[test]
fn an_overdue_debt_stops_what_lands_until_it_is_approved() {
    let (site, alice, bob) = glass("debt = \"block\"\nsettle-within = \"1s\"\n");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    wait_until_overdue(&site);
    let tip = alice.topic("app", &[("app/x", "c\n")]);
    let push = alice.land(&tip);
    let entry = site.log().last("break-glass")["of"].clone();
    push.refused_by("debt")
        .says(&format!("the debt of entry {entry} is overdue since"))
        .says("alice broke the glass")
        .says("INC-42: the edge is down")
        .says("portcullis approve")
        .says("--for main");
    // No second glass hides the first.
    direct(&alice, REASON, &[("app/x", "d\n")]).refused_by("debt");
    // Other refs go on, and so do statements; the approval may come with the landing itself.
    bob.topic("elsewhere", &[("app/y", "d\n")]);
    let approval = debt_approval(&site, &bob).sign(&bob);
    bob.fetch();
    let merge = bob.merge(&tip);
    bob.push(&[&approval.refspec(), &format!("{merge}:refs/heads/main")]).accepted();
    assert_eq!(site.log().last("settled")["how"], "approved");
    site.log_and_refs_agree();
}

#[test]
fn an_overdue_debt_lets_its_own_revert_through_and_nothing_half() {
    let (site, alice, bob) = glass("debt = \"block\"\nsettle-within = \"1s\"\n");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n"), ("infra/prod/b.tf", "x\n")]).accepted();
    wait_until_overdue(&site);
    let half = alice.topic("half", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &half).accepted();
    alice.land(&half).refused_by("debt");
    alice.begin("back");
    alice.run(&["revert", "--no-edit", "HEAD"]);
    alice.push(&["HEAD:refs/heads/back"]).accepted();
    let back = alice.oid("HEAD");
    // A revert is held to the rules as any change.
    alice.land(&back).refused_by("infra-review").not_by("debt");
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    assert_eq!(site.log().last("settled")["how"], "reverted");
    let tip = alice.topic("app", &[("app/x", "c\n")]);
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn an_overdue_debt_that_is_only_reported_stops_nothing() {
    let (site, alice, _) = glass("settle-within = \"1s\"\n");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    wait_until_overdue(&site);
    let tip = alice.topic("app", &[("app/x", "c\n")]);
    alice.land(&tip).accepted();
}

#[test]
fn as_many_approvals_are_owed_as_the_rule_asked_and_those_that_were_there_count() {
    let policy = policy::gated(2) + "\n[break-glass]\nby = [\"alice\"]\n";
    let site = Site::new(policy);
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let merge = alice.merge(&tip);
    let push = alice.push(&["-obreak-glass=INC-1: x", &format!("{merge}:refs/heads/main")]);
    push.accepted().says("the glass is broken");
    assert_eq!(site.log().count("settled"), 0);
    // Dave is in no group that the rule asks; Carol is.
    let dave = site.person("dave");
    debt_approval(&site, &dave).push(&dave).accepted();
    assert_eq!(site.log().count("settled"), 0);
    debt_approval(&site, &carol).push(&carol).accepted();
    let log = site.log();
    let by: Vec<&str> = log.last("settled")["by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(by.contains(&"bob") && by.contains(&"carol"), "{by:?}");
    site.log_and_refs_agree();
}

#[test]
fn a_debt_whose_post_receive_never_ran_is_settled_by_the_next_hook_on_its_ref() {
    let (site, alice, bob) = glass("");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    std::fs::remove_file(site.hook_file("post-receive")).unwrap();
    debt_approval(&site, &bob).push(&bob).accepted();
    assert_eq!(site.log().count("settled"), 0);
    let tip = alice.topic("app", &[("app/x", "c\n")]);
    alice.land(&tip).accepted();
    let log = site.log();
    assert_eq!(log.last("settled")["how"], "approved");
    // A statement counts for good once it is known to have got to its place.
    let place = log.of("outcome").find(|it| {
        it["refs"][0]["ref"].as_str().is_some_and(|name| name.starts_with("refs/approvals/"))
    });
    assert!(place.unwrap()["seq"].as_u64() < log.last("settled")["seq"].as_u64());
    assert!(site.verb(&["log", "verify"]).status.success());
}

#[test]
fn without_pre_receive_there_is_no_glass_to_break() {
    let site = Plan::new(with_glass("")).install("--hooks").install("update,post-receive").build();
    let alice = site.person("alice");
    let push = direct(&alice, REASON, &[(NETWORK, "port 8443\n")]);
    push.refused_by("infra-review").says("the glass cannot be broken here");
    whole(&site, &push);
}

#[test]
fn status_shows_what_is_owed_and_says_no_when_it_is_overdue() {
    let (site, alice, bob) = glass("settle-within = \"1s\"\n");
    let status = |words: &[&str]| {
        let output = site.verb(&[&["status"], words].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = status(&[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains(&site.id())
            && told.contains("debts    none")
            && told.contains("drift    none"),
        "{told}"
    );
    assert!(told.contains("pre-receive"), "{told}");
    direct(&alice, REASON, &[(NETWORK, "port 8443\n")]).accepted();
    wait_until_overdue(&site);
    let entry = site.log().last("break-glass")["of"].clone();
    let (code, told) = status(&[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains(&format!("debts    entry {entry} on refs/heads/main by alice")),
        "{told}"
    );
    assert!(told.contains("INC-42: the edge is down"), "{told}");
    assert!(told.contains("lacks 1 approval, from bob"), "{told}");
    assert!(told.contains("is overdue"), "{told}");
    let (code, told) = status(&["--json"]);
    assert_eq!(code, Some(1));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let one = &told["repositories"][0];
    assert_eq!(one["debts"][0]["entry"], entry);
    assert_eq!(one["debts"][0]["overdue"], true);
    assert_eq!(one["debts"][0]["missing"][0]["from"][0], "bob");
    assert_eq!(one["log"]["entry"].as_u64().unwrap() + 1, site.log().len() as u64);
    debt_approval(&site, &bob).push(&bob).accepted();
    assert_eq!(status(&[]).0, Some(0));
    // What is wrong is told, and is no fault of the verb.
    std::fs::remove_file(site.hook_file("update")).unwrap();
    site.set_policy("version = 1\n");
    let (code, told) = status(&[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("the hook update does not run"), "{told}");
    assert!(
        told.contains("policy   cannot be used") && told.contains("there is no rule"),
        "{told}"
    );
}
