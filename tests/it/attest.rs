//! Machines attest at a real server: the command of a refusal leads on, a pipeline's shallow clone
//! is told what it lacks.

use std::process::Output;

use crate::support::ground::{PORTCULLIS, run, text};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::site::Site;

const NETWORK: &str = "infra/prod/network.tf";

/// Infrastructure lands when the plan of it was seen to be clean.
fn plans() -> String {
    format!(
        "{}{}\n[rule.plan-is-clean]\nkind = \"check\"\nrefs = [\"@default\"]\n\
         checks = [\"terraform-plan\"]\nfrom = [\"plan-bot\"]\npaths = [\"infra/**\"]\n",
        policy::people(),
        policy::MERGES,
    )
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a shown command as this person.
fn shell(person: &Person, command: &str) -> Output {
    let folder = std::path::Path::new(PORTCULLIS).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = person.command("bash");
    run(shell.env("PATH", path).args(["-euc", command]).current_dir(person.clone_path()))
}

#[track_caller]
fn verb(person: &Person, words: &[&str], code: i32) -> String {
    let output = run(&mut person.portcullis(words));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{}", said(&output));
    said(&output)
}

#[test]
fn the_hint_of_a_refusal_run_by_the_machine_leads_to_acceptance() {
    let site = Site::new(plans());
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let merge = alice.merge(&tip);
    let push = site.main_refuses(&alice, &merge);
    push.refused_by("plan-is-clean");
    let shown = push.said();
    let command = shown
        .lines()
        .find_map(|line| line.find("portcullis attest").map(|at| line[at..].to_owned()));
    let output = shell(&bot, &command.unwrap());
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("success: nothing is missing"), "{}", said(&output));
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn the_latest_word_counts_and_a_review_shows_it_with_its_address() {
    let site = Site::new(plans());
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let url = "https://ci.example.org/runs/7";
    let check =
        |word: &str| verb(&bot, &["attest", "terraform-plan", word, "open-port", "--url", url], 0);
    check("fail");
    let text = verb(&alice, &["review", "open-port"], 1);
    for part in ["plan-bot terraform-plan fail", url, "portcullis attest terraform-plan pass"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // In the same second: later than its own last all the same.
    assert!(check("pass").contains("instead  of your fail of"));
    let text = verb(&alice, &["review", "open-port"], 0);
    assert!(text.contains("plan-bot terraform-plan pass, counts until"), "{text}");
    site.log_and_refs_agree();
}

#[test]
fn people_do_not_attest_and_machines_nobody_asked_are_not_taken() {
    let site = Site::new(plans());
    let (alice, bob, bot) = (site.person("alice"), site.person("bob"), site.person("plan-bot"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let text = verb(&bob, &["attest", "terraform-plan", "pass", &tip], 3);
    assert!(text.contains("only machines attest"), "{text}");
    verb(&bot, &["attest", "another", "pass", &tip], 1);
    assert!(site.refs().keys().all(|name| !name.starts_with("refs/checks/")));
}

#[test]
fn a_shallow_clone_is_told_what_it_lacks() {
    let site = Site::new(plans());
    let (alice, bot) = (site.person("alice"), site.person("plan-bot"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let shallow = bot.home().join("shallow");
    let address = format!("file://{}", site.path().display());
    let mut clone = bot.command("git");
    clone.args(["clone", "--quiet", "--depth", "1", "--branch", "open-port", &address]);
    text(clone.arg(&shallow));
    let attest = || {
        let mut verb = bot.command(PORTCULLIS);
        verb.args(["attest", "terraform-plan", "pass", "HEAD", "--for", "main"]);
        run(verb.current_dir(&shallow))
    };
    let output = attest();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("fetch the rest: git fetch --unshallow"), "{}", said(&output));
    text(bot.command("git").args(["fetch", "--quiet", "--unshallow"]).current_dir(&shallow));
    let output = attest();
    assert!(output.status.success(), "{}", said(&output));
    alice.land(&tip).accepted();
}
