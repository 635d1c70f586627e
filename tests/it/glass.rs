//! Breaking the glass: who may, how far it reaches, what it owes, and how that is paid.

use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;
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
    let back = alice.topic("back", &[(NETWORK, "port 443\n\n")]);
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
    assert!(told.contains("that can be you: portcullis approve"), "{told}");
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
    let back = alice.commit(NETWORK, "port 443\n\n");
    alice.push(&["HEAD:refs/heads/back"]).accepted();
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let log = site.log();
    assert_eq!(log.last("settled")["how"], "reverted");
    assert_eq!(log.last("settled")["value"], site.main().as_str());
    site.log_and_refs_agree();
}
