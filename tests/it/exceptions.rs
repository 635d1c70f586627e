//! The honest exceptions: what an exemption passes over, and what it does not.

use crate::support::person::{Person, WHO, public_key};
use crate::support::policy::{self, MERGES};
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

const TAGS: &str = "clusters/prod/tags.yaml";

/// What stands on `main` before the robot comes.
const CLUSTERS: &str = "commit refs/heads/main\nmark :1\n\
    committer Founder <founder@example.org> 1764547200 +0000\ndata 10\nbeginning\n\
    M 100644 inline app/x\ndata 2\nb\nM 100644 inline README\ndata 6\nhello\n\
    M 100644 inline clusters/prod/tags.yaml\ndata 9\ntag: 1.0\n\
    M 100644 inline clusters/prod/app.yaml\ndata 12\nreplicas: 2\n\
    M 100644 inline clusters/dev/tags.yaml\ndata 9\ntag: 0.9\n\n";

/// The robot's exemption, as it stands in a rule.
const EXEMPT: &str = "exempt = [{ who = \"flux-bot\", paths = [\"clusters/**/tags.yaml\"], \
    operations = [\"modify\"] }]\n";

fn robots() -> String {
    format!(
        "{}\n[people.flux-bot]\nmachine = true\nemails = [\"flux-bot@example.org\"]\n",
        policy::people()
    )
}

fn review() -> String {
    policy::infra_review(1).replace("[\"infra/**\"]", "[\"clusters/**\"]")
}

/// `main` takes reviewed merges; the robot is exempt from both rules.
fn exempting() -> Site {
    let policy = format!("{}{MERGES}{EXEMPT}{}{EXEMPT}", robots(), review());
    Plan::new(policy).history(CLUSTERS.as_bytes().to_vec()).build()
}

/// One commit on `main` as it stands, pushed straight to it.
fn direct(person: &Person, files: &[(&str, &str)]) -> Pushed {
    person.begin("direct");
    person.commit_all(files);
    person.push(&["HEAD:refs/heads/main"])
}

#[test]
fn a_robot_pushes_what_it_is_exempt_for_and_the_log_says_so() {
    let site = exempting();
    let flux = site.person("flux-bot");
    let push = direct(&flux, &[(TAGS, "tag: 1.1\n"), ("clusters/dev/tags.yaml", "tag: 1.1\n")]);
    push.accepted()
        .says("success: 1 ref accepted as entry")
        .says("rule `main-takes-merges` was silent: flux-bot is exempt within")
        .says("rule `infra-review` was silent");
    let log = site.log();
    let decision = log.last("decision");
    assert_eq!(decision["verdict"], "accept");
    let exempt = decision["refs"][0]["exempt"].as_array().unwrap();
    assert_eq!(exempt.len(), 2);
    assert_eq!(exempt[0]["rule"], "main-takes-merges");
    assert_eq!(exempt[0]["who"], "flux-bot");
    assert_eq!(exempt[0]["paths"][0], "clusters/**/tags.yaml");
    let shown =
        site.portcullis(&["log", "show", "--rule", "infra-review", site.path().to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("exempt from main-takes-merges, infra-review"), "{shown}");
    site.log_and_refs_agree();
}

#[test]
fn whatever_lies_outside_ends_the_exemption_for_the_whole_push() {
    let site = exempting();
    let flux = site.person("flux-bot");
    for files in [
        &[("clusters/prod/app.yaml", "replicas: 9\n")][..],
        // Beside what it may do, another path; and what nobody else asks about.
        &[(TAGS, "tag: 2\n"), ("app/x", "evil\n")],
        // An operation that is not named.
        &[("clusters/new/tags.yaml", "tag: 1\n")],
        // A look-alike is another path.
        &[("Clusters/prod/tags.yaml", "tag: 2\n")],
    ] {
        let before = site.main();
        direct(&flux, files).refused_by("main-takes-merges").is_silent_about("was silent");
        assert_eq!(site.main(), before, "{files:?}");
    }
    // Deleted, made executable, made a symlink.
    for change in ["git rm -q FILE", "chmod +x FILE", "ln -sf ../../README FILE"] {
        flux.begin("direct");
        let mut shell = flux.command("sh");
        shell.args(["-c", &change.replace("FILE", TAGS)]).current_dir(flux.clone_path());
        assert!(shell.status().unwrap().success());
        flux.commit_tree_as_it_is("change");
        flux.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    }
    site.log_and_refs_agree();
}

#[test]
fn what_came_and_went_within_a_push_counts_as_well() {
    let site = exempting();
    let flux = site.person("flux-bot");
    flux.begin("direct");
    flux.commit("app/x", "evil\n");
    flux.commit("app/x", "b\n");
    flux.commit(TAGS, "tag: 1.1\n");
    flux.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    // Taken away and put back is no mere modification, though the net of it is.
    flux.begin("direct");
    flux.run(&["rm", "--quiet", TAGS]);
    flux.commit_tree_as_it_is("gone");
    flux.commit(TAGS, "tag: 1.1\n");
    flux.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    // Several commits of its own, each within, are fine.
    flux.begin("direct");
    flux.commit(TAGS, "tag: 1.1\n");
    flux.commit(TAGS, "tag: 1.2\n");
    flux.push(&["HEAD:refs/heads/main"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn nobody_rides_on_an_exemption() {
    let site = exempting();
    let (flux, alice) = (site.person("flux-bot"), site.person("alice"));
    // Somebody else does what the robot may do.
    direct(&alice, &[(TAGS, "tag: 1.1\n")]).refused_by("infra-review");
    // The robot pushes what somebody else brought to the server.
    let tip = alice.topic("tags", &[(TAGS, "tag: 1.1\n")]);
    flux.fetch();
    flux.push(&[&format!("{tip}:refs/heads/main")]).refused_by("infra-review");
    // Or what names somebody else as its author.
    flux.begin("direct");
    flux.commit(TAGS, "tag: 1.2\n");
    let author = "alice <alice@example.org>";
    flux.run(&["commit", "--amend", "--quiet", "--no-edit", "--author", author]);
    flux.push(&["HEAD:refs/heads/main"]).refused_by("infra-review");
    // Somebody else pushes what the robot made.
    flux.begin("bump");
    flux.commit(TAGS, "tag: 1.3\n");
    let bump = flux.oid("HEAD");
    flux.push(&["HEAD:refs/heads/bump"]).accepted();
    alice.fetch();
    alice.push(&[&format!("{bump}:refs/heads/main")]).refused_by("infra-review");
    // And what a stranger's login brought is nobody's on record.
    let mallory = site.person("mallory");
    let strange = mallory.topic("strange", &[(TAGS, "tag: 6.6\n")]);
    flux.fetch();
    flux.push(&[&format!("{strange}:refs/heads/main")]).refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn two_exemptions_are_not_put_together() {
    let both = "exempt = [{ who = \"flux-bot\", paths = [\"clusters/prod/tags.yaml\"] }, \
        { who = \"flux-bot\", paths = [\"clusters/dev/tags.yaml\"] }]\n";
    let policy = format!("{}{MERGES}{both}", robots());
    let site = Plan::new(policy).history(CLUSTERS.as_bytes().to_vec()).build();
    let flux = site.person("flux-bot");
    let two = [(TAGS, "tag: 1.1\n"), ("clusters/dev/tags.yaml", "tag: 1.1\n")];
    direct(&flux, &two).refused_by("main-takes-merges");
    direct(&flux, &two[..1]).accepted();
    direct(&flux, &two[1..]).accepted();
}

#[test]
fn one_rule_s_exemption_is_not_another_s_and_no_excuse_from_what_is_always_on() {
    let policy = format!("{}{MERGES}{EXEMPT}{}", robots(), review());
    let site = Plan::new(policy).history(CLUSTERS.as_bytes().to_vec()).build();
    let flux = site.person("flux-bot");
    let push = direct(&flux, &[(TAGS, "tag: 1.1\n")]);
    push.refused_by("infra-review").not_by("main-takes-merges");
    // A rewind and a deletion bring no entries to be exempt for.
    flux.begin("back");
    flux.run(&["commit", "--amend", "--quiet", "-m", "other"]);
    flux.push(&["--force", "HEAD:refs/heads/main"]).refused_by("protected");
    flux.push(&[":refs/heads/main"]).refused_by("protected");
}

#[test]
fn a_rule_about_refs_can_be_passed_over_by_what_lands_and_never_by_what_takes_away() {
    let access = "\n[rule.who]\nkind = \"access\"\nrefs = [\"main\"]\nmove = [\"alice\"]\n\
        rewind = [\"alice\"]\ndelete = [\"alice\"]\n";
    let policy = format!("{}{access}{EXEMPT}", robots());
    let site = Plan::new(policy).history(CLUSTERS.as_bytes().to_vec()).build();
    let flux = site.person("flux-bot");
    let before = site.main();
    direct(&flux, &[(TAGS, "tag: 1.1\n")]).accepted().says("rule `who` was silent");
    direct(&flux, &[("app/x", "c\n")]).refused_by("who");
    flux.push(&["--force", &format!("{before}:refs/heads/main")]).refused_by("who");
    flux.push(&[":refs/heads/main"]).refused_by("who");
    site.log_and_refs_agree();
}

#[test]
fn the_flux_example_lets_the_robot_bump_tags_and_nobody_skip_review() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/examples/flux-image-automation.toml");
    let example = std::fs::read_to_string(file).unwrap();
    let identity = format!("version = 1\n[identity]\nlocal = \"{WHO}\"\n");
    // What stands above a table stays above it.
    let (head, tables) = example.split_once("\n[people.alice]").unwrap();
    let head = head.replace("version = 1\n", "");
    let policy = format!("{head}\n{identity}\n[people.alice]{tables}");
    // Nobody has the other half of the example's key.
    let line = policy.lines().find(|line| line.ends_with(" bob\"]")).unwrap().to_owned();
    let policy = policy.replace(&line, &format!("keys = [\"{}\"]", public_key("bob")));
    let site = Plan::new(policy).history(CLUSTERS.as_bytes().to_vec()).build();
    let (flux, alice, bob) = (site.person("flux-bot"), site.person("alice"), site.person("bob"));
    direct(&flux, &[(TAGS, "tag: 1.1\n")]).accepted().says("flux-bot is exempt");
    direct(&flux, &[("clusters/prod/app.yaml", "replicas: 0\n")]).refused_by("cluster-review");
    direct(&alice, &[(TAGS, "tag: 1.2\n")]).refused_by("main-takes-merges");
    let tip = alice.topic("scale", &[("clusters/prod/app.yaml", "replicas: 3\n")]);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}
