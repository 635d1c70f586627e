//! What machines say of a change: who may say it, what counts, and what the pusher is told.

use crate::support::entries::Entries;
use crate::support::ground::{run, text};
use crate::support::person::{Person, public_key};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::{Draft, moment};

const NETWORK: &str = "infra/prod/network.tf";
const PLAN: &str = "terraform-plan";

/// Two machines may say how a plan came out; a third one is asked for nothing.
fn plans() -> String {
    format!(
        "{}\n[people.scan-bot]\nmachine = true\nkeys = [\"{}\"]\n\
         \n[people.idle-bot]\nmachine = true\n{}\
         \n[rule.plan-is-clean]\nkind = \"check\"\nrefs = [\"@default\"]\n\
         checks = [\"terraform-plan\"]\nfrom = [\"plan-bot\", \"scan-bot\"]\n\
         infra = [\"terraform\"]\npaths = [\"infra/**\"]\nwhy = \"what is applied was planned\"\n",
        policy::people(),
        public_key("mallory"),
        policy::MERGES,
    )
}

/// Alice, who makes, the machine that plans, and a topic of hers, pushed.
fn topic(site: &Site) -> (Person, Person, String) {
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    (alice, bot, tip)
}

/// A machine's word about what a commit brings to `main`: made, not pushed.
fn word(site: &Site, machine: &Person, commit: &str, verdict: &str) -> Draft {
    site.draft(machine, commit).check(PLAN, verdict)
}

#[track_caller]
fn does_not_land(site: &Site, person: &Person, tip: &str) -> Pushed {
    let merge = person.merge(tip);
    let push = site.main_refuses(person, &merge);
    push.refused_by("plan-is-clean");
    site.log_and_refs_agree();
    push
}

#[track_caller]
fn not_taken(site: &Site, person: &Person, draft: &Draft) -> Pushed {
    let statement = draft.sign(person);
    let before = site.value(&statement.place);
    let push = statement.push(person);
    push.refused();
    assert_eq!(site.value(&statement.place), before);
    push
}

#[test]
fn a_passed_check_lets_a_change_land() {
    for format in ["sha1", "sha256"] {
        let site = Plan::new(plans()).format(format).build();
        let (alice, bot, tip) = topic(&site);
        does_not_land(&site, &alice, &tip)
            .says(&format!("{NETWORK} changed, check terraform-plan has not passed"))
            .says("have one of plan-bot, scan-bot run:")
            .says(&format!("portcullis attest terraform-plan pass {} --for main", &tip[..7]))
            .says("policy: policy.toml:");
        word(&site, &bot, &tip, "pass").push(&bot).accepted();
        alice.land(&tip).accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn a_change_outside_the_rule_needs_no_check() {
    let site = Site::new(plans());
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&tip).accepted();
}

#[test]
fn without_paths_every_change_is_checked_and_each_check_is_asked_for() {
    let policy = plans()
        .replace("infra = [\"terraform\"]\npaths = [\"infra/**\"]\n", "")
        .replace("[\"terraform-plan\"]", "[\"terraform-plan\", \"lint\"]");
    let site = Site::new(policy);
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    does_not_land(&site, &alice, &tip).says("app/words changed, 2 of 2 checks have not passed");
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    does_not_land(&site, &alice, &tip)
        .says("app/words changed, check lint has not passed")
        .says("portcullis attest lint pass");
    site.draft(&bot, &tip).check("lint", "pass").push(&bot).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn any_fail_refuses_until_the_same_machine_says_pass() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let scan = site.person("scan-bot");
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    let url = "https://ci.example.org/runs/77?step=plan;id";
    word(&site, &scan, &tip, "fail").url(url).push(&scan).accepted();
    does_not_land(&site, &alice, &tip)
        .says(&format!("{NETWORK} changed, check terraform-plan failed"))
        .says(&format!("terraform-plan: scan-bot failed {} on ", &tip[..7]))
        // Quoted, so that who pastes it into a shell runs nothing.
        .says(&format!("hint: see what it found: '{url}'"))
        .says("hint: mend it, push the topic, and have that checked")
        .says("hint: if it passes after all, scan-bot can run:");
    // Another machine's later pass does not outvote it.
    word(&site, &bot, &tip, "pass").later(1).push(&bot).accepted();
    does_not_land(&site, &alice, &tip);
    word(&site, &scan, &tip, "pass").later(1).push(&scan).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_machine_may_think_again() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    word(&site, &bot, &tip, "fail").later(1).push(&bot).accepted();
    does_not_land(&site, &alice, &tip).says("check terraform-plan failed");
    // A pass that is no later than the fail does not take its place.
    not_taken(&site, &bot, &word(&site, &bot, &tip, "pass").later(-1));
    does_not_land(&site, &alice, &tip);
}

#[test]
fn a_check_holds_for_exactly_what_was_checked() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    alice.begin_at("open-port", &tip);
    let more = alice.commit("infra/prod/dns.tf", "a record\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    does_not_land(&site, &alice, &more)
        .says("infra/prod/dns.tf and 1 more changed, check terraform-plan has not")
        .says(&format!("plan-bot passed {}, in this push", &tip[..7]));
    word(&site, &bot, &more, "pass").push(&bot).accepted();
    alice.land(&more).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_check_is_used_by_the_landing_it_speaks_for() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let pass = word(&site, &bot, &tip, "pass").sign(&bot);
    pass.push(&bot).accepted();
    alice.land(&tip).accepted();
    assert_eq!(uses(&site), 1);
    let back = alice.topic("close-port", &[(NETWORK, "port 443\n")]);
    word(&site, &bot, &back, "pass").push(&bot).accepted();
    alice.land(&back).accepted();
    // The same change once more: its check was used, and the old statement does not come again.
    let again = alice.topic("open-again", &[(NETWORK, "port 8443\n")]);
    does_not_land(&site, &alice, &again);
    pass.push(&bot);
    does_not_land(&site, &alice, &again);
    word(&site, &bot, &again, "pass").later(2).push(&bot).accepted();
    alice.land(&again).accepted();
    site.log_and_refs_agree();
}

/// How many statements the last push that moved `main` used.
#[track_caller]
fn uses(site: &Site) -> usize {
    let log = site.log();
    let moves = |entry: &&serde_json::Value| entry["refs"][0]["ref"] == "refs/heads/main";
    let landing = log.of("decision").filter(moves).last().unwrap();
    landing["refs"][0]["uses"].as_array().map_or(0, Vec::len)
}

#[test]
fn each_step_needs_a_check_of_its_own() {
    let site = Site::new(plans());
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tips = ["a", "b", "c"].map(|name| {
        let file = format!("infra/{name}.tf");
        alice.topic(name, &[(file.as_str(), "x\n")])
    });
    for tip in [&tips[0], &tips[2]] {
        word(&site, &bot, tip, "pass").push(&bot).accepted();
    }
    alice.begin("three");
    for (tip, name) in tips.iter().zip(["a", "b", "c"]) {
        alice.run(&["merge", "--quiet", "--no-ff", "-m", &format!("take {name}"), tip]);
    }
    site.main_refuses(&alice, "HEAD")
        .refused_by("plan-is-clean")
        .says("infra/b.tf changed, check terraform-plan has not passed")
        .says("\"take b\"");
    word(&site, &bot, &tips[1], "pass").push(&bot).accepted();
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn an_octopus_needs_a_pass_for_each_of_its_branches() {
    let site = Site::new(plans());
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tips = ["a", "b"].map(|name| {
        let file = format!("infra/{name}.tf");
        alice.topic(name, &[(file.as_str(), "x\n")])
    });
    word(&site, &bot, &tips[0], "pass").push(&bot).accepted();
    alice.begin("octopus");
    alice.run(&["merge", "--quiet", "--no-ff", "-m", "both", &tips[0], &tips[1]]);
    site.main_refuses(&alice, "HEAD")
        .refused_by("plan-is-clean")
        .says(&format!("plan-bot passed {} on ", &tips[0][..7]))
        .says("without infra/b.tf")
        .says(&format!("portcullis attest terraform-plan pass {} --for main", &tips[1][..7]));
    word(&site, &bot, &tips[1], "pass").push(&bot).accepted();
    alice.push(&["HEAD:refs/heads/main"]).accepted();
}

#[test]
fn a_check_may_come_with_the_merge_and_by_anybodys_hand() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let pass = word(&site, &bot, &tip, "pass").sign(&bot);
    // It went by the build system's store: Alice has only the text.
    let content = text(&mut bot.git(&["cat-file", "blob", &pass.blob])) + "\n";
    assert_eq!(alice.object("blob", content.as_bytes()), pass.blob);
    let merge = alice.merge(&tip);
    alice.push(&[&pass.refspec(), &format!("{merge}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_fail_that_comes_with_the_merge_refuses_both() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    let fail = word(&site, &bot, &tip, "fail").later(1).sign(&bot);
    let merge = bot.merge(&tip);
    let push = bot.push(&[&fail.refspec(), &format!("{merge}:refs/heads/main")]);
    push.refused_by("plan-is-clean").says("check terraform-plan failed");
    // Nothing of that push came to be, so what was said before still holds.
    alice.land(&tip).accepted();
}

#[test]
fn people_never_check_and_machines_never_approve() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let bob = site.person("bob");
    not_taken(&site, &bob, &word(&site, &bob, &tip, "pass"))
        .says("is by bob, who is no machine, and people never check")
        .says("hint: a person's word is an approval: portcullis approve COMMIT");
    not_taken(&site, &bot, &site.draft(&bot, &tip))
        .says("is by plan-bot, a machine")
        .says("hint: a machine's word is a check: portcullis attest CHECK pass COMMIT");
    // A person in a machine's name.
    let mut draft = word(&site, &bob, &tip, "pass");
    "plan-bot".clone_into(&mut draft.person);
    not_taken(&site, &bob, &draft).says("of plan-bot");
    does_not_land(&site, &alice, &tip);
}

#[test]
fn only_who_a_rule_names_may_leave_a_check_and_only_that_one() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let idle = site.person("idle-bot");
    not_taken(&site, &idle, &word(&site, &idle, &tip, "pass"))
        .says("is by idle-bot, and no rule of this policy takes")
        .says("terraform-plan from it")
        .says("hint: ask the operators to name terraform-plan and idle-bot in a rule");
    not_taken(&site, &bot, &site.draft(&bot, &tip).check("lint", "pass"))
        .says("no rule of this policy takes lint");
    does_not_land(&site, &alice, &tip);
    // What was left while a rule named the machine is void when none does any more.
    let scan = site.person("scan-bot");
    word(&site, &scan, &tip, "pass").push(&scan).accepted();
    site.set_policy(plans().replace(", \"scan-bot\"", ""));
    does_not_land(&site, &alice, &tip);
}

#[test]
fn a_check_is_taken_only_whole_and_in_its_own_place() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let good = || word(&site, &bot, &tip, "pass");
    let mut draft = good();
    "approval@portcullis".clone_into(&mut draft.namespace);
    not_taken(&site, &bot, &draft).says("that does not count: made for another");
    draft = good();
    "elsewhere-12345678".clone_into(&mut draft.repository);
    not_taken(&site, &bot, &draft).says("is for repository");
    draft = good();
    draft.delta = "ab".repeat(32);
    not_taken(&site, &bot, &draft).says("states a digest");
    draft = good();
    draft.expires = moment(-1);
    not_taken(&site, &bot, &draft);
    not_taken(&site, &bot, &good().later(-86_400)).says("before the change log began");
    not_taken(&site, &bot, &good().later(3_600)).says("the server's clock");
    not_taken(&site, &bot, &good().verdict("approve")).says("is not well-formed");
    not_taken(&site, &bot, &good().url("javascript:alert(1)")).says("is not well-formed");
    let statement = good().sign(&bot);
    let folder = statement.place.rsplit_once('/').unwrap().0;
    for wrong in [
        format!("{folder}/scan-bot"),
        format!("{folder}/plan-bot/more"),
        folder.to_owned(),
        folder.replace(PLAN, "lint") + "/plan-bot",
        statement.place.replacen("refs/checks", "refs/approvals", 1),
    ] {
        bot.push(&[&format!("{}:{wrong}", statement.blob)]).refused();
        assert_eq!(site.value(&wrong), None);
    }
    statement.push(&bot).accepted();
    bot.push(&[&format!(":{}", statement.place)])
        .refused()
        .says("portcullis attest terraform-plan fail COMMIT");
    assert_eq!(site.value(&statement.place), Some(statement.blob));
    alice.land(&tip).accepted();
}

#[test]
fn a_warning_lets_a_failed_check_land_and_uses_it() {
    let warning = "kind = \"check\"\nlevel = \"warn\"";
    let site = Site::new(plans().replace("kind = \"check\"", warning));
    let (alice, bot, tip) = topic(&site);
    word(&site, &bot, &tip, "fail").push(&bot).accepted();
    alice.land(&tip).accepted().says("warning:").says("check terraform-plan failed");
    assert_eq!(uses(&site), 1);
    site.log_and_refs_agree();
}

#[test]
fn the_log_tells_what_a_machine_said() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let url = "https://ci.example.org/runs/77";
    word(&site, &bot, &tip, "fail").url(url).push(&bot).accepted();
    let shown = String::from_utf8(site.verb(&["log", "show"]).stdout).unwrap();
    assert!(shown.contains(&format!("terraform-plan fail of {}", &tip[..7])), "{shown}");
    word(&site, &bot, &tip, "pass").later(1).push(&bot).accepted();
    alice.land(&tip).accepted();
    let decided = |log: &Entries| log.of("decision").last().unwrap()["seq"].to_string();
    let shown = String::from_utf8(site.verb(&["log", "show", &decided(&site.log())]).stdout);
    let shown = shown.unwrap();
    assert!(shown.contains("terraform-plan pass by plan-bot, entry "), "{shown}");
    let log = site.log();
    let carrying = |entry: &&serde_json::Value| entry["statements"][0]["verdict"] == "fail";
    let statement = &log.of("decision").find(carrying).unwrap()["statements"][0];
    assert_eq!((&statement["kind"], &statement["check"]), (&"check".into(), &PLAN.into()));
    assert!(statement["text"].as_str().unwrap().contains(url), "{statement}");
}

#[test]
fn a_question_is_answered_with_what_is_missing() {
    let site = Site::new(plans());
    let (alice, bot, tip) = topic(&site);
    let asked = || {
        let refspec = format!("{tip}:refs/portcullis/ask/heads/main");
        Pushed::of(&run(&mut alice.git(&["push", "-o", "ask", "origin", &refspec])))
    };
    asked()
        .says("error: rule `plan-is-clean` is not satisfied")
        .says(&format!("  {NETWORK} changed, check terraform-plan has not passed"))
        .says(&format!("portcullis attest terraform-plan pass {} --for main", &tip[..7]));
    word(&site, &bot, &tip, "pass").push(&bot).accepted();
    asked()
        .says("rule `plan-is-clean` is satisfied: plan-bot passed terraform-plan of")
        .says(&format!("terraform-plan of\n  {}", &tip[..7]));
}
