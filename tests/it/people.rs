//! The verbs of the people in it, at a real server: what is said is what is so, and the commands
//! that are shown work when they are copied.

use std::process::Output;

use crate::support::ground::{PORTCULLIS, run};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;

const NETWORK: &str = "infra/prod/network.tf";

/// What a verb said, data before talk.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs lines of shell in a person's clone, `portcullis` being the program under test.
fn shell(person: &Person, script: &str) -> Output {
    let folder = std::path::Path::new(PORTCULLIS).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = person.command("bash");
    shell.env("PATH", path).env("GIT_EDITOR", "true").args(["-euo", "pipefail", "-c", script]);
    run(shell.current_dir(person.clone_path()))
}

/// As `shell`, and it has to succeed.
#[track_caller]
fn must(person: &Person, script: &str) -> String {
    let output = shell(person, script);
    assert!(output.status.success(), "{script}\n{}", said(&output));
    said(&output)
}

/// The commands that a text shows, in their order: behind a hint, or indented on lines of their own.
fn commands(text: &str) -> Vec<String> {
    let is_command = |line: &str| line.starts_with("git ") || line.starts_with("portcullis ");
    let of = |line: &str| {
        let line = line
            .strip_prefix("hint: ")
            .and_then(|hint| hint.split_once(": "))
            .map_or_else(|| line.strip_prefix("  ").unwrap_or_default(), |(_, command)| command);
        is_command(line).then(|| line.to_owned())
    };
    text.lines().filter_map(of).collect()
}

/// Runs the verb as this person; it has to end with this code.
#[track_caller]
fn verb(person: &Person, words: &[&str], code: i32) -> String {
    let output = run(&mut person.portcullis(words));
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{said}");
    said
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "nobody said {part:?}:\n{text}");
    }
}

/// A merge of Alice's that wants one approval, refused.
fn refused(site: &Site, alice: &Person, tip: &str) -> Pushed {
    let merge = alice.merge(tip);
    let push = site.main_refuses(alice, &merge);
    push.refused_by("infra-review");
    push
}

#[test]
fn the_hint_of_a_refusal_run_by_whom_it_names_leads_to_acceptance() {
    // Bob has never seen the commit: the command has to work in his clone as it is.
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let push = refused(&site, &alice, &tip);
    push.says("ask one of bob, carol, erin to run");
    let approve: Vec<String> =
        commands(&push.said()).into_iter().filter(|c| c.starts_with("portcullis")).collect();
    assert_eq!(approve.len(), 1, "{}", push.said());
    must(&bob, &format!("{} --yes", approve[0]));
    must(&alice, "git push origin HEAD:main");
    site.log_and_refs_agree();
}

#[test]
fn every_command_of_a_review_works_until_it_has_landed() {
    let site = Site::new(policy::gated(2));
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    // She has worked on her own `main`, and pushed nothing.
    alice.begin_at("main", "origin/main");
    alice.commit(NETWORK, "port 8443\n");
    let text = verb(&alice, &["review"], 1);
    has(
        &text,
        &[
            "nobody has pushed 1 commit of it yet",
            "you are alice",
            "carol, erin can give them when\n",
        ],
    );
    let push = commands(&text).into_iter().find(|c| c.starts_with("git push")).unwrap();
    must(&alice, &push);
    // Everybody runs what the review shows them.
    for person in [&bob, &carol] {
        let text = verb(&alice, &["review"], 1);
        let approve = commands(&text);
        assert_eq!(approve.len(), 1, "{text}");
        must(person, &format!("{} --yes", approve[0]));
    }
    let text = verb(&alice, &["review"], 0);
    has(&text, &["bob approved", "carol approved", "success: nothing is missing"]);
    let land = commands(&text).join("\n");
    has(&land, &["git merge --no-ff", "git push origin HEAD:refs/heads/main"]);
    must(&alice, &land);
    has(&verb(&alice, &["review", "HEAD"], 0), &["is at", "nothing is left to land"]);
    site.log_and_refs_agree();
}

#[test]
fn the_last_approval_shows_the_commands_that_land() {
    let (site, _, bob, tip) = Site::topic();
    let text = verb(&bob, &["approve", &tip, "--yes"], 0);
    has(
        &text,
        &["success: nothing is missing", "git switch main && git pull --ff-only origin main"],
    );
    must(
        &bob,
        &commands(&text).into_iter().filter(|c| !c.contains("diff")).collect::<Vec<_>>().join("\n"),
    );
    has(&verb(&bob, &["review", &tip], 0), &["already, nothing is left to land"]);
    site.log_and_refs_agree();
}

#[test]
fn what_will_not_count_is_known_before_it_is_signed() {
    let (site, alice, bob, tip) = Site::topic();
    let place = |person: &Person| site.draft(person, &tip).place();
    // A maker is told so; nobody is there to say yes all the same.
    let text = verb(&alice, &["approve", &tip], 2);
    has(&text, &["it will not count: alice pushed", "makers do not count"]);
    assert_eq!(site.value(&place(&alice)), None);
    // Somebody whom no rule asks.
    let dave = site.person("dave");
    let text = verb(&dave, &["approve", &tip], 2);
    has(&text, &["no rule for refs/heads/main counts the word of dave"]);
    // Who has spoken already.
    verb(&bob, &["approve", &tip, "--yes"], 0);
    let entries = site.log().of("decision").count();
    has(&verb(&bob, &["approve", &tip, "--yes"], 0), &["bob approved exactly this on"]);
    assert_eq!(site.log().of("decision").count(), entries, "nothing was pushed again");
    verb(&bob, &["approve", &tip, "--yes", "--expires", "1h"], 0);
    verb(&bob, &["revoke", &tip, "--yes"], 0);
    has(&verb(&bob, &["revoke", &tip, "--yes"], 0), &["bob revoked it on"]);
    site.log_and_refs_agree();
}

#[test]
fn nothing_is_signed_that_the_server_does_not_have_or_has_already() {
    let (site, alice, bob, _) = Site::topic();
    bob.begin("mine");
    bob.commit(NETWORK, "port 9\n");
    let text = verb(&bob, &["approve", "mine", "--yes"], 1);
    has(&text, &["is not on the server yet", "push it first: git push origin mine"]);
    must(&bob, &commands(&text)[0]);
    let text = verb(&alice, &["approve", "mine", "--yes"], 0);
    has(&text, &["success: nothing is missing"]);
    has(&verb(&alice, &["approve", "origin/main", "--yes"], 1), &["already"]);
    let founder = site.git(&["rev-parse", "main"]);
    has(&verb(&alice, &["review", &founder], 0), &["is at", "nothing is left to land"]);
}

#[test]
fn a_conflict_is_named_with_its_remedy() {
    let (site, alice, bob, tip) = Site::topic();
    let other = alice.topic("other-port", &[(NETWORK, "port 9000\n")]);
    site.approve(&bob, &other).accepted();
    alice.land(&other).accepted();
    alice.run(&["checkout", "--quiet", "open-port"]);
    let text = verb(&alice, &["review"], 1);
    has(&text, &["does not merge into it by itself, both changed", NETWORK]);
    let remedy = commands(&text);
    assert_eq!(remedy.len(), 2, "{text}");
    // The first leaves the conflict in the work tree, where it is resolved.
    assert!(!shell(&alice, &remedy[0]).status.success());
    alice.commit(NETWORK, "port 9443\n");
    must(&alice, &remedy[1]);
    let text = verb(&alice, &["review"], 1);
    has(&text, &["0 of 1 approval", "portcullis approve"]);
    assert!(!text.contains(&tip[..7]), "the unresolved form is gone:\n{text}");
}

#[test]
fn a_reject_is_told_with_who_can_lift_it() {
    let (_site, alice, bob, tip) = Site::topic();
    verb(&bob, &["reject", &tip, "--yes"], 0);
    let text = verb(&alice, &["review", "open-port"], 1);
    has(&text, &["bob rejected", "settle it with bob"]);
    // To approve after all, or only to take it back.
    let lift = commands(&text);
    assert_eq!(lift.len(), 2, "{text}");
    assert!(lift[1].contains("portcullis revoke "), "{text}");
    must(&bob, &format!("{} --yes", lift[0]));
    has(&verb(&alice, &["review", "open-port"], 0), &["bob approved"]);
}

#[test]
fn a_review_on_the_server_says_the_same_and_writes_nothing() {
    let (site, alice, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    let asked = verb(&alice, &["review", "open-port"], 0);
    let log = || (site.log().len(), std::fs::read(site.log_dir().join("lock")).ok());
    let (before, refs) = (log(), site.refs());
    let here = |words: &[&str], code: i32| {
        let mut command = site.ground().portcullis();
        let output = run(command.arg("review").args(words).current_dir(site.path()));
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{}", said(&output));
        said(&output)
    };
    let same = |text: &str| {
        let rules =
            text.lines().filter(|line| line.contains("rule `") || line.contains("approved"));
        rules.map(str::to_owned).collect::<Vec<_>>()
    };
    let text = here(&["open-port", "--as", "alice"], 0);
    assert_eq!(same(&text), same(&asked));
    has(&text, &["success: nothing is missing", "git merge --no-ff"]);
    has(&here(&[&tip, "--for", "main"], 0), &["seen as nobody in particular", "bob approved"]);
    has(&here(&["main"], 0), &["is at", "nothing is left to land"]);
    has(&here(&["open-port", "--for", "release/1"], 0), &["it would be created"]);
    has(&here(&["nonsense"], 3), &["has no commit \"nonsense\""]);
    has(&here(&[], 2), &["say which commit or branch"]);
    has(&here(&["open-port", "--as", "bobb"], 2), &["nobody in the policy is called bobb", "bob"]);
    // By its path, from anywhere; a program reads the same answer.
    let mut command = site.ground().portcullis();
    let output = run(command.args(["review", "open-port", "--json", "--repo"]).arg(site.path()));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["commit"], tip);
    assert_eq!(answer["entry"], serde_json::Value::Null);
    assert_eq!(answer["makers"][0]["person"], "alice");
    assert_eq!((log(), site.refs()), (before, refs), "a look changes nothing");
    // A clone has no hooks of ours.
    has(&verb(&alice, &["review", "open-port", "--repo", "."], 3), &["has no hooks of ours"]);
}

#[test]
fn somebody_else_is_read_for() {
    let (_site, alice, _, tip) = Site::topic();
    has(&verb(&alice, &["review", &tip], 1), &["bob, carol or erin can give it:"]);
    let text = verb(&alice, &["review", &tip, "--as", "erin"], 1);
    has(&text, &["seen as erin", "you can give one, and so can bob or carol"]);
}

/// A branch that takes this method, a topic of two commits, and what moved `main` meanwhile.
fn lands_by(method: &str, meanwhile: &[(&str, &str)]) {
    let only = policy::MERGES.replace("\"merge\"]", &format!("\"{method}\", \"fast-forward\"]"));
    let site = Site::new(format!("{}{only}{}", policy::people(), policy::infra_review(1)));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("open-port");
    alice.commit(NETWORK, "port 8443\n");
    alice.commit("infra/prod/dns.tf", "zone a\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    if !meanwhile.is_empty() {
        let other = bob.topic("elsewhere", meanwhile);
        bob.push(&[&format!("{other}:refs/heads/main")]).accepted();
    }
    let text = verb(&bob, &["approve", "open-port", "--yes"], 0);
    has(&text, &["success: nothing is missing"]);
    let land: Vec<String> = commands(&text).into_iter().filter(|c| !c.contains("diff")).collect();
    must(&bob, &land.join("\n"));
    has(&verb(&bob, &["review", "origin/main"], 0), &["is at"]);
    assert!(site.git(&["show", "main:infra/prod/dns.tf"]).contains("zone a"));
    site.log_and_refs_agree();
}

#[test]
fn the_commands_that_land_are_those_of_the_branchs_own_method() {
    lands_by("squash", &[("app/x", "c\n")]);
    lands_by("rebase", &[("app/x", "c\n")]);
    // Of what the branch takes, the shortest way.
    lands_by("fast-forward", &[]);
}

#[test]
fn a_branch_that_is_made_is_approved_from_where_it_is_judged() {
    let review = policy::infra_review(1).replace("@default", "release/**");
    let starts = format!("{review}starts = [\"main\"]\n");
    let site = Site::new(format!("{}{}{starts}", policy::people(), policy::MERGES));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("release-work", &[(NETWORK, "port 8443\n")]);
    let text = verb(&alice, &["review", "release-work", "--for", "release/1"], 1);
    has(&text, &["it would be created, from", "1 entry differs from", "0 of 1 approval"]);
    alice.push(&[&format!("{tip}:refs/heads/release/1")]).refused_by("infra-review");
    let approve = commands(&text).pop().unwrap();
    let text = must(&bob, &format!("{approve} --yes"));
    has(&text, &["success: nothing is missing"]);
    must(&bob, &commands(&text).pop().unwrap());
    assert_eq!(site.value("refs/heads/release/1"), Some(tip));
    site.log_and_refs_agree();
}

#[test]
fn every_line_fits_a_terminal() {
    let (_site, alice, bob, tip) = Site::topic();
    let texts = [
        verb(&alice, &["review", &tip], 1),
        verb(&bob, &["reject", &tip, "--yes"], 0),
        verb(&alice, &["review", &tip], 1),
        alice.push(&["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")]).said(),
    ];
    let is_command = |line: &str| line.starts_with("  portcullis ") || line.starts_with("  git ");
    for line in texts.iter().flat_map(|text| text.lines()).filter(|line| !is_command(line)) {
        // A key's name and its fingerprint stand on one line, to be copied.
        let is_key = line.contains("SHA256:") || line.starts_with("as       ");
        assert!(is_key || line.chars().count() <= 80, "{line}");
    }
}
