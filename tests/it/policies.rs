//! A policy that cannot be used refuses every push and says so; a good one says how much it asks.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::ground::{run, skipped};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;

/// A site and Alice with an innocent commit that any policy would take.
fn innocent() -> (Site, Person) {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    (site, alice)
}

/// An innocent push must be refused, and must get an entry.
#[track_caller]
fn nothing_gets_in(site: &Site, alice: &Person) -> Pushed {
    let before = site.refs();
    let entries = site.log().len();
    let push = alice.push(&["HEAD:refs/heads/mine"]);
    push.refused().says_one_of(&["policy"]);
    assert_eq!(site.refs(), before);
    assert!(site.log().len() > entries, "a refusal is written down");
    push
}

#[test]
fn g17_a_broken_policy_refuses_every_push() {
    let (site, alice) = innocent();
    let good = policy::gated(1);
    for broken in [
        String::new(),
        "# nothing but words\n".to_owned(),
        "version = 1\n".to_owned(),
        "version = 2\n".to_owned() + good.trim_start_matches("version = 1\n"),
        good.replace("version = 1\n", ""),
        good.replace("approvals = 1", "approvals = 0"),
        good.replace("approvals = 1", "approvals = 9"),
        good.replace("approvals = 1", "aprovals = 1"),
        good.replace("kind = \"merge\"", "kind = \"marge\""),
        good.replace("[\"@default\"]", "[]"),
        good.replace("@platform\"]\nwhy", "@nobody\"]\nwhy"),
        good.replace("[rule.", "[rules."),
        good.clone() + "[rule.infra-review]\n",
        good.clone() + "\n[groups2]\n",
        good[..good.len() / 2].to_owned(),
        good + "\n= =\n",
    ] {
        site.set_policy(&broken);
        nothing_gets_in(&site, &alice);
    }
    site.set_policy(policy::gated(1));
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn g17_a_policy_that_is_no_text_refuses_every_push() {
    let (site, alice) = innocent();
    site.set_policy([policy::gated(1).as_bytes(), b"# \xff\xfe\n"].concat());
    nothing_gets_in(&site, &alice);
}

#[test]
fn g17_a_policy_that_is_gone_or_is_no_file_refuses_every_push() {
    let (site, alice) = innocent();
    fs::remove_file(site.policy_file()).unwrap();
    nothing_gets_in(&site, &alice);
    fs::create_dir(site.policy_file()).unwrap();
    nothing_gets_in(&site, &alice);
}

#[test]
fn g17_a_policy_that_others_can_write_refuses_every_push() {
    let (site, alice) = innocent();
    for mode in [0o664, 0o646, 0o666] {
        fs::set_permissions(site.policy_file(), fs::Permissions::from_mode(mode)).unwrap();
        nothing_gets_in(&site, &alice).is_silent_about("/server/");
    }
    fs::set_permissions(site.policy_file(), fs::Permissions::from_mode(0o644)).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
}

#[test]
fn g17_an_unreadable_policy_refuses_every_push() {
    let (site, alice) = innocent();
    fs::set_permissions(site.policy_file(), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(site.policy_file()).is_ok() {
        skipped("whoever runs this test can read every file");
        return;
    }
    nothing_gets_in(&site, &alice);
}

#[test]
fn install_refuses_a_broken_policy() {
    let (site, _) = innocent();
    site.set_policy("version = 1\n[rule.x]\nkind = \"marge\"\n");
    let before = site.git(&["config", "--list", "--local"]);
    let output = site.install(&[]);
    assert_eq!(output.status.code(), Some(1), "a policy with problems is refused");
    assert_eq!(site.git(&["config", "--list", "--local"]), before);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("policy.toml:3:8"), "{said}");
}

#[test]
fn lint_names_every_problem_with_its_place() {
    let site = Site::gated();
    let text = "version = 1\n\n[rule.one]\nkind = \"marge\"\n\n[rule.two]\nkind = \"merge\"\n\
        refs = [\"main\"]\nmethod = 3\n";
    site.set_policy(text);
    let output = run(site.ground().portcullis().arg("lint").arg(site.policy_file()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for place in ["policy.toml:4:8", "policy.toml:9:1"] {
        assert!(said.contains(place), "{place}: {said}");
    }
}

#[test]
fn a_warning_lets_through_and_says_so() {
    let warn =
        policy::gated(1).replace("kind = \"approval\"", "kind = \"approval\"\nlevel = \"warn\"");
    let site = Site::new(&warn);
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    alice
        .land(&tip)
        .accepted()
        .says("warning:")
        .says("at odds with rule `infra-review`")
        .says("success:");
    site.log_and_refs_agree();
}

#[test]
fn a_warning_becomes_a_refusal_on_its_day() {
    let text = |day: &str| {
        policy::gated(1).replace(
            "kind = \"approval\"",
            &format!("kind = \"approval\"\nlevel = \"warn\"\nuntil = {day}"),
        )
    };
    let site = Site::new(text("2099-01-01"));
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = alice.merge(&tip);
    site.set_policy(text("2020-01-01"));
    alice.push(&[&format!("{merge}:refs/heads/main")]).refused_by("infra-review");
    site.set_policy(text("2099-01-01"));
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted().says("warning:");
}

#[test]
fn every_policy_has_to_be_satisfied() {
    let site = Site::gated();
    let alice = site.person("alice");
    let second = site.ground().at("second.toml");
    fs::write(
        &second,
        "version = 1\n\n[rule.words-reviewed]\nkind = \"approval\"\nrefs = [\"main\"]\n\
         paths = [\"app/**\"]\napprovals = 1\nfrom = [\"@sre\"]\n",
    )
    .unwrap();
    site.git(&["config", "--add", "portcullis.policy", second.to_str().unwrap()]);
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&tip).refused_by("words-reviewed").says("second.toml:3");
    let bob = site.person("bob");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    // What only the first may say is a problem in the second.
    fs::write(&second, "version = 1\n\n[identity]\nlocal = \"LOGNAME\"\n").unwrap();
    alice.begin("mine");
    nothing_gets_in(&site, &alice);
    fs::remove_file(&second).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).refused();
}

#[test]
fn g15_nobody_brings_their_own_policy() {
    let site = Site::gated();
    let alice = site.person("alice");
    // Neither in the push nor by the environment nor by an option.
    alice.begin("main");
    alice.commit_all(&[
        ("policy.toml", "version = 1\n"),
        ("portcullis/policy.toml", "version = 1\n"),
    ]);
    let mut git = alice.git(&["push", "-o", "policy=/dev/null"]);
    git.env("PORTCULLIS_POLICY", "/dev/null")
        .env("PORTCULLIS_DISABLE", "1")
        .env("PORTCULLIS_LOG", "trace")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("TZ", "Mars/Olympus")
        .env("XDG_CONFIG_HOME", alice.clone_path())
        .arg(site.path())
        .arg("HEAD:refs/heads/main");
    let push = Pushed::of(&run(&mut git));
    push.refused_by("main-takes-merges").is_silent_about("TRACE").is_silent_about("DEBUG");
    let lines = push.said().lines().count();
    let plain = alice.push(&["HEAD:refs/heads/main"]);
    assert_eq!(plain.said().lines().count(), lines, "{}", push.whole());
}

#[test]
fn a_new_policy_is_in_the_log() {
    let (site, alice) = innocent();
    let before = site.log().count("policy");
    site.set_policy(policy::gated(2));
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    assert_eq!(site.log().count("policy"), before + 1);
    alice.commit("app/x", "newer\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    assert_eq!(site.log().count("policy"), before + 1, "only the first time");
}

#[test]
fn infrastructure_is_known_by_its_content() {
    let site = Site::gated();
    let alice = site.person("alice");
    // No path of this name is infrastructure; what is in it is.
    let tip = alice.topic(
        "deployment",
        &[("things/web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")],
    );
    alice.land(&tip).refused_by("infra-review").says("things/web.yaml");
    let tip = alice.topic("list", &[("things/list.yaml", "- one\n- two\n")]);
    alice.land(&tip).accepted();
}
