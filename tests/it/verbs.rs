//! The verbs of a clone: approve, reject, revoke, review, and the question behind them.

use crate::support::ground::run;
use crate::support::site::Site;

#[test]
fn the_verb_approves_as_the_plain_tools_do() {
    let (site, alice, bob, tip) = Site::topic();
    let output = run(&mut bob.portcullis(&["approve", &tip, "--for", "refs/heads/main", "--yes"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let place = site.draft(&bob, &tip).place();
    assert!(site.value(&place).is_some(), "the statement lies in its place");
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn the_verbs_revoke_and_reject() {
    let (site, alice, bob, tip) = Site::topic();
    for verb in ["approve", "revoke", "approve", "reject"] {
        let output = run(&mut bob.portcullis(&[verb, &tip, "--for", "refs/heads/main", "--yes"]));
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }
    site.does_not_land(&alice, &tip).says_one_of(&["reject"]);
}

#[test]
fn the_commands_that_print_shows_are_enough() {
    let (site, alice, bob, tip) = Site::topic();
    let output =
        run(&mut bob.portcullis(&["approve", &tip, "--for", "refs/heads/main", "--print"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let place = site.draft(&bob, &tip).place();
    assert_eq!(site.value(&place), None, "to print is not to push");
    let script = String::from_utf8(output.stdout).unwrap();
    let mut shell = bob.command("bash");
    let shell = run(shell.args(["-euo", "pipefail", "-c", &script]).current_dir(bob.clone_path()));
    assert!(
        shell.status.success(),
        "{script}\n{}{}",
        String::from_utf8_lossy(&shell.stdout),
        String::from_utf8_lossy(&shell.stderr)
    );
    assert!(site.value(&place).is_some(), "{script}");
    alice.land(&tip).accepted();
}

#[test]
fn asking_moves_nothing_and_says_what_is_missing() {
    let (site, alice, bob, tip) = Site::topic();
    let before = site.refs();
    let ask = alice.push(&["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")]);
    assert!(!ask.is_accepted(), "a question is never taken");
    ask.says("alice").says(&site.id()).says("infra-review").says("bob");
    assert_eq!(site.refs(), before);
    site.approve(&bob, &tip).accepted();
    assert!(
        !alice.push(&["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")]).is_accepted()
    );
    assert!(site.log().count("asked") >= 1);
}

#[test]
fn review_in_a_clone_names_what_is_missing() {
    let (site, alice, bob, tip) = Site::topic();
    let review = || run(&mut alice.portcullis(&["review", &tip, "--for", "refs/heads/main"]));
    let output = review();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("infra-review") && said.contains("bob"), "{said}");
    site.approve(&bob, &tip).accepted();
    let output = review();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
